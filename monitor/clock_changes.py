"""When the clock alone may change what is told of a session, so that nobody need look in between.

Standard library only.  The alert clock and the replay of a finished session ask the same question:
as long as nothing is saved, nothing new is told before one of these moments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from monitor.alert_course import Course
from monitor.dose_limits import dose_limit_crossings
from monitor.protocols import InfusionProtocol
from monitor.record import FACT_FIELDS, DrugMovement, GateAnswer, InfusionSession
from monitor.schedule import Due

#: The kinds of facts that alerts follow from: every one but these two.
JUDGED = tuple(name for kind, name in FACT_FIELDS.items() if kind not in (GateAnswer, DrugMovement))


def clock_changes(
    courses: Iterable[Course], sets_due: Iterable[Due], since: datetime
) -> tuple[datetime, ...]:
    """The moments from ``since`` on at which the clock alone may change something."""
    moments = (*_of_alerts(courses), *_of_sets(sets_due))
    return tuple(moment for moment in moments if moment >= since)


def nothing_changes(
    session: InfusionSession,
    protocol: InfusionProtocol,
    moments: Iterable[datetime],
    last: datetime,
    until: datetime,
) -> bool:
    """Whether a look at ``until`` finds what the one at ``last`` did, when nothing was saved since.

    ``moments`` are those of the last look.  Beside them a running dose may pass a limit, and what is
    dated after the last look may have come: written down ahead, or saved by a server whose clock is
    ahead of this one.
    """
    if any(moment <= until for moment in moments):
        return False
    facts = (fact for name in JUDGED for fact in getattr(session, name))
    if any(fact.taken_at > last or fact.recorded_at > last for fact in facts):
        return False
    passed = (dose_limit_crossings(session, protocol, at) for at in (last, until))
    return len(set(passed)) == 1


def _of_alerts(courses: Iterable[Course]) -> Iterator[datetime]:
    """When a repeat is decided by the clock, an answer runs out, somebody else is told."""
    for course in courses:
        policy = course.policy
        runs_out = [answer.at + policy.refire_after for answer in course.answers]
        yield from runs_out
        yield from (item.recheck_by for item in course.breaches if item.recheck_by is not None)
        after = (policy.escalate_warning_after, *policy.escalate_critical_after)
        for since in (*(max(step.at, step.known_at) for step in course.steps), *runs_out):
            yield from (since + wait for wait in after)


def _of_sets(sets_due: Iterable[Due]) -> Iterator[datetime]:
    """When a set that is waited for is late, and when it is missed."""
    for due in sets_due:
        if due.met_by is None:
            yield from (due.late_at, due.deadline_at)
