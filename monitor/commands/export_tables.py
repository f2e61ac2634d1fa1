"""``export`` and ``export-session``: what leaves the record, and the audit event that says so."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from monitor import export, user_admin
from monitor.actions.opening import OpenSession, bundle, threshold_set_of
from monitor.audit import AuditEvent
from monitor.commands import database
from monitor.commands.output import cannot_write, check_out, counted, say, write_whole
from monitor.errors import NotFound
from monitor.folders import check_new_folder, write_folder
from monitor.permissions import Action
from monitor.replay import answers_given
from monitor.store import SessionQuery, Store

TABLES = ("sessions", "observations", "doses", "side-effects", "gate", "breaches", "alerts")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export: which table, of which sessions, in which form."""

    table: str
    query: SessionQuery
    deidentified: bool = False
    bom: bool = False


def export_csv(args: argparse.Namespace) -> int:
    """One table of the record as CSV."""
    zone = database.clinic_zone()
    check_out(args.out)
    if args.from_day and args.to_day and args.from_day > args.to_day:
        raise NotFound("--from lies after --to: there is no day between them.")
    with database.opened(args) as store:
        query = SessionQuery(
            clinic=known_clinic(store, args.clinic) if args.clinic else only_clinic(store),
            from_at=_midnight(args.from_day, zone),
            to_at=_midnight(args.to_day, zone, after=1),
            include_in_progress=args.in_progress,
            descending=False,
        )
        wanted = Wanted(args.table, query, deidentified=args.deidentified, bom=args.bom)
        form = new_form(wanted, export.Form(zone=zone))
        by, now = user_admin.COMMAND_LINE, database.now()
        size = export_table(store, wanted, form, args.out, by=by, now=now)
    if args.out != "-":
        say(f"{args.out}: {size} bytes")
    return 0


def known_clinic(store: Store, clinic: str) -> str:
    """The clinic, when the record holds anything of it.

    Raises:
        NotFound: a slip of the pen would export an empty table and open a chain of its own.
    """
    if store.version(clinic) == 0:
        raise NotFound(f'The record holds nothing of a clinic "{clinic}".')
    return clinic


def _midnight(day: date | None, zone: ZoneInfo, *, after: int = 0) -> datetime | None:
    """The first instant of a clinic-local day; ``after`` 1 is the end of it."""
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=after), time(), tzinfo=zone).astimezone(UTC)


def export_table(
    store: Store, wanted: Wanted, form: export.Form, out: str, *, by: str, now: datetime
) -> int:
    """Write one table to a file; how many bytes.  The audit event is written before the data."""
    query = wanted.query
    audit = AuditEvent(
        now,
        by,
        Action.EXPORT.name,
        detail={
            "table": wanted.table,
            "deidentified": wanted.deidentified,
            "from": query.from_at,
            "to": query.to_at,
        },
    )
    with store.write(audit, clinic=query.clinic):
        pass
    return write_whole(out, table_of(store, wanted, form, now))


def new_form(wanted: Wanted, form: export.Form) -> export.Form:
    """The form with a fresh key when the export is de-identified: each has its own pseudonyms."""
    key = os.urandom(32) if wanted.deidentified else None
    return export.Form(zone=form.zone, bom=wanted.bom, key=key)


def table_of(store: Store, wanted: Wanted, form: export.Form, now: datetime) -> Iterator[bytes]:
    """The pieces of one table."""
    if wanted.table == "sessions":
        rows = counted(store.stream_summaries(wanted.query), "sessions")
        return export.summaries_csv(rows, now, form)
    opened = counted(_opened(store, wanted.query, now), "sessions")
    match wanted.table:
        case "observations":
            return export.observations_csv(
                (item.session for item in opened),
                form,
                uses_news2=lambda session: (
                    threshold_set_of(store.pinned(session.threshold_set_id)).has_news2
                ),
            )
        case "doses":
            return export.doses_csv((item.session for item in opened), form)
        case "side-effects":
            return export.side_effects_csv((item.session for item in opened), form)
        case "gate":
            return export.gate_csv((item.session for item in opened), form)
        case "breaches":
            return export.breaches_csv(((item.session, item.breaches) for item in opened), form)
        case "alerts":
            return export.alerts_csv(((item.session, item.all_views) for item in opened), form)
    raise ValueError(f"there is no table {wanted.table}")


def _opened(store: Store, query: SessionQuery, now: datetime) -> Iterator[OpenSession]:
    for row in store.stream_summaries(query):
        session = store.session(row["session_id"])
        yield bundle(store, session, store.alerts(session.id), now)


def export_session(store: Store, session_id: UUID, out: Path, *, by: str, now: datetime) -> None:
    """Write one session as a folder that ``import`` reads back as an equal session.

    Raises:
        NotFound, ImportRefused: there is no such session, or the folder is not empty.
        CannotWrite: the system lets nobody write there.
    """
    check_new_folder(out)
    # The alerts first: what is saved in between may then be missing among them, never the facts
    # that they and their answers speak of.
    alerts, events = store.alerts(session_id)
    session = store.session(session_id)
    answers = answers_given(alerts, events)
    versions = (store.pinned(session.protocol_id), store.pinned(session.threshold_set_id))
    audit = AuditEvent(now, by, Action.EXPORT.name, session_id, detail={"table": "session folder"})
    with store.write(audit, clinic=session.clinic):
        pass
    try:
        write_folder(session, out, versions=versions, answers=answers)
    except OSError as error:
        raise cannot_write(out, error) from error


def only_clinic(store: Store) -> str:
    """The clinic of the database, when it is one.

    Raises:
        NotFound: there is none, or there are several.
    """
    clinics = sorted({user.clinic for user in store.users()})
    if len(clinics) == 1:
        return clinics[0]
    known = ", ".join(clinics) or "none has an account yet"
    raise NotFound(f"Say which clinic with --clinic ({known}).")
