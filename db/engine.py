"""Opens the database of one URL, SQLite or PostgreSQL, with the settings the record needs."""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine

from db.address import parse_url

#: How long a save waits for another one before it is refused in words.
LOCK_WAIT_S = 5

#: Execution options naming what a connection is for; see ``_begin_sqlite``.
WRITING = {"purpose": "writing"}
SNAPSHOT = {"purpose": "snapshot"}


def make_engine(url: str | URL, *, lock_wait_s: float = LOCK_WAIT_S) -> Engine:
    """An engine for ``sqlite:///file`` or ``postgresql://...``; connects on first use.

    ``lock_wait_s`` is how long one save waits for another before it is refused.

    Raises:
        WrongUrl: another kind of database, SQLite without a file, or a part that is wrong.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, lock_wait_s)
    return _postgresql(parsed, lock_wait_s)


def _sqlite(url: URL, lock_wait_s: float) -> Engine:
    engine = sa.create_engine(
        url,
        pool_size=8,
        max_overflow=56,
        pool_timeout=lock_wait_s,
        # Sets the busy timeout of SQLite.
        connect_args={"timeout": lock_wait_s},
        # No error message quotes what was entered.
        hide_parameters=True,
    )
    sa.event.listen(engine, "connect", _connect_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _connect_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own transactions begin deferred: two writers would then both fail.  Switch them
    # off; _begin_sqlite says when a transaction begins and of which kind.
    connection.isolation_level = None
    # FULL: a save that was answered survives a power cut.  recursive_triggers: REPLACE deletes
    # rows, and only then runs the triggers that refuse it.
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "recursive_triggers = ON",
        "trusted_schema = OFF",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    purpose = connection.get_execution_options().get("purpose")
    if purpose == "writing":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif purpose == "snapshot":
        connection.exec_driver_sql("BEGIN")
    # Otherwise every statement is its own: a read holds nothing that a writer waits for.


def _postgresql(url: URL, lock_wait_s: float) -> Engine:
    settings = {
        "lock_timeout": f"{round(lock_wait_s * 1000)}ms",
        "statement_timeout": "120s",
        "idle_in_transaction_session_timeout": "60s",
        "timezone": "UTC",
    }
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=8,
        max_overflow=24,
        pool_timeout=lock_wait_s,
        # A connection that a fail-over or a restart cut is replaced before it is used.
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": LOCK_WAIT_S,
            "application_name": "infusion-monitor",
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        },
    )
