"""The bedside in a real browser: touches, targets, no scrolling, and entries that are never lost."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Route, expect

from monitor.actions import open_session
from monitor.board import board_row
from monitor.record import DoseStepKind
from pages.widgets.clinic_time import clinic_zone
from tests import build
from tests.browser.conftest import Complaints
from tests.browser.tablet import NO_NETWORK, Tablet, put_session, saved_values
from tests.server import ROOT, Server, running_server

pytestmark = pytest.mark.browser

SIZES = ((1280, 800), (1280, 720), (1024, 768), (1024, 690))


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_everything_fits_and_can_be_hit_with_gloves(
    open_bedside: Callable[..., Tablet], size: tuple[int, int], scheme: str
) -> None:
    tablet = open_bedside(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    expect(tablet.page.locator(".st-key-bedside_chart .js-plotly-plot")).to_be_visible(
        timeout=20_000
    )

    found = tablet.page.evaluate(_MEASURE)

    assert found["scrolls"] == [], "nothing scrolls"
    assert found["outside"] == [], "nothing lies outside the window"
    assert found["small"] == [], "everything tappable has at least 48 px"
    assert found["small_keys"] == [], "keys have at least 72 px"
    assert found["unnamed"] == [], "everything tappable has a name"
    assert found["covered"] == [], "nothing covers anything tappable"
    assert found["keys"] == 12
    assert found["theme"] == scheme


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

    expect(row).to_contain_text("≥ 160", timeout=150)
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


def test_the_next_planned_step_shows_what_it_will_do_and_takes_two_touches(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    # A set was taken a minute ago and nothing stands against the step: it is not asked about.
    session = put_session(server, fresh=True)
    tablet = open_bedside(session)
    page = tablet.page

    tablet.tap(page.locator("[data-dose=up]"))
    sheet = page.get_by_role("dialog")
    for unit in ("mg/kg/h", "mcg/kg/min", "mg/h", "mL/h"):
        expect(sheet.locator(".units")).to_contain_text(unit)
    expect(sheet).to_contain_text("Total at the planned end")
    expect(sheet).not_to_contain_text(re.compile("null|undefined"))
    expect(sheet.locator(".questions")).to_have_count(0)
    tablet.tap(sheet.locator(".confirm"))

    expect(tablet.saved).to_contain_text("saved")
    assert tablet.touches == 2
    assert server.store.session(session.id).dose_steps[-1].rate_mg_per_h == 14


def test_holding_is_one_touch_and_can_be_undone(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page = tablet.page

    tablet.tap(page.locator("[data-dose=hold]"))
    expect(page.locator(".fact.phase")).to_contain_text("PAUSED")
    assert tablet.touches == 1
    tablet.tap(page.get_by_role("button", name="undo"))

    expect(page.locator(".fact.phase")).to_contain_text("INFUSING")
    assert len(server.store.session(session.id).amendments) == 1


def test_a_side_effect_takes_two_touches(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)

    tablet.tap(tablet.page.locator("[data-effect=dizzy]"))
    tablet.tap(tablet.page.locator("[data-grade='2']"))

    expect(tablet.saved).to_contain_text("saved")
    assert tablet.touches == 2
    newest = server.store.session(session.id).side_effects[-1]
    assert (newest.term, newest.grade) == ("dizzy", 2)


def test_death_is_not_one_slip_away(server: Server, open_bedside: Callable[..., Tablet]) -> None:
    session = put_session(server)
    before = len(session.side_effects)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")

    tablet.tap(tablet.page.locator("[data-effect=dizzy]"))
    since = sheet.get_by_role("group", name="Since").bounding_box()
    boxes = [sheet.locator(f"[data-grade='{grade}']").bounding_box() for grade in (1, 3, 4)]
    assert since is not None
    mild, severe, grave = (box["y"] if box else 0 for box in boxes)
    assert since["y"] < mild <= severe < grave
    tablet.tap(sheet.locator("[data-grade='5']"))
    tablet.tap(sheet.get_by_role("button", name="Back"))
    assert len(server.store.session(session.id).side_effects) == before

    tablet.tap(tablet.page.locator("[data-effect=dizzy]"))
    tablet.tap(sheet.locator("[data-grade='4']"))
    tablet.tap(sheet.get_by_role("button", name="Save grade 4"))

    expect(tablet.saved).to_contain_text("✓ saved")
    assert server.store.session(session.id).side_effects[-1].grade == 4


def complete_it(tablet: Tablet) -> None:
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator(".closed").get_by_role("button", name="Complete the session"))
    expect(sheet).to_contain_text("The session closes")
    tablet.tap(sheet.get_by_role("button", name="Complete the session"))


def account_for_the_drug(tablet: Tablet) -> None:
    """One ampoule issued, what is left of it wasted, each witnessed."""
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    for kind in ("issued", "wasted"):
        tablet.tap(page.get_by_role("button", name="event", exact=False).last)
        tablet.tap(sheet.locator("[data-code=ledger]"))
        tablet.tap(sheet.locator(f"[data-ledger={kind}]"))
        if kind == "issued":
            tablet.tap(sheet.get_by_role("button", name="50 mg", exact=True))
            sheet.get_by_label("Batch").fill("K 4711")
            sheet.get_by_label("Expiry").fill("2099-06")
        tablet.tap(sheet.get_by_role("button", name="Next"))
        tablet.second_person(sheet)
        tablet.tap(sheet.locator(".confirm"))
        expect(tablet.saved).to_contain_text("✓ saved")
    tablet.tap(page.get_by_role("button", name="event", exact=False).last)
    tablet.tap(sheet.locator("[data-code=ledger]"))
    expect(sheet).to_contain_text("Everything is accounted for.")
    page.keyboard.press("Escape")


def test_a_session_is_discharged_and_completed_in_words_and_then_looks_finished(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server, more=[build.rate(0, -6, kind=DoseStepKind.STOP)])
    tablet = open_bedside(session)
    page = tablet.page
    sheet = page.get_by_role("dialog")
    expect(page.locator(".fact.phase")).to_contain_text("RECOVERY")

    tablet.tap(page.get_by_role("button", name="event", exact=False).last)
    tablet.tap(sheet.locator("[data-code=discharged]"))
    expect(sheet).to_contain_text("Before the patient leaves")
    assert server.store.session(session.id).events == session.events
    tablet.tap(sheet.get_by_role("button", name="The patient has left anyway"))
    tablet.tap(sheet.get_by_role("button", name="did not want to wait"))
    tablet.tap(sheet.get_by_role("button", name="Record that the patient has left"))
    expect(page.locator(".closed")).to_contain_text("discharged")
    expect(page.locator(".closed")).to_contain_text("The drug ledger is empty")
    complete = page.locator(".closed").get_by_role("button", name="Complete the session")
    expect(complete).to_be_disabled()
    account_for_the_drug(tablet)
    expect(complete).to_be_enabled()
    complete_it(tablet)

    expect(page.locator(".closed")).to_contain_text(
        "This session is completed. Corrections are still possible."
    )
    expect(page.locator(".fact.due")).to_be_hidden()
    expect(page.locator(".fact.phase .large")).to_contain_text("infusion ended")
    for name in ("dose", "effect"):
        for button in page.locator(f"[data-{name}]").all():
            expect(button).to_be_disabled()
    tablet.tap(page.locator(".closed").get_by_role("button", name="Back to the live board"))
    expect(page.get_by_role("button", name="SAVE")).to_have_count(0)


def test_after_the_end_a_forgotten_set_can_still_be_entered(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    ended = [
        build.rate(0, -6, kind=DoseStepKind.STOP),
        build.event("discharged", -3),
        build.event("completed", -2),
    ]
    session = put_session(server, more=ended)
    tablet = open_bedside(session)
    page = tablet.page

    expect(page.locator(".closed")).to_be_visible()
    tablet.tap(page.get_by_role("button", name="Enter something that was forgotten"))
    tablet.tap(page.get_by_role("dialog").get_by_role("button", name="−15 min"))
    expect(page.locator(".closed")).to_be_hidden()
    tablet.keys("15")
    tablet.save()
    expect(page.get_by_role("alertdialog")).to_contain_text("not possible")
    tablet.tap(page.get_by_role("button", name="Change"))
    tablet.tap(tablet.field("hr"))
    tablet.keys("70")
    tablet.save()

    expect(tablet.saved).to_contain_text("✓ saved")
    hearts = [
        item.value
        for item in server.store.session(session.id).current_observations
        if item.parameter == "hr"
    ]
    assert Decimal(70) in hearts


def test_a_slip_is_corrected_in_four_touches(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)

    tablet.tap(tablet.first_row.locator("[data-parameter=hr]"))
    for digit in "86":
        tablet.tap(tablet.page.get_by_role("dialog").locator(".key", has_text=digit))
    tablet.tap(tablet.page.get_by_role("dialog").get_by_role("button", name="typing slip"))

    expect(tablet.saved).to_contain_text("saved")
    expect(tablet.first_row.locator("[data-parameter=hr] b")).to_have_text("86")
    expect(tablet.first_row.locator("[data-parameter=hr] s")).to_have_text("66")
    assert tablet.touches == 4


def test_a_value_is_only_struck_out_when_that_was_said(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")

    tablet.tap(tablet.first_row.get_by_role("button", name="Details"))
    expect(sheet.get_by_role("button", name="HR 66", exact=True)).to_be_visible()
    tablet.tap(sheet.get_by_role("button", name="HR 66", exact=True))
    expect(sheet.get_by_role("button", name="typing slip")).to_have_count(0)
    tablet.tap(sheet.get_by_role("button", name="Strike out"))
    tablet.tap(sheet.get_by_role("button", name="artefact"))

    expect(tablet.saved).to_contain_text("saved")
    (amendment,) = server.store.session(session.id).amendments
    assert amendment.replacement is None
    assert amendment.reason == "artefact"


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

    expect(tablet.page.get_by_role("alertdialog")).to_contain_text("52 higher than 68 7 min before")
    tablet.tap(tablet.page.get_by_role("button", name="Yes, keep it"))
    expect(tablet.saved).to_contain_text("✓ saved")
    hearts = [
        item
        for item in server.store.session(session.id).current_observations
        if item.parameter == "hr" and item.value == 120
    ]
    assert len(hearts) == 1
    assert datetime.now(UTC) - hearts[0].taken_at > timedelta(minutes=10)


def test_without_network_it_says_not_saved_and_saves_once_when_it_is_back(
    server: Server, open_bedside: Callable[..., Tablet], complaints: Complaints
) -> None:
    complaints.expect(NO_NETWORK)
    session = put_session(server)
    tablet = open_bedside(session)
    context: BrowserContext = tablet.page.context

    context.set_offline(True)
    tablet.keys("70")
    tablet.save()
    expect(tablet.saved).to_contain_text("NOT SAVED")
    expect(tablet.saved).to_contain_text("HR 70")
    assert saved_values(server, session.id) == {}
    context.set_offline(False)

    expect(tablet.saved).to_contain_text("✓ saved", timeout=20_000)
    assert saved_values(server, session.id) == {"hr": "70"}


def test_an_answer_that_gets_lost_does_not_double_the_entry(
    server: Server, open_bedside: Callable[..., Tablet], complaints: Complaints
) -> None:
    complaints.expect(NO_NETWORK)
    session = put_session(server)
    tablet = open_bedside(session)
    lost = {"left": 2}

    def lose_answer(route: Route) -> None:
        route.fetch()
        if lost["left"]:
            lost["left"] -= 1
            route.abort()
        else:
            route.continue_()

    tablet.page.route("**/entry/*/set", lose_answer)
    tablet.keys("70")
    tablet.save()

    expect(tablet.saved).to_contain_text("✓ saved", timeout=20_000)
    hearts = [
        item for item in server.store.session(session.id).observations if item.parameter == "hr"
    ]
    assert sum(item.value == 70 for item in hearts) == 1


def test_an_unsent_entry_and_a_draft_survive_a_reload(
    server: Server, open_bedside: Callable[..., Tablet], complaints: Complaints
) -> None:
    complaints.expect(NO_NETWORK)
    session = put_session(server)
    tablet = open_bedside(session)
    page = tablet.page

    page.route("**/entry/*/set", lambda route: route.abort())
    tablet.keys("70")
    tablet.save()
    expect(tablet.saved).to_contain_text("NOT SAVED")
    tablet.keys("81")
    page.wait_for_timeout(700)
    page.unroute("**/entry/*/set")
    page.reload()

    expect(tablet.field("hr")).to_have_value("81", timeout=20_000)
    # The guard of the page may have sent it before the bedside stood there.
    expect(tablet.saved).to_contain_text("saved", timeout=20_000)
    assert saved_values(server, session.id) == {"hr": "70"}


def test_a_colleagues_entry_appears_and_disturbs_nobody(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    mine = open_bedside(session)
    theirs = open_bedside(session)
    mine.page.bring_to_front()
    mine.keys("7")
    mine.page.evaluate("window.sameInput = null")
    before = mine.field("hr").element_handle()

    theirs.keys("99")
    theirs.save()
    expect(theirs.saved).to_contain_text("saved")

    expect(mine.first_row).to_contain_text("99", timeout=20_000)
    expect(mine.field("hr")).to_have_value("7")
    expect(mine.field("hr")).to_be_focused()
    assert before is not None
    assert before.evaluate("(node) => node.isConnected"), "the input was never re-created"


def test_a_draft_on_another_tablet_can_be_taken_over(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    first = open_bedside(session)
    first.keys("81")
    first.page.wait_for_timeout(1000)

    second = open_bedside(session)
    offer = second.page.get_by_role("dialog")
    expect(offer).to_contain_text("HR 81")
    second.tap(offer.get_by_role("button", name="Take it over"))

    expect(second.field("hr")).to_have_value("81")
    expect(first.field("hr")).to_have_value("81")


def test_a_killed_server_loses_nothing_and_disturbs_nobody(
    migrated_sqlite: Path, tmp_path: Path, chromium: Browser
) -> None:
    """kill -9 under a save, typing goes on meanwhile, and the next server saves it once."""
    path = tmp_path / "monitor.db"
    shutil.copyfile(migrated_sqlite, path)
    with running_server(f"sqlite:///{path}", tmp_path) as server:
        session = put_session(server)
        context = chromium.new_context(
            base_url=server.url, viewport={"width": 1280, "height": 800}, has_touch=True
        )
        name, _sep, value = server.sign_in("nurse").partition("=")
        context.add_cookies([{"name": name, "value": value, "url": server.url}])
        page = context.new_page()
        page.goto(f"/bedside?session={session.id}")
        tablet = Tablet(page)
        expect(tablet.field("hr")).to_be_visible(timeout=20_000)
        input_before = tablet.field("hr").element_handle()

        server.process.kill()
        server.process.wait()
        tablet.keys("70")
        tablet.save()
        expect(tablet.saved).to_contain_text("NOT SAVED")
        tablet.keys("1")
        # Long enough for Streamlit's own "Connection error", which must not take the focus.
        page.wait_for_timeout(8_000)
        expect(page.get_by_text("Connection error")).to_be_hidden()
        page.keyboard.type("2")
        expect(tablet.field("hr")).to_have_value("12")
        expect(tablet.field("hr")).to_be_focused()

        with restarted(server):
            expect(tablet.saved).to_contain_text("✓ saved", timeout=30_000)
            expect(tablet.field("hr")).to_have_value("12")
            assert input_before is not None
            assert input_before.evaluate("(node) => node.isConnected")
            hearts = [
                item.value
                for item in server.store.session(session.id).observations
                if item.parameter == "hr"
            ]
            assert hearts.count(Decimal(70)) == 1
            context.close()


@contextmanager
def restarted(server: Server) -> Iterator[None]:
    """The same server again, on the same port and database."""
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "dashboard.py", f"--server.port={server.port}"],
        cwd=ROOT,
        env={**os.environ, "MONITOR_DATABASE_URL": server.database_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(15)


def test_the_lock_hides_the_patient_and_keeps_the_draft(
    server: Server, open_bedside: Callable[..., Tablet], complaints: Complaints
) -> None:
    complaints.expect(r"status of (401|403|423)|WebSocket|disconnected from server")
    tablet = open_bedside(put_session(server, name="Lindqvist"))
    page = tablet.page
    expect(page.get_by_text("LINDQVIST")).to_be_visible()

    tablet.keys("81")
    page.wait_for_timeout(700)
    tablet.tap(page.get_by_role("button", name="lock"))

    expect(page.get_by_text("LINDQVIST")).to_have_count(0, timeout=20_000)
    page.get_by_label("PIN or password").fill("2580")
    page.get_by_role("button", name="Unlock").click()
    expect(tablet.field("hr")).to_have_value("81", timeout=20_000)
