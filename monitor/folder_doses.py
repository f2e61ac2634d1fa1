"""doses.csv of a session folder: weights and syringes first, then rates and boluses by them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

from monitor.dosing import LONGEST_BOLUS_S, to_mg_per_h
from monitor.folder_cells import Row, rows_of
from monitor.folder_facts import FactRows
from monitor.record import (
    Bolus,
    DoseStep,
    DoseStepKind,
    DoseUnit,
    DosingWeight,
    SyringeChange,
    WeightBasis,
)

#: A derived mg/h or mg may differ this much from the one written beside it: the pump rounds.
DOSE_TOLERANCE = Decimal("0.05")


def read_doses(rows: FactRows, path: Path) -> None:
    """Every row of doses.csv; a dose in mg/kg may stand above the weight it needs."""
    lines = list(rows_of(path, rows.problems))
    known = [str(kind) for kind in DoseStepKind] + ["bolus"]
    for row in lines:
        if row.raw("kind") == "weight":
            _read_weight(rows, row)
        elif row.raw("kind") == "syringe":
            _read_syringe(rows, row)
    for row in lines:
        kind = row.raw("kind")
        if kind in known:
            _read_dose(rows, row)
        elif kind not in ("weight", "syringe"):
            use = ", ".join([*known, "syringe", "weight"])
            row.fail("kind", f'"{kind}" is not known; use one of: {use}')


def _read_weight(rows: FactRows, row: Row) -> None:
    values = rows.common(row)
    if row.raw("unit") != "kg":
        row.fail("unit", "a weight is in kg")
    weight = row.needed_number("value")
    if not row.broken and not 25 <= weight <= 350:
        row.fail("value", f"a weight of {weight} kg is not plausible (25 to 350)")
    values |= {
        "weight_kg": weight,
        "basis": row.code("weight_basis", WeightBasis) or WeightBasis.ACTUAL,
        "measured": row.flag("measured", default=True),
        "measured_on": row.day("measured_on"),
        "height_cm": row.number("height_cm"),
        "reason": row.text("reason"),
        "typed": row.text("typed"),
    }
    rows.add(row, DosingWeight, values)


def _read_syringe(rows: FactRows, row: Row) -> None:
    values = rows.common(row)
    if row.raw("unit") != "mg/mL":
        row.fail("unit", "a syringe's concentration is in mg/mL")
    concentration = row.needed_number("value")
    if not row.broken and concentration <= 0:
        row.fail("value", "a concentration is above 0")
    values |= {
        "concentration_mg_per_ml": concentration,
        "batch": row.text("batch"),
        "second_person": row.text("second_person"),
    }
    rows.add(row, SyringeChange, values)


def _read_dose(rows: FactRows, row: Row) -> None:
    """A change of rate or a bolus; weights and syringes are read before."""
    values = rows.common(row)
    unit = row.code("unit", DoseUnit)
    value = row.needed_number("value")
    kind = row.raw("kind")
    is_bolus = kind == "bolus"
    if unit is not None and (unit in (DoseUnit.MG, DoseUnit.MG_PER_KG)) != is_bolus:
        row.fail("unit", f'"{unit}" does not fit {kind}')
    if not row.broken and value < 0:
        row.fail("value", "a dose is never below 0")
    if kind in ("hold", "stop") and not row.broken and value != 0:
        row.fail("value", f"a {kind} has rate 0")
    if row.broken or unit is None:
        return
    values |= {
        "entered_value": value,
        "entered_unit": unit,
        "reason": row.text("reason"),
        "ordered_by": row.text("ordered_by"),
        "second_person": row.text("second_person"),
        "overrides": tuple(part for part in row.raw("overrides").split(";") if part),
    }
    amount = _amount(rows, row, "mg" if is_bolus else "mg_per_h", value, unit)
    if is_bolus:
        over_s = row.whole("over_s") or 0
        if not 0 <= over_s <= LONGEST_BOLUS_S:
            row.fail("over_s", f"a bolus lasts at most {LONGEST_BOLUS_S} s; enter longer as a rate")
        values |= {
            "amount_mg": amount,
            "over_s": over_s,
            "fully_given": row.flag("fully_given"),
        }
        rows.add(row, Bolus, values)
    else:
        values |= {"kind": DoseStepKind(kind), "rate_mg_per_h": amount}
        rows.add(row, DoseStep, values)


def _amount(rows: FactRows, row: Row, column: str, value: Decimal, unit: DoseUnit) -> Decimal:
    """The dose in mg/h or mg: as written, but never one that the entered dose contradicts."""
    given = row.number(column)
    at = row.needed_instant("taken_at")
    exact = _candidates(rows, value, unit)
    if given is None:
        if not exact:
            row.fail("value", "needs a weight: add a row of kind weight")
            return Decimal(0)
        return _at_the_time(rows, value, unit, at)
    if not any(abs(given - candidate) <= DOSE_TOLERANCE for candidate in exact):
        row.fail(column, f"{given} contradicts {value} {unit}")
    return given


def _weights(rows: FactRows) -> list[DosingWeight]:
    found = [fact for fact in rows.facts if isinstance(fact, DosingWeight)]
    return sorted(found, key=lambda fact: fact.order)


def _syringes(rows: FactRows) -> list[SyringeChange]:
    found = [fact for fact in rows.facts if isinstance(fact, SyringeChange)]
    return sorted(found, key=lambda fact: fact.order)


def _candidates(rows: FactRows, value: Decimal, unit: DoseUnit) -> list[Decimal]:
    """What the dose is in mg or mg/h under any weight and syringe of the session."""
    weights = [weight.weight_kg for weight in _weights(rows)]
    if not weights:
        if unit in (DoseUnit.MG_PER_KG, DoseUnit.MG_PER_KG_PER_H, DoseUnit.MCG_PER_KG_PER_MIN):
            return []
        weights = [Decimal(1)]
    syringes = [change.concentration_mg_per_ml for change in _syringes(rows)]
    return [
        _in_mg(value, unit, weight, concentration)
        for weight in weights
        for concentration in (rows.session.concentration_mg_per_ml, *syringes)
    ]


def _at_the_time(rows: FactRows, value: Decimal, unit: DoseUnit, at: datetime) -> Decimal:
    """The dose in mg or mg/h with the weight and the syringe of that moment."""
    weights = _weights(rows)
    before = [weight for weight in weights if weight.taken_at <= at] or weights[:1]
    weight = before[-1].weight_kg if before else Decimal(1)
    concentration = rows.session.concentration_mg_per_ml
    for change in _syringes(rows):
        if change.taken_at <= at:
            concentration = change.concentration_mg_per_ml
    return _in_mg(value, unit, weight, concentration)


def _in_mg(value: Decimal, unit: DoseUnit, weight: Decimal, concentration: Decimal) -> Decimal:
    if unit is DoseUnit.MG:
        return value
    if unit is DoseUnit.MG_PER_KG:
        return value * weight
    return to_mg_per_h(value, unit, weight_kg=weight, concentration_mg_per_ml=concentration)
