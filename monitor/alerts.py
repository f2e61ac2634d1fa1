"""Alerts: the record that staff were told.  A breach is calculated, an alert is recorded.

``alerts_to_raise`` says what is new to be stored, ``alert_views`` how every alert stands now.  An
alert is raised once and kept for ever; what happens to it is appended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from monitor.alert_course import CRITICAL, Course, Judgement, Stretch
from monitor.alert_record import Alert, AlertEvent, AlertEventKind, AlertState
from monitor.breaches import Breach, find_breaches
from monitor.clock_alerts import CLOCK, clock_breaches
from monitor.episodes import Step
from monitor.errors import InvalidEntry, Problem
from monitor.escalation import (
    escalations,
    hidden_until,
    suppressed_until,
    told_now,
    why_not_suppressed,
)
from monitor.ids import derived_id
from monitor.limit_words import plain
from monitor.protocols import InfusionProtocol
from monitor.record import Fact, InfusionSession
from monitor.schedule import AlertSpan, Due, dues
from monitor.thresholds import LEVELS, ThresholdSet

__all__ = [
    "MONITOR",
    "NOT_CLEARED",
    "RAISED_LATE",
    "Alert",
    "AlertEvent",
    "AlertEventKind",
    "AlertState",
    "AlertView",
    "Course",
    "acknowledge",
    "alert_courses",
    "alert_views",
    "alerts_to_raise",
    "confirmed_spans",
    "dose_interlocks",
    "open_alerts",
    "suppress",
]

#: Who did what the monitor did by itself.
MONITOR = "monitor"
#: How an event is marked that was stored later than it was due, as no process ran.
RAISED_LATE = "raised late"

#: Answers to a critical alert by which nobody is called and nothing is done: they say why (F53).
CALLS_NOBODY = frozenset({"observe", "expected", "artefact"})

#: What is told when an answer ran out while the values were still as bad (U-61).
NOT_CLEARED = "not cleared since the answer"

#: An alert and an answer; which of them need someone first.
_NEED = (AlertState.ACTIVE, AlertState.PENDING, AlertState.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """An alert as it stands now, ready to be shown.

    ``level`` is what it shows; a pending critical is critical from its first reading.  ``text``
    names the worst limit, ``detail`` the rest.  ``recheck_from`` to ``recheck_by`` is when a
    repeat decides about a pending one.  ``confirmed_level`` is the highest level ever confirmed, at ``confirmed_at``.
    ``cleared_at`` is when the values were inside again; a critical nobody answered stays ACTIVE
    after that (U-59), until ``resolved_at``.  ``acknowledged_*`` is the answer in force, ``answers``
    are all.  ``answer_level`` is what an answer given now covers.  ``unconfirmed`` and
    ``retrospective`` tell how it ended (U-06, U-43).  ``rule_ids`` has the worst first.
    ``escalated_to`` are those who are told because nobody answered yet, the last at ``escalated_at``.
    ``suppressed_until`` is how long its banner is hidden, ``why_not_suppressed`` why it cannot be,
    ``suppressions`` how often it was.
    ``interlock`` says why an increase is asked about, None when it is not (U-31).
    ``rules`` names the version of what it was judged by.  ``events`` are all that is stored of what
    happened to it, ``hidden_until`` until when its banner was last hidden, ``closed_at`` when it was
    over and what was done recorded.
    """

    alert: Alert
    state: AlertState
    level: str
    text: str
    detail: str
    recheck_from: datetime | None
    recheck_by: datetime | None
    onset_at: datetime
    detected_at: datetime
    confirmed_at: datetime | None
    cleared_at: datetime | None
    resolved_at: datetime | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    readings: tuple[Fact, ...]
    source: str
    confirmed_level: str | None
    answer_level: str
    answers: tuple[AlertEvent, ...]
    rule_ids: tuple[str, ...]
    peak_value: Decimal | None
    peak_at: datetime | None
    unconfirmed: bool
    retrospective: bool
    escalates: bool
    escalated_to: tuple[str, ...]
    escalated_at: datetime | None
    suppressed_until: datetime | None
    why_not_suppressed: str | None
    suppressions: int
    interlock: str | None
    rules: str
    events: tuple[AlertEvent, ...]
    hidden_until: datetime | None
    closed_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it still concerns somebody."""
        return self.state.is_open

    @property
    def is_clock(self) -> bool:
        """Whether it is about a set that is late or missed, and so counted among those only (U-33)."""
        return self.alert.group == CLOCK

    @property
    def highest_level(self) -> str:
        """What it is counted as: its highest confirmed level (U-62), else what it showed."""
        return self.confirmed_level or self.level


