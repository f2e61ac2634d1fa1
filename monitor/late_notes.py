"""Why something was entered late (clinical.md U-42): a note of its own beside the dose or the event.

Standard library only.  The note is linked to what it is about and saved with it; the text, the drug
and the reason of the dose stay what they are.  Observations carry theirs in their own note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from monitor.ids import derived_id
from monitor.lifecycle import EventKind
from monitor.record import Fact, InfusionSession, SessionEvent

#: Saved longer than this after it was taken, an entry carries the late badge (clinical.md U-42).
LATE_AFTER = timedelta(minutes=10)
#: How the note begins that says why; what follows is the reason.
LATE_NOTE = "entered late: "


def is_late(fact: Fact) -> bool:
    return fact.recorded_at - fact.taken_at > LATE_AFTER


def late_notes(facts: Iterable[Fact], reason: str | None) -> tuple[SessionEvent, ...]:
    """The note beside each of these facts that is late; none without a reason."""
    if not (reason or "").strip():
        return ()
    return tuple(
        SessionEvent(
            id=derived_id("late", fact.id),
            taken_at=fact.taken_at,
            recorded_at=fact.recorded_at,
            recorded_by=fact.recorded_by,
            source=fact.source,
            kind=EventKind.NOTE,
            text=f"{LATE_NOTE}{reason}",
            linked_to=fact.id,
        )
        for fact in facts
        if is_late(fact)
    )


def is_late_note(fact: Fact) -> bool:
    """Whether this only says why another entry is late: it stands there, not in a row of its own."""
    return (
        isinstance(fact, SessionEvent)
        and fact.linked_to is not None
        and fact.id == derived_id("late", fact.linked_to)
    )


def late_reasons(session: InfusionSession) -> Mapping[UUID, str]:
    """Why each entry is late, by the id of the entry."""
    return {
        event.linked_to: (event.text or "").removeprefix(LATE_NOTE)
        for event in session.events
        if event.linked_to is not None and is_late_note(event)
    }
