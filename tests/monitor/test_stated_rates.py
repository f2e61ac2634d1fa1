"""Rates that a source states per 70 kg: kept as stated, said as stated, and exact for the patient (U-77)."""

from __future__ import annotations

import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.dosing import check_rate, next_planned_step, rate_ceilings
from monitor.protocol_check import approval_problems, contradictions, planned_total_mg_per_kg
from monitor.protocol_difference import difference
from monitor.protocol_entry import content_of, entry_of
from monitor.protocols import InfusionProtocol, parse_protocol
from monitor.record import DoseStepKind, DrugForm
from monitor.stated_rates import PER_70_KG, in_mg_per_kg_h, per_70_kg, per_kg
from tests.build import seeded
from tests.monitor.dosing_sessions import (
    MG_PER_H,
    MG_PER_KG_PER_H,
    ML_PER_H,
    D,
    at,
    codes,
    rate,
    session,
    step,
)

LIMIT_SETS = ("ADULT-CLINIC-1",)


def whole() -> dict[str, Any]:
    """P06 as a clinic may fill it in: everything in the unit of the source."""
    content = copy.deepcopy(seeded("protocol", "P06").content())
    content["steps"] = [
        {"after_min": minute, "rate_mg_per_h_per_70_kg": stated}
        for minute, stated in ((0, "5"), (240, "10"), (480, "15"), (720, "20"))
    ]
    content["limits"] |= {
        "rate_mg_per_h_per_70_kg": {"soft": "20", "hard": "20"},
        "step_mg_per_h_per_70_kg": {"soft": "5", "hard": "10"},
        "step_range_mg_per_h_per_70_kg": ["1", "5"],
        "bolus_mg_per_kg": {"hard": "0.1"},
        "total_mg": {"hard": "9000"},
        "duration_h": {"hard": "100"},
        "step_interval_min_soft": 60,
        "step_interval_min_hard": 30,
        "bolus_allowed": False,
    }
    return content


def p06(kg: str = "70") -> tuple[InfusionProtocol, Any]:
    patient = replace(session(kg=kg, mg_per_ml="1"), drug_form=DrugForm.S_KETAMINE)
    return parse_protocol(whole()), patient


def wrong(content: dict[str, Any]) -> dict[str, str]:
    return {item.field: item.message for item in contradictions(content, LIMIT_SETS)}


def test_it_is_stored_as_the_source_says_and_may_be_approved() -> None:
    assert approval_problems(whole(), LIMIT_SETS) == ()
    # The form says where a second person is needed; a version that does not means everywhere.
    everywhere = {"second_person": dict.fromkeys(("start", "bolus", "syringe", "limit"), True)}
    assert content_of(entry_of(whole()), 1)[0] | {"status": "draft"} == whole() | everywhere
    assert entry_of(whole()).steps[3] == ("720", "20")


def test_everything_that_runs_reads_it_in_mg_per_kg_per_h_rounded_down() -> None:
    protocol, _ = p06()
    assert protocol.start_rate_mg_per_kg_h == D("0.071428")
    assert [item.rate_mg_per_kg_h for item in protocol.steps][-1] == D("0.285714")
    assert protocol.limits.step_range_mg_per_kg_h == (D("0.014285"), D("0.071428"))
    assert "rate_unit" not in in_mg_per_kg_h(whole())
    plain = seeded("protocol", "P02").content()
    assert in_mg_per_kg_h(plain) == plain


@given(st.decimals("0.001", 490, places=3))
def test_no_limit_grows_on_the_way_and_none_is_lost(stated: Decimal) -> None:
    kept = per_kg(stated)
    assert stated / 70 - D("0.000001") < kept <= stated / 70
    assert per_70_kg(kept) == stated


@given(kg=st.decimals(40, 160, places=1), stated=st.decimals("0.1", 30, places=3))
def test_for_a_patient_it_is_what_was_stated_times_weight_by_70(
    kg: Decimal, stated: Decimal
) -> None:
    protocol, _ = p06()
    exact = stated * kg / 70
    assert abs(protocol.rate_mg_per_h(per_kg(stated), kg) - exact) < D("1e-20")


@pytest.mark.parametrize(("kg", "most"), [("70", "20"), ("105", "30"), ("49", "14")])
def test_the_limit_of_the_source_is_itself_allowed_and_a_tenth_more_is_refused(
    kg: str, most: str
) -> None:
    protocol, patient = p06(kg)
    patient = patient.with_facts([step(0, "5"), step(100, most)])
    assert {ceiling.mg_per_h for ceiling in rate_ceilings(protocol, D(kg))} == {D(most)}
    held = rate(most, MG_PER_H, 200)
    assert "rate_mg_per_kg_h.hard" not in codes(check_rate(session(kg=kg), protocol, held))
    above = rate(str(D(most) + D("0.1")), MG_PER_H, 200)
    found = check_rate(patient, protocol, above)
    (refused,) = [item for item in found if item.code == "rate_mg_per_kg_h.hard"]
    assert "20 mg/h per 70 kg" in refused.message


