"""Rates, holds, stops, boluses and syringes: what was given is always recorded, and flagged."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from monitor import dosing, lifecycle
from monitor.actions.opening import OpenSession
from monitor.actions.saving import refuse, save, settle, time_problems
from monitor.actions.sessions import concentration_problems
from monitor.errors import (
    InvalidEntry,
    Problem,
)
from monitor.permissions import Action, User
from monitor.record import (
    Bolus,
    DoseStep,
    DoseStepKind,
    Fact,
    SyringeChange,
)
from monitor.requests import (
    BolusRequest,
    RateRequest,
    SyringeRequest,
)
from monitor.store import Store


def change_rate(
    store: Store,
    user: User,
    session_id: UUID,
    request: RateRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
) -> OpenSession:
    """Record a start, step, hold, resume or stop.  Going down is never asked about (U-30)."""

    def decide(before: OpenSession) -> tuple[Fact, ...]:
        if before.session.fact(request.id):
            return ()
        return (_dose_step(before, user, request, now, confirmed),)

    return save(store, user, session_id, Action.CHANGE_DOSE, decide, now, device)


def _dose_step(
    before: OpenSession,
    user: User,
    request: RateRequest,
    now: datetime,
    confirmed: frozenset[str],
) -> DoseStep:
    session = before.session
    lifecycle.check_can_dose(session, now)
    zero = request.kind in (DoseStepKind.HOLD, DoseStepKind.STOP)
    value = Decimal(0) if zero else request.value
    proposed = dosing.ProposedRate(
        value=value, unit=request.unit, kind=request.kind, taken_at=request.taken_at
    )
    problems = (
        *time_problems(request.taken_at, session, now),
        *dosing.check_rate(session, before.protocol, proposed, interlocks=before.interlocks),
    )
    overrides = settle(problems, confirmed, request.reason, request.already_given)
    weight_kg = session.weight_kg
    if weight_kg is None:
        raise InvalidEntry([Problem("weight_kg", "Record the patient's weight before any dose.")])
    return DoseStep(
        id=request.id,
        taken_at=request.taken_at,
        recorded_at=now,
        recorded_by=user.username,
        source=request.source,
        kind=request.kind,
        rate_mg_per_h=dosing.to_mg_per_h(
            value,
            request.unit,
            weight_kg=weight_kg,
            concentration_mg_per_ml=dosing.current_concentration_mg_per_ml(
                session, request.taken_at
            ),
        ),
        entered_value=value,
        entered_unit=request.unit,
        reason=request.reason,
        ordered_by=request.ordered_by,
        overrides=overrides,
    )


def give_bolus(
    store: Store,
    user: User,
    session_id: UUID,
    request: BolusRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
) -> OpenSession:
    """Record a bolus."""

    def decide(before: OpenSession) -> tuple[Fact, ...]:
        session = before.session
        if session.fact(request.id):
            return ()
        lifecycle.check_can_dose(session, now)
        proposed = dosing.ProposedBolus(
            value=request.value,
            unit=request.unit,
            over_s=request.over_s,
            taken_at=request.taken_at,
        )
        problems = (
            *time_problems(request.taken_at, session, now),
            *dosing.check_bolus(session, before.protocol, proposed, interlocks=before.interlocks),
        )
        overrides = settle(problems, confirmed, request.reason, request.already_given)
        return (
            Bolus(
                id=request.id,
                taken_at=request.taken_at,
                recorded_at=now,
                recorded_by=user.username,
                amount_mg=dosing.to_mg(request.value, request.unit, weight_kg=session.weight_kg),
                over_s=request.over_s,
                entered_value=request.value,
                entered_unit=request.unit,
                fully_given=request.fully_given,
                reason=request.reason,
                ordered_by=request.ordered_by,
                overrides=overrides,
            ),
        )

    return save(store, user, session_id, Action.GIVE_BOLUS, decide, now, device)


def change_syringe(
    store: Store,
    user: User,
    session_id: UUID,
    request: SyringeRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
) -> OpenSession:
    """Record a new syringe and, when its concentration differs, the rate it runs at (U-28)."""

    def decide(before: OpenSession) -> tuple[Fact, ...]:
        session = before.session
        if session.fact(request.id):
            return ()
        lifecycle.check_can_dose(session, now)
        old = dosing.current_concentration_mg_per_ml(session, request.taken_at)
        running = dosing.current_rate_mg_per_h(session, request.taken_at) > 0
        problems = [
            *time_problems(request.taken_at, session, now),
            *concentration_problems(request.concentration_mg_per_ml),
        ]
        if running and old != request.concentration_mg_per_ml and request.rate is None:
            problems.append(
                Problem(
                    "rate",
                    "The new syringe has another concentration, so the old pump rate no longer "
                    "holds. Enter the rate it runs at now, or hold first.",
                )
            )
        refuse(problems, confirmed)
        change = SyringeChange(
            id=request.id,
            taken_at=request.taken_at,
            recorded_at=now,
            recorded_by=user.username,
            concentration_mg_per_ml=request.concentration_mg_per_ml,
            batch=request.batch,
        )
        if request.rate is None:
            return (change,)
        after = replace(before, session=session.with_facts([change]))
        return (change, _dose_step(after, user, request.rate, now, confirmed))

    return save(store, user, session_id, Action.CHANGE_DOSE, decide, now, device)
