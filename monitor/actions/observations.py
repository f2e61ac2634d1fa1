"""Observation sets, their corrections, and what is typed but not yet saved."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from monitor import lifecycle
from monitor.actions.opening import OpenSession
from monitor.actions.saving import refuse, save
from monitor.entered import EnteredItem, EnteredSet
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
from monitor.validation import observations_as_typed, observations_from_entry


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

    def entered_facts(before: OpenSession) -> tuple[Fact, ...]:
        return observations_as_typed(
            entered, before.session, recorded_at=now, recorded_by=user.username
        )

    def settled(before: OpenSession, _: tuple[Fact, ...]) -> tuple[Fact, ...]:
        lifecycle.check_can_record(before.session, now)
        return observations_from_entry(
            entered,
            before.session,
            recorded_at=now,
            recorded_by=user.username,
            confirmed=confirmed,
            dissociation_scale=before.protocol.dissociation_scale,
        )

    return save(
        store,
        user,
        session_id,
        Action.RECORD_OBSERVATIONS,
        entered_facts,
        settled,
        now=now,
        device=device,
        set_id=entered.set_id,
    )


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

    def entered(before: OpenSession) -> tuple[Fact, ...]:
        replacement: tuple[Observation, ...] = ()
        wrong = before.session.fact(request.amends)
        if request.replacement is not None and isinstance(wrong, Observation):
            replacement = observations_as_typed(
                _replacement_set(request.replacement, wrong, request.taken_at),
                before.session,
                recorded_at=now,
                recorded_by=user.username,
            )
        return (*replacement, _amendment(request, replacement, user, now))

    def settled(before: OpenSession, _: tuple[Fact, ...]) -> tuple[Fact, ...]:
        session = before.session
        lifecycle.check_can_amend(session, now)
        wrong = session.fact(request.amends)
        if wrong is None or isinstance(wrong, Amendment):
            raise NotFound("What is to be corrected is not in this session.")
        refuse(_amend_problems(session, wrong, request))
        replacement: tuple[Observation, ...] = ()
        if request.replacement is not None and isinstance(wrong, Observation):
            replacement = observations_from_entry(
                _replacement_set(request.replacement, wrong, request.taken_at),
                _without(session, wrong),
                recorded_at=now,
                recorded_by=user.username,
                confirmed=confirmed,
                dissociation_scale=before.protocol.dissociation_scale,
            )
        return (*replacement, _amendment(request, replacement, user, now))

    return save(store, user, session_id, Action.AMEND, entered, settled, now=now, device=device)


def _amend_problems(
    session: InfusionSession, wrong: Fact, request: AmendRequest
) -> tuple[Problem, ...]:
    problems = []
    if not request.reason.strip():
        problems.append(Problem("reason", "Say why it was wrong."))
    if wrong.id in session.amended_ids:
        problems.append(
            Problem("amends", "This was already corrected. Correct the newer value instead.")
        )
    if request.keeps is not None and not _stands(session, request.keeps):
        message = "The value you keep was struck out meanwhile. Look at both in the list."
        problems.append(Problem("keeps", message, code="keeps.amended"))
    if request.replacement is not None and not isinstance(wrong, Observation):
        problems.append(
            Problem("replacement", "Strike this out and enter it again; it has no single value.")
        )
    return tuple(problems)


def _stands(session: InfusionSession, fact_id: UUID) -> bool:
    return session.fact(fact_id) is not None and fact_id not in session.amended_ids


def _amendment(
    request: AmendRequest, replacement: tuple[Observation, ...], user: User, now: datetime
) -> Amendment:
    return Amendment(
        id=request.id,
        taken_at=now,
        recorded_at=now,
        recorded_by=user.username,
        amends=request.amends,
        replacement=replacement[0].id if replacement else None,
        reason=request.reason.strip(),
    )


def _replacement_set(
    item: EnteredItem, wrong: Observation, taken_at: datetime | None
) -> EnteredSet:
    """The right value in the place of the wrong one: same set, same parameter."""
    return EnteredSet(
        set_id=wrong.set_id,
        taken_at=taken_at or wrong.taken_at,
        items=(replace(item, parameter=wrong.parameter),),
        source=wrong.source,
    )


def _without(session: InfusionSession, wrong: Observation) -> InfusionSession:
    """The session as if the wrong value had never been: nothing is compared with it."""
    kept = tuple(item for item in session.observations if item.id != wrong.id)
    return replace(session, observations=kept)


def save_draft(
    store: Store, user: User, session_id: UUID, device: str, content: str, *, now: datetime
) -> None:
    """Keep what is typed and not yet saved; an empty draft is dropped."""
    check_may(user, Action.RECORD_OBSERVATIONS)
    if content:
        store.put_draft(Draft(session_id, device, user.username, content, now))
    else:
        store.drop_draft(session_id, device)
