"""The tone of a tablet: off until somebody switches it on, once for what is new, and nothing flashes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from monitor.record import InfusionSession
from tests import build
from tests.browser.conftest import BrowserPage
from tests.browser.tablet import Tablet, add_facts, put_session
from tests.server import Server

pytestmark = pytest.mark.browser

#: In place of the browser's own: when each tone was to begin.
_SPY = """
window.tones = [];
window.contexts = 0;
window.AudioContext = class {
  constructor() { contexts += 1; this.state = "suspended"; this.currentTime = 0; this.destination = {}; }
  resume() { this.state = "running"; return Promise.resolve(); }
  close() { return Promise.resolve(); }
  createOscillator() {
    return { frequency: {}, connect: (node) => node, start: (at) => tones.push(at), stop() {} };
  }
  createGain() {
    return { gain: { setValueAtTime() {}, linearRampToValueAtTime() {} }, connect: (node) => node };
  }
};
"""

Listening = Callable[[InfusionSession], Tablet]


@pytest.fixture
def listening(new_context: Callable[..., BrowserContext]) -> Listening:
    """A tablet at the bedside of a session whose tones are counted."""

    def make(session: InfusionSession) -> Tablet:
        context = new_context("nurse", once=True, has_touch=True)
        context.add_init_script(_SPY)
        page = context.new_page()
        page.goto(f"/bedside?session={session.id}")
        expect(page.get_by_role("button", name="SAVE")).to_be_visible()
        return Tablet(page)

    return make


def sounded(page: Page) -> int:
    """How many tones since it was asked last."""
    return int(page.evaluate("tones.splice(0).length"))


def switch(tablet: Tablet, name: str) -> None:
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    tablet.tap(page.get_by_role("button", name="What was recorded last"))
    tablet.tap(sheet.locator("[data-code=tone]"))
    expect(sheet).to_contain_text(
        "This tone is no alarm: it may fail to sound - sleeping tablet, closed page, muted device. "
        "The bedside monitor is the alarm."
    )
    tablet.tap(sheet.get_by_role("button", name=name))
    tablet.tap(sheet.get_by_role("button", name="Close"))


def flow(litres: int) -> Any:
    """Oxygen that was not there before: a warning by one reading."""
    return build.observations("o2_flow", litres, start=0)


def test_nothing_sounds_until_it_is_switched_on_and_nothing_after_it_is_off(
    server: Server, listening: Listening
) -> None:
    session = put_session(server, fresh=True)
    tablet = listening(session)
    page, card = tablet.page, tablet.page.locator(".state .alert")
    add_facts(server, session, flow(2))
    expect(card).to_contain_text("since")
    assert page.evaluate("contexts") == 0, "whoever did not ask for it has no sound at all"

    switch(tablet, "Switch the tone on")
    assert sounded(page) == 1, "what it sounds like is heard when it is switched on"
    expect(page.get_by_role("button", name="the tone is on")).to_be_visible()
    switch(tablet, "Switch the tone off")
    add_facts(server, session, build.obs_set(0, spo2=87))
    expect(card).to_contain_text("87 ≤ 89")
    assert sounded(page) == 0


def test_what_is_new_sounds_once_and_what_is_old_never(
    server: Server, listening: Listening
) -> None:
    session = put_session(server, fresh=True)
    tablet = listening(session)
    page, card = tablet.page, tablet.page.locator(".state .alert")
    switch(tablet, "Switch the tone on")
    sounded(page)

    add_facts(server, session, build.obs_set(0, sbp=172, dbp=94, sedation=1))
    expect(card).to_contain_text("recheck")
    assert sounded(page) == 0, "a reading that waits for its repeat is not active"
    add_facts(server, session, flow(2))
    expect(card).to_contain_text("1 more")
    assert sounded(page) == 1, "a warning is one tone"
    add_facts(server, session, build.obs_set(0, spo2=87, sbp=172, dbp=94, sedation=1))
    expect(card).to_contain_text("87 ≤ 89")
    assert sounded(page) == 2, "a critical alert is two"

    with page.expect_response("**/state"):
        pass  # what was told is told again by the next answer of the server
    assert sounded(page) == 0

    page.reload()
    expect(card).to_contain_text("87 ≤ 89")
    tablet.tap(tablet.field("hr"))
    assert sounded(page) == 0, "what was there when the page was opened is old"
    add_facts(server, session, build.obs_set(0, rr=7, spo2=87, sbp=172, dbp=94, sedation=1))
    expect(card).to_contain_text("3 more")
    assert sounded(page) == 2, "the tablet remembers that it is on"


def test_a_hidden_alert_is_silent(server: Server, listening: Listening) -> None:
    session = put_session(server, more=build.obs_set(-1, sbp=205, dbp=90, sedation=1))
    tablet = listening(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    card = page.locator(".state .alert")
    switch(tablet, "Switch the tone on")
    sounded(page)
    tablet.tap(card.get_by_role("button", name="Answer", exact=True))
    tablet.tap(sheet.get_by_role("button", name="Hide the banner"))
    tablet.tap(sheet.get_by_role("button", name="repeat is running"))
    expect(card).to_contain_text("hidden until")
    with page.expect_response("**/state"):
        pass
    assert sounded(page) == 0


def test_a_set_that_becomes_late_sounds_once(server: Server, listening: Listening) -> None:
    tablet = listening(put_session(server, fresh=True))
    page = tablet.page
    due = page.locator(".fact.due")
    expect(due).to_have_attribute("data-state", "upcoming")
    switch(tablet, "Switch the tone on")
    sounded(page)

    def late(route: Route) -> None:
        answer = route.fetch()
        content = answer.json()
        state = content["state"]
        midnight = datetime.fromisoformat(state["now"]).replace(minute=0, second=0, microsecond=0)
        state["next_due"] |= {
            "due_at": (midnight - timedelta(hours=1)).isoformat(),
            "missed_at": (midnight + timedelta(hours=3)).isoformat(),
        }
        route.fulfill(response=answer, json=content)

    page.route("**/entry/*/state", late)
    expect(due).to_have_attribute("data-state", "late")
    with page.expect_response("**/state"):
        pass
    assert sounded(page) == 1


def test_nothing_flashes(server: Server, browser_page: BrowserPage) -> None:
    """WCAG 2.3.1 and clinical.md 7.1: an alert stands still, whatever the person prefers."""
    session = put_session(
        server, name="Still", more=build.obs_set(-3, spo2=80, sbp=205, dbp=90, sedation=1)
    )
    moving = """root => [root, ...root.querySelectorAll("*")].filter((node) => {
      const style = getComputedStyle(node);
      return style.animationName !== "none" || style.textDecorationLine.includes("blink");
    }).map((node) => node.className)"""
    page = browser_page("nurse", f"/bedside?session={session.id}")
    expect(page.locator(".state .alert")).to_be_visible()
    board = browser_page("anaesthetist", "/board")
    expect(board.get_by_role("listitem").filter(has_text="STILL")).to_contain_text("◆")
    banner = board.get_by_role("alert").filter(has_text="STILL")
    expect(banner).to_be_visible()
    motions: tuple[Literal["no-preference", "reduce"], ...] = ("no-preference", "reduce")
    for motion in motions:
        page.emulate_media(reduced_motion=motion)
        assert page.locator(".bedside").evaluate(moving) == [], motion
        board.emulate_media(reduced_motion=motion)
        assert board.locator(".board").evaluate(moving) == [], motion
        assert banner.evaluate(moving) == [], motion
