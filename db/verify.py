"""Holds the audit chain against every record table: what was changed, removed, added, reordered."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from db.chain import canonical, event_of
from db.tables import (
    ALERT,
    ALERT_EVENT,
    AUDIT,
    CHAIN_HEAD,
    FACT_TABLES,
    RECORD,
    SESSION,
    SESSION_HEAD,
)
from monitor.audit import GENESIS, chain_hash

#: Links read, and rows asked for, at once: what bounds the memory and the length of a question.
BATCH = 500
ROWS_AT_ONCE = 5000

#: Record tables whose rows the chain names; the chain is the audit table itself.
CHAINED = {name: table for name, table in RECORD.items() if table is not AUDIT}


def verify(connection: Connection) -> Iterator[str]:
    """Everything that does not hold, one sentence each; nothing when the record is sound."""
    seen: dict[str, int] = defaultdict(int)
    clinics = connection.execute(sa.select(AUDIT.c.clinic).distinct().order_by(AUDIT.c.clinic))
    for clinic in clinics.scalars().all():
        yield from _chain(connection, clinic, seen)
    yield from _heads(connection)
    for name, table in CHAINED.items():
        stored = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        if stored > seen[name]:
            yield from _strangers(connection, name, table)
    yield from _session_heads(connection)


def _links(connection: Connection, clinic: str | None = None) -> Iterator[list[Row[Any]]]:
    """The links in order, a batch at a time, each batch asked anew from where the last ended."""
    after = ("", 0) if clinic is None else (clinic, 0)
    while True:
        asked = (
            sa.select(AUDIT)
            .where(sa.tuple_(AUDIT.c.clinic, AUDIT.c.seq) > sa.tuple_(*after))
            .order_by(AUDIT.c.clinic, AUDIT.c.seq)
            .limit(BATCH)
        )
        if clinic is not None:
            asked = asked.where(AUDIT.c.clinic == clinic)
        batch = list(connection.execute(asked))
        if not batch:
            return
        yield batch
        after = (batch[-1].clinic, batch[-1].seq)


def _chain(connection: Connection, clinic: str, seen: dict[str, int]) -> Iterator[str]:
    """Re-hash one chain and compare the rows its links name."""
    previous, expected = GENESIS, 1
    for batch in _links(connection, clinic):
        named: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        for link in batch:
            place = f"audit {clinic} {link.seq}"
            if link.seq != expected:
                yield f"{place}: links {expected} to {link.seq - 1} are missing"
            if link.previous_hash != previous:
                yield f"{place}: does not follow the link before it"
            if link.hash != chain_hash(link.previous_hash, link.text):
                yield f"{place}: the text was changed after it was hashed"
            yield from _columns(link, place)
            previous, expected = link.hash, link.seq + 1
            for table, row in _rows_named(link.text):
                seen[table] += 1
                if row["id"] in named[table]:
                    yield f"{place}: names {table} {row['id']} a second time"
                named[table][row["id"]] = row
        for table, rows in named.items():
            ids = list(rows)
            for start in range(0, len(ids), ROWS_AT_ONCE):
                part = {row_id: rows[row_id] for row_id in ids[start : start + ROWS_AT_ONCE]}
                yield from _compare(connection, table, part)


def _rows_named(text: str) -> list[list[Any]]:
    try:
        rows: list[list[Any]] = json.loads(text)["rows"]
    except (ValueError, KeyError, TypeError):
        return []
    return rows


def _columns(link: Row[Any], place: str) -> Iterator[str]:
    """The columns of a link only repeat its text, so that they can be searched."""
    try:
        event, clinic = event_of(link.text), json.loads(link.text)["clinic"]
    except (ValueError, KeyError, TypeError):
        yield f"{place}: the text cannot be read"
        return
    said = (event.at, event.by, event.action, event.session_id, event.device, clinic)
    if said != (link.at, link.by, link.action, link.session_id, link.device, link.clinic):
        yield f"{place}: its columns do not say what its text says"


def _compare(connection: Connection, name: str, rows: Mapping[str, Any]) -> Iterator[str]:
    """The rows the chain names against the rows that are stored."""
    table = CHAINED.get(name)
    if table is None:
        yield f"the audit trail names a table {name} that does not exist"
        return
    asked = sa.select(table).where(table.c.id.in_([UUID(row_id) for row_id in rows]))
    stored = {str(row["id"]): canonical(dict(row)) for row in connection.execute(asked).mappings()}
    for row_id, row in rows.items():
        if row_id not in stored:
            yield f"{name} {row_id}: was removed"
            continue
        # A column that is newer than the row is empty in it, and is not in the link.
        changed = sorted(
            column
            for column in row.keys() | stored[row_id].keys()
            if row.get(column) != stored[row_id].get(column)
        )
        if changed:
            yield f"{name} {row_id}: was changed ({', '.join(changed)})"


def _strangers(connection: Connection, name: str, table: sa.Table) -> Iterator[str]:
    """Rows no link names.  Asked only when there are more rows than the chain knows of."""
    known = {
        UUID(row["id"]).int
        for batch in _links(connection)
        for link in batch
        for named, row in _rows_named(link.text)
        if named == name
    }
    for row_id in connection.execute(sa.select(table.c.id).order_by(table.c.id)).scalars():
        if row_id.int not in known:
            yield f"{name} {row_id}: was added without the audit trail"


def _heads(connection: Connection) -> Iterator[str]:
    """Each chain ends where its head says: a chain cut at its end would hash well otherwise."""
    ends = {
        row.clinic: row.seq
        for row in connection.execute(
            sa.select(AUDIT.c.clinic, sa.func.max(AUDIT.c.seq).label("seq")).group_by(
                AUDIT.c.clinic
            )
        )
    }
    heads = {row.clinic: row for row in connection.execute(sa.select(CHAIN_HEAD))}
    for clinic in sorted(ends.keys() | heads.keys()):
        head, end = heads.get(clinic), ends.get(clinic, 0)
        if head is None:
            yield f"audit {clinic}: the chain has no head; run: python -m monitor rebuild"
        elif head.seq != end:
            yield f"audit {clinic}: the chain ends at {end}, its head says {head.seq}"
        elif (
            head.hash
            != connection.execute(
                sa.select(AUDIT.c.hash).where(AUDIT.c.clinic == clinic, AUDIT.c.seq == end)
            ).scalar()
        ):
            yield f"audit {clinic}: the last hash is not the one its head says"


def _session_heads(connection: Connection) -> Iterator[str]:
    """Every session has a head, and no row is newer than it: else a save could overlook facts."""
    headless = sa.select(SESSION.c.id).where(
        ~sa.exists().where(SESSION_HEAD.c.session_id == SESSION.c.id)
    )
    for session_id in connection.execute(headless).scalars():
        yield f"session {session_id}: has no head; run: python -m monitor rebuild"
    for table in (*FACT_TABLES.values(), ALERT, ALERT_EVENT):
        newer = sa.select(table.c.id).join(
            SESSION_HEAD, SESSION_HEAD.c.session_id == table.c.session_id
        )
        for row_id in connection.execute(
            newer.where(table.c.write_no > SESSION_HEAD.c.write_no)
        ).scalars():
            yield f"{table.name} {row_id}: is newer than the head of its session"
