"""CSV that a clinic lead takes away: RFC 4180, UTF-8, units in the headers, formulas made harmless.

Every function gives bytes piece by piece, so that a download of any size needs little memory.
Columns keep their names and their order; docs and tests hold them.  Instants carry their offset.
An empty cell is "nothing"; 0 is a value; a value not taken has its reason in ``not_taken``.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from monitor.alerts import RAISED_LATE, AlertEvent, AlertEventKind, AlertState, AlertView
from monitor.breaches import Breach
from monitor.dosing import cumulative_mg
from monitor.effect_course import EffectCourse, Treatment, effect_course, treatments
from monitor.gate import label_of, newest_answers
from monitor.news2 import News2, scores_of
from monitor.parameters import PARAMETERS
from monitor.record import (
    Amendment,
    Bolus,
    DoseStep,
    DosingWeight,
    Fact,
    GateAnswer,
    InfusionSession,
    Observation,
    SyringeChange,
)
from monitor.side_effects import TERMS
from monitor.summary_columns import COLUMNS, SummaryColumn
from monitor.verbal_orders import proof

#: Version of the columns; a change of meaning gets a new one.
EXPORT_VERSION = "1"

#: A spreadsheet runs text that begins like this as a formula (clinical.md 9).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

BOM = b"\xef\xbb\xbf"

#: Rows written at once: big enough to be fast, small enough to stream.
ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Form:
    """How an export leaves: the zone of its instants, a byte order mark for spreadsheets or not.

    ``key`` makes it de-identified: names, ids, times and free text stay behind, sessions and
    clinics get pseudonyms that only this export's key can give again (clinical.md 9, U-74).
    """

    zone: tzinfo = UTC
    bom: bool = False
    key: bytes | None = None

    @property
    def deidentified(self) -> bool:
        """Whether nothing in it names or dates a person."""
        return self.key is not None

    def pseudonym(self, kind: str, value: object) -> str:
        """A name that is the same within this export and nowhere else."""
        assert self.key is not None
        return hmac.new(self.key, f"{kind}\x1f{value}".encode(), hashlib.sha256).hexdigest()[:16]


# -- cells -----------------------------------------------------------------------------------------


def text_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula: a leading apostrophe where it would."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _cell(value: object, zone: tzinfo) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "Y" if value else "N"
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(zone).isoformat()
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Enum():
            return text_cell(str(value.value))
        case _:
            return text_cell(str(value))


def _rounded(value: Decimal, decimals: int) -> Decimal:
    """Fixed decimals, half-up (U-72).  A number, so that a minus sign is never guarded as text."""
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def _stream(header: Sequence[str], rows: Iterable[Sequence[str]], *, bom: bool) -> Iterator[bytes]:
    """The file piece by piece: CRLF line ends, quotes where RFC 4180 wants them."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    if bom:
        yield BOM
    for number, row in enumerate(rows, start=1):
        writer.writerow(row)
        if number % ROWS_AT_ONCE == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


# -- tables of one or many sessions ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: its header with the unit, where its cell comes from, whether it names anyone."""

    header: str
    cell: Callable[[InfusionSession, Any], object]
    identified: bool = False


_MICROSECOND = timedelta(microseconds=1)


