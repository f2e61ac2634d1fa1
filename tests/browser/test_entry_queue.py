"""What is not saved yet: questions, refusals, leaving the bedside, two tabs, drafts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from monitor.actions import save_draft
from monitor.record import InfusionSession
from pages.http.context import token_hash
from tests.browser.conftest import BrowserPage, Complaints
from tests.browser.tablet import NO_NETWORK, Tablet, put_session, saved_values
from tests.server import Server

pytestmark = pytest.mark.browser

OpenBedside = Callable[..., Tablet]
#: How the browser reports an answer that is part of these tests.
ANSWERED = r"status of (400|403|409|422)"
SENTENCE = "This was entered by C. Diaz, who is not signed in here any more."


@pytest.fixture
def session(server: Server) -> InfusionSession:
    return put_session(server)


def ask_about(page: Page, path: str, code: str = "hr.odd", text: str = "Is that so?") -> None:
    """The server asks about every entry at this path until its code is confirmed."""

    def answer(route: Route) -> None:
        if code in route.request.post_data_json["confirmed"]:
            route.continue_()
            return
        questions = [{"kind": "soft", "code": code, "text": text}]
        route.fulfill(status=409, json={"questions": questions})

    page.route(f"**/entry/*/{path}", answer)


def hold_back(page: Page, sentence: str = SENTENCE) -> None:
    page.route(
        "**/entry/*/set",
        lambda route: route.fulfill(status=403, json={"error": sentence}),
    )


def question(page: Page) -> Locator:
    return page.get_by_role("alertdialog")


def hearts(server: Server, session_id: UUID, value: int) -> int:
    found = server.store.session(session_id).observations
    return sum(item.parameter == "hr" and item.value == value for item in found)


def enter_heart(tablet: Tablet, digits: str) -> None:
    tablet.field("hr").tap()
    tablet.keys(digits)
    tablet.save()


# -- questions -----------------------------------------------------------------------------------


def test_a_question_that_was_put_off_can_be_opened_again(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    complaints.expect(ANSWERED)
    tablet = open_bedside(session)
    page = tablet.page
    ask_about(page, "set")
    enter_heart(tablet, "70")
    expect(question(page)).to_contain_text("Is that so?")

    # The form can be tapped while it is open; only a tap on the way out puts it off.
    tablet.field("hr").tap()
    expect(question(page)).to_be_visible()
    page.get_by_role("button", name="Later").tap()
    expect(question(page)).to_be_hidden()
    expect(tablet.saved).to_have_text("NOT SAVED · 1 question")
    page.get_by_role("button", name="Answer it").tap()
    expect(question(page)).to_contain_text("Is that so?")
    page.get_by_role("button", name="Yes, keep it").tap()

    expect(tablet.saved).to_contain_text("✓ saved")
    assert hearts(server, session.id, 70) == 1


def test_two_questions_survive_a_reload_and_come_one_after_the_other(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    complaints.expect(ANSWERED)
    tablet = open_bedside(session)
    page = tablet.page
    ask_about(page, "set")
    enter_heart(tablet, "70")
    expect(question(page)).to_contain_text("HR 70")
    enter_heart(tablet, "71")
    expect(tablet.saved).to_have_text("NOT SAVED · 2 questions")
    page.reload()
    expect(tablet.saved).to_have_text("NOT SAVED · 2 questions")
    assert saved_values(server, session.id) == {}

    # The next one takes the place of the first: a finger that stays there would be a double tap.
    for text, x in (("HR 70", 20), ("HR 71", 150)):
        expect(question(page)).to_contain_text(text)
        expect(question(page)).to_contain_text("Is that so?")
        page.get_by_role("button", name="Yes, keep it").tap(position={"x": x, "y": 20})

    expect(tablet.saved).to_contain_text("✓ saved")
    assert (hearts(server, session.id, 70), hearts(server, session.id, 71)) == (1, 1)


def test_a_question_about_a_dose_can_be_put_off_too(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    complaints.expect(ANSWERED)
    tablet = open_bedside(session)
    page = tablet.page
    sheet = page.get_by_role("dialog")
    ask_about(page, "rate", "rate.odd", "So much?")
    page.locator("[data-dose=hold]").tap()
    expect(sheet).to_contain_text("So much?")
    sheet.get_by_role("button", name="Close").tap()
    expect(tablet.saved).to_have_text("NOT SAVED · 1 question")

    page.get_by_role("button", name="Answer it").tap()
    expect(sheet).to_contain_text("So much?")
    sheet.get_by_role("button", name="doctor's order").tap()
    sheet.locator(".confirm").tap()

    expect(page.locator(".fact.phase")).to_contain_text("PAUSED")
    assert [step.kind.value for step in server.store.session(session.id).dose_steps][-1] == "hold"


def test_what_the_server_refuses_stays_until_it_is_changed(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    """Also while the next set is being typed: nothing of either is lost."""
    complaints.expect(ANSWERED)
    tablet = open_bedside(session)
    page = tablet.page
    problem = {"kind": "hard", "code": "hr.odd", "text": "No heart does that."}
    page.route(
        "**/entry/*/set",
        lambda route: route.fulfill(status=422, json={"problems": [problem]}),
    )
    enter_heart(tablet, "70")
    expect(question(page)).to_contain_text("No heart does that.")
    tablet.field("hr").tap()
    tablet.keys("81")
    expect(tablet.saved).to_have_text("NOT SAVED · 1 question")
    page.get_by_role("button", name="Answer it").tap()
    page.get_by_role("button", name="Change").tap()
    expect(page.get_by_text("Save or empty what is typed here first")).to_be_visible()
    expect(tablet.field("hr")).to_have_value("81")

    page.unroute("**/entry/*/set")
    tablet.save()
    expect(tablet.saved).to_have_text("NOT SAVED · 1 question")
    page.get_by_role("button", name="Answer it").tap()
    page.get_by_role("button", name="Change").tap()
    # Back in the form, with what the server said beside it and at the field.
    expect(tablet.field("hr")).to_have_value("70")
    expect(question(page)).to_contain_text("No heart does that.")
    expect(page.locator("[data-row=hr]")).to_contain_text("No heart does that.")
    expect(tablet.saved).to_contain_text("NOT SAVED: HR 70")
    tablet.save()
    expect(tablet.saved).to_contain_text("✓ saved")
    assert (hearts(server, session.id, 70), hearts(server, session.id, 81)) == (1, 1)


# -- the queue -----------------------------------------------------------------------------------


def test_a_held_entry_is_shown_with_the_servers_sentence_and_tried_again(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    complaints.expect(ANSWERED)
    tablet = open_bedside(session)
    page = tablet.page
    sheet = page.get_by_role("dialog")
    hold_back(page)
    enter_heart(tablet, "70")
    expect(tablet.saved).to_contain_text("NOT SAVED")

    page.get_by_role("button", name="Show").tap()
    entry = sheet.get_by_role("listitem")
    expect(entry).to_contain_text("HR 70")
    expect(entry).to_contain_text(SENTENCE)
    page.unroute("**/entry/*/set")
    entry.get_by_role("button", name="Try again").tap()

    # The open list follows: what is saved is no longer in it.
    expect(sheet).to_contain_text("Nothing waits.")
    assert hearts(server, session.id, 70) == 1


def test_a_held_entry_is_discarded_after_one_question(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    complaints.expect(ANSWERED)
    tablet = open_bedside(session)
    page = tablet.page
    sheet = page.get_by_role("dialog")
    hold_back(page)
    enter_heart(tablet, "70")
    for answer in ("Back", "Discard: it will not be recorded"):
        page.get_by_role("button", name="Show").tap()
        sheet.get_by_role("button", name="Discard").tap()
        expect(sheet).to_contain_text("It will not be recorded.")
        expect(sheet).to_contain_text("HR 70")
        sheet.get_by_role("button", name=answer).tap()

    expect(tablet.saved).to_contain_text("Every entry is saved.")
    page.unroute("**/entry/*/set")
    page.reload()
    expect(tablet.saved).to_contain_text("Every entry is saved.")
    enter_heart(tablet, "71")
    expect(tablet.saved).to_contain_text("✓ saved")
    assert hearts(server, session.id, 70) == 0


# -- leaving the bedside -------------------------------------------------------------------------


def leave_with_an_unsent_entry(tablet: Tablet) -> Locator:
    """On the live board with HR 70 unsent; the badge that says so."""
    page = tablet.page
    page.context.route("**/entry/*/set", lambda route: route.abort())
    enter_heart(tablet, "70")
    expect(tablet.saved).to_contain_text("NOT SAVED")
    page.get_by_role("button", name="Back to the live board").first.tap()
    expect(page.get_by_role("button", name="SAVE")).to_have_count(0)
    badge = page.locator(".unsaved")
    expect(badge).to_contain_text("1 entry NOT SAVED · CHAIR 3")
    return badge


def test_the_board_shows_and_sends_what_the_bedside_left_unsent(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    complaints.expect(NO_NETWORK)
    tablet = open_bedside(session)
    page = tablet.page
    badge = leave_with_an_unsent_entry(tablet)
    expect(badge).not_to_contain_text(re.compile("HR|70|OKAFOR", re.IGNORECASE))
    expect(badge.get_by_role("link", name="Open the bedside")).to_have_attribute(
        "href", f"/bedside?session={session.id}"
    )

    page.context.unroute("**/entry/*/set")
    expect(badge).to_be_hidden()
    assert hearts(server, session.id, 70) == 1


def test_the_badge_leads_back_to_the_entry(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    complaints.expect(NO_NETWORK)
    tablet = open_bedside(session)
    badge = leave_with_an_unsent_entry(tablet)
    asked: list[str] = []
    tablet.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    badge.get_by_role("link", name="Open the bedside").tap()
    expect(tablet.saved).to_contain_text("NOT SAVED")
    expect(tablet.saved).to_contain_text("HR 70")
    assert asked == [], "our own way asks nothing"
    expect(tablet.page.locator(".unsaved")).to_be_hidden()
    assert hearts(server, session.id, 70) == 0


def test_an_entry_stays_with_who_made_it_when_a_colleague_takes_the_tablet_over(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    complaints.expect(rf"{NO_NETWORK}|status (of )?(401|403|423)|disconnected from server")
    tablet = open_bedside(session)
    page = tablet.page
    badge = leave_with_an_unsent_entry(tablet)
    page.get_by_role("button", name="Lock").tap()
    cover = page.locator("#monitor-cover")
    expect(cover).to_contain_text("1 entry NOT SAVED · CHAIR 3")
    page.get_by_label("User name").fill("cdiaz")
    page.get_by_label("PIN or password").fill("1470")
    page.get_by_role("button", name="Unlock").tap()

    expect(badge).to_contain_text("1 entry NOT SAVED · CHAIR 3")
    page.context.unroute("**/entry/*/set")
    expect(badge).to_be_hidden()
    (saved,) = [
        item
        for item in server.store.session(session.id).observations
        if item.parameter == "hr" and item.value == 70
    ]
    assert saved.recorded_by == "ablum"


def test_closing_the_page_warns_while_something_is_unsent(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    complaints.expect(NO_NETWORK)
    tablet = open_bedside(session)
    page = tablet.page
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.route("**/entry/*/set", lambda route: route.abort())
    enter_heart(tablet, "70")
    expect(tablet.saved).to_contain_text("NOT SAVED")
    page.reload()
    assert asked == ["beforeunload"]

    page.unroute("**/entry/*/set")
    expect(tablet.saved).to_contain_text("saved")
    page.reload()
    expect(tablet.field("hr")).to_be_visible()
    assert asked == ["beforeunload"]


# -- two tabs ------------------------------------------------------------------------------------


def test_a_browser_that_stores_nothing_says_so_while_an_entry_waits(
    server: Server, session: InfusionSession, browser_page: BrowserPage, complaints: Complaints
) -> None:
    complaints.expect(NO_NETWORK)
    page = browser_page("nurse", "/intended-use", has_touch=True)
    page.add_init_script("indexedDB.open = () => { throw new Error('private window'); };")
    page.goto(f"/bedside?session={session.id}")
    expect(page.get_by_role("button", name="SAVE")).to_be_visible()
    tablet = Tablet(page)
    page.route("**/entry/*/set", lambda route: route.abort())
    enter_heart(tablet, "70")
    expect(tablet.saved).to_contain_text("NOT SAVED")
    expect(tablet.saved).to_contain_text("keep this page open")
    page.unroute("**/entry/*/set")
    expect(tablet.saved).to_contain_text("✓ saved")
    assert hearts(server, session.id, 70) == 1


def second_tab(tablet: Tablet, session: InfusionSession) -> Tablet:
    page = tablet.page.context.new_page()
    page.goto(f"/bedside?session={session.id}")
    expect(page.get_by_role("button", name="SAVE")).to_be_visible()
    return Tablet(page)


def test_another_tab_sends_what_this_one_cannot(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    complaints.expect(NO_NETWORK)
    first = open_bedside(session)
    second = second_tab(first, session)
    sent: list[str] = []
    second.page.on(
        "request",
        lambda request: sent.append(request.url) if "/set" in request.url else None,
    )
    first.page.route("**/entry/*/set", lambda route: route.abort())
    first.page.bring_to_front()
    enter_heart(first, "70")
    expect(first.saved).to_contain_text("NOT SAVED")

    expect(first.saved).to_contain_text("Every entry is saved.")
    expect(second.saved).to_contain_text("saved")
    assert len(sent) == 1
    assert hearts(server, session.id, 70) == 1


def test_a_question_answered_in_one_tab_is_closed_in_the_other(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    complaints.expect(ANSWERED)
    first = open_bedside(session)
    ask_about(first.page, "set")
    enter_heart(first, "70")
    expect(question(first.page)).to_be_visible()

    second = second_tab(first, session)
    expect(question(second.page)).to_contain_text("HR 70")
    second.page.get_by_role("button", name="Yes, keep it").tap()

    expect(question(first.page)).to_be_hidden()
    expect(first.saved).to_contain_text("aved")
    expect(first.saved).not_to_contain_text("NOT SAVED")
    assert hearts(server, session.id, 70) == 1


def test_two_tabs_have_two_drafts(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    first = open_bedside(session)
    first.keys("8")
    expect(first.field("hr")).to_have_value("8")
    second = second_tab(first, session)
    expect(second.field("hr")).to_have_value("")
    enter_heart(second, "70")
    expect(second.saved).to_contain_text("✓ saved")

    first.page.bring_to_front()
    first.page.reload()
    expect(first.field("hr")).to_have_value("8")
    assert hearts(server, session.id, 70) == 1


def test_the_draft_of_a_closed_tab_is_found_by_the_next(
    session: InfusionSession, open_bedside: OpenBedside
) -> None:
    first = open_bedside(session)
    first.keys("81")
    # A tab of its own keeps the browser open, and is no bedside.
    other = first.page.context.new_page()
    first.page.close()
    other.goto(f"/bedside?session={session.id}")
    expect(Tablet(other).field("hr")).to_have_value("81")


def test_a_draft_that_cannot_be_read_breaks_nothing(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(session)
    page = tablet.page
    (cookie,) = [item for item in page.context.cookies() if item["name"] == "monitor"]
    device = token_hash(cookie["value"])[:12]
    for content in ("{no json", "[]", json.dumps({"content": {"values": 3}, "changed": 1})):
        save_draft(
            server.store,
            server.store.user("ablum"),
            session.id,
            device,
            content,
            now=datetime.now(UTC),
        )
        page.reload()
        for shown in (page, open_bedside(session).page):
            note = shown.get_by_text("A draft could not be read and was left out.")
            expect(note).to_be_visible()
    page.bring_to_front()
    enter_heart(tablet, "70")
    expect(tablet.saved).to_contain_text("✓ saved")
    assert hearts(server, session.id, 70) == 1


# -- between a draft and an entry ------------------------------------------------------------------

#: Keep the queue's store busy until this page is gone: whatever is put there has to wait.
HOLD_QUEUE_JS = """
() => new Promise((resolve, reject) => {
  const opening = indexedDB.open('bedside');
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const store = opening.result.transaction('outbox', 'readwrite').objectStore('outbox');
    const again = () => { store.get('').onsuccess = () => { resolve(true); again(); }; };
    again();
  };
})
"""

#: The tablet's storage has no room for another entry.
FULL_JS = """
() => {
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (...given) {
    if (this.name === 'outbox') throw new DOMException('no room', 'QuotaExceededError');
    return put.apply(this, given);
  };
}
"""


def test_a_set_that_a_full_tablet_cannot_queue_stays_in_the_form(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    """What was typed is a draft until it is an entry: a page that dies then has not lost it."""
    complaints.expect(NO_NETWORK)
    tablet = open_bedside(session)
    page, context = tablet.page, tablet.page.context
    # The copy on the server comes half a second after the last key: here it never comes.
    for path in ("draft", "set"):
        context.route(f"**/entry/*/{path}", lambda route: route.abort())
    tablet.keys("70")
    page.evaluate(FULL_JS)
    tablet.save()
    expect(tablet.saved).to_contain_text("NOT SAVED")
    page.close()

    page = context.new_page()
    page.goto(f"/bedside?session={session.id}")
    again = Tablet(page)
    expect(again.field("hr")).to_have_value("70")
    assert hearts(server, session.id, 70) == 0
    context.unroute("**/entry/*/set")
    again.save()
    expect(again.saved).to_contain_text("✓ saved")
    page.reload()
    expect(page.locator(".bedside[data-restored]")).to_be_attached()
    expect(again.field("hr")).to_have_value("")
    assert hearts(server, session.id, 70) == 1


#: A page that is left holds the lock of its tab for a moment: this one takes its turn, and lets go
#: as soon as somebody waits for it.
LINGER_JS = """
async () => {
  const { held } = await navigator.locks.query();
  const { name } = held.find((lock) => lock.name.startsWith('monitor.tab.'));
  navigator.locks.request(name, async () => {
    document.title = 'lingers';
    for (let waiting = false; !waiting;) {
      const { pending } = await navigator.locks.query();
      waiting = pending.some((lock) => lock.name === name);
    }
  });
}
"""


@pytest.mark.parametrize("way", ["again", "new tab"])
def test_a_draft_comes_back_while_the_page_that_was_left_is_not_quite_gone(
    way: str,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    complaints.expect(NO_NETWORK)
    tablet = open_bedside(session)
    page = tablet.page
    page.context.route("**/entry/*/draft", lambda route: route.abort())
    tablet.keys("70")
    beside = page.context.new_page()
    beside.goto("/healthz")
    beside.evaluate(LINGER_JS)
    if way == "again":
        page.goto("/healthz")
    else:
        page.close()
        page = page.context.new_page()
        page.bring_to_front()
    expect(beside).to_have_title("lingers")

    page.goto(f"/bedside?session={session.id}")
    expect(Tablet(page).field("hr")).to_have_value("70")


def test_what_is_typed_before_an_older_draft_came_back_does_not_overwrite_it(
    server: Server,
    session: InfusionSession,
    open_bedside: OpenBedside,
    complaints: Complaints,
) -> None:
    complaints.expect(NO_NETWORK)
    tablet = open_bedside(session)
    page = tablet.page
    page.context.route("**/entry/*/draft", lambda route: route.abort())
    tablet.keys("70")
    # Another tab that does not let go of the queue holds up what this one remembers.
    beside = page.context.new_page()
    beside.goto("/healthz")
    beside.evaluate(HOLD_QUEUE_JS)
    page.bring_to_front()
    page.reload()
    expect(tablet.field("hr")).to_be_visible()
    expect(tablet.field("hr")).to_have_value("")
    tablet.keys("81")
    beside.close()
    expect(page.locator(".bedside[data-restored]")).to_be_attached()
    tablet.save()
    expect(tablet.saved).to_contain_text("✓ saved")
    assert (hearts(server, session.id, 70), hearts(server, session.id, 81)) == (0, 1)

    page.reload()
    expect(tablet.field("hr")).to_have_value("70")


# -- the keyboard ----------------------------------------------------------------------------------


def test_enter_applies_a_typed_time_and_does_not_open_the_sheet_again(
    session: InfusionSession, open_bedside: OpenBedside
) -> None:
    page = open_bedside(session, has_touch=False).page
    sheet = page.get_by_role("dialog")
    page.get_by_role("button", name="Another time").press("Enter")
    page.keyboard.type("0005")
    page.keyboard.press("Enter")
    expect(sheet).to_be_hidden()
    expect(page.get_by_role("button", name="Another time")).to_have_text("00:05")


def test_enter_saves_an_event_with_a_word_once(
    server: Server, session: InfusionSession, open_bedside: OpenBedside
) -> None:
    tablet = open_bedside(session, has_touch=False)
    page = tablet.page
    sheet = page.get_by_role("dialog")
    page.get_by_role("button", name="event ▾").click()
    sheet.locator("[data-code=note]").click()
    page.keyboard.type("asked for water")
    page.keyboard.press("Enter")
    expect(sheet).to_be_hidden()
    expect(tablet.saved).to_contain_text("✓ saved")
    assert [event.text for event in server.store.session(session.id).events] == ["asked for water"]
