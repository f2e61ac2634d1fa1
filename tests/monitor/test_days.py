"""One way to write a day, everywhere: the month in letters, the clock behind a comma."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor import days
from monitor.days import day_text, moment_text, month_text

#: A day put together anywhere else: strftime and f-strings with the month in letters.
_OWN_WAY = re.compile(r"%b|%B|%d[ ./-]%m")


def test_a_day_has_its_month_in_letters_and_no_leading_zero() -> None:
    assert day_text(date(2026, 3, 3)) == "3 Mar 2026"
    assert month_text(date(2027, 6, 30)) == "Jun 2027"


def test_a_moment_is_that_of_the_clinic() -> None:
    at = datetime(2026, 7, 1, 23, 5, tzinfo=UTC)
    assert moment_text(at, ZoneInfo("Europe/London")) == "2 Jul 2026, 00:05"


def test_nobody_writes_a_day_in_another_way() -> None:
    home = Path(days.__file__)
    root = home.parent.parent
    others = [
        path
        for folder in ("monitor", "pages", "db")
        for path in (root / folder).rglob("*.py")
        if path != home
    ]
    assert len(others) > 100
    found = [path.name for path in others if _OWN_WAY.search(path.read_text("utf-8"))]
    assert found == []
