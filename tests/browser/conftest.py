"""A real browser before the real server: ``server`` and ``browser_page(role)`` for every test here.

A page that reports a breach of the content policy, an uncaught error or an error in its console
fails its test, unless the test said that it would come (``page.expect_errors``).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from monitor.record import InfusionSession
from tests.browser.tablet import Tablet, put_session
from tests.machine import CHROMIUM_FLAGS, find_chromium
from tests.server import Server, running_server

TABLET = {"width": 1280, "height": 800}
#: Streamlit looks for its base path at every level of the address; those answers are 404.
_EXPECTED = re.compile(r"/[^/]+/_stcore/(health|host-config)$")
#: Streamlit's protobuf library tries WebAssembly for its long integers, is refused by our policy,
#: and goes on without: the only breach of the policy that is known and wanted.
_KNOWN = "CSP script-src wasm-eval"

BrowserPage = Callable[..., Page]

# A page that is slow on a busy machine is not a wrong one: how fast pages are is measured elsewhere.
expect.set_options(timeout=30_000)


def choose(page: Page, label: str, option: str | None = None) -> None:
    """Choose an option of a menu of Streamlit, the first when none is named.

    Such a menu closes when the page scrolls or is drawn anew under it, as a person sees and opens
    it again; so does this.
    """
    box = page.get_by_role("combobox", name=label)
    options = page.get_by_role("option", name=option, exact=option is not None)
    box.scroll_into_view_if_needed()
    for _try in range(10):
        box.press("ArrowDown")
        try:
            options.first.click(timeout=2_000)
            return
        except PlaywrightTimeout:
            continue
    pytest.fail(f"The menu of {label!r} does not stay open.", pytrace=False)


@pytest.fixture(scope="package")
def server(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``streamlit run dashboard.py`` on a migrated database with the demo's people."""
    folder = tmp_path_factory.mktemp("server")
    path = folder / "monitor.db"
    shutil.copyfile(migrated_sqlite, path)
    with running_server(f"sqlite:///{path}", folder) as running:
        yield running


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests; every test has its own contexts in it.

    It ends with this package: while Playwright runs, no other test here can run an event loop.
    """
    found = find_chromium()
    if found is None:
        pytest.fail("There is no Chromium: install the package chromium.", pytrace=False)
    with sync_playwright() as playwright:
        flags = CHROMIUM_FLAGS if os.geteuid() == 0 else CHROMIUM_FLAGS[1:]
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()


class Complaints:
    """What the pages of one test complained of."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def listen(self, context: BrowserContext) -> None:
        context.on("page", self._listen_to)

    def leave(self, context: BrowserContext) -> None:
        context.remove_listener("page", self._listen_to)

    def expect(self, pattern: str) -> None:
        """These complaints are part of the test."""
        self._expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        return [
            text
            for text in self.heard
            if not any(pattern.search(text) for pattern in self._expected)
        ]

    def _listen_to(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.heard.append(f"uncaught: {error}"))

    def _console(self, message: Any) -> None:
        url = message.location.get("url", "")
        if message.text.strip() == _KNOWN:
            return
        if message.type == "error" and not ("404" in message.text and _EXPECTED.search(url)):
            self.heard.append(f"{message.text} ({url})")


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Fails the test at its end when a page complained of something not expected."""
    heard = Complaints()
    yield heard
    assert heard.unexpected() == []


class Contexts:
    """Browsers to borrow, each with nothing in it but the compiled scripts of the app.

    Compiling Streamlit's scripts is half of what opening a page costs; a browser that was emptied
    keeps them, as a tablet that was used before does.
    """

    def __init__(self, chromium: Browser, origin: str) -> None:
        self._chromium = chromium
        self._origin = origin
        self._emptied: dict[str, list[BrowserContext]] = {}

    def borrow(self, settings: dict[str, Any]) -> BrowserContext:
        waiting = self._emptied.get(self._kind(settings))
        if waiting:
            return waiting.pop()
        context = self._chromium.new_context(base_url=self._origin, **settings)
        context.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.error("
            "'CSP ' + e.violatedDirective + ' ' + e.blockedURI));"
        )
        return context

    def give_back(self, context: BrowserContext, settings: dict[str, Any]) -> None:
        for page in context.pages:
            page.close()
        context.unroute_all()
        context.set_offline(False)
        context.clear_cookies()
        page = context.new_page()
        everything = {"origin": self._origin, "storageTypes": "all"}
        context.new_cdp_session(page).send("Storage.clearDataForOrigin", everything)
        page.close()
        self._emptied.setdefault(self._kind(settings), []).append(context)

    @staticmethod
    def _kind(settings: dict[str, Any]) -> str:
        return repr(sorted(settings.items()))


@pytest.fixture(scope="package")
def contexts(server: Server, chromium: Browser) -> Contexts:
    return Contexts(chromium, server.url)


@pytest.fixture
def new_context(
    server: Server, contexts: Contexts, complaints: Complaints
) -> Iterator[Callable[..., BrowserContext]]:
    """Make a browser of its own (cookies, storage), signed in as the role when one is named.

    ``once``: nobody uses it afterwards, because the test changes its clock.
    """
    opened: list[tuple[BrowserContext, dict[str, Any], bool]] = []

    def make(role: str | None = None, *, once: bool = False, **settings: Any) -> BrowserContext:
        settings = {"viewport": TABLET, "locale": "en-GB", **settings}
        context = contexts.borrow(settings)
        opened.append((context, settings, once))
        complaints.listen(context)
        if role is not None:
            name, _sep, value = server.sign_in(role).partition("=")
            context.add_cookies(
                [
                    {
                        "name": name,
                        "value": value,
                        "url": server.url,
                        "httpOnly": True,
                        "sameSite": "Lax",
                    }
                ]
            )
        return context

    yield make
    for context, settings, once in opened:
        complaints.leave(context)
        if once:
            context.close()
        else:
            contexts.give_back(context, settings)


@pytest.fixture
def browser_page(new_context: Callable[..., BrowserContext]) -> BrowserPage:
    """``browser_page("nurse")``: a page at "/" signed in as nurse, nurse2, anaesthetist, lead, admin.

    ``path`` opens another page; ``role`` None is nobody; further settings go to the context
    (``viewport``, ``color_scheme``, ``java_script_enabled`` ...).
    """

    def make(role: str | None = None, path: str = "/", **settings: Any) -> Page:
        page = new_context(role, **settings).new_page()
        page.goto(path)
        return page

    return make


@pytest.fixture
def open_bedside(server: Server, browser_page: BrowserPage) -> Callable[..., Tablet]:
    def make(session: InfusionSession | None = None, **settings: Any) -> Tablet:
        shown = session or put_session(server)
        page = browser_page(
            "nurse", f"/bedside?session={shown.id}", **{"has_touch": True, **settings}
        )
        expect(page.get_by_role("button", name="SAVE")).to_be_visible()
        return Tablet(page)

    return make
