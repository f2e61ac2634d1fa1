"""The rows of the record: all of them can be reached, and a wrong time can be put right."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitor.ids import new_id
from tests.pages.bedside_api import NORMAL, Bedside, a_set
from tests.pages.test_witness import confirm


def _retime(moves: str, clock: str, **more: Any) -> dict[str, Any]:
    body = {"id": str(new_id()), "moves": moves, "reason": "wrong time", "age_ms": 0}
    return body | {"taken": {"clock": clock}} | more


def _rows(bedside: Bedside, first: int) -> dict[str, Any]:
    answer = bedside.client.get(f"/entry/{bedside.session_id}/rows?from={first}")
    assert answer.status == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_every_row_of_the_session_can_be_reached(bedside: Bedside) -> None:
    sent = []
    for number in range(30):
        bedside.home.clock.now += timedelta(seconds=2)
        body = a_set(hr=str(60 + number))
        answer = bedside.post("set", body)
        assert answer.status == 200, answer.text
        state = answer.json()["state"]
        sent.append(body["id"])
    assert state["rows_n"] == len(sent) + 4, "a weight, two sets and a rate were there before"

    found = [row["id"] for row in state["recent"]]
    while len(found) < state["rows_n"]:
        page = _rows(bedside, len(found))
        assert page["rows_n"] == state["rows_n"]
        found += [row["id"] for row in page["rows"]]
    assert found[:30] == sent[::-1]
    assert len(set(found)) == state["rows_n"]
    assert _rows(bedside, 999)["rows"] == []


@pytest.mark.parametrize("first", ["x", "-1", "1.5", "٣", "9999999", ""])
def test_a_place_that_is_no_number_is_refused(bedside: Bedside, first: str) -> None:
    answer = bedside.client.get(f"/entry/{bedside.session_id}/rows?from={first}")
    assert answer.status == 400


def test_a_whole_set_goes_to_its_right_time_in_one_step(bedside: Bedside) -> None:
    body = a_set(**NORMAL, temp="37.2", chest_pain="0", not_taken__pain="refused")
    bedside.post("set", body)
    before = [item for item in bedside.session.observations if str(item.set_id) == body["id"]]

    answer = bedside.post("retime", _retime(body["id"], "08:48"))

    assert answer.status == 200, answer.text
    now = [item for item in bedside.session.current_observations if str(item.set_id) == body["id"]]
    assert {f"{item.taken_at:%H:%M}" for item in now} == {"08:48"}
    assert len(now) == len(before) == 11
    assert {(i.parameter, i.value, i.not_taken) for i in now} == {
        (i.parameter, i.value, i.not_taken) for i in before
    }
    row = answer.json()["state"]["recent"][0]
    assert (row["id"], row["taken_at"][11:16], row["late"]) == (body["id"], "08:48", "saved 09:00")
    assert "Time corrected 09:00:00 by" in row["story"]
    assert [cell["was"] for cell in row["cells"]] == [None] * 11, "no value was wrong"
    assert row["moves"] is True


def test_a_repeated_correction_of_a_time_is_saved_once(bedside: Bedside) -> None:
    body = a_set(hr="70")
    bedside.post("set", body)
    request = _retime(body["id"], "08:48")

    first = bedside.post("retime", request)
    facts = len(tuple(bedside.session.facts()))
    second = bedside.post("retime", request)

    assert (first.status, second.status) == (200, 200)
    assert len(tuple(bedside.session.facts())) == facts
    other = bedside.post("retime", request | {"taken": {"clock": "08:30"}})
    assert other.json()["problems"][0]["code"] == "id.other_values"


def test_a_set_can_be_moved_again_and_corrected_after_that(bedside: Bedside) -> None:
    body = a_set(hr="70")
    bedside.post("set", body)
    bedside.post("retime", _retime(body["id"], "08:48"))
    row = bedside.post("retime", _retime(body["id"], "08:52")).json()["state"]["recent"][0]
    assert row["taken_at"][11:16] == "08:52"

    right = {"id": str(new_id()), "parameter": "hr", "text": "71"}
    amended = bedside.post(
        "amend",
        {
            "id": str(new_id()),
            "amends": row["cells"][0]["id"],
            "reason": "typing slip",
            "replacement": right,
            "age_ms": 0,
        },
    )
    row = amended.json()["state"]["recent"][0]
    assert (row["taken_at"][11:16], row["cells"][0]["text"], row["cells"][0]["was"]) == (
        "08:52",
        "71",
        "70",
    )
    assert bedside.values()["hr"] == Decimal(71)


def test_an_alert_follows_the_value_to_its_right_time(bedside: Bedside) -> None:
    body = a_set(chest_pain="1")
    raised = bedside.post("set", body).json()["state"]["alerts"]
    assert [alert["state"] for alert in raised] == ["active"]

    moved = bedside.post("retime", _retime(body["id"], "08:48")).json()["state"]["alerts"]

    assert [alert["state"] for alert in moved] == ["active"]


def test_an_event_goes_to_its_right_time_and_a_dose_does_not(bedside: Bedside) -> None:
    event = {"id": str(new_id()), "kind": "vomited", "age_ms": 0}
    bedside.post("event", event)
    answer = bedside.post("retime", _retime(event["id"], "08:44"))
    assert answer.status == 200, answer.text
    [now] = bedside.session.current(bedside.session.events)
    assert (now.kind, f"{now.taken_at:%H:%M}") == ("vomited", "08:44")

    rate = bedside.session.dose_steps[-1]
    assert bedside.post("retime", _retime(str(rate.id), "08:50")).status == 404
    rows = {row["kind"]: row["moves"] for row in answer.json()["state"]["recent"]}
    assert rows["set"] is True


@pytest.mark.parametrize(
    ("clock", "reason", "said"),
    [("08:48", " ", "Say why it was wrong"), ("09:05", "wrong time", "")],
)
def test_what_is_wrong_with_a_correction_is_said(
    bedside: Bedside, clock: str, reason: str, said: str
) -> None:
    body = a_set(hr="70")
    bedside.post("set", body)
    refused = bedside.post("retime", _retime(body["id"], clock) | {"reason": reason})
    assert refused.status in (409, 422)
    assert said in refused.text
    assert bedside.values()["hr"] == Decimal(70)


def test_what_is_not_in_the_session_cannot_be_moved(bedside: Bedside) -> None:
    assert bedside.post("retime", _retime(str(new_id()), "08:48")).status == 404


def test_a_wrong_line_of_the_ledger_is_struck_out(bedside: Bedside) -> None:
    line: dict[str, Any] = {
        "id": str(new_id()),
        "kind": "issued",
        "amount_mg": "500",
        "ampoules": 10,
    }
    line |= {"batch": "K 4711", "expires_on": "2099-06", "age_ms": 0}
    seal = confirm(bedside, line["id"]).json()["second_person"]
    saved = bedside.post("ledger", line | {"second_person": seal})
    assert saved.status == 200, saved.text
    [shown] = saved.json()["state"]["ledger"]["lines"]
    assert (shown["id"], shown["struck"]) == (line["id"], False)

    struck = bedside.post(
        "amend",
        {
            "id": str(new_id()),
            "amends": shown["id"],
            "reason": "typing slip",
            "replacement": None,
            "age_ms": 0,
        },
    )
    assert struck.status == 200, struck.text
    ledger = struck.json()["state"]["ledger"]
    assert [row["struck"] for row in ledger["lines"]] == [True]
    assert ledger["is_empty"] is True


def test_a_browser_learns_which_of_its_drafts_are_in_the_record(bedside: Bedside) -> None:
    saved, undone, other = a_set(hr="70"), a_set(hr="71"), str(new_id())
    for entry in (saved, undone):
        assert bedside.post("set", entry).status == 200
    bedside.post("undo", {"id": str(new_id()), "age_ms": 0, "undoes": undone["id"]})

    answer = bedside.post("recorded", {"sets": [saved["id"], undone["id"], other]})

    # What was undone was saved, too: it is not to be offered anew.
    assert answer.json() == {"recorded": sorted([saved["id"], undone["id"]])}
    assert bedside.post("recorded", {"sets": []}).json() == {"recorded": []}


@pytest.mark.parametrize("sets", [None, "x", [1], ["x"], [None], [{}], ["x"] * 101])
def test_a_question_about_drafts_that_no_browser_asks_is_refused(
    bedside: Bedside, sets: object
) -> None:
    assert bedside.post("recorded", {"sets": sets}).status == 400
