"""Doses that can be tapped at the bedside, each with what it will do before it is confirmed."""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from monitor import dosing, lifecycle, second_person
from monitor.actions import OpenSession
from monitor.dose_plan import meant_mg_per_h
from monitor.dose_timeline import dose_timeline
from monitor.errors import InvalidEntry, Problem, WrongState
from monitor.gate import gate_state
from monitor.numbers import plain_text
from monitor.patient_dose_limits import limits_in_force, patient_limit_text
from monitor.record import DoseStepKind, DoseUnit

_RATE_WORDS = {
    DoseStepKind.RATE: "Rate {rate}",
    DoseStepKind.HOLD: "Infusion held",
    DoseStepKind.RESUME: "Resume at {rate}",
    DoseStepKind.STOP: "Infusion stopped",
}


def proposals(opened: OpenSession, zone: tzinfo) -> dict[str, Any]:
    """What the dose buttons do now; None for what cannot be done."""
    session, now = opened.session, opened.as_of
    try:
        lifecycle.check_can_dose(session, now)
    except WrongState:
        return {"open": False, "up": None, "down": None, "hold": None, "stop": None}
    weight = session.weight_kg
    running = dosing.current_rate_mg_per_h(session, now)
    paused = opened.status is lifecycle.SessionStatus.PAUSED
    return {
        "open": weight is not None,
        "up": None if weight is None else _up(opened, running, zone),
        "down": None if weight is None else _down(opened, running, weight),
        "hold": _zero(DoseStepKind.HOLD, "hold") if running else None,
        "stop": _zero(DoseStepKind.STOP, "stop") if running or paused else None,
    }


def _zero(kind: DoseStepKind, label: str) -> dict[str, Any]:
    return {
        "label": label,
        "path": "rate",
        "request": {"kind": kind.value, "value": "0", "unit": DoseUnit.MG_PER_H.value},
        "summary": _RATE_WORDS[kind],
    }


def _up(opened: OpenSession, running: Decimal, zone: tzinfo) -> dict[str, Any] | None:
    """The start, the next planned step, or the resume at the last rate."""
    session, protocol = opened.session, opened.protocol
    if session.started_at is None:
        rate = protocol.start_rate_mg_per_kg_h
        found = _tappable(opened, DoseStepKind.RATE, rate, "▲ start", "Start")
        return found | {"questions": [*gate_questions(opened, zone), *found["questions"]]}
    if not running:
        if opened.status is not lifecycle.SessionStatus.PAUSED:
            return None
        return _resume(opened)
    step = dosing.next_planned_step(session, protocol, opened.as_of)
    if step is None:
        return None
    return _tappable(opened, DoseStepKind.RATE, step.rate_mg_per_kg_h, "▲ next", "Raise to")


def _down(opened: OpenSession, running: Decimal, weight: Decimal) -> dict[str, Any] | None:
    """The planned rate below the one that runs.  Saved at once: going down is never asked."""
    point = dose_timeline(opened.session).point_at(opened.as_of)
    # What was typed for a planned rate is that rate: there is no way down to it.
    least = meant_mg_per_h(point, opened.protocol, weight)[0] if point else running
    lower = [
        step.rate_mg_per_kg_h
        for step in opened.protocol.steps
        if 0 < opened.protocol.rate_mg_per_h(step.rate_mg_per_kg_h, weight) < least
    ]
    if not lower:
        return None
    rate = max(lower)
    return {
        "label": f"▼ {plain_text(rate)}",
        "path": "rate",
        "request": _rate_request(DoseStepKind.RATE, rate),
        "summary": f"Rate {dosing.format_dose(rate, DoseUnit.MG_PER_KG_PER_H)}",
    }


