"""What a dose will do is shown before it is confirmed: units, limits, questions, at its own time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pages.bedside_api import NORMAL, Bedside, a_set


def _preview(bedside: Bedside, **body: Any) -> dict[str, Any]:
    answer = bedside.post("preview", body)
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_syringe_shows_the_rate_in_four_units_and_what_stands_against_it(
    bedside: Bedside,
) -> None:
    bedside.post("set", a_set(**NORMAL))
    # 70 kg: 1.4 mL/h of 5 mg/mL are the 7 mg/h that run.
    rate = {"value": "1.4", "unit": "mL/h"}
    found = _preview(bedside, kind="syringe", concentration_mg_per_ml="5", rate=rate)
    assert found["lines"] == ["0.1 mg/kg/h", "1.67 mcg/kg/min", "7 mg/h", "1.4 mL/h"]
    assert found["questions"] == []
    assert "second person" in found["second_person"]
    assert found["request"] == {"concentration_mg_per_ml": "5", "rate": rate}
    # The old 3.5 mL/h from the new syringe would be two and a half times the dose.
    old = _preview(
        bedside, kind="syringe", concentration_mg_per_ml="5", rate={"value": "3.5", "unit": "mL/h"}
    )
    assert "17.5 mg/h" in old["lines"]
    assert "step_percent.soft" in {question["code"] for question in old["questions"]}


def test_a_strength_is_judged_before_any_pin(bedside: Bedside) -> None:
    found = _preview(bedside, kind="syringe", concentration_mg_per_ml="100", rate=None)
    assert {question["code"] for question in found["questions"]} == {
        "concentration.hard",
        "syringe_rate.hard",
    }
    refused = bedside.post("preview", {"kind": "syringe", "concentration_mg_per_ml": "500"})
    assert refused.status == 422
    assert "strongest vial" in refused.text


def test_the_time_to_every_limit_is_said(bedside: Bedside) -> None:
    found = _preview(bedside, kind="rate", value="0.5", unit="mg/kg/h")
    # 30 min at 0.1 mg/kg/h were 0.05 mg/kg; P02 ends after 150 min.
    assert found["facts"] == [
        "Total at the planned end, at this rate: 73.5 mg = 1.05 mg/kg",
        "Usual maximum 1 mg/kg (70 mg): after 1 h 54 min",
        "Usual maximum 4 h of infusion: after 3 h 30 min",
        "Limit 2 mg/kg (140 mg): after 3 h 54 min",
        "Limit 8 h of infusion: after 7 h 30 min",
    ]


def test_a_bolus_says_where_it_leads_too(bedside: Bedside) -> None:
    found = _preview(bedside, kind="bolus", value="14", unit="mg", over_s=1200)
    assert found["title"] == "Bolus 14 mg over 20 min"
    assert found["lines"] == ["14 mg", "0.2 mg/kg · 7 mL of 2 mg/mL"]
    # 3.5 mg so far, the bolus, and 7 mg/h for the two hours left.
    assert found["facts"][:2] == [
        "Given with it: 17.5 mg",
        "Total at the planned end, at this rate: 31.5 mg = 0.45 mg/kg",
    ]
    assert any(fact.startswith("Limit 2 mg/kg (140 mg): after") for fact in found["facts"])


@pytest.mark.parametrize(("ago", "asked"), [(0, False), (20, True)])
def test_a_dose_is_asked_about_at_the_time_it_was_given(
    bedside: Bedside, ago: int, asked: bool
) -> None:
    bedside.post("set", a_set(**NORMAL))
    # The infusion began 30 min ago: 10 min after that a raise would have been too early.
    found = _preview(bedside, kind="rate", value="0.15", unit="mg/kg/h", taken={"ago": ago})
    codes = {question["code"] for question in found["questions"]}
    assert ("step_interval.soft" in codes) is asked


def test_a_resume_is_previewed_as_a_resume(bedside: Bedside) -> None:
    found = _preview(bedside, kind="resume", value="7", unit="mg/h")
    assert found["request"] == {"kind": "resume", "value": "7", "unit": "mg/h"}


@pytest.mark.parametrize("kind", ["NaN", "x", "RATE", "amend"])
def test_what_is_no_kind_of_dose_is_never_taken_for_a_rate(bedside: Bedside, kind: str) -> None:
    refused = bedside.post("preview", {"kind": kind, "value": "7", "unit": "mg/h"})
    assert refused.status == 422, refused.text
    assert [problem["code"] for problem in refused.json()["problems"]] == ["kind.unknown"]
