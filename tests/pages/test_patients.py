"""The register as a page: found by the beginning of a name, corrected with a reason, courses planned."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

from monitor.permissions import User
from monitor.record import Patient
from pages.widgets.navigation import WENT_TO
from pages.widgets.plain import plain
from tests import build
from tests.stored import keep

if TYPE_CHECKING:
    from db import SqlStore


def page(store, user):  # type: ignore[no-untyped-def]
    """Runs inside AppTest."""
    from pages.nurse.patients import patients

    patients(store, user, None)  # type: ignore[arg-type]


def drawn(store: SqlStore, user: User | None = None, patient: Patient | None = None) -> AppTest:
    app = AppTest.from_function(page, args=(store, user or build.nurse()), default_timeout=30)
    if patient is not None:
        app.query_params["patient"] = str(patient.id)
    app.run()
    assert not app.exception
    return app


@pytest.fixture
def ada(sqlite_store: SqlStore) -> Patient:
    patient = build.patient(
        family_name="Okafor",
        given_name="Ada",
        mrn="004 211",
        allergies="ondansetron",
        born_on=date(1971, 3, 12),
    )
    keep(
        sqlite_store,
        build.session(
            build.rate("0.2", 0), build.event("vomited", 10), build.stop(30), patient=patient
        ),
        40,
    )
    return patient


def everything(app: AppTest) -> str:
    kinds = (app.markdown, app.text, app.caption, app.error, app.subheader, app.warning)
    return "\n".join(str(item.value) for kind in kinds for item in kind)


def fill(app: AppTest, prefix: str, **texts: str) -> None:
    for name, text in texts.items():
        app.text_input(key=f"{prefix}.{name}").set_value(text)


def press(app: AppTest, label: str) -> AppTest:
    (button,) = (item for item in app.button if item.label == label)
    return button.click().run()


def test_a_patient_is_found_by_the_beginning_of_a_name(
    sqlite_store: SqlStore, ada: Patient
) -> None:
    app = drawn(sqlite_store)
    app.text_input(key="patients.search").set_value("oka").run()
    (found,) = (item for item in app.button if item.key == f"patients.found.{ada.id}")
    assert found.label == "**Okafor, Ada** · 12 Mar 1971 · 004 211 · ALLERGY ondansetron"
    found.click().run()
    assert app.session_state[WENT_TO] == ("patients", {"patient": str(ada.id)})


def test_the_file_shows_allergies_and_last_time(sqlite_store: SqlStore, ada: Patient) -> None:
    said = everything(drawn(sqlite_store, patient=ada))
    assert "OKAFOR, Ada" in said
    assert "ALLERGY ondansetron" in said
    assert "vomited at 0.2 mg/kg/h" in said
    assert "up to 0.2 mg/kg/h" in said


def test_a_new_patient_is_entered_and_shown(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store)
    fill(app, "patients.new", family="Berg", given="Nora", mrn="K-77", allergies="none known")
    app.date_input(key="patients.new.born").set_value(date(1979, 5, 17))
    press(app, "Enter the patient")
    assert not app.exception
    (patient,) = sqlite_store.find_patients(build.CLINIC, "berg")
    assert app.session_state[WENT_TO] == ("patients", {"patient": str(patient.id)})


def test_every_problem_of_a_new_patient_is_said_and_nothing_is_lost(
    sqlite_store: SqlStore,
) -> None:
    app = drawn(sqlite_store)
    fill(app, "patients.new", family="Berg")
    app.date_input(key="patients.new.born").set_value(date(1979, 5, 17))
    press(app, "Enter the patient")
    said = app.error[0].value
    for part in ("given name", "hospital number", "allergies"):
        assert part in said
    assert app.text_input(key="patients.new.family").value == "Berg"
    assert sqlite_store.find_patients(build.CLINIC, "berg") == ()


def test_a_correction_is_kept_with_its_reason(sqlite_store: SqlStore, ada: Patient) -> None:
    app = drawn(sqlite_store, patient=ada)
    fill(app, f"patients.correct.{ada.id}", allergies="ondansetron, latex", reason="rash")
    press(app, "Save the correction")
    assert not app.exception
    assert "every session of the patient shows it" in app.success[0].value.lower()
    said = everything(app)
    assert "allergies: ondansetron → ondansetron, latex\nrash" in said
    assert sqlite_store.patient(ada.id).allergies == "ondansetron, latex"


def test_a_correction_made_meanwhile_by_somebody_else_is_not_overwritten(
    sqlite_store: SqlStore, ada: Patient
) -> None:
    app = drawn(sqlite_store, patient=ada)
    with sqlite_store.write(build.audit("other"), clinic=build.CLINIC) as writer:
        writer.change_patient(build.patient_change(ada, allergies="latex"))
    fill(app, f"patients.correct.{ada.id}", given="Adah", reason="spelling")
    press(app, "Save the correction")
    assert "Somebody else changed this patient meanwhile" in app.error[-1].value
    assert sqlite_store.patient(ada.id).given_name == "Ada"


def test_an_anaesthetist_plans_a_course_and_a_nurse_sees_it(
    sqlite_store: SqlStore, ada: Patient
) -> None:
    app = drawn(sqlite_store, build.anaesthetist(), ada)
    press(app, "Plan the course")
    assert not app.exception
    (course,) = sqlite_store.courses(ada.id)
    assert (course.planned_infusions, course.interval_days) == (6, 21)
    nurse = drawn(sqlite_store, patient=ada)
    assert "0 of 6 infusions given" in everything(nurse)
    assert all(item.label != "Save the change" for item in nurse.button)


def test_a_course_is_changed_with_a_reason_only(sqlite_store: SqlStore, ada: Patient) -> None:
    with sqlite_store.write(build.audit("plan"), clinic=build.CLINIC) as writer:
        writer.add_course(build.course(ada, review_on=date(2099, 1, 1)))
    app = drawn(sqlite_store, build.anaesthetist(), ada)
    press(app, "Save the change")
    assert "Say why the course is changed." in app.error[-1].value
    assert len(sqlite_store.courses(ada.id)) == 1


def test_an_address_that_names_no_patient_shows_the_search(sqlite_store: SqlStore) -> None:
    app = AppTest.from_function(page, args=(sqlite_store, build.nurse()), default_timeout=30)
    app.query_params["patient"] = "nonsense"
    app.run()
    assert not app.exception
    assert app.text_input(key="patients.search").value == ""


def test_typed_text_is_never_read_as_markdown() -> None:
    assert plain("*Ada* [x](http://y) $a$") == "\\*Ada\\* \\[x\\]\\(http\\://y\\) \\$a\\$"


def test_a_scanned_number_opens_that_patient_at_once(sqlite_store: SqlStore, ada: Patient) -> None:
    app = drawn(sqlite_store)
    app.text_input(key="patients.search").set_value("004 211").run()
    assert app.session_state[WENT_TO] == ("patients", {"patient": str(ada.id)})


def test_the_beginning_of_a_number_only_offers_who_has_it(
    sqlite_store: SqlStore, ada: Patient
) -> None:
    app = drawn(sqlite_store)
    app.text_input(key="patients.search").set_value("004 21").run()
    assert WENT_TO not in app.session_state
    assert app.button(key=f"patients.found.{ada.id}").label


def test_the_next_session_is_one_tap_from_the_file(sqlite_store: SqlStore, ada: Patient) -> None:
    app = drawn(sqlite_store, patient=ada)
    # The infusion of this patient is stopped, and nobody discharged her: she is still here.
    app.button(key="patients.bedside").click().run()
    session = sqlite_store.patient_session_ids(ada.id)[0]
    assert app.session_state[WENT_TO] == ("bedside", {"session": str(session)})

    other = build.patient(family_name="Brandt", mrn="005 100")
    with sqlite_store.write(build.audit(), clinic="main") as writer:
        writer.add_patient(other)
    app = drawn(sqlite_store, patient=other)
    app.button(key="patients.start").click().run()
    assert app.session_state[WENT_TO] == ("start", {"patient": str(other.id)})
