"""One chair, one patient: a second session in either is asked about before it is opened; both engines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor import actions
from monitor.errors import NeedsConfirmation
from monitor.lifecycle import EventKind
from monitor.requests import EventRequest, StartRequest
from monitor.store import Store
from tests.build import an_id, at, patient
from tests.entering import BLUM, TWICE, start_request


def open_with(store: Store, request: StartRequest, **said: frozenset[str]) -> None:
    actions.start_session(store, BLUM, request, now=at(-6), **said)


def test_a_chair_that_is_not_free_is_asked_about_once(store: Store) -> None:
    open_with(store, start_request(chair="3"))
    second = start_request(chair=" 3 ")
    with pytest.raises(NeedsConfirmation) as asked:
        open_with(store, second)
    (problem,) = asked.value.problems
    assert (problem.field, problem.code) == ("chair", "chair.taken")
    assert problem.message.startswith("In chair 3 a session is not over, opened ")
    assert len(actions.seated(store, BLUM.clinic)) == 1
    open_with(store, second, confirmed=frozenset({"chair.taken"}))
    assert [session.chair for session in actions.seated(store, BLUM.clinic)] == ["3", "3"]


def test_a_patient_with_an_open_session_is_asked_about_once(store: Store) -> None:
    person = patient()
    open_with(store, start_request(chair="3", patient=person))
    second = start_request(chair="4", patient=person)
    with pytest.raises(NeedsConfirmation, match=r"chair 3.* Go on there") as asked:
        open_with(store, second)
    assert [problem.code for problem in asked.value.problems] == ["patient.in_session"]
    open_with(store, second, confirmed=TWICE)
    assert len(actions.seated(store, BLUM.clinic)) == 2


def test_the_same_request_again_and_another_clinic_ask_nothing(store: Store) -> None:
    request = start_request(chair="3")
    open_with(store, request)
    open_with(store, request)
    assert len(actions.seated(store, BLUM.clinic)) == 1
    assert actions.seated(store, "elsewhere") == ()


def test_a_session_that_is_over_leaves_its_chair_and_its_patient_free(store: Store) -> None:
    person = patient()
    first = start_request(chair="3", patient=person)
    open_with(store, first)
    cancelled = EventRequest(
        id=an_id(), kind=EventKind.CANCELLED, taken_at=at(-5), text="not fasted"
    )
    actions.record_event(store, BLUM, first.id, cancelled, now=at(-5))
    open_with(store, replace(start_request(chair="3"), patient=person))
    assert len(actions.seated(store, BLUM.clinic)) == 1
