"""``generate``: years of invented sessions, to try reports, limits and speed on."""

from __future__ import annotations

import argparse
import os
from datetime import timedelta

from db.generated import check_may_generate, fill, frame_of
from monitor import user_admin
from monitor.commands.database import database_url, migrated, now, opened
from monitor.commands.output import progress, say
from monitor.errors import NotFound
from monitor.synthetic import visits

#: How far back invented history begins when nobody says.
_YEARS = timedelta(days=3 * 365)


def generate(args: argparse.Namespace) -> int:
    """Fill an empty or generated database; the same arguments on the same day give the same record."""
    moment = now()
    migrated(database_url(args.database))
    with opened(args) as store:
        today = moment.astimezone(store.zone).date()
        since = args.since or today - _YEARS
        if not 7 <= (today - since).days <= 100 * 366:
            raise NotFound("--since has to be at least a week ago, and at most 100 years.")
        check_may_generate(store, args.clinic, args.seed)
        if args.clinic == user_admin.DEMO_CLINIC:
            user_admin.create_demo_users(store, now=moment)
        planned = visits(
            sessions=args.sessions,
            seed=args.seed,
            clinic=args.clinic,
            since=since,
            until=today,
            zone=store.zone,
        )
        frame = frame_of(store, args.clinic, seed=args.seed, now=moment)
        jobs = args.jobs or os.cpu_count() or 1
        stored = fill(store, frame, planned, jobs=jobs)
        rows = sum(progress(stored, "sessions", total=len(planned)))
    say(
        f"Synthetic: {len(planned)} invented sessions of {args.clinic} since {since}, seed"
        f" {args.seed}, {rows} rows. None of them is of a person."
    )
    return 0
