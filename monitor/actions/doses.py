"""Rates, holds, stops, boluses and syringes: what was given is always recorded, and flagged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, tzinfo
from decimal import Decimal
from uuid import UUID

from monitor import dosing, lifecycle, second_person
from monitor.actions.opening import OpenSession
from monitor.actions.saving import refuse, save
from monitor.dose_problems import can_have_happened
from monitor.entry_times import time_problems
from monitor.errors import InvalidEntry, NotFound, Problem
from monitor.gate import gate_state
from monitor.ids import derived_id
from monitor.numbers import plain_text
from monitor.permissions import Action, Role, User
from monitor.record import (
    Bolus,
    DoseStep,
    DoseStepKind,
    Fact,
    InfusionSession,
    SessionEvent,
    Source,
    SyringeChange,
)
from monitor.requests import BolusRequest, RateRequest, SyringeRequest
from monitor.store import Store
from monitor.syringe_checks import syringe_problems

#: mg and mg/h of a dose as typed: worked out once it is known that it can be.
_NOT_YET = Decimal(0)


def change_rate(
    store: Store,
    user: User,
    session_id: UUID,
    request: RateRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
    late_reason: str | None = None,
) -> OpenSession:
    """Record a start, step, hold, resume or stop.  Going down is never asked about (U-30)."""
    step = _step_as_entered(request, user, now)

    def settled(before: OpenSession, _: tuple[Fact, ...]) -> tuple[Fact, ...]:
        return _checked_end(
            before, (_settled_step(before, step, request, user, now, confirmed, store.zone),), now
        )

    action = Action.CHANGE_DOSE
    return save(
        store,
        user,
        session_id,
        action,
        lambda _: (step,),
        settled,
        now=now,
        device=device,
        late_reason=late_reason,
    )


def _step_as_entered(request: RateRequest, user: User, now: datetime) -> DoseStep:
    zero = request.kind in (DoseStepKind.HOLD, DoseStepKind.STOP)
    return DoseStep(
        id=request.id,
        taken_at=request.taken_at,
        recorded_at=now,
        recorded_by=user.username,
        source=request.source,
        kind=request.kind,
        rate_mg_per_h=_NOT_YET,
        entered_value=Decimal(0) if zero else request.value,
        entered_unit=request.unit,
        reason=request.reason,
        ordered_by=request.ordered_by,
        second_person=request.second_person,
    )


def _settled_step(
    before: OpenSession,
    step: DoseStep,
    request: RateRequest,
    user: User,
    now: datetime,
    confirmed: frozenset[str],
    zone: tzinfo,
) -> DoseStep:
    session = before.session
    lifecycle.check_can_dose(session, now, step.taken_at)
    proposed = dosing.ProposedRate(
        value=step.entered_value, unit=step.entered_unit, kind=step.kind, taken_at=step.taken_at
    )
    limits = dosing.check_rate(
        session,
        before.protocol,
        proposed,
        interlocks=before.interlocks,
        doubts=before.titration_doubts(step.taken_at),
    )
    found = (*_gate_problems(before, step.entered_value, step.taken_at, zone), *limits)
    needed = second_person.for_rate(session, before.protocol, step.entered_value, found)
    problems = (
        *_impossible_time(step.taken_at, session, now, step.source),
        *found,
        *second_person.missing(needed, step.second_person, step.recorded_by),
    )
    overrides = _settle(
        problems, confirmed, request, nobody_ordered=_nobody_ordered(limits, request, user)
    )
    weight_kg = session.weight_kg
    if weight_kg is None:
        raise InvalidEntry([Problem("weight_kg", "Record the patient's weight before any dose.")])
    rate_mg_per_h = dosing.to_mg_per_h(
        step.entered_value,
        step.entered_unit,
        weight_kg=weight_kg,
        concentration_mg_per_ml=dosing.current_concentration_mg_per_ml(session, step.taken_at),
    )
    return replace(step, rate_mg_per_h=rate_mg_per_h, overrides=overrides)


def give_bolus(
    store: Store,
    user: User,
    session_id: UUID,
    request: BolusRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
    late_reason: str | None = None,
) -> OpenSession:
    """Record a bolus."""
    with_anaesthetist = Role.ANAESTHETIST in (user.role, _role(store, request.second_person))
    bolus = Bolus(
        id=request.id,
        taken_at=request.taken_at,
        recorded_at=now,
        recorded_by=user.username,
        amount_mg=_NOT_YET,
        over_s=request.over_s,
        entered_value=request.value,
        entered_unit=request.unit,
        fully_given=request.fully_given,
        reason=request.reason,
        ordered_by=request.ordered_by,
        second_person=request.second_person,
        source=request.source,
    )

    def settled(before: OpenSession, _: tuple[Fact, ...]) -> tuple[Fact, ...]:
        session = before.session
        lifecycle.check_can_dose(session, now, bolus.taken_at)
        proposed = dosing.ProposedBolus(
            value=bolus.entered_value,
            unit=bolus.entered_unit,
            over_s=bolus.over_s,
            taken_at=bolus.taken_at,
        )
        limits = dosing.check_bolus(
            session, before.protocol, proposed, interlocks=before.interlocks
        )
        found = (
            *_gate_problems(before, bolus.entered_value, bolus.taken_at, store.zone),
            *limits,
        )
        needed = second_person.for_bolus(before.protocol, found)
        problems = (
            *_impossible_time(bolus.taken_at, session, now, bolus.source),
            *found,
            *second_person.missing(
                needed, bolus.second_person, user.username, with_anaesthetist=with_anaesthetist
            ),
        )
        overrides = _settle(
            problems, confirmed, request, nobody_ordered=_nobody_ordered(limits, request, user)
        )
        amount_mg = dosing.to_mg(
            bolus.entered_value, bolus.entered_unit, weight_kg=session.weight_kg
        )
        given = replace(bolus, amount_mg=amount_mg, overrides=overrides)
        return _checked_end(before, (given,), now)

    action = Action.GIVE_BOLUS
    return save(
        store,
        user,
        session_id,
        action,
        lambda _: (bolus,),
        settled,
        now=now,
        device=device,
        late_reason=late_reason,
    )


def _role(store: Store, username: str | None) -> Role | None:
    if username is None:
        return None
    try:
        return store.user(username).role
    except NotFound:
        return None


def change_syringe(
    store: Store,
    user: User,
    session_id: UUID,
    request: SyringeRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
    late_reason: str | None = None,
) -> OpenSession:
    """Record a new syringe and, when its concentration differs, the rate it runs at (U-28)."""
    change = SyringeChange(
        id=request.id,
        taken_at=request.taken_at,
        recorded_at=now,
        recorded_by=user.username,
        concentration_mg_per_ml=request.concentration_mg_per_ml,
        batch=request.batch,
        second_person=request.second_person,
        source=request.source,
    )
    step = None if request.rate is None else _step_as_entered(request.rate, user, now)

    def settled(before: OpenSession, _: tuple[Fact, ...]) -> tuple[Fact, ...]:
        lifecycle.check_can_dose(before.session, now, change.taken_at)
        problems = (
            *_impossible_time(request.taken_at, before.session, now, request.source),
            *syringe_problems(
                before.session,
                before.protocol,
                request.concentration_mg_per_ml,
                request.taken_at,
                with_rate=request.rate is not None,
            ),
            *second_person.missing(
                second_person.for_syringe(before.protocol), change.second_person, change.recorded_by
            ),
        )
        if request.already_given:
            refuse(problem for problem in problems if not can_have_happened(problem))
        else:
            refuse(problems, confirmed)
        notes = (_note_of(change, problems, request.reason, now),) if problems else ()
        if step is None or request.rate is None:
            return (change, *notes)
        after = replace(before, session=before.session.with_facts([change]))
        rate = _settled_step(after, step, request.rate, user, now, confirmed, store.zone)
        return _checked_end(before, (change, rate, *notes), now)

    entered = (change,) if step is None else (change, step)
    action = Action.CHANGE_DOSE
    return save(
        store,
        user,
        session_id,
        action,
        lambda _: entered,
        settled,
        now=now,
        device=device,
        late_reason=late_reason,
    )


#: What is said of a syringe that was put in although something stood against it.
_SYRINGE_WORDS = {
    "concentration.hard": "{strength} mg/mL, a strength that is not infused",
    "concentration.unusual": "{strength} mg/mL, an unusual strength",
    "syringe_rate.hard": "no rate said, so it counts as held from here",
}


def _note_of(
    change: SyringeChange, problems: tuple[Problem, ...], reason: str | None, now: datetime
) -> SessionEvent:
    """The flag beside a syringe that was changed all the same: what stood against it, and why."""
    if not (reason or "").strip():
        why = "Say why the syringe was changed although this stands against it."
        if all(problem.code.startswith("second_person.") for problem in problems):
            why = "Say why nobody else confirmed the new syringe."
        raise InvalidEntry([Problem("reason", why)])
    strength = plain_text(change.concentration_mg_per_ml)
    words = "; ".join(
        _SYRINGE_WORDS.get(problem.code, "without a second person").format(strength=strength)
        for problem in problems
    )
    return SessionEvent(
        id=derived_id("alone", change.id),
        taken_at=change.taken_at,
        recorded_at=now,
        recorded_by=change.recorded_by,
        source=change.source,
        kind=lifecycle.EventKind.NOTE,
        text=f"New syringe {words}: {reason}",
        linked_to=change.id,
    )


def _gate_problems(
    before: OpenSession, value: Decimal, taken_at: datetime, zone: tzinfo
) -> tuple[Problem, ...]:
    """What the gate has against the first dose; a block stops the button, never the record (U-45)."""
    if before.session.started_at is not None or value <= 0:
        return ()
    as_of = max(before.as_of, taken_at)
    return gate_state(before.session, before.protocol, as_of, zone=zone).start_problems()


def _impossible_time(
    taken_at: datetime, session: InfusionSession, now: datetime, source: Source
) -> tuple[Problem, ...]:
    """What a time of a dose cannot be.  An unusual one is not asked about: a stop never is (U-30)."""
    found = time_problems(taken_at, session, now, source)
    return tuple(problem for problem in found if problem.kind == "hard")


def _checked_end(before: OpenSession, facts: tuple[Fact, ...], now: datetime) -> tuple[Fact, ...]:
    lifecycle.check_stays_over(before.session, before.session.with_facts(facts), now)
    return facts


def _nobody_ordered(
    limits: Iterable[Problem], request: RateRequest | BolusRequest, user: User
) -> tuple[Problem, ...]:
    """The question who ordered what went past a hard limit; an anaesthetist orders it themselves.

    An override names who answers for it (clinical.md 2.5, 9).  That nobody ordered it can be said.
    """
    beyond = any(problem.kind == "hard" for problem in limits)
    if not (request.already_given and beyond) or request.ordered_by:
        return ()
    if user.role is Role.ANAESTHETIST:
        return ()
    message = "Say who ordered this, or that nobody did."
    return (Problem("ordered_by", message, kind="soft", code="ordered_by.nobody"),)


def _settle(
    problems: Iterable[Problem],
    confirmed: frozenset[str],
    request: RateRequest | BolusRequest,
    *,
    nobody_ordered: tuple[Problem, ...],
) -> tuple[str, ...]:
    """The codes overridden, or a refusal.  What was really given is recorded and flagged.

    Even then it has to be possible, and a reason says how it came about.
    """
    problems = tuple(problems)
    if request.already_given:
        refuse(problem for problem in problems if not can_have_happened(problem))
    else:
        refuse(problems, confirmed)
    if problems and not (request.reason or "").strip():
        raise InvalidEntry(
            [Problem("reason", "Say why: this goes beyond a limit of the protocol.")]
        )
    refuse(nobody_ordered, confirmed)
    return tuple(problem.code for problem in (*problems, *nobody_ordered))
