"""What the database refuses, in one sentence a person can act on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import OperationalError as PsycopgOperationalError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from monitor.errors import InvalidEntry, MonitorError, NotFound, Problem, StoreUnavailable

LOG = logging.getLogger("monitor.store")

_BUSY = "The database is busy with another save."
_FULL = "The disk of the database is full."
_READ_ONLY = "The database is read-only."
_UNREACHABLE = "The database cannot be reached."
_DAMAGED = "The database file is damaged or is not a database."

UNSTORABLE = "A text or number cannot be stored as it is. Type it again."

#: Part of SQLite's message -> sentence.
_SQLITE = {
    "is locked": _BUSY,
    "is full": _FULL,
    "readonly": _READ_ONLY,
    "unable to open": "The database file cannot be opened.",
    "disk i/o": "The disk of the database cannot be read or written.",
    "malformed": _DAMAGED,
    "not a database": _DAMAGED,
    "no such table": "The database is of another version.",
    "no such column": "The database is of another version.",
}

#: SQLSTATE of PostgreSQL (or its first two characters) -> sentence.
_POSTGRESQL = {
    "55P03": _BUSY,
    "40001": _BUSY,
    "40P01": _BUSY,
    "57014": "The database took too long to answer.",
    "53300": "The database has no connection left.",
    "53": _FULL,
    "25006": _READ_ONLY,
    "42501": "The database does not let this program write.",
    "42P01": "The database is of another version.",
    "42703": "The database is of another version.",
    "28": "The database refuses the user name or password of this program.",
    "3D000": "There is no such database on the server.",
    "08": _UNREACHABLE,
    "57P": _UNREACHABLE,
    "58": "The disk of the database cannot be read or written.",
    "XX": _DAMAGED,
}

_NOT_SAVED = (
    "Nothing was saved. Try again; if it stays, use paper and tell whoever runs the monitor."
)
_NOT_READ = "Try again; if it stays, tell whoever runs the monitor."
_UNKNOWN_END = (
    "The database was lost in the middle of saving. Save again: what was already saved is not"
    " saved twice."
)


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def reason_of(error: SQLAlchemyError) -> str:
    """Why the database failed, in one sentence."""
    if isinstance(error, PoolTimeout):
        return _BUSY
    if not isinstance(error, DBAPIError):
        return "The database cannot do this."
    state = _sqlstate(error)
    if state:
        for length in (5, 3, 2):
            if state[:length] in _POSTGRESQL:
                return _POSTGRESQL[state[:length]]
    message = str(error.orig).lower()
    for part, sentence in _SQLITE.items():
        if part in message:
            return sentence
    if not state and isinstance(error.orig, PsycopgOperationalError):
        return _refused_connection(message)
    return "The database failed."


def _refused_connection(message: str) -> str:
    """A connection that was never made has no SQLSTATE, only the words of the server."""
    if "does not exist" in message:
        return _POSTGRESQL["3D000"]
    if "authentication failed" in message or "no password" in message:
        return _POSTGRESQL["28"]
    return _UNREACHABLE


def _refusal(error: IntegrityError) -> MonitorError:
    """A row that does not fit the record: a used id, an unknown reference, an impossible value."""
    state, message = _sqlstate(error), str(error.orig)
    if state == "23505" or "REPLACE refused" in message or "UNIQUE" in message:
        if "mrn" in message or "patient is append-only" in message:
            text = "This patient number belongs to another patient. Look the patient up by it."
            return InvalidEntry([Problem("mrn", text)])
        text = "This entry's id is already used elsewhere. Reload the page and enter again."
        return InvalidEntry([Problem("id", text)])
    if state == "23503" or "FOREIGN KEY" in message:
        return NotFound("The entry names a session, patient, version or entry that is not stored.")
    named = message.split("constraint failed: ")[-1] if state is None else _constraint(error)
    return InvalidEntry([Problem("", f"The record cannot hold this value ({named}).")])


def _constraint(error: IntegrityError) -> str:
    diagnosis = getattr(error.orig, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or "unknown constraint"


@contextmanager
def translated(*, writing: bool) -> Iterator[None]:
    """Turn every failure of the database inside into a MonitorError.

    Raises:
        StoreUnavailable: locked, full, unreachable, read-only, damaged or of another version.
        InvalidEntry, NotFound: a row that does not fit the record.
    """
    # ``from None`` everywhere: what the database says quotes the row, and a log names no patient.
    try:
        yield
    except IntegrityError as error:
        raise _refusal(error) from None
    except (DataError, UnicodeEncodeError):
        raise InvalidEntry([Problem("", UNSTORABLE)]) from None
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        state = getattr(cause, "sqlstate", None)
        LOG.warning("database failure: %s %s", type(cause).__name__, state or "")
        end = _NOT_SAVED if writing else _NOT_READ
        raise StoreUnavailable(f"{reason_of(error)} {end}") from None


@contextmanager
def committing() -> Iterator[None]:
    """Say so when it cannot be known whether a commit went through."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable(_UNKNOWN_END) from None
        raise
