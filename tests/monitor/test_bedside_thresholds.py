"""Which limits the bedside says while a number is typed."""

from __future__ import annotations

import pytest

from monitor.actions.opening import threshold_set_of
from monitor.bedside.fixed import client_thresholds
from monitor.record import InfusionSession
from tests import build

SET = threshold_set_of(build.seeded("threshold_set", "ADULT-CLINIC-1"))


def said(session: InfusionSession, parameter: str) -> list[str]:
    rows = client_thresholds(session, SET)
    return [
        f"{row['operator']} {row['limit']:g} {row['level']}"
        for row in rows
        if row["parameter"] == parameter
    ]


@pytest.mark.parametrize(
    ("usual", "found"),
    [
        ("0", ["> 0 warning", "> 4 critical"]),
        ("2", ["> 2 warning", "> 4 critical"]),
        ("6", ["> 6 warning", "> 6 critical"]),
    ],
)
def test_oxygen_counts_above_the_flow_before_the_infusion(usual: str, found: list[str]) -> None:
    session = build.session(build.obs_set(-5, o2_flow=usual), build.rate("0.1", 0))
    assert said(session, "o2_flow") == found


def test_no_flow_recorded_before_counts_as_none_given() -> None:
    session = build.session(build.obs_set(-5), build.rate("0.1", 0))
    assert said(session, "o2_flow") == ["> 0 warning", "> 4 critical"]


def test_a_rise_that_counts_only_above_a_limit_is_said_from_the_higher_of_both() -> None:
    slow = build.session(build.obs_set(-5, hr=60), build.rate("0.1", 0))
    fast = build.session(build.obs_set(-5, hr=84), build.rate("0.1", 0))
    assert ">= 100 warning" in said(slow, "hr")
    assert ">= 109.2 warning" in said(fast, "hr")
