"""A bedside page as a nurse works it: touches that are counted, on a session made for the test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import dist
from time import monotonic
from typing import Any, Literal
from uuid import UUID

from playwright.sync_api import Locator, Page, expect

from monitor.record import Fact, InfusionSession
from tests import build
from tests.server import Server

#: What the browser says when the network is away; the component says it in words.
NO_NETWORK = r"ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_CONNECTION|WebSocket|status of 503"
#: What Streamlit says of a connection that the server closed; the guard says it in words.
SHUT_OUT = r"status (of )?(401|403|423)|WebSocket|disconnected from server"

#: The windows of the clinic's tablets: a larger and a smaller one, each also under a browser's bars.
SIZES = ((1280, 800), (1280, 720), (1024, 768), (1024, 690))

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("dark", "light")

#: A layout is done when nothing that can be tapped has moved for three frames and the chart, which is
#: drawn last, ends where the hole left for it ends.
_LAID_OUT = """async ([width, height]) => {
  const roots = [document, ...[...document.querySelectorAll("*")].map((node) => node.shadowRoot)
    .filter(Boolean)];
  const all = (selector) => roots.flatMap((root) => [...root.querySelectorAll(selector)]);
  const bottom = (node) => node.getBoundingClientRect().bottom;
  const places = () => JSON.stringify(all("a, button, input, .hole, .main-svg")
    .map((node) => node.getBoundingClientRect()));
  let last;
  for (let still = 0; still < 4; still += 1) {
    await new Promise(requestAnimationFrame);
    const now = places();
    if (last !== undefined && now !== last) return false;
    last = now;
  }
  const [hole] = all(".hole");
  const [chart] = all(".st-key-bedside_chart .main-svg");
  return innerWidth === width && innerHeight === height
    && (!hole || !chart || Math.abs(bottom(hole) - bottom(chart)) <= 2);
}"""


def at_every_size(page: Page, sizes: Sequence[tuple[int, int]] = SIZES) -> Iterator[str]:
    """The page as it stands, in one window after the other; gives the name of each for what fails.

    A resize costs a few frames, another page seconds.  It begins with the window as it is and leaves
    it as the last one was.
    """
    before = page.viewport_size
    assert before is not None
    now = (before["width"], before["height"])
    for width, height in sorted(sizes, key=lambda size: size != now):
        if (width, height) != now:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_function(_LAID_OUT, arg=[width, height])
        yield f"{width}x{height}"


def recolour(page: Page, scheme: Scheme) -> None:
    """A bedside page whose tablet changes to this scheme."""
    page.emulate_media(color_scheme=scheme)
    expect(page.locator(".bedside")).to_have_attribute("data-theme", scheme)


def put_session(
    server: Server,
    *,
    name: str = "Okafor",
    minutes_ago: float = 0,
    more: Sequence[Fact] = (),
    fresh: bool = False,
    sets: Sequence[Fact] | None = None,
    limits: str = "ADULT-CLINIC-1",
    **changes: Any,
) -> InfusionSession:
    """A session that runs since 47 minutes, with a set every few minutes, the last 7 min ago.

    ``minutes_ago`` puts all of it that much earlier; ``more`` are facts besides.
    ``fresh`` adds a set taken a minute ago, so that none is late; ``sets`` stand in place of all
    these sets.  ``limits`` is the threshold set.
    """
    shift = datetime.now(UTC) - build.T0 - timedelta(minutes=minutes_ago)
    usual: list[Fact] = [
        *build.obs_set(-52, pain=4),
        *build.obs_set(-32, sedation=1, dissociation=1),
        *build.obs_set(-17, sedation=1, dissociation=2),
        *build.obs_set(-7, hr=66, sbp=131, dbp=78, sedation=1, dissociation=2),
    ]
    facts: list[Fact] = [
        *(usual if sets is None else sets),
        build.rate("0.1", -47),
        build.rate("0.15", -32),
        build.side_effect("nausea", 1, -14),
    ]
    if fresh:
        facts += build.obs_set(-1, sedation=1, dissociation=2)
    moved = [_moved(fact, shift) for fact in [*facts, *more, build.weight(70, -60)]]
    return _put(server, name, build.at(-60) + shift, moved, threshold_set=limits, **changes)


def add_facts(server: Server, session: InfusionSession, facts: Sequence[Fact]) -> None:
    """Facts of the last minutes, as saved by another process at the minute each was taken."""
    shift = datetime.now(UTC) - build.T0
    moved = [_moved(fact, shift) for fact in facts]
    with server.store.write(build.audit(), clinic=session.clinic, session_id=session.id) as writer:
        writer.add_facts(session.id, moved)


def put_waiting(server: Server, *, name: str = "Brandt") -> InfusionSession:
    """A patient before the start: weight, one baseline set, no question of the gate answered."""
    shift = datetime.now(UTC) - build.T0
    weight = build.weight(70, -5, height_cm=Decimal(175))
    facts: list[Fact] = [*build.obs_set(-3), weight, build.event("arrived", -5)]
    return _put(server, name, build.at(-6) + shift, [_moved(fact, shift) for fact in facts])


def _put(
    server: Server, name: str, created_at: datetime, facts: Sequence[Fact], **changes: Any
) -> InfusionSession:
    clinic = server.store.user("ablum").clinic
    patient = build.patient(
        family_name=name,
        given_name="Ada",
        allergies="penicillin",
        mrn=f"004 {build.an_id().hex[-12:]}",
    )
    session = build.session(
        weight_kg=None,
        clinic=clinic,
        patient=patient,
        chair="3",
        created_at=created_at,
        created_by="ablum",
        **changes,
    ).with_facts(facts)
    with server.store.write(build.audit(), clinic=clinic) as writer:
        writer.add_patient(patient)
        writer.add_session(session)
    return session


def _moved(fact: Fact, shift: timedelta) -> Fact:
    return replace(
        fact,
        taken_at=fact.taken_at + shift,
        recorded_at=fact.recorded_at + shift,
        recorded_by="ablum",
    )


#: Two touches closer than this, in place and time, are one double tap (taps.js).
DOUBLE_TAP_PX, DOUBLE_TAP_MS = 40, 650


class Tablet:
    """A bedside page driven by touches, which are counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.touches = 0
        self._last = ((-1000.0, -1000.0), 0.0)

    def tap(self, target: Locator) -> None:
        """One touch.  Two at one place have the time between them that a person takes to read."""
        self.touches += 1
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        assert box is not None
        place = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        if (
            dist(place, self._last[0]) < DOUBLE_TAP_PX
            and target.get_attribute("data-repeats") is None
        ):
            self.page.wait_for_timeout(max(0, DOUBLE_TAP_MS - (monotonic() - self._last[1]) * 1000))
        target.tap()
        self._last = (place, monotonic())

    def double_tap(self, target: Locator) -> None:
        """Two clicks at one place, as gloves do; the second meets whatever lies there then.

        One command for both: between two there might be more time than a double tap takes.
        """
        target.scroll_into_view_if_needed()
        expect(target).to_be_enabled()
        box = target.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.dblclick(x, y)

    def keys(self, digits: str) -> None:
        for digit in digits:
            self.tap(self.page.locator(".form .keypad .key", has_text=digit))

    def second_person(self, sheet: Locator, name: str = "C. Diaz", pin: str = "1470") -> None:
        """Somebody else chooses their name and types their PIN."""
        self.tap(sheet.locator(".second-person").get_by_role("button", name=name))
        for digit in pin:
            self.tap(sheet.locator(".second-pad .key", has_text=digit))
        self.tap(sheet.get_by_role("button", name="PIN ✓"))
        expect(sheet.locator(".confirmed")).to_contain_text(name)

    def ordered_by(self, sheet: Locator, name: str = "Dr M. Keller") -> None:
        self.tap(sheet.get_by_role("group", name="Ordered by").get_by_role("button", name=name))

    def score(self, name: str, code: str) -> None:
        group = self.page.get_by_role("radiogroup", name=name)
        self.tap(group.get_by_role("radio").filter(has_text=re.compile(f"^{code}$")))

    def save(self) -> None:
        self.tap(self.page.get_by_role("button", name="SAVE"))

    def field(self, key: str) -> Locator:
        return self.page.locator(f"input[data-key={key}]")

    @property
    def saved(self) -> Locator:
        return self.page.locator(".saved-text")

    @property
    def first_row(self) -> Locator:
        return self.page.locator(".recent .row").first


def saved_values(server: Server, session_id: UUID, minutes: int = 5) -> dict[str, str]:
    """What the record holds of the last minutes, read by a connection of its own."""
    since = datetime.now(UTC) - timedelta(minutes=minutes)
    session = server.store.session(session_id)
    return {
        item.parameter: str(item.value)
        for item in session.current_observations
        if item.taken_at > since
    }
