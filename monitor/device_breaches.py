"""Breaches in a device series: when a sign was outside a limit for long enough, until it cleared.

The same rows as for entered readings, with one difference (clinical.md 3.3, U-80): no repeat confirms,
but time outside does, as long as ``DeviceSign`` says for each level.  Nothing is shown before: waiting a few
seconds is there to leave out what means nothing.  No single sample is enough, not even far outside.
Clearing is as for entered readings: one value inside the clear band (U-14), step-down (U-15).

What is no value (marked bad, not a number, a number that means "nothing measured") is left out, so it
is part of a gap.  Time across a gap does not count, and a gap ends nothing: a sign outside before
and after it goes on where it was.

This module is the readable authority; monitor/series/device.py has to agree with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from monitor.device_limits import DeviceLimits
from monitor.patient_limits import PatientLimits
from monitor.thresholds import LEVELS, RELATIVE, Clause, Level, Rule


@dataclass(frozen=True, slots=True)
class Sample:
    """What a device said of one sign, microseconds after the first dose (before it: negative).

    ``good`` is false when the device itself calls its signal bad.
    """

    at_us: int
    value: Decimal | None
    good: bool = True


@dataclass(frozen=True, slots=True)
class DeviceBreach:
    """One episode of one rule.

    ``onset_us`` is the first value outside, ``confirmed_us`` when ``confirmed_level`` (the highest one
    reached) was, ``ended_us`` the value that cleared it (None: it lasts).  ``level`` is what it
    shows while it lasts, the highest afterwards.
    """

    rule_id: str
    onset_us: int
    level: str
    confirmed_level: str
    confirmed_us: int
    ended_us: int | None


def sample_value(text: str) -> Decimal | None:
    """What a device wrote as a number; None for ``--``, an empty cell and whatever else is none."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def can_judge(rule: Rule, device: DeviceLimits) -> bool:
    """Whether a device series says enough for the rule: the numbers of its sign and nothing else.

    A finding ("no trace") is not a number, what several readings have to clear is an assessment,
    and an oxygen flow beside the reading is not in the series.
    """
    if rule.sign not in device.signs or rule.clear_times > 1:
        return False
    beside = [part for level in rule.levels for part in (level.clears, level.counts_when)]
    return any(_is_number(clause) for level in rule.levels for clause in level.fires) and all(
        _is_number(clause) for expression in beside for clause in expression
    )


def _is_number(clause: Clause) -> bool:
    return all(condition.measure in ("value", *RELATIVE) for condition in clause)


def find_device_breaches(
    rule: Rule,
    samples: Iterable[Sample],
    device: DeviceLimits,
    baseline: Decimal | None = None,
    ends_us: int | None = None,
) -> tuple[DeviceBreach, ...]:
    """Every breach of a rule that is for this session, in order of onset.

    Samples are in order of time; those after ``ends_us`` (discharge) do not count (U-67).

    Raises:
        ValueError: the rule asks for what a device series does not say; see ``can_judge``.
    """
    if not can_judge(rule, device):
        raise ValueError(f"row {rule.id} is not judged on a device series")
    run = _Run(rule, device, baseline)
    for at_us, value in _values(rule, samples, device, ends_us):
        run.take(at_us, value)
    return tuple(run.found())


def _values(
    rule: Rule, samples: Iterable[Sample], device: DeviceLimits, ends_us: int | None
) -> Iterator[tuple[int, Decimal]]:
    not_values = device.signs[rule.sign].not_values
    for sample in samples:
        if sample.at_us < 0 and not rule.from_arrival:
            continue
        if ends_us is not None and sample.at_us > ends_us:
            continue
        if sample.good and sample.value is not None and sample.value not in not_values:
            yield sample.at_us, sample.value


class _LevelRun:
    """One level: whether it is confirmed, and how long the sign has been beyond it so far."""

    def __init__(self, level: Level, lasts: timedelta) -> None:
        self.level = level
        self.rank = LEVELS.index(level.name) + 1
        self._lasts_us = lasts // timedelta(microseconds=1)
        self.active = False
        self._outside_us: int | None = None

    def outside(self, since_us: int) -> None:
        self._outside_us = 0 if self._outside_us is None else self._outside_us + since_us
        self.active = self.active or self._outside_us >= self._lasts_us

    def inside(self, clears: bool) -> None:
        self._outside_us = None
        self.active = self.active and not clears


class _Run:
    """One rule over the values of its sign."""

    def __init__(self, rule: Rule, device: DeviceLimits, baseline: Decimal | None) -> None:
        sign = device.signs[rule.sign]
        self._rule, self._limits = rule, PatientLimits(rule, baseline)
        self._levels = [_LevelRun(level, sign.lasts(level.name)) for level in rule.levels]
        self._gap_us = device.gap // timedelta(microseconds=1)
        self._last_us: int | None = None
        self._outside_from_us: int | None = None
        self._course: list[tuple[int, int]] = []
        self._onset_us = 0
        self._found: list[DeviceBreach] = []

    def take(self, at_us: int, value: Decimal) -> None:
        measures = {"value": value}
        since_us = 0 if self._last_us is None else at_us - self._last_us
        self._last_us = at_us
        if since_us > self._gap_us:
            since_us = 0
        rank = self._limits.rank(measures)
        if rank and self._outside_from_us is None:
            self._outside_from_us = at_us
        for run in self._levels:
            if rank >= run.rank:
                run.outside(since_us)
            else:
                run.inside(self._limits.clears(run.level, measures))
        if self._levels[-1].active:
            # A confirmed critical is a confirmed warning (U-10).
            self._levels[0].active = True
        self._note(at_us)
        if not rank:
            self._outside_from_us = None

    def _note(self, at_us: int) -> None:
        """Write down the level from here on, when it is another one."""
        level = max((run.rank for run in self._levels if run.active), default=0)
        if level == (self._course[-1][1] if self._course else 0):
            return
        if not self._course:
            assert self._outside_from_us is not None
            self._onset_us = self._outside_from_us
        self._course.append((at_us, level))
        if level == 0:
            self._close()

    def _close(self) -> None:
        end_us, last = self._course[-1]
        top = max(level for _, level in self._course)
        self._found.append(
            DeviceBreach(
                rule_id=self._rule.id,
                onset_us=self._onset_us,
                level=LEVELS[(last or top) - 1],
                confirmed_level=LEVELS[top - 1],
                confirmed_us=next(at_us for at_us, level in self._course if level == top),
                ended_us=None if last else end_us,
            )
        )
        self._course = []

    def found(self) -> list[DeviceBreach]:
        """The breaches, the one that lasts included."""
        if self._course:
            self._close()
        return self._found
