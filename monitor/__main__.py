"""The command line: ``python -m monitor COMMAND``.  Exit status 0 only when the job was done.

Problems go to standard error, one line each.  The database is ``--database URL``, else
MONITOR_DATABASE_URL, else the embedded one beside this program.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from monitor import user_admin
from monitor.commands import (
    accounts,
    export_tables,
    generating,
    serving,
    session_folders,
    show_breaches,
    show_burden,
)
from monitor.commands.output import tell
from monitor.commands.verifying import rebuild, verify
from monitor.errors import ImportRefused, InvalidEntry, MonitorError
from monitor.permissions import Role


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one sentence instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        sentence = message[:1].upper() + message[1:]
        tell(f"{sentence}. Try: {self.prog} --help")
        raise SystemExit(2)


class _Command(_Parser):
    """The arguments of one command, in any order: names and options may be mixed."""

    _mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._mixing or self._subparsers is not None:
            return super().parse_known_args(args, namespace)
        # The plain parser takes the names at the first gap: --role admin NAME would find none.
        self._mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 1900 <= day.year <= 2200:
        raise argparse.ArgumentTypeError(f'"{text}" is not a day such as 2026-03-02')
    return day


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 65535:
        raise argparse.ArgumentTypeError(f'"{text}" is not a port; name one from 1024 to 65535')
    return int(text)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 10_000_000:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number from 1 to 10000000')
    return int(text)


def _session_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is not the id of a session') from None


def parser() -> argparse.ArgumentParser:
    """Every command and its arguments."""
    top = _Parser(prog="python -m monitor", description="Infusion session monitor.")
    commands = top.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_Command
    )

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
        _add_database(made)
        made.set_defaults(run=run)
        return made

    made = command("serve", serving.serve, "migrate the database, then run the monitor")
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=_port, default=8501, metavar="PORT")
    made.add_argument("--demo-if-empty", action="store_true", help="fill an empty database")

    command("demo", serving.demo, "make a fresh demo database")

    made = command("import", session_folders.import_folders, "store session folders")
    made.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    made.add_argument("--clinic", help="store them in this clinic")

    made = command("export-session", session_folders.export_one, "write one session as a folder")
    made.add_argument("id", type=_session_id, metavar="ID")
    made.add_argument("--out", type=Path, required=True, metavar="DIR")

    made = command(
        "breaches", show_breaches.breaches, "show the breaches of a folder or a stored session"
    )
    made.add_argument("what", metavar="PATH-or-ID")
    made.add_argument("--format", choices=show_breaches.FORMATS, default="table")
    made.add_argument("--check", action="store_true", help="compare with expected.toml")

    made = command("export", export_tables.export_csv, "write one table as CSV")
    made.add_argument("table", choices=export_tables.TABLES)
    made.add_argument("--from", dest="from_day", type=_day, metavar="DAY")
    made.add_argument("--to", dest="to_day", type=_day, metavar="DAY", help="this day included")
    made.add_argument("--clinic")
    made.add_argument("--deidentified", action="store_true")
    made.add_argument("--in-progress", action="store_true", help="sessions that still go on, too")
    made.add_argument("--bom", action="store_true", help="byte order mark, for spreadsheets")
    made.add_argument("--out", required=True, metavar="FILE", help="- is standard output")

    made = command("burden", show_burden.show_burden, "how many alerts, and what they led to")
    made.add_argument("--since", type=_day, metavar="DAY", help="default: 90 days ago")
    made.add_argument("--until", type=_day, metavar="DAY", help="this day included")
    made.add_argument("--clinic")
    made.add_argument("--csv", metavar="FILE", help="write it as CSV; - is standard output")

    made = command("generate", generating.generate, "fill a database with invented sessions")
    made.add_argument("--sessions", type=_count, required=True, metavar="N")
    made.add_argument("--seed", type=int, default=1, metavar="S", help="the same gives the same")
    made.add_argument("--clinic", default=user_admin.DEMO_CLINIC)
    made.add_argument("--since", type=_day, metavar="DAY", help="default: three years ago")
    made.add_argument("--jobs", type=_count, metavar="N", help="processes that work them out")

    command("verify", verify, "hold the record to its audit chain and projections")

    command("rebuild", rebuild, "work out every summary anew from the record")

    users = commands.add_parser("users", help="manage accounts", description="Manage accounts.")
    _add_jobs(users)
    return top


def _add_database(made: argparse.ArgumentParser) -> None:
    made.add_argument("--database", metavar="URL", help="sqlite:///file or postgresql://...")


def _add_jobs(users: argparse.ArgumentParser) -> None:
    """What can be done with accounts, each with the arguments it takes and no others."""
    jobs = users.add_subparsers(dest="job", metavar="JOB", required=True, parser_class=_Command)
    for name, (run, text) in accounts.JOBS.items():
        job = jobs.add_parser(name, help=text, description=text)
        _add_database(job)
        job.set_defaults(run=accounts.users, work=run)
        if name != "list":
            job.add_argument("name", metavar="NAME")
        if name in ("add", "password"):
            job.add_argument("--generate", action="store_true", help="invent the password, show it")
        if name == "add":
            roles = [role.value for role in Role if role is not Role.WALL]
            job.add_argument("--role", choices=roles, required=True)
            job.add_argument("--full-name")
            job.add_argument("--clinic")
            job.add_argument("--pin")
            job.add_argument("--shift-lead", action="store_true")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when its job was done, 1 when it was not, 2 for wrong arguments."""
    args = parser().parse_args(argv)
    try:
        return int(args.run(args))
    except InvalidEntry as error:
        lines = [problem.message for problem in error.problems]
    except ImportRefused as error:
        lines = list(error.problems)
    except MonitorError as error:
        lines = str(error).splitlines()
    except BrokenPipeError:
        raise
    except OSError as error:
        lines = [f"{error.filename or 'The system'}: {error.strerror or error}."]
    except KeyboardInterrupt:
        lines = ["Stopped."]
    for line in lines:
        tell(line)
    return 1


def _run() -> NoReturn:
    # What the database said is told in a sentence; its line in the log is for the server.
    handler = logging.StreamHandler()
    handler.addFilter(lambda record: record.module != "failures")
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    try:
        sys.exit(main())
    except BrokenPipeError:
        # A reader that goes away early (`| head`) is not an error worth a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    _run()
