"""The start of a session as a page: empty fields, every problem at once, one session per form."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from monitor.audit import AuditEvent
from pages.widgets.navigation import WENT_TO
from tests import build
from tests.stored import keep

if TYPE_CHECKING:
    from db import SqlStore

TYPED = {
    "family": "Berg",
    "given": "Nora",
    "mrn": "K-77",
    "allergies": "none known",
    "chair": "4",
    "weight": "72,5",
    "baseline.hr": "66",
    "baseline.sbp": "126",
    "baseline.dbp": "76",
    "baseline.spo2": "98",
    "baseline.sedation": "0",
}


def page(store, user):  # type: ignore[no-untyped-def]
    """Runs inside AppTest."""
    from pages.nurse.start_session import start_session

    start_session(store, user, None)  # type: ignore[arg-type]


def drawn(store: SqlStore) -> AppTest:
    app = AppTest.from_function(page, args=(store, build.nurse()), default_timeout=30).run()
    assert not app.exception
    return app


def fill(app: AppTest, **changes: str) -> None:
    for key, text in (TYPED | changes).items():
        app.text_input(key=f"start_session.{key}").set_value(text)
    app.date_input(key="start_session.born").set_value(date(1979, 5, 17))
    app.selectbox(key="start_session.concentration").select("2")
    app.selectbox(key="start_session.weighed").select("today")


def press(app: AppTest) -> AppTest:
    return app.button(key="start_session.open").click().run()


def opened(app: AppTest) -> UUID:
    name, query = app.session_state[WENT_TO]
    assert name == "bedside"
    return UUID(query["session"])


def test_nothing_is_filled_in_that_somebody_should_have_measured(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store)
    assert {field.value for field in app.text_input} == {""}
    assert app.date_input(key="start_session.born").value is None
    assert app.selectbox(key="start_session.concentration").value is None
    assert app.selectbox(key="start_session.weighed").value is None


def test_a_filled_form_opens_the_session_and_goes_to_its_bedside(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store)
    fill(app)
    session = sqlite_store.session(opened(press(app)))
    assert str(session.weight_kg) == "72.5"
    assert session.patient.family_name == "Berg"
    assert {item.parameter for item in session.observations} == {
        "hr", "sbp", "dbp", "spo2", "sedation",
    }  # fmt: skip


def test_a_baseline_that_was_taken_before_it_is_typed_has_its_own_time(
    sqlite_store: SqlStore,
) -> None:
    app = drawn(sqlite_store)
    fill(app)
    app.selectbox(key="start_session.baseline_ago_min").select(10)
    session = sqlite_store.session(opened(press(app)))
    assert {
        round((item.recorded_at - item.taken_at) / timedelta(minutes=1))
        for item in session.observations
    } == {10}


def test_a_chair_that_is_not_free_is_said_before_and_asked_about(
    sqlite_store: SqlStore,
) -> None:
    first = drawn(sqlite_store)
    assert not [item.value for item in first.caption if item.value.startswith("Not free")]
    fill(first)
    opened(press(first))

    second = drawn(sqlite_store)
    assert "Not free: 4" in [item.value for item in second.caption]
    fill(second, mrn="K-78", family="Cohen")
    press(second)
    assert WENT_TO not in second.session_state
    (question,) = [box for box in second.checkbox if "In chair 4" in box.label]
    question.check()
    assert len({opened(press(second)), *sqlite_store.open_session_ids(build.nurse().clinic)}) == 2


def test_an_empty_form_names_everything_that_is_missing_at_once(sqlite_store: SqlStore) -> None:
    app = press(drawn(sqlite_store))
    told = [error.value for error in app.error]
    for words in (
        "family name",
        "date of birth",
        "allergies",
        "Weight",
        "Syringe",
        "chair",
        "measured",
    ):
        assert any(words.casefold() in text.casefold() for text in told), words
    assert sqlite_store.open_session_ids("main") == ()


def test_what_is_impossible_is_refused_in_words_and_nothing_is_kept(
    sqlite_store: SqlStore,
) -> None:
    app = drawn(sqlite_store)
    fill(app, **{"weight": "7O", "baseline.hr": "66"})
    press(app)
    assert any("Weight" in error.value for error in app.error)
    fill(app, **{"weight": "72", "baseline.spo2": "980"})
    press(app)
    assert any("980" in error.value for error in app.error)
    assert sqlite_store.open_session_ids("main") == ()


def test_an_unusual_weight_is_asked_and_ticked_once(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store)
    fill(app, weight="165")
    press(app)
    assert len(app.warning) == 1
    [question] = app.checkbox
    question.check().run()
    session = sqlite_store.session(opened(press(app)))
    assert session.weight_kg == 165


def test_a_weight_of_another_day_is_asked_about_when_it_is_old(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store)
    fill(app)
    app.selectbox(key="start_session.weighed").select("earlier").run()
    press(app)
    assert any("the day the weight was measured" in error.value for error in app.error)
    day = datetime.now(UTC).date() - timedelta(days=40)
    app.date_input(key="start_session.weighed_on").set_value(day).run()
    press(app)
    [question] = app.checkbox
    assert "more than 30 days ago" in question.label
    question.check().run()
    [weight] = sqlite_store.session(opened(press(app))).weights
    assert (weight.measured, weight.measured_on) == (True, day)


def test_a_weight_stated_by_the_patient_is_asked_about(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store)
    fill(app)
    app.selectbox(key="start_session.weighed").select("stated")
    press(app)
    [question] = app.checkbox
    assert "stated, not measured" in question.label
    question.check().run()
    [weight] = sqlite_store.session(opened(press(app))).weights
    assert (weight.measured, weight.measured_on) == (False, None)


def test_a_known_patient_is_found_and_not_entered_again(sqlite_store: SqlStore) -> None:
    known = build.patient(family_name="Adler", given_name="Mia")
    with sqlite_store.write(AuditEvent(build.T0, "blum", "import"), clinic="main") as writer:
        writer.add_patient(known)
    app = drawn(sqlite_store)
    app.text_input(key="start_session.find").set_value("adl").run()
    app.radio(key="start_session.found").set_value(known).run()
    fields = {key: text for key, text in TYPED.items() if key.startswith(("base", "ch", "we"))}
    for key, text in fields.items():
        app.text_input(key=f"start_session.{key}").set_value(text)
    app.selectbox(key="start_session.concentration").select("2")
    app.selectbox(key="start_session.weighed").select("today")
    assert sqlite_store.session(opened(press(app))).patient == known


def test_the_sedation_scale_is_the_plans_unless_another_is_chosen(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store)
    [scale] = [item for item in app.selectbox if item.label == "Sedation scale"]
    assert scale.value == "UK03"
    fill(app)
    scale.select("RASS")
    assert sqlite_store.session(opened(press(app))).sedation_scale == "RASS"


def test_only_approved_protocols_are_offered(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store)
    offered = app.selectbox(key="start_session.protocol").options
    assert [label.split()[0] for label in offered] == ["P02", "P17"]


def test_somebody_who_was_here_before_is_shown_with_what_happened_then(
    sqlite_store: SqlStore,
) -> None:
    known = build.patient(family_name="Adler", given_name="Mia", allergies="latex")
    keep(
        sqlite_store,
        build.session(
            build.rate("0.2", 0), build.event("vomited", 10), build.stop(30), patient=known
        ),
        40,
    )
    with sqlite_store.write(build.audit("plan"), clinic=build.CLINIC) as writer:
        writer.add_course(build.course(known))
    app = drawn(sqlite_store)
    app.text_input(key="start_session.find").set_value("adler").run()
    app.radio(key="start_session.found").set_value(known).run()
    assert not app.exception
    assert "ALLERGY latex" in app.error[0].value
    said = [item.value for kind in (app.text, app.markdown) for item in kind]
    assert "vomited at 0.2 mg/kg/h" in said
    assert "This will be infusion 1 of 6 of the course." in said


def test_a_blank_chart_for_a_downtime_is_one_tap_away(store: SqlStore) -> None:
    (link,) = [item for item in drawn(store).get("link_button") if item.proto.url == "/blank-chart"]
    assert "blank chart" in link.proto.label


def test_a_scanned_number_chooses_that_patient_and_leaves_the_last_word(store: SqlStore) -> None:
    patient = build.patient(family_name="Adler", mrn="004 211")
    keep(store, build.session(patient=patient), 5)
    app = drawn(store)

    app.text_input(key="start_session.find").set_value("004 211").run()
    assert app.radio(key="start_session.found").value == patient
    app.radio(key="start_session.found").set_value(None).run()
    assert app.radio(key="start_session.found").value is None

    app.text_input(key="start_session.find").set_value("004 21").run()
    assert app.radio(key="start_session.found").value is None


def test_the_patient_of_the_address_is_chosen_and_nobody_elses_weight_stays(
    sqlite_store: SqlStore,
) -> None:
    ada = build.patient(family_name="Okafor", given_name="Ada", mrn="004 211")
    with sqlite_store.write(build.audit(), clinic=build.nurse().clinic) as writer:
        writer.add_patient(ada)
    app = drawn(sqlite_store)
    app.text_input(key="start_session.weight").input("104").run()

    app.query_params["patient"] = str(ada.id)
    app.run()

    assert not app.exception
    assert app.radio(key="start_session.found").value == ada
    assert app.text_input(key="start_session.weight").value == ""
    assert "patient" not in app.query_params
    app.text_input(key="start_session.weight").input("71").run()
    assert app.text_input(key="start_session.weight").value == "71"


@pytest.mark.parametrize("asked", ["", "x", "019cadc6-a134-782e-8538-84ad71dc6259"])
def test_a_patient_that_is_none_chooses_nobody(sqlite_store: SqlStore, asked: str) -> None:
    app = drawn(sqlite_store)
    app.text_input(key="start_session.weight").input("70").run()
    app.query_params["patient"] = asked
    app.run()
    assert not app.exception
    assert app.text_input(key="start_session.weight").value == "70"


def test_a_weight_may_be_typed_in_pounds(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store)
    fill(app, weight="160 lb")
    press(app)
    [weight] = sqlite_store.session(opened(app)).weights
    assert (str(weight.weight_kg), weight.typed) == ("72.6", "160 lb")
