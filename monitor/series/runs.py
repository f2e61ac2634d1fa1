"""The state machine of monitor/episodes.py for many sessions side by side.

Every method here has its twin there and does the same to all runs it is given.  In one pass each run
takes one step: the clock confirms, or a reading is taken, or the record ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from monitor.patient_limits import AT_ONCE
from monitor.series.limits import Bools, VectorLimits
from monitor.thresholds import LEVELS, Confirm

#: No such time: later than every other one.
NEVER = int(np.iinfo(np.int64).max)

_Times = NDArray[np.int64]
_Levels = NDArray[np.int8]
_Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Stream:
    """What the runs are given: the readings a rule asks about, session by session in order of time.

    ``said`` is false where it was looked but not assessed; ``clears`` has one array for each level.
    ``decides`` and ``overtaken`` are those of ``RuleRun.take``.
    """

    session: NDArray[np.integer]
    at_us: _Times
    rank: _Levels
    said: Bools
    clears: tuple[Bools, ...]
    decides: Bools = field(init=False)
    overtaken: Bools = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "decides", np.ones(len(self.session), np.bool_))
        object.__setattr__(self, "overtaken", np.zeros(len(self.session), np.bool_))


@dataclass(frozen=True, slots=True)
class Courses:
    """One entry for each episode, in order of session and time.

    ``first`` is its first reading outside (index into the stream), ``top`` the highest level ever
    confirmed, at ``confirmed_us`` and perhaps ``by_clock``; ``last_*`` how it stands at the end.
    """

    first: _Ints
    live: Bools
    most_shown: _Levels
    top: _Levels
    confirmed_us: _Times
    by_clock: Bools
    last_us: _Times
    last_shown: _Levels
    last_confirmed: _Levels


def run(
    limits: VectorLimits, stream: Stream, ends_us: _Times | None, as_of_us: _Times | None
) -> Courses:
    """Every session of the stream from its first reading outside to its end."""
    runs = _Runs(limits, stream, ends_us, as_of_us)
    going = np.arange(len(runs.session))
    while len(going):
        going = runs.step(going)
    return runs.courses()


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


class _Runs:
    """One run for each session in the stream; arrays by run, or by level and run."""

    def __init__(
        self,
        limits: VectorLimits,
        stream: Stream,
        ends_us: _Times | None,
        as_of_us: _Times | None,
    ) -> None:
        rule = limits.rule
        self._stream = stream
        self._levels = [tests.rank for tests in limits.levels]
        self._confirms: list[Confirm | None] = [tests.level.confirm for tests in limits.levels]
        self._pending_as = [LEVELS.index(tests.level.pending_as) + 1 for tests in limits.levels]
        self._clear_times, self._clear_apart_us = rule.clear_times, _us(rule.clear_apart)
        new = np.ones(len(stream.session), np.bool_)
        new[1:] = np.diff(stream.session) != 0
        starts = np.flatnonzero(new)
        self.session = stream.session[starts]
        count = len(starts)
        self._next = starts.copy()
        self._end = np.append(starts[1:], len(stream.session)).astype(np.intp)
        ends = np.full(count, NEVER) if ends_us is None else ends_us[self.session]
        as_of = np.full(count, NEVER) if as_of_us is None else as_of_us[self.session]
        self._ended = (ends <= as_of) & (ends != NEVER)
        self._stop = np.where(self._ended, ends, as_of)

        shape = (len(self._levels), count)
        self._active = np.zeros(shape, np.bool_)
        self._pending = np.full(shape, NEVER)
        self._inside_since = np.full(shape, NEVER)
        self._inside_count = np.zeros(shape, np.int64)
        self._open = np.zeros(count, np.bool_)
        self._episode = np.zeros(count, np.intp)
        self._shown = np.full(count, -1, np.int8)
        self._confirmed = np.full(count, -1, np.int8)
        self._first: list[_Ints] = []
        self._live = np.zeros(0, np.bool_)
        self._log: list[tuple[NDArray[np.generic], ...]] = []
        self._leaps: dict[tuple[bool, ...], _Ints] = {}

    # -- one pass ------------------------------------------------------------------------------

    def step(self, going: _Ints) -> _Ints:
        """One step of each of these runs; those that go on."""
        self._leap(going)
        has_next = self._next[going] < self._end[going]
        going = going[has_next | self._open[going]]
        has_next = self._next[going] < self._end[going]
        until = self._stop[going].copy()
        until[has_next] = self._stream.at_us[self._next[going[has_next]]]
        deadline = self._deadlines(going)
        first_due = deadline.min(axis=0)
        due = self._open[going] & (first_due != NEVER)
        due &= (first_due < until) | (~has_next & (first_due == until))
        self._let_clock_confirm(going[due], deadline[:, due], first_due[due])
        self._take(going[has_next & ~due])
        last = ~has_next & ~due
        self._finish(going[last])
        unfinished: _Ints = going[~last]
        return unfinished

    def _leap(self, going: _Ints) -> None:
        """Go on to the next reading that can change anything."""
        idle = going[~self._open[going]]
        self._next[idle] = self._leap_of(())[self._next[idle]]
        if self._clear_times > 1:
            return
        calm = going[self._open[going]]
        calm = calm[self._live[self._episode[calm]]]
        calm = calm[(self._pending[:, calm] == NEVER).all(axis=0)]
        for active in set(map(tuple, self._active[:, calm].T.tolist())):
            same = calm[np.equal(self._active[:, calm].T, active).all(axis=1)]
            self._next[same] = self._leap_of(active)[self._next[same]]

    def _leap_of(self, active: tuple[bool, ...]) -> _Ints:
        """For each reading the next one (itself included) of its session that matters.

        While nothing is shown, that is one outside.  While these levels are active and none waits,
        one beyond a level that is not active, or one that clears a level that is.
        """
        if active not in self._leaps:
            stream = self._stream
            matters = np.zeros(len(stream.rank), np.bool_)
            if not active:
                matters |= stream.rank > 0
            for rank, clears, is_active in zip(self._levels, stream.clears, active, strict=False):
                beyond = stream.rank >= rank
                matters |= (~beyond & stream.decides & clears) if is_active else beyond
            count = len(matters)
            own = np.where(matters, np.arange(count), count)
            following = np.minimum.accumulate(own[::-1])[::-1]
            ends = np.repeat(self._end, np.diff(np.append(0, self._end)))
            self._leaps[active] = np.append(np.minimum(following, ends), count)
        return self._leaps[active]

    def _deadlines(self, going: _Ints) -> _Times:
        """When the clock confirms each level that waits."""
        found = np.full((len(self._levels), len(going)), NEVER)
        for row, confirm in enumerate(self._confirms):
            if confirm is not None:
                until = _us(confirm.until)
                found[row] = np.minimum(self._pending[row, going], NEVER - until) + until
        return found

    def _let_clock_confirm(self, runs: _Ints, deadline: _Times, first_due: _Times) -> None:
        for row in range(len(self._levels)):
            self._activate(row, runs[deadline[row] == first_due])
        self._note(runs, first_due, by_clock=True)

    def _finish(self, runs: _Ints) -> None:
        """The record ends: what still waits is confirmed there (U-09)."""
        runs = runs[self._ended[runs] & self._open[runs]]
        for row in range(len(self._levels)):
            self._activate(row, runs[self._pending[row, runs] != NEVER])
        self._note(runs, self._stop[runs], by_clock=True)

    # -- a reading -----------------------------------------------------------------------------

    def _take(self, runs: _Ints) -> None:
        reading = self._next[runs]
        self._next[runs] += 1
        stream = self._stream
        begins = ~self._open[runs]
        self._begin(runs[begins], reading[begins])
        said = stream.said[reading]
        for row in range(len(self._levels)):
            self._restart_clearing(row, runs[~said])
        runs, reading = runs[said], reading[said]
        rank, decides = stream.rank[reading], stream.decides[reading]
        in_time = (rank > 0) & ~stream.overtaken[reading]
        self._live[self._episode[runs[in_time]]] = True
        for row, level in enumerate(self._levels):
            beyond = rank >= level
            self._outside(row, runs[beyond], reading[beyond])
            inside = ~beyond & decides
            self._inside(row, runs[inside], reading[inside])
        over = runs[(rank == 0) & decides & ~self._live[self._episode[runs]]]
        self._active[:, over] = False
        self._note(runs, stream.at_us[reading], by_clock=False)

    def _begin(self, runs: _Ints, reading: _Ints) -> None:
        known = len(self._live)
        self._episode[runs] = known + np.arange(len(runs))
        self._live = np.append(self._live, np.zeros(len(runs), np.bool_))
        self._first.append(reading)
        self._open[runs] = True
        self._shown[runs] = self._confirmed[runs] = -1

    def _outside(self, row: int, runs: _Ints, reading: _Ints) -> None:
        confirm = self._confirms[row]
        self._restart_clearing(row, runs[self._active[row, runs]])
        waits = ~self._active[row, runs]
        runs, reading = runs[waits], reading[waits]
        if confirm is None:
            self._activate(row, runs)
            return
        at_us, pending = self._stream.at_us[reading], self._pending[row, runs]
        at_once = self._stream.rank[reading] == AT_ONCE
        confirms = at_once
        if confirm.by_reading:
            confirms = at_once | ((pending != NEVER) & _since(at_us, pending, confirm))
        begins = ~at_once & (pending == NEVER)
        self._pending[row, runs[begins]] = at_us[begins]
        self._activate(row, runs[confirms])

    def _inside(self, row: int, runs: _Ints, reading: _Ints) -> None:
        confirm = self._confirms[row]
        pending = self._pending[row, runs]
        waits = pending != NEVER
        if confirm is not None:
            refuted = waits & _since(self._stream.at_us[reading], pending, confirm)
            self._pending[row, runs[refuted]] = NEVER
        may_clear = ~waits & self._active[row, runs]
        runs, reading = runs[may_clear], reading[may_clear]
        clear = self._stream.clears[row][reading]
        self._restart_clearing(row, runs[~clear])
        runs, at_us = runs[clear], self._stream.at_us[reading[clear]]
        self._inside_count[row, runs] += 1
        since = np.minimum(self._inside_since[row, runs], at_us)
        self._inside_since[row, runs] = since
        enough = self._inside_count[row, runs] >= self._clear_times
        over = runs[enough & (at_us - since >= self._clear_apart_us)]
        self._active[row, over] = False

    def _activate(self, row: int, runs: _Ints) -> None:
        self._active[row, runs] = True
        self._pending[row, runs] = NEVER
        self._restart_clearing(row, runs)

    def _restart_clearing(self, row: int, runs: _Ints) -> None:
        self._inside_since[row, runs] = NEVER
        self._inside_count[row, runs] = 0

    def _note(self, runs: _Ints, moment: _Times, *, by_clock: bool) -> None:
        """Write down how each stands now, where that is something new."""
        confirmed = np.zeros(len(runs), np.int8)
        shown = np.zeros(len(runs), np.int8)
        for row in reversed(range(len(self._levels))):
            level = self._levels[row]
            # A confirmed critical is a confirmed warning: when it steps down nothing is pending.
            self._activate(row, runs[~self._active[row, runs] & (level < confirmed)])
            active = self._active[row, runs]
            confirmed[active] = np.maximum(confirmed[active], level)
            waits = self._pending[row, runs] != NEVER
            here = np.where(active, level, np.where(waits, self._pending_as[row], 0))
            shown = np.maximum(shown, here.astype(np.int8))
        new = (shown != self._shown[runs]) | (confirmed != self._confirmed[runs])
        runs, moment, shown, confirmed = runs[new], moment[new], shown[new], confirmed[new]
        self._shown[runs], self._confirmed[runs] = shown, confirmed
        clock = np.full(len(runs), by_clock)
        self._log.append((self._episode[runs], moment, shown, confirmed, clock))
        closed = runs[shown == 0]
        self._open[closed] = False
        self._pending[:, closed] = NEVER
        for row in range(len(self._levels)):
            self._restart_clearing(row, closed)

    # -- what came of it -----------------------------------------------------------------------

    def courses(self) -> Courses:
        """The steps of every episode put together."""
        first = np.concatenate([np.zeros(0, np.intp), *self._first])
        empty = tuple(np.zeros(0, kind) for kind in (np.intp, np.int64, np.int8, np.int8, np.bool_))
        columns = [np.concatenate(parts) for parts in zip(empty, *self._log, strict=True)]
        order = np.argsort(columns[0], kind="stable")
        episode, at_us, shown, confirmed, clock = (column[order] for column in columns)
        # Of two steps of one moment the later replaces the earlier.
        replaced = np.zeros(len(episode), np.bool_)
        replaced[:-1] = (np.diff(episode) == 0) & (np.diff(at_us) == 0)
        kept = np.flatnonzero(~replaced)
        episode, at_us, shown, confirmed, clock = (
            column[kept] for column in (episode, at_us, shown, confirmed, clock)
        )
        count = len(first)
        starts = np.searchsorted(episode, np.arange(count))
        last = np.append(starts[1:], len(episode))[:count] - 1
        top, most_shown = np.zeros(count, np.int8), np.zeros(count, np.int8)
        np.maximum.at(top, episode, confirmed)
        np.maximum.at(most_shown, episode, shown)
        reached = np.flatnonzero((confirmed == top[episode]) & (confirmed > 0))
        confirmed_us, by_clock = np.full(count, NEVER), np.zeros(count, np.bool_)
        # Written from the last to the first, so that the first stays.
        confirmed_us[episode[reached][::-1]] = at_us[reached][::-1]
        by_clock[episode[reached][::-1]] = clock[reached][::-1]
        order = np.argsort(first, kind="stable")
        return Courses(
            first=first[order],
            live=self._live[order],
            most_shown=most_shown[order],
            top=top[order],
            confirmed_us=confirmed_us[order],
            by_clock=by_clock[order],
            last_us=at_us[last][order],
            last_shown=shown[last][order],
            last_confirmed=confirmed[last][order],
        )


def _since(at_us: _Times, pending: _Times, confirm: Confirm) -> Bools:
    """Whether a reading is late enough to decide; ``pending`` NEVER gives a meaningless answer."""
    decides: Bools = at_us - _us(confirm.after) >= pending
    return decides
