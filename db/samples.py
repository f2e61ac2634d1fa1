"""Folders into the record, and the demo: past sessions from folders, others under way right now."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from db.engine import make_engine
from db.failures import translated
from db.schema import check_plain_file, is_blank, open_store
from db.store import SqlStore
from db.tables import SESSION, USER_EVENT
from monitor.actions.opening import bundle
from monitor.actions.saving import summary
from monitor.audit import AuditEvent
from monitor.errors import ImportRefused, NotFound, NotPermitted
from monitor.expected import end_of_record
from monitor.folders import AlertAnswer, SessionFolder, read_folder
from monitor.ids import new_id
from monitor.lifecycle import EventKind, SessionStatus, status
from monitor.protocols import InfusionProtocol, PinnedVersion, VersionStatus
from monitor.reading_packs import reading_packs
from monitor.record import (
    DoseStep,
    DoseStepKind,
    DoseUnit,
    Fact,
    InfusionSession,
    Patient,
    SessionEvent,
)
from monitor.replay import answers_given, replay_alerts
from monitor.running_samples import running_sessions
from monitor.store import Store
from monitor.summaries import summarise
from monitor.thresholds import ThresholdSet, parse_threshold_set
from monitor.user_admin import COMMAND_LINE, DEMO_CLINIC, create_demo_users, is_demo

SAMPLES = Path(__file__).resolve().parent.parent / "sample_sessions"

#: Name of the audited action that stores a whole session.
IMPORT = "IMPORT_SESSION"


def store_folder(
    store: Store, folder: SessionFolder, *, now: datetime, clinic: str = "", by: str = COMMAND_LINE
) -> bool:
    """Store the session of a folder in one transaction; False when it is stored already.

    ``clinic`` puts it into another clinic than the folder names.

    Raises:
        ImportRefused: nothing was stored: the session is stored with other facts or under another
            id, the record number belongs to somebody else, or an answer speaks of no alert.
    """
    session = folder.session
    if clinic:
        session = replace(session, clinic=clinic)
    session = replace(session, patient=_known_patient(store, session))
    try:
        stored = store.session(session.id)
    except NotFound:
        pass
    else:
        if stored != session:
            raise ImportRefused(
                [_told(folder, f"the session {session.id} is stored already and differs")]
            )
        _refuse_more_answers(store, folder)
        return False
    _refuse_a_copy(store, folder, session)
    _save(
        store,
        session,
        folder.protocol,
        folder.threshold_set,
        folder.answers,
        until=end_of_record(session, folder.answers),
        now=now,
        by=by,
        versions=_missing_versions(store, (folder.protocol_version, folder.threshold_version)),
    )
    return True


def _refuse_more_answers(store: Store, folder: SessionFolder) -> None:
    """A stored session takes no answers from a folder: one that it lacks is told, never dropped."""
    left = [_comparable(answer) for answer in answers_given(*store.alerts(folder.session.id))]
    problems = []
    for answer in folder.answers:
        wanted = _comparable(answer)
        same = (held for held in left if wanted in (held, replace(held, trigger_id=None)))
        found = next(same, None)
        if found is None:
            reason = "the session is stored already, without this answer"
            problems.append(f"answers.csv:{answer.line}:row: {reason}")
        else:
            left.remove(found)
    if problems:
        raise ImportRefused(problems)


def _comparable(answer: AlertAnswer) -> AlertAnswer:
    """The answer with nothing said as empty text, as the replay stores it."""
    return replace(answer, action=answer.action or "", text=answer.text or "")


def _refuse_a_copy(store: Store, folder: SessionFolder, session: InfusionSession) -> None:
    """Nobody opens two sessions of one patient at one instant: the second is a copy.

    Without an id of its own a session is named after its folder, so a folder that was copied or
    renamed has another id, and its doses would count twice.
    """
    for known_id in store.patient_session_ids(session.patient.id):
        if store.session(known_id).created_at == session.created_at:
            reason = (
                f"this patient's session of {session.created_at:%Y-%m-%d %H:%M} UTC is stored"
                f" already as {known_id}; a copied or renamed folder is the same session when it"
                f' says id = "{known_id}", and another one has another created_at'
            )
            raise ImportRefused([_told(folder, reason)])


def _told(folder: SessionFolder, reason: str) -> str:
    return f"session.toml:1:id: {reason} ({folder.name})"


def _known_patient(store: Store, session: InfusionSession) -> Patient:
    """The stored patient with this record number, or the folder's own when there is none."""
    patient = session.patient
    for known in store.find_patients(session.clinic, patient.mrn):
        if known.mrn.casefold() != patient.mrn.casefold():
            continue
        same = (known.family_name, known.given_name, known.born_on) == (
            patient.family_name,
            patient.given_name,
            patient.born_on,
        )
        if not same:
            raise ImportRefused(
                [f"session.toml:1:patient.mrn: {patient.mrn} is the number of somebody else here"]
            )
        return known
    return patient


