"""Cells of a session folder turned into values, and every problem named with its place."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from monitor.errors import ImportRefused
from monitor.folder_format import FILES, FORMULA_STARTS, HEADER

#: A file larger than this is not a session folder's (720 sets are about 1 MB).
MAX_FILE_BYTES = 50_000_000

#: A number of a folder: digits and a point, never a comma or an exponent.
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)

#: Years a session can lie in; beyond them a date is a slip, and no clock can count on.
YEARS = range(1900, 2201)

#: A word of a reason longer than this is somebody's data in the wrong place; its start will do.
LONGEST_WORD = 80

EnumT = TypeVar("EnumT", bound=Enum)


def _plain(text: str) -> str:
    """Text of a file fit for one line on a terminal: no control characters, no endless word."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(
        word if len(word) <= LONGEST_WORD else f"{word[:LONGEST_WORD]}..."
        for word in shown.split(" ")
    )


class Problems:
    """Collects one line for each fault: file, line, column, reason."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int, str]] = []

    def add(self, file: str, line: int, column: str, reason: str) -> None:
        self.lines.append((file, line, _plain(f"{file}:{line}:{column}: {reason}")))

    def refuse(self) -> None:
        """Raise ImportRefused if anything was wrong, in the order of the files."""
        if self.lines:
            rank = {name: n for n, name in enumerate(("session.toml", *FILES))}
            self.lines.sort(key=lambda item: (rank.get(item[0], 99), item[1]))
            raise ImportRefused(text for _, _, text in self.lines)


@dataclass(slots=True)
class Row:
    """One row of one CSV file: turns cells into values and notes what is wrong with them."""

    file: str
    line: int
    cells: Mapping[str, str]
    problems: Problems
    broken: bool = False

    def fail(self, column: str, reason: str) -> None:
        self.broken = True
        self.problems.add(self.file, self.line, column, reason)

    def raw(self, column: str) -> str:
        return self.cells.get(column, "").strip()

    def text(self, column: str) -> str | None:
        """A text cell, exactly as written; None when empty."""
        cell = self.cells.get(column, "")
        if cell == "":
            return None
        if cell == "'" or (cell[0] == "'" and cell[1] in FORMULA_STARTS):
            return cell[1:]
        return cell

    def needed_text(self, column: str) -> str:
        cell = self.text(column)
        if cell is None:
            self.fail(column, "is empty and must not be")
        return cell or ""

    def number(self, column: str) -> Decimal | None:
        cell = self.raw(column)
        if not cell:
            return None
        if not NUMBER.fullmatch(cell):
            self.fail(column, f'"{cell}" is not a number; write digits and a point, such as 0.5')
            return None
        return Decimal(cell)

    def needed_number(self, column: str) -> Decimal:
        number = self.number(column)
        if number is None and not self.raw(column):
            self.fail(column, "is empty; a number must stand here")
        return number if number is not None else Decimal(0)

    def whole(self, column: str) -> int | None:
        number = self.number(column)
        if number is None:
            return None
        if number != number.to_integral_value():
            self.fail(column, f'"{self.raw(column)}" is not a whole number')
            return None
        return int(number)

    def instant(self, column: str) -> datetime | None:
        cell = self.raw(column)
        if not cell:
            return None
        try:
            return parse_instant(cell)
        except ValueError as error:
            self.fail(column, str(error))
            return None

    def needed_instant(self, column: str) -> datetime:
        instant = self.instant(column)
        if instant is None and not self.raw(column):
            self.fail(column, "is empty; a date and time with offset must stand here")
        return instant or datetime.min.replace(tzinfo=UTC)

    def day(self, column: str) -> date | None:
        cell = self.raw(column)
        if not cell:
            return None
        try:
            return date.fromisoformat(cell)
        except ValueError:
            self.fail(column, f'"{cell}" is not a date; write it as 2027-03-31')
            return None

    def flag(self, column: str, *, default: bool = False) -> bool:
        cell = self.raw(column)
        if cell not in ("", "yes", "no"):
            self.fail(column, f'"{cell}" is neither yes nor no')
        return default if not cell else cell == "yes"

    def code(self, column: str, kind: type[EnumT]) -> EnumT | None:
        cell = self.raw(column)
        if not cell:
            return None
        try:
            return kind(cell)
        except ValueError:
            known = ", ".join(str(member.value) for member in kind)
            self.fail(column, f'"{cell}" is not known; use one of: {known}')
            return None


def parse_instant(cell: str) -> datetime:
    """An ISO 8601 date and time with its offset, as aware UTC.

    Raises:
        ValueError: in words; a time without an offset is refused, because the monitor never
            guesses a zone.
    """
    try:
        instant = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError(
            f'"{cell}" is not a date and time; write 2026-03-02T09:15:00+00:00'
        ) from None
    if instant.year not in YEARS:
        raise ValueError(f'"{cell}" lies in no year of a session ({YEARS[0]} to {YEARS[-1]})')
    if instant.tzinfo is None:
        raise ValueError(f'"{cell}" has no offset; add one, such as {cell}+00:00')
    return instant.astimezone(UTC)


def file_text(path: Path, problems: Problems) -> str | None:
    """The text of a file of the folder, or None and a problem when it has none."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            problems.add(path.name, 1, "file", "is larger than 50 MB and was not read")
            return None
        content = path.read_bytes()
    except OSError as error:
        problems.add(path.name, 1, "file", f"cannot be read: {error.strerror}")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problems.add(path.name, line, "file", "is not UTF-8 text; save it as UTF-8")
        return None


