"""The packed readings of closed sessions: written with the session, read by the thousand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.tables import READING_PACK, SESSION, SUMMARY, row_of
from monitor.reading_packs import ReadingPack

_NAMES = tuple(item.name for item in fields(ReadingPack))


def put_packs(connection: Connection, session_id: UUID, packs: Iterable[ReadingPack]) -> None:
    """Replace the packs of a session."""
    connection.execute(sa.delete(READING_PACK).where(READING_PACK.c.session_id == session_id))
    rows = [row_of(pack) for pack in packs]
    if rows:
        connection.execute(sa.insert(READING_PACK), rows)


def packs_of(connection: Connection, session_id: UUID) -> list[ReadingPack]:
    """The packs of one session by sign."""
    asked = (
        sa.select(*(READING_PACK.c[name] for name in _NAMES))
        .where(READING_PACK.c.session_id == session_id)
        .order_by(READING_PACK.c.sign)
    )
    return [ReadingPack(**row._mapping) for row in connection.execute(asked)]


def scales(
    connection: Connection, clinic: str, since: datetime, until: datetime
) -> dict[UUID, tuple[int, str, UUID]]:
    """Of every closed session begun in that time: SpO2 scale, sedation scale, protocol version."""
    asked = (
        sa.select(
            SESSION.c.id, SESSION.c.spo2_scale, SESSION.c.sedation_scale, SESSION.c.protocol_id
        )
        .join_from(SUMMARY, SESSION, SESSION.c.id == SUMMARY.c.session_id)
        .where(
            SUMMARY.c.clinic_code == clinic,
            SUMMARY.c.listed_at >= since,
            SUMMARY.c.listed_at < until,
            SUMMARY.c.in_progress.is_(False),
            SUMMARY.c.started_at.is_not(None),
        )
    )
    return {row[0]: (row[1], row[2], row[3]) for row in connection.execute(asked)}


def stream_packs(
    connection: Connection, clinic: str, sign: str, since: datetime, until: datetime
) -> Iterator[ReadingPack]:
    """One sign of the sessions begun in that time, in order of their start."""
    asked = (
        sa.select(*(READING_PACK.c[name] for name in _NAMES))
        .where(
            READING_PACK.c.clinic == clinic,
            READING_PACK.c.sign == sign,
            READING_PACK.c.started_at >= since,
            READING_PACK.c.started_at < until,
        )
        .order_by(READING_PACK.c.started_at, READING_PACK.c.session_id)
    )
    for row in connection.execution_options(yield_per=2000).execute(asked):
        yield ReadingPack(*row)
