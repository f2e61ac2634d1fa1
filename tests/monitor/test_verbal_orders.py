"""Overrides in somebody's name: their own, proved by their PIN, or only by word until confirmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from uuid import UUID

import pytest

from monitor import actions
from monitor.errors import InvalidEntry, NeedsConfirmation, WrongState
from monitor.gate import ItemState, gate_state, newest_answers
from monitor.lifecycle import EventKind
from monitor.record import Answer, DoseStepKind, GateAnswer
from monitor.requests import ConfirmRequest, EventRequest, GateRequest
from monitor.store import Store
from monitor.verbal_orders import Proof, override_words, proof, verbal_orders
from tests import build
from tests.build import an_id, at
from tests.entering import BLUM, balance_ledger, infusing, left, rate_request, started
from tests.monitor.test_gate_actions import with_people

OKOYE, LARSEN = build.anaesthetist(), build.anaesthetist("larsen")
NAMES = {"okoye": "Okoye, A.", "blum": "Blum, A."}


def override(
    question: str = "heart_disease", by: str = "okoye", second_person: str | None = None
) -> GateRequest:
    return GateRequest(
        id=an_id(),
        question=question,
        answer=Answer.YES,
        override_reason="echo seen",
        override_by=by,
        second_person=second_person,
    )


def confirm(order_id: UUID, second_person: str | None = None) -> ConfirmRequest:
    return ConfirmRequest(id=an_id(), confirms=(order_id,), second_person=second_person)


def ordered(store: Store, *requests: GateRequest) -> UUID:
    """A session not started yet, in which the nurse recorded these overrides at minute -6."""
    with_people(store, OKOYE, LARSEN)
    session_id = started(store)
    actions.answer_gate(store, BLUM, session_id, requests or (override(),), now=at(-6))
    return session_id


def the_answer(store: Store, session_id: UUID, minute: float = 200) -> GateAnswer:
    return newest_answers(store.session(session_id), at(minute))["heart_disease"]


@pytest.mark.parametrize(
    ("by", "recorded_by", "second", "expected", "words"),
    [
        ("okoye", "okoye", None, Proof.OWN, "Okoye, A.: echo seen"),
        ("okoye", "blum", "okoye", Proof.PIN, "Okoye, A., confirmed by PIN: echo seen"),
        (
            "okoye",
            "blum",
            None,
            Proof.VERBAL,
            "ordered verbally by Okoye, A., not confirmed: echo seen",
        ),
        (
            "okoye",
            "blum",
            "diaz",
            Proof.VERBAL,
            "ordered verbally by Okoye, A., not confirmed: echo seen",
        ),
        ("blum", "blum", None, Proof.OWN, "Blum, A.: echo seen"),
    ],
)
def test_who_decided_and_how_that_is_known(
    by: str, recorded_by: str, second: str | None, expected: Proof, words: str
) -> None:
    answer = build.answer(
        "heart_disease",
        Answer.YES,
        override_reason="echo seen",
        override_by=by,
        recorded_by=recorded_by,
        second_person=second,
    )
    assert proof(answer) is expected
    assert override_words(answer, NAMES) == words


def test_a_plain_answer_proves_nobody() -> None:
    assert proof(build.answer("heart_disease", Answer.NO)) is None
    assert proof(build.answer("heart_disease", Answer.YES, override_reason="seen")) is None


def test_a_name_without_proof_lets_the_drug_start_and_stays_marked(store: Store) -> None:
    session_id = ordered(store)
    opened = actions.open_session(store, BLUM, session_id, now=at(-5))
    state = gate_state(opened.session, opened.protocol, at(-5), zone=UTC)
    assert [item.id for item in state.overridden] == ["heart_disease"]
    [order] = verbal_orders(opened.session, at(-5))
    assert order.override_by == "okoye"


def test_a_pin_proves_the_decision_of_its_owner_only(store: Store) -> None:
    session_id = ordered(store, override(second_person="okoye"))
    assert verbal_orders(store.session(session_id), at(0)) == ()
    wrong = override(second_person="larsen")
    with pytest.raises(InvalidEntry, match="not that of the person who decided"):
        actions.answer_gate(store, BLUM, session_id, (wrong,), now=at(-4))


@pytest.mark.parametrize("by_pin", [True, False])
def test_who_ordered_it_confirms_it_later(store: Store, by_pin: bool) -> None:
    session_id = ordered(store)
    order = the_answer(store, session_id)
    request = confirm(order.id, "okoye" if by_pin else None)
    who = BLUM if by_pin else OKOYE
    actions.confirm_overrides(store, who, session_id, request, now=at(3))
    again = actions.confirm_overrides(store, who, session_id, request, now=at(4))
    assert len(again.session.answers) == 2
    assert verbal_orders(again.session, at(4)) == ()
    now = the_answer(store, session_id)
    assert proof(now) is (Proof.PIN if by_pin else Proof.OWN)
    assert (now.taken_at, now.recorded_at) == (order.taken_at, at(3))
    # As the record stood before, it was not confirmed.
    assert verbal_orders(again.session.known_at(at(2)), at(2)) == (order,)


@pytest.mark.parametrize("second_person", [None, "larsen"])
def test_nobody_else_confirms_it(store: Store, second_person: str | None) -> None:
    session_id = ordered(store)
    request = confirm(the_answer(store, session_id).id, second_person)
    with pytest.raises(InvalidEntry, match="Only who ordered it"):
        actions.confirm_overrides(store, BLUM, session_id, request, now=at(3))
    assert len(store.session(session_id).answers) == 1


def test_what_was_changed_or_confirmed_meanwhile_is_not_confirmed_again(store: Store) -> None:
    session_id = ordered(store)
    old = the_answer(store, session_id).id
    actions.answer_gate(store, BLUM, session_id, (override(),), now=at(-5))
    for order_id in (old, an_id()):
        with pytest.raises(InvalidEntry, match="changed or confirmed meanwhile"):
            actions.confirm_overrides(store, OKOYE, session_id, confirm(order_id), now=at(3))
    nothing = ConfirmRequest(id=an_id(), confirms=())
    with pytest.raises(InvalidEntry, match="meanwhile"):
        actions.confirm_overrides(store, OKOYE, session_id, nothing, now=at(3))


def test_a_confirmation_does_not_cover_what_was_found_after_the_decision() -> None:
    """The order was for 165/90; the higher pressure measured since still stands in the way."""
    order = build.answer(
        "blood_pressure", Answer.NO, -20, override_reason="usual", override_by="okoye"
    )
    late = replace(order, id=an_id(), recorded_at=at(-2), second_person="okoye")
    session = build.session(
        build.obs_set(-30, sbp=152, dbp=88), build.obs_set(-10, sbp=156, dbp=88), order, late
    )
    protocol = build.seeded("protocol", "P02").protocol()
    states = {item.id: item for item in gate_state(session, protocol, at(0), zone=UTC).items}
    assert states["blood_pressure"].state is ItemState.CONCERN


def completed_with(store: Store, *requests: GateRequest) -> UUID:
    with_people(store, OKOYE, LARSEN)
    session_id = infusing(store)
    actions.answer_gate(store, BLUM, session_id, requests, now=at(5))
    stop = rate_request("0", 60, kind=DoseStepKind.STOP)
    actions.change_rate(store, BLUM, session_id, stop, now=at(60))
    actions.record_event(store, BLUM, session_id, left(130), now=at(130))
    balance_ledger(store, session_id, 130)
    done = EventRequest(id=an_id(), kind=EventKind.COMPLETED, taken_at=at(131))
    actions.record_event(store, BLUM, session_id, done, now=at(131))
    return session_id


def sign(minute: float = 140) -> EventRequest:
    return EventRequest(id=an_id(), kind=EventKind.SIGNED, taken_at=at(minute))


def test_signing_confirms_what_the_signer_ordered(store: Store) -> None:
    session_id = completed_with(store, override(), override("psychosis"))
    request = sign()
    opened = actions.record_event(store, OKOYE, session_id, request, now=at(140))
    assert verbal_orders(opened.session, at(140)) == ()
    again = actions.record_event(store, OKOYE, session_id, request, now=at(141))
    assert len(again.session.answers) == len(opened.session.answers) == 4
    with pytest.raises(WrongState, match="signed"):
        actions.confirm_overrides(store, OKOYE, session_id, confirm(an_id()), now=at(142))


def test_signing_over_the_unconfirmed_order_of_another_asks_and_leaves_it_marked(
    store: Store,
) -> None:
    session_id = completed_with(store, override(by="larsen"), override("psychosis"))
    request = sign()
    with pytest.raises(NeedsConfirmation) as asked:
        actions.record_event(store, OKOYE, session_id, request, now=at(140))
    [question] = asked.value.problems
    assert question.message.startswith("1 verbal order is not confirmed")
    assert "Larsen, A." in question.message
    assert len(store.session(session_id).answers) == 2, "nothing is confirmed by a refused sign-off"
    signed = actions.record_event(
        store, OKOYE, session_id, request, now=at(140), confirmed=frozenset({question.code})
    )
    assert [order.override_by for order in verbal_orders(signed.session, at(140))] == ["larsen"]