# -- what is to be stored ----------------------------------------------------------------------------


def alerts_to_raise(
    session: InfusionSession,
    threshold_set: ThresholdSet,
    raised: tuple[Alert, ...],
    events: tuple[AlertEvent, ...],
    now: datetime,
    *,
    protocol: InfusionProtocol | None = None,
    breaches: tuple[Breach, ...] | None = None,
    courses: Sequence[Course] | None = None,
) -> tuple[tuple[Alert, ...], tuple[AlertEvent, ...]]:
    """The alerts and events that are to be stored and are not yet, called with every save.

    Ids follow from session, group and first reading, so working it out twice stores it once.  With
    the ``protocol`` the limits of the dose are judged too (U-25).  ``breaches`` saves finding them
    again, ``courses`` working those out; they have to be those of ``now`` (and of the protocol).
    """
    if courses is None:
        courses = alert_courses(
            session, threshold_set, raised, events, now, protocol=protocol, breaches=breaches
        )
    alerts = tuple(course.alert for course in courses if course.is_new)
    return alerts, tuple(event for course in courses for event in _untold(course, now))


def alert_courses(
    session: InfusionSession,
    threshold_set: ThresholdSet,
    raised: tuple[Alert, ...],
    events: tuple[AlertEvent, ...],
    now: datetime,
    *,
    protocol: InfusionProtocol | None = None,
    breaches: tuple[Breach, ...] | None = None,
    sets_due: tuple[Due, ...] | None = None,
) -> tuple[Course, ...]:
    """The course of every alert, raised or to be raised, in order of onset.

    With the ``protocol`` sets that are late or missed are alerts as well (U-33); ``sets_due`` saves
    working out again what was due by ``now``.
    """
    if breaches is None:
        breaches = find_breaches(session, threshold_set, now, protocol=protocol)
    if protocol is not None:
        if sets_due is None:
            spans = confirmed_spans(breaches, threshold_set)
            sets_due = dues(session, protocol, spans, now)
        breaches = (*breaches, *clock_breaches(session, protocol, sets_due, now))
    judgement = Judgement(
        session, threshold_set, breaches, raised, events, now, protocol is not None
    )
    return tuple(judgement.courses())


@dataclass(frozen=True, slots=True)
class _Told:
    """Something that happened to an alert, before it is an event."""

    kind: AlertEventKind
    at: datetime
    level: int
    text: str | None = None


def _untold(course: Course, now: datetime) -> Iterator[AlertEvent]:
    """Events for what happened to the alert and was not stored yet.

    The n-th time something happens is told once: when late entries move it in time, what was told
    stays as it was told.
    """
    stored = Counter((event.kind, event.level) for event in course.events)
    steps = Counter(event.kind for event in course.events)
    for told in _happened(course, now):
        level = LEVELS[told.level - 1]
        if stored[told.kind, level]:
            stored[told.kind, level] -= 1
            continue
        steps[told.kind] += 1
        step = steps[told.kind]
        yield AlertEvent(
            id=derived_id("alert_event", course.alert.id, told.kind, step),
            alert_id=course.alert.id,
            kind=told.kind,
            step=step,
            at=told.at,
            recorded_at=now,
            by=MONITOR,
            text=told.text,
            level=level,
        )


