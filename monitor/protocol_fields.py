"""What a protocol consists of: every field with its words and unit, in one table.

The sheet, the form, the check and the difference between two versions all read this table, so that
a number has one name everywhere.  Content is the stored data of a version; of a draft it may lack
anything but its code and version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from monitor.dose_units import plain
from monitor.protocols import (
    OWN_SCHEDULE,
    SECOND_PERSON_DEFAULT,
    SecondPersonAt,
    packaged_schedules,
)
from monitor.record import DrugForm
from monitor.scales import RECOVERY_SCORES, SCALES, Scale
from monitor.stated_rates import PER_70_KG, PER_KG, REFERENCE_KG, is_rate, rate_unit, stored_path


class Kind(StrEnum):
    """What can be typed into a field."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole number"
    NUMBERS = "numbers"
    WHOLE_NUMBERS = "whole numbers"
    YES_NO = "yes or no"
    CHOICE = "choice"


class Section(StrEnum):
    """The parts of a protocol, in the order people read them."""

    PLAN = "Plan"
    LIMITS = "Limits"
    SECOND_PERSON = "Second person"
    WATCHING = "Observation and scales"
    SCHEDULE = "A schedule of its own"


@dataclass(frozen=True, slots=True)
class ProtocolField:
    """One field: where it stands in the content, what people call it, its unit.

    ``needed`` fields must be there before the version can be approved.  ``choices`` are code and
    words; None means that the choices are not known here (alert limit sets are rows of the store).
    ``default`` is in force where a version says nothing.
    """

    path: str
    label: str
    kind: Kind
    section: Section
    unit: str = ""
    needed: bool = False
    choices: tuple[tuple[str, str], ...] | None = None
    default: Any = None

    @property
    def label_with_unit(self) -> str:
        """The label as it stands beside an empty field.

        Which unit a rate is typed in is chosen in the same form, so both are said.
        """
        unit = f"{PER_KG} or per {REFERENCE_KG} kg" if is_rate(self.path) else self.unit
        return f"{self.label} ({unit})" if unit else self.label


def _plan(path: str, label: str, kind: Kind = Kind.TEXT, unit: str = "", **more: Any) -> Any:
    return ProtocolField(path, label, kind, Section.PLAN, unit, needed=True, **more)


def _pair(name: str, label: str, unit: str) -> Iterator[ProtocolField]:
    for severity in ("soft", "hard"):
        path = f"limits.{name}.{severity}"
        yield ProtocolField(path, f"{severity} {label}", Kind.NUMBER, Section.LIMITS, unit)


def _limit(
    path: str, label: str, kind: Kind, unit: str = "", *, needed: bool = False
) -> ProtocolField:
    return ProtocolField(f"limits.{path}", label, kind, Section.LIMITS, unit, needed)


def _second(moment: SecondPersonAt, label: str) -> ProtocolField:
    return ProtocolField(
        f"second_person.{moment.value}",
        f"second person {label}",
        Kind.YES_NO,
        Section.SECOND_PERSON,
        default=moment in SECOND_PERSON_DEFAULT,
    )


def _titrate_if(name: str, label: str, kind: Kind) -> ProtocolField:
    return ProtocolField(f"titrate_if.{name}", label, kind, Section.LIMITS)


def _watching(path: str, label: str, kind: Kind = Kind.CHOICE, **more: Any) -> ProtocolField:
    return ProtocolField(path, label, kind, Section.WATCHING, needed=True, **more)


def _schedule(name: str, label: str, kind: Kind = Kind.WHOLE, unit: str = "min") -> ProtocolField:
    return ProtocolField(f"schedule_profile.{name}", label, kind, Section.SCHEDULE, unit)


def _scales(parameter: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (key, scale_words(row)) for key, row in SCALES.items() if row.parameter == parameter
    )


