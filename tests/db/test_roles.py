"""On PostgreSQL the role that serves cannot change a fact or switch a trigger off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

import db
from db.engine import make_engine
from monitor.errors import StoreUnavailable
from tests import build
from tests.db.conftest import fill


@pytest.fixture
def as_app(postgres_url: str) -> Iterator[str]:
    """The same database, opened as a role that only serves."""
    owner = make_engine(postgres_url)
    with owner.begin() as connection:
        connection.exec_driver_sql('CREATE ROLE "monitor app" LOGIN')
    db.grant_to(postgres_url, "monitor app")
    yield make_url(postgres_url).set(username="monitor app").render_as_string(hide_password=False)
    with owner.begin() as connection:
        connection.exec_driver_sql('DROP OWNED BY "monitor app"')
        connection.exec_driver_sql('DROP ROLE "monitor app"')
    owner.dispose()


def test_the_serving_role_can_do_all_the_work(as_app: str) -> None:
    store = db.open_store(as_app)
    session = fill(store)
    with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
        writer.add_facts(session.id, build.obs_set(90))
    store.add_failed_attempt("blum", build.T0)
    store.clear_failed_attempts("blum")
    assert len(store.session(session.id).observations) == 10
    assert store.verify() == ()
    store.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE observation SET value = 97",
        "DELETE FROM observation",
        "TRUNCATE observation",
        "ALTER TABLE observation DISABLE TRIGGER ALL",
        "DROP TRIGGER observation_append_only ON observation",
        "DROP TABLE observation CASCADE",
        (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RETURN NEW; END $$"
        ),
        "SET session_replication_role = replica",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
def test_the_serving_role_can_do_no_harm(as_app: str, statement: str) -> None:
    engine = make_engine(as_app)
    with (
        engine.connect() as connection,
        pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"),
    ):
        connection.exec_driver_sql(statement)
    engine.dispose()


def test_a_role_that_does_not_exist_is_refused_in_words(postgres_url: str) -> None:
    with pytest.raises(StoreUnavailable, match="Nothing was saved"):
        db.grant_to(postgres_url, "nobody here")


def test_sqlite_has_no_roles(sqlite_url: str) -> None:
    with pytest.raises(ValueError, match="Only PostgreSQL"):
        db.grant_to(sqlite_url, "monitor")
