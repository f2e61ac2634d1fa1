"""The command line: ``python -m monitor COMMAND``.  Exit status 0 only when the job was done.

Problems go to standard error, one line each.  The database is ``--database URL``, else
MONITOR_DATABASE_URL, else the embedded one beside this program.
"""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import NoReturn
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import make_url

import db
from db import samples
from monitor import actions, export, user_admin
from monitor.actions.opening import bundle
from monitor.commands import show_breaches
from monitor.commands.export_tables import (
    TABLES,
    Wanted,
    export_session,
    export_table,
    new_form,
    only_clinic,
)
from monitor.commands.output import table
from monitor.errors import ImportRefused, InvalidEntry, MonitorError, NotFound
from monitor.expected import Findings, differences, findings, findings_of
from monitor.folders import read_folder
from monitor.permissions import Role
from monitor.running_samples import RUNNING
from monitor.store import SessionQuery, Store

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_DATABASE_URL = f"sqlite:///{ROOT / 'data' / 'monitor.db'}"
DEFAULT_ZONE = "Europe/London"
DEFAULT_CLINIC = "clinic"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one sentence instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        sentence = message[:1].upper() + message[1:]
        print(f"{sentence}. Try: {self.prog} --help", file=sys.stderr)
        raise SystemExit(2)


def _say(text: str) -> None:
    print(text, flush=True)


def _now() -> datetime:
    return datetime.now(UTC)


# -- which database ----------------------------------------------------------------------------


def database_url(given: str | None) -> str:
    """The database to use; a relative SQLite file is relative to where the command was typed."""
    url = given or os.environ.get("MONITOR_DATABASE_URL") or DEFAULT_DATABASE_URL
    try:
        parsed = make_url(url)
    except Exception as error:
        raise NotFound(f'"{url}" is not a database URL such as sqlite:///monitor.db.') from error
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        file = Path(parsed.database).resolve()
        return str(parsed.set(database=str(file)).render_as_string(hide_password=False))
    return url


