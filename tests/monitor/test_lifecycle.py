"""Where a session stands follows from its facts: clinical.md 1.7, U-28, U-45, U-67, U-68."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import InvalidEntry, WrongState
from monitor.lifecycle import (
    CLINICAL_EVENTS,
    TRANSITIONS,
    DoseCue,
    EventKind,
    SessionStatus,
    action_for_event,
    belongs_after_the_end,
    check_can_amend,
    check_can_dose,
    check_can_record,
    check_can_record_event,
    check_stays_over,
    ended_at,
    phase_text,
    status,
)
from monitor.permissions import ALLOWED, Action, Role
from monitor.protocols import InfusionProtocol
from monitor.record import Fact, InfusionSession
from tests.build import (
    amendment,
    at,
    bolus,
    event,
    hold,
    obs_set,
    rate,
    resume,
    seeded,
    session,
    stop,
    syringe,
)

S = SessionStatus


def ran(*more: Fact) -> InfusionSession:
    """Arrived, infused from 0 to 60."""
    return session(event("arrived", -40), event("ready", -5), rate("0.1"), stop(60), *more)


def discharged(*more: Fact) -> InfusionSession:
    return ran(event("discharged", 130), *more)


def signed() -> InfusionSession:
    return discharged(event("completed", 140), event("signed", 150))


@pytest.mark.parametrize(
    ("minute", "state"),
    [
        (-45, S.SCHEDULED),
        (-40, S.PRE_ASSESSMENT),
        (-5, S.READY),
        (0, S.INFUSING),
        (59.9, S.INFUSING),
        (60, S.RECOVERY),
        (130, S.DISCHARGED),
        (140, S.COMPLETED),
        (150, S.SIGNED),
        (9999, S.SIGNED),
    ],
)
def test_a_session_goes_from_arrival_to_sign_off(minute: float, state: SessionStatus) -> None:
    assert status(signed(), at(minute)) is state


def test_a_hold_is_a_pause_until_it_is_resumed_or_stopped() -> None:
    held = session(rate("0.1"), hold(20), resume("0.1", 30), hold(40), stop(50))
    states = [status(held, at(minute)) for minute in (10, 20, 30, 40, 50)]
    assert states == [S.INFUSING, S.PAUSED, S.INFUSING, S.PAUSED, S.RECOVERY]


def test_u28_another_concentration_holds_the_infusion_until_a_rate_is_entered() -> None:
    changed = session(rate("0.1"), syringe(5, 20), rate("0.1", 25))
    assert status(changed, at(22)) is S.PAUSED
    assert status(changed, at(25)) is S.INFUSING
    assert status(session(rate("0.1"), syringe(2, 20)), at(22)) is S.INFUSING


def test_u68_a_bolus_alone_is_the_infusion() -> None:
    given_slowly = session(bolus(20, 0, over_s=600))
    assert status(given_slowly, at(5)) is S.INFUSING
    assert status(given_slowly, at(10)) is S.RECOVERY
    assert status(session(bolus(20, 0)), at(0)) is S.RECOVERY


def test_resuming_from_recovery_is_infusing_again() -> None:
    assert status(ran(rate("0.1", 70)), at(75)) is S.INFUSING


def test_u45_the_record_of_a_start_wins_over_every_event_before_it() -> None:
    for before in ([], [event("arrived", -10)], [event("cancelled", -10)]):
        assert status(session(*before, rate("0.1")), at(1)) is S.INFUSING


def test_a_late_entry_counts_from_when_it_was_saved() -> None:
    late = session(rate("0.1"), stop(60, recorded=80))
    assert status(late, at(70)) is S.INFUSING
    assert status(late, at(80)) is S.RECOVERY


def test_a_stop_and_a_discharge_at_one_moment_come_in_that_order() -> None:
    assert status(session(rate("0.1"), event("discharged", 60), stop(60)), at(60)) is S.DISCHARGED


def test_an_amended_stop_never_happened() -> None:
    wrong = stop(60)
    assert status(session(rate("0.1"), wrong, amendment(wrong, 65)), at(64)) is S.RECOVERY
    assert status(session(rate("0.1"), wrong, amendment(wrong, 65)), at(65)) is S.INFUSING


def test_a_discharge_can_be_taken_back_and_a_signature_cannot() -> None:
    assert status(discharged(event("reopened", 135)), at(135)) is S.RECOVERY
    with pytest.raises(WrongState, match="Add an addendum instead"):
        check_can_record_event(signed(), "reopened", at(160))


def test_every_state_is_in_the_table_and_every_event_that_moves_can_happen() -> None:
    assert set(TRANSITIONS) == set(SessionStatus)
    causes = {cause for row in TRANSITIONS.values() for cause in row}
    moving = set(EventKind) - set(CLINICAL_EVENTS) - {EventKind.ADDENDUM, EventKind.BOTH_RIGHT}
    assert causes == {*moving, *DoseCue}
    reached = {after for row in TRANSITIONS.values() for after in row.values()}
    assert reached == set(SessionStatus) - {S.SCHEDULED}


@given(st.permutations(list(signed().facts())))
def test_the_order_in_which_facts_arrive_changes_nothing(facts: list[Fact]) -> None:
    empty = session(weight_kg=None)
    for minute in (-10, 30, 100, 135, 200):
        assert status(empty.with_facts(facts), at(minute)) is status(signed(), at(minute))


def test_a_signed_record_is_closed_and_takes_addenda() -> None:
    for check in (check_can_record, check_can_amend, check_can_dose):
        with pytest.raises(WrongState, match="signed"):
            check(signed(), at(160))
    with pytest.raises(WrongState, match="signed"):
        check_can_record_event(signed(), "note", at(160))
    check_can_record_event(signed(), "addendum", at(160))
    with pytest.raises(WrongState, match="not signed yet"):
        check_can_record_event(ran(), "addendum", at(61))


def test_what_was_measured_can_be_recorded_after_discharge_but_no_dose() -> None:
    check_can_record(discharged(), at(131))
    check_can_amend(discharged(), at(131))
    check_can_record_event(discharged(), "note", at(131))
    with pytest.raises(WrongState, match=r"discharged\. Reopen it"):
        check_can_dose(discharged(), at(131))
    with pytest.raises(WrongState, match=r"cancelled\. Reopen it"):
        check_can_dose(session(event("cancelled", -5)), at(0))
    check_can_dose(ran(), at(70))


def test_a_session_ends_when_the_patient_leaves_and_not_with_the_papers() -> None:
    assert ended_at(ran(), at(70)) is None
    assert ended_at(discharged(), at(129)) is None
    assert ended_at(signed(), at(400)) == at(130)
    assert ended_at(session(event("cancelled", -5)), at(0)) == at(-5)
    again = discharged(event("reopened", 135), event("discharged", 150))
    assert ended_at(again, at(140)) is None
    assert ended_at(again, at(400)) == at(150)


def test_a_dose_given_before_the_end_can_be_entered_after_it() -> None:
    check_can_dose(discharged(), at(300), at(129))
    for minute in (130, 200):
        with pytest.raises(WrongState, match=r"discharged\. Reopen it"):
            check_can_dose(discharged(), at(300), at(minute))
    with pytest.raises(WrongState, match="signed"):
        check_can_dose(signed(), at(300), at(40))


def test_a_late_dose_may_not_leave_the_drug_running_in_someone_who_has_gone() -> None:
    over = discharged()
    check_stays_over(over, over.with_facts([rate("0.05", 20), bolus(5, 70)]), at(300))
    with pytest.raises(WrongState, match="still run after the end"):
        check_stays_over(over, over.with_facts([rate("0.1", 70)]), at(300))
    check_stays_over(ran(), ran(rate("0.1", 61)), at(62))


def test_notes_and_papers_belong_after_the_end_and_what_happened_to_the_patient_does_not() -> None:
    after = {kind for kind in EventKind if belongs_after_the_end(kind)}
    assert {"note", "addendum", "completed", "signed", "reopened"} <= after
    assert not after & {"vomited", "toilet", "drug", "oxygen", "doctor_called"}


@pytest.mark.parametrize(
    ("of", "kind", "words"),
    [
        (session(rate("0.1")), "discharged", "is infusing.*Stop the infusion first"),
        (session(rate("0.1"), hold(5)), "discharged", "is paused.*Stop the infusion first"),
        (ran(), "completed", "is in recovery.*Discharge the patient first"),
        (discharged(), "signed", "Complete the session first"),
        (discharged(), "discharged", "already discharged"),
        (ran(), "cancelled", "cannot be cancelled now"),
    ],
)
def test_an_event_out_of_turn_is_refused_with_what_to_do_first(
    of: InfusionSession, kind: str, words: str
) -> None:
    with pytest.raises(WrongState, match=words):
        check_can_record_event(of, kind, at(131))


def test_an_event_in_its_turn_is_taken() -> None:
    check_can_record_event(session(), "arrived", at(0))
    check_can_record_event(ran(), "discharged", at(130))
    check_can_record_event(discharged(), "completed", at(140))


def test_an_unknown_event_is_refused_in_words() -> None:
    for check in (action_for_event, lambda kind: check_can_record_event(ran(), kind, at(61))):
        with pytest.raises(InvalidEntry, match="There is no event “lunch”"):
            check("lunch")


def test_only_an_anaesthetist_may_sign_and_a_nurse_may_record_every_clinical_event() -> None:
    assert action_for_event("signed") is Action.SIGN_SESSION
    assert action_for_event("signed") not in ALLOWED[Role.NURSE]
    for kind in CLINICAL_EVENTS:
        assert action_for_event(kind) in ALLOWED[Role.NURSE]


@pytest.fixture
def p02() -> InfusionProtocol:
    return seeded("protocol", "P02").protocol()


@pytest.mark.parametrize(
    ("facts", "minute", "text"),
    [
        ((), -10, "scheduled"),
        ((rate("0.1"),), 5, "titration step 1 of 6"),
        ((rate("0.1"), rate("0.2", 30)), 40, "titration step 3 of 6"),
        ((rate("0.1"), rate("0.2", 30)), 60, "plateau, step 3 of 6"),
        ((rate("0.1"), rate("0.2", 30), hold(40), resume("0.2", 45)), 60, "plateau, step 3 of 6"),
        ((rate("0.1"), rate("0.199", 30)), 40, "titration step 3 of 6"),
        ((rate("0.1"), rate("0.5", 75)), 76, "plateau, step 6 of 6"),
        ((rate("0.1"), hold(10)), 12, "paused"),
        ((rate("0.1"), stop(10)), 12, "recovery"),
        ((bolus(10, 0, over_s=600),), 5, "bolus"),
    ],
)
def test_the_phase_is_told_against_the_plan(
    p02: InfusionProtocol, facts: tuple[Fact, ...], minute: float, text: str
) -> None:
    assert phase_text(session(*facts), p02, at(minute)) == text


def test_a_fixed_dose_protocol_has_no_steps_to_tell() -> None:
    p17 = seeded("protocol", "P17").protocol()
    assert phase_text(session(rate("0.75"), protocol="P17"), p17, at(5)) == "fixed rate"


def test_without_a_weight_the_step_is_not_guessed(p02: InfusionProtocol) -> None:
    assert phase_text(session(rate("0.1"), weight_kg=None), p02, at(5)) == "infusing"


def test_open_states_are_those_with_the_patient_in_the_chair() -> None:
    closed = {S.DISCHARGED, S.COMPLETED, S.SIGNED, S.CANCELLED}
    assert {state for state in SessionStatus if not state.is_open} == closed
    assert status(session(obs_set(-5)), at(0)).is_open
