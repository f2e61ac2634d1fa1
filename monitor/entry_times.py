"""What is wrong or unusual with the time of an entry."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor import lifecycle
from monitor.clock import FUTURE_TOLERANCE
from monitor.entry_words import AFTER_END, minutes_of, problem_of
from monitor.errors import Problem
from monitor.record import InfusionSession, Source

#: A set this much older than the opening of its session is asked about, and refused beyond a day:
#: the commonest cause is a wrong day or hour, and pre-infusion sets count for 60 minutes (U-44).
ASKED_BEFORE_SESSION = timedelta(minutes=60)
REFUSED_BEFORE_SESSION = timedelta(hours=24)
#: The last things are often written down while the patient leaves; later ones are asked about.
ASKED_AFTER_END = timedelta(minutes=10)


def time_problems(
    taken_at: datetime,
    session: InfusionSession,
    recorded_at: datetime,
    source: Source = Source.KEYED,
) -> list[Problem]:
    """What is wrong or unusual with a time: in the future, before the session or after its end."""
    ahead = taken_at - recorded_at
    if ahead > FUTURE_TOLERANCE:
        return [problem_of("taken_at", "taken_at.future", minutes=minutes_of(ahead))]
    before = session.created_at - taken_at
    if before > REFUSED_BEFORE_SESSION:
        # Paper of a long downtime is typed in days later: the date is asked about, not refused.
        if source is Source.PAPER:
            words = {"span": _span(before)}
            return [problem_of("taken_at", "taken_at.long_before_session", "soft", **words)]
        return [problem_of("taken_at", "taken_at.before_session")]
    if before > ASKED_BEFORE_SESSION and source is not Source.PAPER:
        return [
            problem_of(
                "taken_at", "taken_at.before_session_asked", "soft", minutes=minutes_of(before)
            )
        ]
    ended_at = lifecycle.ended_at(session, recorded_at)
    if ended_at is not None and taken_at - ended_at > ASKED_AFTER_END:
        return [problem_of("taken_at", AFTER_END, "soft", span=_span(taken_at - ended_at))]
    return []


def _span(span: timedelta) -> str:
    """``25 min``, ``5 h``, ``16 days``: the largest whole unit that fits."""
    if span >= timedelta(days=2):
        return f"{span.days} days"
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes >= 120 else f"{minutes} min"