def _migrated(url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    db.migrate(url, now=_now())


def _zone() -> ZoneInfo:
    name = os.environ.get("MONITOR_ZONE", DEFAULT_ZONE)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise NotFound(f"MONITOR_ZONE names no time zone: {name}") from None


# -- commands ------------------------------------------------------------------------------------


def serve(args: argparse.Namespace) -> int:
    """Migrate, then run the monitor until it is stopped."""
    url = database_url(args.database)
    _migrated(url)
    store = db.open_store(url, zone=_zone())
    try:
        if args.demo_if_empty:
            _prepare_demo(store, is_empty=not samples.holds_anything(url))
        is_demo = user_admin.is_demo(store)
        nobody = not store.users()
    finally:
        store.close()
    _say(f"Infusion session monitor on http://{args.host}:{args.port} (stop with Ctrl-C)")
    if is_demo:
        _say_demo_accounts()
    if nobody:
        _say("There is no account yet: python -m monitor users add NAME --role admin")
    os.environ["MONITOR_DATABASE_URL"] = url
    os.chdir(ROOT)
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py"]
    command += [f"--server.address={args.host}", f"--server.port={args.port}"]
    sys.stdout.flush()
    os.execv(sys.executable, command)


def _prepare_demo(store: db.SqlStore, *, is_empty: bool) -> None:
    """Fill an empty database with the demo, or bring the running sessions of a demo up to now."""
    if is_empty:
        count = samples.fill_demo(store, now=_now())
        _say(f"Filled with the demo: {count} invented sessions.")
    elif user_admin.is_demo(store):
        samples.refresh_running(store, now=_now())


def _say_demo_accounts() -> None:
    _say("Demo database: synthetic data, not for clinical use.")
    _say(f"Password of every account: {user_admin.DEMO_PASSWORD}")
    rows = [(a[0], a[2].value, a[1], a[4]) for a in user_admin.DEMO_ACCOUNTS]
    _say(table(("account", "role", "name", "PIN"), rows))


def demo(args: argparse.Namespace) -> int:
    """A fresh demo database in place of an older demo; never in place of anything else."""
    url = database_url(args.database)
    samples.clear_demo(url)
    _migrated(url)
    store = db.open_store(url, zone=_zone())
    try:
        count = samples.fill_demo(store, now=_now())
    finally:
        store.close()
    _say(f"Fresh demo: {count} invented sessions, {len(RUNNING)} of them under way now.")
    _say_demo_accounts()
    return 0


def import_folders(args: argparse.Namespace) -> int:
    """Store session folders; every problem of every folder is told, good folders are stored."""
    status = 0
    with _Opened(args) as store:
        versions = (*store.versions("protocol"), *store.versions("threshold_set"))
        for path in args.paths:
            try:
                folder = read_folder(path, versions)
                stored = samples.store_folder(store, folder, now=_now(), clinic=args.clinic or "")
            except ImportRefused as refused:
                status = 1
                for problem in refused.problems:
                    print(f"{path}/{problem}", file=sys.stderr)
                continue
            done = "stored" if stored else "is stored already; nothing changed"
            _say(f"{path}: session {folder.session.id} {done}")
    return status


def export_one(args: argparse.Namespace) -> int:
    """One session as a folder."""
    with _Opened(args) as store:
        export_session(store, args.id, args.out, by=user_admin.COMMAND_LINE, now=_now())
    _say(f"{args.out}: session {args.id} written")
    return 0


def breaches(args: argparse.Namespace) -> int:
    """The breaches of a folder or of a stored session; ``--check`` holds them to expected.toml."""
    found, expected = _findings(args)
    _say(show_breaches.text_of(found, args.format))
    if not args.check:
        return 0
    told = differences(expected, found)
    for line in told:
        print(f"{args.what}: {line}", file=sys.stderr)
    return 1 if told else 0


def _findings(args: argparse.Namespace) -> tuple[Findings, dict[str, object]]:
    path = Path(args.what)
    if path.is_dir():
        folder = read_folder(path)
        return findings(folder), dict(folder.expected)
    try:
        session_id = UUID(args.what)
    except ValueError:
        raise NotFound(f'"{args.what}" is neither a folder nor the id of a session.') from None
    if args.check:
        raise NotFound("--check needs a folder with an expected.toml.")
    with _Opened(args) as store:
        session = store.session(session_id)
        opened = bundle(store, session, store.alerts(session_id), _now())
    return (
        findings_of(
            session,
            opened.protocol,
            opened.threshold_set,
            opened.alerts,
            opened.alert_events,
            opened.as_of,
        ),
        {},
    )


def export_csv(args: argparse.Namespace) -> int:
    """One table of the record as CSV."""
    zone = _zone()
    with _Opened(args) as store:
        query = SessionQuery(
            clinic=args.clinic or only_clinic(store),
            from_at=_midnight(args.from_day, zone),
            to_at=_midnight(args.to_day, zone, after=1),
            include_in_progress=args.in_progress,
            descending=False,
        )
        wanted = Wanted(args.table, query, deidentified=args.deidentified, bom=args.bom)
        form = new_form(wanted, export.Form(zone=zone))
        size = export_table(store, wanted, form, args.out, by=user_admin.COMMAND_LINE, now=_now())
    if args.out != "-":
        _say(f"{args.out}: {size} bytes")
    return 0


def _midnight(day: date | None, zone: ZoneInfo, *, after: int = 0) -> datetime | None:
    """The first instant of a clinic-local day; ``after`` 1 is the end of it."""
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=after), time(), tzinfo=zone).astimezone(UTC)


def verify(args: argparse.Namespace) -> int:
    """Hold the whole database to its audit chain and its projections."""
    with _Opened(args) as store:
        problems = (*store.verify(), *actions.projection_problems(store))
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        _say("The record is sound: chain, rows and projections agree.")
    return 1 if problems else 0


# -- accounts --------------------------------------------------------------------------------------


def users(args: argparse.Namespace) -> int:
    """List, add, change, disable and enable accounts."""
    if args.job == "add":
        _migrated(database_url(args.database))
    with _Opened(args) as store:
        return int(_USER_JOBS[args.job](store, args))


