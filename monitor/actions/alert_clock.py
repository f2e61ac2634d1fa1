"""What only time brings about is stored when it happens, also while nobody saves anything.

An unrepeated reading is confirmed by the clock, an unanswered condition fires again, a running dose
crosses a total, a set is late and then missed.  Every process looks at the open sessions (design ruling 16); ids follow from what
happened and each session is written under its lock, so two processes tell the same thing once.
What became due while none ran is stored when one runs again, marked as raised late.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from monitor.actions.opening import OpenSession, bundle
from monitor.actions.saving import summary
from monitor.alerts import MONITOR, RAISED_LATE, Alert, AlertEvent, alerts_to_raise
from monitor.audit import AuditEvent
from monitor.clock_changes import clock_changes, nothing_changes
from monitor.errors import StoreUnavailable
from monitor.protocols import InfusionProtocol
from monitor.record import InfusionSession
from monitor.store import Store

_LOG = logging.getLogger(__name__)

#: How often the open sessions are looked at (design ruling 16).
INTERVAL_S = 5.0
#: Later than this it was not the clock's own turn that was waited for: the monitor did not run.
RAISED_LATE_AFTER = timedelta(seconds=30)
#: What the audit trail calls it.
RAISE_ALERTS = "RAISE_ALERTS"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A session at the last look that had nothing to tell, and when the clock may change that."""

    session: InfusionSession
    alerts: int
    events: int
    looked_at: datetime
    protocol: InfusionProtocol
    changes_at: tuple[datetime, ...]

    def still_holds(
        self, session: InfusionSession, alerts: int, events: int, now: datetime
    ) -> bool:
        """Whether a look now would find nothing to tell, either."""
        return (
            self.session is session
            and (self.alerts, self.events) == (alerts, events)
            and self.looked_at <= now
            and nothing_changes(session, self.protocol, self.changes_at, self.looked_at, now)
        )


class AlertClock:
    """Looks at every open session of every clinic.  One per process, used by one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._at_rest: dict[UUID, _Seen] = {}

    def look(self, now: datetime) -> int:
        """Store what became due by ``now``; how many alerts and events that were.

        A session that cannot be judged is told in the log and keeps no other from its turn.

        Raises:
            StoreUnavailable: the database does not answer; the next look catches up.
        """
        told, at_rest = 0, {}
        for clinic in self._store.clinics():
            for session_id in self._store.open_session_ids(clinic):
                try:
                    told += self._look_at(session_id, now)
                except StoreUnavailable:
                    raise
                except Exception as error:  # noqa: BLE001
                    # The sentence of an error may hold a value of the patient: its kind does not.
                    _LOG.error(
                        "alerts of session %s were not evaluated: %s",
                        session_id,
                        type(error).__name__,
                    )
                if session_id in self._at_rest:
                    at_rest[session_id] = self._at_rest[session_id]
        self._at_rest = at_rest
        return told

    def _look_at(self, session_id: UUID, now: datetime) -> int:
        session, alerts = self._store.session(session_id), self._store.alerts(session_id)
        known = session, len(alerts[0]), len(alerts[1])
        rests = self._at_rest.get(session_id)
        if rests is not None and rests.still_holds(*known, now):
            return 0
        opened = bundle(self._store, session, alerts, now)
        if not any(_due(opened)):
            changes_at = clock_changes(opened.courses, opened.dues, now)
            self._at_rest[session_id] = _Seen(*known, now, opened.protocol, changes_at)
            return 0
        return self._tell(session_id, session.clinic, now)

    def _tell(self, session_id: UUID, clinic: str, now: datetime) -> int:
        """Worked out again under the lock: somebody may have saved or told it meanwhile."""
        event = AuditEvent(now, MONITOR, RAISE_ALERTS, session_id)
        with self._store.write(event, clinic=clinic, session_id=session_id) as writer:
            session, known = writer.session(session_id), writer.alerts(session_id)
            opened = bundle(self._store, session, known, now)
            alerts, events = _due(opened)
            if not alerts and not events:
                return 0
            writer.add_alerts(alerts, events)
            after = bundle(self._store, session, ((*known[0], *alerts), (*known[1], *events)), now)
            writer.set_summary(session_id, summary(after, self._store.zone))
            return len(alerts) + len(events)


def _due(opened: OpenSession) -> tuple[tuple[Alert, ...], tuple[AlertEvent, ...]]:
    alerts, events = alerts_to_raise(
        opened.session,
        opened.threshold_set,
        opened.alerts,
        opened.alert_events,
        opened.as_of,
        courses=opened.courses,
    )
    return alerts, tuple(_marked(event) for event in events)


def _marked(event: AlertEvent) -> AlertEvent:
    if event.recorded_at - event.at <= RAISED_LATE_AFTER:
        return event
    said = [event.text] if event.text else []
    return replace(event, text="; ".join([*said, RAISED_LATE]))
