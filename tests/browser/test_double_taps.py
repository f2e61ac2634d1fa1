"""Two taps where one was meant: every button that saves makes one entry, and no tap is swallowed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.sync_api import expect

from monitor.record import InfusionSession
from tests.browser.tablet import Tablet, put_session, saved_values
from tests.server import Server

pytestmark = pytest.mark.browser

OpenBedside = Callable[..., Tablet]


def settled(server: Server, tablet: Tablet, session_id: UUID) -> InfusionSession:
    """The record once every tap was answered: a marker is saved behind whatever was tapped."""
    expect(tablet.saved).to_contain_text("✓ saved")
    tablet.page.keyboard.press("Escape")
    tablet.field("hr").tap()
    tablet.keys("71")
    tablet.save()
    row = tablet.page.locator(".row.set [data-parameter=hr] b")
    expect(row.first).to_have_text("71")
    return server.store.session(session_id)


@pytest.fixture
def session(server: Server) -> InfusionSession:
    return put_session(server)


def test_hold_whose_label_changes_under_the_finger(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(session)
    tablet.double_tap(tablet.page.locator("[data-dose=hold]"))
    expect(tablet.page.locator(".fact.phase")).to_contain_text("PAUSED")
    steps = settled(server, tablet, session.id).dose_steps
    assert [step.kind.value for step in steps] == ["rate", "rate", "hold"]


def test_the_next_step_opens_once_and_is_confirmed_once(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.double_tap(tablet.page.locator("[data-dose=up]"))
    # The second half fell on the backdrop that opened under it, and did not close it again.
    confirm = sheet.locator(".confirm")
    expect(confirm).to_be_visible()
    if confirm.is_disabled():
        sheet.get_by_role("button", name="doctor's order").tap()
    tablet.double_tap(confirm)
    expect(sheet).to_be_hidden()
    assert len(settled(server, tablet, session.id).dose_steps) == len(session.dose_steps) + 1


def test_a_bolus_is_given_once(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator("[data-dose=bolus]"))
    tablet.tap(sheet.locator(".key", has_text="5"))
    tablet.double_tap(sheet.get_by_role("button", name="Next"))
    confirm = sheet.locator(".confirm")
    expect(confirm).to_be_visible()
    sheet.get_by_role("button", name="doctor's order").tap()
    tablet.second_person(sheet, "Dr M. Keller", "3690")
    tablet.double_tap(confirm)
    assert len(settled(server, tablet, session.id).boluses) == 1


def test_a_correction_is_made_once(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.double_tap(tablet.first_row.locator("[data-parameter=hr]"))
    for digit in "86":
        tablet.tap(sheet.locator(".key", has_text=digit))
    tablet.double_tap(sheet.get_by_role("button", name="typing slip"))
    assert len(settled(server, tablet, session.id).amendments) == 1


def test_an_alert_is_answered_once(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(session)
    page = tablet.page
    tablet.field("sbp").tap()
    tablet.keys("16892")
    tablet.save()
    ask = page.locator(".ask:not([hidden])")
    expect(ask.or_(tablet.saved.filter(has_text="✓ saved")).first).to_be_visible()
    if ask.is_visible():
        ask.get_by_role("button").first.tap()
    expect(page.locator(".alert-card")).to_contain_text("168")
    tablet.double_tap(page.get_by_role("button", name="Answer", exact=True))
    tablet.double_tap(page.get_by_role("dialog").get_by_role("button", name="observed only"))
    settled(server, tablet, session.id)
    answers = [item for item in server.store.alerts(session.id)[1] if item.action == "observe"]
    assert len(answers) == 1


def test_an_event_of_the_sheet_is_recorded_once(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.double_tap(tablet.page.get_by_role("button", name="event ▾"))
    # This one lies over the keypad: what is uncovered under the finger takes no digit.
    tablet.double_tap(sheet.locator("[data-code=doctor_called]"))
    expect(sheet).to_be_hidden()
    expect(tablet.field("hr")).to_have_value("")
    kinds = [event.kind for event in settled(server, tablet, session.id).events]
    assert kinds.count("doctor_called") == 1


def test_what_opens_under_the_finger_is_not_chosen(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    """ "drug given" opens a list of drugs where it lay itself."""
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.get_by_role("button", name="event ▾"))
    for code in ("drug", "oxygen", "premedication", "second_check"):
        tablet.double_tap(sheet.locator(f"[data-code={code}]"))
        expect(sheet.locator("input.big" if code == "oxygen" else "input.search")).to_be_visible()
        expect(sheet).to_be_visible()
        sheet.get_by_role("button", name="Close").tap()
        tablet.tap(tablet.page.get_by_role("button", name="event ▾"))
    sheet.get_by_role("button", name="Close").tap()
    tablet.keys("71")
    tablet.save()
    assert settled(server, tablet, session.id).events == session.events


def test_save_saves_once_and_says_nothing_of_an_empty_form(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(session)
    tablet.keys("70")
    tablet.double_tap(tablet.page.get_by_role("button", name="SAVE"))
    expect(tablet.saved).to_contain_text("✓ saved")
    expect(tablet.page.get_by_text("Nothing is entered yet.")).to_have_count(0)
    since = datetime.now(UTC) - timedelta(minutes=5)
    taken = server.store.session(session.id).current_observations
    assert [str(item.value) for item in taken if item.taken_at > since] == ["70"]


def test_keys_are_meant_to_be_tapped_twice(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(session)
    tablet.double_tap(tablet.page.locator(".form .key", has_text="6"))
    expect(tablet.field("hr")).to_have_value("66")
    tablet.field("hr").tap()
    tablet.keys("12")
    tablet.double_tap(tablet.page.get_by_role("button", name="Erase"))
    expect(tablet.field("hr")).to_have_value("")


#: A click as a finger makes it, on each of the buttons, all within one millisecond or so.
TAP_AT_ONCE = """(names) => {
  const root = [...document.querySelectorAll('*')].map((n) => n.shadowRoot)
    .find((r) => r?.querySelector('.bedside'));
  for (const name of names) {
    const box = root.querySelector(name).getBoundingClientRect();
    const [clientX, clientY] = [box.left + box.width / 2, box.top + box.height / 2];
    root.elementFromPoint(clientX, clientY).dispatchEvent(new MouseEvent('click',
      { bubbles: true, composed: true, cancelable: true, detail: 1, clientX, clientY }));
  }
}"""


def test_quick_taps_on_different_buttons_all_count(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(session)
    tablet.page.evaluate(
        TAP_AT_ONCE,
        ["[data-effect=nausea]", "[data-grade='1']", "[data-effect=none]", "[data-dose=up]"],
    )
    expect(tablet.page.get_by_role("dialog").locator(".confirm")).to_be_visible()
    effects = settled(server, tablet, session.id).side_effects
    assert len(effects) == len(session.side_effects) + 2


def test_a_key_held_down_or_pressed_twice_confirms_nothing_unseen(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(session, has_touch=False)
    page = tablet.page
    page.keyboard.type("155")
    page.get_by_role("button", name="SAVE").focus()
    page.keyboard.down("Enter")
    for _repeat in range(5):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    expect(page.get_by_role("alertdialog")).to_contain_text("unusual")
    page.get_by_role("button", name="Yes, keep it").press("ArrowDown")
    page.keyboard.press("Enter")
    expect(tablet.saved).to_contain_text("✓ saved")
    assert saved_values(server, session.id) == {"hr": "155"}
