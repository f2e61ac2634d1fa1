"""A session's record as pandas tables: what the chart shows, in words and numbers, to read and file.

Every cell is text as a person reads it, units stand in the headers, times are the clinic's.  An
empty cell is nothing; a reason says why there is no value; a number is a number, also 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from gettext import gettext as _
from uuid import UUID

import pandas as pd

from monitor import dosing
from monitor.alert_story import alert_history
from monitor.alerts import Alert, AlertEvent, AlertView
from monitor.chart_looks import ICONS
from monitor.dose_overrides import confirmation_words
from monitor.dose_response import AFTER, SIGNS, dose_responses, response_text
from monitor.effect_course import EffectCourse, effect_courses
from monitor.gate import GateItem, ItemState, gate_state, label_of, newest_answers
from monitor.gate_library import GATE, Handling
from monitor.news2 import News2, names_of, scores_of, short_text
from monitor.parameters import PARAMETERS
from monitor.patient_dose_limits import patient_limit_text
from monitor.protocols import InfusionProtocol
from monitor.record import (
    Amendment,
    Bolus,
    DoseStep,
    DoseUnit,
    DosingWeight,
    DrugMovement,
    Fact,
    GateAnswer,
    InfusionSession,
    Observation,
    PatientDoseLimit,
    SessionEvent,
    SideEffect,
    SideEffectChange,
    SyringeChange,
)
from monitor.side_effects import ACTIONS, NONE, RELATIONS, term_text
from monitor.timeline import (
    Mark,
    NumberedEvent,
    Reading,
    bare_text,
    clock,
    limit_text,
    number_text,
    numbered_events,
    readings,
    struck,
    treatment_text,
    value_text,
)
from monitor.verbal_orders import override_words


def _frame(rows: list[dict[str, str]], columns: Iterable[str]) -> pd.DataFrame:
    """The rows in these columns, every cell text; a column nobody filled stays, empty."""
    names = list(columns)
    return pd.DataFrame([[row.get(name, "") for name in names] for row in rows], columns=names)


def column_name(parameter: str) -> str:
    """The header of a parameter's column: short name and unit."""
    found = PARAMETERS[parameter]
    return f"{found.short} ({found.unit_label})" if found.unit_label else found.short


def observation_table(
    session: InfusionSession,
    zone: tzinfo,
    marked: Mapping[UUID, Mark] | None = None,
    *,
    with_news2: bool = False,
) -> pd.DataFrame:
    """One row per set and moment, one column per observed parameter, in the order of the record.

    ``▲`` and ``◆`` stand before a value beyond a warning or critical limit, ``Δ`` after one that
    was amended, with what it said before.  ``with_news2`` adds the score of each set, ``≥`` and what
    is missing where it is incomplete.
    """
    keys = {item.parameter for item in session.current_observations}
    present = [key for key in PARAMETERS if key in keys]
    names = {key: column_name(key) for key in present}
    rows: dict[tuple[str, str], dict[str, str]] = {}
    shown = [reading for key in present for reading in readings(session, key, marked or {})]
    for reading in sorted(shown, key=lambda item: item.observation.order):
        observation = reading.observation
        key = (str(observation.set_id), observation.taken_at.isoformat())
        row = rows.setdefault(
            key, {"Taken": clock(observation.taken_at, zone), "By": observation.recorded_by}
        )
        if reading.late:
            first = reading.was[0] if reading.was else observation
            row["Entered late"] = clock(first.recorded_at, zone)
        if observation.source.words:
            row["Source"] = observation.source.words
        row[names[observation.parameter]] = _cell(reading)
    if with_news2:
        scores = {str(set_id): _news2_text(score) for set_id, score in scores_of(session).items()}
        for (set_id, _), row in rows.items():
            row["NEWS2"] = scores.get(set_id, "")
    source = ["Source"] if any("Source" in row for row in rows.values()) else []
    columns = [*names.values(), *(["NEWS2"] if with_news2 else []), "By", "Entered late", *source]
    return _frame(list(rows.values()), ["Taken", *columns])


def _news2_text(score: News2) -> str:
    missing = f" (no {names_of(score.missing)})" if score.missing else ""
    return f"{short_text(score)}{missing}"


def _cell(reading: Reading) -> str:
    observation = reading.observation
    text = bare_text(observation)
    if PARAMETERS[observation.parameter].kind == "tick":
        text = value_text(observation)
    if reading.mark:
        text = f"{ICONS[reading.mark.level]} {text}"
    if reading.was:
        text += f" Δ was {', '.join(bare_text(before) for before in reading.was)}"
    if observation.really_so:
        text += " (really so)"
    return text


