"""Doses, side effects and corrections at the bedside in a real browser, each in a few touches."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import build
from tests.browser.tablet import Tablet, put_session
from tests.server import Server

pytestmark = pytest.mark.browser


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

    expect(tablet.saved).to_contain_text("✓ saved")
    assert tablet.touches == 2
    assert server.store.session(session.id).dose_steps[-1].rate_mg_per_h == 14


def test_a_step_that_comes_too_early_asks_why_and_who_ordered_it(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server, more=[build.rate("0.2", -1)])
    tablet = open_bedside(session)
    page = tablet.page
    sheet = page.get_by_role("dialog")
    confirm = sheet.locator(".confirm")

    tablet.tap(page.locator("[data-dose=up]"))
    expect(sheet.locator(".questions")).to_contain_text("raised 1 min ago")
    expect(confirm).to_be_disabled()
    tablet.tap(sheet.get_by_role("button", name="already given"))
    tablet.tap(sheet.get_by_role("button", name="not enough effect"))
    expect(sheet.locator(".still-missing")).to_have_text("Choose who ordered it.")
    expect(confirm).to_be_disabled()
    tablet.ordered_by(sheet)
    if sheet.locator(".second-person").is_visible():
        tablet.second_person(sheet)
    tablet.tap(confirm)

    expect(tablet.saved).to_contain_text("✓ saved")
    step = server.store.session(session.id).dose_steps[-1]
    assert (step.reason, step.ordered_by) == ("not enough effect", "mkeller")
    assert any(code.startswith("step_interval.hard") for code in step.overrides)


def test_a_step_that_nobody_ordered_says_so(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server, more=[build.rate("0.2", -1)])
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator("[data-dose=up]"))
    for name in ("already given", "tolerated well", "nobody: own decision"):
        tablet.tap(sheet.get_by_role("button", name=name))
    tablet.tap(sheet.locator(".confirm"))
    expect(tablet.saved).to_contain_text("✓ saved")
    step = server.store.session(session.id).dose_steps[-1]
    assert step.ordered_by is None
    assert "ordered_by.nobody" in step.overrides


def test_the_chart_beside_the_form_calls_people_by_name(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    tablet = open_bedside(put_session(server))
    # The node stands before what is drawn in it, and another one may take its place.
    drawn = tablet.page.wait_for_function(
        """() => {
          const plot = document.querySelector(".st-key-bedside_chart .js-plotly-plot");
          return plot && plot.data && JSON.stringify(plot.data);
        }"""
    ).json_value()
    assert "A. Blum" in drawn
    assert "ablum" not in drawn


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
    # Nobody dies of dizziness by one tap: that grade stands behind another one.
    expect(sheet.locator("[data-grade='5']")).to_be_hidden()
    tablet.tap(sheet.get_by_role("button", name="another grade…"))
    tablet.tap(sheet.locator("[data-grade='5']"))
    tablet.tap(sheet.get_by_role("button", name="Back"))
    assert len(server.store.session(session.id).side_effects) == before

    tablet.tap(tablet.page.locator("[data-effect=dizzy]"))
    tablet.tap(sheet.locator("[data-grade='4']"))
    tablet.tap(sheet.get_by_role("button", name="Save grade 4"))

    expect(tablet.saved).to_contain_text("✓ saved")
    assert server.store.session(session.id).side_effects[-1].grade == 4


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
