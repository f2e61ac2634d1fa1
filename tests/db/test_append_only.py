"""The database itself refuses to change or remove a fact; asked of a database migrated to head."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa

from db import SqlStore
from db.tables import RECORD, WORKING
from tests.db.conftest import Intruder, fill


@pytest.fixture
def full(store: SqlStore) -> SqlStore:
    fill(store)
    return store


def rows(intruder: Intruder, table: sa.Table) -> list[tuple[object, ...]]:
    with intruder.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(table))]


@pytest.mark.parametrize("name", RECORD)
@pytest.mark.usefixtures("full")
def test_no_fact_can_be_changed_or_removed(intruder: Intruder, name: str) -> None:
    table = RECORD[name]
    before = rows(intruder, table)
    assert before, f"{name} is empty: nothing would be tested"
    statements = [f"UPDATE {name} SET clinic = 'x'", f"DELETE FROM {name}"]
    if intruder.engine.dialect.name == "postgresql":
        statements += [f"TRUNCATE {name} CASCADE"]
        statements += [f"INSERT INTO {name} SELECT * FROM {name} ON CONFLICT DO NOTHING"]
        key = ", ".join(column.name for column in table.primary_key)
        taken = f"ON CONFLICT ({key}) DO UPDATE SET clinic = 'x'"
        statements[-1] = f"INSERT INTO {name} SELECT * FROM {name} {taken}"
    else:
        statements += [f"REPLACE INTO {name} SELECT * FROM {name}"]
    for statement in statements:
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            intruder.plainly(statement)
    assert rows(intruder, table) == before


@pytest.mark.parametrize("name", RECORD)
def test_replace_is_refused_on_a_connection_with_no_settings_of_ours(
    sqlite_url: str, sqlite_store: SqlStore, name: str
) -> None:
    """Without recursive_triggers SQLite runs no DELETE trigger for REPLACE."""
    fill(sqlite_store)
    connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    try:
        assert connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] > 0
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(f"REPLACE INTO {name} SELECT * FROM {name}")
    finally:
        connection.close()


@pytest.mark.parametrize("name", WORKING)
@pytest.mark.usefixtures("full")
def test_a_working_table_can_be_emptied(intruder: Intruder, name: str) -> None:
    intruder.plainly(f"DELETE FROM {name}")
    assert rows(intruder, WORKING[name]) == []
