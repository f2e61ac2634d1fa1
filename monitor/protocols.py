"""Infusion protocols: the versioned plan a session is started under and judged by for ever."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from importlib import resources
from typing import Any
from uuid import UUID

from monitor.dose_units import dosing_numbers, plain
from monitor.ids import derived_id
from monitor.record import DrugForm, PatientDoseLimit
from monitor.stated_rates import (
    PER_70_KG,
    PER_KG,
    REFERENCE_KG,
    in_mg_per_kg_h,
    per_70_kg,
    rate_unit,
)

#: What a protocol names in place of a packaged schedule when it carries rows of its own.
OWN_SCHEDULE = "OWN"


class VersionStatus(StrEnum):
    """Where a version of a protocol or threshold set stands; derived from its status events."""

    DRAFT = "draft"
    APPROVED = "approved"
    RETIRED = "retired"


class SecondPersonAt(StrEnum):
    """The moments at which a second person may have to confirm with their PIN (clinical.md 9)."""

    START = "start"
    BOLUS = "bolus"
    SYRINGE = "syringe"
    LIMIT = "limit"


#: Where a version says nothing: everywhere (clinical.md 9, ISMP; dosing.toml).
SECOND_PERSON_DEFAULT = frozenset(
    SecondPersonAt(moment) for moment in dosing_numbers()["second_person"]["at"]
)


@dataclass(frozen=True, slots=True)
class TitrationStep:
    """A planned rate and when it begins, in minutes from the start of the infusion."""

    after_min: int
    rate_mg_per_kg_h: Decimal


@dataclass(frozen=True, slots=True)
class SoftHard:
    """A limit pair: above ``soft`` is asked and needs a reason, above ``hard`` is refused.

    None means that the protocol has no such limit.  Both fire strictly above their value.
    """

    soft: Decimal | None = None
    hard: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DoseLimits:
    """Dose limits of one protocol (clinical.md 2.5 with U-01, U-21 to U-26).

    Rates mg/kg/h and mg/h, boluses and totals mg/kg, durations hours.  ``fixed_rate_mg_per_kg_h``
    is set for fixed-dose protocols (U-22).  ``step_range_mg_per_kg_h`` is the protocol's own step
    range, inside which a step is never asked about (U-23).  ``bolus_allowed`` False makes any
    bolus soft with an anaesthetist as second person (U-26).
    """

    rate_mg_per_kg_h: SoftHard
    rate_mg_per_h: SoftHard
    bolus_mg_per_kg: SoftHard
    total_mg_per_kg: SoftHard
    duration_h: SoftHard
    step_mg_per_kg_h: SoftHard
    step_percent_soft: Decimal | None
    step_interval_min_soft: int
    step_interval_min_hard: int
    step_range_mg_per_kg_h: tuple[Decimal, Decimal] | None
    fixed_rate_mg_per_kg_h: Decimal | None
    bolus_allowed: bool
    total_mg: SoftHard = SoftHard()


@dataclass(frozen=True, slots=True)
class TitrateIf:
    """When the plan raises the rate; what does not hold is asked about (clinical.md 2.1, U-53).

    ``sedation_grade_at_most`` is the harmonised grade 0 to 3, ``dissociation_at_most`` is on the
    protocol's own scale, ``vitals_in_limits`` that no alert of blood pressure or SpO2 is open.
    """

    sedation_grade_at_most: int | None = None
    dissociation_at_most: Decimal | None = None
    vitals_in_limits: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """From this minute of the infusion on, a set every so many minutes."""

    from_min: int
    every_min: int


@dataclass(frozen=True, slots=True)
class ScheduleRules:
    """What holds for every profile: grace, alert intervals, back-entry (schedules.toml, U-33 ff).

    Minutes, except ``grace_percent`` of the interval and ``rr_at_or_below`` per minute.
    """

    grace_percent: int
    grace_min_min: int
    grace_max_min: int
    short_interval_below_min: int
    short_grace_min: int
    warning_every_min: int
    critical_every_min: int
    counts_within_min: int
    late_entry_after_min: int
    one_set_within_min: int
    rr_every_min: int
    rr_sedation_grade: int
    rr_at_or_below: int


@dataclass(frozen=True, slots=True)
class HighRate:
    """The denser schedule during and after a high rate or a large bolus (U-41).  Minutes."""

    above_mg_per_kg_h: Decimal
    bolus_above_mg_per_kg: Decimal
    holds_for_min: int
    pre_within_min: int
    every_min: int
    after_increase_min: tuple[int, ...]
    recovery_every_min: int
    min_recovery_min: int
    source: str


@dataclass(frozen=True, slots=True)
class ScheduleProfile:
    """When observation sets are due under one protocol (clinical.md 4).  Minutes.

    ``intervals`` begin at minute 0 and rise.  Above ``fast_above_mg_per_kg_h`` a set is due at
    least every ``fast_every_min``.  ``restart_on_increase`` starts the intervals anew at every
    increase.  ``recovery_every_min`` None goes on with the intervals.  ``pre_within_min`` is how
    old the last set before the start may be.
    """

    code: str
    intervals: tuple[Interval, ...]
    after_increase_min: tuple[int, ...]
    min_recovery_min: int
    rules: ScheduleRules
    high_rate: HighRate
    source: str
    recovery_every_min: int | None = None
    min_from_start_min: int | None = None
    pre_within_min: int | None = None
    fast_above_mg_per_kg_h: Decimal | None = None
    fast_every_min: int | None = None
    restart_on_increase: bool = False


@dataclass(frozen=True, slots=True)
class InfusionProtocol:
    """One version of a plan: titration steps, limits, schedule, scales.  Never edited.

    ``schedule`` names the profile whose numbers ``schedule_profile`` holds.
    ``plateau_after_min`` is how long a rate has to stand unchanged to be called a plateau before
    the last planned step is reached (clinical.md 1.7 step 6); None when only the last step is.
    ``second_person_at`` are the moments that need a second person; U-26 holds besides.
    ``stated_per_70_kg``: its rates come from mg/h per 70 kg, and are said and converted as such.
    """

    code: str
    version: int
    name: str
    indication: str
    form: DrugForm
    route: str
    setting: str
    start_rate_mg_per_kg_h: Decimal
    steps: tuple[TitrationStep, ...]
    planned_duration_min: int
    limits: DoseLimits
    schedule: str
    threshold_set: str
    sedation_scale: str
    dissociation_scale: str
    recovery_score: str
    concentrations_mg_per_ml: tuple[Decimal, ...]
    source: str
    schedule_profile: ScheduleProfile
    plateau_after_min: int | None = None
    second_person_at: frozenset[SecondPersonAt] = SECOND_PERSON_DEFAULT
    titrate_if: TitrateIf | None = None
    stated_per_70_kg: bool = False
    #: Never part of a stored version: what an anaesthetist approved for the patient of one session.
    patient_limits: tuple[PatientDoseLimit, ...] = ()

    def rate_mg_per_h(self, rate_mg_per_kg_h: Decimal, weight_kg: Decimal) -> Decimal:
        """A rate of this protocol for a patient of this weight, exact.

        Stated per 70 kg it is what was stated times weight / 70 (U-77).
        """
        if self.stated_per_70_kg:
            return per_70_kg(rate_mg_per_kg_h) * weight_kg / REFERENCE_KG
        return rate_mg_per_kg_h * weight_kg

    def rate_number(self, rate_mg_per_kg_h: Decimal) -> str:
        """A rate of this protocol as it was stated, without its unit."""
        rate = per_70_kg(rate_mg_per_kg_h) if self.stated_per_70_kg else rate_mg_per_kg_h
        return plain(rate)

    @property
    def rate_unit(self) -> str:
        """The unit in which its rates were stated."""
        return PER_70_KG if self.stated_per_70_kg else PER_KG

    def rate_words(self, rate_mg_per_kg_h: Decimal) -> str:
        """A rate of this protocol as it was stated: ``20 mg/h per 70 kg``."""
        return f"{self.rate_number(rate_mg_per_kg_h)} {self.rate_unit}"

    @property
    def label(self) -> str:
        """How people call it: code, version, name."""
        return f"{self.code} v{self.version} {self.name}"


@dataclass(frozen=True, slots=True)
class PinnedVersion:
    """A stored version of a protocol or threshold set: immutable text and its SHA-256.

    ``kind`` is ``"protocol"`` or ``"threshold_set"``.
    """

    id: UUID
    kind: str
    code: str
    version: int
    text: str
    sha256: str
    status: VersionStatus

    def content(self) -> dict[str, Any]:
        """What is stored, as data: of a draft it may be incomplete."""
        content: dict[str, Any] = json.loads(self.text)
        return content

    def protocol(self) -> InfusionProtocol:
        """The protocol this version holds.

        Raises:
            KeyError, ValueError: a draft that is not complete yet.
        """
        return parse_protocol(self.content())


@dataclass(frozen=True, slots=True)
class VersionEvent:
    """Somebody wrote, approved or retired a version, and why.  ``number`` counts from 1."""

    version_id: UUID
    number: int
    status: VersionStatus
    reason: str
    at: datetime
    by: str


def canonical_content(content: Mapping[str, Any]) -> tuple[str, str]:
    """Canonical JSON text of a TOML document, and its SHA-256: what is stored as a version."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text, hashlib.sha256(text.encode()).hexdigest()