def _happened(course: Course, now: datetime) -> list[_Told]:
    """Everything the monitor has to tell about an alert after raising it, in order of time."""
    if not course.judged:
        return []
    if course.state is AlertState.INVALIDATED:
        return [_Told(AlertEventKind.INVALIDATED, now, course.level)]
    told = [item for index in range(len(course.stretches)) for item in _stretch_told(course, index)]
    told += [
        _Told(AlertEventKind.CONFIRMED, moment, course.level, NOT_CLEARED)
        for moment in course.fired_again_at()
    ]
    told += [
        _Told(AlertEventKind.ESCALATED, step.at, step.level, step.to)
        for step in (escalations(course) if course.is_live else ())
    ]
    resolved_at = course.resolved_at
    if resolved_at is not None:
        told.append(_Told(AlertEventKind.RESOLVED, resolved_at, course.level))
    if course.closed_at is not None:
        told.append(_Told(AlertEventKind.CLOSED, course.closed_at, course.level))
    return sorted(told, key=lambda item: item.at)


def _stretch_told(course: Course, index: int) -> Iterator[_Told]:
    stretch: Stretch = course.stretches[index]
    before = Step(stretch.start_at, stretch.start_at, 0, 0)
    for step in stretch.steps:
        if step.shown > before.shown and (before.shown or index):
            yield _Told(AlertEventKind.LEVEL_UP, step.at, step.shown)
        if step.confirmed > before.confirmed:
            by_clock = "no repeat in time" if step.by_clock else None
            yield _Told(AlertEventKind.CONFIRMED, step.at, step.confirmed, by_clock)
        if step.shown < before.shown:
            kind = _ending(before, step)
            stepped_to = step.shown if kind is AlertEventKind.STEPPED_DOWN else before.shown
            yield _Told(kind, step.at, stepped_to)
        before = step


def _ending(before: Step, after: Step) -> AlertEventKind:
    if after.shown == 0:
        return AlertEventKind.CLEARED if before.confirmed else AlertEventKind.UNCONFIRMED
    stepped = before.confirmed == before.shown
    return AlertEventKind.STEPPED_DOWN if stepped else AlertEventKind.UNCONFIRMED


# -- how it stands now -------------------------------------------------------------------------------


def alert_views(
    session: InfusionSession,
    threshold_set: ThresholdSet,
    alerts: tuple[Alert, ...],
    events: tuple[AlertEvent, ...],
    now: datetime,
    *,
    protocol: InfusionProtocol | None = None,
    breaches: tuple[Breach, ...] | None = None,
    courses: Sequence[Course] | None = None,
) -> tuple[AlertView, ...]:
    """Every alert as it stands now, those that need someone first.

    Alerts that are due but not stored yet are among them: nothing waits for a clock to be shown.
    """
    if courses is None:
        courses = alert_courses(
            session, threshold_set, alerts, events, now, protocol=protocol, breaches=breaches
        )
    views = [_view(course, threshold_set, now) for course in courses]
    return tuple(sorted(views, key=_need))


def _need(view: AlertView) -> tuple[object, ...]:
    state = _NEED.index(view.state) if view.state in _NEED else len(_NEED)
    return (not view.is_open, -LEVELS.index(view.level), state, view.onset_at, view.alert.id)


def _view(course: Course, threshold_set: ThresholdSet, now: datetime) -> AlertView:
    alert, state, breaches = course.alert, course.state, course.breaches
    worst = breaches[0] if breaches else None
    answer = _answer_shown(course, state)
    top, told = course.top, told_now(course)
    hidden = [event for event in course.events if event.kind is AlertEventKind.SUPPRESSED]
    deadlines = [item.recheck_by for item in breaches if item.recheck_by is not None]
    begins = [item.recheck_from for item in breaches if item.recheck_from is not None]
    return AlertView(
        alert=alert,
        state=state,
        level=LEVELS[course.level - 1],
        text=worst.threshold_text if worst else alert.threshold_text,
        detail=_detail(course, threshold_set),
        recheck_from=min(begins, default=None),
        recheck_by=min(deadlines, default=None),
        onset_at=course.steps[0].at if breaches else alert.onset_at,
        detected_at=alert.detected_at,
        confirmed_at=course.confirmed_at,
        cleared_at=_cleared_at(course, now),
        resolved_at=course.resolved_at,
        acknowledged_by=answer.by if answer else None,
        acknowledged_at=answer.at if answer else None,
        readings=tuple(dict.fromkeys(fact for item in breaches for fact in item.readings)),
        source=worst.source if worst else "",
        confirmed_level=LEVELS[top - 1] if top else None,
        answer_level=LEVELS[course.answer_level - 1],
        answers=course.answers,
        rule_ids=tuple(dict.fromkeys(item.rule_id for item in breaches)) or (alert.rule_id,),
        peak_value=worst.peak_value if worst else alert.trigger_value,
        peak_at=worst.peak_at if worst else None,
        unconfirmed=bool(breaches) and not course.shown and not top,
        retrospective=bool(breaches) and all(item.is_retrospective for item in course.stretches),
        escalates=course.escalates,
        escalated_to=tuple(step.to for step in told),
        escalated_at=told[-1].at if told else None,
        suppressed_until=suppressed_until(course) if state is AlertState.ACTIVE else None,
        why_not_suppressed=why_not_suppressed(course, threshold_set),
        suppressions=len(hidden),
        interlock=_interlock(course, state, threshold_set, now),
        rules=worst.note if worst and alert.group == CLOCK else threshold_set.label,
        events=tuple(sorted(course.events, key=lambda event: (event.at, event.step))),
        hidden_until=hidden_until(course, hidden[-1]) if hidden else None,
        closed_at=course.closed_at,
    )


