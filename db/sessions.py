"""Reads infusion sessions, and keeps the last ones in memory so that a save reads only what is new.

The version of a session is the number of its writes (``session_head.write_no``).  A kept session is
used only after that number was read in the same transaction; what other processes wrote since is
fetched by ``write_no``.  So the memory may be old, but never wrong.
"""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from operator import attrgetter
from threading import Lock
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.tables import (
    ALERT,
    ALERT_EVENT,
    FACT_NAMES,
    FACT_TABLES,
    PATIENT,
    PATIENT_CHANGE,
    SESSION,
    SESSION_HEAD,
)
from monitor.alerts import Alert, AlertEvent
from monitor.errors import NotFound
from monitor.lifecycle import status
from monitor.record import FACT_FIELDS, Fact, InfusionSession, Patient

#: Sessions kept in memory: more than a clinic has open at once.  Six hours of sets take 0.5 MB.
KEPT_SESSIONS = 64

_PATIENT_NAMES = tuple(item.name for item in fields(Patient))
_HEADER_NAMES = tuple(
    item.name
    for item in fields(InfusionSession)
    if item.name != "patient" and item.name not in FACT_FIELDS.values()
)
_ALERT_NAMES = tuple(item.name for item in fields(Alert))
_EVENT_NAMES = tuple(item.name for item in fields(AlertEvent))


@dataclass(frozen=True, slots=True)
class Loaded:
    """A session with its alerts as of one write; ``ids`` are those of every row it has."""

    write_no: int
    session: InfusionSession
    alerts: tuple[Alert, ...]
    events: tuple[AlertEvent, ...]
    ids: frozenset[UUID]


def _newer(table: sa.Table, names: Iterable[str]) -> sa.Select[Any]:
    """Rows of one session after one write and up to another."""
    return (
        sa.select(*(table.c[name] for name in names))
        .where(table.c.session_id == sa.bindparam("session"))
        .where(table.c.write_no > sa.bindparam("after"))
        .where(table.c.write_no <= sa.bindparam("upto"))
    )


_FACTS = {kind: _newer(table, FACT_NAMES[kind]) for kind, table in FACT_TABLES.items()}
_ALERTS = _newer(ALERT, _ALERT_NAMES)
_EVENTS = _newer(ALERT_EVENT, _EVENT_NAMES)
_HEADER = (
    sa.select(*(SESSION.c[name] for name in _HEADER_NAMES), *PATIENT.c[_PATIENT_NAMES])
    .join_from(SESSION, PATIENT, SESSION.c.patient_id == PATIENT.c.id)
    .where(SESSION.c.id == sa.bindparam("session"))
)
_CHANGED_PATIENT = (
    sa.select(*(PATIENT_CHANGE.c[name] for name in _PATIENT_NAMES if name != "id"))
    .where(PATIENT_CHANGE.c.patient_id == sa.bindparam("patient"))
    .order_by(PATIENT_CHANGE.c.number.desc())
    .limit(1)
)
_WRITE_NO = sa.select(SESSION_HEAD.c.write_no).where(
    SESSION_HEAD.c.session_id == sa.bindparam("session")
)


def no_session(session_id: UUID) -> NotFound:
    return NotFound(f"There is no infusion session {session_id}.")


def write_no_of(connection: Connection, session_id: UUID) -> int | None:
    """The number of writes of the session, or None when it has no head."""
    return connection.execute(_WRITE_NO, {"session": session_id}).scalar()


def _header(connection: Connection, session_id: UUID) -> InfusionSession:
    row = connection.execute(_HEADER, {"session": session_id}).first()
    if row is None:
        raise no_session(session_id)
    header, patient = row[: len(_HEADER_NAMES)], row[len(_HEADER_NAMES) :]
    return InfusionSession(
        **dict(zip(_HEADER_NAMES, header, strict=True)),
        patient=as_changed(connection, Patient(**dict(zip(_PATIENT_NAMES, patient, strict=True)))),
    )


def as_changed(connection: Connection, patient: Patient) -> Patient:
    """The patient with the last correction, when there was one."""
    row = connection.execute(_CHANGED_PATIENT, {"patient": patient.id}).first()
    return patient if row is None else replace(patient, **row._mapping)


