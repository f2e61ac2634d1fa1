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


def users(args: argparse.Namespace) -> int:
    """List, add, change, disable and enable accounts."""
    if args.job == "add":
        migrated(database_url(args.database))
    with opened(args) as store:
        return JOBS[args.job](store, args)


def _list(store: Store, _args: argparse.Namespace) -> int:
    rows = [
        (user.username, user.role.value, user.clinic, user.name, "" if user.active else "disabled")
        for user in store.users()
    ]
    say(table(("account", "role", "clinic", "name", ""), rows))
    return 0


def _add(store: Store, args: argparse.Namespace) -> int:
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
        now=now(),
    )
    say(f"{user.username} ({user.role.value}) added to {user.clinic}.")
    return 0


def _password(store: Store, args: argparse.Namespace) -> int:
    user_admin.set_password(store, args.name, _new_password(args), by=None, now=now())
    say(f"{args.name} has a new password and is signed out everywhere.")
    return 0


def _disable(store: Store, args: argparse.Namespace) -> int:
    user_admin.disable_user(store, args.name, by=None, now=now())
    say(f"{args.name} is disabled and signed out everywhere.")
    return 0


def _enable(store: Store, args: argparse.Namespace) -> int:
    user_admin.enable_user(store, args.name, by=None, now=now())
    say(f"{args.name} can sign in again.")
    return 0


JOBS: dict[str, Callable[[Store, argparse.Namespace], int]] = {
    "list": _list,
    "add": _add,
    "password": _password,
    "disable": _disable,
    "enable": _enable,
}


def _new_password(args: argparse.Namespace) -> str:
    """Typed twice on a terminal, read as one line from a pipe, or invented and shown once."""
    if args.generate:
        password = secrets.token_urlsafe(15)
        say(f"Password: {password}")
        return password
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Once more: "):
        raise NotFound("The two passwords differ; nothing was changed.")
    return first
