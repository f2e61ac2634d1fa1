"""What the bedside screen shows of a session as it stands now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from monitor import dosing
from monitor.actions import OpenSession
from monitor.alert_story import explanation
from monitor.alerts import AlertState, AlertView, open_alerts
from monitor.bedside.leaving import before_start, leaving, unconfirmed
from monitor.bedside.ledger import ledger
from monitor.bedside.proposals import proposals
from monitor.bedside.rows import cell_label, recent_rows
from monitor.bedside.symptoms import standing_symptoms
from monitor.conflicts import Conflict, conflicts
from monitor.days import day_text
from monitor.effect_course import EffectCourse, effect_courses
from monitor.escalation import CALLED_SHORT
from monitor.lifecycle import TRANSITIONS, EventKind, SessionStatus, phase_text
from monitor.numbers import plain_text
from monitor.parameters import PARAMETERS
from monitor.patient_dose_limits import PATIENT_LIMITS, limits_in_force, patient_limit_text
from monitor.record import DoseUnit, DosingWeight, InfusionSession, Observation, WeightBasis
from monitor.side_effects import ACTIONS, NONE, RELATIONS, term_text
from monitor.timeline import bare_text, clock, limit_text, treatment_text, value_text

#: How many earlier values of a parameter are sent: two hours of sets every five minutes.
PREVIOUS = 24

#: What stands in place of the entry form once the visit is over.
_FINISHED = {
    SessionStatus.DISCHARGED: "The patient is discharged. Corrections are still possible.",
    SessionStatus.COMPLETED: "This session is completed. Corrections are still possible.",
    SessionStatus.SIGNED: "This session is signed. The record stays as it is.",
    SessionStatus.CANCELLED: "This session was cancelled.",
}


def state(
    opened: OpenSession, *, zone: tzinfo, names: Mapping[str, str], version: int
) -> dict[str, Any]:
    """The changing part of the screen.  ``names`` maps usernames to what people are called.

    ``version`` is the clinic's live version that ``opened`` shows at least: an answer that was
    overtaken by a newer one is told by it.
    """
    session, now = opened.session, opened.as_of
    recent, rows_n = recent_rows(opened, zone=zone, names=names)
    return {
        "version": version,
        "now": now.isoformat(),
        "chair": f"CHAIR {session.chair}",
        "patient": _patient(session, now, zone),
        "phase": _phase(opened),
        "finished": _FINISHED.get(opened.status),
        "rate": _rate(opened),
        "given": _given(opened),
        "next_due": _next_due(opened, zone),
        "alerts": [
            _alert(view, now, zone)
            | {"why": _why(opened, view, zone, names)}
            | {"symptoms": standing_symptoms(view, opened.threshold_set, session, now)}
            for view in open_alerts(opened.views)
        ],
        "previous": _previous(session, now),
        "recent": recent,
        "rows_n": rows_n,
        "conflicts": [_conflict(pair, zone, names) for pair in _conflicts(opened)],
        "dose": proposals(opened, zone),
        "effects": _open_effects(session, zone),
        "moves": _moves(opened),
        "ledger": ledger(opened, names),
        "gate": before_start(opened, zone, names),
        "leaving": leaving(opened, zone, names),
        "verbal": unconfirmed(opened, names),
    }


def _moves(opened: OpenSession) -> list[dict[str, str]]:
    """Life-cycle events the nurse may record in this state; signing is not done at the bedside."""
    offered = TRANSITIONS[opened.status]
    return [
        {"kind": kind.value, "label": kind.label}
        for kind in (EventKind.ARRIVED, EventKind.READY, EventKind.DISCHARGED, EventKind.COMPLETED)
        if kind in offered
    ]


def _patient(session: InfusionSession, now: datetime, zone: tzinfo) -> dict[str, Any]:
    patient, weight = session.patient, session.weight_kg
    weights = session.current(session.weights)
    newest = weights[-1] if weights else None
    height_cm = next((item.height_cm for item in reversed(weights) if item.height_cm), None)
    born = patient.born_on
    age = patient.age_on(now.astimezone(zone).date())
    return {
        "name": f"{patient.family_name.upper()}, {patient.given_name}",
        "born": f"{day_text(born)} ({age})",
        "mrn": f"MRN {patient.mrn}",
        "weight": "no weight" if weight is None else f"{plain_text(weight)} kg",
        "limits": [patient_limit_text(limit) for limit in limits_in_force(session, now)],
        "allergy": patient.allergy_text,
        "allergy_asked": bool(patient.allergies.strip()),
        "basis": newest.basis.value if newest else WeightBasis.ACTUAL.value,
        "height": None if height_cm is None else plain_text(height_cm),
        "weight_detail": _weight_detail(newest, zone),
        "has_allergy": patient.has_allergies,
    }


_BASES = {
    WeightBasis.ACTUAL: "actual weight",
    WeightBasis.IDEAL: "ideal weight",
    WeightBasis.ADJUSTED: "adjusted weight",
}


def _weight_detail(weight: DosingWeight | None, zone: tzinfo) -> str:
    """The weight doses go by, in full: which one, how it is known, since when."""
    if weight is None:
        return "No weight is recorded."
    how = "measured" if weight.measured else "stated"
    typed = f" (typed {weight.typed})" if weight.typed else ""
    return (
        f"{plain_text(weight.weight_kg)} kg{typed}, {_BASES[weight.basis]}, {how}, "
        f"since {clock(weight.taken_at, zone)}"
    )


def _phase(opened: OpenSession) -> dict[str, Any]:
    session, status = opened.session, opened.status
    place = phase_text(session, opened.protocol, opened.as_of)
    words = status.label.upper()
    if status is SessionStatus.INFUSING:
        short = place.removeprefix("titration ").replace(", ", " ").replace(" of ", "/")
        words = f"{words} {short}"
    return {"status": status.value, "text": words, "since_at": _since(opened)}


def _since(opened: OpenSession) -> str | None:
    """The clock under the status: since the start, from recovery on since the infusion's end."""
    since = opened.session.started_at
    if opened.status is SessionStatus.RECOVERY or opened.status in _FINISHED:
        since = dosing.infusion_ended_at(opened.session) or since
    return since.isoformat() if since else None


