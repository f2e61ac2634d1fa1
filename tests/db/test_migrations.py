"""The migrations make the tables the code asks for, on both engines, and can be run again."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import db
from db.engine import make_engine
from db.schema import MIGRATIONS
from db.tables import METADATA, RECORD
from tests import build
from tests.db.conftest import fill


@pytest.fixture
def alembic(database_url: str) -> Any:
    """The settings of the command line, aimed at the test's database."""
    config = Config(str(MIGRATIONS / "alembic.ini"))
    config.attributes["engine"] = make_engine(database_url)
    yield config
    config.attributes["engine"].dispose()


def test_the_newest_migration_is_the_version_the_store_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [db.SCHEMA_VERSION]


def test_the_tables_are_those_of_the_code(alembic: Config) -> None:
    """Raises when autogenerate would write anything."""
    command.check(alembic)


def shape(engine: sa.Engine) -> dict[str, Any]:
    """Columns, keys, indexes, checks and triggers of every table, as the database tells them."""
    inspector = sa.inspect(engine)
    found: dict[str, Any] = {
        name: {
            "columns": [(c["name"], str(c["type"]), c["nullable"]) for c in columns],
            "checks": sorted(
                (str(check["name"]), re.sub(r"\s+", " ", check["sqltext"]))
                for check in inspector.get_check_constraints(name)
            ),
            "indexes": sorted(str(index) for index in inspector.get_indexes(name)),
            "unique": sorted(str(item) for item in inspector.get_unique_constraints(name)),
            "foreign": sorted(str(item) for item in inspector.get_foreign_keys(name)),
            "key": inspector.get_pk_constraint(name)["constrained_columns"],
        }
        for name in inspector.get_table_names()
        for columns in [inspector.get_columns(name)]
    }
    asked = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if engine.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    with engine.connect() as connection:
        found["triggers"] = sorted(connection.exec_driver_sql(asked).scalars())
    return found


def test_the_checks_of_the_code_are_those_of_the_migration(alembic: Config, tmp_path: Path) -> None:
    """Autogenerate does not compare CHECK constraints; build the tables from the code and look."""
    migrated = alembic.attributes["engine"]
    if migrated.name == "sqlite":
        other = make_engine(f"sqlite:///{tmp_path}/made.db")
        METADATA.create_all(other)
        inspector = sa.inspect(other)
        made = {name: inspector.get_check_constraints(name) for name in METADATA.tables}
        other.dispose()
    else:
        with migrated.begin() as connection:
            connection.exec_driver_sql("CREATE SCHEMA made")
            connection.exec_driver_sql("SET search_path TO made")
            METADATA.create_all(connection)
            connection.exec_driver_sql("SET search_path TO public")
        inspector = sa.inspect(migrated)
        made = {
            name: inspector.get_check_constraints(name, schema="made") for name in METADATA.tables
        }
    held = sa.inspect(migrated)
    for name, checks in made.items():

        def told(items: Any) -> list[tuple[str, str]]:
            return sorted((str(item["name"]), item["sqltext"]) for item in items)

        assert told(held.get_check_constraints(name)) == told(checks), name


def test_down_and_up_again_gives_the_same_database(alembic: Config) -> None:
    engine = alembic.attributes["engine"]
    before = shape(engine)
    assert len(before["triggers"]) >= 2 * len(RECORD)
    command.downgrade(alembic, "base")
    assert set(shape(engine)) == {"alembic_version", "triggers"}
    assert shape(engine)["triggers"] == []
    command.upgrade(alembic, "head")
    assert shape(engine) == before


def test_migrating_again_changes_nothing(store: db.SqlStore, database_url: str) -> None:
    session = fill(store)
    links = list(store.audit_rows("*"))
    db.migrate(database_url, now=build.at(1))
    assert store.session(session.id) == session
    assert list(store.audit_rows("*")) == links
    assert store.verify() == ()


def test_a_packaged_version_that_was_edited_never_replaces_the_stored_one(
    store: db.SqlStore, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    stored = [
        *store.versions("protocol", build.CLINIC),
        *store.versions("threshold_set", build.CLINIC),
    ]
    edited = build.version("protocol", stored[0].code, stored[0].version, 'name = "edited"')
    new = build.version("protocol", "NEW", 1, 'name = "new"')
    monkeypatch.setattr("db.schema.seed_versions", lambda: iter([edited, new]))
    db.migrate(database_url, now=build.at(1))
    assert {
        *store.versions("protocol", build.CLINIC),
        *store.versions("threshold_set", build.CLINIC),
    } == {*stored, new}
    assert "A change needs a new version number" in caplog.text
    assert store.verify() == ()


def test_a_migration_that_fails_leaves_nothing_behind(alembic: Config) -> None:
    engine = alembic.attributes["engine"]
    command.downgrade(alembic, "base")
    with engine.begin() as connection:
        # The last table of the first migration is in the way.
        connection.exec_driver_sql("CREATE TABLE side_effect_change (id INTEGER)")
    with pytest.raises(sa.exc.DBAPIError, match="already exists"):
        command.upgrade(alembic, "head")
    assert set(shape(engine)) == {"alembic_version", "side_effect_change", "triggers"}


def test_a_migration_outlives_the_code() -> None:
    """No migration names a module of ours: it must mean the same in ten years."""
    for path in (MIGRATIONS / "versions").glob("*.py"):
        text = path.read_text("utf-8")
        assert not re.search(r"\b(import|from) +(db|monitor)\b|\bdb\.", text), path.name


def test_autogenerate_writes_only_plain_column_types(tmp_path: Path) -> None:
    """Alembic writes custom types without importing them; render_item is there to prevent it."""
    config = Config(str(MIGRATIONS / "alembic.ini"))
    config.attributes["engine"] = make_engine(f"sqlite:///{tmp_path}/made.db")
    command.upgrade(config, "head")
    with config.attributes["engine"].begin() as connection:
        for table in ("observation", "draft", "summary", "dose_step"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    folders = (str(MIGRATIONS / "versions"), str(tmp_path))
    config.set_main_option("version_locations", os.pathsep.join(folders))
    command.revision(config, autogenerate=True, rev_id="try", version_path=str(tmp_path))
    config.attributes["engine"].dispose()
    (written,) = tmp_path.glob("try*.py")
    text = written.read_text("utf-8")
    assert text.count("op.create_table(") == 4
    assert "db." not in text


def test_every_record_table_is_protected(alembic: Config) -> None:
    triggers = shape(alembic.attributes["engine"])["triggers"]
    for name in RECORD:
        held = {trigger for trigger in triggers if trigger.startswith(f"{name}_")}
        assert held >= (
            {f"{name}_no_update", f"{name}_no_delete", f"{name}_no_replace"}
            if f"{name}_no_update" in triggers
            else {f"{name}_append_only", f"{name}_no_truncate"}
        )
