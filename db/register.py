"""The patient register: patients as they are now known, what changed about them, their courses."""

from __future__ import annotations

from dataclasses import fields
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.keys import AFTER, search_key
from db.sessions import as_changed
from db.tables import COURSE, PATIENT, PATIENT_CHANGE
from monitor.courses import Course
from monitor.errors import NotFound
from monitor.patients import PatientChange
from monitor.record import Patient

_PATIENT_NAMES = tuple(item.name for item in fields(Patient))
_CHANGED_NAMES = tuple(name for name in _PATIENT_NAMES if name != "id")
_COURSE_NAMES = tuple(item.name for item in fields(Course))


def patients_called(clinic: str, text: str) -> sa.CompoundSelect[tuple[UUID]]:
    """Ids of patients whose number, family name or given name begins so, now or formerly.

    Every range is an index's.
    """
    key = search_key(text)

    def begins(table: sa.Table) -> sa.ColumnElement[bool]:
        ranges = (
            sa.and_(table.c[name] >= key, table.c[name] < key + AFTER)
            for name in ("mrn_key", "name_key", "given_key")
        )
        return sa.and_(table.c.clinic == clinic, sa.or_(*ranges))

    return sa.union(
        sa.select(PATIENT.c.id).where(begins(PATIENT)),
        sa.select(PATIENT_CHANGE.c.patient_id).where(begins(PATIENT_CHANGE)),
    )


def find_patients(
    connection: Connection, clinic: str, text: str, limit: int
) -> tuple[Patient, ...]:
    asked = (
        sa.select(*(PATIENT.c[name] for name in _PATIENT_NAMES))
        .where(PATIENT.c.id.in_(patients_called(clinic, text)))
        .order_by(PATIENT.c.name_key, PATIENT.c.id)
        .limit(limit)
    )
    found = [Patient(**row._mapping) for row in connection.execute(asked)]
    return tuple(as_changed(connection, patient) for patient in found)


def patient(connection: Connection, patient_id: UUID) -> Patient:
    return as_changed(connection, registered_patient(connection, patient_id))


def registered_patient(connection: Connection, patient_id: UUID) -> Patient:
    asked = sa.select(*(PATIENT.c[name] for name in _PATIENT_NAMES)).where(
        PATIENT.c.id == patient_id
    )
    row = connection.execute(asked).first()
    if row is None:
        raise NotFound(f"There is no patient {patient_id}.")
    return Patient(**row._mapping)


def patient_changes(connection: Connection, patient_id: UUID) -> tuple[PatientChange, ...]:
    """Every change of the patient, the first one first."""
    asked = (
        sa.select(PATIENT_CHANGE)
        .where(PATIENT_CHANGE.c.patient_id == patient_id)
        .order_by(PATIENT_CHANGE.c.number)
    )
    return tuple(
        PatientChange(
            id=row.id,
            patient=Patient(id=patient_id, **{name: getattr(row, name) for name in _CHANGED_NAMES}),
            number=row.number,
            reason=row.reason,
            recorded_at=row.recorded_at,
            recorded_by=row.recorded_by,
        )
        for row in connection.execute(asked)
    )


def courses(connection: Connection, patient_id: UUID) -> tuple[Course, ...]:
    """Every version of every course of the patient, oldest course first, versions in order."""
    asked = (
        sa.select(*(COURSE.c[name] for name in _COURSE_NAMES))
        .where(COURSE.c.patient_id == patient_id)
        .order_by(COURSE.c.recorded_at, COURSE.c.number)
    )
    found = [Course(**row._mapping) for row in connection.execute(asked)]
    began = {course.course_id: course.recorded_at for course in reversed(found)}
    return tuple(
        sorted(found, key=lambda course: (began[course.course_id], course.course_id, course.number))
    )
