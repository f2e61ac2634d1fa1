"""What is wrong with a protocol, and what it lacks: everything at once, in clinical words.

Two questions.  What contradicts itself cannot be stored; what is missing may be stored as a draft
and stands in the way of its approval (clinical.md 2.1, 2.5, U-01, U-21 to U-26).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from monitor.dose_limits import OWN_LIMITS
from monitor.dose_units import dosing_numbers, exact, plain
from monitor.errors import Problem
from monitor.limit_row_check import beyond_rows
from monitor.protocol_fields import BY_PATH, FIELDS, Kind, number_at, unit_in, value_at
from monitor.protocols import OWN_SCHEDULE, own_schedule_bounds
from monitor.stated_rates import (
    PER_70_KG,
    PER_KG,
    STATED_STEP,
    in_mg_per_kg_h,
    is_rate,
    per_kg,
    rate_unit,
    step_rate,
    strange_keys,
)

_CODE = re.compile(r"[A-Z][A-Z0-9-]{1,15}")
_SANITY = dosing_numbers()["protocol"]
_FASTEST_MG_PER_KG_H = Decimal(_SANITY["fastest_mg_per_kg_h"])
_LONGEST_MIN = int(_SANITY["longest_min"])
_SYRINGE_MG_PER_ML = tuple(Decimal(item) for item in _SANITY["syringe_mg_per_ml"])
_LONGEST_TEXT = 300
_START = "start_rate_mg_per_kg_h"
_HARD_RATES = ("limits.rate_mg_per_kg_h.hard", "limits.rate_mg_per_h.hard")


def missing(content: Mapping[str, Any]) -> tuple[str, ...]:
    """What the content lacks before it can be approved, in the words of the form; () when whole.

    Every protocol carries its own limits; for S-ketamine none is ever taken from racemic (U-01).
    """
    words = [
        field.label
        for field in FIELDS
        if field.needed and value_at(content, field.path) in (None, "", [])
    ]
    if not content.get("steps"):
        words.append("planned steps")
    words += _missing_of_schedule(content)
    limits = content.get("limits", {})
    words += [
        f"{name} limit"
        for name, fields in OWN_LIMITS.items()
        if not any(value_at(content, f"limits.{field}") for field in fields)
    ]
    if "rate limit" not in words and not any(value_at(content, path) for path in _HARD_RATES):
        words.append("hard rate limit")
    if not limits.get("duration_h"):
        words.append("duration limit")
    return tuple(words)


def _missing_of_schedule(content: Mapping[str, Any]) -> Iterator[str]:
    if not content.get("schedule"):
        return
    profile = content.get("schedule_profile")
    if not profile:
        yield "numbers of the observation schedule"
        return
    if not profile.get("intervals"):
        yield "rows of the observation schedule"
    if not profile.get("min_recovery_min"):
        yield "least recovery"


def approval_problems(
    content: Mapping[str, Any], threshold_sets: Collection[str]
) -> tuple[Problem, ...]:
    """Everything that stands in the way of approving the content.

    ``threshold_sets`` are the codes of the approved sets of alert limits.
    """
    lacking = missing(content)
    problems = list(contradictions(content, threshold_sets))
    problems += beyond_rows(content, planned_total_mg_per_kg(content))
    if lacking:
        words = ", ".join(lacking)
        problems.insert(0, Problem("", f"Missing before it can be approved: {words}."))
    return tuple(problems)


@exact
def contradictions(
    content: Mapping[str, Any], threshold_sets: Collection[str]
) -> tuple[Problem, ...]:
    """Everything in the content that cannot be right; what is missing is no contradiction.

    The field of a problem is a path of ``protocol_fields`` or ``steps.<number from 0>``.
    """
    if strange := strange_keys(content):
        # No rate can be judged before it is known what it is stated in.
        words = f"Rates are stated in two units: {', '.join(strange)}."
        return (Problem("rate_unit", words),)
    return tuple(
        problem
        for check in (
            _texts,
            _choices,
            _stated_rates,
            _numbers,
            _pairs,
            _steps,
            _plan_within_limits,
            _own_schedule,
        )
        for problem in check(content)
    ) + tuple(_threshold_set(content, threshold_sets))


def _texts(content: Mapping[str, Any]) -> Iterator[Problem]:
    code = str(content.get("code", ""))
    if not _CODE.fullmatch(code):
        yield Problem(
            "code",
            "A protocol's code is 2 to 16 capital letters, digits or dashes and begins with a "
            "letter, for example P02 or CRPS-1.",
        )
    for field in FIELDS:
        text = value_at(content, field.path)
        if field.kind is Kind.TEXT and text and not _is_line(text):
            yield Problem(
                field.path,
                f"The {field.label} has to be one line of at most {_LONGEST_TEXT} signs.",
            )


def _is_line(text: str) -> bool:
    return len(text) <= _LONGEST_TEXT and text.isprintable()


def _choices(content: Mapping[str, Any]) -> Iterator[Problem]:
    for field in FIELDS:
        value = value_at(content, field.path)
        known = [code for code, _words in field.choices or ()]
        if value is not None and known and value not in known:
            yield Problem(
                field.path,
                f"There is no {field.label} “{value}”. There is: {', '.join(sorted(known))}.",
            )


def _threshold_set(
    content: Mapping[str, Any], threshold_sets: Collection[str]
) -> Iterator[Problem]:
    named = content.get("threshold_set")
    if named is not None and named not in threshold_sets:
        there = ", ".join(sorted(threshold_sets)) or "none"
        yield Problem(
            "threshold_set", f"There are no approved alert limits “{named}”. There is: {there}."
        )


def _numbers(content: Mapping[str, Any]) -> Iterator[Problem]:
    for field in FIELDS:
        if field.kind not in (Kind.NUMBER, Kind.WHOLE):
            continue
        value = number_at(content, field.path)
        if value is None:
            continue
        if value <= 0:
            yield Problem(
                field.path, f"The {field.label} has to be above 0. Leave it empty for none."
            )
        elif field.unit == PER_KG and _per_kg(content, field.path, value) > _FASTEST_MG_PER_KG_H:
            yield Problem(field.path, _too_fast(field.label, value, unit_in(content, field)))
    duration = number_at(content, "planned_duration_min")
    if duration is not None and duration > _LONGEST_MIN:
        yield Problem(
            "planned_duration_min",
            f"The planned duration is {plain(duration)} min, more than "
            f"{plain(Decimal(_LONGEST_MIN) / 1440)} days. It is entered in minutes.",
        )
    yield from _syringes(content)


def _syringes(content: Mapping[str, Any]) -> Iterator[Problem]:
    least, most = _SYRINGE_MG_PER_ML
    for text in content.get("concentrations_mg_per_ml") or ():
        if not least <= Decimal(text) <= most:
            yield Problem(
                "concentrations_mg_per_ml",
                f"{plain(Decimal(text))} mg/mL cannot be infused ({plain(least)} to {plain(most)} "
                "mg/mL).",
            )


def _per_kg(content: Mapping[str, Any], path: str, stated: Decimal) -> Decimal:
    return per_kg(stated) if is_rate(path) and rate_unit(content) == PER_70_KG else stated


def _stated_rates(content: Mapping[str, Any]) -> Iterator[Problem]:
    """Rates per 70 kg on a step that comes back as it was stated."""
    if rate_unit(content) != PER_70_KG:
        return
    fields = [
        (row.path, row.label, number_at(content, row.path)) for row in FIELDS if is_rate(row.path)
    ]
    rates = [(path, label, rate) for path, label, rate in fields if rate is not None]
    rates += [
        (f"steps.{place}", f"rate of planned step {place + 1}", step_rate(content, step))
        for place, step in enumerate(content.get("steps") or ())
    ]
    for path, label, rate in rates:
        if rate != rate.quantize(STATED_STEP):
            yield Problem(path, f"The {label} per 70 kg has more than three decimals.")


def _too_fast(label: str, rate_mg_per_kg_h: Decimal, unit: str) -> str:
    if unit == PER_70_KG:
        return (
            f"The {label} is {plain(rate_mg_per_kg_h)} {unit}; nothing is given above "
            f"{plain(_FASTEST_MG_PER_KG_H)} mg/kg/h."
        )
    per_hour = plain(rate_mg_per_kg_h * Decimal("0.06"))
    return (
        f"The {label} is {plain(rate_mg_per_kg_h)} mg/kg/h; nothing is given above "
        f"{plain(_FASTEST_MG_PER_KG_H)} mg/kg/h. If it was meant in mcg/kg/min it is "
        f"{per_hour} mg/kg/h."
    )


def _pairs(content: Mapping[str, Any]) -> Iterator[Problem]:
    for field in FIELDS:
        if not field.path.endswith(".soft"):
            continue
        soft = number_at(content, field.path)
        hard = number_at(content, field.path.removesuffix("soft") + "hard")
        if soft is not None and hard is not None and soft > hard:
            yield Problem(
                field.path,
                f"The {field.label} ({plain(soft)} {unit_in(content, field)}) is above the hard one "
                f"({plain(hard)} {unit_in(content, field)}).",
            )
    limits = content.get("limits", {})
    soft, hard = limits.get("step_interval_min_soft"), limits.get("step_interval_min_hard")
    if soft is not None and hard is not None and soft < hard:
        yield Problem(
            "limits.step_interval_min_soft",
            f"The soft least time between increases ({soft} min) is shorter than the hard one "
            f"({hard} min).",
        )
    usual = _usual_step(content)
    if len(usual) == 2 and usual[0] > usual[1]:
        yield Problem(
            "limits.step_range_mg_per_kg_h.0",
            f"The usual step goes from {plain(usual[0])} down to {plain(usual[1])} "
            f"{rate_unit(content)}. "
            "Enter the smaller one first.",
        )


def _usual_step(content: Mapping[str, Any]) -> list[Decimal]:
    """Both ends of the usual step as they are stated, or nothing."""
    return [Decimal(item) for item in value_at(content, "limits.step_range_mg_per_kg_h") or ()]


def _steps(content: Mapping[str, Any]) -> Iterator[Problem]:
    steps = content.get("steps") or ()
    for place, step in enumerate(steps):
        rate = step_rate(content, step)
        if rate <= 0:
            yield Problem(
                f"steps.{place}", f"Planned step {place + 1}: the rate has to be above 0."
            )
        elif _per_kg(content, "rate_mg_per_kg_h", rate) > _FASTEST_MG_PER_KG_H:
            words = _too_fast(f"rate of planned step {place + 1}", rate, rate_unit(content))
            yield Problem(f"steps.{place}", words)
    for place, (before, after) in enumerate(pairwise(steps), start=1):
        if after["after_min"] <= before["after_min"]:
            yield Problem(
                f"steps.{place}",
                f"Planned step {place + 1} ({after['after_min']} min) does not come after step "
                f"{place} ({before['after_min']} min). Put the steps in order.",
            )
    if steps and steps[0]["after_min"] != 0:
        yield Problem("steps.0", "The first planned step has to begin at minute 0.")
    start = number_at(content, _START)
    if steps and start is not None and start != step_rate(content, steps[0]):
        first, unit = plain(step_rate(content, steps[0])), rate_unit(content)
        yield Problem(
            _START,
            f"The start rate is {plain(start)} {unit}, the first planned step {first} {unit}. "
            "They have to be the same.",
        )
    duration = content.get("planned_duration_min")
    if steps and duration is not None and steps[-1]["after_min"] >= duration:
        yield Problem(
            "planned_duration_min",
            f"The last planned step begins at {steps[-1]['after_min']} min, at or after the "
            f"planned end ({duration} min).",
        )


def _own_schedule(content: Mapping[str, Any]) -> Iterator[Problem]:
    """A schedule that the clinic wrote: rows in order, every number inside what can be watched."""
    if content.get("schedule") != OWN_SCHEDULE:
        return
    profile, bounds = content.get("schedule_profile") or {}, own_schedule_bounds()
    yield from _intervals(profile.get("intervals") or (), bounds)
    for name, within in (
        ("pre_within_min", "pre_within_min"),
        ("recovery_every_min", "interval_min"),
        ("fast_every_min", "interval_min"),
        ("min_recovery_min", "min_recovery_min"),
        ("min_from_start_min", "min_from_start_min"),
    ):
        field, value = BY_PATH[f"schedule_profile.{name}"], profile.get(name)
        least, most = bounds[within]
        if value is not None and value > 0 and not least <= value <= most:
            words = f"{_sentence(field.label)}: {value} min; it can be {least} to {most} min."
            yield Problem(field.path, words)
    yield from _after_increase(profile.get("after_increase_min") or (), bounds)
    fast = [profile.get("fast_above_mg_per_kg_h"), profile.get("fast_every_min")]
    if fast.count(None) == 1:
        name = "fast_above_mg_per_kg_h" if fast[0] is None else "fast_every_min"
        yield Problem(
            f"schedule_profile.{name}",
            "A denser schedule above a rate needs both the rate and the minutes, or neither.",
        )


def _intervals(rows: Sequence[Mapping[str, int]], bounds: Mapping[str, Any]) -> Iterator[Problem]:
    least, most = bounds["interval_min"]
    if len(rows) > bounds["most_rows"]:
        words = f"A schedule has at most {bounds['most_rows']} rows; there are {len(rows)}."
        yield Problem("schedule", words)
    for place, row in enumerate(rows):
        if not least <= row["every_min"] <= most:
            yield Problem(
                f"intervals.{place}",
                f"Schedule row {place + 1}: every {row['every_min']} min; a set can be due every "
                f"{least} to {most} min.",
            )
    for place, (before, after) in enumerate(pairwise(rows), start=1):
        if after["from_min"] <= before["from_min"]:
            yield Problem(
                f"intervals.{place}",
                f"Schedule row {place + 1} (from minute {after['from_min']}) does not come after "
                f"row {place} (from minute {before['from_min']}). Put the rows in order.",
            )
    if rows and rows[0]["from_min"] != 0:
        yield Problem("intervals.0", "The first schedule row has to begin at minute 0.")


def _after_increase(minutes: Sequence[int], bounds: Mapping[str, Any]) -> Iterator[Problem]:
    path = "schedule_profile.after_increase_min"
    label = _sentence(BY_PATH[path].label)
    least, most = bounds["after_increase_min"]
    wrong = [minute for minute in minutes if not least <= minute <= most]
    if wrong:
        words = f"{label}: {wrong[0]} min; it can be {least} to {most} min."
        yield Problem(path, words)
    elif any(after <= before for before, after in pairwise(minutes)):
        yield Problem(path, f"{label}: enter the minutes in order, each once.")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _plan_within_limits(content: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _rates_within_limits(content)
    fixed = number_at(content, "limits.fixed_rate_mg_per_kg_h")
    rates = {step_rate(content, step) for step in content.get("steps") or ()}
    if fixed is not None and rates - {fixed}:
        yield Problem(
            "limits.fixed_rate_mg_per_kg_h",
            f"The fixed rate is {plain(fixed)} {rate_unit(content)}, but the planned steps give "
            "another. "
            "A protocol of fixed dose has one step.",
        )
    yield from _total_within_limits(content)
    for place, (before, after) in enumerate(pairwise(content.get("steps") or ()), start=1):
        for words in _increase_beyond_limits(content, before, after):
            yield Problem(f"steps.{place}", f"Planned step {place + 1} {words}.")
    duration = number_at(content, "planned_duration_min")
    for severity in ("hard", "soft"):
        limit = number_at(content, f"limits.duration_h.{severity}")
        if limit is not None and duration is not None and duration > limit * 60:
            yield Problem(
                f"limits.duration_h.{severity}",
                f"The planned duration ({plain(duration)} min) is above the protocol's own "
                f"{severity} duration limit ({plain(limit)} h).",
            )
            return


def _rates_within_limits(content: Mapping[str, Any]) -> Iterator[Problem]:
    """Every planned rate against the protocol's own limits; the start where there is no step."""
    rates = [
        (f"steps.{place}", f"planned step {place + 1}", step_rate(content, step))
        for place, step in enumerate(content.get("steps") or ())
    ]
    start, unit = number_at(content, _START), rate_unit(content)
    if start is not None and not rates:
        rates = [(_START, "start rate", start)]
    for field, words, rate in rates:
        for severity in ("hard", "soft"):
            limit = number_at(content, f"limits.rate_mg_per_kg_h.{severity}")
            if limit is not None and rate > limit:
                yield Problem(
                    field,
                    f"The {words} ({plain(rate)} {unit}) is above the protocol's own {severity} "
                    f"rate limit ({plain(limit)} {unit}).",
                )
                break


