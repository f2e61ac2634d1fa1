"""A session laid out in time: which readings, breaks, bars and numbers the chart and tables show.

Standard library only, so that every rule of what may be joined, hidden or marked is tested without
a picture.  Minutes count from the first dose (before it: from the opening of the session).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cache
from uuid import UUID

from monitor import schedule
from monitor.alert_record import Alert
from monitor.breaches import Breach
from monitor.dose_timeline import dose_timeline, rate_in_force
from monitor.effect_course import EffectCourse, Treatment, effect_courses, treatments
from monitor.late_notes import LATE_AFTER, is_late, is_late_note, late_reasons
from monitor.news2 import CONSCIOUSNESS_SCALE
from monitor.parameters import PARAMETERS
from monitor.patient_dose_limits import patient_limit_text
from monitor.patient_limits import PatientLimits
from monitor.protocols import InfusionProtocol
from monitor.record import (
    Amendment,
    Bolus,
    DoseStep,
    DoseStepKind,
    DosingWeight,
    Fact,
    InfusionSession,
    NotTaken,
    Observation,
    PatientDoseLimit,
    SyringeChange,
    WeightBasis,
)
from monitor.scales import SCALES
from monitor.side_effects import ACTIONS, NONE, RELATIONS, term_text
from monitor.thresholds import LEVELS, Condition, Rule, ThresholdSet

#: What stands for a reason on chart and table: short, and never a number.
REASON_TEXT = {
    NotTaken.ASLEEP: "asleep",
    NotTaken.REFUSED: "refused",
    NotTaken.CUFF_OFF: "cuff off",
    NotTaken.ARTEFACT: "artefact",
    NotTaken.EQUIPMENT: "equipment fault",
    NotTaken.UNRECORDABLE: "unrecordable",
    NotTaken.NO_TRACE: "no trace",
    NotTaken.NOT_ASSESSED: "not assessed",
}

#: Operators as people read them.
SIGNS = {">=": "≥", "<=": "≤", ">": ">", "<": "<", "=": "="}

#: Reasons that are findings about the patient and may raise an alert (clinical.md U-05).
FINDINGS = frozenset({NotTaken.UNRECORDABLE, NotTaken.NO_TRACE})


@dataclass(frozen=True, slots=True)
class Mark:
    """Why a reading is ringed: the worst level of the breaches it belongs to, and their words."""

    level: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One observation as drawn.  ``was`` is what it said before its amendments, first first."""

    observation: Observation
    minute: float
    late: bool
    was: tuple[Observation, ...]
    amendment: Amendment | None
    mark: Mark | None

    @property
    def value(self) -> Decimal | None:
        """The value in the canonical unit, None when it was not taken."""
        return self.observation.value


@dataclass(frozen=True, slots=True)
class Struck:
    """An observation that no longer counts: amended or struck out, still to be seen."""

    observation: Observation
    minute: float
    amendment: Amendment


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """An entry of the numbered list: the same number on the chart, in the list and in print."""

    number: int
    at: datetime
    minute: float
    text: str
    by: str
    late: bool
    fact: Fact
    why_late: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """Something with a beginning and perhaps an end.  ``ongoing`` bars are open at the right.

    ``words`` says where the label stands: ``"inside"`` the bar, ``"right"`` or ``"left"`` of it.
    """

    start_min: float
    end_min: float
    ongoing: bool
    label: str
    detail: str
    level: str
    row: int = 0
    words: str = "inside"


def origin(session: InfusionSession) -> datetime:
    """Minute 0 of the time axis: the first dose, before it the opening of the session."""
    return session.started_at or session.created_at


def minute_of(session: InfusionSession, at: datetime) -> float:
    """Minutes since minute 0, negative before it."""
    return (at - origin(session)).total_seconds() / 60


