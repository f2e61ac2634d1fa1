"""Which faults come when: fixed by the seed, so that a run can be stopped, resumed and repeated."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice

SEED = 20_260_301
#: Beds at one server and in one browser: what stops either of them hits an entry at each bed.
BEDS = 10
#: Shares of the faults by where they strike (design.md 10: 700, 150 and 150 of 1,000).
SHARES = {"server": 70, "browser": 15, "network": 15}

#: Moments of one save inside the server, where tests/soak/traps.py can stop it.
SAVE_STEPS = ("arrived", "begun", "facts", "chain", "before_commit", "after_commit", "answered")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a round.

    ``step`` is the moment it strikes: ``typing`` (the set is half entered), ``tap`` (``delay_s``
    after the first tap on SAVE) or one of SAVE_STEPS at the ``nth`` save.
    """

    side: str
    kind: str
    step: str
    nth: int = 1
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Round:
    """One entry at each bed, and what goes wrong: one fault for all beds, or one for each."""

    number: int
    faults: tuple[Fault, ...]
    seed: int

    @property
    def side(self) -> str:
        return self.faults[0].side


#: Each is dealt as often as it stands here, and mixed by the seed.
_KILLS = [("kill", step) for step in (*SAVE_STEPS, "before_commit", "after_commit")]
_KILLS += [("kill", "tap")] * 3 + [("kill", "typing")]
_SERVER = [
    *_KILLS,
    ("slow", "begun"),
    ("slow", "answered"),
    ("very_slow", "answered"),
    ("locked", "tap"),
    ("locked", "tap"),
    ("no_sync", "before_commit"),
    ("no_room", "facts"),
    ("file_limit", "tap"),
]
_BROWSER = [
    ("browser_killed", "tap"),
    ("page", "tap"),
    ("browser_killed", "tap"),
    ("page", "typing"),
    ("browser_killed", "typing"),
    ("page", "tap"),
]
_PAGE = ["crash", "reload", "back", "close"]
_NETWORK = [("wire", "tap"), ("offline", "tap"), ("wire", "tap"), ("wire", "tap")]
_WIRE = [
    "cut_before",
    "cut_in_body",
    "cut_after",
    "answer_lost",
    "answer_held",
    "doubled",
    "doubled_late",
]


def rounds(faults: int, seed: int = SEED, beds: int = BEDS) -> tuple[Round, ...]:
    """The rounds of a run of so many faults, mixed, each side with its share."""
    chance = random.Random(seed)
    dealt = {
        "server": _shuffled(_SERVER, chance),
        "browser": _shuffled(_BROWSER, chance),
        "network": _shuffled(_NETWORK, chance),
    }
    total = -(-faults // beds)
    counts = {side: round(total * share / 100) for side, share in SHARES.items()}
    counts["server"] = total - counts["browser"] - counts["network"]
    sides = [side for side, count in counts.items() for _ in range(count)]
    chance.shuffle(sides)
    found, left = [], faults
    for number, side in enumerate(sides):
        here = min(beds, left)
        left -= here
        kind, step = next(dealt[side])
        found.append(Round(number, _faults(side, kind, step, here, chance), chance.getrandbits(32)))
    return tuple(found)


def _shuffled(kinds: list[tuple[str, str]], chance: random.Random) -> Iterator[tuple[str, str]]:
    """All of them in an order of their own, again and again."""
    while True:
        yield from chance.sample(kinds, len(kinds))


def _faults(side: str, kind: str, step: str, beds: int, chance: random.Random) -> tuple[Fault, ...]:
    # Up to three quarters of a second after the tap, most of them in the first tenths.
    delays = [round(0.75 * chance.random() ** 2, 3) for _ in range(beds)]
    if kind in ("page", "wire"):
        names = _PAGE if kind == "page" else _WIRE
        dealt = islice(cycle(chance.sample(names, len(names))), beds)
        return tuple(
            Fault(side, name, step, 1, delay) for name, delay in zip(dealt, delays, strict=True)
        )
    nth = chance.randint(1, beds)
    return tuple(Fault(side, kind, step, nth, delays[0]) for _ in range(beds))
