"""A chart to be filled in by hand while the monitor is down: pages, rows, columns, limits in words.

Standard library only.  A row stands for a set of the protocol's schedule (clinical.md 4); its clock
time is written by hand, because nobody knows when the infusion will begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from uuid import UUID

from monitor import dosing
from monitor.chart_content import limits_in_force
from monitor.days import day_text
from monitor.numbers import plain_text
from monitor.parameters import PARAMETERS
from monitor.protocols import InfusionProtocol
from monitor.record import DoseUnit, DrugForm, InfusionSession, Patient
from monitor.scales import SCALES
from monitor.thresholds import Condition, ThresholdSet
from monitor.timeline import SIGNS

#: Columns in the order of the bedside's form; the rest of the parameters goes into the notes.
COLUMNS = (
    *("hr", "sbp", "dbp", "spo2", "rr", "o2_flow", "temp"),
    *("sedation", "dissociation", "distress", "nausea", "pain"),
)
#: So many rows can be written into by hand on one page, some of them spare.
ROWS = 14
_SPARE = 2
#: A plan of days is not printed to its end: its last page is printed again.
MOST_PAGES = 8
_BEFORE = ("before 1", "before 2")
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class BlankColumn:
    """A parameter with its unit and its limits, short enough for small print."""

    label: str
    unit: str
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlankPage:
    """A range of hours: what is planned in it, and a row for every set."""

    title: str
    plan: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlankChart:
    """Everything on the paper; ``head`` are the lines to be filled in, label and text."""

    plan: str
    head: tuple[tuple[str, str], ...]
    columns: tuple[BlankColumn, ...]
    pages: tuple[BlankPage, ...]


def blank_chart(
    protocol: InfusionProtocol,
    threshold_set: ThresholdSet,
    session: InfusionSession | None = None,
    *,
    zone: tzinfo = UTC,
) -> BlankChart:
    """The chart of a protocol, or of a session with its patient, rates and limits filled in."""
    plan = f"{protocol.code} v{protocol.version} · {protocol.name} · {threshold_set.label}"
    judged = session or _nobodys(protocol)
    scale = protocol.dissociation_scale
    rules = [
        rule
        for rule in threshold_set.rules
        if not rule.dissociation_scales or scale in rule.dissociation_scales
    ]
    judged_by = replace(threshold_set, rules=tuple(rules))
    worst = {"dissociation": 3 if scale.endswith("0-3") else 10, "nausea": 3, "pain": 10}
    columns = tuple(_column(key, judged_by, judged, worst.get(key)) for key in COLUMNS)
    pages = (*_infusion_pages(protocol, session), _recovery_page(protocol))
    return BlankChart(plan, tuple(_head(session, zone)), columns, pages)


def _head(session: InfusionSession | None, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Clinic and patient, two identifiers among them; empty lines where nobody is known."""
    patient = session.patient if session else None
    weight = session.weight_kg if session else None
    concentration = session.concentration_mg_per_ml if session else None
    opened_on = session.created_at.astimezone(zone).date() if session else None
    yield "clinic", session.clinic if session else ""
    yield "date", _day(opened_on)
    yield "chair", session.chair if session else ""
    yield "family name, given name", _name(patient)
    yield "born", _day(patient.born_on) if patient else ""
    yield "hospital number", patient.mrn if patient else ""
    yield "allergies", patient.allergy_text if patient else ""
    yield "weight (kg)", plain_text(weight) if weight else ""
    yield "strength (mg/mL)", plain_text(concentration) if concentration else ""
    yield "started at", ""
    yield "ended at", ""
    yield "usual BP, HR, SpO2", ""


def _name(patient: Patient | None) -> str:
    return f"{patient.family_name.upper()}, {patient.given_name}" if patient else ""


def _day(day: date | None) -> str:
    return day_text(day) if day else ""


# -- columns ---------------------------------------------------------------------------------------


def _column(
    key: str, threshold_set: ThresholdSet, session: InfusionSession, worst: int | None
) -> BlankColumn:
    parameter = PARAMETERS[key]
    unit = parameter.unit_label if worst is None else f"0 to {worst}"
    if key == "sedation":
        scale = SCALES[session.sedation_scale]
        unit = " ".join(answer.short for answer in scale.codes)
    elif parameter.kind == "tick":
        unit = "yes / no"
    limits = [
        text
        for limit in limits_in_force(threshold_set, session, (key,))
        for text in (_limit("▲", limit.warning), _limit("◆", limit.critical))
        if text
    ]
    return BlankColumn(parameter.short, unit, tuple(limits))


