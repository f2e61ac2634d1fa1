"""Where a session stands between arrival and sign-off, derived from its facts every time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from operator import itemgetter
from types import MappingProxyType

from monitor.dose_timeline import DosePoint, dose_timeline
from monitor.errors import InvalidEntry, Problem, WrongState
from monitor.permissions import Action
from monitor.protocols import InfusionProtocol
from monitor.record import InfusionSession
from monitor.texts import echoed


class SessionStatus(StrEnum):
    """The state of a session (clinical.md 1.7)."""

    SCHEDULED = "scheduled"
    PRE_ASSESSMENT = "pre_assessment"
    READY = "ready"
    INFUSING = "infusing"
    PAUSED = "paused"
    RECOVERY = "recovery"
    DISCHARGED = "discharged"
    COMPLETED = "completed"
    SIGNED = "signed"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        """How people call it."""
        return self.value.replace("_", "-")

    @property
    def is_open(self) -> bool:
        """Whether the patient is still here: the session belongs on the board."""
        return self in _OPEN


_OPEN = frozenset(
    {
        SessionStatus.SCHEDULED,
        SessionStatus.PRE_ASSESSMENT,
        SessionStatus.READY,
        SessionStatus.INFUSING,
        SessionStatus.PAUSED,
        SessionStatus.RECOVERY,
    }
)


class EventKind(StrEnum):
    """Kinds of a SessionEvent: some move the session (``TRANSITIONS``), the others happened."""

    ARRIVED = "arrived"
    READY = "ready"
    DISCHARGED = "discharged"
    COMPLETED = "completed"
    SIGNED = "signed"
    REOPENED = "reopened"
    CANCELLED = "cancelled"
    ADDENDUM = "addendum"
    PREMEDICATION = "premedication"
    DRUG = "drug"
    OXYGEN = "oxygen"
    DOCTOR_CALLED = "doctor_called"
    VOMITED = "vomited"
    TOILET = "toilet"
    NOTE = "note"
    HANDOVER = "handover"
    SECOND_CHECK = "second_check"
    BOTH_RIGHT = "both_right"

    @property
    def label(self) -> str:
        """How people call it."""
        return self.value.replace("_", " ")


class DoseCue(StrEnum):
    """What the dose facts say at a moment: the drug goes in, waits, or is over."""

    RUNNING = "drug running"
    HELD = "infusion held"
    STOPPED = "infusion stopped"


#: The one transition table: state -> what happened -> next state.  What is not in it changes
#: nothing.  A dose that was given wins over every event before it (U-45): the record of a start is
#: never refused.  SIGNED is final; only addenda follow.
TRANSITIONS: Mapping[SessionStatus, Mapping[str, SessionStatus]] = MappingProxyType(
    {
        SessionStatus.SCHEDULED: {
            EventKind.ARRIVED: SessionStatus.PRE_ASSESSMENT,
            EventKind.READY: SessionStatus.READY,
            EventKind.CANCELLED: SessionStatus.CANCELLED,
            DoseCue.RUNNING: SessionStatus.INFUSING,
        },
        SessionStatus.PRE_ASSESSMENT: {
            EventKind.READY: SessionStatus.READY,
            EventKind.CANCELLED: SessionStatus.CANCELLED,
            DoseCue.RUNNING: SessionStatus.INFUSING,
        },
        SessionStatus.READY: {
            EventKind.CANCELLED: SessionStatus.CANCELLED,
            DoseCue.RUNNING: SessionStatus.INFUSING,
        },
        SessionStatus.INFUSING: {
            DoseCue.HELD: SessionStatus.PAUSED,
            DoseCue.STOPPED: SessionStatus.RECOVERY,
        },
        SessionStatus.PAUSED: {
            DoseCue.RUNNING: SessionStatus.INFUSING,
            DoseCue.STOPPED: SessionStatus.RECOVERY,
        },
        SessionStatus.RECOVERY: {
            DoseCue.RUNNING: SessionStatus.INFUSING,
            EventKind.DISCHARGED: SessionStatus.DISCHARGED,
        },
        SessionStatus.DISCHARGED: {
            DoseCue.RUNNING: SessionStatus.INFUSING,
            EventKind.REOPENED: SessionStatus.RECOVERY,
            EventKind.COMPLETED: SessionStatus.COMPLETED,
        },
        SessionStatus.COMPLETED: {
            EventKind.REOPENED: SessionStatus.DISCHARGED,
            EventKind.SIGNED: SessionStatus.SIGNED,
        },
        SessionStatus.SIGNED: {},
        SessionStatus.CANCELLED: {
            EventKind.REOPENED: SessionStatus.PRE_ASSESSMENT,
            DoseCue.RUNNING: SessionStatus.INFUSING,
        },
    }
)

_MOVING = frozenset(
    {
        EventKind.ARRIVED,
        EventKind.READY,
        EventKind.DISCHARGED,
        EventKind.COMPLETED,
        EventKind.SIGNED,
        EventKind.REOPENED,
        EventKind.CANCELLED,
    }
)

#: The kinds of facts that a change of state follows from.
_MOVED_BY = ("dose_steps", "boluses", "syringe_changes", "events", "amendments")

_ACTION_OF_EVENT: Mapping[EventKind, Action] = MappingProxyType(
    dict.fromkeys(EventKind, Action.RECORD_EVENT)
    | {
        EventKind.DISCHARGED: Action.COMPLETE_SESSION,
        EventKind.COMPLETED: Action.COMPLETE_SESSION,
        EventKind.REOPENED: Action.COMPLETE_SESSION,
        EventKind.CANCELLED: Action.COMPLETE_SESSION,
        EventKind.SIGNED: Action.SIGN_SESSION,
    }
)

#: Kinds that are tapped at the bedside, in the order they are offered.
CLINICAL_EVENTS = tuple(
    kind
    for kind in EventKind
    if kind not in _MOVING and kind not in (EventKind.ADDENDUM, EventKind.BOTH_RIGHT)
)


#: What is written after the patient has left: how it went at home, what the papers still need.
_AFTER_THE_END = _MOVING | {EventKind.ADDENDUM, EventKind.NOTE}


def belongs_after_the_end(kind: str) -> bool:
    """Whether an event of this kind is nothing unusual once the patient has left."""
    return kind in _AFTER_THE_END


def action_for_event(kind: str) -> Action:
    """The permission an event needs.

    Raises:
        InvalidEntry: there is no such kind of event.
    """
    return _ACTION_OF_EVENT[_kind(kind)]


def _kind(kind: str) -> EventKind:
    try:
        return EventKind(kind)
    except ValueError:
        known = ", ".join(item.label for item in EventKind)
        raise InvalidEntry(
            [Problem("kind", f"There is no event “{echoed(kind)}”. Choose one of: {known}.")]
        ) from None


def status(session: InfusionSession, as_of: datetime) -> SessionStatus:
    """The state at ``as_of``, from the facts that had happened and were saved by then."""
    changes = status_changes(session, as_of)
    return changes[-1][1] if changes else SessionStatus.SCHEDULED


def status_changes(
    session: InfusionSession, as_of: datetime
) -> tuple[tuple[datetime, SessionStatus], ...]:
    """Every change of state up to ``as_of`` in time order, from SCHEDULED on."""
    changes = session.known_at(as_of).derived("status_changes", _MOVED_BY, _all_changes)
    return changes[: bisect_right(changes, as_of, key=itemgetter(0))]


def _all_changes(known: InfusionSession) -> tuple[tuple[datetime, SessionStatus], ...]:
    """Those of the whole record, also what was written down for later than now."""
    moves = [(at, 0, at, str(cue)) for at, cue in _dose_cues(known)]
    moves += [
        (event.taken_at, 1, event.recorded_at, event.kind)
        for event in known.current(known.events)
        if event.kind in _MOVING
    ]
    # Stable: events of one moment keep the order of the record, dose facts come before them.
    moves.sort(key=lambda move: move[:3])
    state = SessionStatus.SCHEDULED
    changes: list[tuple[datetime, SessionStatus]] = []
    for at, _, _, cue in moves:
        after = TRANSITIONS[state].get(cue, state)
        if after is not state:
            state = after
            changes.append((at, state))
    return tuple(changes)


def _dose_cues(session: InfusionSession) -> list[tuple[datetime, DoseCue]]:
    """What the dose facts say and from when, in time order; at one moment the last one holds."""
    timeline = dose_timeline(session)
    bolus_starts = {bolus.start_at for bolus in timeline.boluses}
    moments = {point.at for point in timeline.points} | bolus_starts
    moments |= {bolus.end_at for bolus in timeline.boluses}
    cues: list[tuple[datetime, DoseCue]] = []
    for moment in sorted(moments):
        point = timeline.point_at(moment)
        if moment in bolus_starts:
            # Also a bolus given at once starts the session (U-68).
            cues.append((moment, DoseCue.RUNNING))
        if timeline.in_bolus(moment) or (point is not None and point.rate_mg_per_h > 0):
            cues.append((moment, DoseCue.RUNNING))
        elif point is None or point.stopped:
            # After boluses alone the infusion is over (U-68).
            cues.append((moment, DoseCue.STOPPED))
        else:
            cues.append((moment, DoseCue.HELD))
    return cues


def ended_at(session: InfusionSession, as_of: datetime) -> datetime | None:
    """When the patient left or the session was cancelled, as known now; None while it is open."""
    ended: datetime | None = None
    for at, state in status_changes(session, as_of):
        if state.is_open:
            ended = None
        elif ended is None:
            ended = at
    return ended


def phase_text(session: InfusionSession, protocol: InfusionProtocol, as_of: datetime) -> str:
    """Where the infusion stands against its plan, for the line under the patient's name.

    For example ``titration step 3 of 6``, ``plateau, step 3 of 6``, ``fixed rate``, ``paused``.
    """
    state = status(session, as_of)
    if state is not SessionStatus.INFUSING:
        return state.label
    known = session.known_at(as_of)
    points = [point for point in dose_timeline(known).points if point.at <= as_of]
    if not points or points[-1].rate_mg_per_h == 0:
        return "bolus"
    if known.weight_kg is None:
        return "infusing"
    if len(protocol.steps) == 1:
        return "fixed rate" if protocol.limits.fixed_rate_mg_per_kg_h else "plateau"
    step = _nearest_step(points[-1].rate_mg_per_h / known.weight_kg, protocol)
    place = f"step {step} of {len(protocol.steps)}"
    if step == len(protocol.steps) or _unchanged_for(points, as_of) >= _plateau_after(protocol):
        return f"plateau, {place}"
    return f"titration {place}"


def _nearest_step(rate_mg_per_kg_h: Decimal, protocol: InfusionProtocol) -> int:
    """Number of the planned step closest to a rate: pump rounding must not lose a step."""
    return 1 + min(
        range(len(protocol.steps)),
        key=lambda index: abs(protocol.steps[index].rate_mg_per_kg_h - rate_mg_per_kg_h),
    )


def _unchanged_for(points: list[DosePoint], as_of: datetime) -> timedelta:
    """How long the present rate above 0 was not changed; pauses do not count as a change."""
    running = [point for point in points if point.rate_mg_per_h > 0]
    since = running[-1].at
    for point in reversed(running):
        if point.rate_mg_per_h != running[-1].rate_mg_per_h:
            break
        since = point.at
    return as_of - since


def _plateau_after(protocol: InfusionProtocol) -> timedelta:
    minutes = protocol.plateau_after_min
    return timedelta.max if minutes is None else timedelta(minutes=minutes)


def check_can_record(session: InfusionSession, now: datetime) -> None:
    """Refuse new observations, side effects and events after sign-off, and only then.

    What was really measured can always be recorded, also late and after discharge.

    Raises:
        WrongState: the session is signed.
    """
    if status(session, now) is SessionStatus.SIGNED:
        raise WrongState(
            "This session is signed and its record is closed. Add an addendum instead."
        )


def check_can_amend(session: InfusionSession, now: datetime) -> None:
    """Refuse a correction after sign-off.

    Raises:
        WrongState: the session is signed.
    """
    if status(session, now) is SessionStatus.SIGNED:
        raise WrongState(
            "This session is signed. Write what was wrong in an addendum; the record stays as it is."
        )


def check_can_dose(
    session: InfusionSession, now: datetime, taken_at: datetime | None = None
) -> None:
    """Refuse a dose for someone who has left or whose session was cancelled.

    A dose with a ``taken_at`` before the patient left is a late entry and stays possible.

    Raises:
        WrongState: naming the state and what opens the session again.
    """
    check_can_record(session, now)
    end_at = ended_at(session, now)
    if end_at is None or (taken_at is not None and taken_at < end_at):
        return
    state = status(session, now)
    if state is SessionStatus.CANCELLED:
        raise WrongState("This session was cancelled. Reopen it before recording a dose.")
    raise WrongState(f"This session is {state.label}. Reopen it before recording a dose.")


def check_stays_over(before: InfusionSession, after: InfusionSession, now: datetime) -> None:
    """Refuse a late dose that would leave the drug running in someone who has gone.

    Raises:
        WrongState: the session was over without the dose and is not over with it.
    """
    if ended_at(before, now) is not None and ended_at(after, now) is None:
        raise WrongState(
            "With this dose the infusion would still run after the end of the session. "
            "Reopen the session, record the dose and when it stopped, then end it again."
        )


def check_can_record_event(session: InfusionSession, kind: str, now: datetime) -> None:
    """Refuse an event that the session's state does not allow.

    Raises:
        InvalidEntry: there is no such kind of event.
        WrongState: in words, with what has to be done first.
    """
    event = _kind(kind)
    state = status(session, now)
    if event is EventKind.ADDENDUM:
        if state is not SessionStatus.SIGNED:
            raise WrongState("The session is not signed yet: correct or add the entry itself.")
        return
    if event not in _MOVING:
        check_can_record(session, now)
    elif event not in TRANSITIONS[state]:
        raise WrongState(_refusal(state, event))


_FIRST_DO: Mapping[tuple[SessionStatus, EventKind], str] = MappingProxyType(
    {
        (SessionStatus.INFUSING, EventKind.DISCHARGED): "Stop the infusion first.",
        (SessionStatus.PAUSED, EventKind.DISCHARGED): "Stop the infusion first.",
        (SessionStatus.RECOVERY, EventKind.COMPLETED): "Discharge the patient first.",
        (SessionStatus.DISCHARGED, EventKind.SIGNED): "Complete the session first.",
        (SessionStatus.SIGNED, EventKind.REOPENED): "Add an addendum instead.",
    }
)


def _refusal(state: SessionStatus, event: EventKind) -> str:
    if event.value == state.value:
        return f"This session is already {state.label}."
    where = "in " if state in (SessionStatus.PRE_ASSESSMENT, SessionStatus.RECOVERY) else ""
    hint = _FIRST_DO.get((state, event), "")
    return f"This session is {where}{state.label}; it cannot be {event.label} now. {hint}".strip()
