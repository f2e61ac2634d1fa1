"""Sessions kept in memory may be old, but what is given back never is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import db
from db import SqlStore
from db.engine import make_engine
from db.sessions import Kept, Loaded, is_open
from db.tables import FACT_TABLES
from monitor.alerts import AlertEventKind
from tests import build
from tests.db.conftest import start


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(engine, "before_cursor_execute", note)


def fact_reads(seen: list[str]) -> list[str]:
    tables = {table.name for table in FACT_TABLES.values()}
    return [
        line
        for line in seen
        if line.startswith("SELECT") and any(f"FROM {name}" in line for name in tables)
    ]


def test_a_save_into_a_kept_session_reads_no_facts(database_url: str) -> None:
    engine = make_engine(database_url)
    store = SqlStore(engine)
    session = start(store, build.six_hours())
    assert store.session(session.id) == session
    with statements(engine) as seen:
        for minute in (361, 362):
            with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
                writer.session(session.id)
                writer.alerts(session.id)
                writer.add_facts(session.id, build.obs_set(minute))
    assert seen
    assert fact_reads(seen) == []
    store.close()


def test_what_another_process_saved_is_seen_at_once(store: SqlStore, database_url: str) -> None:
    session = start(store, build.session(build.spo2(97)))
    other = db.open_store(database_url)
    assert other.session(session.id) == session
    alert = build.alert(session, session.observations[0])
    with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
        writer.add_facts(session.id, build.obs_set(5))
        writer.add_alerts([alert], [build.alert_event(alert, AlertEventKind.CONFIRMED, 5)])
    assert other.session(session.id) == store.session(session.id)
    assert other.alerts(session.id) == store.alerts(session.id)
    with other.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
        assert len(writer.session(session.id).observations) == 9
        writer.add_facts(session.id, build.obs_set(10))
    assert store.session(session.id) == other.session(session.id)
    other.close()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.tuples(st.integers(0, 1), st.booleans()), min_size=1, max_size=12))
def test_any_order_of_writes_and_reads_of_two_processes_agrees(
    store: SqlStore, database_url: str, steps: list[tuple[int, bool]]
) -> None:
    """The model is the plain domain: every fact saved so far, added to the session at once."""
    both = [store, db.open_store(database_url)]
    session = start(store, build.session())
    for minute, (which, late) in enumerate(steps):
        # A late entry lies before what is there: the order of the record must still hold.
        facts = build.obs_set(-minute if late else minute)
        with both[which].write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
            writer.add_facts(session.id, facts)
        session = session.with_facts(facts)
        if late:
            assert both[1 - which].session(session.id) == session
    assert [held.session(session.id) for held in both] == [session, session]
    both[1].close()


def test_a_failed_save_is_not_kept(store: SqlStore) -> None:
    session = start(store, build.session())
    assert store.session(session.id) == session

    def save_and_fail() -> None:
        with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
            writer.add_facts(session.id, build.obs_set(5))
            assert len(writer.session(session.id).observations) == 8
            raise RuntimeError

    with pytest.raises(RuntimeError):
        save_and_fail()
    assert store.session(session.id) == session


def test_no_more_sessions_are_kept_than_were_asked_for() -> None:
    kept = Kept(size=2)
    loaded = [Loaded(1, build.session(), (), (), frozenset()) for _ in range(3)]
    for item in loaded[:2]:
        kept.put(item)
    assert kept.get(loaded[0].session.id) is loaded[0]
    kept.put(loaded[2])
    assert kept.get(loaded[1].session.id) is None, "the one used longest ago goes first"
    assert kept.get(loaded[0].session.id) is loaded[0]


def test_an_older_state_never_replaces_a_newer_one() -> None:
    kept, session = Kept(), build.session()
    newer = Loaded(7, session, (), (), frozenset())
    kept.put(newer)
    kept.put(Loaded(6, session, (), (), frozenset()))
    assert kept.get(session.id) is newer


# -- which sessions are open ------------------------------------------------------------------


def test_a_session_is_open_until_the_patient_has_left(store: SqlStore) -> None:
    session = start(store, build.session(build.event("arrived", -40), build.rate("0.1", 0)))
    other = start(store, build.session())
    both = tuple(sorted([session.id, other.id]))
    assert store.open_session_ids(build.CLINIC) == both
    assert store.open_session_ids("elsewhere") == ()
    steps: list[tuple[Any, bool]] = [
        (build.stop(60), True),
        (build.event("discharged", 90), False),
        (build.event("reopened", 91), True),
        (build.event("discharged", 95), False),
        (build.event("completed", 96), False),
        (build.event("signed", 97), False),
    ]
    for fact, expected in steps:
        with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
            writer.add_facts(session.id, [fact])
        assert (session.id in store.open_session_ids(build.CLINIC)) is expected, fact.kind
        assert is_open(store.session(session.id)) is expected


def test_a_discharge_that_was_struck_out_opens_the_session_again(store: SqlStore) -> None:
    discharge = build.event("discharged", 90)
    session = start(store, build.session(build.rate("0.1", 0), build.stop(60)))
    for fact, expected in ((discharge, ()), (build.amendment(discharge, 92), (session.id,))):
        with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
            writer.add_facts(session.id, [fact])
        assert store.open_session_ids(build.CLINIC) == expected


def test_a_session_imported_whole_is_not_open(store: SqlStore) -> None:
    """An old session that was read from a folder never shows on the board."""
    start(
        store,
        build.session(build.rate("0.1", 0), build.stop(60), build.event("discharged", 90)),
    )
    assert store.open_session_ids(build.CLINIC) == ()
