"""What the rules read: the facts of a session as one stream of readings for each sign.

Observations are grouped once; every rule of a sign then looks at the same stream.  A reading tells
what it measures by name (thresholds.SIGNS), so that a rule is only comparisons.

A set that was just saved is nearly always later than everything before it, and then no earlier
reading can change: the streams of the session before it are continued instead of made anew.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from typing import Any
from uuid import UUID

from monitor.lifecycle import EventKind
from monitor.news2 import news2, parts_of
from monitor.parameters import PARAMETERS
from monitor.record import (
    STREAMS,
    STREAMS_BEFORE,
    Fact,
    InfusionSession,
    NotTaken,
    Observation,
    SideEffect,
)
from monitor.scales import sedation_grade
from monitor.side_effects import NONE
from monitor.thresholds import SIGNS

#: Readings this long before the first dose make the baseline (clinical.md 3.3, U-44).
BASELINE_WINDOW = timedelta(minutes=60)
#: Signs whose baseline is the median; every other one is the last value before the start (U-44).
MEDIAN_SIGNS = ("hr", "sbp", "dbp", "map", "spo2", "rr", "temp", "etco2")
LAST_SIGNS = ("o2_flow", "sedation", "dissociation", "nausea", "pain")

_YES, _NO = Decimal(1), Decimal(0)
_DISSOCIATION_TICKS = ("distress", "unresponsive", "unsafe_behaviour")


@dataclass(slots=True, eq=False)
class Reading:
    """What one sign said at one moment.

    ``value`` is what is shown (canonical unit or scale code), ``measures`` what rules compare,
    ``known_at`` when the last of its ``facts`` was saved.  No measures: looked at, not assessed.
    """

    at: datetime
    known_at: datetime
    set_id: UUID | None
    value: Decimal | None
    measures: dict[str, Decimal]
    facts: tuple[Fact, ...]


def in_order(facts: Iterable[Observation]) -> list[Observation]:
    """In the order of the record, however they were handed over."""
    return sorted(facts, key=attrgetter("taken_at", "recorded_at", "id"))


class Sets:
    """Observations by parameter and by set, in the order of the record."""

    __slots__ = ("by_parameter", "by_set", "first_at", "last_at")

    def __init__(self, observations: Iterable[Observation]) -> None:
        self.by_parameter: dict[str, list[Observation]] = {}
        self.by_set: dict[UUID, dict[str, Observation]] = {}
        set_id: UUID | None = None
        together: dict[str, Observation] = {}
        ordered = in_order(observations)
        self.first_at = ordered[0].taken_at if ordered else None
        self.last_at = ordered[-1].taken_at if ordered else None
        for observation in ordered:
            self.by_parameter.setdefault(observation.parameter, []).append(observation)
            if observation.set_id is not set_id:  # hashing a UUID is slow: once for each set
                set_id = observation.set_id
                together = self.by_set.setdefault(set_id, {})
            together[observation.parameter] = observation

    def all_after(self, moment: datetime | None) -> bool:
        """Whether nothing of it was taken at the moment or before."""
        return moment is None or self.first_at is None or self.first_at > moment

    def followed_by(self, later: Sets) -> Sets:
        """Both; every set of the other is later than all of these."""
        both = Sets(())
        both.first_at, both.last_at = self.first_at or later.first_at, later.last_at or self.last_at
        both.by_set = self.by_set | later.by_set
        both.by_parameter = dict(self.by_parameter)
        for key, observations in later.by_parameter.items():
            both.by_parameter[key] = [*self.by_parameter.get(key, ()), *observations]
        return both

    def values(self, key: str) -> Iterator[tuple[Observation, Decimal]]:
        for observation in self.by_parameter.get(key, ()):
            if observation.value is not None:
                yield observation, observation.value

    def findings(self, key: str, finding: NotTaken) -> Iterator[Observation]:
        for observation in self.by_parameter.get(key, ()):
            if observation.not_taken is finding:
                yield observation

    def with_any(self, keys: tuple[str, ...]) -> list[dict[str, Observation]]:
        """The sets that say something about any of the parameters, in order of time."""
        found = in_order(seen for key in keys for seen in self.by_parameter.get(key, ()))
        return [self.by_set[set_id] for set_id in dict.fromkeys(seen.set_id for seen in found)]


class SessionReadings:
    """The streams of one session, built when first asked for.

    ``session`` is the session as known at the moment of judgement.  ``newest_within`` is how old a
    blood pressure or sedation score of another set may be to count beside a symptom (U-02, U-54).
    ``before`` are the streams of a session that this one grew from.
    """

    def __init__(
        self,
        session: InfusionSession,
        newest_within: timedelta,
        before: SessionReadings | None = None,
    ) -> None:
        self._session = session
        self._newest_within = newest_within
        self._streams: dict[str, list[Reading]] = {}
        self._extremes: dict[str, tuple[Decimal, Decimal] | None] = {}
        #: What others worked out from these streams.  It goes on to the session that grows from
        #: this one, so whoever takes it has to see that it is about the same readings.
        self.derived: dict[Any, Any] = {}
        self._of_sets: dict[str, list[Reading]] = {}
        #: What stood ticked before the later sets.  Never written again: two threads may be building
        #: the same stream, and what one of them ends with is not what the other begins with.
        self._ticks_before: dict[str, Decimal] = dict.fromkeys(_DISSOCIATION_TICKS, _NO)
        #: The same of the session before, by sign: nobody changes a list once it is there.
        self._earlier: dict[str, list[Reading]] = {}
        self._earlier_extremes: dict[str, tuple[Decimal, Decimal] | None] = {}
        later = None if before is None else before._later_sets(session)
        if before is None or later is None:
            self.sets = self._later = Sets(session.current_observations)
            return
        self.sets, self._later = before.sets.followed_by(later), later
        # Another thread may be reading there: what follows from a stream is taken before it.
        self._earlier_extremes = dict(before._extremes)
        self._earlier = dict(before._of_sets)
        if said := self._earlier.get("dissociation"):
            told = said[-1].measures
            self._ticks_before = {tick: told[f"last_{tick}"] for tick in _DISSOCIATION_TICKS}
        self.derived = dict(before.derived)
        if "baseline" in vars(before) and _same_baseline(before._session, session, later):
            vars(self)["baseline"] = before.baseline

    def _later_sets(self, session: InfusionSession) -> Sets | None:
        """The sets that a session has more, when they leave every reading here as it is.

        They do when they are sets of their own, taken after all others, and nothing was amended
        and the first dose is the same.  None otherwise: then everything is read anew.
        """
        mine, all_ = self._session.current_observations, session.current_observations
        if (
            self._session.amendments != session.amendments
            or self._session.started_at != session.started_at
            or all_[: len(mine)] != mine
        ):
            return None
        later = Sets(all_[len(mine) :])
        apart = self.sets.by_set.keys().isdisjoint(later.by_set)
        return later if apart and later.all_after(self.sets.last_at) else None

    def of(self, sign: str) -> list[Reading]:
        """Every reading of a sign, in order of time."""
        stream = self._streams.get(sign)
        if stream is None:
            stream = self._read_sets(sign)
            if sign == "nausea":
                stream = _in_time([*stream, *self._vomited()])
            self._streams[sign] = stream
        return stream

    def _read_sets(self, sign: str) -> list[Reading]:
        """What the sets say about a sign: what is known already, and the later sets."""
        earlier = self._earlier.get(sign)
        sets = self.sets if earlier is None else self._later
        build = getattr(self, f"_{sign}", None)
        stream = _in_time(build(sets) if build else self._vital(sign, sets))
        if earlier is not None:
            stream = [*earlier, *stream]
        self._of_sets[sign] = stream
        return stream

    def extremes(self, sign: str) -> tuple[Decimal, Decimal] | None:
        """The lowest and highest number of a sign; what lies between them need not be looked at."""
        if sign not in self._extremes:
            stream, known = self.of(sign), self._earlier_extremes.get(sign, ())
            if sign in self._earlier_extremes:
                stream = self._of_sets[sign][len(self._earlier[sign]) :]
            values = [seen.measures["value"] for seen in stream if "value" in seen.measures]
            values += known or ()
            self._extremes[sign] = (min(values), max(values)) if values else None
        return self._extremes[sign]

    # -- single values -------------------------------------------------------------------------

    def _vital(self, key: str, sets: Sets) -> Iterator[Reading]:
        for seen, value in sets.values(key):
            yield _reading(seen, value, {"value": value})

    def _pressure(self, key: str, sets: Sets) -> Iterator[Reading]:
        for seen, value in sets.values(key):
            measures = {"value": value}
            for name in ("sbp", "dbp"):
                other = self.sets.by_set[seen.set_id].get(name)
                if other is not None and other.value is not None:
                    measures[name] = other.value
            yield _reading(seen, value, measures)

    def _sbp(self, sets: Sets) -> Iterator[Reading]:
        return self._pressure("sbp", sets)

    def _dbp(self, sets: Sets) -> Iterator[Reading]:
        return self._pressure("dbp", sets)

    def _etco2(self, sets: Sets) -> Iterator[Reading]:
        yield from self._vital("etco2", sets)
        for seen in sets.findings("etco2", NotTaken.NO_TRACE):
            yield _reading(seen, None, {"no_trace": _YES})

    def _spo2(self, sets: Sets) -> Iterator[Reading]:
        flows = list(self.sets.values("o2_flow"))
        times = [flow.taken_at for flow, _ in flows]
        for seen, value in sets.values("spo2"):
            measures = {"value": value}
            # A flow is a setting: the newest one holds until another was recorded.
            newest = bisect_right(times, seen.taken_at)
            if newest:
                measures["o2_flow"] = flows[newest - 1][1]
            yield _reading(seen, value, measures)
        for seen in sets.findings("spo2", NotTaken.NO_TRACE):
            measures = {"no_trace": _YES}
            together = self.sets.by_set[seen.set_id]
            grade = self._grade_of(seen.set_id)
            if grade is not None:
                measures["sedation_grade"] = grade
            if "rr" in together and (rate := together["rr"].value) is not None:
                measures["rr"] = rate
            yield _reading(seen, None, measures)

    # -- what is taken together ----------------------------------------------------------------

    def _map(self, sets: Sets) -> Iterator[Reading]:
        """The monitor's own mean pressure, else (SBP + 2 x DBP) / 3, unrounded (U-58)."""
        for together in sets.by_set.values():
            entered = together.get("map")
            if entered is not None and entered.value is not None:
                yield _reading(entered, entered.value, {"value": entered.value})
                continue
            systolic, diastolic = together.get("sbp"), together.get("dbp")
            if systolic is None or diastolic is None:
                continue
            if systolic.value is None or diastolic.value is None:
                continue
            mean = (systolic.value + 2 * diastolic.value) / 3
            yield _reading(systolic, mean, {"value": mean}, diastolic)

    def _bp(self, sets: Sets) -> Iterator[Reading]:
        """Whether a pressure could be had at all: a palpated systolic one is a pressure."""
        for together in sets.by_set.values():
            systolic, diastolic = together.get("sbp"), together.get("dbp")
            if systolic is not None and systolic.value is not None:
                yield _reading(systolic, systolic.value, {"value": systolic.value})
                continue
            for seen in (systolic, diastolic):
                if seen is not None and seen.not_taken is NotTaken.UNRECORDABLE:
                    yield _reading(seen, None, {"unrecordable": _YES})
                    break

    def _sedation(self, sets: Sets) -> Iterator[Reading]:
        for seen in sets.by_parameter.get("sedation", ()):
            grade = self._grade(seen)
            if grade is None or seen.value is None:
                yield _reading(seen, None, {})
            else:
                yield _reading(seen, seen.value, {"grade": grade, "code": seen.value})

    def _grade(self, seen: Observation) -> Decimal | None:
        """The harmonised grade 0 to 3 of a sedation score, None when not assessed (U-49, U-50)."""
        if seen.value is None or seen.value != int(seen.value):
            return None
        together = self.sets.by_set[seen.set_id]
        roused = together.get("roused_to_voice")
        grade = sedation_grade(
            self._session.sedation_scale,
            int(seen.value),
            asleep=_ticked(together.get("asleep")),
            roused=None if roused is None or roused.value is None else _ticked(roused),
        )
        return None if grade is None else Decimal(grade)

    def _grade_of(self, set_id: UUID) -> Decimal | None:
        seen = self.sets.by_set[set_id].get("sedation")
        return None if seen is None else self._grade(seen)

    def _dissociation(self, sets: Sets) -> Iterator[Reading]:
        started_at = self._session.started_at
        last = dict(self._ticks_before)
        keys = ("dissociation", *_DISSOCIATION_TICKS)
        for together in sets.with_any(keys):
            facts = [together[key] for key in keys if key in together]
            measures = {
                "value" if f.parameter == "dissociation" else f.parameter: f.value for f in facts
            }
            told = {key: value for key, value in measures.items() if value is not None}
            if not told:
                continue
            # What was ticked stays so until someone says no, but not from before the infusion.
            if started_at is not None and facts[0].taken_at >= started_at:
                last |= {key: told[key] for key in _DISSOCIATION_TICKS if key in told}
            told |= {f"last_{key}": value for key, value in last.items()}
            yield _reading(facts[0], told.get("value"), told, *facts[1:])

    def _symptoms(self, sets: Sets) -> Iterator[Reading]:
        keys = SIGNS["symptoms"].parameters
        for together in sets.with_any(keys):
            facts = [together[key] for key in keys if key in together]
            measures = {fact.parameter: fact.value for fact in facts if fact.value is not None}
            if not measures:
                continue
            measures |= self._pressure_at(together, max(fact.taken_at for fact in facts))
            # The symptom the patient has comes first: it is what the alert is about.
            facts.sort(key=lambda fact: not fact.value)
            yield _reading(facts[0], None, measures, *facts[1:])

    def _pressure_at(
        self, together: Mapping[str, Observation], moment: datetime
    ) -> dict[str, Decimal]:
        """The pressure of the set, else the newest one that is not too old (U-02)."""
        same_set = {
            key: value
            for key in ("sbp", "dbp")
            if key in together and (value := together[key].value) is not None
        }
        if same_set:
            return same_set | {"bp_known": _YES}
        newest = [
            reading
            for key in ("sbp", "dbp")
            for reading in self.of(key)
            if moment - self._newest_within <= reading.at <= moment
        ]
        if not newest:
            return {"bp_known": _NO}
        measures = max(newest, key=attrgetter("at", "known_at")).measures
        return {key: measures[key] for key in ("sbp", "dbp") if key in measures} | {
            "bp_known": _YES
        }

    def _nausea(self, sets: Sets) -> Iterator[Reading]:
        for together in sets.with_any(("nausea", "vomited")):
            facts = [together[key] for key in ("nausea", "vomited") if key in together]
            score = together.get("nausea")
            value = None if score is None else score.value
            measures = {} if value is None else {"value": value}
            if _ticked(together.get("vomited")):
                measures["vomited"] = _YES
                measures |= self._sedation_at(facts[0].set_id, facts[0].taken_at)
            if measures:
                yield _reading(facts[0], value, measures, *facts[1:])

    def _vomited(self) -> Iterator[Reading]:
        """Vomiting that was recorded as an event or a side effect, beside the sets."""
        for seen in self._vomiting():
            measures = {"vomited": _YES} | self._sedation_at(None, seen.taken_at)
            yield Reading(seen.taken_at, seen.recorded_at, None, None, measures, (seen,))

    def _vomiting(self) -> Iterator[Fact]:
        session = self._session
        for event in session.current(session.events):
            if event.kind == EventKind.VOMITED:
                yield event
        for effect in session.current(session.side_effects):
            if effect.term == "vomiting" and effect.grade > 0:
                yield effect

    def _sedation_at(self, set_id: UUID | None, moment: datetime) -> dict[str, Decimal]:
        """The grade of the set, else the newest one that is not too old (U-54)."""
        grade = None if set_id is None else self._grade_of(set_id)
        if grade is None:
            for reading in self.of("sedation"):
                if moment - self._newest_within <= reading.at <= moment and reading.measures:
                    grade = reading.measures["grade"]
        if grade is None:
            return {"sedation_known": _NO}
        return {"sedation_known": _YES, "sedation_grade": grade}

    # -- the early-warning score ---------------------------------------------------------------

    def _news2(self, sets: Sets) -> Iterator[Reading]:
        """What each set scores, ``points_*`` by part; an incomplete one says at least (U-48)."""
        for together in sets.by_set.values():
            parts = parts_of(together, self._session.sedation_scale)
            if not parts:
                continue
            values = {key: seen.value for key, seen in parts.items() if seen.value is not None}
            score = news2(values, spo2_scale=self._session.spo2_scale)
            measures = {
                "value": Decimal(score.at_least),
                "complete": _NO if score.missing else _YES,
                "any_three": _YES if score.threes else _NO,
                **{f"points_{key}": Decimal(points) for key, points in score.points.items()},
            }
            # What scores most comes first: it is what the alert is about.
            facts = sorted(parts, key=lambda key: -score.points[key])
            first, *others = (parts[key] for key in facts)
            yield _reading(first, measures["value"], measures, *others)

    # -- side effects --------------------------------------------------------------------------

    def side_effects(self) -> Iterator[tuple[SideEffect, list[Reading]]]:
        """Every side effect with its course: onset, changes of grade, end.

        The measure ``critical_term`` depends on the rule and is added there.
        """
        session = self._session
        now_called = {item.amends: item.replacement for item in session.amendments}
        changes: dict[UUID, list[Reading]] = {}
        for change in session.current(session.side_effect_changes):
            subject: UUID | None = change.side_effect_id
            while subject in now_called:
                subject = now_called[subject]
            if subject is None or (change.grade is None and not change.ended):
                continue
            measures = {"ended": _YES} if change.ended else {}
            if change.grade is not None and not change.ended:
                measures["grade"] = Decimal(change.grade)
            changes.setdefault(subject, []).append(
                Reading(change.taken_at, change.recorded_at, None, None, measures, (change,))
            )
        for effect in session.current(session.side_effects):
            if effect.term == NONE:
                continue
            grade = Decimal(effect.grade)
            onset = Reading(
                effect.taken_at, effect.recorded_at, None, grade, {"grade": grade}, (effect,)
            )
            course = [onset, *changes.get(effect.id, [])]
            yield effect, sorted(course, key=attrgetter("at", "known_at"))

    # -- baseline ------------------------------------------------------------------------------

    @cached_property
    def baseline(self) -> Mapping[str, Decimal]:
        """The baseline of every sign that has one, by parameter key (clinical.md U-44)."""
        started_at = self._session.started_at
        if started_at is None:
            return {}
        fixed = _fixed_at_start(self._session)
        found: dict[str, Decimal] = {}
        for key in MEDIAN_SIGNS:
            before = [
                reading
                for reading in self.of(key)
                if started_at - BASELINE_WINDOW <= reading.at <= started_at
                and reading.value is not None
            ]
            values = _kept(before, fixed)
            if values:
                found[key] = _median([reading.measures["value"] for reading in values])
        for key in LAST_SIGNS:
            before = [
                _reading(seen, value, {"value": value})
                for seen, value in self.sets.values(key)
                if seen.taken_at <= started_at
            ]
            values = _kept(before, fixed)
            if values:
                found[key] = values[-1].measures["value"]
        return found


