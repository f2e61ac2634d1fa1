"""How a device series is judged: how long a sign must be outside, what is a gap, what is no value.

Where a device says a sign about once a second, the duration takes the place of the repeat that an
entered reading needs (clinical.md U-80).  A sign without a row here is episodic (a cuff pressure):
its readings go through the repeat like entered ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class DeviceSign:
    """One sign of a device: how long it must be outside each level, and which numbers are none."""

    sign: str
    warning: timedelta
    critical: timedelta
    not_values: frozenset[Decimal]
    source: str

    def lasts(self, level: str) -> timedelta:
        """The time outside that confirms a level."""
        return self.warning if level == "warning" else self.critical


@dataclass(frozen=True, slots=True)
class DeviceLimits:
    """The table ``[device]`` of a threshold set.

    Values further apart than ``gap`` have a gap between them: nobody knows what was in it, so it is no
    recovery and does not count as time outside.
    """

    gap: timedelta
    signs: Mapping[str, DeviceSign]
    source: str


def parse_device_limits(content: Mapping[str, Any]) -> DeviceLimits:
    """The table as read from TOML or canonical JSON.

    Raises:
        ValueError: naming the sign and what is wrong with it.
        KeyError: something that the table must have is missing.
    """
    signs: dict[str, DeviceSign] = {}
    for row in content["sign"]:
        sign = _sign(row)
        if sign.sign in signs:
            raise ValueError(f"device: two rows are for {sign.sign}")
        signs[sign.sign] = sign
    gap = timedelta(seconds=content["gap_s"])
    if gap <= timedelta(0):
        raise ValueError("device: gap_s must be more than nothing")
    return DeviceLimits(gap, signs, content["source"])


def _sign(row: Mapping[str, Any]) -> DeviceSign:
    name = row["sign"]
    if not row["source"].strip():
        raise ValueError(f"device: {name}: every duration needs its source")
    warning, critical = (timedelta(seconds=row[f"{level}_s"]) for level in ("warning", "critical"))
    if not timedelta(0) < critical <= warning:
        # A critical value that waits longer than a warning, or a single sample that is enough.
        raise ValueError(f"device: {name}: critical_s is more than nothing, warning_s no shorter")
    not_values = frozenset(Decimal(number) for number in row["not_values"])
    if not all(number.is_finite() for number in not_values):
        raise ValueError(f"device: {name}: what is not finite is no value anyway")
    return DeviceSign(name, warning, critical, not_values, row["source"])
