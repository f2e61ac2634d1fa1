"""NEWS2 at the bedside where the limits have it: quiet while incomplete, with the tap that fills it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random

import pytest
from playwright.sync_api import expect

from monitor.bedside.fixed import news2_chart
from monitor.news2 import PARTS, news2
from pages.widgets.entry import entry
from tests import build
from tests.browser.tablet import Tablet, put_session, saved_values
from tests.server import Server

pytestmark = pytest.mark.browser

LIMITS = "ADULT-NEWS2-1"


def test_the_score_follows_the_typing_and_every_missing_part_is_one_tap_away(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server, limits=LIMITS)
    tablet = open_bedside(session)
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    more = page.get_by_role("button", name="more values")
    expect(more.locator("small")).to_have_text("")
    tablet.keys("95")
    expect(more.locator("small")).to_have_text("NEWS2 ≥ 1 · 6 missing")

    tablet.tap(more)
    words = sheet.locator(".news2-words")
    expect(words).to_have_text("NEWS2 incomplete, at least 1")
    sheet.locator("#m-temp").fill("38.5")
    tablet.tap(sheet.locator("[data-part=air]"))
    expect(sheet.locator("#m-o2_flow")).to_have_value("0")
    tablet.tap(sheet.locator("[data-acvpu=V]"))
    expect(words).to_have_text("NEWS2 incomplete, at least 5; 3 for consciousness")
    tablet.tap(sheet.locator("[data-acvpu=A]"))
    expect(words).to_have_text("NEWS2 incomplete, at least 2")
    tablet.tap(sheet.get_by_role("button", name="Enter respiratory rate"))
    expect(tablet.field("rr")).to_be_focused()
    tablet.keys("14")
    tablet.field("sbp").focus()
    tablet.keys("12880")
    tablet.tap(more)
    tablet.tap(sheet.get_by_role("button", name="Enter oxygen saturation"))
    tablet.keys("97")
    expect(more.locator("small")).to_have_text("NEWS2 2")

    tablet.save()
    expect(tablet.saved).to_contain_text("saved")
    values = saved_values(server, session.id)
    assert (values["acvpu"], values["o2_flow"], values["temp"]) == ("0", "0", "38.5")
    expect(tablet.first_row.locator(".score b")).to_have_text("2")
    expect(tablet.first_row.locator("[data-parameter=acvpu] b")).to_have_text("A")


def test_an_incomplete_set_is_no_fault_and_says_what_is_missing_when_asked(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    tablet = open_bedside(put_session(server, limits=LIMITS))
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    tablet.keys("70")
    tablet.save()
    expect(tablet.saved).to_contain_text("saved")
    expect(page.locator(".state .alert")).to_be_hidden()
    score = tablet.first_row.locator(".score")
    expect(score.locator("b")).to_have_text("≥ 0")
    tablet.tap(score)
    expect(sheet.locator(".news2-words")).to_contain_text(
        "incomplete, ≥ 0; missing: respiratory rate, oxygen saturation, air or oxygen"
    )


def test_a_score_of_five_is_an_alert_that_says_what_it_is_made_of(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    tablet = open_bedside(put_session(server, limits=LIMITS, fresh=True))
    page, sheet = tablet.page, tablet.page.get_by_role("dialog")
    tablet.tap(page.get_by_role("button", name="more values"))
    tablet.tap(sheet.locator("[data-acvpu=C]"))
    tablet.tap(sheet.get_by_role("button", name="Done"))
    tablet.save()
    card = page.locator(".state .alert")
    expect(card).to_contain_text("NEWS2: 3 for consciousness alone")
    tablet.tap(card.get_by_role("button", name="Answer"))
    expect(sheet).to_contain_text("Missing in this set: respiratory rate")


def test_where_the_limits_do_not_have_it_nothing_of_it_is_shown(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    tablet = open_bedside(put_session(server))
    page = tablet.page
    tablet.keys("95")
    tablet.tap(page.get_by_role("button", name="more values"))
    expect(page.locator("#m-temp")).to_be_visible()
    assert "NEWS2" not in page.locator(".bedside").inner_text()
    expect(page.locator("[data-acvpu]")).to_have_count(0)


def test_the_browser_scores_like_the_server(
    server: Server, browser_page: Callable[..., object]
) -> None:
    """Random sets around every edge, with parts left out, on both SpO2 scales."""
    random = Random(20261128)
    sets = [_random_set(random) for _ in range(4000)]
    script = "\n".join(
        (entry._HERE / name).read_text("utf-8") for name in ("text.js", "check.js", "news2.js")
    )
    page = browser_page("nurse", "/")
    told = page.evaluate(  # type: ignore[attr-defined]
        """([script, chart, sets]) => {
          const score = new Function(`${script}; return news2Of;`)();
          return sets.map(([scale, values]) => {
            const found = score({ ...chart, spo2_scale: scale }, values);
            return found && [found.sum, found.missing.map((part) => part.key), found.threes.map((part) => part.key)];
          });
        }""",
        [
            script,
            news2_chart(build.session()),
            [[scale, {k: float(v) for k, v in values.items()}] for scale, values in sets],
        ],
    )
    for (scale, values), found in zip(sets, told, strict=True):
        score = news2(values, spo2_scale=scale)
        expected = [score.at_least, list(score.missing), list(score.threes)] if values else None
        assert found == expected, (scale, values)


def _random_set(random: Random) -> tuple[int, dict[str, Decimal]]:
    values = {}
    for part in PARTS.values():
        if random.random() < 0.15:
            continue
        edges = [band.to for band in part.bands if band.to is not None]
        step = Decimal(1).scaleb(-(part.decimals or 0))
        if part.key == "spo2":
            values[part.key] = Decimal(random.randint(80, 100))
        elif part.key == "acvpu":
            values[part.key] = Decimal(random.randint(0, 4))
        else:
            fine = Decimal(random.choice(["0", "0.04", "0.05", "0.5", "0.49"])) * step
            values[part.key] = max(
                Decimal(0), random.choice(edges) + random.randint(-1, 1) * step + fine
            )
    return random.choice([1, 2]), values
