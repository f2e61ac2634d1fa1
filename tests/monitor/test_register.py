"""The patient register and courses through the actions, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from monitor import actions
from monitor.actions import patients as register
from monitor.courses import Course
from monitor.errors import InvalidEntry, NotPermitted
from monitor.record import Patient
from monitor.store import SessionQuery, Store
from tests import build
from tests.build import admin, an_id, anaesthetist, at, lead
from tests.entering import BLUM, TWICE, start_request
from tests.stored import keep

DOCTOR = anaesthetist()


def a_patient(store: Store, **changes: object) -> Patient:
    patient = build.patient(**({"allergies": "none known"} | changes))
    return register.register_patient(store, BLUM, patient, now=at(-30))


def correct(store: Store, seen: Patient, reason: str = "asked again", **changes: object) -> Patient:
    return register.correct_patient(
        store,
        BLUM,
        replace(seen, **changes),  # type: ignore[arg-type]
        change_id=an_id(),
        reason=reason,
        seen=seen,
        now=at(5),
    )


def refusal(error: pytest.ExceptionInfo[InvalidEntry]) -> dict[str, str]:
    return {problem.field: problem.message for problem in error.value.problems}


def test_a_patient_is_registered_once(store: Store) -> None:
    patient = a_patient(store)
    again = register.register_patient(store, BLUM, patient, now=at(-29))
    assert again == patient
    assert store.find_patients("main", patient.mrn) == (patient,)


def test_a_used_id_with_other_values_is_refused_and_never_called_saved(store: Store) -> None:
    patient = a_patient(store)
    other = replace(patient, given_name="Someone", mrn="K-77")
    with pytest.raises(InvalidEntry, match="NOT saved"):
        register.register_patient(store, BLUM, other, now=at(-29))
    assert store.patient(patient.id) == patient
    assert store.find_patients("main", "K-77") == ()


def test_a_patient_sent_again_after_a_correction_is_known_and_stays_corrected(store: Store) -> None:
    patient = a_patient(store)
    right = correct(store, patient, allergies="latex")
    assert register.register_patient(store, BLUM, patient, now=at(8)) == right
    assert store.patient(patient.id).allergies == "latex"


def test_a_patient_is_found_by_the_chair_of_a_session_that_runs(store: Store) -> None:
    opened = actions.start_session(store, BLUM, start_request(chair="A3"), now=at(-10))
    other = a_patient(store, family_name="A3ver", mrn="K-9")
    found = register.find_patients(store, BLUM, " a3 ", 20)
    assert found == (opened.session.patient, other)
    assert register.find_patients(store, BLUM, "a", 20) == (other,), "a chair is named whole"
    with pytest.raises(NotPermitted):
        register.find_patients(store, admin(), "a3", 20)


def test_a_number_is_one_patients(store: Store) -> None:
    known = a_patient(store, mrn="K-7")
    with pytest.raises(InvalidEntry) as refused:
        a_patient(store, mrn="k-7", allergies="")
    assert refusal(refused).keys() == {"mrn", "allergies"}
    assert "born 17 May 1979" in refusal(refused)["mrn"]
    assert store.find_patients("main", "k-7") == (known,)


def test_a_correction_reaches_the_list_and_stays_in_the_history(store: Store) -> None:
    patient = a_patient(store)
    session = keep(store, build.session(build.rate("0.1", 0), patient=patient), 10)
    now = correct(store, patient, family_name="Bergmann", allergies="latex")
    assert store.session(session.id).patient == now
    (row,) = store.summaries(SessionQuery(clinic="main"))
    assert row["patient_name"] == "Bergmann, Nora"
    file = register.patient_file(store, BLUM, patient.id, now=at(6))
    assert [(item.patient, item.reason) for item in file.changes] == [(now, "asked again")]
    assert file.patient == now


def test_a_correction_needs_a_reason_and_a_difference(store: Store) -> None:
    patient = a_patient(store)
    with pytest.raises(InvalidEntry) as refused:
        correct(store, patient, reason=" ")
    assert refusal(refused).keys() == {"patient", "reason"}
    assert store.patient_changes(patient.id) == ()


def test_a_name_that_cannot_be_read_is_refused_and_an_old_one_hinders_nobody(store: Store) -> None:
    turned = build.patient(id=an_id(), mrn="88", family_name="Berg\u202e", allergies="none known")
    with pytest.raises(InvalidEntry) as refused:
        register.register_patient(store, BLUM, turned, now=at(4))
    assert refusal(refused).keys() == {"family_name"}
    with store.write(build.audit(), clinic="main") as writer:
        writer.add_patient(turned)
    assert correct(store, turned, allergies="latex").allergies == "latex"
    with pytest.raises(InvalidEntry) as refused:
        correct(store, store.patient(turned.id), given_name="\u200b", reason="as\u202eked")
    assert refusal(refused).keys() == {"given_name", "reason"}


def test_a_correction_of_what_somebody_else_changed_meanwhile_is_refused(store: Store) -> None:
    seen = a_patient(store)
    correct(store, seen, allergies="latex")
    with pytest.raises(InvalidEntry) as refused:
        correct(store, seen, allergies="none known", given_name="Norah")
    assert "allergies: none known → latex" in refusal(refused)["patient"]
    assert store.patient(seen.id).allergies == "latex"


def test_the_same_correction_twice_is_one(store: Store) -> None:
    patient = a_patient(store)
    change_id = an_id()
    for _ in range(2):
        register.correct_patient(
            store, BLUM, replace(patient, allergies="latex"),
            change_id=change_id, reason="asked", seen=patient, now=at(5),
        )  # fmt: skip
    assert len(store.patient_changes(patient.id)) == 1


def test_another_correction_under_a_used_id_is_refused_and_not_called_saved(store: Store) -> None:
    patient = a_patient(store)
    change_id = an_id()

    def corrected(of: Patient, reason: str = "asked", **changes: str) -> None:
        register.correct_patient(
            store, BLUM, replace(of, **changes), change_id=change_id,  # type: ignore[arg-type]
            reason=reason, seen=of, now=at(5),
        )  # fmt: skip

    corrected(patient, allergies="latex")
    other = build.patient(id=an_id(), mrn="77", allergies="none known")
    register.register_patient(store, BLUM, other, now=at(4))
    now = store.patient(patient.id)
    for refused in (
        lambda: corrected(now, allergies="nuts"),
        lambda: corrected(patient, allergies="latex", family_name="Bergmann"),
        lambda: corrected(patient, allergies="latex", reason="typing slip"),
        lambda: corrected(other, allergies="nuts"),
    ):
        with pytest.raises(InvalidEntry, match="NOT saved"):
            refused()
    assert store.patient(patient.id) == now
    assert store.patient(other.id) == other
    assert store.verify() == ()


@pytest.mark.parametrize("person", [lead(), admin()], ids=["lead", "admin"])
def test_only_clinical_people_keep_the_register(store: Store, person: object) -> None:
    with pytest.raises(NotPermitted):
        register.register_patient(
            store,
            person,
            build.patient(allergies="latex"),
            now=at(0),  # type: ignore[arg-type]
        )


def test_a_patient_of_another_clinic_stays_there(store: Store) -> None:
    patient = a_patient(store)
    stranger = replace(BLUM, clinic="elsewhere")
    with pytest.raises(NotPermitted):
        register.patient_file(store, stranger, patient.id, now=at(0))


# -- courses -------------------------------------------------------------------------------------


def planned(store: Store, patient: Patient, **changes: object) -> Course:
    return register.plan_course(store, DOCTOR, build.course(patient, **changes), now=at(-20))


def test_a_course_is_planned_by_an_anaesthetist(store: Store) -> None:
    patient = a_patient(store)
    with pytest.raises(NotPermitted):
        register.plan_course(store, BLUM, build.course(patient), now=at(-20))
    course = planned(store, patient)
    assert (course.recorded_at, course.recorded_by) == (at(-20), DOCTOR.username)
    keep(
        store,
        build.session(build.rate("0.1", 0), patient=patient, course_id=course.course_id),
        10,
    )
    file = register.patient_file(store, BLUM, patient.id, now=at(10))
    assert file.open_course is not None
    assert file.open_course.series_number == 1
    assert file.open_course.progress.given == 1
    assert file.open_course.progress.next_on == date(2026, 3, 23)


def test_a_session_that_is_opened_knows_its_place_in_the_course(store: Store) -> None:
    patient = a_patient(store)
    course = planned(store, patient)
    keep(
        store,
        build.session(build.rate("0.1", 0), patient=patient, course_id=course.course_id),
        10,
    )
    request = start_request(patient=patient, weight_kg=Decimal(70))
    for _ in range(2):
        session = actions.start_session(store, BLUM, request, now=at(20), confirmed=TWICE).session
    assert (session.course_id, session.series_number, session.infusion_number) == (
        course.course_id,
        1,
        2,
    )
    rows = {row["session_id"]: row for row in store.summaries(SessionQuery(clinic="main"))}
    assert rows[session.id]["infusion_number"] == 2


def test_a_second_course_waits_for_the_end_of_the_first(store: Store) -> None:
    patient = a_patient(store)
    course = planned(store, patient)
    with pytest.raises(InvalidEntry, match="present course goes on"):
        planned(store, patient)
    ended = replace(course, id=an_id(), number=2, ended=True, reason="no effect")
    register.plan_course(store, DOCTOR, ended, now=at(0))
    second = planned(store, patient)
    file = register.patient_file(store, BLUM, patient.id, now=at(10))
    assert [(item.course.course_id, item.series_number) for item in file.courses] == [
        (second.course_id, 2),
        (course.course_id, 1),
    ]
    assert file.open_course == file.courses[0]


def test_two_changes_of_one_version_are_not_both_taken(store: Store) -> None:
    course = planned(store, a_patient(store))
    more = replace(course, id=an_id(), number=2, planned_infusions=8, reason="helps")
    register.plan_course(store, DOCTOR, more, now=at(0))
    assert register.plan_course(store, DOCTOR, more, now=at(1)) == more
    with pytest.raises(InvalidEntry, match="NOT saved"):
        register.plan_course(store, DOCTOR, replace(more, planned_infusions=9), now=at(1))
    assert store.courses(more.patient_id)[-1].planned_infusions == 8
    with pytest.raises(InvalidEntry, match="Somebody else changed this meanwhile"):
        register.plan_course(store, DOCTOR, replace(more, id=an_id()), now=at(2))


def test_every_problem_of_a_course_is_named_at_once(store: Store) -> None:
    patient = a_patient(store)
    with pytest.raises(InvalidEntry) as refused:
        planned(store, patient, planned_infusions=0, interval_days=0)
    assert refusal(refused).keys() == {"planned_infusions", "interval_days"}
    assert store.courses(patient.id) == ()


def test_what_happened_last_time_is_told_newest_first(store: Store) -> None:
    patient = a_patient(store)
    day = 60  # sessions an hour apart are as many as sessions a day apart
    for number in range(5):
        keep(
            store,
            build.session(
                build.rate("0.2", number * day),
                build.event("vomited", number * day + 10),
                build.stop(number * day + 30),
                patient=patient,
            ),
            number * day + 40,
        )
    told = register.remembered(store, BLUM, patient.id, now=at(6 * day))
    assert [item.started_at for item in told] == [at(day * number) for number in (4, 3, 2)]
    assert all(item.lines == ("vomited at 0.2 mg/kg/h",) for item in told)
