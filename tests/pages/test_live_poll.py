"""The long poll: answers when the record moves, asks the database once for everybody."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, cast

import pytest

from monitor.errors import StoreUnavailable
from monitor.store import Store
from pages.http.live import ClinicWatch


class Versions:
    """A store of which only the version is asked for."""

    def __init__(self) -> None:
        self.now = 7
        self.asked = 0
        self.error: StoreUnavailable | None = None

    def version(self, clinic: str) -> int:
        self.asked += 1
        if self.error:
            raise self.error
        return self.now


def watch_of(versions: Versions, interval_s: float = 0.01) -> ClinicWatch:
    return ClinicWatch(cast(Store, versions), "north", interval_s=interval_s)


def test_a_viewer_who_is_behind_is_told_at_once() -> None:
    async def scenario() -> int:
        return await watch_of(Versions()).newer_than(3, hold_s=5)

    assert asyncio.run(scenario()) == 7


def test_a_viewer_who_is_up_to_date_waits_until_the_record_moves() -> None:
    versions = Versions()

    async def scenario() -> tuple[bool, int]:
        watch = watch_of(versions)
        waiting = asyncio.create_task(watch.newer_than(7, hold_s=5))
        await asyncio.sleep(0.1)
        waited = not waiting.done()
        versions.now = 8
        return waited, await asyncio.wait_for(waiting, 2)

    assert asyncio.run(scenario()) == (True, 8)


def test_a_poll_ends_by_itself_with_the_version_unchanged() -> None:
    async def scenario() -> int:
        return await watch_of(Versions()).newer_than(7, hold_s=0.05)

    assert asyncio.run(scenario()) == 7


def test_a_hundred_viewers_ask_the_database_as_often_as_one() -> None:
    async def asked_by(viewers: int) -> tuple[int, Counter[int]]:
        versions = Versions()
        watch = watch_of(versions, interval_s=0.05)
        waiting = [asyncio.create_task(watch.newer_than(7, hold_s=5)) for _ in range(viewers)]
        await asyncio.sleep(0.3)
        versions.now = 8
        return versions.asked, Counter(await asyncio.gather(*waiting))

    one, _ = asyncio.run(asked_by(1))
    hundred, told = asyncio.run(asked_by(100))
    assert told == {8: 100}
    assert hundred <= one + 2


def test_nobody_waiting_asks_nothing() -> None:
    versions = Versions()

    async def scenario() -> int:
        await watch_of(versions).newer_than(7, hold_s=0.03)
        await asyncio.sleep(0.05)
        before = versions.asked
        await asyncio.sleep(0.1)
        return versions.asked - before

    assert asyncio.run(scenario()) == 0


def test_what_moved_while_nobody_waited_is_told_to_the_next_one() -> None:
    versions = Versions()

    async def scenario() -> int:
        watch = watch_of(versions)
        await watch.newer_than(7, hold_s=0.03)
        await asyncio.sleep(0.05)
        versions.now = 9
        return await watch.newer_than(7, hold_s=2)

    assert asyncio.run(scenario()) == 9


def test_a_restored_database_is_news_too() -> None:
    async def scenario() -> int:
        return await watch_of(Versions()).newer_than(50, hold_s=2)

    assert asyncio.run(scenario()) == 7


def test_a_database_that_does_not_answer_is_said_and_forgotten_when_it_is_back() -> None:
    versions = Versions()

    async def scenario() -> int:
        watch = watch_of(versions)
        versions.error = StoreUnavailable("The database does not answer.")
        with pytest.raises(StoreUnavailable):
            await watch.newer_than(3, hold_s=2)
        versions.error = None
        return await watch.newer_than(3, hold_s=2)

    assert asyncio.run(scenario()) == 7


def test_only_who_is_signed_in_is_told(home: Any) -> None:
    from starlette.applications import Starlette

    from pages.http import live
    from pages.http.answers import exception_handlers
    from pages.http.middleware import FrontDoor
    from pages.http.watch import Watch
    from tests.pages.http_app import HOST

    gate = home.app._gate
    inner = Starlette(routes=live.routes(home.store), exception_handlers=exception_handlers())
    doctor = home.signed_in("blum")
    app = FrontDoor(inner, gate=gate, watch=Watch(gate), allowed_hosts=(HOST,))
    stranger = home.browser()
    stranger.app = doctor.app = app
    assert stranger.get("/live?after=-1").status == 401
    answer = doctor.get("/live?after=-1")
    assert answer.status == 200
    assert answer.json() == {"version": home.store.version("north")}
    assert doctor.get("/live?after=x").status == 400
