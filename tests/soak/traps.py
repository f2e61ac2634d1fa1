"""The real server with traps at the steps of a save: ``python -m tests.soak.traps PORT``.

It loads what it needs and then waits for a line: the server after a kill stands ready behind the one
that is killed.  Nothing of the database or the network is touched before that line.

A trap is ordered by a file (MONITOR_SOAK_TRAP): which step of which save, and what happens there.
Nothing of the server is replaced; the traps only watch where it is.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect

VARIABLE = "MONITOR_SOAK_TRAP"


@dataclass(frozen=True, slots=True)
class Order:
    """At ``step`` of the ``nth`` save (0 is every one): kill, sleep, no_sync or no_room."""

    name: str
    step: str
    nth: int
    act: str
    seconds: float = 0.0

    def place(self, path: Path) -> None:
        """Put it where the server looks, at once and whole."""
        partial = path.with_suffix(".new")
        partial.write_text(json.dumps(asdict(self)), "utf-8")
        partial.replace(path)


class Traps:
    """Counts the saves that reach a step and springs the ordered trap."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._here = threading.local()
        self._seen: dict[str, int] = {}

    def saving(self, save: Callable[..., Any]) -> Callable[..., Any]:
        """Everything inside is a save; reading and drafts never spring a trap."""

        def trapped(*arguments: Any) -> Any:
            self._here.saving = True
            try:
                self.reach("arrived")
                answer = save(*arguments)
                self.reach("answered")
                return answer
            finally:
                self._here.saving = False

        return trapped

    def reach(self, step: str) -> None:
        if not getattr(self._here, "saving", False) or not self._path.exists():
            return
        order = Order(**json.loads(self._path.read_text("utf-8")))
        if order.step != step:
            return
        with self._lock:
            count = self._seen[order.name] = self._seen.get(order.name, 0) + 1
        if order.nth in (0, count):
            _spring(order)


def _spring(order: Order) -> None:
    if order.act == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif order.act == "sleep":
        time.sleep(order.seconds)
    else:
        _refuse_from_now_on(*_REFUSALS[order.act])


# -- failures of the disk, from the kernel --------------------------------------------------------

_NUMBERS = {
    "x86_64": {"fsync": 74, "fdatasync": 75, "pwrite64": 18},
    "aarch64": {"fsync": 82, "fdatasync": 83, "pwrite64": 68},
}
_REFUSALS = {
    "no_sync": (("fsync", "fdatasync"), errno.EIO),
    "no_room": (("pwrite64",), errno.ENOSPC),
}
_PR_SET_NO_NEW_PRIVS, _SECCOMP_SET_MODE_FILTER, _ALL_THREADS = 38, 1, 1
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_FAIL_WITH, _ALLOW = 0x00050000, 0x7FFF0000
_SECCOMP = {"x86_64": 317, "aarch64": 277}


class _Line(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("value", ctypes.c_uint),
    )


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("lines", ctypes.POINTER(_Line)))


def _refuse_from_now_on(calls: tuple[str, ...], error: int) -> None:
    """Let the kernel refuse these system calls of this process until it ends."""
    machine = platform.machine()
    numbers = [_NUMBERS[machine][call] for call in calls]
    lines = [_Line(_LOAD, 0, 0, 0)]
    lines += [
        _Line(_JUMP_IF_EQUAL, len(numbers) - index, 0, number)
        for index, number in enumerate(numbers)
    ]
    lines += [_Line(_RETURN, 0, 0, _ALLOW), _Line(_RETURN, 0, 0, _FAIL_WITH | error)]
    program = _Filter(len(lines), (_Line * len(lines))(*lines))
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(
        _SECCOMP[machine], _SECCOMP_SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(program)
    )
    if done != 0:
        raise OSError(ctypes.get_errno(), "the kernel takes no filter")


# -- where the server is --------------------------------------------------------------------------


def install(traps: Traps) -> None:
    """Watch the entry route and every statement and commit of the database."""
    from pages.http import entry

    entry._saved = traps.saving(entry._saved)

    def after_statement(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        words = statement.split(None, 3)
        if words[:2] == ["BEGIN", "IMMEDIATE"]:
            traps.reach("begun")
        elif words[:2] == ["INSERT", "INTO"] and words[2] in ("observation", "audit"):
            traps.reach("facts" if words[2] == "observation" else "chain")

    sa.event.listen(sa.engine.Engine, "after_cursor_execute", after_statement)
    commit = DefaultDialect.do_commit

    def trapped_commit(dialect: DefaultDialect, connection: Any) -> None:
        traps.reach("before_commit")
        commit(dialect, connection)
        traps.reach("after_commit")

    DefaultDialect.do_commit = trapped_commit  # type: ignore[method-assign]


def main(port: str) -> None:
    install(Traps(Path(os.environ[VARIABLE])))
    from streamlit.web import cli

    import pages.widgets.frame  # noqa: F401

    if not sys.stdin.readline():
        return  # whoever started it is gone
    sys.argv = ["streamlit", "run", "dashboard.py", f"--server.port={port}"]
    cli.main()


if __name__ == "__main__":
    main(sys.argv[1])
