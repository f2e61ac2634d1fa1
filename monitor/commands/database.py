"""Which database a command works on, and in which zone: from its arguments and the environment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import make_url

import db
from monitor.errors import NotFound

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_DATABASE_URL = f"sqlite:///{ROOT / 'data' / 'monitor.db'}"
DEFAULT_ZONE = "Europe/London"


def now() -> datetime:
    return datetime.now(UTC)


def database_url(given: str | None) -> str:
    """The database to use; a relative SQLite file is relative to where the command was typed."""
    url = given or os.environ.get("MONITOR_DATABASE_URL") or DEFAULT_DATABASE_URL
    try:
        parsed = make_url(url)
    except Exception as error:
        raise NotFound(f'"{url}" is not a database URL such as sqlite:///monitor.db.') from error
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        file = Path(parsed.database).resolve()
        return str(parsed.set(database=str(file)).render_as_string(hide_password=False))
    return url


def migrated(url: str) -> None:
    """Bring the database to the present version; a SQLite file is made where there is none."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    db.migrate(url, now=now())


def clinic_zone() -> ZoneInfo:
    """The clinic's time zone, from MONITOR_ZONE."""
    name = os.environ.get("MONITOR_ZONE", DEFAULT_ZONE)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise NotFound(f"MONITOR_ZONE names no time zone: {name}") from None


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[db.SqlStore]:
    """The store of the database named by the arguments, closed at the end."""
    store = db.open_store(database_url(args.database), zone=clinic_zone())
    try:
        yield store
    finally:
        store.close()
