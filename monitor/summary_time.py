"""The columns of time in breach: minutes beyond fixed limits and beyond any (U-70, U-71)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from monitor import time_in_breach as tib
from monitor.breaches import rule_applies
from monitor.summary_case import LINE_SIGNS, Case
from monitor.thresholds import Condition, Rule

#: Time-in-breach columns: sign, limit, whether at or above it.
TIME_LIMITS: Mapping[str, tuple[str, Decimal, bool]] = {
    "tib_sbp_ge160_min": ("sbp", Decimal(160), True),
    "tib_sbp_ge180_min": ("sbp", Decimal(180), True),
    "tib_map_lt65_min": ("map", Decimal(65), False),
    "tib_spo2_lt94_min": ("spo2", Decimal(94), False),
    "tib_spo2_lt90_min": ("spo2", Decimal(90), False),
    "tib_hr_ge111_min": ("hr", Decimal(111), True),
}


def time_in_breach(case: Case) -> dict[str, Any]:
    """Minutes beyond the fixed limits, and the share of the known time beyond any (U-70, U-71)."""
    assert case.mon is not None
    window = case.span(case.mon)
    drawn = {sign: tib.cut_all(lines, window) for sign, lines in case.drawn.items()}
    row: dict[str, Any] = {
        column: tib.minutes(tib.length_us(tib.beyond(drawn[sign], limit, above=above)))
        for column, (sign, limit, above) in TIME_LIMITS.items()
        if case.in_mon("sbp" if sign == "map" else sign)
    }
    known = [window]
    for sign in ("sbp", "hr", "spo2"):
        known = tib.common(known, tib.covered(drawn[sign]))
    known_us = tib.length_us(known)
    row["tib_unknown_min"] = tib.minutes(window[1] - window[0] - known_us)
    if known_us > 0:
        outside = tib.joined(
            span for rule in _line_rules(case) for span in _outside(case, rule, drawn)
        )
        row["pct_time_in_breach_any"] = 100 * tib.length_us(tib.common(outside, known)) / known_us
    return row


def _line_rules(case: Case) -> Iterator[Rule]:
    for rule in case.threshold_set.rules:
        if rule.sign in LINE_SIGNS and rule_applies(rule, case.session, case.baseline):
            yield rule


def _outside(case: Case, rule: Rule, drawn: Mapping[str, Sequence[tib.Line]]) -> Iterator[tib.Span]:
    """The stretches outside the mildest level of a rule, as its lines run."""
    before = case.baseline.get(rule.sign, rule.baseline_if_none)
    for clause in rule.levels[0].fires:
        limits = [_limit(condition, before) for condition in clause]
        if any(limit is None for limit in limits):
            continue
        spans: list[tib.Span] | None = None
        for limit in limits:
            assert limit is not None
            here = tib.beyond(drawn[rule.sign], limit[0], above=limit[1])
            spans = here if spans is None else tib.common(spans, here)
        yield from spans or ()


def _limit(condition: Condition, before: Decimal | None) -> tuple[Decimal, bool] | None:
    """The condition as a value and a side of it; None when a line cannot answer it.

    Whether the limit itself belongs makes no difference to a length of time.
    """
    above = condition.operator in (">", ">=")
    if condition.operator == "=":
        return None
    if condition.measure == "value":
        return condition.limit, above
    if before is None:
        return None
    match condition.measure:
        case "rise":
            return before + condition.limit, above
        case "rise_percent":
            return before * (100 + condition.limit) / 100, above
        case "fall":
            return before - condition.limit, not above
        case "fall_percent":
            return before * (100 - condition.limit) / 100, not above
        case _:
            return None
