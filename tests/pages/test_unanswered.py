"""What ended before anybody answered is answered on the review page, and closes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from monitor import actions
from monitor.actions import OpenSession
from monitor.alerts import AlertState
from monitor.permissions import User
from monitor.record import InfusionSession
from pages.widgets.unanswered import unanswered
from tests import build
from tests.build import at
from tests.stored import keep

if TYPE_CHECKING:
    from db import SqlStore


def page(store, user, session_id):  # type: ignore[no-untyped-def]
    """Runs inside AppTest."""
    from datetime import UTC, timedelta

    from monitor.accounts import DeviceSession
    from monitor.actions import open_session
    from pages.widgets.unanswered import draw_unanswered
    from tests.build import T0, at

    device = DeviceSession(
        token_hash="hash",
        username=user.username,
        label="desk",
        wall=False,
        opened_at=T0,
        last_input_at=T0,
        expires_at=T0 + timedelta(hours=12),
    )
    draw_unanswered(store, user, device, open_session(store, user, session_id, now=at(40)), UTC)


@pytest.fixture
def session(sqlite_store: SqlStore) -> InfusionSession:
    """Two pressures over the limit, confirmed, that fell by themselves; sets on time."""
    values = {10: 165, 13: 166, 16: 150, 21: 130, 26: 128, 31: 168, 34: 167, 37: 128, 39: 126}
    return keep(
        sqlite_store,
        build.session(
            build.event("arrived", -30),
            build.obs_set(-5, sbp=125, dbp=75),
            build.rate("0.2"),
            *(build.obs_set(minute, sbp=value, dbp=75) for minute, value in values.items()),
        ),
        40,
    )


def drawn(store: SqlStore, user: User, session: InfusionSession) -> AppTest:
    return run(AppTest.from_function(page, args=(store, user, session.id), default_timeout=30))


def run(app: AppTest) -> AppTest:
    with patch("pages.widgets.unanswered.now", return_value=at(40)):
        app.run()
    assert not app.exception
    return app


def record(app: AppTest) -> AppTest:
    app.button[0].click()
    return run(app)


def as_it_stands(store: SqlStore, session: InfusionSession) -> OpenSession:
    return actions.open_session(store, build.nurse(), session.id, now=at(40))


def test_one_answer_closes_all_it_is_about(
    sqlite_store: SqlStore, session: InfusionSession
) -> None:
    before = unanswered(as_it_stands(sqlite_store, session))
    assert len(before) >= 2
    app = drawn(sqlite_store, build.nurse(), session)
    assert f"{len(before)} alerts ended before anybody answered" in app.markdown[0].value
    app.multiselect[0].select(before[0].alert.id).select(before[1].alert.id)
    app.selectbox[0].select("observe")
    app.text_input[0].input("settled by itself")
    record(app)

    opened = as_it_stands(sqlite_store, session)
    assert len(unanswered(opened)) == len(before) - 2
    closed = [
        view
        for view in opened.all_views
        if view.alert.id in {before[0].alert.id, before[1].alert.id}
    ]
    assert {view.state for view in closed} == {AlertState.CLOSED}
    assert {
        (view.answers[-1].by, view.answers[-1].action, view.answers[-1].text) for view in closed
    } == {("blum", "observe", "settled by itself")}


def test_without_an_action_nothing_is_recorded(
    sqlite_store: SqlStore, session: InfusionSession
) -> None:
    before = unanswered(as_it_stands(sqlite_store, session))
    app = drawn(sqlite_store, build.nurse(), session)
    app.multiselect[0].select(before[0].alert.id)
    record(app)
    assert [error.value for error in app.error] == [
        "Choose the alerts and what was done about them."
    ]
    assert unanswered(as_it_stands(sqlite_store, session)) == before


def test_who_may_not_answer_is_not_asked(sqlite_store: SqlStore, session: InfusionSession) -> None:
    app = drawn(sqlite_store, build.lead(), session)
    assert not app.button
    assert not app.markdown
