"""Lists of sessions: the summary rows, a page at a time by keyset or all of them as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.register import patients_called
from db.tables import FACT_TABLES, SESSION, SUMMARY
from monitor.store import SessionQuery
from monitor.summary_columns import BY_NAME, SORTABLE

#: Rows fetched at once while streaming.
STREAM_ROWS = 2000


def _matching(query: SessionQuery) -> list[sa.ColumnElement[bool]]:
    conditions = [SUMMARY.c.clinic_code == query.clinic]
    if query.search.strip():
        conditions.append(SUMMARY.c.session_id.in_(_found(query.clinic, query.search.strip())))
    if query.status:
        conditions.append(SUMMARY.c.status == query.status)
    if query.protocol:
        conditions.append(SUMMARY.c.protocol_id == query.protocol)
    if query.person:
        conditions.append(_worked_on(query.person))
    if query.from_at:
        conditions.append(SUMMARY.c.listed_at >= query.from_at)
    if query.to_at:
        conditions.append(SUMMARY.c.listed_at < query.to_at)
    if not query.include_in_progress:
        conditions.append(SUMMARY.c.in_progress.is_(False))
    return conditions


def _found(clinic: str, text: str) -> sa.CompoundSelect[tuple[UUID]]:
    """Ids of the sessions of patients called so, and of those in the chair of this name.

    Every part is an index's; a chair is compared as it may have been typed, "a3" or "A3".
    """
    of = sa.select(SUMMARY.c.session_id).where(SUMMARY.c.clinic_code == clinic)
    typed = {text, text.lower(), text.upper(), text.capitalize()}
    return sa.union(
        of.where(SUMMARY.c.patient_id.in_(patients_called(clinic, text))),
        of.where(SUMMARY.c.chair.in_(sorted(typed))),
    )


def _worked_on(person: str) -> sa.ColumnElement[bool]:
    """Whether this person opened the session or recorded something in it.

    Asked for each session of the list, by the index every table of facts has on its session.
    """
    opened = sa.exists().where(SESSION.c.id == SUMMARY.c.session_id, SESSION.c.created_by == person)
    recorded = [
        sa.exists().where(facts.c.session_id == SUMMARY.c.session_id, facts.c.recorded_by == person)
        for facts in FACT_TABLES.values()
    ]
    return sa.or_(opened, *recorded)


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


def summary(connection: Connection, session_id: UUID) -> dict[str, Any] | None:
    """The row of one session, or None."""
    found = connection.execute(sa.select(SUMMARY).where(SUMMARY.c.session_id == session_id)).first()
    return None if found is None else dict(found._mapping)


_OF_NO_SESSION = ~sa.exists().where(SESSION.c.id == SUMMARY.c.session_id)


def stray_summaries(connection: Connection) -> tuple[UUID, ...]:
    """The sessions of rows that belong to none."""
    asked = sa.select(SUMMARY.c.session_id).where(_OF_NO_SESSION)
    return tuple(connection.execute(asked.order_by(SUMMARY.c.session_id)).scalars())


def drop_stray_summaries(connection: Connection) -> int:
    """Take them away; how many there were."""
    return connection.execute(sa.delete(SUMMARY).where(_OF_NO_SESSION)).rowcount


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
