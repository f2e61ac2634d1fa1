"""A small language for the rule specification: readings in, flags out, both in a clinician's words.

Times are minutes and seconds after the first dose.  Readings of one moment form one set::

    10:00 sbp 172 dbp 90 | 11:00 sbp 150 | 12:00 spo2 no_trace | 5:00 sbp 172 saved 45:00

A flag reads ``rule level state onset``, then ``confirmed`` and ``ended`` with their times::

    sbp_high warning resolved 10:00 confirmed 12:00 ended 15:00
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from monitor.breaches import Breach, find_breaches
from monitor.protocols import seed_versions
from monitor.record import Fact, InfusionSession, NotTaken, Observation
from monitor.thresholds import ThresholdSet, parse_threshold_set
from tests.build import an_id, event, observation, rate, session, side_effect, side_effect_change
from tests.build import at as minute

_REASONS = {reason.value for reason in NotTaken}


def packaged(code: str = "ADULT-CLINIC-1") -> dict[str, Any]:
    """The content of a packaged set as it is stored, fresh each time."""
    (version,) = (item for item in seed_versions() if item.code == code)
    return dict(json.loads(version.text))


@cache
def default_set() -> ThresholdSet:
    return parse_threshold_set(packaged())


@cache
def news2_set() -> ThresholdSet:
    """The default limits with NEWS2 beside them."""
    return parse_threshold_set(packaged("ADULT-NEWS2-1"))


def changed_set(rule_id: str, level: str, **changes: Any) -> ThresholdSet:
    """The default set with one level of one row changed, as a clinic would in a new version."""
    content = packaged()
    row = next(row for row in content["rule"] if row["id"] == rule_id)
    row[level] |= changes
    return parse_threshold_set(content)


def seconds(clock: str) -> int:
    sign = -1 if clock.startswith("-") else 1
    minutes, rest = clock.lstrip("-").split(":")
    return sign * (int(minutes) * 60 + int(rest))


def moment(clock: str) -> datetime:
    return minute(0) + timedelta(seconds=seconds(clock))


def clock(at: datetime) -> str:
    whole = int((at - minute(0)).total_seconds())
    sign, whole = ("-", -whole) if whole < 0 else ("", whole)
    return f"{sign}{whole // 60}:{whole % 60:02d}"


def facts_of(text: str) -> tuple[Fact, ...]:
    """The facts a line of the specification describes."""
    found: list[Fact] = []
    effects: dict[str, Any] = {}
    for part in filter(None, (piece.strip() for piece in text.split("|"))):
        when, *words = part.split()
        at_minute = seconds(when) / 60
        saved = at_minute
        if "saved" in words:
            saved = seconds(words[words.index("saved") + 1]) / 60
            words = words[: words.index("saved")]
        if words[0] == "effect":
            effects[words[1]] = side_effect(words[1], int(words[2]), at_minute, recorded=saved)
            found.append(effects[words[1]])
        elif words[0] == "ends":
            change = side_effect_change(effects[words[1]], at_minute, ended=True, recorded=saved)
            found.append(change)
        elif words[0] == "worsens":
            grade = int(words[2])
            found.append(side_effect_change(effects[words[1]], at_minute, grade=grade))
        elif words[0] == "event":
            found.append(event(words[1], at_minute, recorded=saved))
        else:
            found += _one_set(words, at_minute, saved)
    return tuple(found)


def _one_set(words: list[str], at_minute: float, saved: float) -> list[Observation]:
    set_id = an_id()
    values = {"yes": "1", "no": "0"}
    return [
        observation(
            parameter,
            NotTaken(value) if value in _REASONS else values.get(value, value),
            at_minute,
            set_id=set_id,
            recorded=saved,
        )
        for parameter, value in zip(words[::2], words[1::2], strict=True)
    ]


def infusion(text: str, before: str = "", **changes: Any) -> InfusionSession:
    """An infusion started at 0:00 with these readings, and ``before`` it those of the baseline."""
    earlier = f"-10:00 {before}" if before and ":" not in before else before
    return session(facts_of(earlier), rate("0.1", 0), facts_of(text), **changes)


def flag(breach: Breach) -> str:
    """A breach in the words of the specification."""
    words = [breach.rule_id, breach.level, breach.state, clock(breach.onset_at)]
    if breach.confirmed_at is not None:
        words += ["confirmed", clock(breach.confirmed_at)]
    if breach.ended_at is not None:
        words += ["ended", clock(breach.ended_at)]
    return " ".join(words)


def flags(
    text: str,
    before: str = "",
    at: str = "120:00",
    limits: ThresholdSet | None = None,
    **changes: Any,
) -> list[str]:
    """The flags of these readings, as everything stood at that time."""
    found = find_breaches(infusion(text, before, **changes), limits or default_set(), moment(at))
    return [flag(breach) for breach in found]


def levels(text: str, before: str = "", at: str = "120:00", **changes: Any) -> Mapping[str, str]:
    """For every rule with a breach that lasts: its level."""
    found = find_breaches(infusion(text, before, **changes), default_set(), moment(at))
    return {breach.rule_id: breach.level for breach in found if breach.is_open}
