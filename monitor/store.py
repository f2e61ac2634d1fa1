"""What the monitor needs from a database, and no more.  db.store.SqlStore implements it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Protocol
from uuid import UUID

from monitor.accounts import Credential, DeviceSession, UserEvent
from monitor.alerts import Alert, AlertEvent
from monitor.audit import AuditEvent
from monitor.burden import AlertHistory
from monitor.courses import Course
from monitor.patients import PatientChange
from monitor.permissions import User
from monitor.protocols import PinnedVersion, VersionEvent, VersionStatus
from monitor.reading_packs import ReadingPack
from monitor.record import Fact, InfusionSession, Patient


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed and not yet saved, per infusion session and device (ruling 20)."""

    session_id: UUID
    device: str
    username: str
    content: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """A question to the sessions list; every filter is optional, paging is by keyset.

    ``person`` is the username of somebody who opened the session or recorded something in it.
    ``after`` is the (sort value, id) pair of the last row of the page before.
    """

    clinic: str
    search: str = ""
    status: str = ""
    protocol: str = ""
    person: str = ""
    from_at: datetime | None = None
    to_at: datetime | None = None
    include_in_progress: bool = True
    sort: str = "started_at"
    descending: bool = True
    limit: int = 50
    after: tuple[Any, UUID] | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One link of the chain as stored: its event, its position and its two hashes."""

    seq: int
    clinic: str
    event: AuditEvent
    text: str
    previous_hash: str
    hash: str


class Writer(Protocol):
    """One writing transaction: everything added here is saved together with its audit event.

    Adding a row whose id is already stored changes nothing and is not an error, so a save that is
    repeated is saved once; ``added`` tells how many rows were new.
    """

    added: int

    def session(self, session_id: UUID) -> InfusionSession:
        """The session as of now, under the write lock."""

    def alerts(self, session_id: UUID) -> tuple[tuple[Alert, ...], tuple[AlertEvent, ...]]:
        """The session's alerts and their events, under the write lock."""

    def add_patient(self, patient: Patient) -> None: ...
    def change_patient(self, change: PatientChange) -> None:
        """What is now right about a patient; every session of theirs shows it from now on.

        Raises:
            InvalidEntry: ``number`` is not the next: somebody else changed the patient meanwhile.
        """

    def add_course(self, course: Course) -> None:
        """A new course (number 1), or the next version of one.

        Raises:
            InvalidEntry: ``number`` is not the next: somebody else changed the course meanwhile.
        """

    def add_session(self, session: InfusionSession) -> None:
        """Store a session's header and every fact it carries."""

    def add_facts(self, session_id: UUID, facts: Iterable[Fact]) -> None: ...
    def add_alerts(self, alerts: Iterable[Alert], events: Iterable[AlertEvent]) -> None: ...
    def add_version(self, version: PinnedVersion, reason: str = "first stored") -> None: ...
    def version_events(self, version_id: UUID) -> tuple[VersionEvent, ...]:
        """What happened to a version in the clinic that is written for, in order; nobody else
        changes its status until the end."""

    def set_version_status(self, version_id: UUID, status: VersionStatus, reason: str) -> None:
        """Append a status event of the clinic that is written for; a version that has the status
        there already stays as it is."""

    def add_user_event(self, event: UserEvent) -> None: ...
    def set_credential(self, credential: Credential) -> None: ...
    def set_summary(self, session_id: UUID, row: Mapping[str, Any]) -> None:
        """Replace the projection row of a session (columns: monitor.summaries.COLUMNS)."""

    def set_packs(self, session_id: UUID, packs: Iterable[ReadingPack]) -> None:
        """Replace the packed readings of a session that is closed."""


