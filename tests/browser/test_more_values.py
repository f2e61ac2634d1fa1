"""Values behind "more values": checked while they are typed, in whatever unit; and late entries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tablet import SIZES, Tablet, put_session
from tests.server import Server

pytestmark = pytest.mark.browser


def _type(tablet: Tablet, sheet: Locator, digits: str) -> None:
    for digit in digits:
        tablet.tap(sheet.locator(".key", has_text=digit))


def _clock_of(*, minutes_ago: int) -> str:
    moment = datetime.now(ZoneInfo("Europe/London")) - timedelta(minutes=minutes_ago)
    return f"{moment:%H%M}"


def _row(sheet: Locator, label: str) -> Locator:
    return sheet.locator(".more-row", has=sheet.page.get_by_text(label, exact=True))


def test_a_crossed_limit_and_an_impossible_value_are_said_in_every_unit(
    open_bedside: Callable[..., Tablet],
) -> None:
    tablet = open_bedside()
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.get_by_role("button", name="more values"))

    temp, flow = _row(sheet, "Temperature"), _row(sheet, "Oxygen flow")
    _type(tablet, sheet, "3")
    expect(temp.locator(".message")).to_have_text("")
    _type(tablet, sheet, "9.2")
    expect(temp).to_have_attribute("data-level", "critical")
    expect(temp.locator(".message")).to_contain_text("◆ ≥ 39.1")
    tablet.tap(temp.get_by_role("button", name="another unit"))
    expect(temp).to_have_attribute("data-level", "hard")
    expect(temp.locator(".message")).to_contain_text("39.2 [degF]")

    temp.locator("input").fill("100.4")
    expect(temp.locator(".message")).to_have_text("")
    temp.locator("input").fill("100.6")
    expect(temp.locator(".message")).to_contain_text("▲ > 38")

    tablet.tap(flow.locator("input"))
    _type(tablet, sheet, "6")
    expect(flow).to_have_attribute("data-level", "critical")
    mean = _row(sheet, "Mean pressure")
    tablet.tap(mean.get_by_role("button", name="another unit"))
    tablet.tap(mean.locator("input"))
    _type(tablet, sheet, "18")
    expect(mean.locator(".message")).to_contain_text("≥ 135")


def test_an_impossible_value_in_another_unit_is_refused_before_it_is_sent(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    page.route("**/set", lambda route: pytest.fail("it was sent"))
    tablet.tap(page.get_by_role("button", name="more values"))
    tablet.tap(_row(sheet, "Temperature").get_by_role("button", name="another unit"))
    _row(sheet, "Temperature").locator("input").fill("37")
    tablet.tap(sheet.get_by_role("button", name="Done"))
    tablet.save()

    expect(page.get_by_role("alertdialog")).to_contain_text("37 [degF]")


def test_a_mean_pressure_is_held_against_the_two_others_while_it_is_typed(
    open_bedside: Callable[..., Tablet],
) -> None:
    """clinical.md 3.1: not between diastolic and systolic is refused, far from computed is asked."""
    tablet = open_bedside()
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    page.route("**/set", lambda route: pytest.fail("it was sent"))
    tablet.tap(tablet.field("sbp"))
    tablet.keys("12080")
    tablet.tap(page.get_by_role("button", name="more values"))
    mean = _row(sheet, "Mean pressure")
    tablet.tap(mean.locator("input"))

    _type(tablet, sheet, "93")
    expect(mean.locator(".message")).to_have_text("")
    for digits, level, words in (
        ("75", "hard", "not between diastolic 80 and systolic 120"),
        ("121", "hard", "not between diastolic 80 and systolic 120"),
        ("115", "soft", "22 away from 93"),
    ):
        mean.locator("input").fill("")
        _type(tablet, sheet, digits)
        expect(mean.locator(".message")).to_contain_text(words)
        expect(mean).to_have_attribute("data-level", level)
    # In another unit it is the same pressure: 16.3 kPa is 122 mmHg.
    tablet.tap(mean.get_by_role("button", name="another unit"))
    mean.locator("input").fill("16.3")
    tablet.tap(sheet.get_by_role("button", name="Done"))
    expect(page.locator("[data-row=bp] .message")).to_contain_text("Mean pressure 122")
    tablet.save()
    expect(page.get_by_role("alertdialog")).to_contain_text("Mean pressure 122 is not between")


def test_a_late_set_says_why(server: Server, open_bedside: Callable[..., Tablet]) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    tablet.keys("70")
    tablet.tap(page.get_by_role("button", name="Another time"))
    tablet.tap(sheet.get_by_role("button", name="patient first"))
    tablet.tap(sheet.get_by_role("button", name="−15 min"))
    tablet.save()

    expect(tablet.saved).to_contain_text("✓ saved")
    expect(tablet.first_row.locator(".late")).to_contain_text(": patient first")
    notes = {
        item.parameter: item.note
        for item in server.store.session(session.id).current_observations
        if item.note
    }
    assert notes == {"hr": "entered late: patient first"}


def test_a_late_event_and_a_late_dose_say_why(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    # What can be tapped where there is least room can be tapped everywhere.
    width, height = SIZES[-1]
    tablet = open_bedside(session, viewport={"width": width, "height": height})
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    late = sheet.get_by_role("group", name="Late because")
    tablet.tap(page.get_by_role("button", name="event"))
    expect(late).to_be_hidden()
    tablet.tap(sheet.get_by_role("button", name="−15 min"))
    tablet.tap(late.get_by_role("button", name="another patient"))
    tablet.tap(sheet.get_by_role("button", name="toilet", exact=False).first)

    expect(tablet.saved).to_contain_text("✓ saved")
    expect(tablet.first_row.locator(".late")).to_contain_text(": another patient")
    expect(tablet.first_row).to_contain_text("Toilet")

    tablet.tap(page.locator("[data-dose=up]"))
    expect(late).to_be_hidden()
    tablet.tap(sheet.locator("[data-ago=other]"))
    for digit in _clock_of(minutes_ago=12):
        tablet.tap(sheet.locator(".key", has_text=digit))
    tablet.tap(sheet.get_by_role("button", name="Use this time"))
    tablet.tap(late.get_by_role("button", name="patient first"))
    if sheet.locator(".confirm").is_disabled():
        tablet.tap(sheet.get_by_role("button", name="doctor's order"))
    tablet.tap(sheet.locator(".confirm"))
    expect(tablet.first_row.locator(".late")).to_contain_text(": patient first")
    notes = [event.text for event in server.store.session(session.id).events if event.linked_to]
    assert notes == ["entered late: another patient", "entered late: patient first"]


def test_a_tablet_with_a_wrong_clock_says_so(open_bedside: Callable[..., Tablet]) -> None:
    tablet = open_bedside()
    expect(tablet.saved).to_contain_text("Every entry is saved")
    tablet.page.evaluate(
        "() => { const right = Date.now; Date.now = () => right.call(Date) + 7 * 60000; }"
    )
    tablet.keys("70")
    tablet.save()

    expect(tablet.saved).to_contain_text("✓ saved")
    expect(tablet.saved).to_contain_text("tablet clock 7 min fast")
