"""What is asked and refused before a dose is saved: clinical.md 2.5 with U-01, U-21 to U-32."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import limit_rows
from monitor.dose_units import display_step, rate_in_all_units, shown, to_mg_per_h
from monitor.dosing import (
    BOLUS_NOT_PLANNED,
    DoseCrossing,
    ProposedRate,
    check_bolus,
    check_rate,
    dose_limit_crossings,
    large_decrease_text,
    missing_limits,
    next_planned_step,
    planned_rate_mg_per_kg_h,
    preview_rate,
    rate_ceilings,
    volume_mismatch,
)
from monitor.errors import InvalidEntry
from monitor.protocols import InfusionProtocol, SoftHard, TitrationStep
from monitor.record import DoseStepKind, DoseUnit, DrugForm, InfusionSession
from tests.monitor.dosing_sessions import (
    MCG_PER_KG_PER_MIN,
    MG,
    MG_PER_H,
    MG_PER_KG,
    MG_PER_KG_PER_H,
    ML_PER_H,
    P02,
    P17,
    PROTOCOLS,
    D,
    amendment,
    at,
    bolus,
    codes,
    hold,
    limits,
    push,
    rate,
    session,
    step,
    stop,
    syringe,
    weight,
)


@pytest.fixture(autouse=True)
def _limits_of_the_protocol_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here each limit is looked at by itself; the rows of 2.5 beside it are test_limit_rows.py's."""
    monkeypatch.setattr(limit_rows, "ROWS", ())


NONE = SoftHard()
#: P02 without the limits that would get in the way of the one under test.
FREE = limits(
    P02,
    rate_mg_per_kg_h=NONE,
    rate_mg_per_h=NONE,
    total_mg_per_kg=NONE,
    duration_h=NONE,
    step_mg_per_kg_h=NONE,
    step_percent_soft=None,
    step_range_mg_per_kg_h=None,
    step_interval_min_soft=0,
    step_interval_min_hard=0,
    bolus_allowed=True,
)
FREE = replace(FREE, start_rate_mg_per_kg_h=D(100))
P05 = replace(limits(FREE, rate_mg_per_h=SoftHard(hard=D(25))), code="P05")


def p(protocol: InfusionProtocol, **changes: object) -> InfusionProtocol:
    return limits(protocol, **changes)


# Rate limits: vectors A4, A5, rulings U-21, U-22, U-24, U-32


def test_vector_a4_a_cap_of_100_mg_per_h_blocks_above_it_only() -> None:
    capped = p(FREE, rate_mg_per_h=SoftHard(hard=D(100)))
    assert codes(check_rate(session(kg="70"), capped, rate("2"))) == ["rate_mg_per_h.hard"]
    assert check_rate(session(kg="50"), capped, rate("2")) == ()


def test_vector_a5_the_message_names_the_rule_and_the_most_allowed() -> None:
    (problem,) = check_rate(session(kg="80"), P05, rate("0.35"))
    assert problem.kind == "hard"
    assert problem.code == "rate_mg_per_h.hard"
    # 0.3125 mg/kg/h is allowed; it is shown rounded down, for 0.313 would be refused again.
    assert problem.message == (
        "0.35 mg/kg/h (28 mg/h) is above 25 mg/h, the hard limit of P05. "
        "Enter at most 0.312 mg/kg/h."
    )
    (ceiling,) = rate_ceilings(P05, D(80))
    assert ceiling.mg_per_h / 80 == D("0.3125")
    assert check_rate(session(kg="80"), P05, rate("0.3125")) == ()


def test_the_strictest_limit_binds_at_each_severity_u24() -> None:
    at_most = p(
        FREE,
        rate_mg_per_kg_h=SoftHard(soft=D("0.5"), hard=D("1")),
        rate_mg_per_h=SoftHard(soft=D(50), hard=D(60)),
    )
    heavy, light = session(kg="120"), session(kg="50")
    assert codes(check_rate(light, at_most, rate("0.5"))) == []
    assert codes(check_rate(light, at_most, rate("0.51"))) == ["rate_mg_per_kg_h.soft"]
    assert codes(check_rate(light, at_most, rate("1.01"))) == ["rate_mg_per_kg_h.hard"]
    assert codes(check_rate(heavy, at_most, rate("0.45"))) == ["rate_mg_per_h.soft"]
    assert codes(check_rate(heavy, at_most, rate("0.51"))) == ["rate_mg_per_h.hard"]


def test_p02_is_refused_above_50_mg_per_h_u24() -> None:
    slow = session(step(0, "49.9"), kg="120")
    assert "rate_mg_per_h.hard" in codes(check_rate(slow, P02, rate("50.1", MG_PER_H, 20)))
    assert "rate_mg_per_h.hard" not in codes(check_rate(slow, P02, rate("50", MG_PER_H, 20)))


@pytest.mark.parametrize(("kg", "refused"), [("66", False), ("100", False), ("133.4", True)])
def test_the_standard_depression_dose_is_asked_about_only_above_100_mg_per_h_u21(
    kg: str, refused: bool
) -> None:
    found = codes(check_rate(session(kg=kg), P17, rate("0.75")))
    assert found == (["rate_mg_per_h.hard"] if refused else [])


def test_a_fixed_dose_names_its_rate_when_it_asks() -> None:
    asked = check_rate(session(kg="70"), P17, rate("0.8"))[0]
    assert asked.message == (
        "0.8 mg/kg/h (56 mg/h) is above 0.7875 mg/kg/h, the usual maximum of P17, "
        "whose fixed rate is 0.75 mg/kg/h."
    )
    refused = check_rate(session(kg="70"), P17, rate("1.1"))[0]
    assert "the hard limit of P17. Enter at most 1 mg/kg/h." in refused.message


def test_a_fixed_dose_ignores_a_soft_limit_in_mg_per_h_u21() -> None:
    asked = p(P17, rate_mg_per_h=SoftHard(soft=D(50), hard=D(100)))
    assert check_rate(session(kg="100"), asked, rate("0.75")) == ()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("0.3", []),
        ("0.7", []),
        ("0.75", []),
        ("0.7875", []),
        ("0.7876", ["rate_mg_per_kg_h.soft", "total_mg_per_kg.soft"]),
        ("1.01", ["rate_mg_per_kg_h.hard", "total_mg_per_kg.soft"]),
    ],
)
def test_a_fixed_rate_is_asked_about_upwards_only_u22(value: str, found: list[str]) -> None:
    assert codes(check_rate(session(kg="70"), P17, rate(value))) == found


