"""Putting an entry right in a real browser: what is refused is read beside the form, and a tapped field
is typed anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Complaints
from tests.browser.tablet import Tablet, at_every_size, put_session, saved_values
from tests.server import Server

pytestmark = pytest.mark.browser

OpenBedside = Callable[..., Tablet]

#: The fields, keys and SAVE that something lies over, by their names.
COVERED = """() => {
  const root = [...document.querySelectorAll('*')].map((n) => n.shadowRoot).find((r) => r?.querySelector('.bedside'));
  return [...root.querySelectorAll('.form button, .form input')].filter((n) => {
    const box = n.getBoundingClientRect();
    const hit = root.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return box.width && hit !== n && !n.contains(hit);
  }).map((n) => n.textContent || n.dataset.key);
}"""


def test_what_is_refused_is_read_and_put_right_at_once(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page = tablet.page
    panel = page.get_by_role("alertdialog")
    tablet.keys("15")
    tablet.save()
    expect(panel).to_contain_text("HR of 15 is not possible")
    # The field is marked and its value selected: typing replaces it, the refusal still in sight.
    expect(page.locator("[data-row=hr]")).to_have_attribute("data-level", "hard")
    expect(tablet.field("hr")).to_be_focused()
    for size in at_every_size(page):
        assert page.evaluate(COVERED) == [], size
        box = panel.bounding_box()
        assert box is not None, size
        assert box["x"] + box["width"] <= page.evaluate("innerWidth"), size
        assert box["y"] + box["height"] <= page.evaluate("innerHeight"), size
    expect(tablet.field("hr")).to_be_focused()
    # Drawn again meanwhile: a value that was judged is not half typed because its field has the focus.
    assert page.locator("[data-row=hr]").get_attribute("data-level") == "hard"
    tablet.keys("7")
    expect(tablet.field("hr")).to_have_value("7")
    expect(panel).to_contain_text("HR of 15 is not possible")
    tablet.keys("2")
    expect(tablet.field("hr")).to_have_value("72")
    expect(panel).to_be_hidden()
    tablet.save()
    expect(tablet.saved).to_contain_text("✓ saved")
    assert saved_values(server, session.id) == {"hr": "72"}


def test_another_refusal_of_the_same_field_is_said_in_its_own_words(
    open_bedside: OpenBedside,
) -> None:
    tablet = open_bedside()
    panel = tablet.page.get_by_role("alertdialog")
    tablet.keys("15")
    tablet.save()
    expect(panel).to_contain_text("HR of 15")
    # Half typed it is not judged yet; saved again it is.
    tablet.keys("19")
    expect(panel).to_contain_text("HR of 15")
    tablet.save()
    expect(panel).to_contain_text("HR of 19")
    expect(panel).not_to_contain_text("HR of 15")


def test_a_tapped_field_is_typed_anew_also_when_it_had_the_focus(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    tablet.keys("68128769714")
    for tap_twice in (False, True):
        tablet.tap(tablet.field("hr"))
        if tap_twice:
            tablet.tap(tablet.field("hr"))
        selected = tablet.field("hr").evaluate("(n) => n.selectionEnd - n.selectionStart")
        assert selected == 2
        tablet.keys("74" if tap_twice else "73")
        expect(tablet.field("hr")).to_have_value("74" if tap_twice else "73")

    # Typed half, then tapped: what stood there goes.
    tablet.tap(tablet.field("sbp"))
    tablet.keys("11")
    tablet.tap(tablet.field("sbp"))
    tablet.keys("121")
    expect(tablet.field("sbp")).to_have_value("121")
    tablet.save()
    expect(tablet.saved).to_contain_text("✓ saved")
    values = saved_values(server, session.id)
    assert (values["hr"], values["sbp"], values["dbp"]) == ("74", "121", "76")


def test_a_digit_too_many_is_refused_in_words_and_changes_nothing(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    tablet.keys("68128769714")
    # All five are full: the keypad still belongs to the last one, and a glove bounces.
    tablet.keys("4")
    expect(tablet.field("rr")).to_have_value("14")
    expect(tablet.page.locator(".hint")).to_contain_text("RR 14: no further digit fits")
    tablet.tap(tablet.field("rr"))
    tablet.keys("16")
    expect(tablet.field("rr")).to_have_value("16")
    expect(tablet.page.locator(".hint")).to_have_text("")
    tablet.save()
    expect(tablet.saved).to_contain_text("✓ saved")
    assert saved_values(server, session.id)["rr"] == "16"


def test_a_choice_in_a_sheet_keeps_the_keyboard_in_it(open_bedside: OpenBedside) -> None:
    tablet = open_bedside(has_touch=False)
    page = tablet.page
    sheet = page.get_by_role("dialog")
    page.locator("[data-effect=dizzy]").click()
    sheet.get_by_role("button", name="−5 min").press("Enter")
    expect(sheet.get_by_role("button", name="−5 min")).to_be_focused()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_a_corrected_pressure_is_held_against_the_set_it_belongs_to(
    server: Server, open_bedside: OpenBedside, complaints: Complaints
) -> None:
    complaints.expect("status of 409")  # that is how the server asks
    session = put_session(server)
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    tablet.tap(tablet.first_row.locator("[data-parameter=sbp]"))
    problem = sheet.locator(".problem").first

    for digits, words in (("76", "Diastolic 78 is not below systolic 76"), ("86", "only 8 apart")):
        sheet.get_by_role("textbox", name="SYS").fill("")
        for digit in digits:
            tablet.tap(sheet.locator(".key", has_text=digit))
        sheet.get_by_role("textbox", name="SYS").blur()
        expect(problem).to_contain_text(words)
    tablet.tap(sheet.get_by_role("button", name="typing slip"))

    # Asked, not refused: the other one may be put right next.
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text("only 8 apart")
    tablet.tap(asked.get_by_role("button", name="Yes, keep it"))
    expect(tablet.saved).to_contain_text("✓ saved")
    assert [
        str(item.value)
        for item in server.store.session(session.id).current_observations
        if item.parameter == "sbp"
    ][-1] == "86"
