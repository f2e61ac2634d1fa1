"""One session at one moment, with what several columns of its summary need worked out once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from uuid import UUID

from monitor import dosing, schedule
from monitor import time_in_breach as tib
from monitor.alerts import Alert, AlertEvent, AlertView, alert_views, confirmed_spans
from monitor.breaches import Breach, baseline, find_breaches
from monitor.lifecycle import EventKind, SessionStatus, status
from monitor.observation_sets import ObservationSet
from monitor.protocols import InfusionProtocol
from monitor.readings import Sets, session_readings
from monitor.record import InfusionSession, Observation, SessionEvent, SideEffect
from monitor.side_effects import NONE
from monitor.thresholds import ThresholdSet

#: Signs whose warning limits make "time in any breach" (U-71).
LINE_SIGNS = ("sbp", "dbp", "map", "hr", "spo2", "rr", "temp", "etco2")


@dataclass(frozen=True)
class Case:
    """One session at one moment, with what several columns need worked out once."""

    session: InfusionSession
    protocol: InfusionProtocol
    threshold_set: ThresholdSet
    alerts: tuple[Alert, ...]
    alert_events: tuple[AlertEvent, ...]
    as_of: datetime
    zone: tzinfo
    known_breaches: tuple[Breach, ...] | None
    known_views: tuple[AlertView, ...] | None

    @cached_property
    def breaches(self) -> tuple[Breach, ...]:
        if self.known_breaches is not None:
            return self.known_breaches
        return find_breaches(self.session, self.threshold_set, self.as_of, protocol=self.protocol)

    @cached_property
    def views(self) -> tuple[AlertView, ...]:
        if self.known_views is not None:
            return self.known_views
        return alert_views(
            self.session,
            self.threshold_set,
            self.alerts,
            self.alert_events,
            self.as_of,
            protocol=self.protocol,
            breaches=self.breaches,
        )

    @cached_property
    def status(self) -> SessionStatus:
        return status(self.session, self.as_of)

    @cached_property
    def events(self) -> tuple[SessionEvent, ...]:
        return self.session.current(self.session.events)

    def event_at(self, kind: EventKind, *, last: bool = True) -> datetime | None:
        """When the event happened, the last or the first time."""
        times = [event.taken_at for event in self.events if event.kind == kind]
        return (max if last else min)(times, default=None)

    @cached_property
    def discharged_at(self) -> datetime | None:
        gone = self.status.is_open or self.status is SessionStatus.CANCELLED
        return None if gone else self.event_at(EventKind.DISCHARGED)

    @cached_property
    def inf(self) -> tuple[datetime, datetime] | None:
        """INF: the first dose to the end of the infusion, or to now while it runs (U-68)."""
        return dosing.infusion_window(self.session, self.as_of)

    @cached_property
    def ended_at(self) -> datetime | None:
        return dosing.infusion_ended_at(self.session)

    @cached_property
    def mon(self) -> tuple[datetime, datetime] | None:
        """MON: INF and recovery; without a discharge it ends at the last set (U-68)."""
        if self.inf is None:
            return None
        start, end = self.inf
        if self.discharged_at is not None:
            return start, max(end, self.discharged_at)
        last_at = self._sets.last_at
        return start, end if last_at is None else max(end, last_at)

    @cached_property
    def totals(self) -> dosing.DoseTotals:
        return dosing.totals(self.session, self.as_of)

    @cached_property
    def baseline(self) -> Mapping[str, Decimal]:
        return baseline(self.session)

    @cached_property
    def _sets(self) -> Sets:
        # Grouped by what judges the session already; the window plays no part in that.
        return session_readings(self.session, self.threshold_set.newest_within).sets

    @cached_property
    def by_parameter(self) -> Mapping[str, list[Observation]]:
        """Accepted values of each parameter, in the order of the record."""
        return {
            key: [item for item in items if item.value is not None]
            for key, items in self._sets.by_parameter.items()
        }

    @property
    def by_set(self) -> Mapping[UUID, dict[str, Observation]]:
        """What stands together, values and reasons alike."""
        return self._sets.by_set

    def in_mon(self, parameter: str) -> list[Observation]:
        """Accepted values of a parameter in MON."""
        if self.mon is None:
            return []
        found = self.by_parameter.get(parameter, [])
        first = bisect_left(found, self.mon[0], key=attrgetter("taken_at"))
        last = bisect_right(found, self.mon[1], key=attrgetter("taken_at"))
        return found[first:last]

    @property
    def start(self) -> datetime:
        assert self.inf is not None
        return self.inf[0]

    def minutes_in(self, at: datetime) -> Decimal:
        """Minutes from the first dose."""
        return minutes_of(at - self.start)

    @cached_property
    def effects(self) -> tuple[SideEffect, ...]:
        """Side effects in force, the explicit "none" left out."""
        known = self.session.current(self.session.side_effects)
        return tuple(effect for effect in known if effect.term != NONE)

    # -- sets that were due ----------------------------------------------------------------------

    @cached_property
    def sets(self) -> tuple[ObservationSet, ...]:
        rules = self.protocol.schedule_profile.rules
        return schedule.observation_sets(self.session, rules, self.as_of)

    @cached_property
    def dues(self) -> tuple[schedule.Due, ...]:
        spans = confirmed_spans(self.breaches, self.threshold_set)
        return schedule.dues(self.session, self.protocol, spans, self.as_of)

    # -- as it was when the patient left -----------------------------------------------------------

    @property
    def overdue_at_discharge(self) -> tuple[schedule.Due, ...]:
        """Sets that were late or missed when the patient left, with no answered set since."""
        left_at = self.discharged_at
        assert left_at is not None
        answered = [s.taken_at for s in self.sets if s.answered and s.taken_at <= left_at]
        last = max(answered, default=None)
        return tuple(
            due
            for due in self.dues
            if due.state == "missed"
            and due.due_at <= left_at
            and (last is None or last < due.deadline_at)
        )

    @property
    def views_at_discharge(self) -> tuple[AlertView, ...]:
        """The alerts as whoever recorded the discharge saw them: answered later is not before."""
        leaving = [event for event in self.events if event.kind == EventKind.DISCHARGED]
        seen_at = max(leaving, key=lambda event: event.order).recorded_at
        known = self.session.known_at(seen_at)
        breaches = find_breaches(known, self.threshold_set, seen_at, protocol=self.protocol)
        return alert_views(
            known,
            self.threshold_set,
            tuple(alert for alert in self.alerts if alert.detected_at <= seen_at),
            tuple(event for event in self.alert_events if event.recorded_at <= seen_at),
            seen_at,
            protocol=self.protocol,
            breaches=breaches,
        )

    # -- lines between readings ----------------------------------------------------------------

    def us(self, at: datetime) -> Decimal:
        return Decimal((at - self.start) // timedelta(microseconds=1))

    @cached_property
    def _every_min(self) -> Callable[[datetime], int]:
        return schedule.base_intervals(self.session, self.protocol)

    def longest_us(self, at_us: Decimal) -> int:
        """The longest gap a line may bridge after a reading: twice the base interval (U-70)."""
        longest = self._longest_us.get(at_us)
        if longest is None:
            at = self.start + timedelta(microseconds=int(at_us))
            longest = 2 * self._every_min(max(at, self.start)) * tib.US_PER_MIN
            self._longest_us[at_us] = longest
        return longest

    @cached_property
    def _longest_us(self) -> dict[Decimal, int]:
        # The signs of one set share its moment: each is asked about once.
        return {}

    @cached_property
    def drawn(self) -> Mapping[str, tuple[tib.Line, ...]]:
        """Lines of every sign over the whole session."""
        return {sign: tib.lines(self._readings(sign), self.longest_us) for sign in LINE_SIGNS}

    def _readings(self, sign: str) -> list[tib.Reading]:
        if sign != "map":
            found = self.by_parameter.get(sign, ())
            return [tib.Reading(self.us(item.taken_at), value_of(item)) for item in found]
        together: list[tuple[datetime, Decimal]] = []
        for held in self.by_set.values():
            pressure = mean_pressure(held)
            if pressure is not None:
                together.append(pressure)
        together.sort(key=lambda pair: pair[0])
        return [tib.Reading(self.us(at), value) for at, value in together]

    def span(self, window: tuple[datetime, datetime]) -> tib.Span:
        return self.us(window[0]), self.us(window[1])


def value_of(item: Observation) -> Decimal:
    assert item.value is not None
    return item.value


def mean_pressure(held: Mapping[str, Observation]) -> tuple[datetime, Decimal] | None:
    """Entered mean pressure, else (SBP + 2 x DBP) / 3, unrounded (U-58)."""
    entered = held.get("map")
    if entered is not None and entered.value is not None:
        return entered.taken_at, entered.value
    sbp, dbp = held.get("sbp"), held.get("dbp")
    if sbp is None or dbp is None or sbp.value is None or dbp.value is None:
        return None
    return sbp.taken_at, (sbp.value + 2 * dbp.value) / 3


def minutes_of(span: timedelta) -> Decimal:
    return tib.minutes(span // timedelta(microseconds=1))
