"""The bar at the bottom in a real browser: no button ever moves under a finger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from monitor.record import DoseStepKind
from tests import build
from tests.browser.tablet import Tablet, at_every_size, put_session, put_waiting
from tests.server import Server

pytestmark = pytest.mark.browser

PLACES = """() => {
  const root = [...document.querySelectorAll('*')].map((n) => n.shadowRoot).find((r) => r?.querySelector('.bedside'));
  return Object.fromEntries([...root.querySelectorAll('.actions button')].map((n) => {
    const {x, y, width, height} = n.getBoundingClientRect();
    return [n.dataset.dose ?? n.dataset.effect ?? n.className, [x, y, width, height].map(Math.round)];
  }));
}"""
#: The chart ends where the strip below it begins, also when that has just grown.
CHART_IN_ITS_HOLE = """() => {
  const root = [...document.querySelectorAll('*')].map((n) => n.shadowRoot).find((r) => r?.querySelector('.bedside'));
  const hole = root.querySelector('.hole').getBoundingClientRect();
  const svg = document.querySelector('.st-key-bedside_chart .main-svg')?.getBoundingClientRect();
  return svg && Math.abs(svg.bottom - hole.bottom) <= 2 && hole.height < 470;
}"""
#: What is wider or higher than its button.
CUT_OFF = """() => {
  const root = [...document.querySelectorAll('*')].map((n) => n.shadowRoot).find((r) => r?.querySelector('.bedside'));
  return [...root.querySelectorAll('.actions button, .stage button')].filter((n) => n.offsetWidth
    && (n.scrollWidth > n.clientWidth + 1 || n.scrollHeight > n.clientHeight + 1)).map((n) => n.textContent);
}"""


def test_no_button_of_the_bar_moves_whatever_the_session_does(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    running = put_session(server)
    tablet = open_bedside(running)
    page = tablet.page
    places = {size: page.evaluate(PLACES) for size in at_every_size(page)}
    for size, of_buttons in places.items():
        large = {place[2] >= 48 and place[3] >= 48 for place in of_buttons.values()}
        assert large == {True}, size

    def stand_still(page: Page, until: str = "() => true") -> None:
        for size in at_every_size(page):
            page.wait_for_function(until)
            assert page.evaluate(PLACES) == places[size], size
            assert page.evaluate(CUT_OFF) == [], size

    stand_still(page)
    tablet.tap(page.locator("[data-dose=hold]"))
    expect(page.locator(".fact.phase")).to_contain_text("PAUSED")
    expect(page.locator("[data-dose=up]")).to_contain_text("resume")
    expect(page.locator("[data-dose=hold]")).to_be_disabled()
    stand_still(page)
    tablet.tap(page.locator("[data-effect=none]"))
    expect(tablet.saved).to_contain_text("✓ saved")
    stand_still(page)
    tablet.tap(page.locator("[data-dose=stop]"))
    expect(page.locator(".fact.phase")).to_contain_text("RECOVERY")
    expect(page.locator("[data-leaving=discharge]")).to_be_visible()
    for name in ("up", "down", "hold", "stop"):
        expect(page.locator(f"[data-dose={name}]")).to_be_disabled()
    stand_still(page, CHART_IN_ITS_HOLE)

    waiting = open_bedside(put_waiting(server)).page
    expect(waiting.locator(".gate")).to_be_visible()
    stand_still(waiting)
    over = [build.rate(0, -6, kind=DoseStepKind.STOP), build.event("discharged", -3)]
    stand_still(open_bedside(put_session(server, more=over)).page)


def test_an_answered_alert_leaves_its_buttons_where_they_are(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    high = build.obs_set(-2, sbp=172, dbp=94)
    tablet = open_bedside(put_session(server, more=high))
    page = tablet.page
    answer = page.get_by_role("button", name="Answer", exact=True)
    before = [
        answer.bounding_box(),
        page.get_by_role("button", name="Recheck", exact=True).bounding_box(),
    ]
    tablet.tap(answer)
    tablet.tap(page.get_by_role("dialog").get_by_role("button", name="observed only"))
    expect(answer).to_be_disabled()
    after = [
        answer.bounding_box(),
        page.get_by_role("button", name="Recheck", exact=True).bounding_box(),
    ]
    assert after == before
