"""An entry sent again: the same is acknowledged whatever its age, something else never is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from monitor import actions
from monitor.actions import OpenSession
from monitor.actions import patients as register
from monitor.entered import EnteredItem, EnteredSet
from monitor.errors import InvalidEntry, NeedsConfirmation
from monitor.lifecycle import EventKind
from monitor.record import DoseStepKind, DoseUnit, NotTaken, WeightBasis
from monitor.requests import (
    AmendRequest,
    AnswerRequest,
    BolusRequest,
    EventRequest,
    RetimeRequest,
    SideEffectChangeRequest,
    SideEffectRequest,
    SyringeRequest,
    WeightRequest,
)
from monitor.store import Store
from tests.build import an_id, at, patient, seeded_id
from tests.entering import (
    BLUM,
    NORMAL,
    entered,
    infusing,
    rate_request,
    save,
    start_request,
    started,
)

#: One kind of entry: saving a request, the request, and what else it could say.
Kind = tuple[Callable[..., OpenSession], Any, list[dict[str, Any]]]


def entries(store: Store, session_id: UUID) -> dict[str, Kind]:
    """Every kind of request, ready to be saved in minute 20."""
    raised = save(store, session_id, entered(5, **NORMAL | {"spo2": "88"}), at(5))
    wrong = raised.session.observations[-1]
    effect = SideEffectRequest(id=an_id(), term="nausea", grade=2, onset_at=at(12))
    actions.record_side_effect(store, BLUM, session_id, effect, now=at(12))
    when = {"taken_at": at(17)}
    return {
        "rate": (
            actions.change_rate,
            rate_request("0.05", 20),
            [when, {"value": Decimal("0.06")}, {"unit": DoseUnit.MG_PER_H},
             {"kind": DoseStepKind.HOLD}, {"reason": "nausea"}, {"ordered_by": "okoye"}],
        ),
        "hold": (
            actions.change_rate,
            rate_request("0", 20, kind=DoseStepKind.HOLD),
            [when, {"kind": DoseStepKind.STOP}],
        ),
        "bolus": (
            actions.give_bolus,
            BolusRequest(id=an_id(), value=Decimal(8), unit=DoseUnit.MG, over_s=60,
                         taken_at=at(20), reason="ordered", already_given=True),
            [when, {"value": Decimal(9)}, {"unit": DoseUnit.MG_PER_KG}, {"over_s": 0},
             {"fully_given": True}, {"reason": "pain"}],
        ),
        "syringe": (
            actions.change_syringe,
            SyringeRequest(id=an_id(), concentration_mg_per_ml=Decimal(1), taken_at=at(20),
                           rate=rate_request("0.1", 20), batch="B7",
                           second_person="diaz"),
            [when, {"concentration_mg_per_ml": Decimal(5)}, {"batch": None},
             {"rate": rate_request("0.1", 20)}],
        ),
        "effect": (
            actions.record_side_effect,
            SideEffectRequest(id=an_id(), term="headache", grade=1, onset_at=at(20)),
            [{"onset_at": at(17)}, {"term": "nausea"}, {"grade": 2}, {"serious": True},
             {"note": "told late"}],
        ),
        "effect change": (
            actions.change_side_effect,
            SideEffectChangeRequest(id=an_id(), side_effect_id=effect.id, taken_at=at(20), grade=1),
            [when, {"grade": 3}, {"ended": True}, {"action": "ondansetron"}],
        ),
        "event": (
            actions.record_event,
            EventRequest(id=an_id(), kind=EventKind.NOTE, taken_at=at(20), text="window opened"),
            [when, {"kind": EventKind.TOILET}, {"text": "window closed"}],
        ),
        "correction": (
            actions.amend,
            AmendRequest(id=an_id(), amends=wrong.id, reason="typing slip",
                         replacement=EnteredItem(id=an_id(), parameter="sedation", text="1")),
            [{"amends": raised.session.observations[0].id}, {"reason": "other patient"},
             {"replacement": None}],
        ),
        "answer": (
            actions.answer_alert,
            AnswerRequest(id=an_id(), alert_id=raised.views[0].alert.id, action="oxygen"),
            [{"action": "position"}, {"text": "2 L"}],
        ),
    }  # fmt: skip


KINDS = ("rate", "hold", "bolus", "syringe", "effect", "effect change", "event", "correction", "answer")  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_entry_is_acknowledged_after_years_and_saved_once(store: Store, kind: str) -> None:
    session_id = infusing(store)
    act, request, _ = entries(store, session_id)[kind]
    act(store, BLUM, session_id, request, now=at(20))
    version, session = store.version("main"), store.session(session_id)

    late = at(20) + timedelta(days=1500)
    again = act(store, BLUM, session_id, request, now=late)

    assert again.session == session
    assert store.version("main") == version


@pytest.mark.parametrize("kind", KINDS)
def test_another_entry_under_a_used_id_is_refused_and_not_called_saved(
    store: Store, kind: str
) -> None:
    session_id = infusing(store)
    act, request, changes = entries(store, session_id)[kind]
    act(store, BLUM, session_id, request, now=at(20))
    version = store.version("main")

    for change in changes:
        with pytest.raises(InvalidEntry, match="NOT saved") as refused:
            act(store, BLUM, session_id, replace(request, **change), now=at(21))
        assert [problem.code for problem in refused.value.problems] == ["id.other_values"], change
    assert store.version("main") == version


def test_a_repeat_is_the_same_although_the_network_took_its_time(store: Store) -> None:
    session_id = infusing(store)
    request = rate_request("0.05", 10)
    first = actions.change_rate(store, BLUM, session_id, request, now=at(10))
    delayed = replace(request, taken_at=at(10.5))
    again = actions.change_rate(store, BLUM, session_id, delayed, now=at(11))
    assert again.session.dose_steps == first.session.dose_steps


def test_a_question_answered_is_no_repeat(store: Store) -> None:
    session_id = infusing(store)
    request = rate_request("0.3", 16, second_person="diaz")
    with pytest.raises(NeedsConfirmation) as asked:
        actions.change_rate(store, BLUM, session_id, request, now=at(16))
    codes = frozenset(problem.code for problem in asked.value.problems)
    reasoned = replace(request, reason="ordered")
    actions.change_rate(store, BLUM, session_id, reasoned, now=at(16), confirmed=codes)
    again = actions.change_rate(store, BLUM, session_id, reasoned, now=at(17))
    assert [step.reason for step in again.session.dose_steps] == ["gate on paper", "ordered"]


# -- sets -----------------------------------------------------------------------------------------


def changed(of: EnteredSet, **change: Any) -> EnteredSet:
    """The set with its first item said differently."""
    return replace(of, items=(replace(of.items[0], **change), *of.items[1:]))


def test_a_set_with_other_values_under_its_id_is_refused(store: Store) -> None:
    session_id = infusing(store)
    of = entered(5, **NORMAL)
    save(store, session_id, of, at(5))
    version = store.version("main")
    others = [
        changed(of, text="69"),
        changed(of, text=None, not_taken=NotTaken.ARTEFACT),
        changed(of, note="by hand"),
        changed(of, id=an_id()),
        replace(of, items=of.items[1:]),
        replace(of, items=(*of.items, EnteredItem(id=an_id(), parameter="temp", text="36.8"))),
        replace(of, items=tuple(replace(item, id=an_id()) for item in of.items)),
        replace(of, set_id=an_id()),
        replace(of, taken_at=at(1)),
    ]
    for other in others:
        with pytest.raises(InvalidEntry, match="NOT saved"):
            save(store, session_id, other, at(6))
    assert store.version("main") == version


def test_a_set_that_was_corrected_since_is_still_the_same_set(store: Store) -> None:
    session_id = infusing(store)
    of = entered(5, **NORMAL | {"sedation": "S", "roused_to_voice": "yes"})
    opened = save(store, session_id, of, at(5))
    wrong = opened.session.fact(of.items[0].id)
    assert wrong is not None
    right = EnteredItem(id=an_id(), parameter="hr", text="70")
    request = AmendRequest(id=an_id(), amends=wrong.id, reason="slip", replacement=right)
    corrected = actions.amend(store, BLUM, session_id, request, now=at(6))
    assert save(store, session_id, of, at(7)).session == corrected.session


def test_an_unreadable_set_under_a_used_id_says_what_is_unreadable(store: Store) -> None:
    session_id = infusing(store)
    of = entered(5, **NORMAL)
    save(store, session_id, of, at(5))
    with pytest.raises(InvalidEntry, match="letter O"):
        save(store, session_id, changed(of, text="6O"), at(6))
    twice = replace(of, items=(*of.items, replace(of.items[0], id=an_id(), text="75")))
    with pytest.raises(InvalidEntry, match="twice"):
        save(store, session_id, twice, at(6))


# -- what later entries changed -------------------------------------------------------------------


def test_a_corrected_time_is_acknowledged_after_other_corrections(store: Store) -> None:
    session_id = infusing(store)
    of = entered(10, **NORMAL)
    save(store, session_id, of, at(10))

    def moved(request: RetimeRequest, minute: float) -> OpenSession:
        return actions.correct_time(store, BLUM, session_id, request, now=at(minute))

    first = RetimeRequest(id=an_id(), moves=of.set_id, taken_at=at(5), reason="clock")
    moved(first, 11)
    heart = next(
        item for item in store.session(session_id).current_observations if item.parameter == "hr"
        and item.set_id == of.set_id
    )  # fmt: skip
    right = EnteredItem(id=an_id(), parameter="hr", text="71")
    fixed = AmendRequest(id=an_id(), amends=heart.id, reason="slip", replacement=right)
    actions.amend(store, BLUM, session_id, fixed, now=at(12))
    corrected = store.session(session_id)
    assert moved(first, 13).session == corrected

    second = RetimeRequest(id=an_id(), moves=of.set_id, taken_at=at(8), reason="clock again")
    moved(second, 14)
    after, version = store.session(session_id), store.version("main")
    assert moved(first, 15).session == after
    assert moved(second, 15).session == after
    assert actions.amend(store, BLUM, session_id, fixed, now=at(15)).session == after
    assert store.version("main") == version
    assert {item.taken_at for item in after.current_observations if item.set_id == of.set_id} == {
        at(8)
    }
    [baseline] = {item.set_id for item in after.observations} - {of.set_id}
    for other in ({"taken_at": at(1)}, {"reason": "other patient"}, {"moves": baseline}):
        with pytest.raises(InvalidEntry, match="NOT saved"):
            moved(replace(first, **other), 16)  # type: ignore[arg-type]
    assert store.version("main") == version


@pytest.mark.parametrize("basis", WeightBasis)
def test_a_weight_without_a_height_is_acknowledged_after_another_height(
    store: Store, basis: WeightBasis
) -> None:
    session_id = infusing(store)
    first = WeightRequest(
        id=an_id(), weight_kg=Decimal(72), basis=basis, measured=True, taken_at=at(5),
        reason="weighed",
    )  # fmt: skip
    second = replace(
        first, id=an_id(), height_cm=Decimal(168), taken_at=at(6), reason="height was wrong"
    )

    def weighed(request: WeightRequest, minute: float) -> OpenSession:
        confirmed = frozenset({"weight_kg.changed"})
        return actions.record_weight(
            store, BLUM, session_id, request, now=at(minute), confirmed=confirmed
        )

    assert weighed(first, 5).session.weights[-1].height_cm == Decimal(178)
    weighed(second, 6)
    patient_now = store.session(session_id).patient
    register.correct_patient(
        store, BLUM, replace(patient_now, sex="male", allergies="none known"),
        change_id=an_id(), reason="sex was wrong", seen=patient_now, now=at(7),
    )  # fmt: skip
    after, version = store.session(session_id), store.version("main")

    assert weighed(first, 8).session == after
    assert weighed(second, 8).session == after
    others: list[dict[str, Any]] = [
        {"weight_kg": Decimal(73)},
        {"height_cm": Decimal(170)},
        {"reason": "guessed"},
        {"basis": next(item for item in WeightBasis if item is not basis)},
    ]
    for other in others:
        with pytest.raises(InvalidEntry, match="NOT saved"):
            weighed(replace(first, **other), 9)
    assert store.version("main") == version


# -- ids of something else ------------------------------------------------------------------------


def test_an_id_of_another_kind_is_refused(store: Store) -> None:
    session_id = infusing(store)
    [step] = store.session(session_id).dose_steps
    event = EventRequest(id=step.id, kind=EventKind.NOTE, taken_at=at(5))
    with pytest.raises(InvalidEntry, match="NOT saved"):
        actions.record_event(store, BLUM, session_id, event, now=at(5))
    raised = save(store, session_id, entered(5, **NORMAL | {"spo2": "88"}), at(5))
    answer = AnswerRequest(id=step.id, alert_id=raised.views[0].alert.id, action="oxygen")
    with pytest.raises(InvalidEntry, match="NOT saved"):
        actions.answer_alert(store, BLUM, session_id, answer, now=at(6))


def test_an_id_of_another_session_is_refused(store: Store) -> None:
    first = infusing(store)
    of = entered(5, **NORMAL)
    save(store, first, of, at(5))
    other = started(store, patient=patient(id=an_id(), mrn="77"))
    before = store.session(other)
    with pytest.raises(InvalidEntry, match="already used"):
        save(store, other, replace(of, set_id=an_id()), at(6))
    assert store.session(other) == before
    assert store.verify() == ()


def test_a_session_opened_again_with_other_values_is_refused(store: Store) -> None:
    request = start_request()
    first = actions.start_session(store, BLUM, request, now=at(-8))
    version = store.version("main")
    others: list[dict[str, Any]] = [
        {"chair": "4"},
        {"weight_kg": Decimal(70)},
        {"weight_id": an_id()},
        {"concentration_mg_per_ml": Decimal(1)},
        {"protocol_id": seeded_id("protocol", "P05")},
        {"patient": patient(id=an_id(), mrn="78")},
        {"baseline": None},
        {"baseline": entered(-10, **NORMAL)},
    ]
    for other in others:
        with pytest.raises(InvalidEntry, match="NOT saved"):
            actions.start_session(store, BLUM, replace(request, **other), now=at(-7))
    assert store.version("main") == version
    assert actions.start_session(store, BLUM, request, now=at(900)).session == first.session
