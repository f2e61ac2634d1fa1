"""When the next observation set is due, and which sets came on time, late or never (clinical.md 4).

Everything is worked out anew from the facts: each due of a session, in order, as a nurse with a
perfect memory would have kept them.  Late entries and corrections are therefore simply right.
Rulings U-33 to U-42.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from monitor.dose_timeline import dose_timeline
from monitor.lifecycle import SessionStatus, status_changes
from monitor.observation_sets import (
    ObservationSet,
    is_late_entry,
    observation_sets,
    rr_reason,
)
from monitor.protocols import InfusionProtocol, ScheduleProfile, ScheduleRules
from monitor.record import Fact, InfusionSession

__all__ = [
    "AlertSpan",
    "ClockState",
    "Due",
    "DueCounts",
    "ObservationSet",
    "ScheduleProfile",
    "base_interval_min",
    "base_intervals",
    "clock_state",
    "counts",
    "dues",
    "earliest_discharge_at",
    "first_open",
    "grace_s",
    "has_fresh_set",
    "is_late_entry",
    "next_due",
    "observation_sets",
    "overdue",
    "rr_reason",
]

_WATCHED = frozenset({SessionStatus.INFUSING, SessionStatus.PAUSED, SessionStatus.RECOVERY})


@dataclass(frozen=True, slots=True)
class AlertSpan:
    """From when to when a confirmed alert shortens the schedule (U-40): until it is resolved.

    ``level`` is ``"warning"`` or ``"critical"``.  Clock and pain alerts are not handed in.
    """

    level: str
    start_at: datetime
    end_at: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Whether it is open at that moment; at the moment it ends it is not."""
        return self.start_at <= at and (self.end_at is None or at < self.end_at)


@dataclass(frozen=True, slots=True)
class Due:
    """One set that was or is due.

    A set before its grace begins meets it as well (U-37: on_time includes met early), unless it
    is an event's.  ``kind``: ``interval``, ``event`` (after an increase or bolus) or ``alert`` (an interval that
    an alert shortened).  ``state``: ``upcoming``, ``due`` (within grace), ``on_time``, ``late``,
    ``missed``.  ``met_by`` is the id of the set that met it; a due that is late and not met may
    still be.  ``deadline_at`` is when it counts as missed.  ``is_open`` marks one that is late or
    missed with no answered set since.  ``counted``: it belongs to the figures (U-37).
    ``known_at`` is when what asks for it was saved.  ``since_at`` and ``since_set`` are the answered
    set it follows (no id: the watch began then), ``over_at`` the next one or the end of the watch.
    """

    due_at: datetime
    kind: str
    grace_s: int
    state: str
    met_by: UUID | None
    reason: str
    deadline_at: datetime
    is_open: bool = False
    counted: bool = False
    known_at: datetime | None = None
    since_at: datetime | None = None
    since_set: UUID | None = None
    over_at: datetime | None = None

    @property
    def late_at(self) -> datetime:
        """From when on it is late."""
        return self.due_at + timedelta(seconds=self.grace_s)


@dataclass(frozen=True, slots=True)
class DueCounts:
    """How many dues ended how; ``due`` is the sum of the others (clinical.md 11.1, U-37)."""

    due: int
    on_time: int
    late: int
    missed: int


@dataclass(frozen=True, slots=True)
class ClockState:
    """What the clock says now (U-33): ``prompt`` (due), ``warning`` (late), ``critical`` (missed).

    It clears with the next answered set, does not latch and never shortens the schedule.
    """

    level: str
    sentence: str
    since: datetime
    due: Due


def grace_s(interval_min: int, rules: ScheduleRules) -> int:
    """Seconds a set may be early or late: a fifth of the interval, 2 to 10 min (4, U-34)."""
    if interval_min < rules.short_interval_below_min:
        return rules.short_grace_min * 60
    grace = interval_min * 60 * rules.grace_percent // 100
    return max(rules.grace_min_min * 60, min(grace, rules.grace_max_min * 60))


