"""Whether an entry is in the record already: the same thing said twice, and nothing else.

A bedside sends an entry again until it is answered, so the server may meet it many times.  Only the
same entry is acknowledged; other values under a used id are refused, or they would be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

from monitor.errors import InvalidEntry, Problem
from monitor.record import (
    FACT_FIELDS,
    Amendment,
    Bolus,
    DoseStep,
    DosingWeight,
    Fact,
    InfusionSession,
    WeightBasis,
)

#: Times of a tap differ between two requests: each is worked out from the age of the tap, and the
#: requests spend different times on the network.
SAME_MOMENT = timedelta(minutes=2)

#: What the server notes or works out itself; it may come out differently the second time.
_OURS: Mapping[type[Fact], frozenset[str]] = MappingProxyType(
    {
        DoseStep: frozenset({"rate_mg_per_h", "overrides"}),
        Bolus: frozenset({"amount_mg", "overrides"}),
    }
)
_EVERYONES = frozenset({"taken_at", "recorded_at", "recorded_by"})


def is_recorded(
    session: InfusionSession, entered: tuple[Fact, ...], set_id: UUID | None = None
) -> bool:
    """Whether the session holds exactly these facts, as they were entered.

    ``set_id`` names the observation set they make up: it then has to hold no others.

    Raises:
        InvalidEntry: one of the ids is in the record already, with something else.
    """
    if not entered:
        return False
    ids = {fact.id for fact in entered}
    held = _held(session, ids)
    of_set = _saved_as(session, set_id)
    if not held and not of_set:
        return False
    same = of_set <= ids and all(
        fact.id in held and says_the_same(held[fact.id], fact) for fact in entered
    )
    if not same:
        raise other_values()
    return True


def _held(session: InfusionSession, ids: set[UUID]) -> dict[UUID, Fact]:
    """The facts with these ids.  Compared as integers: a long session holds thousands of facts."""
    numbers = {item.int for item in ids}
    return {
        fact.id: fact
        for name in FACT_FIELDS.values()
        for fact in getattr(session, name)
        if fact.id.int in numbers
    }


def _saved_as(session: InfusionSession, set_id: UUID | None) -> set[UUID]:
    """The observations a set was saved with; their corrections came later."""
    if set_id is None:
        return set()
    corrections = {amendment.replacement for amendment in session.amendments}
    number = set_id.int
    found = {item.id for item in session.observations if item.set_id.int == number}
    return found - corrections


def says_the_same(recorded: Fact, entered: Fact) -> bool:
    """Whether two facts say the same about the patient, however they were sent."""
    if type(recorded) is not type(entered):
        return False
    # When a correction was made is the server's time, not something that was said.
    if (
        not isinstance(entered, Amendment)
        and abs(recorded.taken_at - entered.taken_at) > SAME_MOMENT
    ):
        return False
    ours = _EVERYONES | _OURS.get(type(entered), frozenset())
    if isinstance(entered, DosingWeight) and entered.basis is not WeightBasis.ACTUAL:
        # Worked out from the height, the sex as then known, and the actual weight beside it.
        ours |= {"weight_kg"}
    return all(
        getattr(recorded, field.name) == getattr(entered, field.name)
        for field in fields(entered)
        if field.name not in ours
    )


def other_values() -> InvalidEntry:
    """The refusal of an id that is in the record with something else."""
    message = (
        "An entry with this id is already recorded with other values; this one is NOT saved. "
        "Record it again."
    )
    return InvalidEntry([Problem("id", message, code="id.other_values")])
