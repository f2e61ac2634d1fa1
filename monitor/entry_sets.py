"""What the values of one set say about each other, and about the values before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from monitor.entered import EnteredSet, ReadItem, value_of
from monitor.entry_fields import scale_problem
from monitor.entry_words import minutes_of, name_of, parameter_problem, problem_of
from monitor.errors import Problem
from monitor.numbers import plain_text
from monitor.parameters import CROSS_CHECKS, PARAMETERS, Parameter
from monitor.record import InfusionSession, Observation
from monitor.scales import SCALES
from monitor.swapped import swapped_pairs

_PRESSURES = ("sbp", "dbp", "map")


def cross_problems(
    reads: Mapping[str, ReadItem], standing: Mapping[str, Observation] = MappingProxyType({})
) -> list[Problem]:
    """What the pressures of one set say about each other (clinical.md 3.1).

    ``standing`` are the values of the set that are in the record already, when one of it is
    corrected.  Beside those nothing is refused, only asked: where two are wrong they are put right
    one after the other, and the first must not wait for the second.
    """
    if reads.keys().isdisjoint(_PRESSURES):
        return []
    values = {key: seen.value for key, seen in standing.items()}
    values |= {key: value_of(reads, key) for key in reads}
    problems = _pressure_problems(reads, *(values.get(key) for key in _PRESSURES))
    if standing.keys().isdisjoint(_PRESSURES):
        return problems
    return [replace(problem, kind="soft") for problem in problems]


def _pressure_problems(
    reads: Mapping[str, ReadItem], sbp: Decimal | None, dbp: Decimal | None, mean: Decimal | None
) -> list[Problem]:
    if sbp is None or dbp is None:
        return []
    words = {"sbp": plain_text(round(sbp, 0)), "dbp": plain_text(round(dbp, 0))}
    problems: list[Problem] = []
    pulse = sbp - dbp
    if pulse <= 0:
        if not _stands(reads, "sbp", "dbp"):
            problems.append(problem_of("dbp", "dbp.not_below_sbp", **words))
        return problems
    words["change"] = plain_text(round(pulse, 0))
    if pulse < CROSS_CHECKS.pulse_pressure_soft_below:
        problems.append(problem_of("sbp", "sbp.pulse_pressure_below", "soft", **words))
    if pulse > CROSS_CHECKS.pulse_pressure_soft_above:
        problems.append(problem_of("sbp", "sbp.pulse_pressure_above", "soft", **words))
    if mean is not None:
        problems += _mean_problems(reads, sbp, dbp, mean)
    return problems


def _mean_problems(
    reads: Mapping[str, ReadItem], sbp: Decimal, dbp: Decimal, mean: Decimal
) -> list[Problem]:
    derived = (sbp + 2 * dbp) / 3
    words = {
        "sbp": plain_text(round(sbp, 0)),
        "dbp": plain_text(round(dbp, 0)),
        "map": plain_text(round(mean, 0)),
        "derived": plain_text(round(derived, 0)),
        "change": plain_text(round(abs(mean - derived), 0)),
    }
    if not dbp <= mean <= sbp:
        if _stands(reads, "map", "sbp", "dbp"):
            return []
        return [problem_of("map", "map.not_between", **words)]
    if abs(mean - derived) > CROSS_CHECKS.map_difference_soft_above:
        return [problem_of("map", "map.difference", "soft", **words)]
    return []


def _stands(reads: Mapping[str, ReadItem], *keys: str) -> bool:
    """Whether one of these was said to be really so, with a note."""
    said = [reads[key].item for key in keys if key in reads]
    return any(item.really_so and (item.note or "").strip() for item in said)


def values_of_set(entered: EnteredSet, session: InfusionSession) -> Mapping[str, Observation]:
    """What stands in the record of this very set, when a value of it is entered anew."""
    return {
        item.parameter: item
        for item in session.current_observations
        if item.set_id == entered.set_id and item.value is not None
    }


def jump_problems(
    entered: EnteredSet, reads: Mapping[str, ReadItem], session: InfusionSession
) -> list[Problem]:
    """What is far from the set before: two values that were exchanged in one question for both."""
    before = _values_before(entered, session)
    problems, exchanged = _swap_problems(reads, before)
    for key, read in reads.items():
        previous = before.get(key)
        if key in exchanged:
            continue
        if read.value is None or previous is None or previous.value is None:
            continue
        change = read.value - previous.value
        parameter = read.parameter
        rises = parameter.jump is not None and abs(change) > parameter.jump
        falls = parameter.jump_fall is not None and -change > parameter.jump_fall
        if rises or falls:
            problems.append(_jump_problem(parameter, read.value, previous, entered.taken_at))
    return problems


def _swap_problems(
    reads: Mapping[str, ReadItem], before: Mapping[str, Observation]
) -> tuple[list[Problem], set[str]]:
    """A question for each pair of values that was exchanged, and the fields asked about by it."""
    now = {key: read.value for key, read in reads.items() if read.value is not None}
    last = {key: seen.value for key, seen in before.items() if seen.value is not None}
    pairs = list(swapped_pairs(now, last))
    problems = [
        problem_of(
            one,
            "swapped",
            "soft",
            one=name_of(PARAMETERS[one]),
            other=name_of(PARAMETERS[other]),
            now=f"{plain_text(now[one])} and {plain_text(now[other])}",
            before=f"{plain_text(last[one])} and {plain_text(last[other])}",
        )
        for one, other in pairs
    ]
    return problems, {key for pair in pairs for key in pair}


def _jump_problem(
    parameter: Parameter, value: Decimal, previous: Observation, taken_at: datetime
) -> Problem:
    assert previous.value is not None
    change = value - previous.value
    return parameter_problem(
        parameter,
        "jump",
        value=plain_text(round(value, parameter.decimals)),
        previous=plain_text(round(previous.value, parameter.decimals)),
        change=plain_text(round(abs(change), parameter.decimals)),
        direction="higher" if change > 0 else "lower",
        minutes=minutes_of(taken_at - previous.taken_at),
    )


def _values_before(entered: EnteredSet, session: InfusionSession) -> Mapping[str, Observation]:
    """The last value of each parameter at most 20 min before, not counting this very set."""
    since = entered.taken_at - timedelta(minutes=CROSS_CHECKS.jump_window_min)
    return {
        observation.parameter: observation
        for observation in session.current_observations
        if since <= observation.taken_at <= entered.taken_at
        and observation.value is not None
        and observation.set_id != entered.set_id
    }


def sleep_problems(reads: Mapping[str, ReadItem], session: InfusionSession) -> list[Problem]:
    """S needs "roused to voice: yes" in the same entry (U-50)."""
    sedation = reads.get("sedation")
    scale = SCALES[session.sedation_scale]
    if sedation is None or sedation.value != 0 or not scale.has_sleep:
        return []
    if sedation.sleep and "asleep" in reads and value_of(reads, "asleep") != 1:
        return [problem_of("sedation", "asleep_no")]
    if not sedation.sleep and value_of(reads, "asleep") != 1:
        # Without sleep, code 0 means awake; on a scale that has 0 only as S it means nothing.
        return [] if scale.answer(0) else [scale_problem(scale, sedation.value)]
    roused = value_of(reads, "roused_to_voice")
    if roused is None:
        return [problem_of("sedation", "roused_missing")]
    return [] if roused == 1 else [problem_of("sedation", "roused_no")]