def dues(
    session: InfusionSession,
    protocol: InfusionProtocol,
    spans: tuple[AlertSpan, ...],
    as_of: datetime,
) -> tuple[Due, ...]:
    """Every due from the first dose to ``as_of``, and what is due next; in order of time.

    Empty before the first dose.  After discharge each ends as on_time, late or missed.
    """
    plan = _Plan(session, protocol, spans, as_of)
    return _Keeper(plan).run()


def next_due(
    session: InfusionSession,
    protocol: InfusionProtocol,
    spans: tuple[AlertSpan, ...],
    as_of: datetime,
) -> Due | None:
    """The first due that can still be met; None before the start and after discharge."""
    return first_open(dues(session, protocol, spans, as_of))


def first_open(of: Iterable[Due]) -> Due | None:
    """The first of these dues that can still be met: ``next_due`` where the dues are at hand."""
    return next(
        (due for due in of if due.met_by is None and due.state in ("upcoming", "due", "late")), None
    )


def overdue(of: Iterable[Due]) -> tuple[Due, ...]:
    """Dues that are late or missed now, with no answered set since."""
    return tuple(due for due in of if due.is_open)


def counts(of: Iterable[Due]) -> DueCounts:
    """The figures of the summary: each counted due once."""
    states = [due.state for due in of if due.counted]
    on_time, late, missed = (states.count(state) for state in ("on_time", "late", "missed"))
    return DueCounts(due=on_time + late + missed, on_time=on_time, late=late, missed=missed)


def clock_state(of: Iterable[Due], as_of: datetime) -> ClockState | None:
    """The worst thing the clock has to say now, in words; None while nothing is due."""
    found = tuple(of)
    for state, level in (("missed", "critical"), ("late", "warning")):
        late = [due for due in found if due.is_open and due.state == state]
        if late:
            return _clock_words(level, late[0], as_of)
    due = next((due for due in found if due.state == "due"), None)
    if due is None:
        return None
    since = due.due_at - timedelta(seconds=due.grace_s)
    return ClockState("prompt", f"Observations are due: {due.reason}.", since, due)


def _clock_words(level: str, due: Due, as_of: datetime) -> ClockState:
    minutes = (as_of - due.due_at) // timedelta(minutes=1)
    if level == "critical":
        sentence = f"Observations were missed: due {minutes} min ago. Take a set now."
        return ClockState(level, sentence, due.deadline_at, due)
    sentence = f"Observations are {minutes} min late. Take a set now."
    return ClockState(level, sentence, due.late_at, due)


def base_interval_min(session: InfusionSession, protocol: InfusionProtocol, at: datetime) -> int:
    """Minutes between sets by profile, phase and rate at a moment, never shortened by an alert."""
    return base_intervals(session, protocol)(at)


def base_intervals(
    session: InfusionSession, protocol: InfusionProtocol
) -> Callable[[datetime], int]:
    """The same for asking often: the doses are read once, every fact of the session counts."""
    facts = session.facts()
    as_of = max((max(fact.taken_at, fact.recorded_at) for fact in facts), default=None)
    plan = _Plan(session, protocol, (), as_of or session.created_at)
    return lambda at: plan.base(at)[0]


def earliest_discharge_at(
    session: InfusionSession, protocol: InfusionProtocol, as_of: datetime
) -> datetime | None:
    """When the minimum recovery is over; None while the infusion runs or is on hold (U-41)."""
    plan = _Plan(session, protocol, (), as_of)
    if plan.state_at(as_of) is not SessionStatus.RECOVERY or plan.start_at is None:
        return None
    profile = protocol.schedule_profile
    minutes = profile.min_recovery_min
    if plan.high_spans:
        minutes = max(minutes, profile.high_rate.min_recovery_min)
    # The last change of state began the recovery that goes on: INF ended there.
    ends = [plan.states[-1][0] + timedelta(minutes=minutes)]
    if profile.min_from_start_min is not None:
        ends.append(plan.start_at + timedelta(minutes=profile.min_from_start_min))
    return max(ends)


def has_fresh_set(session: InfusionSession, protocol: InfusionProtocol, at: datetime) -> bool:
    """Whether an answered set is recent enough to start on (clinical.md 4, column Pre)."""
    profile = protocol.schedule_profile
    sets = [item for item in observation_sets(session, profile.rules, at) if item.answered]
    if not sets:
        return False
    within = profile.pre_within_min
    return within is None or at - sets[-1].taken_at <= timedelta(minutes=within)


