"""Nothing moves under a finger: keys and the button that saves keep their place while a sheet is open."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from monitor.record import InfusionSession
from tests import build
from tests.browser.conftest import Complaints
from tests.browser.tablet import SIZES, Tablet, at_every_size, put_session
from tests.server import Server

pytestmark = pytest.mark.browser

OpenBedside = Callable[..., Tablet]

#: The sheet of a dose keeps the height its figures once had, which depends on the width of the
#: window: one page is looked at in windows of one width.
OF_ONE_WIDTH = pytest.mark.parametrize("sizes", [SIZES[:2], SIZES[2:]], ids=["wide", "narrow"])

Sizes = tuple[tuple[int, int], ...]


def _open(
    open_bedside: OpenBedside, session: InfusionSession, sizes: Sizes
) -> tuple[Tablet, Locator]:
    width, height = sizes[0]
    tablet = open_bedside(session, viewport={"width": width, "height": height})
    return tablet, tablet.page.get_by_role("dialog")


def _boxes(tablet: Tablet, sizes: Sizes, *targets: Locator) -> dict[str, list[FloatRect | None]]:
    """Where these stand in every one of the windows, in none of which the sheet scrolls."""
    body = tablet.page.get_by_role("dialog").locator(".sheet-body")
    found = {}
    for size in at_every_size(tablet.page, sizes):
        found[size] = [node.bounding_box() for target in targets for node in target.all()]
        assert found[size], size
        assert None not in found[size], size
        assert body.evaluate("(node) => node.scrollHeight <= node.clientHeight + 1"), size
    return found


def _type(tablet: Tablet, sheet: Locator, digits: str) -> None:
    for digit in digits:
        tablet.tap(sheet.locator(".key", has_text=digit))


def test_the_keys_stay_when_the_preview_of_a_syringe_appears(
    server: Server, open_bedside: OpenBedside
) -> None:
    tablet, sheet = _open(open_bedside, put_session(server, fresh=True), SIZES)
    tablet.tap(tablet.page.locator("[data-dose=other]"))
    tablet.tap(sheet.get_by_role("button", name="New syringe"))
    keys, following = sheet.locator(".key"), sheet.get_by_role("button", name="Next")
    before = _boxes(tablet, SIZES, keys, following)
    tablet.tap(sheet.get_by_role("button", name="5 mg/mL", exact=True))
    _type(tablet, sheet, "2.4")
    expect(sheet.locator(".facts")).to_contain_text("From a syringe of 5 mg/mL")
    assert _boxes(tablet, SIZES, keys, following) == before


@OF_ONE_WIDTH
def test_pad_and_save_stay_from_a_wrong_pin_to_the_right_one(
    server: Server, open_bedside: OpenBedside, complaints: Complaints, sizes: Sizes
) -> None:
    complaints.expect("status of 422")
    tablet, sheet = _open(open_bedside, put_session(server, more=build.obs_set(-1)), sizes)
    tablet.tap(tablet.page.locator("[data-dose=bolus]"))
    _type(tablet, sheet, "5")
    expect(sheet.locator(".units")).to_contain_text("2.5 mL of 2 mg/mL")
    _boxes(tablet, sizes, sheet.get_by_role("button", name="Next"))
    tablet.tap(sheet.get_by_role("button", name="Next"))
    confirm, given = sheet.locator(".confirm"), sheet.locator(".dose-acts .choice")
    expect(given).to_be_visible()
    keys = sheet.locator(".second-pad .key")
    before = _boxes(tablet, sizes, confirm, given, keys)
    saves = {size: boxes[:2] for size, boxes in before.items()}

    tablet.tap(sheet.locator(".second-person").get_by_role("button", name="C. Diaz"))
    _type(tablet, sheet, "9999")
    tablet.tap(sheet.get_by_role("button", name="PIN ✓"))
    expect(sheet.locator(".problem")).to_contain_text("PIN")
    assert _boxes(tablet, sizes, confirm, given, keys) == before

    tablet.tap(given)
    expect(keys.first).to_be_hidden()
    assert _boxes(tablet, sizes, confirm, given) == saves
    tablet.tap(given)
    expect(keys.first).to_be_visible()
    assert _boxes(tablet, sizes, confirm, given, keys) == before

    _type(tablet, sheet, "1470")
    tablet.tap(sheet.get_by_role("button", name="PIN ✓"))
    expect(sheet.locator(".confirmed")).to_contain_text("C. Diaz")
    assert _boxes(tablet, sizes, confirm) == {size: boxes[:1] for size, boxes in before.items()}


@OF_ONE_WIDTH
def test_who_confirmed_stays_when_the_dose_was_already_given(
    server: Server, open_bedside: OpenBedside, sizes: Sizes
) -> None:
    session = put_session(server, more=[*build.obs_set(-1), build.rate("0.2", -1)])
    tablet, sheet = _open(open_bedside, session, sizes)
    tablet.tap(tablet.page.locator("[data-dose=up]"))
    expect(sheet.locator("[data-kind=hard]")).to_be_visible()
    confirm, given = sheet.locator(".confirm"), sheet.get_by_role("button", name="already given")
    before = _boxes(tablet, sizes, confirm, given)
    # What is refused all the same asks nobody for a PIN.
    expect(sheet.locator(".second-person button")).to_have_count(0)
    tablet.tap(given)
    expect(given).to_have_attribute("aria-pressed", "true")
    assert _boxes(tablet, sizes, confirm, given) == before
    tablet.second_person(sheet)
    expect(sheet.locator(".confirmed")).to_contain_text("C. Diaz has confirmed")
    assert _boxes(tablet, sizes, confirm, given) == before
    tablet.ordered_by(sheet)
    expect(confirm).to_be_enabled()
    assert _boxes(tablet, sizes, confirm, given) == before


def test_the_flow_that_an_answer_asked_for_is_not_lost_by_a_stray_tap(
    server: Server, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(put_session(server, more=build.obs_set(-2, spo2=88)))
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    tablet.tap(page.locator("[data-effect=none]"))
    expect(tablet.saved).to_contain_text("✓ saved")
    tablet.tap(page.get_by_role("button", name="Answer", exact=True))
    tablet.tap(sheet.get_by_role("button", name="oxygen given"))
    flow = sheet.get_by_role("button", name="6 L/min")
    expect(flow).to_be_visible()
    page.mouse.click(6, 790)
    expect(flow).to_be_visible()
    # A clock time on the way waits, too, and leads back to it.
    tablet.tap(sheet.locator("[data-ago=other]"))
    page.mouse.click(6, 790)
    tablet.tap(sheet.get_by_role("button", name="Back"))
    page.mouse.click(6, 790)
    expect(flow).to_be_visible()
    tablet.tap(sheet.get_by_role("button", name="Close"))
    expect(sheet).to_be_hidden()


def test_a_side_effect_with_a_drug_given_asks_which_and_links_it(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator("[data-effect=dizzy]"))
    tablet.tap(sheet.get_by_role("button", name="drug given"))
    tablet.tap(sheet.locator("[data-grade='2']"))
    about = sheet.get_by_role("button", name="Dizziness 2")
    expect(about).to_have_attribute("aria-pressed", "true")
    tablet.page.mouse.click(6, 790)
    tablet.tap(sheet.get_by_role("button", name="ondansetron"))
    expect(tablet.first_row).to_contain_text("for Dizziness")
    saved = server.store.session(session.id)
    effect = saved.side_effects[-1]
    assert (effect.term, effect.grade, effect.action) == ("dizzy", 2, "drug")
    assert saved.events[-1].linked_to == effect.id
