"""The unit in which a protocol states its rates: mg/kg/h, or mg/h per 70 kg as some sources do.

A version keeps its rates as they were stated, under keys that say so; everything that runs reads
them in mg/kg/h (clinical.md U-77: mg/h per 70 kg times weight / 70, never a rounded 0.07 or 0.29).
No form of the drug is ever converted to another here.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from monitor.dose_units import dosing_numbers, exact

_NUMBERS = dosing_numbers()["stated_rate"]
REFERENCE_KG = Decimal(_NUMBERS["reference_kg"])
#: The finest step a rate per 70 kg may be stated in, and the one it is kept to in mg/kg/h.
STATED_STEP = Decimal(_NUMBERS["stated_step_mg_per_h"])
KEPT_STEP = Decimal(_NUMBERS["kept_step_mg_per_kg_h"])

PER_KG = "mg/kg/h"
PER_70_KG = f"mg/h per {REFERENCE_KG} kg"

_PER_KG_KEY, _PER_70_KG_KEY = "mg_per_kg_h", "mg_per_h_per_70_kg"
_PLACES = ("start_rate_", "rate_", "limits.")


def rate_unit(content: Mapping[str, Any]) -> str:
    """The unit in which the content of a protocol states its rates."""
    return str(content.get("rate_unit", PER_KG))


def is_rate(path: str) -> bool:
    """Whether a field is a rate of the protocol, in whichever unit it is stated."""
    return path.startswith(_PLACES) and _PER_KG_KEY in path


def stored_path(content: Mapping[str, Any], path: str) -> str:
    """Where the content keeps a field: a rate that is stated per 70 kg has a key that says so."""
    if rate_unit(content) == PER_70_KG and is_rate(path):
        return path.replace(_PER_KG_KEY, _PER_70_KG_KEY)
    return path


def step_rate(content: Mapping[str, Any], step: Mapping[str, Any]) -> Decimal:
    """The rate of a planned step as it is stated."""
    return Decimal(step[stored_path(content, "rate_mg_per_kg_h")])


@exact
def per_kg(stated_mg_per_h: Decimal) -> Decimal:
    """mg/h per 70 kg in mg/kg/h, rounded down: no limit may grow on the way."""
    return (stated_mg_per_h / REFERENCE_KG).quantize(KEPT_STEP, ROUND_DOWN)


@exact
def per_70_kg(rate_mg_per_kg_h: Decimal) -> Decimal:
    """The rate per 70 kg that was stated: undoes ``per_kg`` for every rate on the stated step."""
    return (rate_mg_per_kg_h * REFERENCE_KG).quantize(STATED_STEP, ROUND_HALF_UP)


def in_mg_per_kg_h(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with every rate in mg/kg/h; content that states them so is left as it is."""
    if rate_unit(content) != PER_70_KG:
        return dict(content)
    converted = _converted(content)
    if "limits" in content:
        converted["limits"] = _converted(content["limits"])
    if "steps" in content:
        converted["steps"] = [_converted(step) for step in content["steps"]]
    del converted["rate_unit"]
    return converted


def _converted(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name.replace(_PER_70_KG_KEY, _PER_KG_KEY): _value(value)
        if _PER_70_KG_KEY in name
        else value
        for name, value in row.items()
    }


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _value(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_value(item) for item in value]
    return str(per_kg(Decimal(value)))


def strange_keys(content: Mapping[str, Any]) -> list[str]:
    """Rates that stand under the key of the other unit: a protocol states all of them in one."""
    other = _PER_KG_KEY if rate_unit(content) == PER_70_KG else _PER_70_KG_KEY
    rows = [content, content.get("limits") or {}, *(content.get("steps") or ())]
    return sorted({name for row in rows for name in row if other in name})
