"""The entry API of the bedside: saved once, asked, refused in words, never in another's name."""

from __future__ import annotations

import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from starlette.requests import ClientDisconnect, Request

from monitor.errors import StoreUnavailable
from monitor.ids import new_id
from monitor.record import NotTaken, Observation
from pages.http.device import unlock_device
from pages.http.grants import granted_user, make_grant
from tests.build import T0
from tests.pages.bedside_api import NORMAL, Bedside, a_set


def test_a_set_is_saved_with_the_state_that_follows(bedside: Bedside) -> None:
    body = a_set(**NORMAL)

    answer = bedside.post("set", body)

    assert answer.status == 200, answer.text
    content = answer.json()
    assert content["saved"] is True
    assert content["recorded_at"] == T0.isoformat()
    row = content["state"]["recent"][0]
    assert row["id"] == body["id"]
    assert {cell["parameter"]: cell["text"] for cell in row["cells"]} == NORMAL
    assert {key: str(bedside.values()[key]) for key in NORMAL} == NORMAL


def test_a_set_sent_twice_is_saved_once(bedside: Bedside) -> None:
    body = a_set(**NORMAL)
    first = bedside.post("set", body)
    before = bedside.session.observations

    bedside.home.clock.forward(seconds=3)
    second = bedside.post("set", body | {"age_ms": 3000})

    assert (first.status, second.status) == (200, 200)
    assert bedside.session.observations == before
    assert second.json()["state"]["recent"][0]["id"] == body["id"]


def test_a_used_id_with_other_values_is_refused_and_not_called_saved(bedside: Bedside) -> None:
    body = a_set(**NORMAL)
    bedside.post("set", body)
    before = bedside.session
    other = body | {"items": [body["items"][0] | {"text": "75"}, *body["items"][1:]]}
    answer = bedside.post("set", other)
    assert answer.status == 422
    [problem] = answer.json()["problems"]
    assert problem["code"] == "id.other_values"
    assert "this one is NOT saved. Record it again." in problem["text"]
    assert bedside.session == before


@pytest.mark.parametrize("days", [8, 60])
def test_a_repeat_is_acknowledged_whatever_its_age(bedside: Bedside, days: int) -> None:
    body = a_set(**NORMAL)
    bedside.post("set", body)
    before = bedside.session
    # The server lived on for so long; the sign-in of this test did not.
    later = timedelta(days=days)
    with bedside.signed_in_later(later) as client:
        answer = bedside.post("set", body | {"age_ms": later.total_seconds() * 1000}, client=client)
    assert answer.status == 200, answer.text
    assert answer.json()["saved"] is True
    assert bedside.session == before


def test_an_entry_is_never_refused_for_its_age_and_is_marked_late(bedside: Bedside) -> None:
    """A tablet that was found in a drawer (ruling 15)."""
    body = a_set(hr="70")
    days = timedelta(days=8)
    with bedside.signed_in_later(days) as client:
        answer = bedside.post("set", body | {"age_ms": days.total_seconds() * 1000}, client=client)
    assert answer.status == 200, answer.text
    saved = bedside.session.current_observations[-1]
    assert (saved.taken_at, saved.recorded_at) == (T0, T0 + days)
    rows = {row["id"]: row for row in answer.json()["state"]["recent"]}
    assert rows[body["id"]]["late"] == "saved 09:00"


@pytest.mark.parametrize(
    "age_ms", [-1, 3654 * 86_400_000, "9", None, True, [], float("nan"), float("inf")]
)
def test_an_age_that_cannot_be_is_refused_in_a_sentence(bedside: Bedside, age_ms: object) -> None:
    before = bedside.session
    answer = bedside.post("set", a_set(hr="70") | {"age_ms": age_ms})
    assert answer.status == 400
    assert "Check the clock of this device." in answer.json()["error"]
    assert bedside.session == before


def test_taken_at_is_the_server_time_less_the_age_of_the_tap(bedside: Bedside) -> None:
    bedside.post("set", a_set(taken={"ago": 5}, hr="70") | {"age_ms": 90_000})

    saved = bedside.session.current_observations[-1]
    assert saved.taken_at == T0 - timedelta(minutes=5, seconds=90)
    assert saved.recorded_at == T0


