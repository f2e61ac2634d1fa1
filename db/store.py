"""SqlStore: what monitor.store.Store asks for, on SQLite or PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from db import accounts, burden, lists, packs, register
from db.chain import SHARED, event_of
from db.engine import LOCK_WAIT_S, SNAPSHOT, WRITING
from db.failures import committing, translated
from db.sessions import Kept, Loaded, load, write_no_of
from db.tables import (
    AUDIT,
    CHAIN_HEAD,
    SESSION,
    SESSION_HEAD,
    VERSION,
    VERSION_STATUS,
)
from db.verify import verify
from db.writer import SqlWriter, restore_heads, version_events
from monitor.accounts import Credential, DeviceSession
from monitor.alerts import Alert, AlertEvent
from monitor.audit import AuditEvent
from monitor.burden import AlertHistory
from monitor.courses import Course
from monitor.errors import NotFound, StoreUnavailable
from monitor.patients import PatientChange
from monitor.permissions import User
from monitor.protocols import PinnedVersion, VersionEvent
from monitor.reading_packs import ReadingPack
from monitor.record import InfusionSession, Patient
from monitor.store import AuditRow, Draft, SessionQuery

T = TypeVar("T")

#: How long a pinned version is believed without asking again; its text never changes, its status
#: (approved, retired) may be changed by another process.
PINNED_FOR_S = 5.0

_WHOLE = 2**62


class SqlStore:
    """One database.  Safe to share between threads; several may be open on one database."""

    def __init__(
        self, engine: Engine, *, zone: tzinfo = UTC, lock_wait_s: float = LOCK_WAIT_S
    ) -> None:
        self.zone = zone
        self._engine = engine
        self._lock_wait_s = lock_wait_s
        self._on_sqlite = engine.dialect.name == "sqlite"
        # On PostgreSQL a read outside a transaction costs one round trip instead of two.
        self._reader = (
            engine if self._on_sqlite else engine.execution_options(isolation_level="AUTOCOMMIT")
        )
        # SQLite lets one writer in; threads of one process wait here in turn instead of polling.
        self._turn = threading.Lock()
        self._kept = Kept()
        self._pinned: dict[UUID, tuple[float, PinnedVersion]] = {}

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()

    # -- transactions ----------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(writing=False), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """One state of the whole database for as long as it is read."""
        options: dict[str, Any] = dict(SNAPSHOT)
        if not self._on_sqlite:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with (
            translated(writing=False),
            self._engine.execution_options(**options).connect() as connection,
        ):
            if not self._on_sqlite:
                # Whoever downloads a long list may be slow to take it.
                connection.exec_driver_sql(
                    "SET LOCAL idle_in_transaction_session_timeout = '30min'"
                )
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """The one way into a writing transaction; commits on a clean exit unless rolled back."""
        if self._on_sqlite and not self._turn.acquire(timeout=self._lock_wait_s):
            raise StoreUnavailable("The database is busy with another save. Nothing was saved.")
        try:
            with (
                translated(writing=True),
                self._engine.connect().execution_options(**WRITING) as connection,
            ):
                connection.begin()
                yield connection
                with committing():
                    connection.commit()
        finally:
            if self._on_sqlite:
                self._turn.release()

    @contextmanager
    def write(
        self, audit: AuditEvent, *, clinic: str, session_id: UUID | None = None
    ) -> Iterator[SqlWriter]:
        with self._writing() as connection:
            writer = SqlWriter(connection, audit, clinic, self._kept)
            if session_id is not None:
                writer.lock(session_id)
            yield writer
            saved = writer.finish()
            if not saved:
                connection.rollback()
        if saved:
            # A new session is read back once: its patient may have been stored before it.
            for loaded in writer.loaded.values():
                if loaded.session.id not in writer.created:
                    self._kept.put(loaded)
        if writer.versions_changed:
            self._pinned.clear()

    @property
    def dialect(self) -> str:
        """The engine: ``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    def work(self, function: Callable[..., T], *arguments: Any) -> T:
        """Do something in one writing transaction; what it writes to the record it chains itself."""
        with self._writing() as connection:
            return function(connection, *arguments)

    def ask(self, function: Callable[..., T], *arguments: Any) -> T:
        """Ask the database something."""
        with self._reading() as connection:
            return function(connection, *arguments)

    # -- the record ------------------------------------------------------------------------

    def _load(self, session_id: UUID) -> Loaded:
        with self._reading() as connection:
            write_no = write_no_of(connection, session_id)
            if write_no is None:
                # Unknown, or the working tables were emptied: read it whole and keep nothing.
                return load(connection, session_id, _WHOLE)
            kept = self._kept.get(session_id)
            loaded = load(connection, session_id, write_no, kept)
        if loaded is not kept:
            self._kept.put(loaded)
        return loaded

    def session(self, session_id: UUID) -> InfusionSession:
        return self._load(session_id).session

    def alerts(self, session_id: UUID) -> tuple[tuple[Alert, ...], tuple[AlertEvent, ...]]:
        loaded = self._load(session_id)
        return loaded.alerts, loaded.events

    def session_ids(self) -> tuple[tuple[str, UUID], ...]:
        asked = sa.select(SESSION.c.clinic, SESSION.c.id).order_by(
            SESSION.c.created_at, SESSION.c.id
        )
        with self._reading() as connection:
            return tuple((clinic, of) for clinic, of in connection.execute(asked))

    def clinics(self) -> tuple[str, ...]:
        asked = sa.select(CHAIN_HEAD.c.clinic).order_by(CHAIN_HEAD.c.clinic)
        with self._reading() as connection:
            return tuple(connection.execute(asked).scalars())

    def open_session_ids(self, clinic: str) -> tuple[UUID, ...]:
        asked = (
            sa.select(SESSION_HEAD.c.session_id)
            .where(SESSION_HEAD.c.clinic == clinic, SESSION_HEAD.c.is_open.is_(True))
            .order_by(SESSION_HEAD.c.session_id)
        )
        with self._reading() as connection:
            return tuple(connection.execute(asked).scalars())

    def version(self, clinic: str) -> int:
        asked = sa.select(CHAIN_HEAD.c.seq).where(CHAIN_HEAD.c.clinic == clinic)
        with self._reading() as connection:
            return connection.execute(asked).scalar() or 0

    def patient(self, patient_id: UUID) -> Patient:
        return self.ask(register.patient, patient_id)

    def patient_changes(self, patient_id: UUID) -> tuple[PatientChange, ...]:
        return self.ask(register.patient_changes, patient_id)

    def courses(self, patient_id: UUID) -> tuple[Course, ...]:
        return self.ask(register.courses, patient_id)

    def registered_patient(self, patient_id: UUID) -> Patient:
        return self.ask(register.registered_patient, patient_id)

    def find_patients(self, clinic: str, text: str, limit: int = 20) -> tuple[Patient, ...]:
        return self.ask(register.find_patients, clinic, text, limit)

    def patient_session_ids(self, patient_id: UUID) -> tuple[UUID, ...]:
        asked = (
            sa.select(SESSION.c.id)
            .where(SESSION.c.patient_id == patient_id)
            .order_by(SESSION.c.created_at.desc(), SESSION.c.id.desc())
        )
        with self._reading() as connection:
            return tuple(connection.execute(asked).scalars())

    # -- configuration ---------------------------------------------------------------------

    def versions(self, kind: str, clinic: str | None) -> tuple[PinnedVersion, ...]:
        asked = _versions(clinic).where(VERSION.c.kind == kind)
        with self._reading() as connection:
            rows = connection.execute(asked.order_by(VERSION.c.code, VERSION.c.version))
            return tuple(PinnedVersion(**row._mapping) for row in rows)

    def pinned(self, version_id: UUID) -> PinnedVersion:
        asked_at, version = self._pinned.get(version_id, (0.0, None))
        if version is not None and time.monotonic() - asked_at < PINNED_FOR_S:
            return version
        with self._reading() as connection:
            row = connection.execute(_versions(None).where(VERSION.c.id == version_id)).first()
        if row is None:
            raise NotFound(f"There is no version {version_id} of a protocol or threshold set.")
        version = PinnedVersion(**row._mapping)
        self._pinned[version_id] = (time.monotonic(), version)
        return version

    def version_events(self, kind: str, clinic: str) -> tuple[VersionEvent, ...]:
        of = sa.and_(VERSION.c.kind == kind, VERSION.c.clinic.in_((SHARED, clinic)))
        with self._reading() as connection:
            return version_events(connection, of, clinic)

    def versions_in_use(self, kind: str, clinic: str) -> frozenset[UUID]:
        pinned = SESSION.c[f"{kind}_id"]
        asked = sa.select(pinned).where(SESSION.c.clinic == clinic).distinct()
        with self._reading() as connection:
            return frozenset(connection.execute(asked).scalars())

    # -- projections -----------------------------------------------------------------------

    def summaries(self, query: SessionQuery) -> Sequence[Mapping[str, Any]]:
        return self.ask(lists.summaries, query)

    def stream_summaries(self, query: SessionQuery) -> Iterator[Mapping[str, Any]]:
        with self._snapshot() as connection:
            yield from lists.stream_summaries(connection, query)

    def summary(self, session_id: UUID) -> Mapping[str, Any] | None:
        return self.ask(lists.summary, session_id)

    def stray_summaries(self) -> tuple[UUID, ...]:
        return self.ask(lists.stray_summaries)

    def drop_stray_summaries(self) -> int:
        return self.work(lists.drop_stray_summaries)

    def started_sessions(
        self, clinic: str, since: datetime, until: datetime
    ) -> Mapping[tuple[str, UUID], int]:
        with self._snapshot() as connection:
            return burden.started_sessions(connection, clinic, since, until, self.zone)

    def alert_histories(
        self, clinic: str, since: datetime, until: datetime
    ) -> tuple[AlertHistory, ...]:
        with self._snapshot() as connection:
            found = burden.alert_histories(connection, clinic, since, until, self.zone)
            return tuple(found)

    def packs(self, session_id: UUID) -> tuple[ReadingPack, ...]:
        return tuple(self.ask(packs.packs_of, session_id))

    def pack_scales(
        self, clinic: str, since: datetime, until: datetime
    ) -> Mapping[UUID, tuple[int, str, UUID]]:
        return self.ask(packs.scales, clinic, since, until)

    def stream_packs(
        self, clinic: str, sign: str, since: datetime, until: datetime
    ) -> Iterator[ReadingPack]:
        with self._snapshot() as connection:
            yield from packs.stream_packs(connection, clinic, sign, since, until)

    # -- accounts and devices --------------------------------------------------------------

    def user(self, username: str) -> User:
        return self.ask(accounts.user, username)

    def users(self, clinic: str | None = None) -> tuple[User, ...]:
        return self.ask(accounts.users, clinic)

    def credential(self, username: str) -> Credential:
        return self.ask(accounts.credential, username)

    def put_device_session(self, device: DeviceSession) -> None:
        self.work(accounts.put_device_session, device)

    def replace_device_session(self, seen: DeviceSession, new: DeviceSession) -> bool:
        return self.work(accounts.replace_device_session, seen, new)

    def device_session(self, token_hash: str) -> DeviceSession | None:
        return self.ask(accounts.device_session, token_hash)

    def device_sessions(self, username: str) -> tuple[DeviceSession, ...]:
        return self.ask(accounts.device_sessions, username)

    def failed_attempts(self, key: str, since: datetime) -> int:
        return self.ask(accounts.failed_attempts, key, since)

    def add_failed_attempt(self, key: str, at: datetime) -> None:
        self.work(accounts.add_failed_attempt, key, at)

    def clear_failed_attempts(self, key: str) -> None:
        self.work(accounts.clear_failed_attempts, key)

    # -- drafts ----------------------------------------------------------------------------

    def put_draft(self, draft: Draft) -> None:
        self.work(accounts.put_draft, draft)

    def drafts(self, session_id: UUID) -> tuple[Draft, ...]:
        return self.ask(accounts.drafts, session_id)

    def drop_draft(self, session_id: UUID, device: str) -> None:
        self.work(accounts.drop_draft, session_id, device)

    # -- audit -----------------------------------------------------------------------------

    def audit_rows(self, clinic: str, session_id: UUID | None = None) -> Iterator[AuditRow]:
        asked = sa.select(AUDIT).where(AUDIT.c.clinic == clinic).order_by(AUDIT.c.seq)
        if session_id is not None:
            asked = asked.where(AUDIT.c.session_id == session_id)
        with self._snapshot() as connection:
            for row in connection.execution_options(yield_per=500).execute(asked):
                yield AuditRow(
                    row.seq,
                    row.clinic,
                    event_of(row.text),
                    row.text,
                    row.previous_hash,
                    row.hash,
                )

    def restore_heads(self, now: datetime) -> int:
        with self._writing() as connection:
            restored = restore_heads(connection, now)
        self._kept.forget()
        return restored

    def verify(self) -> tuple[str, ...]:
        with self._snapshot() as connection:
            return tuple(verify(connection))


def _versions(clinic: str | None) -> sa.Select[Any]:
    """The versions a clinic has, with the last of the status events that count in it; None: all."""
    later = VERSION_STATUS.alias("later")
    last = sa.select(sa.func.max(later.c.number)).where(later.c.version_id == VERSION.c.id)
    if clinic is not None:
        last = last.where(later.c.clinic.in_((SHARED, clinic)))
    newest = last.scalar_subquery()
    names = [item.name for item in fields(PinnedVersion) if item.name != "status"]
    found = sa.select(*(VERSION.c[name] for name in names), VERSION_STATUS.c.status).join_from(
        VERSION,
        VERSION_STATUS,
        sa.and_(VERSION_STATUS.c.version_id == VERSION.c.id, VERSION_STATUS.c.number == newest),
    )
    return found if clinic is None else found.where(VERSION.c.clinic.in_((SHARED, clinic)))