def rows_of(path: Path, problems: Problems) -> Iterator[Row]:
    """Every row of a CSV file of the folder; wrong headers and cell counts become problems."""
    name = path.name
    if not path.is_file():
        if name == "observations.csv":
            problems.add(name, 1, "file", "is missing; every session folder has one")
        return
    text = file_text(path, problems)
    if text is None:
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if not _header_is_known(name, header, problems):
            return
        line = reader.line_num + 1
        for cells in reader:
            if cells and len(cells) != len(header):
                problems.add(
                    name, line, "row", f"has {len(cells)} cells, the header has {len(header)}"
                )
            elif any(cell.strip() for cell in cells):
                yield Row(name, line, dict(zip(header, cells, strict=True)), problems)
            line = reader.line_num + 1
    except csv.Error as error:
        problems.add(name, line, "row", f"is not CSV: {error}")


def _header_is_known(name: str, header: list[str], problems: Problems) -> bool:
    known = [column.name for column in FILES[name]]
    faults = [f'has an unknown column "{cell}"' for cell in header if cell not in known]
    faults += [f'has the column "{c}" twice' for c in sorted(set(header)) if header.count(c) > 1]
    faults += [
        f'lacks the column "{column.name}"'
        for column in FILES[name]
        if column.required and column.name not in header
    ]
    for fault in faults:
        problems.add(name, 1, "header", fault)
    return not faults


def toml_of(name: str, text: str, problems: Problems) -> dict[str, Any] | None:
    """What a TOML file says, or None and a problem when it is none."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+), column (\d+)", str(error))
        line, column = place.groups() if place else ("1", "1")
        problems.add(name, int(line), column, f"is not TOML: {error}")
    except (ValueError, RecursionError):
        problems.add(name, 1, "file", "is not TOML: a number or a list in it has no end")
    return None


class Toml:
    """session.toml: values by dotted key, each fault with the line its key stands on."""

    def __init__(self, text: str, problems: Problems) -> None:
        self.text, self.problems = text, problems
        read = toml_of("session.toml", text, problems)
        self.content, self.broken = read or {}, read is None
        self._refuse_unknown_keys()

    def _refuse_unknown_keys(self) -> None:
        known = {column.name for column in HEADER} | {"protocol_id", "threshold_set_id"}
        keys = [key for key in self.content if key != "patient"]
        patient = self.content.get("patient", {})
        if isinstance(patient, dict):
            keys += [f"patient.{key}" for key in patient]
        for key in keys:
            if key not in known:
                self.fail(key, "is not a key of session.toml")

    def line_of(self, dotted: str) -> int:
        """The line on which the key stands, or 1 when it is absent."""
        table, _, key = dotted.rpartition(".")
        current = ""
        for number, line in enumerate(self.text.split("\n"), start=1):
            if heading := re.match(r"\s*\[([^\[\]]+)\]", line):
                current = heading.group(1).strip()
            elif current == table and re.match(rf"\s*{re.escape(key)}\s*=", line):
                return number
        return 1

    def fail(self, key: str, reason: str) -> None:
        self.broken = True
        self.problems.add("session.toml", self.line_of(key), key, reason)

    def get(self, dotted: str) -> Any:
        value: Any = self.content
        for part in dotted.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def text_of(self, key: str, default: str | None = None) -> str:
        value = self.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            self.fail(key, "is missing" if value is None else "must be text in quotes")
            return ""
        return value

    def code_of(self, key: str) -> str:
        """A text that names something, and so is never empty."""
        text = self.text_of(key)
        if self.get(key) == text and not text.strip():
            self.fail(key, "is empty and must not be")
        return text

    def whole_of(self, key: str) -> int:
        value = self.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            self.fail(key, "is missing" if value is None else "must be a whole number")
            return 0
        return value

    def number_of(self, key: str) -> int | None:
        """A whole number above 0 that may be left out."""
        value = self.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self.fail(key, "must be a whole number above 0")
            return None
        return value

    def parsed(self, key: str, parse: Callable[[str], Any], default: str | None = None) -> Any:
        text = self.text_of(key, default)
        if not text:
            return None
        try:
            return parse(text)
        except ValueError as error:
            reason = str(error)
            self.fail(key, reason if text in reason else f'"{text}" {reason}')
            return None
