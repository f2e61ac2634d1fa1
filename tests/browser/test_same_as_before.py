"""Scores that are as they were take one tap each and say so; vital signs are always typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import build
from tests.browser.tablet import Tablet, put_session
from tests.server import Server

pytestmark = pytest.mark.browser


def test_a_score_is_repeated_by_one_tap_and_says_so(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    page = tablet.page

    tablet.tap(page.get_by_role("button", name="Sedation: same as before, 1"))
    tablet.tap(page.get_by_role("button", name="Dissoc.: same as before, 2"))
    tablet.tap(page.get_by_role("button", name="Nausea: same as before, 0"))
    tablet.score("Nausea", "1")  # chosen by hand after all
    tablet.save()
    expect(tablet.saved).to_contain_text("✓ saved")

    new = {
        item.parameter: (str(item.value), item.note)
        for item in server.store.session(session.id).current_observations[-3:]
    }
    assert new == {
        "sedation": ("1", "same as before"),
        "dissociation": ("2", "same as before"),
        "nausea": ("1", None),
    }
    expect(page.locator(".vital button")).to_have_count(0)


def test_sleep_is_never_repeated_without_asking_whether_the_patient_rouses(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    asleep = build.obs_set(-3, normal=False, sedation=0, asleep=1, roused_to_voice=1)
    tablet = open_bedside(put_session(server, more=asleep))

    tablet.tap(tablet.page.get_by_role("button", name="Sedation: same as before, S"))

    expect(tablet.page.get_by_role("dialog")).to_contain_text("Does the patient rouse to voice?")


def test_an_old_score_is_not_repeated(server: Server, open_bedside: Callable[..., Tablet]) -> None:
    tablet = open_bedside(put_session(server, minutes_ago=60))

    expect(tablet.page.locator(".score .name").first).to_be_disabled()


def test_a_temperature_may_be_typed_in_fahrenheit(
    server: Server, open_bedside: Callable[..., Tablet]
) -> None:
    session = put_session(server)
    tablet = open_bedside(session)
    sheet = tablet.page.get_by_role("dialog")

    tablet.tap(tablet.page.get_by_role("button", name="more values"))
    tablet.tap(sheet.get_by_role("button", name="another unit").first)
    expect(sheet.get_by_role("button", name="another unit").first).to_have_text("°F")
    sheet.locator("#m-temp").fill("100.4")
    tablet.tap(sheet.get_by_role("button", name="Done"))
    tablet.save()
    expect(tablet.saved).to_contain_text("✓ saved")

    stored = server.store.session(session.id).current_observations[-1]
    assert (stored.parameter, stored.value) == ("temp", 38)
    assert (str(stored.entered_value), stored.entered_unit) == ("100.4", "[degF]")
