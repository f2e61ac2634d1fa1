"""Side effects, and answers to alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from monitor import lifecycle
from monitor.actions.opening import OpenSession
from monitor.actions.repeats import other_values
from monitor.actions.saving import locked, refuse, save, write
from monitor.alerts import AlertEvent, acknowledge, suppress
from monitor.audit import AuditEvent
from monitor.entry_times import time_problems
from monitor.errors import InvalidEntry, NotFound, Problem
from monitor.permissions import Action, User, check_may
from monitor.record import Fact, SideEffect, SideEffectChange
from monitor.requests import (
    AnswerRequest,
    SideEffectChangeRequest,
    SideEffectRequest,
    SuppressRequest,
)
from monitor.side_effects import ACTIONS, RELATIONS, TERMS
from monitor.store import Store
from monitor.texts import echoed, text_problems

#: Grades of clinical.md 6.1; 0 belongs to the term "none" alone.
GRADES = range(1, 6)


def record_side_effect(
    store: Store,
    user: User,
    session_id: UUID,
    request: SideEffectRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
) -> OpenSession:
    """Record a side effect from its onset, or that the patient was asked and has none."""
    effect = SideEffect(
        id=request.id,
        taken_at=request.onset_at,
        recorded_at=now,
        recorded_by=user.username,
        term=request.term,
        grade=request.grade,
        relation=request.relation,
        action=request.action,
        serious=request.serious,
        note=request.note,
        source=request.source,
    )

    def settled(before: OpenSession, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        lifecycle.check_can_record(before.session, now)
        problems = time_problems(request.onset_at, before.session, now, request.source)
        problems += _term_problems(request)
        problems += _code_problems("relation", request.relation, RELATIONS)
        problems += _code_problems("action", request.action, ACTIONS)
        refuse(problems, confirmed)
        return facts

    action = Action.RECORD_SIDE_EFFECT
    return save(
        store, user, session_id, action, lambda _: (effect,), settled, now=now, device=device
    )


def _term_problems(request: SideEffectRequest) -> list[Problem]:
    if request.term not in TERMS:
        message = f"“{echoed(request.term)}” is not in the side-effect list. Choose one."
        return [Problem("term", message)]
    none = request.term == "none"
    if none != (request.grade == 0) or (not none and request.grade not in GRADES):
        message = "Choose a grade from 1 (mild) to 5; 0 only says “asked, none”."
        return [Problem("grade", message)]
    return []


def _code_problems(field: str, said: str | None, known: Mapping[str, str]) -> list[Problem]:
    """The relation to the drug and what was done are choices, so that they can be counted."""
    if said is None or said in known:
        return []
    message = f"There is no {field} “{echoed(said)}”. Choose one of: {', '.join(known)}."
    return [Problem(field, message, code=f"{field}.unknown")]


def change_side_effect(
    store: Store,
    user: User,
    session_id: UUID,
    request: SideEffectChangeRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
    late_reason: str | None = None,
) -> OpenSession:
    """Record that a side effect changed grade, was treated or ended."""
    change = SideEffectChange(
        id=request.id,
        taken_at=request.taken_at,
        recorded_at=now,
        recorded_by=user.username,
        side_effect_id=request.side_effect_id,
        grade=request.grade,
        ended=request.ended,
        action=request.action,
        note=request.note,
        source=request.source,
    )

    def settled(before: OpenSession, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        session = before.session
        lifecycle.check_can_record(session, now)
        effect = session.fact(request.side_effect_id)
        if not isinstance(effect, SideEffect):
            raise NotFound("That side effect is not in this session.")
        problems = time_problems(request.taken_at, session, now, request.source)
        if request.taken_at < effect.taken_at:
            problems.append(
                Problem("taken_at", "This is before the side effect began. Check the time.")
            )
        if request.grade is not None and request.grade not in GRADES:
            problems.append(Problem("grade", "Choose a grade from 1 (mild) to 5."))
        problems += _code_problems("action", request.action, ACTIONS)
        refuse(problems, confirmed)
        return facts

    action = Action.RECORD_SIDE_EFFECT
    return save(
        store,
        user,
        session_id,
        action,
        lambda _: (change,),
        settled,
        now=now,
        device=device,
        late_reason=late_reason,
    )


def answer_alert(
    store: Store,
    user: User,
    session_id: UUID,
    request: AnswerRequest,
    *,
    now: datetime,
    device: str | None = None,
) -> OpenSession:
    """Acknowledge an alert with what was done about it: an event of the alert, not a fact."""
    check_may(user, Action.ANSWER_ALERT)
    event = AuditEvent(now, user.username, Action.ANSWER_ALERT.name, session_id, device)
    with store.write(event, clinic=user.clinic, session_id=session_id) as writer:
        before = locked(store, user, writer, session_id, now)
        if _is_answered(before, request):
            return before
        refuse(text_problems({"action": request.action, "text": request.text}))
        view = next((v for v in before.all_views if v.alert.id == request.alert_id), None)
        if view is None:
            raise NotFound("That alert is not in this session.")
        if not request.action.strip():
            raise InvalidEntry([Problem("action", "Say what was done about the alert.")])
        answer = acknowledge(
            view, by=user.username, action=request.action, text=request.text, now=now
        )
        answer = replace(answer, id=request.id)
        return write(store, writer, before, (), (answer,))


def suppress_alert(
    store: Store,
    user: User,
    session_id: UUID,
    request: SuppressRequest,
    *,
    now: datetime,
    device: str | None = None,
) -> OpenSession:
    """Hide the banner of an alert for a moment, with a reason: no answer, the card stays."""
    check_may(user, Action.ANSWER_ALERT)
    event = AuditEvent(now, user.username, "SUPPRESS_ALERT", session_id, device)
    with store.write(event, clinic=user.clinic, session_id=session_id) as writer:
        before = locked(store, user, writer, session_id, now)
        if _is_held(before, request.id, (request.alert_id, None, request.reason)):
            return before
        refuse(text_problems({"reason": request.reason}))
        view = next((v for v in before.all_views if v.alert.id == request.alert_id), None)
        if view is None:
            raise NotFound("That alert is not in this session.")
        hidden = suppress(view, by=user.username, reason=request.reason, now=now)
        return write(store, writer, before, (), (replace(hidden, id=request.id),))


def _is_answered(before: OpenSession, request: AnswerRequest) -> bool:
    return _is_held(before, request.id, (request.alert_id, request.action, request.text))


def _is_held(
    before: OpenSession, event_id: UUID, said: tuple[UUID, str | None, str | None]
) -> bool:
    """Whether this very event of an alert is in the record.

    Raises:
        InvalidEntry: its id is, with something else.
    """
    held: list[AlertEvent] = [item for item in before.alert_events if item.id == event_id]
    if any((item.alert_id, item.action, item.text) != said for item in held):
        raise other_values()
    if before.session.fact(event_id) is not None:
        raise other_values()
    return bool(held)
