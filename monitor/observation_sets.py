"""Which observations belong together, and whether such a set answers what was due (U-38, U-39)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from monitor.parameters import MINIMUM_SET
from monitor.protocols import ScheduleRules
from monitor.readings import kept_readings
from monitor.record import Fact, InfusionSession, Observation
from monitor.scales import sedation_grade

_MINIMUM = frozenset(MINIMUM_SET)
_NEEDED = _MINIMUM | {"rr"}
_KEPT_AS, _ALL_KEPT_AS = "observation set", "observation sets"


@dataclass(frozen=True, slots=True)
class ObservationSet:
    """Observations taken together, dated by the last of those that are needed.

    ``answered``: each needed parameter has a value or a coded reason.  ``complete``: each has a
    value.  ``rr_reason`` says why the respiratory rate was needed, None when it was not.
    ``recorded_at`` is when the last needed one was first saved: a correction changes no due.
    """

    set_id: UUID
    taken_at: datetime
    recorded_at: datetime
    answered: bool
    complete: bool
    rr_reason: str | None

    def counts(self, rules: ScheduleRules) -> bool:
        """Whether it can meet a due: answered, and saved soon enough after it was taken (U-42)."""
        late_by = self.recorded_at - self.taken_at
        return self.answered and late_by <= timedelta(minutes=rules.counts_within_min)


def is_late_entry(fact: Fact, rules: ScheduleRules) -> bool:
    """Whether a fact carries the late-entry badge: saved more than 10 min after (U-42)."""
    return fact.recorded_at - fact.taken_at > timedelta(minutes=rules.late_entry_after_min)


def observation_sets(
    session: InfusionSession, rules: ScheduleRules, as_of: datetime
) -> tuple[ObservationSet, ...]:
    """Every set of the session with a needed parameter in it, in the order they were taken."""
    return _Reader(session.known_at(as_of), rules, as_of).sets()


def rr_reason(session: InfusionSession, rules: ScheduleRules, at: datetime) -> str | None:
    """Why the respiratory rate is needed in a set taken now, or None when it is only recommended.

    Needed every 15 min, on oxygen, at sedation grade >= 2 and after a rate <= 11 (U-39).
    """
    return _Reader(session.known_at(at), rules, at).rr_reason(at, ())


class _Series:
    """Observations of one parameter by time, for "the last one before"."""

    def __init__(self, observations: Iterable[Observation]) -> None:
        self._observations = list(observations)
        self._times = [observation.taken_at for observation in self._observations]

    def last_before(self, at: datetime) -> Observation | None:
        index = bisect_left(self._times, at)
        return self._observations[index - 1] if index else None


class _Reader:
    """One pass over a session's observations as known at a moment."""

    def __init__(self, session: InfusionSession, rules: ScheduleRules, as_of: datetime) -> None:
        self.session = session
        self.rules = rules
        last_at = session.derived("last observed at", ("observations",), _last_observed_at)
        self.is_whole = last_at is None or last_at <= as_of
        self.observations: Sequence[Observation] = session.current_observations
        if not self.is_whole:
            self.observations = [item for item in self.observations if item.taken_at <= as_of]

    @cached_property
    def _rr(self) -> _Series:
        return _Series(item for item in self.observations if item.parameter == "rr")

    @cached_property
    def _rr_values(self) -> _Series:
        return _Series(
            item for item in self.observations if item.parameter == "rr" and item.value is not None
        )

    @cached_property
    def _oxygen(self) -> _Series:
        return _Series(
            item
            for item in self.observations
            if item.parameter == "o2_flow" and item.value is not None
        )

    @cached_property
    def _sedation(self) -> _Series:
        return _Series(item for item in self.observations if item.parameter == "sedation")

    @cached_property
    def _by_set(self) -> Mapping[UUID, list[Observation]]:
        groups: dict[UUID, list[Observation]] = {}
        for observation in self.observations:
            groups.setdefault(observation.set_id, []).append(observation)
        return groups

    @cached_property
    def _saved_first(self) -> Mapping[UUID, datetime]:
        """When what a replacement stands for was first saved, by the replacement's id."""
        by_id = {fact.id: fact for fact in self.session.observations}
        saved: dict[UUID, datetime] = {}
        for amendment in self.session.amendments:
            wrong = by_id.get(amendment.amends)
            if amendment.replacement is not None and wrong is not None:
                saved[amendment.replacement] = saved.get(wrong.id, wrong.recorded_at)
        return saved

    def _judged(self) -> dict[UUID, tuple[list[Observation], ObservationSet]]:
        """Each set with a needed parameter on its own, and what it was made of.

        What was worked out for the session before goes on as its streams do: only where nothing
        was amended, the start is the same and every new set is later (readings.py).
        """
        readings = kept_readings(self.session)
        known: dict[UUID, tuple[list[Observation], ObservationSet]] = {}
        if readings is not None and self.is_whole:
            rules, before = readings.derived.get(_KEPT_AS, (None, {}))
            known = before if rules is self.rules else {}
        found: dict[UUID, tuple[list[Observation], ObservationSet]] = {}
        for set_id, group in self._by_set.items():
            if all(item.parameter not in _NEEDED for item in group):
                continue
            kept = known.get(set_id)
            found[set_id] = kept if kept and kept[0] == group else (group, self._set(group))
        if readings is not None and self.is_whole:
            readings.derived[_KEPT_AS] = (self.rules, found)
        return found

    def sets(self) -> tuple[ObservationSet, ...]:
        """All of them; worked out once as long as no observation is added."""
        readings = kept_readings(self.session) if self.is_whole else None
        if readings is None:
            return self._sets()
        rules, observations, found = readings.derived.get(_ALL_KEPT_AS, (None, (), ()))
        if rules is not self.rules or observations != self.observations:
            found = self._sets()
            readings.derived[_ALL_KEPT_AS] = (self.rules, self.observations, found)
        sets: tuple[ObservationSet, ...] = found
        return sets

    def _sets(self) -> tuple[ObservationSet, ...]:
        found: list[ObservationSet] = []
        loose: list[list[Observation]] = []
        for group, own in self._judged().values():
            if own.answered:
                found.append(own)
            else:
                loose.append(group)
        found += self._joined(loose)
        return tuple(sorted(found, key=lambda item: (item.taken_at, item.recorded_at)))

    def _joined(self, loose: list[list[Observation]]) -> list[ObservationSet]:
        """Sets of items that were saved separately within two minutes (U-39)."""
        window = timedelta(minutes=self.rules.one_set_within_min)
        loose.sort(key=_dated)
        found: list[ObservationSet] = []
        waiting: list[list[Observation]] = []
        for group in loose:
            since = _dated(group) - window
            near = [other for other in waiting if min(_times(other)) >= since]
            together = self._set([item for other in [*near, group] for item in other])
            if near and together.answered:
                found.append(together)
                waiting = [other for other in waiting if other not in near]
            else:
                waiting.append(group)
        return found + [self._set(group) for group in waiting]

    def _set(self, group: list[Observation]) -> ObservationSet:
        needed = [item for item in group if item.parameter in _NEEDED]
        reason = self.rr_reason(min(_times(group)), group)
        wanted = _NEEDED if reason else _MINIMUM
        last = needed[0]
        for item in needed[1:]:
            if item.taken_at >= last.taken_at:
                last = item
        return ObservationSet(
            set_id=last.set_id,
            taken_at=last.taken_at,
            recorded_at=max(self._saved_first.get(item.id, item.recorded_at) for item in needed),
            answered=wanted.issubset({item.parameter for item in needed}),
            complete=wanted.issubset({item.parameter for item in needed if item.value is not None}),
            rr_reason=reason,
        )

    def rr_reason(self, at: datetime, group: Iterable[Observation]) -> str | None:
        start = self.session.started_at
        if start is None or at <= start:
            return None
        oxygen = self._oxygen.last_before(at)
        if oxygen is not None and oxygen.value:
            return "on oxygen"
        grade = self._grade(at, group)
        if grade is not None and grade >= self.rules.rr_sedation_grade:
            return f"sedation grade {grade}"
        last = self._rr_values.last_before(at)
        if last is not None and last.value is not None and last.value <= self.rules.rr_at_or_below:
            return f"last respiratory rate {last.value}"
        asked = self._rr.last_before(at)
        since = max(start, asked.taken_at) if asked else start
        if at - since > timedelta(minutes=self.rules.rr_every_min):
            return f"no respiratory rate for {self.rules.rr_every_min} min"
        return None

    def _grade(self, at: datetime, group: Iterable[Observation]) -> int | None:
        """The grade in this set, or the last one before it."""
        own = next((item for item in group if item.parameter == "sedation"), None)
        sedation = own or self._sedation.last_before(at)
        if sedation is None or sedation.value is None:
            return None
        values = {
            item.parameter: item.value
            for item in self._by_set[sedation.set_id]
            if item.value is not None
        }
        return sedation_grade(
            self.session.sedation_scale,
            int(sedation.value),
            asleep=values.get("asleep") == 1,
            roused=_yes(values.get("roused_to_voice")),
        )


def _last_observed_at(session: InfusionSession) -> datetime | None:
    return max((item.taken_at for item in session.observations), default=None)


def _yes(value: Decimal | None) -> bool | None:
    return None if value is None else value == 1


def _times(group: Iterable[Observation]) -> list[datetime]:
    return [item.taken_at for item in group]


def _dated(group: Iterable[Observation]) -> datetime:
    return max(item.taken_at for item in group if item.parameter in _NEEDED)
