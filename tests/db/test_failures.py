"""Whatever the database cannot do becomes one clear sentence, and nothing is half-saved."""

from __future__ import annotations

import socket
import sqlite3
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

import db
from db import SqlStore
from db.engine import make_engine
from db.failures import committing, reason_of, translated
from monitor.errors import InvalidEntry, NotFound, StoreUnavailable
from monitor.record import InfusionSession
from tests import build
from tests.db.conftest import Intruder, start, summary_row


def save_a_set(store: SqlStore, session: InfusionSession) -> None:
    with store.write(build.audit(), clinic=session.clinic, session_id=session.id) as writer:
        writer.add_facts(session.id, build.obs_set(5))
        writer.set_summary(session.id, summary_row(session))


def assert_nothing_was_saved(url: str, session: InfusionSession) -> None:
    store = db.open_store(url)
    assert store.session(session.id) == session
    assert store.version(session.clinic) == 1
    assert store.summaries(build.query()) == []
    assert store.verify() == ()
    store.close()


@contextmanager
def with_pragma(url: str, pragma: str) -> Iterator[SqlStore]:
    """A store whose every connection has one more setting."""
    engine = make_engine(url)

    def more(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    sa.event.listen(engine, "connect", more)
    store = SqlStore(engine)
    try:
        yield store
    finally:
        store.close()


# -- busy -------------------------------------------------------------------------------------


def test_a_save_that_waits_too_long_for_another_is_refused(database_url: str) -> None:
    store = db.open_store(database_url, lock_wait_s=0.2)
    session = start(store, build.session())
    other = make_engine(database_url)
    with other.connect() as holder:
        if other.dialect.name == "sqlite":
            holder.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            holder.exec_driver_sql("SELECT 1 FROM session_head FOR UPDATE")
        with pytest.raises(StoreUnavailable, match=r"busy with another save\. Nothing was saved"):
            save_a_set(store, session)
        assert store.session(session.id) == session, "reading does not wait for a writer"
        holder.rollback()
    other.dispose()
    store.close()
    assert_nothing_was_saved(database_url, session)


def test_a_thread_that_waits_too_long_for_another_is_refused(sqlite_url: str) -> None:
    store = db.open_store(sqlite_url, lock_wait_s=0.2)
    with (
        store.write(build.audit(), clinic=build.CLINIC),
        pytest.raises(StoreUnavailable, match="busy with another save"),
    ):
        store.add_failed_attempt("blum", build.T0)
    store.add_failed_attempt("blum", build.T0)
    assert store.failed_attempts("blum", build.T0) == 1
    store.close()


# -- full, read-only, damaged -----------------------------------------------------------------


def test_a_full_disk_saves_nothing(sqlite_url: str) -> None:
    setup = db.open_store(sqlite_url)
    session = start(setup, build.session())
    setup.close()
    path = sqlite_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
    saved = 0

    def fill_the_disk(store: SqlStore) -> None:
        nonlocal saved
        for minute in range(1000):
            with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
                writer.add_facts(session.id, build.obs_set(minute))
            saved += 1

    with with_pragma(sqlite_url, f"max_page_count = {pages}") as store:
        with pytest.raises(StoreUnavailable, match=r"database is full\. Nothing was saved"):
            fill_the_disk(store)
        held = store.session(session.id)
        assert len(held.observations) == 8 * saved, "a set was saved by halves"
        assert store.version(build.CLINIC) == 1 + saved
    store = db.open_store(sqlite_url)
    assert store.session(session.id) == held
    assert store.verify() == ()
    store.close()


def test_a_read_only_database_saves_nothing(database_url: str, postgres_server: str) -> None:
    setup = db.open_store(database_url)
    session = start(setup, build.session())
    setup.close()
    if database_url.startswith("sqlite"):
        with (
            with_pragma(database_url, "query_only = ON") as store,
            pytest.raises(StoreUnavailable, match=r"read-only\. Nothing was saved"),
        ):
            save_a_set(store, session)
    else:
        name = make_url(database_url).database
        with psycopg.connect(postgres_server, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        store = db.open_store(database_url)
        with pytest.raises(StoreUnavailable, match=r"read-only\. Nothing was saved"):
            save_a_set(store, session)
        store.close()
    assert_nothing_was_saved(database_url, session)


def test_a_damaged_file_is_said_to_be_damaged(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    path.write_bytes(b"not a database" + path.read_bytes()[14:])
    with pytest.raises(StoreUnavailable, match="damaged or is not a database"):
        db.open_store(sqlite_url)


def test_a_disk_that_fails_in_the_middle_of_a_page_is_said_so(sqlite_url: str) -> None:
    """The header is sound and the pages behind it are not."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="damaged"):  # noqa: PT012 - either may notice
        store = db.open_store(sqlite_url)
        store.versions("protocol", build.CLINIC)


# -- unreachable ------------------------------------------------------------------------------


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.parametrize("call", [db.open_store, db.migrate], ids=["open", "migrate"])
def test_a_server_that_does_not_answer_is_said_to_be_unreachable(
    call: Callable[[str], object],
) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        call(f"postgresql://monitor@127.0.0.1:{closed_port()}/monitor")


def test_a_folder_that_does_not_exist_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        db.migrate(f"sqlite:///{tmp_path}/nowhere/monitor.db")


def test_a_database_the_server_does_not_have_is_said_so(postgres_server: str) -> None:
    url = make_url(postgres_server).set(database="nowhere")
    with pytest.raises(StoreUnavailable, match="no such database"):
        db.open_store(url.render_as_string(hide_password=False))


def test_a_connection_cut_in_the_middle_of_a_save_saves_nothing(
    postgres_url: str, postgres_server: str
) -> None:
    store = db.open_store(postgres_url)
    session = start(store, build.session())

    def cut_off() -> None:
        with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
            writer.add_facts(session.id, build.obs_set(5))
            with psycopg.connect(postgres_server, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    [make_url(postgres_url).database],
                )

    with pytest.raises(StoreUnavailable, match=r"cannot be reached\. Nothing was saved"):
        cut_off()
    assert_nothing_was_saved(postgres_url, session)
    save_a_set(store, session)
    assert len(store.session(session.id).observations) == 8, "the store finds the server again"
    store.close()


def test_a_commit_whose_answer_was_lost_is_not_called_unsaved() -> None:
    lost = DBAPIError("COMMIT", None, psycopg.OperationalError("gone"), connection_invalidated=True)
    with pytest.raises(StoreUnavailable, match="not saved twice"), committing():
        raise lost


# -- versions ---------------------------------------------------------------------------------


def test_a_database_of_another_version_is_not_opened(database_url: str, intruder: Intruder) -> None:
    intruder.plainly("UPDATE alembic_version SET version_num = '9999'")
    for call in (db.open_store, db.migrate):
        with pytest.raises(StoreUnavailable, match=f"9999, this program needs {db.SCHEMA_VERSION}"):
            call(database_url)


def test_an_empty_database_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "monitor.db").touch()
    with pytest.raises(StoreUnavailable, match="holds no record yet"):
        db.open_store(f"sqlite:///{tmp_path}/monitor.db")


def test_a_missing_file_is_not_made_by_opening_it(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    with pytest.raises(StoreUnavailable, match="There is no database file"):
        db.open_store(f"sqlite:///{path}")
    assert not path.exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/monitor"])
def test_what_cannot_keep_a_record_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"name a file|not in mysql"):
        make_engine(url)


def test_a_table_that_vanished_is_called_another_version(
    database_url: str, store: SqlStore, intruder: Intruder
) -> None:
    session = start(store, build.session())
    intruder.plainly("DROP TABLE draft")
    with pytest.raises(StoreUnavailable, match="another version"):
        store.drafts(session.id)
    assert database_url


# -- every sentence ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (psycopg.errors.LockNotAvailable, "busy with another save"),
        (psycopg.errors.DeadlockDetected, "busy with another save"),
        (psycopg.errors.SerializationFailure, "busy with another save"),
        (psycopg.errors.DiskFull, "disk of the database is full"),
        (psycopg.errors.TooManyConnections, "no connection left"),
        (psycopg.errors.QueryCanceled, "too long to answer"),
        (psycopg.errors.InsufficientPrivilege, "does not let this program write"),
        (psycopg.errors.InvalidPassword, "user name or password"),
        (psycopg.errors.AdminShutdown, "cannot be reached"),
        (psycopg.errors.CannotConnectNow, "cannot be reached"),
        (psycopg.errors.IoError, "cannot be read or written"),
        (psycopg.errors.DataCorrupted, "damaged"),
        (psycopg.errors.UndefinedTable, "another version"),
        (psycopg.errors.FeatureNotSupported, "database failed"),
        (psycopg.OperationalError, "cannot be reached"),
    ],
    ids=lambda item: getattr(item, "__name__", None),
)
def test_every_failure_of_the_server_has_its_sentence(
    error: type[psycopg.Error], sentence: str
) -> None:
    assert sentence in reason_of(DBAPIError("", None, error("in the words of the server")))


def test_no_message_and_no_log_quotes_what_was_entered(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    """What a traceback would print, when some caller logs one."""
    session = start(store, build.session())
    bad = build.side_effect("nausea", 9, note="told in confidence")

    def save() -> None:
        with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
            writer.add_facts(session.id, [bad])

    with pytest.raises(InvalidEntry, match="grade") as caught:
        save()
    printed = "".join(traceback.format_exception(caught.value))
    assert "told in confidence" not in printed + caplog.text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("connection failed: Connection refused", "cannot be reached"),
        ('FATAL: database "x" does not exist', "no such database"),
        ("FATAL: password authentication failed", "user name or password"),
        ("fe_sendauth: no password supplied", "user name or password"),
    ],
)
def test_a_connection_that_was_refused_has_its_sentence(words: str, sentence: str) -> None:
    assert sentence in reason_of(DBAPIError("", None, psycopg.OperationalError(words)))


def test_a_mistake_of_ours_in_a_statement_is_no_crash(store: SqlStore) -> None:
    with pytest.raises(StoreUnavailable, match="cannot do this"), translated(writing=False):
        raise sa.exc.CompileError


def test_a_commit_that_was_refused_is_called_unsaved() -> None:
    full = DBAPIError("COMMIT", None, sqlite3.OperationalError("database or disk is full"))
    with (
        pytest.raises(StoreUnavailable, match=r"is full\. Nothing was saved"),
        translated(writing=True),
        committing(),
    ):
        raise full


def test_waiting_in_vain_for_a_connection_is_called_busy() -> None:
    with pytest.raises(StoreUnavailable, match="busy"), translated(writing=True):
        raise PoolTimeout


def test_what_is_not_there_is_said_in_words(store: SqlStore) -> None:
    asked: list[tuple[Callable[[], object], str]] = [
        (lambda: store.session(build.an_id()), "no infusion session"),
        (lambda: store.patient(build.an_id()), "no patient"),
        (lambda: store.pinned(build.an_id()), "no version"),
        (lambda: store.user("nobody"), "no account nobody"),
        (lambda: store.credential("nobody"), "no password"),
    ]
    for call, words in asked:
        with pytest.raises(NotFound, match=words):
            call()
