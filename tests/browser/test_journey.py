"""The whole job in a real browser: from signing in to the CSV, as a nurse and an anaesthetist do it."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from monitor.gate_library import GATE
from monitor.record import Answer
from monitor.user_admin import DEMO_PASSWORD
from tests.browser.conftest import BrowserPage, Complaints, choose
from tests.browser.tablet import Tablet
from tests.server import USERNAMES, Server

pytestmark = pytest.mark.browser

#: A repeat counts when it was taken at least this long after the first (clinical.md U-06).
REPEAT_AFTER = timedelta(seconds=61)


def sign_in(page: Page, role: str) -> None:
    page.get_by_label("Name").fill(USERNAMES[role])
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def fill_start(page: Page) -> None:
    texts = {
        "Family name": "Journey",
        "Given name": "Synthetic",
        "Hospital number": f"SYN-J-{datetime.now(UTC):%H%M%S}",
        "Allergies": "none known",
        "Chair or bed": "7",
        "Weight (kg)": "80",
        "Height (cm)": "178",
        "HR /min": "66",
        "SBP mmHg": "126",
        "DBP mmHg": "76",
        "SpO2 %": "98",
        "RR /min": "14",
        "Sed": "0",
        "Pain": "6",
    }
    for label, text in texts.items():
        page.get_by_label(label, exact=True).fill(text)
    born = page.get_by_test_id("stDateInput")
    born.get_by_role("spinbutton").first.click()
    page.keyboard.type("17051979")
    choose(page, "Weighed", "today")
    choose(page, "Syringe (mg/mL)", "2")


def answer_gate(page: Page) -> None:
    """Every question without a concern: whole groups where that is offered, the rest one by one."""
    gate = page.locator(".st-key-start-gate")
    for label in ("All no", "All yes"):
        for every in gate.get_by_role("button", name=label).all():
            every.click()
    for question in GATE.questions.values():
        asked = gate.get_by_role("radiogroup", name=question.text)
        if not asked.count() or asked.get_by_role("radio", checked=True).count():
            continue
        harmless = "No" if Answer.YES in question.concern else "Yes"
        answer = asked.get_by_role("radio", name=harmless, exact=True)
        answer.click()
        expect(answer).to_be_checked()
        if question.note:
            gate.get_by_label(question.note).fill("none")


def enter(tablet: Tablet, digits: str, *, dissociation: str = "0") -> None:
    tablet.keys(digits)
    tablet.score("Sedation", "0")
    tablet.score("Dissoc", dissociation)
    tablet.score("Nausea", "0")
    tablet.save()
    ask = tablet.page.locator(".ask:not([hidden])")
    expect(ask.or_(tablet.saved.filter(has_text="saved")).first).to_be_visible()
    if ask.is_visible():
        ask.get_by_role("button").first.tap()
    expect(tablet.saved).to_contain_text("saved")


def step_up(tablet: Tablet) -> None:
    page = tablet.page
    page.locator("[data-dose=up]").tap()
    sheet = page.get_by_role("dialog")
    confirm = sheet.locator(".confirm")
    expect(confirm).to_be_visible()
    if sheet.get_by_role("button", name="doctor's order").count():
        sheet.get_by_role("button", name="doctor's order").tap()
    given = sheet.get_by_role("button", name="already given")
    # Raised a minute ago: refused as a plan, recorded as a fact.
    if given.count():
        given.tap()
        tablet.ordered_by(sheet)
    if sheet.locator(".second-person").count():
        tablet.second_person(sheet)
    confirm.tap()
    expect(sheet).to_be_hidden()
    expect(tablet.saved).to_contain_text("saved")


def csv_rows(page: Page, path: str) -> list[dict[str, str]]:
    answer = page.request.get(path)
    assert answer.status == 200
    return list(csv.DictReader(io.StringIO(answer.text(), newline="")))


def test_a_session_from_sign_in_to_csv(
    server: Server, browser_page: BrowserPage, complaints: Complaints
) -> None:
    complaints.expect("status of 401")  # what a signed-out page hears
    page = browser_page(None, has_touch=True)
    sign_in(page, "nurse")
    page.get_by_role("link", name="Start a session").click()
    expect(page.get_by_role("heading", name="Start a session")).to_be_visible()
    fill_start(page)
    answer_gate(page)
    page.get_by_role("button", name="Open the session").click()
    expect(page.get_by_role("button", name="SAVE")).to_be_visible()
    session_id = UUID(page.url.split("session=")[1])
    tablet = Tablet(page)

    # The second of the two baseline sets was taken ten minutes ago.
    page.get_by_role("button", name="10 minutes ago").tap()
    enter(tablet, "67127759814")
    step_up(tablet)
    expect(page.locator(".fact.phase")).to_contain_text("INFUSING")
    (start,) = server.store.session(session_id).dose_steps
    assert (start.second_person, start.overrides) == ("cdiaz", ())
    enter(tablet, "68128769714", dissociation="1")
    enter(tablet, "70168929714", dissociation="2")
    first_high_at = datetime.now(UTC)
    expect(page.locator(".alert-card")).to_contain_text("168")
    expect(page.locator(".alert-card")).to_contain_text("recheck")

    page.locator("[data-effect=nausea]").tap()
    page.locator("[data-grade='1']").tap()
    expect(tablet.saved).to_contain_text("saved")
    step_up(tablet)
    assert len(server.store.session(session_id).dose_steps) == 2

    wait = REPEAT_AFTER - (datetime.now(UTC) - first_high_at)
    page.wait_for_timeout(max(0.0, wait.total_seconds() * 1000))
    enter(tablet, "71170949714", dissociation="2")
    expect(page.locator(".alert-card")).not_to_contain_text("recheck")

    tablet.first_row.locator("[data-parameter=hr]").tap()
    for digit in "78":
        page.get_by_role("dialog").locator(".key", has_text=digit).tap()
    page.get_by_role("dialog").get_by_role("button", name="typing slip").tap()
    expect(tablet.first_row.locator("[data-parameter=hr] s")).to_have_text("71")

    page.goto(f"/review?session={session_id}")
    expect(page.get_by_text("JOURNEY, Synthetic").first).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    rows = csv_rows(page, f"/download/session/{session_id}/observations.csv")
    assert {"71", "78"} <= {row["value"] for row in rows if row["parameter"] == "hr"}
    assert all(row["taken_at"][-6] in "+-" for row in rows)
    doses = csv_rows(page, f"/download/session/{session_id}/doses.csv")
    assert [row["kind"] for row in doses].count("rate") == 2
    breaches = csv_rows(page, f"/download/session/{session_id}/breaches.csv")
    assert any(row["parameter"] == "sbp" and row["level"] == "warning" for row in breaches)
    effects = csv_rows(page, f"/download/session/{session_id}/side-effects.csv")
    assert [row["term"] for row in effects] == ["nausea"]
    assert server.store.verify() == ()

    page.get_by_role("button", name="Sign out").or_(
        page.get_by_role("link", name="Sign out")
    ).first.click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.request.get(f"/download/session/{session_id}/doses.csv").status == 401