def test_a_clock_time_is_read_in_the_zone_of_the_clinic(bedside: Bedside) -> None:
    bedside.post("set", a_set(taken={"clock": "08:55"}, hr="70"))

    assert bedside.session.current_observations[-1].taken_at == T0 - timedelta(minutes=5)


def test_an_unusual_value_is_asked_once_and_then_saved(bedside: Bedside) -> None:
    body = a_set(hr="160")

    asked = bedside.post("set", body)
    codes = [question["code"] for question in asked.json()["questions"]]
    saved = bedside.post("set", body | {"confirmed": codes})

    assert asked.status == 409
    assert "hr.soft_above" in codes
    assert "160" in asked.json()["questions"][0]["text"]
    assert saved.status == 200
    assert bedside.values()["hr"] == 160


def test_every_impossible_value_is_refused_at_once_with_its_field(bedside: Bedside) -> None:
    answer = bedside.post("set", a_set(spo2="970", rr="99", hr="68"))

    assert answer.status == 422
    problems = answer.json()["problems"]
    assert {problem["key"] for problem in problems} == {"spo2", "rr"}
    assert all(problem["text"].endswith(".") for problem in problems)
    assert bedside.values()["spo2"] == 97, "nothing of the set was saved"


def test_zero_not_taken_and_nothing_stay_three_things(bedside: Bedside) -> None:
    bedside.post("set", a_set(nausea="0", not_taken__rr="asleep"))

    saved: list[Observation] = list(bedside.session.current_observations[-2:])
    found = {item.parameter: (item.value, item.not_taken) for item in saved}
    assert found == {"nausea": (Decimal(0), None), "rr": (None, NotTaken.ASLEEP)}


def test_without_the_token_of_the_page_nothing_is_saved(bedside: Bedside) -> None:
    before = bedside.session
    answer = bedside.post("set", a_set(**NORMAL), x_csrf_token="another")

    assert answer.status == 403
    assert bedside.session == before


def test_another_site_cannot_save(bedside: Bedside) -> None:
    answer = bedside.post("set", a_set(**NORMAL), sec_fetch_site="cross-site")

    assert answer.status == 403


def test_nobody_signed_in_gets_401(bedside: Bedside) -> None:
    answer = bedside.post("set", a_set(**NORMAL), client=bedside.home.browser())

    assert answer.status == 401


def test_a_role_that_may_not_record_is_refused_in_a_sentence(bedside: Bedside) -> None:
    keller = bedside.home.signed_in("keller")
    token = bedside.home.device_of("keller").csrf_token

    answer = bedside.post("set", a_set(**NORMAL), client=keller, x_csrf_token=token)

    assert answer.status == 403
    assert "may not" in answer.json()["error"]


def test_a_nurse_of_another_clinic_is_refused(bedside: Bedside) -> None:
    olsen = bedside.home.signed_in("olsen")
    token = bedside.home.device_of("olsen").csrf_token

    answer = bedside.post("set", a_set(**NORMAL), client=olsen, x_csrf_token=token)

    assert answer.status == 403


def test_an_unknown_session_is_404(bedside: Bedside) -> None:
    bedside.session_id = new_id()

    assert bedside.post("set", a_set(**NORMAL)).status == 404


def test_what_the_component_never_sends_is_refused_without_a_trace(bedside: Bedside) -> None:
    before = bedside.session
    for body in ({}, {"id": "x", "items": []}, {"id": str(new_id()), "items": "hr"}):
        assert bedside.post("set", body).status == 400
    assert bedside.post("set", a_set(hr="70") | {"age_ms": -5}).status == 400
    assert bedside.post("prescribe", a_set(hr="70")).status == 404
    assert bedside.session == before


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("set", {"items": [1]}),
        ("set", {"items": ["hr"]}),
        ("set", {"items": {"hr": "70"}}),
        ("set", {"items": [{"id": str(new_id()), "parameter": ["hr"], "text": "70"}]}),
        ("set", {"taken": "now"}),
        ("set", {"taken": 5}),
        ("set", {"age_ms": 10**5000}),
        ("set", {"grant": "okoye|1|é"}),
        ("rate", {"kind": "rate", "value": "5", "unit": "mg"}),
        ("bolus", {"value": "5", "unit": "mg/kg/h", "over_s": 0}),
        ("event", {"kind": "note", "text": "\ud800"}),
        ("effect", {"term": "nausea", "grade": 1, "note": "\ud800"}),
    ],
)
def test_an_entry_of_the_wrong_shape_is_refused_and_never_a_fault(
    bedside: Bedside, what: str, changes: dict[str, Any]
) -> None:
    before = bedside.session
    sys.set_int_max_str_digits(6000)
    try:
        answer = bedside.post(what, a_set(hr="70") | changes)
    finally:
        sys.set_int_max_str_digits(4300)
    assert answer.status in (400, 403, 422)
    assert "Traceback" not in answer.text
    assert bedside.session == before


