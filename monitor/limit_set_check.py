"""What is wrong with a limit set before it may be used: every slip at once, in words.

``parse_threshold_set`` refuses what it does not understand, one row at a time.  Here rows are also
held against each other and against what a sign can be: a critical limit inside the warning, a high
and a low limit that meet, a number in another unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import permutations
from typing import Any

from monitor.errors import Problem
from monitor.limit_words import plain
from monitor.parameters import PARAMETERS
from monitor.texts import text_problems
from monitor.thresholds import (
    Condition,
    Expression,
    Level,
    Rule,
    ThresholdSet,
    parse_confirms,
    parse_rule,
    parse_threshold_set,
)

#: The comparisons of a limit that is too high.
_UP = (">=", ">")


def limit_set_problems(content: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Everything that stands in the way of using this limit set; ``field`` is the id of the row.

    Not looked at: whether the numbers are wise.  That is what a second person approves.
    """
    rules, problems = _rules(content)
    problems += _whole(content, rules) if not problems else []
    for rule in rules:
        problems += [Problem(rule.id, f"{rule.label}: {words}") for words in _of_one(rule)]
    problems += [Problem(one.id, words) for one, words in _of_pairs(rules)]
    return (*text_problems({"name": str(content.get("name", ""))}), *problems)


def _rules(content: Mapping[str, Any]) -> tuple[list[Rule], list[Problem]]:
    rules: list[Rule] = []
    problems: list[Problem] = []
    try:
        confirms = parse_confirms(content)
    except ValueError as error:
        return [], [Problem("confirm", f"{error}.")]
    for order, row in enumerate(content["rule"]):
        try:
            rules.append(parse_rule(row, order, confirms))
        except ValueError as error:
            said = str(error).removeprefix(f"row {row.get('id')}: ")
            problems.append(Problem(row.get("id", ""), f"{row.get('label')}: {said}."))
    return rules, problems


def _whole(content: Mapping[str, Any], rules: Iterable[Rule]) -> list[Problem]:
    if not rules:
        return [Problem("rule", "A limit set without any limit would never say anything.")]
    try:
        parsed = parse_threshold_set(content)
    except ValueError as error:
        return [Problem("alerts", f"{error}.")]
    return [Problem("alerts", words) for words in _of_times(parsed)]


def _of_times(limits: ThresholdSet) -> Iterator[str]:
    steps = limits.policy.escalate_critical_after
    if list(steps) != sorted(set(steps)):
        yield "Each step of telling others about a critical alert has to come after the one before."
    longest = limits.policy.suppress_critical_at_most
    if longest > limits.policy.suppress_warning_at_most:
        yield "A critical alert cannot be silenced for longer than a warning."


# -- one row -------------------------------------------------------------------------------------


def _of_one(rule: Rule) -> Iterator[str]:
    for level in rule.levels:
        yield from _impossible(rule, level)
        yield from _never_ends(level)
    if rule.warning and rule.critical:
        yield from _order(rule.warning.fires, rule.critical.fires)
        yield from _clear_order(rule.warning, rule.critical)
    if rule.critical:
        yield from _at_once(rule.critical)


def _impossible(rule: Rule, level: Level) -> Iterator[str]:
    """A number the sign cannot be, which is most often one in another unit."""
    parameter = PARAMETERS.get(rule.sign)
    if parameter is None:
        return
    low, high = parameter.hard_below, parameter.hard_above
    for condition in _conditions(level):
        # Nought is a reading of its own kind (U-05), not a number in another unit.
        if condition.measure != "value" or condition.operator == "=" or not condition.limit:
            continue
        if (low is not None and condition.limit < low) or (
            high is not None and condition.limit > high
        ):
            can_be = f"{_ends(low)} to {_ends(high)} {parameter.unit_label}".rstrip()
            yield (
                f"{level.name} “{condition}”: {parameter.label} can be {can_be}. "
                "Is it in another unit?"
            )


def _ends(limit: Decimal | None) -> str:
    return "any" if limit is None else plain(limit)


def _conditions(level: Level) -> Iterator[Condition]:
    for expression in level.expressions:
        for clause in expression:
            yield from clause


def _never_ends(level: Level) -> Iterator[str]:
    """An end value in the direction of the limit: what is outside would end what it began."""
    for fires in _alone(level.fires):
        for clears in _alone(level.clears):
            if fires.measure != clears.measure:
                continue
            if _is_up(fires) == _is_up(clears):
                yield f"{level.name}: it fires at “{fires}” and ends at “{clears}”, the same way."


def _order(warning: Expression, critical: Expression) -> Iterator[str]:
    """The critical limit has to lie beyond the warning: nothing is critical and no warning."""
    for mild in _alone(warning):
        for severe in _alone(critical):
            if (mild.measure, _is_up(mild)) != (severe.measure, _is_up(severe)):
                continue
            nearer = severe.limit < mild.limit if _is_up(mild) else severe.limit > mild.limit
            if nearer or (severe.limit == mild.limit and severe.operator == mild.operator):
                yield (
                    f"critical “{severe}” has to be further out than warning “{mild}”; it is as "
                    "mild as or milder than the warning."
                )


def _clear_order(warning: Level, critical: Level) -> Iterator[str]:
    for mild in _alone(warning.clears):
        for severe in _alone(critical.clears):
            if (mild.measure, _is_up(mild)) != (severe.measure, _is_up(severe)):
                continue
            inside = severe.limit < mild.limit if not _is_up(mild) else severe.limit > mild.limit
            if inside:
                yield (
                    f"the critical level ends at “{severe}”, which is further in than where the "
                    f"warning ends, “{mild}”."
                )


def _at_once(critical: Level) -> Iterator[str]:
    for far in _alone(critical.at_once):
        for fires in _alone(critical.fires):
            if far.measure == fires.measure and not fires.holds(far.limit):
                yield f"“{far}” at once is not beyond the critical limit “{fires}”."


def _alone(expression: Expression) -> Iterator[Condition]:
    """The numbers that decide by themselves: alternatives of one comparison each."""
    for clause in expression:
        if len(clause) == 1 and clause[0].operator != "=":
            yield clause[0]


def _is_up(condition: Condition) -> bool:
    return condition.operator in _UP


# -- two rows ------------------------------------------------------------------------------------


def _of_pairs(rules: Iterable[Rule]) -> Iterator[tuple[Rule, str]]:
    """Limits of one sign that meet: a value that is too high and too low at once."""
    for one, other in permutations(rules, 2):
        if one.sign != other.sign or not _together(one, other):
            continue
        for high in _outermost(one):
            for low in _outermost(other):
                if _is_up(high) and not _is_up(low) and _meet(high, low):
                    yield other, f"{one.label} “{high}” and {other.label} “{low}” overlap."


def _outermost(rule: Rule) -> Iterator[Condition]:
    """The numbers at which the row begins to fire."""
    level = rule.warning or rule.critical
    yield from _alone(level.fires if level else ())


def _meet(high: Condition, low: Condition) -> bool:
    return high.measure == low.measure and (
        high.limit < low.limit or (high.holds(low.limit) and low.holds(low.limit))
    )


def _together(one: Rule, other: Rule) -> bool:
    """Whether both rows can be in force for the same session."""
    if len({one.spo2_scale, other.spo2_scale} - {None}) > 1:
        return False
    if one.sedation_scales and other.sedation_scales:
        return bool(set(one.sedation_scales) & set(other.sedation_scales))
    return True