def _missing_versions(store: Store, versions: Iterable[PinnedVersion]) -> tuple[PinnedVersion, ...]:
    """Versions the folder brings that are not stored: kept as retired, to judge this session only."""
    missing = []
    for version in versions:
        try:
            store.pinned(version.id)
        except NotFound:
            missing.append(replace(version, status=VersionStatus.RETIRED))
    return tuple(missing)


def _save(
    store: Store,
    session: InfusionSession,
    protocol: InfusionProtocol,
    limits: ThresholdSet,
    answers: tuple[AlertAnswer, ...],
    *,
    until: datetime,
    now: datetime,
    by: str,
    versions: tuple[PinnedVersion, ...] = (),
) -> None:
    alerts, events = replay_alerts(session, protocol, limits, answers, until)
    row = summarise(session, protocol, limits, alerts, events, until, zone=store.zone)
    audit = AuditEvent(now, by, IMPORT, session.id)
    with store.write(audit, clinic=session.clinic) as writer:
        for version in versions:
            writer.add_version(version)
        writer.add_patient(session.patient)
        writer.add_session(session)
        writer.add_alerts(alerts, events)
        writer.set_summary(session.id, row)
        if not row["in_progress"]:
            writer.set_packs(session.id, reading_packs(session, limits))


def fill_demo(
    store: SqlStore,
    *,
    now: datetime,
    samples: Path = SAMPLES,
    progress: Callable[[str], None] = lambda _name: None,
) -> int:
    """The demo accounts, every sample as a past session, and some under way; how many sessions.

    Raises:
        NotPermitted: the database has accounts of a real clinic.
    """
    create_demo_users(store, now=now)
    stored = 0
    for path in sorted(item for item in samples.iterdir() if item.is_dir()):
        stored += store_folder(store, read_folder(path), now=now, clinic=DEMO_CLINIC)
        progress(path.name)
    return stored + start_running(store, now=now)


def start_running(store: SqlStore, *, now: datetime) -> int:
    """Store the sessions that are under way at ``now``; how many."""
    protocol = _newest(store, "protocol", "P02")
    thresholds = _newest(store, "threshold_set", protocol.protocol().threshold_set)
    limits = parse_threshold_set(json.loads(thresholds.text))
    count = 0
    for session in running_sessions(now, DEMO_CLINIC, protocol, thresholds):
        known = replace(session, patient=_known_patient(store, session))
        _save(store, known, protocol.protocol(), limits, (), until=now, now=now, by=COMMAND_LINE)
        count += 1
    return count


def _newest(store: Store, kind: str, code: str) -> PinnedVersion:
    found = [
        version
        for version in store.versions(kind, DEMO_CLINIC)
        if version.code == code and version.status is not VersionStatus.DRAFT
    ]
    return max(found, key=lambda version: version.version)


