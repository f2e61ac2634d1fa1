"""A real browser for measurements: in-page clocks, our server beside an empty stock Streamlit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Playwright,
    ViewportSize,
    sync_playwright,
)

import db
from tests.machine import CHROMIUM_FLAGS, find_chromium
from tests.server import Server, free_port, running_server

SIZE = {"width": 1280, "height": 800}
#: The two tablets that everything at the bedside is made for.
SIZES = (SIZE, {"width": 1024, "height": 768})

#: The empty page that everything is measured beside: one button, one number.
STOCK_PAGE = """
import streamlit as st
st.session_state.setdefault("count", 0)
if st.button("go", key="go"):
    st.session_state.count += 1
st.html(f"<b id='count'>{st.session_state.count}</b>")
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium of its own for one measurement."""
    playwright: Playwright
    with sync_playwright() as playwright:
        flags = CHROMIUM_FLAGS if os.geteuid() == 0 else CHROMIUM_FLAGS[1:]
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def our_server() -> Iterator[Server]:
    """The monitor on a fresh migrated database with the demo's accounts."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/monitor.db"
        db.migrate(url)
        with running_server(url, Path(folder)) as server:
            yield server


def start_stock(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """``streamlit run`` of the empty page with nothing configured but where it listens."""
    (folder / "empty.py").write_text(STOCK_PAGE, "utf-8")
    return subprocess.Popen(
        [
            sys.executable, "-m", "streamlit", "run", "empty.py", f"--server.port={port}",
            "--server.address=127.0.0.1", "--server.headless=true",
            "--browser.gatherUsageStats=false",
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a server that was started here."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(url: str, seconds: float = 60) -> None:
    """Until the address answers."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.01)
    raise TimeoutError(f"{url} did not answer within {seconds:.0f} s")


@contextmanager
def stock_server() -> Iterator[str]:
    """The address of an empty stock Streamlit page on a server of its own."""
    folder = Path(tempfile.mkdtemp())
    port = free_port()
    process = start_stock(folder, port)
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}/"
    finally:
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def signed_in(
    browser: Browser, server: Server, role: str, size: dict[str, int] = SIZE
) -> BrowserContext:
    """A fresh browser context that is signed in."""
    viewport = ViewportSize(width=size["width"], height=size["height"])
    context = browser.new_context(base_url=server.url, viewport=viewport, has_touch=True)
    add_cookie(context, server.url, server.sign_in(role))
    return context


def add_cookie(context: BrowserContext, url: str, cookie: str) -> None:
    """Give a context the cookie of a sign-in."""
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": url}])
