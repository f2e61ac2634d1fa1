"""Touches and time for what a nurse does most: a browser taps as a person would, without pauses.

Counted on both sizes of tablet.  The time goes from the first touch (or key) to "saved" on the
screen, by the page's own clock.  The robot waits for nothing but what the screen makes it wait for:
a second touch at one place is a double tap until 0.6 s have passed (taps.js).  What a robot cannot
be quicker than, a person cannot either; how much slower a person is, only persons can show.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, expect

from tests.benchmarks.browser import SIZES, chromium, our_server, signed_in
from tests.benchmarks.report import Figure, percentile
from tests.browser.tablet import Tablet, put_session
from tests.server import Server

RUNS = 3
#: By what is done: at most so many touches.  A bolus has no goal of its own: seven of its touches
#: are the reason and the second person's name and PIN.
TOUCH_GOALS = {"set": 15, "step": 3, "effect": 2, "amend": 4, "late": 16}
KEYBOARD_GOAL_S = 15

#: Notes when the first touch or key reaches the page and when its screen has said "saved".
WATCH_JS = """
() => {
  const root = [...document.querySelectorAll('*')]
    .find((node) => node.shadowRoot?.querySelector('.bedside')).shadowRoot;
  const line = root.querySelector('.saved-text');
  let begin = null;
  for (const kind of ['pointerdown', 'keydown']) {
    addEventListener(kind, (event) => { begin ??= event.timeStamp; }, { capture: true });
  }
  window.__journey = new Promise((resolve) => {
    const seen = new MutationObserver(() => {
      if (begin === null || !line.textContent.startsWith('✓ saved')) return;
      seen.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() =>
        resolve((performance.now() - begin) / 1000)));
    });
    seen.observe(line, { childList: true, characterData: true, subtree: true });
  });
}
"""


def _open(page: Page, server: Server) -> Tablet:
    page.goto(f"/bedside?session={put_session(server).id}")
    expect(page.locator(".bedside[data-restored]")).to_be_attached(timeout=30_000)
    return Tablet(page)


# -- what is done ---------------------------------------------------------------------------------


def normal_set(tablet: Tablet) -> None:
    """HR 68, BP 128/76, SpO2 97, RR 14, sedation 1, dissociation 3, nausea 0."""
    tablet.keys("68128769714")
    tablet.score("Sedation", "1")
    tablet.score("Dissoc", "3")
    tablet.score("Nausea", "0")
    tablet.save()


def worst_set(tablet: Tablet) -> None:
    """HR 104, BP 172/104, SpO2 100, RR 8, pain 6 beside the scores."""
    page = tablet.page
    tablet.keys("104172104100")
    tablet.keys("8")
    tablet.score("Sedation", "1")
    tablet.score("Dissoc", "3")
    tablet.score("Nausea", "0")
    tablet.tap(page.locator(".form .pain"))
    sheet = page.get_by_role("dialog")
    tablet.tap(
        sheet.get_by_role("radio", name="6").or_(sheet.get_by_role("button", name="6")).first
    )
    tablet.save()
    ask = page.locator(".ask:not([hidden])")
    saved = page.locator(".saved-text", has_text="✓ saved")
    expect(ask.or_(saved).first).to_be_visible()
    while ask.is_visible():
        tablet.tap(ask.get_by_role("button").first)
        expect(ask.or_(saved).first).to_be_visible()


def late_set(tablet: Tablet) -> None:
    """The normal set, taken ten minutes ago."""
    tablet.tap(tablet.page.get_by_role("button", name="10 minutes ago"))
    normal_set(tablet)


def planned_step(tablet: Tablet) -> None:
    """The next planned step, with its reason when one is asked."""
    tablet.tap(tablet.page.locator("[data-dose=up]"))
    sheet = tablet.page.get_by_role("dialog")
    if sheet.locator(".confirm").is_disabled():
        tablet.tap(sheet.get_by_role("button", name="doctor's order"))
    tablet.tap(sheet.locator(".confirm"))


def bolus(tablet: Tablet) -> None:
    """5 mg at once: looked at, a reason, a second person's name and PIN, confirmed."""
    sheet = tablet.page.get_by_role("dialog")
    tablet.tap(tablet.page.locator("[data-dose=bolus]"))
    tablet.tap(sheet.locator(".key", has_text="5"))
    tablet.tap(sheet.get_by_role("button", name="Next"))
    tablet.tap(sheet.get_by_role("button", name="doctor's order"))
    tablet.second_person(sheet, "Dr M. Keller", "3690")
    tablet.tap(sheet.locator(".confirm"))


