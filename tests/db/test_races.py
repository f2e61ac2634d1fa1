"""Writers at the same time lose nothing and double nothing, in one process and in several."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.engine import make_url

import db
from db import SqlStore
from monitor.alerts import AlertEventKind
from monitor.record import InfusionSession
from tests import build
from tests.db.conftest import account, start

ROOT = Path(__file__).resolve().parent.parent.parent


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls in threads that begin together; the first error is raised."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def saver(store: SqlStore, session: InfusionSession, sets: list[Any]) -> Callable[[], None]:
    def save() -> None:
        for facts in sets:
            with store.write(build.audit(), clinic=session.clinic, session_id=session.id) as writer:
                writer.session(session.id)
                writer.add_facts(session.id, facts)

    return save


def test_writers_of_one_session_lose_nothing(store: SqlStore, database_url: str) -> None:
    """Two stores stand for two server processes, each with several threads."""
    session = start(store, build.session())
    other = db.open_store(database_url)
    work = [[build.obs_set(10 * writer + n) for n in range(6)] for writer in range(6)]
    at_once(
        *(saver(held, session, sets) for held, sets in zip([store, other] * 3, work, strict=True))
    )
    expected = session.with_facts(fact for sets in work for facts in sets for fact in facts)
    assert store.session(session.id) == expected
    assert other.session(session.id) == expected
    assert store.version(build.CLINIC) == 1 + 36
    assert store.verify() == ()
    other.close()


def test_writers_of_different_sessions_do_not_break_the_chain(store: SqlStore) -> None:
    sessions = [start(store, build.session()) for _ in range(6)]
    sets = [build.obs_set(minute) for minute in range(5)]
    at_once(
        *(
            saver(store, session, [build.obs_set(minute) for minute in range(len(sets))])
            for session in sessions
        )
    )
    assert [len(store.session(session.id).observations) for session in sessions] == [40] * 6
    assert store.version(build.CLINIC) == 6 + 30
    assert store.verify() == ()


def test_the_same_save_sent_twice_at_once_is_saved_once(store: SqlStore) -> None:
    session = start(store, build.session())
    facts = build.obs_set(5)
    at_once(*[saver(store, session, [facts])] * 5)
    assert store.session(session.id).observations == facts
    assert store.version(build.CLINIC) == 2


def test_the_same_session_opened_twice_at_once_is_opened_once(store: SqlStore) -> None:
    session = build.session(build.spo2(97))

    def opening() -> None:
        with store.write(build.audit("start"), clinic=build.CLINIC) as writer:
            writer.add_patient(session.patient)
            writer.add_session(session)

    at_once(*[opening] * 5)
    assert store.session(session.id) == session
    assert store.version(build.CLINIC) == 1
    assert store.verify() == ()


def test_processes_that_raise_the_same_alert_raise_it_once(store: SqlStore) -> None:
    session = start(store, build.session(build.spo2(89)))
    alert = build.alert(session, session.observations[0])

    def raising(number: int) -> Callable[[], None]:
        told = build.alert_event(alert, AlertEventKind.ESCALATED, 2, by=f"process {number}")
        told = replace(told, id=build.an_id())

        def call() -> None:
            with store.write(
                build.audit("clock"), clinic=build.CLINIC, session_id=session.id
            ) as writer:
                writer.add_alerts([alert], [told])

        return call

    at_once(*(raising(number) for number in range(5)))
    alerts, events = store.alerts(session.id)
    assert (len(alerts), len(events)) == (1, 1)
    assert store.verify() == ()


def test_two_who_change_the_same_account_at_once_are_both_kept(store: SqlStore) -> None:
    def change(name: str) -> Callable[[], None]:
        event = account("okoye", name=name)

        def call() -> None:
            with store.write(build.audit("account"), clinic=build.CLINIC) as writer:
                writer.add_user_event(event)

        return call

    names = [f"Okoye {number}" for number in range(5)]
    at_once(*(change(name) for name in names))
    assert store.user("okoye").name in names
    assert store.version(build.CLINIC) == 5
    assert store.verify() == ()


def test_servers_that_start_at_once_migrate_once(tmp_path: Path, postgres_server: str) -> None:
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE starting")
    urls = [
        f"sqlite:///{tmp_path}/monitor.db",
        make_url(postgres_server).set(database="starting").render_as_string(hide_password=False),
    ]
    for url in urls:
        script = "import sys, db; db.migrate(sys.argv[1])"
        running = [
            subprocess.Popen([sys.executable, "-c", script, url], cwd=ROOT) for _ in range(3)
        ]
        assert [process.wait(60) for process in running] == [0, 0, 0]
        store = db.open_store(url)
        assert store.verify() == ()
        assert len(list(store.audit_rows("*"))) == 1
        store.close()


WRITER = """
    import sys
    from uuid import UUID
    import db
    from monitor.audit import AuditEvent
    from tests import build

    store, session_id = db.open_store(sys.argv[1], lock_wait_s=30), UUID(sys.argv[2])
    for minute in range(int(sys.argv[3])):
        facts = build.obs_set(minute)
        event = AuditEvent(build.at(minute), "blum", "record")
        with store.write(event, clinic=build.CLINIC, session_id=session_id) as writer:
            writer.session(session_id)
            writer.add_facts(session_id, facts)
        print(" ".join(fact.id.hex for fact in facts), flush=True)
"""


def writing_process(url: str, session: InfusionSession, sets: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), url, str(session.id), str(sets)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def acknowledged(text: str) -> list[list[UUID]]:
    """Ids of every set whose line was written out whole."""
    whole = text[: text.rfind("\n") + 1].splitlines()
    return [[UUID(word) for word in line.split()] for line in whole]


def test_processes_that_write_one_session_lose_nothing(store: SqlStore, database_url: str) -> None:
    session = start(store, build.session())
    running = [writing_process(database_url, session, 15) for _ in range(3)]
    said = [acknowledged(process.communicate(timeout=120)[0]) for process in running]
    assert [len(sets) for sets in said] == [15, 15, 15]
    expected = {fact_id for sets in said for ids in sets for fact_id in ids}
    assert {fact.id for fact in store.session(session.id).observations} == expected
    assert store.verify() == ()


def test_what_was_answered_survives_kill_9(store: SqlStore, database_url: str) -> None:
    session = start(store, build.session())
    said: list[list[UUID]] = []
    for _ in range(3):
        process = writing_process(database_url, session, 100_000)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5)]
        process.kill()
        rest, _ = process.communicate(timeout=60)
        said += acknowledged("".join(lines) + rest)
    held = {fact.id for fact in store.session(session.id).observations}
    assert {fact_id for ids in said for fact_id in ids} <= held
    by_set: dict[UUID, int] = {}
    for fact in store.session(session.id).observations:
        by_set[fact.set_id] = by_set.get(fact.set_id, 0) + 1
    assert set(by_set.values()) == {8}, "a set was saved by halves"
    assert store.version(build.CLINIC) == 1 + len(by_set)
    assert store.verify() == ()


def test_a_reader_never_sees_half_a_save(store: SqlStore, database_url: str) -> None:
    session = start(store, build.session())
    reader, done = db.open_store(database_url), threading.Event()
    sizes: set[int] = set()

    def read() -> None:
        while not done.is_set():
            sizes.add(len(reader.session(session.id).observations) % 8)

    def write() -> None:
        try:
            saver(store, session, [build.obs_set(minute) for minute in range(40)])()
        finally:
            done.set()

    at_once(read, write)
    assert sizes == {0}
    reader.close()
