"""A set that is late or missed is said once at the bedside, told on, and answered where it is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.tablet import Tablet, put_session
from tests.server import Server

pytestmark = pytest.mark.browser


def test_a_missed_set_is_said_once_told_on_and_answered(
    server: Server,
    open_bedside: Callable[..., Tablet],
    browser_page: Callable[..., Page],
) -> None:
    """U-33, U-60: 40 minutes without a set; doctor and lead were told of it."""
    session = put_session(server, name="Waited", minutes_ago=40)
    doctor = browser_page("anaesthetist", "/patients")
    banner = doctor.get_by_role("alert").filter(has_text="WAITED, Ada")
    expect(banner).to_contain_text("set missed", timeout=30_000)

    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    due = page.locator(".state .fact.due")
    expect(due).to_contain_text("set MISSED · on lead's screen")
    expect(page.locator(".state .alert")).to_be_hidden()
    tablet.tap(due)
    expect(sheet).to_contain_text("set missed, due every 15 min")
    tablet.tap(sheet.get_by_role("button", name="observed only"))
    expect(sheet).to_contain_text("Critical, and nobody is called: why?")
    tablet.tap(sheet.get_by_role("button", name="doctor is beside me"))
    expect(due).to_contain_text("set MISSED · answered")
    expect(due).to_be_disabled()
    expect(banner).to_be_hidden(timeout=30_000)
