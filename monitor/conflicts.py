"""Two people recorded different values of one thing at the same time: both stand until one is chosen.

Standard library only.  What counts for flags until then is the worse one (breaches.py); choosing is
an amendment of the other (design ruling 20, clinical.md U-73).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

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
    """Every pair that nobody has chosen from yet, the newest first."""
    return session.derived(
        f"conflicts within {within}",
        ("observations", "amendments"),
        lambda facts: _conflicts(facts, within),
    )


def _conflicts(session: InfusionSession, within: timedelta) -> tuple[Conflict, ...]:
    by_parameter: dict[str, list[Observation]] = {}
    for item in session.current_observations:
        if item.value is not None:
            by_parameter.setdefault(item.parameter, []).append(item)
    found = [pair for items in by_parameter.values() for pair in _pairs(items, within)]
    return tuple(sorted(found, key=lambda pair: pair.second.order, reverse=True))


def _pairs(items: list[Observation], within: timedelta) -> Iterator[Conflict]:
    for index, first in enumerate(items):
        for second in items[index + 1 :]:
            if second.taken_at - first.taken_at >= within:
                break
            if first.set_id != second.set_id and first.value != second.value:
                yield Conflict(first, second)