def test_every_fixed_dose_of_the_library_is_asked_about_above_105_percent_u22() -> None:
    fixed = [
        protocol
        for protocol in PROTOCOLS.values()
        if protocol.limits.fixed_rate_mg_per_kg_h is not None
    ]
    assert P17 in fixed
    for protocol in fixed:
        assert protocol.limits.fixed_rate_mg_per_kg_h is not None
        most = protocol.limits.fixed_rate_mg_per_kg_h * D("1.05")
        assert protocol.limits.rate_mg_per_kg_h.soft == most


def test_a_rate_in_ml_per_h_may_be_rounded_to_the_pump_u32() -> None:
    capped = p(FREE, rate_mg_per_kg_h=SoftHard(soft=D("0.5")))
    patient = session(kg="72.3", mg_per_ml="2")
    # 0.5 mg/kg/h is 36.15 mg/h = 18.075 mL/h.
    assert check_rate(patient, capped, rate("18.1", ML_PER_H)) == ()
    assert codes(check_rate(patient, capped, rate("18.2", ML_PER_H))) == ["rate_mg_per_kg_h.soft"]
    assert codes(check_rate(patient, capped, rate("36.3", MG_PER_H))) == ["rate_mg_per_kg_h.soft"]
    assert codes(check_rate(patient, capped, rate("0.5001"))) == ["rate_mg_per_kg_h.soft"]
    # In any other unit the limit is exact; 0.45 mg/kg/h is 32.535 mg/h and no step of the plan.
    unplanned = p(FREE, rate_mg_per_kg_h=SoftHard(soft=D("0.45")))
    assert codes(check_rate(patient, unplanned, rate("32.6", MG_PER_H))) == [
        "rate_mg_per_kg_h.soft"
    ]


def test_a_hard_limit_is_exact_even_for_a_planned_rate_u32() -> None:
    refused = p(FREE, rate_mg_per_kg_h=SoftHard(hard=D("0.5")))
    patient = session(kg="72.3", mg_per_ml="2")
    assert check_rate(patient, refused, rate("0.5")) == ()
    assert codes(check_rate(patient, refused, rate("36.2", MG_PER_H))) == ["rate_mg_per_kg_h.hard"]


def test_the_most_allowed_is_said_in_the_unit_that_was_typed() -> None:
    patient = session(kg="80", mg_per_ml="2")
    for value, unit, text in (
        ("12.6", ML_PER_H, "Enter at most 12.5 mL/h."),
        ("25.1", MG_PER_H, "Enter at most 25 mg/h."),
        ("6", MCG_PER_KG_PER_MIN, "Enter at most 5.2 mcg/kg/min."),
    ):
        (problem,) = check_rate(patient, P05, rate(value, unit))
        assert problem.message.endswith(text)


def test_limits_heed_the_concentration_in_the_syringe() -> None:
    patient = session(syringe(-5, "5"), kg="80", mg_per_ml="1")
    assert codes(check_rate(patient, P05, rate("5.1", ML_PER_H))) == ["rate_mg_per_h.hard"]
    assert check_rate(patient, P05, rate("5", ML_PER_H)) == ()


# First rate, steps, interval, ten-fold: U-23


def test_the_first_rate_is_limited_by_the_start_rate_u23() -> None:
    assert check_rate(session(kg="70"), P02, rate("0.1")) == ()
    (problem,) = check_rate(session(kg="70"), P02, rate("0.12"))
    assert problem.code == "start_rate.soft"
    assert problem.kind == "soft"


def test_the_first_rate_is_no_step() -> None:
    assert (
        check_rate(session(), p(FREE, step_mg_per_kg_h=SoftHard(hard=D("0.01"))), rate("1")) == ()
    )


def test_a_step_is_measured_from_the_last_rate_u23() -> None:
    stepped = p(FREE, step_mg_per_kg_h=SoftHard(soft=D("0.1"), hard=D("0.5")))
    patient = session(step(0, "16"), kg="80")  # 0.2 mg/kg/h
    assert check_rate(patient, stepped, rate("0.3", when=30)) == ()
    assert codes(check_rate(patient, stepped, rate("0.301", when=30))) == ["step_mg_per_kg_h.soft"]
    assert codes(check_rate(patient, stepped, rate("0.7", when=30))) == ["step_mg_per_kg_h.soft"]
    assert codes(check_rate(patient, stepped, rate("0.701", when=30))) == ["step_mg_per_kg_h.hard"]


def test_a_step_of_more_than_half_is_asked_about() -> None:
    stepped = p(FREE, step_percent_soft=D(50))
    patient = session(step(0, "10"), kg="80")
    assert check_rate(patient, stepped, rate("15", MG_PER_H, 30)) == ()
    assert codes(check_rate(patient, stepped, rate("15.1", MG_PER_H, 30))) == ["step_percent.soft"]


def test_a_step_inside_the_protocols_range_is_never_asked_about_u23() -> None:
    patient = session(step(0, "8"), kg="80")
    assert check_rate(patient, P02, rate("0.2", when=15)) == ()
    assert check_rate(patient, P02, rate("0.15", when=15)) == ()
    assert codes(check_rate(patient, P02, rate("0.21", when=15))) == ["step_percent.soft"]


def test_the_ends_of_the_protocols_step_range_belong_to_it_u23() -> None:
    # 0.05 on 0.05 mg/kg/h is the least planned step, and twice the rate.
    assert check_rate(session(step(0, "4"), kg="80"), P02, rate("0.1", when=15)) == ()
    wide = p(P02, step_range_mg_per_kg_h=(D("0.05"), D("0.2")))
    patient = session(step(0, "8"), kg="80")
    assert check_rate(patient, wide, rate("0.3", when=15)) == ()
    assert codes(check_rate(patient, wide, rate("0.301", when=15))) == ["step_percent.soft"]


