"""Where a command writes: a file that appears whole or not at all, and a line on the terminal."""

from __future__ import annotations

import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from monitor.errors import MonitorError

T = TypeVar("T")


class CannotWrite(MonitorError):
    """The file or folder that was asked for cannot be written; the message names it."""


#: Whatever stands between a URL's slashes and its last @: user name and password.
_LOGIN = re.compile(r"(\w:/{1,2})[^\n]*@")


def say(text: str) -> None:
    """One answer on standard output."""
    print(text, flush=True)


def tell(problem: str) -> None:
    """One problem on standard error; a password that was typed in a URL is not repeated."""
    print(_LOGIN.sub(r"\1***@", problem), file=sys.stderr, flush=True)


def check_out(path: str) -> None:
    """See that a file could be written, before anything is done for it.

    Raises:
        CannotWrite: in a sentence: it is there and no plain file, or its folder is missing.
    """
    if path != "-":
        _target(path)
    elif sys.stdout is None:
        raise CannotWrite("Standard output is closed; name a file with --out.")


def _target(path: str) -> Path:
    """The plain file that a path names, links followed; it need not be there yet."""
    try:
        target = Path(path).resolve()
        mode = _mode(target)
        if not target.parent.is_dir():
            raise CannotWrite(f"{path} cannot be written: there is no folder {target.parent}.")
    except (OSError, RuntimeError) as error:
        raise cannot_write(path, error) from error
    if mode is not None and stat.S_ISDIR(mode):
        raise CannotWrite(f"{path} is a folder; name a file in it.")
    if mode is not None and not stat.S_ISREG(mode):
        raise CannotWrite(
            f"{path} is no plain file and is left alone; name another, or - for standard output."
        )
    return target


def _mode(path: Path) -> int | None:
    """Kind and permissions of what is there, or None when nothing is."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def cannot_write(path: str | Path, error: OSError | RuntimeError) -> CannotWrite:
    """Why the system did not write, in a sentence."""
    reason = getattr(error, "strerror", None) or "its links lead in a circle"
    return CannotWrite(f"{path} cannot be written: {reason}.")


def write_whole(path: str, pieces: Iterable[bytes]) -> int:
    """Write the pieces to a file, or to standard output for ``-``; how many bytes.

    The file is complete before it gets its name, so a stopped export leaves no half of one.  A
    file that is replaced hands its permissions on.

    Raises:
        CannotWrite: in a sentence.
    """
    check_out(path)
    if path == "-":
        return _write_out(pieces)
    target = _target(path)
    partial = target.with_name(f".export-{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with partial.open("xb") as out:
            mode = _mode(target)
            if mode is not None:
                partial.chmod(stat.S_IMODE(mode))
            written = sum(out.write(piece) for piece in pieces)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(target)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        partial.unlink(missing_ok=True)
    return written


def _write_out(pieces: Iterable[bytes]) -> int:
    try:
        written = sum(sys.stdout.buffer.write(piece) for piece in pieces)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # A reader that has seen enough; __main__ ends quietly.
        raise
    except OSError as error:
        raise cannot_write("Standard output", error) from error
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


#: Signs of a progress bar.
_BAR = 30


def progress(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """The same items, with a bar on a terminal: how many are done, and how long the rest may take.

    ``total`` says how many there are where the items cannot be counted before they come.
    """
    if total is None:
        assert isinstance(items, Collection)
        total = len(items)
    show, began, longest = sys.stderr.isatty(), time.monotonic(), 0
    for number, item in enumerate(items, start=1):
        yield item
        if show and (number % 20 == 0 or number == total):
            done = "#" * (_BAR * number // total)
            left_s = (time.monotonic() - began) / number * (total - number)
            left = f", about {left_s / 60:.0f} min left" if left_s > 90 else ""
            end = "\n" if number == total else ""
            # Over what stood there before, when that was longer.
            bar = f"[{done:<{_BAR}}] {number} of {total} {what}{left}".ljust(longest)
            longest = len(bar)
            print(f"\r{bar}", end=end, file=sys.stderr, flush=True)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns lined up for reading on a terminal."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
