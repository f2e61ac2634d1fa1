"""The URL of a database: which parts it must have, told without ever repeating a password."""

from __future__ import annotations

import re
from collections.abc import Iterator

from psycopg.pq import Conninfo
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from monitor.errors import StoreUnavailable

_KIND = re.compile(r"[A-Za-z]\w*(\+\w+)?", re.ASCII)

_NO_KIND = (
    "A database URL begins with its kind: sqlite:///monitor.db or"
    " postgresql://user:password@host/database."
)
_IN_MEMORY = "A record in memory would be lost; name a file: sqlite:///monitor.db"
_NOT_A_FILE = (
    "The URL of a SQLite database names a file after three slashes, and no host, password or"
    " option: sqlite:///monitor.db, or sqlite:////srv/monitor.db from the root."
)
_LOGIN = "its user name or password holds an @, / or : of its own (write %40, %2F, %3A)"
_PORT = (
    "its port is not a number from 1 to 65535 (or the password holds an @, / or : of its own:"
    " write %40, %2F, %3A; or no @host follows it)"
)
_HOST = "its host holds a blank"
_OPTION = "an option after the ? is none that PostgreSQL knows"


class WrongUrl(StoreUnavailable, ValueError):
    """What was given is not the URL of a database for the record; says which part is wrong."""


def parse_url(given: str | URL) -> URL:
    """The parts of a database URL.

    Raises:
        WrongUrl: in a sentence that repeats nothing of the URL but the kind of database.
    """
    text = f"{given.drivername}://" if isinstance(given, URL) else given
    kind, mark, _ = text.partition("://")
    name, _, driver = kind.partition("+")
    if not mark or not _KIND.fullmatch(kind):
        raise WrongUrl(_NO_KIND)
    if name == "postgres":
        raise WrongUrl("The URL of a PostgreSQL database begins with postgresql://")
    if name not in ("sqlite", "postgresql"):
        raise WrongUrl(f"The record is kept in SQLite or PostgreSQL, not in {name}.")
    try:
        parsed = make_url(given)
    except (ArgumentError, ValueError):
        # Only a port that is no number; what is raised repeats it, and it may be a password.
        told = _NOT_A_FILE if name == "sqlite" else _wrong_parts([_PORT])
        raise WrongUrl(told) from None
    if name == "sqlite":
        _check_file(parsed, driver)
    elif faults := list(_faults(parsed)):
        raise WrongUrl(_wrong_parts(faults))
    return parsed


def _check_file(url: URL, driver: str) -> None:
    elsewhere = (url.host, url.username, url.password, url.port, *url.query)
    if any(part is not None for part in elsewhere) or driver not in ("", "pysqlite"):
        raise WrongUrl(_NOT_A_FILE)
    if not url.database or url.database == ":memory:":
        raise WrongUrl(_IN_MEMORY)


def _faults(url: URL) -> Iterator[str]:
    host, database = url.host or "", url.database or ""
    # A password with an @ of its own ends at the first one: its rest becomes the host.
    if "@" in host + database:
        yield _LOGIN
    elif any(letter.isspace() for letter in host):
        yield _HOST
    if url.port is not None and not 1 <= url.port <= 65535:
        yield _PORT
    if set(url.query) - {option.keyword.decode() for option in Conninfo.get_defaults()}:
        yield _OPTION


def _wrong_parts(faults: list[str]) -> str:
    return f"The URL of the PostgreSQL database is wrong: {'; '.join(faults)}."
