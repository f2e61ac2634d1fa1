"""The answers of the gate and of the discharge, their overrides, and the weights doses go by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from monitor import lifecycle
from monitor.actions.opening import OpenSession
from monitor.actions.saving import refuse, save
from monitor.errors import Problem
from monitor.gate import answer_problems, label_of
from monitor.ids import derived_id
from monitor.permissions import Action, User
from monitor.record import DosingWeight, Fact, GateAnswer, WeightBasis
from monitor.requests import ConfirmRequest, GateRequest, StartRequest
from monitor.store import Store
from monitor.texts import text_problems
from monitor.verbal_orders import confirmed, verbal_orders
from monitor.weights import recorded_weight_kg

#: The actual weight was taken before the prescriber chose another one.
_WEIGHED_BEFORE = timedelta(seconds=1)


def answer_gate(
    store: Store,
    user: User,
    session_id: UUID,
    answers: tuple[GateRequest, ...],
    *,
    now: datetime,
    given_at: datetime | None = None,
    device: str | None = None,
) -> OpenSession:
    """Record answers and overrides after the session was opened; the newest answer is in force.

    ``given_at`` is when they were given, where that is not now: an answer that waited for the
    network belongs to the moment of the tap.
    """

    def settled(before: OpenSession, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        refuse(gate_problems(store, user.clinic, answers))
        lifecycle.check_can_record(before.session, now)
        return facts

    return save(
        store,
        user,
        session_id,
        Action.RECORD_EVENT,
        lambda _: gate_facts(answers, user, now, given_at=given_at),
        settled,
        now=now,
        device=device,
    )


def confirm_overrides(
    store: Store,
    user: User,
    session_id: UUID,
    request: ConfirmRequest,
    *,
    now: datetime,
    device: str | None = None,
) -> OpenSession:
    """Record that who ordered something by word confirms it: under their own name, or by PIN.

    Raises:
        InvalidEntry: it was changed meanwhile, or somebody else confirms than who ordered it.
    """
    confirms = request.second_person or user.username

    def entered(before: OpenSession) -> tuple[Fact, ...]:
        return tuple(
            confirmed(
                answer,
                by_entry=request.id,
                recorded_by=user.username,
                second_person=request.second_person,
                now=now,
            )
            for answer in before.session.answers
            if answer.id in request.confirms
        )

    def settled(before: OpenSession, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        lifecycle.check_can_record(before.session, now)
        orders = {item.id: item for item in verbal_orders(before.session, now)}
        asked = [orders.get(order_id) for order_id in request.confirms]
        refuse(_confirm_problems(asked, confirms))
        return facts

    action = Action.RECORD_EVENT
    return save(store, user, session_id, action, entered, settled, now=now, device=device)


def _confirm_problems(asked: Iterable[GateAnswer | None], confirms: str) -> list[Problem]:
    orders = list(asked)
    if not orders or None in orders:
        message = "This was changed or confirmed meanwhile. Look at it again."
        return [Problem("confirms", message, code="confirms.changed")]
    if any(order is not None and order.override_by != confirms for order in orders):
        message = "Only who ordered it can confirm it."
        return [Problem("second_person", message, code="second_person.other")]
    return []


def gate_facts(
    answers: Iterable[GateRequest], user: User, at: datetime, *, given_at: datetime | None = None
) -> tuple[GateAnswer, ...]:
    """The answers as facts, each with its own id."""
    return tuple(
        GateAnswer(
            id=item.id,
            taken_at=given_at or at,
            recorded_at=at,
            recorded_by=user.username,
            question=item.question,
            answer=item.answer,
            override_reason=(item.override_reason or "").strip() or None,
            override_by=(item.override_by or "").strip() or None,
            second_person=item.second_person,
            note=(item.note or "").strip() or None,
        )
        for item in answers
    )


def gate_problems(
    store: Store, clinic: str, answers: tuple[GateRequest, ...]
) -> tuple[Problem, ...]:
    """Everything that is wrong with the answers, every problem at once."""
    roles = {person.username: person.role for person in store.users(clinic) if person.active}
    texts = [
        problem
        for item in answers
        for problem in text_problems(
            {"reason": item.override_reason, "name": item.override_by, "note": item.note}
        )
    ]
    given = [(item.question, item.override_reason, item.override_by) for item in answers]
    return (*texts, *answer_problems(given, roles), *_proof_problems(answers))


def _proof_problems(answers: Iterable[GateRequest]) -> tuple[Problem, ...]:
    """A PIN proves the decision of its owner, nobody else's."""
    message = "{label}: the PIN is not that of the person who decided."
    return tuple(
        Problem(
            f"gate.{item.question}",
            message.format(label=label_of(item.question)),
            code="second_person.other",
        )
        for item in answers
        if item.second_person is not None and item.second_person != item.override_by
    )


def weight_facts(request: StartRequest, user: User, at: datetime) -> tuple[DosingWeight, ...]:
    """The actual weight, and after it the one doses are calculated on when that is another."""

    def weight(weight_id: UUID, basis: WeightBasis, taken_at: datetime) -> DosingWeight:
        return DosingWeight(
            id=weight_id,
            taken_at=taken_at,
            recorded_at=at,
            recorded_by=user.username,
            weight_kg=recorded_weight_kg(
                basis,
                actual_kg=request.weight_kg,
                sex=request.patient.sex,
                height_cm=request.height_cm,
            ),
            basis=basis,
            measured=request.weight_measured,
            measured_on=request.weight_measured_on if request.weight_measured else None,
            height_cm=request.height_cm,
        )

    dosing = weight(request.weight_id, request.weight_basis, at)
    if request.weight_basis is WeightBasis.ACTUAL:
        return (dosing,)
    actual_id = derived_id("actual_weight", request.weight_id)
    return (weight(actual_id, WeightBasis.ACTUAL, at - _WEIGHED_BEFORE), dosing)
