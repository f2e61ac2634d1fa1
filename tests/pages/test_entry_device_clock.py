"""The clock of a tablet: how wrong it is stands with the audit event, and changes no time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.ids import new_id
from tests.pages.bedside_api import CLINIC, Bedside, a_set


def _wall_ms(bedside: Bedside, ahead: timedelta) -> int:
    return int((bedside.home.clock.now + ahead).timestamp() * 1000)


def _details(bedside: Bedside) -> list[Any]:
    rows = bedside.store.audit_rows(CLINIC, bedside.session_id)
    return [row.event.detail for row in rows if row.event.action == "RECORD_OBSERVATIONS"]


@pytest.mark.parametrize(
    ("ahead", "seconds"),
    [
        (timedelta(minutes=7), 420),
        (timedelta(seconds=-90), -90),
        (timedelta(0), 0),
        (timedelta(days=-20_000), -1_728_000_000),
    ],
)
def test_the_skew_is_stored_and_the_time_is_the_servers(
    bedside: Bedside, ahead: timedelta, seconds: int
) -> None:
    body = a_set(hr="70") | {"sent_wall_ms": _wall_ms(bedside, ahead), "age_ms": 60_000}

    answer = bedside.post("set", body)

    assert answer.status == 200, answer.text
    assert _details(bedside) == [{"device_clock_ahead_s": seconds}]
    taken = bedside.session.current_observations[-1].taken_at
    assert bedside.home.clock.now - taken == timedelta(minutes=1)
    assert bedside.store.verify() == ()


def test_a_device_that_does_not_say_has_no_skew(bedside: Bedside) -> None:
    assert bedside.post("set", a_set(hr="70")).status == 200
    assert _details(bedside) == [None]


@pytest.mark.parametrize("wall", ["now", True, 1e300, [1], -1e17])
def test_what_is_no_moment_is_refused(bedside: Bedside, wall: object) -> None:
    before = len(bedside.session.observations)
    assert bedside.post("set", a_set(hr="70") | {"sent_wall_ms": wall}).status == 400
    assert len(bedside.session.observations) == before


def test_every_kind_of_entry_carries_it(bedside: Bedside) -> None:
    wall = {"sent_wall_ms": _wall_ms(bedside, timedelta(minutes=3)), "age_ms": 0}
    bedside.post("event", {"id": str(new_id()), "kind": "vomited"} | wall)
    bedside.post("effect", {"id": str(new_id()), "term": "nausea", "grade": 1} | wall)

    last = list(bedside.store.audit_rows(CLINIC, bedside.session_id))[-2:]
    assert [row.event.detail for row in last] == [{"device_clock_ahead_s": 180}] * 2
