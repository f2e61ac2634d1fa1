"""Databases for every test: migrated once, copied per test, SQLite and PostgreSQL alike.

T0 and the builders of facts live in tests/build.py.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import settings
from sqlalchemy.engine import make_url

from tests.build import T0, an_id
from tests.postgres_server import NoPostgres, throw_away_server

if TYPE_CHECKING:
    from db import SqlStore

# How long an example takes says how busy the machine is; what is searched in CI is the same each time.
settings.register_profile("tests", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("tests")

__all__ = ["T0"]


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file migrated to head, never written by a test."""
    import db

    path = tmp_path_factory.mktemp("migrated") / "monitor.db"
    db.migrate(f"sqlite:///{path}", now=T0)
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A fresh copy of the migrated SQLite file."""
    path = tmp_path / "monitor.db"
    shutil.copyfile(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a throw-away PostgreSQL server; without one the tests fail in one sentence."""
    try:
        with throw_away_server() as url:
            # The data dies with the test run; durability is measured elsewhere.
            with psycopg.connect(url, autocommit=True) as connection:
                for setting in ("fsync", "full_page_writes", "autovacuum"):
                    connection.execute(f"ALTER SYSTEM SET {setting} = off")
                connection.execute("SELECT pg_reload_conf()")
            yield url
    except NoPostgres as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> str:
    """The name of a database migrated to head, never written by a test."""
    import db

    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated")
    db.migrate(named(postgres_server, "migrated"), now=T0)
    return "migrated"


@contextmanager
def _postgres_copy(server: str, template: str) -> Iterator[str]:
    """The URL of a fresh copy of a database, dropped afterwards."""
    name = f"test_{an_id().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        # Copying files is the faster way; before version 15 it was the only one.
        strategy = " STRATEGY FILE_COPY" if connection.info.server_version >= 150000 else ""
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}{strategy}")
        yield named(server, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: str, migrated_postgres: str) -> Iterator[str]:
    """A fresh copy of the migrated PostgreSQL database."""
    with _postgres_copy(postgres_server, migrated_postgres) as url:
        yield url


def named(url: str, database: str) -> str:
    """The URL of another database on the same server."""
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh migrated database: the test runs once on each engine."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    """A store on a fresh database: the test runs once on each engine."""
    import db

    opened = db.open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def other_store(
    database_url: str, migrated_sqlite: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[SqlStore]:
    """Another clinic's fresh database on the same engine: what is exported is imported there."""
    import db

    if database_url.startswith("sqlite"):
        path = tmp_path / "other.db"
        shutil.copyfile(migrated_sqlite, path)
        opened = db.open_store(f"sqlite:///{path}")
        yield opened
        opened.close()
        return
    server = request.getfixturevalue("postgres_server")
    template = request.getfixturevalue("migrated_postgres")
    with _postgres_copy(server, template) as url:
        opened = db.open_store(url)
        yield opened
        opened.close()


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[SqlStore]:
    """A store on a fresh SQLite file, for tests that are not about storage."""
    import db

    opened = db.open_store(sqlite_url)
    yield opened
    opened.close()
