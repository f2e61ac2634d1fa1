"""How long it takes until another nurse may go on at the same tablet: lock, name, PIN, her name stands there.

From the touch on the lock to the bedside with the new name, by the page's own clock.  The robot
types without pauses: what is left is what the screen and the server make a person wait.  Beside it an
empty stock Streamlit page is opened each time: a busy machine slows both alike.
"""

from __future__ import annotations

import statistics
import time

from playwright.sync_api import Page, expect

from tests.benchmarks.browser import SIZES, chromium, our_server, signed_in, stock_server
from tests.benchmarks.report import Figure, percentile, ratio_figure
from tests.browser.tablet import put_session

RUNS = 5
GOAL_S = 3
#: Username, PIN and the name that stands on the lock, of the two who take turns.
PEOPLE = (("cdiaz", "1470", "C. Diaz"), ("ablum", "2580", "A. Blum"))


def measure() -> list[Figure]:
    taken: dict[str, list[float]] = {}
    empty: list[float] = []
    with our_server() as server, stock_server() as stock, chromium() as browser:
        for size in SIZES:
            context = signed_in(browser, server, "nurse", size)
            page = context.new_page()
            page.goto(f"/bedside?session={put_session(server).id}")
            expect(page.locator(".bedside[data-restored]")).to_be_attached(timeout=30_000)
            beside_page = context.new_page()
            times = taken[f"{size['width']}x{size['height']}"] = []
            for run in range(RUNS):
                times.append(_switch(page, *PEOPLE[run % 2]))
                empty.append(_open_empty(beside_page, stock))
            context.close()
    every = [seconds for times in taken.values() for seconds in times]
    beside = ", ".join(
        f"{size}: median {statistics.median(times):.2f}, longest {max(times):.2f}"
        for size, times in taken.items()
    )
    median = round(max(statistics.median(times) for times in taken.values()), 2)
    longest = round(percentile(every, 95), 2)
    return [
        Figure("pin_switch_s", median, "s", len(every), beside, f"goal < {GOAL_S}"),
        Figure("pin_switch_p95_s", longest, "s", len(every), beside, f"goal < {GOAL_S}"),
        ratio_figure(
            "pin_switch_ratio",
            [1000 * seconds for seconds in every],
            [1000 * seconds for seconds in empty],
            "an empty stock Streamlit page opened",
            "none of its own",
        ),
    ]


def _switch(page: Page, username: str, pin: str, name: str) -> float:
    """Seconds from the touch on the lock until ``name`` stands at the bedside.

    By the wall clock of the page: with another person the page is loaded anew.
    """
    begin_ms: float = page.evaluate("Date.now()")
    page.locator(".head").get_by_role("button", name="lock").tap()
    panel = page.get_by_role("dialog", name="Locked")
    panel.get_by_label("User name").fill(username)
    panel.get_by_label("PIN or password").fill(pin)
    panel.get_by_role("button", name="Unlock").tap()
    own = page.locator(".head").get_by_role("button", name=f"{name} · lock")
    expect(own).to_be_visible(timeout=30_000)
    end_ms: float = page.evaluate("Date.now()")
    return (end_ms - begin_ms) / 1000


def _open_empty(page: Page, address: str) -> float:
    begin = time.monotonic()
    page.goto(address)
    page.locator("#count").wait_for(timeout=60_000)
    return time.monotonic() - begin