def _answer_shown(course: Course, state: AlertState) -> AlertEvent | None:
    """The answer in force; once it is over, the last one given.  An active one has none."""
    if state is AlertState.ACTIVE or not course.answers:
        return None
    if state is AlertState.PENDING:
        return course.answer_in_force()
    return course.answers[-1]


def _cleared_at(course: Course, now: datetime) -> datetime | None:
    """When the values were inside; an invalidated alert ended when it was found out."""
    if course.stretches or not course.judged:
        return course.cleared_at
    told = (e.at for e in course.events if e.kind is AlertEventKind.INVALIDATED)
    return max([course.alert.onset_at, min(told, default=now)])


def _detail(course: Course, threshold_set: ThresholdSet) -> str:
    """What the card says under its headline: rule, what else, worst value, baseline, version."""
    breaches = course.breaches
    is_clock = course.alert.group == CLOCK
    if not breaches:
        gone = "Amended: nothing is left of it, or another alert has it"
        if is_clock:
            gone = "A set that was in time was entered later"
        said = [gone] if course.judged else []
        if is_clock:
            return ". ".join([course.alert.text, *said]) + "."
        return ". ".join([course.alert.text, *said, threshold_set.label]) + "."
    worst, others = breaches[0], breaches[1:]
    if is_clock:
        return f"{worst.label}. {worst.note}."
    said = [worst.label]
    also = [item.threshold_text for item in others if item.is_open == worst.is_open]
    if also:
        said.append(f"Also {', '.join(dict.fromkeys(also))}")
    if worst.peak_value is not None and worst.peak_value != worst.shown_value:
        said.append(f"Worst {plain(worst.peak_value, 1)}")
    if worst.baseline_value is not None:
        said.append(f"Baseline {plain(worst.baseline_value, 1)}")
    said += dict.fromkeys(item.note for item in breaches if item.note and item.is_open)
    return ". ".join([*said, f"Limits {threshold_set.label}"]) + "."


def open_alerts(views: Iterable[AlertView]) -> tuple[AlertView, ...]:
    """Those that still concern somebody, in the order given."""
    return tuple(view for view in views if view.is_open)


# -- answering ---------------------------------------------------------------------------------------