# -- what holds when --------------------------------------------------------------------------


class _Plan:
    """What the protocol, the doses and the alerts ask for at any moment."""

    def __init__(
        self,
        session: InfusionSession,
        protocol: InfusionProtocol,
        spans: tuple[AlertSpan, ...],
        as_of: datetime,
    ) -> None:
        self.profile = protocol.schedule_profile
        self.rules = self.profile.rules
        self.as_of = as_of
        self.known = session.known_at(as_of)
        self.spans = tuple(span for span in spans if span.start_at <= as_of)
        self.states = status_changes(session, as_of)
        self._changed_at = [changed_at for changed_at, _ in self.states]
        self._weight_kg = self.known.weight_kg
        self.timeline = dose_timeline(self.known)
        self.points = [point for point in self.timeline.points if point.at <= as_of]
        self.boluses = [bolus for bolus in self.timeline.boluses if bolus.start_at <= as_of]
        self.increases = self._increases()
        self.high_spans = self._high_spans()

    @property
    def start_at(self) -> datetime | None:
        """The first dose."""
        return self.timeline.started_at

    def state_at(self, at: datetime) -> SessionStatus:
        """The state of the session at a moment."""
        index = bisect_right(self._changed_at, at)
        return self.states[index - 1][1] if index else SessionStatus.SCHEDULED

    def known_at(self, at: datetime) -> datetime:
        """When the dose or the event of a moment was saved first; a correction came later."""
        return max(at, self._saved_first.get(at, at))

    @cached_property
    def _saved_first(self) -> Mapping[datetime, datetime]:
        saved: dict[datetime, datetime] = {}
        facts: tuple[Fact, ...] = (*self.known.dose_steps, *self.known.boluses, *self.known.events)
        for fact in facts:
            earlier = saved.get(fact.taken_at, fact.recorded_at)
            saved[fact.taken_at] = min(earlier, fact.recorded_at)
        return saved

    def _increases(self) -> list[datetime]:
        """Moments of a higher rate than the last one above 0; the start is none (U-23)."""
        changes = list(self.timeline.rate_changes(self.as_of))[1:]
        return [point.at for point, change in changes if change > 0]

    def _high_spans(self) -> list[tuple[datetime, datetime]]:
        """When the high-rate schedule holds, 30 min after the rate or bolus included (U-41)."""
        weight = self._weight_kg
        if weight is None:
            return []
        high = self.profile.high_rate
        after = timedelta(minutes=high.holds_for_min)
        spans = [
            (bolus.start_at, bolus.end_at + after)
            for bolus in self.boluses
            if bolus.amount_mg > high.bolus_above_mg_per_kg * weight
        ]
        for index, point in enumerate(self.points):
            if point.rate_mg_per_h > high.above_mg_per_kg_h * weight:
                last = index + 1 == len(self.points)
                end_at = self.as_of if last else self.points[index + 1].at
                spans.append((point.at, end_at + after))
        return spans

    def is_high(self, at: datetime) -> bool:
        """Whether the high-rate schedule holds."""
        return any(start_at <= at <= end_at for start_at, end_at in self.high_spans)

    def base(self, at: datetime) -> tuple[int, str]:
        """The interval that begins with a set at a moment, in minutes, and why; alerts apart."""
        recovering = self.state_at(at) is SessionStatus.RECOVERY
        every = self.profile.recovery_every_min if recovering else None
        where = " in recovery" if recovering else ""
        if every is None:
            every = self._table_min(at)
        high = self.profile.high_rate
        if self.is_high(at):
            dense = high.recovery_every_min if recovering else high.every_min
            if dense < every:
                return dense, f"every {dense} min because of a high dose"
        return every, f"every {every} min{where}"

    def _table_min(self, at: datetime) -> int:
        start_at = self.start_at or at
        if self.profile.restart_on_increase:
            start_at = max([start_at, *(rise for rise in self.increases if rise <= at)])
        elapsed = at - start_at
        # A set at exactly 60 min still gets the interval of the first hour (U-35).
        every = self.profile.intervals[0].every_min
        for interval in self.profile.intervals[1:]:
            if elapsed > timedelta(minutes=interval.from_min):
                every = interval.every_min
        if self._is_fast(at) and self.profile.fast_every_min is not None:
            every = min(every, self.profile.fast_every_min)
        return every

    def _is_fast(self, at: datetime) -> bool:
        limit, weight = self.profile.fast_above_mg_per_kg_h, self._weight_kg
        if limit is None or weight is None:
            return False
        rate: Decimal = self.timeline.rate_at(at)
        return rate > limit * weight

    def interval(self, at: datetime) -> tuple[int, str, str]:
        """Minutes, kind and reason of the interval in force at a moment, alerts included (U-40)."""
        every, reason = self.base(at)
        levels = {span.level for span in self.spans if span.covers(at)}
        if not levels:
            return every, "interval", reason
        for level, shorter in (
            ("critical", self.rules.critical_every_min),
            ("warning", self.rules.warning_every_min),
        ):
            if level in levels and shorter < every:
                return shorter, "alert", f"every {shorter} min while a {level} alert is open"
        return every, "interval", reason

    def offsets(self, at: datetime) -> tuple[int, ...]:
        """Minutes after an increase or bolus at which a set is due."""
        if self.is_high(at):
            return self.profile.high_rate.after_increase_min
        return self.profile.after_increase_min

    def moments(self) -> list[datetime]:
        """Every moment at which something may change what is due."""
        found = {at for at, _ in self.states} | {point.at for point in self.points}
        found |= {bolus.start_at for bolus in self.boluses} | {span.start_at for span in self.spans}
        return sorted(at for at in found if at <= self.as_of)


