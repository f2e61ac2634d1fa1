"""Overrides in somebody's name: decided by themselves, confirmed with their PIN, or only by word.

clinical.md 9, "Attributable": a name alone proves nobody.  What was ordered by word stays marked as
not confirmed until that person confirms it, with their PIN, under their own name, or by signing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from monitor.errors import Problem
from monitor.gate import label_of, newest_answers
from monitor.ids import derived_id
from monitor.record import GateAnswer, InfusionSession

#: Asked of somebody who signs although another's order by word is not confirmed.
NOT_CONFIRMED = "verbal_order.not_confirmed"


class Proof(StrEnum):
    """How it is known who decided an override."""

    OWN = "own entry"
    PIN = "confirmed by PIN"
    VERBAL = "verbal order, not confirmed"


def proof(answer: GateAnswer) -> Proof | None:
    """How it is known who decided; None where there is no override."""
    if not answer.is_override:
        return None
    if answer.is_verbal_order:
        return Proof.VERBAL
    return Proof.OWN if answer.override_by == answer.recorded_by else Proof.PIN


def override_words(answer: GateAnswer, names: Mapping[str, str]) -> str:
    """Who decided an override, how that is known, and why: in one line for every screen."""
    by = answer.override_by or ""
    who = names.get(by, by)
    told = {
        Proof.PIN: f"{who}, confirmed by PIN",
        Proof.VERBAL: f"ordered verbally by {who}, not confirmed",
    }
    return f"{told.get(proof(answer) or Proof.OWN, who)}: {answer.override_reason}"


def verbal_orders(session: InfusionSession, as_of: datetime) -> tuple[GateAnswer, ...]:
    """The overrides in force that nobody confirmed, in the order of the record."""
    if not session.answers:
        return ()
    found = (answer for answer in newest_answers(session, as_of).values() if answer.is_verbal_order)
    return tuple(sorted(found, key=lambda answer: answer.order))


def confirmed(
    order: GateAnswer, *, by_entry: UUID, recorded_by: str, second_person: str | None, now: datetime
) -> GateAnswer:
    """The same decision of the same moment, now confirmed.

    It keeps the time of the decision: confirming an old one must not cover what was found since.
    """
    return replace(
        order,
        id=derived_id("confirmed", by_entry, order.id),
        recorded_at=now,
        recorded_by=recorded_by,
        second_person=second_person,
    )


def signing_problems(
    orders: Iterable[GateAnswer], signer: str, names: Mapping[str, str]
) -> tuple[Problem, ...]:
    """What somebody who signs is asked about orders of others that are still only by word."""
    open_orders = [order for order in orders if order.override_by != signer]
    if not open_orders:
        return ()
    told = "; ".join(
        f"{label_of(order.question)} ({names.get(order.override_by or '', order.override_by)})"
        for order in open_orders
    )
    count = len(open_orders)
    is_ = "1 verbal order is" if count == 1 else f"{count} verbal orders are"
    message = f"{is_} not confirmed by who gave it and will stay marked so: {told}."
    return (Problem("gate", message, kind="soft", code=NOT_CONFIRMED),)
