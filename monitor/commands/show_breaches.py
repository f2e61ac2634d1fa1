"""``breaches``: what a session shows, for a person, a spreadsheet or a program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from monitor.commands.output import table
from monitor.expected import Findings, clock, reading_texts
from monitor.export import breaches_csv

FORMATS = ("table", "csv", "json")


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
