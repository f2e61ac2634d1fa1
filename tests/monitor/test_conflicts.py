"""Two values of one thing within a minute, by different entries (ruling 20, U-73)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.conflicts import conflicts
from tests import build

MINUTE = timedelta(seconds=60)


@pytest.mark.parametrize(
    ("second", "apart_s", "contested"),
    [("91", 20, True), ("91", 59, True), ("91", 60, False), ("97", 20, False)],
)
def test_two_entries_conflict_when_they_differ_within_a_minute(
    second: str, apart_s: int, contested: bool
) -> None:
    first = build.observation("spo2", "97", 10)
    other = build.observation("spo2", second, 10 + apart_s / 60)

    found = conflicts(build.session(first, other), MINUTE)

    assert [pair.observations for pair in found] == ([(first, other)] if contested else [])


def test_one_entry_does_not_contradict_itself_and_another_sign_is_another_thing() -> None:
    first = build.observation("spo2", "97", 10)
    same = build.observation("spo2", "91", 10.2, set_id=first.set_id)
    other = build.observation("hr", "91", 10.2)

    assert conflicts(build.session(first, same, other), MINUTE) == ()


def test_what_was_chosen_from_is_no_conflict_any_more() -> None:
    first = build.observation("spo2", "97", 10)
    other = build.observation("spo2", "91", 10.3)
    chosen = build.amendment(first, 12, reason="conflict")

    assert conflicts(build.session(first, other, chosen), MINUTE) == ()


def test_three_values_are_settled_one_after_the_other() -> None:
    items = [build.observation("hr", value, 10 + n / 10) for n, value in enumerate((60, 70, 80))]
    session = build.session(*items)
    assert len(conflicts(session, MINUTE)) == 3

    session = session.with_facts([build.amendment(items[0], 12)])
    (left,) = conflicts(session, MINUTE)

    assert left.observations == (items[1], items[2])


def test_a_reason_for_no_value_contradicts_nothing() -> None:
    first = build.observation("spo2", "97", 10)
    missing = build.observation("spo2", build.NotTaken.ARTEFACT, 10.3)

    assert conflicts(build.session(first, missing), MINUTE) == ()
