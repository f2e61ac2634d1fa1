"""Resuming after a hold: the last rate as it was typed, and no other number."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.ids import new_id
from monitor.record import DoseStepKind
from tests.pages.bedside_api import NORMAL, Bedside, a_set

REALLY = {"reason": "ordered", "already_given": True}


def _entry(**body: Any) -> dict[str, Any]:
    return {"id": str(new_id()), "taken": {"ago": 0}, "age_ms": 0, **body}


def _up_after_a_hold(bedside: Bedside) -> dict[str, Any]:
    held = bedside.post("rate", _entry(kind="hold", value="0", unit="mg/h"))
    assert held.status == 200, held.text
    up: dict[str, Any] = held.json()["state"]["dose"]["up"]
    return up


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("3.7", "mL/h"),
        ("7.3", "mg/h"),
        ("0.137", "mg/kg/h"),
        ("1.85", "mcg/kg/min"),
        ("3.33", "mL/h"),
    ],
)
def test_a_resume_is_the_last_rate_as_it_was_typed(bedside: Bedside, value: str, unit: str) -> None:
    assert bedside.post("set", a_set(**NORMAL)).status == 200
    bedside.post("rate", _entry(kind="rate", value=value, unit=unit, **REALLY))
    up = _up_after_a_hold(bedside)
    assert up["request"] == {"kind": "resume", "value": value, "unit": unit}
    assert value in up["label"]
    codes = [question["code"] for question in up["questions"]]
    resumed = bedside.post("rate", _entry(**up["request"], reason="well", confirmed=codes))
    assert resumed.status == 200, resumed.text
    before, _hold, after = bedside.session.dose_steps[-3:]
    assert after.kind is DoseStepKind.RESUME
    assert after.rate_mg_per_h == before.rate_mg_per_h


def test_from_another_strength_the_rate_is_asked_for(bedside: Bedside) -> None:
    assert bedside.post("set", a_set(**NORMAL)).status == 200
    assert "request" in _up_after_a_hold(bedside)
    changed = bedside.post("syringe", _entry(concentration_mg_per_ml="5", **REALLY))
    assert changed.status == 200, changed.text
    up = changed.json()["state"]["dose"]["up"]
    assert up["asks_rate"] is True
    assert "request" not in up
