"""A protocol from draft to approval in a real browser, and the menu on a small tablet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import choose
from tests.browser.tablet import at_every_size

pytestmark = pytest.mark.browser

BrowserPage = Callable[..., Page]
WAIT_MS = 20_000


def test_a_lead_writes_and_an_anaesthetist_approves(browser_page: BrowserPage) -> None:
    lead = browser_page("lead", "/protocols")
    lead.get_by_role("link", name="P17").click()
    lead.get_by_role("button", name="Write the next version of P17").click(timeout=WAIT_MS)
    hard = lead.get_by_label("Hard rate limit (mg/kg/h or per 70 kg)")
    hard.fill("0.7", timeout=WAIT_MS)
    lead.get_by_label("What does this version change, and why?").fill("lower, after the audit")
    lead.get_by_role("button", name="Store as a draft").click()
    beside = lead.get_by_text("✕ The soft rate limit (0.7875 mg/kg/h) is above the hard one")
    expect(beside).to_be_visible(timeout=WAIT_MS)
    expect(hard).to_have_value("0.7")
    hard.fill("0.9")
    lead.get_by_role("button", name="Store as a draft").click()
    expect(lead.get_by_text("is stored as a draft").first).to_be_visible(timeout=WAIT_MS)
    expect(lead.get_by_role("row", name="Hard rate limit 1 mg/kg/h 0.9 mg/kg/h")).to_be_visible()

    doctor = browser_page("anaesthetist", lead.url)
    doctor.get_by_text("Approve this version").click(timeout=WAIT_MS)
    doctor.get_by_label("What did you check?").fill("the limits")
    doctor.get_by_role("button", name="Approve", exact=True).click()
    expect(doctor.get_by_text("is approved.").first).to_be_visible(timeout=WAIT_MS)
    doctor.get_by_role("button", name="All protocols").click()
    doctor.get_by_text("Out of use (1)").click(timeout=WAIT_MS)
    expect(doctor.get_by_role("link", name="P17")).to_have_count(2)


def test_a_lead_gives_a_protocol_a_schedule_of_its_own(browser_page: BrowserPage) -> None:
    lead = browser_page("lead", "/protocols")
    lead.get_by_role("link", name="P18").click()
    lead.get_by_role("button", name="Write the next version of P18").click(timeout=WAIT_MS)
    every = lead.get_by_label("Row 2, a set every (min)")
    every.fill("20", timeout=WAIT_MS)
    lead.get_by_label("What does this version change, and why?").fill("fewer sets after an hour")
    lead.get_by_role("button", name="Store as a draft").click()
    refused = lead.get_by_text("✕ The rows below are not those of DEP-40.")
    expect(refused).to_be_visible(timeout=WAIT_MS)
    expect(every).to_have_value("20")
    choose(lead, "Observation schedule", "a schedule of its own")
    lead.get_by_role("button", name="Store as a draft").click()
    expect(lead.get_by_text("is stored as a draft").first).to_be_visible(timeout=WAIT_MS)
    changed = lead.get_by_role("row", name="A set from minute 60 on every 15 min 20 min")
    expect(changed).to_be_visible()
    expect(lead.get_by_text("from 60 min every 20 min")).to_be_visible()


@pytest.mark.parametrize("role", ["nurse", "anaesthetist", "lead"])
def test_on_a_tablet_the_menu_leaves_the_person_room(browser_page: BrowserPage, role: str) -> None:
    page = browser_page(role, "/protocols", viewport={"width": 1280, "height": 768})
    last = page.get_by_test_id("stTopNavLink").last
    expect(last).to_be_visible(timeout=WAIT_MS)
    lock = page.get_by_role("button", name="Lock")
    expect(lock).to_be_visible(timeout=WAIT_MS)
    for size in at_every_size(page, ((1280, 768), (1024, 768))):
        menu: Any = last.bounding_box()
        for name in (".demo", ".who"):
            beside: Any = page.locator(f".bar {name}").bounding_box()
            is_below = beside["y"] >= menu["y"] + menu["height"]
            assert is_below or menu["x"] + menu["width"] <= beside["x"], f"{name} at {size}"
