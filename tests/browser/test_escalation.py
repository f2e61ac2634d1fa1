"""An alert nobody answers is told to who can help, on their own screen, until it is answered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests import build
from tests.browser.tablet import Tablet, put_session
from tests.server import Server

pytestmark = pytest.mark.browser


def test_the_anaesthetist_is_told_on_every_page_until_somebody_answers(
    server: Server,
    open_bedside: Callable[..., Tablet],
    browser_page: Callable[..., Page],
) -> None:
    session = put_session(server, name="Told", more=build.obs_set(-3, spo2=87))
    doctor = browser_page("anaesthetist", "/patients")
    banner = doctor.get_by_role("alert").filter(has_text="TOLD, Ada")
    expect(banner).to_be_visible(timeout=30_000)
    expect(banner).to_contain_text("You are told: chair 3, TOLD, Ada: SpO2 87 ≤ 89 · unanswered")

    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    card = page.locator(".state .alert")
    expect(card).to_contain_text("on doctor's screen")
    tablet.tap(card.get_by_role("button", name="Answer"))
    tablet.tap(sheet.get_by_role("button", name="observed only"))
    expect(sheet).to_contain_text("Critical, and nobody is called: why?")
    tablet.tap(sheet.get_by_role("button", name="doctor is beside me"))
    expect(card).to_contain_text("answered")
    expect(banner).to_be_hidden(timeout=30_000)


def test_a_banner_is_hidden_for_a_moment_and_the_card_says_until_when(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    tablet = open_bedside(put_session(server, more=build.obs_set(-1, sbp=205, dbp=90)))
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    card = page.locator(".state .alert")
    tablet.tap(card.get_by_role("button", name="Answer"))
    tablet.tap(sheet.get_by_role("button", name="Hide the banner"))
    tablet.tap(sheet.get_by_role("button", name="repeat is running"))
    expect(card).to_contain_text("hidden until")
    expect(card.get_by_role("button", name="Answer")).to_be_enabled()


def test_what_is_too_dangerous_offers_no_hiding(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    tablet = open_bedside(put_session(server, more=build.obs_set(-1, spo2=80)))
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    tablet.tap(page.locator(".state .alert").get_by_role("button", name="Answer"))
    expect(sheet.get_by_role("button", name="observed only")).to_be_visible()
    expect(sheet.get_by_role("button", name="Hide the banner")).to_have_count(0)
