"""Signing in and being shut out again, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from monitor import user_admin
from monitor.accounts import DeviceSession
from tests.browser.conftest import BrowserPage, Complaints
from tests.browser.tablet import SHUT_OUT
from tests.server import Server

pytestmark = pytest.mark.browser

SIGN_IN = re.compile(r"/sign-in(\?|$)")
#: A lock or sign-out is answered with these, and the browser says so in its console.


def signed_in(page: Page) -> None:
    """Wait until the frame with the person's name stands."""
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def newest_device(server: Server, username: str) -> DeviceSession:
    return server.store.device_sessions(username)[0]


def change_device(server: Server, username: str, **change: object) -> None:
    seen = newest_device(server, username)
    assert server.store.replace_device_session(seen, replace(seen, **change))


def wait_until_blank(page: Page) -> None:
    """The page is the sign-in page and holds nothing else."""
    page.wait_for_url(SIGN_IN)
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.locator("#root").count() == 0


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_sign_in_form_works(browser_page: BrowserPage, scripts: bool) -> None:
    page = browser_page(path="/intended-use", java_script_enabled=scripts)
    page.wait_for_url(SIGN_IN)
    page.get_by_label("User name").fill("ablum")
    page.get_by_label("Password").fill("wrong password here")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("not right")
    page.get_by_label("Password").fill(user_admin.DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/intended-use")
    if scripts:
        expect(page.get_by_text("The software records, displays")).to_be_visible()


@pytest.fixture(autouse=True)
def _expected(complaints: Complaints) -> None:
    complaints.expect(SHUT_OUT)


def follows_the_system(page: Page, ground: Locator) -> None:
    """Opened on a dark tablet it is dark, and it changes with the tablet."""
    expect(ground).to_have_css("background-color", "rgb(15, 19, 24)")
    page.emulate_media(color_scheme="light")
    expect(ground).to_have_css("background-color", "rgb(244, 245, 247)")


def test_the_sign_in_page_follows_the_system(browser_page: BrowserPage) -> None:
    page = browser_page(path="/sign-in", color_scheme="dark")
    follows_the_system(page, page.locator("body"))


def test_the_app_follows_the_system(browser_page: BrowserPage) -> None:
    page = browser_page("admin", "/intended-use", color_scheme="dark")
    signed_in(page)
    follows_the_system(page, page.locator(".stApp"))


def test_each_role_is_offered_its_pages(browser_page: BrowserPage) -> None:
    page = browser_page("admin", "/intended-use")
    signed_in(page)
    expect(page.get_by_role("link", name="Users")).to_be_visible()
    assert page.get_by_role("link", name="Live board").count() == 0
    page = browser_page("nurse", "/intended-use")
    signed_in(page)
    expect(page.get_by_role("link", name="Live board")).to_be_visible()
    assert page.get_by_role("link", name="Users").count() == 0


def test_the_cookie_is_out_of_reach_of_scripts(browser_page: BrowserPage) -> None:
    page = browser_page("nurse", "/intended-use")
    signed_in(page)
    assert "monitor=" not in page.evaluate("document.cookie")
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["monitor"]["httpOnly"]
    assert cookies["monitor"]["sameSite"] == "Lax"


def test_the_chart_code_is_there_before_the_first_chart(browser_page: BrowserPage) -> None:
    page = browser_page("nurse", "/intended-use")
    signed_in(page)
    loaded = "() => performance.getEntriesByType('resource').some(e => /PlotlyChart/.test(e.name))"
    page.wait_for_function(loaded)
    expect(page.get_by_text("The software records, displays")).to_be_visible()
    assert (
        page.locator(".st-key-frame-chart").evaluate(
            "node => node.checkVisibility({visibilityProperty: true})"
        )
        is False
    )


def test_signing_out_in_another_tab_blanks_the_page(
    browser_page: BrowserPage, server: Server
) -> None:
    page = browser_page("nurse", "/intended-use")
    signed_in(page)
    other_tab = page.context.new_page()
    other_tab.goto("/intended-use")
    signed_in(other_tab)
    other_tab.get_by_role("button", name="Sign out").click()
    wait_until_blank(other_tab)
    wait_until_blank(page)
    assert newest_device(server, "ablum").ended_at is not None


def test_the_back_button_shows_nothing_after_signing_out(browser_page: BrowserPage) -> None:
    page = browser_page("nurse", "/intended-use")
    signed_in(page)
    page.goto("/intended-use?again=1")
    signed_in(page)
    page.get_by_role("button", name="Sign out").click()
    wait_until_blank(page)
    page.go_back()
    wait_until_blank(page)


def test_revoking_an_account_blanks_its_pages(browser_page: BrowserPage, server: Server) -> None:
    page = browser_page("nurse2", "/intended-use")
    signed_in(page)
    now = datetime.now(UTC)
    user_admin.disable_user(server.store, "cdiaz", by=None, now=now)
    try:
        wait_until_blank(page)
    finally:
        user_admin.enable_user(server.store, "cdiaz", by=None, now=now)


def test_an_expired_session_blanks_its_pages(browser_page: BrowserPage, server: Server) -> None:
    page = browser_page("lead", "/intended-use")
    signed_in(page)
    change_device(server, "lsato", expires_at=datetime.now(UTC))
    wait_until_blank(page)


def test_an_idle_device_locks_and_a_pin_opens_it(browser_page: BrowserPage, server: Server) -> None:
    page = browser_page("anaesthetist", "/intended-use")
    signed_in(page)
    expect(page.get_by_text("The software records, displays")).to_be_visible()
    change_device(server, "mkeller", last_input_at=datetime.now(UTC) - timedelta(minutes=10))
    panel = page.get_by_role("dialog", name="Locked")
    expect(panel).to_be_visible()
    assert page.get_by_text("The software records, displays").count() == 0
    assert page.locator("#root").count() == 0
    assert "Infusion session monitor" in page.title()
    panel.get_by_label("PIN or password").fill("9999")
    panel.get_by_role("button", name="Unlock").click()
    expect(panel.get_by_role("alert")).to_contain_text("not right")
    panel.get_by_label("PIN or password").fill("3690")
    panel.get_by_role("button", name="Unlock").click()
    expect(page.get_by_text("The software records, displays")).to_be_visible()
    signed_in(page)


def test_a_colleague_takes_over_with_a_pin_and_their_name_stands_there(
    browser_page: BrowserPage,
) -> None:
    page = browser_page("nurse", "/intended-use")
    signed_in(page)
    other_tab = page.context.new_page()
    other_tab.goto("/intended-use")
    signed_in(other_tab)
    page.get_by_role("button", name="Lock", exact=True).click()
    panel = page.get_by_role("dialog", name="Locked")
    expect(other_tab.get_by_role("dialog", name="Locked")).to_be_visible()
    panel.get_by_label("User name").fill("cdiaz")
    panel.get_by_label("PIN or password").fill("1470")
    panel.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("group", name="Signed in")).to_contain_text("C. Diaz")
    expect(other_tab.get_by_role("group", name="Signed in")).to_contain_text("C. Diaz")


