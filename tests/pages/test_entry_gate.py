"""Gate answers and the discharge over the entry API: saved once, refused in words, late ones too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.ids import new_id
from monitor.lifecycle import EventKind
from monitor.permissions import Role
from monitor.record import Answer
from monitor.user_admin import create_user
from tests.build import T0, at
from tests.pages.bedside_api import Bedside, a_set
from tests.pages.http_app import PASSWORD, PIN


def answers(*given: dict[str, Any], age_ms: int = 0) -> dict[str, Any]:
    rows = [{"id": str(new_id()), "reason": None, "by": None, **one} for one in given]
    return {"id": str(new_id()), "answers": rows, "age_ms": age_ms}


def stop(bedside: Bedside) -> None:
    answer = bedside.post(
        "rate", {"id": str(new_id()), "kind": "stop", "value": "0", "unit": "mg/h", "age_ms": 0}
    )
    assert answer.status == 200, answer.text


def test_answers_are_saved_together_at_the_moment_of_the_tap(bedside: Bedside) -> None:
    body = answers(
        {"question": "psychosis", "answer": "no"},
        {"question": "consent_signed", "answer": "unknown"},
        age_ms=90_000,
    )
    saved = bedside.post("gate", body)
    assert saved.status == 200, saved.text
    given = {item.question: item for item in bedside.session.answers}
    assert given["psychosis"].answer is Answer.NO
    assert given["consent_signed"].answer is Answer.UNKNOWN
    assert {item.taken_at for item in given.values()} == {at(-1.5)}
    assert {item.recorded_at for item in given.values()} == {T0}


def test_answers_sent_twice_are_saved_once_however_late(bedside: Bedside) -> None:
    body = answers({"question": "psychosis", "answer": "no"})
    bedside.post("gate", body)
    later = timedelta(hours=3)
    with bedside.signed_in_later(later) as client:
        late = body | {"age_ms": later.total_seconds() * 1000}
        again = bedside.post("gate", late, client=client)
    assert again.status == 200, again.text
    assert len(bedside.session.answers) == 1


def test_an_override_carries_who_decided_and_why(bedside: Bedside) -> None:
    blocked = {"question": "heart_disease", "answer": "yes", "reason": "echo seen", "by": "blum"}
    refused = bedside.post("gate", answers(blocked))
    assert refused.status == 422
    [problem] = refused.json()["problems"]
    assert "only an anaesthetist may override it" in problem["text"]
    assert bedside.session.answers == ()
    caution = {"question": "epilepsy", "answer": "yes", "reason": " none for years ", "by": "diaz"}
    assert bedside.post("gate", answers(caution)).status == 200
    [given] = bedside.session.answers
    assert (given.override_reason, given.override_by) == ("none for years", "diaz")
    assert given.recorded_by == "blum"


def test_what_was_said_beside_an_answer_is_kept(bedside: Bedside) -> None:
    listed = {"question": "medication_list", "answer": "yes", "note": " sertraline 50 mg "}
    assert bedside.post("gate", answers(listed)).status == 200
    [given] = bedside.session.answers
    assert given.note == "sertraline 50 mg"
    long = bedside.post("gate", answers(listed | {"note": "x" * 2001}))
    assert long.status == 422
    assert "at most 2000 fit" in long.json()["problems"][0]["text"]


def with_anaesthetist(bedside: Bedside) -> None:
    create_user(
        bedside.store,
        username="okoye",
        name="Okoye",
        role=Role.ANAESTHETIST,
        clinic="north",
        password=PASSWORD,
        pin=PIN,
        by=None,
        now=T0,
    )


def sealed(bedside: Bedside, entry_id: str, username: str = "okoye") -> str:
    proved = bedside.post("witness", {"id": entry_id, "username": username, "pin": PIN})
    assert proved.status == 200, proved.text
    return str(proved.json()["second_person"])


ORDER = {"question": "heart_disease", "answer": "yes", "reason": "echo seen", "by": "okoye"}


def test_an_override_is_proved_by_the_pin_of_who_decided(bedside: Bedside) -> None:
    with_anaesthetist(bedside)
    body = answers(ORDER)
    others = body | {"second_person": sealed(bedside, body["id"], "diaz")}
    refused = bedside.post("gate", others)
    assert refused.status == 422
    assert refused.json()["problems"][0]["code"] == "second_person.other"
    assert bedside.session.answers == ()
    own = body | {"second_person": sealed(bedside, body["id"])}
    saved = bedside.post("gate", own)
    assert saved.status == 200, saved.text
    assert bedside.post("gate", own).status == 200, "sent again, saved once"
    [given] = bedside.session.answers
    assert (given.recorded_by, given.second_person) == ("blum", "okoye")
    assert saved.json()["state"]["verbal"] == []


def test_an_order_by_word_is_shown_until_its_owner_confirms_it(bedside: Bedside) -> None:
    with_anaesthetist(bedside)
    state = bedside.post("gate", answers(ORDER)).json()["state"]
    [order] = state["verbal"]
    assert order["verbal"] == "okoye"
    assert order["override"] == "ordered verbally by Okoye, not confirmed: echo seen"
    confirm = {"id": str(new_id()), "confirms": [order["override_id"]], "age_ms": 0}
    alone = bedside.post("confirm", confirm)
    assert alone.status == 422
    assert "Only who ordered it" in alone.text
    proved = confirm | {"second_person": sealed(bedside, confirm["id"])}
    saved = bedside.post("confirm", proved)
    assert saved.status == 200, saved.text
    assert bedside.post("confirm", proved).status == 200
    assert saved.json()["state"]["verbal"] == []
    assert [item.second_person for item in bedside.session.answers] == [None, "okoye"]


@pytest.mark.parametrize("rows", [None, [], "x", [1], ["no-id"], [{"id": "x"}]])
def test_a_confirmation_of_another_shape_is_refused_in_a_sentence(
    bedside: Bedside, rows: object
) -> None:
    refused = bedside.post("confirm", {"id": str(new_id()), "confirms": rows, "age_ms": 0})
    assert refused.status == 400
    assert "Reload the page" in refused.json()["error"]


def test_one_wrong_answer_saves_none_and_every_wrong_one_is_named(bedside: Bedside) -> None:
    refused = bedside.post(
        "gate",
        answers(
            {"question": "psychosis", "answer": "no"},
            {"question": "horoscope", "answer": "no"},
            {"question": "epilepsy", "answer": "yes", "reason": "seen", "by": None},
        ),
    )
    assert refused.status == 422
    keys = {problem["key"] for problem in refused.json()["problems"]}
    assert keys == {"gate.horoscope", "gate.epilepsy"}
    assert bedside.session.answers == ()


@pytest.mark.parametrize("rows", [None, [], "yes", [1], [{"question": "psychosis"}], [{}] * 101])
def test_answers_of_another_shape_are_refused_in_a_sentence(bedside: Bedside, rows: object) -> None:
    refused = bedside.post("gate", {"id": str(new_id()), "answers": rows, "age_ms": 0})
    assert refused.status == 400
    assert "Reload the page" in refused.json()["error"]
    assert bedside.session.answers == ()


def test_an_answer_there_is_not_is_refused_with_those_there_are(bedside: Bedside) -> None:
    refused = bedside.post("gate", answers({"question": "psychosis", "answer": "perhaps"}))
    assert refused.status == 422
    assert "yes, no, unknown" in refused.json()["problems"][0]["text"]


def test_the_state_that_follows_an_answer_has_it(bedside: Bedside) -> None:
    stop(bedside)
    bedside.home.clock.forward(seconds=60)
    state = bedside.post("gate", answers({"question": "cannula_removed", "answer": "yes"})).json()[
        "state"
    ]
    criteria = {item["id"]: item["state"] for item in state["leaving"]["criteria"]}
    assert criteria["cannula_removed"] == "met"
    assert criteria["escort_present"] == "not assessed"


def test_a_score_is_saved_as_one_set_and_shown_at_once(bedside: Bedside) -> None:
    stop(bedside)
    bedside.home.clock.forward(seconds=60)
    scored = dict.fromkeys(("activity", "respiration", "consciousness"), "2")
    body = a_set(**{f"aldrete_{name}": points for name, points in scored.items()})
    state = bedside.post("set", body).json()["state"]
    points = [part["points"] for part in state["leaving"]["score"]["parts"]]
    assert [points[index] for index in (0, 1, 3)] == [2, 2, 2]
    assert state["leaving"]["score"]["short"] == "incomplete"


def test_a_discharge_is_refused_with_everything_missing_and_recorded_when_it_happened(
    bedside: Bedside,
) -> None:
    stop(bedside)
    bedside.home.clock.forward(seconds=60)
    leaves = {"id": str(new_id()), "kind": "discharged", "text": None, "age_ms": 0}
    refused = bedside.post("event", leaves)
    assert refused.status == 422
    codes = {problem["code"] for problem in refused.json()["problems"]}
    assert {"discharge.recovery_score", "discharge.escort_present"} <= codes
    gone = bedside.post("event", leaves | {"already_happened": True, "text": "walked out"})
    assert gone.status == 200, gone.text
    event = bedside.session.events[-1]
    assert (event.kind, event.text) == (EventKind.DISCHARGED, "walked out")
    assert gone.json()["state"]["leaving"] is None
