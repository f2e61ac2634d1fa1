"""A protocol as it is typed: texts of the form to content and back, every slip named at its field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.dose_units import plain
from monitor.errors import Problem
from monitor.numbers import parse_number, plain_text
from monitor.protocol_fields import (
    FIELDS,
    Kind,
    ProtocolField,
    Section,
    in_force,
    put_at,
    typed_text,
    value_at,
)
from monitor.protocols import OWN_SCHEDULE, own_schedule, packaged_schedules, with_schedule
from monitor.stated_rates import rate_unit, step_rate, stored_path

#: What a line of the sources says, in this order, between upright strokes.
SOURCE_PARTS = ("about", "says", "source", "confidence")
_BETWEEN_NUMBERS = re.compile(r"[;\s]+|,\s+")
_YES_NO = {"yes": True, "no": False}
_LONGEST_LINE = 600
_MOST_LINES = 60


@dataclass(frozen=True, slots=True)
class ProtocolEntry:
    """What was typed: a text per field path, the lines of two boxes, and rows: the steps as
    (minute, rate), the observation schedule as (from minute, every so many)."""

    code: str
    texts: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[tuple[str, str], ...] = ()
    sources: str = ""
    notes: str = ""
    intervals: tuple[tuple[str, str], ...] = ()


def entry_of(content: Mapping[str, Any]) -> ProtocolEntry:
    """The content as it would be typed."""
    return ProtocolEntry(
        code=str(content.get("code", "")),
        texts={row.path: typed_text(row, in_force(content, row)) for row in FIELDS},
        steps=tuple(
            (str(step["after_min"]), plain(step_rate(content, step)))
            for step in content.get("steps") or ()
        ),
        sources="\n".join(
            " | ".join(str(row.get(part, "")) for part in SOURCE_PARTS)
            for row in content.get("sources") or ()
        ),
        notes="\n".join(content.get("notes") or ()),
        intervals=tuple(
            (str(row["from_min"]), str(row["every_min"]))
            for row in value_at(content, "schedule_profile.intervals") or ()
        ),
    )


def content_of(entry: ProtocolEntry, version: int) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The content of a draft with what could be read, and every text that could not.

    The numbers of the schedule named are those of today, embedded for good; those of a schedule of
    its own are what was typed.
    """
    content: dict[str, Any] = {"code": entry.code.strip().upper(), "version": version}
    problems: list[Problem] = []
    _read_fields(entry, content, problems, [r for r in FIELDS if r.section is not Section.SCHEDULE])
    problems += _half_a_range(entry)
    _read_steps(entry, content, problems)
    _read_sources(entry, content, problems)
    _read_notes(entry, content, problems)
    _read_schedule(entry, content, problems)
    return content, tuple(problems)


def _read_fields(
    entry: ProtocolEntry,
    content: dict[str, Any],
    problems: list[Problem],
    rows: Iterable[ProtocolField],
) -> None:
    for row in rows:
        text = entry.texts.get(row.path, "").strip()
        if text:
            try:
                put_at(content, row.path, _value(row, text))
            except ValueError as refused:
                problems.append(Problem(row.path, f"{_sentence(row.label)}: {refused}"))


def _sentence(label: str) -> str:
    return label[:1].upper() + label[1:]


def _value(row: ProtocolField, text: str) -> Any:
    """The value as it is stored: numbers as text, so that no digit is lost.

    Raises:
        ValueError: in words.
    """
    if row.kind is Kind.NUMBER:
        return plain_text(parse_number(text))
    if row.kind is Kind.WHOLE:
        return _whole(text)
    if row.kind is Kind.WHOLE_NUMBERS:
        return [_whole(part) for part in _BETWEEN_NUMBERS.split(text) if part]
    if row.kind is Kind.NUMBERS:
        return [plain_text(parse_number(part)) for part in _BETWEEN_NUMBERS.split(text) if part]
    if row.kind is Kind.YES_NO:
        if text not in _YES_NO:
            raise ValueError(f"“{text}” is neither yes nor no.")
        return _YES_NO[text]
    return text


def _whole(text: str) -> int:
    value = parse_number(text)
    if value != value.to_integral_value():
        raise ValueError(f"“{text}” is not a whole number of minutes.")
    return int(value)


def _half_a_range(entry: ProtocolEntry) -> list[Problem]:
    """The usual step is two numbers or none."""
    paths = [f"limits.step_range_mg_per_kg_h.{place}" for place in (0, 1)]
    empty = [path for path in paths if not entry.texts.get(path, "").strip()]
    if len(empty) != 1:
        return []
    return [Problem(empty[0], "The usual step needs both ends, or neither.")]