@pytest.mark.parametrize("kg", ["47.7", "61.3", "72.3", "88.9", "113.1"])
@pytest.mark.parametrize("mg_per_ml", ["1", "2"])
def test_the_plan_typed_in_ml_per_h_is_not_asked_about_u23_u32(kg: str, mg_per_ml: str) -> None:
    patient = session(kg=kg, mg_per_ml=mg_per_ml)
    for planned in P02.steps:
        if planned.rate_mg_per_kg_h * D(kg) > 50:
            return
        exact_ml = planned.rate_mg_per_kg_h * D(kg) / D(mg_per_ml)
        pump_ml = exact_ml.quantize(D("0.1"), "ROUND_HALF_UP")
        proposed = rate(str(pump_ml), ML_PER_H, planned.after_min)
        assert check_rate(patient, P02, proposed) == ()
        mg_per_h = pump_ml * D(mg_per_ml)
        patient = patient.with_facts(
            [step(planned.after_min, mg_per_h, unit=ML_PER_H, mg_per_ml=mg_per_ml)]
        )


def test_the_plan_is_not_asked_about_when_units_are_mixed() -> None:
    # 0.1 mg/kg/h at 72.3 kg set as 7.2 mL/h at the pump, then the planned 0.2 by its button.
    patient = session(step(0, "7.2", unit=ML_PER_H), kg="72.3", mg_per_ml="1")
    assert check_rate(patient, P02, rate("0.2", when=15)) == ()


@pytest.mark.parametrize(
    ("minutes", "found"),
    [
        (4.99, ["step_interval.hard"]),
        (5, ["step_interval.soft"]),
        (14.99, ["step_interval.soft"]),
        (15, []),
    ],
)
def test_the_step_interval_runs_from_the_last_increase_u23(
    minutes: float, found: list[str]
) -> None:
    started = session(step(0, "8"))
    assert codes(check_rate(started, P02, rate("0.15", when=minutes))) == found
    risen = session(step(-60, "4"), step(0, "8"), step(1, "7"), hold(2), step(3, "7"))
    assert codes(check_rate(risen, P02, rate("0.15", when=minutes))) == found


def test_a_resume_at_or_below_the_last_rate_is_no_step_u23() -> None:
    held = session(step(0, "16"), hold(1))
    strict = p(
        FREE,
        step_mg_per_kg_h=SoftHard(hard=D("0.01")),
        step_interval_min_hard=60,
        step_interval_min_soft=60,
    )
    for value in ("0.2", "0.1"):
        resumed = rate(value, when=2, kind=DoseStepKind.RESUME)
        assert check_rate(held, strict, resumed) == ()
    higher = rate("0.25", when=2, kind=DoseStepKind.RESUME)
    assert codes(check_rate(held, strict, higher)) == [
        "step_mg_per_kg_h.hard",
        "step_interval.hard",
    ]


def test_a_rate_five_times_the_last_is_asked_about() -> None:
    patient = session(step(0, "1"))
    assert check_rate(patient, FREE, rate("4.9", MG_PER_H, 30)) == ()
    (problem,) = check_rate(patient, FREE, rate("5", MG_PER_H, 30))
    assert problem.code == "ten_fold.soft"
    assert "5 times the last rate (1 mg/h)" in problem.message


def test_the_least_planned_step_may_be_rounded_to_the_pump() -> None:
    # 0.05 and 0.1 mg/kg/h at 72.3 kg are 3.615 and 7.23 mL/h; at the pump the step is 3.6.
    patient = session(step(0, "3.6", unit=ML_PER_H), kg="72.3", mg_per_ml="1")
    assert check_rate(patient, P02, rate("7.2", ML_PER_H, 15)) == ()
    typed = session(step(0, "3.5"), kg="72.3", mg_per_ml="1")
    assert codes(check_rate(typed, P02, rate("7.1", MG_PER_H, 15))) == ["step_percent.soft"]


#: Every approved protocol that plans anything.
PLANNED = [protocol for protocol in PROTOCOLS.values() if protocol.steps]
RATES = (MG_PER_KG_PER_H, MCG_PER_KG_PER_MIN, MG_PER_H, ML_PER_H)


def as_typed(planned: Decimal, unit: DoseUnit, kg: Decimal, mg_per_ml: Decimal) -> Decimal:
    """A planned rate as it stands on the screen in a unit, at the pump to its step."""
    view = rate_in_all_units(planned * kg, weight_kg=kg, concentration_mg_per_ml=mg_per_ml)
    values = (view.mg_per_kg_h, view.mcg_per_kg_min, view.mg_per_h, view.ml_per_h)
    value = dict(zip(RATES, values, strict=True))[unit]
    return value.quantize(D("0.1"), "ROUND_HALF_UP") if unit is ML_PER_H else shown(value, unit)


@given(
    protocol=st.sampled_from(PLANNED),
    kg=st.decimals(40, 160, places=1),
    mg_per_ml=st.sampled_from([D(1), D(2), D(5), D(10)]),
    units=st.lists(st.sampled_from(RATES), min_size=12, max_size=12),
)
def test_the_plan_is_asked_nothing_more_in_another_unit(
    protocol: InfusionProtocol, kg: Decimal, mg_per_ml: Decimal, units: list[DoseUnit]
) -> None:
    # The same plan twice, as it stands and as it is read off the screen in any unit; what is
    # refused (a limit at any weight) ends both.
    meant = typed = session(kg=str(kg), mg_per_ml=str(mg_per_ml))
    for unit, planned in zip(units, protocol.steps, strict=False):
        exact_rate = rate(str(planned.rate_mg_per_kg_h), when=planned.after_min)
        value = as_typed(planned.rate_mg_per_kg_h, unit, kg, mg_per_ml)
        if not value:
            return
        found = codes(check_rate(meant, protocol, exact_rate))
        seen = codes(check_rate(typed, protocol, rate(str(value), unit, planned.after_min)))
        if any(code.endswith("hard") for code in (*found, *seen)):
            return
        # The total is what it is: a rate that was rounded up gives more.
        seen = [code for code in seen if not code.startswith("total_")]
        assert set(seen) <= set(found), (unit, value)
        meant = meant.with_facts([step(planned.after_min, planned.rate_mg_per_kg_h * kg)])
        mg_per_h = to_mg_per_h(value, unit, weight_kg=kg, concentration_mg_per_ml=mg_per_ml)
        typed = typed.with_facts([step(planned.after_min, mg_per_h, unit=unit)])
        following = next_planned_step(typed, protocol, at(planned.after_min))
        assert following is None or following.rate_mg_per_kg_h > planned.rate_mg_per_kg_h


