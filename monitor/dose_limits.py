"""The dose limits of a protocol, and the moments at which what was given passed them (U-24, U-25).

Limits are data of the protocol the session is pinned to; they hold for the protocol's own form of
the drug and are never converted to the other (U-01).  Soft is asked about, hard is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from monitor.dose_timeline import dose_timeline
from monitor.dose_units import (
    MICROSECOND,
    US_PER_HOUR,
    ZERO,
    dosing_numbers,
    exact,
    format_dose,
    plain,
    shown,
)
from monitor.errors import Problem
from monitor.limit_rows import Severity, binding
from monitor.patient_dose_limits import for_patient
from monitor.protocols import InfusionProtocol, SoftHard
from monitor.record import DoseUnit, DrugForm, InfusionSession

_MISMATCH = dosing_numbers()["reconciliation"]
_MISMATCH_LEAST_MG = Decimal(_MISMATCH["least_mg"])
_MISMATCH_SHARE = Decimal(_MISMATCH["share"])

#: The limits a protocol carries itself, each in at least one of the fields named (U-01).
OWN_LIMITS = {
    "rate": ("rate_mg_per_kg_h", "rate_mg_per_h"),
    "bolus": ("bolus_mg_per_kg",),
    "step": ("step_mg_per_kg_h",),
    "total": ("total_mg_per_kg", "total_mg"),
}


def missing_limits(protocol: InfusionProtocol) -> tuple[str, ...]:
    """Limits that a protocol for S-ketamine must carry and this one does not (U-01).

    It cannot be approved while there are any.  Always empty for racemic ketamine.
    """
    if protocol.form is not DrugForm.S_KETAMINE:
        return ()
    return tuple(
        name
        for name, fields in OWN_LIMITS.items()
        if all(getattr(protocol.limits, field) == SoftHard() for field in fields)
    )


class RateCeiling(NamedTuple):
    """A limit of the running rate in mg/h; ``value`` is as the limit is written."""

    limit: str
    kind: Severity
    mg_per_h: Decimal
    value: str
    whose: str


def rate_ceilings(protocol: InfusionProtocol, weight_kg: Decimal) -> tuple[RateCeiling, ...]:
    """The limits of the running rate for this weight.

    A protocol of fixed dose has no soft limit in mg/h (U-21).
    """
    per_kg = [
        RateCeiling(
            "rate_mg_per_kg_h",
            kind,
            protocol.rate_mg_per_h(value, weight_kg),
            protocol.rate_words(value),
            whose,
        )
        for kind, value, whose in binding(protocol, "rate_mg_per_kg_h")
    ]
    absolute = [
        RateCeiling("rate_mg_per_h", kind, value, f"{plain(value)} mg/h", whose)
        for kind, value, whose in binding(protocol, "rate_mg_per_h")
        if kind == "hard" or protocol.limits.fixed_rate_mg_per_kg_h is None
    ]
    return (*per_kg, *absolute)


class TotalLimit(NamedTuple):
    """A limit of the session total in mg, and the limit in words."""

    limit: str
    kind: Severity
    mg: Decimal
    words: str
    whose: str


def total_limits_mg(
    protocol: InfusionProtocol, weight_kg: Decimal | None
) -> tuple[TotalLimit, ...]:
    """The limits of the session total.  Limits per kg are left out while there is no weight."""
    rows = []
    if weight_kg is not None:
        for kind, value, whose in binding(protocol, "total_mg_per_kg"):
            mg = value * weight_kg
            words = f"{plain(value)} mg/kg ({format_dose(mg, DoseUnit.MG)})"
            rows.append(TotalLimit("total_mg_per_kg", kind, mg, words, whose))
    for kind, value, whose in binding(protocol, "total_mg"):
        rows.append(TotalLimit("total_mg", kind, value, f"{plain(value)} mg", whose))
    return tuple(rows)


def shown_above(value: Decimal, limit: Decimal, unit: DoseUnit) -> str:
    """The value as shown, rounded up where rounding would hide that it is above the limit."""
    rounded = shown(value, unit)
    if rounded <= limit:
        rounded = shown(value, unit, ROUND_CEILING)
    return f"{plain(rounded)} {unit.value}"


class DoseCrossing(NamedTuple):
    """The moment at which what was really given passed a limit (U-25)."""

    code: str
    level: str
    crossed_at: datetime
    text: str


@exact
def dose_limit_crossings(
    session: InfusionSession, protocol: InfusionProtocol, as_of: datetime
) -> tuple[DoseCrossing, ...]:
    """Where the dose really given, or the duration, passed a limit by ``as_of``, in order of time.

    Soft is a warning, hard a critical (U-25).  ``crossed_at`` is the first microsecond at the limit
    on the way above it.  Only facts recorded by ``as_of`` count; the duration is that of INF, and
    passes its limit only while something runs.
    """
    known = session.known_at(as_of)
    protocol = for_patient(protocol, known, as_of)
    timeline = dose_timeline(known)
    started_at = timeline.started_at
    if started_at is None or started_at > as_of:
        return ()
    crossings = []
    total_mg = timeline.total_mg(as_of)
    for limit, kind, limit_mg, words, whose in total_limits_mg(protocol, known.weight_kg):
        if total_mg > limit_mg:
            us = timeline.us_to_above(limit_mg, started_at)
            assert us is not None
            crossed_at = started_at + int(us.to_integral_value(ROUND_CEILING)) * MICROSECOND
            text = f"Total dose above {words}, {whose}."
            crossings.append(_crossing(limit, kind, crossed_at, text))
    runs = timeline.runs(as_of)
    for kind, hours, whose in binding(protocol, "duration_h"):
        limit_at = started_at + int(hours * US_PER_HOUR) * MICROSECOND
        over = [max(start_at, limit_at) for start_at, end_at in runs if end_at > limit_at]
        over += [bolus.start_at for bolus in timeline.boluses if limit_at < bolus.start_at <= as_of]
        if over:
            text = f"Infusion longer than {plain(hours)} h, {whose}."
            crossings.append(_crossing("duration_h", kind, min(over), text))
    return tuple(sorted(crossings, key=lambda crossing: (crossing.crossed_at, crossing.code)))


def _crossing(limit: str, kind: Severity, crossed_at: datetime, text: str) -> DoseCrossing:
    level = "critical" if kind == "hard" else "warning"
    return DoseCrossing(f"{limit}.{kind}", level, crossed_at, text)


@exact
def volume_mismatch(
    total_mg: Decimal, infused: Iterable[tuple[Decimal, Decimal]]
) -> Problem | None:
    """A question when the pump's volumes do not agree with the dose recorded, else None.

    ``infused`` holds (mL, mg/mL) per syringe.  Asked when the difference is above 2 mg and above
    5 % of the dose (clinical.md 2.3, U-28).
    """
    pumped_mg = sum((volume_ml * concentration for volume_ml, concentration in infused), ZERO)
    if abs(total_mg - pumped_mg) <= max(_MISMATCH_LEAST_MG, total_mg * _MISMATCH_SHARE):
        return None
    message = (
        f"The record says {format_dose(total_mg, DoseUnit.MG)}, the pump's volume says "
        f"{format_dose(pumped_mg, DoseUnit.MG)}. Check for a rate that was not recorded."
    )
    return Problem(field="volume_ml", message=message, kind="soft", code="volume_mismatch.soft")
