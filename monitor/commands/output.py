"""Where a command writes: a file that appears whole or not at all, and a line on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from monitor.errors import MonitorError

T = TypeVar("T")


class CannotWrite(MonitorError):
    """The file or folder that was asked for cannot be written; the message names it."""


def say(text: str) -> None:
    print(text, flush=True)


def write_whole(path: str, pieces: Iterable[bytes]) -> int:
    """Write the pieces to a file, or to standard output for ``-``; how many bytes.

    The file is complete before it gets its name, so a stopped export leaves no half of one.

    Raises:
        CannotWrite: in a sentence.
    """
    if path == "-":
        return sum(sys.stdout.buffer.write(piece) for piece in pieces)
    target = Path(path)
    partial = target.with_name(f".{target.name}.part-{os.getpid()}")
    try:
        with partial.open("wb") as out:
            written = sum(out.write(piece) for piece in pieces)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(target)
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return written


def counted(items: Iterable[T], what: str) -> Iterator[T]:
    """The same items, counted on a terminal while they pass."""
    show = sys.stderr.isatty()
    number = 0
    for number, item in enumerate(items, start=1):
        if show and number % 20 == 0:
            print(f"\r{number} {what} ...", end="", file=sys.stderr, flush=True)
        yield item
    if show and number >= 20:
        print(f"\r{number} {what}    ", file=sys.stderr)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns lined up for reading on a terminal."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
