"""Different values of one thing at the same time: all stand until somebody says which is right.

Standard library only.  What counts for flags until then is the worse one (breaches.py).  Choosing is
an amendment of the other (design ruling 20, clinical.md U-73); saying that both are right, because
it was measured again, is an event that names the later one, and strikes nothing.

Who measures again after 40 s is asked too: whether the second number is a second reading or the
first one typed anew, only she can tell.  Her answer ends the question and changes no flag: within a
minute of a worse reading a better one confirms and clears nothing anyway (U-06), so nobody can talk
an alert away by calling both values right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from monitor.lifecycle import EventKind
from monitor.parameters import PARAMETERS
from monitor.record import InfusionSession, Observation

#: The reason of the amendment that strikes the value which was not kept.
REASON = "conflict"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two values of one parameter, of different entries, in the order of the record."""

    first: Observation
    second: Observation

    @property
    def parameter(self) -> str:
        return self.first.parameter

    @property
    def observations(self) -> tuple[Observation, Observation]:
        return self.first, self.second


def conflicts(session: InfusionSession, within: timedelta) -> tuple[Conflict, ...]:
    """Every pair that nobody has answered for yet, the newest first."""
    return session.derived(
        f"conflicts within {within}",
        ("observations", "events", "amendments"),
        lambda facts: _conflicts(facts, within),
    )


def _conflicts(session: InfusionSession, within: timedelta) -> tuple[Conflict, ...]:
    by_parameter: dict[str, list[Observation]] = {}
    for item in session.current_observations:
        if item.value is not None:
            by_parameter.setdefault(item.parameter, []).append(item)
    called_right = _called_right(session)
    found = [
        pair
        for items in by_parameter.values()
        for pair in _pairs(items, within)
        if not _is_settled(pair, called_right)
    ]
    # The two of a blood pressure in the order of the form.
    found.sort(key=lambda pair: PARAMETERS[pair.parameter].order)
    return tuple(sorted(found, key=lambda pair: pair.second.order[:2], reverse=True))


def _pairs(items: list[Observation], within: timedelta) -> Iterator[Conflict]:
    for index, first in enumerate(items):
        for second in items[index + 1 :]:
            if second.taken_at - first.taken_at >= within:
                break
            if first.set_id != second.set_id and first.value != second.value:
                yield Conflict(first, second)


def _called_right(session: InfusionSession) -> Mapping[UUID, datetime]:
    """The readings somebody called right beside those of the minute before, and when."""
    return {
        event.linked_to: event.recorded_at
        for event in session.current(session.events)
        if event.kind == EventKind.BOTH_RIGHT and event.linked_to is not None
    }


def _is_settled(pair: Conflict, called_right: Mapping[UUID, datetime]) -> bool:
    """Whether both were called right.  A value that came later was not on the screen then."""
    said_at = called_right.get(pair.second.id)
    return said_at is not None and pair.first.recorded_at <= said_at
