"""``verify``: whether the record is what was written, and its summaries what it says."""

from __future__ import annotations

import argparse

from monitor import actions
from monitor.commands.database import opened
from monitor.commands.output import say, tell


def verify(args: argparse.Namespace) -> int:
    """Hold the whole database to its audit chain and its projections."""
    with opened(args) as store:
        problems = (*store.verify(), *actions.projection_problems(store))
    for problem in problems:
        tell(problem)
    if not problems:
        say("The record is sound: chain, rows and projections agree.")
    return 1 if problems else 0
