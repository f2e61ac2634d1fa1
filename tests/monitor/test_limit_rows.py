"""The strictest of the protocol's limits and of the rows of clinical.md 2.5 binds (U-24, U-01)."""

from __future__ import annotations

import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from monitor import second_person
from monitor.dosing import check_bolus, check_rate, dose_limit_crossings
from monitor.limit_rows import ROWS, binding
from monitor.protocol_check import approval_problems
from monitor.protocols import InfusionProtocol, SoftHard
from monitor.record import DrugForm
from tests.build import seeded
from tests.monitor.dosing_sessions import (
    MG_PER_H,
    P02,
    P17,
    D,
    at,
    codes,
    limits,
    push,
    rate,
    session,
    step,
)

NONE = SoftHard()
#: A racemic outpatient protocol that says nothing, and one that says too much.
SILENT = replace(
    limits(
        P02,
        rate_mg_per_kg_h=NONE,
        rate_mg_per_h=NONE,
        bolus_mg_per_kg=NONE,
        total_mg_per_kg=NONE,
        duration_h=NONE,
        step_mg_per_kg_h=NONE,
        step_percent_soft=None,
        step_interval_min_soft=0,
        step_interval_min_hard=0,
        step_range_mg_per_kg_h=None,
        bolus_allowed=True,
    ),
    code="CRPS-9",
    start_rate_mg_per_kg_h=D(100),
)
LAX = replace(limits(SILENT, rate_mg_per_kg_h=SoftHard(D(4), D(5))), planned_duration_min=30)


def pairs(protocol: InfusionProtocol, field: str) -> dict[str, Decimal]:
    return {limit.kind: limit.value for limit in binding(protocol, field)}


@pytest.mark.parametrize(
    ("field", "soft", "hard"),
    [
        ("rate_mg_per_kg_h", "0.5", "1.0"),
        ("rate_mg_per_h", "50", "100"),
        ("bolus_mg_per_kg", "0.30", "0.35"),
        ("step_mg_per_kg_h", "0.1", "0.5"),
        ("step_interval_min", "15", "5"),
        ("total_mg_per_kg", "1.0", "2.0"),
        ("duration_h", "4", "8"),
    ],
)
def test_a_row_left_out_of_a_protocol_still_binds(field: str, soft: str, hard: str) -> None:
    assert pairs(SILENT, field) == {"soft": D(soft), "hard": D(hard)}


def test_the_message_names_the_limit_that_binds() -> None:
    refused = check_rate(session(kg="60"), LAX, rate("1.1"))[0]
    assert refused.code == "rate_mg_per_kg_h.hard"
    assert refused.message == (
        "1.1 mg/kg/h (66 mg/h) is above 1 mg/kg/h, the reference limit “rate, outpatient”. "
        "Enter at most 1 mg/kg/h."
    )
    own = check_rate(session(kg="60"), P02, rate("1.1"))[0]
    assert "the hard limit of P02" in own.message


def test_rows_bind_at_each_severity_by_themselves() -> None:
    tight = limits(SILENT, rate_mg_per_kg_h=SoftHard(soft=D("0.8"), hard=D("0.9")))
    assert pairs(tight, "rate_mg_per_kg_h") == {"soft": D("0.5"), "hard": D("0.9")}
    # More minutes between increases are stricter, not fewer.
    slow = limits(SILENT, step_interval_min_soft=30, step_interval_min_hard=2)
    assert pairs(slow, "step_interval_min") == {"soft": D(30), "hard": D(5)}


def test_an_inpatient_course_has_the_monitored_rates_and_no_limit_of_a_visit() -> None:
    ward = replace(SILENT, setting="inpatient")
    assert pairs(ward, "rate_mg_per_kg_h") == {"soft": D("1.0"), "hard": D("2.0")}
    assert pairs(ward, "duration_h") == {}
    assert pairs(ward, "total_mg_per_kg") == {}


def test_the_rows_are_for_racemic_ketamine_alone_u01() -> None:
    s_form = replace(SILENT, form=DrugForm.S_KETAMINE)
    assert all(pairs(s_form, row.field) == {} for row in ROWS)


