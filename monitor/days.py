"""How a day and a moment are written wherever people read them: 12 Mar 2026, 14:32."""

from __future__ import annotations

from datetime import date, datetime, tzinfo


def day_text(day: date) -> str:
    """ "3 Mar 2026": the month in letters, so that nobody takes it for the day."""
    return f"{day.day} {day:%b} {day.year}"


def moment_text(at: datetime, zone: tzinfo) -> str:
    """ "3 Mar 2026, 14:32" by the clock of the clinic."""
    local = at.astimezone(zone)
    return f"{day_text(local)}, {local:%H:%M}"


def month_text(day: date) -> str:
    """ "Jun 2027", where only the month is printed: on an ampoule."""
    return f"{day:%b} {day.year}"
