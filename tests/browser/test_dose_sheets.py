"""The sheets of the dose: a syringe shown before any PIN, doses done earlier, how long a bolus takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, expect

from monitor.record import DoseStepKind
from tests.browser.tablet import Tablet, at_every_size, put_session
from tests.server import Server

pytestmark = pytest.mark.browser

OpenBedside = Callable[..., Tablet]


def _ago(at: datetime) -> timedelta:
    return datetime.now(UTC) - at


def _type(tablet: Tablet, sheet: Locator, digits: str) -> None:
    for digit in digits:
        tablet.tap(sheet.locator(".key", has_text=digit))


def test_a_bolus_over_twenty_minutes_that_began_ten_minutes_ago(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = put_session(server, fresh=True)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator("[data-dose=bolus]"))
    _type(tablet, sheet, "7")
    tablet.tap(sheet.get_by_role("button", name="over 20 min"))
    expect(sheet.locator(".facts")).to_contain_text("Total at the planned end")
    tablet.tap(sheet.get_by_role("button", name="Next"))
    tablet.tap(sheet.get_by_role("button", name="−10 min"))
    tablet.tap(sheet.get_by_role("button", name="doctor's order"))
    tablet.second_person(sheet, "Dr M. Keller", "3690")
    tablet.tap(sheet.locator(".confirm"))
    expect(sheet).to_be_hidden()
    expect(tablet.saved).to_contain_text("saved")
    (given,) = server.store.session(session.id).boluses
    assert given.over_s == 1200
    assert timedelta(minutes=10) <= _ago(given.taken_at) < timedelta(minutes=11)


def test_a_bolus_over_any_number_of_minutes(server: Server, open_bedside: OpenBedside) -> None:
    tablet = open_bedside(put_session(server, fresh=True))
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator("[data-dose=bolus]"))
    _type(tablet, sheet, "7")
    tablet.tap(sheet.locator("input.minutes"))
    _type(tablet, sheet, "12")
    tablet.tap(sheet.get_by_role("button", name="Next"))
    expect(sheet.get_by_role("heading", name="Bolus 7 mg over 12 min")).to_be_visible()


def test_a_hold_that_was_done_five_minutes_ago(server: Server, open_bedside: OpenBedside) -> None:
    session = put_session(server, fresh=True)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator("[data-dose=other]"))
    tablet.tap(sheet.get_by_role("button", name="Held or stopped earlier"))
    tablet.tap(sheet.get_by_role("button", name="Infusion held"))
    expect(tablet.page.locator(".fact.phase")).to_contain_text("PAUSED")
    held = server.store.session(session.id).dose_steps[-1]
    assert held.kind is DoseStepKind.HOLD
    assert timedelta(minutes=5) <= _ago(held.taken_at) < timedelta(minutes=6)


def test_a_planned_step_at_a_clock_time(server: Server, open_bedside: OpenBedside) -> None:
    session = put_session(server, fresh=True)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator("[data-dose=up]"))
    tablet.tap(sheet.locator("[data-ago=other]"))
    zone = server.store.zone
    done_at = (datetime.now(UTC) - timedelta(minutes=3)).astimezone(zone).replace(second=0)
    _type(tablet, sheet, f"{done_at:%H%M}")
    tablet.tap(sheet.get_by_role("button", name="Use"))
    # The sheet of the dose is back, with the time on its chip.
    expect(sheet.locator("[data-ago=other]")).to_have_text(f"{done_at:%H:%M}")
    expect(sheet.locator(".units")).to_contain_text("0.2 mg/kg/h")
    tablet.tap(sheet.locator(".confirm"))
    expect(tablet.saved).to_contain_text("saved")
    raised = server.store.session(session.id).dose_steps[-1]
    assert timedelta(minutes=2) < _ago(raised.taken_at) < timedelta(minutes=5)


def test_a_syringe_is_shown_in_four_units_before_any_pin(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = put_session(server, fresh=True)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator("[data-dose=other]"))
    tablet.tap(sheet.get_by_role("button", name="New syringe"))
    tablet.tap(sheet.get_by_role("button", name="5 mg/mL", exact=True))
    _type(tablet, sheet, "2.1")
    for words in ("0.15 mg/kg/h", "2.5 mcg/kg/min", "10.5 mg/h", "2.1 mL/h"):
        expect(sheet.locator(".units")).to_contain_text(words)
    tablet.tap(sheet.get_by_role("button", name="Next"))
    expect(sheet.locator(".second-person")).to_be_visible()
    # Everything stands on one screen, the button that saves too.
    expect(sheet.locator(".confirm")).to_be_in_viewport(ratio=1)
    expect(sheet.locator(".units")).to_contain_text("10.5 mg/h")
    tablet.second_person(sheet)
    tablet.tap(sheet.locator(".confirm"))
    expect(tablet.saved).to_contain_text("saved")
    saved = server.store.session(session.id)
    assert saved.syringe_changes[-1].concentration_mg_per_ml == 5
    assert saved.dose_steps[-1].rate_mg_per_h * 2 == 21


def test_a_limit_for_one_patient_is_approved_at_the_bedside(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = put_session(server, fresh=True)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator("[data-dose=other]"))
    tablet.tap(sheet.locator("[data-code=patient-limit]"))
    _type(tablet, sheet, "12")
    tablet.tap(sheet.get_by_role("button", name="Next"))
    tablet.tap(sheet.get_by_role("button", name="doctor's order"))
    tablet.second_person(sheet, "Dr M. Keller", "3690")
    tablet.tap(sheet.locator(".confirm"))
    expect(tablet.page.locator(".fact.rate")).to_contain_text("max 12 mg/h")
    (limit,) = server.store.session(session.id).patient_dose_limits
    assert limit.value == 12
    # The next planned step, 14 mg/h, is refused now.
    tablet.tap(tablet.page.locator("[data-dose=up]"))
    expect(sheet.locator("[data-kind=hard]")).to_contain_text("the limit for this patient")


def test_a_new_syringe_is_one_tap_from_the_strength_it_replaces(
    open_bedside: Callable[..., Tablet],
) -> None:
    tablet = open_bedside()
    strength = tablet.page.get_by_role("button", name="new syringe or bag")
    for size in at_every_size(tablet.page):
        box = strength.bounding_box()
        assert box is not None, size
        assert box["height"] >= 48, size
    expect(strength).to_contain_text("2 mg/mL")

    tablet.tap(strength)

    expect(tablet.page.get_by_role("dialog")).to_contain_text("New syringe or bag")
    assert tablet.touches == 1
