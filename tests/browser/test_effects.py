"""Side effects at the bedside: found by any word, graded, treated with a linked drug, ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from pages.widgets.clinic_time import clinic_zone
from tests import build
from tests.browser.tablet import SCHEMES, Tablet, at_every_size, put_session, recolour
from tests.server import Server

pytestmark = pytest.mark.browser


#: Never twice the same in a row: what is found is not what the word before left there.
FOUND_FIRST = (
    ("somnol", "Drowsiness / sedation"),
    ("sick", "Nausea"),
    ("being si", "Vomiting"),
    ("422587007", "Nausea"),
    ("head", "Headache"),
    ("NÁUS", "Nausea"),
)


def test_a_term_is_found_by_any_word_for_it(open_bedside: Callable[..., Tablet]) -> None:
    tablet = open_bedside()
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator("[data-effect=more]"))
    first = sheet.locator(".term").first

    for typed, term in FOUND_FIRST:
        expect(first).not_to_contain_text(term)
        sheet.get_by_role("searchbox").fill(typed)
        expect(first, f"what {typed!r} finds").to_contain_text(term)


def test_a_search_without_an_answer_says_so_and_enter_takes_the_only_one(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator("[data-effect=more]"))
    search = sheet.get_by_role("searchbox")

    search.fill("zzz")
    expect(sheet).to_contain_text("No side effect has this name")
    search.fill("pins and")
    search.press("Enter")
    expect(sheet.get_by_role("heading", name="Numbness / tingling")).to_be_visible()
    tablet.tap(sheet.get_by_role("button", name="−10 min"))
    tablet.tap(sheet.get_by_role("button", name="probably"))
    tablet.tap(sheet.get_by_role("button", name="slowed"))
    tablet.tap(sheet.get_by_role("button", name="1 mild"))

    expect(tablet.saved).to_contain_text("✓ saved")
    effect = server.store.session(session.id).side_effects[-1]
    assert (effect.term, effect.grade) == ("paraesthesia", 1)
    assert (effect.relation, effect.action) == ("probable", "slow")
    assert 9.9 < (effect.recorded_at - effect.taken_at).total_seconds() / 60 < 11


def test_a_drug_is_given_for_a_side_effect_in_four_touches(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    (nausea,) = session.side_effects

    tablet.tap(tablet.page.locator("[data-effect=more]"))
    tablet.tap(sheet.get_by_role("button", name="Nausea 1 since"))
    tablet.tap(sheet.get_by_role("button", name="Drug given for it"))
    expect(sheet.get_by_role("button", name="Nausea 1")).to_have_attribute("aria-pressed", "true")
    tablet.tap(sheet.get_by_role("button", name="ondansetron"))

    expect(tablet.first_row).to_contain_text("for Nausea, 14 min after it began")
    assert tablet.touches == 4
    event = server.store.session(session.id).events[-1]
    assert (event.kind, event.text) == ("drug", "ondansetron 4 mg IV")
    assert event.linked_to == nausea.id


def test_an_alert_answered_with_a_drug_asks_which_and_links_it(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server, more=build.spo2(88, start=-2))
    tablet = open_bedside(session)
    page = tablet.page
    tablet.keys("70")
    tablet.save()  # a save raises what is due
    expect(tablet.saved).to_contain_text("✓ saved")
    sheet = page.get_by_role("dialog")

    tablet.tap(page.get_by_role("button", name="Answer", exact=True))
    tablet.tap(sheet.locator("[data-code=drug]"))
    expect(sheet.get_by_role("heading", name="drug")).to_be_visible()
    tablet.tap(sheet.get_by_role("button", name="midazolam"))

    expect(tablet.first_row).to_contain_text("for the alert SpO2 low, 2 min")
    alerts, events = server.store.alerts(session.id)
    given = server.store.session(session.id).events[-1]
    assert given.linked_to in {alert.id for alert in alerts}
    assert "drug" in {event.action for event in events}


def test_an_open_side_effect_tells_its_course_and_ends_some_minutes_ago(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    effect = build.side_effect("dizzy", 1, -20, relation="possible")
    worse = build.side_effect_change(effect, -15, grade=2)
    session = put_session(server, more=[effect, worse])
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")

    tablet.tap(tablet.page.locator("[data-effect=more]"))
    tablet.tap(sheet.get_by_role("button", name="Dizziness 2 since"))
    expect(sheet.locator(".story")).to_contain_text("Worst: grade 2 at")
    expect(sheet.locator(".story")).to_contain_text("Related to the drug: possibly.")
    tablet.tap(sheet.get_by_role("button", name="−5 min"))
    tablet.tap(sheet.get_by_role("button", name="Ended"))

    expect(tablet.first_row).to_contain_text("Dizziness ended")
    end = server.store.session(session.id).side_effect_changes[-1]
    assert end.ended
    assert 4.9 < (end.recorded_at - end.taken_at).total_seconds() / 60 < 6


def test_onset_and_end_are_typed_as_clock_times(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    onset, end = (datetime.now(UTC) - timedelta(minutes=ago) for ago in (22, 8))

    def type_clock_time(at: datetime) -> None:
        tablet.tap(sheet.locator("[data-ago=other]"))
        for digit in f"{at.astimezone(clinic_zone()):%H%M}":
            tablet.tap(sheet.locator(".key", has_text=digit))
        tablet.tap(sheet.locator(".key", has_text="use this time"))
        shown = f"{at.astimezone(clinic_zone()):%H:%M}"
        expect(sheet.locator("[data-ago=other]")).to_have_text(shown)

    tablet.tap(tablet.page.locator("[data-effect=dizzy]"))
    tablet.tap(sheet.get_by_role("button", name="possibly"))
    type_clock_time(onset)
    # What was chosen before the time was typed is still chosen.
    chosen = sheet.get_by_role("button", name="possibly")
    expect(chosen).to_have_attribute("aria-pressed", "true")
    tablet.tap(sheet.locator("[data-grade='1']"))
    expect(tablet.first_row).to_contain_text("Dizziness grade 1")
    tablet.tap(tablet.page.locator("[data-effect=more]"))
    tablet.tap(sheet.get_by_role("button", name="Dizziness 1 since"))
    expect(sheet.locator("[data-act=ended]")).to_have_text("Ended: now")
    type_clock_time(end)
    tablet.tap(sheet.locator("[data-act=ended]"))
    expect(tablet.first_row).to_contain_text("Dizziness ended")

    stored = server.store.session(session.id)
    (began,) = (effect for effect in stored.side_effects if effect.term == "dizzy")
    assert began.relation == "possible"
    assert began.taken_at == onset.replace(second=0, microsecond=0)
    assert stored.side_effect_changes[-1].taken_at == end.replace(second=0, microsecond=0)


def test_a_drug_given_a_while_ago_is_recorded_then(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator("[data-effect=more]"))
    tablet.tap(sheet.get_by_role("button", name="Nausea 1 since"))
    tablet.tap(sheet.get_by_role("button", name="Drug given for it"))
    tablet.tap(sheet.get_by_role("button", name="−10 min"))
    sheet.get_by_role("textbox").fill("ondansetron 4 mg")
    tablet.tap(sheet.get_by_role("button", name="SAVE"))
    expect(tablet.first_row).to_contain_text("ondansetron 4 mg")
    given = server.store.session(session.id).events[-1]
    assert 9.9 < (given.recorded_at - given.taken_at).total_seconds() / 60 < 11


def test_what_is_tapped_in_the_sheets_is_large_enough(
    open_bedside: Callable[..., Tablet],
) -> None:
    tablet = open_bedside()
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    tablet.tap(page.locator("[data-effect=nausea]"))
    expect(sheet).to_be_visible()

    for scheme in SCHEMES:
        recolour(page, scheme)
        for size in at_every_size(page):
            small = sheet.evaluate(
                """(node) => [...node.querySelectorAll('button')].filter((b) => b.checkVisibility())
                    .map((b) => b.getBoundingClientRect())
                .filter((box) => box.width < 47.9 || box.height < 47.9).length"""
            )
            scrolls = sheet.locator(".sheet-body").evaluate(
                "(n) => n.scrollHeight > n.clientHeight + 1"
            )
            assert small == 0, f"{size} in {scheme}"
            assert not scrolls, f"{size} in {scheme}"


def test_death_is_offered_at_once_only_where_the_effect_is_critical_by_itself(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    tablet.tap(page.locator("[data-effect=dizzy]"))
    expect(sheet.locator("[data-grade]")).to_have_count(4)
    # An onset is found out later: no reason is asked for that would be kept nowhere.
    tablet.tap(sheet.get_by_role("button", name="−15 min"))
    expect(sheet.get_by_role("group", name="Late because")).to_be_hidden()
    # It is hidden, never lost.
    tablet.tap(sheet.get_by_role("button", name="another grade"))
    expect(sheet.locator("[data-grade='5']")).to_contain_text("death")
    page.keyboard.press("Escape")

    tablet.tap(page.get_by_role("button", name="more…"))
    sheet.get_by_role("searchbox").fill("apnoea")
    tablet.tap(sheet.locator("[data-term=apnoea]"))
    expect(sheet.locator("[data-grade='5']")).to_be_visible()
