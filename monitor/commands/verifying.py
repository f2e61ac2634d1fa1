"""``verify`` and ``rebuild``: whether the record is what was written, and its summaries from it."""

from __future__ import annotations

import argparse

from monitor import actions
from monitor.commands.database import now, opened
from monitor.commands.output import progress, say, tell
from monitor.errors import MonitorError


def verify(args: argparse.Namespace) -> int:
    """Hold the whole database to its audit chain and its projections."""
    with opened(args) as store:
        problems = (*store.verify(), *actions.projection_problems(store))
    for problem in problems:
        tell(problem)
    if not problems:
        say("The record is sound: chain, rows and projections agree.")
    return 1 if problems else 0


def rebuild(args: argparse.Namespace) -> int:
    """Make everything anew that only repeats the record: heads and the summary of every session.

    The record itself is never touched.  A session whose summary cannot be worked out is told and
    keeps the one it has; the others are done.
    """
    written = failed = 0
    with opened(args) as store:
        heads, strays = store.restore_heads(now()), store.drop_stray_summaries()
        sessions = store.session_ids()
        for clinic, session_id in progress(sessions, "sessions"):
            try:
                written += actions.rebuild_summary(store, clinic, session_id, now())
            except (MonitorError, KeyError, ValueError) as error:
                failed += 1
                tell(f"session {session_id}: its summary cannot be worked out: {error}")
    if heads:
        say(f"Heads that were missing and are there again: {heads}.")
    if strays:
        say(f"Summaries of no session that were taken away: {strays}.")
    agreed = len(sessions) - written - failed
    say(f"Sessions: {len(sessions)}. Summaries written anew: {written}, as they were: {agreed}.")
    return 1 if failed else 0
