"""Commands on a database that is being written: no lock errors, no invented differences."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import db
from monitor import actions
from monitor.actions.opening import bundle
from monitor.actions.saving import summary
from monitor.alerts import alerts_to_raise
from monitor.audit import AuditEvent
from monitor.errors import MonitorError
from monitor.record import Observation, SessionEvent
from monitor.store import Store
from monitor.user_admin import DEMO_CLINIC
from tests import build
from tests.monitor.conftest import Run

ROUNDS = 3


@pytest.fixture(scope="module")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo database that no test writes."""
    from db.samples import start_running
    from monitor.user_admin import create_demo_users

    path = tmp_path_factory.mktemp("demo") / "monitor.db"
    now = datetime.now(UTC)
    db.migrate(f"sqlite:///{path}", now=now)
    store = db.open_store(f"sqlite:///{path}")
    create_demo_users(store, now=now)
    start_running(store, now=now)
    store.close()
    return path


@pytest.fixture
def demo_url(demo_file: Path, tmp_path: Path) -> str:
    path = tmp_path / "monitor.db"
    path.write_bytes(demo_file.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def demo_store(demo_url: str) -> Iterator[db.SqlStore]:
    store = db.open_store(demo_url)
    yield store
    store.close()


def save_late(store: Store, session_id: UUID, at: datetime) -> None:
    """What a nurse does: an entry of some minutes ago, with its summary, in one transaction."""
    taken_at = at - timedelta(minutes=8)
    entry = Observation(
        id=build.an_id(),
        set_id=build.an_id(),
        taken_at=taken_at,
        recorded_at=at,
        recorded_by="ablum",
        parameter="spo2",
        value=Decimal(82),
    )
    note = SessionEvent(
        id=build.an_id(), taken_at=taken_at, recorded_at=at, recorded_by="ablum", kind="note"
    )
    audit = AuditEvent(at, "ablum", "SAVE_SET", session_id)
    with store.write(audit, clinic=DEMO_CLINIC, session_id=session_id) as writer:
        session = writer.session(session_id).with_facts([entry, note])
        writer.add_facts(session_id, [entry, note])
        alerts, events = writer.alerts(session_id)
        opened = bundle(store, session, (alerts, events), at)
        raised = alerts_to_raise(
            session, opened.threshold_set, alerts, events, at, protocol=opened.protocol
        )
        writer.add_alerts(*raised)
        alerts, events = (*alerts, *raised[0]), (*events, *raised[1])
        opened = bundle(store, session, (alerts, events), at)
        writer.set_summary(session_id, summary(opened, store.zone))


@pytest.fixture
def writer(demo_store: db.SqlStore) -> Iterator[list[int]]:
    """A thread that saves into one session until the test is over; how often, in a list."""
    session_id = demo_store.open_session_ids(DEMO_CLINIC)[0]
    done, first, saved = threading.Event(), threading.Event(), [0]
    failed: list[MonitorError] = []

    def work() -> None:
        try:
            # Nurses pause between two saves; here for less than the time a save takes.
            while not done.wait(0.02):
                save_late(demo_store, session_id, datetime.now(UTC))
                saved[0] += 1
                first.set()
        except MonitorError as error:
            failed.append(error)
        finally:
            first.set()

    thread = threading.Thread(target=work)
    thread.start()
    first.wait(30)
    yield saved
    done.set()
    thread.join(60)
    assert failed == []


def test_commands_do_their_job_while_somebody_saves(
    run: Run, demo_url: str, demo_store: db.SqlStore, writer: list[int], tmp_path: Path
) -> None:
    ids = demo_store.open_session_ids(DEMO_CLINIC)
    before = writer[0]
    for number in range(ROUNDS):
        where = ("--database", demo_url)
        assert run("verify", *where)[::2] == (0, "")
        assert run("breaches", ids[0], *where)[::2] == (0, "")
        for table in ("sessions", "observations", "breaches"):
            out = tmp_path / f"{table}{number}.csv"
            given = ("--in-progress", "--out", out, *where)
            assert run("export", table, *given)[::2] == (0, "")
            assert out.read_bytes().count(b"\n") >= 2
        out = tmp_path / f"session{number}"
        assert run("export-session", ids[0], "--out", out, *where)[::2] == (0, "")
    assert writer[0] > before, "nobody saved beside the commands"


def test_a_save_between_a_row_and_its_facts_is_no_difference(
    demo_store: db.SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (session_id, *_) = demo_store.open_session_ids(DEMO_CLINIC)
    read, saves = type(demo_store).session, [0]

    def read_after_a_save(store: db.SqlStore, wanted: UUID, *more: Any) -> Any:
        if wanted == session_id and saves[0] < 2:
            saves[0] += 1
            save_late(store, session_id, datetime.now(UTC))
        return read(store, wanted, *more)

    monkeypatch.setattr(type(demo_store), "session", read_after_a_save)
    assert tuple(actions.projection_problems(demo_store)) == ()
    assert saves[0] >= 1


def test_a_row_that_differs_in_truth_is_told_once(demo_store: db.SqlStore) -> None:
    (session_id, *_) = demo_store.open_session_ids(DEMO_CLINIC)
    at = datetime.now(UTC)
    with demo_store.write(AuditEvent(at, "x", "y", session_id), clinic=DEMO_CLINIC) as writer:
        opened = bundle(demo_store, demo_store.session(session_id), ((), ()), at)
        row = summary(opened, demo_store.zone) | {"nadir_spo2": 1}
        writer.set_summary(session_id, row)
    told = tuple(actions.projection_problems(demo_store))
    assert len(told) == 1
    assert f"summary of session {session_id}: " in told[0]
    assert "nadir_spo2" in told[0]
