"""The head of a session's record: what it says about the next set."""

from __future__ import annotations

from datetime import UTC

import pytest

from monitor.actions import OpenSession
from monitor.actions.opening import protocol_of, threshold_set_of
from monitor.record import Fact
from pages.widgets.session_head import head_html
from tests import build


def opened(minute: float, *facts: Fact) -> OpenSession:
    return OpenSession(
        session=build.session(build.obs_set(-5), build.rate("0.1", 0), build.obs_set(5), *facts),
        protocol=protocol_of(build.seeded("protocol", "P02")),
        threshold_set=threshold_set_of(build.seeded("threshold_set", "ADULT-CLINIC-1")),
        alerts=(),
        alert_events=(),
        as_of=build.at(minute),
    )


@pytest.mark.parametrize(
    ("minute", "said"),
    [
        (6, "due 09:20"),
        (19, "due now, 09:20"),
        (24, "▲ late, was due 09:20"),
        (50, "◆ missed, was due 09:20"),
    ],
)
def test_the_head_says_when_the_next_set_is_due(minute: float, said: str) -> None:
    assert f"<small>Next set</small><b>{said}</b>" in head_html(opened(minute), UTC, dark=False)


def test_after_the_discharge_no_set_is_due() -> None:
    over = opened(90, build.stop(20), build.event("discharged", 80))
    assert "Next set" not in head_html(over, UTC, dark=False)
