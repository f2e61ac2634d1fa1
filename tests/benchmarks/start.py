"""From the second ``make run`` to an interactive board, beside an empty Streamlit app."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser

from monitor.user_admin import DEMO_PASSWORD
from tests.benchmarks.browser import SIZE, add_cookie, chromium, start_stock, stop, wait_for
from tests.benchmarks.report import Figure, ratio_figure
from tests.server import ROOT, USERNAMES, free_port

RUNS = 7


def measure() -> list[Figure]:
    """start_ratio; the first run, which migrates and fills the demo, is told in seconds."""
    folder = Path(tempfile.mkdtemp())
    ours, stock = [], []
    try:
        with chromium() as browser:
            first_s, cookie = _first_run(browser, folder)
            for _ in range(RUNS):
                ours.append(_board_ms(browser, folder, cookie))
                stock.append(_stock_ms(browser, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figure = ratio_figure(
        "start_ratio", ours, stock, "empty Streamlit app to interactive", "<= 1.5"
    )
    note = f"{figure.note}; first run (migrate, fill the demo) to sign-in {first_s:.1f} s"
    return [Figure(figure.name, figure.value, figure.unit, figure.n, figure.beside, note)]


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """What ``make run`` runs."""
    return subprocess.Popen(
        [sys.executable, "-m", "monitor", "serve", "--demo-if-empty", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "MONITOR_DATABASE_URL": f"sqlite:///{folder}/monitor.db"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        return None


def _first_run(browser: Browser, folder: Path) -> tuple[float, str]:
    port = free_port()
    begin = time.perf_counter()
    process = _start(folder, port)
    try:
        wait_for(f"http://127.0.0.1:{port}/sign-in", 120)
        first_s = time.perf_counter() - begin
        url = f"http://localhost:{port}"
        form = urlencode({"username": USERNAMES["anaesthetist"], "password": DEMO_PASSWORD})
        request = urllib.request.Request(
            f"{url}/sign-in", data=form.encode(), headers={"Origin": url}
        )
        try:
            urllib.request.build_opener(_StayHere).open(request)
        except urllib.error.HTTPError as answer:  # the redirect to the board
            cookie = answer.headers["set-cookie"].split(";")[0]
    finally:
        stop(process)
    return first_s, cookie


def _board_ms(browser: Browser, folder: Path, cookie: str) -> float:
    port = free_port()
    context = browser.new_context(viewport=SIZE)
    add_cookie(context, f"http://localhost:{port}", cookie)
    page = context.new_page()
    begin = time.perf_counter()
    process = _start(folder, port)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        page.goto(f"http://localhost:{port}/")
        page.wait_for_selector(".board .row", timeout=60_000)
        return (time.perf_counter() - begin) * 1e3
    finally:
        context.close()
        stop(process)


def _stock_ms(browser: Browser, folder: Path) -> float:
    port = free_port()
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    begin = time.perf_counter()
    process = start_stock(folder, port)
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector("#count", timeout=60_000)
        return (time.perf_counter() - begin) * 1e3
    finally:
        context.close()
        stop(process)
