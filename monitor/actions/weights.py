"""The weight doses go by: at the opening of a session, and another one later, with its reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from monitor import lifecycle
from monitor.actions.opening import OpenSession, open_session
from monitor.actions.saving import refuse, save
from monitor.entry_times import time_problems
from monitor.errors import Problem
from monitor.ids import derived_id
from monitor.permissions import Action, User
from monitor.record import (
    Answer,
    DosingWeight,
    Fact,
    GateAnswer,
    InfusionSession,
    Source,
    WeightBasis,
)
from monitor.requests import StartRequest, WeightRequest
from monitor.store import Store
from monitor.weight_change import limit_questions, weight_effects
from monitor.weights import (
    actual_weight_kg,
    basis_must_be_chosen,
    basis_problems,
    bmi,
    check_weight,
    recorded_weight_kg,
)

#: The actual weight was taken before the prescriber chose another one.
_WEIGHED_BEFORE = timedelta(seconds=1)
_ONE_DECIMAL = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightPreview:
    """What a weight would do: the dosing weight, sentences, and what would be asked or refused."""

    weight_kg: Decimal
    effects: tuple[str, ...]
    problems: tuple[Problem, ...]
    needs_reason: bool


def preview_weight(
    store: Store, user: User, session_id: UUID, request: WeightRequest, *, now: datetime
) -> WeightPreview:
    """What would change with this weight; nothing is saved.

    Raises:
        InvalidEntry: a weight that cannot be.
    """
    opened = open_session(store, user, session_id, now=now)
    request = _with_height(opened.session, request)
    problems = _problems(opened, request, now)
    refuse(problem for problem in problems if problem.kind == "hard" and problem.field != "reason")
    weight = _dosing_weight(opened.session, request, user, now)[-1].weight_kg
    return WeightPreview(
        weight_kg=weight,
        effects=weight_effects(opened.session, opened.protocol, weight, now),
        problems=tuple(problem for problem in problems if problem.kind == "soft"),
        needs_reason=_needs_reason(opened.session),
    )


def record_weight(
    store: Store,
    user: User,
    session_id: UUID,
    request: WeightRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
) -> OpenSession:
    """Record another weight.  The pump's mg/h stay; mg/kg are calculated anew (clinical.md 2.3)."""

    def entered(before: OpenSession) -> tuple[Fact, ...]:
        return _dosing_weight(before.session, _with_height(before.session, request), user, now)

    def settled(before: OpenSession, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        lifecycle.check_can_record(before.session, now)
        whole = _with_height(before.session, request)
        refuse(_problems(before, whole, now), confirmed)
        if not _actual_by_choice(whole):
            return facts
        return (*facts, _chosen(whole, user, now))

    action = Action.CHANGE_DOSE
    return save(store, user, session_id, action, entered, settled, now=now, device=device)


def weight_facts(request: StartRequest, user: User, at: datetime) -> tuple[DosingWeight, ...]:
    """The weight a session is opened with."""
    weight = WeightRequest(
        id=request.weight_id,
        weight_kg=request.weight_kg,
        basis=request.weight_basis,
        measured=request.weight_measured,
        measured_on=request.weight_measured_on if request.weight_measured else None,
        height_cm=request.height_cm,
        typed=request.weight_typed,
        taken_at=at,
    )
    return _facts(weight, request.patient.sex, user, at)


def _dosing_weight(
    session: InfusionSession, request: WeightRequest, user: User, at: datetime
) -> tuple[DosingWeight, ...]:
    return _facts(request, session.patient.sex, user, at)


def _facts(
    request: WeightRequest, sex: str, user: User, recorded_at: datetime
) -> tuple[DosingWeight, ...]:
    """The actual weight, and after it the one doses are calculated on when that is another."""

    def weight(weight_id: UUID, basis: WeightBasis, taken_at: datetime) -> DosingWeight:
        return DosingWeight(
            id=weight_id,
            taken_at=taken_at,
            recorded_at=recorded_at,
            recorded_by=user.username,
            source=request.source,
            weight_kg=recorded_weight_kg(
                basis, actual_kg=request.weight_kg, sex=sex, height_cm=request.height_cm
            ),
            basis=basis,
            measured=request.measured,
            measured_on=request.measured_on,
            height_cm=request.height_cm,
            # What was typed is the actual weight; ideal and adjusted ones are worked out.
            typed=request.typed if basis is WeightBasis.ACTUAL else None,
            reason=(request.reason or "").strip() or None,
        )

    dosing = weight(request.id, request.basis, request.taken_at)
    if request.basis is WeightBasis.ACTUAL:
        return (dosing,)
    actual_id = derived_id("actual_weight", request.id)
    return (weight(actual_id, WeightBasis.ACTUAL, request.taken_at - _WEIGHED_BEFORE), dosing)


def _with_height(session: InfusionSession, request: WeightRequest) -> WeightRequest:
    """With the height of before where none was typed: people do not shrink between two weighings.

    A weight that is recorded already keeps the height it was recorded with.
    """
    if request.height_cm is not None:
        return request
    recorded = session.fact(request.id)
    if isinstance(recorded, DosingWeight):
        return replace(request, height_cm=recorded.height_cm)
    heights = [item.height_cm for item in session.current(session.weights) if item.height_cm]
    return replace(request, height_cm=heights[-1] if heights else None)


def _needs_reason(session: InfusionSession) -> bool:
    return session.started_at is not None


def _problems(before: OpenSession, request: WeightRequest, now: datetime) -> tuple[Problem, ...]:
    session = before.session
    basis = basis_problems(request.basis, sex=session.patient.sex, height_cm=request.height_cm)
    weight = check_weight(
        request.weight_kg,
        measured=request.measured,
        measured_on=request.measured_on,
        today=now.date(),
        last_kg=actual_weight_kg(session.current(session.weights)),
        last_words="weight so far",
    )
    problems = [*time_problems(request.taken_at, session, now, request.source), *weight, *basis]
    if _needs_reason(session) and not (request.reason or "").strip():
        problems.append(Problem("reason", "Say why the weight is another one now."))
    if any(problem.kind == "hard" for problem in (*weight, *basis)):
        return tuple(problems)
    if _actual_by_choice(request) and request.height_cm is not None:
        index = bmi(request.weight_kg, request.height_cm).quantize(_ONE_DECIMAL)
        message = f"BMI {index} is 30 or more. Did the prescriber choose actual weight?"
        problems.append(Problem("weight_basis", message, kind="soft", code="weight_basis.actual"))
    kg = recorded_weight_kg(
        request.basis,
        actual_kg=request.weight_kg,
        sex=session.patient.sex,
        height_cm=request.height_cm,
    )
    return (*problems, *limit_questions(session, before.protocol, kg, now))


def _actual_by_choice(request: WeightRequest) -> bool:
    return (
        request.basis is WeightBasis.ACTUAL
        and request.height_cm is not None
        and basis_must_be_chosen(request.weight_kg, request.height_cm)
    )


def _chosen(request: WeightRequest, user: User, now: datetime) -> GateAnswer:
    """Actual weight was chosen on purpose: the point of the gate is settled with it."""
    return GateAnswer(
        id=derived_id("weight_basis", request.id),
        taken_at=request.taken_at,
        recorded_at=now,
        recorded_by=user.username,
        source=request.source if request.source is Source.PAPER else Source.KEYED,
        question="weight_basis",
        answer=Answer.NO,
    )
