"""What is remembered of a session: the worst first, each with the rate it happened at."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from monitor.breaches import find_breaches
from monitor.last_time import MOST_LINES, LastTime, last_time
from tests import build
from tests.monitor.limits import default_set


def remembered(*facts: Any) -> LastTime:
    session = build.session(build.obs_set(-15), build.rate("0.2", 0), *facts)
    as_of = build.at(300)
    found = last_time(session, find_breaches(session, default_set(), as_of), as_of)
    assert found is not None
    return found


def test_a_confirmed_breach_is_told_with_its_limit_and_the_rate_then_running() -> None:
    found = remembered(
        build.rate("0.3", 30),
        build.obs_set(40, sbp=168, dbp=90),
        build.obs_set(43, sbp=170, dbp=90),
        build.stop(60),
    )
    assert found.lines == ("SBP 170 ≥ 160 at 0.3 mg/kg/h",)
    assert found.started_at == build.at(0)
    assert found.max_rate_mg_per_kg_h == Decimal("0.3")
    assert found.total_mg_per_kg == Decimal("0.25")


def test_a_single_high_reading_that_was_not_confirmed_is_not_told() -> None:
    found = remembered(build.obs_set(40, sbp=168), build.obs_set(43, sbp=130), build.stop(60))
    assert found.lines == ()


def test_vomiting_is_told_whatever_its_grade_and_once() -> None:
    found = remembered(
        build.event("vomited", 30), build.side_effect("vomiting", 1, 30), build.stop(60)
    )
    assert found.lines == ("vomited at 0.2 mg/kg/h",)


def test_a_side_effect_is_told_from_grade_2_on_at_its_worst() -> None:
    dizzy, sick = build.side_effect("dizziness", 1, 20), build.side_effect("nausea", 1, 20)
    found = remembered(dizzy, sick, build.side_effect_change(sick, 30, grade=2), build.stop(60))
    assert found.lines == ("nausea grade 2 at 0.2 mg/kg/h",)


def test_after_the_stop_no_rate_is_told() -> None:
    found = remembered(build.stop(30), build.event("vomited", 45))
    assert found.lines == ("vomited",)


def test_why_it_was_stopped_comes_first() -> None:
    found = remembered(
        build.side_effect("nausea", 2, 20), build.stop(30, reason="severe dissociation")
    )
    assert found.lines == ("stopped: severe dissociation", "nausea grade 2 at 0.2 mg/kg/h")


def test_a_struck_out_side_effect_is_not_told() -> None:
    wrong = build.side_effect("nausea", 3, 20)
    assert remembered(wrong, build.amendment(wrong, 25), build.stop(30)).lines == ()


def test_no_more_lines_than_can_be_read_at_a_glance() -> None:
    rates = [build.rate(Decimal(minute) / 100, minute) for minute in range(1, 20)]
    many = [build.event("vomited", minute + 0.5) for minute in range(1, 20)]
    assert len(remembered(rates, many, build.stop(30)).lines) == MOST_LINES


def test_a_session_without_a_dose_is_not_remembered() -> None:
    session = build.session(build.obs_set(-15))
    assert last_time(session, (), build.at(60)) is None
