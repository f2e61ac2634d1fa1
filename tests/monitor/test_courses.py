"""A course of infusions: what is due next, and what is wrong with a plan (R-12, F98)."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.courses import course_problems, progress
from monitor.record import InfusionSession
from tests import build

TODAY = date(2026, 3, 2)
PATIENT = build.patient()
DAY = 24 * 60


def given(course: Any, *days: float) -> list[InfusionSession]:
    return [
        build.session(build.rate("0.1", day * DAY), patient=PATIENT, course_id=course.course_id)
        for day in days
    ]


def test_the_next_infusion_is_due_an_interval_after_the_last() -> None:
    course = build.course(PATIENT)
    found = progress(course, given(course, 0, 21), TODAY, UTC)
    assert (found.given, found.last_on, found.next_on) == (2, date(2026, 3, 23), date(2026, 4, 13))
    assert found.text(course) == "2 of 6 infusions given"


def test_a_session_that_was_not_started_or_is_of_another_course_does_not_count() -> None:
    course = build.course(PATIENT)
    others = [build.session(course_id=course.course_id), *given(build.course(PATIENT), 0)]
    found = progress(course, others, TODAY, UTC)
    assert (found.given, found.last_on, found.next_on) == (0, None, None)


def test_nothing_is_due_when_all_were_given_or_the_course_was_ended() -> None:
    course = build.course(PATIENT, planned_infusions=2)
    assert progress(course, given(course, 0, 21), TODAY, UTC).next_on is None
    ended = build.course(PATIENT, ended=True)
    assert progress(ended, given(ended, 0), TODAY, UTC).next_on is None


@pytest.mark.parametrize(
    ("review_on", "due"), [("2026-03-01", True), ("2026-03-02", True), ("2026-03-03", False)]
)
def test_the_review_is_due_from_its_day_on(review_on: str, due: bool) -> None:
    course = build.course(PATIENT, review_on=date.fromisoformat(review_on))
    assert progress(course, (), TODAY, UTC).is_review_due is due
    ended = build.course(PATIENT, review_on=date.fromisoformat(review_on), ended=True)
    assert progress(ended, (), TODAY, UTC).is_review_due is False


def test_days_are_the_clinics() -> None:
    """T0 + 14 h is 23:00 UTC: already tomorrow in Berlin."""
    course = build.course(PATIENT)
    late = [build.session(build.rate("0.1", 14 * 60), course_id=course.course_id)]
    assert progress(course, late, TODAY, ZoneInfo("Europe/Berlin")).last_on == date(2026, 3, 3)
    assert progress(course, late, TODAY, UTC).last_on == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, []),
        ({"planned_infusions": 0}, ["planned_infusions"]),
        ({"planned_infusions": 60}, []),
        ({"planned_infusions": 61}, ["planned_infusions"]),
        ({"interval_days": 0}, ["interval_days"]),
        ({"interval_days": 367}, ["interval_days"]),
        ({"review_on": date(2026, 3, 1)}, ["review_on"]),
        ({"review_on": TODAY}, []),
        ({"review_on": date(2026, 3, 1), "ended": True}, []),
        ({"number": 2}, ["reason"]),
        ({"number": 2, "reason": "two more"}, []),
        ({"planned_infusions": 0, "interval_days": 0}, ["planned_infusions", "interval_days"]),
    ],
)
def test_what_is_wrong_with_a_course(changes: Any, fields: list[str]) -> None:
    course = build.course(PATIENT, **changes)
    assert [problem.field for problem in course_problems(course, TODAY)] == fields
