"""Device series in vectors: monitor/device_breaches.py for many sessions and millions of samples.

What is outside is rare, so all that is more than a comparison is done on the samples outside alone,
and what is left are a few intervals for each rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from monitor import device_breaches
from monitor.device_limits import DeviceLimits, DeviceSign
from monitor.series.limits import Bools, Floats, Readings, VectorLimits
from monitor.series.runs import NEVER
from monitor.thresholds import RELATIVE, Level, Rule, ThresholdSet

_Times = NDArray[np.int64]
_Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class DeviceSeries:
    """What devices said of one sign in one or many sessions, one session after the other.

    Session ``i`` has the samples ``starts[i]`` to ``starts[i + 1]``, in order of time; ``at_us`` counts
    from its first dose.  ``value`` is NaN where the device wrote no number, ``good`` false where it
    calls its signal bad (None: never).  ``baseline`` is NaN where there is none; ``ends_us`` is the
    discharge, NEVER while there was none; ``spo2_scale`` 1 where it is not given.
    """

    starts: NDArray[np.integer]
    at_us: _Times
    value: Floats
    baseline: Floats
    good: Bools | None = None
    ends_us: _Times | None = None
    spo2_scale: NDArray[np.integer] | None = None

    def __post_init__(self) -> None:
        if self.value.dtype != np.float64 or self.baseline.dtype != np.float64:
            raise ValueError("values are float64: 39.1 is not 39.1 in a shorter float")
        lengths = {len(self.at_us), len(self.value), int(self.starts[-1])}
        if self.good is not None:
            lengths.add(len(self.good))
        if len(lengths) > 1 or self.starts[0] != 0 or (np.diff(self.starts) < 0).any():
            raise ValueError("every sample needs its time and value and belongs to one session")
        per_session = [a for a in (self.ends_us, self.spo2_scale) if a is not None]
        if any(len(array) != len(self.starts) - 1 for array in (self.baseline, *per_session)):
            raise ValueError("what is said per session needs one value for each session")
        back = self.at_us[1:] < self.at_us[:-1]
        begins = self.starts[1:-1]
        back[begins[(begins > 0) & (begins < len(self.at_us))] - 1] = False
        if back.any():
            raise ValueError("the samples of a session are in order of time")


@dataclass(frozen=True, slots=True)
class DeviceEpisodes:
    """Every breach of one rule, by session and onset; each as a ``DeviceBreach``.

    Levels: 1 warning, 2 critical.  ``ended_us`` is NEVER while it lasts.
    """

    rule_id: str
    session: _Ints
    onset_us: _Times
    level: NDArray[np.int8]
    confirmed_level: NDArray[np.int8]
    confirmed_us: _Times
    ended_us: _Times

    def __len__(self) -> int:
        return len(self.session)


def find_device_breaches(
    rules: Sequence[Rule], series: DeviceSeries, threshold_set: ThresholdSet
) -> tuple[DeviceEpisodes, ...]:
    """Every breach of each rule of the sign, in every session of the series.

    Raises:
        ValueError: a rule asks for what a device series does not say, or the rules are about several
            signs.
    """
    device = threshold_set.device
    if device is None or not all(device_breaches.can_judge(rule, device) for rule in rules):
        raise ValueError("not all of these rules are judged on a device series")
    if len({rule.sign for rule in rules}) > 1:
        raise ValueError("a series is about one sign")
    left: dict[bool, _Values] = {}
    found = []
    for rule in rules:
        if rule.from_arrival not in left:
            sign = device.signs[rule.sign]
            left[rule.from_arrival] = _Values.of(series, sign, from_arrival=rule.from_arrival)
        found.append(_judged(rule, series, left[rule.from_arrival], device))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Values:
    """The samples that are values and count; ``patient`` None when there is one session."""

    starts: _Ints
    at_us: _Times
    value: Floats
    patient: NDArray[np.integer] | None
    lowest: float
    highest: float

    @classmethod
    def of(cls, series: DeviceSeries, sign: DeviceSign, *, from_arrival: bool) -> _Values:
        is_value = np.isfinite(series.value)
        if series.good is not None:
            is_value &= series.good
        for number in sign.not_values:
            is_value &= series.value != float(number)
        if not from_arrival:
            is_value &= series.at_us >= 0
        if series.ends_us is not None:
            is_value &= series.at_us <= np.repeat(series.ends_us, np.diff(series.starts))
        kept = np.flatnonzero(is_value)
        starts = np.searchsorted(kept, series.starts)
        value = series.value[kept]
        sessions = len(starts) - 1
        return cls(
            starts=starts,
            at_us=series.at_us[kept],
            value=value,
            patient=None
            if sessions == 1
            else np.repeat(np.arange(sessions, dtype=np.int32), np.diff(starts)),
            lowest=float(value.min(initial=np.inf)),
            highest=float(value.max(initial=-np.inf)),
        )

    def ends_of(self, index: _Ints) -> _Ints:
        """The end (exclusive) of the session each of these values is of."""
        ends: _Ints = self.starts[np.searchsorted(self.starts, index, side="right")]
        return ends


def _judged(
    rule: Rule, series: DeviceSeries, values: _Values, device: DeviceLimits
) -> DeviceEpisodes:
    limits = VectorLimits(_numbers_only(rule), series.baseline)
    applies = limits.applies()
    if rule.spo2_scale is not None:
        scale = np.int64(1) if series.spo2_scale is None else series.spo2_scale
        applies &= scale == rule.spo2_scale
    readings = Readings({"value": values.value}, values.patient, len(values.value))
    outside = _outside(limits, readings, applies, values)
    gap_us, sign = _us(device.gap), device.signs[rule.sign]
    runs: list[_LevelRun] = []
    for tests, beyond in zip(reversed(limits.levels), reversed(outside), strict=True):
        if beyond is None:
            continue
        lasts_us = _us(sign.lasts(tests.level.name))
        stretches, confirmed = _confirmations(beyond, values, gap_us, lasts_us)
        # What confirms a worse level activates this one, so it has to be known when it clears.
        needed = len(confirmed) or any(len(run.confirmed) for run in runs)
        held = beyond | ~tests.clears.hold(readings) if needed else None
        stays, stays_until = _stays(held, values.starts)
        runs.insert(0, _LevelRun(tests.rank, stretches, confirmed, stays, stays_until))
    if not any(len(run.confirmed) for run in runs):
        none = np.zeros(0, np.int64)
        levels = none.astype(np.int8)
        return DeviceEpisodes(rule.id, none.astype(np.intp), none, levels, levels, none, none)
    return _episodes(rule.id, runs, values)


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _numbers_only(rule: Rule) -> Rule:
    """The rule without the alternatives that ask for more than a number, which never hold here, and
    without ``at_once``: no single sample is enough."""

    def numbers(level: Level | None) -> Level | None:
        if level is None:
            return None
        known = {"value", *RELATIVE}
        fires = tuple(c for c in level.fires if all(item.measure in known for item in c))
        return replace(level, fires=fires, at_once=())

    return replace(rule, warning=numbers(rule.warning), critical=numbers(rule.critical))


def _outside(
    limits: VectorLimits, readings: Readings, applies: Bools, values: _Values
) -> list[Bools | None]:
    """Which values are beyond each level; None for a level that none is beyond.

    Beyond critical is beyond warning too (U-10).
    """
    found: list[Bools | None] = []
    beyond: Bools | None = None
    for tests in reversed(limits.levels):
        if tests.fires.may_hold(values.lowest, values.highest):
            own = tests.fires.hold(readings)
            if tests.counts_when.clauses:
                own &= tests.counts_when.hold_if_any(readings)
            if not applies.all():
                own &= applies[0] if values.patient is None else applies[values.patient]
            beyond = own if beyond is None else own | beyond
        found.append(beyond)
    found.reverse()
    return found


@dataclass(frozen=True, slots=True)
class _LevelRun:
    """One level: its stretches outside, where they confirm it, and where it does not clear.

    All are indexes of values.  ``stretches`` are the first values of stretches outside,
    ``confirmed`` the values at which one lasted long enough.  ``stays`` are the values that do not
    clear the level, in stretches that end at (exclusive) ``stays_until``.
    """

    rank: int
    stretches: _Ints
    confirmed: _Ints
    stays: _Ints
    stays_until: _Ints

    def clears_from(self, index: _Ints) -> _Ints:
        """The first value at these indexes or later that clears, whatever session it is of."""
        if not len(self.stays):
            return index
        run = np.searchsorted(self.stays, index, side="right") - 1
        until = self.stays_until[run]
        return np.where((run >= 0) & (index < until), until, index)


def _confirmations(
    outside: Bools, values: _Values, gap_us: int, lasts_us: int
) -> tuple[_Ints, _Ints]:
    """The first value of each stretch outside; the values at which one lasted long enough."""
    beyond = np.flatnonzero(outside)
    begins = _begins(beyond, values.starts)
    # Time outside counts between two values outside that follow each other without a gap.
    counted = np.zeros(len(beyond), np.int64)
    follows = beyond[~begins]
    step = values.at_us[follows] - values.at_us[follows - 1]
    step[step > gap_us] = 0
    counted[~begins] = step
    total = np.cumsum(counted)
    first = np.flatnonzero(begins)
    reached = np.searchsorted(total, total[first] + lasts_us)
    long_enough = reached < np.append(first[1:], len(beyond))
    return beyond[first], beyond[reached[long_enough]]


def _stays(held: Bools | None, starts: _Ints) -> tuple[_Ints, _Ints]:
    """The first values and the ends (exclusive) of stretches that do not clear a level."""
    if held is None:
        none = np.zeros(0, np.intp)
        return none, none
    index = np.flatnonzero(held)
    begins = _begins(index, starts)
    last = index[np.append(np.flatnonzero(begins)[1:], len(index)) - 1]
    return index[begins], last + 1


def _begins(index: _Ints, starts: _Ints) -> Bools:
    """Which of these ascending indexes do not follow the one before in the same session."""
    begins = np.ones(len(index), np.bool_)
    begins[1:] = np.diff(index) != 1
    new = np.searchsorted(index, starts[:-1])
    new = new[new < len(index)]
    begins[new] = True
    return begins


@dataclass(frozen=True, slots=True)
class _Intervals:
    """When a level is active: from ``begin`` until ``end`` (exclusive; the session's end if open)."""

    begin: _Ints
    end: _Ints


def _active(run: _LevelRun, begin: _Ints, values: _Values, worse: _Intervals | None) -> _Intervals:
    """Intervals from activations to the values that clear them.

    Activations with the same end are one interval: the first began it.  While the ``worse`` level
    is active this one stays, whatever it says itself (U-10, U-15).
    """
    session_end = values.ends_of(begin)
    end = np.minimum(run.clears_from(begin + 1), session_end)
    while worse is not None and len(worse.begin):
        at = np.searchsorted(worse.begin, end, side="right") - 1
        held = (at >= 0) & (end < worse.end[at]) & (end < session_end)
        if not held.any():
            break
        later = run.clears_from(worse.end[at[held]])
        end[held] = np.minimum(later, session_end[held])
    first = np.ones(len(end), np.bool_)
    first[1:] = np.diff(end) != 0
    return _Intervals(begin[first], end[first])


def _episodes(rule_id: str, runs: list[_LevelRun], values: _Values) -> DeviceEpisodes:
    mildest, worst = runs[0], runs[-1]
    intervals = critical = _active(worst, worst.confirmed, values, None)
    if mildest is not worst:
        begin = np.union1d(mildest.confirmed, critical.begin)
        intervals = _active(mildest, begin, values, critical)
    begin, end = intervals.begin, intervals.end
    session_end = values.ends_of(begin)
    is_open = end == session_end
    # The first and the last time the worst level was active within each.
    first = np.searchsorted(critical.begin, begin)
    last = np.searchsorted(critical.begin, end) - 1
    reached = first <= last
    confirmed_at = begin.copy()
    confirmed_at[reached] = critical.begin[first[reached]]
    top = np.where(reached, worst.rank, mildest.rank)
    still = np.zeros(len(begin), np.bool_)
    still[reached] = critical.end[last[reached]] == session_end[reached]
    level = np.where(is_open & ~still, mildest.rank, top)
    onset = mildest.stretches[np.searchsorted(mildest.stretches, begin, side="right") - 1]
    ended_us = np.full(len(begin), NEVER)
    ended_us[~is_open] = values.at_us[end[~is_open]]
    return DeviceEpisodes(
        rule_id=rule_id,
        session=np.searchsorted(values.starts, begin, side="right") - 1,
        onset_us=values.at_us[onset],
        level=level.astype(np.int8),
        confirmed_level=top.astype(np.int8),
        confirmed_us=values.at_us[confirmed_at],
        ended_us=ended_us,
    )
