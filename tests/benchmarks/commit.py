"""Saving one set into a long session, beside a bare prepared insert on the same settings."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg

import db
from monitor import actions
from monitor.accounts import UserEvent, UserEventKind
from monitor.audit import AuditEvent
from monitor.entered import EnteredItem, EnteredSet
from monitor.ids import new_id
from monitor.permissions import Role, User
from monitor.record import DoseStepKind, DoseUnit, DrugForm, Patient, Source
from monitor.requests import RateRequest, StartRequest
from monitor.store import Store
from tests.benchmarks.report import Figure, ratio_figure
from tests.postgres_server import throw_away_server

GOAL = "<= 10"
SESSIONS = 10
SAVES_PER_SESSION = 20
WARM_UP = 2
SETS_BEFORE = 72
T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NURSE = User(username="bench", name="Bench Nurse", role=Role.NURSE, clinic="bench")


def entered_set(index: int, taken_at: datetime) -> EnteredSet:
    """A believable set: pressure drifts, every ninth one is over 160."""
    systolic = 164 if index % 9 == 8 else 124 + index % 7
    values = {
        "hr": 66 + index % 11,
        "sbp": systolic,
        "dbp": 76 + index % 5,
        "spo2": 96 + index % 3,
        "rr": 13 + index % 3,
        "sedation": index % 2,
        "dissociation": index % 4,
        "nausea": 0,
        "pain": 4,
    }
    return EnteredSet(
        set_id=new_id(),
        taken_at=taken_at,
        items=tuple(
            EnteredItem(id=new_id(), parameter=key, text=str(value))
            for key, value in values.items()
        ),
        source=Source.KEYED,
    )


#: Questions a repeated high pressure may ask; confirmed up front as a nurse would.
CONFIRMED = frozenset({"sbp.jump", "hr.jump", "sbp.soft_above", "chair.taken"})


def long_session(store: Store, number: int = 0) -> tuple[UUID, datetime]:
    """A session with six hours of five-minute sets on a running infusion; its end time."""
    account = UserEvent(
        id=new_id(), kind=UserEventKind.CREATED, username=NURSE.username, name=NURSE.name,
        role=NURSE.role, clinic=NURSE.clinic, active=True, shift_lead=False, at=T0, by="bench",
    )  # fmt: skip
    with store.write(AuditEvent(T0, "bench", "MANAGE_USERS"), clinic=NURSE.clinic) as writer:
        writer.add_user_event(account)
    protocol = next(item for item in store.versions("protocol", NURSE.clinic) if item.code == "P02")
    request = StartRequest(
        id=new_id(),
        patient=Patient(
            id=new_id(), mrn=f"BENCH-{number}", family_name="Bench", given_name="Synthetic",
            born_on=datetime(1980, 1, 1, tzinfo=UTC).date(),
        ),
        chair="1",
        protocol_id=protocol.id,
        drug_form=DrugForm.RACEMIC,
        concentration_mg_per_ml=Decimal(2),
        weight_id=new_id(),
        weight_kg=Decimal(72),
        baseline=entered_set(0, T0 - timedelta(minutes=5)),
    )  # fmt: skip
    session_id = actions.start_session(
        store, NURSE, request, now=T0, confirmed=CONFIRMED
    ).session.id
    start = RateRequest(
        id=new_id(), kind=DoseStepKind.RATE, value=Decimal("0.1"),
        unit=DoseUnit.MG_PER_KG_PER_H, taken_at=T0, second_person="second",
        already_given=True, reason="gate on paper",
    )  # fmt: skip
    actions.change_rate(store, NURSE, session_id, start, now=T0)
    taken_at = T0
    for index in range(SETS_BEFORE):
        taken_at = T0 + timedelta(minutes=5 * (index + 1))
        actions.record_observations(
            store, NURSE, session_id, entered_set(index, taken_at),
            now=taken_at + timedelta(seconds=30), confirmed=CONFIRMED,
        )  # fmt: skip
    return session_id, taken_at


def saves_ms(store: Store, bare_insert: Callable[[int], None]) -> tuple[list[float], list[float]]:
    """Interleaved: one set saved, one bare row inserted; both in milliseconds."""
    ours: list[float] = []
    bare: list[float] = []
    for number in range(SESSIONS):
        session_id, taken_at = long_session(store, number)
        for index in range(-WARM_UP, SAVES_PER_SESSION):
            taken_at += timedelta(minutes=1)
            entered, now = entered_set(index + WARM_UP, taken_at), taken_at + timedelta(seconds=5)
            begin = time.perf_counter()
            actions.record_observations(
                store, NURSE, session_id, entered, now=now, confirmed=CONFIRMED
            )
            middle = time.perf_counter()
            bare_insert(number * 1000 + index + WARM_UP)
            end = time.perf_counter()
            if index >= 0:
                ours.append((middle - begin) * 1e3)
                bare.append((end - middle) * 1e3)
    return ours, bare


def sqlite() -> list[Figure]:
    """commit_ratio_sqlite."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        url = f"sqlite:///{path}"
        db.migrate(url)
        store = db.open_store(url)
        connection = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, value TEXT)")
        ours, bare = saves_ms(
            store,
            lambda index: (
                connection.execute("INSERT INTO bare VALUES (?, ?)", (index, "x" * 200)) and None
            ),
        )
        connection.close()
        store.close()
    return [ratio_figure("commit_ratio_sqlite", ours, bare, "bare sqlite3 insert", GOAL)]


def postgres() -> list[Figure]:
    """commit_ratio_postgres."""
    with throw_away_server() as url:
        db.migrate(url)
        store = db.open_store(url)
        plain = url.replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("CREATE TABLE bare (id integer PRIMARY KEY, value text)")
            ours, bare = saves_ms(
                store,
                lambda index: (
                    connection.execute(
                        "INSERT INTO bare VALUES (%s, %s)", (index, "x" * 200), prepare=True
                    )
                    and None
                ),
            )
        store.close()
    return [ratio_figure("commit_ratio_postgres", ours, bare, "bare psycopg insert", GOAL)]