def _in_time(readings: Iterable[Reading]) -> list[Reading]:
    return sorted(readings, key=attrgetter("at", "known_at"))


def _same_baseline(before: InfusionSession, after: InfusionSession, later: Sets) -> bool:
    """Whether the doses that fix it are the same and no later set is from before the first dose."""
    same_doses = before.dose_steps == after.dose_steps and before.boluses == after.boluses
    return same_doses and later.all_after(after.started_at)


def session_readings(session: InfusionSession, newest_within: timedelta) -> SessionReadings:
    """The streams of a session, built once per session object: its facts never change."""
    kept: dict[timedelta, SessionReadings] = vars(session).setdefault(STREAMS, {})
    if newest_within not in kept:
        # Taken away: a session must not hold on to all those it grew from.
        before = vars(session).get(STREAMS_BEFORE, {}).pop(newest_within, None)
        kept[newest_within] = SessionReadings(session, newest_within, before)
    return kept[newest_within]


def kept_readings(session: InfusionSession) -> SessionReadings | None:
    """Streams of the session that somebody built already, with whatever window."""
    kept: dict[timedelta, SessionReadings] = vars(session).get(STREAMS, {})
    return next(iter(tuple(kept.values())), None)


def baseline(session: InfusionSession) -> Mapping[str, Decimal]:
    """What the patient was before the first dose, by parameter key; no key = no baseline.

    The exact median of the readings of the 60 minutes before the start, for scores and oxygen flow
    the last value before it.  Fixed at the first dose: a reading from before the start that is
    saved later counts only where there was none, an amendment of a reading that counted always
    does (clinical.md U-44).
    """
    # The window plays no part in a baseline.
    return (kept_readings(session) or session_readings(session, timedelta(0))).baseline