def csv_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Any table of text, as it leaves: cells that a spreadsheet would calculate are made safe."""
    return _stream(header, ([text_cell(cell) for cell in row] for row in rows), bom=False)


def _minutes(span: timedelta | None) -> Decimal | None:
    """Minutes with one decimal."""
    return None if span is None else _rounded(Decimal(span // _MICROSECOND) / 60_000_000, 1)


def _minutes_from_start(session: InfusionSession, at: datetime) -> Decimal | None:
    """Minutes from the first dose, one decimal; the only time in a de-identified export."""
    if session.started_at is None:
        return None
    return _minutes(at - session.started_at)


def _of(name: str) -> Callable[[InfusionSession, Any], object]:
    return lambda _session, fact: getattr(fact, name, None)


_WHOSE = (
    _Column("session_id", lambda session, _: session.id, identified=True),
    _Column("mrn", lambda session, _: session.patient.mrn, identified=True),
)
_WHEN = (
    _Column("taken_at", _of("taken_at"), identified=True),
    _Column("recorded_at", _of("recorded_at"), identified=True),
    _Column("recorded_by", _of("recorded_by"), identified=True),
    _Column("source", _of("source")),
)


def _state(session: InfusionSession, fact: Fact) -> str:
    """current, corrected or struck_out: what was amended stays in every export."""
    if fact.id not in session.amended_ids:
        return "current"
    replaced = any(a.amends == fact.id and a.replacement for a in session.amendments)
    return "corrected" if replaced else "struck_out"


def _amendment_reason(session: InfusionSession, fact: Fact) -> str | None:
    last: Amendment | None = None
    for amendment in session.amendments:
        if amendment.amends == fact.id:
            last = amendment
    return last.reason if last else None


_CORRECTION = (
    _Column("state", _state),
    _Column("correction_reason", _amendment_reason, identified=True),
)


def _value(_session: InfusionSession, fact: Observation) -> Decimal | None:
    if fact.value is None:
        return None
    decimals = PARAMETERS[fact.parameter].decimals
    # Never fewer digits than were recorded: a converted 37.94 must not read as 37.9 here.
    shown = max(decimals, -int(fact.value.normalize().as_tuple().exponent))
    return _rounded(fact.value, min(shown, 3))


_OBSERVATIONS = (
    *_WHOSE,
    _Column("observation_id", _of("id"), identified=True),
    _Column("set_id", _of("set_id"), identified=True),
    *_WHEN,
    _Column("parameter", _of("parameter")),
    _Column("value", _value),
    _Column("unit", lambda _, fact: PARAMETERS[fact.parameter].unit_label or None),
    _Column("not_taken", _of("not_taken")),
    _Column("entered_value", _of("entered_value")),
    _Column("entered_unit", _of("entered_unit")),
    _Column("really_so", _of("really_so")),
    _Column("note", _of("note"), identified=True),
    *_CORRECTION,
)


def _dose_kind(_session: InfusionSession, fact: Fact) -> str:
    match fact:
        case DoseStep():
            return fact.kind.value
        case Bolus():
            return "bolus"
        case SyringeChange():
            return "syringe"
        case _:
            return "weight"


def _dose_value(_session: InfusionSession, fact: Fact) -> object:
    match fact:
        case DoseStep() | Bolus():
            return fact.entered_value
        case SyringeChange():
            return fact.concentration_mg_per_ml
        case DosingWeight():
            return fact.weight_kg
    return None


def _dose_unit(_session: InfusionSession, fact: Fact) -> object:
    match fact:
        case DoseStep() | Bolus():
            return fact.entered_unit
        case SyringeChange():
            return "mg/mL"
    return "kg"


def _given(session: InfusionSession, fact: Fact) -> Decimal:
    return _rounded(cumulative_mg(session, fact.taken_at), 1)


_DOSES = (
    *_WHOSE,
    _Column("dose_id", _of("id"), identified=True),
    *_WHEN,
    _Column("kind", _dose_kind),
    _Column("entered_value", _dose_value),
    _Column("entered_unit", _dose_unit),
    _Column("rate_mg_per_h", _of("rate_mg_per_h")),
    _Column("bolus_mg", _of("amount_mg")),
    _Column("bolus_over_s", _of("over_s")),
    _Column("given_until_then_mg", _given),
    _Column("reason", _of("reason"), identified=True),
    _Column("ordered_by", _of("ordered_by"), identified=True),
    _Column("second_person", _of("second_person"), identified=True),
    _Column("overrides", lambda _, fact: ";".join(getattr(fact, "overrides", ())) or None),
    *_CORRECTION,
)


def _course(what: Callable[[EffectCourse], object]) -> Callable[[InfusionSession, Any], object]:
    return lambda session, effect: what(effect_course(session, effect))


def _lasted_min(course: EffectCourse) -> Decimal | None:
    ended_at = course.ended_at
    return None if ended_at is None else _minutes(ended_at - course.effect.taken_at)


def _onset_to_peak_min(course: EffectCourse) -> Decimal | None:
    return _minutes(course.peak_at - course.effect.taken_at)


def _treated(given: Sequence[Treatment]) -> tuple[str | None, Decimal | None]:
    """What was given, and the minutes from the onset to the first of it."""
    told = ";".join(item.event.text or item.event.kind for item in given)
    spans = [item.response for item in given if item.response is not None]
    return told or None, _minutes(min(spans, default=None))


_SIDE_EFFECTS = (
    *_WHOSE,
    _Column("side_effect_id", _of("id"), identified=True),
    *_WHEN,
    _Column("term", _of("term")),
    _Column("display", lambda _, fact: TERMS[fact.term].display),
    _Column("snomed_ct", lambda _, fact: TERMS[fact.term].snomed),
    _Column("grade_at_onset", _of("grade")),
    _Column("worst_grade", _course(lambda course: course.peak_grade)),
    _Column("worst_at", _course(lambda course: course.peak_at), identified=True),
    _Column("onset_to_worst_min", _course(_onset_to_peak_min)),
    _Column("ended_at", _course(lambda course: course.ended_at), identified=True),
    _Column("lasted_min", _course(_lasted_min)),
    _Column("relation", _of("relation")),
    _Column("actions", _course(lambda course: ";".join(course.actions) or None)),
    _Column(
        "treated_with",
        _course(lambda course: _treated(course.treatments)[0]),
        identified=True,
    ),
    _Column("treated_after_min", _course(lambda course: _treated(course.treatments)[1])),
    _Column("serious", _of("serious")),
    _Column("note", _of("note"), identified=True),
    *_CORRECTION,
)


def _in_force(session: InfusionSession, answer: GateAnswer) -> bool:
    newest = newest_answers(session, max(item.taken_at for item in session.answers))
    return newest.get(answer.question) is answer


_GATE = (
    *_WHOSE,
    _Column("answer_id", _of("id"), identified=True),
    *_WHEN,
    _Column("question", _of("question")),
    _Column("label", lambda _, answer: label_of(answer.question)),
    _Column("answer", _of("answer")),
    _Column("note", _of("note"), identified=True),
    _Column("in_force", _in_force),
    _Column("overridden", _of("is_override")),
    _Column("override_proof", lambda _, answer: proof(answer)),
    _Column("override_reason", _of("override_reason"), identified=True),
    _Column("override_by", _of("override_by"), identified=True),
    _Column("second_person", _of("second_person"), identified=True),
    *_CORRECTION,
)


def _reading_values(_session: InfusionSession, breach: Breach) -> str | None:
    told = [
        format(fact.value, "f") if fact.value is not None else str(fact.not_taken)
        for fact in breach.readings
        if isinstance(fact, Observation) and fact.parameter == breach.parameter
    ]
    return ";".join(told) or None


_BREACHES = (
    *_WHOSE,
    _Column("rule", _of("rule_id")),
    _Column("group", _of("group")),
    _Column("parameter", _of("parameter")),
    _Column("level", _of("level")),
    _Column("state", _of("state")),
    _Column("onset_at", _of("onset_at"), identified=True),
    _Column("confirmed_at", _of("confirmed_at"), identified=True),
    _Column("ended_at", _of("ended_at"), identified=True),
    _Column("onset_min", lambda session, b: _minutes_from_start(session, b.onset_at)),
    _Column(
        "confirmed_min",
        lambda session, b: b.confirmed_at and _minutes_from_start(session, b.confirmed_at),
    ),
    _Column(
        "ended_min", lambda session, b: b.ended_at and _minutes_from_start(session, b.ended_at)
    ),
    _Column("confirmed_by_clock", _of("confirmed_by_clock")),
    _Column("retrospective", _of("retrospective")),
    _Column("peak_value", _of("peak_value")),
    _Column("baseline_value", _of("baseline_value")),
    _Column("readings", _reading_values),
    _Column("threshold", _of("threshold_text")),
    _Column("source", _of("source")),
)


def _view(name: str) -> Callable[[InfusionSession, Any], object]:
    return lambda _session, view: getattr(view, name, None)


def _given_for(session: InfusionSession, view: AlertView) -> tuple[str | None, Decimal | None]:
    """What was given for an alert, and from its onset to the first of it."""
    given = [
        item
        for item in treatments(session, [view.alert]).values()
        if item.event.linked_to == view.alert.id
    ]
    return _treated(given)


def _all_of(kind: AlertEventKind) -> Callable[[AlertView], list[AlertEvent]]:
    return lambda view: [event for event in view.events if event.kind is kind]


_escalated = _all_of(AlertEventKind.ESCALATED)
_suppressed = _all_of(AlertEventKind.SUPPRESSED)


def _told_first(view: AlertView) -> datetime | None:
    return min((event.at for event in _escalated(view)), default=None)


def _told_to(_session: InfusionSession, view: AlertView) -> str | None:
    """The roles in the order they were told; the mark "raised late" has a column of its own."""
    to = ((event.text or "").split(";")[0] for event in _escalated(view))
    return ";".join(dict.fromkeys(to)) or None


def _raised_late(_session: InfusionSession, view: AlertView) -> bool:
    return any(RAISED_LATE in (event.text or "").split("; ") for event in view.events)


def _last(
    found: Callable[[AlertView], Sequence[AlertEvent]], name: str
) -> Callable[[InfusionSession, AlertView], object]:
    """A field of the last event of a kind, empty when there was none."""
    return lambda _session, view: getattr(found(view)[-1], name) if found(view) else None


def _answers(view: AlertView) -> Sequence[AlertEvent]:
    return view.answers


def _closed_by(_session: InfusionSession, view: AlertView) -> str | None:
    """Whose recorded action closed it: the first that was one."""
    if view.closed_at is None:
        return None
    return next((item.by for item in view.answers if (item.action or "").strip()), None)


def _duration_s(_session: InfusionSession, view: AlertView) -> int | None:
    if view.cleared_at is None:
        return None
    return int((view.cleared_at - view.onset_at).total_seconds())


def _minutes_of(name: str) -> Callable[[InfusionSession, AlertView], Decimal | None]:
    """The minute from the first dose of one of its times."""

    def minutes(session: InfusionSession, view: AlertView) -> Decimal | None:
        at: datetime | None = getattr(view, name)
        return None if at is None else _minutes_from_start(session, at)

    return minutes


def _unit(_session: InfusionSession, view: AlertView) -> str | None:
    parameter = PARAMETERS.get(view.alert.parameter)
    return parameter.unit if parameter and view.alert.trigger_value is not None else None


def _amended(session: InfusionSession, view: AlertView) -> bool:
    """Whether the reading it was raised for was corrected, or nothing is left of it."""
    return view.state is AlertState.INVALIDATED or view.alert.trigger_id in session.amended_ids


#: What an alert stands for beside a monitor's own alarms (clinical.md 7.1).
_PRIORITY = {"critical": "high", "warning": "medium"}

_ALERTS = (
    *_WHOSE,
    _Column("alert_id", lambda _, view: view.alert.id, identified=True),
    _Column("group", lambda _, view: view.alert.group),
    _Column("rule", lambda _, view: view.alert.rule_id),
    _Column("parameter", lambda _, view: view.alert.parameter),
    _Column("level", _view("level")),
    _Column("state", _view("state")),
    _Column("onset_at", lambda _, view: view.alert.onset_at, identified=True),
    _Column("detected_at", lambda _, view: view.alert.detected_at, identified=True),
    _Column("confirmed_at", _view("confirmed_at"), identified=True),
    _Column("cleared_at", _view("cleared_at"), identified=True),
    _Column("acknowledged_at", _view("acknowledged_at"), identified=True),
    _Column("acknowledged_by", _view("acknowledged_by"), identified=True),
    _Column("onset_min", lambda session, view: _minutes_from_start(session, view.alert.onset_at)),
    _Column("trigger_value", lambda _, view: view.alert.trigger_value),
    _Column("baseline_value", lambda _, view: view.alert.baseline_value),
    _Column("threshold", lambda _, view: view.alert.threshold_text),
    _Column("treated_with", lambda session, view: _given_for(session, view)[0], identified=True),
    _Column("treated_after_min", lambda session, view: _given_for(session, view)[1]),
    _Column("rule_version", _view("rules")),
    _Column("priority", lambda _, view: _PRIORITY[view.highest_level]),
    _Column("confirmed_level", _view("confirmed_level")),
    _Column("confirmed_min", _minutes_of("confirmed_at")),
    _Column("trigger_unit", _unit),
    _Column(
        "source_ids",
        lambda _, view: ";".join(str(fact.id) for fact in view.readings) or None,
        identified=True,
    ),
    _Column("peak_value", _view("peak_value")),
    _Column("peak_at", _view("peak_at"), identified=True),
    _Column("peak_min", _minutes_of("peak_at")),
    _Column("cleared_min", _minutes_of("cleared_at")),
    _Column("duration_s", _duration_s),
    _Column("resolved_at", _view("resolved_at"), identified=True),
    _Column("resolved_min", _minutes_of("resolved_at")),
    _Column("answered_min", _minutes_of("acknowledged_at")),
    _Column("action_code", _last(_answers, "action")),
    _Column("action_text", _last(_answers, "text"), identified=True),
    _Column("escalated_to", _told_to),
    _Column("escalated_at", lambda _, view: _told_first(view), identified=True),
    _Column(
        "escalated_min",
        lambda session, view: (at := _told_first(view)) and _minutes_from_start(session, at),
    ),
    _Column("suppressed_by", _last(_suppressed, "by"), identified=True),
    _Column("suppressed_at", _last(_suppressed, "at"), identified=True),
    _Column("suppressed_reason", _last(_suppressed, "text"), identified=True),
    _Column("suppressed_until", _view("hidden_until"), identified=True),
    _Column("suppressions", _view("suppressions")),
    _Column("closed_by", _closed_by, identified=True),
    _Column("closed_at", _view("closed_at"), identified=True),
    _Column("closed_min", _minutes_of("closed_at")),
    _Column("amended", _amended),
    _Column("unconfirmed", _view("unconfirmed")),
    _Column("retrospective", _view("retrospective")),
    _Column("raised_late", _raised_late),
)


def _table(
    columns: Sequence[_Column],
    rows: Iterable[tuple[InfusionSession, Any]],
    form: Form,
    *,
    timed: bool = False,
) -> Iterator[bytes]:
    """A CSV over these rows; ``timed`` adds the minute from the first dose of each fact."""
    kept = [column for column in columns if not (form.deidentified and column.identified)]
    header = [column.header for column in kept]
    if form.deidentified:
        header.insert(0, "session_key")
    if timed:
        header.append("taken_min")
    return _stream(header, _cells(kept, rows, form, timed=timed), bom=form.bom)


def _cells(
    columns: Sequence[_Column],
    rows: Iterable[tuple[InfusionSession, Any]],
    form: Form,
    *,
    timed: bool,
) -> Iterator[list[str]]:
    for session, item in rows:
        cells = [_cell(column.cell(session, item), form.zone) for column in columns]
        if form.deidentified:
            cells.insert(0, form.pseudonym("session", session.id))
        if timed:
            cells.append(_cell(_minutes_from_start(session, item.taken_at), form.zone))
        yield cells


IDENTIFIED = Form()


def observations_csv(
    sessions: Iterable[InfusionSession],
    form: Form = IDENTIFIED,
    *,
    uses_news2: Callable[[InfusionSession], bool] = lambda _session: False,
) -> Iterator[bytes]:
    """One row for each observation, amended ones included and marked.

    The score of its set stands beside each observation in force, where the session's limits use it.
    """
    rows = ((session, fact) for session in sessions for fact in session.observations)
    taken_min = _Column("taken_min", lambda held, fact: _minutes_from_start(held, fact.taken_at))
    columns = (*_OBSERVATIONS, taken_min, *_news2_columns(uses_news2))
    return _table(columns, rows, form)


def _news2_columns(uses_news2: Callable[[InfusionSession], bool]) -> tuple[_Column, ...]:
    """The total, or without one what it is at least and the parts that are missing (U-48)."""
    held: list[tuple[InfusionSession, dict[UUID, News2]]] = []

    def score(session: InfusionSession, fact: Observation) -> News2 | None:
        if not held or held[0][0] is not session:
            held[:] = [(session, scores_of(session) if uses_news2(session) else {})]
        return None if fact.id in session.amended_ids else held[0][1].get(fact.set_id)

    def total(session: InfusionSession, fact: Observation) -> int | None:
        found = score(session, fact)
        return found.total if found else None

    def at_least(session: InfusionSession, fact: Observation) -> int | None:
        found = score(session, fact)
        return found.at_least if found and found.missing else None

    def missing(session: InfusionSession, fact: Observation) -> str | None:
        found = score(session, fact)
        return ";".join(found.missing) or None if found else None

    return (
        _Column("news2_total", total),
        _Column("news2_at_least", at_least),
        _Column("news2_missing", missing),
    )


def doses_csv(sessions: Iterable[InfusionSession], form: Form = IDENTIFIED) -> Iterator[bytes]:
    """One row for each rate, pause, bolus, syringe and weight."""
    kinds = DoseStep | Bolus | SyringeChange | DosingWeight
    rows = (
        (session, fact)
        for session in sessions
        for fact in session.facts()
        if isinstance(fact, kinds)
    )
    return _table(_DOSES, rows, form, timed=True)


def side_effects_csv(
    sessions: Iterable[InfusionSession], form: Form = IDENTIFIED
) -> Iterator[bytes]:
    """One row for each side effect; term none with grade 0 is "asked, none"."""
    rows = ((session, fact) for session in sessions for fact in session.side_effects)
    return _table(_SIDE_EFFECTS, rows, form, timed=True)


def gate_csv(sessions: Iterable[InfusionSession], form: Form = IDENTIFIED) -> Iterator[bytes]:
    """One row for each answer before the infusion and before leaving, with its override.

    ``override_proof`` tells an own entry, a confirmation by PIN and a verbal order that nobody
    confirmed; ``in_force`` marks the newest answer to a question.
    """
    rows = ((session, answer) for session in sessions for answer in session.answers)
    return _table(_GATE, rows, form, timed=True)


def breaches_csv(
    found: Iterable[tuple[InfusionSession, Iterable[Breach]]], form: Form = IDENTIFIED
) -> Iterator[bytes]:
    """One row for each breach of each session."""
    rows = ((session, breach) for session, breaches in found for breach in breaches)
    return _table(_BREACHES, rows, form)


def alerts_csv(
    found: Iterable[tuple[InfusionSession, Iterable[AlertView]]], form: Form = IDENTIFIED
) -> Iterator[bytes]:
    """One row for each alert, unconfirmed ones included; sets late or missed have group "clock"."""
    rows = ((session, view) for session, views in found for view in views)
    return _table(_ALERTS, rows, form)


# -- one row per session -------------------------------------------------------------------------


def summary_columns(*, deidentified: bool) -> tuple[SummaryColumn, ...]:
    """The columns of the summary CSV, in order."""
    return tuple(
        column for column in COLUMNS if column.exported and not (deidentified and column.identified)
    )


def summary_header(*, deidentified: bool) -> list[str]:
    """Names with their unit where the name does not carry it: ``baseline_sbp [mm[Hg]]``."""
    names = [_with_unit(column) for column in summary_columns(deidentified=deidentified)]
    return [
        "export_version",
        "generated_at_utc",
        *(["session_key"] if deidentified else []),
        *names,
    ]


#: Endings of names that say their unit.
_SAYS_UNIT = ("_min", "_mg", "_mg_per_kg", "_mg_kg_h", "_kg", "_ml", "_s", "_h", "_days")


def _with_unit(column: SummaryColumn) -> str:
    if not column.unit or column.unit == "{score}" or column.name.endswith(_SAYS_UNIT):
        return column.name
    return f"{column.name} [{column.unit}]"


def summaries_csv(
    rows: Iterable[Mapping[str, Any]], now: datetime, form: Form = IDENTIFIED
) -> Iterator[bytes]:
    """One row per session over summary_columns.COLUMNS, in constant memory."""
    columns = summary_columns(deidentified=form.deidentified)
    header = summary_header(deidentified=form.deidentified)
    return _stream(header, _summary_rows(rows, columns, now, form), bom=form.bom)


def _summary_rows(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[SummaryColumn],
    now: datetime,
    form: Form,
) -> Iterator[list[str]]:
    lead = [EXPORT_VERSION, now.astimezone(UTC).isoformat(timespec="seconds")]
    writers = [(column.name, _summary_cell(column, form)) for column in columns]
    for row in rows:
        cells = list(lead)
        if form.deidentified:
            cells.append(form.pseudonym("session", row["session_id"]))
        for name, write in writers:
            value = row[name]
            cells.append("" if value is None else write(value))
        yield cells


def _summary_cell(column: SummaryColumn, form: Form) -> Callable[[Any], str]:
    """What turns one value of a column into its cell; chosen once, used for every row."""
    if form.deidentified and column.name in ("clinic_code", "site_code"):
        return lambda value: form.pseudonym(column.name, value)
    match column.kind:
        case "int":
            return str
        case "decimal":
            return lambda value: format(_rounded(value, column.decimals), "f")
        case "bool":
            return lambda value: "Y" if value else "N"
        case "instant":
            return lambda value: value.astimezone(form.zone).isoformat(timespec="seconds")
        case "uuid":
            return str
        case "date":
            return lambda value: value.isoformat()
        case _:
            return text_cell