def scale_words(scale: Scale) -> str:
    """What the scale is called where one is chosen; a copyright is said before it is chosen."""
    if scale.licence.startswith("Copyright"):
        return f"{scale.label} (copyright: needs the clinic's own permission)"
    return scale.label


#: Every field but the planned steps, the sources and the notes, in the order people read them.
FIELDS: tuple[ProtocolField, ...] = (
    _plan("name", "name"),
    _plan("indication", "indication"),
    _plan(
        "form",
        "drug form",
        Kind.CHOICE,
        choices=((DrugForm.RACEMIC, "racemic ketamine"), (DrugForm.S_KETAMINE, "S-ketamine")),
    ),
    # Only infusions into a vein are recorded; a plan for another route has no screen to run on.
    _plan("route", "route", Kind.CHOICE, choices=(("IV", "IV"),)),
    _plan(
        "setting",
        "setting",
        Kind.CHOICE,
        choices=(("outpatient", "outpatient"), ("inpatient", "inpatient")),
    ),
    _plan("concentrations_mg_per_ml", "syringes", Kind.NUMBERS, "mg/mL"),
    ProtocolField(
        "rate_unit",
        "rates are stated in",
        Kind.CHOICE,
        Section.PLAN,
        choices=((PER_KG, PER_KG), (PER_70_KG, PER_70_KG)),
    ),
    _plan("start_rate_mg_per_kg_h", "start rate", Kind.NUMBER, "mg/kg/h"),
    _plan("planned_duration_min", "planned duration", Kind.WHOLE, "min"),
    ProtocolField(
        "plateau_after_min", "plateau after an unchanged rate", Kind.WHOLE, Section.PLAN, "min"
    ),
    _plan("source", "source"),
    *_pair("rate_mg_per_kg_h", "rate limit", "mg/kg/h"),
    *_pair("rate_mg_per_h", "rate limit at any weight", "mg/h"),
    *_pair("bolus_mg_per_kg", "bolus limit in any 30 min", "mg/kg"),
    *_pair("total_mg_per_kg", "total limit", "mg/kg"),
    *_pair("total_mg", "total limit at any weight", "mg"),
    *_pair("duration_h", "duration limit", "h"),
    *_pair("step_mg_per_kg_h", "step limit", "mg/kg/h"),
    _limit(
        "step_interval_min_soft",
        "soft least time between increases",
        Kind.WHOLE,
        "min",
        needed=True,
    ),
    _limit(
        "step_interval_min_hard",
        "hard least time between increases",
        Kind.WHOLE,
        "min",
        needed=True,
    ),
    _limit("step_range_mg_per_kg_h.0", "usual step, from", Kind.NUMBER, "mg/kg/h"),
    _limit("step_range_mg_per_kg_h.1", "usual step, to", Kind.NUMBER, "mg/kg/h"),
    _limit("step_percent_soft", "soft step limit, of the last rate", Kind.NUMBER, "%"),
    _limit("fixed_rate_mg_per_kg_h", "fixed rate", Kind.NUMBER, "mg/kg/h"),
    _titrate_if("sedation_grade_at_most", "raise the rate only up to sedation grade", Kind.WHOLE),
    _titrate_if("dissociation_at_most", "raise the rate only up to dissociation", Kind.NUMBER),
    _titrate_if(
        "vitals_in_limits",
        "raise the rate only while blood pressure and SpO2 are inside their limits",
        Kind.YES_NO,
    ),
    _limit("bolus_allowed", "bolus foreseen", Kind.YES_NO, needed=True),
    _second(SecondPersonAt.START, "at the start"),
    _second(SecondPersonAt.BOLUS, "at a bolus"),
    _second(SecondPersonAt.SYRINGE, "at a new syringe"),
    _second(SecondPersonAt.LIMIT, "beyond a limit"),
    _watching(
        "schedule",
        "observation schedule",
        choices=(
            *((code, code) for code in packaged_schedules()),
            (OWN_SCHEDULE, "a schedule of its own"),
        ),
    ),
    _watching("threshold_set", "alert limits"),
    _watching(
        "sedation_scale",
        "sedation scale",
        choices=_scales("sedation"),
    ),
    _watching("dissociation_scale", "dissociation scale", choices=_scales("dissociation")),
    _watching(
        "recovery_score",
        "recovery score",
        choices=tuple((key, score.label) for key, score in RECOVERY_SCORES.items()),
    ),
    # The rows of the schedule stand beside these, as the planned steps do.
    _schedule("pre_within_min", "last set before the start, at most"),
    _schedule("after_increase_min", "extra sets after an increase or bolus", Kind.WHOLE_NUMBERS),
    _schedule("recovery_every_min", "a set in recovery every"),
    _schedule("min_recovery_min", "least recovery"),
    _schedule("min_from_start_min", "least time from the start to leaving"),
    _schedule("fast_above_mg_per_kg_h", "denser above a rate of", Kind.NUMBER, "mg/kg/h"),
    _schedule("fast_every_min", "then a set every"),
    _schedule("restart_on_increase", "begun anew at every increase", Kind.YES_NO, ""),
)
BY_PATH: dict[str, ProtocolField] = {field.path: field for field in FIELDS}


