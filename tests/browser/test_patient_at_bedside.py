"""Another weight and a new allergy at the bedside, in a real browser: few taps, said before saved."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.tablet import Tablet, put_session, put_waiting
from tests.browser.test_leaving import measure
from tests.server import Server

pytestmark = pytest.mark.browser

OpenBedside = Callable[..., Tablet]


def sheet(page: Page) -> Locator:
    return page.get_by_role("dialog")


def type_weight(tablet: Tablet, digits: str) -> None:
    for digit in digits:
        tablet.tap(sheet(tablet.page).locator(".keypad .key", has_text=digit))


def test_a_weight_while_the_drug_runs_says_what_it_does_before_it_is_saved(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page = tablet.page
    expect(page.locator(".head .weight")).to_have_text("70 kg")

    tablet.tap(page.locator(".head .weight"))
    expect(sheet(page)).to_contain_text("70 kg, actual weight, measured")
    measure(page, "weight")
    type_weight(tablet, "80")
    following = sheet(page).get_by_role("button", name="Next")
    expect(following).to_be_disabled()
    tablet.tap(sheet(page).get_by_role("button", name="measured", exact=True))
    tablet.tap(following)

    expect(sheet(page)).to_contain_text("The pump goes on at 10.5 mg/h: that is now 0.131 mg/kg/h")
    expect(sheet(page)).to_contain_text("was 0.15 mg/kg/h")
    expect(sheet(page).locator(".questions")).to_contain_text("differs by more than 10 %")
    measure(page, "weighed")
    save = sheet(page).locator(".confirm")
    expect(save).to_be_disabled()
    assert server.store.session(session.id).weight_kg == 70
    tablet.tap(sheet(page).get_by_role("button", name="weighed again"))
    tablet.tap(save)

    expect(page.locator(".head .weight")).to_have_text("80 kg")
    expect(page.locator(".fact.rate")).to_contain_text("10.5 mg/h")
    expect(page.locator(".fact.rate")).to_contain_text("0.131 mg/kg/h")
    expect(tablet.first_row).to_contain_text("Weight 80 kg, measured: weighed again")
    saved = server.store.session(session.id).weights[-1]
    assert (saved.weight_kg, saved.reason) == (80, "weighed again")

    tablet.tap(page.locator(".saved .undo"))
    expect(page.locator(".head .weight")).to_have_text("70 kg")
    expect(tablet.first_row.locator("s")).to_contain_text("Weight 80 kg")


def test_an_allergy_is_in_the_banner_after_three_taps(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page = tablet.page
    banner = page.locator(".head .allergy")
    expect(banner).to_have_text("ALLERGY penicillin")

    before = tablet.touches
    tablet.tap(banner)
    field = sheet(page).get_by_role("textbox", name="New allergy")
    expect(field).to_be_focused()
    page.keyboard.type("latex: rash")
    tablet.tap(sheet(page).get_by_role("button", name="reaction seen now"))
    measure(page, "allergy")
    tablet.tap(sheet(page).get_by_role("button", name="Add the allergy"))
    assert tablet.touches - before == 3

    expect(banner).to_have_text("ALLERGY penicillin; latex: rash")
    patient = server.store.session(session.id).patient
    assert patient.allergies == "penicillin; latex: rash"
    [change] = server.store.patient_changes(patient.id)
    assert (change.reason, change.recorded_by) == ("reaction seen now", "ablum")


def test_the_gate_leads_to_the_weight(server: Server, open_bedside: OpenBedside) -> None:
    session = put_waiting(server)
    tablet = open_bedside(session)
    page = tablet.page
    tablet.tap(page.locator(".head .weight"))
    type_weight(tablet, "75")
    tablet.tap(sheet(page).get_by_role("button", name="measured", exact=True))
    tablet.tap(sheet(page).get_by_role("button", name="Next"))
    expect(sheet(page)).to_contain_text("The start at 0.1 mg/kg/h is 7.5 mg/h, was 7 mg/h.")
    tablet.tap(sheet(page).locator(".confirm"))
    expect(page.locator(".head .weight")).to_have_text("75 kg")
    expect(page.locator("[data-dose=up]")).to_contain_text("start 0.1")
    assert server.store.session(session.id).weights[-1].height_cm == 175


def test_a_weight_is_typed_in_pounds_with_one_touch_more(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page = tablet.page
    tablet.tap(page.locator(".head .weight"))
    tablet.tap(sheet(page).get_by_role("button", name="another unit"))
    for digit in "154":
        tablet.tap(sheet(page).locator(".key", has_text=digit))
    tablet.tap(sheet(page).get_by_role("button", name="measured"))
    tablet.tap(sheet(page).get_by_role("button", name="Next"))
    expect(sheet(page)).to_contain_text("Weight 69.9 kg (154 lb), measured")
    tablet.tap(sheet(page).get_by_role("button", name="weighed again"))
    tablet.tap(sheet(page).locator(".confirm"))

    expect(page.locator(".head .weight")).to_have_text("69.9 kg")
    assert server.store.session(session.id).weights[-1].typed == "154 lb"
