"""How wrong the clock of a device is, kept with the audit event of every entry it sends (ruling 15).

The times of the record are the server's, less the age of the tap: a wrong clock changes none of
them.  It is stored because an entry that outlived a reload knows its age by that clock alone.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from monitor.audit import AuditEvent
from monitor.store import Store, Writer

#: The name under which it stands in the detail of the audit event: seconds the device is ahead.
DETAIL = "device_clock_ahead_s"
#: The furthest moment a browser's clock can name, in ms around 1970.
_FURTHEST_MS = 8.64e15


def ahead_s(sent_wall_ms: object, now: datetime) -> int | None:
    """How many seconds the clock of the device is ahead, None when it did not say.

    Raises:
        ValueError: that is no moment.
    """
    if sent_wall_ms is None:
        return None
    if (
        not isinstance(sent_wall_ms, int | float)
        or isinstance(sent_wall_ms, bool)
        or not abs(sent_wall_ms) <= _FURTHEST_MS
    ):
        raise ValueError("sent_wall_ms")
    since_1970 = now.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return round(sent_wall_ms / 1000 - since_1970.total_seconds())


def noting_clock(store: Store, ahead: int | None) -> Store:
    """The same store; what is written through it carries how far ahead the device's clock is."""
    return store if ahead is None else cast(Store, _Noting(store, ahead))


class _Noting:
    """A store in everything but ``write``."""

    def __init__(self, store: Store, ahead: int) -> None:
        self._store = store
        self._ahead = ahead

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(
        self, audit: AuditEvent, *, clinic: str, session_id: UUID | None = None
    ) -> AbstractContextManager[Writer]:
        noted = replace(audit, detail={**(audit.detail or {}), DETAIL: self._ahead})
        return self._store.write(noted, clinic=clinic, session_id=session_id)
