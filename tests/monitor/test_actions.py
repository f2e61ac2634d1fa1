"""What people do, on both engines: permission, decision, one save, the same answer twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from monitor import actions
from monitor.accounts import UserEvent, UserEventKind
from monitor.alerts import AlertState
from monitor.audit import AuditEvent
from monitor.entered import EnteredItem, EnteredSet
from monitor.errors import InvalidEntry, NeedsConfirmation, NotFound, NotPermitted, WrongState
from monitor.lifecycle import EventKind, SessionStatus
from monitor.permissions import Role
from monitor.protocols import VersionStatus
from monitor.record import DoseStepKind, DoseUnit, DrugForm
from monitor.requests import (
    AmendRequest,
    AnswerRequest,
    BolusRequest,
    EventRequest,
    SideEffectChangeRequest,
    SideEffectRequest,
    SyringeRequest,
)
from monitor.store import SessionQuery, Store
from tests.build import an_id, anaesthetist, at, lead, seeded_id, user
from tests.entering import (
    BLUM,
    NORMAL,
    entered,
    infusing,
    left,
    rate_request,
    save,
    start_request,
    started,
)


def audit_actions(store: Store, session_id: UUID) -> list[str]:
    return [row.event.action for row in store.audit_rows("main", session_id)]


# -- starting ---------------------------------------------------------------------------------


def test_a_session_starts_with_its_weight_its_baseline_and_pinned_versions(store: Store) -> None:
    opened = actions.open_session(store, BLUM, started(store), now=at(-7))
    assert opened.session.weight_kg == 80
    assert opened.session.protocol_id == seeded_id("protocol", "P02")
    assert opened.session.threshold_set_id == seeded_id("threshold_set", "ADULT-CLINIC-1")
    assert len(opened.session.current_observations) == len(NORMAL)
    assert opened.status is SessionStatus.PRE_ASSESSMENT


def test_starting_twice_with_the_same_ids_opens_one_session(store: Store) -> None:
    request = start_request()
    first = actions.start_session(store, BLUM, request, now=at(-8))
    again = actions.start_session(store, BLUM, request, now=at(-7))
    assert again.session == first.session
    assert audit_actions(store, request.id).count("START_SESSION") == 1


def test_every_problem_of_a_start_is_named_at_once(store: Store) -> None:
    request = start_request(
        chair=" ", weight_kg=Decimal(20), concentration_mg_per_ml=Decimal(100),
        drug_form=DrugForm.S_KETAMINE,
    )  # fmt: skip
    with pytest.raises(InvalidEntry) as refused:
        actions.start_session(store, BLUM, request, now=at(-8))
    fields = {problem.field for problem in refused.value.problems}
    assert fields == {"chair", "weight_kg", "concentration_mg_per_ml", "drug_form"}
    assert store.open_session_ids("main") == ()


def test_an_unusual_weight_is_asked_once_and_then_saved(store: Store) -> None:
    request = start_request(weight_kg=Decimal(170))
    with pytest.raises(NeedsConfirmation) as asked:
        actions.start_session(store, BLUM, request, now=at(-8))
    codes = frozenset(problem.code for problem in asked.value.problems)
    opened = actions.start_session(store, BLUM, request, now=at(-8), confirmed=codes)
    assert opened.session.weight_kg == 170


def test_a_protocol_that_is_not_approved_starts_nothing(store: Store) -> None:
    protocol_id = seeded_id("protocol", "P02")
    event = AuditEvent(at(-20), "meier", "APPROVE_PROTOCOLS")
    with store.write(event, clinic="main") as writer:
        writer.set_version_status(protocol_id, VersionStatus.RETIRED, "replaced")
    with pytest.raises(WrongState, match="retired"):
        started(store)


def test_a_lead_may_not_start_or_record(store: Store) -> None:
    with pytest.raises(NotPermitted, match="start a session"):
        started(store, by=lead())
    session_id = started(store)
    with pytest.raises(NotPermitted, match="record observations"):
        actions.record_observations(store, lead(), session_id, entered(5, hr="70"), now=at(5))


def test_another_clinic_sees_and_changes_nothing(store: Store) -> None:
    session_id = started(store)
    stranger = user(Role.NURSE, "elsewhere", clinic="other")
    with pytest.raises(NotPermitted, match="another clinic"):
        actions.open_session(store, stranger, session_id, now=at(1))
    with pytest.raises(NotPermitted, match="another clinic"):
        actions.record_observations(store, stranger, session_id, entered(5, hr="70"), now=at(5))
    assert actions.open_sessions(store, stranger, now=at(1)) == ()


# -- observations ------------------------------------------------------------------------------


def test_a_set_saved_twice_is_saved_once(store: Store) -> None:
    session_id = infusing(store)
    of = entered(5, **NORMAL)
    first = save(store, session_id, of, at(5.5))
    again = save(store, session_id, of, at(6))
    assert again.session.observations == first.session.observations
    assert audit_actions(store, session_id).count("RECORD_OBSERVATIONS") == 1


def test_a_high_pressure_is_shown_at_once_and_confirmed_by_its_repeat(store: Store) -> None:
    session_id = infusing(store)
    first = save(store, session_id, entered(5, **NORMAL | {"sbp": "165"}), at(5.5))
    assert [(view.state, view.level) for view in first.views] == [(AlertState.PENDING, "warning")]
    second = save(store, session_id, entered(8, **NORMAL | {"sbp": "168"}), at(8.5))
    assert [view.state for view in second.views] == [AlertState.ACTIVE]
    assert len(second.alerts) == 1
    stored = store.alerts(session_id)
    assert stored == (second.alerts, second.alert_events)


def test_nothing_of_a_wrong_set_is_saved(store: Store) -> None:
    session_id = infusing(store)
    before = store.version("main")
    with pytest.raises(InvalidEntry) as refused:
        save(store, session_id, entered(5, hr="12O", spo2="980", sbp="120", dbp="76"), at(5.5))
    assert {problem.field for problem in refused.value.problems} == {"hr", "spo2"}
    assert store.version("main") == before


def test_an_amendment_keeps_the_original_and_takes_the_alert_back(store: Store) -> None:
    session_id = infusing(store)
    high = entered(5, **NORMAL | {"sbp": "185"})
    opened = save(store, session_id, high, at(5.5))
    wrong = next(item for item in opened.session.observations if item.value == 185)
    request = AmendRequest(
        id=an_id(), amends=wrong.id, reason="typed 185 for 125",
        replacement=EnteredItem(id=an_id(), parameter="sbp", text="125"),
    )  # fmt: skip
    after = actions.amend(store, BLUM, session_id, request, now=at(6.5))
    assert wrong in after.session.observations
    assert wrong not in after.session.current_observations
    assert [view.state for view in after.views] == [AlertState.INVALIDATED]
    again = actions.amend(store, BLUM, session_id, request, now=at(7))
    assert again.session.amendments == after.session.amendments


def test_a_correction_needs_a_reason_and_something_to_correct(store: Store) -> None:
    session_id = infusing(store)
    opened = save(store, session_id, entered(5, **NORMAL), at(5.5))
    request = AmendRequest(id=an_id(), amends=opened.session.observations[0].id, reason=" ")
    with pytest.raises(InvalidEntry, match="why it was wrong"):
        actions.amend(store, BLUM, session_id, request, now=at(6))
    with pytest.raises(NotFound, match="not in this session"):
        actions.amend(
            store, BLUM, session_id, replace(request, amends=an_id(), reason="x"), now=at(6)
        )
    struck = actions.amend(store, BLUM, session_id, replace(request, reason="x"), now=at(6))
    with pytest.raises(InvalidEntry, match="already corrected"):
        actions.amend(store, BLUM, session_id, replace(request, id=an_id(), reason="y"), now=at(7))
    assert len(struck.session.amendments) == 1


def test_two_nurses_saving_at_once_lose_nothing(store: Store) -> None:
    session_id = infusing(store)
    sets = [entered(5 + index / 10, **NORMAL) for index in range(12)]

    def one(of: EnteredSet) -> None:
        save(store, session_id, of, at(7))

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(one, sets))
    opened = actions.open_session(store, BLUM, session_id, now=at(8))
    saved = {item.set_id for item in opened.session.observations}
    assert {of.set_id for of in sets} <= saved
    assert audit_actions(store, session_id).count("RECORD_OBSERVATIONS") == 12
    assert store.verify() == ()


# -- doses ------------------------------------------------------------------------------------


def test_a_rate_is_stored_as_typed_and_in_mg_per_h(store: Store) -> None:
    session_id = infusing(store)
    opened = actions.open_session(store, BLUM, session_id, now=at(30))
    step = opened.session.dose_steps[0]
    assert (step.entered_value, step.entered_unit) == (Decimal("0.1"), DoseUnit.MG_PER_KG_PER_H)
    assert step.rate_mg_per_h == 8
    assert opened.totals.total_mg == 4
    assert opened.status is SessionStatus.INFUSING


def test_beyond_a_soft_limit_a_reason_is_asked_and_the_override_kept(store: Store) -> None:
    session_id = infusing(store)
    save(store, session_id, entered(5, **NORMAL), at(5))
    save(store, session_id, entered(15, **NORMAL), at(15))
    request = rate_request("0.3", 16, second_person="diaz")
    with pytest.raises(NeedsConfirmation) as asked:
        actions.change_rate(store, BLUM, session_id, request, now=at(16))
    codes = frozenset(problem.code for problem in asked.value.problems)
    with pytest.raises(InvalidEntry, match="Say why"):
        actions.change_rate(store, BLUM, session_id, request, now=at(16), confirmed=codes)
    opened = actions.change_rate(
        store, BLUM, session_id, replace(request, reason="ordered"), now=at(16), confirmed=codes
    )
    assert set(opened.session.dose_steps[-1].overrides) == codes


def test_beyond_a_hard_limit_only_what_was_given_is_recorded_and_flagged(store: Store) -> None:
    session_id = infusing(store)
    request = rate_request("1.2", 20)
    with pytest.raises(InvalidEntry):
        actions.change_rate(store, BLUM, session_id, request, now=at(20))
    given = replace(request, already_given=True, reason="pump was set wrong")
    with pytest.raises(NeedsConfirmation, match="who ordered this"):
        actions.change_rate(store, BLUM, session_id, given, now=at(20))
    ordered = replace(given, ordered_by="okoye")
    opened = actions.change_rate(store, BLUM, session_id, ordered, now=at(20))
    assert opened.session.dose_steps[-1].rate_mg_per_h == 96
    assert opened.session.dose_steps[-1].ordered_by == "okoye"
    assert any(code.endswith(".hard") for code in opened.session.dose_steps[-1].overrides)


def test_beyond_a_hard_limit_it_can_be_said_that_nobody_ordered_it(store: Store) -> None:
    session_id = infusing(store)
    given = rate_request("1.2", 20, already_given=True, reason="pump was set wrong")
    nobody = frozenset({"ordered_by.nobody"})
    opened = actions.change_rate(store, BLUM, session_id, given, now=at(20), confirmed=nobody)
    assert "ordered_by.nobody" in opened.session.dose_steps[-1].overrides


def test_an_anaesthetist_is_not_asked_who_ordered_what_they_did(store: Store) -> None:
    session_id = infusing(store)
    given = rate_request("1.2", 20, already_given=True, reason="as seen")
    opened = actions.change_rate(store, anaesthetist(), session_id, given, now=at(20))
    assert "ordered_by.nobody" not in opened.session.dose_steps[-1].overrides


def test_going_down_and_stopping_are_never_asked_about(store: Store) -> None:
    session_id = infusing(store)
    down = actions.change_rate(store, BLUM, session_id, rate_request("0.01", 1), now=at(1))
    assert down.session.dose_steps[-1].overrides == ()
    stop = rate_request("0", 2, kind=DoseStepKind.STOP)
    stopped = actions.change_rate(store, BLUM, session_id, stop, now=at(2))
    assert stopped.status is SessionStatus.RECOVERY


def test_a_repeated_step_is_one_step(store: Store) -> None:
    session_id = infusing(store)
    request = rate_request("0.05", 10)
    first = actions.change_rate(store, BLUM, session_id, request, now=at(10))
    again = actions.change_rate(store, BLUM, session_id, request, now=at(12))
    assert again.session.dose_steps == first.session.dose_steps


def test_another_syringe_strength_needs_the_rate_it_runs_at(store: Store) -> None:
    session_id = infusing(store)
    change = SyringeRequest(
        id=an_id(), concentration_mg_per_ml=Decimal(1), taken_at=at(10), second_person="diaz"
    )
    with pytest.raises(InvalidEntry, match="another concentration"):
        actions.change_syringe(store, BLUM, session_id, change, now=at(10))
    with_rate = replace(change, rate=rate_request("0.1", 10))
    opened = actions.change_syringe(store, BLUM, session_id, with_rate, now=at(10))
    assert opened.session.syringe_changes[0].concentration_mg_per_ml == 1
    assert opened.session.dose_steps[-1].rate_mg_per_h == 8
    assert actions.open_session(store, BLUM, session_id, now=at(60)).totals.total_mg == 8


def test_a_bolus_the_protocol_does_not_plan_needs_a_reason(store: Store) -> None:
    session_id = infusing(store)
    request = BolusRequest(
        id=an_id(), value=Decimal(8), unit=DoseUnit.MG, over_s=60, taken_at=at(10)
    )
    doctor = anaesthetist()
    witnessed = replace(request, second_person="blum")
    with pytest.raises(NeedsConfirmation) as asked:
        actions.give_bolus(store, doctor, session_id, witnessed, now=at(10))
    codes = frozenset(problem.code for problem in asked.value.problems)
    opened = actions.give_bolus(
        store, doctor, session_id, replace(witnessed, reason="ordered"), now=at(10), confirmed=codes
    )
    assert opened.session.boluses[0].amount_mg == 8


# -- side effects, events, answers ----------------------------------------------------------------


def test_a_side_effect_has_an_onset_a_grade_and_an_end(store: Store) -> None:
    session_id = infusing(store)
    effect = SideEffectRequest(id=an_id(), term="nausea", grade=2, onset_at=at(12))
    actions.record_side_effect(store, BLUM, session_id, effect, now=at(13))
    end = SideEffectChangeRequest(id=an_id(), side_effect_id=effect.id, taken_at=at(20), ended=True)
    opened = actions.change_side_effect(store, BLUM, session_id, end, now=at(20))
    assert opened.session.side_effects[0].term == "nausea"
    assert opened.session.side_effect_changes[0].ended
    early = replace(end, id=an_id(), taken_at=at(5))
    with pytest.raises(InvalidEntry, match="before the side effect began"):
        actions.change_side_effect(store, BLUM, session_id, early, now=at(21))


def test_an_unknown_term_or_grade_is_refused_in_words(store: Store) -> None:
    session_id = infusing(store)
    bad = SideEffectRequest(id=an_id(), term="wobbly", grade=2, onset_at=at(12))
    with pytest.raises(InvalidEntry, match="not in the side-effect list"):
        actions.record_side_effect(store, BLUM, session_id, bad, now=at(13))
    for term, grade in (("nausea", 0), ("nausea", 6), ("none", 1)):
        with pytest.raises(InvalidEntry, match="grade"):
            actions.record_side_effect(
                store, BLUM, session_id, replace(bad, term=term, grade=grade), now=at(13)
            )


def test_an_alert_is_answered_by_a_named_person_once(store: Store) -> None:
    session_id = infusing(store)
    opened = save(store, session_id, entered(5, **NORMAL | {"spo2": "88"}), at(5.5))
    [view] = opened.views
    assert (view.level, view.state) == ("critical", AlertState.ACTIVE)
    request = AnswerRequest(id=an_id(), alert_id=view.alert.id, action="oxygen")
    answered = actions.answer_alert(store, BLUM, session_id, request, now=at(6))
    again = actions.answer_alert(store, BLUM, session_id, request, now=at(7))
    assert answered.views[0].acknowledged_by == "blum"
    assert answered.views[0].state is AlertState.ACKNOWLEDGED
    assert len(again.alert_events) == len(answered.alert_events)
    with pytest.raises(NotFound, match="not in this session"):
        actions.answer_alert(
            store, BLUM, session_id, replace(request, id=an_id(), alert_id=an_id()), now=at(8)
        )


def test_an_event_in_the_future_is_refused(store: Store) -> None:
    session_id = infusing(store)
    request = EventRequest(id=an_id(), kind=EventKind.TOILET, taken_at=at(30))
    with pytest.raises(InvalidEntry, match="future"):
        actions.record_event(store, BLUM, session_id, request, now=at(10))
    opened = actions.record_event(store, BLUM, session_id, request, now=at(29))
    assert opened.session.events[-1].kind == EventKind.TOILET


# -- reading and drafts ---------------------------------------------------------------------------


def test_opening_for_reading_leaves_one_audit_event_for_each_opening(store: Store) -> None:
    session_id = started(store)
    actions.open_session(store, anaesthetist(), session_id, now=at(1), audit=True)
    actions.open_session(store, anaesthetist(), session_id, now=at(2))
    assert audit_actions(store, session_id).count("SEE_SESSION") == 1


def test_a_draft_is_kept_until_it_is_saved(store: Store) -> None:
    session_id = started(store)
    actions.save_draft(store, BLUM, session_id, "tablet", '{"hr":"6"}', now=at(1))
    assert [draft.content for draft in store.drafts(session_id)] == ['{"hr":"6"}']
    actions.save_draft(store, BLUM, session_id, "tablet", "", now=at(2))
    assert store.drafts(session_id) == ()


def test_the_projection_equals_recomputation_after_every_kind_of_write(store: Store) -> None:
    account = UserEvent(
        id=an_id(), kind=UserEventKind.CREATED, username="blum", name="A. Blum", role=Role.NURSE,
        clinic="main", active=True, shift_lead=False, at=at(-60), by="meier",
    )  # fmt: skip
    with store.write(AuditEvent(at(-60), "meier", "MANAGE_USERS"), clinic="main") as writer:
        writer.add_user_event(account)
    session_id = infusing(store)
    save(store, session_id, entered(5, **NORMAL | {"sbp": "165"}), at(5.5))
    opened = save(store, session_id, entered(8, **NORMAL | {"sbp": "166"}), at(8.5))
    answer = AnswerRequest(id=an_id(), alert_id=opened.views[0].alert.id, action="recheck")
    actions.answer_alert(store, BLUM, session_id, answer, now=at(9))
    stop = rate_request("0", 20, kind=DoseStepKind.STOP)
    actions.change_rate(store, BLUM, session_id, stop, now=at(20))
    actions.record_event(store, BLUM, session_id, left(90), now=at(90))
    assert tuple(actions.projection_problems(store)) == ()
    [row] = store.summaries(SessionQuery(clinic="main"))
    with store.write(AuditEvent(at(91), "meier", "EXPORT"), clinic="main") as writer:
        writer.set_summary(session_id, dict(row) | {"peak_sbp": 120})
    [problem] = actions.projection_problems(store)
    assert "peak_sbp" in problem
