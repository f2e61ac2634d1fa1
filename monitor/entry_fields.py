"""One field of an entry: whether its text is a value that can be, and which (clinical.md 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from monitor.entered import EnteredItem, EnteredSet, ReadItem
from monitor.entry_words import REASON_WORDS, name_of, parameter_problem, problem_of, range_of
from monitor.errors import Problem
from monitor.numbers import parse_number, plain_text
from monitor.parameters import CROSS_CHECKS, PARAMETERS, Parameter
from monitor.record import InfusionSession, NotTaken
from monitor.scales import SCALES, Scale
from monitor.texts import echoed

#: More codes than this are named by their first and last.
_MOST_NAMED = 11
_TICKS: Mapping[str, Decimal] = MappingProxyType(
    {"yes": Decimal(1), "true": Decimal(1), "no": Decimal(0), "false": Decimal(0)}
)
#: What cannot be, however it was confirmed: the database refuses it too (ruling 13).
_ABSOLUTE: Mapping[str, Decimal] = MappingProxyType({"spo2": Decimal(100)})


def read_all(
    entered: EnteredSet, session: InfusionSession, dissociation_scale: str | None = None
) -> tuple[dict[str, ReadItem], list[Problem]]:
    """Every item that could be read by parameter key, and what was wrong with any of them."""
    reads: dict[str, ReadItem] = {}
    problems: list[Problem] = []
    if not entered.items:
        problems.append(problem_of("set", "set.empty"))
    for item in entered.items:
        parameter = PARAMETERS.get(item.parameter)
        if parameter is None:
            message = f"There is no parameter “{echoed(item.parameter)}”."
            problems.append(Problem(item.parameter, message, code="set.unknown"))
        elif parameter.key in reads:
            problems.append(parameter_problem(parameter, "twice"))
        else:
            scale = _scale(parameter, session, dissociation_scale)
            read, found = _read(item, parameter, scale)
            reads[parameter.key] = read
            problems += found
    return reads, problems


def _read(
    item: EnteredItem, parameter: Parameter, scale: Scale | None
) -> tuple[ReadItem, list[Problem]]:
    nothing = ReadItem(item, parameter)
    text = (item.text or "").strip()
    if item.not_taken is not None:
        return nothing, _reason_problems(item.not_taken, text, parameter)
    if not text:
        return nothing, [parameter_problem(parameter, "empty")]
    if scale is not None and scale.has_sleep and text.casefold() == "s":
        return ReadItem(item, parameter, value=Decimal(0), sleep=True), []
    try:
        typed = _typed_value(text, parameter)
        value = parameter.to_canonical(typed, item.unit or "")
    except ValueError as error:
        message = f"{name_of(parameter)}: {error}"
        return nothing, [Problem(parameter.key, message, code=f"{parameter.key}.not_a_number")]
    problem, beyond = _value_problem(item, parameter, typed, value, scale)
    converted = _in_other_unit(item, parameter)
    kept = value if converted else _at_precision(value, parameter)
    read = ReadItem(item, parameter, kept, typed if converted else None, beyond)
    return read, [problem] if problem else []


def _in_other_unit(item: EnteredItem, parameter: Parameter) -> bool:
    return (item.unit or "") not in ("", parameter.unit, parameter.unit_label)


def _typed_value(text: str, parameter: Parameter) -> Decimal:
    if parameter.kind == "tick" and text.casefold() in _TICKS:
        return _TICKS[text.casefold()]
    return parse_number(text)


def _reason_problems(reason: NotTaken, text: str, parameter: Parameter) -> list[Problem]:
    if text:
        return [parameter_problem(parameter, "both")]
    if reason not in parameter.reasons:
        return [parameter_problem(parameter, "reason", reason=REASON_WORDS[reason])]
    return []


def _value_problem(
    item: EnteredItem, parameter: Parameter, typed: Decimal, value: Decimal, scale: Scale | None
) -> tuple[Problem | None, bool]:
    """The one thing wrong with a value, and whether it stands although beyond a limit."""
    converted = _in_other_unit(item, parameter)
    shown = f"{plain_text(typed)} {item.unit}" if converted else plain_text(typed)
    if parameter.kind in ("score", "tick"):
        return _code_problem(parameter, value, scale), False
    limit = _hard_limit(parameter, value)
    if limit is None and not converted:
        limit = _too_fine(value, parameter)
    if limit is not None:
        problem = _hard_problem(item, parameter, value, shown, limit)
        return problem, problem is None
    soft = _soft_limit(parameter, value)
    if soft is None:
        return None, False
    return parameter_problem(parameter, soft, value=shown, range=range_of(parameter, "soft")), False


def _hard_problem(
    item: EnteredItem, parameter: Parameter, value: Decimal, shown: str, limit: str
) -> Problem | None:
    """Why a value beyond a limit cannot stand, or None when it is said to be really so."""
    if _looks_like_fahrenheit(item, parameter, value):
        celsius = plain_text(parameter.to_canonical(value, "°F").quantize(Decimal("0.1")))
        return parameter_problem(parameter, "fahrenheit", value=shown, celsius=celsius)
    if value == 0 and parameter.findings:
        finding = REASON_WORDS[parameter.findings[0]]
        return parameter_problem(parameter, "no_reading", finding=finding)
    words = {"value": shown, "range": range_of(parameter, "hard"), "step": str(parameter.step)}
    if not item.really_so or value < 0 or value > _ABSOLUTE.get(parameter.key, value):
        return parameter_problem(parameter, limit, **words)
    if not (item.note or "").strip():
        return parameter_problem(parameter, "note_missing", **words)
    return None


def _looks_like_fahrenheit(item: EnteredItem, parameter: Parameter, value: Decimal) -> bool:
    return (
        "fahrenheit" in dict(parameter.accepts).values()
        and not _in_other_unit(item, parameter)
        and CROSS_CHECKS.fahrenheit_low <= value <= CROSS_CHECKS.fahrenheit_high
    )


def _code_problem(parameter: Parameter, value: Decimal, scale: Scale | None) -> Problem | None:
    """A score or a tick has a few codes and nothing between or beyond them."""
    if parameter.kind == "tick":
        codes = {Decimal(1): "yes", Decimal(0): "no"}
    elif scale is not None:
        codes = {Decimal(answer.code): answer.short for answer in scale.codes}
    else:
        codes = {Decimal(code): str(code) for code in _score_codes(parameter)}
    if value in codes:
        return None
    if scale is not None:
        return scale_problem(scale, value)
    named = list(codes.values())
    told = ", ".join(named) if len(named) <= _MOST_NAMED else f"{named[0]} to {named[-1]}"
    return parameter_problem(parameter, "not_a_code", value=plain_text(value), codes=told)


def scale_problem(scale: Scale, value: Decimal) -> Problem:
    codes = ", ".join(answer.short for answer in scale.codes)
    return problem_of(
        scale.parameter, "not_a_code", name=scale.label, value=plain_text(value), codes=codes
    )


def _score_codes(parameter: Parameter) -> range:
    assert parameter.hard_below is not None, f"{parameter.key}: a score has two limits"
    assert parameter.hard_above is not None, f"{parameter.key}: a score has two limits"
    return range(int(parameter.hard_below), int(parameter.hard_above) + 1)


def _scale(
    parameter: Parameter, session: InfusionSession, dissociation_scale: str | None
) -> Scale | None:
    """The scale that narrows a parameter's codes: the session's for sedation, the protocol's."""
    if parameter.key == "sedation":
        return SCALES[session.sedation_scale]
    if parameter.key == "dissociation" and dissociation_scale is not None:
        return SCALES[dissociation_scale]
    return None


