"""Tells open pages and WebSockets at once when their device was locked, taken over or signed out.

One task per process reads every followed device once per interval, however many pages follow it;
what this process changes itself is told without waiting (``poke``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.concurrency import run_in_threadpool

from monitor.errors import MonitorError
from pages.http.context import Gate, Standing, Visitor, visitor_for

_LOG = logging.getLogger(__name__)

#: How a device looks to those who follow it: its standing and the token that goes with the person.
State = tuple[Standing, str]
GONE: State = (Standing.ENDED, "")


def state_of(visitor: Visitor | None) -> State:
    """What has to change for an open page to be told."""
    if visitor is None or visitor.standing is Standing.ENDED:
        return GONE
    return visitor.standing, visitor.device.csrf_token


class Follower:
    """One open page or WebSocket: what it last knew, and a flag raised when that is no longer so."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.changed = asyncio.Event()

    def tell(self, state: State) -> None:
        """The device is now in this state."""
        if state != self.state:
            self.state = state
            self.changed.set()


class Watch:
    """The followers of this process.  Everything but ``look`` runs in the event loop."""

    def __init__(self, gate: Gate, *, interval_s: float = 2.0) -> None:
        self._gate = gate
        self._interval_s = interval_s
        self._followers: dict[str, set[Follower]] = {}
        self._task: asyncio.Task[None] | None = None
        #: Set when the server is asked to stop: nobody is held waiting any longer.
        self.stopping = asyncio.Event()

    async def look(self, token_hash: str) -> Visitor | None:
        """Read the device now and tell its followers when it changed.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        visitor = await run_in_threadpool(visitor_for, self._gate, token_hash)
        for follower in self._followers.get(token_hash, ()):
            follower.tell(state_of(visitor))
        return visitor

    @contextmanager
    def follow(self, token_hash: str, state: State) -> Iterator[Follower]:
        """Be told of changes from ``state`` on for as long as the block lasts."""
        follower = Follower(state)
        self._followers.setdefault(token_hash, set()).add(follower)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="device-watch")
        try:
            yield follower
        finally:
            self._followers[token_hash].discard(follower)
            if not self._followers[token_hash]:
                del self._followers[token_hash]

    async def _run(self) -> None:
        while self._followers:
            await asyncio.sleep(self._interval_s)
            for token_hash in tuple(self._followers):
                try:
                    await self.look(token_hash)
                except MonitorError as error:
                    # Nothing is known, so nothing is told; the next message of the page is
                    # checked by itself and refused while the database does not answer.
                    _LOG.warning("devices could not be checked: %s", error)
                    break

    async def close(self) -> None:
        """Stop watching, at shutdown."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
