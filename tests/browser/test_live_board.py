"""The board and the review in a real browser: pushed, led to, and drawn within the content policy."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Request, expect

from monitor.record import InfusionSession
from tests import build
from tests.browser.conftest import BrowserPage
from tests.browser.tablet import at_every_size
from tests.build import T0
from tests.server import USERNAMES, Server
from tests.stored import keep

pytestmark = pytest.mark.browser

#: Far below the board's own clock (15 s): what comes sooner was pushed.
PUSHED_MS = 4_000


def minute_now() -> float:
    """Minutes from T0, which the builders count from, to the real now."""
    return (datetime.now(UTC) - T0).total_seconds() / 60


def running_session(server: Server, chair: str) -> InfusionSession:
    """A session that began half an hour ago on the server's own clock."""
    now = minute_now()
    session = build.session(
        build.event("arrived", now - 60),
        build.obs_set(now - 32),
        build.rate("0.2", now - 30),
        build.obs_set(now - 15),
        build.obs_set(now - 2, sbp=131, dbp=79, hr=77),
        chair=chair,
        clinic=server.store.user(USERNAMES["nurse"]).clinic,
        created_at=build.at(now - 70),
        patient=build.patient(family_name=f"Chair{chair}", given_name="Nora"),
    )
    return keep(server.store, session, 0)


def test_a_saved_set_is_pushed_to_an_open_board(server: Server, browser_page: BrowserPage) -> None:
    session = running_session(server, "71")
    page = browser_page("anaesthetist", "/board")
    row = page.get_by_role("listitem").filter(has_text="CHAIR71")
    expect(row).to_contain_text("131/79")
    page.evaluate("window.untouched = true")
    with server.store.write(build.audit(), clinic=session.clinic, session_id=session.id) as writer:
        writer.add_facts(session.id, build.obs_set(minute_now(), sbp=144, dbp=88))
    expect(row).to_contain_text("144/88", timeout=PUSHED_MS)
    assert page.evaluate("window.untouched") is True


def test_a_row_leads_to_the_record_and_its_chart(server: Server, browser_page: BrowserPage) -> None:
    session = running_session(server, "72")
    page = browser_page("anaesthetist", "/board")
    page.get_by_role("link", name=re.compile("CHAIR72")).click()
    expect(page.get_by_text("CHAIR72, Nora")).to_be_visible()
    assert str(session.id) in page.url
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    expect(page.get_by_role("table", name="Observations")).to_contain_text("131")


def test_the_columns_line_up_across_rows(server: Server, browser_page: BrowserPage) -> None:
    running_session(server, "73")
    running_session(server, "74")
    page = browser_page("anaesthetist", "/board")
    expect(page.locator(".board .row").nth(1)).to_be_visible()
    for size in at_every_size(page, ((1280, 800), (1024, 768), (390, 844))):
        for kind in (".bp", ".spo2", ".due"):
            lefts = page.eval_on_selector_all(
                f".board .row {kind}",
                "nodes => nodes.map((node) => Math.round(node.getBoundingClientRect().left))",
            )
            assert len(lefts) >= 2, f"{kind} at {size}"
            assert len(set(lefts)) == 1, f"{kind} at {size}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size


def test_a_tab_nobody_sees_leaves_the_connections_to_the_saves(
    server: Server, browser_page: BrowserPage
) -> None:
    """A browser opens six connections to one address; every open poll holds one of them."""
    running_session(server, "75")
    page = browser_page("anaesthetist")
    held: set[Request] = set()

    def is_poll(request: Request) -> bool:
        return "/live?" in request.url

    page.on("request", lambda request: held.add(request) if is_poll(request) else None)
    page.on("requestfinished", lambda request: held.discard(request))
    page.on("requestfailed", lambda request: held.discard(request))

    def show(visible: bool) -> None:
        page.evaluate(
            """visible => {
              Object.defineProperty(document, "hidden", { value: !visible, configurable: true });
              document.dispatchEvent(new Event("visibilitychange"));
            }""",
            visible,
        )

    with page.expect_request(is_poll):
        page.goto("/board")
    expect(page.locator(".board .row").first).to_be_visible()
    # Several parts of the page follow the record: one poll for all of them.
    wait_until(page, lambda: len(held) == 1)
    show(False)
    wait_until(page, lambda: not held)
    show(True)
    wait_until(page, lambda: len(held) == 1)


def wait_until(page: Page, holds: Callable[[], bool]) -> None:
    """What the test heard of the page, not what the page holds: asked again while events come in."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)