@given(
    kg=st.decimals(40, 160, places=1),
    unit=st.sampled_from([MCG_PER_KG_PER_MIN, MG_PER_H]),
    digits=st.integers(1, 4),
)
def test_a_rate_above_the_plan_by_a_digit_that_is_shown_is_still_asked_about(
    kg: Decimal, unit: DoseUnit, digits: int
) -> None:
    patient = session(kg=str(kg), mg_per_ml="1")
    start = P02.start_rate_mg_per_kg_h
    value = as_typed(start, unit, kg, D(1)) + digits * display_step(D(10), unit)
    assert "start_rate.soft" in codes(check_rate(patient, P02, rate(str(value), unit)))


def test_more_digits_than_are_shown_are_meant_as_they_stand() -> None:
    # 0.1 mg/kg/h at 72.3 kg is 7.23 mg/h: 7.2 is the plan as it is shown, 7.25 is more than it.
    patient = session(kg="72.3", mg_per_ml="10")
    assert check_rate(patient, P02, rate("1.6667", MCG_PER_KG_PER_MIN)) == ()
    assert check_rate(patient, P02, rate("1.67", MCG_PER_KG_PER_MIN)) == ()
    assert codes(check_rate(patient, P02, rate("7.25", MG_PER_H))) == ["start_rate.soft"]
    assert codes(check_rate(patient, P02, rate("1.671", MCG_PER_KG_PER_MIN))) == ["start_rate.soft"]


def test_the_planned_rate_typed_again_in_another_unit_is_no_increase() -> None:
    running = session(step(0, "7.23"), kg="72.3", mg_per_ml="1")
    assert check_rate(running, P02, rate("1.67", MCG_PER_KG_PER_MIN, 2)) == ()
    # Nor is there a way down to it.
    typed = session(step(0, "7.244460", unit=MCG_PER_KG_PER_MIN), kg="72.3", mg_per_ml="1")
    following = next_planned_step(typed, P02, at(2))
    assert following is not None
    assert following.rate_mg_per_kg_h == P02.steps[1].rate_mg_per_kg_h


# Unit slips: U-29


def test_a_rate_of_micrograms_typed_as_milligrams_is_asked_about_u29() -> None:
    found = check_rate(session(kg="40"), P02, rate("1.67"))
    assert "unit_swap.soft" in codes(found)
    (question,) = [problem for problem in found if problem.code == "unit_swap.soft"]
    assert "was 1.67 mcg/kg/min meant?" in question.message


@pytest.mark.parametrize("value", ["0.5", "1.66", "8.34", "20.1"])
def test_other_rates_are_no_unit_slip_u29(value: str) -> None:
    assert "unit_swap.soft" not in codes(check_rate(session(kg="40"), P02, rate(value)))


@pytest.mark.parametrize(
    ("value", "start", "soft", "asked"),
    [
        ("0.5", "0.03", "0.4", True),
        ("0.5", "0.031", "0.4", False),
        ("0.5", "0.03", "0.5", False),
        ("0.49", "0.01", "0.4", False),
        ("20", "0.1", "1.2", True),
        ("20", "0.1", "1.19", False),
        ("20.1", "0.1", "2", False),
    ],
)
def test_the_ends_of_the_range_of_unit_slips_u29(
    value: str, start: str, soft: str, asked: bool
) -> None:
    protocol = p(FREE, rate_mg_per_kg_h=SoftHard(soft=D(soft)))
    protocol = replace(protocol, start_rate_mg_per_kg_h=D(start))
    found = codes(check_rate(session(kg="70"), protocol, rate(value)))
    assert ("unit_swap.soft" in found) == asked


@pytest.mark.parametrize(("value", "asked"), [("0.99", True), ("1", False)])
def test_less_than_half_the_start_rate_is_a_unit_slip_u29(value: str, asked: bool) -> None:
    # 1 mcg/kg/min is 0.06 mg/kg/h: just half the start rate.
    protocol = p(FREE, rate_mg_per_kg_h=SoftHard(soft=D(2)))
    protocol = replace(protocol, start_rate_mg_per_kg_h=D("0.12"))
    found = codes(check_rate(session(kg="70"), protocol, rate(value, MCG_PER_KG_PER_MIN)))
    assert found == (["unit_swap.soft"] if asked else [])


def test_the_depression_dose_is_no_unit_slip_u29() -> None:
    assert "unit_swap.soft" not in codes(check_rate(session(kg="40"), P17, rate("0.75")))


@pytest.mark.parametrize(
    ("value", "asked"), [("0.09", False), ("0.1", True), ("0.5", True), ("0.51", False)]
)
def test_a_rate_of_milligrams_typed_as_micrograms_is_asked_about_u29(
    value: str, asked: bool
) -> None:
    found = codes(check_rate(session(kg="70"), P02, rate(value, MCG_PER_KG_PER_MIN)))
    assert ("unit_swap.soft" in found) == asked


def test_an_ordinary_rate_in_micrograms_is_not_asked_about_u29() -> None:
    assert check_rate(session(kg="70"), P02, rate("1.6", MCG_PER_KG_PER_MIN)) == ()


# Totals and duration: U-25


def test_the_projected_total_is_tested_at_entry_u25() -> None:
    long = replace(p(FREE, total_mg_per_kg=SoftHard(D(1), D(2))), planned_duration_min=120)
    patient = session(kg="80")
    assert check_rate(patient, long, rate("0.5")) == ()
    (soft,) = check_rate(patient, long, rate("0.501"))
    assert soft.code == "total_mg_per_kg.soft"
    assert "80.2 mg by the planned end, above 1 mg/kg (80 mg), the usual maximum" in soft.message
    assert codes(check_rate(patient, long, rate("1.001"))) == ["total_mg_per_kg.hard"]


def test_a_total_that_rounds_to_its_limit_is_shown_above_it() -> None:
    long = replace(p(FREE, total_mg=SoftHard(soft=D(80))), planned_duration_min=120)
    (problem,) = check_rate(session(kg="80"), long, rate("40.01", MG_PER_H))
    assert problem.code == "total_mg.soft"
    assert "come to 80.1 mg" in problem.message