def dose_table(
    session: InfusionSession, zone: tzinfo, names: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Every rate and bolus as entered, with its rate in mg/h and the total given by then.

    Once another weight was recorded, a rate is told per kg of the weight it was given on, as it was
    ordered; a total goes by the newest weight from beginning to end (clinical.md 2.3), and its header
    says which.
    """
    rows = []
    weight = session.weight_kg
    weights = {item.weight_kg for item in session.current(session.weights)}
    changed = len(weights) > 1
    total = _("Given by then (mg/kg)")
    if weight and changed:
        total = _("Given by then (mg/kg on {kg} kg)").format(kg=number_text(weight))
    facts: list[Fact] = [
        *session.current(session.dose_steps),
        *session.current(session.boluses),
    ]
    texts = {event.fact.id: event for event in numbered_events(session, zone, names)}
    for fact in sorted(facts, key=lambda item: item.order):
        event = texts[fact.id]
        given = dosing.cumulative_mg(session, fact.taken_at)
        rate = dosing.current_rate_mg_per_h(session, fact.taken_at)
        row = {
            "No": str(event.number),
            "Time": clock(fact.taken_at, zone),
            "What": _with_confirmation(event, names),
            "Rate (mg/h)": _number(rate, DoseUnit.MG_PER_H),
            "Given by then (mg)": _number(given, DoseUnit.MG),
            "By": fact.recorded_by,
        }
        then = session.weight_kg_at(fact.taken_at)
        if weight and then:
            row["Rate (mg/kg/h)"] = _number(rate / then, DoseUnit.MG_PER_KG_PER_H)
            row["On (kg)"] = number_text(then)
            row[total] = _number(given / weight, DoseUnit.MG_PER_KG)
        rows.append(row)
    return _frame(
        rows,
        [
            "No",
            "Time",
            "What",
            "Rate (mg/kg/h)",
            *(["On (kg)"] if changed else []),
            "Rate (mg/h)",
            "Given by then (mg)",
            total,
            "By",
        ],
    )


def _with_confirmation(event: NumberedEvent, names: Mapping[str, str] | None) -> str:
    """What happened, who confirmed it as second person, and what it went past."""
    said = (event.text, confirmation_words(event.fact, names or {}))
    return ", ".join(part for part in said if part)


def response_table(
    session: InfusionSession, zone: tzinfo, names: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """What each dose did: every sign before it, then 5 and 15 minutes after; – where nothing was."""
    events = {event.fact.id: event for event in numbered_events(session, zone, names)}
    rows = []
    for response in dose_responses(session):
        event = events[response.dose.id]
        row = {"No": str(event.number), "Time": clock(response.dose.taken_at, zone)}
        row["What"] = event.text
        for sign in response.signs:
            row[response_name(sign.parameter)] = response_text(sign)
        rows.append(row)
    return _frame(rows, ["No", "Time", "What", *(response_name(sign) for sign in SIGNS)])


def response_name(parameter: str) -> str:
    """The header of a sign: ``SBP (mmHg): before → 5 → 15 min``."""
    minutes = [int(after.total_seconds() // 60) for after, _within in AFTER]
    times = " → ".join(["before", *map(str, minutes)])
    return f"{column_name(parameter)}: {times} min"


def _number(value: Decimal, unit: DoseUnit) -> str:
    return dosing.format_dose(value, unit).removesuffix(unit.value).strip()


def event_table(
    session: InfusionSession,
    zone: tzinfo,
    names: Mapping[str, str] | None = None,
    alerts: Iterable[Alert] = (),
) -> pd.DataFrame:
    """The numbered list the discs on the chart are keyed to."""
    return _frame(
        [
            {
                "No": str(event.number),
                "Time": clock(event.at, zone),
                "What": _with_confirmation(event, names),
                "By": event.by,
                "Entered late": _entered_late(event, zone),
            }
            for event in numbered_events(session, zone, names, alerts)
        ],
        ["No", "Time", "What", "By", "Entered late"],
    )


def _entered_late(event: NumberedEvent, zone: tzinfo) -> str:
    """When it was entered, and why not sooner; empty for what was entered in time."""
    if not event.late:
        return ""
    return ": ".join(filter(None, (clock(event.fact.recorded_at, zone), event.why_late)))


def side_effect_table(session: InfusionSession, zone: tzinfo) -> pd.DataFrame:
    """Every side effect with its course; "asked, none" is a row of its own."""
    return _frame(
        [_effect_row(course, zone) for course in effect_courses(session)],
        [
            "Side effect",
            "Grade",
            "Onset",
            "Peak",
            "End",
            "Action",
            "Treated",
            "Relation",
            "Serious",
            "Note",
            "By",
        ],
    )


def _effect_row(course: EffectCourse, zone: tzinfo) -> dict[str, str]:
    effect, ended_at = course.effect, course.ended_at
    none = effect.term == NONE
    notes = (effect.note, *(change.note for change in course.changes))
    peak = f"{course.peak_grade} at {clock(course.peak_at, zone)}"
    return {
        "Side effect": "asked, none" if none else term_text(effect.term),
        "Grade": "" if none else " → ".join(str(grade) for grade in course.grades),
        "Onset": clock(effect.taken_at, zone),
        "Peak": "" if none else peak,
        "End": "" if none else clock(ended_at, zone) if ended_at else "not ended",
        "Action": ", ".join(ACTIONS.get(action, action) for action in course.actions),
        "Treated": "; ".join(treatment_text(given, zone) for given in course.treatments),
        "Relation": RELATIONS.get(effect.relation or "", effect.relation or ""),
        "Serious": "yes" if effect.serious else "",
        "Note": " ".join(text for text in (*notes, effect.source.words) if text),
        "By": effect.recorded_by,
    }


def alert_table(
    views: Iterable[AlertView],
    events: Iterable[AlertEvent],
    zone: tzinfo,
    *,
    names: Mapping[str, str] | None = None,
    limits: str = "",
) -> pd.DataFrame:
    """Every alert with what happened to it and why it fired, in the order they began.

    ``names`` maps usernames to what people are called, ``limits`` says which limit set it was.
    ``attrs["titles"]`` holds for each row where in the literature its limit comes from.
    """
    known = tuple(events)
    rows = []
    sources = []
    for view in sorted(views, key=lambda item: (item.onset_at, item.alert.detected_at)):
        rows.append(
            {
                "Level": f"{ICONS[view.level]} {view.level}",
                "Began": clock(view.onset_at, zone),
                "Alert": limit_text(view.text),
                "State": str(view.state.value),
                "What happened": "; ".join(alert_history(view, known, zone, names or {})),
                "Why it fired": limit_text(view.detail),
                "Limit from": _("Schedule of the protocol") if view.is_clock else limits,
            }
        )
        sources.append(view.source)
    table = _frame(
        rows,
        ["Level", "Began", "Alert", "State", "What happened", "Why it fired", "Limit from"],
    )
    table.attrs["titles"] = {"Limit from": sources}
    return table


_GATE_COLUMNS = ("Stands", "Point", "Answer", "Overridden by", "At", "By")


def gate_table(
    session: InfusionSession,
    protocol: InfusionProtocol,
    as_of: datetime,
    zone: tzinfo,
    names: Mapping[str, str],
) -> pd.DataFrame:
    """The gate as it stood at the start, what was overridden first; then what was said at the end.

    An override never looks like a plain answer: it has its sign, its word, who decided and why.
    Questions nobody answered are counted by group.
    """
    given = newest_answers(session, as_of)
    state = gate_state(session, protocol, as_of, zone=zone)
    rows: list[dict[str, str]] = []
    unanswered: Counter[str] = Counter()
    answered = [item for item in state.items if item.state is ItemState.ANSWERED]
    started = session.known_at(as_of).started_at is not None
    for item in (*state.overridden, *state.in_the_way, *answered):
        if item.state is ItemState.OPEN and item.group in GATE.groups:
            unanswered[GATE.groups[item.group].label] += 1
            continue
        words = item.sentence if item.stops else item.label
        stands = _GATE_STATES[item.state]
        if item.state is ItemState.CONCERN:
            stands = f"{_GATE_SIGNS[item.handling]} {stands}"
        if item.stops and started:
            # What happened; there is nothing left to be done before a start that was.
            reason = _start_reason(session.known_at(as_of), item, given.get(item.id), zone, names)
            words = " ".join(part for part in (item.what, reason) if part)
            stands = f"{_GATE_SIGNS[item.handling]} {_('not settled at the start')}"
        rows.append(_gate_row(words, stands, given.get(item.id), zone, names))
    rows += [
        {"Stands": _("○ not answered"), "Point": f"{label}: {count}"}
        for label, count in unanswered.items()
    ]
    for criterion in GATE.criteria.values():
        answer = given.get(criterion.id)
        if answer is not None:
            stands = _("⚑ overridden") if answer.is_override else _("✓ answered")
            label = _("Before leaving: {what}").format(what=criterion.text or criterion.label)
            rows.append(_gate_row(label, stands, answer, zone, names))
    return _frame(rows, _GATE_COLUMNS)


def _start_reason(
    session: InfusionSession,
    item: GateItem,
    answer: GateAnswer | None,
    zone: tzinfo,
    names: Mapping[str, str],
) -> str:
    """ "Started with the reason: patient was seen (A. Blum 10:03)."; empty when none covers it."""
    doses: list[DoseStep | Bolus] = [
        *session.current(session.dose_steps),
        *session.current(session.boluses),
    ]
    for dose in doses:
        asked = f"gate.{item.handling.value}" in dose.overrides
        asked = asked and (answer is None or answer.recorded_at <= dose.recorded_at)
        if dose.taken_at == session.started_at and asked and dose.reason:
            by = names.get(dose.recorded_by, dose.recorded_by)
            return _("Started with the reason: {reason} ({by} {time}).").format(
                reason=dose.reason, by=by, time=clock(dose.taken_at, zone)
            )
    return ""


_GATE_STATES = {
    ItemState.ANSWERED: _("✓ answered"),
    ItemState.OPEN: _("○ to be done"),
    ItemState.CONCERN: _("not settled"),
    ItemState.OVERRIDDEN: _("⚑ overridden"),
}


#: The same signs as at the bedside: what blocked the start, what asked for a reason.
_GATE_SIGNS = {Handling.BLOCK: "◆", Handling.CAUTION: "▲"}


def _in_a_line(note: str | None) -> str:
    """What was written one on a line, for a cell."""
    return "; ".join(part.strip() for part in (note or "").splitlines() if part.strip())


def _gate_row(
    label: str, stands: str, answer: GateAnswer | None, zone: tzinfo, names: Mapping[str, str]
) -> dict[str, str]:
    row = {"Stands": stands, "Point": label}
    if answer is not None:
        row |= {
            "Answer": ": ".join(filter(None, (answer.answer.value, _in_a_line(answer.note)))),
            "Overridden by": override_words(answer, names) if answer.is_override else "",
            "At": clock(answer.taken_at, zone),
            "By": answer.recorded_by,
        }
    return row


def amendment_table(session: InfusionSession, zone: tzinfo) -> pd.DataFrame:
    """What was corrected, what it said before, and why; nothing is ever removed."""
    rows = []
    by_id = {item.id: item for item in session.observations}
    crossed = {item.amendment.id: item.observation for item in struck(session)}
    for amendment in session.amendments:
        before = crossed.get(amendment.id)
        replacement = by_id.get(amendment.replacement) if amendment.replacement else None
        moved = (
            before is not None
            and replacement is not None
            and before.taken_at != replacement.taken_at
        )
        rows.append(
            {
                "When": clock(amendment.taken_at, zone),
                "What": _what(session, amendment, crossed),
                "Was": _at(before, moved, zone),
                "Is now": _at(replacement, moved, zone) or _("struck out"),
                "Why": amendment.reason,
                "By": amendment.recorded_by,
            }
        )
    return _frame(rows, ["When", "What", "Was", "Is now", "Why", "By"])


def _at(observation: Observation | None, moved: bool, zone: tzinfo) -> str:
    """A value before or after a correction, with its time where that is what was corrected."""
    if observation is None:
        return ""
    value = value_text(observation)
    return f"{value}, {clock(observation.taken_at, zone)}" if moved else value


def _what(
    session: InfusionSession, amendment: Amendment, crossed: Mapping[UUID, Observation]
) -> str:
    observation = crossed.get(amendment.id)
    if observation is not None:
        return PARAMETERS[observation.parameter].label
    fact = session.fact(amendment.amends)
    return _thing(session, fact) if fact else ""


def _thing(session: InfusionSession, fact: Fact) -> str:
    """What a fact other than an observation is called in the clinic."""
    if isinstance(fact, SideEffect):
        name = term_text(fact.term)
        none = fact.term == NONE
        return "side effects: asked, none" if none else f"side effect {name} grade {fact.grade}"
    if isinstance(fact, SideEffectChange):
        effect = session.fact(fact.side_effect_id)
        return f"change of {_thing(session, effect)}" if effect else "change of a side effect"
    if isinstance(fact, DoseStep):
        if not fact.rate_mg_per_h:
            return f"infusion {fact.kind.value}"
        return f"rate {number_text(fact.entered_value)} {fact.entered_unit.value}"
    if isinstance(fact, Bolus):
        return f"bolus {dosing.format_dose(fact.amount_mg, DoseUnit.MG)}"
    if isinstance(fact, SyringeChange):
        return f"new syringe, {number_text(fact.concentration_mg_per_ml)} mg/mL"
    if isinstance(fact, DosingWeight):
        return f"weight {number_text(fact.weight_kg)} kg"
    if isinstance(fact, GateAnswer):
        override = ", overridden" if fact.is_override else ""
        return f"gate: {label_of(fact.question)}: {fact.answer.value}{override}"
    if isinstance(fact, PatientDoseLimit):
        return f"limit for this patient: {patient_limit_text(fact)}"
    if isinstance(fact, DrugMovement):
        return f"drug ledger: {fact.kind.value} {number_text(fact.amount_mg)} mg"
    if isinstance(fact, SessionEvent):
        return f"event: {fact.kind.replace('_', ' ')}"
    return "entry"
