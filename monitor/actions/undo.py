"""Undo: everything one tap saved is struck out, within its time; the record keeps it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import UUID

from monitor import lifecycle
from monitor.actions.opening import OpenSession, open_session
from monitor.actions.saving import refuse, save
from monitor.errors import NotFound, Problem
from monitor.ids import derived_id
from monitor.permissions import Action, User
from monitor.record import Amendment, Fact
from monitor.requests import UndoRequest
from monitor.store import Store

#: The undo button stands for 10 s; the server allows for a slow network.
UNDO_WITHIN = timedelta(seconds=60)
REASON = "undone at once"


def undo(
    store: Store,
    user: User,
    session_id: UUID,
    request: UndoRequest,
    *,
    now: datetime,
    device: str | None = None,
) -> OpenSession:
    """Strike out what an entry saved, all of it or nothing.

    Raises:
        NotFound: that entry is not in the session.
        InvalidEntry: it is another person's, too old, was corrected meanwhile, or is itself a
            correction: without it neither the wrong value nor the right one would be in force.
    """
    opened = open_session(store, user, session_id, now=now)
    ids = _saved_ids(store, user, session_id, request.undoes)
    facts = [fact for fact in opened.session.facts() if fact.id in ids]
    if not facts:
        raise NotFound("What is to be undone is not in this session.")

    def entered(before: OpenSession) -> tuple[Fact, ...]:
        struck = {item.amends: item.id for item in before.session.amendments}
        return tuple(
            _amendment(request, fact, user, now)
            for fact in facts
            if struck.get(fact.id) in (None, derived_id(request.id, fact.id))
        )

    def settled(before: OpenSession, amendments: tuple[Fact, ...]) -> tuple[Fact, ...]:
        lifecycle.check_can_amend(before.session, now)
        refuse(_undo_problems(facts, amendments, user, request.tapped_at))
        return amendments

    return save(store, user, session_id, Action.AMEND, entered, settled, now=now, device=device)


def _undo_problems(
    facts: list[Fact], amendments: tuple[Fact, ...], user: User, tapped_at: datetime
) -> list[Problem]:
    if any(isinstance(fact, Amendment) for fact in facts):
        message = "A correction is not undone: correct the value again."
        return [Problem("undo", message, code="undo.correction")]
    if any(
        fact.recorded_by != user.username or tapped_at - fact.recorded_at > UNDO_WITHIN
        for fact in facts
    ):
        message = "The time for undo is over. Correct the entry in the list instead."
        return [Problem("undo", message)]
    if not amendments:
        return [Problem("undo", "This was already corrected. Look at it in the list.")]
    return []


def _amendment(request: UndoRequest, fact: Fact, user: User, now: datetime) -> Amendment:
    return Amendment(
        id=derived_id(request.id, fact.id),
        taken_at=now,
        recorded_at=now,
        recorded_by=user.username,
        amends=fact.id,
        replacement=None,
        reason=REASON,
    )


def _saved_ids(store: Store, user: User, session_id: UUID, entry_id: UUID) -> frozenset[UUID]:
    """What was saved in the transaction of an entry (a fact or a set), as its audit link names it.

    What was saved together is written down there and nowhere else: times may agree by chance.
    """
    wanted = str(entry_id)
    # Read to the end: what a database hands out piece by piece must not be left half-read.
    for link in tuple(store.audit_rows(user.clinic, session_id)):
        if wanted not in link.text or link.event.action == Action.START_SESSION.name:
            continue
        rows = [row for _table, row in json.loads(link.text)["rows"]]
        if any(wanted in (row.get("id"), row.get("set_id")) for row in rows):
            return frozenset(UUID(row["id"]) for row in rows if row.get("id"))
    return frozenset()
