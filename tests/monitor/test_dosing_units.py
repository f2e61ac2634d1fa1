"""Conversion and display of doses: clinical.md 2.2, vectors A1 to A7."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.dosing import (
    RateView,
    format_dose,
    rate_for_amount,
    rate_in_all_units,
    to_mg,
    to_mg_per_h,
)
from monitor.record import DoseUnit
from tests.monitor.dosing_sessions import (
    MCG_PER_KG_PER_MIN,
    MG,
    MG_PER_H,
    MG_PER_KG,
    MG_PER_KG_PER_H,
    ML_PER_H,
    D,
)

MILLIONTH = D("0.000001")


def in_mg_per_h(value: str, unit: DoseUnit, kg: str = "70", mg_per_ml: str = "1") -> Decimal:
    return to_mg_per_h(D(value), unit, weight_kg=D(kg), concentration_mg_per_ml=D(mg_per_ml))


def in_all_units(mg_per_h: Decimal, kg: str = "70", mg_per_ml: str = "1") -> RateView:
    return rate_in_all_units(mg_per_h, weight_kg=D(kg), concentration_mg_per_ml=D(mg_per_ml))


def test_vector_a1() -> None:
    mg_per_h = in_mg_per_h("0.1", MG_PER_KG_PER_H)
    assert mg_per_h == 7
    view = in_all_units(mg_per_h)
    assert view.mcg_per_kg_min.quantize(MILLIONTH) == D("1.666667")
    assert view.ml_per_h == 7
    assert in_all_units(mg_per_h, mg_per_ml="2").ml_per_h == D("3.5")


def test_vector_a2() -> None:
    mg_per_h = in_mg_per_h("2", MCG_PER_KG_PER_MIN)
    assert mg_per_h == D("8.4")
    assert in_all_units(mg_per_h).mg_per_kg_h == D("0.12")


def test_vector_a3() -> None:
    amount_mg = to_mg(D("0.5"), MG_PER_KG, weight_kg=D(70))
    assert amount_mg == 35
    mg_per_h = rate_for_amount(amount_mg, D(40))
    assert mg_per_h == D("52.5")
    view = in_all_units(mg_per_h)
    assert view.mg_per_kg_h == D("0.75")
    assert view.mcg_per_kg_min == D("12.5")
    assert view.ml_per_h == D("52.5")
    assert view.ml_per_h * 40 / 60 == 35


def test_vector_a4_rates() -> None:
    assert in_mg_per_h("2", MG_PER_KG_PER_H) == 140
    assert in_mg_per_h("2", MG_PER_KG_PER_H, kg="50") == 100


def test_vector_a5_rate() -> None:
    assert in_mg_per_h("0.35", MG_PER_KG_PER_H, kg="80") == 28
    assert in_all_units(D(25), kg="80").mg_per_kg_h == D("0.3125")


def test_vector_a6() -> None:
    amount_mg = to_mg(D("0.3"), MG_PER_KG, weight_kg=D(90))
    assert amount_mg == 27
    mg_per_h = rate_for_amount(amount_mg, D(20))
    assert mg_per_h == 81
    assert in_all_units(mg_per_h, kg="90").mg_per_kg_h == D("0.9")


def test_vector_a7() -> None:
    mg_per_h = in_mg_per_h("20", ML_PER_H, kg="80", mg_per_ml="2")
    assert mg_per_h == 40
    view = in_all_units(mg_per_h, kg="80", mg_per_ml="2")
    assert view.mg_per_kg_h == D("0.5")
    assert view.mcg_per_kg_min.quantize(MILLIONTH) == D("8.333333")


typed = st.decimals(min_value=D("0.01"), max_value=D(999), places=4)
kilograms = st.decimals(min_value=25, max_value=350, places=2)
strengths = st.decimals(min_value=D("0.1"), max_value=50, places=2)


@given(value=typed, weight_kg=kilograms, concentration=strengths)
def test_what_was_typed_comes_back_from_mg_per_h(
    value: Decimal, weight_kg: Decimal, concentration: Decimal
) -> None:
    for unit, name in (
        (MG_PER_KG_PER_H, "mg_per_kg_h"),
        (MCG_PER_KG_PER_MIN, "mcg_per_kg_min"),
        (MG_PER_H, "mg_per_h"),
        (ML_PER_H, "ml_per_h"),
    ):
        mg_per_h = to_mg_per_h(
            value, unit, weight_kg=weight_kg, concentration_mg_per_ml=concentration
        )
        view = rate_in_all_units(
            mg_per_h, weight_kg=weight_kg, concentration_mg_per_ml=concentration
        )
        assert getattr(view, name) == value


def test_the_callers_precision_does_not_reach_the_arithmetic() -> None:
    with localcontext() as context:
        context.prec = 3
        assert in_mg_per_h("0.12345", MG_PER_KG_PER_H, kg="72.35") == D("8.9316075")
        assert format_dose(D("123.45"), MG_PER_H) == "123.5 mg/h"


@pytest.mark.parametrize("unit", [MG, MG_PER_KG])
def test_an_amount_is_not_a_rate(unit: DoseUnit) -> None:
    with pytest.raises(ValueError, match="is an amount, not a rate"):
        in_mg_per_h("1", unit)


def test_a_rate_is_not_an_amount() -> None:
    with pytest.raises(ValueError, match="is a rate, not an amount"):
        to_mg(D(1), MG_PER_H, weight_kg=D(70))


def test_a_dose_per_kg_without_a_weight_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="Record the dosing weight first"):
        to_mg_per_h(D(1), MG_PER_KG_PER_H, weight_kg=None, concentration_mg_per_ml=D(1))
    with pytest.raises(ValueError, match="Record the dosing weight first"):
        to_mg(D(1), MG_PER_KG, weight_kg=None)
    with pytest.raises(ValueError, match="Record the concentration first"):
        to_mg_per_h(D(1), ML_PER_H, weight_kg=D(70), concentration_mg_per_ml=D(0))


def test_mg_and_mg_per_h_need_no_weight() -> None:
    assert to_mg_per_h(D(7), MG_PER_H, weight_kg=None, concentration_mg_per_ml=D(2)) == 7
    assert to_mg_per_h(D(7), ML_PER_H, weight_kg=None, concentration_mg_per_ml=D(2)) == 14
    assert to_mg(D(7), MG, weight_kg=None) == 7


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("7.04", MG_PER_H, "7 mg/h"),
        ("7.05", MG_PER_H, "7.1 mg/h"),
        ("100", MG_PER_H, "100 mg/h"),
        ("1E+2", MG_PER_H, "100 mg/h"),
        ("0", MG_PER_H, "0 mg/h"),
        ("0.04", MG_PER_H, "under 0.1 mg/h"),
        ("0.05", MG_PER_H, "0.1 mg/h"),
        ("0.1000", MG_PER_KG_PER_H, "0.1 mg/kg/h"),
        ("0.3125", MG_PER_KG_PER_H, "0.313 mg/kg/h"),
        ("0.0004", MG_PER_KG_PER_H, "under 0.001 mg/kg/h"),
        ("1.666667", MCG_PER_KG_PER_MIN, "1.67 mcg/kg/min"),
        ("12.50", MCG_PER_KG_PER_MIN, "12.5 mcg/kg/min"),
        ("3.525", ML_PER_H, "3.53 mL/h"),
        ("9.994", ML_PER_H, "9.99 mL/h"),
        ("9.996", ML_PER_H, "10 mL/h"),
        ("10.05", ML_PER_H, "10.1 mL/h"),
        ("18.075", ML_PER_H, "18.1 mL/h"),
        ("5.0", MG, "5 mg"),
        (".5", MG, "0.5 mg"),
        ("31.00", MG, "31 mg"),
        ("0.3875", MG_PER_KG, "0.388 mg/kg"),
    ],
)
def test_a_dose_is_shown_short_and_without_trailing_zeros(
    value: str, unit: DoseUnit, text: str
) -> None:
    assert format_dose(D(value), unit) == text


@given(
    value=st.decimals(min_value=0, max_value=10_000, places=7),
    unit=st.sampled_from(list(DoseUnit)),
)
def test_no_dose_is_shown_with_trailing_zero_naked_point_or_exponent(
    value: Decimal, unit: DoseUnit
) -> None:
    number = format_dose(value, unit).removesuffix(unit.value).removeprefix("under ").strip()
    assert number == "0" or D(number) > 0
    assert number[0].isdigit()
    assert "E" not in number
    assert "." not in number or number[-1] not in "0."
    assert (number == "0") == (value == 0)


def test_a_rate_is_read_in_all_four_units() -> None:
    lines = in_all_units(D("14.4"), kg="72", mg_per_ml="2").lines()
    assert lines == ("0.2 mg/kg/h", "3.33 mcg/kg/min", "14.4 mg/h", "7.2 mL/h")
