"""Alert limits as pages: read by all, changed one limit at a time by a lead, approved by another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

from monitor.actions.limit_sets import limit_set_versions
from monitor.actions.versions import Standing
from monitor.permissions import User
from tests.build import anaesthetist, lead, nurse, seeded_id
from tests.pages.test_protocols import field, html_of, labels, press

if TYPE_CHECKING:
    from db import SqlStore

FIRST = seeded_id("threshold_set", "ADULT-CLINIC-1")
WHY = "What does this version change, and why?"


def page(store, user):  # type: ignore[no-untyped-def]
    """Runs inside AppTest."""
    from pages.everyone.limit_sets import show_limit_sets

    show_limit_sets(store, user, None)  # type: ignore[arg-type]


def drawn(store: SqlStore, user: User, **query: object) -> AppTest:
    app = AppTest.from_function(page, args=(store, user), default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = str(value)
    app.run()
    assert not app.exception
    return app


def choose(app: AppTest, limit: str) -> AppTest:
    [which] = [item for item in app.selectbox if item.label == "Which limit?"]
    which.select(limit).run()
    return app


def typed(app: AppTest, level: str, part: str, text: str) -> None:
    app.text_input(key=f"write_limits.sbp_high.{level}.{part}").input(text).run()


def errors(app: AppTest) -> str:
    return "".join(item.value for item in app.error)


@pytest.mark.parametrize("user", [nurse(), anaesthetist(), lead()])
def test_everybody_reads_every_limit_with_its_source(sqlite_store: SqlStore, user: User) -> None:
    assert "ADULT-CLINIC-1" in html_of(drawn(sqlite_store, user))
    html = html_of(drawn(sqlite_store, user, version=FIRST))
    for words in ("Systolic pressure high", "SBP ≥ 160", "ends SBP &lt; 155",
                  "repeat 1:00 to 5:00", "at once when SBP ≥ 200", "Rodrigues 2020",
                  "packaged with the monitor"):  # fmt: skip
        assert words in html, words


def test_a_nurse_can_change_nothing(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store, nurse(), version=FIRST, form="version")
    assert labels(app) == {"All alert limits"}


def test_a_lead_changes_one_limit_and_an_anaesthetist_approves_it(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store, lead(), version=FIRST)
    press(app, "Write the next version of ADULT-CLINIC-1")
    choose(app, "sbp_high")
    typed(app, "warning", "fires", "value >= 165")
    assert "Systolic pressure high, warning when" in html_of(app)
    field(app, WHY).input("too many at 160")
    press(app, "Store as a draft")
    assert "stored as a draft" in app.success[0].value

    [draft] = [
        item for item in limit_set_versions(sqlite_store, lead()) if item.standing is Standing.DRAFT
    ]
    app = drawn(sqlite_store, anaesthetist(), version=draft.version.id)
    assert "SBP ≥ 165" in html_of(app)
    field(app, "What did you check?").input("the audit of May")
    press(app, "Approve")
    assert "is approved" in app.success[0].value


def test_what_cannot_be_is_said_before_it_is_stored(sqlite_store: SqlStore) -> None:
    app = choose(drawn(sqlite_store, lead(), version=FIRST, form="version"), "sbp_high")
    typed(app, "critical", "fires", "value >= 150")
    typed(app, "critical", "clears", "value < 150")
    assert "has to be further out than warning" in errors(app)
    # Nothing typed is lost, and it can be put right.
    choose(app, "hr_high")
    choose(app, "sbp_high")
    assert app.text_input(key="write_limits.sbp_high.critical.fires").value == "value >= 150"
    typed(app, "critical", "fires", "value >= 185")
    typed(app, "critical", "clears", "value < 180")
    assert errors(app) == ""


def test_a_version_without_a_reason_or_a_change_is_refused(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store, lead(), version=FIRST, form="version")
    press(app, "Store as a draft")
    assert "Nothing was changed." in errors(app)
    assert "Say what this version changes and why." in errors(app)