def _resume(opened: OpenSession) -> dict[str, Any] | None:
    """The last rate again, exactly as it was typed: never a number nobody entered.

    From a syringe of another strength the same number would be another dose: the rate is asked for.
    """
    session, now = opened.session, opened.as_of
    ran = [
        step
        for step in session.current(session.dose_steps)
        if step.kind not in (DoseStepKind.HOLD, DoseStepKind.STOP) and step.taken_at <= now
    ]
    if not ran:
        return None
    last = ran[-1]
    if _strength(opened, last.taken_at) != _strength(opened, now):
        return {"label": "▲ resume at …", "asks_rate": True}
    unit = last.entered_unit
    return _tappable(opened, DoseStepKind.RESUME, last.entered_value, "▲ resume", "Resume at", unit)


def _strength(opened: OpenSession, at: datetime) -> Decimal:
    return dosing.current_concentration_mg_per_ml(opened.session, at)


def _rate_request(
    kind: DoseStepKind, rate: Decimal, unit: DoseUnit = DoseUnit.MG_PER_KG_PER_H
) -> dict[str, str]:
    return {"kind": kind.value, "value": plain_text(rate), "unit": unit.value}


def _tappable(
    opened: OpenSession,
    kind: DoseStepKind,
    rate: Decimal,
    label: str,
    verb: str,
    unit: DoseUnit = DoseUnit.MG_PER_KG_PER_H,
) -> dict[str, Any]:
    """A rate to be tapped; one that was typed is resumed and shown with all its digits."""
    shown = dosing.format_dose(rate, unit)
    if kind is DoseStepKind.RESUME:
        shown = f"{plain_text(rate)} {unit.value}"
    proposed = dosing.ProposedRate(value=rate, unit=unit, kind=kind, taken_at=opened.as_of)
    return {
        **rate_preview(opened, proposed),
        "label": f"{label} {shown.removesuffix(' ' + DoseUnit.MG_PER_KG_PER_H.value)}",
        "title": f"{verb} {shown}",
        "confirm": f"{verb} {shown}",
        "request": _rate_request(kind, rate, unit),
    }


def preview(
    opened: OpenSession,
    *,
    kind: str,
    value: Decimal,
    unit: DoseUnit,
    zone: tzinfo,
    taken_at: datetime,
    over_s: int = 0,
) -> dict[str, Any]:
    """What a typed rate or bolus will do, in the shape of a proposal.

    Raises:
        InvalidEntry: the unit does not fit, or there is no weight to reckon with.
    """
    try:
        if kind == "bolus":
            found = _bolus_preview(opened, value, unit, over_s, taken_at)
            return found | {"questions": [*gate_questions(opened, zone), *found["questions"]]}
        resumed = DoseStepKind.RESUME if kind == DoseStepKind.RESUME else DoseStepKind.RATE
        proposed = dosing.ProposedRate(value=value, unit=unit, kind=resumed, taken_at=taken_at)
        found = rate_preview(opened, proposed)
    except ValueError as error:
        raise InvalidEntry([Problem("rate", str(error))]) from None
    words = f"{plain_text(value)} {unit}"
    return found | {
        "questions": [*gate_questions(opened, zone), *found["questions"]],
        "title": f"Rate {words}",
        "confirm": f"Save rate {words}",
        "request": _rate_request(resumed, value, unit),
    }


def rate_preview(opened: OpenSession, proposed: dosing.ProposedRate) -> dict[str, Any]:
    found = dosing.preview_rate(
        opened.session,
        opened.protocol,
        proposed,
        interlocks=opened.interlocks,
        doubts=opened.titration_doubts(proposed.taken_at),
    )
    words = _RATE_WORDS[proposed.kind].format(
        rate=f"{plain_text(proposed.value)} {proposed.unit.value}"
    )
    facts = [
        *_outlook(found.total_mg_at_planned_end, found.limit_times, opened),
        *patient_limit_lines(opened),
    ]
    return {
        "path": "rate",
        "moment": _moment(opened),
        "lines": list(found.rate.lines()),
        "facts": facts,
        "questions": questions(found.problems),
        "second_person": _sentence(
            second_person.for_rate(opened.session, opened.protocol, proposed.value, found.problems)
        ),
        "summary": words,
    }