def test_json_nested_without_end_is_refused(bedside: Bedside) -> None:
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    assert bedside.post("set", {"items": deep}).status == 400


def test_a_database_that_does_not_answer_is_said_plainly(
    bedside: Bedside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StoreUnavailable("The database is locked. Nothing was saved.")

    monkeypatch.setattr(bedside.store, "write", refuse)
    answer = bedside.post("set", a_set(**NORMAL))

    assert answer.status == 503
    assert "Nothing was saved" in answer.json()["error"]


def test_undo_strikes_the_whole_set_out_and_keeps_it_in_the_record(bedside: Bedside) -> None:
    body = a_set(**NORMAL)
    bedside.post("set", body)
    kept = len(bedside.session.observations)

    bedside.home.clock.forward(seconds=4)
    undo = {"id": str(new_id()), "undoes": body["id"], "age_ms": 0}
    assert bedside.post("undo", undo).status == 200
    assert bedside.post("undo", undo).status == 200

    assert bedside.values()["hr"] == 68, "the set before is in force again"
    assert all(str(item.set_id) != body["id"] for item in bedside.session.current_observations)
    assert len(bedside.session.observations) == kept
    assert len(bedside.session.amendments) == len(NORMAL)


def test_undo_is_over_after_a_minute(bedside: Bedside) -> None:
    body = a_set(hr="70")
    bedside.post("set", body)

    bedside.home.clock.forward(minutes=2)
    answer = bedside.post("undo", {"id": str(new_id()), "undoes": body["id"]})

    assert answer.status == 422
    assert bedside.values()["hr"] == 70


def test_a_wrong_value_is_corrected_with_a_reason_and_stays_visible(bedside: Bedside) -> None:
    body = a_set(hr="86")
    bedside.post("set", body)
    wrong = body["items"][0]["id"]
    amend = {
        "id": str(new_id()),
        "amends": wrong,
        "reason": "typing slip",
        "replacement": {"id": str(new_id()), "parameter": "hr", "text": "68"},
    }

    answer = bedside.post("amend", amend)

    assert answer.status == 200, answer.text
    cell = answer.json()["state"]["recent"][0]["cells"][0]
    assert (cell["text"], cell["was"]) == ("68", "86")
    assert bedside.values()["hr"] == 68


def test_a_rate_is_changed_and_shown_in_four_units(bedside: Bedside) -> None:
    # 0.1 -> 0.15 mg/kg/h for 70 kg at 2 mg/mL: 10.5 mg/h, 5.25 mL/h, 2.5 mcg/kg/min.
    bedside.post("set", a_set(**NORMAL))
    body = {"id": str(new_id()), "kind": "rate", "value": "0.15", "unit": "mg/kg/h"}

    answer = bedside.post("rate", body)

    assert answer.status == 200, answer.text
    rate = answer.json()["state"]["rate"]
    shown = " ".join(rate.values())
    assert rate["main"] == "0.15 mg/kg/h"
    assert "10.5 mg/h" in shown
    assert "5.25 mL/h" in shown
    assert "2.5 mcg/kg/min" in shown


def test_holding_is_never_asked_about(bedside: Bedside) -> None:
    body = {"id": str(new_id()), "kind": "hold", "value": "0", "unit": "mg/h"}

    answer = bedside.post("rate", body)

    assert answer.status == 200, answer.text
    assert answer.json()["state"]["phase"]["status"] == "paused"


def test_a_preview_saves_nothing(bedside: Bedside) -> None:
    before = bedside.session

    answer = bedside.post("preview", {"kind": "rate", "value": "7", "unit": "mg/h"})

    assert answer.status == 200, answer.text
    assert "0.1 mg/kg/h" in answer.json()["lines"]
    assert bedside.session == before


def test_a_side_effect_begins_and_ends(bedside: Bedside) -> None:
    effect = {"id": str(new_id()), "term": "nausea", "grade": 1, "taken": {"ago": 5}}

    begun = bedside.post("effect", effect)
    end = {"id": str(new_id()), "side_effect_id": effect["id"], "ended": True}
    ended = bedside.post("effect-change", end)

    assert [item["term"] for item in begun.json()["state"]["effects"]] == ["nausea"]
    assert ended.json()["state"]["effects"] == []


def test_an_event_is_one_tap(bedside: Bedside) -> None:
    answer = bedside.post("event", {"id": str(new_id()), "kind": "vomited"})

    assert answer.status == 200, answer.text
    assert answer.json()["state"]["recent"][0]["text"] == "Vomited"


def test_an_alert_is_raised_by_a_set_and_answered(bedside: Bedside) -> None:
    raised = bedside.post("set", a_set(spo2="88") | {"confirmed": ["spo2.jump"]})
    [alert] = raised.json()["state"]["alerts"]
    body = {"id": str(new_id()), "alert_id": alert["id"], "action": "oxygen"}

    answered = bedside.post("ack", body)

    assert alert["level"] == "critical"
    assert answered.status == 200, answered.text
    [after] = answered.json()["state"]["alerts"]
    assert after["needs_answer"] is False


def test_a_draft_is_kept_and_dropped(bedside: Bedside) -> None:
    bedside.post("draft", {"content": '{"content": {}}'})
    assert [draft.username for draft in bedside.store.drafts(bedside.session_id)] == ["blum"]

    bedside.post("draft", {"content": ""})
    assert bedside.store.drafts(bedside.session_id) == ()


def test_a_queued_entry_is_signed_by_who_tapped_it(bedside: Bedside) -> None:
    """The tablet changed hands before the network came back (ruling 6)."""
    device = bedside.home.device_of()
    grant = make_grant(bedside.store.user("blum"), device, bedside.session_id, T0)
    bedside.home.clock.forward(minutes=1)
    gate, now = bedside.home.app._gate, bedside.home.clock()
    assert unlock_device(gate, device.token_hash, bedside.store.user("diaz"), now)
    token = bedside.home.device_of("diaz").csrf_token

    answer = bedside.post("set", a_set(hr="70") | {"grant": grant}, x_csrf_token=token)

    assert answer.status == 200, answer.text
    assert bedside.session.current_observations[-1].recorded_by == "blum"


def test_nobody_can_claim_anothers_name(bedside: Bedside) -> None:
    answer = bedside.post("set", a_set(hr="70") | {"grant": "diaz|1772442000|forged"})

    assert answer.status == 403
    assert "diaz" in answer.json()["error"]


def test_a_grant_is_for_one_session_and_one_day(bedside: Bedside) -> None:
    blum, diaz = bedside.store.user("blum"), bedside.store.user("diaz")
    device = bedside.home.device_of()
    grant = make_grant(diaz, device, bedside.session_id, T0)

    def signer(session_id: UUID, hours: float) -> str:
        now = T0 + timedelta(hours=hours)
        return granted_user(bedside.store, grant, blum, device, session_id, now).username

    assert signer(bedside.session_id, 23.9) == "diaz"
    for session_id, hours in ((new_id(), 1), (bedside.session_id, 24.1)):
        with pytest.raises(Exception, match="diaz"):
            signer(session_id, hours)


def test_everything_the_screen_is_told_can_be_sent(bedside: Bedside) -> None:
    """The state of a session with every kind of fact is plain JSON."""
    state = bedside.client.get(f"/entry/{bedside.session_id}/state").json()["state"]

    assert state["patient"]["name"] == "BERG, Nora"
    assert state["previous"]["hr"][0]["value"] == 68
    assert state["dose"]["hold"] is not None


def test_an_entry_that_was_cut_off_on_its_way_saves_nothing_and_is_no_fault(
    bedside: Bedside, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def cut_off(_: Request) -> object:
        raise ClientDisconnect

    monkeypatch.setattr(Request, "json", cut_off)
    before = bedside.session
    assert bedside.post("set", a_set(hr="70")).status == 400
    assert bedside.session == before
    assert caplog.records == []
