"""Two values of one thing within a minute, by different entries (ruling 20, U-73)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.breaches import find_breaches
from monitor.conflicts import conflicts
from monitor.record import Observation, SessionEvent
from tests import build
from tests.monitor.limits import default_set

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


def both_right(of: Observation, minute: float) -> SessionEvent:
    return replace(build.event("both_right", minute), linked_to=of.id, taken_at=of.taken_at)


def test_what_was_called_right_beside_an_earlier_one_is_not_asked_about_again() -> None:
    first = build.observation("sbp", "165", 10)
    again = build.observation("sbp", "148", 10.6)
    answer = both_right(again, 11)
    session = build.session(first, again, answer)

    assert conflicts(session, MINUTE) == ()
    assert session.current_observations == (first, again), "nothing is struck"

    taken_back = session.with_facts([build.amendment(answer, 12)])
    assert len(conflicts(taken_back, MINUTE)) == 1


def test_a_value_that_came_after_the_answer_is_asked_about() -> None:
    first = build.observation("sbp", "165", 10)
    again = build.observation("sbp", "148", 10.6)
    later = build.observation("sbp", "120", 10.3, recorded_at=build.at(14))
    session = build.session(first, again, both_right(again, 11), later)

    assert {pair.observations for pair in conflicts(session, MINUTE)} == {
        (first, later),
        (later, again),
    }


def test_calling_both_right_silences_no_flag() -> None:
    """U-06: within a minute of a worse reading a better one clears nothing, whoever says what."""
    worse = build.observation("sbp", "185", 10)
    again = build.observation("sbp", "128", 10.6)
    before = build.session(build.obs_set(-5), build.rate("0.1", 0), worse, again)
    after = before.with_facts([both_right(again, 11)])

    found = [find_breaches(session, default_set(), build.at(12)) for session in (before, after)]

    assert found[0] == found[1] != ()
