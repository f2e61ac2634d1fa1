"""A limit set as a person edits it: the cells of a table, and back to a content to be stored.

Only what may be tuned can be changed: when a row fires and ends, how it is confirmed, whether it is
in force, and the times of the alerts.  What a row is about stays as it was packaged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from monitor.errors import Problem
from monitor.protocol_difference import Change

#: Parts of a level that are edited, with what people call them, in the order of the table.
PARTS: Mapping[str, str] = {
    "fires": "when",
    "clears": "ends",
    "confirm": "confirmed by",
    "at_once": "at once when",
    "counts_when": "counts only when",
}
LEVEL_PARTS: Mapping[str, tuple[str, ...]] = {
    "warning": ("fires", "clears", "confirm", "counts_when"),
    "critical": ("fires", "clears", "confirm", "at_once"),
}
#: A reading that is enough by itself.
SINGLE = "single"
_OWN = "The clinic's own limit"


@dataclass(frozen=True, slots=True)
class TimeField:
    """A time of the set in minutes and seconds: where it is stored, what it is."""

    path: str
    label: str
    index: int | None = None


TIMES: tuple[TimeField, ...] = (
    TimeField("confirm.repeat.from_s", "a repeat counts from"),
    TimeField("confirm.repeat.until_s", "without a repeat confirmed after"),
    TimeField("confirm.repeat_soon.from_s", "SpO2: a repeat counts from"),
    TimeField("confirm.repeat_soon.until_s", "SpO2: without a repeat confirmed after"),
    TimeField("confirm.no_trace.until_s", "no SpO2 trace: critical after"),
    TimeField("alerts.escalate_critical_after_s", "unanswered critical: anaesthetist after", 0),
    TimeField("alerts.escalate_critical_after_s", "unanswered critical: clinic lead after", 1),
    TimeField("alerts.escalate_warning_after_s", "unanswered warning: shift lead after"),
    TimeField("alerts.refire_after_s", "answered and still there: again after"),
    TimeField("alerts.suppress_critical_at_most_s", "a critical is silenced at most for"),
    TimeField("alerts.suppress_warning_at_most_s", "a warning is silenced at most for"),
)


@dataclass(frozen=True, slots=True)
class LimitCells:
    """One row as it stands in the table: ``parts`` by (level, part), empty where there is none."""

    id: str
    label: str
    parts: Mapping[tuple[str, str], str]
    in_force: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSetEntry:
    """What was typed: the rows, the times as typed (``2:00`` or seconds) by label, the name."""

    code: str
    name: str
    rows: tuple[LimitCells, ...]
    times: Mapping[str, str] = field(default_factory=dict)


def entry_of(content: Mapping[str, Any]) -> LimitSetEntry:
    """A stored content as the table shows it."""
    return LimitSetEntry(
        code=content["code"],
        name=content["name"],
        rows=tuple(_cells(row) for row in content["rule"]),
        times={item.label: clock_words(_at(content, item)) for item in times_of(content)},
    )


def times_of(content: Mapping[str, Any]) -> tuple[TimeField, ...]:
    """The times this content has."""
    return tuple(item for item in TIMES if _at(content, item) is not None)


def _cells(row: Mapping[str, Any]) -> LimitCells:
    parts = {
        (level, part): str(row[level].get(part, "")) if level in row else ""
        for level, names in LEVEL_PARTS.items()
        for part in names
    }
    return LimitCells(row["id"], row["label"], parts)


def content_of(
    entry: LimitSetEntry, base: Mapping[str, Any], number: int, reason: str
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The content of the next version: the base with what was typed, and what could not be read.

    A row that was changed no longer stands on its old source alone, and says so.
    """
    content = deepcopy(dict(base))
    problems: list[Problem] = []
    content |= {"code": entry.code, "name": entry.name.strip(), "version": number}
    content.pop("status", None)
    typed = {row.id: row for row in entry.rows}
    kept = [row for row in content["rule"] if row["id"] not in typed or typed[row["id"]].in_force]
    content["rule"] = [
        _changed(row, typed[row["id"]], reason, problems) if row["id"] in typed else row
        for row in kept
    ]
    for item in times_of(content):
        text = entry.times.get(item.label)
        seconds = None if text is None else seconds_of(text)
        if text is not None and seconds is None:
            words = (
                f"{item.label.capitalize()}: “{text}” is no time. Write minutes and seconds, 2:00."
            )
            problems.append(Problem("alerts", words))
        elif seconds is not None:
            _put(content, item, seconds)
    return content, tuple(problems)


