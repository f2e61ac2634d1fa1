"""How a side effect went: its grades, its peak, its end, and the drug given for it (clinical.md 6.1).

Standard library only; the bedside, the chart, the tables and the exports all read it here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from monitor.alert_record import Alert
from monitor.record import InfusionSession, SessionEvent, SideEffect, SideEffectChange
from monitor.side_effects import term_text


@dataclass(frozen=True, slots=True)
class Treatment:
    """Something given for a side effect or an alert: ``about`` in words, since when it stood.

    ``response`` runs from the onset to the treatment; None when that was given before it.
    """

    event: SessionEvent
    about: str
    onset_at: datetime

    @property
    def response(self) -> timedelta | None:
        passed = self.event.taken_at - self.onset_at
        return passed if passed >= timedelta(0) else None

    @property
    def words(self) -> str:
        """ "for nausea, 6 min after it began"."""
        if self.response is None:
            return f"for {self.about}"
        minutes = self.response // timedelta(minutes=1)
        return f"for {self.about}, {minutes} min after it began"


@dataclass(frozen=True, slots=True)
class EffectCourse:
    """One side effect from onset to end, in the order of the record.

    ``peak_at`` is when the worst grade was reached first; ``grade`` is the newest one.
    """

    effect: SideEffect
    changes: tuple[SideEffectChange, ...]
    treatments: tuple[Treatment, ...]

    @property
    def grades(self) -> tuple[int, ...]:
        later = (change.grade for change in self.changes if change.grade is not None)
        return (self.effect.grade, *later)

    @property
    def grade(self) -> int:
        return self.grades[-1]

    @property
    def peak_grade(self) -> int:
        return max(self.grades)

    @property
    def peak_at(self) -> datetime:
        peak = self.peak_grade
        reached = (change.taken_at for change in self.changes if change.grade == peak)
        return self.effect.taken_at if self.effect.grade == peak else next(reached)

    @property
    def ended_at(self) -> datetime | None:
        return next((change.taken_at for change in self.changes if change.ended), None)

    @property
    def actions(self) -> tuple[str, ...]:
        """What was done about it, each once."""
        told = (self.effect.action, *(change.action for change in self.changes))
        return tuple(dict.fromkeys(action for action in told if action))


def effect_course(session: InfusionSession, effect: SideEffect) -> EffectCourse:
    """The course of one side effect; a change made to what was corrected belongs to it too."""
    versions = _versions(session, effect)
    changes = tuple(
        change
        for change in session.current(session.side_effect_changes)
        if change.side_effect_id in versions
    )
    given = tuple(
        Treatment(event, term_text(effect.term), effect.taken_at)
        for event in session.current(session.events)
        if event.linked_to in versions
    )
    return EffectCourse(effect, changes, given)


def effect_courses(session: InfusionSession) -> tuple[EffectCourse, ...]:
    """The course of every side effect in force, "asked, none" included."""
    return tuple(effect_course(session, effect) for effect in session.current(session.side_effects))


def treatments(session: InfusionSession, alerts: Iterable[Alert] = ()) -> Mapping[UUID, Treatment]:
    """What was given for something, by the id of the event; alerts are no facts of the session."""
    found = {
        given.event.id: given for course in effect_courses(session) for given in course.treatments
    }
    raised = {alert.id: alert for alert in alerts}
    for event in session.current(session.events):
        alert = raised.get(event.linked_to) if event.linked_to else None
        if alert is not None:
            name = alert.text.partition(":")[0]
            found[event.id] = Treatment(event, f"the alert {name}", alert.onset_at)
    return found


def _versions(session: InfusionSession, effect: SideEffect) -> frozenset[UUID]:
    """Ids of the side effect and of everything it corrects."""
    before = {item.replacement: item.amends for item in session.amendments if item.replacement}
    found = [effect.id]
    while found[-1] in before:
        found.append(before[found[-1]])
    return frozenset(found)
