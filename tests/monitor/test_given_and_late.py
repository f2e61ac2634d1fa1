"""What was really given is recorded, if it can have been; what comes late or after the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from monitor import actions
from monitor.errors import InvalidEntry, NeedsConfirmation, WrongState
from monitor.lifecycle import EventKind, SessionStatus
from monitor.record import DoseStepKind, DoseUnit
from monitor.requests import (
    AnswerRequest,
    BolusRequest,
    EventRequest,
    SideEffectRequest,
    SyringeRequest,
)
from monitor.store import Store
from tests.build import an_id, anaesthetist, at
from tests.entering import (
    BLUM,
    NORMAL,
    balance_ledger,
    entered,
    infusing,
    left,
    rate_request,
    save,
)


def given_bolus(value: str, minute: float = 10, **changes: Any) -> BolusRequest:
    values: dict[str, Any] = {
        "id": an_id(),
        "value": Decimal(value),
        "unit": DoseUnit.MG,
        "over_s": 0,
        "taken_at": at(minute),
        "reason": "given in an emergency",
        "already_given": True,
        "ordered_by": "okoye",
    }
    return BolusRequest(**(values | changes))


# -- already given ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": Decimal(-5)}, "above 0"),
        ({"value": Decimal(0)}, "above 0"),
        ({"value": Decimal(90000)}, "more than anyone is given"),
        ({"unit": DoseUnit.MG_PER_H}, "is a rate, not an amount"),
        ({"over_s": 4000}, "at most 30 min"),
        ({"taken_at": at(60)}, "in the future"),
        ({"reason": None}, "Say why"),
    ],
)
def test_a_bolus_that_cannot_have_been_given_is_refused_in_words(
    store: Store, changes: dict[str, Any], words: str
) -> None:
    session_id = infusing(store)
    before = store.session(session_id)
    with pytest.raises(InvalidEntry, match=words):
        actions.give_bolus(
            store, BLUM, session_id, replace(given_bolus("60"), **changes), now=at(10)
        )
    assert store.session(session_id) == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": Decimal(-5)}, "above 0"),
        ({"value": Decimal(0)}, "choose hold or stop"),
        ({"value": Decimal(0), "kind": DoseStepKind.RESUME}, "choose hold or stop"),
        ({"value": Decimal(99999)}, "No pump gives"),
        ({"unit": DoseUnit.MG}, "is an amount, not a rate"),
        ({"reason": " "}, "Say why"),
    ],
)
@pytest.mark.parametrize("already_given", [True, False])
def test_a_rate_that_cannot_have_run_is_refused_in_words(
    store: Store, changes: dict[str, Any], words: str, already_given: bool
) -> None:
    session_id = infusing(store)
    before = store.session(session_id)
    request = rate_request(
        "1.2", 10, already_given=already_given, reason="pump was set wrong", ordered_by="okoye"
    )
    if "reason" in changes and not already_given:
        words = "hard limit"
    with pytest.raises(InvalidEntry, match=words):
        actions.change_rate(store, BLUM, session_id, replace(request, **changes), now=at(10))
    assert store.session(session_id) == before


def test_a_bolus_beyond_a_hard_limit_that_was_given_is_recorded_and_flagged(store: Store) -> None:
    session_id = infusing(store)
    # 160 mg for 80 kg: 2 mg/kg, above every limit of P02 and below what people are given.
    opened = actions.give_bolus(store, BLUM, session_id, given_bolus("160"), now=at(10))
    assert opened.session.boluses[0].amount_mg == 160
    assert any(code.endswith(".hard") for code in opened.session.boluses[0].overrides)


# -- after the end ----------------------------------------------------------------------------

LEFT_MIN = 60
WEEKS_LATER = at(LEFT_MIN) + timedelta(days=16)


def discharged(store: Store) -> UUID:
    """A session stopped in minute 20 and left in minute 60."""
    session_id = infusing(store)
    stop = rate_request("0", 20, kind=DoseStepKind.STOP)
    actions.change_rate(store, BLUM, session_id, stop, now=at(20))
    home = left(LEFT_MIN)
    actions.record_event(store, BLUM, session_id, home, now=at(LEFT_MIN))
    return session_id


def test_a_set_timed_weeks_after_discharge_is_asked_about_and_then_saved(store: Store) -> None:
    session_id = discharged(store)
    of = replace(entered(0, **NORMAL), taken_at=WEEKS_LATER)
    with pytest.raises(NeedsConfirmation, match="16 days after the end of this session") as asked:
        actions.record_observations(store, BLUM, session_id, of, now=WEEKS_LATER)
    codes = frozenset(problem.code for problem in asked.value.problems)
    saved = actions.record_observations(
        store, BLUM, session_id, of, now=WEEKS_LATER, confirmed=codes
    )
    assert len(saved.session.current_observations) == 2 * len(NORMAL)


def test_a_side_effect_or_event_timed_after_the_end_is_asked_about(store: Store) -> None:
    session_id = discharged(store)
    effect = SideEffectRequest(id=an_id(), term="nausea", grade=1, onset_at=at(200))
    with pytest.raises(NeedsConfirmation, match="2 h after the end"):
        actions.record_side_effect(store, BLUM, session_id, effect, now=at(200))
    event = EventRequest(id=an_id(), kind=EventKind.VOMITED, taken_at=at(200))
    with pytest.raises(NeedsConfirmation, match="after the end"):
        actions.record_event(store, BLUM, session_id, event, now=at(200))
    confirmed = frozenset({"taken_at.after_end"})
    actions.record_side_effect(store, BLUM, session_id, effect, now=at(200), confirmed=confirmed)
    opened = actions.record_event(store, BLUM, session_id, event, now=at(200), confirmed=confirmed)
    assert opened.session.side_effects[-1].taken_at == at(200)
    assert opened.session.events[-1].kind == EventKind.VOMITED


def test_nothing_is_asked_about_what_a_signed_session_refuses_anyway(store: Store) -> None:
    session_id = discharged(store)
    balance_ledger(store, session_id, LEFT_MIN)
    for kind, by in ((EventKind.COMPLETED, BLUM), (EventKind.SIGNED, anaesthetist())):
        request = EventRequest(id=an_id(), kind=kind, taken_at=at(70))
        actions.record_event(store, by, session_id, request, now=at(70))
    effect = SideEffectRequest(id=an_id(), term="nausea", grade=1, onset_at=at(200))
    with pytest.raises(WrongState, match="signed"):
        actions.record_side_effect(store, BLUM, session_id, effect, now=at(200))
    event = EventRequest(id=an_id(), kind=EventKind.VOMITED, taken_at=at(200))
    with pytest.raises(WrongState, match="signed"):
        actions.record_event(store, BLUM, session_id, event, now=at(200))


def test_a_note_and_the_papers_of_the_end_are_not_asked_about(store: Store) -> None:
    session_id = discharged(store)
    balance_ledger(store, session_id, LEFT_MIN)
    for kind in (EventKind.NOTE, EventKind.COMPLETED, EventKind.REOPENED):
        request = EventRequest(id=an_id(), kind=kind, taken_at=WEEKS_LATER)
        actions.record_event(store, BLUM, session_id, request, now=WEEKS_LATER)


def test_what_was_measured_before_the_end_is_entered_late_without_a_question(store: Store) -> None:
    session_id = discharged(store)
    opened = save(store, session_id, entered(55, **NORMAL), WEEKS_LATER)
    late = opened.session.current_observations[-1]
    assert (late.taken_at, late.recorded_at) == (at(55), WEEKS_LATER)


def test_a_dose_given_before_the_end_can_be_recorded_late(store: Store) -> None:
    """A queued step of a tablet that was offline while the patient was discharged elsewhere."""
    session_id = discharged(store)
    actions.change_rate(store, BLUM, session_id, rate_request("0.05", 10), now=at(90))
    opened = actions.give_bolus(store, BLUM, session_id, given_bolus("8", minute=15), now=at(91))
    assert opened.status is SessionStatus.DISCHARGED
    assert opened.totals.total_mg == Decimal(8) * 10 / 60 + Decimal(4) * 10 / 60 + 8


@pytest.mark.parametrize("minute", [LEFT_MIN, LEFT_MIN + 20])
def test_no_dose_is_recorded_for_someone_who_had_left(store: Store, minute: float) -> None:
    session_id = discharged(store)
    before = store.session(session_id)
    syringe = SyringeRequest(id=an_id(), concentration_mg_per_ml=Decimal(2), taken_at=at(minute))
    with pytest.raises(WrongState, match="Reopen it"):
        actions.change_rate(store, BLUM, session_id, rate_request("0.1", minute), now=at(90))
    with pytest.raises(WrongState, match="Reopen it"):
        actions.give_bolus(store, BLUM, session_id, given_bolus("8", minute), now=at(90))
    with pytest.raises(WrongState, match="Reopen it"):
        actions.change_syringe(store, BLUM, session_id, syringe, now=at(90))
    assert store.session(session_id) == before


def test_a_late_rate_that_would_still_run_after_the_end_is_refused(store: Store) -> None:
    session_id = discharged(store)
    with pytest.raises(WrongState, match="would still run after the end"):
        actions.change_rate(store, BLUM, session_id, rate_request("0.1", 40), now=at(90))
    assert store.session(session_id).dose_steps[-1].kind is DoseStepKind.STOP


# -- texts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a" * 2001, "2001 characters; at most 2000"),
        ("told\x00twice", "cannot be kept"),
        ("half \ud83d", "cannot be kept"),
        ("bell \x07", "cannot be kept"),
    ],
)
def test_a_text_that_does_not_fit_is_refused_by_its_name(
    store: Store, text: str, words: str
) -> None:
    session_id = infusing(store)
    before = store.session(session_id)
    event = EventRequest(id=an_id(), kind=EventKind.NOTE, taken_at=at(5), text=text)
    effect = SideEffectRequest(id=an_id(), term="nausea", grade=1, onset_at=at(5), note=text)
    of = entered(5, **NORMAL)
    noted = replace(of, items=(replace(of.items[0], note=text), *of.items[1:]))
    with pytest.raises(InvalidEntry, match=f"The text .*{words}"):
        actions.record_event(store, BLUM, session_id, event, now=at(5))
    with pytest.raises(InvalidEntry, match=f"The note .*{words}"):
        actions.record_side_effect(store, BLUM, session_id, effect, now=at(5))
    with pytest.raises(InvalidEntry, match=f"The note .*{words}"):
        save(store, session_id, noted, at(5))
    assert store.session(session_id) == before


def test_names_are_shorter_than_notes_and_lines_may_break(store: Store) -> None:
    session_id = infusing(store)
    request = rate_request("0.05", 5, ordered_by="O" * 121, reason="r" * 501)
    with pytest.raises(InvalidEntry) as refused:
        actions.change_rate(store, BLUM, session_id, request, now=at(5))
    assert {problem.field for problem in refused.value.problems} == {"ordered_by", "reason"}
    longest = replace(request, ordered_by="O" * 120, reason="two\nlines".ljust(500, "."))
    opened = actions.change_rate(store, BLUM, session_id, longest, now=at(5))
    assert opened.session.dose_steps[-1].reason == longest.reason


def test_a_long_text_is_named_together_with_everything_else(store: Store) -> None:
    session_id = infusing(store)
    unusual = entered(5, **NORMAL | {"hr": "160"})
    noted = replace(unusual, items=(replace(unusual.items[0], note="n" * 2001), *unusual.items[1:]))
    with pytest.raises(InvalidEntry) as refused:
        save(store, session_id, noted, at(5))
    assert {problem.field for problem in refused.value.problems} == {"note", "hr"}


def test_the_answer_to_an_alert_has_the_same_limits(store: Store) -> None:
    session_id = infusing(store)
    raised = save(store, session_id, entered(5, **NORMAL | {"spo2": "88"}), at(5))
    request = AnswerRequest(
        id=an_id(), alert_id=raised.views[0].alert.id, action="a" * 501, text="\x00"
    )
    with pytest.raises(InvalidEntry) as refused:
        actions.answer_alert(store, BLUM, session_id, request, now=at(6))
    assert {problem.field for problem in refused.value.problems} == {"action", "text"}
