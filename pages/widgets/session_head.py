"""The head of a session's record: who, what plan, baseline, totals, where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from gettext import gettext as _
from html import escape
from typing import Any

from monitor import dosing
from monitor.actions import OpenSession
from monitor.board import minutes_text
from monitor.breaches import baseline
from monitor.days import day_text, moment_text
from monitor.lifecycle import phase_text
from monitor.parameters import PARAMETERS
from monitor.record import DoseUnit, DrugForm, WeightBasis
from monitor.summary_columns import status_words
from monitor.timeline import clock, number_text
from pages.widgets.look import colours

_CSS = """
.head { display: grid; grid-template-columns: repeat(auto-fit, minmax(178px, 1fr)); gap: 2px 18px;
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; color: var(--ink);
  padding: 8px 16px; font-size: 16px; line-height: 1.3; font-variant-numeric: tabular-nums; }
.head h2 { grid-column: 1 / -1; font-size: 20px; font-weight: 700; margin: 0; padding: 0;
  color: var(--ink); }
.head h2 span { font-weight: 400; font-size: 16px; margin-left: 14px; }
.head h2 .allergy { background: var(--critical); color: var(--on-critical); font-weight: 700;
  padding: 2px 10px; border-radius: 8px; }
@media (max-width: 760px) {
  .head { grid-template-columns: repeat(2, minmax(0, 1fr)); padding: 8px 10px; column-gap: 10px; }
  .head h2 span { display: inline-block; margin-left: 0; margin-right: 10px; }
}
.head div > small { display: block; font-size: 14px; color: var(--soft); }
.head div > b { font-weight: 600; overflow-wrap: anywhere; }
"""

_FORMS = {DrugForm.RACEMIC: "racemic ketamine", DrugForm.S_KETAMINE: "S-ketamine (esketamine)"}
_BASES = {
    WeightBasis.ACTUAL: "actual",
    WeightBasis.IDEAL: "ideal",
    WeightBasis.ADJUSTED: "adjusted",
}


def session_label(row: Mapping[str, Any], zone: tzinfo) -> str:
    """A session in the picker: day, patient, plan.  ``row`` is a summary with its identifiers."""
    when = moment_text(row["listed_at"], zone)
    status = status_words(str(row["status"]))
    parts = [when, row["patient_name"], row["mrn"], row.get("protocol_id"), status]
    return " · ".join(str(part) for part in parts if part)


def head_html(opened: OpenSession, zone: tzinfo, *, dark: bool) -> str:
    """The head as HTML, every text escaped, two identifiers on top."""
    session, patient = opened.session, opened.session.patient
    born = day_text(patient.born_on)
    age = patient.age_on(opened.as_of.astimezone(zone).date())
    identity = (
        f"<h2>{escape(patient.family_name.upper())}, {escape(patient.given_name)}"
        f"<span>{escape(_('born {day} ({age})').format(day=born, age=age))}</span>"
        f"<span>{escape(_('MRN {mrn}').format(mrn=patient.mrn))}</span>{_allergies(opened)}</h2>"
    )
    items = "".join(
        f"<div><small>{escape(label)}</small><b>{escape(text)}</b></div>"
        for label, text in (
            (_("Status"), _standing(opened)),
            (_("Plan"), opened.protocol.label),
            (_("Limits"), opened.threshold_set.label),
            (_("Drug"), _drug(opened)),
            (_("Dosing weight"), _weight(opened)),
            (_("Given"), _given(opened)),
            (_("Time"), _times(opened, zone)),
            (_("Baseline"), _baseline(opened)),
            (_("Indication"), session.indication or "–"),
            (_("Observation sets"), _sets(opened)),
            (_("Next set"), _next_set(opened, zone)),
        )
        if text
    )
    return (
        f"<style>{colours('.head', dark=dark)}{_CSS}</style>"
        f'<section class="head">{identity}{items}</section>'
    )


def _allergies(opened: OpenSession) -> str:
    patient = opened.session.patient
    text = escape(patient.allergy_text)
    return (
        f'<span class="allergy">{text}</span>' if patient.has_allergies else f"<span>{text}</span>"
    )


def _standing(opened: OpenSession) -> str:
    phase = phase_text(opened.session, opened.protocol, opened.as_of)
    status = opened.status.label
    text = status if phase == status else f"{status}, {phase}"
    return _("chair {chair}, {status}").format(chair=opened.session.chair, status=text)


def _drug(opened: OpenSession) -> str:
    session = opened.session
    now_in = dosing.current_concentration_mg_per_ml(session, opened.as_of)
    return f"{_(_FORMS[session.drug_form])}, {session.route}, {number_text(now_in)} mg/mL"


def _weight(opened: OpenSession) -> str:
    weights = opened.session.current(opened.session.weights)
    if not weights:
        return _("not recorded")
    weight = weights[-1]
    parts = [f"{number_text(weight.weight_kg)} kg {_(_BASES[weight.basis])}"]
    if weight.height_cm:
        metres = weight.height_cm / 100
        bmi = (weight.weight_kg / (metres * metres)).quantize(Decimal("0.1"))
        parts.append(f"{number_text(weight.height_cm)} cm, BMI {bmi}")
    return ", ".join(parts)


def _given(opened: OpenSession) -> str:
    totals = opened.totals
    parts = [dosing.format_dose(totals.total_mg, DoseUnit.MG)]
    if totals.mg_per_kg is not None:
        parts.append(dosing.format_dose(totals.mg_per_kg, DoseUnit.MG_PER_KG))
    if totals.bolus_mg:
        bolus = dosing.format_dose(totals.bolus_mg, DoseUnit.MG)
        parts.append(_("{amount} of it as bolus").format(amount=bolus))
    return ", ".join(parts)


def _times(opened: OpenSession, zone: tzinfo) -> str:
    started_at = opened.session.started_at
    if started_at is None:
        return _("not started")
    ended_at: datetime | None = dosing.infusion_ended_at(opened.session)
    end = clock(ended_at, zone) if ended_at else _("running")
    running = minutes_text(int(opened.totals.running_s))
    day = day_text(started_at.astimezone(zone))
    return f"{day} {clock(started_at, zone)} – {end}, " + _("{time} infused").format(time=running)


def _baseline(opened: OpenSession) -> str:
    found = baseline(opened.session)
    shown = [
        f"{PARAMETERS[key].short} {number_text(found[key])}"
        for key in ("hr", "sbp", "dbp", "spo2", "rr", "pain")
        if key in found
    ]
    return ", ".join(shown) or _("no baseline: limits relative to it are off")


def _sets(opened: OpenSession) -> str:
    states = [due.state for due in opened.dues if due.counted]
    if not states:
        return "–"
    return _("{on_time} on time, {late} late, {missed} missed of {due} due").format(
        on_time=states.count("on_time"),
        late=states.count("late"),
        missed=states.count("missed"),
        due=len(states),
    )


def _next_set(opened: OpenSession, zone: tzinfo) -> str:
    """The set to take now or next, as the board and the bedside say it; empty when none is due."""
    due = opened.due
    if due is None:
        return ""
    at = clock(due.due_at, zone)
    words = {
        "late": _("▲ late, was due {at}"),
        "missed": _("◆ missed, was due {at}"),
        "due": _("due now, {at}"),
    }
    return words.get(due.state, _("due {at}")).format(at=at)
