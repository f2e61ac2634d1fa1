"""The board as people see it: rows, links, words, and nothing of what people typed as mark-up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from monitor import board
from monitor.board import board_snapshot, nurse_loads
from monitor.errors import StoreUnavailable
from monitor.permissions import Role, User
from pages.widgets.board import board_html
from tests import build
from tests.build import T0, at
from tests.stored import keep

if TYPE_CHECKING:
    from db import SqlStore


def page(store, user):  # type: ignore[no-untyped-def]
    """Runs inside AppTest."""
    from datetime import timedelta

    from monitor.accounts import DeviceSession
    from pages.everyone.live_board import show_board
    from tests.build import T0

    show_board(
        store,
        user,
        DeviceSession(
            token_hash="hash",
            username=user.username,
            label="tablet",
            wall=False,
            opened_at=T0,
            last_input_at=T0,
            expires_at=T0 + timedelta(hours=12),
        ),
    )


def shown(store: SqlStore, user: User, minute: float = 19) -> AppTest:
    board._snapshots.clear()
    with patch("pages.everyone.live_board.now", return_value=at(minute)):
        return AppTest.from_function(page, args=(store, user), default_timeout=20).run()


def html_of(app: AppTest) -> str:
    assert not app.exception
    return "".join(item.proto.body for item in app.get("html"))


@pytest.fixture
def clinic(sqlite_store: SqlStore) -> SqlStore:
    session = build.session(
        build.event("arrived", -30),
        build.obs_set(-5),
        build.rate("0.2"),
        build.obs_set(18, spo2=88),
        chair="7",
        patient=build.patient(family_name="<i>Okafor</i>", given_name="Ada & Co"),
    )
    keep(sqlite_store, session, 18)
    return sqlite_store


def test_a_row_says_chair_name_rate_values_and_flag(clinic: SqlStore) -> None:
    html = html_of(shown(clinic, build.nurse()))
    for text in ("<b>7</b>", "0.2 mg/kg/h", "<b>128/76</b>", "◆ SpO2 88 ≤ 89", "1 session"):
        assert text in html


def test_what_people_typed_is_never_mark_up(clinic: SqlStore) -> None:
    html = html_of(shown(clinic, build.nurse()))
    assert "&lt;I&gt;OKAFOR&lt;/I&gt;, Ada &amp; Co" in html
    assert "<i>Okafor" not in html
    assert "<I>OKAFOR" not in html


@pytest.mark.parametrize(
    ("role", "address"), [(Role.NURSE, "/bedside?"), (Role.ANAESTHETIST, "/review?")]
)
def test_a_row_leads_to_the_session(clinic: SqlStore, role: Role, address: str) -> None:
    (session_id,) = clinic.open_session_ids(build.CLINIC)
    html = html_of(shown(clinic, build.user(role)))
    assert f'href="{address}session={session_id}"' in html


def test_a_wall_screen_shows_no_name_and_no_link(clinic: SqlStore) -> None:
    html = html_of(shown(clinic, build.user(Role.WALL, "wall")))
    assert "OKAFOR" not in html
    assert "href" not in html
    assert "<b>7</b>" in html


def test_who_may_not_see_the_board_sees_none(clinic: SqlStore) -> None:
    app = AppTest.from_function(page, args=(clinic, build.admin()), default_timeout=20).run()
    assert len(app.error) == 1
    assert not app.get("html")


def test_a_database_that_does_not_answer_is_said_in_words(clinic: SqlStore) -> None:
    refusal = StoreUnavailable("The database does not answer. Nothing was saved.")
    with patch.object(clinic, "version", side_effect=refusal):
        app = shown(clinic, build.nurse())
    assert [error.value for error in app.error] == [str(refusal)]


def test_an_empty_clinic_says_so(sqlite_store: SqlStore) -> None:
    assert "No session is open." in html_of(shown(sqlite_store, build.nurse()))


def test_every_level_is_said_by_icon_and_word_not_by_colour_alone(clinic: SqlStore) -> None:
    html = html_of(shown(clinic, build.nurse()))
    assert "<small>◆ SpO₂</small><b>88</b>" in html
    assert "unanswered" in html


def test_both_themes_differ_in_colours_only(clinic: SqlStore) -> None:
    board._snapshots.clear()
    rows = board_snapshot(clinic, build.nurse(), at(19))
    zone = T0.tzinfo
    assert zone is not None
    light, dark = (
        board_html(rows, nurse_loads(rows), at(19), zone, page="review", dark=dark)
        for dark in (False, True)
    )
    assert light != dark
    assert light.count("<div") == dark.count("<div")


def test_the_next_five_minutes_are_summed_per_nurse(clinic: SqlStore) -> None:
    board._snapshots.clear()
    rows = board_snapshot(clinic, build.nurse(), at(18) + timedelta(minutes=1))
    html = board_html(
        rows, nurse_loads(rows), at(19), T0.tzinfo or at(0).tzinfo, page=None, dark=False
    )  # type: ignore[arg-type]
    assert "Next five minutes" in html
    assert "blum <b>1 set</b>" in html
