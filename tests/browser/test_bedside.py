"""The bedside in a real browser: a set in few touches, large targets, no scrolling, and what is said while typing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from monitor.actions import open_session
from monitor.board import board_row
from pages.widgets.clinic_time import clinic_zone
from tests.browser.tablet import SCHEMES, Tablet, at_every_size, put_session, recolour, saved_values
from tests.server import Server

pytestmark = pytest.mark.browser


def test_a_normal_set_takes_fifteen_touches(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)

    tablet.keys("68128769714")
    tablet.score("Sedation", "1")
    tablet.score("Dissoc", "3")
    tablet.score("Nausea", "0")
    tablet.save()

    expect(tablet.saved).to_contain_text("saved")
    assert tablet.touches <= 15
    assert saved_values(server, session.id) == {
        "hr": "68",
        "sbp": "128",
        "dbp": "76",
        "spo2": "97",
        "rr": "14",
        "sedation": "1",
        "dissociation": "3",
        "nausea": "0",
    }
    for text in ("68", "128", "76", "97", "14"):
        expect(tablet.first_row).to_contain_text(text)
    expect(tablet.field("hr")).to_have_value("")


def test_everything_fits_and_can_be_hit_with_gloves(open_bedside: Callable[..., Tablet]) -> None:
    page = open_bedside(color_scheme="dark").page
    # A chart that is drawn anew stands beside the one it replaces for a moment.
    expect(page.locator(".st-key-bedside_chart .js-plotly-plot").first).to_be_visible()

    for scheme in SCHEMES:
        recolour(page, scheme)
        for size in at_every_size(page):
            found = page.evaluate(_MEASURE)
            assert found["scrolls"] == [], f"nothing scrolls at {size} in {scheme}"
            assert found["outside"] == [], f"nothing lies outside the window at {size} in {scheme}"
            assert found["small"] == [], f"everything tappable has 48 px at {size} in {scheme}"
            assert found["small_keys"] == [], f"keys have at least 72 px at {size} in {scheme}"
            assert found["unnamed"] == [], f"everything tappable has a name at {size} in {scheme}"
            assert found["covered"] == [], f"nothing covers what is tapped at {size} in {scheme}"
            assert found["keys"] == 12, f"{size} in {scheme}"
            assert found["theme"] == scheme, size


_MEASURE = """() => {
  const root = [...document.querySelectorAll('*')].map((n) => n.shadowRoot)
    .find((r) => r?.querySelector('.bedside'));
  const out = {scrolls: [], outside: [], small: [], small_keys: [], unnamed: [], covered: [], keys: 0};
  const text = (n) => n.getAttribute('aria-label') || n.textContent || n.dataset.key;
  for (const n of [document.documentElement, document.body,
                   document.querySelector('[data-testid=stMain]')]) {
    if (n.scrollHeight > innerHeight + 1 || n.scrollWidth > innerWidth + 1) out.scrolls.push(n.tagName);
  }
  for (const n of root.querySelectorAll('.bedside, .form, .state, .head, .actions, .side, .scores')) {
    if (n.scrollWidth > n.clientWidth + 1 || n.scrollHeight > n.clientHeight + 1) {
      out.scrolls.push(n.className);
    }
  }
  for (const n of root.querySelectorAll('button, input')) {
    const box = n.getBoundingClientRect();
    if (!box.width || n.disabled) continue;
    const name = text(n);
    if (!name) out.unnamed.push(n.className);
    if (box.left < 0 || box.top < 0 || box.right > innerWidth + 0.5 || box.bottom > innerHeight + 0.5) {
      out.outside.push(name);
    }
    if (n.classList.contains('key')) {
      out.keys += 1;
      if (box.width < 71.9 || box.height < 71.9) out.small_keys.push([name, box.width, box.height]);
    }
    if (box.width < 47.9 || box.height < 47.9) out.small.push([name, box.width, box.height]);
    const hit = root.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (hit !== n && !n.contains(hit)) out.covered.push([name, hit?.className]);
  }
  out.theme = root.querySelector('.bedside').dataset.theme;
  return out;
}"""


def test_a_set_is_entered_by_keyboard_alone(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    page = open_bedside(session, has_touch=False).page
    expect(page.locator("input[data-key=hr]")).to_be_focused()

    page.keyboard.type("68128769714")
    page.keyboard.type("1")
    page.keyboard.press("Tab")
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    page.keyboard.type("0")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="SAVE")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator(".saved-text")).to_contain_text("saved")
    values = saved_values(server, session.id)
    assert (values["rr"], values["sedation"], values["dissociation"], values["nausea"]) == (
        "14",
        "1",
        "3",
        "0",
    )


def test_fields_start_empty_with_the_previous_value_beside_them(
    open_bedside: Callable[..., Tablet],
) -> None:
    tablet = open_bedside()

    for key in ("hr", "sbp", "dbp", "spo2", "rr"):
        expect(tablet.field(key)).to_have_value("")
    expect(tablet.page.locator("[data-row=hr]")).to_contain_text("was 66 · 7 min")
    tablet.keys("70")
    expect(tablet.page.locator("[data-row=hr]")).to_contain_text("+4")


def test_a_missed_set_is_called_missed_as_on_the_board(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server, minutes_ago=60)
    opened = open_session(
        server.store, server.store.user("ablum"), session.id, now=datetime.now(UTC)
    )
    row = board_row(opened, {})
    assert row.due is not None
    assert row.due.state == "missed"
    since = datetime.now(UTC) + timedelta(seconds=row.due.in_s)

    tablet = open_bedside(session)

    due = tablet.page.locator(".fact.due")
    expect(due).to_contain_text("set MISSED")
    # The two clocks are read a moment apart: the minute may turn between them.
    zone = clinic_zone()
    minutes = [since + timedelta(seconds=s) for s in (-1, 0, 1)]
    words = "|".join(sorted({f"{at.astimezone(zone):%H:%M}" for at in minutes}))
    expect(due.locator(".large")).to_have_text(re.compile(f"^since ({words})$"))


def test_a_late_set_is_called_late(server: Server, open_bedside: Callable[..., Tablet]) -> None:
    session = put_session(server)
    due = open_session(
        server.store, server.store.user("ablum"), session.id, now=datetime.now(UTC)
    ).due
    assert due is not None
    # The same session so much earlier that its grace is over by half a minute.
    ahead = (due.due_at - datetime.now(UTC)).total_seconds() + due.grace_s + 30
    assert ahead > 0
    late = put_session(server, minutes_ago=ahead / 60)

    tablet = open_bedside(late)

    expect(tablet.page.locator(".fact.due")).to_contain_text("set LATE")
    expect(tablet.page.locator(".fact.due .large")).to_have_text(re.compile(r"^\+\d+:\d\d$"))


def test_a_crossed_limit_is_said_while_typing(open_bedside: Callable[..., Tablet]) -> None:
    tablet = open_bedside()
    row = tablet.page.locator("[data-row=bp]")

    tablet.tap(tablet.field("sbp"))
    tablet.keys("172")

    expect(row).to_contain_text("≥ 160")
    expect(row).to_have_attribute("data-level", "warning")


def test_impossible_is_refused_and_unusual_is_asked_once(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page = tablet.page

    tablet.keys("15")
    tablet.save()
    expect(page.get_by_role("alertdialog")).to_contain_text("not possible")
    assert saved_values(server, session.id) == {}
    tablet.tap(page.get_by_role("button", name="Change"))
    tablet.tap(tablet.field("hr"))
    tablet.keys("155")
    tablet.save()
    expect(page.get_by_role("alertdialog")).to_contain_text("unusual")
    tablet.tap(page.get_by_role("button", name="Yes, keep it"))

    expect(tablet.saved).to_contain_text("saved")
    assert saved_values(server, session.id) == {"hr": "155"}


def test_what_was_not_taken_has_a_reason(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)

    tablet.keys("70")
    tablet.tap(tablet.page.locator(".key", has_text="not taken"))
    tablet.tap(tablet.page.get_by_role("button", name="cuff off"))
    tablet.save()

    expect(tablet.saved).to_contain_text("saved")
    newest = server.store.session(session.id).current_observations[-3:]
    reasons = {item.parameter: item.not_taken for item in newest}
    assert str(reasons["sbp"]) == str(reasons["dbp"]) == "cuff_off"
    assert reasons["hr"] is None


def test_a_set_of_earlier_is_compared_with_what_was_before_it(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    row = tablet.page.locator("[data-row=hr]")
    # 7 min ago HR 66, 17 min ago HR 68.
    expect(row).to_contain_text("was 66 · 7 min")

    tablet.tap(tablet.page.get_by_role("button", name="10 minutes ago"))
    expect(row).to_contain_text("68, 7 min before")
    tablet.keys("70")
    tablet.tap(tablet.field("rr"))
    expect(row).to_contain_text("+2")
    tablet.tap(tablet.field("hr"))
    tablet.keys("120")
    tablet.save()

    expect(tablet.page.get_by_role("alertdialog")).to_contain_text(
        "52 higher than 68, 7 min before"
    )
    tablet.tap(tablet.page.get_by_role("button", name="Yes, keep it"))
    expect(tablet.saved).to_contain_text("✓ saved")
    hearts = [
        item
        for item in server.store.session(session.id).current_observations
        if item.parameter == "hr" and item.value == 120
    ]
    assert len(hearts) == 1
    assert datetime.now(UTC) - hearts[0].taken_at > timedelta(minutes=10)


def test_the_tab_says_when_the_next_set_is_due_and_where(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    tablet = open_bedside(put_session(server, fresh=True))
    expect(tablet.page).to_have_title(re.compile(r"^\d+:\d\d · CHAIR 3$"))
    late = open_bedside(put_session(server, minutes_ago=20))
    expect(late.page).to_have_title(re.compile(r"^\+\d+:\d\d · CHAIR 3$|^set MISSED · CHAIR 3$"))

    tablet.tap(tablet.page.locator(".head button").first)

    expect(tablet.page).to_have_title("Infusion session monitor")