# -- keeping the clock ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pending:
    """A due that nobody has met yet.

    ``next_min`` is the interval that follows should it be missed; no event is followed by one.
    ``known_at`` is when what asks for it was saved.
    """

    due_at: datetime
    grace: timedelta
    deadline_at: datetime
    kind: str
    reason: str
    known_at: datetime
    next_min: int

    @property
    def opens_at(self) -> datetime:
        """From when a set meets it."""
        return self.due_at - self.grace

    @property
    def is_event(self) -> bool:
        return self.kind == "event"

    @property
    def late_at(self) -> datetime:
        """Until when a set is on time."""
        return self.due_at + self.grace


class _Ended(NamedTuple):
    """A due that was met or missed."""

    due: _Pending
    state: str
    met_by: UUID | None = None


_time_of = itemgetter(0)


def _belongs_to(later: _Pending, earlier: _Pending) -> bool:
    """Whether two dues are so close that they are one, the earlier (U-37)."""
    return later.due_at - earlier.due_at <= min(later.grace, earlier.grace)


def _merged(pending: list[_Pending]) -> list[tuple[_Pending, list[_Pending]]]:
    """The dues that stand, each with those that merge into it.

    Of two at one moment the event stands: a set that is too early for it does not meet it.
    """
    groups: list[tuple[_Pending, list[_Pending]]] = []
    for due in sorted(pending, key=lambda item: (item.due_at, not item.is_event)):
        home = next((group for group in groups if _belongs_to(due, group[0])), None)
        if home is None:
            groups.append((due, []))
        else:
            home[1].append(due)
    return groups


