"""Values that stand against each other and are all right: nothing is struck, nobody is asked again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from monitor import lifecycle
from monitor.actions.opening import OpenSession
from monitor.actions.saving import save
from monitor.errors import InvalidEntry, NotFound, Problem
from monitor.numbers import plain_text
from monitor.parameters import PARAMETERS
from monitor.permissions import Action, User
from monitor.record import Fact, InfusionSession, Observation, SessionEvent
from monitor.requests import BothRightRequest
from monitor.store import Store


def call_both_right(
    store: Store,
    user: User,
    session_id: UUID,
    pairs: Sequence[BothRightRequest],
    *,
    now: datetime,
    device: str | None = None,
) -> OpenSession:
    """Record for each pair that both values stand; all of them or none.

    Raises:
        NotFound: the values are not in this session, or are no two values of one thing.
        InvalidEntry: one of them was struck out or corrected meanwhile.
    """

    def entered(before: OpenSession) -> tuple[Fact, ...]:
        return tuple(_event(before.session, pair, user, now) for pair in pairs)

    def settled(before: OpenSession, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        lifecycle.check_can_amend(before.session, now)
        if any({pair.first, pair.second} & before.session.amended_ids for pair in pairs):
            message = "One of the values was corrected meanwhile. Look at them in the list."
            raise InvalidEntry([Problem("second", message, code="both_right.amended")])
        return facts

    return save(
        store, user, session_id, Action.RECORD_EVENT, entered, settled, now=now, device=device
    )


def _event(
    session: InfusionSession, pair: BothRightRequest, user: User, now: datetime
) -> SessionEvent:
    """It is true of the moment of the later reading, whenever it was said."""
    first, second = session.fact(pair.first), session.fact(pair.second)
    if not isinstance(first, Observation) or not isinstance(second, Observation):
        raise NotFound("These values are not in this session.")
    # In the order of the record, whichever way round they were named (conflicts.py).
    if second.order < first.order:
        first, second = second, first
    if first.parameter != second.parameter or first.value is None or second.value is None:
        raise NotFound("These are no two values of one thing.")
    parameter = PARAMETERS[second.parameter]
    values = f"{plain_text(first.value)} and {plain_text(second.value)}"
    return SessionEvent(
        id=pair.id,
        taken_at=second.taken_at,
        recorded_at=now,
        recorded_by=user.username,
        kind=lifecycle.EventKind.BOTH_RIGHT,
        text=f"{parameter.short} {values} {parameter.unit_label}".strip(),
        linked_to=second.id,
    )
