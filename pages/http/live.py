"""``GET /live?after=<n>``: answers when the clinic's record moved past ``n``, so that pages follow.

One watcher per clinic and process asks the database for the version while anybody waits, however
many viewers there are; each of them costs one open request and no query of its own.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from monitor.errors import MonitorError, StoreUnavailable
from monitor.permissions import Action, check_may
from monitor.store import Store
from pages.http.context import current_user

_LOG = logging.getLogger(__name__)

#: How often the version is asked for while somebody waits: well inside the second that another
#: viewer's screen may be behind.
INTERVAL_S = 0.2
#: A poll is answered at the latest after this time, before proxies give up on it.
HOLD_S = 25.0


class ClinicWatch:
    """Waits for one clinic's version to move.  Lives in the event loop of the process."""

    def __init__(self, store: Store, clinic: str, *, interval_s: float = INTERVAL_S) -> None:
        self._store = store
        self._clinic = clinic
        self._interval_s = interval_s
        self._moved = asyncio.Condition()
        self._waiting = 0
        self._task: asyncio.Task[None] | None = None
        self._error: MonitorError | None = None
        self.version = -1

    async def newer_than(self, after: int, hold_s: float) -> int:
        """The version as soon as it is not ``after``, at the latest after ``hold_s`` seconds.

        A version below ``after`` is news too: the database was restored from a backup.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        self._waiting += 1
        try:
            if self._task is None or self._task.done():
                # Read before anybody is answered: what was seen before the last watcher ended
                # may be old.
                self.version, self._error = -1, None
                self._task = asyncio.create_task(self._run(), name=f"live-{self._clinic}")
            async with self._moved:
                with suppress(TimeoutError):
                    async with asyncio.timeout(hold_s):
                        await self._moved.wait_for(lambda: self._is_news(after))
            if self._error is not None:
                raise self._error
            return self.version
        finally:
            self._waiting -= 1

    def _is_news(self, after: int) -> bool:
        return self._error is not None or self.version not in (-1, after)

    async def _run(self) -> None:
        while self._waiting:
            version, error = self.version, None
            try:
                version = await run_in_threadpool(self._store.version, self._clinic)
            except StoreUnavailable as problem:
                _LOG.warning("the live version could not be read: %s", problem)
                error = problem
            if version != self.version or error is not None:
                async with self._moved:
                    self.version, self._error = version, error
                    self._moved.notify_all()
            if error is not None:
                return
            await asyncio.sleep(self._interval_s)


def routes(store: Store) -> list[Route]:
    """The long poll of the live pages."""
    watches: dict[str, ClinicWatch] = {}

    async def live(request: Request) -> Response:
        user, _device = current_user(request)
        check_may(user, Action.SEE_BOARD)
        try:
            after = int(request.query_params.get("after", "-1"))
        except ValueError:
            return JSONResponse({"problem": "after is a number"}, status_code=400)
        watch = watches.setdefault(user.clinic, ClinicWatch(store, user.clinic))
        version = await watch.newer_than(after, HOLD_S)
        return JSONResponse({"version": version}, headers={"Cache-Control": "no-store"})

    return [Route("/live", live, methods=["GET"])]
