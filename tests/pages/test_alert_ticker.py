"""The task that lets the alert clock look for as long as the app runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from db import SqlStore
from monitor.actions import AlertClock
from monitor.errors import StoreUnavailable
from pages.http import AlertTicker
from tests import build
from tests.build import at, obs_set, rate, session


def running(ticker: AlertTicker, seen: Callable[[], bool]) -> None:
    """Let the ticker run until something was seen, then stop it."""

    async def run() -> None:
        ticker.start()
        async with asyncio.timeout(20):
            while not seen():
                await asyncio.sleep(0.01)
        await ticker.close()

    asyncio.run(run())


def test_the_ticker_of_the_app_stores_what_is_due(sqlite_store: SqlStore) -> None:
    # Long enough ago for the pressure, not yet for the set that is due 5 minutes after that.
    began = datetime.now(UTC) - timedelta(minutes=18)
    minute = int((began - at(0)).total_seconds() // 60)
    of = session(rate("0.1", minute), obs_set(minute + 10, sbp=165), created_at=began)
    with sqlite_store.write(build.audit(minute=minute), clinic=of.clinic) as writer:
        writer.add_patient(of.patient)
        writer.add_session(of)
    ticker = AlertTicker(sqlite_store, interval_s=0.01)
    running(ticker, lambda: bool(sqlite_store.alerts(of.id)[1]))
    confirmed = sqlite_store.alerts(of.id)[1][0]
    assert confirmed.text == "no repeat in time; raised late"


def test_the_ticker_goes_on_when_the_database_was_away(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks: list[datetime] = []

    def look(_: AlertClock, now: datetime) -> int:
        looks.append(now)
        if len(looks) < 4:
            raise StoreUnavailable("The database does not answer.")
        return 0

    monkeypatch.setattr(AlertClock, "look", look)
    with caplog.at_level(logging.WARNING):
        running(AlertTicker(sqlite_store, interval_s=0.001), lambda: len(looks) > 5)
    assert caplog.text.count("alerts are not evaluated") == 1
