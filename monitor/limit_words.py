"""Say in one line which limit a reading is beyond: the value, the comparison, the limit.

The fact and the rule, never a diagnosis (clinical.md 13.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from monitor.news2 import missing_in, names_of, threes_of
from monitor.parameters import PARAMETERS
from monitor.readings import Reading, short_name
from monitor.record import SideEffect
from monitor.scales import SCALES
from monitor.side_effects import TERMS
from monitor.thresholds import Clause, Condition, Expression, Rule

_FOUND = {
    "no_trace": "no SpO2 trace",
    "unrecordable": "blood pressure unrecordable",
    "sedation_known": "sedation not scored",
    "bp_known": "no recent blood pressure",
}


def plain(value: Decimal, decimals: int | None = None) -> str:
    """A number without trailing zeros, rounded half-up when ``decimals`` is given."""
    if decimals is not None:
        value = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown_value(value: Decimal, decimals: int, condition: Condition | None = None) -> str:
    """The value as shown, with one decimal more whenever rounding would hide the breach (U-58)."""
    if condition is not None and condition.measure == "value":
        while decimals < 12:
            shown = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
            if condition.holds(shown):
                break
            decimals += 1
    return plain(value, decimals)


def limit_words(
    rule: Rule, clause: Clause, reading: Reading, baseline: Decimal | None, scale_id: str
) -> str:
    """Why this reading is beyond the limit, for example ``SBP 172 >= 160``."""
    words = [_condition_words(rule, item, reading, baseline, scale_id) for item in clause]
    told = [text for text in dict.fromkeys(words) if text]
    return ", ".join(told) or rule.label


def _condition_words(
    rule: Rule, condition: Condition, reading: Reading, baseline: Decimal | None, scale_id: str
) -> str:
    measure, limit = condition.measure, plain(condition.limit)
    if rule.sign == "side_effect":
        return _side_effect_words(reading)
    if rule.sign == "news2":
        return _news2_words(condition, reading)
    if measure in _FOUND:
        if rule.sign == "etco2":
            return "no EtCO2 trace"
        return _FOUND[measure]
    if measure in ("grade", "code"):
        return _sedation_words(condition, reading, scale_id)
    if condition.operator == "=":
        return PARAMETERS[measure].label if condition.limit else ""
    sign = short_name(rule.sign)
    if measure == "value":
        assert reading.value is not None
        return f"{sign} {_shown(rule.sign, reading.value, condition)} {condition.operator} {limit}"
    if measure in ("rise", "rise_percent", "fall", "fall_percent"):
        return _relative_words(rule, condition, reading, baseline)
    name = "sedation grade" if measure == "sedation_grade" else PARAMETERS[measure].short
    return f"{name} {plain(reading.measures[measure])} {condition.operator} {limit}"


def _shown(sign: str, value: Decimal, condition: Condition | None = None) -> str:
    return shown_value(value, PARAMETERS[sign].decimals, condition)


def _relative_words(
    rule: Rule, condition: Condition, reading: Reading, baseline: Decimal | None
) -> str:
    assert reading.value is not None
    assert baseline is not None
    if not condition.limit and not condition.measure.endswith("_percent"):
        # Any change is beyond a limit of 0: what it was before says it all.
        sign = PARAMETERS[rule.sign]
        value = f"{sign.label} {_shown(rule.sign, reading.value)} {sign.unit_label}".strip()
        return f"{value}, before the infusion {plain(baseline, 1)}"
    up = condition.measure.startswith("rise")
    difference = reading.value - baseline if up else baseline - reading.value
    where = "above" if up else "below"
    limit = plain(condition.limit)
    if condition.measure.endswith("_percent"):
        change = f"{plain(difference * 100 / baseline, 1)} %"
        limit += " %"
    else:
        change = plain(difference, 1)
    return (
        f"{short_name(rule.sign)} {_shown(rule.sign, reading.value)}, {change} {where} baseline "
        f"{plain(baseline, 1)} (limit {limit})"
    )


def _sedation_words(condition: Condition, reading: Reading, scale_id: str) -> str:
    assert reading.value is not None
    scale = SCALES[scale_id]
    answer = scale.answer(int(reading.value))
    code = plain(reading.value) if answer is None else answer.short
    if condition.measure == "code":
        return f"{scale.label} {code} {condition.operator} {plain(condition.limit)}"
    grade = plain(reading.measures["grade"])
    return f"{scale.label} {code}: grade {grade} {condition.operator} {plain(condition.limit)}"


def _news2_words(condition: Condition, reading: Reading) -> str:
    """What is missing of an incomplete score stands in the detail of its card."""
    measures = reading.measures
    if condition.measure == "single_three":
        return f"NEWS2: 3 for {names_of(threes_of(measures))} alone"
    value = plain(measures["value"])
    if missing_in(measures):
        return f"NEWS2 incomplete, at least {value}"
    return f"NEWS2 {value} {condition.operator} {plain(condition.limit)}"


def _side_effect_words(reading: Reading) -> str:
    effect = reading.facts[-1]
    assert isinstance(effect, SideEffect)
    name = TERMS[effect.term].display if effect.term in TERMS else effect.term
    return f"{name}, grade {plain(reading.measures['grade'])}"


def grade_of(measures: Mapping[str, Decimal]) -> Decimal | None:
    """What ranks readings of one rule among each other: the value, else the grade."""
    return measures.get("value", measures.get("grade"))


_SIGNS = {">=": " ≥", "<=": " ≤", ">": " >", "<": " <", "=": ":"}


def expression_words(expression: Expression, sign: str) -> str:
    """A condition as people read it: ``SBP ≥ 160``, ``rise ≥ 40 or rise ≥ 30 %``."""
    return " or ".join(
        " and ".join(_compared(condition, sign) for condition in clause) for clause in expression
    )


def _compared(condition: Condition, sign: str) -> str:
    measure = condition.measure
    percent = " %" if measure.endswith("_percent") else ""
    name = measure.removesuffix("_percent").replace("_", " ")
    if measure == "value":
        name = short_name(sign)
    elif measure in PARAMETERS:
        name = PARAMETERS[measure].short
    return f"{name}{_SIGNS[condition.operator]} {condition.limit}{percent}"
