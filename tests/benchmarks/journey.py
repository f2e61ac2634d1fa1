"""Touches for what a nurse does most, counted by a browser that taps as a person would."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.benchmarks.browser import chromium, our_server, signed_in
from tests.benchmarks.report import Figure
from tests.browser.tablet import Tablet, put_session
from tests.server import Server

_GOALS = {"touches_set": "15", "touches_step": "3", "touches_effect": "2", "touches_amend": "4"}


def _open(page: Page, server: Server) -> Tablet:
    page.goto(f"/bedside?session={put_session(server).id}")
    expect(page.get_by_role("button", name="SAVE")).to_be_visible(timeout=30_000)
    return Tablet(page)


def normal_set(tablet: Tablet) -> None:
    """HR 68, BP 128/76, SpO2 97, RR 14, sedation 1, dissociation 3, nausea 0."""
    tablet.keys("68128769714")
    tablet.score("Sedation", "1")
    tablet.score("Dissoc", "3")
    tablet.score("Nausea", "0")
    tablet.save()


def worst_set(tablet: Tablet) -> None:
    """HR 104, BP 172/104, SpO2 100, RR 8, pain 6 beside the scores."""
    page = tablet.page
    tablet.keys("104172104100")
    tablet.keys("8")
    tablet.score("Sedation", "1")
    tablet.score("Dissoc", "3")
    tablet.score("Nausea", "0")
    tablet.tap(page.locator(".form .pain"))
    sheet = page.get_by_role("dialog")
    tablet.tap(
        sheet.get_by_role("radio", name="6").or_(sheet.get_by_role("button", name="6")).first
    )
    tablet.save()
    for _ in range(3):
        ask = page.locator(".ask:not([hidden])")
        page.wait_for_timeout(300)
        if ask.count():
            tablet.tap(ask.get_by_role("button").first)


def planned_step(tablet: Tablet) -> None:
    """The next planned step, with its reason when one is asked."""
    tablet.tap(tablet.page.locator("[data-dose=up]"))
    sheet = tablet.page.get_by_role("dialog")
    if sheet.locator(".confirm").is_disabled():
        tablet.tap(sheet.get_by_role("button", name="doctor's order"))
    tablet.tap(sheet.locator(".confirm"))


def side_effect(tablet: Tablet) -> None:
    """A side effect with its grade."""
    tablet.tap(tablet.page.locator("[data-effect=dizzy]"))
    tablet.tap(tablet.page.locator("[data-grade='2']"))


def correction(tablet: Tablet) -> None:
    """A wrong heart rate replaced, with a reason."""
    tablet.tap(tablet.first_row.locator("[data-parameter=hr]"))
    sheet = tablet.page.get_by_role("dialog")
    for digit in "86":
        tablet.tap(sheet.locator(".key", has_text=digit))
    tablet.tap(sheet.get_by_role("button", name="typing slip"))


def count_touches() -> list[Figure]:
    """touches_set, touches_step, touches_effect, touches_amend."""
    done = {
        "touches_set": normal_set,
        "touches_set_worst": worst_set,
        "touches_step": planned_step,
        "touches_effect": side_effect,
        "touches_amend": correction,
    }
    counted: dict[str, int] = {}
    with our_server() as server, chromium() as browser:
        for name, act in done.items():
            # A tablet of its own each time: none was at another chair a moment ago.
            context = signed_in(browser, server, "nurse")
            page = context.new_page()
            tablet = _open(page, server)
            act(tablet)
            expect(tablet.saved).to_contain_text("saved", timeout=10_000)
            counted[name] = tablet.touches
            context.close()
    worst = counted.pop("touches_set_worst")
    return [
        Figure(
            name=name,
            value=value,
            unit="taps",
            n=1,
            beside=f"goal <= {_GOALS[name]}",
            note=f"the worst set takes {worst}" if name == "touches_set" else "",
        )
        for name, value in counted.items()
    ]
