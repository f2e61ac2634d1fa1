"""The burden of alerts from the record: the same on both engines, and the same as the summaries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from db import SqlStore
from db.generated import fill, frame_of
from monitor.actions.alert_burden import alert_burden, burden_of, version_labels
from monitor.burden import AlertHistory, Month, Tally, burden
from monitor.errors import NotPermitted
from monitor.permissions import Role, User
from monitor.store import SessionQuery
from monitor.synthetic import visits
from monitor.thresholds import AlertPolicy
from tests import build

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
POLICY = AlertPolicy(
    refire_after=timedelta(minutes=15),
    escalate_critical_after=(timedelta(minutes=2), timedelta(minutes=5)),
    escalate_warning_after=timedelta(minutes=10),
    suppress_critical_at_most=timedelta(minutes=2),
    suppress_warning_at_most=timedelta(minutes=15),
    increase_waits_after_warning=timedelta(minutes=5),
    source="test",
)
VERSION = UUID(int=7)


def alert(level: str = "warning", **changes: object) -> AlertHistory:
    values: dict[str, object] = {
        "month": "2026-03",
        "session_id": UUID(int=1),
        "rule_id": "sbp_high",
        "threshold_set_id": VERSION,
        "level": level,
        "pending": False,
        "onset_at": build.at(10),
        "detected_at": build.at(10),
    }
    return AlertHistory(**(values | changes))  # type: ignore[arg-type]


def tally_of(*alerts: AlertHistory) -> Tally:
    tally = Tally()
    for item in alerts:
        tally.add(item, POLICY)
    return tally


def confirmed(level: str, minute: int) -> tuple[str, datetime, datetime]:
    return (level, build.at(minute), build.at(minute))


def test_what_the_clock_confirmed_and_a_repeat_then_refuted_is_not_counted() -> None:
    told = {"pending": True, "told": (confirmed("warning", 15),)}
    refuted = alert(**told, unconfirmed=((build.at(14), build.at(16)),))
    earlier = alert(**told, unconfirmed=((build.at(12), build.at(12)),))
    tally = tally_of(refuted, earlier)
    assert (tally.unconfirmed, tally.warnings) == (1, 1)


def answered(after_s: int, action: str | None, level: str = "warning") -> dict[str, object]:
    at = build.at(10) + timedelta(seconds=after_s)
    return {"answers": ((at, action, level),)}


def test_a_pending_alert_counts_once_it_was_confirmed_at_its_highest_level() -> None:
    stepped = (confirmed("warning", 12), confirmed("critical", 16))
    tally = tally_of(
        alert(pending=True),
        alert(pending=True, told=stepped[:1]),
        alert(pending=True, told=stepped),
    )
    assert (tally.unconfirmed, tally.warnings, tally.criticals, tally.counted) == (1, 1, 1, 2)


@pytest.mark.parametrize(
    ("action", "acted", "false"),
    [("slow", 1, 0), ("repeat", 1, 0), ("observe", 0, 0), (None, 0, 0), ("artefact", 0, 1)],
)
def test_what_counts_as_acting_and_as_false(action: str | None, acted: int, false: int) -> None:
    tally = tally_of(alert(**answered(60, action)))
    assert (tally.acted_on, tally.false, tally.answered) == (acted, false, 1)


def test_one_taken_back_is_false_and_counts_only_in_that_denominator() -> None:
    tally = tally_of(alert(invalidated=True), alert(), alert(), alert())
    assert (tally.counted, tally.invalidated, tally.false) == (3, 1, 1)
    assert str(tally.false_percent) == "25.0"


@pytest.mark.parametrize(
    ("level", "after_s", "in_time"),
    [("warning", 600, 1), ("warning", 601, 0), ("critical", 120, 1), ("critical", 121, 0)],
)
def test_in_time_is_before_somebody_else_is_told(level: str, after_s: int, in_time: int) -> None:
    assert tally_of(alert(level, **answered(after_s, "slow", level))).in_time == in_time


def test_an_answer_to_the_warning_is_none_to_the_critical_it_became() -> None:
    risen = alert(told=(confirmed("critical", 14),), **answered(60, "slow"))
    tally = tally_of(risen)
    assert (tally.criticals, tally.answered, tally.in_time, tally.acted_on) == (1, 0, 0, 1)


def test_a_critical_has_its_two_minutes_from_its_own_confirmation() -> None:
    risen = alert(told=(confirmed("critical", 14),), **answered(5 * 60, "slow", "critical"))
    assert tally_of(risen).in_time == 1


@pytest.mark.parametrize(
    ("warnings", "acted", "flagged"),
    [(30, 30, 0), (31, 31, 1), (10, 3, 0), (10, 2, 1)],
)
def test_a_month_is_flagged_beyond_either_edge(warnings: int, acted: int, flagged: int) -> None:
    month = Month("2026-03", 10, Tally(warnings=warnings, acted_on=acted))
    assert len(month.review) == flagged


def test_a_month_without_sessions_or_alerts_says_nothing() -> None:
    empty = burden({("2026-03", VERSION): 4}, [], {}).months[0]
    assert (empty.sessions, empty.tally.counted, empty.review) == (4, 0, ())
    assert empty.tally.acted_on_percent is None


def test_the_report_says_what_the_summaries_say(store: SqlStore) -> None:
    planned = visits(
        sessions=60,
        seed=2,
        clinic="invented",
        since=date(2026, 3, 2),
        until=date(2026, 9, 30),
        zone=UTC,
    )
    frame = frame_of(store, "invented", seed=2, now=datetime(2026, 11, 20, tzinfo=UTC))
    list(fill(store, frame, planned, jobs=1))
    rows = list(store.summaries(SessionQuery(clinic="invented", limit=99)))
    started = [row for row in rows if row["started_at"] is not None]
    report = burden_of(store, "invented", since=SINCE, until=UNTIL)
    assert sum(month.sessions for month in report.months) == len(started)
    warnings = sum(row["alerts_warn_n"] for row in started)
    assert warnings > 0
    assert sum(month.tally.warnings for month in report.months) == warnings
    assert sum(row.tally.warnings for row in report.rows) == warnings
    criticals = sum(row["alerts_crit_n"] for row in started)
    assert sum(month.tally.criticals for month in report.months) == criticals
    assert set(version_labels(store, report).values()) == {"ADULT-CLINIC-1 v1"}
    only_march = burden_of(
        store,
        "invented",
        since=datetime(2026, 3, 1, tzinfo=UTC),
        until=datetime(2026, 4, 1, tzinfo=UTC),
    )
    assert [month.month for month in only_march.months] == ["2026-03"]
    assert burden_of(store, "another", since=SINCE, until=UNTIL).months == ()


def test_a_nurse_may_not_see_it(store: SqlStore) -> None:
    nurse = User("blum", "A. Blum", Role.NURSE, "invented")
    with pytest.raises(NotPermitted):
        alert_burden(store, nurse, since=SINCE, until=UNTIL)
