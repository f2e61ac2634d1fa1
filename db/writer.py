"""One writing transaction: rows, alerts, projection and the audit link that names them all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from db import chain
from db.columns import ScaledDecimal
from db.keys import search_key
from db.packs import put_packs
from db.sessions import Kept, Loaded, is_open, load, no_session, with_more, without_facts
from db.tables import (
    ALERT,
    ALERT_EVENT,
    AUDIT,
    CHAIN_HEAD,
    COURSE,
    CREDENTIAL,
    FACT_NAMES,
    FACT_TABLES,
    PATIENT,
    PATIENT_CHANGE,
    SESSION,
    SESSION_HEAD,
    SUMMARY,
    USER_EVENT,
    VERSION,
    VERSION_STATUS,
    row_of,
)
from monitor.accounts import Credential, UserEvent
from monitor.alerts import Alert, AlertEvent
from monitor.audit import AuditEvent
from monitor.courses import Course
from monitor.errors import InvalidEntry, NotFound, Problem
from monitor.ids import derived_id
from monitor.patients import PatientChange
from monitor.protocols import PinnedVersion, VersionEvent, VersionStatus
from monitor.reading_packs import ReadingPack
from monitor.record import (
    FACT_FIELDS,
    Amendment,
    Bolus,
    DoseStep,
    Fact,
    InfusionSession,
    Patient,
    SessionEvent,
)
from monitor.summary_columns import BY_NAME

#: Facts that can open or close a session.
_MOVING = (SessionEvent, Amendment, DoseStep, Bolus)

_LOCK_HEAD = (
    sa.update(SESSION_HEAD)
    .where(SESSION_HEAD.c.session_id == sa.bindparam("session"))
    .values(write_no=SESSION_HEAD.c.write_no + 1)
    .returning(SESSION_HEAD.c.write_no, SESSION_HEAD.c.is_open)
)


def _conflict_insert(connection: Connection, table: sa.Table) -> Any:
    """``insert`` of the engine, which knows ON CONFLICT."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return insert(table)


@cache
def _insert_of(table: sa.Table) -> Any:
    return sa.insert(table)


@cache
def _upsert_of(table: sa.Table, dialect: str) -> Any:
    """Insert or replace a row, all of its columns.  Built once: the summary has many columns."""
    key = [column.name for column in table.primary_key]
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    names = [column.name for column in table.c]
    others = {name: statement.excluded[name] for name in names if name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=others)


def upsert(connection: Connection, table: sa.Table, row: Mapping[str, Any]) -> None:
    """Insert or replace one whole row of a working table."""
    connection.execute(_upsert_of(table, connection.dialect.name), dict(row))


@cache
def _document_insert(table: str) -> Any:
    return sa.text(
        f"INSERT INTO {table} SELECT * FROM"
        f" json_populate_recordset(NULL::{table}, CAST(:document AS json))"
    )


