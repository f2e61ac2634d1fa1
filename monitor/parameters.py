"""What can be observed: one table for form, validation, import, store, chart and CSV."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from typing import Any

from monitor.record import NotTaken

_UNIT_LABELS = {
    "/min": "/min",
    "mm[Hg]": "mmHg",
    "Cel": "°C",
    "[degF]": "°F",
    "{score}": "",
    "{yesno}": "",
}

#: Reasons that may stand in place of any value; findings are allowed per parameter on top.
COMMON_REASONS = (
    NotTaken.ASLEEP,
    NotTaken.REFUSED,
    NotTaken.CUFF_OFF,
    NotTaken.ARTEFACT,
    NotTaken.EQUIPMENT,
    NotTaken.NOT_ASSESSED,
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that can be observed, with its canonical UCUM unit and its plausibility limits.

    ``hard_*`` limits are refused while typing (unless confirmed as "really so"), ``soft_*`` are
    asked once; both are strict, in the canonical unit.  ``jump`` is the change against the
    previous value that is asked about, ``jump_fall`` the same for a fall only.  ``step`` is how fine
    it is read where that is coarser than ``decimals`` (a flow meter: 0.5).  ``accepts`` maps another
    unit to its factor.  Source: clinical.md 3.1.
    """

    key: str
    label: str
    short: str
    unit: str
    kind: str
    source: str
    order: int
    decimals: int = 0
    hard_below: Decimal | None = None
    hard_above: Decimal | None = None
    soft_below: Decimal | None = None
    soft_above: Decimal | None = None
    jump: Decimal | None = None
    jump_fall: Decimal | None = None
    step: Decimal | None = None
    minimum_set: bool = False
    findings: tuple[NotTaken, ...] = ()
    loinc: str | None = None
    accepts: tuple[tuple[str, str], ...] = ()

    @property
    def unit_label(self) -> str:
        """The unit as people write it."""
        return _UNIT_LABELS.get(self.unit, self.unit)

    @property
    def reasons(self) -> tuple[NotTaken, ...]:
        """Reasons that may stand in place of a value."""
        return COMMON_REASONS + self.findings

    def to_canonical(self, value: Decimal, unit: str) -> Decimal:
        """The value in the canonical unit, exact, unrounded (clinical.md U-57).

        Raises:
            ValueError: the parameter is not recorded in that unit.
        """
        if unit in (self.unit, self.unit_label, ""):
            return value
        factors = dict(self.accepts)
        if unit in ("°F", "degF"):
            unit = "[degF]"
        if unit not in factors:
            known = ", ".join([self.unit, *factors])
            raise ValueError(f"{self.label} is not recorded in {unit}; use {known}")
        if factors[unit] == "fahrenheit":
            return (value - 32) * 5 / 9
        return value * Decimal(factors[unit])


@dataclass(frozen=True, slots=True)
class CrossChecks:
    """Limits that compare fields of one set with each other (clinical.md 3.1)."""

    pulse_pressure_soft_below: Decimal
    pulse_pressure_soft_above: Decimal
    map_difference_soft_above: Decimal
    jump_window_min: int
    fahrenheit_low: Decimal
    fahrenheit_high: Decimal
    swap_pairs: tuple[tuple[str, str], ...]
    swap_fits_within: Decimal
    swap_off_by: Decimal


def _parameter(order: int, row: dict[str, Any]) -> Parameter:
    decimals = {"hard_below", "hard_above", "soft_below", "soft_above", "jump", "jump_fall", "step"}
    values: dict[str, Any] = {
        key: Decimal(value) if key in decimals else value for key, value in row.items()
    }
    values["findings"] = tuple(NotTaken(code) for code in row.get("findings", ()))
    values["accepts"] = tuple(row.get("accepts", {}).items())
    if row["kind"] == "tick":
        values |= {"hard_below": Decimal(0), "hard_above": Decimal(1)}
    return Parameter(order=order, **values)


def _load() -> tuple[int, dict[str, Parameter], CrossChecks]:
    text = resources.files("monitor.library").joinpath("parameters.toml").read_text("utf-8")
    content = tomllib.loads(text)
    parameters = {
        row["key"]: _parameter(order, row) for order, row in enumerate(content["parameter"])
    }
    cross = content["cross"]
    return (
        content["version"],
        parameters,
        CrossChecks(
            jump_window_min=cross["jump_window_min"],
            swap_pairs=tuple((one, other) for one, other in cross["swap_pairs"]),
            **{
                key: Decimal(value)
                for key, value in cross.items()
                if key not in ("jump_window_min", "swap_pairs", "source")
            },
        ),
    )


#: Version of the plausibility table, every parameter by key in display order, and cross checks.
PARAMETERS_VERSION, PARAMETERS, CROSS_CHECKS = _load()

#: The keys that make a complete set (clinical.md 4).
MINIMUM_SET = tuple(key for key, parameter in PARAMETERS.items() if parameter.minimum_set)