def _increase_beyond_limits(
    content: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[str]:
    """Where a planned increase would itself be asked about or refused (U-23)."""
    rate, last = step_rate(content, after), step_rate(content, before)
    unit = rate_unit(content)
    size, minutes = rate - last, after["after_min"] - before["after_min"]
    if size <= 0:
        return
    limits = content.get("limits", {})
    usual = _usual_step(content)
    is_usual = len(usual) == 2 and usual[0] <= size <= usual[1]
    for severity in ("hard",) if is_usual else ("hard", "soft"):
        limit = number_at(content, f"limits.step_mg_per_kg_h.{severity}")
        if limit is not None and size > limit:
            yield (
                f"raises the rate by {plain(size)} {unit}, above the protocol's own {severity} "
                f"step limit ({plain(limit)} {unit})"
            )
            break
    percent = number_at(content, "limits.step_percent_soft")
    if percent is not None and not is_usual and rate > last * (100 + percent) / 100:
        yield (
            f"raises the rate by more than {plain(percent)} %, the protocol's own soft step limit "
            "of the last rate"
        )
    for severity in ("hard", "soft"):
        least = limits.get(f"step_interval_min_{severity}")
        if least is not None and 0 < minutes < least:
            yield (
                f"comes {minutes} min after the one before, sooner than the protocol's own "
                f"{severity} least time between increases ({least} min)"
            )
            break


def _total_within_limits(content: Mapping[str, Any]) -> Iterator[Problem]:
    total = planned_total_mg_per_kg(content)
    if total is None:
        return
    for severity in ("hard", "soft"):
        limit = number_at(content, f"limits.total_mg_per_kg.{severity}")
        if limit is not None and total > limit:
            yield Problem(
                f"limits.total_mg_per_kg.{severity}",
                f"The plan gives {plain(total.quantize(Decimal('0.001')))} mg/kg by its end, above "
                f"the protocol's own {severity} total limit ({plain(limit)} mg/kg).",
            )
            return


def planned_total_mg_per_kg(content: Mapping[str, Any]) -> Decimal | None:
    """What the planned steps give by the planned end, in mg/kg; None while they are not known."""
    content = in_mg_per_kg_h(content)
    steps, duration = content.get("steps"), content.get("planned_duration_min")
    if not steps or duration is None:
        return None
    begins = [step["after_min"] for step in steps]
    ends = [*begins[1:], duration]
    return sum(
        (
            Decimal(step["rate_mg_per_kg_h"]) * max(0, min(end, duration) - begin) / 60
            for step, begin, end in zip(steps, begins, ends, strict=True)
        ),
        Decimal(0),
    )
