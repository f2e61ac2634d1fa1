"""The gate on the start page: fast to answer, recorded question by question, nothing lost."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from monitor.accounts import DeviceSession, UserEvent, UserEventKind
from monitor.audit import AuditEvent
from monitor.gate_library import GATE
from monitor.permissions import User
from monitor.protocols import VersionStatus
from monitor.record import Answer, InfusionSession, WeightBasis
from pages.widgets import kept_form
from tests import build
from tests.pages.test_start_session import fill, opened, press

if TYPE_CHECKING:
    from db import SqlStore

GATE_KEY = "start_session.gate."


def page(store, user, device):  # type: ignore[no-untyped-def]
    """Runs inside AppTest."""
    from pages.nurse.start_session import start_session

    start_session(store, user, device)


def device(name: str) -> DeviceSession:
    return DeviceSession(
        token_hash=name, username="blum", label="tablet 1", wall=False,
        opened_at=build.T0, last_input_at=build.T0, expires_at=build.T0 + timedelta(hours=12),
    )  # fmt: skip


def drawn(store: SqlStore, on: DeviceSession | None = None, *, by: User | None = None) -> AppTest:
    who = by or build.nurse()
    app = AppTest.from_function(page, args=(store, who, on), default_timeout=30).run()
    assert not app.exception
    return app


def with_person(store: SqlStore, person: User) -> None:
    event = UserEvent(
        id=build.an_id(), kind=UserEventKind.CREATED, username=person.username, name=person.name,
        role=person.role, clinic=person.clinic, active=True, shift_lead=False, at=build.T0, by="admin",
    )  # fmt: skip
    with store.write(AuditEvent(build.T0, "admin", "MANAGE_USERS"), clinic="main") as writer:
        writer.add_user_event(event)


def answer(app: AppTest, question: str, given: Answer) -> None:
    app.button_group(key=GATE_KEY + question).select(given).run()
    assert not app.exception


def press_all(app: AppTest, group: str) -> None:
    app.button(key=f"{GATE_KEY}{group}.button").click().run()
    assert not app.exception


def session_of(store: SqlStore, app: AppTest) -> InfusionSession:
    return store.session(opened(press(app)))


def text_of(app: AppTest) -> str:
    return "\n".join(item.value for item in app.markdown)


def test_the_gate_may_wait_and_what_is_open_is_counted(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store)
    assert "Heart and circulation: 3 questions are open." in text_of(app)
    assert "Enter the patient's family name\\." in text_of(app)
    fill(app)
    assert session_of(sqlite_store, app).answers == ()


def test_all_no_answers_what_is_open_and_is_recorded_for_each_question(
    sqlite_store: SqlStore,
) -> None:
    app = drawn(sqlite_store)
    fill(app)
    answer(app, "epilepsy", Answer.YES)
    press_all(app, "brain")
    given = {item.question: item.answer for item in session_of(sqlite_store, app).answers}
    brain = {item.id for item in GATE.questions.values() if item.group == "brain"}
    assert given == dict.fromkeys(brain, Answer.NO) | {"epilepsy": Answer.YES}


def test_nothing_offers_to_answer_all_about_ketamine_and_medicines(sqlite_store: SqlStore) -> None:
    buttons = {button.key for button in drawn(sqlite_store).button}
    assert f"{GATE_KEY}heart.button" in buttons
    assert f"{GATE_KEY}medicines.button" not in buttons


def test_a_block_is_overridden_with_reason_and_name_of_an_anaesthetist(
    sqlite_store: SqlStore,
) -> None:
    with_person(sqlite_store, build.anaesthetist())
    app = drawn(sqlite_store)
    fill(app)
    answer(app, "heart_disease", Answer.YES)
    assert "Only an anaesthetist can go on" in text_of(app).replace("\\", "")
    app.text_input(key=f"{GATE_KEY}heart_disease.reason").set_value("echo seen").run()
    press(app)
    assert any("name who overrides it" in error.value for error in app.error)
    assert sqlite_store.open_session_ids("main") == ()
    app.selectbox(key=f"{GATE_KEY}heart_disease.by").select("okoye").run()
    assert "Only an anaesthetist can go on" not in text_of(app).replace("\\", "")
    said = "⚑ A verbal order of Okoye, A., marked as not confirmed"
    assert said in "".join(item.value for item in app.markdown).replace("\\", "")
    [saved] = session_of(sqlite_store, app).answers
    assert (saved.override_reason, saved.override_by, saved.recorded_by) == (
        "echo seen",
        "okoye",
        "blum",
    )
    assert saved.is_verbal_order


def test_an_anaesthetist_who_opens_the_session_decides_in_their_own_name(
    sqlite_store: SqlStore,
) -> None:
    with_person(sqlite_store, build.anaesthetist())
    app = drawn(sqlite_store, by=build.anaesthetist())
    fill(app)
    answer(app, "heart_disease", Answer.YES)
    app.text_input(key=f"{GATE_KEY}heart_disease.reason").set_value("echo seen").run()
    app.selectbox(key=f"{GATE_KEY}heart_disease.by").select("okoye").run()
    assert "verbal order" not in "".join(item.value for item in app.markdown)
    [saved] = session_of(sqlite_store, app).answers
    assert not saved.is_verbal_order


def test_a_nurse_goes_on_in_spite_of_a_caution_in_their_own_name(sqlite_store: SqlStore) -> None:
    with_person(sqlite_store, build.nurse())
    app = drawn(sqlite_store)
    fill(app)
    answer(app, "epilepsy", Answer.UNKNOWN)
    app.text_input(key=f"{GATE_KEY}epilepsy.reason").set_value("asked the family").run()
    [saved] = session_of(sqlite_store, app).answers
    assert (saved.answer, saved.override_reason, saved.override_by) == (
        Answer.UNKNOWN,
        "asked the family",
        "blum",
    )


@pytest.mark.parametrize(
    ("basis", "kg", "answered"),
    [
        (None, "120", False),
        (WeightBasis.ACTUAL, "120", True),
        (WeightBasis.IDEAL, "73.2", False),
        (WeightBasis.ADJUSTED, "91.9", False),
    ],
)
def test_from_bmi_30_the_basis_is_chosen_and_the_weight_used_is_shown(
    sqlite_store: SqlStore, basis: WeightBasis | None, kg: str, answered: bool
) -> None:
    app = drawn(sqlite_store)
    fill(app, weight="120", height="178")
    app.selectbox(key="start_session.sex").select("male").run()
    assert "BMI 37.9" in text_of(app)
    assert "the prescriber chooses the basis" in text_of(app)
    if basis is not None:
        app.selectbox(key="start_session.basis").select(basis).run()
    assert f"**doses on {kg} kg**" in text_of(app)
    assert ("prescriber chooses" in text_of(app)) is (basis is None)
    session = session_of(sqlite_store, app)
    assert session.weight_kg == Decimal(kg)
    assert [item.question for item in session.answers] == (["weight_basis"] if answered else [])


def test_an_ideal_weight_without_height_or_sex_opens_nothing(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store)
    fill(app)
    app.selectbox(key="start_session.basis").select(WeightBasis.IDEAL).run()
    press(app)
    assert any("Enter the height" in error.value for error in app.error)
    fill(app, height="178")
    press(app)
    assert any("Choose actual weight" in error.value.replace("\\", "") for error in app.error)
    assert sqlite_store.open_session_ids("main") == ()


def test_a_high_pressure_is_said_before_the_session_is_opened(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store)
    fill(app, **{"baseline.sbp": "168"})
    app.run()
    assert "168/76" in text_of(app).replace("\\", "")
    assert session_of(sqlite_store, app).observations


def test_a_reload_loses_nothing_and_opening_empties_the_form(sqlite_store: SqlStore) -> None:
    tablet = device("reload")
    app = drawn(sqlite_store, tablet)
    fill(app)
    answer(app, "epilepsy", Answer.YES)
    again = drawn(sqlite_store, tablet)
    assert again.text_input(key="start_session.family").value == "Berg"
    assert again.date_input(key="start_session.born").value == date(1979, 5, 17)
    assert again.button_group(key=f"{GATE_KEY}epilepsy").value == Answer.YES
    session = session_of(sqlite_store, again)
    assert [item.question for item in session.answers] == ["epilepsy"]
    assert drawn(sqlite_store, tablet).text_input(key="start_session.family").value == ""


def test_another_device_sees_nothing_of_it(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store, device("mine"))
    fill(app)
    app.run()
    other = drawn(sqlite_store, device("yours"))
    assert other.text_input(key="start_session.family").value == ""


def test_forms_are_kept_for_few_devices_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, object] = {}
    monkeypatch.setattr(streamlit, "session_state", state)
    for number in range(kept_form.MOST_FORMS + 1):
        state["form.field"] = number
        kept_form.keep("form", device(f"d{number}"), (".button",), build.T0)

    def restored(name: str, minutes: float) -> object:
        state.clear()
        kept_form.restore("form", device(name), build.at(minutes))
        return state.get("form.field")

    assert restored("d0", 0) is None
    assert restored("d1", 720) == 1
    assert restored("d1", 720.1) is None


def test_a_block_is_ticked_when_it_is_complete(sqlite_store: SqlStore) -> None:
    def ticked(app: AppTest) -> list[str]:
        return [item.value[0] for item in app.subheader if item.value.endswith("✓")]

    app = drawn(sqlite_store)
    assert ticked(app) == []
    fill(app, chair="", **{"baseline.hr": ""})
    app.run()
    assert ticked(app) == ["1"]
    fill(app)
    app.run()
    assert ticked(app) == ["1", "2", "3"]
    for group in ("heart", "brain", "body", "preparation"):
        press_all(app, group)
    for question in ("allergy_ketamine", "ketamine_reaction", "interacting_medicines"):
        answer(app, question, Answer.NO)
    assert ticked(app) == ["1", "2", "3"]
    answer(app, "medication_list", Answer.YES)
    assert ticked(app) == ["1", "2", "3"]
    app.text_area(key="start_session.gate.medication_list.note").input("sertraline 50 mg").run()
    assert ticked(app) == ["1", "2", "3", "4"]


def test_without_an_approved_protocol_the_page_says_who_can_help(sqlite_store: SqlStore) -> None:
    with sqlite_store.write(AuditEvent(build.T0, "meier", "RETIRE"), clinic="main") as writer:
        for version in sqlite_store.versions("protocol", build.CLINIC):
            writer.set_version_status(version.id, VersionStatus.RETIRED, "replaced")
    app = drawn(sqlite_store)
    assert [error.value for error in app.error] == [
        "No protocol is approved. An anaesthetist has to approve one first."
    ]
    assert [item.value[0] for item in app.subheader] == ["1", "2"]
    assert not app.button