def _rate(opened: OpenSession) -> dict[str, str]:
    session, now = opened.session, opened.as_of
    rate = dosing.current_rate_mg_per_h(session, now)
    concentration = dosing.current_concentration_mg_per_ml(session, now)
    strength = f"{plain_text(concentration)} mg/mL"
    most = _rate_limits(session, now)
    if not rate or session.weight_kg is None:
        words = "not running" if session.started_at else "not started"
        return {"main": words, "beside": " · ".join(most), "others": strength}
    view = dosing.rate_in_all_units(
        rate, weight_kg=session.weight_kg, concentration_mg_per_ml=concentration
    )
    per_kg, mcg, per_hour, volume = view.lines()
    return {
        "main": per_kg,
        "beside": " · ".join((per_hour, *most)),
        "others": f"{volume} of {strength} · {mcg}",
    }


def _rate_limits(session: InfusionSession, now: datetime) -> list[str]:
    """What the rate of this patient may be at most, where an anaesthetist said so."""
    return [
        f"max {plain_text(limit.value)} {PATIENT_LIMITS[limit.quantity][0]}"
        for limit in limits_in_force(session, now)
        if limit.quantity in ("rate_mg_per_h", "rate_mg_per_kg_h")
    ]


def _given(opened: OpenSession) -> dict[str, str]:
    session, weight = opened.session, opened.session.weight_kg
    given = dosing.cumulative_mg(session, opened.as_of)
    others = "given"
    if weight:
        others = f"given {dosing.format_dose(given / weight, DoseUnit.MG_PER_KG)}"
        soft = opened.protocol.limits.total_mg_per_kg.soft
        if soft:
            percent = int(given / weight / soft * 100)
            others += f" · {percent} % of the usual maximum"
    return {"main": dosing.format_dose(given, DoseUnit.MG), "others": others}


def _next_due(opened: OpenSession, zone: tzinfo) -> dict[str, Any] | None:
    """The set that is overdue, as the live board says it too, else the next one.

    Here and nowhere else stands the alert that it is late or missed: ``alert`` is what is answered,
    ``told`` what came of it.
    """
    due = opened.due
    if due is None or opened.status in _FINISHED:
        return None
    taken = [item.taken_at for item in opened.session.current_observations]
    since = max((at for at in taken if at < due.due_at), default=due.due_at)
    interval = max((due.due_at - since).total_seconds(), 60.0)
    view = opened.clock_view
    return {
        "due_at": due.due_at.isoformat(),
        "grace_s": int(due.grace_s),
        "missed_at": due.deadline_at.isoformat(),
        "interval_s": int(interval),
        "alert": None if view is None else _alert(view, opened.as_of, zone) | {"symptoms": []},
        "told": "" if view is None else _came_of_it(view, zone),
    }


def _recheck_words(view: AlertView, by: datetime, now: datetime, zone: tzinfo) -> str:
    """Until when a repeat is waited for, and from when one counts: too early it decides nothing."""
    if view.recheck_from is not None and now < view.recheck_from:
        return f"recheck from {clock(view.recheck_from, zone, seconds=True)} to {clock(by, zone)}"
    return f"recheck by {clock(by, zone)}"


