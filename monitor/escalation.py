"""Who else is told when nobody answers an alert, and what hides its banner for a moment.

The ladder of clinical.md 7.2 with U-59 to U-61 and U-65.  It follows from the course of the alert
alone, so the clock that stores it and the screens that show it agree.  An answer ends it; being told
is no answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from monitor.alert_course import CRITICAL, Course, Stretch, rank_of
from monitor.alert_record import AlertEvent, AlertEventKind, AlertState
from monitor.clock_alerts import CLOCK
from monitor.thresholds import LEVELS, ThresholdSet

WARNING = LEVELS.index("warning") + 1

#: Who is told of a critical alert, step by step, and who of a warning (clinical.md 7.2).
CRITICAL_TO = ("anaesthetist", "lead")
WARNING_TO = "shift_lead"
#: What they are called.
CALLED = {"anaesthetist": "anaesthetist", "lead": "clinic lead", "shift_lead": "shift lead"}
#: The same where there is little room.
CALLED_SHORT = {"anaesthetist": "doctor", "lead": "lead", "shift_lead": "shift lead"}


@dataclass(frozen=True, slots=True)
class Escalation:
    """That somebody is told at ``at`` because nobody answered."""

    at: datetime
    to: str
    level: int


def escalations(course: Course) -> list[Escalation]:
    """Everybody who was told until now, in order of time."""
    if not course.escalates:
        return []
    found = [
        step
        for stretch in course.stretches
        if not stretch.is_retrospective
        for step in (*_of_critical(course, stretch), *_of_warning(course, stretch))
        if step.at < course.clock
    ]
    return sorted(found, key=lambda step: step.at)


def _of_critical(course: Course, stretch: Stretch) -> Iterator[Escalation]:
    for start in _unanswered_from(course, stretch, CRITICAL):
        answered_at = _answered_at(course, start, CRITICAL)
        for step, (after, to) in enumerate(
            zip(course.policy.escalate_critical_after, CRITICAL_TO, strict=True)
        ):
            due = start + after
            # The first step goes out also when the value recovered, the others do not (U-59); for a
            # set that came nobody is told any more (U-33).
            recovered = (
                (step > 0 or not course.latches)
                and stretch.end_at is not None
                and stretch.end_at <= due
            )
            if recovered or (answered_at is not None and answered_at <= due):
                break
            yield Escalation(due, to, CRITICAL)


def _of_warning(course: Course, stretch: Stretch) -> Iterator[Escalation]:
    for start in _unanswered_from(course, stretch, WARNING):
        due = start + course.policy.escalate_warning_after
        answered_at = _answered_at(course, start, WARNING)
        standing = [step for step in stretch.steps if step.at <= due][-1]
        if standing.confirmed == WARNING == standing.shown and (
            answered_at is None or answered_at > due
        ):
            yield Escalation(due, WARNING_TO, WARNING)


def _unanswered_from(course: Course, stretch: Stretch, level: int) -> Iterator[datetime]:
    """When the level was there and nobody had answered it: once confirmed and known, and again
    each time an answer ran out (U-60, U-61)."""
    before = 0
    for step in stretch.steps:
        if step.confirmed >= level > before:
            since = max(step.at, step.known_at)
            if not course.is_answered(since):
                yield since
        before = step.confirmed
    for again_at in course.fired_again_at():
        standing = [step for step in stretch.steps if step.at <= again_at]
        if standing and standing[-1].confirmed >= level:
            yield again_at


def _answered_at(course: Course, start: datetime, level: int) -> datetime | None:
    return next(
        (item.at for item in course.answers if item.at >= start and rank_of(item.level) >= level),
        None,
    )


def told_now(course: Course) -> tuple[Escalation, ...]:
    """Who is told of an alert that is still unanswered: nobody once it was answered."""
    if course.state is not AlertState.ACTIVE:
        return ()
    last = max((answer.at for answer in course.answers), default=None)
    return tuple(step for step in escalations(course) if last is None or step.at > last)


# -- hiding the banner for a moment ------------------------------------------------------------------


def _suppressions(course: Course) -> list[AlertEvent]:
    return [event for event in course.events if event.kind is AlertEventKind.SUPPRESSED]


def hidden_until(course: Course, event: AlertEvent) -> datetime:
    """How long the banner was allowed to be hidden by that."""
    critical = rank_of(event.level) == CRITICAL
    policy = course.policy
    lasts = policy.suppress_critical_at_most if critical else policy.suppress_warning_at_most
    return event.at + lasts


def suppressed_until(course: Course) -> datetime | None:
    """Until when the banner is hidden; None when it is not.  A higher level ends it at once (U-65)."""
    for event in reversed(_suppressions(course)):
        until = hidden_until(course, event)
        if course.clock < until and course.answer_level <= rank_of(event.level):
            return until
    return None


def why_not_suppressed(course: Course, threshold_set: ThresholdSet) -> str | None:
    """Why the banner cannot be hidden, in words; None when it can (clinical.md 7.2, U-65)."""
    if course.state is not AlertState.ACTIVE:
        return "Only an alert that is confirmed and not answered has a banner to hide."
    for breach in course.breaches:
        rule = next((rule for rule in threshold_set.rules if rule.id == breach.rule_id), None)
        if rule is None:
            level = None
            # A hard limit of the dose; a set that is missed may be hidden.
            locked = breach.level == "critical" and breach.group != CLOCK
        else:
            level = rule.level(breach.level)
            locked = level is not None and not level.may_suppress
        if locked and (breach.is_open or course.unanswered_critical):
            return "This alert is too dangerous to hide."
    hidden = _suppressions(course)
    if hidden:
        readings = [fact for breach in course.breaches for fact in breach.readings]
        newest = max((fact.recorded_at for fact in readings), default=hidden[-1].at)
        if newest <= hidden[-1].at:
            return "It was hidden once already; only a new reading allows it again."
    return None
