"""Nothing typed at the bedside is lost: no network, no server, another tablet, a locked screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.conftest import Complaints
from tests.browser.tablet import NO_NETWORK, SHUT_OUT, Tablet, put_session, saved_values
from tests.server import ROOT, Server, running_server

pytestmark = pytest.mark.browser


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

    expect(tablet.saved).to_contain_text("✓ saved")
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

    expect(tablet.saved).to_contain_text("✓ saved")
    hearts = [
        item for item in server.store.session(session.id).observations if item.parameter == "hr"
    ]
    assert sum(item.value == 70 for item in hearts) == 1


def draft_kept(page: Page, typed: str) -> AbstractContextManager[object]:
    """Goes on when the server has a draft with what was typed."""
    return page.expect_response(
        lambda answer: answer.url.endswith("/draft") and typed in (answer.request.post_data or "")
    )


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
    with draft_kept(page, "81"):
        tablet.keys("81")
    page.unroute("**/entry/*/set")
    page.reload()

    expect(tablet.field("hr")).to_have_value("81")
    # The guard of the page may have sent it before the bedside stood there.
    expect(tablet.saved).to_contain_text("saved")
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

    expect(mine.first_row).to_contain_text("99")
    expect(mine.field("hr")).to_have_value("7")
    expect(mine.field("hr")).to_be_focused()
    assert before is not None
    assert before.evaluate("(node) => node.isConnected"), "the input was never re-created"


def test_a_draft_on_another_tablet_can_be_taken_over(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    first = open_bedside(session)
    with draft_kept(first.page, "81"):
        first.keys("81")

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
        expect(tablet.field("hr")).to_be_visible()
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
            expect(tablet.saved).to_contain_text("✓ saved")
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
    complaints.expect(SHUT_OUT)
    tablet = open_bedside(put_session(server, name="Lindqvist"))
    page = tablet.page
    expect(page.get_by_text("LINDQVIST")).to_be_visible()

    with draft_kept(page, "81"):
        tablet.keys("81")
    page.evaluate("document.body.append(window.message = document.createElement('div'))")
    tablet.tap(page.get_by_role("button", name="lock"))

    expect(page.get_by_text("LINDQVIST")).to_have_count(0)
    # What Streamlit put into the page itself it can still take out.
    page.evaluate("document.body.removeChild(window.message)")
    # A dialog of Streamlit's, as the one about the lost connection, takes the rest of the page away.
    page.evaluate(
        """() => {
          const dialog = document.createElement("input");
          document.body.append(dialog);
          dialog.focus();
          for (const other of document.body.children) other.inert = other !== dialog;
        }"""
    )
    expect(page.get_by_label("PIN or password")).to_be_focused()
    page.keyboard.type("2580")
    page.get_by_role("button", name="Unlock").click()
    expect(tablet.field("hr")).to_have_value("81")