def test_who_worked_on_the_device_takes_it_back_by_name_and_keys(browser_page: BrowserPage) -> None:
    page = browser_page("nurse", "/intended-use", has_touch=True)
    signed_in(page)
    page.get_by_role("button", name="Lock", exact=True).tap()
    panel = page.get_by_role("dialog", name="Locked")
    expect(panel).to_be_visible()
    assert panel.get_by_role("group", name="Who works on this device").count() == 0
    panel.get_by_label("User name").fill("cdiaz")
    for key in "14790":
        panel.get_by_role("button", name=key, exact=True).tap()
    panel.get_by_role("button", name="Erase").tap()
    panel.get_by_role("button", name="Erase").tap()
    panel.get_by_role("button", name="0", exact=True).tap()
    panel.get_by_role("button", name="Unlock").tap()
    expect(page.get_by_role("link", name="C. Diaz")).to_be_visible()

    page.get_by_role("button", name="Lock", exact=True).tap()
    names = panel.get_by_role("group", name="Who works on this device").get_by_role("button")
    expect(names).to_have_text(["C. Diaz", "A. Blum"])
    names.last.tap()
    expect(names.last).to_have_attribute("aria-pressed", "true")
    for key in "2580":
        panel.get_by_role("button", name=key, exact=True).tap()
    panel.get_by_role("button", name="Unlock").tap()
    expect(page.get_by_role("link", name="A. Blum")).to_be_visible()


def test_a_page_loaded_while_locked_is_the_lock_and_works_without_scripts(
    new_context: Callable[..., BrowserContext], server: Server
) -> None:
    page = new_context("nurse", java_script_enabled=False).new_page()
    change_device(server, "ablum", locked_at=datetime.now(UTC))
    page.goto("/intended-use")
    page.wait_for_url("**/unlock?next=/intended-use")
    page.get_by_label("PIN or password").fill("2580")
    page.get_by_role("button", name="Unlock").click()
    page.wait_for_url("**/intended-use")


def test_only_a_person_is_activity(
    new_context: Callable[..., BrowserContext], server: Server
) -> None:
    page = new_context("nurse", once=True).new_page()
    page.clock.install()
    page.goto("/intended-use")
    signed_in(page)
    long_ago = datetime.now(UTC) - timedelta(minutes=9)
    change_device(server, "ablum", last_input_at=long_ago)
    page.evaluate("window.dispatchEvent(new PointerEvent('pointerdown'))")
    page.clock.fast_forward(31_000)
    page.wait_for_timeout(1000)
    assert newest_device(server, "ablum").last_input_at == long_ago
    page.mouse.click(640, 600)
    with page.expect_response("**/device/activity*") as answered:
        page.clock.fast_forward(31_000)
    assert answered.value.status == 200
    assert newest_device(server, "ablum").last_input_at > long_ago


def test_an_abandoned_page_without_a_connection_is_covered(
    new_context: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    complaints.expect(r"ERR_INTERNET_DISCONNECTED|ERR_FAILED|fetch|Failed to load")
    context = new_context("nurse", once=True)
    page = context.new_page()
    page.clock.install()
    page.goto("/intended-use")
    signed_in(page)
    expect(page.get_by_text("The software records, displays")).to_be_visible()
    context.set_offline(True)
    panel = page.get_by_role("dialog", name="No connection")
    for _minute in range(60):
        # That nobody answers is noticed in the page's own time.
        page.clock.fast_forward(60_000)
        if panel.is_visible():
            break
    expect(panel).to_be_visible()
    assert page.get_by_text("The software records, displays").count() == 0
    panel.get_by_role("button", name="Go on as A. Blum").click()
    expect(page.get_by_text("The software records, displays")).to_be_visible()