def side_effect(tablet: Tablet) -> None:
    """A side effect with its grade."""
    tablet.tap(tablet.page.locator("[data-effect=dizzy]"))
    tablet.tap(tablet.page.locator("[data-grade='2']"))


def correction(tablet: Tablet) -> None:
    """A wrong heart rate replaced, with a reason."""
    tablet.tap(tablet.first_row.locator("[data-parameter=hr]"))
    sheet = tablet.page.get_by_role("dialog")
    for digit in "86":
        tablet.tap(sheet.locator(".key", has_text=digit))
    tablet.tap(sheet.get_by_role("button", name="typing slip"))


def set_by_keyboard(tablet: Tablet) -> None:
    """The normal set without a touch; here every key counts."""
    keyboard = tablet.page.keyboard
    # The form has the focus when the page opens: nothing has to be touched first.
    expect(tablet.field("hr")).to_be_focused()
    for digit in "68128769714":
        keyboard.press(digit)
        tablet.touches += 1
    for score in "130":
        keyboard.press(score)
        keyboard.press("Tab")
        tablet.touches += 2
    save = tablet.page.get_by_role("button", name="SAVE")
    while not save.evaluate("(node) => node.getRootNode().activeElement === node"):
        assert tablet.touches < 40, "SAVE is not reached with the Tab key"
        keyboard.press("Tab")
        tablet.touches += 1
    keyboard.press("Enter")
    tablet.touches += 1


JOURNEYS: dict[str, Callable[[Tablet], None]] = {
    "set": normal_set,
    "set_worst": worst_set,
    "late": late_set,
    "step": planned_step,
    "bolus": bolus,
    "effect": side_effect,
    "amend": correction,
    "set_keyboard": set_by_keyboard,
}


# -- counted --------------------------------------------------------------------------------------


@dataclass
class _Counted:
    """Touches and seconds of one journey, by size of tablet."""

    touches: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, size: str, touches: int, seconds: float) -> None:
        assert self.touches.setdefault(size, touches) == touches, "not the same every time"
        self.seconds.setdefault(size, []).append(seconds)

    def figures(self, name: str, note: str) -> list[Figure]:
        """The size on which it takes longer; both sizes beside."""
        goal = TOUCH_GOALS.get(name)
        medians = {size: statistics.median(times) for size, times in self.seconds.items()}
        n = sum(map(len, self.seconds.values()))
        unit = "keys" if name == "set_keyboard" else "taps"
        return [
            Figure(
                f"{'keys_set' if name == 'set_keyboard' else f'touches_{name}'}",
                max(self.touches.values()),
                unit,
                n,
                ", ".join(f"{size}: {count}" for size, count in self.touches.items()),
                "; ".join(filter(None, [f"goal <= {goal}" if goal else "", note])),
            ),
            Figure(
                f"seconds_{name}",
                round(max(medians.values()), 2),
                "s",
                n,
                ", ".join(
                    f"{size}: median {medians[size]:.2f}, longest {max(times):.2f}"
                    for size, times in self.seconds.items()
                ),
                "a robot, from the first touch to saved"
                if name != "set_keyboard"
                else f"a robot, from the first key to saved; goal < {KEYBOARD_GOAL_S}",
            ),
        ]


