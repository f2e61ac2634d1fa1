"""A symptom from its tick to the moment when somebody says that it is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import build
from tests.browser.tablet import Tablet, put_session, saved_values
from tests.server import Server

pytestmark = pytest.mark.browser


def test_chest_pain_from_the_tick_to_resolved(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")

    tablet.tap(page.get_by_role("button", name="more values"))
    tick = sheet.locator("[data-tick=chest_pain]")
    tablet.tap(tick)
    expect(tick).to_have_text("Chest pain: YES")
    tablet.tap(sheet.get_by_role("button", name="Done"))
    tablet.tap(page.get_by_role("button", name="5 minutes ago"))
    tablet.save()
    expect(page.locator(".alert-card")).to_contain_text("Chest pain")
    cell = tablet.first_row.locator("[data-parameter=chest_pain]")
    expect(cell).to_contain_text("yes")
    expect(cell).to_be_in_viewport()

    tablet.tap(page.get_by_role("button", name="Answer"))
    tablet.tap(sheet.get_by_role("button", name="doctor called"))
    expect(page.locator(".alert-card")).to_contain_text("answered")

    touches = tablet.touches
    tablet.tap(page.get_by_role("button", name="Chest pain: gone"))
    expect(page.locator(".alert")).to_be_hidden()
    assert tablet.touches == touches + 1
    assert saved_values(server, session.id) == {"chest_pain": "0"}


def test_still_there_is_one_tap_and_the_alert_stays(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server, more=build.obs_set(-5, normal=False, dyspnoea=1, chest_pain=1))
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    tablet.tap(page.locator("[data-effect=none]"))  # any entry: the alert is raised with it
    expect(page.locator(".alert-card")).to_be_visible()
    expect(page.get_by_role("button", name="gone")).to_have_count(0)

    tablet.tap(page.locator(".alert-card"))
    row = sheet.get_by_role("group", name="Short of breath")
    tablet.tap(row.get_by_role("button", name="still there"))
    expect(tablet.saved).to_contain_text("✓ saved")
    expect(page.locator(".alert-card")).to_be_visible()
    assert saved_values(server, session.id, minutes=2) == {"dyspnoea": "1"}


def test_a_tick_goes_on_to_no_and_back_to_nothing(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.get_by_role("button", name="more values"))
    for code, taps in (("dyspnoea", 2), ("visual_change", 3), ("unresponsive", 1)):
        for _ in range(taps):
            tablet.tap(sheet.locator(f"[data-tick={code}]"))
    expect(sheet.locator("[data-tick=dyspnoea]")).to_have_text("Short of breath: no")
    tablet.tap(sheet.get_by_role("button", name="Done"))
    tablet.save()

    expect(tablet.saved).to_contain_text("✓ saved")
    assert saved_values(server, session.id) == {"unresponsive": "1", "dyspnoea": "0"}


def test_a_tick_by_mistake_is_corrected_in_the_strip(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    tablet.tap(page.get_by_role("button", name="more values"))
    tablet.tap(sheet.locator("[data-tick=chest_pain]"))
    tablet.tap(sheet.get_by_role("button", name="Done"))
    tablet.save()
    expect(tablet.saved).to_contain_text("✓ saved")

    tablet.tap(tablet.first_row.locator("[data-parameter=chest_pain]"))
    tablet.tap(sheet.get_by_role("button", name="No", exact=True))
    tablet.tap(sheet.locator("[data-code='wrong field']"))
    expect(page.locator(".alert")).to_be_hidden()
    expect(tablet.first_row.locator("[data-parameter=chest_pain]")).to_contain_text("no")
    assert saved_values(server, session.id) == {"chest_pain": "0"}
