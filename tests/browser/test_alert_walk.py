"""Two alerts from their first reading to their end, read on everything that tells of them.

What takes minutes is not waited for: readings are put into the record as another process would
have saved them minutes ago, and the alert clock of the running server does the rest.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from monitor.record import InfusionSession
from tests import build
from tests.browser.conftest import BrowserPage
from tests.browser.tablet import Tablet, add_facts, at_every_size, put_session
from tests.server import Server

pytestmark = pytest.mark.browser

#: Whether the newest alert in the chart, as drawn on a desk, has these words beside its bar.
_CHART_SAYS = """words => {
  const plot = document.querySelector(".st-key-review-chart-wide .js-plotly-plot");
  const alerts = plot?.data?.find((trace) => trace.name === "Alerts words");
  return alerts?.text.at(-1).includes(words);
}"""


class Everywhere:
    """The four places where an alert is read, each open all the time, as in a clinic."""

    def __init__(
        self,
        session: InfusionSession,
        open_bedside: Callable[..., Tablet],
        browser_page: BrowserPage,
    ) -> None:
        self.tablet = open_bedside(session)
        self.card = self.tablet.page.locator(".state .alert")
        self.sheet = self.tablet.page.get_by_role("dialog")
        self.board = browser_page("anaesthetist", "/board")
        self.row = self.board.get_by_role("listitem").filter(
            has_text=session.patient.family_name.upper()
        )
        self.review = browser_page("anaesthetist", f"/review?session={session.id}")
        self.table = self.review.get_by_role("table", name="Alerts and what was done about them")

    def says(self, *, board: str, bedside: str, chart: str, story: str, **csv_row: str) -> None:
        """All four tell the same of the newest alert, each in its own words.

        ``story`` is a pattern for its line in the review.  An empty ``board`` or ``bedside`` is one
        that says nothing of any alert.  ``csv_row`` are cells of the file an anaesthetist takes away;
        "*" is one that is filled in, whatever it says.
        """
        if bedside:
            expect(self.card).to_contain_text(bedside)
        else:
            expect(self.card).to_be_hidden()
        expect(self.row).to_contain_text(board or "no open flags")
        expect(self.table.get_by_role("row").last).to_contain_text(re.compile(story))
        self.review.wait_for_function(_CHART_SAYS, arg=chart)
        newest = self._csv(self.review)[-1]
        for name, cell in csv_row.items():
            assert newest[name] if cell == "*" else newest[name] == cell, (name, newest)

    @staticmethod
    def _csv(page: Page) -> list[dict[str, str]]:
        with page.expect_download() as download:
            page.get_by_role("link", name="Alerts (CSV)").click()
        text = Path(download.value.path()).read_text("utf-8-sig")
        return sorted(csv.DictReader(io.StringIO(text)), key=lambda row: row["onset_at"])


@pytest.fixture
def everywhere(
    open_bedside: Callable[..., Tablet], browser_page: BrowserPage
) -> Callable[[InfusionSession], Everywhere]:
    return lambda session: Everywhere(session, open_bedside, browser_page)


def quiet_course(*more: Any) -> list[Any]:
    """The usual sets of a session up to 16 minutes ago, all inside the limits, and these."""
    sets = [build.obs_set(minute, sedation=1) for minute in (-52, -41, -34, -25, -16)]
    return [fact for obs_set in (*sets, *more) for fact in obs_set]


def test_high_pressure_from_its_first_reading_until_it_is_closed(
    server: Server, everywhere: Callable[[InfusionSession], Everywhere]
) -> None:
    # Half an hour ago it was high for four minutes, and nobody answered: over by itself.
    before = (build.obs_set(-38, sbp=166, dbp=88), build.obs_set(-36, sbp=164, dbp=88))
    session = put_session(server, name="Walker", sets=quiet_course(*before))
    at = everywhere(session)
    tablet, sheet = at.tablet, at.sheet
    at.says(
        board="",
        bedside="",
        chart="▲ SBP 166 ≥ 160",
        story=r"SBP 166 ≥ 160.*resolved.*confirmed .*cleared .*resolved ",
        state="resolved",
        confirmed_at="*",
        cleared_at="*",
        acknowledged_at="",
    )

    add_facts(server, session, build.obs_set(-2.6, sbp=172, dbp=94, sedation=1))
    at.says(
        board="SBP 172 ≥ 160 · recheck",
        bedside="recheck by",
        chart="▲ SBP 172 ≥ 160 recheck",
        story=r"▲ warning.*SBP 172 ≥ 160.*pending.*raised \d\d:\d\d",
        state="pending",
        trigger_value="172",
        confirmed_at="",
    )

    # The repeat that was asked for, on a second tablet; a minute later what is typed is no conflict.
    add_facts(server, session, build.obs_set(-1.2, sbp=174, dbp=96, sedation=1))
    at.says(
        board="SBP 174 ≥ 160 · unanswered",
        bedside="since",
        chart="▲ SBP 174 ≥ 160 unanswered",
        story=r"SBP 174 ≥ 160.*active.*raised .*confirmed ",
        state="active",
        confirmed_at="*",
        acknowledged_at="",
    )

    # The same alert had begun a quarter of an hour ago at another tablet, and nobody answered.
    add_facts(
        server,
        session,
        [fact for at in (-14, -12, -8, -4) for fact in build.obs_set(at, sbp=171, dbp=93)],
    )
    at.says(
        board="· on shift lead's screen",
        bedside="on shift lead's screen",
        chart="unanswered",
        story=r"SBP 174 ≥ 160.*active.*escalated \d\d:\d\d \(shift lead",
        state="active",
        acknowledged_at="",
    )

    tablet.tap(at.card.get_by_role("button", name="Answer", exact=True))
    tablet.tap(sheet.get_by_role("button", name="rate lowered"))
    at.says(
        board="SBP 174 ≥ 160 · answered",
        bedside="answered",
        chart="✓ A. Blum",
        story=r"acknowledged.*answered \d\d:\d\d by A\. Blum \(slow\)",
        state="acknowledged",
        acknowledged_at="*",
        acknowledged_by="ablum",
        cleared_at="",
    )

    # Inside again, and what was done about it is recorded: resolved and closed in one.
    tablet.tap(tablet.field("hr"))
    tablet.keys("7013678")
    tablet.save()
    at.says(
        board="",
        bedside="",
        chart="✓ A. Blum",
        story=r"closed.*answered .*cleared .*resolved .*closed ",
        state="closed",
        acknowledged_by="ablum",
        cleared_at="*",
    )


def test_an_alert_of_a_value_that_was_wrong_stays_and_is_marked(
    server: Server, everywhere: Callable[[InfusionSession], Everywhere]
) -> None:
    typed = build.obs_set(-1, sbp=205, dbp=78, sedation=1)
    session = put_session(server, name="Slipton", sets=quiet_course(typed))
    at = everywhere(session)
    tablet, sheet = at.tablet, at.sheet
    at.says(
        board="◆ SBP 205 ≥ 180 · unanswered",
        bedside="◆ SBP 205 ≥ 180",
        chart="◆ SBP 205 ≥ 180 unanswered",
        story=r"◆ critical.*SBP 205 ≥ 180.*active",
        level="critical",
        state="active",
        trigger_value="205",
    )

    # Who doubts it finds at the bedside what made it.
    tablet.tap(at.card.get_by_role("button", name="Answer", exact=True))
    tablet.tap(sheet.get_by_role("button", name="Why this alert?"))
    for words in (
        "SBP 205 mmHg",
        "at once when SBP ≥ 200",
        "Systolic pressure high (sbp_high), ADULT-CLINIC-1 v1",
        "Baseline128",
        "Rodrigues 2020",
        "raised ",
    ):
        expect(sheet).to_contain_text(words)
    tablet.tap(sheet.get_by_role("button", name="Close"))

    tablet.tap(tablet.first_row.locator("[data-parameter=sbp]"))
    for digit in "125":
        tablet.tap(sheet.locator(".key", has_text=digit))
    tablet.tap(sheet.get_by_role("button", name="typing slip"))
    at.says(
        board="",
        bedside="",
        chart="SBP 205 ≥ 180 (amended)",
        story=r"SBP 205 ≥ 180.*invalidated.*nothing is left of it",
        state="invalidated",
        trigger_value="205",
        acknowledged_at="",
    )
    why = at.review.locator(".reasons details").filter(has_text="SBP 205 ≥ 180")
    why.locator("summary").click()
    for words in (
        "SBP 205 mmHg, amended to 125 mmHg (typing slip)",
        "Systolic pressure high (sbp_high), ADULT-CLINIC-1 v1",
        "Rodrigues 2020",
        "its value was amended",
    ):
        expect(why.locator("dl")).to_contain_text(words)


@pytest.mark.parametrize("late", [False, True], ids=["in time", "missed"])
def test_beside_two_alerts_no_figure_of_the_head_is_cut(
    server: Server, open_bedside: Callable[..., Tablet], late: bool
) -> None:
    at = -40 if late else -1
    session = put_session(
        server,
        sets=[*build.obs_set(-52), *build.obs_set(at, sbp=205, dbp=104, spo2=87, sedation=1)],
    )
    page = open_bedside(session).page
    expect(page.locator(".state .alert")).to_contain_text("1 more")
    state = "missed" if late else "upcoming"
    expect(page.locator(".fact.due")).to_have_attribute("data-state", state)
    for size in at_every_size(page):
        cut = page.locator(".state").evaluate(
            """state => [...state.querySelectorAll(".fact .large, .alert > button")].filter((node) => {
              if (node.hidden) return false;
              const [inner, outer] = [node, node.closest(".fact, .state")].map((n) => n.getBoundingClientRect());
              return inner.right > outer.right + 0.5 || node.scrollWidth > node.clientWidth + 1;
            }).map((node) => node.textContent)"""
        )
        assert cut == [], size
        half = page.locator(".fact.rate .line").evaluate(
            """line => [...line.querySelectorAll(".small")].filter((node) => {
              const [inner, outer] = [node, line].map((n) => n.getBoundingClientRect());
              return inner.top < outer.bottom - 1 && inner.right > outer.right + 0.5;
            }).map((node) => node.textContent)"""
        )
        assert half == [], f"beside the rate stands a whole figure or none at {size}"
