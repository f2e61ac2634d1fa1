"""NEWS2, exactly as its chart has it: seven terms of one set, and what of them is missing.

An add-on beside the limits, never instead of them: ketamine hypertension up to 219 scores 0.  A set
without all of its parts has no total; it says "at least" and what is missing (clinical.md U-48).
Nothing is carried forward from another set or derived from another sedation scale.

National Early Warning Score 2, Royal College of Physicians.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from importlib import resources
from types import MappingProxyType
from typing import Any
from uuid import UUID

from monitor.record import InfusionSession, Observation

#: What a part scores alone that is treated like a total of 5 (clinical.md 3.6).
SINGLE = 3
#: The sedation scale whose codes are NEWS2's own; no other one is translated into it (U-48).
CONSCIOUSNESS_SCALE = "ACVPU"


@dataclass(frozen=True, slots=True)
class Band:
    """Values up to ``to``, itself included, score so many points; without ``to`` all that is left."""

    to: Decimal | None
    points: int


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the chart.  ``decimals`` None: a state, not a measurement, so nothing to round."""

    key: str
    name: str
    decimals: int | None
    bands: tuple[Band, ...]
    scale_2_on_air: tuple[Band, ...] = ()
    scale_2_on_oxygen: tuple[Band, ...] = ()


def _bands(rows: list[dict[str, Any]]) -> tuple[Band, ...]:
    return tuple(
        Band(Decimal(row["to"]) if "to" in row else None, int(row["points"])) for row in rows
    )


def _load() -> tuple[Mapping[str, Part], str]:
    text = resources.files("monitor.library").joinpath("news2.toml").read_text("utf-8")
    content = tomllib.loads(text)
    parts = {
        row["key"]: Part(
            key=row["key"],
            name=row["name"],
            decimals=row.get("decimals"),
            bands=_bands(row["bands"]),
            scale_2_on_air=_bands(row.get("scale_2_on_air", [])),
            scale_2_on_oxygen=_bands(row.get("scale_2_on_oxygen", [])),
        )
        for row in content["part"]
    }
    return MappingProxyType(parts), content["source"]


#: The lines of the chart by parameter, in its order (U-78), and where they are from.
PARTS, SOURCE = _load()


@dataclass(frozen=True, slots=True)
class News2:
    """What a set scores.  ``points`` by part in the order of the chart; ``missing`` are the others."""

    points: Mapping[str, int]
    missing: tuple[str, ...]

    @property
    def at_least(self) -> int:
        """The sum of what is there: the total, or less than it."""
        return sum(self.points.values())

    @property
    def total(self) -> int | None:
        """The score, None while a part is missing: incomplete is never 0 (F35)."""
        return None if self.missing else self.at_least

    @property
    def threes(self) -> tuple[str, ...]:
        """Parts that score 3 alone."""
        return tuple(key for key, points in self.points.items() if points == SINGLE)


def news2(values: Mapping[str, Decimal], *, spo2_scale: int) -> News2:
    """The score of one set's values by parameter; what is not in them was not recorded."""
    oxygen = values.get("o2_flow")
    points = {
        part.key: _points(part, values[part.key], spo2_scale, oxygen)
        for part in PARTS.values()
        if part.key in values
    }
    return News2(MappingProxyType(points), tuple(key for key in PARTS if key not in points))


def _points(part: Part, value: Decimal, spo2_scale: int, oxygen: Decimal | None) -> int:
    if part.decimals is not None:
        # Typed in kPa or degF a value may lie between two bands; the chart has none there.
        value = value.quantize(Decimal(1).scaleb(-part.decimals), rounding=ROUND_HALF_UP)
    bands = part.bands
    if spo2_scale == 2 and part.scale_2_on_air:
        # Oxygen not recorded: at least what it scores on air, and the oxygen is missing anyway.
        bands = part.scale_2_on_oxygen if oxygen else part.scale_2_on_air
    return next(band.points for band in bands if band.to is None or value <= band.to)


def parts_of(together: Mapping[str, Observation], sedation_scale: str) -> dict[str, Observation]:
    """The observations of one set that NEWS2 is made of, those with a value, in its order."""
    found = {}
    for key in PARTS:
        seen = together.get(key)
        if key == "acvpu" and (seen is None or seen.value is None):
            # Where sedation itself is scored as ACVPU, consciousness was recorded already.
            seen = together.get("sedation") if sedation_scale == CONSCIOUSNESS_SCALE else None
        if seen is not None and seen.value is not None:
            found[key] = seen
    return found


def score_of(
    together: Mapping[str, Observation], *, sedation_scale: str, spo2_scale: int
) -> News2 | None:
    """What one set scores; None for a set without any part of it."""
    parts = parts_of(together, sedation_scale)
    values = {key: seen.value for key, seen in parts.items() if seen.value is not None}
    return news2(values, spo2_scale=spo2_scale) if values else None


def scores_of(session: InfusionSession) -> dict[UUID, News2]:
    """The score of every set of a session by its id, as corrected; sets without any part left out."""
    sets: dict[UUID, dict[str, Observation]] = {}
    for item in session.current_observations:
        sets.setdefault(item.set_id, {})[item.parameter] = item
    found = {
        set_id: score_of(
            together, sedation_scale=session.sedation_scale, spo2_scale=session.spo2_scale
        )
        for set_id, together in sets.items()
    }
    return {set_id: score for set_id, score in found.items() if score is not None}


def threes_of(measures: Mapping[str, Decimal]) -> tuple[str, ...]:
    """Parts that score 3 alone, from the ``points_*`` of a reading."""
    return tuple(key for key in PARTS if measures.get(f"points_{key}") == SINGLE)


def missing_in(measures: Mapping[str, Decimal]) -> tuple[str, ...]:
    """Parts that are missing, from the ``points_*`` of a reading."""
    return tuple(key for key in PARTS if f"points_{key}" not in measures)


def names_of(parts: tuple[str, ...]) -> str:
    """The parts in words, in the order of the chart."""
    return ", ".join(PARTS[key].name for key in parts)


def short_text(score: News2) -> str:
    """The score where there is little room: ``6``, or ``≥ 4`` while it is incomplete."""
    return str(score.at_least) if score.total is not None else f"≥ {score.at_least}"


def score_text(score: News2) -> str:
    """The score in words, with what scores 3 alone and what is missing."""
    said = [str(score.total) if score.total is not None else f"incomplete, ≥ {score.at_least}"]
    if score.threes:
        said.append(f"3 for {names_of(score.threes)}")
    if score.missing:
        said.append(f"missing: {names_of(score.missing)}")
    return "NEWS2 " + "; ".join(said)