#: Sessions of the demo without an entry for this long were under way some other day.
STALE_AFTER = timedelta(minutes=90)


def refresh_running(store: SqlStore, *, now: datetime) -> int:
    """End the demo's sessions of an earlier visit and start others now; how many were started."""
    ended = 0
    for session_id in store.open_session_ids(DEMO_CLINIC):
        session = store.session(session_id)
        last = end_of_record(session)
        if now - last < STALE_AFTER:
            continue
        ended += 1
        _send_home(store, session, last, now)
    return start_running(store, now=now) if ended else 0


def _send_home(store: SqlStore, session: InfusionSession, last: datetime, now: datetime) -> None:
    """Stop the infusion and let the patient go, some time after the last entry."""
    minute = timedelta(minutes=1)
    facts: list[Fact] = [
        SessionEvent(**_told_by(session, last + 2 * minute), kind=EventKind.DISCHARGED.value),
        SessionEvent(**_told_by(session, last + 3 * minute), kind=EventKind.COMPLETED.value),
    ]
    if status(session, last) is not SessionStatus.RECOVERY:
        facts.append(_stop(session, last + minute))
    with store.write(
        AuditEvent(now, COMMAND_LINE, "END_DEMO_SESSION", session.id),
        clinic=session.clinic,
        session_id=session.id,
    ) as writer:
        writer.add_facts(session.id, facts)
        alerts, events = writer.alerts(session.id)
        opened = bundle(store, session.with_facts(facts), (alerts, events), now)
        writer.set_summary(session.id, summary(opened, store.zone))
        writer.set_packs(session.id, reading_packs(opened.session, opened.threshold_set))


def _stop(session: InfusionSession, at: datetime) -> DoseStep:
    return DoseStep(
        **_told_by(session, at),
        kind=DoseStepKind.STOP,
        rate_mg_per_h=Decimal(0),
        entered_value=Decimal(0),
        entered_unit=DoseUnit.MG_PER_KG_PER_H,
        reason="end of the demonstration",
    )


def _told_by(session: InfusionSession, at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(int(at.timestamp() * 1000)),
        "taken_at": at,
        "recorded_at": at,
        "recorded_by": session.created_by,
    }


# -- making room for a fresh demo -------------------------------------------------------------------


def holds_anything(url: str) -> bool:
    """Whether the database holds a session or an account, of the demo or of anybody."""
    engine = make_engine(url)
    try:
        with translated(writing=False), engine.connect() as connection:
            inspector = sa.inspect(connection)
            return any(
                inspector.has_table(name)
                and connection.execute(sa.text(f"SELECT 1 FROM {name} LIMIT 1")).first() is not None
                for name in (SESSION.name, USER_EVENT.name)
            )
    finally:
        engine.dispose()


def clear_demo(url: str) -> None:
    """Remove the demo database of this URL, if there is one; anything else is left alone.

    Raises:
        NotPermitted: what is there is not a demo, or a server has it open.
    """
    check_plain_file(url)
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        if holds_anything(url):
            raise NotPermitted("The demo wants an empty PostgreSQL database; make a new one.")
        return
    file = Path(parsed.database or "")
    if not file.exists():
        return
    engine = make_engine(url)
    try:
        blank = is_blank(engine)
    finally:
        engine.dispose()
    if not blank:
        store = open_store(url)
        try:
            is_ours = is_demo(store) or not holds_anything(url)
        finally:
            store.close()
        if not is_ours:
            raise NotPermitted(
                f"{file} is not a demo database and is left alone. Name another with --database."
            )
    _remove_sqlite(file)


def _remove_sqlite(file: Path) -> None:
    """Delete a SQLite database with its journal, unless some process has it open."""
    connection = sqlite3.connect(file, timeout=1)
    try:
        # Leaving WAL needs the database alone: the one way to see that a server has it open.
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError:
        raise NotPermitted(f"{file} is in use. Stop the server first, then try again.") from None
    finally:
        connection.close()
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
