"""The rounds: an entry at each bed, the faults, the recovery, and the count in the record."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Error

from tests.soak.bed import Bed, a_set
from tests.soak.plan import SAVE_STEPS, Fault, Round
from tests.soak.record import Values, sets_of, values_of
from tests.soak.traps import Order
from tests.soak.ward import Ward

#: A bed gets a new session after so many sets; a real one has hardly more.
SETS_PER_SESSION = 24
SLOW_S, VERY_SLOW_S = 2.0, 11.0
#: A trap that nothing reached by then is done by hand.
_TRAP_S = 8.0
#: What half a set is.
_FIRST = ("hr", "sbp", "dbp")
#: A refused save is on the screen by then.
_SAID_S = 20.0


@dataclass(slots=True)
class Entry:
    """One set that was tapped.  ``found`` is how often the record holds it at the end."""

    session_id: str
    values: dict[str, str]
    fault: dict[str, Any]
    acknowledged: bool = False
    #: Not sent when the browser died: the values stood in the form again and were saved from there.
    from_draft: bool = False
    #: Saved or waiting, and standing in the form again as if it were not.
    offered_again: bool = False
    #: The screen said NOT SAVED while the save was refused (full disk, no fsync, locked).
    said_not_saved: bool | None = None
    found: int = 0
    others: int = 0


@dataclass(slots=True)
class Outcome:
    """What became of one round."""

    number: int
    entries: list[Entry]
    struck: int
    #: Forms in which something stood that nobody had typed there.
    stood: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


class Shift:
    """Works through rounds at one ward and writes down what became of each."""

    def __init__(self, ward: Ward, journal: Path) -> None:
        self.ward = ward
        self._journal = journal
        self._beds: list[Bed] = []
        self._tapped: dict[str, list[Values]] = {}
        self._before: dict[str, Counter[Values]] = {}
        self._notes: list[str] = []
        self._stood = 0

    def outcomes(self, rounds: list[Round]) -> Iterator[Outcome]:
        """Do the rounds; each is written down before it is told."""
        for one in rounds:
            begin = time.monotonic()
            outcome = self._round(one)
            outcome.seconds = round(time.monotonic() - begin, 2)
            with self._journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(outcome)) + "\n")
            yield outcome

    # -- one round -------------------------------------------------------------------------------
    def _round(self, one: Round) -> Outcome:
        chance = random.Random(one.seed)
        self._notes = []
        self._stood = 0
        beds = self._prepared(len(one.faults))
        entries = [
            Entry(bed.session_id, a_set(len(self._tapped[bed.session_id]), chance), asdict(fault))
            for bed, fault in zip(beds, one.faults, strict=True)
        ]
        for entry in entries:
            self._tapped[entry.session_id].append(values_of(entry.values))
        struck_before = len(self.ward.wire.struck)
        fault = one.faults[0]
        strike = {"server": self._server, "browser": self._browser, "network": self._network}
        strike[one.side](one, beds, entries, chance)
        # Every fifth round the tablets find out by themselves that the network is back.
        if one.number % 5:
            for bed in beds:
                bed.hurry()
        for bed, entry in zip(beds, entries, strict=True):
            self._recovered(bed, entry)
        struck = len(entries)
        if fault.kind != "offline" and one.side == "network":
            struck = len(self.ward.wire.struck) - struck_before
        for entry in entries:
            self._count(entry)
        return Outcome(one.number, entries, struck, self._stood, notes=self._notes)

    def _prepared(self, count: int) -> list[Bed]:
        """Beds with an empty form; a full session makes room for a new one."""
        opened = []
        while len(self._beds) < self.ward.beds:
            address = self.ward.address(len(self._beds))
            self._beds.append(Bed(self.ward.context, address, self._new_session()))
            opened.append(self._beds[-1])
        for bed in self._beds[:count]:
            if len(self._tapped[bed.session_id]) >= SETS_PER_SESSION:
                bed.session_id = self._new_session()
                opened.append(bed)
        _open_together(opened)
        return self._beds[:count]

    def _new_session(self) -> str:
        session_id = self.ward.add_session()
        self._tapped[session_id] = []
        self._before[session_id] = sets_of(self.ward.database, session_id)
        return session_id

    def _move_on(self, bed: Bed) -> None:
        bed.session_id = self._new_session()
        bed.open()

    # -- faults of the server --------------------------------------------------------------------
    def _server(
        self, one: Round, beds: list[Bed], entries: list[Entry], chance: random.Random
    ) -> None:
        fault = one.faults[0]
        if fault.step == "typing":
            self._type(beds, entries, half=True)
            self.ward.kill_server()
            self._finish_typing(beds, entries)
            self._save_at(beds)
            self.ward.restart_server()
            return
        self._type(beds, entries)
        if fault.step in SAVE_STEPS:
            self._trapped(one.number, fault, beds, entries)
        elif fault.kind == "kill":
            with self.ward.killed_after(fault.delay_s):
                self._save_at(beds)
            self.ward.restart_server()
        else:
            refused = {"locked": self.ward.locked, "file_limit": self.ward.no_file_grows}
            with refused[fault.kind]():
                self._save_at(beds)
                self._see_not_saved(beds, entries)

    def _trapped(self, number: int, fault: Fault, beds: list[Bed], entries: list[Entry]) -> None:
        acts = {"slow": "sleep", "very_slow": "sleep"}
        self.ward.place(
            Order(
                name=str(number),
                step=fault.step,
                nth=0 if fault.kind in acts else 1 if fault.kind != "kill" else fault.nth,
                act=acts.get(fault.kind, fault.kind),
                seconds=VERY_SLOW_S if fault.kind == "very_slow" else SLOW_S,
            )
        )
        self._save_at(beds)
        if fault.kind in acts:
            self._beds[0].page.wait_for_timeout(
                1000 * (VERY_SLOW_S if fault.kind == "very_slow" else SLOW_S)
            )
            self.ward.trap.unlink()
            return
        if fault.kind == "kill":
            if not self.ward.died(_TRAP_S):
                self._notes.append(f"no save reached {fault.step} {fault.nth}: killed by hand")
        else:
            self._see_not_saved(beds, entries)
        self.ward.kill_server()
        self.ward.restart_server()

    def _see_not_saved(self, beds: list[Bed], entries: list[Entry]) -> None:
        """Every refused entry must be called NOT SAVED; none may be called saved."""
        for bed, entry in zip(beds, entries, strict=True):
            deadline = time.monotonic() + _SAID_S
            look = bed.look()
            while (look is None or look.line != "unsaved") and time.monotonic() < deadline:
                bed.page.wait_for_timeout(100)
                look = bed.look()
            entry.said_not_saved = look is not None and "NOT SAVED" in look.text

    # -- faults of the browser -------------------------------------------------------------------
    def _browser(
        self, one: Round, beds: list[Bed], entries: list[Entry], chance: random.Random
    ) -> None:
        typing = one.faults[0].step == "typing"
        self._type(beds, entries, half=typing)
        if one.faults[0].kind == "browser_killed":
            if not typing:
                self._save_at(beds, closely=True)
                time.sleep(one.faults[0].delay_s)
            self.ward.kill_browser()
            self.ward.relaunch(sign_in_anew=chance.random() < 0.5)
            _open_together(self._beds, self.ward.context)
        else:
            for bed, fault in zip(beds, one.faults, strict=True):
                if not typing:
                    self._save_at([bed], closely=True)
                    time.sleep(fault.delay_s / 3)
                self._lose_page(bed, fault.kind)
            for bed in beds:
                bed.wait_open()
        if typing:
            self._finish_typing(beds, entries)
            self._save_at(beds)

    def _lose_page(self, bed: Bed, kind: str) -> None:
        if kind == "crash":
            self.ward.crash(bed)
            with suppress(Error):
                bed.page.close()
        elif kind == "close":
            bed.page.close()
        elif kind == "reload":
            bed.page.reload(wait_until="commit")
        else:
            bed.page.goto("about:blank")
            bed.page.go_back(wait_until="commit")
        bed.begin_open()

    # -- faults of the network -------------------------------------------------------------------
    def _network(
        self, one: Round, beds: list[Bed], entries: list[Entry], chance: random.Random
    ) -> None:
        self._type(beds, entries)
        if one.faults[0].kind == "offline":
            self.ward.context.set_offline(True)
            self._save_at(beds)
            self._see_not_saved(beds, entries)
            self.ward.context.set_offline(False)
            return
        for bed, fault in zip(beds, one.faults, strict=True):
            self.ward.wire.strike(bed.session_id, fault.kind)
        self._save_at(beds)

    # -- what the nurse does ---------------------------------------------------------------------
    def _type(self, beds: list[Bed], entries: list[Entry], *, half: bool = False) -> None:
        for bed, entry in zip(beds, entries, strict=True):
            bed.type_set(entry.values, half=half)
            look = bed.look()
            meant = {key: entry.values[key] for key in _FIRST} if half else entry.values
            if look is None or look.typed != meant:
                self._notes.append(f"typed {meant}, stands there {look}")
                self._stood += 1
                self._leave_form(bed, entry)
                bed.type_set(entry.values, half=half)

    def _leave_form(self, bed: Bed, entry: Entry) -> None:
        """Nobody saves what she did not type: the entry is made at another session."""
        self._tapped[bed.session_id].remove(values_of(entry.values))
        self._move_on(bed)
        entry.session_id = bed.session_id
        self._tapped[bed.session_id].append(values_of(entry.values))

    def _finish_typing(self, beds: list[Bed], entries: list[Entry]) -> None:
        """What was typed must stand there still; the rest is typed behind it."""
        for bed, entry in zip(beds, entries, strict=True):
            first = {key: entry.values[key] for key in _FIRST}
            deadline = time.monotonic() + 10
            look = bed.look()
            while (look is None or look.typed != first) and time.monotonic() < deadline:
                bed.page.wait_for_timeout(50)
                look = bed.look()
            if look is None or look.typed != first:
                self._notes.append(f"typed {first}, found {look and look.typed}")
                bed.open()
                bed.type_set(entry.values)
                continue
            bed.go_on(entry.values)

    def _save_at(self, beds: list[Bed], *, closely: bool = False) -> None:
        """SAVE at each bed; ``closely`` does not wait for the browser's answer to the tap."""
        for bed in beds:
            bed.tap_save(at_once=closely)

    # -- recovery and count ----------------------------------------------------------------------
    def _recovered(self, bed: Bed, entry: Entry) -> None:
        look = bed.settle()
        if look is None or not look.says_all_is_saved:
            self._notes.append(f"did not settle: {look}")
            with suppress(Error):
                bed.page.screenshot(path=self.ward.folder / f"stuck-{time.time():.0f}.png")
            bed.open()
            look = bed.settle()
        if look is not None and look.typed:
            recorded = self._recorded(entry.session_id)[values_of(entry.values)]
            if recorded:
                entry.offered_again = True
                self._move_on(bed)
                return
            entry.from_draft = look.typed == entry.values
            self._save_at([bed])
            look = bed.settle()
        entry.acknowledged = look is not None and look.says_all_is_saved

    def _recorded(self, session_id: str) -> Counter[Values]:
        """The sets of a session besides those it was made with."""
        return sets_of(self.ward.database, session_id) - self._before[session_id]

    def _count(self, entry: Entry) -> None:
        recorded = self._recorded(entry.session_id)
        entry.found = recorded[values_of(entry.values)]
        entry.others = sum((recorded - Counter(self._tapped[entry.session_id])).values())
        if entry.found != 1 or entry.others:
            self._notes.append(
                f"{entry.fault['kind']} at {entry.fault['step']}: found {entry.found} times,"
                f" {entry.others} sets that nobody entered; {entry.values} in {entry.session_id};"
                f" on the wire {self.ward.wire.heard[entry.session_id][-6:]}"
            )
            # What is wrong once must not be counted again with the next entry of this session.
            for bed in self._beds:
                if bed.session_id == entry.session_id:
                    self._move_on(bed)


def _open_together(beds: list[Bed], context: BrowserContext | None = None) -> None:
    """All pages are on their way before any of them is waited for."""
    for bed in beds:
        bed.begin_open(context)
    for bed in beds:
        bed.wait_open()
