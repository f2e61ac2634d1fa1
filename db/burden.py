"""What the burden report reads: alerts and their events of the sessions of a time, and no fact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.tables import ALERT, ALERT_EVENT, SESSION, SUMMARY
from monitor.alert_record import AlertEventKind
from monitor.burden import AlertHistory
from monitor.clock_alerts import CLOCK

_TOLD = (
    AlertEventKind.CONFIRMED,
    AlertEventKind.UNCONFIRMED,
    AlertEventKind.ACKNOWLEDGED,
    AlertEventKind.INVALIDATED,
)


def _started(clinic: str, since: datetime, until: datetime) -> list[sa.ColumnElement[bool]]:
    """Closed sessions in which a drug was given: their row is listed by the first dose."""
    return [
        SUMMARY.c.clinic_code == clinic,
        SUMMARY.c.listed_at >= since,
        SUMMARY.c.listed_at < until,
        SUMMARY.c.started_at.is_not(None),
        SUMMARY.c.in_progress.is_(False),
    ]


class _Months:
    """The clinic-local month of an instant; worked out once for each quarter of an hour.

    No zone changes its offset within one, and a history has few of them beside its sessions.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._known: dict[tuple[int, int, int, int, int], str] = {}

    def of(self, at: datetime) -> str:
        key = (at.year, at.month, at.day, at.hour, at.minute // 15)
        month = self._known.get(key)
        if month is None:
            month = self._known[key] = at.astimezone(self._zone).strftime("%Y-%m")
        return month


def started_sessions(
    connection: Connection, clinic: str, since: datetime, until: datetime, zone: tzinfo
) -> dict[tuple[str, UUID], int]:
    """How many sessions began in each month under each version of the limits."""
    asked = (
        sa.select(SUMMARY.c.listed_at, SESSION.c.threshold_set_id)
        .join_from(SUMMARY, SESSION, SESSION.c.id == SUMMARY.c.session_id)
        .where(*_started(clinic, since, until))
    )
    months = _Months(zone)
    counts: dict[tuple[str, UUID], int] = defaultdict(int)
    for at, version in connection.execution_options(yield_per=5000).execute(asked):
        counts[months.of(at), version] += 1
    return dict(counts)


def alert_histories(
    connection: Connection, clinic: str, since: datetime, until: datetime, zone: tzinfo
) -> Iterator[AlertHistory]:
    """The alerts with onset between first dose and discharge (U-62), with what became of them.

    Those of the clock are counted as sets late and missed alone (U-33).
    """
    mine, months = _started(clinic, since, until), _Months(zone)
    events: dict[UUID, list[Any]] = defaultdict(list)
    of_events = (
        sa.select(
            ALERT_EVENT.c.alert_id,
            ALERT_EVENT.c.kind,
            ALERT_EVENT.c.at,
            ALERT_EVENT.c.recorded_at,
            ALERT_EVENT.c.action,
            ALERT_EVENT.c.level,
        )
        .join_from(SUMMARY, ALERT_EVENT, ALERT_EVENT.c.session_id == SUMMARY.c.session_id)
        .where(*mine, ALERT_EVENT.c.kind.in_(_TOLD))
        .order_by(ALERT_EVENT.c.at, ALERT_EVENT.c.step)
    )
    for event in connection.execute(of_events):
        events[event.alert_id].append(event)
    of_alerts = (
        sa.select(
            SUMMARY.c.listed_at,
            ALERT.c.id,
            ALERT.c.session_id,
            ALERT.c.rule_id,
            ALERT.c.threshold_set_id,
            ALERT.c.level,
            ALERT.c.pending,
            ALERT.c.onset_at,
            ALERT.c.detected_at,
        )
        .join_from(SUMMARY, ALERT, ALERT.c.session_id == SUMMARY.c.session_id)
        .where(
            *mine,
            ALERT.c.group != CLOCK,
            ALERT.c.onset_at >= SUMMARY.c.started_at,
            sa.or_(SUMMARY.c.discharged_at.is_(None), ALERT.c.onset_at <= SUMMARY.c.discharged_at),
        )
    )
    for row in connection.execute(of_alerts):
        told = events.get(row.id, [])
        yield AlertHistory(
            month=months.of(row.listed_at),
            session_id=row.session_id,
            rule_id=row.rule_id,
            threshold_set_id=row.threshold_set_id,
            level=row.level,
            pending=row.pending,
            onset_at=row.onset_at,
            detected_at=row.detected_at,
            told=tuple(
                (event.level or row.level, event.at, event.recorded_at)
                for event in told
                if event.kind is AlertEventKind.CONFIRMED
            ),
            unconfirmed=tuple(
                (event.at, event.recorded_at)
                for event in told
                if event.kind is AlertEventKind.UNCONFIRMED
            ),
            answers=tuple(
                (event.at, event.action or None, event.level)
                for event in told
                if event.kind is AlertEventKind.ACKNOWLEDGED
            ),
            invalidated=any(event.kind is AlertEventKind.INVALIDATED for event in told),
        )
