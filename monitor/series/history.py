"""A rule over the stored readings of many sessions at once: monitor.breaches in vectors.

Ranks, clear bands, contradictions and late entries are worked out for all readings together.  Then
every session with a reading outside runs its state machine (monitor/episodes.py) beside the others:
in one pass each takes its next step, and it leaps over readings that would change nothing.  So
the number of passes is that of the changes in the most eventful session, not that of the readings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from monitor.series.limits import Bools, Floats, Readings, VectorLimits
from monitor.series.runs import NEVER, Courses, Stream, run
from monitor.thresholds import RELATIVE, SIGNS, Rule, ThresholdSet

__all__ = [
    "NEVER",
    "STATES",
    "Episodes",
    "History",
    "can_judge",
    "find_history_breaches",
    "measures_needed",
]

Times = NDArray[np.int64]
Indexes = NDArray[np.integer]

#: What a number in ``Episodes.state`` means; monitor.breaches.Breach has the words.
STATES = ("pending", "active", "resolved", "unconfirmed")

#: Signs whose readings may be thirds or ninths (a calculated mean pressure, U-58; a temperature taken
#: in degF, U-57).  A limit relative to such a baseline is decided by digits that no float has.
_ENDLESS = ("map", "temp")


@dataclass(frozen=True, slots=True)
class History:
    """The readings of one sign in many sessions, as known at the moment of judgement.

    ``session`` ascends and is the index into everything said per session; ``at_us`` counts from the
    first dose (before it: negative) and ascends within a session, of equal times the one saved first.
    ``value`` is NaN where a reading has no number, ``baseline`` where there is none.

    ``measures`` are the other things the readings of the sign say, by the names of
    ``thresholds.SIGNS`` and as monitor/readings.py builds them, NaN where one does not say it; all
    of them, since readings contradict each other only when they say the same thing.  Ticks are 1
    and 0.

    ``saved_us`` is when each reading was saved (None: when it was taken), ``entry`` which set it is of
    (None: each is a set of its own).  ``ends_us`` is the end of each closed record: discharge, else
    the last reading of the session (U-09, U-67); NEVER while it goes on.  ``as_of_us`` is the moment
    of judgement (None: long after).  Scales as sessions have them, for rows that are for one.
    """

    session: Indexes
    at_us: Times
    value: Floats
    baseline: Floats
    measures: Mapping[str, Floats] = field(default_factory=dict)
    saved_us: Times | None = None
    entry: Indexes | None = None
    ends_us: Times | None = None
    as_of_us: Times | None = None
    spo2_scale: Indexes | None = None
    sedation_scale: NDArray[np.str_] | None = None
    dissociation_scale: NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        count, sessions = len(self.session), len(self.baseline)
        per_reading = [self.at_us, self.value, *self.measures.values()]
        per_reading += [array for array in (self.saved_us, self.entry) if array is not None]
        if any(len(array) != count for array in per_reading):
            raise ValueError("every reading needs its session, time, value and measures")
        scales = (self.spo2_scale, self.sedation_scale, self.dissociation_scale)
        per_session = [a for a in (self.ends_us, self.as_of_us, *scales) if a is not None]
        if any(len(array) != sessions for array in per_session):
            raise ValueError("what is said per session needs one value for each baseline")
        floats = (self.value, self.baseline, *self.measures.values())
        if any(array.dtype != np.float64 for array in floats):
            raise ValueError("values are float64: 39.1 is not 39.1 in a shorter float")
        if count:
            if self.session[0] < 0 or self.session[-1] >= sessions:
                raise ValueError("a reading is of a session that has no baseline entry")
            step = np.diff(self.session)
            if (step < 0).any() or ((np.diff(self.at_us) < 0) & (step == 0)).any():
                raise ValueError("readings are in order of session and time")


@dataclass(frozen=True, slots=True)
class Episodes:
    """Every breach of one rule, by session and onset; one entry of each array is one breach.

    ``reading`` is the index of its first reading outside.  ``level`` and ``confirmed_level``: 0 none,
    1 warning, 2 critical, as in ``Breach``; ``state`` an index of ``STATES``.  Times are NEVER where
    there is none.  ``retrospective`` as in U-43.
    """

    rule_id: str
    session: Indexes
    reading: NDArray[np.int64]
    onset_us: Times
    level: NDArray[np.int8]
    state: NDArray[np.int8]
    confirmed_level: NDArray[np.int8]
    confirmed_us: Times
    confirmed_by_clock: Bools
    ended_us: Times
    retrospective: Bools

    def __len__(self) -> int:
        return len(self.session)


def can_judge(rule: Rule) -> bool:
    """Whether the rule gives exactly the breaches here that the readable evaluator finds.

    Not the course of a side effect, which is one stream for each of them and not one for its sign;
    and no limit relative to the baseline of a sign whose readings may be endless decimals.
    """
    if rule.sign == "side_effect":
        return False
    return rule.sign not in _ENDLESS or not (_measures(rule) & set(RELATIVE))


def measures_needed(rule: Rule) -> frozenset[str]:
    """The measures a history must have for the rule, besides the value."""
    return frozenset(_measures(rule) - {*RELATIVE, "value"})


def _measures(rule: Rule) -> set[str]:
    return {
        condition.measure
        for level in rule.levels
        for expression in level.expressions
        for clause in expression
        for condition in clause
    }


def find_history_breaches(rule: Rule, history: History, threshold_set: ThresholdSet) -> Episodes:
    """Every breach of the rule in every session, as ``find_breaches`` would find it.

    Raises:
        ValueError: the rule cannot be judged here, or the history lacks what it looks at; an answer
            of "nothing" would look like safety.
    """
    _check(rule, history)
    limits = VectorLimits(rule, history.baseline)
    everything = Readings(_columns(rule, history), history.session, len(history.session))
    ranks = limits.ranks(everything)
    judged = _in_force(rule, history, limits)
    ranks[~judged] = 0
    # Most sessions have nothing outside a given limit: they are done here.
    eventful = np.zeros(len(history.baseline), np.bool_)
    eventful[history.session[ranks > 0]] = True
    judged &= eventful[history.session]
    kept = np.flatnonzero(judged)
    some = _taken(everything, kept)
    said = np.zeros(some.count, np.bool_)
    for column in some.measures.values():
        said |= ~np.isnan(column)
    asked = limits.asked(some)
    if rule.clear_times > 1:
        # A reading that was not assessed breaks the sequence that would clear (U-51).
        asked |= ~said
    kept, said, some = kept[asked], said[asked], _taken(some, np.flatnonzero(asked))
    stream = Stream(
        session=history.session[kept],
        at_us=history.at_us[kept],
        rank=ranks[kept],
        said=said,
        clears=tuple(tests.clears.hold(some) for tests in limits.levels),
    )
    stream.decides[:] = ~_contradicted(
        stream, some, None if history.entry is None else history.entry[kept],
        _us(threshold_set.conflict_within),
    )  # fmt: skip
    if history.saved_us is not None:
        late_after = _us(threshold_set.late_after)
        stream.overtaken[:] = _overtaken(stream, history.saved_us[kept], late_after)
    courses = run(limits, stream, history.ends_us, history.as_of_us)
    return _episodes(rule, stream, kept, courses)


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _check(rule: Rule, history: History) -> None:
    if not can_judge(rule):
        raise ValueError(f"row {rule.id} is not judged in vectors")
    wanted = measures_needed(rule) - _own_measures(rule) - set(history.measures)
    if wanted:
        raise ValueError(f"row {rule.id} looks at {', '.join(sorted(wanted))}: not in the history")
    needs = {
        "spo2_scale": rule.spo2_scale,
        "sedation_scale": rule.sedation_scales or rule.not_sedation_scales,
        "dissociation_scale": rule.dissociation_scales,
    }
    for name, wanted_scale in needs.items():
        if wanted_scale and getattr(history, name) is None:
            raise ValueError(f"row {rule.id} is for one {name}: not in the history")


def _own_measures(rule: Rule) -> set[str]:
    """A pressure names its own number twice: "value" and "sbp" are the same thing there."""
    return {rule.sign} & set(SIGNS[rule.sign].measures)


def _columns(rule: Rule, history: History) -> dict[str, Floats]:
    own = dict.fromkeys(_own_measures(rule), history.value)
    return {"value": history.value, **own, **history.measures}


def _taken(readings: Readings, kept: NDArray[np.intp]) -> Readings:
    assert readings.patient is not None
    columns = {name: column[kept] for name, column in readings.measures.items()}
    return Readings(columns, readings.patient[kept], len(kept))


def _in_force(rule: Rule, history: History, limits: VectorLimits) -> Bools:
    """Readings that count: of sessions the row is for, from the first dose to discharge (U-67)."""
    applies = limits.applies()
    if rule.spo2_scale is not None and history.spo2_scale is not None:
        applies &= history.spo2_scale == rule.spo2_scale
    if history.sedation_scale is not None:
        if rule.sedation_scales:
            applies &= np.isin(history.sedation_scale, rule.sedation_scales)
        if rule.not_sedation_scales:
            applies &= ~np.isin(history.sedation_scale, rule.not_sedation_scales)
    if rule.dissociation_scales and history.dissociation_scale is not None:
        applies &= np.isin(history.dissociation_scale, rule.dissociation_scales)
    judged: Bools = applies[history.session]
    if not rule.from_arrival:
        judged &= history.at_us >= 0
    if history.ends_us is not None:
        judged &= history.at_us <= history.ends_us[history.session]
    return judged


def _contradicted(
    stream: Stream, readings: Readings, entry: Indexes | None, within_us: int
) -> Bools:
    """Readings beside which a worse one of another entry stands: breaches._contradicted.

    Each is compared with the next, the one after it and so on, as long as any two are that close.
    """
    badness = stream.rank.copy()
    badness[(stream.rank == 0) & stream.clears[0]] = -1
    found = np.zeros(readings.count, np.bool_)
    first = np.arange(readings.count)
    for lag in range(1, readings.count):
        first = first[first + lag < readings.count]
        other = first + lag
        near = stream.at_us[other] - stream.at_us[first] < within_us
        first = first[near & (stream.session[first] == stream.session[other])]
        if not len(first):
            break
        other = first + lag
        differ = badness[first] != badness[other]
        if entry is not None:
            same_time = stream.at_us[first] == stream.at_us[other]
            differ &= (entry[first] != entry[other]) | same_time
        both = np.zeros(len(first), np.bool_)
        for column in readings.measures.values():
            both |= ~(np.isnan(column[first]) | np.isnan(column[other]))
        differ &= both
        milder = np.where(badness[first] < badness[other], first, other)
        found[milder[differ]] = True
    return found


def _overtaken(stream: Stream, saved_us: Times, late_after_us: int) -> Bools:
    """Readings outside, entered late, when a newer one inside was already known (U-43)."""
    late = (stream.rank > 0) & (saved_us - stream.at_us > late_after_us)
    found = np.zeros(len(late), np.bool_)
    asked = np.flatnonzero(late)
    if not len(asked):
        return found
    # The earliest save of any reading inside from here to the end of its session.  Saves are counted
    # instead of timed, so that adding more for each session keeps sessions apart and stays small.
    inside = (stream.rank == 0) & stream.said & stream.decides
    times, nth = np.unique(saved_us, return_inverse=True)
    base = nth + stream.session.astype(np.int64) * len(times)
    saved = np.where(inside, base, NEVER)
    earliest = np.append(np.minimum.accumulate(saved[::-1])[::-1], NEVER)
    # Newer is strictly later: the first reading of the session with another time.
    new_time = np.ones(len(late), np.bool_)
    new_time[1:] = (np.diff(stream.at_us) != 0) | (np.diff(stream.session) != 0)
    starts = np.append(np.flatnonzero(new_time), len(late))
    newer = starts[np.searchsorted(starts, asked, side="right")]
    found[asked] = earliest[newer] <= base[asked]
    return found


def _episodes(rule: Rule, stream: Stream, kept: NDArray[np.intp], courses: Courses) -> Episodes:
    first = courses.first
    shown = courses.last_shown
    state = np.where(
        shown > 0,
        np.where(shown > courses.last_confirmed, 0, 1),
        np.where(courses.top > 0, 2, 3),
    )
    # Two readings of one moment that undo each other leave nothing shown: the readable evaluator
    # then names the worst level.
    level = np.select(
        [shown > 0, courses.top > 0, courses.most_shown > 0],
        [shown, courses.top, courses.most_shown],
        2,
    )
    return Episodes(
        rule_id=rule.id,
        session=stream.session[first],
        reading=kept[first].astype(np.int64),
        onset_us=stream.at_us[first],
        level=level.astype(np.int8),
        state=state.astype(np.int8),
        confirmed_level=courses.top,
        confirmed_us=courses.confirmed_us,
        confirmed_by_clock=courses.by_clock,
        ended_us=np.where(shown == 0, courses.last_us, NEVER),
        retrospective=(shown == 0) & ~courses.live,
    )
