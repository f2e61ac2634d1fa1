"""The task that lets the alert clock look every few seconds for as long as the app runs."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool

from monitor.actions import AlertClock
from monitor.actions.alert_clock import INTERVAL_S
from monitor.errors import StoreUnavailable
from monitor.store import Store

_LOG = logging.getLogger(__name__)


class AlertTicker:
    """Started and stopped with the app; lives in its event loop, looks in a thread."""

    def __init__(self, store: Store, *, interval_s: float = INTERVAL_S) -> None:
        self._clock = AlertClock(store)
        self._interval_s = interval_s
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look now, then at every interval: what became due while no process ran is caught up."""
        self._task = asyncio.create_task(self._run(), name="alert-clock")

    async def close(self) -> None:
        """Let a look that has begun end, and stop."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        answered = True
        while not self._stopping.is_set():
            try:
                await run_in_threadpool(self._clock.look, datetime.now(UTC))
                answered = True
            except StoreUnavailable as error:
                if answered:
                    # Once, not every five seconds for as long as the database is away.
                    _LOG.warning("alerts are not evaluated: %s", error)
                answered = False
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval_s):
                    await self._stopping.wait()
