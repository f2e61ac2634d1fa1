"""Oxygen is recorded as a flow wherever it is tapped, so that its alert is raised."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests import build
from tests.browser.tablet import Tablet, at_every_size, put_session, saved_values
from tests.server import Server

pytestmark = pytest.mark.browser


def test_the_oxygen_button_records_a_flow_and_raises_its_alert(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")

    tablet.tap(page.get_by_role("button", name="event ▾"))
    tablet.tap(sheet.locator("[data-code=oxygen]"))
    tablet.tap(sheet.get_by_role("button", name="6 L/min"))

    assert tablet.touches == 3
    expect(page.locator(".alert")).to_have_attribute("data-level", "critical")
    expect(page.locator(".alert-card")).to_contain_text("O2 6 > 4")
    expect(tablet.first_row.locator("[data-parameter=o2_flow]")).to_contain_text("6")
    assert saved_values(server, session.id) == {"o2_flow": "6"}


def test_oxygen_given_for_an_alert_asks_for_the_flow(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server, more=build.obs_set(-2, spo2=88))
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    tablet.tap(page.locator("[data-effect=none]"))  # any entry: the alert is raised with it
    expect(tablet.saved).to_contain_text("✓ saved")

    tablet.tap(page.get_by_role("button", name="Answer"))
    tablet.tap(sheet.get_by_role("button", name="oxygen given"))
    field = sheet.get_by_role("textbox")
    for key in ("2", ".", "5"):
        tablet.tap(sheet.locator(".key", has_text=key))
    expect(field).to_have_value("2.5")
    tablet.tap(sheet.get_by_role("button", name="Save"))

    expect(page.locator(".alert-card")).to_contain_text("more")
    assert saved_values(server, session.id, minutes=1) == {"o2_flow": "2.5"}
    assert [event.kind for event in server.store.session(session.id).events] == []


def test_an_event_of_a_while_ago_has_its_time(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")

    tablet.tap(page.get_by_role("button", name="event ▾"))
    tablet.tap(sheet.get_by_role("button", name="−10 min"))
    tablet.tap(sheet.locator("[data-code=vomited]"))
    expect(tablet.saved).to_contain_text("✓ saved")
    tablet.tap(page.get_by_role("button", name="event ▾"))
    tablet.tap(sheet.locator("[data-code=drug]"))
    tablet.tap(sheet.get_by_role("button", name="−5 min"))
    tablet.tap(sheet.get_by_role("button", name="ondansetron 4 mg IV"))
    expect(tablet.first_row).to_contain_text("ondansetron")

    ago = [
        round((datetime.now(UTC) - event.taken_at) / timedelta(minutes=1))
        for event in server.store.session(session.id).events
    ]
    assert [abs(ago[0] - 10) <= 1, abs(ago[1] - 5) <= 1] == [True, True]


def test_what_oxygen_is_given_by_is_one_tap_beside_the_flow(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")

    tablet.tap(page.get_by_role("button", name="event ▾"))
    tablet.tap(sheet.locator("[data-code=oxygen]"))
    for size in at_every_size(page):
        assert sheet.evaluate("(node) => node.scrollHeight <= node.clientHeight"), size
    tablet.tap(sheet.get_by_role("button", name="nasal cannula", exact=True))
    tablet.tap(sheet.get_by_role("button", name="2 L/min"))

    assert tablet.touches == 4
    expect(tablet.saved).to_contain_text("✓ saved")
    [flow] = [
        item
        for item in server.store.session(session.id).current_observations
        if item.parameter == "o2_flow"
    ]
    assert (str(flow.value), flow.note) == ("2", "oxygen device: nasal_cannula")
    tablet.tap(tablet.first_row.locator(".time"))
    expect(sheet).to_contain_text("Oxygen by nasal cannula.")
