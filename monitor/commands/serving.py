"""``serve`` and ``demo``: the monitor itself, and a database to look at it with."""

from __future__ import annotations

import argparse
import os
import sys

import db
from db import samples
from monitor import user_admin
from monitor.commands.database import ROOT, clinic_zone, database_url, migrated, now
from monitor.commands.output import say, table
from monitor.running_samples import RUNNING


def serve(args: argparse.Namespace) -> int:
    """Migrate, then run the monitor until it is stopped."""
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