def acknowledge(
    view: AlertView | Alert, *, by: str, action: str | None, text: str | None = None, now: datetime
) -> AlertEvent:
    """The answer of a person to an alert.  It never ends the condition (clinical.md 7.2).

    It covers the level the person was shown; a higher one needs a new answer (U-60).  Give the view:
    a bare alert is answered at the level it was raised with, as its first answer.

    Raises:
        InvalidEntry: a critical alert is answered with neither an action nor a reason.
    """
    alert = view if isinstance(view, Alert) else view.alert
    level = view.level if isinstance(view, Alert) else view.answer_level
    step = 1 if isinstance(view, Alert) else len(view.answers) + 1
    if level == "critical" and not f"{action or ''}{text or ''}".strip():
        raise InvalidEntry(
            [
                Problem(
                    "action", "A critical alert needs what was done about it, or why nothing was."
                )
            ]
        )
    if level == "critical" and action in CALLS_NOBODY and not (text or "").strip():
        raise InvalidEntry([Problem("text", "Say why nobody was called for a critical alert.")])
    return AlertEvent(
        id=derived_id("alert_event", alert.id, AlertEventKind.ACKNOWLEDGED, step),
        alert_id=alert.id,
        kind=AlertEventKind.ACKNOWLEDGED,
        step=step,
        at=now,
        recorded_at=now,
        by=by,
        action=action,
        text=text,
        level=level,
    )


def suppress(view: AlertView, *, by: str, reason: str, now: datetime) -> AlertEvent:
    """Hide the banner of an alert for as long as its level allows; its card stays (clinical.md 7.2).

    Raises:
        InvalidEntry: no reason is given, or this alert cannot be hidden (U-65).
    """
    problems = []
    if not reason.strip():
        problems.append(Problem("text", "Say why the alert is hidden."))
    if view.why_not_suppressed is not None:
        problems.append(Problem("alert_id", view.why_not_suppressed))
    if problems:
        raise InvalidEntry(problems)
    step = view.suppressions + 1
    return AlertEvent(
        id=derived_id("alert_event", view.alert.id, AlertEventKind.SUPPRESSED, step),
        alert_id=view.alert.id,
        kind=AlertEventKind.SUPPRESSED,
        step=step,
        at=now,
        recorded_at=now,
        by=by,
        text=reason.strip(),
        level=view.answer_level,
    )


# -- what alerts do to dose and schedule -------------------------------------------------------------


def _interlock(
    course: Course, state: AlertState, threshold_set: ThresholdSet, now: datetime
) -> str | None:
    if not state.is_open:
        return None
    headline = course.breaches[0].threshold_text if course.breaches else course.alert.threshold_text
    if course.answer_level == CRITICAL:
        standing = "waiting for its repeat" if state is AlertState.PENDING else state.value
        return f"Critical alert {standing}: {headline}."
    if state is AlertState.PENDING:
        return f"Warning waiting for its repeat: {headline}."
    told_at = max(course.confirmed_at or course.alert.onset_at, course.alert.detected_at)
    waits = threshold_set.policy.increase_waits_after_warning
    if state is AlertState.ACTIVE and now - told_at < waits:
        return f"Warning not answered yet: {headline}."
    return None


def dose_interlocks(views: Iterable[AlertView], late_dues: Sequence[Due]) -> tuple[str, ...]:
    """Why an increase, a resume or a bolus has to be confirmed with a reason (U-31); none = empty.

    ``late_dues`` are the observation sets that are late or missed and were not taken since.
    """
    said = [view.interlock for view in views if view.interlock is not None]
    if late_dues:
        worst = "missed" if any(due.state == "missed" for due in late_dues) else "late"
        said.append(f"The observation set is {worst}.")
    return tuple(dict.fromkeys(said))


def confirmed_spans(
    breaches: Iterable[Breach], threshold_set: ThresholdSet
) -> tuple[AlertSpan, ...]:
    """When confirmed alerts shorten the observation schedule (U-40, U-59): until values are inside.

    A span begins when it was both confirmed and known: a late entry makes no set due in the past.
    Rows with ``shortens_schedule = false`` (pain) are left out.
    """
    quiet = {rule.id for rule in threshold_set.rules if not rule.shortens_schedule}
    spans = [
        span for breach in breaches if breach.rule_id not in quiet for span in _spans_of(breach)
    ]
    return tuple(sorted(spans, key=lambda span: (span.start_at, span.level)))


def _spans_of(breach: Breach) -> Iterator[AlertSpan]:
    for index, step in enumerate(breach.steps):
        after = breach.steps[index + 1] if index + 1 < len(breach.steps) else None
        start_at = max(step.at, step.known_at)
        if step.confirmed and (after is None or start_at < after.at):
            yield AlertSpan(LEVELS[step.confirmed - 1], start_at, after.at if after else None)
