"""Rating scales: which codes there are, what they are called and how deep a sedation code is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class ScaleCode:
    """One answer of a scale.  ``code`` is stored, the rest is display.

    ``grade`` is the harmonised sedation grade 0 to 3 (clinical.md U-49), None for other scales.
    ``asleep`` marks the answer S, which is stored as code 0 with the tick ``asleep`` (U-50).
    """

    code: int
    label: str
    short: str
    grade: int | None = None
    asleep: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """A rating scale.  ``direction`` says whether a higher code is deeper, shallower or worse."""

    id: str
    label: str
    parameter: str
    direction: str
    codes: tuple[ScaleCode, ...]
    licence: str
    source: str
    question: str | None = None
    snomed: str | None = None

    @property
    def has_sleep(self) -> bool:
        """Whether the scale has an answer S for normal sleep."""
        return any(answer.asleep for answer in self.codes)

    def answer(self, code: int, *, asleep: bool = False) -> ScaleCode | None:
        """The answer with this code; ``asleep`` prefers S where the scale has it."""
        found = [answer for answer in self.codes if answer.code == code]
        wanted = [answer for answer in found if answer.asleep == asleep]
        if wanted:
            return wanted[0]
        # Asleep on a scale without S: scored after calling the patient, so the code counts.
        return found[0] if found and asleep else None


@dataclass(frozen=True, slots=True)
class RecoveryItem:
    """One item of a recovery score; ``answers[n]`` is the wording worth n points."""

    key: str
    label: str
    answers: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class RecoveryScore:
    """A score read before discharge; it is passed at ``threshold`` points (clinical.md 5.8)."""

    id: str
    label: str
    items: tuple[RecoveryItem, ...]
    threshold: int
    licence: str
    source: str

    @property
    def maximum(self) -> int:
        """The highest total."""
        return 2 * len(self.items)

    def total(self, points: Mapping[str, int]) -> int | None:
        """The sum, or None while an item is not scored: missing is never 0.

        Raises:
            ValueError: an item that is not one of the score's, or points other than 0, 1, 2.
        """
        keys = {item.key for item in self.items}
        for key, value in points.items():
            if key not in keys or value not in (0, 1, 2):
                raise ValueError(f"{self.label} has no answer {value} to {key}")
        return sum(points.values()) if set(points) == keys else None

    def passed(self, points: Mapping[str, int]) -> bool:
        """Whether every item is scored and the total reaches the threshold."""
        total = self.total(points)
        return total is not None and total >= self.threshold


def _load() -> tuple[int, dict[str, Scale], dict[str, RecoveryScore]]:
    text = resources.files("monitor.library").joinpath("scales.toml").read_text("utf-8")
    content = tomllib.loads(text)
    scales = {row["id"]: _scale(row) for row in content["scale"]}
    scores = {
        row["id"]: RecoveryScore(
            id=row["id"],
            label=row["label"],
            items=tuple(
                RecoveryItem(item["key"], item["label"], tuple(item["answers"]))
                for item in row["item"]
            ),
            threshold=row["threshold"],
            licence=row["licence"],
            source=row["source"],
        )
        for row in content["recovery"]
    }
    return content["version"], scales, scores


def _scale(row: dict[str, Any]) -> Scale:
    return Scale(**{**row, "codes": tuple(ScaleCode(**answer) for answer in row["codes"])})


#: Version of the table, every scale by id, and the recovery scores by id.
SCALES_VERSION, SCALES, RECOVERY_SCORES = _load()

#: Ids of the scales a session may use for sedation.
SEDATION_SCALES = tuple(key for key, scale in SCALES.items() if scale.parameter == "sedation")


@lru_cache(maxsize=512)
def sedation_grade(
    scale_id: str, code: int, asleep: bool = False, roused: bool | None = None
) -> int | None:
    """The harmonised grade 0 to 3 of a sedation code, or None when sedation was not assessed.

    2 is a warning and 3 is critical on every scale (U-49).  S counts only when the patient was
    roused to voice in the same set: otherwise an over-sedated patient would score as alert (U-50).
    A code the scale does not have gives None, never 0.

    Raises:
        KeyError: there is no such scale.
    """
    answer = SCALES[scale_id].answer(code, asleep=asleep)
    if answer is None or (answer.asleep and roused is not True):
        return None
    return answer.grade


def aldrete_circulation(sbp: Decimal, baseline_sbp: Decimal) -> int:
    """Points for the systolic pressure (mmHg) against baseline: 20 and 50 mmHg bands (U-79)."""
    difference = abs(sbp - baseline_sbp)
    if difference <= 20:
        return 2
    return 1 if difference < 50 else 0


def aldrete_oxygen(spo2: Decimal, *, on_oxygen: bool) -> int:
    """Points for SpO2 (%): > 92 on air 2; > 90 on oxygen or 90 to 92 on air 1; else 0 (U-79)."""
    if on_oxygen:
        return 1 if spo2 > 90 else 0
    if spo2 > 92:
        return 2
    return 1 if spo2 >= 90 else 0


def padss_vital_signs(
    sbp: Decimal, baseline_sbp: Decimal, hr: Decimal, baseline_hr: Decimal
) -> int:
    """Points for the worse of systolic pressure and heart rate: 20 and 40 % of baseline (U-79)."""

    def points(value: Decimal, baseline: Decimal) -> int:
        # Multiplied out: a quotient would be rounded and could miss exactly 20 %.
        difference = abs(value - baseline) * 100
        if difference <= 20 * baseline:
            return 2
        return 1 if difference <= 40 * baseline else 0

    return min(points(sbp, baseline_sbp), points(hr, baseline_hr))
