"""What the bedside is told before the start and before leaving, and when it is told nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor import bedside
from monitor.actions import OpenSession
from monitor.actions.opening import protocol_of, threshold_set_of
from monitor.bedside.leaving import before_start, leaving
from monitor.gate_library import GATE
from monitor.one_tap import packaged
from monitor.record import Answer, Fact, InfusionSession, NotTaken
from tests import build

BERLIN = ZoneInfo("Europe/Berlin")
NAMES = {"okoye": "Okoye, A."}
SCORED = {"aldrete_activity": 2, "aldrete_respiration": 2, "aldrete_consciousness": 1}


def opened(session: InfusionSession, minute: float) -> OpenSession:
    return OpenSession(
        session=session,
        protocol=protocol_of(build.seeded("protocol", "P02")),
        threshold_set=threshold_set_of(build.seeded("threshold_set", "ADULT-CLINIC-1")),
        alerts=(),
        alert_events=(),
        as_of=build.at(minute),
    )


def recovering(*facts: Fact | Iterable[Fact]) -> dict[str, Any]:
    """Infusion 0 to 60, baseline SBP 128, looked at in minute 130."""
    session = build.session(
        build.obs_set(-10, o2_flow=0),
        build.rate("0.2", 0),
        build.stop(60),
        *facts,
    )
    told = leaving(opened(session, 130), BERLIN, NAMES)
    assert told is not None
    return told


def criterion(told: dict[str, Any], name: str) -> dict[str, Any]:
    [found] = [item for item in told["criteria"] if item["id"] == name]
    return dict(found)


def waiting(*facts: Fact | Iterable[Fact]) -> dict[str, Any]:
    told = before_start(opened(build.session(*facts), 0), BERLIN, NAMES)
    assert told is not None
    return told


# -- only in its phase ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "gate", "leaves"),
    [
        ([], True, False),
        ([build.rate("0.2", 0)], False, False),
        ([build.rate("0.2", 0), build.hold(20)], False, False),
        ([build.rate("0.2", 0), build.stop(60)], False, True),
        ([build.rate("0.2", 0), build.stop(60), build.event("discharged", 80)], False, False),
    ],
    ids=["before", "infusing", "paused", "recovery", "discharged"],
)
def test_each_is_told_in_its_phase_only(facts: list[Fact], gate: bool, leaves: bool) -> None:
    session = build.session(build.obs_set(-10), facts)
    told = bedside.state(opened(session, 90), zone=BERLIN, names={}, version=1)
    assert (told["gate"] is not None, told["leaving"] is not None) == (gate, leaves)


def test_the_part_of_a_recovery_is_small() -> None:
    told = recovering(build.obs_set(125, **SCORED))
    assert len(json.dumps(told)) < 4000


# -- recovery score ------------------------------------------------------------------------------


def test_an_incomplete_score_says_so_and_never_counts_what_is_missing_as_0() -> None:
    score = recovering(build.obs_set(125))["score"]
    assert score["text"] == "Modified Aldrete incomplete, at least 4/10"
    assert (score["short"], score["complete"], score["passed"]) == ("incomplete", False, False)
    assert [part["points"] for part in score["parts"]] == [None, None, 2, None, 2]


def test_a_complete_score_gives_its_total_and_what_the_computed_items_come_from() -> None:
    score = recovering(build.obs_set(125, sbp=150, **SCORED))["score"]
    assert (score["text"], score["short"]) == ("Modified Aldrete 8/10", "8/10")
    assert (score["complete"], score["passed"]) == (True, False)
    scored, circulation, oxygen = (score["parts"][index] for index in (0, 2, 4))
    assert scored == {"points": 2}
    assert circulation["from"] == "SBP 150 at 12:05, baseline 128"
    assert (circulation["points"], circulation["missing"]) == (1, "")
    assert oxygen["from"] == "SpO2 97 % on air at 12:05"


def test_oxygen_that_runs_is_said_with_its_flow() -> None:
    oxygen = recovering(build.obs_set(125, o2_flow=2, spo2=96))["score"]["parts"][4]
    assert (oxygen["points"], oxygen["from"]) == (1, "SpO2 96 % on 2 L/min at 12:05")


def test_a_flow_nobody_recorded_is_what_is_asked_for() -> None:
    session = build.session(
        build.obs_set(-10), build.rate("0.2", 0), build.stop(60), build.obs_set(125)
    )
    told = leaving(opened(session, 130), BERLIN, {})
    assert told is not None
    oxygen = told["score"]["parts"][4]
    assert (told["flow_only"], oxygen["needs_flow"], oxygen["points"]) == (True, True, None)
    assert oxygen["missing"] == "Record the oxygen flow (0 on air)."


def test_without_a_reading_nothing_stands_behind_a_computed_item() -> None:
    told = recovering(build.obs_set(125, sbp=NotTaken.CUFF_OFF, spo2=None))
    circulation, oxygen = told["score"]["parts"][2], told["score"]["parts"][4]
    assert (circulation["points"], circulation["from"]) == (None, "")
    assert circulation["missing"] == "Take the blood pressure."
    assert (oxygen["needs_flow"], oxygen["missing"]) == (False, "Take the oxygen saturation.")


def test_padss_is_worked_out_from_pressure_and_heart_rate() -> None:
    session = build.session(
        build.obs_set(-10), build.rate("0.2", 0), build.stop(60), build.obs_set(125)
    )
    at_130 = opened(session, 130)
    padss = replace(at_130, protocol=replace(at_130.protocol, recovery_score="PADSS"))
    told = leaving(padss, BERLIN, {})
    assert told is not None
    vital_signs = told["score"]["parts"][0]
    assert vital_signs["points"] == 2
    assert vital_signs["from"] == "SBP 128 at 12:05, baseline 128; HR 68 at 12:05, baseline 68"
    [activity, *_] = [
        item
        for item in bedside.fixed_part(padss, packaged())["leaving"]["score"]["items"]
        if item["label"] == "Orientation and gait"
    ]
    assert activity["parameter"] == "padss_activity"


def test_the_wording_is_told_once_and_belongs_to_the_same_items() -> None:
    session = build.session(build.obs_set(-10), build.rate("0.2", 0), build.stop(60))
    fixed = bedside.fixed_part(opened(session, 90), packaged())["leaving"]
    told = leaving(opened(session, 90), BERLIN, {})
    assert told is not None
    assert [item["parameter"] for item in fixed["score"]["items"]] == [
        "aldrete_activity",
        "aldrete_respiration",
        None,
        "aldrete_consciousness",
        None,
    ]
    assert len(told["score"]["parts"]) == len(fixed["score"]["items"])
    assert fixed["score"]["needed"] == "9/10"
    assert [item["id"] for item in told["criteria"]] == list(fixed["criteria"])
    assert fixed["criteria"]["escort_present"] == {
        "label": "Escort",
        "text": "Escort is here and takes the patient home",
        "decides": "anaesthetist",
    }


# -- criteria ------------------------------------------------------------------------------------


def test_criteria_say_what_is_missing_and_nothing_about_what_is_met() -> None:
    told = recovering(build.obs_set(125, sbp=186), build.answer("escort_present", Answer.NO, 126))
    assert criterion(told, "dissociation_at_discharge") == {
        "id": "dissociation_at_discharge",
        "state": "met",
    }
    pressure = criterion(told, "blood_pressure_at_discharge")
    assert pressure["state"] == "not met"
    assert pressure["sentence"].startswith("Blood pressure 186/76 at 12:05")
    assert criterion(told, "escort_present")["state"] == "not met"
    assert criterion(told, "cannula_removed")["state"] == "not assessed"
    stopping = [item for item in told["criteria"] if item["state"] != "met"]
    assert told["open"] == len(stopping)


def test_an_override_says_who_decided_and_why() -> None:
    override = build.answer(
        "escort_present", Answer.NO, 126, override_reason="taxi with nurse", override_by="okoye"
    )
    told = recovering(build.obs_set(125), override)
    found = criterion(told, "escort_present")
    assert (found["state"], found["override"]) == (
        "overridden",
        "ordered verbally by Okoye, A., not confirmed: taxi with nurse",
    )
    assert found["verbal"] == "okoye"


# -- before the start ----------------------------------------------------------------------------


def test_the_gate_lists_everything_that_is_in_the_way() -> None:
    told = waiting(build.obs_set(-3))
    assert told["may_start"] == "blocked"
    items = {item["id"]: item for item in told["items"]}
    asked = GATE.questions_for(build.seeded("protocol", "P02").protocol())
    assert {question.id for question in asked} <= set(items)
    psychosis = items["psychosis"]
    assert (psychosis["group"], psychosis["handling"]) == ("brain", "block")
    assert (psychosis["answer"], psychosis["decides"]) == (None, None)
    baseline = items["baseline"]
    assert (baseline["group"], baseline["decides"]) == (None, "nurse")
    assert baseline["sentence"] == (
        "The baseline was taken once. Take the second set from 10:02 on. Or go on with a reason."
    )


def test_an_answer_of_concern_says_who_decides() -> None:
    told = waiting(build.obs_set(-3), build.answer("psychosis", Answer.YES, -2))
    [psychosis] = [item for item in told["items"] if item["id"] == "psychosis"]
    assert (psychosis["answer"], psychosis["decides"]) == ("yes", "anaesthetist")


def test_what_was_overridden_is_told_apart_from_a_plain_yes() -> None:
    override = build.answer(
        "psychosis",
        Answer.YES,
        -2,
        override_reason="seen today",
        override_by="okoye",
        second_person="okoye",
    )
    told = waiting(build.obs_set(-3), override)
    assert "psychosis" not in {item["id"] for item in told["items"]}
    [found] = told["overridden"]
    assert (found["id"], found["answer"], found["group"]) == ("psychosis", "yes", "brain")
    assert found["override"] == "Okoye, A., confirmed by PIN: seen today"
    assert found["verbal"] is None


def test_nothing_in_the_way_may_start() -> None:
    answers = [
        build.answer(
            question.id,
            Answer.YES if Answer.NO in question.concern else Answer.NO,
            -5,
            note="none" if question.note else None,
        )
        for question in GATE.questions.values()
    ]
    patient = build.patient(allergies="none known")
    session = build.session(
        build.weight(70, -20, height_cm=Decimal(175)),
        build.obs_set(-9),
        build.obs_set(-3),
        answers,
        weight_kg=None,
        patient=patient,
    )
    told = before_start(opened(session, 0), BERLIN, NAMES)
    assert told == {"may_start": "yes", "items": [], "overridden": []}