def load(
    connection: Connection, session_id: UUID, write_no: int, kept: Loaded | None = None
) -> Loaded:
    """The session as of that write; of a kept one only what is newer is read.

    Raises:
        NotFound: there is no such session.
    """
    if kept is not None and kept.write_no == write_no:
        return kept
    # Read anew even beside a kept one: what somebody else wrote may be a change of the patient.
    header = _header(connection, session_id)
    if kept is None or kept.write_no > write_no:
        kept = Loaded(0, header, (), (), frozenset())
    elif kept.session.patient != header.patient:
        kept = replace(kept, session=replace(kept.session, patient=header.patient))
    asked = {"session": session_id, "after": kept.write_no, "upto": write_no}
    facts: list[Fact] = []
    for kind, statement in _FACTS.items():
        names = FACT_NAMES[kind]
        for row in connection.execute(statement, asked):
            facts.append(kind(**dict(zip(names, row, strict=True))))
    alerts = [
        Alert(**dict(zip(_ALERT_NAMES, row, strict=True)))
        for row in connection.execute(_ALERTS, asked)
    ]
    events = [
        AlertEvent(**dict(zip(_EVENT_NAMES, row, strict=True)))
        for row in connection.execute(_EVENTS, asked)
    ]
    return with_more(kept, write_no, facts, alerts, events)


def with_more(
    loaded: Loaded,
    write_no: int,
    facts: Iterable[Fact] = (),
    alerts: Iterable[Alert] = (),
    events: Iterable[AlertEvent] = (),
) -> Loaded:
    """The same with rows added that it does not have yet."""
    facts, alerts, events = tuple(facts), tuple(alerts), tuple(events)
    new: tuple[Fact | Alert | AlertEvent, ...] = (*facts, *alerts, *events)
    return Loaded(
        write_no=write_no,
        session=_with_facts(loaded.session, facts),
        alerts=tuple(sorted((*loaded.alerts, *alerts), key=attrgetter("detected_at", "id"))),
        events=tuple(sorted((*loaded.events, *events), key=attrgetter("recorded_at", "id"))),
        ids=loaded.ids.union(row.id for row in new),
    )


def _with_facts(session: InfusionSession, facts: Iterable[Fact]) -> InfusionSession:
    """As InfusionSession.with_facts for facts known to be new, without looking at all the others."""
    changed: dict[str, list[Fact]] = {}
    for fact in facts:
        name = FACT_FIELDS[type(fact)]
        changed.setdefault(name, []).append(fact)
    merged: dict[str, tuple[Fact, ...]] = {}
    for name, new in changed.items():
        held: list[Fact] = list(getattr(session, name))
        if len(new) > len(held):
            held = sorted([*held, *new], key=attrgetter("order"))
        else:
            for fact in new:
                insort(held, fact, key=attrgetter("order"))
        merged[name] = tuple(held)
    return session.grown(merged) if merged else session


def is_open(session: InfusionSession) -> bool:
    """Whether the session belongs on the board, with every fact it has."""
    latest: datetime = max(
        (max(fact.taken_at, fact.recorded_at) for fact in session.facts()),
        default=session.created_at,
    )
    return status(session, latest).is_open


def without_facts(session: InfusionSession) -> InfusionSession:
    """The header of a session alone."""
    none: dict[str, Any] = dict.fromkeys(FACT_FIELDS.values(), ())
    return replace(session, **none)


class Kept:
    """The sessions in memory: bounded, oldest use out first, shared by every thread."""

    def __init__(self, size: int = KEPT_SESSIONS) -> None:
        self._size = size
        self._lock = Lock()
        self._entries: OrderedDict[UUID, Loaded] = OrderedDict()

    def get(self, session_id: UUID) -> Loaded | None:
        with self._lock:
            entry = self._entries.get(session_id)
            if entry is not None:
                self._entries.move_to_end(session_id)
            return entry

    def put(self, loaded: Loaded) -> None:
        """Keep it, unless a newer one is already kept."""
        session_id = loaded.session.id
        with self._lock:
            entry = self._entries.get(session_id)
            if entry is None or entry.write_no < loaded.write_no:
                self._entries[session_id] = loaded
            self._entries.move_to_end(session_id)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._entries.clear()