def seed_versions() -> Iterator[PinnedVersion]:
    """The packaged defaults, as rows to be stored once; never read again at run time (ruling 17).

    Ids are derived from kind, code, version and content, so seeding twice changes nothing.
    """
    library = resources.files("monitor.library")
    for kind, folder in (("protocol", "protocols"), ("threshold_set", "thresholds")):
        for path in sorted(library.joinpath(folder).iterdir(), key=lambda item: item.name):
            if not path.name.endswith(".toml"):
                continue
            content: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
            if kind == "protocol":
                content = with_schedule(content)
            elif "extends" in content:
                content = extended(content)
            text, sha256 = canonical_content(content)
            yield PinnedVersion(
                id=derived_id(kind, content["code"], content["version"], sha256),
                kind=kind,
                code=content["code"],
                version=content["version"],
                text=text,
                sha256=sha256,
                status=VersionStatus(content.get("status", "draft")),
            )


def extended(content: Mapping[str, Any]) -> dict[str, Any]:
    """A packaged threshold set that adds rows to another one, whole, as it is stored."""
    base = resources.files("monitor.library").joinpath("thresholds", f"{content['extends']}.toml")
    whole: dict[str, Any] = tomllib.loads(base.read_text("utf-8"))
    rules = [*whole["rule"], *content["rule"]]
    return whole | {key: content[key] for key in content if key != "extends"} | {"rule": rules}


