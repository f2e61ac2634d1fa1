"""A downtime: the blank chart is printed, and what was written on it is typed in afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from monitor.record import Source
from pages.widgets.clinic_time import clinic_zone
from tests.browser.conftest import Complaints
from tests.browser.tablet import Tablet, at_every_size, put_session
from tests.server import Server

pytestmark = pytest.mark.browser


def ago(minutes: float) -> str:
    """The digits of the clinic's clock so many minutes ago, as they are typed."""
    moment = datetime.now(UTC) - timedelta(minutes=minutes)
    return f"{moment.astimezone(clinic_zone()):%H%M}"


def type_time(tablet: Tablet, digits: str) -> None:
    sheet = tablet.page.get_by_role("dialog")
    for digit in digits:
        tablet.tap(sheet.locator(".key", has_text=digit))
    tablet.tap(sheet.get_by_role("button", name="use this time"))


def test_sets_and_events_are_typed_in_from_paper(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page = tablet.page

    tablet.tap(page.locator(".list"))
    tablet.tap(page.get_by_role("button", name="Enter from paper"))
    expect(page.locator(".taken .paper")).to_be_visible()
    tablet.keys("70")
    tablet.save()
    expect(page.get_by_role("dialog")).to_contain_text("At what time was this set taken?")
    type_time(tablet, ago(25))
    expect(tablet.first_row).to_contain_text("from paper")
    tablet.tap(page.locator("[data-effect=none]"))
    expect(page.get_by_role("dialog")).to_contain_text("at what time, on the paper?")
    type_time(tablet, ago(24))
    expect(tablet.first_row).to_contain_text("Asked: no side effect")
    tablet.tap(page.locator(".taken .paper"))
    expect(page.locator(".taken .paper")).to_be_hidden()
    tablet.keys("71")
    tablet.save()
    expect(tablet.first_row.locator("[data-parameter=hr] b")).to_have_text("71")

    stored = server.store.session(session.id)
    known = {fact.id for fact in session.facts()}
    new = sorted(
        (fact for fact in stored.facts() if fact.id not in known), key=lambda f: f.taken_at
    )
    assert [fact.source for fact in new] == [Source.PAPER, Source.PAPER, Source.KEYED]
    late = [(fact.recorded_at - fact.taken_at).total_seconds() / 60 for fact in new]
    assert 24 < late[0] < 27
    assert 23 < late[1] < 26


def test_the_day_on_the_paper_is_chosen_once_and_holds_for_what_follows(
    server: Server, open_bedside: Callable[..., Tablet], complaints: Complaints
) -> None:
    complaints.expect("status of 409")  # the question about the day
    session = put_session(server)
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    day = (datetime.now(UTC).astimezone(clinic_zone()) - timedelta(days=3)).date()

    tablet.tap(page.locator(".list"))
    tablet.tap(page.get_by_role("button", name="Enter from paper"))
    for key, digits, clock in (("70", "1405", "14:05"), ("72", "1420", "14:20")):
        tablet.keys(key)
        tablet.save()
        if clock == "14:05":
            sheet.get_by_label("Day").fill(day.isoformat())
        expect(sheet.get_by_label("Day")).to_have_value(day.isoformat())
        type_time(tablet, digits)
        ask = page.locator(".ask:not([hidden])")
        expect(ask).to_contain_text("Is the date right?")
        ask.get_by_role("button").first.tap()
        expect(tablet.saved).to_contain_text("✓ saved")
        expect(tablet.first_row).to_contain_text(f"{day.day} {day:%b} {clock}")

    hearts = {
        str(item.value): item.taken_at.astimezone(clinic_zone())
        for item in server.store.session(session.id).observations
        if str(item.value) in ("70", "72") and item.parameter == "hr"
    }
    assert {value: f"{at:%H:%M}" for value, at in hearts.items()} == {"70": "14:05", "72": "14:20"}
    assert {at.date() for at in hearts.values()} == {day}


def test_paper_mode_fits_and_can_be_hit(open_bedside: Callable[..., Tablet]) -> None:
    tablet = open_bedside()
    page = tablet.page
    tablet.tap(page.locator(".list"))
    tablet.tap(page.get_by_role("button", name="Enter from paper"))
    expect(page.locator(".taken .paper")).to_be_visible()

    for size in at_every_size(page):
        box = page.locator(".taken .paper").bounding_box()
        assert box is not None, size
        assert box["width"] >= 48, size
        assert box["height"] >= 48, size
        assert box["y"] + box["height"] <= page.evaluate("innerHeight"), size


def test_a_blank_chart_is_printed_from_the_bedside(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    tablet = open_bedside(put_session(server, name="Papadopoulos"))
    tablet.tap(tablet.page.locator(".list"))
    with tablet.page.expect_popup() as opened:
        tablet.tap(tablet.page.get_by_role("link", name="Print a blank chart"))
    printed: Page = opened.value

    expect(printed.locator(".sheet").first).to_contain_text("PAPADOPOULOS, Ada")
    expect(printed.locator(".sheet").last).to_contain_text("recovery")
    pdf = printed.pdf(prefer_css_page_size=True)
    pages = len(re.findall(rb"/Type\s*/Page[^s]", pdf))
    assert pages == printed.locator(".sheet").count(), "one sheet of paper for each page"
