"""Sets that are late or missed, as what an alert is made of (clinical.md U-33).

A wait for a set is one stretch: a warning once the first due is past its grace, critical once it
is missed, over with the next answered set or the end of the watch.  It follows from the dues alone,
so the bedside, the clock of every process and a replay agree.  Nothing here shortens the schedule
or counts: ``confirmed_spans`` and the summary never see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from monitor.breaches import Breach
from monitor.episodes import Step
from monitor.protocols import InfusionProtocol
from monitor.record import Fact, InfusionSession
from monitor.schedule import Due
from monitor.thresholds import LEVELS

#: The group and the rule of every alert of the clock.
CLOCK = "clock"
SET_OVERDUE = "set_overdue"

_WARNING, _CRITICAL = (LEVELS.index(name) + 1 for name in ("warning", "critical"))
_WORDS = {"warning": "set late", "critical": "set missed"}


def clock_breaches(
    session: InfusionSession, protocol: InfusionProtocol, dues: Iterable[Due], as_of: datetime
) -> tuple[Breach, ...]:
    """Every wait for a set that went on past a grace, in order of time, as known at ``as_of``."""
    waits: dict[datetime, list[Due]] = {}
    for due in dues:
        # At the moment of the end itself the set is there, or the patient is gone.
        in_time = due.over_at is None or due.late_at < due.over_at
        if due.state in ("late", "missed") and due.since_at is not None and in_time:
            waits.setdefault(due.since_at, []).append(due)
    if not waits:
        return ()
    known = session.known_at(as_of)
    sets: dict[UUID, list[Fact]] = {
        wait[0].since_set: [] for wait in waits.values() if wait[0].since_set
    }
    for item in known.current_observations:
        if item.set_id in sets:
            sets[item.set_id].append(item)
    found = []
    for since_at, wait in sorted(waits.items()):
        set_id = wait[0].since_set
        # The set after which nothing came in time, or what began the watch.
        facts = tuple(sets[set_id]) if set_id else _began_with(known, since_at)
        if facts:
            found.append(_breach(protocol, wait, facts))
    return tuple(found)


def _began_with(session: InfusionSession, at: datetime) -> tuple[Fact, ...]:
    """The doses and events of that moment, or of the last one before it."""
    every: tuple[Fact, ...] = (*session.dose_steps, *session.boluses, *session.events)
    before = [fact for fact in session.current(every) if fact.taken_at <= at]
    last = max((fact.taken_at for fact in before), default=at)
    return tuple(sorted((f for f in before if f.taken_at == last), key=lambda fact: fact.order))


def _steps(wait: list[Due]) -> Iterator[Step]:
    first = min(wait, key=lambda due: due.late_at)
    known_at = first.known_at or first.late_at
    yield Step(first.late_at, max(first.late_at, known_at), _WARNING, _WARNING)
    over_at = first.over_at
    missed = min(
        (
            due
            for due in wait
            if due.state == "missed" and (over_at is None or due.deadline_at < over_at)
        ),
        key=lambda due: due.deadline_at,
        default=None,
    )
    if missed is not None:
        known_at = max(missed.deadline_at, missed.known_at or missed.deadline_at)
        yield Step(missed.deadline_at, known_at, _CRITICAL, _CRITICAL)
    if over_at is not None:
        yield Step(over_at, over_at, 0, 0)


def _breach(protocol: InfusionProtocol, wait: list[Due], facts: tuple[Fact, ...]) -> Breach:
    first, steps = min(wait, key=lambda due: due.late_at), tuple(_steps(wait))
    top = max(steps, key=lambda step: step.confirmed)
    level, over_at = LEVELS[top.confirmed - 1], first.over_at
    words = f"{_WORDS[level]}, due {first.reason}"
    return Breach(
        rule_id=SET_OVERDUE,
        group=CLOCK,
        label="Observation set",
        parameter="set",
        level=level,
        state="active" if over_at is None else "resolved",
        onset_at=steps[0].at,
        confirmed_at=top.at,
        ended_at=over_at,
        recheck_by=None,
        trigger=facts[0],
        trigger_value=None,
        readings=facts,
        peak_value=None,
        peak_at=top.at,
        baseline_value=None,
        threshold_text=words,
        onset_text=f"{_WORDS['warning']}, due {first.reason}",
        text=f"Observation set: {words}",
        source=protocol.schedule_profile.source,
        confirmed_level=level,
        # Known only once it was over: a set was entered late, and nobody could be told.
        retrospective=over_at is not None and steps[0].known_at >= over_at,
        subject=facts[0].id,
        steps=steps,
        # After every row of the threshold set; it is alone in its group.
        order=len(LEVELS),
        note=f"Schedule {protocol.schedule_profile.code} of protocol {protocol.code} "
        f"v{protocol.version}",
    )
