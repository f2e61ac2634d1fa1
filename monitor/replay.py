"""What staff would have seen: the alerts of a finished session, raised as its record grew.

A folder holds facts and answers; the alerts follow from them.  Walking through the moments at
which something was saved, and through the clock in between, gives each alert the times it would
have had on the day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from monitor.alerts import (
    Alert,
    AlertEvent,
    AlertEventKind,
    AlertView,
    acknowledge,
    alert_courses,
    alert_views,
    alerts_to_raise,
    confirmed_spans,
    open_alerts,
)
from monitor.breaches import find_breaches
from monitor.clock_changes import JUDGED, clock_changes, nothing_changes
from monitor.dose_timeline import dose_timeline
from monitor.errors import ImportRefused, InvalidEntry
from monitor.folder_format import AlertAnswer
from monitor.protocols import InfusionProtocol
from monitor.record import FACT_FIELDS, Fact, InfusionSession
from monitor.schedule import dues
from monitor.thresholds import ThresholdSet

#: How often the clock looks between two entries: no transition is due at a finer grain (U-60).
CLOCK_STEP = timedelta(seconds=30)

#: How long it goes on looking when nothing is saved: no limit waits longer for the clock, and what
#: came later is told at the next look.
CLOCK_WATCH = timedelta(hours=24)

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


def replay_alerts(
    session: InfusionSession,
    protocol: InfusionProtocol,
    threshold_set: ThresholdSet,
    answers: Iterable[AlertAnswer],
    until: datetime,
) -> tuple[tuple[Alert, ...], tuple[AlertEvent, ...]]:
    """Every alert and alert event up to ``until`` or the last answer, as they would have been stored.

    Every answer becomes an event of its alert, as long after the last fact as it was given.

    Raises:
        ImportRefused: an answer speaks of no alert, not clearly of one, or says too little.
    """
    by_moment: dict[datetime, list[AlertAnswer]] = {}
    for answer in answers:
        by_moment.setdefault(answer.recorded_at, []).append(answer)
    until = max([until, *by_moment])
    course = _Course(session, session.known_at(_BEFORE_ALL), protocol, threshold_set)
    saved = {fact.recorded_at for fact in session.facts() if fact.recorded_at <= until}
    for now, after in pairwise([*sorted(saved | by_moment.keys()), until]):
        if not course.is_quiet(now):
            course.look(now)
        for answer in by_moment.get(now, ()):
            course.answer(answer, now)
        course.watch(now, min(after, now + CLOCK_WATCH))
    course.look(until)
    if course.problems:
        raise ImportRefused(course.problems)
    return course.alerts, course.events


def answers_given(alerts: Iterable[Alert], events: Iterable[AlertEvent]) -> tuple[AlertAnswer, ...]:
    """The answers among stored events, as a folder holds them and the replay takes them."""
    answered = {alert.id: alert for alert in alerts}
    return tuple(
        AlertAnswer(
            at=event.at,
            recorded_at=event.recorded_at,
            by=event.by,
            group=answered[event.alert_id].group,
            trigger_id=answered[event.alert_id].trigger_id,
            action=event.action,
            text=event.text,
        )
        for event in events
        if event.kind is AlertEventKind.ACKNOWLEDGED
    )


class _Seen(NamedTuple):
    """What one look finds: what is to be stored, whether something is open, when a set is late, and
    the moments after it at which the clock alone may change something."""

    alerts: tuple[Alert, ...]
    events: tuple[AlertEvent, ...]
    is_open: bool
    late_at: datetime | None
    changes_at: tuple[datetime, ...]


@dataclass
class _Course:
    """The alerts of one session as they stand while its record grows.

    ``known`` is the session as the last look knew it.  It grows as it does at the bedside, so that
    what follows from the readings before a save is not worked out anew at every look.  ``foreseen``
    is what a look at a later tick will find, as long as nothing is told or saved before.
    """

    session: InfusionSession
    known: InfusionSession
    protocol: InfusionProtocol
    threshold_set: ThresholdSet
    alerts: tuple[Alert, ...] = ()
    events: tuple[AlertEvent, ...] = ()
    is_open: bool = False
    late_at: datetime | None = None
    changes_at: tuple[datetime, ...] = ()
    looked_at: datetime | None = None
    foreseen: tuple[datetime, _Seen] | None = None
    problems: list[str] = field(default_factory=list)

    def is_quiet(self, now: datetime) -> bool:
        """Whether a look would find what the last one did, so that it can be left out.

        Only facts were saved since that nothing is judged by, and the clock changes nothing either:
        nothing is open, no set is late, nothing is dated ahead and nothing runs.
        """
        before, last = self.known, self.looked_at
        if last is None or self.is_open or (self.late_at is not None and self.late_at <= now):
            return False
        after = self._known_at(now)
        if any(getattr(before, name) is not getattr(after, name) for name in JUDGED):
            return False
        if any(fact.taken_at > last for name in JUDGED for fact in getattr(after, name)):
            return False
        timeline = dose_timeline(after)
        return timeline.rate_at(last) == 0 and not timeline.in_bolus(last)

    def look(self, now: datetime) -> None:
        """What the monitor would have stored at that moment."""
        self.looked_at = now
        foreseen, self.foreseen = self.foreseen, None
        seen = foreseen[1] if foreseen and foreseen[0] == now else self._seen(now)
        self.alerts, self.events = (*self.alerts, *seen.alerts), (*self.events, *seen.events)
        self.is_open, self.late_at, self.changes_at = seen.is_open, seen.late_at, seen.changes_at

    def _seen(self, now: datetime) -> _Seen:
        session = self._known_at(now)
        breaches = find_breaches(session, self.threshold_set, now, protocol=self.protocol)
        spans = confirmed_spans(breaches, self.threshold_set)
        sets_due = dues(session, self.protocol, spans, now)
        known = session, self.threshold_set, self.alerts, self.events, now
        courses = alert_courses(
            *known, protocol=self.protocol, breaches=breaches, sets_due=sets_due
        )
        alerts, events = alerts_to_raise(*known, courses=courses)
        waiting = (due.late_at for due in sets_due if due.state in ("upcoming", "due"))
        is_open = any(course.state.is_open for course in courses)
        changes_at = clock_changes(courses, sets_due, now)
        return _Seen(alerts, events, is_open, min(waiting, default=None), changes_at)

    def _known_at(self, now: datetime) -> InfusionSession:
        """The session as the record stood; nobody looks at an earlier moment again."""
        names = set()
        while self._unsaved and self._unsaved[-1][0] <= now:
            names.add(self._unsaved.pop()[1])
        if names:
            self.known = self.known.grown({name: self._saved(name, now) for name in names})
        return self.known

    def _saved(self, name: str, now: datetime) -> tuple[Fact, ...]:
        facts: tuple[Fact, ...] = getattr(self.session, name)
        return tuple(fact for fact in facts if fact.recorded_at <= now)

    @cached_property
    def _unsaved(self) -> list[tuple[datetime, str]]:
        """When which kind of fact is saved after what is known, the next one last."""
        saved = (
            (fact.recorded_at, name)
            for name in FACT_FIELDS.values()
            for fact in getattr(self.session, name)
        )
        return sorted(saved, reverse=True)

    def watch(self, now: datetime, end: datetime) -> None:
        """Look as often as the clock does until something is saved again.

        Between entries only the clock changes anything: while something is open, and once the next
        set is late.  What there is to tell at one tick there still is at a later one, so the next
        tick with something to tell is found by halving and not by looking at each.
        """
        last = -((now - end) // CLOCK_STEP) - 1
        done = 0
        while done < last and self.waits_for(now + last * CLOCK_STEP):
            if self._nothing_changes_by(now + last * CLOCK_STEP):
                return
            if not self._would_tell(now + last * CLOCK_STEP):
                return
            first, telling = self._around_late(now, done + 1, last)
            while first < telling:
                middle = (first + telling) // 2
                if self._would_tell(now + middle * CLOCK_STEP):
                    telling = middle
                else:
                    first = middle + 1
            self.look(now + first * CLOCK_STEP)
            done = first

    def _nothing_changes_by(self, moment: datetime) -> bool:
        """Whether the clock changes nothing from the last look to then, so that nobody need look."""
        last = self.looked_at
        return last is not None and nothing_changes(
            self.known, self.protocol, self.changes_at, last, moment
        )

    def _around_late(self, now: datetime, first: int, last: int) -> tuple[int, int]:
        """The ticks between which the first one with something to tell is: mostly the one at which
        a set is late."""
        if self.late_at is None or self.is_open:
            return first, last
        expected = (self.late_at - now) // CLOCK_STEP + 1
        if first < expected < last:
            if not self._would_tell(now + expected * CLOCK_STEP):
                return expected + 1, last
            if self._would_tell(now + (expected - 1) * CLOCK_STEP):
                return first, expected - 1
            return expected, expected
        return first, last

    def _would_tell(self, now: datetime) -> bool:
        seen = self._seen(now)
        tells = bool(seen.alerts or seen.events)
        if tells:
            self.foreseen = now, seen
        return tells

    def waits_for(self, moment: datetime) -> bool:
        """Whether there may be something to tell by then though nothing was saved."""
        return self.is_open or (self.late_at is not None and self.late_at < moment)

    def _views(self, now: datetime) -> tuple[AlertView, ...]:
        return alert_views(
            self._known_at(now),
            self.threshold_set,
            self.alerts,
            self.events,
            now,
            protocol=self.protocol,
        )

    def answer(self, answer: AlertAnswer, now: datetime) -> None:
        """Give the answer to its alert and store what follows from it, as at the bedside."""
        view = self._view_of(answer, now)
        if view is None:
            return
        try:
            event = acknowledge(
                view, by=answer.by, action=answer.action or "", text=answer.text, now=now
            )
        except InvalidEntry as refused:
            for problem in refused.problems:
                self._refuse(answer, problem.field, problem.message)
            return
        told = replace(event, at=answer.at, recorded_at=answer.recorded_at)
        self.events = (*self.events, told)
        self.look(now)

    def _view_of(self, answer: AlertAnswer, now: datetime) -> AlertView | None:
        """The alert that is answered, or None and a problem.

        One that is named may be over or taken back: at the bedside it is answered then, too.
        """
        views = [view for view in self._views(now) if view.alert.group == answer.group]
        at = answer.at.isoformat()
        if answer.trigger_id is not None:
            named = [view for view in views if view.alert.trigger_id == answer.trigger_id]
            none_such = f"no alert of {answer.group} was raised for that row by {at}"
        else:
            named = list(open_alerts(views))
            none_such = f"no alert of {answer.group} is open at {at}"
        if len(named) == 1:
            return named[0]
        if named:
            reason = f"{len(named)} alerts of {answer.group} are open at {at}; name the one meant"
            self._refuse(answer, "trigger", reason)
        else:
            self._refuse(answer, "trigger" if answer.trigger_id else "group", none_such)
        return None

    def _refuse(self, answer: AlertAnswer, column: str, reason: str) -> None:
        self.problems.append(f"answers.csv:{answer.line}:{column}: {reason}")
