"""Threshold sets as clinics might change them: other numbers, other ways to confirm, other rows."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

from monitor.thresholds import ThresholdSet, parse_threshold_set
from tests.monitor.limits import default_set, packaged

_NUMBER = re.compile(r"(?<=[<>=] )-?\d+(\.\d+)?")
_BESIDE = {"sbp": "dbp >= 90", "dbp": "sbp >= 140", "spo2": "value <= 94", "hr": "rise >= 5"}


@st.composite
def changed_sets(draw: st.DrawFn) -> ThresholdSet:
    """The default set, or the same with up to six levels of its rows changed.

    What the set refuses (a clear value beyond its limit) is the default set.
    """
    content = packaged()
    for _ in range(draw(st.integers(0, 6))):
        row = draw(st.sampled_from(content["rule"]))
        names = [name for name in ("warning", "critical") if name in row]
        _change(draw, row["sign"], row[draw(st.sampled_from(names))])
        if draw(st.integers(0, 7)) == 0:
            row["clear_times"], row["clear_apart_s"] = 2, draw(st.sampled_from([0, 60, 200]))
        if draw(st.integers(0, 7)) == 0 and len(names) == 2:
            del row[draw(st.sampled_from(names))]
    device = content["device"]
    device["gap_s"] = draw(st.sampled_from([5, 1, 3, 20]))
    for sign in device["sign"]:
        sign["critical_s"] = draw(st.sampled_from([sign["critical_s"], 1, 3, 7]))
        sign["warning_s"] = sign["critical_s"] + draw(st.sampled_from([0, 5, 12]))
    try:
        return parse_threshold_set(content)
    except ValueError:
        return default_set()


def _change(draw: st.DrawFn, sign: str, level: dict[str, Any]) -> None:
    kind = draw(st.sampled_from(["fires", "fires", "clears", "confirm", "counts"]))
    if kind in ("fires", "clears"):
        by = draw(st.sampled_from([-10, -4, -1, -0.5, 0.1, 1, 4, 10]))
        level[kind] = _NUMBER.sub(lambda found: f"{float(found[0]) + by:g}", level[kind])
    elif kind == "confirm":
        level["confirm"] = draw(st.sampled_from(["single", "repeat", "repeat_soon", "no_trace"]))
    elif sign in _BESIDE:
        level["counts_when"] = _BESIDE[sign]
