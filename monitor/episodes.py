"""From a first reading outside a limit to its end: the state machine every rule runs.

Each level is confirmed on its own (clinical.md U-10) and ends on its own (U-15); an episode lasts
while either level is shown.  Readings are given in order of time, then the clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.patient_limits import AT_ONCE, PatientLimits
from monitor.readings import Reading
from monitor.thresholds import LEVELS, Level


@dataclass(frozen=True, slots=True)
class Step:
    """How a rule stands from ``at`` on: 0 nothing, 1 warning, 2 critical.

    ``shown`` counts what waits for its repeat, ``confirmed`` does not.  ``known_at`` is when the
    monitor could know, ``by_clock`` that the time confirmed it and no reading.
    """

    at: datetime
    known_at: datetime
    shown: int
    confirmed: int
    by_clock: bool = False


@dataclass(slots=True)
class Episode:
    """One stretch outside.  ``outside`` holds its readings beyond a limit with their ranks.

    ``live`` once a reading outside was not overtaken: entered in time, or still the newest (U-43).
    """

    known_at: datetime
    outside: list[tuple[Reading, int]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    live: bool = False
    recheck_from: datetime | None = None
    recheck_by: datetime | None = None

    def copy(self) -> Episode:
        """One that may go on without changing this one."""
        return replace(self, outside=list(self.outside), steps=list(self.steps))

    def shown_at(self, level: int) -> Reading:
        """The reading that speaks for a level: the newest while it lasts, else the first."""
        outside = [item for item, rank in self.outside if rank >= level]
        return outside[0] if self.is_over else outside[-1]

    @property
    def is_over(self) -> bool:
        """Whether nothing is shown any more."""
        return self.steps[-1].shown == 0


class _LevelRun:
    """Where one level of the rule stands: nothing, waiting since ``pending_since``, or active."""

    __slots__ = ("active", "inside_count", "inside_since", "level", "pending_since", "rank")

    def __init__(self, level: Level) -> None:
        self.level = level
        self.rank = LEVELS.index(level.name) + 1
        self.active = False
        self.pending_since: datetime | None = None
        self.inside_since: datetime | None = None
        self.inside_count = 0

    def copy(self) -> _LevelRun:
        twin = _LevelRun(self.level)
        twin.active, twin.pending_since = self.active, self.pending_since
        twin.inside_since, twin.inside_count = self.inside_since, self.inside_count
        return twin

    @property
    def shown(self) -> int:
        if self.active:
            return self.rank
        return 0 if self.pending_since is None else LEVELS.index(self.level.pending_as) + 1

    @property
    def deadline(self) -> datetime | None:
        """When the clock confirms it, unless a reading decides before or at that moment."""
        if self.pending_since is None or self.level.confirm is None:
            return None
        return self.pending_since + self.level.confirm.until

    @property
    def decides_from(self) -> datetime | None:
        """When a reading decides at the earliest (U-06: not within the first minute)."""
        if self.pending_since is None or self.level.confirm is None:
            return None
        return self.pending_since + self.level.confirm.after

    def activate(self) -> None:
        self.active, self.pending_since = True, None
        self.restart_clearing()

    def restart_clearing(self) -> None:
        self.inside_since, self.inside_count = None, 0

    def outside(self, reading: Reading, rank: int) -> None:
        """A reading beyond this level."""
        confirm = self.level.confirm
        if self.active:
            self.restart_clearing()
        elif confirm is None or rank == AT_ONCE:
            self.activate()
        elif self.pending_since is None:
            self.pending_since = reading.at
        elif confirm.by_reading and reading.at >= self.pending_since + confirm.after:
            self.activate()

    def inside(self, reading: Reading, limits: PatientLimits) -> None:
        """A reading that is not beyond this level: it refutes a pending one, may end an active one.

        Hysteresis is for confirmed alerts only (U-16).
        """
        confirm = self.level.confirm
        if self.pending_since is not None and confirm is not None:
            if reading.at >= self.pending_since + confirm.after:
                self.pending_since = None
        elif self.active:
            self._inside_again(reading, limits)

    def _inside_again(self, reading: Reading, limits: PatientLimits) -> None:
        if not limits.clears(self.level, reading.measures):
            self.restart_clearing()
            return
        self.inside_count += 1
        if self.inside_since is None:
            self.inside_since = reading.at
        rule = limits.rule
        if (
            self.inside_count >= rule.clear_times
            and reading.at - self.inside_since >= rule.clear_apart
        ):
            self.active = False


class RuleRun:
    """One rule over the readings of its sign; ``finish`` gives the episodes."""

    def __init__(self, limits: PatientLimits) -> None:
        self._limits = limits
        self._levels = [_LevelRun(level) for level in limits.levels]
        self._done: list[Episode] = []
        self._episode: Episode | None = None

    def copy(self) -> RuleRun:
        """The same run once more, to go on with; its finished episodes are shared."""
        twin = RuleRun(self._limits)
        twin._levels = [level.copy() for level in self._levels]
        twin._done = list(self._done)
        twin._episode = self._episode and self._episode.copy()
        return twin

    @property
    def over(self) -> Sequence[Episode]:
        """The episodes that ended, in order; nothing changes them any more."""
        return self._done

    def take(self, reading: Reading, rank: int, *, decides: bool, overtaken: bool) -> None:
        """The next reading.  Without ``decides`` it is contradicted and cannot calm anything."""
        self._let_time_pass(reading.at, including=False)
        episode = self._episode
        if episode is None:
            if rank == 0:
                return
            episode = self._episode = Episode(reading.known_at)
        if not reading.measures:
            for level in self._levels:
                level.restart_clearing()
            return
        if rank:
            episode.outside.append((reading, rank))
            episode.live = episode.live or not overtaken
            episode.known_at = max(episode.known_at, reading.known_at)
        for level in self._levels:
            if rank >= level.rank:
                level.outside(reading, rank)
            elif decides:
                level.inside(reading, self._limits)
        if rank == 0 and decides and not episode.live:
            self._end_overtaken()
        self._note(reading.at, max(episode.known_at, reading.known_at))

    def _end_overtaken(self) -> None:
        """Entered late and overtaken by this reading inside: over, whatever hysteresis says (U-43)."""
        for level in self._levels:
            level.active = False

    def _let_time_pass(self, until: datetime, *, including: bool) -> None:
        while self._episode is not None:
            due = [
                (level.deadline, level)
                for level in self._levels
                if level.deadline is not None
                and (level.deadline < until or (including and level.deadline == until))
            ]
            if not due:
                return
            deadline = min(moment for moment, _ in due)
            for moment, level in due:
                if moment == deadline:
                    level.activate()
            self._note(deadline, max(deadline, self._episode.known_at), by_clock=True)

    def _note(self, moment: datetime, known_at: datetime, *, by_clock: bool = False) -> None:
        """Write down how the rule stands now, when that is something new."""
        episode = self._episode
        assert episode is not None
        confirmed = shown = 0
        for level in reversed(self._levels):
            if level.active or level.rank < confirmed:
                # A confirmed critical is a confirmed warning: when it steps down nothing is pending.
                if not level.active:
                    level.activate()
                confirmed = max(confirmed, level.rank)
            shown = max(shown, level.shown)
        last = episode.steps[-1] if episode.steps else None
        if last is not None and (last.shown, last.confirmed) == (shown, confirmed):
            return
        if last is not None and last.at == moment:
            episode.steps.pop()
        episode.steps.append(Step(moment, known_at, shown, confirmed, by_clock))
        if shown == 0:
            self._close()

    def _close(self) -> None:
        assert self._episode is not None
        self._done.append(self._episode)
        self._episode = None
        for level in self._levels:
            level.pending_since = None
            level.restart_clearing()

    def finish(self, as_of: datetime, record_ends_at: datetime | None) -> Iterator[Episode]:
        """Let the clock run to ``as_of``, or to the end of a closed record, where what still waits
        for its repeat is confirmed (U-09)."""
        ended = record_ends_at is not None and record_ends_at <= as_of
        stop = record_ends_at if ended and record_ends_at is not None else as_of
        self._let_time_pass(stop, including=True)
        if ended and self._episode is not None:
            for level in self._levels:
                if level.pending_since is not None:
                    level.activate()
            self._note(stop, max(stop, self._episode.known_at), by_clock=True)
        if self._episode is not None:
            deadlines = [level.deadline for level in self._levels if level.deadline is not None]
            begins = [
                level.decides_from for level in self._levels if level.decides_from is not None
            ]
            self._episode.recheck_by = min(deadlines, default=None)
            self._episode.recheck_from = min(begins, default=None)
            self._done.append(self._episode)
        yield from self._done
