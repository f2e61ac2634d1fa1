"""Brings a database to the present version, and opens one only when it is of that version."""

from __future__ import annotations

import os
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from db.address import parse_url
from db.chain import SHARED
from db.engine import LOCK_WAIT_S, make_engine
from db.failures import LOG, translated
from db.store import SqlStore
from db.tables import RECORD, WORKING
from monitor.audit import AuditEvent
from monitor.errors import StoreUnavailable
from monitor.protocols import seed_versions

#: The newest migration; a test holds it to migrations/versions.
SCHEMA_VERSION = "0007"

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def migrate(url: str, *, now: datetime | None = None) -> None:
    """Upgrade to the newest schema and store the packaged protocols and threshold sets once.

    Raises:
        StoreUnavailable: the database cannot be reached, written or understood; it is unchanged.
    """
    # Alembic takes a third of a second to import; opening a database needs none of it.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    check_plain_file(url)
    engine = make_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["engine"] = engine
    try:
        is_blank(engine)  # raises when the tables are another program's
        with translated(writing=True):
            command.upgrade(config, "head")
        seed(SqlStore(engine), now or datetime.now(UTC))
    except CommandError as error:
        raise StoreUnavailable(_other_version(schema_version(engine))) from error
    finally:
        engine.dispose()


def seed(store: SqlStore, now: datetime) -> None:
    """Store the packaged versions that are not stored yet.

    A version that is stored stays as it is, whatever the package says now: sessions ran under it.
    """
    held = {
        (version.kind, version.code, version.version): version.id
        for kind in ("protocol", "threshold_set")
        for version in store.versions(kind, None)
    }
    missing = []
    for version in seed_versions():
        stored = held.get((version.kind, version.code, version.version))
        if stored is None:
            missing.append(version)
        elif stored != version.id:
            LOG.warning(
                "the packaged %s %s v%s is not the one stored; the stored one stays in force."
                " A change needs a new version number.",
                version.kind,
                version.code,
                version.version,
            )
    if not missing:
        return
    event = AuditEvent(now, "monitor", "STORE_PACKAGED_VERSIONS")
    with store.write(event, clinic=SHARED) as writer:
        for version in missing:
            writer.add_version(version)


def open_store(url: str, *, zone: tzinfo = UTC, lock_wait_s: float = LOCK_WAIT_S) -> SqlStore:
    """The store of a database that is of the present version.

    ``lock_wait_s`` is how long one save waits for another before it is refused.

    Raises:
        StoreUnavailable: there is none, it cannot be reached, or it is of another version.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not os.path.isfile(parsed.database or ""):
        raise StoreUnavailable(
            f"There is no database file {parsed.database}. Start with: python -m monitor serve"
        )
    engine = make_engine(url, lock_wait_s=lock_wait_s)
    try:
        version = None if is_blank(engine) else schema_version(engine)
        if version != SCHEMA_VERSION:
            raise StoreUnavailable(_other_version(version))
    except BaseException:
        engine.dispose()
        raise
    return SqlStore(engine, zone=zone, lock_wait_s=lock_wait_s)


def grant_to(url: str, role: str) -> None:
    """Let a PostgreSQL role run the monitor: read, add facts, change working tables, no more.

    The role that migrates owns the tables; the role that serves cannot switch a trigger off.

    Raises:
        ValueError: not PostgreSQL.
        StoreUnavailable: there is no such role, or this one may not grant.
    """
    engine = make_engine(url)
    if engine.dialect.name != "postgresql":
        raise ValueError("Only PostgreSQL has roles.")
    quoted = engine.dialect.identifier_preparer.quote_identifier(role)
    try:
        with translated(writing=True), engine.begin() as connection:
            for names, rights in (
                (["alembic_version"], "SELECT"),
                (RECORD, "SELECT, INSERT"),
                (WORKING, "SELECT, INSERT, UPDATE, DELETE"),
            ):
                connection.exec_driver_sql(f"GRANT {rights} ON {', '.join(names)} TO {quoted}")
    finally:
        engine.dispose()


def schema_version(engine: Engine) -> str | None:
    """The migration the database is at, or None when it was never migrated."""
    with translated(writing=False), engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def check_plain_file(url: str) -> None:
    """See that a SQLite URL names a plain file or nothing yet: never a device, pipe or folder.

    Raises:
        StoreUnavailable: something else is there, and is left alone.
    """
    parsed = parse_url(url)
    path = parsed.database or ""
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite and os.path.lexists(path) and not os.path.isfile(path):
        raise StoreUnavailable(f"{path} is no plain file and is left alone; name another.")


def is_blank(engine: Engine) -> bool:
    """Whether the database holds no table at all: nothing of the monitor, nothing of others.

    Raises:
        StoreUnavailable: it holds tables, and not the monitor's.
    """
    with translated(writing=False), engine.connect() as connection:
        # One question: a migration that goes on elsewhere is seen as a whole or not at all.
        tables = sa.inspect(connection).get_table_names()
    if tables and "alembic_version" not in tables:
        raise StoreUnavailable(
            "The database holds tables of another program and is left alone. Name a database of"
            " the monitor's own."
        )
    return not tables


def _other_version(version: str | None) -> str:
    if version is None:
        return "The database holds no record yet. Start with: python -m monitor serve"
    return (
        f"The database is of version {version}, this program needs {SCHEMA_VERSION}. Run the"
        " program that belongs to it, or bring it up to date with: python -m monitor serve"
    )
