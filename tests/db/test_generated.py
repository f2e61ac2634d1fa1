"""Invented history: valid like a real record, the same twice, and never beside real sessions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from db import SqlStore
from db.generated import GENERATE, Frame, Maker, check_may_generate, fill, frame_of
from monitor import actions
from monitor.errors import NotPermitted
from monitor.permissions import Role
from monitor.replay import answers_given, replay_alerts
from monitor.store import SessionQuery
from monitor.synthetic import invent_session, visits
from monitor.synthetic.alerts import end_of, record_alerts
from monitor.synthetic.people import Visit
from monitor.user_admin import create_user
from tests import build
from tests.db.conftest import start

NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
CLINIC = "invented"


def some_visits(count: int, seed: int = 3) -> list[Visit]:
    return visits(
        sessions=count,
        seed=seed,
        clinic=CLINIC,
        since=date(2026, 3, 2),
        until=date(2026, 10, 30),
        zone=UTC,
    )


def frame(store: SqlStore, seed: int = 3) -> Frame:
    return frame_of(store, CLINIC, seed=seed, now=NOW)


def test_what_is_generated_is_a_sound_record(store: SqlStore) -> None:
    planned = some_visits(12)
    rows = list(fill(store, frame(store), planned, jobs=1))
    assert len(rows) == 12
    assert store.verify() == ()
    assert list(actions.projection_problems(store)) == []
    listed = store.summaries(SessionQuery(clinic=CLINIC))
    assert len(listed) == 12
    assert all(row["mrn"].startswith("SYN-3-") for row in listed)
    links = [row.event for row in store.audit_rows(CLINIC)]
    assert [link.action for link in links] == [GENERATE] * 12
    assert all(link.detail == {"synthetic": True, "seed": 3} for link in links)


def test_what_is_read_back_is_what_was_invented(store: SqlStore) -> None:
    maker = Maker(frame(store))
    planned = some_visits(5)
    list(fill(store, maker.frame, planned, jobs=1))
    for visit in planned:
        made = maker.finished(visit)
        assert store.session(made.session.id) == made.session
        alerts, events = store.alerts(made.session.id)
        assert set(alerts) == set(made.alerts)
        assert set(events) == set(made.events)
        assert store.courses(made.session.patient.id) == (visit.course,)


def test_the_same_seed_invents_the_same_and_another_seed_another(store: SqlStore) -> None:
    maker = Maker(frame(store))
    first = [maker.finished(visit).session for visit in some_visits(4)]
    assert first == [maker.finished(visit).session for visit in some_visits(4)]
    other = [maker.finished(visit).session for visit in some_visits(4, seed=4)]
    assert {session.id for session in first}.isdisjoint(session.id for session in other)


def test_several_processes_invent_what_one_does(sqlite_store: SqlStore) -> None:
    planned = some_visits(60)
    alone = list(fill(sqlite_store, frame(sqlite_store), planned[:50], jobs=1))
    together = Maker(frame(sqlite_store))
    assert alone == [
        sum(len(rows) for rows in item.rows.values()) for item in together.prepared(planned[:50])
    ]


def test_alerts_are_those_of_a_replay_of_the_same_session(store: SqlStore) -> None:
    maker = Maker(frame(store))
    compared = 0
    for visit in some_visits(60, seed=9):
        code = visit.person.protocol
        protocol, limits = maker.protocols[code], maker.limits[code]
        session = invent_session(
            visit, protocol, maker.frame.protocols[code], maker.frame.threshold_sets[code]
        )
        alerts, events, _ = record_alerts(session, protocol, limits, Random(visit.seed))
        if not alerts or compared == 4:
            continue
        compared += 1
        until = max(end_of(session), *(event.recorded_at for event in events))
        left_at = max(fact.taken_at for fact in session.observations) + timedelta(minutes=15)
        again, told = replay_alerts(
            session, protocol, limits, answers_given(alerts, events), min(until, left_at)
        )
        assert set(again) == set(alerts)
        assert {(e.id, e.at, e.level) for e in told} == {(e.id, e.at, e.level) for e in events}
    assert compared == 4


def test_a_real_session_is_never_joined_by_invented_ones(store: SqlStore) -> None:
    start(store, build.session())
    with pytest.raises(NotPermitted, match="not generated"):
        check_may_generate(store, CLINIC, 3)


def test_a_clinic_with_accounts_is_never_joined_by_invented_sessions(store: SqlStore) -> None:
    create_user(
        store,
        username="blum",
        name="A. Blum",
        role=Role.NURSE,
        clinic="north",
        password="a long enough secret",
        by=None,
        now=NOW,
    )
    with pytest.raises(NotPermitted, match="accounts of north"):
        check_may_generate(store, CLINIC, 3)


def test_a_seed_is_used_once_in_a_clinic(store: SqlStore) -> None:
    list(fill(store, frame(store), some_visits(2), jobs=1))
    check_may_generate(store, CLINIC, 4)
    check_may_generate(store, "another", 3)
    with pytest.raises(NotPermitted, match="seed 3 already"):
        check_may_generate(store, CLINIC, 3)
