"""One bedside screen in the browser: a set entered by keyboard, and what the screen says."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import BrowserContext, Error, Page

READY_S = 60.0
#: An entry asks again after at most 15 s, and waits 10 s for an answer.
SETTLED_S = 60.0

#: What stands on the screen, and what waits in this browser for this session.
LOOK_JS = """
async (session) => {
  const holder = [...document.querySelectorAll('*')].find((n) => n.shadowRoot?.querySelector('.bedside'));
  if (!holder) return null;
  const root = holder.shadowRoot;
  const entries = await new Promise((resolve, reject) => {
    const request = indexedDB.open('bedside');
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const got = request.result.transaction('outbox', 'readonly').objectStore('outbox').getAll();
      got.onsuccess = () => { request.result.close(); resolve(got.result); };
      got.onerror = () => reject(got.error);
    };
  });
  const ask = root.querySelector('.ask');
  const dialog = root.querySelector('[role=dialog]:not([hidden])');
  const groups = [...root.querySelectorAll('.form [role=radiogroup]')];
  const chosen = (name) => groups.find((group) => group.ariaLabel.toLowerCase().startsWith(name.slice(0, 6)))
    .querySelector('[aria-checked=true]');
  const typed = {};
  for (const input of root.querySelectorAll('input[data-key]')) if (input.value) typed[input.dataset.key] = input.value;
  for (const name of ['sedation', 'dissociation', 'nausea']) if (chosen(name)) typed[name] = chosen(name).textContent;
  return {
    line: root.querySelector('.saved').dataset.state,
    text: root.querySelector('.saved-text').textContent,
    asked: ask && !ask.hidden ? ask.textContent : null,
    dialog: dialog ? dialog.textContent : null,
    restored: root.querySelector('.bedside').hasAttribute('data-restored'),
    waiting: entries.filter((item) => item.session_id === session).map((item) => item.id),
    typed,
  };
}
"""


@dataclass(frozen=True, slots=True)
class Look:
    """``line`` is saved, sending, unsaved or question; ``waiting`` are ids of unsent entries.

    ``restored`` once a draft that there was stands in the form: before, an empty form says nothing.
    """

    line: str
    text: str
    asked: str | None
    dialog: str | None
    restored: bool
    waiting: list[str]
    typed: dict[str, str]

    @property
    def says_all_is_saved(self) -> bool:
        return self.restored and self.line == "saved" and not self.waiting and not self.asked


class Bed:
    """The tablet at one bed, as a nurse with a keyboard uses it."""

    def __init__(self, context: BrowserContext, address: str, session_id: str) -> None:
        self.context = context
        self._address = address
        self.session_id = session_id
        self.page = self._new_page()

    def _new_page(self) -> Page:
        page = self.context.new_page()
        # A page with an unsent entry asks before it goes; this nurse goes.
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    def open(self) -> None:
        """Open the bedside page anew."""
        self.begin_open()
        self.wait_open()

    def begin_open(self, context: BrowserContext | None = None) -> None:
        """The page is on its way, in another browser when one is given."""
        if context is not None:
            self.context = context
        if context is not None or self.page.is_closed():
            self.page = self._new_page()
        self.page.goto(f"{self._address}/bedside?session={self.session_id}", wait_until="commit")

    def wait_open(self) -> None:
        self.page.locator("input[data-key=hr]").wait_for(timeout=READY_S * 1000)

    def type_set(self, entered: dict[str, str], *, half: bool = False) -> None:
        """Vital signs and scores by keyboard; half of it stops behind the pressures."""
        keys = ("hr", "sbp", "dbp") if half else ("hr", "sbp", "dbp", "spo2", "rr")
        self.page.locator("input[data-key=hr]").focus()
        self.page.keyboard.type("".join(entered[key] for key in keys))
        if not half:
            self._type_scores(entered)

    def go_on(self, entered: dict[str, str]) -> None:
        """The second half of a set whose first half stands there."""
        self.page.locator("input[data-key=spo2]").focus()
        self.page.keyboard.type(entered["spo2"] + entered["rr"])
        self._type_scores(entered)

    def _type_scores(self, entered: dict[str, str]) -> None:
        for name in ("sedation", "dissociation", "nausea"):
            self.page.keyboard.type(entered[name])
            self.page.keyboard.press("Tab")

    def tap_save(self, *, at_once: bool = False) -> None:
        """SAVE; ``at_once`` is over as soon as the page has heard of it."""
        save = self.page.locator(".form .save")
        if at_once:
            save.evaluate("(node) => node.click()")
        else:
            save.click(no_wait_after=True)

    def look(self) -> Look | None:
        """What the screen shows; None while the page is not there."""
        with suppress(Error):
            seen: dict[str, Any] | None = self.page.evaluate(LOOK_JS, self.session_id)
            return Look(**seen) if seen else None
        return None

    def hurry(self) -> None:
        """What a tablet's browser says when the network is back."""
        with suppress(Error):
            self.page.evaluate("dispatchEvent(new Event('online'))")

    def settle(self, seconds: float = SETTLED_S) -> Look | None:
        """Wait until the screen says that everything is saved; what it last said otherwise."""
        deadline = time.monotonic() + seconds
        look = self.look()
        while time.monotonic() < deadline:
            if look is not None and (look.says_all_is_saved or look.asked):
                return look
            self.page.wait_for_timeout(100)
            look = self.look()
        return look


def a_set(number: int, chance: random.Random) -> dict[str, str]:
    """A believable set that stands once in its session: its number is in the pressures."""
    return {
        "hr": str(chance.randint(62, 92)),
        "sbp": str(116 + number % 30),
        "dbp": str(68 + number // 30 % 12),
        "spo2": str(chance.randint(95, 99)),
        "rr": str(chance.randint(12, 18)),
        "sedation": str(chance.randint(0, 1)),
        "dissociation": str(chance.randint(0, 3)),
        "nausea": "0",
    }
