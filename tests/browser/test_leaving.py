"""Before the start and before leaving, in a real browser: gate, recovery score, discharge."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect

from monitor.gate_library import GATE
from monitor.lifecycle import EventKind, SessionStatus, status
from monitor.record import Answer, DoseStepKind, Fact, InfusionSession, MovementKind
from monitor.user_admin import DEMO_ACCOUNTS
from tests import build
from tests.browser.tablet import (
    SCHEMES,
    SIZES,
    Tablet,
    at_every_size,
    put_session,
    put_waiting,
    recolour,
)
from tests.server import USERNAMES, Server

pytestmark = pytest.mark.browser

#: Minutes a session of ``put_session`` is moved back, so that its last minute here is 3 min ago.
MOVED = 110
LAST = MOVED - 3

DOCTORS_PIN = next(row[4] for row in DEMO_ACCOUNTS if row[0] == USERNAMES["anaesthetist"])

OpenBedside = Callable[..., Tablet]


def in_recovery(server: Server, *more: Fact | Iterable[Fact]) -> InfusionSession:
    """Two hours after the infusion, sets on time, the last one good to leave with.

    Of 200 mg 6.3 were given: 15 min at 7 mg/h, 26 min at 10.5 mg/h.
    """
    sets = [item for minute in range(0, LAST - 5, 10) for item in build.obs_set(minute)]
    last = build.obs_set(LAST, hr=66, sbp=126, dbp=76, pain=1)
    ledger = [
        build.movement(MovementKind.ISSUED, 200, -58),
        build.movement(MovementKind.WASTED, "193.7", LAST),
    ]
    flat = [fact for item in more for fact in ([item] if isinstance(item, Fact) else item)]
    return put_session(server, minutes_ago=MOVED, more=[*sets, *last, stopped(), *ledger, *flat])


def stopped() -> Fact:
    return build.rate(0, -6, kind=DoseStepKind.STOP)


def sheet(page: Page) -> Locator:
    return page.get_by_role("dialog")


def point(page: Page, name: str) -> Locator:
    return sheet(page).locator(f".point[data-id={name}]")


def answer(tablet: Tablet, name: str, given: str) -> None:
    tablet.tap(point(tablet.page, name).locator(f"[data-answer={given}]"))


def score(tablet: Tablet) -> None:
    """Everything at its best, on air."""
    for parameter in ("activity", "respiration", "consciousness"):
        tablet.tap(sheet(tablet.page).locator(f"[data-stop='aldrete_{parameter}.2']"))
    tablet.tap(sheet(tablet.page).get_by_role("button", name="On air"))
    tablet.tap(sheet(tablet.page).get_by_role("button", name="SAVE"))


def now_is(server: Server, session_id: UUID) -> SessionStatus:
    return status(server.store.session(session_id), datetime.now(UTC))


def test_a_recovery_is_scored_and_ends_in_a_discharge(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = in_recovery(server)
    tablet = open_bedside(session)
    page = tablet.page
    discharge = page.locator("[data-leaving=discharge]")
    expect(page.locator("[data-leaving=score]")).to_contain_text("incomplete")
    expect(discharge).to_contain_text("missing")

    tablet.tap(page.locator("[data-leaving=score]"))
    expect(sheet(page)).to_contain_text("incomplete, at least")
    expect(sheet(page).locator(".computed").first).to_contain_text("SBP 126")
    before = tablet.touches
    score(tablet)
    assert tablet.touches - before == 5
    expect(page.locator("[data-leaving=score]")).to_contain_text("10/10")
    found = server.store.session(session.id).current_observations
    (set_id,) = {item.set_id for item in found if item.parameter.startswith("aldrete_")}
    assert {item.parameter: item.value for item in found if item.set_id == set_id} == {
        "aldrete_activity": 2,
        "aldrete_respiration": 2,
        "aldrete_consciousness": 2,
        "o2_flow": 0,
    }

    tablet.tap(discharge)
    expect(sheet(page).locator("[data-stop=discharge]")).to_be_disabled()
    asked = [item.id for item in GATE.criteria.values() if item.text is not None]
    for criterion in asked:
        answer(tablet, criterion, "yes")
    ready = sheet(page).locator("[data-stop=discharge]")
    expect(ready).to_be_enabled()
    expect(ready).to_have_text("Discharge")
    assert now_is(server, session.id) is SessionStatus.RECOVERY
    tablet.tap(ready)

    expect(page.locator(".closed")).to_contain_text("discharged")
    after = server.store.session(session.id)
    assert now_is(server, session.id) is SessionStatus.DISCHARGED
    assert {item.question for item in after.answers} == set(asked)
    assert {item.answer for item in after.answers} == {Answer.YES}


def test_what_is_missing_leads_to_where_it_is_done(
    server: Server, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(in_recovery(server, build.obs_set(LAST + 1, sbp=188, dbp=76)))
    page = tablet.page

    tablet.tap(page.locator("[data-leaving=discharge]"))
    pressure = point(page, "blood_pressure_at_discharge")
    expect(pressure).to_have_attribute("data-state", "not met")
    expect(pressure).to_contain_text("188/76")
    tablet.tap(pressure.locator(".does"))
    expect(sheet(page)).to_be_hidden()
    expect(tablet.field("sbp")).to_be_focused()

    tablet.tap(page.locator("[data-leaving=discharge]"))
    tablet.tap(point(page, "recovery_score").locator(".does"))
    score(tablet)
    expect(point(page, "recovery_score")).not_to_contain_text("incomplete")


def test_an_anaesthetist_overrides_with_reason_and_takes_it_back(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = in_recovery(server)
    tablet = open_bedside(session)
    page = tablet.page
    tablet.tap(page.locator("[data-leaving=discharge]"))

    answer(tablet, "escort_present", "no")
    tablet.tap(point(page, "escort_present").get_by_role("button", name="Override"))
    confirm = sheet(page).locator(".confirm")
    expect(confirm).to_be_disabled()
    tablet.tap(sheet(page).get_by_role("button", name="is on the way"))
    expect(confirm).to_be_disabled()
    tablet.tap(sheet(page).get_by_role("group", name="Decided by").get_by_role("button").first)
    expect(confirm).to_have_text("Verbal order, not confirmed")
    tablet.tap(confirm)

    escort = point(page, "escort_present")
    expect(escort).to_have_attribute("data-state", "overridden")
    expect(escort).to_contain_text("ordered verbally by")
    expect(escort).to_contain_text("is on the way")
    given = server.store.session(session.id).answers[-1]
    assert (given.question, given.answer, given.override_by) == (
        "escort_present",
        Answer.NO,
        "mkeller",
    )
    tablet.tap(escort.get_by_role("button", name="Take back"))
    expect(escort).to_have_attribute("data-state", "not met")


def test_a_patient_who_leaves_early_is_recorded_with_the_reason(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = in_recovery(server)
    tablet = open_bedside(session)
    page = tablet.page

    tablet.tap(page.locator("[data-leaving=discharge]"))
    tablet.tap(sheet(page).get_by_role("button", name="has left anyway"))
    expect(sheet(page)).to_contain_text("Recovery score")
    expect(sheet(page).locator(".confirm")).to_be_disabled()
    tablet.tap(sheet(page).get_by_role("button", name="did not want to wait"))
    tablet.tap(sheet(page).get_by_role("button", name="−5 min"))
    tablet.tap(sheet(page).locator(".confirm"))

    expect(page.locator(".closed")).to_contain_text("discharged")
    event = server.store.session(session.id).events[-1]
    assert (event.kind, event.text) == (EventKind.DISCHARGED, "did not want to wait")
    assert 280 < (event.recorded_at - event.taken_at).total_seconds() < 320


def test_the_gate_is_answered_at_the_bedside(server: Server, open_bedside: OpenBedside) -> None:
    session = put_waiting(server)
    tablet = open_bedside(session)
    page = tablet.page
    line = page.locator(".tap.gate")
    expect(line).to_contain_text(re.compile(r"Start is blocked: \d+ points"))

    tablet.tap(page.locator("[data-dose=up]"))
    expect(sheet(page).get_by_role("heading", name="Before the start")).to_be_visible()
    tablet.tap(sheet(page).get_by_role("button", name="Heart"))
    answer(tablet, "heart_disease", "yes")
    expect(point(page, "heart_disease")).to_contain_text("Only an anaesthetist can go on")
    tablet.tap(point(page, "heart_disease").get_by_role("button", name="Override"))
    tablet.tap(sheet(page).get_by_role("button", name="patient was seen"))
    tablet.tap(sheet(page).get_by_role("group", name="Decided by").get_by_role("button").first)
    tablet.tap(sheet(page).locator(".confirm"))
    heart = point(page, "heart_disease")
    expect(heart).to_have_attribute("data-state", "overridden")
    expect(heart).to_contain_text("Yes: overridden, ordered verbally by")
    expect(heart).to_contain_text("not confirmed: patient was seen")
    for group in ("Heart", "Brain", "Pregnancy", "Consent"):
        tablet.tap(sheet(page).get_by_role("button", name=re.compile(rf"[○✓] {group}")))
        tablet.tap(sheet(page).locator("[data-stop=all]"))
        expect(sheet(page).locator("[data-stop=all]")).to_have_count(0)
    tablet.tap(sheet(page).get_by_role("button", name=re.compile("[○✓] Ketamine")))
    for question in ("allergy_ketamine", "ketamine_reaction", "interacting_medicines"):
        answer(tablet, question, "no")
    answer(tablet, "medication_list", "yes")
    expect(sheet(page)).to_contain_text("Every medicine taken now, with its dose")
    expect(sheet(page).locator(".confirm")).to_be_disabled()
    sheet(page).locator("textarea").fill("sertraline 50 mg, zopiclone 7.5 mg")
    tablet.tap(sheet(page).locator(".confirm"))
    expect(sheet(page).get_by_role("button", name=re.compile("✓ Ketamine"))).to_be_visible()
    tablet.tap(sheet(page).get_by_role("button", name=re.compile("○ Checks")))
    expect(point(page, "baseline")).to_contain_text("Take the second set from")
    tablet.tap(point(page, "baseline").get_by_role("button", name="Take it"))
    expect(tablet.field("hr")).to_be_focused()

    answers = server.store.session(session.id).answers
    (listed,) = [item for item in answers if item.question == "medication_list"]
    assert (listed.answer, listed.note) == (Answer.YES, "sertraline 50 mg, zopiclone 7.5 mg")
    answered = {item.question for item in answers}
    assert answered == set(GATE.questions) - {"vascular_malformation", "suicidality_assessed"}
    expect(line).to_contain_text(re.compile(r"▲ \d points? before the start"))
    tablet.tap(page.locator("[data-dose=up]"))
    expect(sheet(page).locator(".questions")).to_contain_text("of the gate asks for a reason")


def test_an_override_is_proved_by_pin_or_confirmed_later_and_undone_at_once(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = put_waiting(server)
    tablet = open_bedside(session)
    page = tablet.page

    def overridden(name: str) -> None:
        answer(tablet, name, "yes")
        tablet.tap(point(page, name).get_by_role("button", name="Override"))
        tablet.tap(sheet(page).get_by_role("button", name="patient was seen"))
        tablet.tap(sheet(page).get_by_role("group", name="Decided by").get_by_role("button").first)

    def pin() -> None:
        for digit in DOCTORS_PIN:
            tablet.tap(sheet(page).locator(".second-pad .key", has_text=digit))
        tablet.tap(sheet(page).get_by_role("button", name="PIN ✓"))

    tablet.tap(page.locator("[data-dose=up]"))
    tablet.tap(sheet(page).get_by_role("button", name="Heart"))
    overridden("heart_disease")
    pin()
    confirm = sheet(page).locator(".confirm")
    expect(confirm).to_have_text("Go on in spite of it")
    tablet.tap(confirm)
    heart = point(page, "heart_disease")
    expect(heart).to_contain_text("confirmed by PIN: patient was seen")
    expect(heart.get_by_role("button", name="Confirm")).to_have_count(0)

    # Undo is within reach on the sheet itself, and the answer before it is in force again.
    undo = sheet(page).get_by_role("button", name=re.compile("undo"))
    tablet.tap(undo)
    expect(heart).to_have_attribute("data-state", "block")
    expect(heart).to_contain_text("Only an anaesthetist can go on")
    expect(undo).to_be_hidden()
    given = server.store.session(session.id)
    [struck] = [item for item in given.answers if item.id in given.amended_ids]
    assert (struck.question, struck.second_person) == ("heart_disease", "mkeller")

    overridden("uncontrolled_hypertension")
    tablet.tap(confirm)
    pressure = point(page, "uncontrolled_hypertension")
    expect(pressure).to_contain_text("not confirmed")
    tablet.tap(sheet(page).get_by_role("button", name="Close"))
    strip = page.locator(".row.override", has_text="Overridden").first
    expect(strip).to_contain_text("ordered verbally by")

    # Once the patient is treated there is still a way to it.
    tablet.tap(page.locator(".event-menu, .events .tap:last-child").locator("visible=true"))
    tablet.tap(sheet(page).locator("[data-code=verbal]"))
    tablet.tap(point(page, "uncontrolled_hypertension").get_by_role("button", name="Confirm"))
    pin()
    expect(sheet(page)).to_be_hidden()
    found = server.store.session(session.id)
    now = [item for item in found.current(found.answers) if item.is_override][-1]
    assert (now.question, now.second_person) == ("uncontrolled_hypertension", "mkeller")
    assert not now.is_verbal_order


def test_a_start_that_happened_is_recorded_all_the_same(
    server: Server, open_bedside: OpenBedside
) -> None:
    session = put_waiting(server)
    tablet = open_bedside(session)
    page = tablet.page

    tablet.tap(page.locator("[data-dose=up]"))
    tablet.tap(sheet(page).get_by_role("button", name="already started"))
    expect(sheet(page).locator(".questions")).to_contain_text("of the gate block the start")
    tablet.tap(sheet(page).get_by_role("button", name="doctor's order"))
    given = sheet(page).get_by_role("button", name="already given")
    expect(given).to_have_attribute("aria-pressed", "true")
    tablet.tap(sheet(page).locator(".confirm"))

    expect(page.locator(".fact.phase")).to_contain_text("INFUSING")
    expect(page.locator(".tap.gate")).to_be_hidden()


def test_every_sheet_fits_and_can_be_tapped(server: Server, open_bedside: OpenBedside) -> None:
    tablet = open_bedside(in_recovery(server))
    page = tablet.page
    for name in ("score", "discharge"):
        tablet.tap(page.locator(f"[data-leaving={name}]"))
        measure(page, name)
        tablet.tap(sheet(page).get_by_role("button", name="Close"))
    fresh = open_bedside(put_session(server, more=[stopped()]))
    fresh.tap(fresh.page.locator("[data-leaving=discharge]"))
    measure(fresh.page, "fresh")
    answer(fresh, "escort_present", "no")
    override = point(fresh.page, "escort_present").get_by_role("button", name="Override")
    expect(override).to_be_visible()
    measure(fresh.page, "said-no")
    fresh.tap(override)
    measure(fresh.page, "override")
    fresh.tap(sheet(fresh.page).get_by_role("button", name="Back"))
    fresh.tap(sheet(fresh.page).get_by_role("button", name="has left anyway"))
    measure(fresh.page, "left")
    waiting = open_bedside(put_waiting(server))
    waiting.tap(waiting.page.locator(".tap.gate"))
    measure(waiting.page, "gate")


def measure(page: Page, name: str) -> None:
    """Nothing of the open sheet scrolls, is small or lies outside, in every window.

    A theme changes colours and no sizes: two sizes are looked at in each.
    """
    for scheme, sizes in zip(SCHEMES, (SIZES[1::2], SIZES[::2]), strict=True):
        recolour(page, scheme)
        for size in at_every_size(page, sizes):
            found = page.evaluate(_MEASURE)
            nothing = {"scrolls": [], "small": [], "outside": []}
            assert found == nothing, f"{name} at {size} in {scheme}"


_MEASURE = """() => {
  const root = [...document.querySelectorAll('*')].map((n) => n.shadowRoot)
    .find((r) => r?.querySelector('.bedside'));
  const out = {scrolls: [], small: [], outside: []};
  for (const n of root.querySelectorAll('.sheet, .sheet-body, .actions')) {
    if (n.scrollHeight > n.clientHeight + 1 || n.scrollWidth > n.clientWidth + 1) {
      out.scrolls.push([n.className, n.scrollWidth, n.clientWidth, n.scrollHeight, n.clientHeight]);
    }
  }
  for (const n of root.querySelectorAll('.sheet button, .actions button')) {
    const box = n.getBoundingClientRect();
    if (!box.width) continue;
    if (box.width < 47.9 || box.height < 47.9) out.small.push([n.textContent, box.width, box.height]);
    if (box.left < 0 || box.top < 0 || box.right > innerWidth + 0.5 || box.bottom > innerHeight + 0.5) {
      out.outside.push(n.textContent);
    }
  }
  return out;
}"""
