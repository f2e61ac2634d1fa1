"""What differs between two versions of a protocol, in words a clinician reads.

Nothing that differs is left out: what has no words of its own in ``protocol_fields`` is named by
its place.  A number written in another way (``0.30``, ``0.3``) is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from monitor.dose_units import plain
from monitor.protocol_fields import FIELDS, in_force, unit_in, value_at, value_words
from monitor.stated_rates import rate_unit, step_rate, stored_path

#: Always different between two versions, or said elsewhere: never part of the difference.
_ASIDE = frozenset({"version", "status", "schedule_profile.intervals"})


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where, what it was, what it is.  Nothing in ``before`` is new, in ``after``
    left out; ``unit`` belongs to both."""

    where: str
    before: str
    after: str
    unit: str = ""

    @property
    def text(self) -> str:
        """In one line: ``hard rate limit 1 → 0.8 mg/kg/h``."""
        if not self.before:
            return f"{self.where}: new, {self._with_unit(self.after)}"
        if not self.after:
            return f"{self.where}: left out, was {self._with_unit(self.before)}"
        return f"{self.where} {self.before} → {self._with_unit(self.after)}"

    def _with_unit(self, words: str) -> str:
        return f"{words} {self.unit}" if self.unit else words


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Everything that changed from one content to the other, in the order people read it."""
    changes = [*_fields(before, after), *_steps(before, after), *_intervals(before, after)]
    for name in ("notes", "sources"):
        changes += _lines(name, before.get(name) or (), after.get(name) or ())
    changes += _rest(before, after)
    return tuple(changes)


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for field in FIELDS:
        old = value_words(field, in_force(before, field))
        new = value_words(field, in_force(after, field))
        units = unit_in(before, field), unit_in(after, field)
        if (old or new) and (old, units[0]) != (new, units[1]):
            yield _change(field.label, old, new, units)


def _change(where: str, old: str, new: str, units: tuple[str, str]) -> Change:
    """A change of a value, of its unit or of both: then each is said with its own."""
    if units[0] == units[1]:
        return Change(where, old, new, units[0])
    return Change(where, f"{old} {units[0]}" if old else "", f"{new} {units[1]}" if new else "")


def _steps(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Steps are matched by their minute; several at one minute (a slip) are compared together."""
    old, new = _rates_by_minute(before), _rates_by_minute(after)
    for minute in sorted(old.keys() | new.keys()):
        was, is_ = old.get(minute, ""), new.get(minute, "")
        units = rate_unit(before), rate_unit(after)
        if (was, units[0]) != (is_, units[1]):
            yield _change(_step_words(new if is_ else old, minute), was, is_, units)


def _intervals(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """The rows of the observation schedule, matched by the minute they hold from."""
    old, new = _every_by_minute(before), _every_by_minute(after)
    for minute in sorted(old.keys() | new.keys()):
        was, is_ = old.get(minute, ""), new.get(minute, "")
        if was != is_:
            yield Change(f"a set from minute {minute} on every", was, is_, "min")


def _every_by_minute(content: Mapping[str, Any]) -> dict[int, str]:
    rows: dict[int, list[str]] = {}
    for row in value_at(content, "schedule_profile.intervals") or ():
        rows.setdefault(row["from_min"], []).append(str(row["every_min"]))
    return {minute: " and ".join(several) for minute, several in rows.items()}


def _rates_by_minute(content: Mapping[str, Any]) -> dict[int, str]:
    rates: dict[int, list[str]] = {}
    for step in content.get("steps") or ():
        rates.setdefault(step["after_min"], []).append(plain(step_rate(content, step)))
    return {minute: " and ".join(several) for minute, several in rates.items()}


def _step_words(steps: Mapping[int, str], minute: int) -> str:
    return f"planned step {sorted(steps).index(minute) + 1} at {minute} min"


def _lines(name: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    """Notes and sources are compared as whole lines; the order of the lines says nothing."""
    old, new = [_line(item) for item in before], [_line(item) for item in after]
    where = {"notes": "note", "sources": "source of a number"}[name]
    for line in dict.fromkeys([*old, *new]):
        missing = old.count(line) - new.count(line)
        if missing > 0:
            yield Change(where, line, "")
        elif missing < 0:
            yield Change(where, "", line)


def _line(item: Any) -> str:
    if isinstance(item, Mapping):
        return " · ".join(f"{name}: {item[name]}" for name in sorted(item)) if item else "(empty)"
    return str(item) or "(empty)"


def _rest(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """What has no words of its own: the numbers of the schedule, and whatever a version brings."""
    old, new = dict(_leaves(before, _said(before))), dict(_leaves(after, _said(after)))
    for path in dict.fromkeys([*old, *new]):
        was, is_ = old.get(path, ""), new.get(path, "")
        if was != is_:
            yield Change(_path_words(path), was, is_)


def _said(content: Mapping[str, Any]) -> frozenset[str]:
    """The places of the content that have words of their own."""
    return frozenset(stored_path(content, field.path) for field in FIELDS)


def _leaves(value: Any, said: frozenset[str], path: str = "") -> Iterator[tuple[str, str]]:
    if path in said or path in _ASIDE or path in ("steps", "notes", "sources"):
        return
    if isinstance(value, Mapping):
        if path and not value:
            yield path, "(empty)"
        for name, item in value.items():
            yield from _leaves(item, said, f"{path}.{name}" if path else str(name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if any(f"{path}.{place}" in said for place in range(len(value))):
            return
        yield path, "; ".join(_words(item) for item in value) or "(none)"
    else:
        yield path, _words(value) or "(empty)"


def _path_words(path: str) -> str:
    *outer, last = path.replace("schedule_profile", "schedule").split(".")
    return ", ".join(name.replace("_", " ") for name in [*outer, last])


def _words(value: Any) -> str:
    """A value as people read it; a number has one way of being written."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            return value
        return plain(number) if number.is_finite() else value
    return str(value)
