"""What is asked before the infusion and before leaving, and the numbers it is judged by.

Read from library/gate.toml; every row names its source and needs the lead anaesthetist's sign-off.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from importlib import resources
from typing import Any

from monitor.permissions import Role
from monitor.protocols import InfusionProtocol
from monitor.record import Answer


class Handling(StrEnum):
    """What a concern does to the start: it waits for an anaesthetist, or it asks for a reason."""

    BLOCK = "block"
    CAUTION = "caution"

    @property
    def override_by(self) -> Role:
        """The least role that may go on in spite of it."""
        return Role.ANAESTHETIST if self is Handling.BLOCK else Role.NURSE


@dataclass(frozen=True, slots=True)
class GateGroup:
    """Questions that are asked together; ``all_answer`` is what "all ..." answers, if offered."""

    id: str
    label: str
    all_answer: Answer | None


@dataclass(frozen=True, slots=True)
class GateQuestion:
    """A question before the infusion (clinical.md 1.4) and which answers are of concern.

    ``event`` names a kind of event that answers it as well.  ``note`` says what has to be written
    beside a yes, None when nothing has.  Empty ``only_*``: asked for all.
    """

    id: str
    group: str
    text: str
    concern: frozenset[Answer]
    handling: Handling
    source: str
    event: str | None = None
    note: str | None = None
    only_indications: tuple[str, ...] = ()
    only_settings: tuple[str, ...] = ()

    def lacks_note(self, answer: Answer, note: str | None) -> bool:
        """Whether something has to be written beside this answer and is not."""
        return self.note is not None and answer is Answer.YES and not (note or "").strip()

    def concerns(self, protocol: InfusionProtocol) -> bool:
        """Whether it is asked under this protocol."""
        return (not self.only_indications or protocol.indication in self.only_indications) and (
            not self.only_settings or protocol.setting in self.only_settings
        )


@dataclass(frozen=True, slots=True)
class GateCheck:
    """Something the monitor works out itself before the start."""

    id: str
    label: str
    handling: Handling
    source: str


@dataclass(frozen=True, slots=True)
class GateLimits:
    """Numbers of the clinic gate: mmHg, per minute, %, years, minutes (clinical.md 3.4, U-45)."""

    adult_from_years: int
    older_from_years: int
    elevated_sbp_above: Decimal
    elevated_sbp_above_older: Decimal
    elevated_dbp_above: Decimal
    high_sbp_at_least: Decimal
    high_dbp_at_least: Decimal
    apart_min: int
    hr_below: Decimal
    hr_above: Decimal
    spo2_below_scale_1: Decimal
    spo2_below_scale_2: Decimal
    sedation_grade_above: int


@dataclass(frozen=True, slots=True)
class DischargeCriterion:
    """What has to hold before leaving; with a ``text`` people say so, without it is worked out."""

    id: str
    label: str
    override_by: Role
    source: str
    text: str | None = None
    only_settings: tuple[str, ...] = ()

    def concerns(self, protocol: InfusionProtocol) -> bool:
        """Whether it is asked under this protocol."""
        return not self.only_settings or protocol.setting in self.only_settings


@dataclass(frozen=True, slots=True)
class DischargeLimits:
    """Numbers of the discharge gate: mmHg, %, minutes (clinical.md 4, U-04, U-46, U-79)."""

    sbp_at_least: Decimal
    sbp_below: Decimal
    dbp_below: Decimal
    near_baseline_percent: Decimal
    near_baseline_sbp_below: Decimal
    near_baseline_dbp_below: Decimal
    spo2_below_baseline: Decimal
    spo2_above_on_air: Decimal
    spo2_at_least_scale_2: Decimal
    no_vomiting_min: int


@dataclass(frozen=True, slots=True)
class GateLibrary:
    """The whole table: groups, questions, checks and criteria by id, in the order they are shown.

    ``reasons`` are those offered for an override, by the id of what is overridden.
    """

    version: int
    groups: Mapping[str, GateGroup]
    questions: Mapping[str, GateQuestion]
    checks: Mapping[str, GateCheck]
    limits: GateLimits
    criteria: Mapping[str, DischargeCriterion]
    discharge_limits: DischargeLimits
    dissociation_at_most: Mapping[str, Decimal]
    reasons: Mapping[str, tuple[str, ...]]

    def questions_for(self, protocol: InfusionProtocol) -> tuple[GateQuestion, ...]:
        """The questions asked under this protocol, in order."""
        return tuple(item for item in self.questions.values() if item.concerns(protocol))

    def criteria_for(self, protocol: InfusionProtocol) -> tuple[DischargeCriterion, ...]:
        """The discharge criteria under this protocol, in order."""
        return tuple(item for item in self.criteria.values() if item.concerns(protocol))

    def override_by(self, question: str) -> Role | None:
        """The least role that may override this question, check or criterion; None if unknown."""
        judged = self.questions.get(question) or self.checks.get(question)
        if judged is not None:
            return judged.handling.override_by
        criterion = self.criteria.get(question)
        return None if criterion is None else criterion.override_by


def _group(row: Mapping[str, Any]) -> GateGroup:
    every = row.get("all")
    return GateGroup(row["id"], row["label"], None if every is None else Answer(every))


def _question(row: Mapping[str, Any]) -> GateQuestion:
    return GateQuestion(
        id=row["id"],
        group=row["group"],
        text=row["text"],
        concern=frozenset(Answer(answer) for answer in row["concern"]),
        handling=Handling(row["handling"]),
        source=row["source"],
        event=row.get("event"),
        note=row.get("note"),
        only_indications=tuple(row.get("only_indications", ())),
        only_settings=tuple(row.get("only_settings", ())),
    )


def _criterion(row: Mapping[str, Any]) -> DischargeCriterion:
    return DischargeCriterion(
        id=row["id"],
        label=row["label"],
        override_by=Role(row["override_by"]),
        source=row["source"],
        text=row.get("text"),
        only_settings=tuple(row.get("only_settings", ())),
    )


def _numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: Decimal(value) if isinstance(value, str) else value
        for key, value in row.items()
        if key != "source"
    }


def _load() -> GateLibrary:
    text = resources.files("monitor.library").joinpath("gate.toml").read_text("utf-8")
    content = tomllib.loads(text)
    return GateLibrary(
        version=content["version"],
        groups={row["id"]: _group(row) for row in content["group"]},
        questions={row["id"]: _question(row) for row in content["question"]},
        checks={
            row["id"]: GateCheck(row["id"], row["label"], Handling(row["handling"]), row["source"])
            for row in content["check"]
        },
        limits=GateLimits(**_numbers(content["limits"])),
        criteria={row["id"]: _criterion(row) for row in content["criterion"]},
        discharge_limits=DischargeLimits(**_numbers(content["discharge_limits"])),
        dissociation_at_most=_numbers(content["discharge_dissociation"]),
        reasons={name: tuple(row["texts"]) for row in content["reasons"] for name in row["for"]},
    )


#: The packaged table.
GATE = _load()
