"""The alert clock: what only time brings about is stored once, by whichever process comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

import db
from db import SqlStore
from monitor.actions import AlertClock
from monitor.actions.opening import OpenSession, bundle
from monitor.alerts import AlertEventKind
from monitor.breaches import find_breaches
from monitor.frames import alert_table
from monitor.record import InfusionSession
from tests import build
from tests.build import at, obs_set, rate, session
from tests.stored import keep

CONFIRMED = AlertEventKind.CONFIRMED


def waiting(store: SqlStore, first_at: int = 10) -> InfusionSession:
    """A session with one systolic of 165 that nobody repeated: confirmed after 5 min (U-06)."""
    return keep(store, session(rate("0.1"), obs_set(first_at, sbp=165)), first_at)


def stored(
    store: SqlStore, of: InfusionSession, among: Container[UUID] | None = None
) -> list[tuple[Any, ...]]:
    return [
        (item.kind, item.at, item.recorded_at, item.text)
        for item in store.alerts(of.id)[1]
        if among is None or item.id in among
    ]


def test_a_reading_nobody_repeated_is_confirmed_by_the_clock_and_stored(store: SqlStore) -> None:
    of = waiting(store)
    clock = AlertClock(store)
    before = store.version(build.CLINIC)
    assert clock.look(at(14.9)) == 0
    assert store.version(build.CLINIC) == before
    assert clock.look(at(15)) == 1
    assert stored(store, of) == [(CONFIRMED, at(15), at(15), "no repeat in time")]
    # Whoever follows the live version is told, and nobody is told twice.
    assert store.version(build.CLINIC) == before + 1
    assert clock.look(at(15.1)) == AlertClock(store).look(at(15.2)) == 0
    assert store.verify() == ()


def test_what_became_due_while_no_process_ran_is_stored_as_raised_late(store: SqlStore) -> None:
    of = waiting(store)
    # Two of the pressure; the alert that a set is missed, with the five events of it.
    assert AlertClock(store).look(at(40)) == 2 + 6
    (clock,) = (alert for alert in store.alerts(of.id)[0] if alert.group == "clock")
    of_pressure = {item.id for item in store.alerts(of.id)[1] if item.alert_id != clock.id}
    assert sorted(stored(store, of, of_pressure), key=lambda told: told[1]) == [
        (CONFIRMED, at(15), at(40), "no repeat in time; raised late"),
        (AlertEventKind.ESCALATED, at(25), at(40), "shift_lead; raised late"),
    ]
    opened = opened_at(store, of, 41)
    table = alert_table(opened.views, opened.alert_events, UTC)
    assert "confirmed 09:15 (no repeat in time; raised late)" in table["What happened"][0]
    assert "escalated 09:25 (shift lead; raised late)" in table["What happened"][0]


def opened_at(store: SqlStore, of: InfusionSession, minute: float) -> OpenSession:
    return bundle(store, store.session(of.id), store.alerts(of.id), at(minute))


def test_two_processes_at_once_tell_it_once(store: SqlStore, database_url: str) -> None:
    of = waiting(store)
    other = db.open_store(database_url)
    barrier = threading.Barrier(2)
    told: list[int] = []

    def look(held: SqlStore) -> None:
        barrier.wait()
        told.append(AlertClock(held).look(at(15)))

    threads = [threading.Thread(target=look, args=(held,)) for held in (store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert sorted(told) == [0, 1]
    assert [kind for kind, *_ in stored(store, of)] == [CONFIRMED]
    assert store.verify() == ()


def test_a_session_at_rest_is_judged_again_only_when_it_changed(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At rest is what time alone changes nothing of: before the start no set is due either."""
    of = keep(sqlite_store, session(build.event("arrived", 20), obs_set(25, sbp=120)), 25)
    judged: list[datetime] = []
    monkeypatch.setattr(
        "monitor.actions.opening.find_breaches",
        lambda *given, **named: judged.append(given[2]) or find_breaches(*given, **named),
    )
    clock = AlertClock(sqlite_store)
    for minute in (26, 27, 28):
        assert clock.look(at(minute)) == 0
    assert judged == [at(26)]
    with sqlite_store.write(build.audit(), clinic=build.CLINIC, session_id=of.id) as writer:
        writer.add_facts(of.id, (rate("0.1", 29), *obs_set(30, sbp=165)))
    assert clock.look(at(31)) == 1
    assert clock.look(at(35)) == 1
    assert stored(sqlite_store, of)[-1][:2] == (CONFIRMED, at(35))


#: Facts saved by the minute they are true; nothing is entered afterwards, and nobody answers.
LEFT_ALONE = {
    "nothing at all": lambda: (rate("0.1"),),
    "a pressure nobody repeats": lambda: (rate("0.1"), *obs_set(5), *obs_set(10, sbp=165)),
    "a critical that comes back": lambda: (
        rate("0.1"),
        *obs_set(5),
        *obs_set(9, spo2=84),
        *obs_set(12),
    ),
    "a dose that passes its limits": lambda: (rate("1.2"), *obs_set(5)),
    "recovery": lambda: (rate("0.1"), *obs_set(5), build.stop(6)),
    "saved by a clock that is ahead": lambda: (
        rate("0.1"),
        *obs_set(5),
        build.observation("sbp", 165, 11, recorded=13),
    ),
    "a stop dated ahead": lambda: (rate("0.1"), build.stop(25, recorded=5), *obs_set(5)),
}


@pytest.mark.parametrize("facts", LEFT_ALONE.values(), ids=list(LEFT_ALONE))
def test_a_clock_that_rests_in_between_tells_what_one_that_never_rests_tells(
    sqlite_store: SqlStore, facts: Callable[[], tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    of, twin = (
        keep(sqlite_store, session(*facts(), patient=build.patient()), 12) for _ in range(2)
    )
    looks = {of.id: 0, twin.id: 0}
    real = AlertClock._look_at
    resting = AlertClock(sqlite_store)

    def look_at(clock: AlertClock, session_id: UUID, now: datetime) -> int:
        if (clock is resting) is not (session_id == of.id):
            return 0
        return real(clock, session_id, now)

    def judged(store: Any, which: InfusionSession, *rest: Any) -> OpenSession:
        looks[which.id] += 1
        return bundle(store, which, *rest)

    monkeypatch.setattr(AlertClock, "_look_at", look_at)
    monkeypatch.setattr("monitor.actions.alert_clock.bundle", judged)
    for tick in range(12 * 6, 110 * 6, 2):
        resting.look(at(tick / 6))
        AlertClock(sqlite_store).look(at(tick / 6))
    # At one moment in the order of their ids.
    assert sorted(stored(sqlite_store, of), key=str) == sorted(stored(sqlite_store, twin), key=str)
    assert len(sqlite_store.alerts(of.id)[0]) == len(sqlite_store.alerts(twin.id)[0]) > 0
    assert looks[of.id] * 2 < looks[twin.id]


def test_a_session_that_cannot_be_judged_keeps_no_other_from_its_turn(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = sorted((waiting(sqlite_store), waiting(sqlite_store)), key=lambda of: of.id)
    real = AlertClock._look_at

    def look_at(clock: AlertClock, session_id: Any, now: datetime) -> int:
        if session_id == first.id:
            raise ValueError("Fictional, Fay has 165")
        return real(clock, session_id, now)

    monkeypatch.setattr(AlertClock, "_look_at", look_at)
    assert AlertClock(sqlite_store).look(at(15)) == 1
    assert stored(sqlite_store, second)
    assert f"alerts of session {first.id} were not evaluated: ValueError" in caplog.text
    assert "165" not in caplog.text