def test_the_fixed_total_is_asked_about_above_105_percent_u25() -> None:
    running = session(step(0, "56"), kg="80")  # 0.7 mg/kg/h
    assert check_rate(running, p(P17, step_range_mg_per_kg_h=None), rate("0.75", when=20)) == ()
    # Late: 0.7 mg/kg/h for 40 min is 0.467 mg/kg; another bolus of 0.1 passes 0.525.
    late = session(step(0, "56"), stop(40), kg="80")
    assert codes(check_bolus(late, P17, push("0.1", when=45))) == [
        BOLUS_NOT_PLANNED,
        "total_mg_per_kg.soft",
    ]


def test_pauses_move_the_planned_end_u25() -> None:
    paused = session(step(0, "60"), hold(20), kg="80")  # 0.75 mg/kg/h, half of the plan
    resumed = preview_rate(paused, P17, rate("0.75", when=30, kind=DoseStepKind.RESUME))
    assert resumed.mg_per_kg_at_planned_end == D("0.5")


def test_the_projected_duration_is_tested_at_entry_u25() -> None:
    slow = p(FREE, duration_h=SoftHard(soft=D(4), hard=D(8)))
    patient = session(step(0, "8"))
    assert check_rate(patient, slow, rate("9", MG_PER_H, 240)) == ()
    (soft,) = check_rate(patient, slow, rate("9", MG_PER_H, 240.5))
    assert soft.code == "duration_h.soft"
    assert "4 h 1 min, above 4 h" in soft.message
    assert codes(check_rate(patient, slow, rate("9", MG_PER_H, 481))) == ["duration_h.hard"]
    assert check_rate(patient, slow, rate("7", MG_PER_H, 481)) == ()


# Going down: U-30


@pytest.mark.parametrize(
    "proposed",
    [
        rate("40", MG_PER_H, 1),
        rate("0.01", MG_PER_H, 1),
        rate("60", MG_PER_H, 1),
        rate("0.5", MCG_PER_KG_PER_MIN, 1),
        rate("0", MG_PER_H, 1, DoseStepKind.HOLD),
        rate("0", MG_PER_H, 1, DoseStepKind.STOP),
    ],
)
def test_a_decrease_a_pause_and_a_stop_are_never_asked_about_u30(proposed: ProposedRate) -> None:
    over_every_limit = session(step(-600, "60"), kg="40", form=DrugForm.S_KETAMINE)
    assert check_rate(over_every_limit, P02, proposed, interlocks=("SBP 190 is critical.",)) == ()


@given(
    before=st.decimals(min_value=D("0.1"), max_value=200, places=2),
    share=st.decimals(min_value=D("0.001"), max_value=1, places=3),
    kind=st.sampled_from(list(DoseStepKind)),
    protocol=st.sampled_from(list(PROTOCOLS.values())),
)
def test_no_lower_rate_is_asked_about_in_any_protocol_u30(
    before: Decimal, share: Decimal, kind: DoseStepKind, protocol: InfusionProtocol
) -> None:
    running = session(step(0, before))
    lower = ProposedRate(value=before * share, unit=MG_PER_H, kind=kind, taken_at=at(1))
    assert check_rate(running, protocol, lower, interlocks=("A set is late.",)) == ()


def test_a_pause_needs_no_weight_u30() -> None:
    assert check_rate(session(kg=None), P02, rate("0", kind=DoseStepKind.STOP)) == ()


@pytest.mark.parametrize("kind", [DoseStepKind.HOLD, DoseStepKind.STOP])
def test_a_pause_is_a_pause_whatever_number_was_left_in_the_field(kind: DoseStepKind) -> None:
    running = session(step(0, "8"), kg="80")
    assert check_rate(running, P02, rate("70", MG_PER_H, 1, kind)) == ()
    seen = preview_rate(running, P02, rate("70", MG_PER_H, 30, kind))
    assert seen.rate.mg_per_h == 0
    assert seen.total_mg_at_planned_end == 4


def test_a_large_decrease_shows_a_check_line_after_saving_u30() -> None:
    running = session(step(0, "10"))
    assert large_decrease_text(running, rate("2.1", MG_PER_H, 5)) is None
    text = large_decrease_text(running, rate("2", MG_PER_H, 5))
    assert text == "Saved: lowered from 10 mg/h to 2 mg/h. Undo if that is not what was meant."
    assert large_decrease_text(running, rate("0", MG_PER_H, 5, DoseStepKind.HOLD)) is None
    assert large_decrease_text(running, rate("20", MG_PER_H, 5)) is None


# Interlocks: U-31


def test_more_drug_is_asked_about_while_a_reason_stands_against_it_u31() -> None:
    sentences = ("SBP 190 is critical.", "The set due at 09:15 is late.")
    held = session(step(0, "8"), hold(20))
    running = session(step(0, "8"))
    resumed = check_rate(
        held, FREE, rate("0.1", when=30, kind=DoseStepKind.RESUME), interlocks=sentences
    )
    raised = check_rate(running, FREE, rate("0.15", when=30), interlocks=sentences)
    given_bolus = check_bolus(running, FREE, push("0.1", when=30), interlocks=sentences)
    for problems in (resumed, raised, given_bolus):
        assert codes(problems) == ["interlock.1", "interlock.2"]
        assert all(problem.kind == "soft" for problem in problems)
        assert problems[0].message.startswith("SBP 190 is critical.")


def test_the_same_rate_from_a_new_syringe_is_no_resume() -> None:
    changed = session(step(0, "8"), syringe(30, "1"), kg="80")
    same = rate("8", ML_PER_H, 30)
    assert check_rate(changed, P02, same, interlocks=("A set is late.",)) == ()
    # The old mL/h at twice the concentration would be twice the dose.
    doubled = session(step(0, "8"), syringe(30, "4"), kg="80", mg_per_ml="2")
    assert "step_percent.soft" in codes(check_rate(doubled, P02, rate("4.1", ML_PER_H, 30)))


# Boluses: U-26