def value_at(content: Mapping[str, Any], path: str) -> Any:
    """What the content holds there, or None.  A rate is what was stated, in its own unit."""
    if path == "rate_unit":
        return rate_unit(content)
    here: Any = content
    for name in stored_path(content, path).split("."):
        if isinstance(here, Mapping):
            here = here.get(name)
        elif isinstance(here, list) and name.isdecimal() and int(name) < len(here):
            here = here[int(name)]
        else:
            return None
    return here


def in_force(content: Mapping[str, Any], field: ProtocolField) -> Any:
    """What the content holds for a field, or what is in force where it says nothing."""
    value = value_at(content, field.path)
    return field.default if value is None else value


def put_at(content: dict[str, Any], path: str, value: Any) -> None:
    """Put a value into the content; an index of a list has to be the next one.

    The unit of the rates comes before them; mg/kg/h goes without saying.
    """
    if path == "rate_unit" and value == PER_KG:
        content.pop(path, None)
        return
    *outer, last = stored_path(content, path).split(".")
    here: Any = content
    for place, name in enumerate(outer):
        following = outer[place + 1] if place + 1 < len(outer) else last
        here = here.setdefault(name, [] if following.isdecimal() else {})
    if isinstance(here, list):
        here.append(value)
    else:
        here[last] = value


def unit_in(content: Mapping[str, Any], field: ProtocolField) -> str:
    """The unit the content states the field in."""
    return rate_unit(content) if is_rate(field.path) else field.unit


def number_at(content: Mapping[str, Any], path: str) -> Decimal | None:
    """The number the content holds there, or None."""
    value = value_at(content, path)
    return None if value is None else Decimal(value)


def typed_text(field: ProtocolField, value: Any) -> str:
    """The value as it is typed into the form; nothing for what is not there."""
    if value is None:
        return ""
    if field.kind is Kind.NUMBER:
        return plain(Decimal(value))
    if field.kind is Kind.NUMBERS:
        return "; ".join(plain(Decimal(item)) for item in value)
    if field.kind is Kind.WHOLE_NUMBERS:
        return "; ".join(str(item) for item in value)
    if field.kind is Kind.YES_NO:
        return "yes" if value else "no"
    return str(value)


def value_words(field: ProtocolField, value: Any) -> str:
    """The value as people read it, without its unit; nothing for what is not there."""
    for code, words in field.choices or ():
        if code == value:
            return words
    return typed_text(field, value)


def words_at(content: Mapping[str, Any], field: ProtocolField) -> str:
    """The value of the field with its unit; nothing for what is not there."""
    words, unit = value_words(field, in_force(content, field)), unit_in(content, field)
    return f"{words} {unit}" if words and unit else words
