"""The pictures of the README: the demo's running session, as a browser draws it.

Every run writes them to build/pictures; ``make pictures`` copies them to docs/pictures.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from db import samples
from tests.server import ROOT, Server, running_server

pytestmark = pytest.mark.browser

PICTURES = ROOT / "build" / "pictures"
SIZE = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def demo_server(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The server on a fresh demo, four of its sessions under way."""
    folder = tmp_path_factory.mktemp("demo")
    path = folder / "monitor.db"
    shutil.copyfile(migrated_sqlite, path)
    with running_server(f"sqlite:///{path}", folder) as running:
        samples.fill_demo(running.store, now=datetime.now(UTC))
        yield running


def signed_in(chromium: Browser, server: Server, role: str, scheme: str) -> Page:
    context = chromium.new_context(base_url=server.url, viewport=SIZE, color_scheme=scheme)
    name, _, value = server.sign_in(role).partition("=")
    context.add_cookies([{"name": name, "value": value, "url": server.url}])
    return context.new_page()


def take(page: Page, name: str) -> None:
    page.wait_for_timeout(1500)
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = PICTURES / f"{name}.png"
    page.screenshot(path=picture)
    # A page that drew nothing compresses to a few kB.
    assert picture.stat().st_size > 20_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_demo_looks_as_the_readme_shows_it(
    demo_server: Server, chromium: Browser, scheme: str
) -> None:
    page = signed_in(chromium, demo_server, "nurse", scheme)
    page.goto("/")
    row = page.get_by_role("link", name="OKAFOR")
    expect(row).to_be_visible()
    take(page, f"board-{scheme}")
    row.click()
    expect(page.get_by_role("button", name="SAVE")).to_be_visible()
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    take(page, f"bedside-{scheme}")
    session_id = page.url.split("session=")[1]
    page.context.close()

    reader = signed_in(chromium, demo_server, "anaesthetist", scheme)
    reader.goto(f"/review?session={session_id}")
    expect(reader.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    take(reader, f"review-{scheme}")
    reader.context.close()