def test_bolus_limits_hold_for_the_sum_of_any_30_minutes_u26() -> None:
    one = session(bolus(0, "24"), kg="80")  # 0.3 mg/kg
    assert check_bolus(session(kg="80"), FREE, push("0.3")) == ()
    assert codes(check_bolus(session(kg="80"), FREE, push("0.31"))) == ["bolus_mg_per_kg.soft"]
    assert check_bolus(session(kg="80"), FREE, push("0.35"))[0].kind == "soft"
    assert codes(check_bolus(session(kg="80"), FREE, push("0.351"))) == ["bolus_mg_per_kg.hard"]
    assert codes(check_bolus(one, FREE, push("0.3", when=1))) == ["bolus_mg_per_kg.hard"]
    assert codes(check_bolus(one, FREE, push("0.3", when=30))) == ["bolus_mg_per_kg.hard"]
    assert check_bolus(one, FREE, push("0.3", when=30.01)) == ()
    assert codes(check_bolus(one, FREE, push("0.3", when=-30))) == ["bolus_mg_per_kg.hard"]


def test_a_bolus_between_two_others_is_not_added_to_both_u26() -> None:
    # 20 min before and 20 min after: no 30 minutes hold all three.
    around = session(bolus(0, "12"), bolus(40, "12"), kg="80")
    assert check_bolus(around, FREE, push("0.15", when=20)) == ()
    assert codes(check_bolus(around, FREE, push("0.16", when=20))) == ["bolus_mg_per_kg.soft"]


def test_a_bolus_that_was_ended_early_counts_as_far_as_it_was_given() -> None:
    ended = session(step(-5, "8"), bolus(0, "24", over_s=600), hold(1), kg="80")
    assert check_bolus(ended, FREE, push("0.27", when=5)) == ()
    assert codes(check_bolus(ended, FREE, push("0.271", when=5))) == ["bolus_mg_per_kg.soft"]


def test_a_protocol_without_bolus_asks_for_an_anaesthetist_u26() -> None:
    (problem,) = check_bolus(session(kg="80"), P02, push("0.1"))
    assert problem.code == BOLUS_NOT_PLANNED
    assert problem.kind == "soft"
    assert "anaesthetist" in problem.message


def test_a_bolus_of_more_than_30_minutes_is_a_rate_u26() -> None:
    assert check_bolus(session(), FREE, push("0.1", over_s=1800)) == ()
    assert codes(check_bolus(session(), FREE, push("0.1", over_s=1801))) == ["bolus_window.hard"]


def test_a_bolus_is_not_tested_against_the_rate_u26() -> None:
    strict = p(FREE, rate_mg_per_h=SoftHard(hard=D(1)), step_mg_per_kg_h=SoftHard(hard=D("0.01")))
    running = session(step(0, "1"))
    assert check_bolus(running, strict, push("0.3", when=10, over_s=60)) == ()


def test_a_bolus_counts_in_the_projected_total_u25() -> None:
    small = p(FREE, total_mg=SoftHard(soft=D(30)))  # 150 min planned
    running = session(step(0, "10"), kg="80")
    assert check_bolus(running, small, push("5", MG, 60)) == ()
    assert codes(check_bolus(running, small, push("5.1", MG, 60))) == ["total_mg.soft"]


def test_a_slow_bolus_counts_whole_in_the_projected_total_u25() -> None:
    small = p(FREE, total_mg=SoftHard(soft=D(20)), bolus_mg_per_kg=NONE)
    assert check_bolus(session(kg="80"), small, push("20", MG, over_s=600)) == ()
    assert codes(check_bolus(session(kg="80"), small, push("21", MG, over_s=600))) == [
        "total_mg.soft"
    ]


def test_a_bolus_after_the_stop_does_not_bring_the_planned_end_back() -> None:
    slow = p(FREE, duration_h=SoftHard(soft=D(4)))
    stopped = session(step(0, "8"), stop(60), kg="80")
    assert check_bolus(stopped, slow, push("0.1", when=200)) == ()
    assert codes(check_bolus(stopped, slow, push("0.1", when=241))) == ["duration_h.soft"]


@pytest.mark.parametrize(("value", "over_s"), [("0", 0), ("-1", 0), ("NaN", 0), ("1", -1)])
def test_a_bolus_is_an_amount_above_0(value: str, over_s: int) -> None:
    assert codes(check_bolus(session(), FREE, push(value, over_s=over_s))) == ["bolus.hard"]


# Forms and missing weight: U-01


def test_limits_of_one_form_never_serve_the_other_u01() -> None:
    s_session = session(form=DrugForm.S_KETAMINE)
    assert codes(check_rate(s_session, P02, rate("0.05"))) == ["form.hard"]
    assert codes(check_bolus(s_session, P02, push("0.1"))) == ["form.hard", BOLUS_NOT_PLANNED]


def test_a_protocol_of_s_ketamine_needs_its_own_limits_u01() -> None:
    bare = replace(FREE, form=DrugForm.S_KETAMINE, code="P06")
    bare = p(bare, bolus_mg_per_kg=NONE)
    assert missing_limits(bare) == ("rate", "bolus", "step", "total")
    found = check_rate(session(form=DrugForm.S_KETAMINE), bare, rate("0.05"))
    assert codes(found) == ["form_limits.hard"]
    assert "rate, step, total" in found[0].message
    found = check_bolus(session(form=DrugForm.S_KETAMINE), bare, push("0.05"))
    assert "bolus, total" in found[0].message
    complete = p(
        bare,
        rate_mg_per_h=SoftHard(hard=D(20)),
        bolus_mg_per_kg=SoftHard(hard=D("0.1")),
        step_mg_per_kg_h=SoftHard(hard=D("0.1")),
        total_mg=SoftHard(hard=D(500)),
    )
    assert missing_limits(complete) == ()
    assert check_rate(session(form=DrugForm.S_KETAMINE), complete, rate("0.05")) == ()


def test_racemic_protocols_miss_nothing() -> None:
    assert missing_limits(FREE) == ()


def test_without_a_weight_no_dose_is_saved_as_checked() -> None:
    assert codes(check_rate(session(kg=None), P02, rate("5", MG_PER_H))) == ["weight.hard"]
    assert codes(check_bolus(session(kg=None), P02, push("5", MG))) == ["weight.hard"]
    with pytest.raises(InvalidEntry, match="Record the dosing weight first"):
        preview_rate(session(kg=None), P02, rate("5", MG_PER_H))


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity"])
def test_what_is_no_rate_is_refused(value: str) -> None:
    assert codes(check_rate(session(), P02, rate(value))) == ["rate.hard"]


def test_a_rate_of_0_is_said_to_be_a_hold_or_a_stop() -> None:
    (problem,) = check_rate(session(step(0, "8")), P02, rate("0", when=5))
    assert problem.message.endswith("choose hold or stop.")