def _fixed_at_start(session: InfusionSession) -> frozenset[UUID]:
    """Ids of the observations that were saved when the first dose was, and of their corrections."""
    doses: list[Fact] = [
        *(step for step in session.current(session.dose_steps) if step.rate_mg_per_h > 0),
        *session.current(session.boluses),
    ]
    first = min(doses, key=lambda fact: fact.order)
    fixed = {seen.id for seen in session.observations if seen.recorded_at <= first.recorded_at}
    for amendment in sorted(session.amendments, key=attrgetter("recorded_at", "id")):
        if amendment.amends in fixed and amendment.replacement is not None:
            fixed.add(amendment.replacement)
    return frozenset(fixed)


def _kept(readings: list[Reading], fixed: frozenset[UUID]) -> list[Reading]:
    kept = [item for item in readings if all(fact.id in fixed for fact in item.facts)]
    return kept or readings


def _median(values: list[Decimal]) -> Decimal:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def _ticked(seen: Observation | None) -> bool:
    return seen is not None and bool(seen.value)


def _reading(
    seen: Observation, value: Decimal | None, measures: dict[str, Decimal], *others: Fact
) -> Reading:
    known_at = seen.recorded_at
    for fact in others:
        known_at = max(known_at, fact.recorded_at)
    return Reading(seen.taken_at, known_at, seen.set_id, value, measures, (seen, *others))


#: Signs that are not called by the first of the parameters they are made of.
_CALLED = {"map": "MAP", "news2": "NEWS2"}


def short_name(sign: str) -> str:
    """How a sign is called on a card."""
    return _CALLED.get(sign) or PARAMETERS[SIGNS[sign].parameters[0]].short
