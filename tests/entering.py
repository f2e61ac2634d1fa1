"""Requests as a bedside makes them, and a session in a store to make them in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from monitor import actions
from monitor.drug_ledger import balance
from monitor.entered import EnteredItem, EnteredSet
from monitor.gate_library import GATE
from monitor.lifecycle import EventKind
from monitor.permissions import User
from monitor.record import Answer, DoseStepKind, DoseUnit, DrugForm, MovementKind
from monitor.requests import EventRequest, GateRequest, MovementRequest, RateRequest, StartRequest
from monitor.store import Store
from tests.build import an_id, at, nurse, patient, seeded_id

BLUM = nurse()
NORMAL = {"hr": "68", "sbp": "128", "dbp": "76", "spo2": "97", "rr": "14", "sedation": "0"}


def start_request(**changes: object) -> StartRequest:
    values: dict[str, object] = {
        "id": an_id(),
        "patient": patient(allergies="none known"),
        "chair": "3",
        "protocol_id": seeded_id("protocol", "P02"),
        "drug_form": DrugForm.RACEMIC,
        "concentration_mg_per_ml": Decimal(2),
        "weight_id": an_id(),
        "weight_kg": Decimal(80),
        "height_cm": Decimal(178),
        "baseline": entered(-10, **NORMAL),
    }
    return StartRequest(**(values | changes))  # type: ignore[arg-type]


def entered(minute: float, **texts: str) -> EnteredSet:
    return EnteredSet(
        set_id=an_id(),
        taken_at=at(minute),
        items=tuple(
            EnteredItem(id=an_id(), parameter=key, text=text) for key, text in texts.items()
        ),
    )


#: Tests open many sessions in one chair and for one patient.
TWICE = frozenset({"chair.taken", "patient.in_session"})


def started(store: Store, by: User = BLUM, **changes: object) -> UUID:
    request = start_request(**changes)
    return actions.start_session(store, by, request, now=at(-8), confirmed=TWICE).session.id


def rate_request(value: str, minute: float, **changes: object) -> RateRequest:
    values: dict[str, object] = {
        "id": an_id(),
        "kind": DoseStepKind.RATE,
        "value": Decimal(value),
        "unit": DoseUnit.MG_PER_KG_PER_H,
        "taken_at": at(minute),
    }
    return RateRequest(**(values | changes))  # type: ignore[arg-type]


def clear_gate(store: Store, session_id: UUID) -> None:
    """Answer every question without a concern and take the second baseline set, minutes -4 and -3."""
    opened = actions.open_session(store, BLUM, session_id, now=at(-4))
    answers = tuple(
        GateRequest(
            id=an_id(),
            question=question.id,
            answer=Answer.NO if Answer.YES in question.concern else Answer.YES,
            note="none" if question.note else None,
        )
        for question in GATE.questions_for(opened.protocol)
    )
    actions.answer_gate(store, BLUM, session_id, answers, now=at(-4))
    actions.record_observations(store, BLUM, session_id, entered(-3, **NORMAL), now=at(-3))


def infusing(store: Store) -> UUID:
    """A session whose infusion began at minute 0, with its gate on paper."""
    session_id = started(store)
    start = rate_request("0.1", 0, second_person="diaz", already_given=True, reason="gate on paper")
    actions.change_rate(store, BLUM, session_id, start, now=at(0))
    return session_id


def left(minute: float) -> EventRequest:
    """A patient who left, whatever was missing."""
    return EventRequest(
        id=an_id(),
        kind=EventKind.DISCHARGED,
        taken_at=at(minute),
        text="wanted to go",
        already_happened=True,
    )


def balance_ledger(store: Store, session_id: UUID, minute: float) -> None:
    """Account for the drug of a session: one ampoule issued, the rest wasted."""
    given_mg = balance(store.session(session_id), at(minute)).given_mg
    issued = MovementRequest(
        id=an_id(),
        kind=MovementKind.ISSUED,
        amount_mg=Decimal(200),
        taken_at=at(minute),
        batch="K 4711",
        expires_on=date(2027, 6, 30),
        witness="diaz",
    )
    wasted = replace(
        issued,
        id=an_id(),
        kind=MovementKind.WASTED,
        amount_mg=200 - given_mg,
        batch=None,
        expires_on=None,
    )
    for line in (issued, wasted):
        actions.record_movement(store, BLUM, session_id, line, now=at(minute))


def save(store: Store, session_id: UUID, of: EnteredSet, now: datetime) -> actions.OpenSession:
    return actions.record_observations(
        store, BLUM, session_id, of, now=now, confirmed=frozenset({"sbp.jump", "spo2.jump"})
    )
