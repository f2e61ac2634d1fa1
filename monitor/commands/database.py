"""Which database a command works on, and in which zone: from its arguments and the environment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import db
from db.address import parse_url
from monitor.errors import NotFound, StoreUnavailable
from monitor.one_tap import OneTap, packaged, read_one_tap

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_DATABASE_URL = f"sqlite:///{ROOT / 'data' / 'monitor.db'}"
DEFAULT_ZONE = "Europe/London"

#: How long a command waits for the saves of a busy ward; nobody stands at a bedside for it.
LOCK_WAIT_S = 30


def now() -> datetime:
    return datetime.now(UTC)


def database_url(given: str | None) -> str:
    """The database to use; a relative SQLite file is relative to where the command was typed.

    Raises:
        WrongUrl: it is not the URL of a database for the record.
    """
    url = parse_url(given or os.environ.get("MONITOR_DATABASE_URL") or DEFAULT_DATABASE_URL)
    if url.get_backend_name() == "sqlite" and url.database:
        # Not Path.resolve: a link in a circle is for the database to refuse.
        url = url.set(database=os.path.abspath(url.database))
    return str(url.render_as_string(hide_password=False))


def migrated(url: str) -> None:
    """Bring the database to the present version; a SQLite file is made where there is none."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        folder = Path(parsed.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(
                f"The folder {folder} of the database cannot be made: {error.strerror}."
            ) from error
    db.migrate(url, now=now())


def clinic_zone() -> ZoneInfo:
    """The clinic's time zone, from MONITOR_ZONE."""
    name = os.environ.get("MONITOR_ZONE") or DEFAULT_ZONE
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: "Europe" is a folder of zones, "x" * 300 no name of a file.
        raise NotFound(
            f'MONITOR_ZONE "{name}" is not the name of a time zone such as Europe/London.'
        ) from None


def one_tap() -> OneTap:
    """The clinic's one-tap buttons, from the file that MONITOR_ONE_TAP names.

    Raises:
        InvalidEntry: something in that file is wrong.
    """
    name = os.environ.get("MONITOR_ONE_TAP")
    return read_one_tap(Path(name)) if name else packaged()


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[db.SqlStore]:
    """The store of the database named by the arguments, closed at the end."""
    url = database_url(args.database)
    store = db.open_store(url, zone=clinic_zone(), lock_wait_s=LOCK_WAIT_S)
    try:
        yield store
    finally:
        store.close()
