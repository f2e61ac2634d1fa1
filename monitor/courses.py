"""Courses: a planned series of infusions of one patient, with interval and review (R-12, F98)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from uuid import UUID

from monitor.errors import Problem
from monitor.record import InfusionSession

#: A course that plans more is a slip: the usual cap is 12 a year (clinical.md 2.5, ASRA Q8).
MOST_INFUSIONS = 60
LONGEST_INTERVAL_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One version of a course; a change is a new version with the next ``number`` and a reason.

    ``interval_days`` is from one infusion to the next.  ``review_on`` is when somebody decides
    whether it goes on.  ``ended`` closes it: nothing is due any more.
    """

    id: UUID
    course_id: UUID
    patient_id: UUID
    number: int
    planned_infusions: int
    interval_days: int
    review_on: date
    indication: str = ""
    protocol_code: str | None = None
    ended: bool = False
    reason: str = ""
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class CourseProgress:
    """Where a course stands: infusions given, and when the next one and the review are due."""

    given: int
    last_on: date | None
    next_on: date | None
    is_review_due: bool

    def text(self, course: Course) -> str:
        """How it stands in one line, for example ``3 of 6 infusions given``."""
        return f"{self.given} of {course.planned_infusions} infusions given"


def course_problems(course: Course, today: date) -> tuple[Problem, ...]:
    """Everything wrong with a course before it is saved."""
    found: list[Problem] = []
    if not 1 <= course.planned_infusions <= MOST_INFUSIONS:
        found.append(
            Problem("planned_infusions", f"Plan 1 to {MOST_INFUSIONS} infusions in one course.")
        )
    if not 1 <= course.interval_days <= LONGEST_INTERVAL_DAYS:
        found.append(
            Problem("interval_days", f"Enter 1 to {LONGEST_INTERVAL_DAYS} days between infusions.")
        )
    if course.review_on < today and not course.ended:
        found.append(Problem("review_on", "The review date is in the past. Choose a later one."))
    if course.number > 1 and not course.reason.strip():
        found.append(Problem("reason", "Say why the course is changed."))
    return tuple(found)


def progress(
    course: Course, sessions: Iterable[InfusionSession], today: date, zone: tzinfo
) -> CourseProgress:
    """How far the course is, from its sessions that were started; dates are the clinic's."""
    days = sorted(
        session.started_at.astimezone(zone).date()
        for session in sessions
        if session.course_id == course.course_id and session.started_at is not None
    )
    last_on = days[-1] if days else None
    goes_on = not course.ended and len(days) < course.planned_infusions
    next_on = None
    if goes_on and last_on is not None:
        next_on = last_on + timedelta(days=course.interval_days)
    return CourseProgress(
        given=len(days),
        last_on=last_on,
        next_on=next_on,
        is_review_due=not course.ended and course.review_on <= today,
    )
