"""The audit chain: one per clinic, appended as the last step of every writing transaction.

The text of a link holds the event and, in canonical form, every record row that was added with it:
who holds the chain can rebuild and check the record without trusting the tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from db.columns import plain
from db.failures import UNSTORABLE
from db.tables import AUDIT, CHAIN_HEAD
from monitor.audit import GENESIS, AuditEvent, canonical_text, canonical_value, chain_hash
from monitor.errors import InvalidEntry, Problem
from monitor.store import AuditRow

#: The chain of what belongs to no clinic: the packaged protocols and threshold sets.
SHARED = "*"

#: Types that are their own canonical form; asked first because a save asks it 150 times.
_AS_IT_IS = frozenset({str, int, bool})

_NEXT = (
    sa.update(CHAIN_HEAD)
    .where(CHAIN_HEAD.c.clinic == sa.bindparam("of"))
    .values(seq=CHAIN_HEAD.c.seq + 1)
    .returning(CHAIN_HEAD.c.seq, CHAIN_HEAD.c.hash)
)
_SET_HASH = (
    sa.update(CHAIN_HEAD)
    .where(CHAIN_HEAD.c.clinic == sa.bindparam("of"))
    .values(hash=sa.bindparam("new_hash"))
)
_INSERT = sa.insert(AUDIT)
#: The same two in one round trip, which the next save of the clinic waits for.
_INSERT_AND_SET_HASH = (
    sa.update(CHAIN_HEAD)
    .where(CHAIN_HEAD.c.clinic == sa.bindparam("of"))
    .values(hash=sa.bindparam("new_hash"))
    .add_cte(
        sa.insert(AUDIT)
        .values({column.name: sa.bindparam(f"link_{column.name}") for column in AUDIT.c})
        .cte("link")
    )
)


def canonical(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON values that are the same on both engines and on every machine."""
    return {
        name: value
        if value is None or type(value) in _AS_IT_IS
        else str(plain(value))
        if type(value) is Decimal
        else canonical_value(value)
        for name, value in row.items()
    }


def link_text(event: AuditEvent, clinic: str, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """What is hashed: the event, its clinic and ``[table, row]`` for every row added with it.

    The rows are in canonical form.
    """
    content = {
        "at": canonical_value(event.at),
        "by": event.by,
        "action": event.action,
        "session_id": canonical_value(event.session_id),
        "device": event.device,
        "detail": canonical_value(event.detail),
        "clinic": clinic,
        "rows": [[table, row] for table, row in rows],
    }
    text = canonical_text(content)
    if "\\u0000" in text and _holds_nul(content):
        raise InvalidEntry([Problem("", UNSTORABLE)])
    return text


def _holds_nul(value: Any) -> bool:
    """Whether a text inside holds a NUL: SQLite would take it, PostgreSQL never does."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_holds_nul(item) for item in value.values())
    return isinstance(value, list) and any(_holds_nul(item) for item in value)


def event_of(text: str) -> AuditEvent:
    """The event a link holds."""
    content = json.loads(text)
    session_id = content["session_id"]
    return AuditEvent(
        at=datetime.fromisoformat(content["at"]),
        by=content["by"],
        action=content["action"],
        session_id=None if session_id is None else UUID(session_id),
        device=content["device"],
        detail=content["detail"],
    )


def append(connection: Connection, clinic: str, event: AuditEvent, text: str) -> int:
    """Lock the head of the clinic's chain, add the link, and return its sequence number."""
    head = connection.execute(_NEXT, {"of": clinic}).first()
    if head is None:
        make_head(connection, clinic)
        head = connection.execute(_NEXT, {"of": clinic}).one()
    seq, previous = head
    link = AuditRow(seq, clinic, event, text, previous, chain_hash(previous, text))
    values = _columns(link)
    if connection.dialect.name == "postgresql":
        values = {f"link_{name}": value for name, value in values.items()}
        values |= {"of": clinic, "new_hash": link.hash}
        connection.execute(_INSERT_AND_SET_HASH, values)
        return int(seq)
    connection.execute(_INSERT, values)
    connection.execute(_SET_HASH, {"of": clinic, "new_hash": link.hash})
    return int(seq)


def _columns(link: AuditRow) -> dict[str, Any]:
    event = link.event
    return {
        "at": event.at,
        "by": event.by,
        "action": event.action,
        "session_id": event.session_id,
        "device": event.device,
        "clinic": link.clinic,
        "seq": link.seq,
        "text": link.text,
        "previous_hash": link.previous_hash,
        "hash": link.hash,
    }


def make_head(connection: Connection, clinic: str) -> None:
    """Begin a chain, or find its end again after the working tables were emptied."""
    last = connection.execute(
        sa.select(AUDIT.c.seq, AUDIT.c.hash)
        .where(AUDIT.c.clinic == clinic)
        .order_by(AUDIT.c.seq.desc())
        .limit(1)
    ).first()
    seq, link_hash = last or (0, GENESIS)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(
        insert(CHAIN_HEAD)
        .values(clinic=clinic, seq=seq, hash=link_hash)
        .on_conflict_do_nothing(index_elements=["clinic"])
    )
