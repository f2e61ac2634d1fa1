"""Checking what was typed before it becomes part of the record: every problem at once, in words.

Three kinds of answer: impossible (refused), unusual (asked once), fine.  What was really measured
can always be recorded: beyond a hard limit the entry says so (``really_so``) and gives a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from monitor.entered import EnteredSet, ReadItem
from monitor.entry_fields import read_all
from monitor.entry_sets import cross_problems, jump_problems, sleep_problems, values_of_set
from monitor.entry_times import time_problems
from monitor.errors import InvalidEntry, NeedsConfirmation
from monitor.ids import derived_id
from monitor.record import InfusionSession, Observation


def observations_from_entry(
    entered: EnteredSet,
    session: InfusionSession,
    *,
    recorded_at: datetime,
    recorded_by: str,
    confirmed: frozenset[str] = frozenset(),
    dissociation_scale: str | None = None,
) -> tuple[Observation, ...]:
    """The observations of a set that was typed, checked against clinical.md 3.1 and the session.

    ``confirmed`` holds the codes of questions already answered with yes, ``dissociation_scale`` is
    the protocol's.

    Raises:
        InvalidEntry: something cannot be saved as it stands; carries the questions as well.
        NeedsConfirmation: everything is possible, but something is unusual and was not confirmed.
    """
    reads, problems = read_all(entered, session, dissociation_scale)
    problems += time_problems(entered.taken_at, session, recorded_at, entered.source)
    problems += cross_problems(reads, values_of_set(entered, session))
    problems += jump_problems(entered, reads, session)
    problems += sleep_problems(reads, session)
    open_problems = [
        problem for problem in problems if problem.kind == "hard" or problem.code not in confirmed
    ]
    if any(problem.kind == "hard" for problem in open_problems):
        raise InvalidEntry(open_problems)
    if open_problems:
        raise NeedsConfirmation(open_problems)
    return tuple(_observations(entered, reads.values(), recorded_at, recorded_by))


def observations_as_typed(
    entered: EnteredSet, session: InfusionSession, *, recorded_at: datetime, recorded_by: str
) -> tuple[Observation, ...]:
    """What the set says, not yet judged against the session; empty when an item is unreadable."""
    reads, problems = read_all(entered, session)
    if any(problem.kind == "hard" for problem in problems):
        return ()
    return tuple(_observations(entered, reads.values(), recorded_at, recorded_by))


def _observations(
    entered: EnteredSet, reads: Iterable[ReadItem], recorded_at: datetime, recorded_by: str
) -> Iterator[Observation]:
    common: dict[str, Any] = {
        "taken_at": entered.taken_at,
        "recorded_at": recorded_at,
        "recorded_by": recorded_by,
        "source": entered.source,
        "set_id": entered.set_id,
    }
    reads = list(reads)
    ticked = any(read.parameter.key == "asleep" for read in reads)
    for read in reads:
        yield Observation(
            id=read.item.id,
            parameter=read.parameter.key,
            value=read.value,
            not_taken=read.item.not_taken,
            entered_value=read.entered_value,
            entered_unit=None if read.entered_value is None else read.item.unit,
            really_so=read.beyond,
            note=read.item.note or None,
            **common,
        )
        if read.sleep and not ticked:
            # S is stored as code 0 with the tick "asleep" (clinical.md 5.2).
            yield Observation(
                id=derived_id(read.item.id, "asleep"),
                parameter="asleep",
                value=Decimal(1),
                **common,
            )
