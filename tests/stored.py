"""Puts a hand-made session into a store the way a clinic that looked every minute would have."""

from __future__ import annotations

from monitor.actions.opening import bundle
from monitor.actions.saving import summary
from monitor.alerts import alerts_to_raise
from monitor.record import InfusionSession
from monitor.store import Store
from tests import build
from tests.build import at


def keep(store: Store, session: InfusionSession, minute: int) -> InfusionSession:
    """Store the session with the alerts raised up to that minute, and its summary row."""
    opened = bundle(store, session, ((), ()), at(minute))
    for passed in range(minute + 1):
        known = session.known_at(at(passed))
        alerts, events = alerts_to_raise(
            known, opened.threshold_set, opened.alerts, opened.alert_events, at(passed)
        )
        opened = bundle(
            store,
            session,
            ((*opened.alerts, *alerts), (*opened.alert_events, *events)),
            at(minute),
        )
    with store.write(build.audit(minute=minute), clinic=session.clinic) as writer:
        writer.add_patient(session.patient)
        writer.add_session(session)
        writer.add_alerts(opened.alerts, opened.alert_events)
        writer.set_summary(session.id, summary(opened, store.zone))
    return session