def count_touches() -> list[Figure]:
    """touches_* and seconds_* of every journey on both sizes of tablet."""
    counted = {name: _Counted() for name in JOURNEYS}
    with our_server() as server, chromium() as browser:
        for size in SIZES:
            for name, act in JOURNEYS.items():
                for _ in range(RUNS):
                    counted[name].add(_named(size), *_done(browser, server, size, act))
    worst = counted.pop("set_worst")
    figures = []
    for name, one in counted.items():
        note = f"the worst set takes {max(worst.touches.values())}" if name == "set" else ""
        figures += one.figures(name, note)
    return figures


def _named(size: dict[str, int]) -> str:
    return f"{size['width']}x{size['height']}"


def _done(
    browser: Browser, server: Server, size: dict[str, int], act: Callable[[Tablet], None]
) -> tuple[int, float]:
    # A tablet of its own each time: none was at another chair a moment ago.
    context = signed_in(browser, server, "nurse", size)
    page = context.new_page()
    tablet = _open(page, server)
    page.evaluate(WATCH_JS)
    act(tablet)
    expect(tablet.saved).to_contain_text("✓ saved", timeout=15_000)
    seconds = page.evaluate("window.__journey")
    context.close()
    return tablet.touches, seconds


# -- warnings while typing ------------------------------------------------------------------------

WARNING_GOAL_MS = 150
WARNINGS_PER_FIELD = 8
#: Row, field, what is typed before, and the digit that puts it outside a limit.
_OUTSIDE = (("hr", "hr", "17", "5"), ("bp", "sbp", "18", "5"), ("spo2", "spo2", "8", "5"))

#: Resolves with milliseconds from the press to two frames after words stand at the field.
WARNED_JS = """
(row) => {
  const root = [...document.querySelectorAll('*')]
    .find((node) => node.shadowRoot?.querySelector('.bedside')).shadowRoot;
  const message = root.querySelector(`[data-row=${row}] .message`);
  if (message.textContent) throw new Error(`it says already: ${message.textContent}`);
  let begin = null;
  for (const kind of ['pointerdown', 'keydown']) {
    addEventListener(kind, (event) => { begin ??= event.timeStamp; }, { capture: true, once: true });
  }
  window.__warned = new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('no warning came')), 10000);
    const seen = new MutationObserver(() => {
      if (begin === null || !message.textContent) return;
      seen.disconnect();
      clearTimeout(late);
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - begin)));
    });
    seen.observe(message, { childList: true, characterData: true, subtree: true });
  });
}
"""


def time_warnings() -> list[Figure]:
    """warning_ms, warning_p95_ms: the tablet is offline, so that no server can have a part in it."""
    taken: dict[str, list[float]] = {}
    with our_server() as server, chromium() as browser:
        for size in SIZES:
            context = signed_in(browser, server, "nurse", size)
            tablet = _open(context.new_page(), server)
            context.set_offline(True)
            for turn in range(WARNINGS_PER_FIELD):
                for row, key, before, last in _OUTSIDE:
                    by_key = turn % 2 == 0
                    time_ms = _warned(tablet, row, key, before, last, by_key=by_key)
                    taken.setdefault(_named(size), []).append(time_ms)
            context.close()
    every = [time_ms for times in taken.values() for time_ms in times]
    beside = ", ".join(
        f"{size}: median {statistics.median(times):.0f}, p95 {percentile(times, 95):.0f} ms"
        for size, times in taken.items()
    )
    note = f"half by key, half on the keypad; offline; goal <= {WARNING_GOAL_MS}"
    return [
        Figure("warning_ms", round(statistics.median(every), 1), "ms", len(every), beside, note),
        Figure("warning_p95_ms", round(percentile(every, 95), 1), "ms", len(every), beside, note),
    ]


def _warned(tablet: Tablet, row: str, key: str, before: str, last: str, *, by_key: bool) -> float:
    page = tablet.page
    tablet.field(key).focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Backspace")
    page.keyboard.type(before)
    page.evaluate(WARNED_JS, row)
    if by_key:
        page.keyboard.press(last)
    else:
        tablet.keys(last)
    return float(page.evaluate("window.__warned"))
