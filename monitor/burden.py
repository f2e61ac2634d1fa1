"""The burden of alerts: how many there were, what they led to, how soon somebody answered.

Clinical.md 7.2 "Burden KPI" with U-62 to U-64.  From what was recorded at the time, never from the
limits of today: it says what staff were told.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from importlib import resources
from typing import Any
from uuid import UUID

from monitor.thresholds import AlertPolicy


@dataclass(frozen=True, slots=True)
class BurdenRules:
    """When a month asks for a review, and which answers are no action or mean a false alert."""

    warnings_per_session_above: Decimal
    acted_on_below_percent: Decimal
    no_action: frozenset[str]
    false: frozenset[str]
    source: str


def _load() -> BurdenRules:
    text = resources.files("monitor.library").joinpath("burden.toml").read_text("utf-8")
    content: dict[str, Any] = tomllib.loads(text)
    review, answers = content["review"], content["answers"]
    return BurdenRules(
        Decimal(review["warnings_per_session_above"]),
        Decimal(review["acted_on_below_percent"]),
        frozenset(answers["no_action"]),
        frozenset(answers["false"]),
        review["source"],
    )


#: The packaged table.
BURDEN = _load()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertHistory:
    """What was recorded of one alert, as far as its burden is concerned.

    ``month`` is the clinic-local month of the first dose (``2026-11``).  ``told`` are the levels that
    were confirmed, each with its time and when that was recorded; ``unconfirmed`` the times at which
    a repeat was inside, likewise; ``answers`` when people answered, what they did, at which level.
    """

    month: str
    session_id: UUID
    rule_id: str
    threshold_set_id: UUID
    level: str
    pending: bool
    detected_at: datetime
    onset_at: datetime
    told: tuple[tuple[str, datetime, datetime], ...] = ()
    unconfirmed: tuple[tuple[datetime, datetime], ...] = ()
    answers: tuple[tuple[datetime, str | None, str | None], ...] = ()
    invalidated: bool = False

    @property
    def confirmed(self) -> tuple[tuple[str, datetime], ...]:
        """Levels with the times of their confirmation, those taken back left out.

        The clock may confirm what a repeat, taken in time and saved a little later, then refutes.
        """
        return tuple(
            (level, at)
            for level, at, recorded_at in self.told
            if not any(
                refuted_at < at and noted_at > recorded_at
                for refuted_at, noted_at in self.unconfirmed
            )
        )

    @property
    def confirmed_level(self) -> str | None:
        """The highest level ever confirmed (U-62), None for one that never was."""
        levels = {level for level, _ in self.confirmed}
        if not self.pending:
            levels.add(self.level)
        return "critical" if "critical" in levels else "warning" if levels else None

    @property
    def known_at(self) -> datetime:
        """When its highest level was confirmed and known: the clock of its answer starts (U-60)."""
        level = self.confirmed_level
        times = [at for confirmed, at in self.confirmed if confirmed == level]
        at_once = not self.pending and self.level == level
        return max(self.onset_at if at_once or not times else min(times), self.detected_at)


@dataclass(slots=True)
class Tally:
    """Counts of alerts; shares have their denominators beside them."""

    warnings: int = 0
    criticals: int = 0
    unconfirmed: int = 0
    invalidated: int = 0
    acted_on: int = 0
    false: int = 0
    answered: int = 0
    in_time: int = 0

    @property
    def counted(self) -> int:
        """Confirmed alerts, each once at its highest level (U-62)."""
        return self.warnings + self.criticals

    def add(self, alert: AlertHistory, policy: AlertPolicy, rules: BurdenRules = BURDEN) -> None:
        """Count one alert."""
        level = alert.confirmed_level
        if alert.invalidated:
            self.invalidated += 1
            self.false += 1
            return
        if level is None:
            self.unconfirmed += 1
            return
        self.warnings += level == "warning"
        self.criticals += level == "critical"
        actions = {action for _, action, _ in alert.answers if action}
        self.acted_on += bool(actions - rules.no_action)
        self.false += bool(actions & rules.false)
        fitting = [at for at, _, given in alert.answers if level == "warning" or given == level]
        self.answered += bool(fitting)
        if fitting:
            self.in_time += min(fitting) <= alert.known_at + _answer_within(policy, level)

    def percent(self, count: int, of: int) -> Decimal | None:
        """A share in percent to one decimal; None of nothing."""
        return None if not of else (Decimal(count) * 100 / of).quantize(Decimal("0.1"))

    @property
    def acted_on_percent(self) -> Decimal | None:
        return self.percent(self.acted_on, self.counted)

    @property
    def false_percent(self) -> Decimal | None:
        """Of those counted and those taken back (U-64)."""
        return self.percent(self.false, self.counted + self.invalidated)

    @property
    def in_time_percent(self) -> Decimal | None:
        return self.percent(self.in_time, self.counted)


def _answer_within(policy: AlertPolicy, level: str) -> timedelta:
    """How long it may wait before somebody else is told (clinical.md 7.2, U-60, U-63)."""
    if level == "critical":
        return policy.escalate_critical_after[0]
    return policy.escalate_warning_after


@dataclass(frozen=True, slots=True)
class BurdenRow:
    """One rule of one version of the limits in one month; ``sessions`` are all of that version."""

    month: str
    rule_id: str
    threshold_set_id: UUID
    sessions: int
    tally: Tally

    @property
    def per_session(self) -> Decimal | None:
        """Counted alerts per started session."""
        return per_session(self.tally.counted, self.sessions)


@dataclass(frozen=True, slots=True)
class Month:
    """A month over all rules, and whether its limits should be looked at again (U-64)."""

    month: str
    sessions: int
    tally: Tally
    rules: BurdenRules = field(default=BURDEN)

    @property
    def warnings_per_session(self) -> Decimal | None:
        return per_session(self.tally.warnings, self.sessions)

    @property
    def review(self) -> tuple[str, ...]:
        """Why a review is due, in words; empty when none is."""
        found = []
        warnings, acted = self.warnings_per_session, self.tally.acted_on_percent
        if (
            self.sessions
            and self.tally.warnings > self.rules.warnings_per_session_above * self.sessions
        ):
            found.append(
                f"{warnings} warnings per session, above {self.rules.warnings_per_session_above}"
            )
        least = self.rules.acted_on_below_percent
        if self.tally.counted and self.tally.acted_on * 100 < least * self.tally.counted:
            found.append(f"{acted} % acted on, below {least} %")
        return tuple(found)


def per_session(count: int, sessions: int) -> Decimal | None:
    """A count for each session to two decimals; None without sessions."""
    return None if not sessions else (Decimal(count) / sessions).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class Burden:
    """The report: months in order, and the rows of every rule and version in each."""

    months: tuple[Month, ...]
    rows: tuple[BurdenRow, ...]


def burden(
    sessions: Mapping[tuple[str, UUID], int],
    alerts: Iterable[AlertHistory],
    policies: Mapping[UUID, AlertPolicy],
) -> Burden:
    """The burden of these alerts.

    ``sessions`` says how many sessions were started in each month under each version of the limits;
    only alerts of those are given.  ``policies`` are those of the versions.
    """
    by_rule: dict[tuple[str, str, UUID], Tally] = {}
    by_month = {month: Tally() for month, _ in sessions}
    for alert in alerts:
        policy = policies[alert.threshold_set_id]
        key = (alert.month, alert.rule_id, alert.threshold_set_id)
        by_rule.setdefault(key, Tally()).add(alert, policy)
        by_month.setdefault(alert.month, Tally()).add(alert, policy)
    started = dict.fromkeys(by_month, 0)
    for (month, _), count in sessions.items():
        started[month] += count
    return Burden(
        tuple(Month(month, started[month], by_month[month]) for month in sorted(by_month)),
        tuple(_rows(by_rule, sessions)),
    )


def _rows(
    by_rule: Mapping[tuple[str, str, UUID], Tally], sessions: Mapping[tuple[str, UUID], int]
) -> Iterator[BurdenRow]:
    for (month, rule_id, version), tally in sorted(
        by_rule.items(),
        key=lambda item: (item[0][0], -item[1].counted, item[0][1], str(item[0][2])),
    ):
        yield BurdenRow(month, rule_id, version, sessions.get((month, version), 0), tally)
