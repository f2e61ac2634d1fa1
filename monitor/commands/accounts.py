"""``users``: accounts from the command line, whose user already holds the database."""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys
from collections.abc import Callable

from monitor import user_admin
from monitor.commands.database import database_url, migrated, now, opened
from monitor.commands.output import say, table
from monitor.errors import NotFound
from monitor.permissions import Role
from monitor.store import Store

DEFAULT_CLINIC = "clinic"

Job = Callable[[Store, argparse.Namespace], int]

_NO_PASSWORD = (
    "No password was given; nothing was changed. Type one, pipe one line of UTF-8 text in, or let"
    " --generate invent one."
)


def users(args: argparse.Namespace) -> int:
    """List, add, change, disable and enable accounts."""
    if args.job == "add":
        migrated(database_url(args.database))
    with opened(args) as store:
        job: Job = args.work
        return job(store, args)


def _list(store: Store, _args: argparse.Namespace) -> int:
    rows = [
        (user.username, user.role.value, user.clinic, user.name, "" if user.active else "disabled")
        for user in store.users()
    ]
    say(table(("account", "role", "clinic", "name", ""), rows))
    return 0


def _add(store: Store, args: argparse.Namespace) -> int:
    password = _new_password(args)
    clinics = {user.clinic for user in store.users()}
    default = next(iter(clinics)) if len(clinics) == 1 else DEFAULT_CLINIC
    user = user_admin.create_user(
        store,
        username=args.name,
        name=args.full_name or args.name,
        role=Role(args.role),
        clinic=args.clinic or default,
        password=password,
        pin=args.pin,
        shift_lead=args.shift_lead,
        by=None,
        now=now(),
    )
    say(f"{user.username} ({user.role.value}) added to {user.clinic}.")
    _say_invented(args, password)
    return 0


def _password(store: Store, args: argparse.Namespace) -> int:
    store.user(user_admin.normal_username(args.name))
    password = _new_password(args)
    user_admin.set_password(store, args.name, password, by=None, now=now())
    say(f"{args.name} has a new password and is signed out everywhere.")
    _say_invented(args, password)
    return 0


def _disable(store: Store, args: argparse.Namespace) -> int:
    user_admin.disable_user(store, args.name, by=None, now=now())
    say(f"{args.name} is disabled and signed out everywhere.")
    return 0


def _enable(store: Store, args: argparse.Namespace) -> int:
    user_admin.enable_user(store, args.name, by=None, now=now())
    say(f"{args.name} can sign in again.")
    return 0


#: Name of each job, what does it, and what it is for.
JOBS: dict[str, tuple[Job, str]] = {
    "list": (_list, "every account"),
    "add": (_add, "make an account"),
    "password": (_password, "give an account a new password"),
    "disable": (_disable, "take an account out of use"),
    "enable": (_enable, "put a disabled account back into use"),
}


def _new_password(args: argparse.Namespace) -> str:
    """Typed twice on a terminal, read as one line from a pipe, or invented.

    Raises:
        NotFound: none was given.
    """
    if args.generate:
        return secrets.token_urlsafe(15)
    try:
        if sys.stdin is None or not sys.stdin.isatty():
            return _piped_password()
        first = getpass.getpass("Password: ")
        second = getpass.getpass("Once more: ")
    except (EOFError, UnicodeDecodeError):
        raise NotFound(_NO_PASSWORD) from None
    if first != second:
        raise NotFound("The two passwords differ; nothing was changed.")
    return first


def _piped_password() -> str:
    line = sys.stdin.readline() if sys.stdin is not None else ""
    if not line:
        raise EOFError
    return line.rstrip("\r\n")


def _say_invented(args: argparse.Namespace, password: str) -> None:
    """Show an invented password, once and only when it holds."""
    if args.generate:
        say(f"Password: {password}")
