"""A dose limit for one patient: an anaesthetist approves it, signed in or with their PIN (U-21)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from monitor import lifecycle
from monitor.actions.opening import OpenSession
from monitor.actions.saving import refuse, save
from monitor.entry_times import time_problems
from monitor.errors import NotFound, Problem
from monitor.patient_dose_limits import limit_problems
from monitor.permissions import Action, User, may
from monitor.record import Fact, PatientDoseLimit
from monitor.requests import PatientLimitRequest
from monitor.store import Store


def set_patient_limit(
    store: Store,
    user: User,
    session_id: UUID,
    request: PatientLimitRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
) -> OpenSession:
    """Record a hard dose limit for the patient of a session, from ``taken_at`` on."""
    approved_by = _approver(store, user, request.second_person)
    fact = PatientDoseLimit(
        id=request.id,
        taken_at=request.taken_at,
        recorded_at=now,
        recorded_by=user.username,
        quantity=request.quantity,
        value=request.value,
        approved_by=approved_by or "",
        reason=(request.reason or "").strip(),
        source=request.source,
    )

    def settled(before: OpenSession, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        lifecycle.check_can_record(before.session, now)
        problems = [
            *time_problems(request.taken_at, before.session, now, request.source),
            *limit_problems(before.protocol, request.quantity, request.value),
        ]
        if approved_by is None:
            message = (
                "An anaesthetist approves a limit for one patient: they confirm it with their PIN."
            )
            problems.append(Problem("second_person", message, code="second_person.anaesthetist"))
        if not fact.reason:
            problems.append(Problem("reason", "Say why this patient has a limit of their own."))
        refuse(problems, confirmed)
        return facts

    # Whether the person may decide it is looked at above: who types it need not be who decides.
    action = Action.CHANGE_LIMITS if approved_by == user.username else Action.CHANGE_DOSE
    return save(store, user, session_id, action, lambda _: (fact,), settled, now=now, device=device)


def _approver(store: Store, user: User, second_person: str | None) -> str | None:
    """The anaesthetist who stands for the limit; None when nobody does."""
    if may(user, Action.CHANGE_LIMITS):
        return user.username
    if second_person is None:
        return None
    try:
        second = store.user(second_person)
    except NotFound:
        return None
    return second.username if may(second, Action.CHANGE_LIMITS) else None
