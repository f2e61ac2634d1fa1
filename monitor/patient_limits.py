"""The limits of one rule for one patient: relative limits become values, exactly, and are compared.

A rise of 30 % over a baseline of 117 is a value of 152.1: multiplying the limit out once is exact,
dividing each reading by the baseline would round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from monitor.readings import Reading
from monitor.thresholds import (
    LEVELS,
    OPERATORS,
    RELATIVE,
    Clause,
    Condition,
    Expression,
    Level,
    Rule,
)

#: Rank of a reading: 0 inside, then outside the warning, the critical limit, and so far out that one
#: reading is enough whatever the rule says.
INSIDE, AT_ONCE = 0, len(LEVELS) + 1

_MIRRORED = {">=": "<=", ">": "<", "<=": ">=", "<": ">", "=": "="}

#: A comparison ready to run: name of the measure, comparison, limit.
_Test = tuple[str, Callable[[Decimal, Decimal], bool], Decimal]
_Tests = tuple[tuple[_Test, ...], ...]


def holds(tests: _Tests, measures: Mapping[str, Decimal]) -> bool:
    """Whether any alternative holds; what was not measured never does."""
    for clause in tests:
        for measure, compare, limit in clause:
            value = measures.get(measure)
            if value is None or not compare(value, limit):
                break
        else:
            return True
    return False


def ready(expression: Expression, baseline: Decimal | None) -> _Tests:
    """The expression with its relative limits as values; alternatives that need a baseline there
    is none of are left out, so that they never hold (clinical.md U-44)."""
    clauses = (_ready_clause(clause, baseline) for clause in expression)
    return tuple(clause for clause in clauses if clause)


def _ready_clause(clause: Clause, baseline: Decimal | None) -> tuple[_Test, ...] | None:
    tests = []
    for condition in clause:
        if condition.measure not in RELATIVE:
            tests.append((condition.measure, OPERATORS[condition.operator], condition.limit))
            continue
        limit = _as_value(condition, baseline)
        if limit is None:
            return None
        up = condition.measure.startswith("rise")
        name = condition.operator if up else _MIRRORED[condition.operator]
        tests.append(("value", OPERATORS[name], limit))
    return tuple(tests)


def _as_value(condition: Condition, baseline: Decimal | None) -> Decimal | None:
    if baseline is None:
        return None
    sign = 1 if condition.measure.startswith("rise") else -1
    if not condition.measure.endswith("_percent"):
        return baseline + sign * condition.limit
    if baseline <= 0:
        return None
    return baseline + sign * (baseline * condition.limit).scaleb(-2)


@dataclass(frozen=True, slots=True)
class _LevelTests:
    fires: _Tests
    clears: _Tests
    at_once: _Tests
    counts_when: _Tests

    @classmethod
    def of(cls, level: Level, baseline: Decimal | None) -> _LevelTests:
        return cls(*(ready(expression, baseline) for expression in level.expressions))


class PatientLimits:
    """A rule made ready for one patient: ranks readings and says when they are inside again."""

    def __init__(self, rule: Rule, baseline: Decimal | None) -> None:
        self.rule = rule
        self.levels = rule.levels
        self.baseline = baseline
        self._tests = {level.name: _LevelTests.of(level, baseline) for level in self.levels}
        self._worst_first = [
            (self._tests[level.name], LEVELS.index(level.name) + 1)
            for level in reversed(self.levels)
        ]
        self._reads = {
            measure
            for tests in self._tests.values()
            for expression in (tests.fires, tests.clears)
            for clause in expression
            for measure, _, _ in clause
        }

    def may_fire(self, extremes: tuple[Decimal, Decimal] | None) -> bool:
        """Whether any reading can be outside, given the lowest and highest number of the sign.

        Every comparison is one-sided, so a number beyond a limit puts one of the two beyond it too.
        False is certain; True only means that the readings have to be looked at.
        """
        return any(
            all(
                measure != "value"
                or (extremes is not None and any(compare(edge, limit) for edge in extremes))
                for measure, compare, limit in clause
            )
            for tests in self._tests.values()
            for clause in tests.fires
            if clause
        )

    def rank(self, measures: Mapping[str, Decimal]) -> int:
        """How far outside a reading is; a critical reading is a warning too (clinical.md U-10)."""
        for tests, rank in self._worst_first:
            if holds(tests.fires, measures) and (
                not tests.counts_when or holds(tests.counts_when, measures)
            ):
                return AT_ONCE if tests.at_once and holds(tests.at_once, measures) else rank
        return INSIDE

    def asks_about(self, reading: Reading) -> bool:
        """Whether the reading says anything the rule looks at.

        A reading that was not assessed counts where several are needed to clear: it breaks their
        sequence (U-51).
        """
        if not reading.measures:
            return self.rule.clear_times > 1
        return not self._reads.isdisjoint(reading.measures)

    def clears(self, level: Level, measures: Mapping[str, Decimal]) -> bool:
        """Whether the reading ends the level."""
        return holds(self._tests[level.name].clears, measures)

    def badness(self, reading: Reading, rank: int) -> int:
        """Orders two readings that contradict each other; between limit and clear value is worse
        than clear."""
        if rank:
            return rank
        return -1 if self.clears(self.levels[0], reading.measures) else 0

    def excess(self, measures: Mapping[str, Decimal]) -> Decimal:
        """How far beyond the lowest limit, in the unit of the sign; what has no number is 0."""
        beyond = [
            abs(measures[measure] - limit)
            for clause in self._tests[self.levels[0].name].fires
            for measure, compare, limit in clause
            if measure in ("value", "grade", "code")
            and measure in measures
            and compare(measures[measure], limit)
        ]
        return max(beyond, default=Decimal(0))

    def clause_of(self, rank: int, measures: Mapping[str, Decimal]) -> Clause:
        """The alternative, as written in the rule, by which a reading is outside that level."""
        named = self.rule.level(LEVELS[rank - 1])
        levels = [named] if named else []
        levels += [level for level in reversed(self.levels) if level is not named]
        for level in levels:
            for clause in level.fires:
                tests = _ready_clause(clause, self.baseline)
                if tests and holds((tests,), measures):
                    return clause
        raise AssertionError("only a reading outside a limit has words for it")
