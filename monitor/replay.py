"""What staff would have seen: the alerts of a finished session, raised as its record grew.

A folder holds facts and answers; the alerts follow from them.  Walking through the moments at
which something was saved, and through the clock in between, gives each alert the times it would
have had on the day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from monitor.alerts import (
    Alert,
    AlertEvent,
    AlertView,
    acknowledge,
    alert_views,
    alerts_to_raise,
    open_alerts,
)
from monitor.breaches import find_breaches
from monitor.errors import ImportRefused
from monitor.folder_format import AlertAnswer
from monitor.protocols import InfusionProtocol
from monitor.record import InfusionSession
from monitor.thresholds import ThresholdSet

#: How often the clock looks between two entries: no transition is due at a finer grain (U-60).
CLOCK_STEP = timedelta(seconds=30)


def replay_alerts(
    session: InfusionSession,
    protocol: InfusionProtocol,
    threshold_set: ThresholdSet,
    answers: Iterable[AlertAnswer],
    until: datetime,
) -> tuple[tuple[Alert, ...], tuple[AlertEvent, ...]]:
    """Every alert and alert event up to ``until``, as they would have been stored.

    Raises:
        ImportRefused: an answer speaks of a group with no open alert at that time.
    """
    waiting = sorted(answers, key=lambda answer: answer.recorded_at)
    course = _Course(session, protocol, threshold_set)
    saved = {fact.recorded_at for fact in session.facts()}
    moments = sorted(at for at in saved | {a.recorded_at for a in waiting} if at <= until)
    for now, after in pairwise([*moments, until]):
        course.look(now)
        while waiting and waiting[0].recorded_at <= now:
            course.answer(waiting.pop(0), now)
        # Between entries only the clock changes anything, and only while something is open.
        tick = now + CLOCK_STEP
        while course.is_open and tick < after:
            course.look(tick)
            tick += CLOCK_STEP
    course.look(until)
    if course.problems:
        raise ImportRefused(course.problems)
    return course.alerts, course.events


@dataclass
class _Course:
    """The alerts of one session as they stand while its record grows."""

    session: InfusionSession
    protocol: InfusionProtocol
    threshold_set: ThresholdSet
    alerts: tuple[Alert, ...] = ()
    events: tuple[AlertEvent, ...] = ()
    is_open: bool = False
    problems: list[str] = field(default_factory=list)

    def look(self, now: datetime) -> None:
        """What the monitor would have stored at that moment."""
        breaches = find_breaches(self.session, self.threshold_set, now, protocol=self.protocol)
        if not breaches and not self.alerts:
            return
        alerts, events = alerts_to_raise(
            self.session,
            self.threshold_set,
            self.alerts,
            self.events,
            now,
            protocol=self.protocol,
            breaches=breaches,
        )
        self.alerts, self.events = (*self.alerts, *alerts), (*self.events, *events)
        self.is_open = bool(open_alerts(self._views(now)))

    def _views(self, now: datetime) -> tuple[AlertView, ...]:
        return alert_views(
            self.session,
            self.threshold_set,
            self.alerts,
            self.events,
            now,
            protocol=self.protocol,
        )

    def answer(self, answer: AlertAnswer, now: datetime) -> None:
        """Give the answer to the open alert of its group."""
        views = open_alerts(self._views(now))
        view = next((view for view in views if view.alert.group == answer.group), None)
        if view is None:
            at = answer.at.isoformat()
            self.problems.append(
                f"answers.csv:{answer.line}:group: no alert of {answer.group} is open at {at}"
            )
            return
        event = acknowledge(
            view, by=answer.by, action=answer.action or "", text=answer.text, now=now
        )
        told = replace(event, at=answer.at, recorded_at=answer.recorded_at)
        self.events = (*self.events, told)
