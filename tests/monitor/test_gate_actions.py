"""Gate answers and weights as they are saved, on both engines: nothing lost, nothing half-saved."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from db import SqlStore
from monitor import actions
from monitor.accounts import UserEvent, UserEventKind
from monitor.audit import AuditEvent
from monitor.errors import InvalidEntry, WrongState
from monitor.gate import ItemState, gate_state
from monitor.lifecycle import EventKind
from monitor.permissions import User
from monitor.record import Answer, DoseStepKind, WeightBasis
from monitor.requests import EventRequest, GateRequest, StartRequest
from monitor.store import Store
from tests import build
from tests.build import an_id, at
from tests.entering import (
    BLUM,
    TWICE,
    balance_ledger,
    infusing,
    left,
    rate_request,
    start_request,
    started,
)


def with_people(store: Store, *people: User) -> None:
    event = AuditEvent(at(-60), "admin", "MANAGE_USERS")
    with store.write(event, clinic="main") as writer:
        for person in people:
            writer.add_user_event(
                UserEvent(
                    id=an_id(), kind=UserEventKind.CREATED, username=person.username,
                    name=person.name, role=person.role, clinic=person.clinic,
                    active=person.active, shift_lead=False, at=at(-60), by="admin",
                )
            )  # fmt: skip


def answer(
    question: str, given: Answer, reason: str | None = None, by: str | None = None
) -> GateRequest:
    return GateRequest(
        id=an_id(), question=question, answer=given, override_reason=reason, override_by=by
    )


def person(sex: str = "male") -> StartRequest:
    request = start_request(weight_kg=Decimal(120), height_cm=Decimal(178))
    return replace(request, patient=replace(request.patient, sex=sex))


def test_a_session_is_opened_with_its_answers(store: Store) -> None:
    with_people(store, build.anaesthetist())
    request = start_request(
        answers=(
            answer("psychosis", Answer.NO),
            answer("heart_disease", Answer.YES, " echo seen ", "okoye"),
        )
    )
    opened = actions.start_session(store, BLUM, request, now=at(-8))
    saved = {item.question: item for item in store.session(request.id).answers}
    assert saved["psychosis"].answer is Answer.NO
    assert saved["heart_disease"].override_reason == "echo seen"
    assert (saved["heart_disease"].override_by, saved["heart_disease"].recorded_by) == (
        "okoye",
        "blum",
    )
    state = gate_state(opened.session, opened.protocol, at(-7), zone=UTC)
    states = {item.id: item.state for item in state.items}
    assert states["heart_disease"] is ItemState.OVERRIDDEN
    assert states["pregnancy"] is ItemState.OPEN
    assert actions.start_session(store, BLUM, request, now=at(-7)).session == opened.session


def test_a_wrong_answer_opens_nothing_and_every_problem_is_said(store: Store) -> None:
    request = start_request(
        chair=" ",
        answers=(
            answer("psychosis", Answer.YES, "stable", "blum"),
            answer("hair_colour", Answer.YES),
            answer("epilepsy", Answer.YES, "x" * 501, None),
        ),
    )
    with pytest.raises(InvalidEntry) as refused:
        actions.start_session(store, BLUM, request, now=at(-8))
    fields = [problem.field for problem in refused.value.problems]
    assert fields == ["chair", "reason", "gate.psychosis", "gate.hair_colour", "gate.epilepsy"]
    assert store.open_session_ids("main") == ()


def test_a_disabled_anaesthetist_overrides_nothing(store: Store) -> None:
    with_people(store, build.anaesthetist(active=False))
    request = start_request(answers=(answer("psychosis", Answer.YES, "stable", "okoye"),))
    with pytest.raises(InvalidEntry, match="only an anaesthetist"):
        actions.start_session(store, BLUM, request, now=at(-8))


def test_the_gate_is_answered_after_opening_and_corrected(store: Store) -> None:
    session_id = started(store)
    given = (answer("epilepsy", Answer.UNKNOWN), answer("psychosis", Answer.NO))
    actions.answer_gate(store, BLUM, session_id, given, now=at(-6))
    again = actions.answer_gate(store, BLUM, session_id, given, now=at(-5.5))
    assert len(again.session.answers) == 2
    later = (answer("epilepsy", Answer.NO),)
    opened = actions.answer_gate(store, BLUM, session_id, later, now=at(-5))
    assert len(opened.session.answers) == 3
    state = gate_state(opened.session, opened.protocol, at(-5), zone=UTC)
    assert next(i for i in state.items if i.id == "epilepsy").state is ItemState.ANSWERED


def test_one_wrong_answer_of_several_saves_none(store: Store) -> None:
    session_id = started(store)
    given = (answer("epilepsy", Answer.NO), answer("hair_colour", Answer.NO))
    with pytest.raises(InvalidEntry, match="hair_colour"):
        actions.answer_gate(store, BLUM, session_id, given, now=at(-6))
    assert store.session(session_id).answers == ()


def test_a_signed_session_takes_no_answer(store: Store) -> None:
    session_id = infusing(store)
    stop = rate_request("0", 60, kind=DoseStepKind.STOP)
    actions.change_rate(store, BLUM, session_id, stop, now=at(60))
    actions.record_event(store, BLUM, session_id, left(130), now=at(130))
    balance_ledger(store, session_id, 130)
    ending = [(EventKind.COMPLETED, BLUM), (EventKind.SIGNED, build.anaesthetist())]
    for minute, (kind, who) in enumerate(ending, start=131):
        request = EventRequest(id=an_id(), kind=kind, taken_at=at(minute))
        actions.record_event(store, who, session_id, request, now=at(minute))
    with pytest.raises(WrongState, match="signed"):
        actions.answer_gate(store, BLUM, session_id, (answer("epilepsy", Answer.NO),), now=at(140))


@pytest.mark.parametrize(
    ("basis", "kg"),
    [(WeightBasis.ACTUAL, "120"), (WeightBasis.IDEAL, "73.2"), (WeightBasis.ADJUSTED, "91.9")],
)
def test_doses_are_calculated_on_the_chosen_basis_and_the_actual_weight_stays(
    store: Store, basis: WeightBasis, kg: str
) -> None:
    request = replace(person(), weight_basis=basis)
    actions.start_session(store, BLUM, request, now=at(-8))
    session = store.session(request.id)
    assert session.weight_kg == Decimal(kg)
    assert session.weights[-1].basis is basis
    assert session.weights[0].weight_kg == 120
    assert session.weights[0].basis is WeightBasis.ACTUAL
    assert actions.start_session(store, BLUM, request, now=at(-7)).session == session


def test_a_basis_that_cannot_be_calculated_opens_nothing(store: Store) -> None:
    request = replace(person("unknown"), weight_basis=WeightBasis.IDEAL)
    with pytest.raises(InvalidEntry, match="Choose actual weight"):
        actions.start_session(store, BLUM, request, now=at(-8))
    assert store.open_session_ids("main") == ()


def test_the_next_session_compares_actual_with_actual_weight(store: Store) -> None:
    first = replace(person(), weight_basis=WeightBasis.IDEAL)
    actions.start_session(store, BLUM, first, now=at(-8))
    second = replace(
        start_request(weight_kg=Decimal(118), height_cm=Decimal(178)), patient=first.patient
    )
    opened = actions.start_session(store, BLUM, second, now=at(-7), confirmed=TWICE)
    assert opened.session.weight_kg == 118


def test_the_day_of_a_weighing_is_the_clinics(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 23:30 in London the day in Auckland is the next one."""
    late = at(0).replace(hour=23, minute=30)
    tomorrow = late.date() + timedelta(days=1)
    request = replace(start_request(), weight_measured_on=tomorrow, baseline=None)
    with pytest.raises(InvalidEntry, match="cannot have been measured"):
        actions.start_session(sqlite_store, BLUM, request, now=late)
    monkeypatch.setattr(sqlite_store, "zone", ZoneInfo("Pacific/Auckland"))
    opened = actions.start_session(sqlite_store, BLUM, request, now=late)
    assert [weight.measured_on for weight in opened.session.weights] == [tomorrow]
