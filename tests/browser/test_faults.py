"""Thirty faults of the fault run (``make soak`` runs a thousand): nothing lost, nothing doubled."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Complaints
from tests.browser.tablet import NO_NETWORK, Tablet, put_session
from tests.server import Server
from tests.soak.figures import figures
from tests.soak.plan import rounds
from tests.soak.record import is_whole
from tests.soak.run import Shift
from tests.soak.ward import Ward

FAULTS, BEDS = 30, 5
#: Deals kill -9 before and after the commit and after the tap, a full disk, a killed browser, and
#: five ways to lose a request.
SEED = 1658


def test_no_fault_at_any_step_loses_or_doubles_an_entry(
    migrated_sqlite: Path, tmp_path: Path, chromium: Browser
) -> None:
    shutil.copyfile(migrated_sqlite, tmp_path / "monitor.db")
    ward = Ward(tmp_path, chromium.browser_type, BEDS)
    try:
        shift = Shift(ward, tmp_path / "journal.jsonl")
        outcomes = list(shift.outcomes(list(rounds(FAULTS, SEED, BEDS))))
    finally:
        ward.close()

    found = {
        figure.name: figure.value for figure in figures(list(map(asdict, outcomes)), "", FAULTS)
    }
    notes = [note for outcome in outcomes for note in outcome.notes]
    assert found["faults_lost"] == found["faults_doubled"] == found["faults_vanished"] == 0, notes
    assert found["faults_refused_unsaid"] == found["faults_offered_again"] == 0, notes
    assert found["faults_done"] == FAULTS
    assert sum(outcome.struck for outcome in outcomes) == FAULTS, notes
    assert all(entry.acknowledged for outcome in outcomes for entry in outcome.entries), notes
    assert ward.store.verify() == ()
    ward.store.close()
    assert is_whole(ward.database)


def test_a_saved_set_is_not_offered_again_when_its_draft_could_not_be_taken_back(
    server: Server, open_bedside: Callable[..., Tablet], complaints: Complaints
) -> None:
    complaints.expect(NO_NETWORK)
    session = put_session(server)
    tablet = open_bedside(session)
    page = tablet.page

    with page.expect_response("**/draft"):
        tablet.keys("70")
    page.route("**/draft", lambda route: route.abort())
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/draft")):
        tablet.save()
    expect(tablet.saved).to_contain_text("✓ saved")
    assert server.store.drafts(session.id), "the server could not be told"
    page.reload()
    colleague = open_bedside(session)

    expect(tablet.first_row).to_contain_text("70")
    expect(tablet.saved).to_contain_text("Every entry is saved")
    expect(tablet.field("hr")).to_have_value("")
    expect(colleague.first_row).to_contain_text("70")
    expect(colleague.page.get_by_role("dialog")).to_be_hidden()


#: A tablet that dies within the tap on SAVE: the request left it, its own database is as before.
DIED_IN_THE_TAP = "() => { IDBObjectStore.prototype.delete = () => { throw new Error('died'); }; }"


def test_a_set_that_was_sent_as_the_tablet_died_is_not_offered_again(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page = tablet.page
    with page.expect_response("**/draft"):
        tablet.keys("70")
    page.evaluate(DIED_IN_THE_TAP)
    tablet.save()
    expect(tablet.saved).to_contain_text("✓ saved")
    assert _drafts_in_the_browser(page) == 1

    page.reload()

    expect(tablet.first_row).to_contain_text("70", timeout=20_000)
    expect(page.locator(".bedside[data-restored]")).to_be_visible()
    expect(tablet.field("hr")).to_have_value("")
    expect(tablet.saved).to_contain_text("Every entry is saved")
    assert _drafts_in_the_browser(page) == 0


def test_a_set_that_reaches_the_record_after_its_draft_came_back_leaves_the_form(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    """The request was on its way when the page died, and arrives when the next one has asked."""
    session = put_session(server)
    tablet = open_bedside(session)
    page = tablet.page
    with page.expect_response("**/draft"):
        tablet.keys("70")
    page.evaluate(DIED_IN_THE_TAP)
    page.on("dialog", lambda dialog: dialog.accept())  # something waits: leave all the same
    page.route("**/set", lambda route: None)
    with page.expect_request("**/set") as sending:
        tablet.save()
    sent = sending.value
    page.reload()
    expect(tablet.field("hr")).to_have_value("70", timeout=20_000)
    page.unroute("**/set")

    headers = {**sent.headers, "origin": server.url}
    later = page.request.post(sent.url, data=sent.post_data, headers=headers)

    assert later.ok, later.text()
    expect(tablet.first_row).to_contain_text("70")
    expect(tablet.field("hr")).to_have_value("")
    expect(tablet.page.locator(".hint")).to_contain_text("saved already")


def _drafts_in_the_browser(page: Page) -> int:
    found: int = page.evaluate(
        """() => new Promise((resolve) => {
          const request = indexedDB.open('bedside');
          request.onsuccess = () => {
            const got = request.result.transaction('drafts').objectStore('drafts').count();
            got.onsuccess = () => { request.result.close(); resolve(got.result); };
          };
        })"""
    )
    return found
