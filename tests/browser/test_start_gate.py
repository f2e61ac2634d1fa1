"""The gate in a real browser: answered by touch, kept over a reload, saved with the session."""

from __future__ import annotations

from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect

from monitor.record import Answer
from tests.browser.conftest import BrowserPage, Complaints, choose
from tests.browser.test_journey import fill_start
from tests.server import USERNAMES, Server

pytestmark = pytest.mark.browser


def question(page: Page, text: str) -> Locator:
    return page.get_by_role("radiogroup", name=text)


def chosen(page: Page, text: str, answer: str) -> Locator:
    return question(page, text).get_by_role("radio", name=answer, exact=True)


def test_the_gate_is_answered_reloaded_overridden_and_saved(
    server: Server, browser_page: BrowserPage, complaints: Complaints
) -> None:
    page = browser_page("nurse", "/start", has_touch=True)
    expect(page.get_by_role("button", name="Open the session")).to_be_visible()
    fill_start(page)
    page.get_by_role("button", name="All yes").click()
    expect(chosen(page, "Consent is signed", "Yes")).to_be_checked()
    chosen(page, "Severe, unstable or ischaemic heart disease", "Yes").click()
    page.get_by_label("Why it is overridden").fill("echo seen, stable")
    page.keyboard.press("Tab")
    missing = page.locator(".st-key-start-missing")
    expect(missing).to_contain_text("Only an anaesthetist can go on")
    expect(missing).to_contain_text("Brain, eyes and mind: 7 questions are open.")
    # What was typed before this has reached the server once this has.
    chair = page.get_by_label("Chair or bed", exact=True)
    chair.fill("")
    page.keyboard.press("Tab")
    expect(missing).to_contain_text("Say which chair")
    chair.fill("7")
    page.keyboard.press("Tab")
    expect(missing).not_to_contain_text("Say which chair")

    page.reload()
    expect(page.get_by_role("button", name="Open the session")).to_be_visible()
    expect(page.get_by_label("Family name", exact=True)).to_have_value("Journey")
    expect(page.get_by_label("Why it is overridden")).to_have_value("echo seen, stable")
    expect(chosen(page, "Consent is signed", "Yes")).to_be_checked()

    choose(page, "Anaesthetist who decided")
    expect(missing).not_to_contain_text("Only an anaesthetist can go on")
    page.get_by_role("button", name="Open the session").click()
    expect(page.get_by_role("button", name="SAVE")).to_be_visible()

    session = server.store.session(UUID(page.url.split("session=")[1]))
    answers = {item.question: item for item in session.answers}
    assert set(answers) == {
        "heart_disease", "consent_signed", "fasting", "premedication", "escort_named",
        "no_driving_told",
    }  # fmt: skip
    assert answers["consent_signed"].answer is Answer.YES
    assert answers["heart_disease"].override_reason == "echo seen, stable"
    assert answers["heart_disease"].override_by == USERNAMES["anaesthetist"]


def test_everything_of_the_gate_can_be_touched(
    browser_page: BrowserPage, complaints: Complaints
) -> None:
    page = browser_page("nurse", "/start", viewport={"width": 1024, "height": 768})
    expect(page.get_by_role("button", name="Open the session")).to_be_visible()
    expect(chosen(page, "Knows: no driving", "Unknown")).to_be_visible()
    small = page.locator(".st-key-start-gate button").evaluate_all(
        """buttons => buttons.map(b => [b.textContent, b.getBoundingClientRect()])
            .filter(([, r]) => r.width < 48 || r.height < 48)
            .map(([text, r]) => `${text} ${r.width} x ${r.height}`)"""
    )
    assert small == []
    wider = page.locator("[data-testid=stMain]").evaluate("m => m.scrollWidth - m.clientWidth")
    assert wider == 0