def test_a_fixed_dose_is_not_asked_about_50_mg_per_h_u21() -> None:
    assert pairs(P17, "rate_mg_per_h") == {"hard": D(100)}
    assert check_rate(session(kg="100"), P17, rate("0.75")) == ()


def test_what_was_given_is_judged_by_the_rows_too_u25() -> None:
    running = session(step(0, "80"), kg="80")
    found = {item.code: item.crossed_at for item in dose_limit_crossings(running, SILENT, at(130))}
    assert found == {"total_mg_per_kg.soft": at(60), "total_mg_per_kg.hard": at(120)}


def test_steps_and_boluses_of_a_protocol_that_is_silent_about_them() -> None:
    running = session(step(0, "8"), kg="80")
    assert codes(check_rate(running, SILENT, rate("50", MG_PER_H, 4))) == [
        "step_mg_per_kg_h.hard",
        "step_interval.hard",
        "rate_mg_per_kg_h.soft",
        "ten_fold.soft",
        "total_mg_per_kg.soft",
    ]
    assert codes(check_bolus(session(kg="80"), SILENT, push("0.36"))) == ["bolus_mg_per_kg.hard"]


def test_p14_may_go_to_half_a_milligram_with_an_anaesthetist_present() -> None:
    p14 = replace(SILENT, code="P14", limits=replace(SILENT.limits, bolus_mg_per_kg=NONE))
    patient = session(kg="80")
    within = check_bolus(patient, p14, push("0.35"))
    assert codes(within) == ["bolus_mg_per_kg.soft"]
    assert second_person.for_bolus(p14, within).code != second_person.NEEDS_ANAESTHETIST
    above = check_bolus(patient, p14, push("0.36"))
    assert codes(above) == ["bolus_mg_per_kg.soft", "bolus_anaesthetist.soft"]
    assert second_person.for_bolus(p14, above).code == second_person.NEEDS_ANAESTHETIST
    assert "bolus_mg_per_kg.hard" in codes(check_bolus(patient, p14, push("0.51")))


def _sentences(**changes: Any) -> list[str]:
    content = copy.deepcopy(seeded("protocol", "P02").content()) | {"code": "CRPS-9"}
    content["limits"] |= changes.pop("limits", {})
    return [item.message for item in approval_problems(content | changes, ("ADULT-CLINIC-1",))]


def test_a_plan_with_5_mg_per_kg_h_hard_is_not_approved_without_a_word() -> None:
    assert _sentences() == []
    assert _sentences(limits={"rate_mg_per_kg_h": {"soft": "0.5", "hard": "5"}}) == [
        (
            "The hard rate limit (5 mg/kg/h) is beyond the reference limit “rate, outpatient” "
            "(1 mg/kg/h), which binds all the same."
        )
    ]
    assert _sentences(limits={"step_interval_min_hard": 2}) == [
        (
            "The hard least time between increases (2 min) is beyond the reference limit "
            "“step interval” (5 min), which binds all the same."
        )
    ]


def test_a_plan_beyond_a_row_that_the_protocol_leaves_out_is_named() -> None:
    fast = [{"after_min": 0, "rate_mg_per_kg_h": "1.1"}]
    found = _sentences(
        limits={"rate_mg_per_kg_h": {}, "rate_mg_per_h": {"hard": "100"}},
        steps=fast,
        start_rate_mg_per_kg_h="1.1",
        planned_duration_min=30,
    )
    assert found == [
        (
            "Planned step 1 (1.1 mg/kg/h) is above the reference limit “rate, outpatient” "
            "(hard, 1 mg/kg/h)."
        )
    ]
    long = _sentences(limits={"duration_h": {"hard": "8"}}, planned_duration_min=300)
    assert any(
        "The planned duration (5 h) is above the reference limit “session duration, outpatient” "
        "(soft, 4 h)." in sentence
        for sentence in long
    )


def test_the_usual_maximum_of_p03_is_there() -> None:
    content = seeded("protocol", "P03").content()
    assert content["limits"]["rate_mg_per_kg_h"] == {"soft": "0.5", "hard": "1.0"}