def _came_of_it(view: AlertView, zone: tzinfo) -> str:
    """The answer, until when its banner is hidden, or who was told; empty while it is none of them."""
    if view.acknowledged_at is not None:
        return f"answered {clock(view.acknowledged_at, zone)}"
    if view.suppressed_until is not None:
        return f"hidden until {clock(view.suppressed_until, zone)}"
    if view.escalated_at is not None:
        # Shown to them is all the monitor knows: whether anybody saw it, it does not.
        return f"on {CALLED_SHORT[view.escalated_to[-1]]}'s screen {clock(view.escalated_at, zone)}"
    return ""


def _alert(view: AlertView, now: datetime, zone: tzinfo) -> dict[str, Any]:
    pending = view.state is AlertState.PENDING
    recheck_by = view.recheck_by if pending else None
    words = str(view.state.value)
    if recheck_by is not None:
        words = _recheck_words(view, recheck_by, now, zone)
    elif came_of_it := _came_of_it(view, zone):
        words = came_of_it
    elif view.state is AlertState.ACTIVE:
        words = f"since {clock(view.onset_at, zone)}"
    return {
        "id": str(view.alert.id),
        "level": view.level,
        "state": view.state.value,
        "text": limit_text(view.text),
        "state_text": words,
        "detail": limit_text(view.detail),
        "parameter": view.alert.parameter,
        "recheck": pending,
        "needs_answer": view.acknowledged_at is None,
        "answer_level": view.answer_level,
        "can_hide": view.why_not_suppressed is None,
        "hidden": view.suppressed_until is not None,
    }


def _why(
    opened: OpenSession, view: AlertView, zone: tzinfo, names: Mapping[str, str]
) -> list[list[str]]:
    """What the alert rests on: what each line is about, and the line."""
    events, limits = opened.alert_events, opened.threshold_set
    return [list(said) for said in explanation(view, events, opened.session, limits, zone, names)]


def _previous(session: InfusionSession, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """The values of every parameter, the newest first: a set may be entered for earlier.

    One that was not taken stays what was said about it.
    """
    found: dict[str, list[Observation]] = {}
    asleep = {
        item.set_id
        for item in session.current_observations
        if item.parameter == "asleep" and item.value == 1
    }
    for item in reversed(session.current_observations):
        if (
            item.taken_at <= now + timedelta(minutes=2)
            and PARAMETERS[item.parameter].kind != "tick"
        ):
            found.setdefault(item.parameter, []).append(item)
    return {
        key: [
            _reading(item, key == "sedation" and item.set_id in asleep) for item in items[:PREVIOUS]
        ]
        for key, items in found.items()
    }


def _reading(item: Observation, asleep: bool) -> dict[str, Any]:
    """One earlier value; normal sleep is not the same as awake, though both are grade 0."""
    return {
        "asleep": asleep,
        "text": "S" if asleep else "–" if item.value is None else bare_text(item),
        "value": None if item.value is None else _as_number(item.value),
        "taken_at": item.taken_at.isoformat(),
    }


def _as_number(value: Decimal) -> float | int:
    return int(value) if value == int(value) else float(value)


def _conflicts(opened: OpenSession) -> tuple[Conflict, ...]:
    return conflicts(opened.session, opened.threshold_set.conflict_within)


def _conflict(pair: Conflict, zone: tzinfo, names: Mapping[str, str]) -> dict[str, Any]:
    """Two values of one thing, with who recorded each and when it was taken."""
    return {
        "label": cell_label(pair.parameter),
        "values": [
            {
                "id": str(item.id),
                "text": value_text(item),
                "by": names.get(item.recorded_by, item.recorded_by),
                "time": clock(item.taken_at, zone, seconds=True),
            }
            for item in pair.observations
        ],
    }


def _open_effects(session: InfusionSession, zone: tzinfo) -> list[dict[str, Any]]:
    """Side effects without an end, with the grade they have now and what happened since."""
    return [
        _effect(course, zone)
        for course in effect_courses(session)
        if course.effect.term != NONE and course.ended_at is None
    ]


def _effect(course: EffectCourse, zone: tzinfo) -> dict[str, Any]:
    effect = course.effect
    story = [f"Since {clock(effect.taken_at, zone)}, grade {effect.grade} at first."]
    if course.peak_grade > effect.grade:
        story.append(f"Worst: grade {course.peak_grade} at {clock(course.peak_at, zone)}.")
    if effect.relation:
        story.append(f"Related to the drug: {RELATIONS.get(effect.relation, effect.relation)}.")
    if course.actions:
        done = ", ".join(ACTIONS.get(action, action) for action in course.actions)
        story.append(f"Action: {done}.")
    story += [f"Given {treatment_text(given, zone)}." for given in course.treatments]
    return {
        "id": str(effect.id),
        "term": effect.term,
        "display": term_text(effect.term),
        "grade": course.grade,
        "onset_at": effect.taken_at.isoformat(),
        "story": story,
    }
