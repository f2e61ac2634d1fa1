"""Hard dose limits for one patient, approved by an anaesthetist (clinical.md U-21, U-24, U-66).

A patient's limit makes a limit stricter.  One alone may be higher than what it replaces: the
absolute rate of a fixed dose, which refuses the standard regimen to heavy patients (U-21).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from monitor.dose_units import plain
from monitor.errors import Problem
from monitor.limit_rows import RAISABLE, binding
from monitor.protocols import InfusionProtocol
from monitor.record import InfusionSession, PatientDoseLimit

#: What can be limited for one patient, with its unit and its words.
PATIENT_LIMITS: dict[str, tuple[str, str]] = {
    "rate_mg_per_h": ("mg/h", "rate"),
    "rate_mg_per_kg_h": ("mg/kg/h", "rate per kg"),
    "bolus_mg_per_kg": ("mg/kg", "boluses in 30 min"),
    "total_mg_per_kg": ("mg/kg", "total"),
}


def limits_in_force(session: InfusionSession, at: datetime) -> tuple[PatientDoseLimit, ...]:
    """The newest limit of each quantity that holds at that moment."""
    newest: dict[str, PatientDoseLimit] = {}
    for fact in session.current(session.patient_dose_limits):
        if fact.taken_at <= at:
            newest[fact.quantity] = fact
    return tuple(newest.values())


def for_patient(
    protocol: InfusionProtocol, session: InfusionSession, at: datetime
) -> InfusionProtocol:
    """The protocol with what holds for this patient beside its own limits."""
    found = limits_in_force(session, at)
    return replace(protocol, patient_limits=found) if found else protocol


def patient_limit_text(limit: PatientDoseLimit) -> str:
    """``rate at most 110 mg/h``."""
    unit, words = PATIENT_LIMITS[limit.quantity]
    return f"{words} at most {plain(limit.value)} {unit}"


def limit_problems(
    protocol: InfusionProtocol, quantity: str, value: Decimal
) -> tuple[Problem, ...]:
    """What is wrong with a limit for one patient before it is saved."""
    if quantity not in PATIENT_LIMITS:
        return (Problem("quantity", "Choose what is limited.", code="quantity.unknown"),)
    if not value.is_finite() or value <= 0:
        return (Problem("value", "A limit is a number above 0.", code="value.hard"),)
    unit, words = PATIENT_LIMITS[quantity]
    general = next((item for item in binding(protocol, quantity) if item.kind == "hard"), None)
    may_rise = quantity in RAISABLE and protocol.limits.fixed_rate_mg_per_kg_h is not None
    if general is not None and value > general.value and not may_rise:
        message = (
            f"A patient's limit of the {words} can only be stricter than {general.whose} "
            f"({plain(general.value)} {unit})."
        )
        return (Problem("value", message, code="value.hard"),)
    return ()