def clock(at: datetime, zone: tzinfo, *, seconds: bool = False) -> str:
    """The time of day in the clinic's zone, 24 h."""
    return at.astimezone(zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def number_text(value: Decimal) -> str:
    """A number as shown: no trailing zero, no exponent, a leading zero before the point."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def value_text(observation: Observation) -> str:
    """Value with unit, or the reason why there is none."""
    parameter = PARAMETERS[observation.parameter]
    if observation.value is None:
        assert observation.not_taken is not None
        return REASON_TEXT[observation.not_taken]
    if parameter.kind == "tick":
        return "yes" if observation.value else "no"
    if observation.parameter == "acvpu":
        return bare_text(observation)
    return f"{number_text(observation.value)} {parameter.unit_label}".strip()


def limit_text(text: str) -> str:
    """A limit in words with operators as people read them."""
    for operator in (">=", "<="):
        text = text.replace(operator, SIGNS[operator])
    return text


def bare_text(observation: Observation) -> str:
    """The number without its unit, or the reason why there is none."""
    if observation.value is None:
        return value_text(observation)
    if observation.parameter == "acvpu":
        answer = SCALES[CONSCIOUSNESS_SCALE].answer(int(observation.value))
        return answer.short if answer else number_text(observation.value)
    return number_text(observation.value)


def marks(breaches: Iterable[Breach], threshold_set: ThresholdSet) -> dict[UUID, Mark]:
    """For every fact that crossed a limit, the worst level it crossed itself, and in which words.

    A reading that its repeat did not confirm still crossed the limit, so it is marked too.  What
    a calculated mean pressure crossed is marked on the set: see ``mean_marks``.
    """
    found: dict[UUID, Mark] = {}
    rules = {rule.id: rule for rule in threshold_set.rules}
    ready: dict[tuple[str, Decimal | None], PatientLimits] = {}
    for breach in breaches:
        rule, limits = rules.get(breach.rule_id), None
        if rule is not None and rule.sign == "news2":
            continue  # it is the sum that is beyond a limit, none of the values
        if rule is not None:
            key = (rule.id, breach.baseline_value)
            limits = ready.get(key) or ready.setdefault(key, PatientLimits(rule, key[1]))
        for fact in (breach.trigger, *breach.readings):
            if rule is not None and rule.sign == "map" and _parameter(fact) != "map":
                continue
            found[fact.id] = _worse(found.get(fact.id), _mark(fact, breach, limits))
    return found


def mean_marks(breaches: Iterable[Breach], threshold_set: ThresholdSet) -> dict[UUID, Mark]:
    """The same by set id, for mean pressures calculated from systolic and diastolic (U-58)."""
    found: dict[UUID, Mark] = {}
    for breach in breaches:
        rule = _rule_of(breach, threshold_set)
        if rule is None or rule.sign != "map":
            continue
        for fact in breach.readings:
            if isinstance(fact, Observation) and fact.parameter != "map":
                mark = Mark(breach.level, (breach.threshold_text,))
                found[fact.set_id] = _worse(found.get(fact.set_id), mark)
    return found


def _parameter(fact: Fact) -> str:
    return fact.parameter if isinstance(fact, Observation) else ""


def _rule_of(breach: Breach, threshold_set: ThresholdSet) -> Rule | None:
    """The row of a breach; breaches of the dose have none."""
    return next((rule for rule in threshold_set.rules if rule.id == breach.rule_id), None)


def _worse(before: Mark | None, mark: Mark) -> Mark:
    if before is None:
        return mark
    level = "critical" if "critical" in (before.level, mark.level) else "warning"
    return Mark(
        level, before.texts + tuple(text for text in mark.texts if text not in before.texts)
    )


def _mark(fact: Fact, breach: Breach, limits: PatientLimits | None) -> Mark:
    """What this one reading crossed: an episode that became critical has readings that were not."""
    if limits is None or not isinstance(fact, Observation) or fact.value is None:
        return Mark(breach.level, (breach.threshold_text,))
    measures = {"value": fact.value}
    rank = min(limits.rank(measures), len(LEVELS))
    if not rank:
        return Mark(breach.level, (breach.threshold_text,))
    words = " and ".join(_limit_words(item) for item in limits.clause_of(rank, measures))
    return Mark(LEVELS[rank - 1], (f"{limits.rule.label}: limit {words}",))


def _limit_words(condition: Condition) -> str:
    measure = "" if condition.measure == "value" else condition.measure.replace("_percent", " %")
    return f"{measure} {SIGNS[condition.operator]} {number_text(condition.limit)}".strip()


def _replaced(session: InfusionSession) -> dict[UUID, Amendment]:
    return {
        amendment.replacement: amendment
        for amendment in session.amendments
        if amendment.replacement is not None
    }


def readings(
    session: InfusionSession, parameter: str, marked: Mapping[UUID, Mark]
) -> tuple[Reading, ...]:
    """What was observed of one parameter, values and reasons, in the order of the record.

    Amended observations are left out: their replacement carries them in ``was``.  Whether an
    entry was late is judged by its first version; correcting a value does not make it late.
    """
    by_id = {item.id: item for item in session.observations}
    replaced = _replaced(session)
    found = []
    for observation in session.current_observations:
        if observation.parameter != parameter:
            continue
        was: list[Observation] = []
        first = observation
        while (amendment := replaced.get(first.id)) is not None and amendment.amends in by_id:
            first = by_id[amendment.amends]
            was.insert(0, first)
        found.append(
            Reading(
                observation=observation,
                minute=minute_of(session, observation.taken_at),
                late=first.recorded_at - first.taken_at > LATE_AFTER,
                was=tuple(was),
                amendment=replaced.get(observation.id),
                mark=marked.get(observation.id),
            )
        )
    return tuple(found)


def struck(session: InfusionSession) -> tuple[Struck, ...]:
    """Every observation that was replaced or struck out, in the order of the record."""
    amendments = {amendment.amends: amendment for amendment in session.amendments}
    return tuple(
        Struck(item, minute_of(session, item.taken_at), amendments[item.id])
        for item in session.observations
        if item.id in amendments
    )


def joined(
    shown: Sequence[Reading],
    *,
    interval_min: Callable[[float], float],
    shortest_min: float = 0,
    missed_min: Sequence[float] = (),
) -> tuple[tuple[Reading, ...], ...]:
    """The runs of readings that a line may join (clinical.md 8).

    A run ends where the parameter was not taken, where more than two intervals passed (exactly two
    are joined, U-70) and where a set was missed: a line there would claim what nobody saw.
    ``interval_min`` gives the planned interval in force at a minute; it is not asked for gaps
    that even two of the ``shortest_min`` cover.
    """
    runs: list[list[Reading]] = []
    run: list[Reading] = []
    for reading in shown:
        if reading.value is None:
            run = []
            continue
        broken = not run or _apart(
            run[-1].minute, reading.minute, interval_min, shortest_min, missed_min
        )
        if broken:
            run = []
            runs.append(run)
        run.append(reading)
    return tuple(tuple(run) for run in runs)


def _apart(
    before_min: float,
    after_min: float,
    interval_min: Callable[[float], float],
    shortest_min: float,
    missed_min: Sequence[float],
) -> bool:
    gap = after_min - before_min
    if gap > 2 * shortest_min and gap > 2 * interval_min(before_min):
        return True
    return any(before_min < minute < after_min for minute in missed_min)


def interval_at(session: InfusionSession, protocol: InfusionProtocol) -> Callable[[float], float]:
    """The planned minutes between sets at a minute, never shortened by an alert (U-70)."""

    @cache
    def interval(minute: float) -> float:
        at = origin(session) + timedelta(minutes=minute)
        return schedule.base_interval_min(session, protocol, at)

    return interval


def shortest_interval_min(protocol: InfusionProtocol) -> float:
    """The densest the protocol's schedule ever gets, in minutes: alerts apart."""
    profile = protocol.schedule_profile
    every = [interval.every_min for interval in profile.intervals]
    every += [profile.high_rate.every_min, profile.high_rate.recovery_every_min]
    every += [item for item in (profile.recovery_every_min, profile.fast_every_min) if item]
    return min(every)


def numbered_events(
    session: InfusionSession,
    zone: tzinfo,
    names: Mapping[str, str] | None = None,
    alerts: Iterable[Alert] = (),
) -> tuple[NumberedEvent, ...]:
    """Doses, syringes, later weights and events in the order of the record, numbered from 1.

    ``names`` maps usernames to what people are called, for whoever ordered a dose; ``alerts`` are
    those of the session, for what was given because of one.
    """
    given = treatments(session, alerts)
    facts: list[Fact] = [
        *session.current(session.dose_steps),
        *session.current(session.boluses),
        *session.current(session.syringe_changes),
        *later_weights(session.current(session.weights)),
        *(event for event in session.current(session.events) if not is_late_note(event)),
        *session.current(session.patient_dose_limits),
    ]
    why_late = late_reasons(session)
    facts.sort(key=lambda fact: fact.order)
    running = Decimal(0)
    found = []
    for number, fact in enumerate(facts, start=1):
        if isinstance(fact, DoseStep):
            fact = _as_given(session, fact)
        text = _event_text(fact, running)
        ordered_by = getattr(fact, "ordered_by", None)
        if ordered_by:
            text += f", ordered by {(names or {}).get(ordered_by, ordered_by)}"
        if fact.id in given:
            text += f", {given[fact.id].words}"
        if fact.source.words:
            text += f" ({fact.source.words})"
        if isinstance(fact, DoseStep):
            running = fact.rate_mg_per_h
        found.append(
            NumberedEvent(
                number=number,
                at=fact.taken_at,
                minute=minute_of(session, fact.taken_at),
                text=text,
                by=fact.recorded_by,
                late=is_late(fact),
                fact=fact,
                why_late=why_late.get(fact.id, ""),
            )
        )
    return tuple(found)


def _as_given(session: InfusionSession, step: DoseStep) -> DoseStep:
    """The step with the rate it really was: a syringe may have been put right since."""
    concentration = dose_timeline(session).concentration_at(step.taken_at)
    return replace(step, rate_mg_per_h=rate_in_force(step, concentration))


def struck_events(session: InfusionSession) -> tuple[tuple[Fact, str], ...]:
    """Doses, syringes and events that were struck out or corrected, each with what it said."""
    everything: tuple[tuple[Fact, ...], ...] = (
        session.dose_steps,
        session.boluses,
        session.syringe_changes,
        later_weights(session.weights),
        session.events,
        session.patient_dose_limits,
    )
    return tuple(
        (fact, _event_text(fact, Decimal(0)))
        for facts in everything
        for fact in facts
        if fact.id in session.amended_ids and not is_late_note(fact)
    )


def later_weights(weights: Iterable[DosingWeight]) -> tuple[DosingWeight, ...]:
    """Weights recorded once the drug had begun: those carry a reason.

    An ideal or adjusted one is told by itself, not by the actual one saved with it.
    """
    found = {weight.recorded_at: weight for weight in weights if weight.reason}
    return tuple(found.values())


def weight_text(weight: DosingWeight) -> str:
    """ "Weight 82 kg, measured: weighed again"."""
    how = "measured" if weight.measured else "stated"
    basis = "" if weight.basis is WeightBasis.ACTUAL else f" ({weight.basis.value})"
    because = f": {weight.reason}" if weight.reason else ""
    typed = f" (typed {weight.typed})" if weight.typed else ""
    return f"Weight {number_text(weight.weight_kg)} kg{basis}{typed}, {how}{because}"


def _event_text(fact: Fact, running_mg_per_h: Decimal) -> str:
    if isinstance(fact, DoseStep):
        return _dose_text(fact, running_mg_per_h)
    if isinstance(fact, Bolus):
        over = f" over {fact.over_s // 60} min" if fact.over_s >= 60 else ""
        because = f": {fact.reason}" if fact.reason else ""
        return f"Bolus {number_text(fact.amount_mg)} mg{over}{because}"
    if isinstance(fact, DosingWeight):
        return weight_text(fact)
    if isinstance(fact, SyringeChange):
        return f"New syringe, {number_text(fact.concentration_mg_per_ml)} mg/mL"
    if isinstance(fact, PatientDoseLimit):
        return f"Limit for this patient, {patient_limit_text(fact)}: {fact.reason}"
    kind = getattr(fact, "kind", "").replace("_", " ").capitalize()
    text = getattr(fact, "text", None)
    return f"{kind}: {text}" if text else kind


def _dose_text(step: DoseStep, running_mg_per_h: Decimal) -> str:
    because = f": {step.reason}" if step.reason else ""
    rate = f"{number_text(step.entered_value)} {step.entered_unit.value}"
    if step.kind is DoseStepKind.STOP:
        return f"Infusion stopped{because}"
    if step.kind is DoseStepKind.HOLD or step.rate_mg_per_h == 0:
        return f"Infusion held{because}"
    if step.kind is DoseStepKind.RESUME:
        return f"Resumed at {rate}{because}"
    if running_mg_per_h == 0:
        return f"Rate {rate}{because}"
    direction = "up" if step.rate_mg_per_h > running_mg_per_h else "down"
    if step.rate_mg_per_h == running_mg_per_h:
        return f"Rate {rate} confirmed{because}"
    return f"Rate {direction} to {rate}{because}"


def effect_bars(session: InfusionSession, until: datetime, zone: tzinfo) -> tuple[Bar, ...]:
    """Side effects from onset to end, one bar each; "asked, none" is no bar."""
    return tuple(
        _effect_bar(session, course, until, zone)
        for course in effect_courses(session)
        if course.effect.term != NONE
    )


def _effect_bar(
    session: InfusionSession, course: EffectCourse, until: datetime, zone: tzinfo
) -> Bar:
    effect, ended_at = course.effect, course.ended_at
    name = term_text(effect.term)
    actions = [ACTIONS.get(action, action) for action in course.actions]
    grades = "→".join(str(grade) for grade in _without_repeats(course.grades))
    notes = (effect.note, *(change.note for change in course.changes))
    detail = [
        f"{name}, grade {grades}",
        f"{clock(effect.taken_at, zone)} to "
        + (clock(ended_at, zone) if ended_at else "now, not ended"),
    ]
    if len(set(course.grades)) > 1:
        detail.append(f"worst grade {course.peak_grade} at {clock(course.peak_at, zone)}")
    if effect.relation:
        detail.append(f"related to the drug: {RELATIONS.get(effect.relation, effect.relation)}")
    detail += [f"action: {text}" for text in actions]
    detail += [f"given {treatment_text(given, zone)}" for given in course.treatments]
    detail += [text for text in notes if text]
    detail += [effect.source.words] if effect.source.words else []
    worst = course.peak_grade
    return Bar(
        start_min=minute_of(session, effect.taken_at),
        end_min=minute_of(session, max(ended_at or until, effect.taken_at)),
        ongoing=ended_at is None,
        label=" · ".join([f"{name} {grades}", *actions]),
        detail="\n".join(detail),
        level="critical" if worst >= 3 else "warning" if worst == 2 else "",
    )


def treatment_text(given: Treatment, zone: tzinfo) -> str:
    """ "09:30 ondansetron 4 mg IV (6 min after it began)"."""
    event = given.event
    minutes = None if given.response is None else given.response // timedelta(minutes=1)
    after = "" if minutes is None else f" ({minutes} min after it began)"
    return f"{clock(event.taken_at, zone)} {event.text or event.kind}{after}"


def _without_repeats(values: Sequence[int]) -> list[int]:
    return [value for index, value in enumerate(values) if index == 0 or value != values[index - 1]]


def packed(
    bars: Sequence[Bar],
    *,
    px_per_min: float,
    px_per_char: float,
    end_min: float,
    start_min: float = float("-inf"),
    gap_px: float = 12,
) -> tuple[Bar, ...]:
    """The bars with a row each, so that neither bars nor their labels run into each other.

    A label that does not fit into its bar stands beside it, on the side that has room between
    ``start_min`` and ``end_min``, the edges of the chart; where neither has, it begins in its bar
    or is shortened.
    """
    rows: list[list[tuple[float, float]]] = []
    found = []
    for bar in sorted(bars, key=lambda item: (item.start_min, item.end_min)):
        left, right = bar.start_min * px_per_min, bar.end_min * px_per_min
        label_px = (len(bar.label) + 2) * px_per_char
        words = "inside"
        if label_px > right - left:
            room_right, room_left = end_min * px_per_min - right, left - start_min * px_per_min
            # Where neither side has room: never on the name of the lane, left of the chart.
            words = "left" if room_right < label_px <= room_left else "right"
            if max(room_right, room_left) < label_px:
                room_inside = end_min * px_per_min - left
                words = "inside" if room_inside >= room_left else "left"
                bar = _shortened(bar, max(room_inside, room_left) / px_per_char - 2)
                label_px = (len(bar.label) + 2) * px_per_char
            right += label_px if words == "right" else 0
            left -= label_px if words == "left" else 0
            right = max(right, left + label_px) if words == "inside" else right
        taken = (left - gap_px, right + gap_px)
        row = next(
            (
                index
                for index, spans in enumerate(rows)
                if all(span[1] <= left or right <= span[0] for span in spans)
            ),
            len(rows),
        )
        if row == len(rows):
            rows.append([])
        rows[row].append(taken)
        found.append(replace(bar, row=row, words=words))
    return tuple(found)


def _shortened(bar: Bar, most: float) -> Bar:
    """The label with at most so many letters; the words in full are in the hover and the tables."""
    if len(bar.label) <= most:
        return bar
    return replace(bar, label=f"{bar.label[: max(int(most) - 1, 1)]}…")


def fitting(spans_px: Sequence[tuple[float, float]], order: Iterable[int]) -> frozenset[int]:
    """Which of the spans (left, right in px) can stand side by side, chosen in this order."""
    kept: list[int] = []
    for index in order:
        left, right = spans_px[index]
        if all(right <= spans_px[other][0] or spans_px[other][1] <= left for other in kept):
            kept.append(index)
    return frozenset(kept)


def thinned(
    shown: Sequence[Reading], *, px_per_min: float, widths_px: Sequence[float]
) -> tuple[bool, ...]:
    """For every reading, whether its number is written out; one that has no room is a dot.

    Numbers that touch read as one wrong number, so none is exempt.  Where not all fit, the newest
    comes first, then those beyond a limit (the critical before the others), then those that say
    something new: an amendment, a late entry, a change of value; of equals the later one.
    """

    def urgency(index: int) -> tuple[int, int]:
        reading = shown[index]
        if index == len(shown) - 1:
            return 0, 0
        if reading.mark is not None:
            return (1 if reading.mark.level == "critical" else 2), -index
        changed = index == 0 or reading.value != shown[index - 1].value
        return (3 if changed or reading.late or reading.was else 4), -index

    spans = [
        (reading.minute * px_per_min - width / 2, reading.minute * px_per_min + width / 2)
        for reading, width in zip(shown, widths_px, strict=True)
    ]
    kept = fitting(spans, sorted(range(len(shown)), key=urgency))
    return tuple(index in kept for index in range(len(shown)))


def disc_groups(
    minutes: Sequence[float], *, disc_min: float
) -> tuple[tuple[tuple[int, ...], float], ...]:
    """Discs ``disc_min`` wide that share one because they would overlap: (which, at minute).

    A shared disc stands in the middle of what it stands for, and takes in a neighbour only when
    it would overlap it from there.
    """
    groups: list[list[int]] = []

    def middle(group: Sequence[int]) -> float:
        return (minutes[group[0]] + minutes[group[-1]]) / 2

    for index in range(len(minutes)):
        groups.append([index])
        while len(groups) > 1 and middle(groups[-1]) - middle(groups[-2]) < disc_min:
            last = groups.pop()
            groups[-1] += last
    return tuple((tuple(group), middle(group)) for group in groups)


def clock_ticks(
    session: InfusionSession, start_min: float, end_min: float, zone: tzinfo, *, at_most: int
) -> tuple[tuple[float, datetime], ...]:
    """Round times of day in the range, as (minute, instant): 5, 15, 30, 60 ... min apart."""
    for step in (5, 15, 30, 60, 120, 240, 480, 1440):
        if (end_min - start_min) / step <= at_most:
            break
    zero = origin(session)
    first = (zero + timedelta(minutes=start_min)).astimezone(zone)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    # Whole steps of real time from local midnight: a clock change shifts the labels, not the axis.
    offset = (first - midnight).total_seconds() / 60
    minute = start_min + (-offset) % step
    found = []
    while minute <= end_min + 1e-9:
        found.append((minute, zero + timedelta(minutes=minute)))
        minute += step
    return tuple(found)