def _moment(opened: OpenSession) -> str:
    """Which reasons fit a rate now: those for a start, for going on after a pause, for a change."""
    if opened.session.started_at is None:
        return "start"
    running = dosing.current_rate_mg_per_h(opened.session, opened.as_of)
    return "rate" if running else "resume"


def gate_questions(opened: OpenSession, zone: tzinfo) -> list[dict[str, str]]:
    """What the gate has against the first dose; nothing once the infusion has begun."""
    if opened.session.started_at is not None:
        return []
    state = gate_state(opened.session, opened.protocol, opened.as_of, zone=zone)
    return questions(state.start_problems())


def _after(minutes: Decimal) -> str:
    whole = int(minutes)
    if whole == 0:
        return "already"
    return f"after {whole} min" if whole < 60 else f"after {whole // 60} h {whole % 60:02d} min"


def patient_limit_lines(opened: OpenSession) -> list[str]:
    """What an anaesthetist approved for this patient, as it binds now."""
    found = limits_in_force(opened.session, opened.as_of)
    return [f"For this patient: {patient_limit_text(limit)} ({limit.reason})" for limit in found]


def _outlook(
    total_mg: Decimal, times: tuple[dosing.LimitTime, ...], opened: OpenSession
) -> list[str]:
    """The total at the planned end and the time to each limit, the soonest first."""
    total = dosing.format_dose(total_mg, DoseUnit.MG)
    weight = opened.session.weight_kg
    if weight:
        total += f" = {dosing.format_dose(total_mg / weight, DoseUnit.MG_PER_KG)}"
    return [
        f"Total at the planned end, at this rate: {total}",
        *(
            f"{'Limit' if item.kind == 'hard' else 'Usual maximum'} {item.words}: "
            f"{_after(item.minutes)}"
            for item in sorted(times, key=lambda item: item.minutes)
        ),
    ]


def _bolus_preview(
    opened: OpenSession, value: Decimal, unit: DoseUnit, over_s: int, taken_at: datetime
) -> dict[str, Any]:
    session = opened.session
    proposed = dosing.ProposedBolus(value=value, unit=unit, over_s=over_s, taken_at=taken_at)
    found = dosing.preview_bolus(session, opened.protocol, proposed, interlocks=opened.interlocks)
    lines = [dosing.format_dose(found.amount_mg, DoseUnit.MG)]
    with_it = dosing.cumulative_mg(session, taken_at) + found.amount_mg
    strength = dosing.current_concentration_mg_per_ml(session, taken_at)
    volume = dosing.format_dose(found.amount_mg / strength, DoseUnit.ML_PER_H).removesuffix("/h")
    beside = [f"{volume} of {plain_text(strength)} mg/mL"]
    if session.weight_kg:
        per_kg = dosing.format_dose(found.amount_mg / session.weight_kg, DoseUnit.MG_PER_KG)
        beside.insert(0, per_kg)
    lines.append(" · ".join(beside))
    over = f" over {over_s // 60} min" if over_s else ""
    return {
        "path": "bolus",
        "moment": "bolus",
        "lines": lines,
        "facts": [
            f"Given with it: {dosing.format_dose(with_it, DoseUnit.MG)}",
            *_outlook(found.total_mg_at_planned_end, found.limit_times, opened),
            *patient_limit_lines(opened),
        ],
        "questions": questions(found.problems),
        "second_person": _sentence(second_person.for_bolus(opened.protocol, found.problems)),
        "summary": f"Bolus {lines[0]}{over}",
        "title": f"Bolus {lines[0]}{over}",
        "confirm": f"Save bolus {lines[0]}{over}",
        "request": {"value": plain_text(value), "unit": unit.value, "over_s": over_s},
    }


def _sentence(problem: Problem | None) -> str | None:
    """Why a second person is needed; None when one is not."""
    return None if problem is None else problem.message


def questions(problems: tuple[Problem, ...]) -> list[dict[str, str]]:
    """Problems as the component shows them."""
    return [
        {
            "key": problem.field,
            "code": problem.code,
            "kind": problem.kind,
            "text": problem.message.replace(">=", "≥").replace("<=", "≤"),
        }
        for problem in problems
    ]
