"""A session to look at: its facts and everything derived from them at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from json import loads
from uuid import UUID

from monitor import dosing, lifecycle, schedule
from monitor.alerts import (
    Alert,
    AlertEvent,
    AlertView,
    Course,
    alert_courses,
    alert_views,
    confirmed_spans,
    dose_interlocks,
)
from monitor.audit import AuditEvent
from monitor.breaches import Breach, find_breaches
from monitor.errors import (
    NotPermitted,
)
from monitor.permissions import Action, User, check_may
from monitor.protocols import InfusionProtocol, PinnedVersion, parse_protocol
from monitor.record import (
    InfusionSession,
)
from monitor.store import Store
from monitor.thresholds import ThresholdSet, parse_threshold_set
from monitor.titration import titration_doubts


@dataclass(frozen=True, kw_only=True)
class OpenSession:
    """A session as it stands at ``as_of``: its facts and everything derived from them, lazily."""

    session: InfusionSession
    protocol: InfusionProtocol
    threshold_set: ThresholdSet
    alerts: tuple[Alert, ...]
    alert_events: tuple[AlertEvent, ...]
    as_of: datetime

    @cached_property
    def breaches(self) -> tuple[Breach, ...]:
        """Every breach of the pinned threshold set and of the protocol's dose limits."""
        return find_breaches(self.session, self.threshold_set, self.as_of, protocol=self.protocol)

    @cached_property
    def courses(self) -> tuple[Course, ...]:
        """The course of every alert."""
        return alert_courses(
            self.session,
            self.threshold_set,
            self.alerts,
            self.alert_events,
            self.as_of,
            protocol=self.protocol,
            breaches=self.breaches,
            sets_due=self.dues,
        )

    @cached_property
    def views(self) -> tuple[AlertView, ...]:
        """Every alert about the patient as it stands now, those that need someone first."""
        return tuple(view for view in self.all_views if not view.is_clock)

    @cached_property
    def clock_view(self) -> AlertView | None:
        """The open alert that a set is late or missed; None while there is none (U-33)."""
        return next((view for view in self.all_views if view.is_clock and view.is_open), None)

    @cached_property
    def all_views(self) -> tuple[AlertView, ...]:
        """Those and the alerts of the clock: the list of what staff were told."""
        return alert_views(
            self.session,
            self.threshold_set,
            self.alerts,
            self.alert_events,
            self.as_of,
            courses=self.courses,
        )

    @cached_property
    def status(self) -> lifecycle.SessionStatus:
        """Where the session stands."""
        return lifecycle.status(self.session, self.as_of)

    @cached_property
    def alert_spans(self) -> tuple[schedule.AlertSpan, ...]:
        """When confirmed alerts shorten the observation schedule (clinical.md U-40)."""
        return confirmed_spans(self.breaches, self.threshold_set)

    @cached_property
    def dues(self) -> tuple[schedule.Due, ...]:
        """Every observation set that was or is due."""
        return schedule.dues(self.session, self.protocol, self.alert_spans, self.as_of)

    @cached_property
    def next_due(self) -> schedule.Due | None:
        """The next set to take, or None when none is due any more."""
        return schedule.first_open(self.dues)

    @cached_property
    def overdue(self) -> tuple[schedule.Due, ...]:
        """Sets that are late or missed with no answered set since, the oldest first."""
        return schedule.overdue(self.dues)

    @property
    def due(self) -> schedule.Due | None:
        """The set to speak of now: the oldest that is overdue, else the next one to take."""
        return next(iter(self.overdue), None) or self.next_due

    @cached_property
    def interlocks(self) -> tuple[str, ...]:
        """Why more drug needs a reason now: open alerts, sets that are late (clinical.md U-31)."""
        return dose_interlocks(self.views, self.overdue)

    def titration_doubts(self, at: datetime) -> tuple[str, ...]:
        """Why the protocol would not raise the rate at that moment."""
        return titration_doubts(self.session, self.protocol, self.views, at)

    @cached_property
    def totals(self) -> dosing.DoseTotals:
        """Dose given so far."""
        return dosing.totals(self.session, self.as_of)


@lru_cache(maxsize=64)
def protocol_of(version: PinnedVersion) -> InfusionProtocol:
    """The parsed protocol; versions never change, so it is parsed once."""
    return parse_protocol(loads(version.text))


@lru_cache(maxsize=64)
def threshold_set_of(version: PinnedVersion) -> ThresholdSet:
    """The parsed threshold set; versions never change, so it is parsed once."""
    return parse_threshold_set(loads(version.text))


def bundle(
    store: Store,
    session: InfusionSession,
    alerts: tuple[tuple[Alert, ...], tuple[AlertEvent, ...]],
    now: datetime,
) -> OpenSession:
    """The session with its alerts and the versions it is pinned to."""
    return OpenSession(
        session=session,
        protocol=protocol_of(store.pinned(session.protocol_id)),
        threshold_set=threshold_set_of(store.pinned(session.threshold_set_id)),
        alerts=alerts[0],
        alert_events=alerts[1],
        as_of=now,
    )


def check_clinic(user: User, session: InfusionSession) -> None:
    """Refuse a session of another clinic."""
    if session.clinic != user.clinic:
        raise NotPermitted("This session belongs to another clinic.")


def open_session(
    store: Store,
    user: User,
    session_id: UUID,
    *,
    now: datetime,
    audit: bool = False,
    device: str | None = None,
) -> OpenSession:
    """A session to look at.  ``audit`` records that this person opened it (once per opening)."""
    check_may(user, Action.SEE_SESSION)
    session = store.session(session_id)
    check_clinic(user, session)
    if audit:
        event = AuditEvent(now, user.username, Action.SEE_SESSION.name, session_id, device)
        with store.write(event, clinic=user.clinic):
            pass
    return bundle(store, session, store.alerts(session_id), now)


def seated(store: Store, clinic: str) -> tuple[InfusionSession, ...]:
    """The sessions that are not over, in the order of their chairs."""
    running = (store.session(session_id) for session_id in store.open_session_ids(clinic))
    return tuple(sorted(running, key=lambda session: session.chair.casefold()))


def open_sessions(store: Store, user: User, *, now: datetime) -> tuple[OpenSession, ...]:
    """Every session of the clinic that is not over, for the live board."""
    check_may(user, Action.SEE_BOARD)
    return tuple(
        bundle(store, store.session(session_id), store.alerts(session_id), now)
        for session_id in store.open_session_ids(user.clinic)
    )
