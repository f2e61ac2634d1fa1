"""``import`` and ``export-session``: sessions as folders, into the record and out of it."""

from __future__ import annotations

import argparse

from db import samples
from monitor import user_admin
from monitor.commands.database import now, opened
from monitor.commands.export_tables import export_session
from monitor.commands.output import say, tell
from monitor.errors import ImportRefused
from monitor.folders import read_folder


def import_folders(args: argparse.Namespace) -> int:
    """Store session folders; every problem of every folder is told, good folders are stored."""
    status = 0
    with opened(args) as store:
        versions = (*store.versions("protocol", None), *store.versions("threshold_set", None))
        for path in args.paths:
            try:
                folder = read_folder(path, versions)
                stored = samples.store_folder(store, folder, now=now(), clinic=args.clinic or "")
            except ImportRefused as refused:
                status = 1
                for problem in refused.problems:
                    tell(f"{path}/{problem}")
                continue
            done = "stored" if stored else "is stored already; nothing changed"
            say(f"{path}: session {folder.session.id} {done}")
    return status


def export_one(args: argparse.Namespace) -> int:
    """One session as a folder."""
    with opened(args) as store:
        export_session(store, args.id, args.out, by=user_admin.COMMAND_LINE, now=now())
    say(f"{args.out}: session {args.id} written")
    return 0
