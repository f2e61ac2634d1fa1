"""The pages for the limits: what alerts led to, and what another limit would have done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

import db
from db.generated import fill, frame_of
from monitor.permissions import Role, User
from monitor.synthetic import visits
from monitor.user_admin import DEMO_CLINIC

if TYPE_CHECKING:
    from db import SqlStore

LEAD = User("lsato", "L. Sato", Role.LEAD, DEMO_CLINIC)
NURSE = User("ablum", "A. Blum", Role.NURSE, DEMO_CLINIC)


def burden_page(store, user):  # type: ignore[no-untyped-def]
    """Runs inside AppTest."""
    from datetime import date

    import streamlit as st

    from pages.clinic_lead.see_burden import see_burden

    st.session_state.setdefault("burden.from", date(2026, 1, 1))
    st.session_state.setdefault("burden.to", date(2026, 12, 31))
    see_burden(store, user, None)  # type: ignore[arg-type]


def limits_page(store, user):  # type: ignore[no-untyped-def]
    """Runs inside AppTest."""
    from pages.clinic_lead.try_limits import try_limits

    try_limits(store, user, None)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def invented(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with 40 invented sessions, made once; nobody writes into it."""
    path = tmp_path_factory.mktemp("history") / "monitor.db"
    shutil.copyfile(migrated_sqlite, path)
    store = db.open_store(f"sqlite:///{path}")
    planned = visits(
        sessions=40,
        seed=11,
        clinic=DEMO_CLINIC,
        since=date(2026, 3, 2),
        until=date(2026, 9, 30),
        zone=UTC,
    )
    now = datetime(2026, 11, 20, tzinfo=UTC)
    list(fill(store, frame_of(store, DEMO_CLINIC, seed=11, now=now), planned, jobs=1))
    store.close()
    return path


@pytest.fixture
def history(invented: Path, tmp_path: Path) -> Iterator[SqlStore]:
    path = tmp_path / "monitor.db"
    shutil.copyfile(invented, path)
    store = db.open_store(f"sqlite:///{path}")
    yield store
    store.close()


def drawn(page: object, store: SqlStore, user: User) -> AppTest:
    app = AppTest.from_function(page, args=(store, user), default_timeout=60).run()  # type: ignore[arg-type]
    assert not app.exception
    return app


def test_the_burden_is_shown_by_month_and_by_rule(history: SqlStore) -> None:
    app = drawn(burden_page, history, LEAD)
    months, rules = (frame.value for frame in app.dataframe)
    assert list(months["Month"]) == sorted(months["Month"], reverse=True)
    assert sum(map(int, months["Warnings"])) == sum(map(int, rules["Warnings"])) > 0
    assert set(rules["Limits"]) == {"ADULT-CLINIC-1 v1"}
    assert "look at the limits again" in " ".join(item.value for item in app.warning)


@pytest.mark.parametrize("page", [burden_page, limits_page])
def test_a_nurse_is_told_who_to_ask(sqlite_store: SqlStore, page: object) -> None:
    app = drawn(page, sqlite_store, NURSE)
    assert "Ask: anaesthetist, lead" in app.error[0].value
    assert not app.dataframe


def test_a_lower_limit_is_tried_and_the_sessions_that_gain_are_listed(history: SqlStore) -> None:
    app = drawn(limits_page, history, LEAD)
    app.selectbox(key="try_limits.rule").set_value("sbp_high").run()
    app.number_input(key="try_limits.days").set_value(3650)
    app.text_input(key="try_limits.sbp_high.warning.fires").set_value("value >= 145")
    app.text_input(key="try_limits.sbp_high.warning.clears").set_value("value < 140")
    app.button[0].click().run()
    assert not app.exception
    flags, gain = app.dataframe[0].value, app.dataframe[1].value
    before, after = (int(value) for value in flags["Warnings"])
    assert after > before
    assert all(int(row["Changed"]) > int(row["Now"]) for row in gain.to_dict("records"))
    assert len(gain) > 0


def test_a_slip_in_the_limit_is_told_in_words(history: SqlStore) -> None:
    app = drawn(limits_page, history, LEAD)
    app.selectbox(key="try_limits.rule").set_value("sbp_high").run()
    app.text_input(key="try_limits.sbp_high.warning.fires").set_value("value >= 1o0")
    app.button[0].click().run()
    assert "not a number" in app.error[0].value