def test_what_no_pump_gives_is_refused_and_the_fastest_pump_is_not() -> None:
    # 1200 mL/h at 2 mg/mL = 2400 mg/h.
    fastest, beyond = rate("1200", ML_PER_H), rate("1200.1", ML_PER_H)
    assert "rate.hard" not in codes(check_rate(session(), P02, fastest))
    assert codes(check_rate(session(), P02, beyond)) == ["rate.hard"]
    assert codes(check_rate(session(), P02, rate("2400.1", MG_PER_H))) == ["rate.hard"]


def test_a_bolus_larger_than_any_that_was_given_is_refused() -> None:
    assert "bolus.hard" not in codes(check_bolus(session(), P02, push("13", MG_PER_KG)))
    assert codes(check_bolus(session(), P02, push("13.1", MG_PER_KG))) == ["bolus.hard"]


def test_an_amount_is_refused_as_a_rate_and_a_rate_as_an_amount() -> None:
    assert codes(check_rate(session(), P02, rate("5", MG))) == ["rate.hard"]
    assert codes(check_bolus(session(), P02, push("5", MG_PER_H))) == ["bolus.hard"]
    with pytest.raises(InvalidEntry, match="is an amount, not a rate"):
        preview_rate(session(), P02, rate("5", MG))


def test_amended_doses_are_not_compared_with() -> None:
    wrong, right = step(0, "40"), step(0, "8", recorded_at=at(2))
    amended = session(wrong, right, amendment(wrong, right, 2), kg="80")
    assert check_rate(amended, P02, rate("0.15", when=15)) == ()


def test_hard_problems_come_first() -> None:
    running = session(step(0, "8"), kg="80")
    found = check_rate(running, P02, rate("1.2", when=2), interlocks=("A set is late.",))
    kinds = [problem.kind for problem in found]
    assert kinds == sorted(kinds)
    assert codes(found) == [
        "rate_mg_per_h.hard",
        "step_mg_per_kg_h.hard",
        "step_interval.hard",
        "total_mg_per_kg.hard",
        "ten_fold.soft",
        "interlock.1",
    ]


# The preview


def test_the_preview_says_what_the_rate_will_do() -> None:
    patient = session(step(0, "8"), kg="80")
    seen = preview_rate(patient, P02, rate("0.2", when=30))
    assert seen.rate.lines() == ("0.2 mg/kg/h", "3.33 mcg/kg/min", "16 mg/h", "8 mL/h")
    assert seen.total_mg_at_planned_end == 4 + 32
    assert seen.mg_per_kg_at_planned_end == D("0.45")
    # 80 mg: 4 given, 76 more at 16 mg/h; 160 mg: 156 more.
    assert seen.minutes_to_soft_total == D(76) * 60 / 16
    assert seen.minutes_to_hard_total == D(156) * 60 / 16
    assert seen.problems == ()


def test_the_preview_counts_down_to_the_nearer_of_two_totals() -> None:
    both = p(P02, total_mg=SoftHard(soft=D(20), hard=D(400)))
    seen = preview_rate(session(step(0, "8"), kg="80"), both, rate("0.2", when=30))
    assert seen.minutes_to_soft_total == 60
    assert seen.minutes_to_hard_total == D(156) * 60 / 16


def test_the_preview_counts_a_running_bolus() -> None:
    patient = session(step(0, "8"), bolus(29, "10", over_s=120), kg="80")
    seen = preview_rate(patient, P02, rate("0.2", when=30))
    assert seen.total_mg_at_planned_end == 4 + 10 + 32
    assert seen.minutes_to_soft_total == D(66) * 60 / 16


def test_the_preview_of_a_second_rate_at_one_moment_is_of_the_second() -> None:
    patient = session(step(0, "8", recorded_at=at(5)), kg="80")
    seen = preview_rate(patient, P02, rate("0.2", when=0))
    assert seen.total_mg_at_planned_end == 16 * D("2.5")


def test_the_preview_of_a_limit_that_is_passed_or_never_reached() -> None:
    patient = session(step(0, "80"), kg="80")
    late = preview_rate(patient, P02, rate("0.5", when=90))
    assert late.minutes_to_soft_total == 0
    assert late.minutes_to_hard_total == D(40) * 60 / 40
    held = preview_rate(patient, P02, rate("0", when=30, kind=DoseStepKind.HOLD))
    assert held.rate.lines()[2] == "0 mg/h"
    assert held.total_mg_at_planned_end == 40
    assert held.minutes_to_soft_total is None
    assert preview_rate(session(), FREE, rate("0.1")).minutes_to_soft_total is None


def test_the_preview_carries_the_problems() -> None:
    found = preview_rate(session(), P02, rate("0.2"), ("A set is late.",)).problems
    assert codes(found) == ["start_rate.soft", "interlock.1"]


# The plan


@pytest.mark.parametrize(
    ("minutes", "planned"),
    [(-1, "0"), (0, "0.1"), (14.9, "0.1"), (15, "0.15"), (149, "0.5"), (150, "0")],
)
def test_the_planned_rate(minutes: float, planned: str) -> None:
    assert planned_rate_mg_per_kg_h(P02, minutes) == D(planned)


def test_the_next_planned_step_is_the_next_higher_rate() -> None:
    def following(*facts: object, kg: str = "80") -> TitrationStep | None:
        patient: InfusionSession = session(*facts, kg=kg, mg_per_ml="1")  # type: ignore[arg-type]
        return next_planned_step(patient, P02, at(20))

    assert following() == TitrationStep(0, D("0.1"))
    assert following(step(0, "8")) == TitrationStep(15, D("0.15"))
    assert following(step(0, "10")) == TitrationStep(15, D("0.15"))
    assert following(step(0, "40")) is None
    # 0.15 mg/kg/h at 72.3 kg is 10.845 mL/h; the pump runs 10.8.
    assert following(step(0, "10.8", unit=ML_PER_H), kg="72.3") == TitrationStep(30, D("0.2"))
    assert next_planned_step(session(kg=None), P02, at(20)) is None


# What was really given: U-25


