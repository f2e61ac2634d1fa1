"""Runs the migrations on the database db.migrate hands over, or on that of MONITOR_DATABASE_URL."""

from __future__ import annotations

import os
from logging.config import fileConfig
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from db.columns import ExactDecimal, KeyText, ScaledDecimal, TextTuple, UtcDateTime
from db.engine import WRITING, make_engine
from db.tables import METADATA, Code

#: One migration at a time on PostgreSQL; SQLite has BEGIN IMMEDIATE.
MIGRATION_LOCK = 7_204_119_001


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Our column types as plain SQLAlchemy ones: a migration must outlive the code."""
    if kind != "type":
        return False
    match item:
        case UtcDateTime():
            return "sa.DateTime(timezone=True)"
        case ExactDecimal():
            return "EXACT"
        case ScaledDecimal():
            return "sa.BigInteger()"
        case TextTuple() | Code():
            return "sa.Text()"
        case sa.Text() if item is KeyText:
            return "KEY"
    return False


def run(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_item=render_item,
        render_as_batch=True,
        compare_type=True,
        # SQLite can roll back CREATE TABLE too: a migration that fails leaves nothing behind.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        context.run_migrations()


def main() -> None:
    if context.is_offline_mode():
        raise SystemExit("The migrations look at the database; run them without --sql.")
    given: sa.Engine | None = context.config.attributes.get("engine")
    if given is None and context.config.config_file_name:
        fileConfig(context.config.config_file_name, disable_existing_loggers=False)
    url = os.environ.get("MONITOR_DATABASE_URL", "sqlite:///monitor.db")
    engine = given or make_engine(url)
    try:
        with engine.connect().execution_options(**WRITING) as connection:
            run(connection)
    finally:
        if given is None:
            engine.dispose()


main()
