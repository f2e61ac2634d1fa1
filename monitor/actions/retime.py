"""A wrong time put right: everything that was saved together is taken at another moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from monitor import lifecycle
from monitor.actions.opening import OpenSession
from monitor.actions.repeats import other_values
from monitor.actions.saving import refuse, save
from monitor.entry_times import time_problems
from monitor.errors import NotFound, Problem
from monitor.ids import derived_id
from monitor.lifecycle import CLINICAL_EVENTS
from monitor.permissions import Action, User
from monitor.record import Amendment, Fact, InfusionSession, Observation, SessionEvent
from monitor.requests import RetimeRequest
from monitor.store import Store


def correct_time(
    store: Store,
    user: User,
    session_id: UUID,
    request: RetimeRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
) -> OpenSession:
    """Give a set or an event its right time: each value is replaced by itself at that time.

    Raises:
        NotFound: it is not in the session, or its time cannot be corrected like this.
        InvalidEntry: without a reason, or the time is impossible.
    """

    def entered(before: OpenSession) -> tuple[Fact, ...]:
        facts = _moved_before(before.session, request) or _standing(before.session, request)
        return tuple(new for fact in facts for new in _moved(fact, request, user, now))

    def settled(before: OpenSession, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        session = before.session
        lifecycle.check_can_amend(session, now)
        if not facts:
            raise NotFound("What is to be corrected is not in this session.")
        standing = _standing(session, request)
        problems = time_problems(request.taken_at, session, now, standing[0].source)
        if not request.reason.strip():
            problems.append(Problem("reason", "Say why it was wrong."))
        refuse(problems, confirmed)
        return facts

    return save(store, user, session_id, Action.AMEND, entered, settled, now=now, device=device)


def can_be_moved(fact: Fact) -> bool:
    """Whether its time is corrected in one step.  A dose, or a step of the session, decides what
    may follow it: it is struck out and entered anew.
    """
    return isinstance(fact, Observation) or (
        isinstance(fact, SessionEvent) and fact.kind in CLINICAL_EVENTS
    )


def _moved_before(session: InfusionSession, request: RetimeRequest) -> list[Fact]:
    """What this very request moved, when it was saved already: known by the ids it was saved under.

    What was corrected after that, or moved once more, changes nothing about it.

    Raises:
        InvalidEntry: the request's id was used for something else.
    """
    moved = {
        amendment.amends
        for amendment in session.amendments
        if amendment.id == derived_id(request.id, amendment.amends)
    }
    facts = [fact for fact in session.facts() if fact.id in moved]
    if not all(_is_meant(fact, request) for fact in facts):
        raise other_values()
    return facts


def _standing(session: InfusionSession, request: RetimeRequest) -> list[Fact]:
    """What stands now of what is to be moved."""
    facts: tuple[Fact, ...] = (*session.observations, *session.events)
    return [fact for fact in session.current(facts) if _is_meant(fact, request)]


def _is_meant(fact: Fact, request: RetimeRequest) -> bool:
    return can_be_moved(fact) and request.moves in (fact.id, getattr(fact, "set_id", None))


def _moved(fact: Fact, request: RetimeRequest, user: User, now: datetime) -> tuple[Fact, Amendment]:
    again = replace(
        fact,
        id=derived_id(request.id, fact.id, "at its right time"),
        taken_at=request.taken_at,
        recorded_at=now,
        recorded_by=user.username,
    )
    amendment = Amendment(
        id=derived_id(request.id, fact.id),
        taken_at=now,
        recorded_at=now,
        recorded_by=user.username,
        amends=fact.id,
        replacement=again.id,
        reason=request.reason.strip(),
    )
    return again, amendment
