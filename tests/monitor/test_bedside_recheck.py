"""What the bedside says of an alert that waits for its repeat."""

from __future__ import annotations

from datetime import UTC

import pytest

from monitor.bedside.state import state
from tests import build
from tests.monitor.test_bedside_leaving import opened


@pytest.mark.parametrize(
    ("minute", "words"),
    [(10.2, "recheck from 09:11:00 to 09:15"), (11, "recheck by 09:15"), (12, "recheck by 09:15")],
)
def test_a_repeat_that_would_be_too_early_is_not_asked_for_yet(minute: float, words: str) -> None:
    """U-06: a reading within the first minute neither confirms nor clears."""
    session = build.session(
        build.obs_set(-5), build.rate("0.1", 0), build.observation("sbp", 165, 10)
    )
    shown = state(opened(session, minute), zone=UTC, names={}, version=1)
    (alert,) = [item for item in shown["alerts"] if item["parameter"] == "sbp"]
    assert alert["state_text"] == words
