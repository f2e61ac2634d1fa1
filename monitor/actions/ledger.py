"""The controlled-drug ledger: ampoules issued, drug wasted and returned, differences explained."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from monitor import lifecycle
from monitor.actions.opening import OpenSession
from monitor.actions.saving import refuse, save
from monitor.drug_ledger import line_problems
from monitor.entry_times import time_problems
from monitor.permissions import Action, User
from monitor.record import DrugMovement, Fact
from monitor.requests import MovementRequest
from monitor.store import Store


def record_movement(
    store: Store,
    user: User,
    session_id: UUID,
    request: MovementRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
) -> OpenSession:
    """Write a line into the drug ledger of a session."""
    line = DrugMovement(
        id=request.id,
        taken_at=request.taken_at,
        recorded_at=now,
        recorded_by=user.username,
        kind=request.kind,
        amount_mg=request.amount_mg,
        ampoules=request.ampoules,
        batch=request.batch,
        expires_on=request.expires_on,
        witness=request.witness,
        reason=request.reason,
        source=request.source,
    )

    def settled(before: OpenSession, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        lifecycle.check_can_record(before.session, now)
        today = now.astimezone(store.zone).date()
        problems = time_problems(request.taken_at, before.session, now, request.source)
        refuse([*problems, *line_problems(line, today)], confirmed)
        return facts

    action = Action.KEEP_LEDGER
    return save(store, user, session_id, action, lambda _: (line,), settled, now=now, device=device)