def _list_users(store: Store, _args: argparse.Namespace) -> int:
    rows = [
        (user.username, user.role.value, user.clinic, user.name, "" if user.active else "disabled")
        for user in store.users()
    ]
    _say(table(("account", "role", "clinic", "name", ""), rows))
    return 0


def _add_user(store: Store, args: argparse.Namespace) -> int:
    clinics = {user.clinic for user in store.users()}
    default = next(iter(clinics)) if len(clinics) == 1 else DEFAULT_CLINIC
    user = user_admin.create_user(
        store,
        username=args.name,
        name=args.full_name or args.name,
        role=Role(args.role),
        clinic=args.clinic or default,
        password=_new_password(args),
        pin=args.pin,
        shift_lead=args.shift_lead,
        by=None,
        now=_now(),
    )
    _say(f"{user.username} ({user.role.value}) added to {user.clinic}.")
    return 0


def _password(store: Store, args: argparse.Namespace) -> int:
    user_admin.set_password(store, args.name, _new_password(args), by=None, now=_now())
    _say(f"{args.name} has a new password and is signed out everywhere.")
    return 0


def _disable(store: Store, args: argparse.Namespace) -> int:
    user_admin.disable_user(store, args.name, by=None, now=_now())
    _say(f"{args.name} is disabled and signed out everywhere.")
    return 0


def _enable(store: Store, args: argparse.Namespace) -> int:
    user_admin.enable_user(store, args.name, by=None, now=_now())
    _say(f"{args.name} can sign in again.")
    return 0


_USER_JOBS: dict[str, Callable[[Store, argparse.Namespace], int]] = {
    "list": _list_users,
    "add": _add_user,
    "password": _password,
    "disable": _disable,
    "enable": _enable,
}


def _new_password(args: argparse.Namespace) -> str:
    """Typed twice on a terminal, read as one line from a pipe, or invented and shown once."""
    if args.generate:
        password = secrets.token_urlsafe(15)
        _say(f"Password: {password}")
        return password
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Once more: "):
        raise NotFound("The two passwords differ; nothing was changed.")
    return first


# -- arguments -----------------------------------------------------------------------------------


class _Opened:
    """The store of the database named by the arguments, closed at the end."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._url = database_url(args.database)

    def __enter__(self) -> db.SqlStore:
        self._store = db.open_store(self._url, zone=_zone())
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


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

    made = command("serve", serve, "migrate the database, then run the monitor")
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=8501)
    made.add_argument("--demo-if-empty", action="store_true", help="fill an empty database")

    command("demo", demo, "make a fresh demo database")

    made = command("import", import_folders, "store session folders")
    made.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    made.add_argument("--clinic", help="store them in this clinic")

    made = command("export-session", export_one, "write one session as a folder")
    made.add_argument("id", type=_session_id, metavar="ID")
    made.add_argument("--out", type=Path, required=True, metavar="DIR")

    made = command("breaches", breaches, "show the breaches of a folder or a stored session")
    made.add_argument("what", metavar="PATH-or-ID")
    made.add_argument("--format", choices=show_breaches.FORMATS, default="table")
    made.add_argument("--check", action="store_true", help="compare with expected.toml")

    made = command("export", export_csv, "write one table as CSV")
    made.add_argument("table", choices=TABLES)
    made.add_argument("--from", dest="from_day", type=_day, metavar="DAY")
    made.add_argument("--to", dest="to_day", type=_day, metavar="DAY", help="this day included")
    made.add_argument("--clinic")
    made.add_argument("--deidentified", action="store_true")
    made.add_argument("--in-progress", action="store_true", help="sessions that still go on, too")
    made.add_argument("--bom", action="store_true", help="byte order mark, for spreadsheets")
    made.add_argument("--out", required=True, metavar="FILE", help="- is standard output")

    command("verify", verify, "hold the record to its audit chain and projections")

    made = command("users", users, "manage accounts")
    made.add_argument("job", choices=tuple(_USER_JOBS))
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
