"""Another weight and a new allergy from the bedside, over the entry API."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.ids import new_id
from tests.pages.bedside_api import Bedside


def a_weight(**changes: Any) -> dict[str, Any]:
    body = {"id": str(new_id()), "weight_kg": "74", "height_cm": "178", "measured": True}
    return body | {"basis": "ABW", "reason": "weighed again", "age_ms": 0} | changes


def an_allergy(text: str, **changes: Any) -> dict[str, Any]:
    return {"id": str(new_id()), "allergy": text, "reason": "asked again", "age_ms": 0} | changes


def test_a_weight_is_looked_at_and_then_saved(bedside: Bedside) -> None:
    body = a_weight()
    looked = bedside.post("preview", body | {"kind": "weight", "reason": None})
    assert looked.status == 200, looked.text
    told = looked.json()
    assert told["title"] == "Weight 74 kg, measured"
    assert told["needs_reason"] is True
    assert told["facts"][0].startswith("The pump goes on at 7 mg/h: that is now 0.095 mg/kg/h")
    assert bedside.session.weight_kg == 70

    saved = bedside.post("weight", body)
    assert saved.status == 200, saved.text
    state = saved.json()["state"]
    assert state["patient"]["weight"] == "74 kg"
    assert state["patient"]["weight_detail"] == "74 kg, actual weight, measured, since 09:00"
    assert state["recent"][0]["text"] == "Weight 74 kg, measured: weighed again"
    assert state["rate"]["beside"] == "7 mg/h"
    assert bedside.post("weight", body).status == 200
    assert len(bedside.session.weights) == 2

    undone = bedside.post("undo", {"id": str(new_id()), "undoes": body["id"], "age_ms": 0})
    assert undone.json()["state"]["patient"]["weight"] == "70 kg"
    assert undone.json()["state"]["recent"][0]["struck"] is True


def test_an_unusual_weight_is_asked_about_and_kept(bedside: Bedside) -> None:
    body = a_weight(weight_kg="90")
    asked = bedside.post("weight", body)
    assert asked.status == 409
    codes = [question["code"] for question in asked.json()["questions"]]
    assert codes == ["weight_kg.changed"]
    assert bedside.post("weight", body | {"confirmed": codes}).status == 200


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"weight_kg": "7O"}, 422, "Type digits only"),
        ({"weight_kg": "7"}, 422, "not plausible"),
        ({"height_cm": "1.78"}, 422, "not plausible"),
        ({"reason": None}, 422, "Say why the weight"),
        ({"basis": "LEAN"}, 422, "There is no basis"),
        ({"weight_kg": 74}, 400, "Reload the page"),
        ({"measured": "yes"}, 400, "Reload the page"),
    ],
)
def test_a_weight_that_cannot_be_is_refused_in_words(
    bedside: Bedside, changes: dict[str, Any], status: int, words: str
) -> None:
    refused = bedside.post("weight", a_weight(**changes))
    assert refused.status == status
    assert words in refused.text
    assert bedside.session.weight_kg == 70


def test_an_allergy_shows_at_once_beside_what_is_known(bedside: Bedside) -> None:
    first = an_allergy(" latex: rash ")
    saved = bedside.post("allergy", first)
    assert saved.status == 200, saved.text
    assert saved.json()["state"]["patient"]["allergy"] == "ALLERGY latex: rash"
    second = bedside.post("allergy", an_allergy("penicillin"))
    assert second.json()["state"]["patient"]["allergy"] == "ALLERGY latex: rash; penicillin"
    assert bedside.post("allergy", first).status == 200, "sent again, written once"
    assert bedside.session.patient.allergies == "latex: rash; penicillin"
    changes = bedside.store.patient_changes(bedside.session.patient.id)
    assert [(change.reason, change.recorded_by) for change in changes] == [
        ("asked again", "blum")
    ] * 2


def test_another_allergy_under_a_used_id_is_refused_and_not_called_saved(
    bedside: Bedside,
) -> None:
    first = an_allergy("penicillin")
    assert bedside.post("allergy", first).status == 200
    bedside.post("allergy", an_allergy("latex"))
    others: list[dict[str, Any]] = [
        {"allergy": "nuts"},
        {"allergy": "none known"},
        {"allergy": "latex"},
        {"reason": "another reason"},
    ]
    for other in others:
        refused = bedside.post("allergy", first | other)
        assert refused.status == 422, other
        assert [item["code"] for item in refused.json()["problems"]] == ["id.other_values"]
    assert bedside.session.patient.allergies == "penicillin; latex"
    assert bedside.post("allergy", first).status == 200


def test_an_allergy_sent_again_is_acknowledged_although_no_more_would_fit(
    bedside: Bedside,
) -> None:
    first = an_allergy("x" * 300)
    assert bedside.post("allergy", first).status == 200
    assert "Shorten it" in bedside.post("allergy", an_allergy("y" * 300)).text
    again = bedside.post("allergy", first)
    assert again.status == 200, again.text
    assert bedside.session.patient.allergies == "x" * 300


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"allergy": "no \u202exetal"}, "cannot be kept"),
        ({"allergy": "\u200b\u2060"}, "nothing that can be seen"),
        ({"allergy": "\u3164"}, "nothing that can be seen"),
        ({"allergy": "nuts", "reason": "asked\u2066"}, "cannot be kept"),
        ({"allergy": "nuts", "reason": "\u200b"}, "nothing that can be seen"),
    ],
)
def test_an_allergy_that_cannot_be_read_is_refused(
    bedside: Bedside, body: dict[str, str], words: str, known: bool
) -> None:
    if known:
        bedside.post("allergy", an_allergy("latex"))
    before = bedside.session.patient
    refused = bedside.post("allergy", an_allergy("x") | body)
    assert refused.status == 422
    assert words in refused.text
    assert bedside.session.patient == before


def test_none_known_is_an_answer_only_where_nothing_is_known(bedside: Bedside) -> None:
    asked = bedside.post("allergy", an_allergy("none known"))
    assert asked.json()["state"]["patient"]["allergy"] == "no known allergies"
    assert asked.json()["state"]["patient"]["allergy_asked"] is True
    found = bedside.post("allergy", an_allergy("latex"))
    assert found.json()["state"]["patient"]["allergy"] == "ALLERGY latex"
    refused = bedside.post("allergy", an_allergy("none known"))
    assert refused.status == 422
    assert "An allergy is recorded: latex" in refused.text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (an_allergy("latex", reason=" "), "Say why"),
        (an_allergy("  "), "Ask for allergies"),
        (an_allergy("x" * 600), "Shorten it"),
    ],
)
def test_an_allergy_needs_words_and_a_reason(
    bedside: Bedside, body: dict[str, Any], words: str
) -> None:
    refused = bedside.post("allergy", body)
    assert refused.status == 422
    assert words in refused.text


def test_the_same_allergy_is_not_written_twice(bedside: Bedside) -> None:
    bedside.post("allergy", an_allergy("latex"))
    refused = bedside.post("allergy", an_allergy("Latex"))
    assert refused.status == 422
    assert "recorded already" in refused.text


def test_a_weight_in_pounds_is_kept_as_typed_beside_the_kilograms(bedside: Bedside) -> None:
    body = a_weight(weight_kg="160", weight_unit="lb")

    looked = bedside.post("preview", body | {"kind": "weight"}).json()
    assert looked["title"] == "Weight 72.6 kg (160 lb), measured"
    saved = bedside.post("weight", body)

    assert saved.status == 200, saved.text
    state = saved.json()["state"]
    assert state["patient"]["weight"] == "72.6 kg"
    assert "72.6 kg (typed 160 lb), actual weight" in state["patient"]["weight_detail"]
    weight = bedside.session.weights[-1]
    assert (str(weight.weight_kg), weight.typed) == ("72.6", "160 lb")
    assert bedside.post("weight", body).status == 200
    assert bedside.post("weight", body | {"weight_unit": "kg"}).status == 422, "another weight"
    assert bedside.post("weight", a_weight(weight_unit="st")).status == 400
