"""The second person's PIN over HTTP: checked once, sealed for one entry, kept nowhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.ids import new_id
from monitor.permissions import Role
from monitor.user_admin import create_user
from tests.asgi_client import Answer
from tests.build import T0
from tests.pages.bedside_api import CLINIC, Bedside
from tests.pages.http_app import PASSWORD, PIN


def confirm(bedside: Bedside, entry_id: str, username: str = "diaz", pin: str = PIN) -> Answer:
    return bedside.post("witness", {"id": entry_id, "username": username, "pin": pin})


def a_syringe(entry_id: str, seal: str | None) -> dict[str, Any]:
    return {"id": entry_id, "concentration_mg_per_ml": "2", "second_person": seal}


def codes(answer: Answer) -> list[str]:
    return [problem["code"] for problem in answer.json()["problems"]]


def test_a_confirmed_syringe_carries_the_second_persons_name(bedside: Bedside) -> None:
    entry_id = str(new_id())
    refused = bedside.post("syringe", a_syringe(entry_id, None))
    assert (refused.status, codes(refused)) == (422, ["second_person.syringe"])
    confirmed = confirm(bedside, entry_id)
    assert confirmed.status == 200
    assert confirmed.json()["name"] == "Diaz"
    saved = bedside.post("syringe", a_syringe(entry_id, confirmed.json()["second_person"]))
    assert saved.status == 200, saved.text
    assert bedside.session.syringe_changes[-1].second_person == "diaz"
    assert PIN not in confirmed.text


@pytest.mark.parametrize(
    ("username", "pin", "code"),
    [
        ("diaz", "0000", "pin.wrong"),
        ("nobody", PIN, "pin.wrong"),
        ("blum", PIN, "second_person.same"),
        ("keller", PIN, "second_person.role"),
        ("olsen", PIN, "second_person.role"),
    ],
)
def test_who_cannot_be_the_second_person(
    bedside: Bedside, username: str, pin: str, code: str
) -> None:
    answer = confirm(bedside, str(new_id()), username, pin)
    assert (answer.status, codes(answer)) == (422, [code])


@pytest.mark.parametrize("pin", [PIN, "0000"])
def test_who_can_record_nothing_tries_no_pin(bedside: Bedside, pin: str) -> None:
    create_user(
        bedside.store, username="sato", name="Sato", role=Role.LEAD, clinic=CLINIC,
        password=PASSWORD, pin=PIN, by=None, now=T0,
    )  # fmt: skip
    client = bedside.home.signed_in("sato")
    body = {"id": str(new_id()), "username": "diaz", "pin": pin}
    token = bedside.home.device_of("sato").csrf_token
    answer = bedside.post("witness", body, client=client, x_csrf_token=token)
    assert answer.status == 403, answer.text
    assert "may not record observations" in answer.text
    assert "second_person" not in answer.text


def test_a_seal_is_for_one_entry_and_one_day(bedside: Bedside) -> None:
    entry_id, other = str(new_id()), str(new_id())
    seal = confirm(bedside, entry_id).json()["second_person"]
    elsewhere = bedside.post("syringe", a_syringe(other, seal))
    assert (elsewhere.status, codes(elsewhere)) == (422, ["second_person.again"])
    with bedside.signed_in_later(timedelta(hours=25)) as client:
        late = bedside.post("syringe", a_syringe(entry_id, seal), client=client)
    assert (late.status, codes(late)) == (422, ["second_person.again"])


@pytest.mark.parametrize("seal", ["diaz", "diaz|1|x", "diaz|²|x", "|||", "x" * 5000])
def test_a_seal_that_was_made_up_proves_nobody(bedside: Bedside, seal: str) -> None:
    answer = bedside.post("syringe", a_syringe(str(new_id()), seal))
    assert (answer.status, codes(answer)) == (422, ["second_person.again"])


def test_wrong_pins_are_throttled(bedside: Bedside) -> None:
    for _ in range(12):
        answer = confirm(bedside, str(new_id()), pin="0000")
    assert "Too many wrong PINs" in answer.json()["problems"][0]["text"]
    assert confirm(bedside, str(new_id())).status == 422
