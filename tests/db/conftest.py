"""What the storage tests share: a session in the record, and a way round the triggers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from db import SqlStore
from db.engine import WRITING, make_engine
from monitor.accounts import UserEvent, UserEventKind
from monitor.alerts import AlertEventKind
from monitor.permissions import Role
from monitor.record import InfusionSession, MovementKind, NotTaken
from tests import build


def start(store: SqlStore, session: InfusionSession) -> InfusionSession:
    """Store a session with its patient."""
    with store.write(build.audit("start"), clinic=session.clinic, session_id=session.id) as writer:
        writer.add_patient(session.patient)
        writer.add_session(session)
    return session


def account(username: str = "blum", **changes: Any) -> UserEvent:
    """A recorded change of an account."""
    values: dict[str, Any] = {
        "id": build.an_id(),
        "kind": UserEventKind.CREATED,
        "name": "Blum, A.",
        "role": Role.NURSE,
        "clinic": build.CLINIC,
        "active": True,
        "shift_lead": False,
        "at": build.T0,
        "by": "admin",
    }
    return UserEvent(username=username, **(values | changes))


def a_bit_of_everything() -> InfusionSession:
    """A session with at least one fact of every kind."""
    low = build.observation("spo2", 89, 10)
    nausea = build.side_effect("nausea", 2, 20)
    return build.session(
        low,
        build.observation("sbp", NotTaken.UNRECORDABLE, 10),
        build.rate("0.1", 0, overrides=("rate.soft",), reason="pain", ordered_by="okoye"),
        build.hold(45),
        build.bolus(5, 3, over_s=60),
        build.syringe("2.50", 60, batch="B 7"),
        nausea,
        build.side_effect_change(nausea, 30, ended=True),
        build.event("arrived", -40),
        build.answer("pregnancy"),
        build.movement(MovementKind.ISSUED, 200, -10),
        build.patient_limit("rate_mg_per_h", "40", -5),
        build.amendment(low, 12),
    )


def fill(store: SqlStore) -> InfusionSession:
    """Put at least one row into every record table and the summary."""
    session = start(store, a_bit_of_everything())
    alert = build.alert(session, session.observations[0])
    event = build.alert_event(alert, AlertEventKind.ACKNOWLEDGED, 12, action="repeat")
    with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
        writer.add_alerts([alert], [event])
        writer.set_summary(session.id, summary_row(session))
    with store.write(build.audit("add account"), clinic=build.CLINIC) as writer:
        writer.add_user_event(account())
        writer.change_patient(build.patient_change(session.patient, allergies="latex"))
        writer.add_course(build.course(session.patient))
    return store.session(session.id)


def summary_row(session: InfusionSession, **changes: Any) -> dict[str, Any]:
    """The required columns of a session's summary, and those given."""
    patient = session.patient
    values: dict[str, Any] = {
        "clinic_code": session.clinic,
        "patient_id": patient.id,
        "mrn": patient.mrn,
        "patient_name": f"{patient.family_name}, {patient.given_name}",
        "born_on": patient.born_on,
        "listed_at": session.started_at or session.created_at,
        "in_progress": True,
        "as_of": session.created_at,
        "status": "infusing",
    }
    return values | changes


class Intruder:
    """Somebody with the database's password: writes past the store and past the triggers."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)

    def run(self, statement: str, **values: object) -> None:
        """Run one statement with every trigger and foreign key out of the way."""
        if self.engine.dialect.name == "postgresql":
            with self.engine.begin() as connection:
                connection.exec_driver_sql("SET session_replication_role = replica")
                connection.execute(sa.text(statement), values)
                connection.exec_driver_sql("SET session_replication_role = DEFAULT")
            return
        with self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            triggers = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            ).all()
            for name, _ in triggers:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            connection.execute(sa.text(statement), values)
            for _, text in triggers:
                connection.exec_driver_sql(text)
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")

    def plainly(self, statement: str, **values: object) -> None:
        """Run one statement as anybody would, triggers and all."""
        with self.engine.connect().execution_options(**WRITING) as connection:
            connection.execute(sa.text(statement), values)
            connection.commit()


@pytest.fixture
def intruder(database_url: str) -> Iterator[Intruder]:
    opened = Intruder(database_url)
    yield opened
    opened.engine.dispose()
