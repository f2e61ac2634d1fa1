"""Rows of the record at the bedside: earlier ones, the right time, a wrong line of the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests import build
from tests.browser.tablet import Tablet, put_session
from tests.server import Server

pytestmark = pytest.mark.browser


def test_an_entry_of_an_hour_ago_is_found_and_struck_out(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    many = [fact for minute in range(26) for fact in build.obs_set(-46 + minute, hr=70 + minute)]
    session = put_session(server, more=many)
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")

    tablet.tap(page.get_by_role("button", name="What was recorded last"))
    rows = sheet.locator(".recent-row")
    expect(rows).to_have_count(6)
    earlier = sheet.get_by_role("button", name="Earlier entries")
    tablet.tap(earlier)
    expect(rows).to_have_count(26)
    tablet.tap(earlier)
    expect(earlier).to_be_hidden()
    first = rows.filter(has_text="pain 4")
    tablet.tap(first)
    tablet.tap(sheet.get_by_role("button", name="pain 4"))
    tablet.tap(sheet.get_by_role("button", name="Strike out, without a new value"))
    tablet.tap(sheet.get_by_role("button", name="typing slip"))
    expect(tablet.saved).to_contain_text("✓ saved")

    assert [
        item
        for item in server.store.session(session.id).current_observations
        if item.parameter == "pain"
    ] == []


def test_a_set_goes_to_its_right_time(server: Server, open_bedside: Callable[..., Tablet]) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    right = datetime.now(UTC) - timedelta(minutes=3)
    tablet.keys("68")
    tablet.save()
    expect(tablet.saved).to_contain_text("✓ saved")

    tablet.tap(tablet.first_row.locator("[data-parameter=hr]"))
    tablet.tap(sheet.get_by_role("button", name="Wrong time…"))
    expect(sheet).to_contain_text("Everything that was saved together gets this time.")
    zoned = page.evaluate(
        "(ms) => new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit',"
        " timeZone: 'Europe/London'}).format(ms)",
        right.timestamp() * 1000,
    )
    for digit in zoned.replace(":", ""):
        tablet.tap(sheet.locator(".key", has_text=digit))
    tablet.tap(sheet.get_by_role("button", name="use this time"))

    expect(tablet.first_row.locator(".time")).to_have_text(zoned)
    expect(tablet.first_row.locator("s")).to_have_count(0)
    taken = server.store.session(session.id).current_observations[-1]
    assert (taken.parameter, f"{taken.taken_at:%M}") == ("hr", f"{right:%M}")
