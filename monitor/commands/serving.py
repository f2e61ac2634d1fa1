"""``serve`` and ``demo``: the monitor itself, and a database to look at it with."""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys

import db
from db import samples
from monitor import user_admin
from monitor.commands.database import ROOT, clinic_zone, database_url, migrated, now
from monitor.commands.output import say, table
from monitor.errors import MonitorError
from monitor.running_samples import RUNNING

#: How many ports behind one that is taken are tried, to name a free one.
PORTS_TRIED = 20

_NO_ADDRESS = '--host "{host}" is no address of this machine; 127.0.0.1 serves this machine only.'


class CannotServe(MonitorError):
    """The address cannot be listened on; the message says what to name instead."""


def serve(args: argparse.Namespace) -> int:
    """Migrate, then run the monitor until it is stopped."""
    check_address(args.host, args.port)
    url = database_url(args.database)
    migrated(url)
    store = db.open_store(url, zone=clinic_zone())
    try:
        if args.demo_if_empty:
            _prepare_demo(store, is_empty=not samples.holds_anything(url))
        is_demo = user_admin.is_demo(store)
        nobody = not store.users()
    finally:
        store.close()
    # Filling the demo took seconds; the address is told only when it still can be had.
    check_address(args.host, args.port)
    say(f"Infusion session monitor on http://{args.host}:{args.port} (stop with Ctrl-C)")
    if is_demo:
        _say_demo_accounts()
    if nobody:
        say("There is no account yet: python -m monitor users add NAME --role admin")
    os.environ["MONITOR_DATABASE_URL"] = url
    os.chdir(ROOT)
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py"]
    command += [f"--server.address={args.host}", f"--server.port={args.port}"]
    sys.stdout.flush()
    os.execv(sys.executable, command)


def check_address(host: str, port: int) -> None:
    """See that the server will be able to listen there.

    Raises:
        CannotServe: another program does, or this one may not; names a port that is free.
    """
    try:
        _listen_once(host, port)
    except (socket.gaierror, UnicodeError):
        raise CannotServe(_NO_ADDRESS.format(host=host)) from None
    except OSError as error:
        raise CannotServe(_other_address(host, port, error)) from None


def _listen_once(host: str, port: int) -> None:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as probe:
        # As the server does: a port whose last connections are still winding down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)


def _other_address(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRNOTAVAIL:
        return _NO_ADDRESS.format(host=host)
    why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
    return f"Port {port} {why}.{_free_port_after(host, port)}"


def _free_port_after(host: str, port: int) -> str:
    """Which port to try, as the next sentence."""
    for other in range(max(port, 1023) + 1, min(max(port, 1023) + PORTS_TRIED, 65535) + 1):
        try:
            _listen_once(host, other)
        except OSError:
            continue
        return f" Try: --port {other}"
    return " Name another with --port."


def _prepare_demo(store: db.SqlStore, *, is_empty: bool) -> None:
    """Fill an empty database with the demo, or bring the running sessions of a demo up to now."""
    if is_empty:
        count = samples.fill_demo(store, now=now())
        say(f"Filled with the demo: {count} invented sessions.")
    elif user_admin.is_demo(store):
        samples.refresh_running(store, now=now())


def _say_demo_accounts() -> None:
    say("Demo database: synthetic data, not for clinical use.")
    say(f"Password of every account: {user_admin.DEMO_PASSWORD}")
    rows = [(a[0], a[2].value, a[1], a[4]) for a in user_admin.DEMO_ACCOUNTS]
    say(table(("account", "role", "name", "PIN"), rows))


def demo(args: argparse.Namespace) -> int:
    """A fresh demo database in place of an older demo; never in place of anything else."""
    url = database_url(args.database)
    samples.clear_demo(url)
    migrated(url)
    store = db.open_store(url, zone=clinic_zone())
    try:
        count = samples.fill_demo(store, now=now())
    finally:
        store.close()
    say(f"Fresh demo: {count} invented sessions, {len(RUNNING)} of them under way now.")
    _say_demo_accounts()
    return 0
