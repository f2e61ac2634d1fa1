"""The weight doses are calculated on: ideal and adjusted weight, and what is asked about one.

clinical.md 2.4: Devine 1974 for ideal weight, 0.4 of the excess for adjusted weight; the basis is
the prescriber's choice and is asked for from a body mass index of 30.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from monitor.days import day_text
from monitor.dose_units import dosing_numbers, exact, plain
from monitor.errors import Problem
from monitor.numbers import parse_number
from monitor.record import DosingWeight, WeightBasis

_NUMBERS = dosing_numbers()["weight"]
_HARD_BELOW_KG = Decimal(_NUMBERS["hard_below_kg"])
_HARD_ABOVE_KG = Decimal(_NUMBERS["hard_above_kg"])
_SOFT_BELOW_KG = Decimal(_NUMBERS["soft_below_kg"])
_SOFT_ABOVE_KG = Decimal(_NUMBERS["soft_above_kg"])
_CHANGE_SHARE = Decimal(_NUMBERS["change_share"])
_MEASURED_WITHIN_DAYS: int = _NUMBERS["measured_within_days"]
_CHOOSE_BASIS_FROM_BMI = Decimal(_NUMBERS["choose_basis_from_bmi"])
_KG_PER_LB = Decimal(_NUMBERS["kg_per_lb"])
_CM_PER_INCH = Decimal(_NUMBERS["cm_per_inch"])
_IBW_FROM_INCH = Decimal(_NUMBERS["ibw_from_inch"])
_IBW_KG = {
    "male": Decimal(_NUMBERS["ibw_male_kg"]),
    "female": Decimal(_NUMBERS["ibw_female_kg"]),
}
_IBW_KG_PER_INCH = Decimal(_NUMBERS["ibw_kg_per_inch"])
_ADJUSTED_SHARE = Decimal(_NUMBERS["adjusted_share"])
_LEAST_HEIGHT_CM = Decimal(_NUMBERS["least_height_cm"])
_MOST_HEIGHT_CM = Decimal(_NUMBERS["most_height_cm"])
_RECORDED_STEP_KG = Decimal(_NUMBERS["recorded_step_kg"])


@dataclass(frozen=True, slots=True)
class TypedWeight:
    """An actual weight in kg; ``typed`` is how it was typed, None where that was kg."""

    weight_kg: Decimal
    typed: str | None = None


#: The units a weight may be typed in.
WEIGHT_UNITS = ("kg", "lb")
_TYPED = re.compile(r"(?P<number>.*?)\s*(?P<unit>kg|lbs?)?", re.IGNORECASE)


@exact
def typed_weight(value: Decimal, unit: str) -> TypedWeight:
    """The weight in kg (U-57), to the step that people read: that is what doses are calculated on.

    Raises:
        ValueError: a weight is not typed in that unit.
    """
    if unit == "kg":
        return TypedWeight(value)
    if unit != "lb":
        raise ValueError(f"A weight is typed in {' or '.join(WEIGHT_UNITS)}.")
    weight_kg = (value * _KG_PER_LB).quantize(_RECORDED_STEP_KG, rounding=ROUND_HALF_UP)
    return TypedWeight(weight_kg, f"{plain(value)} {unit}")


def read_weight(text: str) -> TypedWeight:
    """A weight as it stands in one field: "72.5", "72,5 kg" or "160 lb".

    Raises:
        ValueError: in words, when it is no weight.
    """
    found = _TYPED.fullmatch(text.strip())
    assert found is not None, "every text matches"
    unit = (found["unit"] or "kg").lower().removesuffix("s")
    return typed_weight(parse_number(found["number"]), unit)


@exact
def ideal_weight_kg(sex: str, height_cm: Decimal) -> Decimal | None:
    """IBW after Devine; None below 60 inches or for a sex it does not know: use actual weight."""
    over_inches = height_cm / _CM_PER_INCH - _IBW_FROM_INCH
    start_kg = _IBW_KG.get(sex)
    if start_kg is None or over_inches < 0:
        return None
    return start_kg + _IBW_KG_PER_INCH * over_inches


@exact
def adjusted_weight_kg(sex: str, height_cm: Decimal, actual_kg: Decimal) -> Decimal | None:
    """AdjBW = IBW + 0.4 x (ABW - IBW); None where there is no ideal weight."""
    ideal_kg = ideal_weight_kg(sex, height_cm)
    if ideal_kg is None:
        return None
    return ideal_kg + _ADJUSTED_SHARE * (actual_kg - ideal_kg)


@exact
def bmi(actual_kg: Decimal, height_cm: Decimal) -> Decimal:
    """Body mass index, kg/m2."""
    return actual_kg * 10_000 / (height_cm * height_cm)


def basis_must_be_chosen(actual_kg: Decimal, height_cm: Decimal) -> bool:
    """Whether the prescriber is asked for ABW, IBW or AdjBW (body mass index of 30 or more)."""
    return bmi(actual_kg, height_cm) >= _CHOOSE_BASIS_FROM_BMI


def dosing_weight_kg(
    basis: WeightBasis, *, actual_kg: Decimal, sex: str, height_cm: Decimal | None
) -> Decimal:
    """The weight doses are calculated on, unrounded; actual weight where the basis is undefined."""
    weight_kg = None
    if height_cm is not None and basis is WeightBasis.IDEAL:
        weight_kg = ideal_weight_kg(sex, height_cm)
    if height_cm is not None and basis is WeightBasis.ADJUSTED:
        weight_kg = adjusted_weight_kg(sex, height_cm, actual_kg)
    return actual_kg if weight_kg is None else weight_kg


def recorded_weight_kg(
    basis: WeightBasis, *, actual_kg: Decimal, sex: str, height_cm: Decimal | None
) -> Decimal:
    """The dosing weight as it is recorded and shown: an actual one as weighed, others to 0.1 kg.

    What people read is then what doses are calculated on.
    """
    weight_kg = dosing_weight_kg(basis, actual_kg=actual_kg, sex=sex, height_cm=height_cm)
    if basis is WeightBasis.ACTUAL:
        return weight_kg
    return weight_kg.quantize(_RECORDED_STEP_KG, rounding=ROUND_HALF_UP)


def actual_weight_kg(weights: Sequence[DosingWeight]) -> Decimal | None:
    """The newest weight that was weighed or stated, whatever doses are calculated on."""
    actual = [item.weight_kg for item in weights if item.basis is WeightBasis.ACTUAL]
    return actual[-1] if actual else None


def basis_problems(
    basis: WeightBasis, *, sex: str, height_cm: Decimal | None
) -> tuple[Problem, ...]:
    """Why a height cannot be, or there is no ideal or adjusted weight to calculate doses on."""
    if height_cm is not None and not (
        height_cm.is_finite() and _LEAST_HEIGHT_CM <= height_cm <= _MOST_HEIGHT_CM
    ):
        message = (
            f"A height of {plain(height_cm)} cm is not plausible "
            f"({plain(_LEAST_HEIGHT_CM)} to {plain(_MOST_HEIGHT_CM)} cm)."
        )
        return (Problem("height_cm", message, code="height_cm.hard"),)
    if basis is WeightBasis.ACTUAL:
        return ()
    if height_cm is None:
        message = "Enter the height: ideal and adjusted weight are calculated from it."
        return (Problem("height_cm", message, code="height_cm.missing"),)
    if ideal_weight_kg(sex, height_cm) is None:
        least_cm = plain(_IBW_FROM_INCH * _CM_PER_INCH)
        message = (
            f"There is no ideal weight below {least_cm} cm or without the sex male or female. "
            "Choose actual weight."
        )
        return (Problem("weight_basis", message, code="weight_basis.undefined"),)
    return ()


@exact
def check_weight(
    actual_kg: Decimal,
    *,
    measured: bool,
    measured_on: date | None,
    today: date,
    last_kg: Decimal | None,
    last_words: str = "last session",
) -> tuple[Problem, ...]:
    """Every question and refusal for an actual weight (clinical.md 2.4).

    ``last_kg`` is the weight to compare with, ``last_words`` what it is called, ``measured_on`` None
    if unknown.  ``today`` is the clinic's.
    """
    if not actual_kg.is_finite() or not _HARD_BELOW_KG <= actual_kg <= _HARD_ABOVE_KG:
        message = (
            f"A weight of {plain(actual_kg)} kg is not plausible "
            f"({plain(_HARD_BELOW_KG)} to {plain(_HARD_ABOVE_KG)} kg)."
        )
        return (Problem("weight_kg", message, kind="hard", code="weight_kg.hard"),)
    if measured and measured_on is not None and measured_on > today:
        message = f"The weight cannot have been measured on {day_text(measured_on)}: not yet."
        return (Problem("weight_kg", message, kind="hard", code="weight_kg.future"),)
    questions: list[tuple[str, str]] = []
    if not _SOFT_BELOW_KG <= actual_kg <= _SOFT_ABOVE_KG:
        questions.append(("unusual", f"{plain(actual_kg)} kg is unusual. Is it really so?"))
    if last_kg is not None and abs(actual_kg - last_kg) > last_kg * _CHANGE_SHARE:
        message = (
            f"{plain(actual_kg)} kg differs by more than {plain(_CHANGE_SHARE * 100)} % from the "
            f"{last_words} ({plain(last_kg)} kg). Is it really so?"
        )
        questions.append(("changed", message))
    if not measured:
        questions.append(
            ("stated", "The weight was stated, not measured. Dose on it all the same?")
        )
    elif measured_on is not None and (today - measured_on).days > _MEASURED_WITHIN_DAYS:
        message = (
            f"The weight was measured more than {_MEASURED_WITHIN_DAYS} days ago "
            f"({day_text(measured_on)}). Is it still right?"
        )
        questions.append(("old", message))
    return tuple(
        Problem("weight_kg", message, kind="soft", code=f"weight_kg.{code}")
        for code, message in questions
    )
