"""Which side effects and events have a button of their own at the bedside: a choice of the clinic."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from monitor.errors import InvalidEntry, Problem
from monitor.lifecycle import CLINICAL_EVENTS, EventKind
from monitor.side_effects import NONE, TERMS
from monitor.texts import echoed, text_problems

#: As many buttons as stand side by side on the smallest tablet, with a word as long as this.
MOST_EFFECTS = 3
MOST_EVENTS = 7
LONGEST_LABEL = 14
#: As many answers as can be tapped without scrolling.
MOST_ASKS = 8

#: Events that say nothing without a word or two, with what is mostly said.
EVENT_TEXTS: Mapping[EventKind, tuple[str, ...]] = MappingProxyType(
    {
        EventKind.DRUG: ("ondansetron 4 mg IV", "midazolam 1 mg IV", "paracetamol 1 g"),
        EventKind.PREMEDICATION: ("ondansetron 4 mg", "clonidine", "none given"),
        EventKind.OXYGEN: ("2 L/min", "4 L/min", "6 L/min", "stopped"),
        EventKind.NOTE: (),
        EventKind.HANDOVER: (),
        EventKind.SECOND_CHECK: ("rate", "syringe", "bolus"),
    }
)

#: A flow as it is written on a button, and the words for none.
_FLOW = re.compile(r"(?P<flow>[0-9]{1,2}(\.[0-9])?) ?L/min")
_NO_FLOW = frozenset({"stopped", "off", "room air"})


def oxygen_flow(text: str) -> Decimal | None:
    """The oxygen flow in L/min that a button stands for, None when it says no flow."""
    if text in _NO_FLOW:
        return Decimal(0)
    found = _FLOW.fullmatch(text)
    return Decimal(found["flow"]) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectButton:
    """A side effect with a button: a term of the vocabulary and the word on it."""

    term: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventButton:
    """An event with a button: saved at once with ``text``, or after asking when ``asks`` is not None."""

    kind: EventKind
    label: str
    text: str | None = None
    asks: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTap:
    """The buttons of a clinic, in the order they stand."""

    effects: tuple[EffectButton, ...]
    events: tuple[EventButton, ...]


def packaged() -> OneTap:
    """The buttons of a clinic that did not choose its own."""
    text = resources.files("monitor.library").joinpath("one_tap.toml").read_text("utf-8")
    return parse_one_tap(tomllib.loads(text))


def read_one_tap(path: Path) -> OneTap:
    """The buttons of a clinic's own file.

    Raises:
        InvalidEntry: it cannot be read, or something in it is wrong; says everything at once.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        message = f"{path.name} cannot be read: {reason}. See docs/one-tap.md."
        raise InvalidEntry([Problem("one_tap", message)]) from None
    return parse_one_tap(content)


def parse_one_tap(content: Mapping[str, Any]) -> OneTap:
    """The buttons that the content of such a file describes.

    Raises:
        InvalidEntry: says everything that is wrong with it at once.
    """
    problems = [Problem("one_tap", text) for text in _faults(content)]
    if problems:
        raise InvalidEntry(problems)
    return OneTap(
        effects=tuple(
            EffectButton(term=row["term"], label=row.get("label") or TERMS[row["term"]].display)
            for row in content.get("effect", ())
        ),
        events=tuple(_event(row) for row in content.get("event", ())),
    )


def _event(row: Mapping[str, Any]) -> EventButton:
    kind = EventKind(row["kind"])
    asks = row.get("asks")
    if asks is None and "text" not in row:
        asks = EVENT_TEXTS.get(kind)
    return EventButton(
        kind=kind,
        label=row.get("label") or row.get("text") or kind.label,
        text=row.get("text"),
        asks=None if asks is None else tuple(asks),
    )


def _faults(content: Mapping[str, Any]) -> Iterator[str]:
    if content.get("version") != 1:
        yield "version: write version = 1."
    unknown = set(content) - {"version", "effect", "event"}
    if unknown:
        yield f"{_listed(unknown)}: there is only version, [[effect]] and [[event]]."
    yield from _table_faults(content, "effect", MOST_EFFECTS, ("term", "label"))
    yield from _table_faults(content, "event", MOST_EVENTS, ("kind", "label", "text", "asks"))


def _table_faults(
    content: Mapping[str, Any], name: str, most: int, keys: tuple[str, ...]
) -> Iterator[str]:
    rows = content.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        yield f"{name}: write each one as [[{name}]]."
        return
    if len(rows) > most:
        yield f"{name}: {len(rows)} buttons; at most {most} fit on the smallest tablet."
    labels: set[str] = set()
    for number, row in enumerate(rows, start=1):
        where = f"{name} {number}"
        unknown = set(row) - set(keys)
        if unknown:
            yield f"{where}: {_listed(unknown)} means nothing; there is {', '.join(keys)}."
        faults = list(_text_faults(row)) + list(_row_faults(name, row))
        yield from (f"{where}: {fault}" for fault in faults)
        label = str(row.get("label") or row.get("text") or row.get("term") or row.get("kind"))
        if label in labels:
            yield f"{where}: two buttons are called “{echoed(label)}”. Give one another label."
        labels.add(label)


def _row_faults(name: str, row: Mapping[str, Any]) -> Iterator[str]:
    if name == "effect":
        if row.get("term") not in TERMS or row.get("term") == NONE:
            yield f"“{echoed(str(row.get('term')))}” is no side effect of the list."
    elif row.get("kind") not in CLINICAL_EVENTS:
        known = ", ".join(CLINICAL_EVENTS)
        yield f"there is no event “{echoed(str(row.get('kind')))}”. Choose one of: {known}."
    elif "text" in row and "asks" in row:
        yield "text is saved at once, asks asks first; write one of them."
    elif row["kind"] == EventKind.DRUG and "text" in row:
        yield "a drug is always asked for, never saved at one tap; write asks."
    elif row["kind"] == EventKind.OXYGEN:
        yield from _flow_faults(row)


def _flow_faults(row: Mapping[str, Any]) -> Iterator[str]:
    """Oxygen without a number raises no alert, so that no button may say it in words only."""
    asks = row.get("asks", [])
    texts = [*(asks if isinstance(asks, list) else []), *([row["text"]] if "text" in row else [])]
    for text in texts:
        if isinstance(text, str) and oxygen_flow(text) is None:
            yield f"“{echoed(text)}” is no oxygen flow. Write it like “2 L/min”, or “stopped”."


def _text_faults(row: Mapping[str, Any]) -> Iterator[str]:
    asks = row.get("asks", [])
    if not isinstance(asks, list) or not all(isinstance(item, str) and item for item in asks):
        yield "asks is a list of words."
        asks = []
    if len(asks) > MOST_ASKS:
        yield f"asks has {len(asks)} answers; at most {MOST_ASKS} fit."
    for key in ("label", "text"):
        value = row.get(key)
        if key in row and (not isinstance(value, str) or not value.strip()):
            yield f"{key} is a word or two."
    label = row.get("label") or row.get("text")
    if isinstance(label, str) and len(label) > LONGEST_LABEL:
        yield f"“{echoed(label)}” does not fit on a button; at most {LONGEST_LABEL} characters do."
    texts = {"text": row.get("text"), "label": row.get("label")}
    texts |= {f"asks {index}": text for index, text in enumerate(asks, start=1)}
    kept = {key: text for key, text in texts.items() if isinstance(text, str)}
    yield from (problem.message for problem in text_problems(kept))


def _listed(names: set[str]) -> str:
    return ", ".join(f"“{echoed(name)}”" for name in sorted(names))
