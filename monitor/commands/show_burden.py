"""``burden``: how many alerts there were, and what they led to, per month, rule and version."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from monitor.actions.alert_burden import burden_of, version_labels
from monitor.burden import Burden, Tally, per_session
from monitor.commands.database import now, opened
from monitor.commands.export_tables import known_clinic, only_clinic
from monitor.commands.output import check_out, say, table, write_whole
from monitor.errors import NotFound
from monitor.export import csv_table

#: How far back the report goes when nobody says.
_LAST = timedelta(days=90)

_HEADER = (
    "month",
    "rule",
    "limits",
    "sessions",
    "warnings",
    "criticals",
    "alerts_per_session",
    "acted_on",
    "acted_on_percent",
    "false",
    "false_percent",
    "answered",
    "in_time",
    "in_time_percent",
    "unconfirmed",
    "invalidated",
    "review",
)


def show_burden(args: argparse.Namespace) -> int:
    """Print the report, or write it as CSV."""
    if args.csv:
        check_out(args.csv)
    with opened(args) as store:
        clinic = known_clinic(store, args.clinic) if args.clinic else only_clinic(store)
        today = now().astimezone(store.zone).date()
        since, until = args.since or today - _LAST, args.until or today
        if since > until:
            raise NotFound("--since lies after --until: there is no day between them.")
        report = burden_of(
            store,
            clinic,
            since=_midnight(since, store.zone),
            until=_midnight(until + timedelta(days=1), store.zone),
        )
        labels = version_labels(store, report)
    rows = list(burden_rows(report, labels))
    if args.csv:
        write_whole(args.csv, csv_table(_HEADER, rows))
    else:
        say(table(_HEADER, rows))
    return 0


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def burden_rows(report: Burden, labels: dict[object, str]) -> Iterable[Sequence[str]]:
    """A row for each month over all rules, then one for each of its rules; nothing is empty text."""
    for month in report.months:
        review = "; ".join(month.review)
        yield [month.month, "all", "", *_cells(month.sessions, month.tally), review]
        for row in report.rows:
            if row.month == month.month:
                label = labels[row.threshold_set_id]
                yield [row.month, row.rule_id, label, *_cells(row.sessions, row.tally), ""]


def _cells(sessions: int, tally: Tally) -> list[str]:
    values = (
        sessions,
        tally.warnings,
        tally.criticals,
        per_session(tally.counted, sessions),
        tally.acted_on,
        tally.acted_on_percent,
        tally.false,
        tally.false_percent,
        tally.answered,
        tally.in_time,
        tally.in_time_percent,
        tally.unconfirmed,
        tally.invalidated,
    )
    return ["" if value is None else str(value) for value in values]
