"""The review page: the whole record of one session, told once to the audit trail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from unittest.mock import patch
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from monitor.permissions import User
from monitor.record import Answer, InfusionSession
from pages.http.downloads import SESSION_TABLES
from tests import build
from tests.build import at
from tests.stored import keep

if TYPE_CHECKING:
    from db import SqlStore


def page(store, user):  # type: ignore[no-untyped-def]
    """Runs inside AppTest."""
    from datetime import timedelta

    from monitor.accounts import DeviceSession
    from pages.anaesthetist.review_session import review_session
    from tests.build import T0

    review_session(
        store,
        user,
        DeviceSession(
            token_hash="hash",
            username=user.username,
            label="desk",
            wall=False,
            opened_at=T0,
            last_input_at=T0,
            expires_at=T0 + timedelta(hours=12),
        ),
    )


def opened(store: SqlStore, user: User, session_id: UUID | None = None) -> AppTest:
    app = AppTest.from_function(page, args=(store, user), default_timeout=30)
    if session_id is not None:
        app.query_params["session"] = str(session_id)
    return run(app)


def run(app: AppTest) -> AppTest:
    with patch("pages.anaesthetist.review_session.now", return_value=at(60)):
        app.run()
    assert not app.exception
    return app


def html_of(app: AppTest) -> str:
    return "".join(item.proto.body for item in app.get("html"))


@pytest.fixture
def session(sqlite_store: SqlStore) -> InfusionSession:
    effect = build.side_effect("nausea", 1, 12)
    return keep(
        sqlite_store,
        build.session(
            build.event("arrived", -30),
            build.obs_set(-5, sbp=120, dbp=70),
            build.rate("0.2"),
            build.obs_set(10, sbp=185),
            build.obs_set(13, sbp=150),
            effect,
            build.event("note", 20, text="<script>alert(1)</script>"),
            patient=build.patient(allergies="penicillin"),
        ),
        60,
    )


def test_the_page_holds_chart_head_and_tables(
    sqlite_store: SqlStore, session: InfusionSession
) -> None:
    app = opened(sqlite_store, build.anaesthetist(), session.id)
    html = html_of(app)
    for text in (
        "BERG, Nora",
        "born 17 May 1979 (46)",
        session.patient.mrn,
        "ALLERGY penicillin",
        "P02 v1",
        "ADULT-CLINIC-1 v1",
        "SBP 120",
        "Alerts and what was done about them",
        "Events and doses, numbered as on the chart",
        "Side effects",
        "Observations",
        "Amendments",
    ):
        assert text in html
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert {"SBP", "Breach bp", "Numbers"} <= {trace["name"] for trace in figure["data"]}


def test_what_people_typed_is_never_mark_up(
    sqlite_store: SqlStore, session: InfusionSession
) -> None:
    html = html_of(opened(sqlite_store, build.anaesthetist(), session.id))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>" not in html


def test_without_a_session_one_can_be_picked(
    sqlite_store: SqlStore, session: InfusionSession
) -> None:
    app = opened(sqlite_store, build.anaesthetist())
    assert [info.value for info in app.info] == ["Pick a session to see its record."]
    (option,) = app.selectbox[0].options
    assert "Berg, Nora" in option
    app.selectbox[0].select_index(0)
    assert "BERG, Nora" in html_of(run(app))


def test_an_unknown_session_is_said_in_words(sqlite_store: SqlStore) -> None:
    app = opened(sqlite_store, build.anaesthetist(), build.an_id())
    assert len(app.error) == 1
    assert not app.get("plotly_chart")


def test_a_session_of_another_clinic_is_not_shown(
    sqlite_store: SqlStore, session: InfusionSession
) -> None:
    app = opened(sqlite_store, build.anaesthetist(clinic="elsewhere"), session.id)
    assert [error.value for error in app.error] == ["This session belongs to another clinic."]
    assert "BERG" not in html_of(app)


def test_one_opening_is_one_event_of_the_audit_trail_however_often_it_is_drawn(
    sqlite_store: SqlStore, session: InfusionSession
) -> None:
    app = opened(sqlite_store, build.anaesthetist(), session.id)
    run(app)
    run(app)
    seen = [
        row.event
        for row in sqlite_store.audit_rows(build.CLINIC, session.id)
        if row.event.action == "SEE_SESSION"
    ]
    assert [(event.by, event.device) for event in seen] == [("okoye", "desk")]


def test_only_who_may_export_is_offered_the_files(
    sqlite_store: SqlStore, session: InfusionSession
) -> None:
    by_doctor = opened(sqlite_store, build.anaesthetist(), session.id)
    by_nurse = opened(sqlite_store, build.nurse(), session.id)
    links = [item.proto.url for item in by_doctor.get("link_button")]
    assert links == [f"/download/session/{session.id}/{table}.csv" for table in SESSION_TABLES]
    assert not by_nurse.get("link_button")


def test_the_bedside_is_one_tap_away_for_whoever_may_answer(
    sqlite_store: SqlStore, session: InfusionSession
) -> None:
    app = opened(sqlite_store, build.anaesthetist(), session.id)
    button = app.button(key="review-bedside")
    assert button.label in ("Answer at the bedside page", "Open bedside")
    button.click()
    run(app)
    assert app.session_state["navigation.went_to"] == ("bedside", {"session": str(session.id)})


def test_an_open_alert_is_answered_at_the_bedside(sqlite_store: SqlStore) -> None:
    kept = keep(
        sqlite_store,
        build.session(build.obs_set(-5), build.rate("0.2"), build.obs_set(58, spo2=86)),
        60,
    )
    app = opened(sqlite_store, build.anaesthetist(), kept.id)
    assert app.button(key="review-bedside").label == "Answer at the bedside page"


@pytest.fixture
def by_word(sqlite_store: SqlStore) -> InfusionSession:
    """A running session whose nurse overrode two points in the names of two anaesthetists."""
    override = {"override_reason": "echo *seen*", "minute": -20}
    return keep(
        sqlite_store,
        build.session(
            build.obs_set(-5),
            build.answer("heart_disease", Answer.YES, override_by="okoye", **override),
            build.answer("psychosis", Answer.YES, override_by="larsen", **override),
            build.rate("0.2"),
        ),
        60,
    )


def test_an_order_by_word_is_shown_with_its_sign_until_confirmed(
    sqlite_store: SqlStore, by_word: InfusionSession
) -> None:
    app = opened(sqlite_store, build.nurse(), by_word.id)
    assert app.markdown[0].value == "**⚑ 2 verbal orders are not confirmed**"
    assert "echo \\*seen\\*" in app.markdown[1].value
    assert "⚑ overridden" in html_of(app)
    assert not [button for button in app.button if button.key == "review-confirm"]


def test_who_ordered_it_confirms_their_own_order_on_the_review(
    sqlite_store: SqlStore, by_word: InfusionSession
) -> None:
    app = opened(sqlite_store, build.anaesthetist(), by_word.id)
    app.button(key="review-confirm").click()
    run(app)
    assert app.markdown[0].value == "**⚑ 1 verbal order is not confirmed**"
    assert "larsen" in app.markdown[1].value
    confirmed = sqlite_store.session(by_word.id).answers[-1]
    assert {item.question for item in sqlite_store.session(by_word.id).answers} == {
        "heart_disease",
        "psychosis",
    }
    assert "okoye" in {item.recorded_by for item in sqlite_store.session(by_word.id).answers}
    assert confirmed.recorded_at == at(60)