def _changed(
    row: dict[str, Any], cells: LimitCells, reason: str, problems: list[Problem]
) -> dict[str, Any]:
    if _cells(row).parts == cells.parts:
        return row
    new = dict(row)
    for level, names in LEVEL_PARTS.items():
        given = {part: " ".join(cells.parts[level, part].split()) for part in names}
        if not given["fires"]:
            new.pop(level, None)
            if left := [PARTS[part] for part in names if part != "confirm" and given[part]]:
                words = (
                    f"{row['label']}: the {level} has “{left[0]}” and does not say when it fires."
                )
                problems.append(Problem(row["id"], words))
            continue
        if not given["clears"]:
            words = f"{row['label']}: the {level} does not say when it ends."
            problems.append(Problem(row["id"], words))
        given["confirm"] = given["confirm"] or SINGLE
        others = {key: value for key, value in row.get(level, {}).items() if key not in names}
        new[level] = others | {part: text for part, text in given.items() if text}
        new[level].setdefault("clears", "")
    if new != row:
        before = row["source"].removeprefix(f"{_OWN}: ").rpartition("; before: ")[2]
        new["source"] = f"{_OWN}: {' '.join(reason.split())}; before: {before}"
    return new


def clock_words(seconds: int | None) -> str:
    """Seconds as minutes and seconds, ``2:00``."""
    return "" if seconds is None else f"{seconds // 60}:{seconds % 60:02}"


def seconds_of(text: str) -> int | None:
    """``2:00`` or ``120`` as seconds; None when it is neither."""
    minutes, colon, rest = text.strip().partition(":")
    if not minutes.isascii() or not minutes.isdigit() or len(minutes) > 5:
        return None
    if not colon:
        return int(minutes)
    if not rest.isascii() or not rest.isdigit() or len(rest) != 2 or int(rest) > 59:
        return None
    return int(minutes) * 60 + int(rest)


def _at(content: Mapping[str, Any], item: TimeField) -> int | None:
    found: Any = content
    for name in item.path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    if item.index is not None:
        found = found[item.index] if found and len(found) > item.index else None
    return None if found is None else int(found)


def _put(content: dict[str, Any], item: TimeField, seconds: int) -> None:
    *parents, name = item.path.split(".")
    place = content
    for parent in parents:
        place = place[parent]
    if item.index is None:
        place[name] = seconds
    else:
        place[name][item.index] = seconds


# -- what differs ----------------------------------------------------------------------------


def limit_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Everything that changed between two contents, in the order of the table."""
    found: list[Change] = []
    for where, (old, new) in _joined(_told(before), _told(after)).items():
        if old != new:
            found.append(Change(where, old, new))
    return tuple(found)


def _joined(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    names = dict.fromkeys([*before, *after])
    return {name: (before.get(name, ""), after.get(name, "")) for name in names}


def _told(content: Mapping[str, Any]) -> dict[str, str]:
    """Everything a content says, by where: what has words of its own, and the rest by its name."""
    told = {"name": str(content["name"])}
    for row in content["rule"]:
        told[row["label"]] = "in force"
        for key, value in row.items():
            if key in LEVEL_PARTS:
                for part, text in value.items():
                    told[f"{row['label']}, {key} {PARTS.get(part, part)}"] = str(text)
            elif key not in ("id", "label", "source"):
                told[f"{row['label']}, {key}"] = str(value)
    timed = {item.path for item in times_of(content)}
    for item in times_of(content):
        told[item.label] = clock_words(_at(content, item))
    for name in ("confirm", "readings", "alerts", "device"):
        for path, value in _leaves(name, content.get(name, {})):
            if path not in timed and not path.endswith(".source"):
                told[path] = str(value)
    return told


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield path, value
        return
    for name, inner in value.items():
        yield from _leaves(f"{path}.{name}", inner)