def _read_schedule(entry: ProtocolEntry, content: dict[str, Any], problems: list[Problem]) -> None:
    """The numbers of the schedule into the content: the packaged ones, or those that were typed.

    A packaged schedule with other rows beside it would be one that nobody meant: rows that are no
    packaged schedule's are never left aside in silence.
    """
    typed: dict[str, Any] = {}
    slips: list[Problem] = []
    _read_fields(entry, typed, slips, [r for r in FIELDS if r.section is Section.SCHEDULE])
    numbers: dict[str, Any] = typed.get("schedule_profile", {})
    _read_intervals(entry, numbers, slips)
    named = content.get("schedule")
    if named == OWN_SCHEDULE:
        content["schedule_profile"] = own_schedule(numbers)
        problems += slips
        return
    packaged = packaged_schedules()
    if named not in packaged:
        return
    content |= with_schedule(content)
    if slips or (numbers and _kept(numbers) not in [_kept(row) for row in packaged.values()]):
        words = (
            f"The rows below are not those of {named}. Choose “a schedule of its own” to use them, "
            f"or empty them to use {named} as it is."
        )
        problems.append(Problem("schedule", words))


def _kept(profile: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a schedule that can be typed, without what says nothing."""
    paths = {row.path for row in FIELDS if row.section is Section.SCHEDULE}
    paths.add("schedule_profile.intervals")
    return {
        name: value
        for name, value in profile.items()
        if f"schedule_profile.{name}" in paths and value
    }


def _read_intervals(entry: ProtocolEntry, numbers: dict[str, Any], problems: list[Problem]) -> None:
    rows, slips = [], []
    for place, (minute, every) in enumerate(entry.intervals):
        if not minute.strip() and not every.strip():
            continue
        try:
            rows.append(_interval(minute, every))
        except ValueError as refused:
            slips.append(Problem(f"intervals.{place}", f"Schedule row {place + 1}: {refused}"))
    problems += slips
    if rows and not slips:
        numbers["intervals"] = rows


def _interval(minute: str, every: str) -> dict[str, int]:
    if not minute.strip():
        raise ValueError("Say from which minute on.")
    if not every.strip():
        raise ValueError("Say every how many minutes a set is due.")
    return {"from_min": _whole(minute), "every_min": _whole(every)}


def _read_steps(entry: ProtocolEntry, content: dict[str, Any], problems: list[Problem]) -> None:
    steps, slips = [], []
    for place, (minute, rate) in enumerate(entry.steps):
        if not minute.strip() and not rate.strip():
            continue
        try:
            steps.append(_step(minute, rate, content))
        except ValueError as refused:
            slips.append(Problem(f"steps.{place}", f"Planned step {place + 1}: {refused}"))
    problems += slips
    if steps and not slips:
        # Half of the steps would be judged as a plan that nobody meant.
        content["steps"] = steps


def _step(minute: str, rate: str, content: Mapping[str, Any]) -> dict[str, Any]:
    if not minute.strip():
        raise ValueError("Say from which minute on.")
    if not rate.strip():
        raise ValueError(f"Say the rate in {rate_unit(content)}.")
    after_min = _whole(minute)
    if after_min < 0:
        raise ValueError("The minute cannot be before the start.")
    key = stored_path(content, "rate_mg_per_kg_h")
    return {"after_min": after_min, key: plain_text(parse_number(rate))}


def _lines(text: str, name: str, problems: list[Problem]) -> list[str]:
    """The lines that hold something; a problem for each that cannot be kept as it is."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > _MOST_LINES:
        problems.append(Problem(name, f"At most {_MOST_LINES} lines; there are {len(lines)}."))
    for number, line in enumerate(lines, start=1):
        if len(line) > _LONGEST_LINE or not line.isprintable():
            words = f"Line {number} has to be plain text of at most {_LONGEST_LINE} signs."
            problems.append(Problem(name, words))
    return lines


def _read_sources(entry: ProtocolEntry, content: dict[str, Any], problems: list[Problem]) -> None:
    rows = []
    for number, line in enumerate(_lines(entry.sources, "sources", problems), start=1):
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != len(SOURCE_PARTS) or not all(parts):
            shape = " | ".join(SOURCE_PARTS)
            problems.append(Problem("sources", f"Line {number} of the sources: write {shape}."))
            continue
        rows.append(dict(zip(SOURCE_PARTS, parts, strict=True)))
    if rows:
        content["sources"] = rows


def _read_notes(entry: ProtocolEntry, content: dict[str, Any], problems: list[Problem]) -> None:
    if lines := _lines(entry.notes, "notes", problems):
        content["notes"] = lines
