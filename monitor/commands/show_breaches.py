"""``breaches``: what a session shows, for a person, a spreadsheet or a program."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from monitor.actions.opening import bundle
from monitor.commands.database import now, opened
from monitor.commands.output import say, table, tell
from monitor.errors import NotFound
from monitor.expected import Findings, clock, differences, findings, findings_of, reading_texts
from monitor.export import breaches_csv
from monitor.folders import read_folder

FORMATS = ("table", "csv", "json")


def breaches(args: argparse.Namespace) -> int:
    """The breaches of a folder or of a stored session; ``--check`` holds them to expected.toml."""
    found, expected = _findings(args)
    say(text_of(found, args.format))
    if not args.check:
        return 0
    told = differences(expected, found)
    for line in told:
        tell(f"{args.what}: {line}")
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
    with opened(args) as store:
        session = store.session(session_id)
        read = bundle(store, session, store.alerts(session_id), now())
    return (
        findings_of(
            session, read.protocol, read.threshold_set, read.alerts, read.alert_events, read.as_of
        ),
        {},
    )


def text_of(found: Findings, how: str) -> str:
    """The breaches in one of FORMATS, without a line end."""
    if how == "csv":
        piece = b"".join(breaches_csv([(found.session, found.breaches)]))
        return piece.decode().replace("\r\n", "\n").rstrip("\n")
    if how == "json":
        return json.dumps(_plain(found.as_expected()), indent=2, ensure_ascii=False)
    return _table(found)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _table(found: Findings) -> str:
    if not found.breaches:
        return "No breaches."
    started_at = found.session.started_at or found.session.created_at
    rows = []
    for breach in found.breaches:
        lasted = "open"
        if breach.ended_at is not None:
            minutes = (breach.ended_at - breach.onset_at) / timedelta(minutes=1)
            lasted = f"{minutes:.1f} min"
        state = f"{breach.state}, late entry" if breach.retrospective else breach.state
        rows.append(
            (
                clock(breach.onset_at, started_at),
                breach.level,
                state,
                lasted,
                breach.threshold_text,
                " ".join(reading_texts(breach)) or "-",
                breach.rule_id,
            )
        )
    return table(("from", "level", "state", "lasted", "what", "readings", "rule"), rows)
