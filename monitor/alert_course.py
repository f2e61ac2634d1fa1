"""The course of an alert: which breaches it is about, how it was answered, where it stands.

Nothing here is stored.  The course follows from the breaches, the alerts already raised and what
people answered; so the bedside, the review and a replay agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import groupby
from uuid import UUID

from monitor.alert_record import Alert, AlertEvent, AlertEventKind, AlertState
from monitor.breaches import Breach, rules_end_at
from monitor.clock_alerts import CLOCK
from monitor.episodes import Step
from monitor.ids import derived_id
from monitor.record import InfusionSession
from monitor.thresholds import LEVELS, AlertPolicy, ThresholdSet

CRITICAL = LEVELS.index("critical") + 1


def rank_of(level: str | None) -> int:
    """0 none, 1 warning, 2 critical."""
    return 0 if level is None else LEVELS.index(level) + 1


# -- one card for what belongs together --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stretch:
    """Breaches of one group that overlap: what one card is about (clinical.md U-13).

    ``steps`` is the worst of them over time; the last one shows 0 when the stretch is over.
    """

    group: str
    subject: UUID | None
    breaches: tuple[Breach, ...]
    steps: tuple[Step, ...]

    @property
    def start_at(self) -> datetime:
        """When it began, by the clock at the bedside."""
        return self.steps[0].at

    @property
    def end_at(self) -> datetime | None:
        """When the values were inside again, None while they are not."""
        return self.steps[-1].at if self.steps[-1].shown == 0 else None

    @property
    def is_retrospective(self) -> bool:
        """Whether all of it was entered late and already over (U-43)."""
        return all(breach.retrospective for breach in self.breaches)

    def fact_ids(self) -> frozenset[UUID]:
        """Ids of every fact outside."""
        return frozenset(fact.id for breach in self.breaches for fact in breach.readings)


def stretches_of(breaches: Iterable[Breach]) -> Iterator[Stretch]:
    """The breaches as stretches, group by group, each group in order of time."""
    by_group: dict[tuple[str, UUID | None], list[Breach]] = {}
    for breach in breaches:
        by_group.setdefault((breach.group, breach.subject), []).append(breach)
    for (group, subject), members in by_group.items():
        for steps in _runs(_merged(members)):
            start_at, end_at = steps[0].at, steps[-1].at if steps[-1].shown == 0 else None
            inside = (
                breach
                for breach in members
                if start_at <= breach.onset_at and (end_at is None or breach.onset_at < end_at)
            )
            yield Stretch(group, subject, tuple(inside), tuple(steps))


def _runs(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """The steps cut after each one that shows nothing."""
    run: list[Step] = []
    for step in steps:
        run.append(step)
        if step.shown == 0:
            yield run
            run = []
    if run:
        yield run


def _merged(breaches: Sequence[Breach]) -> Iterator[Step]:
    """The worst level shown and the worst confirmed over all breaches, wherever either changes."""
    every = sorted(
        ((step.at, index, step) for index, breach in enumerate(breaches) for step in breach.steps),
        key=lambda item: item[:2],
    )
    standing: dict[int, Step] = {}
    last = (0, 0)
    for moment, items in groupby(every, key=lambda item: item[0]):
        changed = {index: step for _, index, step in items}
        standing |= changed
        now = (
            max(step.shown for step in standing.values()),
            max(step.confirmed for step in standing.values()),
        )
        if now != last:
            known_at = max(step.known_at for step in changed.values())
            by_clock = all(step.by_clock for step in changed.values())
            yield Step(moment, known_at, *now, by_clock)
            last = now


# -- one alert ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Course:
    """An alert, the stretches it is about, and what happened to it; each answer is worked out once.

    ``clock`` is now, at most the end of the session.  ``judged`` False: the breaches at hand say
    nothing about this kind of alert.  No stretch: its readings were amended away.  ``quiet_rules``
    tell nobody else however long nobody answers (U-55).  ``is_live`` False: the
    visit is over, and nobody can be told any more what was not told then.
    """

    alert: Alert
    policy: AlertPolicy
    clock: datetime
    is_new: bool
    judged: bool
    events: tuple[AlertEvent, ...]
    stretches: tuple[Stretch, ...] = ()
    quiet_rules: frozenset[str] = frozenset()
    is_live: bool = True

    def with_stretch(self, stretch: Stretch) -> Course:
        """The same alert, about one more stretch."""
        return replace(self, stretches=(*self.stretches, stretch))

    @cached_property
    def answers(self) -> tuple[AlertEvent, ...]:
        """What people answered, in order of time."""
        found = (event for event in self.events if event.kind is AlertEventKind.ACKNOWLEDGED)
        return tuple(sorted(found, key=lambda event: (event.at, event.step)))

    @cached_property
    def steps(self) -> list[Step]:
        """How it stood over time, all stretches together."""
        return [step for stretch in self.stretches for step in stretch.steps]

    @cached_property
    def breaches(self) -> list[Breach]:
        """What it is about: open before over, worse before milder, then as the table has them."""
        found = [breach for stretch in self.stretches for breach in stretch.breaches]
        return sorted(found, key=lambda b: (not b.is_open, -rank_of(b.level), b.order, b.onset_at))

    @property
    def shown(self) -> int:
        """The level it shows by its values: 0 when they are inside."""
        return self.stretches[-1].steps[-1].shown if self.stretches else 0

    @property
    def cleared_at(self) -> datetime | None:
        """When the values were inside again; also while a critical still waits for its answer."""
        return self.stretches[-1].end_at if self.stretches else None

    @cached_property
    def top(self) -> int:
        """The highest level ever confirmed."""
        return max((step.confirmed for step in self.steps), default=0)

    @cached_property
    def confirmed_at(self) -> datetime | None:
        """When the highest confirmed level was confirmed first."""
        return next((s.at for s in self.steps if self.top and s.confirmed == self.top), None)

    def _covers(self, answer: AlertEvent, moment: datetime) -> bool:
        """Whether an answer is for the level shown at that moment (U-60).

        It was given for this level or a higher one, and after the level was reached.
        """
        standing = [step for step in self.steps if step.at <= moment]
        if not standing or not standing[-1].shown:
            return False
        shown, reached_at = standing[-1].shown, None
        for step in standing:
            if step.shown < shown:
                reached_at = None
            elif reached_at is None:
                reached_at = step.known_at
        return reached_at is not None and answer.at >= reached_at and rank_of(answer.level) >= shown

    def answer_in_force(self) -> AlertEvent | None:
        """The answer that holds now, until it is time to fire again (U-60, U-61)."""
        return self._answer_at(self.clock)

    def is_answered(self, moment: datetime) -> bool:
        """Whether an answer given by then holds for what was shown then."""
        return self._answer_at(moment) is not None

    def _answer_at(self, moment: datetime) -> AlertEvent | None:
        for answer in reversed(self.answers):
            in_time = answer.at <= moment < answer.at + self.policy.refire_after
            if in_time and self._covers(answer, moment):
                return answer
        return None

    @cached_property
    def escalates(self) -> bool:
        """Whether somebody else is told when nobody answers: not for pain (U-55), not when it was
        entered late and over (U-43)."""
        retrospective = bool(self.stretches) and all(s.is_retrospective for s in self.stretches)
        return not retrospective and any(b.rule_id not in self.quiet_rules for b in self.breaches)

    @cached_property
    def closed_at(self) -> datetime | None:
        """When it was over and what was done about it recorded (clinical.md 7.2)."""
        done = [answer.at for answer in self.answers if (answer.action or "").strip()]
        if self.resolved_at is None or not done:
            return None
        return max(self.resolved_at, done[0])

    def _criticals(self) -> Iterator[tuple[datetime, datetime | None]]:
        """Every confirmed critical: since when it was known, when its values ended."""
        for stretch in self.stretches:
            if stretch.is_retrospective:
                continue
            known_at, confirmed = None, False
            for step in stretch.steps:
                if step.shown == CRITICAL:
                    known_at = known_at or step.known_at
                    confirmed = confirmed or step.confirmed == CRITICAL
                    continue
                if known_at is not None and confirmed:
                    yield known_at, step.at
                known_at, confirmed = None, False
            if known_at is not None and confirmed:
                yield known_at, None

    def _answered_at(self, known_at: datetime, ended_at: datetime | None) -> datetime | None:
        """When a critical was answered, by an answer that still held when its values ended."""
        for answer in self.answers:
            if (
                rank_of(answer.level) >= CRITICAL
                and answer.at >= known_at
                and (ended_at is None or answer.at > ended_at - self.policy.refire_after)
            ):
                return answer.at
        return None

    @property
    def latches(self) -> bool:
        """Whether a critical stays until it is answered; one of the clock ends with its set (U-33)."""
        return self.alert.group != CLOCK

    @cached_property
    def unanswered_critical(self) -> bool:
        """Whether a critical was never answered: it latches even when the value recovers (U-59)."""
        if not self.latches:
            return False
        return any(self._answered_at(*critical) is None for critical in self._criticals())

    @cached_property
    def resolved_at(self) -> datetime | None:
        """When it was over for everybody: values inside and every critical answered."""
        if self.cleared_at is None or self.unanswered_critical:
            return None
        if not self.latches:
            return self.cleared_at
        answered = (self._answered_at(*critical) for critical in self._criticals())
        return max([self.cleared_at, *(moment for moment in answered if moment is not None)])

    def still_open_for(self, stretch: Stretch) -> bool:
        """Whether it was open when that stretch became known: then it is the same alert (U-61)."""
        return self.resolved_at is None or self.resolved_at > stretch.steps[0].known_at

    @cached_property
    def level(self) -> int:
        """What it shows: by its values, else the critical nobody answered, else its worst."""
        if not self.stretches:
            return rank_of(self.alert.level)
        if self.shown:
            return self.shown
        if self.unanswered_critical:
            return CRITICAL
        return self.top or max(step.shown for step in self.steps)

    @cached_property
    def answer_level(self) -> int:
        """The level an answer given now covers, a critical nobody answered included."""
        return CRITICAL if self.unanswered_critical else self.level

    @cached_property
    def state(self) -> AlertState:
        """Where it stands now."""
        if not self.judged:
            return AlertState.ACKNOWLEDGED if self.answers else AlertState.ACTIVE
        if not self.stretches:
            return AlertState.INVALIDATED
        if self.cleared_at is not None:
            if self.resolved_at is None:
                return AlertState.ACTIVE
            return AlertState.RESOLVED if self.closed_at is None else AlertState.CLOSED
        if self.shown > self.stretches[-1].steps[-1].confirmed:
            return AlertState.PENDING
        return AlertState.ACKNOWLEDGED if self.answer_in_force() else AlertState.ACTIVE

    def fired_again_at(self) -> Iterator[datetime]:
        """When an answer ran out while the values were still as bad as it was for (U-61)."""
        answers = self.answers
        for index, answer in enumerate(answers):
            again_at = answer.at + self.policy.refire_after
            renewed = index + 1 < len(answers) and answers[index + 1].at < again_at
            if again_at <= self.clock and not renewed and self._covers(answer, again_at):
                yield again_at


# -- which alert is about which stretch --------------------------------------------------------------


@dataclass(frozen=True)
class Judgement:
    """Everything the alerts of one session follow from.

    ``with_protocol`` tells whether ``breaches`` include the limits of the dose and late sets.
    """

    session: InfusionSession
    threshold_set: ThresholdSet
    breaches: tuple[Breach, ...]
    raised: tuple[Alert, ...]
    events: tuple[AlertEvent, ...]
    now: datetime
    with_protocol: bool

    def courses(self) -> list[Course]:
        """Every alert raised, and those to be raised, in order of onset."""
        known = self.session.known_at(self.now)
        end_at = rules_end_at(known)
        clock = self.now if end_at is None else min(self.now, end_at)
        stretches = list(stretches_of(self.breaches))
        matching = _Matching(known, self.raised, self.events, stretches)
        found: dict[UUID, Course] = {}
        last: Course | None = None
        for stretch in stretches:
            alert = matching.by_trigger(stretch)
            if alert is None and last is not None and _goes_on(last, stretch):
                before = last
            else:
                alert = alert or matching.by_time(stretch)
                is_new = alert is None
                alert = alert or self._new_alert(stretch)
                before = found.get(alert.id) or self._course(alert, clock, is_new=is_new)
            last = found[before.alert.id] = before.with_stretch(stretch)
        for alert in self.raised:
            if alert.id not in found:
                found[alert.id] = self._course(alert, clock, is_new=False)
        return sorted(found.values(), key=lambda item: (item.alert.onset_at, item.alert.id))

    @cached_property
    def _events_of(self) -> dict[UUID, list[AlertEvent]]:
        found: dict[UUID, list[AlertEvent]] = {}
        for event in self.events:
            found.setdefault(event.alert_id, []).append(event)
        return found

    def _course(self, alert: Alert, clock: datetime, *, is_new: bool) -> Course:
        return Course(
            alert=alert,
            policy=self.threshold_set.policy,
            clock=clock,
            is_new=is_new,
            judged=self._judges(alert),
            events=tuple(self._events_of.get(alert.id, ())),
            quiet_rules=self._quiet_rules,
            is_live=clock >= self.now,
        )

    @cached_property
    def _quiet_rules(self) -> frozenset[str]:
        return frozenset(rule.id for rule in self.threshold_set.rules if not rule.escalates)

    def _judges(self, alert: Alert) -> bool:
        """Whether the breaches at hand can say anything about the alert at all."""
        if alert.group == CLOCK or alert.group.startswith("dose_"):
            return self.with_protocol
        return any(rule.group == alert.group for rule in self.threshold_set.rules)

    def _new_alert(self, stretch: Stretch) -> Alert:
        """What is to be told first about a stretch; the same whoever works it out, and when."""
        first = stretch.steps[0]
        begun = sorted(
            (breach for breach in stretch.breaches if breach.onset_at == first.at),
            key=lambda breach: (-breach.steps[0].shown, breach.order),
        )
        worst, *others = begun
        also = "".join(f"; also {breach.onset_text}" for breach in others)
        return Alert(
            id=derived_id("alert", self.session.id, stretch.group, worst.trigger.id),
            session_id=self.session.id,
            group=stretch.group,
            rule_id=worst.rule_id,
            threshold_set_id=self.session.threshold_set_id,
            level=LEVELS[first.shown - 1],
            pending=first.shown > first.confirmed,
            onset_at=first.at,
            detected_at=first.known_at,
            trigger_id=worst.trigger.id,
            parameter=worst.parameter,
            trigger_value=worst.trigger_value,
            threshold_text=worst.onset_text,
            baseline_value=worst.baseline_value,
            text=f"{worst.label}: {worst.onset_text}{also}",
        )


def _goes_on(course: Course, stretch: Stretch) -> bool:
    last = course.stretches[-1]
    same = (last.group, last.subject) == (stretch.group, stretch.subject)
    return same and course.still_open_for(stretch)


class _Matching:
    """Finds the alert that was raised for a stretch.

    By the reading it was raised for, followed through amendments; else, when late entries or
    amendments moved the beginning, by the time the two have in common.  Each alert is given once.
    """

    def __init__(
        self,
        session: InfusionSession,
        raised: Iterable[Alert],
        events: Iterable[AlertEvent],
        stretches: Sequence[Stretch],
    ) -> None:
        self._now_called = {item.amends: item.replacement for item in session.amendments}
        self._raised = sorted(raised, key=lambda alert: (alert.onset_at, alert.id))
        self._taken: set[UUID] = set()
        self._told_ends: dict[UUID, datetime] = {}
        for event in events:
            if event.kind is AlertEventKind.INVALIDATED:
                self._taken.add(event.alert_id)
            if event.kind in (AlertEventKind.CLEARED, AlertEventKind.UNCONFIRMED):
                self._told_ends[event.alert_id] = event.at
        self._by_trigger: dict[int, Alert] = {}
        facts = [(stretch, stretch.fact_ids()) for stretch in stretches]
        for alert in self._raised:
            trigger = self._current(alert.trigger_id)
            for stretch, fact_ids in facts:
                if stretch.group == alert.group and trigger in fact_ids:
                    self._by_trigger.setdefault(id(stretch), alert)
                    self._taken.add(alert.id)

    def _current(self, fact_id: UUID) -> UUID | None:
        found: UUID | None = fact_id
        while found in self._now_called:
            found = self._now_called[found]
        return found

    def by_trigger(self, stretch: Stretch) -> Alert | None:
        """The alert raised for one of its readings."""
        return self._by_trigger.get(id(stretch))

    def by_time(self, stretch: Stretch) -> Alert | None:
        """An alert of the group that lost its reading and was open during the stretch."""
        if stretch.subject is not None:
            return None
        for alert in self._raised:
            told_end = self._told_ends.get(alert.id)
            if (
                alert.group == stretch.group
                and alert.id not in self._taken
                and (stretch.end_at is None or alert.onset_at <= stretch.end_at)
                and (told_end is None or stretch.start_at <= told_end)
            ):
                self._taken.add(alert.id)
                return alert
        return None
