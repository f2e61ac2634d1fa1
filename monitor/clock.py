"""A clock time as typed at the bedside, turned into the instant that was meant (U-73)."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.days import day_text
from monitor.errors import InvalidEntry, NeedsConfirmation, Problem

#: How far ahead of the server a time may lie before it counts as the future (clinical.md 9).
FUTURE_TOLERANCE = timedelta(minutes=2)

_SHAPE = re.compile(r"(?P<hour>[0-9]{1,2})[:.](?P<minute>[0-9]{2})|(?P<both>[0-9]{4})")


def latest_instant(
    clock_text: str, zone: ZoneInfo, now: datetime, *, second_time: bool | None = None
) -> datetime:
    """The latest instant with this clock time that is not later than ``now`` + 2 minutes, in UTC.

    ``14:32``, ``14.32`` and ``1432`` are read.  ``second_time`` answers the question that is asked
    when the hour happened twice: False the first, True the second.

    Raises:
        InvalidEntry: not a clock time, or an hour the clocks skipped.
        NeedsConfirmation: the hour happened twice and ``second_time`` is None.
    """
    wanted = _time(clock_text)
    limit = now + FUTURE_TOLERANCE
    today = limit.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        first, second = _instants(day, wanted, zone)
        if _is_skipped(first, wanted, zone):
            if limit.astimezone(zone).replace(tzinfo=None) < datetime.combine(day, wanted):
                continue
            raise InvalidEntry([_skipped(wanted, day)])
        if first > limit:
            continue
        if first == second or second > limit:
            return first
        if second_time is None:
            raise NeedsConfirmation([_repeated(wanted, day)])
        return second if second_time else first
    # Yesterday's clock time is never in the future.
    raise AssertionError("unreachable")  # pragma: no cover


def instant_on(
    day_text: str, clock_text: str, zone: ZoneInfo, *, second_time: bool | None = None
) -> datetime:
    """The instant with this clock time on that day (``2026-11-22``), in UTC: for what is on paper.

    Whether it lies in the future or long ago is for others to say.

    Raises:
        InvalidEntry: not a date, not a clock time, or an hour the clocks skipped.
        NeedsConfirmation: the hour happened twice and ``second_time`` is None.
    """
    try:
        day = date.fromisoformat(day_text)
    except ValueError:
        raise InvalidEntry([_not_a_day(day_text)]) from None
    wanted = _time(clock_text)
    first, second = _instants(day, wanted, zone)
    if _is_skipped(first, wanted, zone):
        raise InvalidEntry([_skipped(wanted, day)])
    if first != second and second_time is None:
        raise NeedsConfirmation([_repeated(wanted, day)])
    return second if second_time else first


def _time(text: str) -> time:
    plain = "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in text.strip()
    )
    match = _SHAPE.fullmatch(plain)
    if match is None:
        raise InvalidEntry([_not_a_time(text)])
    digits = match["both"]
    hour, minute = (digits[:2], digits[2:]) if digits else (match["hour"], match["minute"])
    try:
        return time(int(hour), int(minute))
    except ValueError:
        raise InvalidEntry([_not_a_time(text)]) from None


def _instants(day: date, wanted: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Both instants a local time can mean, in order; the same one twice on an ordinary day."""
    local = datetime.combine(day, wanted, tzinfo=zone)
    both = sorted(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return both[0], both[1]


def _is_skipped(instant: datetime, wanted: time, zone: ZoneInfo) -> bool:
    return instant.astimezone(zone).time() != wanted


def _not_a_time(text: str) -> Problem:
    message = f"“{text.strip()[:12]}” is not a clock time. Type it like 14:32."
    return Problem("taken_at", message, code="taken_at.not_a_time")


def _not_a_day(text: str) -> Problem:
    message = f"“{text.strip()[:12]}” is not a date. Choose the day that stands on the paper."
    return Problem("taken_at", message, code="taken_at.not_a_day")


def _skipped(wanted: time, day: date) -> Problem:
    message = (
        f"{wanted:%H:%M} did not exist on {day_text(day)}: the clocks went forward. Check the time."
    )
    return Problem("taken_at", message, code="taken_at.skipped")


def _repeated(wanted: time, day: date) -> Problem:
    message = (
        f"{wanted:%H:%M} happened twice on {day_text(day)}: the clocks went back. "
        "Was it the first or the second time?"
    )
    return Problem("taken_at", message, kind="soft", code="taken_at.repeated")
