"""Undo and amend: true for every kind of entry, and what was said before stays to be read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.ids import new_id
from tests.asgi_client import Answer
from tests.pages.bedside_api import NORMAL, Bedside, a_set
from tests.pages.http_app import PIN


def an_entry(**body: Any) -> dict[str, Any]:
    return {"id": str(new_id()), "age_ms": 0} | body


def undo(bedside: Bedside, entry: dict[str, Any], **changes: Any) -> Answer:
    return bedside.post("undo", an_entry(undoes=entry["id"]) | changes)


RATE = {"kind": "rate", "value": "0.05", "unit": "mg/kg/h"}
#: Every kind of entry that saves a fact, with what its struck row still says.
ENTRIES: dict[str, tuple[str, dict[str, Any], str]] = {
    "set": ("set", a_set(**NORMAL), "SYS 128"),
    "rate": ("rate", RATE, "Rate 0.05 mg/kg/h"),
    "hold": ("rate", RATE | {"kind": "hold", "value": "0", "unit": "mg/h"}, "Infusion held"),
    "bolus": (
        "bolus",
        {"value": "5", "unit": "mg", "over_s": 0, "reason": "order", "already_given": True},
        "Bolus 5 mg",
    ),
    "effect": ("effect", {"term": "dizzy", "grade": 1}, "Dizziness grade 1"),
    "asked none": ("effect", {"term": "none", "grade": 0}, "Asked: no side effect"),
    "event": ("event", {"kind": "toilet"}, "Toilet"),
    "drug": ("event", {"kind": "drug", "text": "paracetamol 1 g"}, "Drug: paracetamol 1 g"),
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_undo_takes_back_every_kind_of_entry_and_leaves_it_readable(
    bedside: Bedside, kind: str
) -> None:
    path, content, said = ENTRIES[kind]
    before = bedside.session.facts()
    entry = an_entry() | content | {"id": str(new_id())}
    assert bedside.post(path, entry).status == 200
    new = {fact.id for fact in bedside.session.facts()} - {fact.id for fact in before}
    bedside.home.clock.forward(seconds=8)

    answer = undo(bedside, entry)

    assert answer.status == 200, answer.text
    session = bedside.session
    assert new <= session.amended_ids
    assert len(session.facts()) == len(before) + 2 * len(new), "nothing is removed"
    row = answer.json()["state"]["recent"][0]
    assert row["struck"] is True
    assert said in row["text"]
    assert "Struck out 09:00:08 by" in row["story"]
    assert "undone at once" in row["story"]


def gate(*given: dict[str, Any]) -> dict[str, Any]:
    rows = [{"id": str(new_id()), "reason": None, "by": None, **one} for one in given]
    return an_entry(answers=rows)


def undo_gate(bedside: Bedside, entry: dict[str, Any]) -> Answer:
    return bedside.post("undo", an_entry(undoes=entry["answers"][0]["id"]))


def test_undo_of_an_override_brings_back_the_answer_before_it(bedside: Bedside) -> None:
    bedside.post("gate", gate({"question": "epilepsy", "answer": "no"}))
    bedside.home.clock.forward(seconds=5)
    slip = {"question": "epilepsy", "answer": "yes", "reason": "none for years", "by": "blum"}
    entry = gate(slip)
    shown = bedside.post("gate", entry).json()["state"]["recent"][0]
    assert shown["text"] == "⚑ Overridden: Epilepsy: Blum: none for years"
    bedside.home.clock.forward(seconds=8)

    answer = undo_gate(bedside, entry)

    assert answer.status == 200, answer.text
    session = bedside.session
    [in_force] = [item for item in session.answers if item.id not in session.amended_ids]
    assert in_force.answer.value == "no"
    row = answer.json()["state"]["recent"][0]
    assert row["struck"] is True
    assert row["text"] == "⚑ Overridden: Epilepsy: Blum: none for years"
    assert "undone at once" in row["story"]


def test_undo_of_a_group_of_answers_takes_back_all_of_them_in_one_row(bedside: Bedside) -> None:
    entry = gate(
        {"question": "psychosis", "answer": "no"}, {"question": "epilepsy", "answer": "no"}
    )
    bedside.post("gate", entry)

    state = undo_gate(bedside, entry).json()["state"]

    assert bedside.session.current(bedside.session.answers) == ()
    assert [row["text"] for row in state["recent"] if row["kind"] == "override"] == [
        "Gate: 2 answers"
    ]


def test_undo_of_a_change_leaves_the_side_effect_as_it_was(bedside: Bedside) -> None:
    effect = an_entry(term="dizzy", grade=1)
    bedside.post("effect", effect)
    change = an_entry(side_effect_id=effect["id"], grade=3)
    bedside.post("effect-change", change)

    state = undo(bedside, change).json()["state"]

    assert [item["grade"] for item in state["effects"]] == [1]


def test_undo_of_a_syringe_takes_back_the_rate_saved_with_it_and_nothing_else(
    bedside: Bedside,
) -> None:
    """Both entries are saved in the same instant: what belongs together is known, not guessed."""
    rate_id = str(new_id())
    syringe = an_entry(
        concentration_mg_per_ml="5",
        rate={"id": rate_id, "value": "1", "unit": "mL/h"},
        reason="order",
        already_given=True,
    )
    confirmed = {"id": syringe["id"], "username": "diaz", "pin": PIN}
    syringe["second_person"] = bedside.post("witness", confirmed).json()["second_person"]
    other = an_entry(**RATE)
    assert bedside.post("syringe", syringe).status == 200
    assert bedside.post("rate", other).status == 200

    assert undo(bedside, syringe).status == 200

    struck = {str(item) for item in bedside.session.amended_ids}
    assert struck == {syringe["id"], rate_id}


def test_a_repeated_undo_is_one_undo(bedside: Bedside) -> None:
    entry = a_set(**NORMAL)
    bedside.post("set", entry)
    again = an_entry(undoes=entry["id"])
    assert bedside.post("undo", again).status == 200
    before = bedside.session

    assert bedside.post("undo", again).status == 200
    assert bedside.session == before


def test_undo_leaves_what_somebody_corrected_meanwhile(bedside: Bedside) -> None:
    entry = a_set(**NORMAL)
    bedside.post("set", entry)
    heart = entry["items"][0]
    fixed = {"id": str(new_id()), "parameter": "hr", "text": "70"}
    amended = bedside.post(
        "amend", an_entry(amends=heart["id"], reason="typing slip", replacement=fixed)
    )
    assert amended.status == 200, amended.text

    assert undo(bedside, entry).status == 200

    assert fixed["id"] not in {str(item) for item in bedside.session.amended_ids}
    assert bedside.values()["hr"] == 70


def test_what_was_corrected_completely_cannot_be_undone_any_more(bedside: Bedside) -> None:
    entry = an_entry(kind="toilet")
    bedside.post("event", entry)
    bedside.post("amend", an_entry(amends=entry["id"], reason="wrong patient"))

    answer = undo(bedside, entry)

    assert answer.status == 422
    assert "already corrected" in answer.text


@pytest.mark.parametrize("struck", [False, True])
def test_a_correction_is_not_undone_because_neither_value_would_be_left(
    bedside: Bedside, struck: bool
) -> None:
    entry = a_set(**NORMAL)
    bedside.post("set", entry)
    heart = entry["items"][0]["id"]
    fixed = {"id": str(new_id()), "parameter": "hr", "text": "70"}
    amend = an_entry(amends=heart, reason="typing slip", replacement=None if struck else fixed)
    assert bedside.post("amend", amend).status == 200
    before = bedside.session

    for undone in (amend,) if struck else (amend, fixed):
        answer = undo(bedside, undone)
        assert answer.status == 422
        assert "A correction is not undone: correct the value again." in answer.text
    assert bedside.session == before


def test_an_undo_and_a_corrected_time_are_not_undone(bedside: Bedside) -> None:
    event, entry = an_entry(kind="toilet"), a_set(hr="70")
    bedside.post("event", event)
    bedside.post("set", entry)
    assert undo(bedside, event).status == 200
    moved = an_entry(moves=entry["id"], reason="wrong time", taken={"clock": "08:48"})
    assert bedside.post("retime", moved).status == 200
    before = bedside.session

    for correction in before.amendments:
        answer = undo(bedside, {"id": str(correction.id)})
        assert answer.status == 422
        assert "A correction is not undone" in answer.text
    assert bedside.session == before


def test_undo_never_reaches_what_the_start_of_the_session_saved(bedside: Bedside) -> None:
    before = bedside.session
    first = before.observations[0]

    answer = undo(bedside, {"id": str(first.set_id)})

    assert answer.status in (404, 422)
    assert bedside.session == before


def test_undo_is_the_persons_own(bedside: Bedside) -> None:
    entry = an_entry(kind="toilet")
    bedside.post("event", entry)
    diaz = bedside.home.signed_in("diaz")
    token = bedside.home.device_of("diaz").csrf_token

    answer = bedside.post("undo", an_entry(undoes=entry["id"]), client=diaz, x_csrf_token=token)

    assert answer.status == 422
    assert bedside.session.amended_ids == frozenset()


@pytest.mark.parametrize(
    ("parameter", "text", "code"),
    [
        ("sbp", "80", "dbp.not_below_sbp"),
        ("dbp", "130", "dbp.not_below_sbp"),
        ("dbp", "60", "map.difference"),
        ("map", "70", "map.not_between"),
        ("map", "119", "map.difference"),
        ("sbp", "92", "map.not_between"),
        ("map", "94", None),
    ],
)
def test_a_corrected_pressure_is_asked_about_beside_the_others_of_its_set(
    bedside: Bedside, parameter: str, text: str, code: str | None
) -> None:
    """clinical.md 3.1.  Asked, not refused: two wrong ones are put right one after the other."""
    entry = a_set(sbp="120", dbp="80", map="93", hr="70")
    assert bedside.post("set", entry).status == 200
    wrong = next(item for item in entry["items"] if item["parameter"] == parameter)
    right = {"id": str(new_id()), "parameter": parameter, "text": text}
    amend = an_entry(amends=wrong["id"], reason="typing slip", replacement=right)

    answer = bedside.post("amend", amend)

    if code is not None:
        assert answer.status == 409, answer.text
        codes = [question["code"] for question in answer.json()["questions"]]
        assert code in codes
        answer = bedside.post("amend", amend | {"confirmed": codes})
    assert answer.status == 200, answer.text
    assert str(bedside.values()[parameter]) == text


def test_another_value_of_a_set_is_corrected_without_a_question_about_its_pressures(
    bedside: Bedside,
) -> None:
    entry = a_set(sbp="120", dbp="108", hr="70")
    assert bedside.post("set", entry).status == 409
    assert bedside.post("set", entry | {"confirmed": ["sbp.pulse_pressure_below"]}).status == 200
    right = {"id": str(new_id()), "parameter": "hr", "text": "72"}
    heart = next(item for item in entry["items"] if item["parameter"] == "hr")

    answer = bedside.post(
        "amend", an_entry(amends=heart["id"], reason="typing slip", replacement=right)
    )

    assert answer.status == 200, answer.text


# -- two values of one thing ---------------------------------------------------------------------


def two_values(bedside: Bedside) -> tuple[dict[str, Any], dict[str, Any], Answer]:
    first, second = a_set(spo2="97"), a_set(spo2="91")
    bedside.post("set", first)
    bedside.home.clock.forward(seconds=25)
    answer = bedside.post("set", second | {"confirmed": ["spo2.jump", "spo2.soft_below"]})
    return first, second, answer


def choice(keeps: dict[str, Any], strikes: dict[str, Any]) -> dict[str, Any]:
    return an_entry(
        amends=strikes["items"][0]["id"],
        keeps=keeps["items"][0]["id"],
        reason="conflict",
        replacement=None,
    )


def test_both_values_are_shown_and_the_worse_one_counts_until_somebody_chooses(
    bedside: Bedside,
) -> None:
    first, second, answer = two_values(bedside)

    assert answer.status == 200, answer.text
    state = answer.json()["state"]
    (pair,) = state["conflicts"]
    assert [item["text"] for item in pair["values"]] == ["97 %", "91 %"]
    assert state["alerts"], "91 counts although 97 stands beside it"
    rows = {row["id"]: row for row in state["recent"]}
    assert all(rows[entry["id"]]["cells"][0]["contested"] for entry in (first, second))

    chosen = bedside.post("amend", choice(first, second)).json()["state"]

    assert chosen["conflicts"] == []
    assert chosen["alerts"] == []
    (amendment,) = bedside.session.amendments
    assert (str(amendment.amends), amendment.reason) == (second["items"][0]["id"], "conflict")


def test_two_people_who_choose_differently_do_not_strike_both(bedside: Bedside) -> None:
    first, second, _answer = two_values(bedside)
    assert bedside.post("amend", choice(first, second)).status == 200

    other = bedside.post("amend", choice(second, first))

    assert other.status == 422
    assert "struck out meanwhile" in other.text
    assert bedside.values()["spo2"] == 97


def test_a_conflict_is_not_made_by_a_value_a_minute_later(bedside: Bedside) -> None:
    bedside.post("set", a_set(spo2="97"))
    bedside.home.clock.forward(seconds=timedelta(minutes=1).total_seconds())

    answer = bedside.post("set", a_set(spo2="95"))

    assert answer.json()["state"]["conflicts"] == []


def test_both_are_right_when_it_was_measured_again_and_the_worse_one_counts_on(
    bedside: Bedside,
) -> None:
    first, second, before = two_values(bedside)
    pair = {"first": first["items"][0]["id"], "second": second["items"][0]["id"]}
    said = an_entry(pairs=[{"id": str(new_id()), **pair}])

    answer = bedside.post("both-right", said)

    assert answer.status == 200, answer.text
    state = answer.json()["state"]
    assert state["conflicts"] == []
    assert [alert["id"] for alert in state["alerts"]] == [
        alert["id"] for alert in before.json()["state"]["alerts"]
    ]
    assert bedside.session.amendments == ()
    assert not any(cell["contested"] for row in state["recent"] for cell in row["cells"])
    [row] = [row for row in state["recent"] if row["id"] == said["pairs"][0]["id"]]
    assert row["text"] == "Both right: SpO2 97 and 91 %"
    facts = bedside.session.facts()
    assert bedside.post("both-right", said).status == 200
    assert bedside.session.facts() == facts, "said twice is said once"

    taken_back = an_entry(amends=row["id"], reason="typing slip", replacement=None)
    assert len(bedside.post("amend", taken_back).json()["state"]["conflicts"]) == 1


def test_both_are_right_only_of_two_values_of_one_thing_that_stand(bedside: Bedside) -> None:
    first, second, _answer = two_values(bedside)
    other = a_set(hr="70")
    bedside.post("set", other)

    def said(one: dict[str, Any], another: dict[str, Any]) -> Answer:
        ids = {"first": one["items"][0]["id"], "second": another["items"][0]["id"]}
        return bedside.post("both-right", an_entry(pairs=[{"id": str(new_id()), **ids}]))

    assert said(first, other).status == 404
    assert bedside.post("both-right", an_entry(pairs=[])).status == 400
    bedside.post("amend", choice(first, second))
    struck = said(first, second)
    assert struck.status == 422
    assert "corrected meanwhile" in struck.text
    assert bedside.session.events == bedside.session.current(bedside.session.events)
