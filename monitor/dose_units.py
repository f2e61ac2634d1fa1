"""Doses in the units people type and read: exact conversion, and display (clinical.md 2.2).

All dose arithmetic runs in ``EXACT``, 50 significant digits.  Conversions to mg and mg/h only
multiply, so they lose nothing; a quotient that does not end (mg/h to mg/kg/h at 72.3 kg) is cut at
the 50th digit.  Rounding to what a person reads happens in ``format_dose`` and nowhere before.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import wraps
from importlib import resources
from typing import Any, ParamSpec, TypeVar

from monitor.record import DoseUnit

P = ParamSpec("P")
R = TypeVar("R")

#: The context of all dose arithmetic: never the caller's, whose precision nobody promised.
EXACT = Context(prec=50, rounding=ROUND_HALF_UP)

ZERO = Decimal(0)
MICROSECOND = timedelta(microseconds=1)
US_PER_HOUR = 3_600_000_000
US_PER_S = 1_000_000
US_PER_MIN = 60 * US_PER_S

#: Most decimals shown per unit (clinical.md 2.2); mL/h below 10 gets one more.
_DECIMALS = {
    DoseUnit.MG_PER_KG_PER_H: 3,
    DoseUnit.MCG_PER_KG_PER_MIN: 2,
    DoseUnit.MG_PER_H: 1,
    DoseUnit.ML_PER_H: 1,
    DoseUnit.MG: 1,
    DoseUnit.MG_PER_KG: 3,
}

_MG_PER_H_FROM_MCG_PER_MIN = Decimal("0.06")


def dosing_numbers() -> dict[str, Any]:
    """The dosing numbers that belong to no single protocol (library/dosing.toml)."""
    text = resources.files("monitor.library").joinpath("dosing.toml").read_text("utf-8")
    return tomllib.loads(text)


def exact(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in the ``EXACT`` context, whatever the context of the thread is."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with localcontext(EXACT):
            return function(*args, **kwargs)

    return run


def microseconds(start_at: datetime, end_at: datetime) -> int:
    """Whole microseconds from start to end: the finest step of the record, so nothing is lost."""
    return (end_at - start_at) // MICROSECOND


def _positive(value: Decimal | None, name: str) -> Decimal:
    if value is None or not value.is_finite() or value <= 0:
        raise ValueError(f"Record the {name} first: this unit cannot be converted without it.")
    return value


@exact
def to_mg_per_h(
    value: Decimal, unit: DoseUnit, *, weight_kg: Decimal | None, concentration_mg_per_ml: Decimal
) -> Decimal:
    """The rate in mg/h, exact.

    Raises:
        ValueError: the unit is not a rate, or needs a weight or concentration that is missing.
    """
    match unit:
        case DoseUnit.MG_PER_H:
            return value
        case DoseUnit.ML_PER_H:
            return value * _positive(concentration_mg_per_ml, "concentration")
        case DoseUnit.MG_PER_KG_PER_H:
            return value * _positive(weight_kg, "dosing weight")
        case DoseUnit.MCG_PER_KG_PER_MIN:
            return value * _positive(weight_kg, "dosing weight") * _MG_PER_H_FROM_MCG_PER_MIN
        case _:
            raise ValueError(f"{unit.value} is an amount, not a rate; enter mg/kg/h, mg/h or mL/h.")


@exact
def to_mg(value: Decimal, unit: DoseUnit, *, weight_kg: Decimal | None) -> Decimal:
    """The amount of a bolus in mg, exact.

    Raises:
        ValueError: the unit is not an amount, or needs a weight that is missing.
    """
    if unit is DoseUnit.MG:
        return value
    if unit is DoseUnit.MG_PER_KG:
        return value * _positive(weight_kg, "dosing weight")
    raise ValueError(f"{unit.value} is a rate, not an amount; enter the bolus in mg or mg/kg.")


@exact
def rate_for_amount(amount_mg: Decimal, over_min: Decimal) -> Decimal:
    """The rate in mg/h that gives the amount evenly over so many minutes."""
    return amount_mg * 60 / over_min


@dataclass(frozen=True, slots=True)
class RateView:
    """One rate in all four units, unrounded; ``lines`` is what a person reads."""

    mg_per_kg_h: Decimal
    mcg_per_kg_min: Decimal
    mg_per_h: Decimal
    ml_per_h: Decimal

    def lines(self) -> tuple[str, str, str, str]:
        """The four units as shown: mg/kg/h, mcg/kg/min, mg/h, mL/h."""
        return (
            format_dose(self.mg_per_kg_h, DoseUnit.MG_PER_KG_PER_H),
            format_dose(self.mcg_per_kg_min, DoseUnit.MCG_PER_KG_PER_MIN),
            format_dose(self.mg_per_h, DoseUnit.MG_PER_H),
            format_dose(self.ml_per_h, DoseUnit.ML_PER_H),
        )


@exact
def rate_in_all_units(
    rate_mg_per_h: Decimal, *, weight_kg: Decimal, concentration_mg_per_ml: Decimal
) -> RateView:
    """The rate in mg/kg/h, mcg/kg/min, mg/h and mL/h.

    Each unit is one division, so a value that was typed with a few digits comes back as typed.

    Raises:
        ValueError: weight or concentration is not above 0.
    """
    weight_kg = _positive(weight_kg, "dosing weight")
    concentration = _positive(concentration_mg_per_ml, "concentration")
    return RateView(
        mg_per_kg_h=rate_mg_per_h / weight_kg,
        mcg_per_kg_min=rate_mg_per_h / (weight_kg * _MG_PER_H_FROM_MCG_PER_MIN),
        mg_per_h=rate_mg_per_h,
        ml_per_h=rate_mg_per_h / concentration,
    )


def plain(value: Decimal) -> str:
    """All digits of the number, without exponent and without trailing zeros: ``0.5``, ``100``."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def display_step(value: Decimal, unit: DoseUnit) -> Decimal:
    """The smallest difference shown, for example 0.1."""
    decimals = _DECIMALS[unit] + (unit is DoseUnit.ML_PER_H and value < 10)
    return Decimal(1).scaleb(-decimals)


def shown(value: Decimal, unit: DoseUnit, rounding: str = ROUND_HALF_UP) -> Decimal:
    """The number rounded to the decimals shown for its unit."""
    return value.quantize(display_step(value, unit), rounding=rounding, context=EXACT)


def format_dose(value: Decimal, unit: DoseUnit) -> str:
    """Number and unit as people read them: ``5 mg``, ``0.5 mg``, never ``5.0 mg`` or ``.5 mg``.

    Rounded half-up to the decimals of clinical.md 2.2.  A dose that is too small to show is
    ``under 0.1 mg``: something that runs may never read as 0.
    """
    rounded = shown(value, unit)
    if rounded == 0 and value > 0:
        return f"under {plain(display_step(value, unit))} {unit.value}"
    return f"{plain(rounded)} {unit.value}"
