"""The dosing weight: vectors and rules of clinical.md 2.4."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from monitor.errors import Problem
from monitor.record import WeightBasis
from monitor.weights import (
    TypedWeight,
    actual_weight_kg,
    adjusted_weight_kg,
    basis_must_be_chosen,
    basis_problems,
    bmi,
    check_weight,
    dosing_weight_kg,
    ideal_weight_kg,
    read_weight,
    recorded_weight_kg,
    typed_weight,
)
from tests import build

D = Decimal
TENTH = D("0.1")
TODAY = date(2026, 11, 20)


def rounded(value: Decimal | None) -> Decimal:
    assert value is not None
    return value.quantize(TENTH)


def test_vector_of_a_man_of_178_cm() -> None:
    assert rounded(ideal_weight_kg("male", D(178))) == D("73.2")
    assert rounded(adjusted_weight_kg("male", D(178), D(120))) == D("91.9")


def test_vector_of_a_woman_of_165_cm() -> None:
    assert rounded(ideal_weight_kg("female", D(165))) == D("56.9")
    assert rounded(adjusted_weight_kg("female", D(165), D(95))) == D("72.1")
    assert rounded(bmi(D(95), D(165))) == D("34.9")


def test_60_inches_is_the_least_height_with_an_ideal_weight() -> None:
    assert ideal_weight_kg("male", D("152.4")) == 50
    assert ideal_weight_kg("female", D("152.4")) == D("45.5")
    assert ideal_weight_kg("male", D("152.39")) is None
    assert adjusted_weight_kg("male", D("152.39"), D(90)) is None


@pytest.mark.parametrize(
    ("basis", "sex", "height", "kg"),
    [
        (WeightBasis.ACTUAL, "male", D(178), "120.0"),
        (WeightBasis.IDEAL, "male", D(178), "73.2"),
        (WeightBasis.ADJUSTED, "male", D(178), "91.9"),
        (WeightBasis.IDEAL, "male", D(150), "120.0"),
        (WeightBasis.IDEAL, "unknown", D(178), "120.0"),
        (WeightBasis.ADJUSTED, "male", None, "120.0"),
    ],
)
def test_the_dosing_weight_falls_back_to_actual_weight(
    basis: WeightBasis, sex: str, height: Decimal | None, kg: str
) -> None:
    found = dosing_weight_kg(basis, actual_kg=D(120), sex=sex, height_cm=height)
    assert rounded(found) == D(kg)


def test_the_basis_is_asked_for_from_a_bmi_of_30() -> None:
    assert basis_must_be_chosen(D(120), D(200))
    assert not basis_must_be_chosen(D("119.9"), D(200))


def checked(
    kg: str,
    *,
    measured: bool = True,
    measured_on: date | None = TODAY,
    last_kg: Decimal | None = None,
) -> tuple[Problem, ...]:
    return check_weight(
        D(kg), measured=measured, measured_on=measured_on, today=TODAY, last_kg=last_kg
    )


@pytest.mark.parametrize(
    ("kg", "code"),
    [
        ("24.9", "weight_kg.hard"),
        ("25", "weight_kg.unusual"),
        ("39.9", "weight_kg.unusual"),
        ("40", None),
        ("160", None),
        ("160.1", "weight_kg.unusual"),
        ("350", "weight_kg.unusual"),
        ("350.1", "weight_kg.hard"),
        ("NaN", "weight_kg.hard"),
    ],
)
def test_limits_of_a_weight(kg: str, code: str | None) -> None:
    problems = checked(kg)
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert all(
        problem.kind == ("hard" if code == "weight_kg.hard" else "soft") for problem in problems
    )


def test_more_than_a_tenth_of_change_is_asked_about() -> None:
    assert checked("88", last_kg=D(80)) == ()
    assert checked("72", last_kg=D(80)) == ()
    (problem,) = checked("88.1", last_kg=D(80))
    assert problem.code == "weight_kg.changed"
    assert "10 %" in problem.message
    assert "80 kg" in problem.message
    assert [p.code for p in checked("71.9", last_kg=D(80))] == ["weight_kg.changed"]


def test_a_weight_of_more_than_30_days_ago_is_asked_about() -> None:
    assert checked("80", measured_on=date(2026, 10, 21)) == ()
    assert [p.code for p in checked("80", measured_on=date(2026, 10, 20))] == ["weight_kg.old"]


def test_a_stated_weight_is_asked_about() -> None:
    assert [p.code for p in checked("80", measured_on=TODAY + timedelta(days=1))] == [
        "weight_kg.future"
    ]
    assert [p.code for p in checked("80", measured=False)] == ["weight_kg.stated"]


def test_all_questions_come_at_once() -> None:
    found = checked("161", measured=False, last_kg=D(80))
    assert [p.code for p in found] == ["weight_kg.unusual", "weight_kg.changed", "weight_kg.stated"]


@pytest.mark.parametrize(
    ("basis", "kg", "recorded"),
    [
        (WeightBasis.ACTUAL, "120.25", "120.25"),
        (WeightBasis.IDEAL, "120", "73.0"),
        (WeightBasis.ADJUSTED, "120", "91.8"),
    ],
)
def test_what_is_shown_is_what_doses_are_calculated_on(
    basis: WeightBasis, kg: str, recorded: str
) -> None:
    found = recorded_weight_kg(basis, actual_kg=D(kg), sex="male", height_cm=D("177.8"))
    assert str(found) == recorded


def test_a_tie_is_recorded_half_up() -> None:
    # 62 inches: 45.5 + 4.6 = 50.1; 50.1 + 0.4 x 0.125 = 50.15.
    found = recorded_weight_kg(
        WeightBasis.ADJUSTED, actual_kg=D("50.225"), sex="female", height_cm=D("157.48")
    )
    assert str(found) == "50.2"


def test_the_actual_weight_is_kept_beside_the_one_doses_are_calculated_on() -> None:
    weights = [build.weight(120, -30), build.weight("73.2", -29, basis=WeightBasis.IDEAL)]
    assert actual_weight_kg(weights) == 120
    assert actual_weight_kg(weights[1:]) is None


@pytest.mark.parametrize(
    ("basis", "sex", "height", "code"),
    [
        (WeightBasis.ACTUAL, "male", None, None),
        (WeightBasis.ACTUAL, "male", "100", None),
        (WeightBasis.ACTUAL, "male", "99.9", "height_cm.hard"),
        (WeightBasis.ACTUAL, "male", "250", None),
        (WeightBasis.ACTUAL, "male", "250.1", "height_cm.hard"),
        (WeightBasis.ACTUAL, "male", "1.78", "height_cm.hard"),
        (WeightBasis.IDEAL, "male", None, "height_cm.missing"),
        (WeightBasis.ADJUSTED, "female", None, "height_cm.missing"),
        (WeightBasis.IDEAL, "male", "152.4", None),
        (WeightBasis.IDEAL, "male", "152.3", "weight_basis.undefined"),
        (WeightBasis.ADJUSTED, "unknown", "178", "weight_basis.undefined"),
    ],
)
def test_what_a_basis_needs(
    basis: WeightBasis, sex: str, height: str | None, code: str | None
) -> None:
    found = basis_problems(basis, sex=sex, height_cm=None if height is None else D(height))
    assert [problem.code for problem in found] == ([code] if code else [])


@pytest.mark.parametrize(
    ("text", "kg", "typed"),
    [
        ("72.5", "72.5", None),
        ("72,5 kg", "72.5", None),
        ("160 lb", "72.6", "160 lb"),
        ("160LBS", "72.6", "160 lb"),
        ("154.3 lb", "70.0", "154.3 lb"),
    ],
)
def test_u57_a_weight_may_be_typed_in_pounds(text: str, kg: str, typed: str | None) -> None:
    """1 lb is 0.45359237 kg exactly; what people read is what doses are calculated on."""
    assert read_weight(text) == TypedWeight(D(kg), typed)


@pytest.mark.parametrize("text", ["", "lb", "kg", "160 st", "1e3 lb", "160 lb lb"])
def test_what_is_no_weight_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_weight(text)


def test_a_weight_is_typed_in_two_units_only() -> None:
    with pytest.raises(ValueError, match="kg or lb"):
        typed_weight(D("11"), "st")
