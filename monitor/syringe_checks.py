"""What is asked or refused before a new syringe or bag is saved (clinical.md 2.2, U-28).

What was really running is always recorded: only a strength that no vial has is a slip of the
finger.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from monitor.dose_given import current_concentration_mg_per_ml, current_rate_mg_per_h
from monitor.dose_units import dosing_numbers, plain
from monitor.errors import Problem
from monitor.protocols import InfusionProtocol
from monitor.record import InfusionSession

_SYRINGE = dosing_numbers()["syringe"]
_STRONGEST_VIAL = Decimal(_SYRINGE["strongest_vial_mg_per_ml"])
_ASKED_FROM = Decimal(_SYRINGE["asked_from_mg_per_ml"])
_LEAST, _MOST = (Decimal(item) for item in dosing_numbers()["protocol"]["syringe_mg_per_ml"])

_FIELD = "concentration_mg_per_ml"
#: A strength that cannot have been given, whatever was said about it.
IMPOSSIBLE = "concentration.impossible"


def concentration_problems(
    concentration_mg_per_ml: Decimal, protocol: InfusionProtocol
) -> list[Problem]:
    """What is wrong or unusual with a strength; the usual ones are the protocol's own."""
    value = concentration_mg_per_ml
    shown = plain(value) if value.is_finite() else str(value)
    if not value.is_finite() or not 0 < value <= _STRONGEST_VIAL:
        message = (
            f"There is no ketamine of {shown} mg/mL: the strongest vial has "
            f"{plain(_STRONGEST_VIAL)} mg/mL. Check the number."
        )
        return [Problem(_FIELD, message, code=IMPOSSIBLE)]
    if not _LEAST <= value <= _MOST:
        message = (
            f"{shown} mg/mL is not infused ({plain(_LEAST)} to {plain(_MOST)} mg/mL). "
            f"{plain(_STRONGEST_VIAL)} mg/mL has to be diluted first."
        )
        return [Problem(_FIELD, message, code="concentration.hard")]
    usual = protocol.concentrations_mg_per_ml
    if value not in usual or value >= _ASKED_FROM:
        known = ", ".join(plain(item) for item in sorted(usual))
        message = (
            f"{shown} mg/mL is not one of the usual syringes of {protocol.code} ({known} mg/mL). "
            "Check the label with a second person."
        )
        if value in usual:
            message = f"{shown} mg/mL is undiluted. Check the label with a second person."
        return [Problem(_FIELD, message, kind="soft", code="concentration.unusual")]
    return []


def syringe_problems(
    session: InfusionSession,
    protocol: InfusionProtocol,
    concentration_mg_per_ml: Decimal,
    taken_at: datetime,
    *,
    with_rate: bool,
) -> Iterator[Problem]:
    """Everything about the strength, and a running pump whose new rate nobody said (U-28)."""
    yield from concentration_problems(concentration_mg_per_ml, protocol)
    other = current_concentration_mg_per_ml(session, taken_at) != concentration_mg_per_ml
    if other and not with_rate and current_rate_mg_per_h(session, taken_at) > 0:
        yield Problem(
            "rate",
            "The new syringe has another concentration, so the old pump rate no longer "
            "holds. Enter the rate it runs at now, or hold first.",
            code="syringe_rate.hard",
        )
