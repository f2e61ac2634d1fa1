"""Symptoms at the bedside: yes, no and nothing, each shown, and each to be corrected."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from monitor.ids import new_id
from tests.pages.bedside_api import NORMAL, Bedside, a_set


def _state(bedside: Bedside, **texts: str) -> dict[str, Any]:
    bedside.home.clock.now += timedelta(minutes=2)
    answer = bedside.post("set", a_set(**texts))
    assert answer.status == 200, answer.text
    state: dict[str, Any] = answer.json()["state"]
    return state


def _symptoms(state: dict[str, Any]) -> list[list[str]]:
    return [[row["code"] for row in alert["symptoms"]] for alert in state["alerts"]]


def _answered(bedside: Bedside, state: dict[str, Any]) -> dict[str, Any]:
    alert = {"id": str(new_id()), "alert_id": state["alerts"][0]["id"], "action": "doctor_called"}
    answer = bedside.post("ack", alert | {"age_ms": 0})
    assert answer.status == 200, answer.text
    answered: dict[str, Any] = answer.json()["state"]
    return answered


def test_only_a_no_ends_an_alert_that_a_yes_raised(bedside: Bedside) -> None:
    ticked = _state(bedside, **NORMAL, chest_pain="1")
    assert _symptoms(ticked) == [["chest_pain"]]
    assert _symptoms(_answered(bedside, ticked)) == [["chest_pain"]]

    assert _symptoms(_state(bedside, **NORMAL)) == [["chest_pain"]], "nothing said is not a no"
    assert _symptoms(_state(bedside, chest_pain="1")) == [["chest_pain"]]
    assert _symptoms(_state(bedside, chest_pain="0")) == []


def test_every_symptom_that_stands_is_offered_and_the_others_are_not(bedside: Bedside) -> None:
    state = _state(bedside, chest_pain="1", dyspnoea="1", severe_headache="0")
    assert _symptoms(state) == [["chest_pain", "dyspnoea"]]
    assert _symptoms(_state(bedside, chest_pain="0")) == [["dyspnoea"]]


def test_unresponsive_is_offered_by_the_alert_of_dissociation(bedside: Bedside) -> None:
    state = _state(bedside, **NORMAL | {"dissociation": "3"}, unresponsive="1")
    assert ["unresponsive"] in _symptoms(state)
    calm = _state(bedside, unresponsive="0", distress="0", dissociation="2")
    assert ["unresponsive"] not in _symptoms(calm)


def _cells(state: dict[str, Any]) -> dict[str, str]:
    return {cell["parameter"]: cell["text"] for cell in state["recent"][0]["cells"]}


def test_a_tick_is_shown_in_the_strip_and_corrected_there(bedside: Bedside) -> None:
    state = _state(bedside, chest_pain="1", unsafe_behaviour="0")
    assert _cells(state) == {"unsafe_behaviour": "no", "chest_pain": "yes"}

    cell = next(row for row in state["recent"][0]["cells"] if row["parameter"] == "chest_pain")
    assert (cell["tick"], cell["level"]) == (True, "critical")
    amended = bedside.post(
        "amend",
        {
            "id": str(new_id()),
            "amends": cell["id"],
            "reason": "typing slip",
            "replacement": {"id": str(new_id()), "parameter": "chest_pain", "text": "0"},
            "age_ms": 0,
        },
    )
    assert amended.status == 200, amended.text
    shown = amended.json()["state"]
    assert _cells(shown)["chest_pain"] == "no"
    assert shown["alerts"] == [], "without its yes the alert is invalidated"


def test_sleep_stands_in_the_sedation_score_and_can_be_struck_behind_it(bedside: Bedside) -> None:
    state = _state(bedside, sedation="0", asleep="1", roused_to_voice="1")
    cells = {cell["parameter"]: cell for cell in state["recent"][0]["cells"]}
    assert cells["sedation"]["text"] == "S"
    assert {key for key, cell in cells.items() if cell["beside"]} == {"asleep", "roused_to_voice"}

    struck = bedside.post(
        "amend",
        {
            "id": str(new_id()),
            "amends": cells["asleep"]["id"],
            "reason": "wrong field",
            "replacement": None,
            "age_ms": 0,
        },
    )
    assert _cells(struck.json()["state"])["sedation"] == "0"


def test_oxygen_as_a_flow_raises_its_alert_until_it_is_off(bedside: Bedside) -> None:
    [started] = _state(bedside, o2_flow="2")["alerts"]
    assert (started["level"], started["parameter"]) == ("warning", "o2_flow")
    [more] = _state(bedside, o2_flow="6")["alerts"]
    assert more["level"] == "critical"

    off = _state(bedside, o2_flow="0")
    assert [alert["needs_answer"] for alert in off["alerts"]] == [True], "unanswered it stays"
    assert _answered(bedside, off)["alerts"] == []


def test_an_alert_of_the_dose_offers_no_symptom(bedside: Bedside) -> None:
    """It is raised by no row of the threshold set."""
    with bedside.signed_in_later(timedelta(days=8)) as client:
        body = {"id": str(new_id()), "kind": "toilet", "age_ms": 0}
        answer = bedside.post("event", body, client=client)
    assert answer.status == 200, answer.text
    alerts = answer.json()["state"]["alerts"]
    assert [alert["symptoms"] for alert in alerts] == [[], []]
