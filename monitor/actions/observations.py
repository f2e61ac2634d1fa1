"""Observation sets, their corrections, and what is typed but not yet saved."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from monitor import lifecycle
from monitor.actions.opening import OpenSession
from monitor.actions.saving import refuse, save
from monitor.errors import (
    NotFound,
    Problem,
)
from monitor.permissions import Action, User, check_may
from monitor.record import (
    Amendment,
    Fact,
    InfusionSession,
    Observation,
)
from monitor.requests import (
    AmendRequest,
)
from monitor.store import Draft, Store
from monitor.validation import EnteredSet, observations_from_entry


def record_observations(
    store: Store,
    user: User,
    session_id: UUID,
    entered: EnteredSet,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
) -> OpenSession:
    """Save one observation set together with the alerts it raises."""

    def decide(before: OpenSession) -> tuple[Fact, ...]:
        known = {observation.id for observation in before.session.observations}
        new = replace(entered, items=tuple(item for item in entered.items if item.id not in known))
        if entered.items and not new.items:
            return ()
        lifecycle.check_can_record(before.session, now)
        return observations_from_entry(
            new,
            before.session,
            recorded_at=now,
            recorded_by=user.username,
            confirmed=confirmed,
        )

    return save(store, user, session_id, Action.RECORD_OBSERVATIONS, decide, now, device)


def amend(
    store: Store,
    user: User,
    session_id: UUID,
    request: AmendRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
) -> OpenSession:
    """Correct a fact with a reason: replaced by another value, or struck out."""

    def decide(before: OpenSession) -> tuple[Fact, ...]:
        session = before.session
        if session.fact(request.id):
            return ()
        lifecycle.check_can_amend(session, now)
        wrong = session.fact(request.amends)
        if wrong is None or isinstance(wrong, Amendment):
            raise NotFound("What is to be corrected is not in this session.")
        problems = []
        if not request.reason.strip():
            problems.append(Problem("reason", "Say why it was wrong."))
        if wrong.id in session.amended_ids:
            problems.append(
                Problem("amends", "This was already corrected. Correct the newer value instead.")
            )
        if request.replacement is not None and not isinstance(wrong, Observation):
            problems.append(
                Problem(
                    "replacement", "Strike this out and enter it again; it has no single value."
                )
            )
        refuse(problems)
        replacement: tuple[Observation, ...] = ()
        if request.replacement is not None and isinstance(wrong, Observation):
            replacement = _replacement(session, wrong, request, user, now, confirmed)
        amendment = Amendment(
            id=request.id,
            taken_at=now,
            recorded_at=now,
            recorded_by=user.username,
            amends=request.amends,
            replacement=replacement[0].id if replacement else None,
            reason=request.reason.strip(),
        )
        return (*replacement, amendment)

    return save(store, user, session_id, Action.AMEND, decide, now, device)


def _replacement(
    session: InfusionSession,
    wrong: Observation,
    request: AmendRequest,
    user: User,
    now: datetime,
    confirmed: frozenset[str],
) -> tuple[Observation, ...]:
    assert request.replacement is not None
    without = replace(
        session,
        observations=tuple(item for item in session.observations if item.id != wrong.id),
    )
    entered = EnteredSet(
        set_id=wrong.set_id,
        taken_at=request.taken_at or wrong.taken_at,
        items=(replace(request.replacement, parameter=wrong.parameter),),
        source=wrong.source,
    )
    return observations_from_entry(
        entered, without, recorded_at=now, recorded_by=user.username, confirmed=confirmed
    )


def save_draft(
    store: Store, user: User, session_id: UUID, device: str, content: str, *, now: datetime
) -> None:
    """Keep what is typed and not yet saved; an empty draft is dropped."""
    check_may(user, Action.RECORD_OBSERVATIONS)
    if content:
        store.put_draft(Draft(session_id, device, user.username, content, now))
    else:
        store.drop_draft(session_id, device)