class _Keeper:
    """Walks through a session in time and keeps what is due."""

    def __init__(self, plan: _Plan) -> None:
        self.plan = plan
        self.pending: list[_Pending] = []
        self.ended: list[_Ended] = []
        self.watching = False
        self.watch_ended_at: list[tuple[datetime, int]] = []
        self.last_set_at: datetime | None = None
        # Answered sets, and where a watch began (no id): what is overdue lasts from one to the next.
        self.answered: list[tuple[datetime, UUID | None]] = []
        self.known_at = plan.as_of
        # The interval due as it was before recovery shortened it: resuming voids that (U-41).
        self.before_recovery: _Pending | None = None

    def run(self) -> tuple[Due, ...]:
        plan = self.plan
        sets = [
            item
            for item in observation_sets(plan.known, plan.rules, plan.as_of)
            if item.counts(plan.rules)
            and plan.start_at is not None
            # A set at the moment of the start still belongs to the time before (U-44).
            and item.taken_at > plan.start_at
        ]
        # At one moment: misses first, then what changed, then the set (U-37: a set at exactly
        # due + interval is on time for the new due).
        queue: list[tuple[datetime, int, ObservationSet | None]] = [
            (at, 0, None) for at in plan.moments()
        ]
        queue += [(item.taken_at, 1, item) for item in sets]
        queue.sort(key=lambda entry: entry[:2])
        for at, _, observed in queue:
            self._miss_until(at)
            if observed is None:
                self.known_at = plan.known_at(at)
                self._change(at)
            elif self.watching:
                self.known_at = max(at, observed.recorded_at)
                self._observe(observed)
        self._miss_until(plan.as_of)
        return self._result()

    # -- misses ---------------------------------------------------------------------------------

    def _miss_until(self, at: datetime) -> None:
        while self.watching:
            over = [due for due in self.pending if due.deadline_at <= at]
            if not over:
                return
            self._miss(min(over, key=lambda due: (due.deadline_at, due.due_at)))

    def _miss(self, missed: _Pending) -> None:
        home, others = next(
            group for group in _merged(self.pending) if missed is group[0] or missed in group[1]
        )
        if home is missed:
            self.ended.append(_Ended(missed, "missed"))
            for other in others:
                self._drop(other)
        self._drop(missed)

    def _drop(self, due: _Pending) -> None:
        """Take a due off the list; an interval due is followed by the next one."""
        self.pending.remove(due)
        if due.is_event:
            return
        self.before_recovery = None
        after = self._interval_due(due.deadline_at, due.next_min, due.kind, due.reason)
        self.pending.append(replace(after, known_at=due.known_at))

    def _interval_due(self, due_at: datetime, every: int, kind: str, reason: str) -> _Pending:
        return _Pending(
            due_at=due_at,
            grace=timedelta(seconds=grace_s(every, self.plan.rules)),
            deadline_at=due_at + timedelta(minutes=every),
            kind=kind,
            reason=reason,
            known_at=self.known_at,
            next_min=every,
        )

    # -- sets -----------------------------------------------------------------------------------

    def _observe(self, observed: ObservationSet) -> None:
        at = observed.taken_at
        self.last_set_at = at
        self.answered.append((at, observed.set_id))
        running = self._running()
        if at < running.opens_at:
            # Met early: it starts anew, and the dues after an increase stay (U-36, U-37).
            self.ended.append(_Ended(running, "on_time", observed.set_id))
            self.pending.remove(running)
        for due, merged in _merged(self.pending):
            if at < due.opens_at:
                continue
            state = "on_time" if at <= due.late_at else "late"
            self.ended.append(_Ended(due, state, observed.set_id))
            self.pending = [item for item in self.pending if item not in (due, *merged)]
        self._start_interval(at)

    def _start_interval(self, at: datetime) -> None:
        every, kind, reason = self.plan.interval(at)
        self.before_recovery = None
        self.pending = [due for due in self.pending if due.is_event]
        self.pending.append(self._interval_due(at + timedelta(minutes=every), every, kind, reason))

    # -- changes --------------------------------------------------------------------------------

    def _change(self, at: datetime) -> None:
        was_watching = self.watching
        self.watching = self.plan.state_at(at) in _WATCHED
        if was_watching and not self.watching:
            self._finish(at)
        if not self.watching:
            return
        if not was_watching:
            self.answered.append((at, None))
            self._start_interval(at)
        if at in self.plan.increases:
            self._ask_again("increase", at)
        elif any(bolus.start_at == at for bolus in self.plan.boluses):
            self._ask_again("bolus", at)
        self._resume(at)
        self._shorten(at)

    def _ask_again(self, what: str, at: datetime) -> None:
        """Sets after an increase or bolus replace the earlier ones not yet overdue (U-36)."""
        self.pending = [due for due in self.pending if not due.is_event or at > due.late_at]
        for minutes in self.plan.offsets(at):
            due_at, reason = at + timedelta(minutes=minutes), f"{minutes} min after the {what}"
            self.pending.append(self._interval_due(due_at, minutes, "event", reason))

    def _resume(self, at: datetime) -> None:
        """Resuming the infusion voids the first due of a recovery that is not reached yet."""
        if self.before_recovery is None or self.plan.state_at(at) is SessionStatus.RECOVERY:
            return
        running = self._running()
        if at < running.due_at:
            self.pending.remove(running)
            self.pending.append(self.before_recovery)
        self.before_recovery = None

    def _shorten(self, at: datetime) -> None:
        """A shorter interval from now on draws the running due nearer, never into the past."""
        every, kind, reason = self.plan.interval(at)
        running = self._running()
        if every >= running.next_min:
            return
        if self.before_recovery is not None:
            self.before_recovery = self._nearer(self.before_recovery, at, every, kind, reason)
        elif self.plan.state_at(at) is SessionStatus.RECOVERY and kind == "interval":
            self.before_recovery = running
        self.pending.remove(running)
        self.pending.append(self._nearer(running, at, every, kind, reason))

    def _nearer(
        self, running: _Pending, at: datetime, every: int, kind: str, reason: str
    ) -> _Pending:
        from_now = at + timedelta(minutes=every)
        if at < running.due_at:
            due_at = min(running.due_at, from_now)
            return self._interval_due(due_at, every, kind, reason)
        # It was reached already: it stays as it is, but the next one comes sooner.
        return replace(running, deadline_at=min(running.deadline_at, from_now), next_min=every)

    def _running(self) -> _Pending:
        return next(due for due in self.pending if not due.is_event)

    # -- the end --------------------------------------------------------------------------------

    def _finish(self, at: datetime) -> None:
        """At discharge what was due and not met is missed; what was not due yet never was."""
        for due, _ in _merged(self.pending):
            if due.late_at <= at:
                self.ended.append(_Ended(due, "missed"))
        self.pending = []
        self.watch_ended_at.append((at, len(self.ended)))

    def _result(self) -> tuple[Due, ...]:
        as_of = self.plan.as_of
        found: list[Due] = []
        first = 0
        for end_at, count in [*self.watch_ended_at, (as_of, len(self.ended))]:
            closed = end_at != as_of or not self.watching
            found += [self._closed(ended, end_at, closed) for ended in self.ended[first:count]]
            first = count
        if self.watching:
            found += [self._waiting(due) for due, _ in _merged(self.pending)]
        found.sort(key=lambda due: (due.due_at, due.deadline_at))
        return tuple(found)

    def _closed(self, ended: _Ended, end_at: datetime, closed: bool) -> Due:
        due = ended.due
        answered_since = self.last_set_at is not None and self.last_set_at >= due.deadline_at
        is_open = ended.state == "missed" and not closed and not answered_since
        return self._placed(ended, is_open=is_open, counted=due.late_at <= end_at)

    def _waiting(self, due: _Pending) -> Due:
        as_of = self.plan.as_of
        if as_of < due.opens_at:
            return self._placed(_Ended(due, "upcoming"))
        if as_of <= due.late_at:
            return self._placed(_Ended(due, "due"))
        return self._placed(_Ended(due, "late"), is_open=True)

    def _placed(self, ended: _Ended, *, is_open: bool = False, counted: bool = False) -> Due:
        """With the set it follows and the one that ended the wait for it."""
        due, late_at = ended.due, ended.due.late_at
        since_at, since_set, over_at = None, None, None
        index = bisect_right(self.answered, late_at, key=_time_of)
        if index:
            since_at, since_set = self.answered[index - 1]
            ends = [at for at, _ in self.watch_ended_at if at > late_at]
            ends += [at for at, _ in self.answered[index : index + 1]]
            over_at = min(ends, default=None)
        return Due(
            due_at=due.due_at,
            kind=due.kind,
            grace_s=int(due.grace.total_seconds()),
            state=ended.state,
            met_by=ended.met_by,
            reason=due.reason,
            deadline_at=due.deadline_at,
            is_open=is_open,
            counted=counted,
            known_at=due.known_at,
            since_at=since_at,
            since_set=since_set,
            over_at=over_at,
        )
