"""U-73: a typed clock time means the latest such instant, a skipped hour is refused."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import FUTURE_TOLERANCE, instant_on, latest_instant
from monitor.errors import InvalidEntry, NeedsConfirmation

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)  # 12:00 in Berlin


def utc(year: int, month: int, day: int, hour: int, minute: int) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["11:45", "11.45", "1145", " 11:45 ", "١١:٤٥"])
def test_a_clock_time_is_read_in_the_clinics_zone(typed: str) -> None:
    assert latest_instant(typed, BERLIN, NOON) == utc(2026, 5, 4, 9, 45)


def test_two_minutes_ahead_is_still_today_and_three_is_yesterday() -> None:
    assert latest_instant("12:02", BERLIN, NOON) == utc(2026, 5, 4, 10, 2)
    assert latest_instant("12:03", BERLIN, NOON) == utc(2026, 5, 3, 10, 3)


def test_after_midnight_a_late_hour_is_yesterdays() -> None:
    assert latest_instant("23:58", BERLIN, utc(2026, 5, 3, 22, 5)) == utc(2026, 5, 3, 21, 58)


@pytest.mark.parametrize("typed", ["", "25:00", "12:60", "noon", "12", "1:2", "2460"])
def test_what_is_no_clock_time_is_refused(typed: str) -> None:
    with pytest.raises(InvalidEntry, match="Type it like 14:32"):
        latest_instant(typed, BERLIN, NOON)


def test_an_hour_the_clocks_skipped_is_refused() -> None:
    with pytest.raises(InvalidEntry, match="02:30 did not exist on 29 Mar 2026"):
        latest_instant("02:30", BERLIN, utc(2026, 3, 29, 5, 0))


def test_a_skipped_hour_that_would_be_in_the_future_means_yesterday() -> None:
    assert latest_instant("02:30", BERLIN, utc(2026, 3, 29, 0, 30)) == utc(2026, 3, 28, 1, 30)


def test_in_the_repeated_hour_the_person_is_asked_which() -> None:
    now = utc(2026, 10, 25, 5, 0)
    with pytest.raises(NeedsConfirmation, match="happened twice on 25 Oct 2026") as asked:
        latest_instant("02:30", BERLIN, now)
    assert [problem.code for problem in asked.value.problems] == ["taken_at.repeated"]
    assert latest_instant("02:30", BERLIN, now, second_time=False) == utc(2026, 10, 25, 0, 30)
    assert latest_instant("02:30", BERLIN, now, second_time=True) == utc(2026, 10, 25, 1, 30)


def test_while_the_second_time_is_still_ahead_nobody_is_asked() -> None:
    now = utc(2026, 10, 25, 0, 45)
    assert latest_instant("02:30", BERLIN, now) == utc(2026, 10, 25, 0, 30)


def test_on_a_day_that_was_said_the_time_is_of_that_day() -> None:
    assert instant_on("2026-05-01", "14:05", BERLIN) == utc(2026, 5, 1, 12, 5)
    with pytest.raises(InvalidEntry, match="02:30 did not exist on 29 Mar 2026"):
        instant_on("2026-03-29", "02:30", BERLIN)
    with pytest.raises(NeedsConfirmation, match="happened twice"):
        instant_on("2026-10-25", "02:30", BERLIN)
    assert instant_on("2026-10-25", "0230", BERLIN, second_time=False) == utc(2026, 10, 25, 0, 30)
    assert instant_on("2026-10-25", "0230", BERLIN, second_time=True) == utc(2026, 10, 25, 1, 30)


@pytest.mark.parametrize("day", ["", "yesterday", "2026-02-30", "29.11.2026", "2026-11"])
def test_what_is_no_day_is_refused(day: str) -> None:
    with pytest.raises(InvalidEntry, match="is not a date"):
        instant_on(day, "14:05", BERLIN)


@given(
    st.integers(0, 10 * 366 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    st.times(),
)
def test_the_instant_shows_the_typed_time_and_lies_within_the_last_day(
    now: datetime, wanted: time
) -> None:
    typed = f"{wanted:%H:%M}"
    found = _instant_or_none(typed, now)
    if found is None:
        # Only after the clocks went forward in spring, and only in that hour.
        local = now.astimezone(BERLIN)
        assert (wanted.hour, local.month) == (2, 3)
        assert local.utcoffset() == timedelta(hours=2)
        return
    assert f"{found.astimezone(BERLIN):%H:%M}" == typed
    assert timedelta(0) <= now + FUTURE_TOLERANCE - found <= timedelta(hours=25)


def _instant_or_none(typed: str, now: datetime) -> datetime | None:
    try:
        return latest_instant(typed, BERLIN, now, second_time=True)
    except InvalidEntry:
        return None
