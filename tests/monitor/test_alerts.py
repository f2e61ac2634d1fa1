"""What staff are told, once, and how an alert goes on: clinical.md 7.2 and its rulings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from monitor.alerts import (
    MONITOR,
    Alert,
    AlertEvent,
    AlertEventKind,
    AlertState,
    AlertView,
    acknowledge,
    alert_views,
    alerts_to_raise,
    confirmed_spans,
    dose_interlocks,
    open_alerts,
    suppress,
)
from monitor.breaches import find_breaches
from monitor.errors import InvalidEntry, Problem
from monitor.ids import derived_id
from monitor.protocols import InfusionProtocol
from monitor.record import Fact, InfusionSession
from monitor.schedule import Due
from tests.build import amendment, at, obs_set, observation, rate, seeded, session, weight
from tests.monitor.limits import clock, default_set, facts_of, infusion, moment


@dataclass
class Bedside:
    """A session as it goes on: what is saved raises what is to be raised, and it is stored."""

    session: InfusionSession
    alerts: tuple[Alert, ...] = ()
    events: tuple[AlertEvent, ...] = ()
    protocol: InfusionProtocol | None = None
    told: list[str] = field(default_factory=list)

    def look(self, when: str) -> tuple[AlertView, ...]:
        """Store what is due at that time, then look at every alert."""
        now = moment(when)
        alerts, events = alerts_to_raise(
            self.session, default_set(), self.alerts, self.events, now, protocol=self.protocol
        )
        self.alerts += alerts
        self.events += events
        self.told += [f"{clock(item.at)} {item.kind} {item.level}" for item in events]
        return alert_views(
            self.session, default_set(), self.alerts, self.events, now, protocol=self.protocol
        )

    def save(self, text: str, when: str) -> tuple[AlertView, ...]:
        self.session = self.session.with_facts(facts_of(text))
        return self.look(when)

    def add(self, facts: Sequence[Fact], when: str) -> tuple[AlertView, ...]:
        self.session = self.session.with_facts(facts)
        return self.look(when)

    def answer(self, when: str, action: str = "doctor called") -> AlertView:
        views = open_alerts(self.look(when))
        waiting = [item for item in views if item.state is not AlertState.ACKNOWLEDGED]
        view = (*waiting, *views)[0]
        event = acknowledge(view, by="blum", action=action, now=moment(when))
        self.events += (event,)
        return next(item for item in self.look(when) if item.alert.id == view.alert.id)


@pytest.fixture
def bedside() -> Bedside:
    return Bedside(infusion("", ""))


def only(views: tuple[AlertView, ...]) -> AlertView:
    (view,) = views
    return view


def of_dose(views: tuple[AlertView, ...]) -> tuple[AlertView, ...]:
    """Without the sets that nobody took in these sessions."""
    return tuple(view for view in views if not view.is_clock)


# -- raising -----------------------------------------------------------------------------------------


def test_a_breach_is_told_once(bedside: Bedside) -> None:
    bedside.save("10:00 sbp 165", "10:00")
    bedside.save("12:00 sbp 168", "12:00")
    bedside.look("13:00")
    assert len(bedside.alerts) == 1
    assert bedside.told == ["12:00 confirmed warning"]


def test_working_it_out_twice_gives_the_same_rows(bedside: Bedside) -> None:
    bedside.session = infusion("10:00 sbp 165")
    first = alerts_to_raise(bedside.session, default_set(), (), (), moment("16:00"))
    again = alerts_to_raise(bedside.session, default_set(), (), (), moment("16:00"))
    later, _ = alerts_to_raise(bedside.session, default_set(), (), (), moment("90:00"))
    assert first == again
    assert later == first[0]
    assert alerts_to_raise(bedside.session, default_set(), *first, moment("16:00")) == ((), ())


def test_an_alert_copies_the_limit_that_was_in_force(bedside: Bedside) -> None:
    """7.2, 7.3."""
    shown = infusion("10:00 sbp 165 saved 12:00", "sbp 150")
    (alert,), _ = alerts_to_raise(shown, default_set(), (), (), moment("12:00"))
    assert (alert.group, alert.rule_id, alert.level, alert.pending) == (
        "bp_high", "sbp_high", "warning", True,
    )  # fmt: skip
    assert alert.threshold_text == "SBP 165 >= 160"
    assert alert.trigger_value == 165
    assert alert.baseline_value == 150
    assert (clock(alert.onset_at), clock(alert.detected_at)) == ("10:00", "12:00")
    assert alert.threshold_set_id == shown.threshold_set_id


def test_one_set_raises_one_card_for_one_group(bedside: Bedside) -> None:
    """U-11, U-13: SBP, DBP and MAP high become one card, the worst rule names it."""
    view = only(bedside.save("10:00 sbp 172 dbp 112", "10:00"))
    assert (view.level, view.text) == ("critical", "DBP 112 >= 110")
    assert view.rule_ids == ("dbp_high", "sbp_high", "map_high")
    assert "SBP 172 >= 160" in view.detail


def test_equal_levels_are_named_by_the_first_row_of_the_table(bedside: Bedside) -> None:
    """U-13."""
    view = only(bedside.save("10:00 sbp 172 dbp 102", "10:00"))
    assert view.alert.rule_id == "sbp_high"
    assert (
        view.alert.text
        == "Systolic pressure high: SBP 172 >= 160; also DBP 102 >= 100; also MAP 125 >= 120"
    )


def test_165_over_90_then_150_over_102_confirms_neither(bedside: Bedside) -> None:
    """U-13: confirmation is per rule, the card is per group."""
    bedside.save("10:00 sbp 165 dbp 90", "10:00")
    view = only(bedside.save("12:00 sbp 150 dbp 102", "12:00"))
    assert (view.state, view.confirmed_level) == (AlertState.PENDING, None)
    assert view.text == "DBP 102 >= 100"


def test_different_groups_are_different_alerts(bedside: Bedside) -> None:
    views = bedside.save("10:00 sbp 165 hr 120 spo2 88", "10:00")
    assert {view.alert.group for view in views} == {"bp_high", "hr_high", "spo2"}


def test_two_side_effects_are_two_alerts(bedside: Bedside) -> None:
    """U-03."""
    views = bedside.save("10:00 effect seizure 1 | 10:00 effect apnoea 4", "10:00")
    assert [view.text for view in views] != []
    assert {view.text for view in views} == {"Seizure, grade 1", "Apnoea, grade 4"}
    assert len({view.alert.id for view in views}) == 2


def test_agitation_of_grade_3_is_one_alert(bedside: Bedside) -> None:
    """U-11, U-52."""
    view = only(bedside.save("10:00 effect agitation 3", "10:00"))
    assert (view.level, view.text) == ("critical", "Agitation, grade 3")


# -- the course of an alert --------------------------------------------------------------------------


def test_a_warning_goes_from_pending_to_active_to_resolved(bedside: Bedside) -> None:
    view = only(bedside.save("10:00 sbp 165", "10:00"))
    assert (view.state, view.recheck_by) == (AlertState.PENDING, moment("15:00"))
    assert view.recheck_from == moment("11:00")
    view = only(bedside.look("15:00"))
    assert (view.state, view.confirmed_at) == (AlertState.ACTIVE, moment("15:00"))
    view = only(bedside.save("20:00 sbp 150", "20:00"))
    assert (view.state, view.cleared_at) == (AlertState.RESOLVED, moment("20:00"))
    assert bedside.told == [
        "15:00 confirmed warning", "20:00 cleared warning", "20:00 resolved warning",
    ]  # fmt: skip


def test_a_repeat_inside_ends_it_unconfirmed(bedside: Bedside) -> None:
    """U-06."""
    bedside.save("10:00 sbp 165", "10:00")
    view = only(bedside.save("12:00 sbp 150", "12:00"))
    assert (view.state, view.unconfirmed, view.confirmed_level) == (AlertState.RESOLVED, True, None)
    assert bedside.told[0] == "12:00 unconfirmed warning"


def test_a_pending_critical_is_shown_as_critical(bedside: Bedside) -> None:
    """design.md ruling 16."""
    bedside.save("8:00 hr 45 | 10:00 sbp 185", "13:30")
    first, second = bedside.look("13:30")
    assert (first.level, first.state) == ("critical", AlertState.PENDING)
    assert (second.level, second.state) == ("warning", AlertState.ACTIVE)


def test_both_levels_confirm_on_their_own(bedside: Bedside) -> None:
    """U-10: 185 then 165."""
    bedside.save("10:00 sbp 185", "10:00")
    view = only(bedside.save("12:00 sbp 165", "12:00"))
    assert (view.level, view.state) == ("warning", AlertState.ACTIVE)
    assert bedside.told == ["12:00 confirmed warning", "12:00 unconfirmed critical"]


def test_a_critical_latches_until_somebody_answers(bedside: Bedside) -> None:
    """U-59."""
    bedside.save("10:00 spo2 88", "10:00")
    view = only(bedside.save("20:00 spo2 97", "20:00"))
    assert (view.state, view.level) == (AlertState.ACTIVE, "critical")
    assert view.cleared_at == moment("20:00")
    view = bedside.answer("22:00")
    assert (view.state, view.resolved_at) == (AlertState.CLOSED, moment("22:00"))
    assert (view.acknowledged_by, view.acknowledged_at) == ("blum", moment("22:00"))


def test_an_answered_critical_resolves_when_it_clears(bedside: Bedside) -> None:
    bedside.save("10:00 spo2 88", "10:00")
    assert bedside.answer("11:00").state is AlertState.ACKNOWLEDGED
    view = only(bedside.save("20:00 spo2 97", "20:00"))
    assert (view.state, view.resolved_at) == (AlertState.CLOSED, moment("20:00"))


def test_stepping_down_does_not_answer_the_critical(bedside: Bedside) -> None:
    """U-15, U-59: shown as a warning then, and still waiting for its answer once it is over."""
    bedside.save("10:00 spo2 88", "10:00")
    view = only(bedside.save("20:00 spo2 93", "20:00"))
    assert (view.level, view.state, view.answer_level) == ("warning", AlertState.ACTIVE, "critical")
    view = only(bedside.save("30:00 spo2 97", "30:00"))
    assert (view.level, view.state) == ("critical", AlertState.ACTIVE)
    assert bedside.answer("31:00").state is AlertState.CLOSED


def test_an_answered_critical_that_steps_down_stays_answered(bedside: Bedside) -> None:
    bedside.save("10:00 spo2 88", "10:00")
    bedside.answer("11:00")
    view = only(bedside.save("20:00 spo2 93", "20:00"))
    assert (view.level, view.state) == ("warning", AlertState.ACKNOWLEDGED)


def test_an_answer_to_a_pending_alert_holds_when_it_is_confirmed(bedside: Bedside) -> None:
    """U-60."""
    bedside.save("10:00 sbp 165", "10:00")
    view = bedside.answer("11:00")
    assert (view.state, view.acknowledged_by) == (AlertState.PENDING, "blum")
    assert only(bedside.look("15:00")).state is AlertState.ACKNOWLEDGED


def test_an_answer_does_not_hold_for_a_higher_level(bedside: Bedside) -> None:
    """U-60, U-61: worse needs a new answer."""
    bedside.save("10:00 sbp 165", "10:00")
    bedside.answer("16:00")
    bedside.save("20:00 sbp 185", "20:00")
    view = only(bedside.look("25:00"))
    assert (view.level, view.state, view.acknowledged_by) == ("critical", AlertState.ACTIVE, None)
    assert "20:00 level_up critical" in bedside.told
    assert len(bedside.alerts) == 1


def test_up_again_after_stepping_down_needs_a_new_answer(bedside: Bedside) -> None:
    """U-61."""
    bedside.save("10:00 sbp 205", "10:00")
    bedside.answer("11:00")
    assert only(bedside.save("15:00 sbp 170", "15:00")).state is AlertState.ACKNOWLEDGED
    view = only(bedside.save("18:00 sbp 205", "18:00"))
    assert (view.state, view.level) == (AlertState.ACTIVE, "critical")


def test_up_again_and_over_before_anyone_answered_latches(bedside: Bedside) -> None:
    """U-59: the answer to the first critical is none to the second."""
    bedside.save("10:00 sbp 205", "10:00")
    bedside.answer("11:00")
    bedside.save("15:00 sbp 170", "15:00")
    bedside.save("18:00 sbp 205", "18:00")
    view = only(bedside.save("22:00 sbp 150", "22:00"))
    assert (view.state, view.level) == (AlertState.ACTIVE, "critical")


def test_an_answer_covers_what_the_person_was_shown(bedside: Bedside) -> None:
    """U-60: the screen still showed a warning when the answer was given."""
    seen = only(bedside.save("10:00 spo2 93", "12:00"))
    bedside.save("13:00 spo2 88", "13:00")
    bedside.events += (acknowledge(seen, by="blum", action="seen", now=moment("13:10")),)
    assert only(bedside.look("13:10")).state is AlertState.ACTIVE


@pytest.mark.parametrize(
    ("when", "state"), [("25:59", AlertState.ACKNOWLEDGED), ("26:00", AlertState.ACTIVE)]
)
def test_the_same_level_fires_again_15_minutes_after_its_answer(
    bedside: Bedside, when: str, state: AlertState
) -> None:
    """U-61: at 15:00 after acknowledgement if not cleared; the same alert, not another."""
    bedside.save("10:00 spo2 88", "10:00")
    bedside.answer("11:00")
    assert only(bedside.look(when)).state is state
    assert len(bedside.alerts) == 1


def test_a_new_answer_after_that_holds_again(bedside: Bedside) -> None:
    bedside.save("10:00 spo2 88", "10:00")
    bedside.answer("11:00")
    view = bedside.answer("27:00", "oxygen given")
    assert view.state is AlertState.ACKNOWLEDGED
    assert [answer.action for answer in view.answers] == ["doctor called", "oxygen given"]
    assert [answer.step for answer in view.answers] == [1, 2]
    assert only(bedside.look("41:59")).state is AlertState.ACKNOWLEDGED


def test_a_critical_whose_answer_ran_out_latches_again(bedside: Bedside) -> None:
    """U-61: it needs a new acknowledgement."""
    bedside.save("10:00 spo2 88", "10:00")
    bedside.answer("11:00")
    view = only(bedside.save("30:00 spo2 97", "30:00"))
    assert (view.state, view.cleared_at) == (AlertState.ACTIVE, moment("30:00"))


def test_a_breach_after_it_was_resolved_is_a_new_alert(bedside: Bedside) -> None:
    """U-61."""
    bedside.save("10:00 sbp 165", "15:00")
    bedside.save("20:00 sbp 150", "20:00")
    bedside.save("30:00 sbp 165", "30:00")
    assert len(bedside.alerts) == 2


def test_the_end_of_one_and_the_beginning_of_the_next_saved_together_are_two_alerts(
    bedside: Bedside,
) -> None:
    bedside.save("10:00 sbp 165", "15:00")
    bedside.save("20:00 sbp 150 | 30:00 sbp 165", "30:00")
    assert [clock(alert.onset_at) for alert in bedside.alerts] == ["10:00", "30:00"]


def test_a_breach_while_a_critical_waits_for_its_answer_is_the_same_alert(
    bedside: Bedside,
) -> None:
    """U-61: it was not resolved."""
    bedside.save("10:00 spo2 88", "10:00")
    bedside.save("20:00 spo2 97", "20:00")
    view = only(bedside.save("30:00 spo2 87", "30:00"))
    assert (view.state, view.cleared_at) == (AlertState.ACTIVE, None)
    assert len(bedside.alerts) == 1
    assert "30:00 level_up critical" in bedside.told


def test_one_that_was_answered_in_between_is_a_new_alert(bedside: Bedside) -> None:
    bedside.save("10:00 spo2 88", "10:00")
    bedside.save("20:00 spo2 97", "20:00")
    bedside.answer("25:00")
    bedside.save("30:00 spo2 87", "30:00")
    assert len(bedside.alerts) == 2


def test_nothing_fires_again_after_discharge(bedside: Bedside) -> None:
    """U-67."""
    bedside.save("10:00 hr 135", "15:00")
    bedside.answer("16:00")
    bedside.save("20:00 event discharged", "20:00")
    assert only(bedside.look("60:00")).state is AlertState.ACKNOWLEDGED


# -- late entries and corrections --------------------------------------------------------------------


def test_an_alert_whose_reading_was_amended_is_kept_and_marked() -> None:
    """U-66: INVALIDATED, kept, unlatched."""
    wrong, right = observation("spo2", 79, 10), observation("spo2", 97, 10, recorded=12)
    bedside = Bedside(session(rate("0.1", 0), wrong))
    bedside.look("10:00")
    view = only(bedside.add([right, amendment(wrong, 12, right)], "12:00"))
    assert (view.state, view.is_open) == (AlertState.INVALIDATED, False)
    assert view.cleared_at == moment("12:00")
    assert bedside.told[-1] == "12:00 invalidated critical"
    assert view.text == "SpO2 79 <= 89"
    bedside.look("13:00")
    assert bedside.told.count("12:00 invalidated critical") == 1


def test_an_amended_reading_that_is_still_outside_keeps_its_alert_and_needs_an_answer() -> None:
    """Nobody has answered the corrected value yet."""
    wrong, right = observation("spo2", 79, 10), observation("spo2", 87, 10, recorded=12)
    bedside = Bedside(session(rate("0.1", 0), wrong))
    bedside.look("10:00")
    bedside.answer("11:00")
    view = only(bedside.add([right, amendment(wrong, 12, right)], "12:00"))
    assert (view.state, view.text) == (AlertState.ACTIVE, "SpO2 87 <= 89")
    assert len(bedside.alerts) == 1


def test_an_alert_that_lost_its_first_reading_goes_on_with_the_others() -> None:
    """Amending the first of two readings outside must not make a second alert of the rest."""
    first, second = observation("spo2", 85, 10), observation("spo2", 86, 14)
    bedside = Bedside(session(rate("0.1", 0), first, second))
    bedside.look("14:00")
    bedside.answer("15:00")
    view = only(bedside.add([amendment(first, 16)], "16:00"))
    assert (view.state, view.onset_at) == (AlertState.ACKNOWLEDGED, moment("14:00"))
    assert len(bedside.alerts) == 1


def test_a_late_entry_before_it_does_not_make_a_second_alert(bedside: Bedside) -> None:
    bedside.save("10:00 spo2 85", "10:00")
    view = only(bedside.save("8:00 spo2 86 saved 12:00", "12:00"))
    assert view.onset_at == moment("8:00")
    assert clock(view.alert.onset_at) == "10:00"
    assert len(bedside.alerts) == 1


def test_a_repeat_entered_late_takes_the_confirmation_of_the_clock_back(bedside: Bedside) -> None:
    """U-08: what counts follows from the readings; what was told stays told."""
    bedside.save("10:00 sbp 165", "10:00")
    bedside.look("15:00")
    view = only(bedside.save("12:00 sbp 150 saved 16:00", "16:00"))
    assert (view.state, view.unconfirmed) == (AlertState.RESOLVED, True)
    assert bedside.told == [
        "15:00 confirmed warning", "12:00 unconfirmed warning", "12:00 resolved warning",
    ]  # fmt: skip


def test_a_breach_entered_late_and_over_does_not_ring(bedside: Bedside) -> None:
    """U-43: RESOLVED "retrospective", counted, no escalation, no latch."""
    bedside.save("20:00 spo2 97", "20:00")
    view = only(bedside.save("10:00 spo2 80 saved 50:00", "50:00"))
    assert (view.state, view.retrospective) == (AlertState.RESOLVED, True)
    assert (view.confirmed_level, view.escalates) == ("critical", False)


def test_a_breach_entered_late_that_is_the_newest_rings(bedside: Bedside) -> None:
    view = only(bedside.save("10:00 spo2 80 saved 50:00", "50:00"))
    assert (view.state, view.retrospective, view.escalates) == (AlertState.ACTIVE, False, True)
    assert view.detected_at == moment("50:00")


def test_an_answer_given_before_a_reading_was_known_does_not_cover_it(bedside: Bedside) -> None:
    """The critical was taken before the answer, but nobody could know it."""
    bedside.save("10:00 spo2 93", "12:00")
    bedside.answer("15:00")
    view = only(bedside.save("14:00 spo2 88 saved 16:00", "16:00"))
    assert (view.level, view.state) == ("critical", AlertState.ACTIVE)


# -- imports and the clock ---------------------------------------------------------------------------


def test_a_whole_record_at_once_tells_the_whole_course() -> None:
    """An import stores what would have been told on the day."""
    bedside = Bedside(infusion("10:00 sbp 165 | 12:00 sbp 185 | 14:00 sbp 185 | 30:00 sbp 150"))
    bedside.look("60:00")
    assert bedside.told == [
        "12:00 level_up critical",
        "12:00 confirmed warning",
        "14:00 confirmed critical",
        "16:00 escalated critical",
        "19:00 escalated critical",
        "30:00 cleared critical",
    ]


def test_what_the_clock_will_tell_is_shown_before_it_is_stored() -> None:
    shown = infusion("10:00 sbp 165")
    (view,) = alert_views(shown, default_set(), (), (), moment("15:00"))
    assert view.state is AlertState.ACTIVE


def test_the_monitor_signs_what_it_did(bedside: Bedside) -> None:
    bedside.save("10:00 spo2 88", "10:00")
    (event,) = bedside.events
    assert (event.by, event.kind, event.at) == (MONITOR, AlertEventKind.CONFIRMED, moment("10:00"))


def test_what_was_told_is_stored_whole_under_an_id_that_follows_from_it(bedside: Bedside) -> None:
    """Worked out twice, by two processes or two versions, it is one row."""
    bedside.save("10:00 sbp 165", "10:00")
    bedside.look("16:00")
    (alert,), (event,) = bedside.alerts, bedside.events
    assert event == AlertEvent(
        id=derived_id("alert_event", alert.id, AlertEventKind.CONFIRMED, 1),
        alert_id=alert.id,
        kind=AlertEventKind.CONFIRMED,
        step=1,
        at=moment("15:00"),
        recorded_at=moment("16:00"),
        by=MONITOR,
        action=None,
        text="no repeat in time",
        level="warning",
    )


# -- answering ---------------------------------------------------------------------------------------


def test_a_critical_needs_an_action_or_a_reason(bedside: Bedside) -> None:
    """7.2."""
    view = only(bedside.save("10:00 spo2 88", "10:00"))
    for action in (" ", "", None):
        with pytest.raises(InvalidEntry) as refusal:
            acknowledge(view, by="blum", action=action, now=moment("11:00"))
        assert refusal.value.problems == (
            Problem("action", "A critical alert needs what was done about it, or why nothing was."),
        )
    assert acknowledge(view, by="blum", action="", text="probe off", now=moment("11:00")).text


def test_an_answer_is_kept_with_all_it_says(bedside: Bedside) -> None:
    view = only(bedside.save("10:00 sbp 165", "15:00"))
    first = acknowledge(view, by="blum", action="slow", text="talking", now=moment("16:00"))
    assert first == AlertEvent(
        id=derived_id("alert_event", view.alert.id, AlertEventKind.ACKNOWLEDGED, 1),
        alert_id=view.alert.id,
        kind=AlertEventKind.ACKNOWLEDGED,
        step=1,
        at=moment("16:00"),
        recorded_at=moment("16:00"),
        by="blum",
        action="slow",
        text="talking",
        level="warning",
    )
    bedside.events += (first,)
    second = acknowledge(
        only(bedside.look("17:00")), by="okoye", action="seen", now=moment("17:00")
    )
    assert (second.step, second.id) == (
        2,
        derived_id("alert_event", view.alert.id, AlertEventKind.ACKNOWLEDGED, 2),
    )


def test_an_answer_after_stepping_down_is_to_the_critical(bedside: Bedside) -> None:
    """U-59, U-60: nobody answered the critical yet, whatever the card shows now."""
    view = only(bedside.save("10:00 spo2 88 | 20:00 spo2 93", "20:00"))
    answer = acknowledge(view, by="blum", action="oxygen", now=moment("21:00"))
    assert (view.level, answer.level) == ("warning", "critical")


def test_a_level_that_ends_is_told_as_stepped_down_or_as_never_confirmed(
    bedside: Bedside,
) -> None:
    """U-06: what was never confirmed is not said to have got better."""
    bedside.save("10:00 spo2 88 | 20:00 spo2 93", "20:00")
    bedside.save("30:00 sbp 185 | 32:00 sbp 165", "32:00")
    assert "20:00 stepped_down warning" in bedside.told
    assert "32:00 unconfirmed critical" in bedside.told


def test_a_warning_may_be_answered_without(bedside: Bedside) -> None:
    view = only(bedside.save("10:00 sbp 165", "15:00"))
    event = acknowledge(view, by="blum", action=None, now=moment("16:00"))
    assert (event.level, event.by, event.kind) == ("warning", "blum", AlertEventKind.ACKNOWLEDGED)


def test_a_bare_alert_is_answered_at_the_level_it_was_raised_with(bedside: Bedside) -> None:
    bedside.save("10:00 sbp 165", "10:00")
    event = acknowledge(bedside.alerts[0], by="blum", action="seen", now=moment("11:00"))
    assert (event.alert_id, event.level, event.step) == (bedside.alerts[0].id, "warning", 1)


def test_those_that_need_someone_come_first(bedside: Bedside) -> None:
    bedside.save("1:00 temp 38.5 | 2:00 temp 37.0 | 3:00 pain 5 | 10:00 spo2 88", "10:00")
    bedside.save("11:00 sbp 185 | 11:00 hr 120", "11:00")
    views = bedside.look("17:00")
    assert [(view.level, view.state.value, view.alert.group) for view in views] == [
        ("critical", "active", "spo2"),
        ("critical", "active", "bp_high"),
        ("warning", "active", "hr_high"),
        ("warning", "resolved", "temp"),
    ]
    bedside.answer("17:30")
    assert [view.alert.group for view in open_alerts(bedside.look("17:30"))][:2] == [
        "bp_high", "spo2",
    ]  # fmt: skip


# -- what alerts do to dose and schedule -------------------------------------------------------------


@pytest.mark.parametrize(
    ("readings", "when", "said"),
    [
        ("10:00 sbp 185", "10:00", "Critical alert waiting for its repeat: SBP 185 >= 180."),
        ("10:00 spo2 88", "60:00", "Critical alert active: SpO2 88 <= 89."),
        ("10:00 sbp 165", "10:00", "Warning waiting for its repeat: SBP 165 >= 160."),
        ("10:00 sbp 165", "19:59", "Warning not answered yet: SBP 165 >= 160."),
        ("10:00 sbp 165", "20:00", None),
        ("10:00 sbp 165 saved 40:00", "44:59", "Warning not answered yet: SBP 165 >= 160."),
        ("10:00 sbp 165 saved 40:00", "45:00", None),
        ("10:00 sbp 165 | 12:00 sbp 150", "12:00", None),
    ],
)
def test_what_an_increase_is_asked_about(
    bedside: Bedside, readings: str, when: str, said: str | None
) -> None:
    """U-31: 5:00 after t_confirmed (15:00) an open warning no longer asks."""
    views = bedside.save(readings, when)
    assert dose_interlocks(views, ()) == ((said,) if said else ())


def test_an_answered_critical_still_asks_and_an_answered_warning_does_not(
    bedside: Bedside,
) -> None:
    """U-31."""
    bedside.save("10:00 sbp 165 | 10:00 spo2 88", "16:00")
    bedside.answer("16:00")
    bedside.answer("16:00")
    views = bedside.look("16:30")
    assert {view.state for view in views} == {AlertState.ACKNOWLEDGED}
    assert dose_interlocks(views, ()) == ("Critical alert acknowledged: SpO2 88 <= 89.",)


def test_a_late_set_asks(bedside: Bedside) -> None:
    due = Due(moment("30:00"), "interval", 180, "late", None, "every 15 min", moment("45:00"))
    assert dose_interlocks((), (due,)) == ("The observation set is late.",)


def spans(text: str, before: str = "", when: str = "60:00") -> list[tuple[str, str, str | None]]:
    found = find_breaches(infusion(text, before), default_set(), moment(when))
    return [
        (span.level, clock(span.start_at), clock(span.end_at) if span.end_at else None)
        for span in confirmed_spans(found, default_set())
    ]


def test_the_schedule_is_shortened_from_confirmation_until_the_values_are_inside() -> None:
    """U-40, U-59."""
    assert spans("10:00 sbp 165 | 12:00 sbp 165 | 30:00 sbp 150") == [("warning", "12:00", "30:00")]
    assert spans("10:00 sbp 165", when="14:59") == []
    assert spans("10:00 spo2 88 | 20:00 spo2 93 | 30:00 spo2 96") == [
        ("critical", "10:00", "20:00"), ("warning", "20:00", "30:00"),
    ]  # fmt: skip


def test_pain_does_not_shorten_the_schedule() -> None:
    """U-40, U-55."""
    assert spans("10:00 pain 9", "pain 2") == []


def test_a_late_entry_makes_no_set_due_in_the_past() -> None:
    assert spans("10:00 spo2 88 saved 40:00") == [("critical", "40:00", None)]
    assert spans("10:00 spo2 88 saved 40:00 | 20:00 spo2 97") == []
    assert spans("10:00 spo2 88 saved 20:00 | 20:00 spo2 97") == []  # over when it was known


# -- what the card says ------------------------------------------------------------------------------

HIGH = "Systolic pressure high"
#: readings, those before, looked at, headline, what stands under it
CARDS = [
    ("one reading", "10:00 sbp 165", "", "10:00", "SBP 165 >= 160", f"{HIGH}. {{limits}}."),
    ("what else is outside in the same group", "10:00 sbp 172 dbp 112", "", "10:00",
     "DBP 112 >= 110", "Diastolic pressure high. Also SBP 172 >= 160, MAP 132 >= 120. {limits}."),
    ("the worst value when the headline has another, and the baseline",
     "10:00 sbp 190.46 | 12:00 sbp 172", "sbp 150.46", "13:00", "SBP 172 >= 160",
     f"{HIGH}. Worst 190.5. Baseline 150.5. {{limits}}."),
    ("the worst value once, when the headline has it",
     "10:00 sbp 165 | 12:00 sbp 172", "", "13:00", "SBP 172 >= 160", f"{HIGH}. {{limits}}."),
    ("what is over is not said beside what lasts",
     "10:00 sbp 165 dbp 102 | 12:00 sbp 165 dbp 80", "", "13:00", "SBP 165 >= 160",
     f"{HIGH}. {{limits}}."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "readings", "before", "when", "headline", "detail"), CARDS, ids=[c[0] for c in CARDS]
)
def test_what_the_card_says(
    why: str, readings: str, before: str, when: str, headline: str, detail: str
) -> None:
    view = only(Bedside(infusion(readings, before)).look(when))
    assert view.text == headline
    assert view.detail == detail.format(limits="Limits ADULT-CLINIC-1 v1")
    assert view.rules == "ADULT-CLINIC-1 v1"


def test_the_card_of_an_amended_reading_says_what_was_told_and_that_it_is_gone() -> None:
    """U-66."""
    wrong = observation("sbp", 165, 10)
    bedside = Bedside(session(rate("0.1", 0), wrong))
    bedside.look("12:00")
    view = only(bedside.add([amendment(wrong, 20)], "21:00"))
    assert view.detail == (
        "Systolic pressure high: SBP 165 >= 160. "
        "Amended: nothing is left of it, or another alert has it. ADULT-CLINIC-1 v1."
    )
    assert (view.text, view.source, view.rule_ids) == ("SBP 165 >= 160", "", ("sbp_high",))
    assert (view.peak_value, view.peak_at, view.readings) == (165, None, ())
    assert (view.onset_at, view.cleared_at) == (moment("10:00"), moment("21:00"))
    assert (view.unconfirmed, view.retrospective) == (False, False)
    # It ended when it was found out, whenever somebody looks.
    assert only(bedside.look("40:00")).cleared_at == moment("21:00")


def test_the_card_of_a_set_that_is_missing_names_the_schedule() -> None:
    """U-33."""
    bedside = Bedside(
        session(obs_set(-5), rate("0.1")), protocol=seeded("protocol", "P02").protocol()
    )
    view = only(bedside.look("19:00"))
    assert view.is_clock
    assert view.text == "set late, due every 15 min"
    assert view.detail == "Observation set. Schedule PAIN-OUT of protocol P02 v1."
    assert view.rules == "Schedule PAIN-OUT of protocol P02 v1"
    # Without the protocol nobody judges it: what was told stands, and nothing is said to be gone.
    bedside.protocol = None
    unjudged = only(bedside.look("20:00"))
    assert unjudged.detail == "Observation set: set late, due every 15 min."
    assert unjudged.rules == "ADULT-CLINIC-1 v1"
    # Entered later in time: it is said why the alert is gone.
    bedside.protocol = seeded("protocol", "P02").protocol()
    late = obs_set(15, changes={"recorded": 21})
    gone = only(bedside.add(late, "21:00"))
    assert gone.detail == (
        "Observation set: set late, due every 15 min. A set that was in time was entered later."
    )


def test_a_view_says_all_that_the_record_has_of_an_alert() -> None:
    """7.2, 7.3: an open warning, confirmed and not answered yet."""
    shown = infusion("10:00 sbp 165 | 12:00 sbp 172", "sbp 150")
    bedside = Bedside(shown)
    view = only(bedside.look("13:00"))
    (alert,), (confirmed,) = bedside.alerts, bedside.events
    rule = default_set().rule("sbp_high")
    assert view == AlertView(
        alert=alert,
        state=AlertState.ACTIVE,
        level="warning",
        text="SBP 172 >= 160",
        detail=view.detail,
        recheck_from=None,
        recheck_by=None,
        onset_at=moment("10:00"),
        detected_at=moment("10:00"),
        confirmed_at=moment("12:00"),
        cleared_at=None,
        resolved_at=None,
        acknowledged_by=None,
        acknowledged_at=None,
        readings=tuple(item for item in shown.observations if item.value != 150),
        source=rule.source,
        confirmed_level="warning",
        answer_level="warning",
        answers=(),
        rule_ids=("sbp_high",),
        peak_value=Decimal(172),
        peak_at=moment("12:00"),
        unconfirmed=False,
        retrospective=False,
        escalates=True,
        escalated_to=(),
        escalated_at=None,
        suppressed_until=None,
        why_not_suppressed=None,
        suppressions=0,
        interlock="Warning not answered yet: SBP 172 >= 160.",
        rules="ADULT-CLINIC-1 v1",
        events=(confirmed,),
        hidden_until=None,
        closed_at=None,
    )
    answered = bedside.answer("14:00", action="slow")
    assert (answered.acknowledged_by, answered.acknowledged_at) == ("blum", moment("14:00"))
    assert [event.kind for event in answered.events] == ["confirmed", "acknowledged"]


def test_a_pending_card_says_when_its_repeat_decides_for_the_first_of_its_limits() -> None:
    """U-06: SBP from 10:00 on, DBP from 10:30 on; the first to be decided counts."""
    view = only(Bedside(infusion("10:00 sbp 165 | 10:30 dbp 102")).look("10:30"))
    assert (view.recheck_from, view.recheck_by) == (moment("11:00"), moment("15:00"))


def test_a_hidden_alert_says_until_when_and_how_often(bedside: Bedside) -> None:
    view = only(bedside.save("10:00 sbp 165 | 12:00 sbp 165", "12:00"))
    bedside.events += (suppress(view, by="blum", reason="beside me", now=moment("13:00")),)
    view = only(bedside.look("13:00"))
    assert (view.suppressions, view.suppressed_until) == (1, moment("28:00"))
    assert view.hidden_until == moment("28:00")
    # An answer ends the hiding, but that it was hidden, and until when, stays told.
    answered = bedside.answer("14:00")
    assert (answered.suppressions, answered.suppressed_until) == (1, None)


def test_what_was_missed_is_asked_about_before_what_is_late() -> None:
    late = Due(moment("30:00"), "interval", 180, "late", None, "every 15 min", moment("45:00"))
    missed = replace(late, state="missed")
    assert dose_interlocks((), (late, missed)) == ("The observation set is missed.",)
    assert dose_interlocks((), ()) == ()


def test_one_reason_is_asked_about_once(bedside: Bedside) -> None:
    view = only(bedside.save("10:00 sbp 165", "10:00"))
    assert len(dose_interlocks((view, view), ())) == 1


# -- the dose really given ---------------------------------------------------------------------------


def test_a_total_above_the_limit_is_an_alert_that_stays() -> None:
    """U-25: soft is a warning, hard a critical; the record goes on."""
    protocol = seeded("protocol", "P02").protocol()
    shown = session(weight(70), rate("1.0", 0))
    bedside = Bedside(shown, protocol=protocol)
    assert of_dose(bedside.look("60:00")) == ()
    view = only(of_dose(bedside.look("61:00")))
    assert (view.level, view.state, view.alert.group) == (
        "warning", AlertState.ACTIVE, "dose_total",
    )  # fmt: skip
    bedside.events += (acknowledge(view, by="blum", action="doctor called", now=moment("62:00")),)
    assert only(of_dose(bedside.look("62:00"))).state is AlertState.ACKNOWLEDGED
    view = only(of_dose(bedside.look("121:00")))
    assert (view.level, view.state) == ("critical", AlertState.ACTIVE)
    assert [alert.group for alert in bedside.alerts].count("dose_total") == 1
    (said,) = dose_interlocks((view,), ())
    assert said.startswith("Critical alert active: Total dose above")


def test_without_the_protocol_a_dose_alert_is_neither_judged_nor_lost() -> None:
    protocol = seeded("protocol", "P02").protocol()
    bedside = Bedside(session(weight(70), rate("1.0", 0)), protocol=protocol)
    bedside.look("61:00")
    bedside.protocol = None
    views = bedside.look("62:00")
    assert {view.alert.group for view in views} == {"dose_total", "clock"}
    assert {view.state for view in views} == {AlertState.ACTIVE}
    assert at(62) == moment("62:00")
