"""Side effects and what was given for them, as the bedside sends them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from monitor.actions import open_session
from monitor.bedside import fixed_part
from monitor.ids import new_id
from monitor.lifecycle import CLINICAL_EVENTS
from monitor.one_tap import parse_one_tap
from tests.build import T0
from tests.pages.bedside_api import Bedside, a_set


def an_effect(**changes: Any) -> dict[str, Any]:
    return {"id": str(new_id()), "term": "nausea", "grade": 1, "age_ms": 0} | changes


def a_drug(linked_to: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(new_id()),
        "kind": "drug",
        "text": "ondansetron 4 mg IV",
        "linked_to": linked_to,
    } | changes


def test_relation_and_action_are_choices(bedside: Bedside) -> None:
    saved = bedside.post("effect", an_effect(relation="probable", action="slow"))
    refused = bedside.post("effect", an_effect(relation="likely", action="prayed"))

    assert saved.status == 200, saved.text
    (effect,) = bedside.session.side_effects
    assert (effect.relation, effect.action) == ("probable", "slow")
    assert refused.status == 422
    assert {item["key"] for item in refused.json()["problems"]} == {"relation", "action"}
    assert "unrelated, possible, probable, definite" in refused.text


def test_a_change_says_what_was_done_and_the_story_names_the_peak(bedside: Bedside) -> None:
    effect = an_effect(taken={"ago": 10})
    bedside.post("effect", effect)
    change = {"id": str(new_id()), "side_effect_id": effect["id"], "grade": 3, "action": "pause"}

    answer = bedside.post("effect-change", change | {"taken": {"ago": 4}})

    assert answer.status == 200, answer.text
    (shown,) = answer.json()["state"]["effects"]
    assert shown["grade"] == 3
    assert "Worst: grade 3 at 08:56." in shown["story"]
    assert "Action: paused." in shown["story"]
    bad = change | {"id": str(new_id()), "action": "prayed"}
    assert bedside.post("effect-change", bad).status == 422


def test_a_drug_is_linked_to_the_side_effect_it_treats(bedside: Bedside) -> None:
    effect = an_effect(taken={"ago": 6})
    bedside.post("effect", effect)

    answer = bedside.post("event", a_drug(effect["id"]))

    assert answer.status == 200, answer.text
    assert str(bedside.session.events[-1].linked_to) == effect["id"]
    state = answer.json()["state"]
    assert state["recent"][0]["text"] == (
        "Drug: ondansetron 4 mg IV, for Nausea, 6 min after it began"
    )
    assert "(6 min after it began)" in state["effects"][0]["story"][-1]


def test_a_drug_is_linked_to_the_alert_it_treats(bedside: Bedside) -> None:
    asked = a_set(spo2="88")
    answer = bedside.post("set", asked | {"confirmed": ["spo2.jump", "spo2.soft_below"]})
    alert = answer.json()["state"]["alerts"][0]

    bedside.home.clock.forward(seconds=60)
    answer = bedside.post("event", a_drug(alert["id"], kind="oxygen", text="2 L/min"))

    assert answer.status == 200, answer.text
    text = answer.json()["state"]["recent"][0]["text"]
    assert text.startswith("Oxygen: 2 L/min, for the alert SpO2 low, 1 min after")


@pytest.mark.parametrize("linked_to", [f"{UUID(int=7)}", "x", 7])
def test_what_is_not_in_the_session_cannot_be_treated(bedside: Bedside, linked_to: Any) -> None:
    before = bedside.session

    answer = bedside.post("event", a_drug(linked_to))

    assert answer.status in (400, 422)
    assert bedside.session == before


def test_the_clinics_own_buttons_come_first_and_every_other_event_after(bedside: Bedside) -> None:
    chosen = parse_one_tap(
        {
            "version": 1,
            "effect": [{"term": "vomiting", "label": "sick"}],
            "event": [{"kind": "note", "text": "reassured"}, {"kind": "toilet"}],
        }
    )
    user = bedside.store.user("blum")

    opened = open_session(bedside.store, user, bedside.session_id, now=T0)
    fixed = fixed_part(opened, chosen)

    assert fixed["quick_terms"] == [{"key": "vomiting", "label": "sick"}]
    codes = [event["code"] for event in fixed["events"]]
    assert codes[:2] == ["note: reassured", "toilet"]
    assert [event["quick"] for event in fixed["events"]].count(True) == 2
    assert {event["kind"] for event in fixed["events"]} == set(CLINICAL_EVENTS)
    assert "note" in codes, "a free note is still there"
