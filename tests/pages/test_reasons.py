"""The reasons offered fit the moment: none for a step at a start, one list for every gate point."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.bedside.proposals import preview, proposals
from monitor.gate_library import GATE
from monitor.record import DoseUnit, Fact
from pages.nurse.reasons import dose_reasons, override_reasons
from tests import build
from tests.monitor.test_bedside_leaving import BERLIN, opened


def texts(moment: str) -> set[str]:
    return {choice["label"] for choice in dose_reasons()[moment]}


def test_a_start_offers_no_reason_of_a_step() -> None:
    of_a_step = {"not enough effect", "tolerated well", "was paused for a moment"}
    assert not texts("start") & of_a_step
    assert not texts("resume") & {"not enough effect", "tolerated well"}
    assert "was paused for a moment" not in texts("rate") | texts("bolus")
    assert "gate was done on paper" not in texts("rate") | texts("resume")


def test_every_point_that_can_be_overridden_has_reasons_of_its_own() -> None:
    points = {*GATE.questions, *GATE.checks, *GATE.criteria}
    found = override_reasons()
    assert set(found) == points
    assert all(0 < len(offered) <= 3 for offered in found.values())
    assert "benefit outweighs the risk" not in str(found["escort_present"])
    assert "usual for this patient" in str(found["blood_pressure"])


@pytest.mark.parametrize(
    ("facts", "moment"),
    [
        ([], "start"),
        ([build.rate("0.1", -30)], "rate"),
        ([build.rate("0.1", -30), build.hold(-5)], "resume"),
    ],
    ids=["before", "running", "held"],
)
def test_a_dose_says_which_moment_it_belongs_to(facts: list[Fact], moment: str) -> None:
    beside = opened(build.session(build.obs_set(-35), *facts), 0)
    assert proposals(beside, BERLIN)["up"]["moment"] == moment
    typed = preview(
        beside,
        kind="rate",
        value=Decimal("0.1"),
        unit=DoseUnit.MG_PER_KG_PER_H,
        taken_at=build.at(0),
        zone=BERLIN,
    )
    assert typed["moment"] == moment
    bolus = preview(
        beside, kind="bolus", value=Decimal(5), unit=DoseUnit.MG, taken_at=build.at(0), zone=BERLIN
    )
    assert bolus["moment"] == "bolus"
    assert {moment, "bolus", "syringe", "alone"} <= set(dose_reasons())
