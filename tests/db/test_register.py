"""Patients change and their sessions know it; courses keep every version.  On both engines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from db import SqlStore, chain, open_store
from monitor.patients import PatientChange
from monitor.record import Patient
from tests import build
from tests.db.conftest import Intruder, start


def change(store: SqlStore, changed: PatientChange) -> None:
    with store.write(build.audit("change"), clinic=build.CLINIC) as writer:
        writer.change_patient(changed)


def test_every_session_of_the_patient_shows_what_is_now_right(store: SqlStore) -> None:
    patient = build.patient(allergies="none known")
    first = start(store, build.session(build.rate("0.1", 0), patient=patient))
    second = start(store, build.session(patient=patient))
    other = start(store, build.session())
    changed = build.patient_change(patient, allergies="latex")
    change(store, changed)
    now = replace(patient, allergies="latex")
    assert store.patient(patient.id) == now
    assert store.session(first.id) == replace(first, patient=now)
    assert store.session(second.id).patient == now
    assert store.session(other.id) == other
    assert store.patient_changes(patient.id) == (changed,)
    assert store.verify() == ()


def test_another_process_learns_of_the_change(store: SqlStore, database_url: str) -> None:
    """It keeps the session in memory; the change counts as a write of the session."""
    session = start(store, build.session())
    other = open_store(database_url)
    try:
        assert other.session(session.id) == session
        change(store, build.patient_change(session.patient, allergies="latex"))
        assert other.session(session.id).patient.allergies == "latex"
    finally:
        other.close()


def test_a_save_after_the_change_keeps_it(store: SqlStore) -> None:
    session = start(store, build.session())
    change(store, build.patient_change(session.patient, family_name="Bergmann"))
    seen = build.observation("hr", 70, 5)
    with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
        assert writer.session(session.id).patient.family_name == "Bergmann"
        writer.add_facts(session.id, [seen])
    found = store.session(session.id)
    assert found.patient.family_name == "Bergmann"
    assert found.observations == (seen,)


def test_a_patient_is_found_by_the_present_and_by_a_former_name(store: SqlStore) -> None:
    patient: Patient = build.patient(family_name="Berg", given_name="Nora", mrn="K-1")
    start(store, build.session(patient=patient))
    change(store, build.patient_change(patient, family_name="Lind", mrn="K-2"))
    now = replace(patient, family_name="Lind", mrn="K-2")
    for text in ("lind", "berg", "k-1", "k-2", "nora l", "nora b"):
        assert store.find_patients(build.CLINIC, text) == (now,), text
    assert store.find_patients(build.CLINIC, "nora x") == ()


def test_the_last_of_several_changes_holds(store: SqlStore) -> None:
    patient = build.patient()
    start(store, build.session(patient=patient))
    for number, allergies in enumerate(("latex", "latex, ondansetron"), start=1):
        change(store, build.patient_change(patient, number, allergies=allergies))
    assert store.patient(patient.id).allergies == "latex, ondansetron"
    assert [item.number for item in store.patient_changes(patient.id)] == [1, 2]


def test_a_repeated_change_changes_nothing(store: SqlStore) -> None:
    session = start(store, build.session())
    changed = build.patient_change(session.patient, allergies="latex")
    change(store, changed)
    links = len(list(store.audit_rows(build.CLINIC)))
    change(store, changed)
    assert len(list(store.audit_rows(build.CLINIC))) == links
    assert store.patient_changes(session.patient.id) == (changed,)


def test_courses_keep_every_version(store: SqlStore) -> None:
    session = start(store, build.session())
    first = build.course(session.patient)
    more = replace(
        first, id=build.an_id(), number=2, planned_infusions=8, reason="helps",
        recorded_at=build.at(5),
    )  # fmt: skip
    other = build.course(session.patient, recorded_at=build.at(3))
    for course in (first, other, more):
        with store.write(build.audit("course"), clinic=build.CLINIC) as writer:
            writer.add_course(course)
    assert store.courses(session.patient.id) == (first, more, other)
    assert store.courses(build.an_id()) == ()
    assert store.verify() == ()


def test_rows_from_before_a_new_column_still_verify(
    store: SqlStore, intruder: Intruder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column that was added later is empty in old rows and unknown to their links."""
    canonical = chain.canonical

    def before_the_column(row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in canonical(row).items() if name != "course_id"}

    monkeypatch.setattr(chain, "canonical", before_the_column)
    session = start(store, build.session())
    monkeypatch.undo()
    assert store.verify() == ()
    is_postgres = intruder.engine.name == "postgresql"
    intruder.run(
        "UPDATE infusion_session SET course_id = :course WHERE id = :id",
        course=build.an_id() if is_postgres else build.an_id().hex,
        id=session.id if is_postgres else session.id.hex,
    )
    assert any("was changed (course_id)" in line for line in store.verify())
