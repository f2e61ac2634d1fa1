"""One tablet carried from chair to chair: the first entry at the second one is asked about once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from monitor.record import InfusionSession
from tests.browser.tablet import Tablet, put_session, saved_values
from tests.server import Server

pytestmark = pytest.mark.browser


def go_on_to(page: Page, session: InfusionSession) -> Tablet:
    page.goto(f"/bedside?session={session.id}")
    expect(page.get_by_role("heading", name=session.patient.family_name.upper())).to_be_visible()
    expect(page.get_by_role("button", name="SAVE")).to_be_visible()
    return Tablet(page)


def test_the_first_entry_at_another_chair_is_asked_about_once(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    first, second = put_session(server), put_session(server, name="Smith")
    tablet = open_bedside(first)
    tablet.keys("66")
    tablet.save()
    expect(tablet.saved).to_contain_text("✓ saved")

    tablet = go_on_to(tablet.page, second)
    sheet = tablet.page.get_by_role("dialog")
    tablet.keys("70")
    tablet.save()
    expect(sheet).to_contain_text(
        "CHAIR 3 · SMITH, Ada. You were at CHAIR 3 less than a minute ago"
    )
    tablet.tap(sheet.get_by_role("button", name="Back"))
    assert saved_values(server, second.id) == {}
    expect(tablet.field("hr")).to_have_value("70")

    tablet.save()
    tablet.tap(sheet.get_by_role("button", name="Yes, CHAIR 3"))
    expect(tablet.first_row).to_contain_text("70")
    tablet.tap(tablet.page.locator("[data-effect=none]"))
    expect(tablet.first_row).to_contain_text("Asked: no side effect")
    assert saved_values(server, second.id) == {"hr": "70"}
    assert saved_values(server, first.id) == {"hr": "66"}


def test_nobody_is_asked_at_the_only_chair_or_long_after(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    first, second = put_session(server), put_session(server, name="Smith")
    tablet = open_bedside(first)
    tablet.tap(tablet.page.locator("[data-effect=none]"))
    expect(tablet.first_row).to_contain_text("Asked: no side effect")
    tablet.page.goto("about:blank")
    tablet.page.goto("/healthz")
    tablet.page.evaluate(
        """() => {
          const visits = JSON.parse(localStorage.getItem("monitor.visits"));
          for (const visit of Object.values(visits)) visit.at -= 6 * 60000;
          localStorage.setItem("monitor.visits", JSON.stringify(visits));
        }"""
    )

    tablet = go_on_to(tablet.page, second)
    tablet.tap(tablet.page.locator("[data-effect=none]"))

    expect(tablet.first_row).to_contain_text("Asked: no side effect")
    stored = tablet.page.evaluate("() => localStorage.getItem('monitor.visits')")
    assert "SMITH" not in stored.upper(), "no name is kept on the tablet"
