"""The limits of one rule for many patients at once: patient_limits.py in vectors.

Relative limits are made values by ``patient_limits.ready`` itself, once for each baseline that
occurs, in decimal; only what comes out is a float.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from monitor.patient_limits import AT_ONCE, INSIDE, holds, ready
from monitor.thresholds import (
    LEVELS,
    OPERATORS,
    RELATIVE,
    SIGNS,
    Clause,
    Condition,
    Expression,
    Level,
    Rule,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ranks = NDArray[np.int8]

_UFUNCS: Mapping[str, Callable[..., Bools]] = {
    ">=": np.greater_equal,
    ">": np.greater,
    "<=": np.less_equal,
    "<": np.less,
    "=": np.equal,
}
_UFUNC_OF = {compare: _UFUNCS[name] for name, compare in OPERATORS.items()}


@dataclass(frozen=True, slots=True)
class Readings:
    """Measures of readings by name, NaN where one was not measured, and whose each reading is.

    ``patient`` None: all are of one patient, whose index is 0.
    """

    measures: Mapping[str, Floats]
    patient: NDArray[np.integer] | None
    count: int


@dataclass(frozen=True, slots=True)
class _Test:
    """One comparison made ready; ``limits`` for each patient, NaN where it needs a missing baseline."""

    measure: str
    compare: Callable[..., Bools]
    limit: float
    limits: Floats | None = None

    def holds(self, readings: Readings) -> Bools:
        """A comparison with NaN, be it the reading or the limit, does not hold."""
        values = readings.measures[self.measure]
        if self.limits is None:
            return self.compare(values, self.limit)
        if readings.patient is None:
            return self.compare(values, self.limits[0])
        return self.compare(values, self.limits[readings.patient])

    def may_hold(self, value: float) -> bool:
        """Whether it holds for this value and any of the patients."""
        limits = self.limit if self.limits is None else self.limits
        return bool(np.any(self.compare(value, limits)))

    def is_ready(self, readings: Readings) -> Bools | bool:
        if self.limits is None:
            return True
        known = ~np.isnan(self.limits)
        return bool(known[0]) if readings.patient is None else known[readings.patient]


@dataclass(frozen=True, slots=True)
class _Tests:
    """An expression made ready: alternatives of comparisons that hold together."""

    clauses: tuple[tuple[_Test, ...], ...]

    def hold(self, readings: Readings) -> Bools:
        found = np.zeros(readings.count, np.bool_)
        for clause in self.clauses:
            together = clause[0].holds(readings)
            for test in clause[1:]:
                together &= test.holds(readings)
            found |= together
        return found

    def may_hold(self, lowest: float, highest: float) -> bool:
        """Whether it can hold for any value in this range; PatientLimits.may_fire, for numbers.

        Every comparison is one-sided, so that one of the two ends is beyond a limit if any is.
        """
        return any(
            all(test.may_hold(lowest) or test.may_hold(highest) for test in clause)
            for clause in self.clauses
        )

    def hold_if_any(self, readings: Readings) -> Bools:
        """The same, and true where no alternative is left because all need a missing baseline."""
        left = np.zeros(readings.count, np.bool_)
        for clause in self.clauses:
            left |= _clause_is_ready(clause, readings)
        return self.hold(readings) | ~left

    def asked(self, readings: Readings) -> Bools:
        """Readings that say anything about an alternative that is ready."""
        found = np.zeros(readings.count, np.bool_)
        for clause in self.clauses:
            said = np.zeros(readings.count, np.bool_)
            for test in clause:
                said |= ~np.isnan(readings.measures[test.measure])
            found |= said & _clause_is_ready(clause, readings)
        return found


def _clause_is_ready(clause: tuple[_Test, ...], readings: Readings) -> Bools | bool:
    known: Bools | bool = True
    for test in clause:
        known = known & test.is_ready(readings)
    return known


@dataclass(frozen=True, slots=True)
class LevelTests:
    """One level of the rule, with its rank and what it asks."""

    level: Level
    rank: int
    fires: _Tests
    clears: _Tests
    at_once: _Tests
    counts_when: _Tests


class VectorLimits:
    """A rule made ready for patients with these baselines (NaN: none)."""

    def __init__(self, rule: Rule, baseline: Floats) -> None:
        self.rule = rule
        different, self._which = np.unique(baseline, return_inverse=True)
        self._baselines = [_baseline(rule, float(value)) for value in different]
        self.levels = tuple(
            LevelTests(
                level,
                LEVELS.index(level.name) + 1,
                *(self._tests(expression) for expression in level.expressions),
            )
            for level in rule.levels
        )

    def _tests(self, expression: Expression) -> _Tests:
        return _Tests(tuple(tuple(map(self._test, clause)) for clause in expression))

    def _test(self, condition: Condition) -> _Test:
        if condition.measure not in RELATIVE:
            return _Test(condition.measure, _UFUNCS[condition.operator], float(condition.limit))
        compare, limits = _UFUNCS[condition.operator], []
        clause: Clause = (condition,)
        for baseline in self._baselines:
            made = ready((clause,), baseline)
            if made:
                ((_, operator, limit),) = made[0]
                compare = _UFUNC_OF[operator]
            limits.append(float(limit) if made else np.nan)
        return _Test("value", compare, np.nan, np.array(limits, np.float64)[self._which])

    def applies(self) -> Bools:
        """Whether the row is for each patient, by baseline alone (U-17); breaches.rule_applies."""
        rule = self.rule
        found = []
        for value in self._baselines:
            measures = {} if value is None else {"baseline": value}
            wanted = not rule.only_when or holds(ready(rule.only_when, None), measures)
            found.append(wanted and not holds(ready(rule.not_when, None), measures))
        return np.array(found, np.bool_)[self._which]

    def ranks(self, readings: Readings) -> Ranks:
        """How far outside every reading is: patient_limits.PatientLimits.rank."""
        ranks = np.full(readings.count, INSIDE, np.int8)
        for tests in reversed(self.levels):
            fires = tests.fires.hold(readings) & (ranks == INSIDE)
            if tests.counts_when.clauses:
                fires &= tests.counts_when.hold_if_any(readings)
            ranks[fires] = tests.rank
            if tests.at_once.clauses:
                ranks[fires & tests.at_once.hold(readings)] = AT_ONCE
        return ranks

    def asked(self, readings: Readings) -> Bools:
        """Whether a reading says anything the rule looks at: PatientLimits.asks_about."""
        found = np.zeros(readings.count, np.bool_)
        for tests in self.levels:
            found |= tests.fires.asked(readings) | tests.clears.asked(readings)
        return found


def _baseline(rule: Rule, value: float) -> Decimal | None:
    """The baseline as it was written: the shortest decimal that is this float."""
    if SIGNS[rule.sign].baseline is None:
        return None
    return rule.baseline_if_none if np.isnan(value) else Decimal(repr(value))
