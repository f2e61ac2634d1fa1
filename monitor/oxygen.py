"""How oxygen is given: a code beside the flow, said when somebody taps it (F31).

Standard library only.  It is kept in the note of the flow: no rule reads it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

from monitor.record import Observation

#: How the note begins that says it; a reason for entering late may stand before it.
DEVICE_NOTE = "oxygen device: "


def _load() -> dict[str, str]:
    text = resources.files("monitor.library").joinpath("parameters.toml").read_text("utf-8")
    return {row["code"]: row["label"] for row in tomllib.loads(text)["oxygen_device"]}


#: What each code is called, in the order it is offered.
OXYGEN_DEVICES: Mapping[str, str] = MappingProxyType(_load())


def device_text(flow: Observation) -> str:
    """What the oxygen of this flow was given by; empty where nobody said."""
    _, found, code = (flow.note or "").rpartition(DEVICE_NOTE)
    return OXYGEN_DEVICES.get(code, code) if found else ""