def _hard_limit(parameter: Parameter, value: Decimal) -> str | None:
    if parameter.hard_below is not None and value < parameter.hard_below:
        return "hard_below"
    if parameter.hard_above is not None and value > parameter.hard_above:
        return "hard_above"
    return None


def _soft_limit(parameter: Parameter, value: Decimal) -> str | None:
    if parameter.soft_below is not None and value < parameter.soft_below:
        return "soft_below"
    if parameter.soft_above is not None and value > parameter.soft_above:
        return "soft_above"
    return None


def _too_fine(value: Decimal, parameter: Parameter) -> str | None:
    """The sentence about digits nobody could have read, None when there are none."""
    if value != round(value, parameter.decimals):
        return f"decimals_{parameter.decimals}"
    return "step" if parameter.step is not None and value % parameter.step else None


def stored_value_problem(
    parameter: Parameter,
    value: Decimal,
    session: InfusionSession,
    *,
    dissociation_scale: str | None,
    converted: bool,
) -> Problem | None:
    """Why no form would have saved a value inside its limits: no such code, or too many digits.

    For values that come from elsewhere.  A ``converted`` one has the digits of its conversion.
    """
    if parameter.kind in ("score", "tick"):
        return _code_problem(parameter, value, _scale(parameter, session, dissociation_scale))
    sentence = None if converted else _too_fine(value, parameter)
    if sentence is None:
        return None
    words = {"value": plain_text(value), "step": str(parameter.step)}
    return parameter_problem(parameter, sentence, **words)


def _at_precision(value: Decimal, parameter: Parameter) -> Decimal:
    """``98.0`` for a whole number is 98; digits that say something, and missing ones, are kept."""
    rounded = round(value, parameter.decimals)
    return rounded if rounded == value and len(str(rounded)) < len(str(value)) else value