class Store(Protocol):
    """Reading, and the one way to write.  ``zone`` is the clinic's: local dates are its."""

    @property
    def zone(self) -> tzinfo:
        """The clinic's time zone."""

    def write(
        self, audit: AuditEvent, *, clinic: str, session_id: UUID | None = None
    ) -> AbstractContextManager[Writer]:
        """A writing transaction; commits on a clean exit with its audit event chained last.

        ``session_id`` takes the lock of that infusion session first.  When nothing new was added
        and ``audit.action`` is a write that was repeated, no audit event is written.

        Raises:
            StoreUnavailable: locked, full, unreachable or of the wrong version; nothing was saved.
        """

    # -- the record ------------------------------------------------------------------------
    def session(self, session_id: UUID) -> InfusionSession: ...
    def alerts(self, session_id: UUID) -> tuple[tuple[Alert, ...], tuple[AlertEvent, ...]]: ...
    def session_ids(self) -> tuple[tuple[str, UUID], ...]:
        """Clinic and id of every session of every clinic, in the order they were opened."""

    def clinics(self) -> tuple[str, ...]:
        """Every clinic that ever saved something."""

    def open_session_ids(self, clinic: str) -> tuple[UUID, ...]:
        """Sessions that are not discharged, cancelled, completed or signed."""

    def version(self, clinic: str) -> int:
        """The clinic's live version: the sequence of its chain head."""

    def patient(self, patient_id: UUID) -> Patient:
        """The patient as now known."""

    def registered_patient(self, patient_id: UUID) -> Patient:
        """The patient as first written down, before any change."""

    def find_patients(self, clinic: str, text: str, limit: int = 20) -> tuple[Patient, ...]: ...
    def patient_changes(self, patient_id: UUID) -> tuple[PatientChange, ...]:
        """What was corrected or learned about the patient, the first change first."""

    def courses(self, patient_id: UUID) -> tuple[Course, ...]:
        """Every version of every course, oldest course first and versions in order."""

    def patient_session_ids(self, patient_id: UUID) -> tuple[UUID, ...]:
        """Every session of the patient, newest first."""

    # -- configuration ---------------------------------------------------------------------
    def versions(self, kind: str, clinic: str | None) -> tuple[PinnedVersion, ...]:
        """The versions a clinic has: the packaged ones and its own, where they stand in it.

        What one clinic approves or takes out of use stays as it is in every other.  None asks for
        the versions of every clinic; each stands where anybody put it last.
        """

    def pinned(self, version_id: UUID) -> PinnedVersion:
        """The version a session was started under, whichever clinic it is of; it stands where
        anybody put it last, so whether it may be used is a question to ``versions``."""

    def version_events(self, kind: str, clinic: str) -> tuple[VersionEvent, ...]:
        """What happened in a clinic to every version it has, version by version, in order."""

    def versions_in_use(self, kind: str, clinic: str) -> frozenset[UUID]:
        """The versions of this kind under which the clinic ever opened a session."""

    # -- projections -----------------------------------------------------------------------
    def summaries(self, query: SessionQuery) -> Sequence[Mapping[str, Any]]: ...
    def stream_summaries(self, query: SessionQuery) -> Iterator[Mapping[str, Any]]:
        """Every matching row in constant memory, ignoring ``limit`` and ``after``."""

    def summary(self, session_id: UUID) -> Mapping[str, Any] | None:
        """The projection row of a session, or None when there is none."""

    def stray_summaries(self) -> tuple[UUID, ...]:
        """Projection rows of sessions that do not exist."""

    def started_sessions(
        self, clinic: str, since: datetime, until: datetime
    ) -> Mapping[tuple[str, UUID], int]:
        """How many closed sessions began in each clinic-local month (``2026-11``) under each
        version of the limits; ``until`` is not included."""

    def alert_histories(
        self, clinic: str, since: datetime, until: datetime
    ) -> tuple[AlertHistory, ...]:
        """The alerts of those sessions, with what was recorded of each."""

    def packs(self, session_id: UUID) -> tuple[ReadingPack, ...]:
        """The packed readings of one session; none while it goes on."""

    def pack_scales(
        self, clinic: str, since: datetime, until: datetime
    ) -> Mapping[UUID, tuple[int, str, UUID]]:
        """SpO2 scale, sedation scale and protocol version of the closed sessions begun then."""

    def stream_packs(
        self, clinic: str, sign: str, since: datetime, until: datetime
    ) -> Iterator[ReadingPack]:
        """One sign of the sessions begun in that time, in order of their start."""

    # -- accounts and devices ----------------------------------------------------------------
    def user(self, username: str) -> User: ...
    def users(self, clinic: str | None = None) -> tuple[User, ...]: ...
    def credential(self, username: str) -> Credential: ...
    def put_device_session(self, device: DeviceSession) -> None:
        """Insert or replace a device session (a working row)."""

    def replace_device_session(self, seen: DeviceSession, new: DeviceSession) -> bool:
        """Replace the row of ``seen.token_hash`` only while every column still is as in ``seen``.

        False when somebody else changed it meanwhile: a late sign of life never undoes a sign-out.
        """

    def device_session(self, token_hash: str) -> DeviceSession | None: ...
    def device_sessions(self, username: str) -> tuple[DeviceSession, ...]: ...
    def failed_attempts(self, key: str, since: datetime) -> int: ...
    def add_failed_attempt(self, key: str, at: datetime) -> None: ...
    def clear_failed_attempts(self, key: str) -> None: ...

    # -- drafts ------------------------------------------------------------------------------
    def put_draft(self, draft: Draft) -> None: ...
    def drafts(self, session_id: UUID) -> tuple[Draft, ...]: ...
    def drop_draft(self, session_id: UUID, device: str) -> None: ...

    # -- audit -------------------------------------------------------------------------------
    def audit_rows(self, clinic: str, session_id: UUID | None = None) -> Iterator[AuditRow]: ...
    def restore_heads(self, now: datetime) -> int:
        """Make the heads of chains and sessions anew where they are missing; how many were."""

    def drop_stray_summaries(self) -> int:
        """Take away the projection rows of sessions that do not exist; how many there were."""

    def verify(self) -> tuple[str, ...]:
        """Everything that does not hold (chain, rows, projections), in words; empty when sound."""
