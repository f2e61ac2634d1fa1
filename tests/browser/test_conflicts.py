"""Two tablets on one session say two things: both stand until somebody chooses, in a few touches."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.tablet import Tablet, at_every_size, put_session
from tests.server import Server

pytestmark = pytest.mark.browser


def test_two_tablets_say_two_things_and_one_is_chosen_in_two_touches(
    server: Server,
    open_bedside: Callable[..., Tablet],
    browser_page: Callable[..., Page],
) -> None:
    session = put_session(server)
    one = open_bedside(session)
    page = browser_page("nurse2", f"/bedside?session={session.id}", has_touch=True)
    expect(page.get_by_role("button", name="SAVE")).to_be_visible()
    two = Tablet(page)

    one.tap(one.field("spo2"))
    one.keys("98")
    one.save()
    expect(one.saved).to_contain_text("✓ saved")
    two.tap(two.field("spo2"))
    two.keys("91")
    two.save()
    two.tap(two.page.get_by_role("button", name="Yes, keep it"))  # so much lower than 98
    expect(two.saved).to_contain_text("✓ saved")

    bar = one.page.locator(".conflict")
    for tablet in (one, two):
        expect(tablet.page.locator(".conflict")).to_contain_text("SpO₂ 98 % or 91 %? Choose")
    expect(two.page.locator(".alert")).to_contain_text("SpO2")  # the worse one counts
    one.touches = 0
    one.tap(bar)
    sheet = one.page.get_by_role("dialog")
    expect(sheet).to_contain_text("Which one is right?")
    one.tap(sheet.get_by_role("button", name="98 %"))

    assert one.touches == 2
    for tablet in (one, two):
        expect(tablet.page.locator(".conflict")).to_be_hidden()
        expect(tablet.page.locator(".alert")).to_be_hidden()
    expect(one.first_row).to_have_class("row set struck")
    expect(one.first_row.locator("s")).to_contain_text("SpO₂ 91")
    (amendment,) = server.store.session(session.id).amendments
    assert amendment.reason == "conflict"


def test_a_pair_of_pressures_is_settled_one_after_the_other(
    server: Server,
    open_bedside: Callable[..., Tablet],
    browser_page: Callable[..., Page],
) -> None:
    session = put_session(server)
    one = open_bedside(session, viewport={"width": 1024, "height": 690})
    page = browser_page("nurse2", f"/bedside?session={session.id}", has_touch=True)
    expect(page.get_by_role("button", name="SAVE")).to_be_visible()
    two = Tablet(page)
    for tablet, digits in ((one, "13178"), (two, "14182")):
        tablet.tap(tablet.field("sbp"))
        tablet.keys(digits)
        tablet.save()
        expect(tablet.saved).to_contain_text("✓ saved")

    expect(one.page.locator(".conflict")).to_contain_text("1 more")
    one.tap(one.first_row.locator("[data-contested]").first)
    sheet = one.page.get_by_role("dialog")
    one.tap(sheet.get_by_role("button", name="141 mmHg"))
    one.tap(sheet.get_by_role("button", name="82 mmHg"))

    expect(one.page.locator(".conflict")).to_be_hidden()
    values = {
        item.parameter: str(item.value)
        for item in server.store.session(session.id).current_observations[-2:]
    }
    assert values == {"sbp": "141", "dbp": "82"}


def test_a_pressure_measured_again_at_once_stands_twice_after_two_touches(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    for digits in ("14682", "13878"):
        tablet.tap(tablet.field("sbp"))
        tablet.keys(digits)
        tablet.save()
        expect(tablet.saved).to_contain_text("✓ saved")
        expect(tablet.field("sbp")).to_have_value("")

    tablet.touches = 0
    tablet.tap(tablet.page.locator(".conflict"))
    sheet = tablet.page.get_by_role("dialog")
    expect(sheet.get_by_role("button", name="Both are right")).to_have_count(2)
    for size in at_every_size(tablet.page):
        assert sheet.evaluate("(node) => node.scrollHeight <= node.clientHeight"), size
        for one in sheet.get_by_role("button").all():
            box = one.bounding_box()
            assert box is not None, size
            assert box["height"] >= 48, size
    tablet.tap(sheet.get_by_role("button", name="All are right"))

    assert tablet.touches == 2
    expect(tablet.page.locator(".conflict")).to_be_hidden()
    expect(tablet.first_row).to_contain_text("Both right")
    values = [
        (item.parameter, str(item.value))
        for item in server.store.session(session.id).current_observations[-4:]
    ]
    assert sorted(values) == [("dbp", "78"), ("dbp", "82"), ("sbp", "138"), ("sbp", "146")]


def test_undo_leaves_its_mark_in_the_strip(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)

    tablet.tap(tablet.page.locator("[data-effect=none]"))
    expect(tablet.first_row).to_contain_text("Asked: no side effect")
    tablet.tap(tablet.page.get_by_role("button", name="undo"))

    expect(tablet.first_row.locator("s")).to_have_text("Asked: no side effect")
    tablet.tap(tablet.first_row.get_by_role("button", name="Struck out"))
    expect(tablet.page.get_by_role("dialog")).to_contain_text("undone at once")
