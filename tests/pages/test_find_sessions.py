"""The list of sessions: filtered, one row each, and the way to the CSV for those who may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

from monitor.permissions import User
from monitor.record import InfusionSession
from tests import build
from tests.db.conftest import account
from tests.stored import keep

if TYPE_CHECKING:
    from db import SqlStore


def page(store, user):  # type: ignore[no-untyped-def]
    """Runs inside AppTest."""
    from pages.clinic_lead.find_sessions import find_sessions

    find_sessions(store, user, None)  # type: ignore[arg-type]


def drawn(store: SqlStore, user: User) -> AppTest:
    app = AppTest.from_function(page, args=(store, user), default_timeout=30).run()
    assert not app.exception
    return app


def a_session(name: str, *, peak: int = 130, end: int = 30, **changes: object) -> InfusionSession:
    return build.session(
        build.obs_set(-15),
        build.rate("0.1", 0),
        build.obs_set(10, sbp=peak),
        build.stop(end),
        build.event("discharged", 40),
        build.event("completed", 45),
        patient=build.patient(family_name=name),
        **changes,
    )


@pytest.fixture
def two(sqlite_store: SqlStore) -> SqlStore:
    keep(sqlite_store, a_session("Zander", peak=150), 50)
    running = build.session(
        build.obs_set(-15), build.rate("0.1", 0), patient=build.patient(family_name="Adler")
    )
    keep(sqlite_store, running, 5)
    return sqlite_store


def table_of(app: AppTest) -> list[dict[str, object]]:
    return app.dataframe[0].value.to_dict("records") if len(app.dataframe) else []


def patients(app: AppTest) -> set[object]:
    return {row["Patient"] for row in table_of(app)}


def test_every_session_is_one_row(two: SqlStore) -> None:
    rows = {row["Patient"]: row for row in table_of(drawn(two, build.lead()))}
    assert set(rows) == {"Zander, Nora", "Adler, Nora"}
    closed = rows["Zander, Nora"]
    assert (closed["Status"], closed["Peak SBP"], closed["Dose mg"]) == ("completed", "150", "3.5")
    assert rows["Adler, Nora"]["Status"].startswith("infusing, as of ")


def test_what_was_not_recorded_is_an_empty_cell_and_never_0(two: SqlStore) -> None:
    rows = {row["Patient"]: row for row in table_of(drawn(two, build.lead()))}
    assert rows["Zander, Nora"]["Pain before"] == ""
    assert rows["Zander, Nora"]["Worst effect"] == ""
    assert rows["Zander, Nora"]["Warnings"] == "0"


def test_the_filters_narrow_the_list(two: SqlStore) -> None:
    app = drawn(two, build.lead())
    app.text_input(key="find_sessions.search").input("zan").run()
    assert patients(app) == {"Zander, Nora"}
    app.text_input(key="find_sessions.search").input("").run()
    app.checkbox(key="find_sessions.in_progress").uncheck().run()
    assert patients(app) == {"Zander, Nora"}
    app.selectbox(key="find_sessions.protocol").select("P17").run()
    assert not app.exception
    assert patients(app) == set()
    assert any("No session matches" in item.value for item in app.info)


def test_sessions_are_found_by_who_worked_on_them(two: SqlStore) -> None:
    other = build.session(
        build.obs_set(-15, changes={"recorded_by": "diaz"}),
        build.rate("0.1", 0),
        patient=build.patient(family_name="Cohn"),
    )
    keep(two, other, 5)
    with two.write(build.audit(), clinic=build.CLINIC) as writer:
        for username, name in (("diaz", "C. Diaz"), ("nobody", "N. Body")):
            writer.add_user_event(account(username, name=name))
    app = drawn(two, build.lead())
    app.selectbox(key="find_sessions.person").select("diaz").run()
    assert patients(app) == {"Cohn, Nora"}
    assert links(app)["CSV with names"] == ("/download/summaries.csv?person=diaz&in_progress=1")
    app.selectbox(key="find_sessions.person").select("nobody").run()
    assert patients(app) == set()


def links(app: AppTest) -> dict[str, str]:
    return {item.proto.label: item.proto.url for item in app.get("link_button")}


def test_the_csv_holds_what_the_list_shows(two: SqlStore) -> None:
    app = drawn(two, build.lead())
    app.text_input(key="find_sessions.search").input("zan").run()
    found = links(app)
    assert found["CSV with names"] == "/download/summaries.csv?search=zan&in_progress=1"
    assert found["CSV without names"].endswith("&deidentified=1")


def test_a_nurse_sees_the_list_but_no_csv(two: SqlStore) -> None:
    app = drawn(two, build.nurse())
    assert patients(app) == {"Zander, Nora", "Adler, Nora"}
    assert links(app) == {}


def test_an_administrator_sees_no_patient(two: SqlStore) -> None:
    app = drawn(two, build.admin())
    assert table_of(app) == []
    assert any("may not find sessions" in item.value for item in app.error)


def test_another_clinic_sees_nothing_of_it(two: SqlStore) -> None:
    assert patients(drawn(two, build.lead(clinic="elsewhere"))) == set()


def test_a_long_list_is_turned_page_by_page(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pages.clinic_lead import find_sessions

    monkeypatch.setattr(find_sessions, "PAGE_ROWS", 2)
    for name in ("Adler", "Berg", "Cohn"):
        keep(sqlite_store, a_session(name), 50)
    app = drawn(sqlite_store, build.lead())
    first = patients(app)
    assert len(first) == 2
    app.button(key="find_sessions.older").click().run()
    second = patients(app)
    assert len(second) == 1
    assert not first & second
    app.button(key="find_sessions.newer").click().run()
    assert patients(app) == first


def test_only_protocols_a_session_can_have_run_under_are_offered(two: SqlStore) -> None:
    [choice] = [item for item in drawn(two, build.nurse()).selectbox if item.label == "Protocol"]
    assert choice.options == ["all", "P02", "P17"]
