"""Lists and searches: summaries by keyset, patients by the beginning of a name or number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.keys import AFTER, search_key
from db.tables import PATIENT, SUMMARY
from monitor.record import Patient
from monitor.store import SessionQuery
from monitor.summary_columns import BY_NAME, SORTABLE

_PATIENT_NAMES = tuple(item.name for item in fields(Patient))

#: Rows fetched at once while streaming.
STREAM_ROWS = 2000


def _patients_called(clinic: str, text: str) -> sa.ColumnElement[bool]:
    """Patients whose number, family name or given name begins so; every range is an index's."""
    key = search_key(text)
    return sa.and_(
        PATIENT.c.clinic == clinic,
        sa.or_(
            *(
                sa.and_(PATIENT.c[name] >= key, PATIENT.c[name] < key + AFTER)
                for name in ("mrn_key", "name_key", "given_key")
            )
        ),
    )


def find_patients(
    connection: Connection, clinic: str, text: str, limit: int
) -> tuple[Patient, ...]:
    asked = (
        sa.select(*(PATIENT.c[name] for name in _PATIENT_NAMES))
        .where(_patients_called(clinic, text))
        .order_by(PATIENT.c.name_key, PATIENT.c.id)
        .limit(limit)
    )
    return tuple(Patient(**row._mapping) for row in connection.execute(asked))


def _matching(query: SessionQuery) -> list[sa.ColumnElement[bool]]:
    conditions = [SUMMARY.c.clinic_code == query.clinic]
    if query.search.strip():
        called = sa.select(PATIENT.c.id).where(_patients_called(query.clinic, query.search))
        conditions.append(SUMMARY.c.patient_id.in_(called))
    if query.status:
        conditions.append(SUMMARY.c.status == query.status)
    if query.protocol:
        conditions.append(SUMMARY.c.protocol_id == query.protocol)
    if query.from_at:
        conditions.append(SUMMARY.c.listed_at >= query.from_at)
    if query.to_at:
        conditions.append(SUMMARY.c.listed_at < query.to_at)
    if not query.include_in_progress:
        conditions.append(SUMMARY.c.in_progress.is_(False))
    return conditions


def _sort_column(query: SessionQuery) -> sa.Column[Any]:
    name = "listed_at" if query.sort == "started_at" else query.sort
    if name not in SORTABLE:
        raise ValueError(f"sessions are not listed by {query.sort}")
    return SUMMARY.c[name]


def _before(query: SessionQuery, column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """What comes after the last row of the page before, in the order of the list."""
    assert query.after is not None
    value, last = query.after
    key = SUMMARY.c.session_id
    place: Any = key
    end: Any = sa.literal(last, key.type)
    if value is not None:
        place, end = sa.tuple_(column, key), sa.tuple_(sa.literal(value, column.type), end)
    comparison: sa.ColumnElement[bool] = place < end if query.descending else place > end
    return comparison


def summaries(connection: Connection, query: SessionQuery) -> list[dict[str, Any]]:
    """One page.  Rows without the value sorted by come last, whichever the direction."""
    column = _sort_column(query)
    known, unknown = column.is_not(None), column.is_(None)
    rows: list[dict[str, Any]] = []
    if query.after is None or query.after[0] is not None:
        after = [] if query.after is None else [_before(query, column)]
        rows = _page(connection, query, [known, *after], column, query.limit)
    if column.nullable and len(rows) < query.limit:
        after = [_before(query, column)] if query.after and query.after[0] is None else []
        rows += _page(connection, query, [unknown, *after], None, query.limit - len(rows))
    return rows


def _page(
    connection: Connection,
    query: SessionQuery,
    conditions: list[sa.ColumnElement[bool]],
    column: sa.Column[Any] | None,
    limit: int,
) -> list[dict[str, Any]]:
    order = [SUMMARY.c.session_id] if column is None else [column, SUMMARY.c.session_id]
    asked = (
        sa.select(SUMMARY)
        .where(*_matching(query), *conditions)
        .order_by(*(item.desc() if query.descending else item.asc() for item in order))
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(asked).mappings()]


def stream_summaries(connection: Connection, query: SessionQuery) -> Iterator[dict[str, Any]]:
    """Every matching row in the order of the list, a few thousand at a time."""
    column = _sort_column(query)
    order = [column, SUMMARY.c.session_id]
    asked = (
        sa.select(*(SUMMARY.c[name] for name in BY_NAME))
        .where(*_matching(query))
        .order_by(*(item.desc() if query.descending else item.asc() for item in order))
    )
    names = tuple(BY_NAME)
    for row in connection.execution_options(yield_per=STREAM_ROWS).execute(asked):
        yield dict(zip(names, row, strict=True))