def _limit(icon: str, condition: Condition | None) -> str:
    if condition is None:
        return ""
    return f"{icon} {SIGNS[condition.operator]} {plain_text(condition.limit)}"


def _nobodys(protocol: InfusionProtocol) -> InfusionSession:
    """A session under this protocol that nobody has: what its limits are read for."""
    now = datetime.now(UTC)
    patient = Patient(id=_NOBODY, mrn="", family_name="", given_name="", born_on=now.date())
    return InfusionSession(
        id=_NOBODY,
        clinic="",
        patient=patient,
        chair="",
        protocol_id=_NOBODY,
        threshold_set_id=_NOBODY,
        drug_form=DrugForm(protocol.form),
        route="IV",
        concentration_mg_per_ml=Decimal(1),
        sedation_scale=protocol.sedation_scale,
        spo2_scale=1,
        created_at=now,
        created_by="",
    )


# -- pages -----------------------------------------------------------------------------------------


def set_minutes(protocol: InfusionProtocol) -> tuple[int, ...]:
    """When sets fall due during the plan: its intervals, and after each planned increase."""
    profile, end = protocol.schedule_profile, protocol.planned_duration_min
    minutes, minute = {0}, 0
    while minute < end:
        begun = [item for item in profile.intervals if item.from_min <= minute]
        minute += begun[-1].every_min
        minutes.add(minute)
    for step in protocol.steps:
        minutes |= {step.after_min + later for later in profile.after_increase_min}
    return tuple(sorted(minute for minute in minutes if minute <= end))


def _infusion_pages(
    protocol: InfusionProtocol, session: InfusionSession | None
) -> Iterator[BlankPage]:
    minutes = set_minutes(protocol)
    for number, (start, end) in enumerate(_ranges(minutes, protocol.planned_duration_min)):
        if number == MOST_PAGES:
            return
        rows = [f"+{_h_min(minute)}" for minute in minutes if start <= minute < end]
        if number == 0:
            rows[:0] = _BEFORE
        yield BlankPage(
            title=f"{_h_min(start)} to {_h_min(end)} after the start",
            plan="; ".join(_steps(protocol, session, start, end)) or "no rate planned",
            rows=_filled(rows),
        )


def _ranges(minutes: Sequence[int], end: int) -> Iterator[tuple[int, int]]:
    """Ranges of whole hours, each as long as its rows fit on a page."""
    start = 0
    while start <= end:
        stop = start + 60
        room = ROWS - _SPARE - (len(_BEFORE) if start == 0 else 0)
        while stop <= end and sum(start <= minute < stop + 60 for minute in minutes) <= room:
            stop += 60
        yield start, stop
        start = stop


def _recovery_page(protocol: InfusionProtocol) -> BlankPage:
    profile = protocol.schedule_profile
    every = profile.recovery_every_min or profile.intervals[-1].every_min
    least = max(profile.min_recovery_min, every)
    rows = [f"end +{_h_min(minute)}" for minute in range(0, least + 1, every)]
    text = f"a set every {every} min for at least {profile.min_recovery_min} min"
    return BlankPage("recovery", text, _filled(rows[: ROWS - _SPARE]))


def _filled(rows: Sequence[str]) -> tuple[str, ...]:
    """With empty rows for the sets nobody planned, as many as fit."""
    return (*rows, *[""] * max(_SPARE, ROWS - len(rows)))


def _steps(
    protocol: InfusionProtocol, session: InfusionSession | None, start: int, end: int
) -> Iterator[str]:
    """The planned rates of a range, the one that runs at its beginning included."""
    steps = sorted(protocol.steps, key=lambda step: step.after_min)
    running = [step for step in steps if step.after_min <= start][-1:]
    for step in (*running, *(step for step in steps if start < step.after_min < end)):
        rate = _rate(step.rate_mg_per_kg_h, protocol, session)
        yield f"from +{_h_min(step.after_min)}: {rate}"
    if start < protocol.planned_duration_min <= end:
        yield f"planned end +{_h_min(protocol.planned_duration_min)}"


def _rate(
    rate_mg_per_kg_h: Decimal, protocol: InfusionProtocol, session: InfusionSession | None
) -> str:
    if session is None or session.weight_kg is None:
        return dosing.format_dose(rate_mg_per_kg_h, DoseUnit.MG_PER_KG_PER_H)
    view = dosing.rate_in_all_units(
        protocol.rate_mg_per_h(rate_mg_per_kg_h, session.weight_kg),
        weight_kg=session.weight_kg,
        concentration_mg_per_ml=session.concentration_mg_per_ml,
    )
    per_kg, _mcg, per_hour, volume = view.lines()
    return f"{per_kg} = {per_hour} = {volume}"


def _h_min(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}"
