"""The command line: ``python -m monitor COMMAND``.  Exit status 0 only when the job was done.

Problems go to standard error, one line each.  The database is ``--database URL``, else
MONITOR_DATABASE_URL, else the embedded one beside this program.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import NoReturn
from uuid import UUID

from monitor.commands import accounts, export_tables, serving, session_folders, show_breaches
from monitor.commands.verifying import verify
from monitor.errors import ImportRefused, InvalidEntry, MonitorError
from monitor.permissions import Role


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one sentence instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        sentence = message[:1].upper() + message[1:]
        print(f"{sentence}. Try: {self.prog} --help", file=sys.stderr)
        raise SystemExit(2)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is not a day such as 2026-03-02') from None


def _session_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is not the id of a session') from None


def parser() -> argparse.ArgumentParser:
    """Every command and its arguments."""
    top = _Parser(prog="python -m monitor", description="Infusion session monitor.")
    commands = top.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_Parser
    )

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
        made.add_argument("--database", metavar="URL", help="sqlite:///file or postgresql://...")
        made.set_defaults(run=run)
        return made

    made = command("serve", serving.serve, "migrate the database, then run the monitor")
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=8501)
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

    command("verify", verify, "hold the record to its audit chain and projections")

    made = command("users", accounts.users, "manage accounts")
    made.add_argument("job", choices=tuple(accounts.JOBS))
    made.add_argument("name", nargs="?", default="", metavar="NAME")
    made.add_argument("--role", choices=[role.value for role in Role if role is not Role.WALL])
    made.add_argument("--full-name")
    made.add_argument("--clinic")
    made.add_argument("--pin")
    made.add_argument("--shift-lead", action="store_true")
    made.add_argument("--generate", action="store_true", help="invent the password and show it")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when its job was done, 1 when it was not, 2 for wrong arguments."""
    top = parser()
    args = top.parse_args(argv)
    if args.command == "users" and args.job != "list" and not args.name:
        top.error("name the account")
    if args.command == "users" and args.job == "add" and not args.role:
        top.error("say the role with --role")
    try:
        return int(args.run(args))
    except InvalidEntry as error:
        lines = [problem.message for problem in error.problems]
    except ImportRefused as error:
        lines = list(error.problems)
    except (MonitorError, ValueError) as error:
        lines = str(error).splitlines()
    except KeyboardInterrupt:
        lines = ["Stopped."]
    for line in lines:
        print(line, file=sys.stderr)
    return 1


if __name__ == "__main__":
    # A reader that goes away early (`| head`) is not an error worth a traceback.
    try:
        sys.exit(main())
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
