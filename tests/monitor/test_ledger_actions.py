"""The drug ledger and the end of a session through the actions, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from monitor import actions
from monitor.errors import InvalidEntry, NeedsConfirmation, NotPermitted
from monitor.lifecycle import EventKind, SessionStatus
from monitor.record import DoseStepKind, MovementKind
from monitor.requests import EventRequest, MovementRequest, UndoRequest
from monitor.store import Store
from tests.build import an_id, at, lead
from tests.entering import BLUM, balance_ledger, infusing, left, rate_request


def issued(**changes: Any) -> MovementRequest:
    values: dict[str, Any] = {
        "id": an_id(),
        "kind": MovementKind.ISSUED,
        "amount_mg": Decimal(200),
        "taken_at": at(5),
        "ampoules": 1,
        "batch": "K 4711",
        "expires_on": date(2027, 6, 30),
        "witness": "diaz",
    }
    return MovementRequest(**(values | changes))


def stopped(store: Store) -> Any:
    session_id = infusing(store)
    stop = rate_request("0", 20, kind=DoseStepKind.STOP)
    actions.change_rate(store, BLUM, session_id, stop, now=at(20))
    return session_id


def test_a_line_is_saved_once_and_read_back(store: Store) -> None:
    session_id = infusing(store)
    line = issued()
    for minute in (5, 6):
        opened = actions.record_movement(store, BLUM, session_id, line, now=at(minute))
    (kept,) = opened.session.drug_movements
    assert (kept.amount_mg, kept.batch, kept.witness) == (200, "K 4711", "diaz")
    assert store.session(session_id).drug_movements == (kept,)


def test_the_same_id_with_another_amount_is_refused(store: Store) -> None:
    session_id = infusing(store)
    line = issued()
    actions.record_movement(store, BLUM, session_id, line, now=at(5))
    with pytest.raises(InvalidEntry, match="other values"):
        actions.record_movement(
            store, BLUM, session_id, replace(line, amount_mg=Decimal(100)), now=at(6)
        )


def test_every_problem_of_a_line_is_named_at_once(store: Store) -> None:
    session_id = infusing(store)
    wrong = issued(amount_mg=Decimal("0.05"), batch=None, expires_on=None, witness=None)
    with pytest.raises(InvalidEntry) as refused:
        actions.record_movement(store, BLUM, session_id, wrong, now=at(5))
    fields = {problem.field for problem in refused.value.problems}
    assert fields == {"amount_mg", "batch", "expires_on", "witness"}


def test_an_expired_ampoule_that_was_used_is_recorded_after_a_question(store: Store) -> None:
    session_id = infusing(store)
    line = issued(expires_on=date(2026, 2, 1))
    with pytest.raises(NeedsConfirmation):
        actions.record_movement(store, BLUM, session_id, line, now=at(5))
    confirmed = frozenset({"ledger.expired"})
    actions.record_movement(store, BLUM, session_id, line, now=at(5), confirmed=confirmed)


def test_a_lead_writes_nothing_into_the_ledger(store: Store) -> None:
    session_id = infusing(store)
    with pytest.raises(NotPermitted):
        actions.record_movement(store, lead(), session_id, issued(), now=at(5))


def test_a_session_is_completed_only_when_the_drug_is_accounted_for(store: Store) -> None:
    session_id = stopped(store)
    actions.record_event(store, BLUM, session_id, left(60), now=at(60))
    complete = EventRequest(id=an_id(), kind=EventKind.COMPLETED, taken_at=at(61))
    with pytest.raises(InvalidEntry, match="The drug ledger is empty"):
        actions.record_event(store, BLUM, session_id, complete, now=at(61))
    balance_ledger(store, session_id, 61)
    opened = actions.record_event(store, BLUM, session_id, complete, now=at(62))
    assert opened.status is SessionStatus.COMPLETED


def test_a_discharge_says_what_is_missing_and_a_patient_who_left_is_recorded(
    store: Store,
) -> None:
    session_id = stopped(store)
    home = EventRequest(id=an_id(), kind=EventKind.DISCHARGED, taken_at=at(30))
    with pytest.raises(InvalidEntry) as refused:
        actions.record_event(store, BLUM, session_id, home, now=at(30))
    codes = {problem.code for problem in refused.value.problems}
    assert "discharge.escort_present" in codes
    gone = replace(home, already_happened=True)
    with pytest.raises(InvalidEntry, match="Say why the patient left"):
        actions.record_event(store, BLUM, session_id, gone, now=at(30))
    opened = actions.record_event(
        store, BLUM, session_id, replace(gone, text="did not want to wait"), now=at(30)
    )
    assert opened.status is SessionStatus.DISCHARGED
    assert opened.session.events[-1].text == "did not want to wait"


def test_a_line_is_undone_within_its_time_and_stays_readable(store: Store) -> None:
    session_id = infusing(store)
    line = issued()
    actions.record_movement(store, BLUM, session_id, line, now=at(5))
    request = UndoRequest(id=an_id(), undoes=line.id, tapped_at=at(5.2))

    opened = actions.undo(store, BLUM, session_id, request, now=at(5.2))

    assert line.id in opened.session.amended_ids
    assert [kept.id for kept in opened.session.drug_movements] == [line.id]
    again = issued()
    actions.record_movement(store, BLUM, session_id, again, now=at(6))
    late = UndoRequest(id=an_id(), undoes=again.id, tapped_at=at(8))
    with pytest.raises(InvalidEntry, match="time for undo is over"):
        actions.undo(store, BLUM, session_id, late, now=at(8))
