"""Finished sessions, many in one transaction: the same rows, triggers and chain as for one save.

What takes time, making rows and the text of the audit link, depends on nothing in the database; so
it is done beforehand, in other processes (``prepare``).  Only numbering and hashing the links and the
inserts themselves happen in the transaction (``insert``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Connection

from db import chain
from db.sessions import is_open
from db.tables import (
    ALERT,
    ALERT_EVENT,
    COURSE,
    FACT_NAMES,
    FACT_TABLES,
    METADATA,
    PATIENT,
    READING_PACK,
    SESSION,
    SESSION_HEAD,
    SUMMARY,
    row_of,
)
from db.writer import patient_row, scaled_summary
from monitor.alerts import Alert, AlertEvent
from monitor.audit import AuditEvent
from monitor.courses import Course
from monitor.reading_packs import ReadingPack
from monitor.record import FACT_FIELDS, InfusionSession, Patient

#: Every row of a session that is stored at once is of its first write.
FIRST_WRITE = 1

_SQLITE = SQLiteDialect_pysqlite()


@dataclass(frozen=True)
class Finished:
    """A session that is over, with all that belongs to it, before it is rows.

    ``patient`` and ``course`` are given with the first session of each.
    """

    session: InfusionSession
    alerts: Sequence[Alert]
    events: Sequence[AlertEvent]
    summary: Mapping[str, Any]
    audit: AuditEvent
    packs: Sequence[ReadingPack] = ()
    patient: Patient | None = None
    course: Course | None = None


@dataclass(frozen=True)
class Prepared:
    """The same as rows of one engine: SQLite's values, or a JSON text per row for PostgreSQL."""

    session_id: UUID
    clinic: str
    audit: AuditEvent
    link: str
    rows: dict[str, list[Any]] = field(default_factory=dict)


@cache
def _sqlite_values(table: str) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """How each column's value is written on SQLite, by the very types of the table."""
    return tuple(
        (column.name, column.type.dialect_impl(_SQLITE).bind_processor(_SQLITE))
        for column in METADATA.tables[table].c
    )


def _as_sqlite(table: str, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(
        row[name] if processor is None else processor(row[name])
        for name, processor in _sqlite_values(table)
    )


def _as_document(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def prepare(finished: Finished, dialect: str) -> Prepared:
    """The rows and the audit link of a finished session."""
    session = finished.session
    named: list[tuple[str, dict[str, Any]]] = []
    stored: dict[str, list[Any]] = {}

    def add(table: sa.Table, row: dict[str, Any], *, record: bool = True) -> None:
        canonical = chain.canonical(row) if record or dialect != "sqlite" else {}
        if record:
            named.append((table.name, canonical))
        made = _as_sqlite(table.name, row) if dialect == "sqlite" else _as_document(canonical)
        stored.setdefault(table.name, []).append(made)

    if finished.patient is not None:
        add(PATIENT, patient_row(finished.patient) | {"clinic": session.clinic})
    if finished.course is not None:
        add(COURSE, row_of(finished.course) | {"clinic": session.clinic})
    header = {
        name: value
        for name, value in row_of(session).items()
        if name not in FACT_FIELDS.values() and name != "patient"
    }
    add(SESSION, header | {"patient_id": session.patient.id})
    common = {"clinic": session.clinic, "session_id": session.id, "write_no": FIRST_WRITE}
    for kind, table in FACT_TABLES.items():
        names = FACT_NAMES[kind]
        for fact in getattr(session, FACT_FIELDS[kind]):
            add(table, {name: getattr(fact, name) for name in names} | common)
    of_alert = {"clinic": session.clinic, "write_no": FIRST_WRITE}
    for alert in finished.alerts:
        add(ALERT, row_of(alert) | of_alert)
    for event in finished.events:
        add(ALERT_EVENT, row_of(event) | common)
    head = common | {"is_open": is_open(session)}
    add(SESSION_HEAD, head, record=False)
    row = {column.name: finished.summary.get(column.name) for column in SUMMARY.c}
    row["session_id"] = session.id
    add(SUMMARY, row if dialect == "sqlite" else scaled_summary(row), record=False)
    for pack in finished.packs:
        made = row_of(pack)
        if dialect != "sqlite":  # bytes as PostgreSQL reads them in a document
            made["packed"] = f"\\x{pack.packed.hex()}"
        add(READING_PACK, made, record=False)
    link = chain.link_text(finished.audit, session.clinic, named)
    return Prepared(session.id, session.clinic, finished.audit, link, stored)


def insert(connection: Connection, prepared: Sequence[Prepared]) -> int:
    """Store prepared sessions and chain one link for each, in their order; how many rows."""
    tables = _in_order(item.rows.keys() for item in prepared)
    count = 0
    for name in tables:
        rows = [row for item in prepared for row in item.rows.get(name, ())]
        count += len(rows)
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(_sqlite_insert(name), rows)
        else:
            _insert_documents(connection, name, rows)
    for item in prepared:
        chain.append(connection, item.clinic, item.audit, item.link)
    return count


def _in_order(named: Iterable[Iterable[str]]) -> list[str]:
    """Every table that is named, those that others point to first."""
    wanted = {name for names in named for name in names}
    return [table.name for table in METADATA.sorted_tables if table.name in wanted]


@cache
def _sqlite_insert(table: str) -> str:
    prepare = _SQLITE.identifier_preparer
    columns = METADATA.tables[table].c
    names = ", ".join(prepare.format_column(column) for column in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"


#: Rows in one document: what bounds its size.
_ROWS_AT_ONCE = 5000


def _insert_documents(connection: Connection, table: str, rows: Sequence[str]) -> None:
    statement = sa.text(
        f"INSERT INTO {table} SELECT * FROM"
        f" json_populate_recordset(NULL::{table}, CAST(:document AS json))"
    )
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[start : start + _ROWS_AT_ONCE]
        connection.execute(statement, {"document": f"[{','.join(part)}]"})


__all__ = ["FIRST_WRITE", "Finished", "Prepared", "insert", "prepare"]
