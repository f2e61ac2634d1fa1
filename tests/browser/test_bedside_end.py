"""The end of a visit at the bedside in a real browser: discharged, completed, and what was forgotten."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from monitor.record import DoseStepKind
from tests import build
from tests.browser.tablet import Tablet, put_session
from tests.server import Server

pytestmark = pytest.mark.browser


def complete_it(tablet: Tablet) -> None:
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator(".closed").get_by_role("button", name="Complete the session"))
    expect(sheet).to_contain_text("The session closes")
    tablet.tap(sheet.get_by_role("button", name="Complete the session"))


def account_for_the_drug(tablet: Tablet) -> None:
    """One ampoule issued, what is left of it wasted, each witnessed."""
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    for kind in ("issued", "wasted"):
        tablet.tap(page.get_by_role("button", name="event", exact=False).last)
        tablet.tap(sheet.locator("[data-code=ledger]"))
        tablet.tap(sheet.locator(f"[data-ledger={kind}]"))
        if kind == "issued":
            tablet.tap(sheet.get_by_role("button", name="50 mg", exact=True))
            sheet.get_by_label("Batch").fill("K 4711")
            sheet.get_by_label("Expiry").fill("2099-06")
        tablet.tap(sheet.get_by_role("button", name="Next"))
        tablet.second_person(sheet)
        tablet.tap(sheet.locator(".confirm"))
        expect(tablet.saved).to_contain_text("✓ saved")
    tablet.tap(page.get_by_role("button", name="event", exact=False).last)
    tablet.tap(sheet.locator("[data-code=ledger]"))
    expect(sheet).to_contain_text("Everything is accounted for.")
    page.keyboard.press("Escape")


def test_a_session_is_discharged_and_completed_in_words_and_then_looks_finished(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server, more=[build.rate(0, -6, kind=DoseStepKind.STOP)])
    tablet = open_bedside(session)
    page = tablet.page
    sheet = page.get_by_role("dialog")
    expect(page.locator(".fact.phase")).to_contain_text("RECOVERY")

    tablet.tap(page.get_by_role("button", name="event", exact=False).last)
    tablet.tap(sheet.locator("[data-code=discharged]"))
    expect(sheet).to_contain_text("Before the patient leaves")
    assert server.store.session(session.id).events == session.events
    tablet.tap(sheet.get_by_role("button", name="The patient has left anyway"))
    tablet.tap(sheet.get_by_role("button", name="did not want to wait"))
    tablet.tap(sheet.get_by_role("button", name="Record that the patient has left"))
    expect(page.locator(".closed")).to_contain_text("discharged")
    expect(page.locator(".closed")).to_contain_text("The drug ledger is empty")
    complete = page.locator(".closed").get_by_role("button", name="Complete the session")
    expect(complete).to_be_disabled()
    account_for_the_drug(tablet)
    expect(complete).to_be_enabled()
    complete_it(tablet)

    expect(page.locator(".closed")).to_contain_text(
        "This session is completed. Corrections are still possible."
    )
    expect(page.locator(".fact.due")).to_be_hidden()
    expect(page.locator(".fact.phase .large")).to_contain_text("infusion ended")
    for name in ("dose", "effect"):
        for button in page.locator(f"[data-{name}]").all():
            expect(button).to_be_disabled()
    tablet.tap(page.locator(".closed").get_by_role("button", name="Back to the live board"))
    expect(page.get_by_role("button", name="SAVE")).to_have_count(0)


def test_after_the_end_a_forgotten_set_can_still_be_entered(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    ended = [
        build.rate(0, -6, kind=DoseStepKind.STOP),
        build.event("discharged", -3),
        build.event("completed", -2),
    ]
    session = put_session(server, more=ended)
    tablet = open_bedside(session)
    page = tablet.page

    expect(page.locator(".closed")).to_be_visible()
    tablet.tap(page.get_by_role("button", name="Enter something that was forgotten"))
    tablet.tap(page.get_by_role("dialog").get_by_role("button", name="−15 min"))
    expect(page.locator(".closed")).to_be_hidden()
    tablet.keys("15")
    tablet.save()
    expect(page.get_by_role("alertdialog")).to_contain_text("not possible")
    tablet.tap(page.get_by_role("button", name="Change"))
    tablet.tap(tablet.field("hr"))
    tablet.keys("70")
    tablet.save()

    expect(tablet.saved).to_contain_text("✓ saved")
    hearts = [
        item.value
        for item in server.store.session(session.id).current_observations
        if item.parameter == "hr"
    ]
    assert Decimal(70) in hearts
