"""How every write is done: under the lock, decided from what is there, saved once with its alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, tzinfo
from uuid import UUID

from monitor import summaries
from monitor.actions.opening import OpenSession, bundle, check_clinic
from monitor.actions.repeats import is_recorded
from monitor.alerts import (
    AlertEvent,
    alerts_to_raise,
)
from monitor.audit import AuditEvent
from monitor.errors import (
    InvalidEntry,
    NeedsConfirmation,
    Problem,
)
from monitor.late_notes import late_notes
from monitor.permissions import Action, User, check_may
from monitor.reading_packs import reading_packs
from monitor.record import Fact
from monitor.store import Store, Writer
from monitor.texts import fact_text_problems


def refuse(problems: Iterable[Problem], confirmed: frozenset[str] = frozenset()) -> None:
    """Raise with every problem at once: hard ones refuse, soft ones not yet confirmed ask."""
    problems = tuple(problems)
    if any(problem.kind == "hard" for problem in problems):
        raise InvalidEntry(problems)
    open_questions = [problem for problem in problems if problem.code not in confirmed]
    if open_questions:
        raise NeedsConfirmation(open_questions)


def locked(
    store: Store, user: User, writer: Writer, session_id: UUID, now: datetime
) -> OpenSession:
    """The session as it is under the write lock."""
    session = writer.session(session_id)
    check_clinic(user, session)
    return bundle(store, session, writer.alerts(session_id), now)


def save(
    store: Store,
    user: User,
    session_id: UUID,
    action: Action,
    entered: Callable[[OpenSession], tuple[Fact, ...]],
    settled: Callable[[OpenSession, tuple[Fact, ...]], tuple[Fact, ...]],
    *,
    now: datetime,
    device: str | None,
    set_id: UUID | None = None,
    late_reason: str | None = None,
) -> OpenSession:
    """The outline of every entry: permission, lock, repeat, checks, one save.

    ``entered`` puts the request into facts as it was typed, unchecked; a repeat is known by them.
    ``settled`` checks them against the session and works out what is not typed.  ``late_reason`` is
    noted beside what was entered late.
    """
    check_may(user, action)
    event = AuditEvent(now, user.username, action.name, session_id, device)
    with store.write(event, clinic=user.clinic, session_id=session_id) as writer:
        before = locked(store, user, writer, session_id, now)
        facts = entered(before)
        if is_recorded(before.session, facts, set_id):
            return before
        texts = fact_text_problems(facts)
        try:
            checked = settled(before, facts)
        except InvalidEntry as found:
            if texts:  # everything that is wrong at once
                raise InvalidEntry([*texts, *found.problems]) from None
            raise
        notes = late_notes(checked, late_reason)
        refuse([*texts, *fact_text_problems(notes)])
        return write(store, writer, before, (*checked, *notes), ())


def write(
    store: Store,
    writer: Writer,
    before: OpenSession,
    facts: tuple[Fact, ...],
    answers: tuple[AlertEvent, ...],
) -> OpenSession:
    """Save facts and answers with the alerts they raise and the projection, in one transaction."""
    session_id = before.session.id
    writer.add_facts(session_id, facts)
    if writer.added != len(facts):
        raise InvalidEntry(
            [
                Problem(
                    "id", "This entry's id is already used elsewhere. Reload the page, enter again."
                )
            ]
        )
    # The very object that is kept for the next save: what is worked out here serves there too.
    session = writer.session(session_id)
    known_events = (*before.alert_events, *answers)
    after = replace(before, session=session, alert_events=known_events)
    alerts, events = alerts_to_raise(
        session,
        before.threshold_set,
        before.alerts,
        known_events,
        before.as_of,
        courses=after.courses,
    )
    writer.add_alerts(alerts, (*answers, *events))
    if alerts or events:
        breaches, dues = after.breaches, after.dues
        after = replace(
            after, alerts=(*before.alerts, *alerts), alert_events=(*known_events, *events)
        )
        # A frozen dataclass keeps its derived values in its own dict: these were just worked out.
        vars(after)["breaches"], vars(after)["dues"] = breaches, dues
    row = summary(after, store.zone)
    writer.set_summary(session.id, row)
    if not row["in_progress"]:
        # What is asked over years is asked of closed sessions; while one goes on, every save would
        # pack all of it again for nobody.  A correction afterwards comes this way too.
        writer.set_packs(session.id, reading_packs(session, after.threshold_set))
    return after


def summary(opened: OpenSession, zone: tzinfo) -> dict[str, object]:
    """The projection row of the session as it stands."""
    return summaries.summarise(
        opened.session,
        opened.protocol,
        opened.threshold_set,
        opened.alerts,
        opened.alert_events,
        opened.as_of,
        zone=zone,
        breaches=opened.breaches,
        views=opened.views,
    )
