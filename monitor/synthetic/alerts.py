"""The alerts of an invented session, calculated by the real engine; only the answers are drawn.

A folder that is imported is replayed moment by moment (replay.py), 0.1 to 0.4 s each.  Here it is
worked out once, at the end: for a session in which nothing was corrected, entered late or waited for
both say the same (a test holds it).  Sessions with any of these are replayed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from math import exp
from random import Random
from uuid import UUID

from monitor.alert_course import Course
from monitor.alert_record import Alert, AlertEvent, AlertEventKind
from monitor.alerts import (
    CALLS_NOBODY,
    NOT_CLEARED,
    alert_courses,
    alerts_to_raise,
    confirmed_spans,
)
from monitor.breaches import Breach, find_breaches, rules_end_at
from monitor.errors import ImportRefused
from monitor.folder_format import AlertAnswer
from monitor.ids import derived_id
from monitor.protocols import InfusionProtocol
from monitor.record import InfusionSession
from monitor.replay import CLOCK_STEP, CLOCK_WATCH, answers_given, replay_alerts
from monitor.schedule import dues
from monitor.synthetic.expectations import expectations, happens, one_of
from monitor.thresholds import LEVELS, ThresholdSet

#: A slip that is no larger is made where it cannot cross a limit (session.py): mmHg.
SLIGHT = 10

#: Why nobody was called for a critical alert: as at the bedside no answer goes without (alerts.py).
_WHY_NOBODY = {
    "observe": "seen at the chair, well, watched",
    "expected": "expected with this drug, well",
    "artefact": "cuff or probe had moved, repeated",
}

Recorded = tuple[tuple[Alert, ...], tuple[AlertEvent, ...], tuple[Breach, ...]]


def end_of(session: InfusionSession) -> datetime:
    """When the last thing was saved."""
    return max(
        [session.created_at, *(max(fact.taken_at, fact.recorded_at) for fact in session.facts())]
    )


def record_alerts(
    session: InfusionSession, protocol: InfusionProtocol, limits: ThresholdSet, rng: Random
) -> Recorded:
    """Alerts and events as they would have been stored, and the breaches at the end of the record."""
    until = end_of(session)
    breaches = find_breaches(session, limits, until, protocol=protocol)
    left_at = rules_end_at(session)
    # After the patient left no limit applies: the clock need not run until the signature.
    watched = until if left_at is None else min(until, left_at + timedelta(minutes=10))
    if _was_wildly_wrong(session):
        # What was amended away may have raised an alert.
        return (*_replayed(session, protocol, limits, (), watched), breaches)
    if _was_waited_for(session, protocol, limits, breaches, until):
        # A set that was late is an alert too, told as it stood then and not as it ended.
        courses = alert_courses(session, limits, (), (), until, protocol=protocol)
        given = _as_in_a_folder(courses, tuple(_answers(courses, session, rng)))
        return (*_replayed(session, protocol, limits, given, watched), breaches)
    if not breaches:
        return (), (), breaches
    courses = alert_courses(session, limits, (), (), until, protocol=protocol, breaches=breaches)
    answers = tuple(_answers(courses, session, rng))
    if any(_is_late(session, limits)) or any(_saved_after_the_clock(session, limits, breaches)):
        given = _as_in_a_folder(courses, answers)
        return (*_replayed(session, protocol, limits, given, watched), breaches)
    alerts = tuple(course.alert for course in courses)
    _, events = alerts_to_raise(
        session, limits, alerts, answers, until, protocol=protocol, breaches=breaches
    )
    if any(event.text == NOT_CLEARED for event in events):
        # An answer ran out while values went on changing: what was told depends on when.
        given = _as_in_a_folder(courses, answers)
        return (*_replayed(session, protocol, limits, given, watched), breaches)
    looks = _Looks(session, answers)
    known_at = {
        (course.alert.id, step.at): step.known_at for course in courses for step in course.steps
    }
    told = [
        replace(
            event,
            recorded_at=looks.first_at(
                max(event.at, known_at.get((event.alert_id, event.at), event.at))
            ),
        )
        for event in events
    ]
    return alerts, tuple(sorted((*answers, *told), key=_order)), breaches


def _was_waited_for(
    session: InfusionSession,
    protocol: InfusionProtocol,
    limits: ThresholdSet,
    breaches: tuple[Breach, ...],
    until: datetime,
) -> bool:
    """Whether a set was late or missed, or seemed so until it was saved."""
    saved: dict[UUID, datetime] = {}
    for seen in session.observations:
        saved[seen.set_id] = max(seen.recorded_at, saved.get(seen.set_id, seen.recorded_at))
    return any(
        due.state in ("late", "missed")
        or (due.met_by is not None and saved[due.met_by] > due.late_at)
        for due in dues(session, protocol, confirmed_spans(breaches, limits), until)
    )


def _replayed(
    session: InfusionSession,
    protocol: InfusionProtocol,
    limits: ThresholdSet,
    answers: tuple[AlertAnswer, ...],
    until: datetime,
) -> tuple[tuple[Alert, ...], tuple[AlertEvent, ...]]:
    """The alerts moment by moment.  Where a late entry made an alert another one than was answered,
    nobody answered."""
    try:
        return replay_alerts(session, protocol, limits, answers, until)
    except ImportRefused:
        return replay_alerts(session, protocol, limits, (), until)


def _order(event: AlertEvent) -> tuple[datetime, datetime, str]:
    return (event.recorded_at, event.at, str(event.id))


def _is_late(session: InfusionSession, limits: ThresholdSet) -> Iterator[bool]:
    return (seen.recorded_at - seen.taken_at > limits.late_after for seen in session.observations)


def _was_wildly_wrong(session: InfusionSession) -> bool:
    """Whether a value that was corrected stood far from the right one."""
    facts = {seen.id: seen for seen in session.observations}
    for amendment in session.amendments:
        wrong = facts.get(amendment.amends)
        right = facts.get(amendment.replacement) if amendment.replacement else None
        if wrong is None or right is None or wrong.value is None or right.value is None:
            return True
        if abs(wrong.value - right.value) > SLIGHT:
            return True
    return False


def _saved_after_the_clock(
    session: InfusionSession, limits: ThresholdSet, breaches: tuple[Breach, ...]
) -> Iterator[bool]:
    """Whether a repeat was taken in time and saved when the clock had decided without it."""
    known = {rule.id: rule for rule in limits.rules}
    for breach in breaches:
        rule = known.get(breach.rule_id)
        if rule is None:  # a limit of the dose
            continue
        confirms = [level.confirm for level in rule.levels if level.confirm]
        pending = [step.at for step in breach.steps if step.shown > step.confirmed]
        # A reading that was never confirmed shows nothing of it in the end: ask about the first too.
        for began_at in {breach.onset_at, *pending}:
            for confirm in confirms:
                first, decided_at = began_at + confirm.after, began_at + confirm.until
                repeats = [
                    seen.recorded_at
                    for seen in session.observations
                    if first <= seen.taken_at <= decided_at and seen.parameter in rule.parameters
                ]
                yield bool(repeats) and min(repeats) > decided_at


def _answers(
    courses: tuple[Course, ...], session: InfusionSession, rng: Random
) -> Iterator[AlertEvent]:
    """What people said to each alert, at the level it showed by then."""
    figures = expectations()["answers"]
    left_at = rules_end_at(session)
    for course in courses:
        if not happens(rng, figures["given"]):
            continue
        known_at = max(course.steps[0].known_at, course.confirmed_at or course.alert.detected_at)
        wait_s = figures["median_s"] * exp(figures["spread"] * rng.gauss(0, 1))
        at = known_at + timedelta(seconds=round(wait_s, 3))
        standing = [step for step in course.steps if step.at <= at and step.shown]
        if not standing or (left_at is not None and at >= left_at):
            continue
        level = LEVELS[max(step.shown for step in standing) - 1]
        action = _action(course, session, at, rng)
        yield AlertEvent(
            id=derived_id("alert_event", course.alert.id, AlertEventKind.ACKNOWLEDGED, 1),
            alert_id=course.alert.id,
            kind=AlertEventKind.ACKNOWLEDGED,
            step=1,
            at=at,
            recorded_at=at,
            by=session.created_by,
            action=action,
            text=_WHY_NOBODY[action] if level == "critical" and action in CALLS_NOBODY else "",
            level=level,
        )


def _action(course: Course, session: InfusionSession, at: datetime, rng: Random) -> str:
    """What was done: the rate where the record shows that it was lowered, else drawn."""
    around = timedelta(minutes=6)
    if course.alert.group == "bp_high" and any(
        step.reason == "blood pressure" and abs(step.taken_at - at) <= around
        for step in session.dose_steps
    ):
        return "slow"
    return one_of(rng, expectations()["answers"]["actions"])


def _as_in_a_folder(
    courses: tuple[Course, ...], answers: tuple[AlertEvent, ...]
) -> tuple[AlertAnswer, ...]:
    return answers_given((course.alert for course in courses), answers)


class _Looks:
    """The moments at which the monitor looks: at every save, and by the clock in between."""

    def __init__(self, session: InfusionSession, answers: tuple[AlertEvent, ...]) -> None:
        self._saved = sorted(
            {fact.recorded_at for fact in session.facts()} | {item.at for item in answers}
        )

    def first_at(self, moment: datetime) -> datetime:
        """The first look at or after a moment."""
        place = bisect_left(self._saved, moment)
        after = self._saved[place] if place < len(self._saved) else None
        if place == 0 or after == moment:
            return after or moment
        before = self._saved[place - 1]
        ticks = -((before - moment) // CLOCK_STEP)
        tick = before + ticks * CLOCK_STEP
        if tick >= before + CLOCK_WATCH:
            return after or moment
        return tick if after is None else min(tick, after)
