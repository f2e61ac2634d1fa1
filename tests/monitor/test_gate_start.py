"""The gate stands before the first dose, and never before the record of one (U-45); both engines."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from monitor import actions, bedside
from monitor.errors import InvalidEntry, NeedsConfirmation
from monitor.record import Answer, DoseUnit
from monitor.requests import BolusRequest, GateRequest, RateRequest
from monitor.store import Store
from tests.build import an_id, at
from tests.entering import BLUM, clear_gate, rate_request, started


def start(**changes: object) -> RateRequest:
    return rate_request("0.1", 0, **({"second_person": "diaz"} | changes))


def codes(error: pytest.ExceptionInfo[InvalidEntry]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def questions(store: Store, session_id: UUID) -> list[str]:
    """What the button of the start says at minute 0."""
    opened = actions.open_session(store, BLUM, session_id, now=at(0))
    shown = bedside.state(opened, zone=store.zone, names={}, version=0)["dose"]["up"]
    return [question["code"] for question in shown["questions"]]


def test_an_open_gate_stops_the_start_and_says_how_many_points(store: Store) -> None:
    session_id = started(store)
    with pytest.raises(InvalidEntry, match=r"points of the gate block the start: .* and \d+ more"):
        actions.change_rate(store, BLUM, session_id, start(), now=at(0))
    assert store.session(session_id).dose_steps == ()
    assert "gate.block" in questions(store, session_id)


def test_a_first_bolus_meets_the_same_gate(store: Store) -> None:
    session_id = started(store)
    bolus = BolusRequest(
        id=an_id(), value=Decimal(8), unit=DoseUnit.MG, over_s=60, taken_at=at(0), reason="ordered",
        second_person="diaz",
    )  # fmt: skip
    with pytest.raises(InvalidEntry) as refused:
        actions.give_bolus(store, BLUM, session_id, bolus, now=at(0))
    assert "gate.block" in codes(refused)


def test_a_clear_gate_lets_the_infusion_start(store: Store) -> None:
    session_id = started(store)
    clear_gate(store, session_id)
    assert questions(store, session_id) == []
    opened = actions.change_rate(store, BLUM, session_id, start(), now=at(0))
    assert opened.session.dose_steps[0].overrides == ()


def test_a_caution_is_asked_once_with_a_reason(store: Store) -> None:
    session_id = started(store)
    clear_gate(store, session_id)
    epilepsy = GateRequest(id=an_id(), question="epilepsy", answer=Answer.YES)
    actions.answer_gate(store, BLUM, session_id, (epilepsy,), now=at(-2))
    with pytest.raises(NeedsConfirmation, match="1 point of the gate asks for a reason") as asked:
        actions.change_rate(store, BLUM, session_id, start(), now=at(0))
    opened = actions.change_rate(
        store, BLUM, session_id, start(reason="doctor's order"), now=at(0),
        confirmed=frozenset(codes(asked)),
    )  # fmt: skip
    assert opened.session.dose_steps[0].overrides == ("gate.caution",)


def test_a_start_that_happened_is_recorded_whatever_the_gate_says(store: Store) -> None:
    session_id = started(store)
    given = start(already_given=True)
    with pytest.raises(InvalidEntry, match="Say why"):
        actions.change_rate(store, BLUM, session_id, given, now=at(0))
    opened = actions.change_rate(
        store, BLUM, session_id, replace(given, reason="emergency"), now=at(0)
    )
    assert "gate.block" in opened.session.dose_steps[0].overrides


def test_the_gate_is_behind_once_the_infusion_runs(store: Store) -> None:
    session_id = started(store)
    actions.change_rate(
        store, BLUM, session_id, start(already_given=True, reason="emergency"), now=at(0)
    )
    down = rate_request("0.05", 5)
    assert actions.change_rate(store, BLUM, session_id, down, now=at(5)).session.dose_steps[1]