def test_what_is_given_passes_soft_as_warning_and_hard_as_critical_u25() -> None:
    running = session(step(0, "80"), kg="80")  # 1 mg/kg/h
    assert dose_limit_crossings(running, P02, at(60)) == ()
    assert dose_limit_crossings(running, P02, at(60.001)) == (
        DoseCrossing(
            "total_mg_per_kg.soft",
            "warning",
            at(60),
            "Total dose above 1 mg/kg (80 mg), the usual maximum of P02.",
        ),
    )
    both = dose_limit_crossings(running, P02, at(121))
    assert [(c.code, c.level, c.crossed_at) for c in both] == [
        ("total_mg_per_kg.soft", "warning", at(60)),
        ("total_mg_per_kg.hard", "critical", at(120)),
    ]


def test_a_bolus_passes_a_limit_at_its_own_moment_u25() -> None:
    pushed = session(step(0, "40"), bolus(30, "70"), kg="80")
    (crossing,) = dose_limit_crossings(pushed, P02, at(31))
    assert crossing.crossed_at == at(30)
    first = session(bolus(0, "81"), kg="80")
    (crossing,) = dose_limit_crossings(first, P02, at(0))
    assert crossing.crossed_at == at(0)
    slow = session(bolus(0, "160", over_s=600), kg="80")
    (crossing,) = dose_limit_crossings(slow, P02, at(20))
    assert crossing.crossed_at == at(5)


def test_reaching_a_limit_is_not_passing_it_u25() -> None:
    done = session(step(0, "80"), stop(60), kg="80")
    assert dose_limit_crossings(done, P02, at(500)) == ()


def test_the_duration_passes_its_limit_while_something_runs_u25() -> None:
    slow = session(step(0, "1"), stop(500), kg="80")
    found = [(c.code, c.level, c.crossed_at) for c in dose_limit_crossings(slow, P02, at(600))]
    assert found == [
        ("duration_h.soft", "warning", at(240)),
        ("duration_h.hard", "critical", at(480)),
    ]
    assert dose_limit_crossings(slow, P02, at(240)) == ()
    held = session(step(0, "1"), hold(200), stop(300), kg="80")
    assert dose_limit_crossings(held, P02, at(600)) == ()
    resumed = session(step(0, "1"), hold(200), step(250, "1"), stop(260), kg="80")
    (crossing,) = dose_limit_crossings(resumed, P02, at(600))
    assert (crossing.code, crossing.crossed_at) == ("duration_h.soft", at(250))
    pushed = session(step(0, "1"), stop(200), bolus(245, "1"), kg="80")
    (crossing,) = dose_limit_crossings(pushed, P02, at(245))
    assert crossing.crossed_at == at(245)


def test_the_duration_passes_its_limit_once_at_the_first_moment_u25() -> None:
    at_the_limit = session(step(0, "1"), stop(200), bolus(240, "1"), kg="80")
    assert dose_limit_crossings(at_the_limit, P02, at(300)) == ()
    resumed = session(step(0, "1"), hold(200), step(245, "1"), bolus(250, "1"), kg="80")
    (crossing,) = dose_limit_crossings(resumed, P02, at(300))
    assert crossing.crossed_at == at(245)


def test_only_what_was_recorded_by_then_counts() -> None:
    late = session(step(0, "80", recorded_at=at(90)), kg="80")
    assert dose_limit_crossings(late, P02, at(89)) == ()
    (crossing,) = dose_limit_crossings(late, P02, at(90))
    assert crossing.crossed_at == at(60)
    lighter = session(step(0, "80"), weight("40", 0, recorded_at=at(50)), kg="80")
    assert dose_limit_crossings(lighter, P02, at(49)) == ()
    (crossing,) = dose_limit_crossings(lighter, P02, at(50))
    assert crossing.crossed_at == at(30)


def test_an_amended_dose_passes_nothing() -> None:
    wrong, right = step(0, "80"), step(0, "8", recorded_at=at(90))
    amended = session(wrong, right, amendment(wrong, right, 90), kg="80")
    assert dose_limit_crossings(amended, P02, at(100)) == ()
    assert len(dose_limit_crossings(amended, P02, at(80))) == 1


def test_a_session_without_doses_passes_nothing() -> None:
    assert dose_limit_crossings(session(), P02, at(0)) == ()
    assert dose_limit_crossings(session(step(10, "80")), P02, at(5)) == ()


@given(
    mg_per_h=st.decimals(min_value=1, max_value=500, places=1),
    over_s=st.integers(0, 1800),
    minutes=st.integers(1, 600),
)
def test_a_crossing_is_the_first_moment_at_the_limit(
    mg_per_h: Decimal, over_s: int, minutes: int
) -> None:
    given_dose = session(step(0, mg_per_h), bolus(3, "33.3", over_s), stop(400), kg="72.3")
    for crossing in dose_limit_crossings(given_dose, P02, at(minutes)):
        assert at(0) <= crossing.crossed_at <= at(minutes)
        again = dose_limit_crossings(given_dose, P02, at(1000))
        assert crossing in again


# The pump's volume: clinical.md 2.3, U-28


@pytest.mark.parametrize(
    ("total_mg", "infused", "asked"),
    [
        ("31", [("15.5", "2")], False),
        ("31", [("16.5", "2")], False),
        ("31", [("16.51", "2")], True),
        ("31", [("14.49", "2")], True),
        ("100", [("20", "2"), ("65", "1")], False),
        ("100", [("20", "2"), ("65.1", "1")], True),
    ],
)
def test_the_pump_and_the_record_agree_within_2_mg_or_5_percent(
    total_mg: str, infused: list[tuple[str, str]], asked: bool
) -> None:
    found = volume_mismatch(D(total_mg), [(D(ml), D(strength)) for ml, strength in infused])
    assert (found is not None) == asked
    assert found is None or found.kind == "soft"


def test_every_unit_of_rate_and_amount_is_known_to_the_checks() -> None:
    refused_as_rate = [
        unit
        for unit in DoseUnit
        if "rate.hard" in codes(check_rate(session(), FREE, rate("1", unit)))
    ]
    refused_as_bolus = [
        unit
        for unit in DoseUnit
        if "bolus.hard" in codes(check_bolus(session(), FREE, push("0.1", unit)))
    ]
    assert refused_as_rate == [MG, MG_PER_KG]
    assert refused_as_bolus == [MG_PER_KG_PER_H, MCG_PER_KG_PER_MIN, MG_PER_H, ML_PER_H]
