"""What a session shows, in the words of expected.toml, and how that differs from what was written.

A sample folder says in clinical terms what must be found; this module finds it and tells every
difference.  It is the acceptance test of the rules, readable by an anaesthetist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from monitor import dosing, schedule
from monitor.alerts import Alert, AlertEvent, AlertView, alert_views, confirmed_spans
from monitor.breaches import Breach, find_breaches
from monitor.folder_format import AlertAnswer, SessionFolder
from monitor.protocols import InfusionProtocol
from monitor.record import InfusionSession, Observation
from monitor.replay import replay_alerts
from monitor.thresholds import ThresholdSet

#: Sections that are lists, and the key that names one of their items in a message.
_LISTS = {"breach": "rule", "alert": "group"}


@dataclass(frozen=True)
class Findings:
    """What one session shows at the end of its record."""

    session: InfusionSession
    as_of: datetime
    breaches: tuple[Breach, ...]
    views: tuple[AlertView, ...]
    alerts: tuple[Alert, ...]
    alert_events: tuple[AlertEvent, ...]
    totals: dosing.DoseTotals
    dues: schedule.DueCounts

    def as_expected(self) -> dict[str, Any]:
        """The findings in the form of expected.toml, ``summary`` left out."""
        started_at = self.session.started_at or self.session.created_at
        return {
            "breach": [_breach(breach, started_at) for breach in self.breaches],
            "alert": sorted(
                (_alert(view, started_at) for view in self.views),
                key=lambda row: (_seconds(row["from"]), row["group"]),
            ),
            "doses": {
                "total_mg": self.totals.total_mg,
                "bolus_mg": self.totals.bolus_mg,
                "mg_per_kg": self.totals.mg_per_kg,
                "pauses": self.totals.pauses,
            },
            "schedule": {
                "on_time": self.dues.on_time,
                "late": self.dues.late,
                "missed": self.dues.missed,
            },
        }


def end_of_record(session: InfusionSession, answers: Iterable[AlertAnswer] = ()) -> datetime:
    """The moment of the last thing that was saved or happened, answers to alerts included."""
    facts = (max(fact.taken_at, fact.recorded_at) for fact in session.facts())
    told = (max(answer.at, answer.recorded_at) for answer in answers)
    return max([session.created_at, *facts, *told])


def findings(folder: SessionFolder) -> Findings:
    """What the session of a folder shows, with the alerts as they would have been raised.

    Raises:
        ImportRefused: an answer speaks of no alert, or not clearly of one.
    """
    session, protocol, limits = folder.session, folder.protocol, folder.threshold_set
    as_of = end_of_record(session, folder.answers)
    alerts, events = replay_alerts(session, protocol, limits, folder.answers, as_of)
    return findings_of(session, protocol, limits, alerts, events, as_of)


def findings_of(
    session: InfusionSession,
    protocol: InfusionProtocol,
    limits: ThresholdSet,
    alerts: tuple[Alert, ...],
    events: tuple[AlertEvent, ...],
    as_of: datetime,
) -> Findings:
    """What a session with these stored alerts shows at ``as_of``."""
    found = find_breaches(session, limits, as_of, protocol=protocol)
    spans = confirmed_spans(found, limits)
    return Findings(
        session=session,
        as_of=as_of,
        breaches=found,
        views=alert_views(
            session, limits, alerts, events, as_of, protocol=protocol, breaches=found
        ),
        alerts=alerts,
        alert_events=events,
        totals=dosing.totals(session, as_of),
        dues=schedule.counts(schedule.dues(session, protocol, spans, as_of)),
    )


def clock(at: datetime, started_at: datetime) -> str:
    """Minutes and seconds from the first dose: ``20:30``, ``-12:00``."""
    seconds = int((at - started_at).total_seconds())
    sign = "-" if seconds < 0 else ""
    return f"{sign}{abs(seconds) // 60}:{abs(seconds) % 60:02d}"


def _seconds(text: str) -> int:
    minutes, seconds = text.lstrip("-").split(":")
    whole = 60 * int(minutes) + int(seconds)
    return -whole if text.startswith("-") else whole


def reading_texts(breach: Breach) -> list[str]:
    """The readings outside, values as they were recorded, reasons by their code."""
    return [
        format(fact.value, "f") if fact.value is not None else str(fact.not_taken)
        for fact in breach.readings
        if isinstance(fact, Observation) and fact.parameter == breach.parameter
    ]


def _breach(breach: Breach, started_at: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "rule": breach.rule_id,
        "parameter": breach.parameter,
        "level": breach.level,
        "state": breach.state,
        "from": clock(breach.onset_at, started_at),
    }
    if breach.confirmed_at is not None:
        row["confirmed"] = clock(breach.confirmed_at, started_at)
    if breach.ended_at is not None:
        row["ended"] = clock(breach.ended_at, started_at)
    row["readings"] = reading_texts(breach)
    if breach.retrospective:
        row["retrospective"] = True
    return row


def _alert(view: AlertView, started_at: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "group": view.alert.group,
        "level": view.confirmed_level or view.level,
        "state": str(view.state),
        "from": clock(view.alert.onset_at, started_at),
    }
    if view.unconfirmed:
        row["unconfirmed"] = True
    if view.retrospective:
        row["retrospective"] = True
    if view.answers:
        row["answered_by"] = view.answers[-1].by
    return row


def differences(expected: Mapping[str, Any], found: Findings) -> tuple[str, ...]:
    """Every way in which a session differs from its expected.toml, in words; empty when none."""
    actual = found.as_expected()
    if not expected:
        return ("expected.toml is missing or empty",)
    told: list[str] = []
    unknown = set(expected) - set(actual) - {"summary"}
    told += [f"expected.toml: [{name}] is not understood" for name in sorted(unknown)]
    for name, key in _LISTS.items():
        told += _list_differences(name, key, expected.get(name, []), actual[name])
    for name in ("doses", "schedule"):
        if name not in expected:
            told.append(f"expected.toml: [{name}] is missing")
            continue
        told += _table_differences(name, expected[name], actual[name])
    return tuple(told)


def _list_differences(
    name: str, key: str, expected: Iterable[Mapping[str, Any]], actual: Iterable[Mapping[str, Any]]
) -> Iterable[str]:
    missing = [dict(row) for row in expected]
    for row in actual:
        if dict(row) in missing:
            missing.remove(dict(row))
            continue
        yield f"{name} found but not expected: {_words(row)}"
    for row in missing:
        yield f"{name} expected but not found: {_words(row)}"


def _words(row: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key} {' '.join(value) if isinstance(value, list) else value}"
        for key, value in row.items()
    )


def _table_differences(
    name: str, expected: Mapping[str, Any], actual: Mapping[str, Any]
) -> Iterable[str]:
    for key, value in expected.items():
        if key not in actual:
            yield f"{name}: {key} is not understood"
        elif not _same(value, actual[key]):
            yield f"{name}: {key} is {_plain(actual[key])}, expected {value}"


def _same(expected: object, actual: object) -> bool:
    """Equal; a number given as text is compared after rounding half-up to its own digits."""
    if isinstance(expected, str) and isinstance(actual, Decimal):
        wanted = Decimal(expected)
        return actual.quantize(wanted, rounding=ROUND_HALF_UP) == wanted
    return expected == actual


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        rounded = value.quantize(Decimal("0.001"), rounding=ROUND_HALF_UP)
        return format(rounded.normalize(), "f")
    return str(value)