@given(
    kg=st.decimals(40, 160, places=1),
    unit=st.sampled_from([MG_PER_KG_PER_H, MG_PER_H, ML_PER_H]),
)
def test_its_own_plan_is_asked_nothing(kg: Decimal, unit: Any) -> None:
    content = whole()
    # What is refused is compared exactly: the plan stays a little below it here.
    content["limits"]["rate_mg_per_h_per_70_kg"] = {"soft": "20", "hard": "21"}
    protocol = parse_protocol(content)
    patient = replace(session(kg=str(kg), mg_per_ml="1"), drug_form=DrugForm.S_KETAMINE)
    for place, planned in enumerate(protocol.steps):
        mg_per_h = protocol.rate_mg_per_h(planned.rate_mg_per_kg_h, kg).quantize(D("0.1"))
        value = planned.rate_mg_per_kg_h if unit is MG_PER_KG_PER_H else mg_per_h
        if unit is MG_PER_KG_PER_H:
            mg_per_h = value * kg
        proposed = rate(str(value), unit, planned.after_min, DoseStepKind.RATE)
        assert check_rate(patient, protocol, proposed) == ()
        patient = patient.with_facts([step(planned.after_min, mg_per_h, unit=unit)])
        following = next_planned_step(patient, protocol, at(planned.after_min))
        assert following == (protocol.steps[place + 1] if place < 3 else None)


def test_the_total_is_that_of_the_plan() -> None:
    total = planned_total_mg_per_kg(whole())
    assert total is not None
    # (5 + 10 + 15) x 4 h + 20 x 88 h = 1880 mg per 70 kg.
    assert D("26.857") - total < D("0.001") < total


def test_it_is_checked_and_said_in_its_own_unit() -> None:
    content = whole()
    content["start_rate_mg_per_h_per_70_kg"] = "4"
    content["limits"]["rate_mg_per_h_per_70_kg"] = {"soft": "30", "hard": "20"}
    content["steps"][3]["rate_mg_per_h_per_70_kg"] = "20.0005"
    found = " ".join(item.message for item in contradictions(content, LIMIT_SETS))
    for words in (
        "is 4 mg/h per 70 kg, the first planned step 5 mg/h per 70 kg",
        "(30 mg/h per 70 kg) is above the hard one (20 mg/h per 70 kg)",
        "above the protocol's own hard rate limit (20 mg/h per 70 kg)",
        "raises the rate by 5.0005 mg/h per 70 kg",
        "The rate of planned step 4 per 70 kg has more than three decimals.",
    ):
        assert words in found


def test_a_rate_nobody_is_given_and_two_units_in_one_protocol_are_refused() -> None:
    mixed = whole() | {"start_rate_mg_per_kg_h": "0.07"}
    assert wrong(mixed) == {"rate_unit": "Rates are stated in two units: start_rate_mg_per_kg_h."}
    claimed = seeded("protocol", "P02").content() | {"rate_unit": PER_70_KG}
    assert set(wrong(claimed)) == {"rate_unit"}
    content = whole()
    content["start_rate_mg_per_h_per_70_kg"] = "491"
    found = " ".join(item.message for item in contradictions(content, LIMIT_SETS))
    assert "The start rate is 491 mg/h per 70 kg; nothing is given above 7 mg/kg/h." in found


def test_a_changed_number_is_said_per_70_kg_and_a_changed_unit_with_both() -> None:
    after = whole()
    after["limits"]["rate_mg_per_h_per_70_kg"]["hard"] = "30"
    after["steps"][3]["rate_mg_per_h_per_70_kg"] = "18"
    assert [change.text for change in difference(whole(), after)] == [
        "hard rate limit 20 → 30 mg/h per 70 kg",
        "planned step 4 at 720 min 20 → 18 mg/h per 70 kg",
    ]
    entry = entry_of(whole())
    other, _ = content_of(replace(entry, texts={**entry.texts, "rate_unit": "mg/kg/h"}), 2)
    told = [change.text for change in difference(whole(), other)]
    assert "rates are stated in mg/h per 70 kg → mg/kg/h" in told
    assert "start rate 5 mg/h per 70 kg → 5 mg/kg/h" in told
    assert "planned step 1 at 0 min 5 mg/h per 70 kg → 5 mg/kg/h" in told


def test_the_form_of_the_drug_changes_no_number() -> None:
    racemic = parse_protocol(whole() | {"form": "R"})
    s_ketamine = parse_protocol(whole())
    assert replace(racemic, form=DrugForm.S_KETAMINE) == s_ketamine