def insert_documents(connection: Connection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert canonical rows on PostgreSQL: one document, where 8 observations are 130 parameters."""
    document = json.dumps(list(rows), ensure_ascii=False, separators=(",", ":"))
    connection.execute(_document_insert(table), {"document": document})


def put_summary(connection: Connection, row: Mapping[str, Any]) -> None:
    """Replace the projection row of a session."""
    if connection.dialect.name == "sqlite":
        upsert(connection, SUMMARY, row)
        return
    stored = chain.canonical(scaled_summary(row))
    document = json.dumps([stored], ensure_ascii=False, separators=(",", ":"))
    connection.execute(_REPLACE_SUMMARY, {"document": document})


def scaled_summary(row: Mapping[str, Any]) -> dict[str, Any]:
    """A summary row with its decimals as the whole numbers that are stored."""
    return {
        name: _SCALED[name].scaled(value) if name in _SCALED and value is not None else value
        for name, value in row.items()
    }


#: The whole row in one round trip, new or not.
_REPLACE_SUMMARY = sa.text(
    "INSERT INTO summary SELECT * FROM"
    " json_populate_recordset(NULL::summary, CAST(:document AS json))"
    " ON CONFLICT (session_id) DO UPDATE SET "
    + ", ".join(f"{item.name} = EXCLUDED.{item.name}" for item in SUMMARY.c if not item.primary_key)
)
_SCALED = {
    column.name: column.type for column in SUMMARY.c if isinstance(column.type, ScaledDecimal)
}


def version_events(
    connection: Connection, of: sa.ColumnElement[bool], clinic: str
) -> tuple[VersionEvent, ...]:
    """Status events of the versions asked for, version by version, in order.

    Those of the clinic and of the package: what another clinic decided counts there only.
    """
    names = [item.name for item in fields(VersionEvent)]
    asked = (
        sa.select(*(VERSION_STATUS.c[name] for name in names))
        .join_from(VERSION_STATUS, VERSION, VERSION.c.id == VERSION_STATUS.c.version_id)
        .where(of, VERSION_STATUS.c.clinic.in_((chain.SHARED, clinic)))
        .order_by(VERSION_STATUS.c.version_id, VERSION_STATUS.c.number)
    )
    return tuple(VersionEvent(**row._mapping) for row in connection.execute(asked))


# -- heads of sessions --------------------------------------------------------------------------


def patient_row(patient: Patient) -> dict[str, Any]:
    """The columns of a patient with what a search compares with."""
    return row_of(patient) | {
        "mrn_key": search_key(patient.mrn),
        "name_key": search_key(f"{patient.family_name} {patient.given_name}"),
        "given_key": search_key(f"{patient.given_name} {patient.family_name}"),
    }


def _add_head(
    connection: Connection, session_id: UUID, clinic: str, write_no: int, is_open_: bool
) -> None:
    connection.execute(
        _conflict_insert(connection, SESSION_HEAD).on_conflict_do_nothing(
            index_elements=["session_id"]
        ),
        {
            "session_id": session_id,
            "clinic": clinic,
            "write_no": write_no,
            "is_open": is_open_,
        },
    )


def restore_head(connection: Connection, session_id: UUID, now: datetime) -> bool:
    """Make the head of a session anew from its facts; False when there is no such session."""
    asked = sa.select(SESSION.c.clinic).where(SESSION.c.id == session_id)
    clinic = connection.execute(asked).scalar()
    if clinic is None:
        return False
    write_no = max(
        connection.execute(
            sa.select(sa.func.coalesce(sa.func.max(table.c.write_no), 0)).where(
                table.c.session_id == session_id
            )
        ).scalar_one()
        for table in (*FACT_TABLES.values(), ALERT, ALERT_EVENT)
    )
    session = load(connection, session_id, write_no).session
    # A jump ahead: no number that some process keeps in memory may come a second time.
    write_no = max(write_no + 1, int(now.timestamp() * 1000))
    _add_head(connection, session_id, clinic, write_no, is_open(session))
    return True


def restore_heads(connection: Connection, now: datetime) -> int:
    """Make every missing head of a chain or a session anew; how many were missing."""
    chainless = (
        sa.select(AUDIT.c.clinic)
        .where(~sa.exists().where(CHAIN_HEAD.c.clinic == AUDIT.c.clinic))
        .distinct()
    )
    clinics = connection.execute(chainless).scalars().all()
    for clinic in clinics:
        chain.make_head(connection, clinic)
    headless = sa.select(SESSION.c.id).where(
        ~sa.exists().where(SESSION_HEAD.c.session_id == SESSION.c.id)
    )
    sessions = connection.execute(headless).scalars().all()
    for session_id in sessions:
        restore_head(connection, session_id, now)
    return len(clinics) + len(sessions)


class SqlWriter:
    """Implements monitor.store.Writer on one connection inside its transaction."""

    def __init__(self, connection: Connection, audit: AuditEvent, clinic: str, kept: Kept) -> None:
        self.added = 0
        self.attempted = 0
        self.loaded: dict[UUID, Loaded] = {}
        self.created: set[UUID] = set()
        self.versions_changed = False
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"
        self._audit = audit
        self._clinic = clinic
        self._kept = kept
        self._rows: list[tuple[str, dict[str, Any]]] = []
        self._summaries: dict[UUID, dict[str, Any]] = {}
        self._packs: dict[UUID, tuple[ReadingPack, ...]] = {}
        self._credentials = 0
        # Per locked session: the number of this write, and whether it was open before it.
        self._locked: dict[UUID, tuple[int, bool]] = {}
        self._moved: set[UUID] = set()

    # -- sessions --------------------------------------------------------------------------

    def lock(self, session_id: UUID) -> bool:
        """Take the lock of a session and count this write; False when there is no such session."""
        if session_id in self._locked:
            return True
        head = self._connection.execute(_LOCK_HEAD, {"session": session_id}).first()
        if head is None:
            if not restore_head(self._connection, session_id, self._audit.at):
                return False
            head = self._connection.execute(_LOCK_HEAD, {"session": session_id}).one()
        self._locked[session_id] = (head.write_no, head.is_open)
        return True

    def _write_no(self, session_id: UUID) -> int:
        if not self.lock(session_id):
            raise no_session(session_id)
        return self._locked[session_id][0]

    def _current(self, session_id: UUID) -> Loaded:
        """The session as of now with what this transaction added."""
        write_no = self._write_no(session_id)
        if session_id not in self.loaded:
            # As of the write before: this one is numbered but has added nothing yet.
            self.loaded[session_id] = load(
                self._connection, session_id, write_no - 1, self._kept.get(session_id)
            )
        return self.loaded[session_id]

    def session(self, session_id: UUID) -> InfusionSession:
        return self._current(session_id).session

    def alerts(self, session_id: UUID) -> tuple[tuple[Alert, ...], tuple[AlertEvent, ...]]:
        current = self._current(session_id)
        return current.alerts, current.events

    # -- adding ----------------------------------------------------------------------------

    def _insert(self, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
        """Rows known to be new; one that is not is refused by the database."""
        canonical = [chain.canonical(row) for row in rows]
        if self._on_sqlite:
            self._connection.execute(_insert_of(table), rows)
        else:
            insert_documents(self._connection, table.name, canonical)
        self._count(table, canonical)

    def _count(self, table: sa.Table, canonical: Iterable[dict[str, Any]]) -> None:
        """Remember rows that were added, for the audit link."""
        before = len(self._rows)
        self._rows += [(table.name, row) for row in canonical]
        self.added += len(self._rows) - before

    def _insert_if_new(self, table: sa.Table, row: dict[str, Any]) -> bool:
        """A row that may be stored already: then nothing changes.

        On SQLite the lock of this transaction is the only one, and the trigger against REPLACE
        would also refuse ON CONFLICT DO NOTHING; so it is asked first there.  On PostgreSQL another
        writer may be storing the same row this moment, and any of the table's unique keys may be
        the one that notices; what stands after that wait decides.
        """
        self.attempted += 1
        if not self._on_sqlite:
            statement = postgresql.insert(table).on_conflict_do_nothing()
            if self._connection.execute(statement.returning(table.c.id), row).first() is not None:
                self._count(table, [chain.canonical(row)])
                return True
        held = sa.select(table.c.id).where(table.c.id == row["id"])
        if self._connection.execute(held).first() is not None:
            return False
        self._insert(table, [row])
        return True

    def add_patient(self, patient: Patient) -> None:
        self._insert_if_new(PATIENT, patient_row(patient) | {"clinic": self._clinic})

    def change_patient(self, change: PatientChange) -> None:
        """Store the change and let every session of the patient know: in order, so none can wait
        for another that waits for it."""
        row = patient_row(change.patient) | {
            "id": change.id,
            "patient_id": change.patient.id,
            "number": change.number,
            "reason": change.reason,
            "recorded_at": change.recorded_at,
            "recorded_by": change.recorded_by,
            "clinic": self._clinic,
        }
        asked = sa.select(SESSION.c.id).where(SESSION.c.patient_id == change.patient.id)
        for session_id in self._connection.execute(asked.order_by(SESSION.c.id)).scalars().all():
            current = self._current(session_id)
            self.loaded[session_id] = replace(
                current,
                write_no=self._write_no(session_id),
                session=replace(current.session, patient=change.patient),
            )
        patient_id = change.patient.id
        of = PATIENT_CHANGE.c.patient_id == patient_id
        self._insert_next(PATIENT_CHANGE, row, of, str(patient_id))

    def add_course(self, course: Course) -> None:
        row = row_of(course) | {"clinic": self._clinic}
        of = COURSE.c.course_id == course.course_id
        self._insert_next(COURSE, row, of, str(course.course_id))

    def add_session(self, session: InfusionSession) -> None:
        header = row_of(session)
        facts = [fact for name in FACT_FIELDS.values() for fact in header.pop(name)]
        header["patient_id"] = header.pop("patient").id
        if self._insert_if_new(SESSION, header):
            _add_head(self._connection, session.id, session.clinic, 0, True)
            self.loaded[session.id] = Loaded(0, without_facts(session), (), (), frozenset())
            self.created.add(session.id)
        self.add_facts(session.id, facts)

    def add_facts(self, session_id: UUID, facts: Iterable[Fact]) -> None:
        facts = tuple(facts)
        if not facts:
            return
        write_no = self._write_no(session_id)
        current = self._current(session_id)
        self.attempted += len(facts)
        new = {fact.id: fact for fact in facts if fact.id not in current.ids}
        rows: dict[type[Fact], list[dict[str, Any]]] = {}
        common = {
            "clinic": current.session.clinic,
            "session_id": session_id,
            "write_no": write_no,
        }
        for fact in new.values():
            row = {name: getattr(fact, name) for name in FACT_NAMES[type(fact)]}
            rows.setdefault(type(fact), []).append(row | common)
            if isinstance(fact, _MOVING):
                self._moved.add(session_id)
        for kind in FACT_TABLES:
            if kind in rows:
                self._insert(FACT_TABLES[kind], rows[kind])
        self.loaded[session_id] = with_more(current, write_no, new.values())

    def add_alerts(self, alerts: Iterable[Alert], events: Iterable[AlertEvent]) -> None:
        by_session: dict[UUID, tuple[list[Alert], list[AlertEvent]]] = {}
        home: dict[UUID, UUID] = {}
        for alert in alerts:
            home[alert.id] = alert.session_id
            by_session.setdefault(alert.session_id, ([], []))[0].append(alert)
        for event in events:
            session_id = home.get(event.alert_id) or self._session_of(event)
            by_session.setdefault(session_id, ([], []))[1].append(event)
        for session_id, (its_alerts, its_events) in by_session.items():
            self._add_alerts(session_id, its_alerts, its_events)

    def _session_of(self, event: AlertEvent) -> UUID:
        """The session of the alert an event belongs to: a locked one, or the database knows."""
        for session_id in self._locked:
            if event.alert_id in self._current(session_id).ids:
                return session_id
        asked = sa.select(ALERT.c.session_id).where(ALERT.c.id == event.alert_id)
        found: UUID | None = self._connection.execute(asked).scalar()
        if found is None:
            raise NotFound(f"There is no alert {event.alert_id}.")
        return found

    def _add_alerts(
        self, session_id: UUID, alerts: Sequence[Alert], events: Sequence[AlertEvent]
    ) -> None:
        write_no = self._write_no(session_id)
        current = self._current(session_id)
        self.attempted += len(alerts) + len(events)
        # UNIQUE(alert, kind, step): the same thing told by someone else is told already.
        told = {(event.alert_id, event.kind, event.step) for event in current.events}
        new_alerts = {item.id: item for item in alerts if item.id not in current.ids}
        new_events = {
            (item.alert_id, item.kind, item.step): item
            for item in events
            if item.id not in current.ids and (item.alert_id, item.kind, item.step) not in told
        }
        common = {"clinic": current.session.clinic, "write_no": write_no}
        if new_alerts:
            self._insert(ALERT, [row_of(item) | common for item in new_alerts.values()])
        if new_events:
            common["session_id"] = session_id
            self._insert(ALERT_EVENT, [row_of(item) | common for item in new_events.values()])
        self.loaded[session_id] = with_more(
            current, write_no, alerts=new_alerts.values(), events=new_events.values()
        )

    def add_version(self, version: PinnedVersion, reason: str = "first stored") -> None:
        row = row_of(version) | {"clinic": self._clinic}
        status = row.pop("status")
        if self._insert_if_new(VERSION, row):
            self.set_version_status(version.id, status, reason)

    def version_events(self, version_id: UUID) -> tuple[VersionEvent, ...]:
        self._lock_series(VERSION_STATUS, str(version_id))
        return version_events(
            self._connection, VERSION_STATUS.c.version_id == version_id, self._clinic
        )

    def set_version_status(self, version_id: UUID, status: VersionStatus, reason: str) -> None:
        events = self.version_events(version_id)
        if events and events[-1].status is status:
            self.attempted += 1
            return
        self.versions_changed = True
        self._append_numbered(
            VERSION_STATUS,
            VERSION_STATUS.c.version_id == version_id,
            str(version_id),
            lambda number: {
                "id": derived_id("version_status", version_id, number),
                "version_id": version_id,
                "status": status,
                "reason": reason,
                "at": self._audit.at,
                "by": self._audit.by,
                "clinic": self._clinic,
            },
        )

    def add_user_event(self, event: UserEvent) -> None:
        held = sa.select(USER_EVENT.c.id).where(USER_EVENT.c.id == event.id)
        if self._connection.execute(held).first() is not None:
            self.attempted += 1
            return
        self._append_numbered(
            USER_EVENT,
            USER_EVENT.c.username == event.username,
            event.username,
            lambda _number: row_of(event),
        )

    def _append_numbered(self, table: sa.Table, of: Any, series: str, row: Any) -> None:
        """Append the next row of a numbered series, one writer at a time."""
        self.attempted += 1
        number = self._next_number(table, of, series)
        self._insert(table, [row(number) | {"number": number}])

    def _next_number(self, table: sa.Table, of: Any, series: str) -> int:
        """The number after the last of a series; nobody else gets it before this is over."""
        self._lock_series(table, series)
        last = sa.select(sa.func.coalesce(sa.func.max(table.c.number), 0)).where(of)
        number: int = self._connection.execute(last).scalar_one() + 1
        return number

    def _insert_next(self, table: sa.Table, row: dict[str, Any], of: Any, series: str) -> None:
        """A row that somebody made out to be the next of its series; refused when it is not."""
        self.attempted += 1
        number = self._next_number(table, of, series)
        held = sa.select(table.c.id).where(table.c.id == row["id"])
        if self._connection.execute(held).first() is not None:
            return
        if row["number"] != number:
            raise InvalidEntry(
                [Problem("number", "Somebody else changed this meanwhile. Look at it again.")]
            )
        self._insert(table, [row])

    def _lock_series(self, table: sa.Table, series: str) -> None:
        """Keep other writers off a numbered series; on SQLite this transaction is the only one."""
        if not self._on_sqlite:
            key = sa.func.hashtextextended(f"{table.name}:{series}", 0)
            self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))

    def set_credential(self, credential: Credential) -> None:
        upsert(self._connection, CREDENTIAL, row_of(credential))
        self._credentials += 1

    def set_summary(self, session_id: UUID, row: Mapping[str, Any]) -> None:
        unknown = row.keys() - BY_NAME.keys()
        if unknown:
            raise ValueError(f"no summary column is called {', '.join(sorted(unknown))}")
        full = dict.fromkeys(BY_NAME) | dict(row)
        full["session_id"] = session_id
        self._summaries[session_id] = full

    def set_packs(self, session_id: UUID, packs: Iterable[ReadingPack]) -> None:
        self._packs[session_id] = tuple(packs)

    # -- the end ---------------------------------------------------------------------------

    def finish(self) -> bool:
        """Write what comes last; False when there is nothing to save (a repeated save)."""
        repeated = self.attempted > 0 and self.added == 0
        projected = self._summaries or self._packs
        idle = bool(self._locked) and self.added == 0 and not projected
        if (repeated or idle) and not self._credentials:
            return False
        for session_id in self._moved:
            self._open_or_close(session_id)
        for row in self._summaries.values():
            put_summary(self._connection, row)
        for session_id, packs in self._packs.items():
            put_packs(self._connection, session_id, packs)
        if self.added or self._credentials or not self._locked:
            text = chain.link_text(self._audit, self._clinic, self._rows)
            chain.append(self._connection, self._clinic, self._audit, text)
        return True

    def _open_or_close(self, session_id: UUID) -> None:
        now_open = is_open(self._current(session_id).session)
        if now_open != self._locked[session_id][1]:
            self._connection.execute(
                sa.update(SESSION_HEAD)
                .where(SESSION_HEAD.c.session_id == session_id)
                .values(is_open=now_open)
            )