def packaged_schedules() -> dict[str, dict[str, Any]]:
    """The observation schedules a protocol may name, by code."""
    return {row["code"]: row for row in _schedule_library()["profile"]}


def own_schedule_bounds() -> dict[str, Any]:
    """The least and most of every number in a schedule that a clinic writes itself."""
    bounds: dict[str, Any] = _schedule_library()["own"]
    return bounds


def own_schedule(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """A schedule of a clinic's own as it is stored: its numbers with the rules that hold for all.

    The high-rate schedule still holds on top of it, and an open alert still shortens it.
    """
    library = _schedule_library()
    return {
        "after_increase_min": [],
        **numbers,
        "code": OWN_SCHEDULE,
        "source": "the clinic's own",
        "rules": library["rules"],
        "high_rate": library["high_rate"],
    }


def _schedule_library() -> dict[str, Any]:
    text = resources.files("monitor.library").joinpath("schedules.toml").read_text("utf-8")
    return tomllib.loads(text)


def with_schedule(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a protocol with the numbers of the schedule it names embedded.

    To be done once, before a version is stored: from then on the stored text is all that counts.
    Content that carries its numbers already, or a draft that names no schedule, is left as it is.

    Raises:
        ValueError: the protocol names a schedule that does not exist.
    """
    if "schedule_profile" in content or "schedule" not in content:
        return dict(content)
    library, profiles = _schedule_library(), packaged_schedules()
    if content["schedule"] not in profiles:
        known = ", ".join(sorted(profiles))
        raise ValueError(f"There is no schedule “{content['schedule']}”. There is: {known}.")
    profile = profiles[content["schedule"]] | {
        "rules": library["rules"],
        "high_rate": library["high_rate"],
    }
    return {**content, "schedule_profile": profile}


def _schedule_profile(content: Mapping[str, Any]) -> ScheduleProfile:
    if "schedule_profile" not in content:
        # Never looked up here: an old session keeps the numbers it was started under.
        raise ValueError(f"protocol {content['code']} does not carry its schedule's numbers")
    row = dict(content["schedule_profile"])
    high = dict(row.pop("high_rate"))
    fast = row.pop("fast_above_mg_per_kg_h", None)
    return ScheduleProfile(
        rules=ScheduleRules(**row.pop("rules")),
        high_rate=HighRate(
            above_mg_per_kg_h=Decimal(high.pop("above_mg_per_kg_h")),
            bolus_above_mg_per_kg=Decimal(high.pop("bolus_above_mg_per_kg")),
            after_increase_min=tuple(high.pop("after_increase_min")),
            **high,
        ),
        intervals=tuple(Interval(**interval) for interval in row.pop("intervals")),
        after_increase_min=tuple(row.pop("after_increase_min")),
        fast_above_mg_per_kg_h=None if fast is None else Decimal(fast),
        **row,
    )


def _pair(row: Mapping[str, str] | None) -> SoftHard:
    row = row or {}
    return SoftHard(
        soft=Decimal(row["soft"]) if "soft" in row else None,
        hard=Decimal(row["hard"]) if "hard" in row else None,
    )


def _titrate_if(row: Mapping[str, Any] | None) -> TitrateIf | None:
    if not row:
        return None
    most = row.get("dissociation_at_most")
    return TitrateIf(
        sedation_grade_at_most=row.get("sedation_grade_at_most"),
        dissociation_at_most=None if most is None else Decimal(most),
        vitals_in_limits=row.get("vitals_in_limits", False),
    )


def parse_protocol(content: Mapping[str, Any]) -> InfusionProtocol:
    """A protocol from its TOML or canonical JSON content.

    Raises:
        KeyError, ValueError: the content is not a protocol; stored versions were checked.
    """
    stated_per_70_kg = rate_unit(content) == PER_70_KG
    content = in_mg_per_kg_h(content)
    limits = content["limits"]
    step_range = limits.get("step_range_mg_per_kg_h")
    fixed = limits.get("fixed_rate_mg_per_kg_h")
    percent = limits.get("step_percent_soft")
    return InfusionProtocol(
        code=content["code"],
        version=content["version"],
        name=content["name"],
        indication=content["indication"],
        form=DrugForm(content["form"]),
        route=content["route"],
        setting=content["setting"],
        start_rate_mg_per_kg_h=Decimal(content["start_rate_mg_per_kg_h"]),
        steps=tuple(
            TitrationStep(row["after_min"], Decimal(row["rate_mg_per_kg_h"]))
            for row in content["steps"]
        ),
        planned_duration_min=content["planned_duration_min"],
        limits=DoseLimits(
            rate_mg_per_kg_h=_pair(limits.get("rate_mg_per_kg_h")),
            rate_mg_per_h=_pair(limits.get("rate_mg_per_h")),
            bolus_mg_per_kg=_pair(limits.get("bolus_mg_per_kg")),
            total_mg_per_kg=_pair(limits.get("total_mg_per_kg")),
            total_mg=_pair(limits.get("total_mg")),
            duration_h=_pair(limits.get("duration_h")),
            step_mg_per_kg_h=_pair(limits.get("step_mg_per_kg_h")),
            step_percent_soft=Decimal(percent) if percent else None,
            step_interval_min_soft=limits["step_interval_min_soft"],
            step_interval_min_hard=limits["step_interval_min_hard"],
            step_range_mg_per_kg_h=(
                (Decimal(step_range[0]), Decimal(step_range[1])) if step_range else None
            ),
            fixed_rate_mg_per_kg_h=Decimal(fixed) if fixed else None,
            bolus_allowed=limits["bolus_allowed"],
        ),
        schedule=content["schedule"],
        threshold_set=content["threshold_set"],
        sedation_scale=content["sedation_scale"],
        dissociation_scale=content["dissociation_scale"],
        recovery_score=content["recovery_score"],
        concentrations_mg_per_ml=tuple(Decimal(c) for c in content["concentrations_mg_per_ml"]),
        source=content["source"],
        schedule_profile=_schedule_profile(content),
        plateau_after_min=content.get("plateau_after_min"),
        second_person_at=_second_person_at(content.get("second_person") or {}),
        titrate_if=_titrate_if(content.get("titrate_if")),
        stated_per_70_kg=stated_per_70_kg,
    )


def _second_person_at(chosen: Mapping[str, bool]) -> frozenset[SecondPersonAt]:
    """The moments chosen; one that a version does not name is as by default."""
    return frozenset(
        moment
        for moment in SecondPersonAt
        if chosen.get(moment.value, moment in SECOND_PERSON_DEFAULT)
    )
