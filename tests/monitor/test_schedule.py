"""When sets are due and how each due ended: clinical.md 4, rulings U-33 to U-42."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.protocols import InfusionProtocol, ScheduleRules, parse_protocol, with_schedule
from monitor.record import Fact, InfusionSession, NotTaken
from monitor.schedule import (
    AlertSpan,
    Due,
    base_interval_min,
    base_intervals,
    clock_state,
    counts,
    dues,
    earliest_discharge_at,
    grace_s,
    has_fresh_set,
    is_late_entry,
    next_due,
    observation_sets,
    overdue,
    rr_reason,
)
from tests.build import (
    T0,
    amendment,
    an_id,
    at,
    bolus,
    event,
    hold,
    obs_set,
    observation,
    rate,
    resume,
    seeded,
    session,
    stop,
)

P02 = seeded("protocol", "P02").protocol()
P17 = seeded("protocol", "P17").protocol()
RULES = P02.schedule_profile.rules


def warning(start: float, end: float | None = None, level: str = "warning") -> AlertSpan:
    return AlertSpan(level, at(start), None if end is None else at(end))


def minute(due: Due) -> float:
    return (due.due_at - T0) / timedelta(minutes=1)


def told(
    of: InfusionSession,
    until: float,
    *spans: AlertSpan,
    protocol: InfusionProtocol = P02,
) -> list[tuple[float, str]]:
    """Every due as (minute, state), the next one included."""
    return [(minute(due), due.state) for due in dues(of, protocol, spans, at(until))]


def upcoming(
    of: InfusionSession, now: float, *spans: AlertSpan, protocol: InfusionProtocol = P02
) -> list[float]:
    return [minute(due) for due in dues(of, protocol, spans, at(now)) if due.met_by is None]


def started(*facts: Fact | tuple[Fact, ...], **changes: Any) -> InfusionSession:
    """A set just before the start, 0.1 mg/kg/h from minute 0."""
    return session(obs_set(-5), rate("0.1"), *facts, **changes)


# -- the profile and its grace ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "minutes"),
    [(2, 1), (3, 1), (4, 1), (5, 2), (10, 2), (15, 3), (30, 6), (60, 10), (120, 10)],
)
def test_u34_grace_is_a_fifth_of_the_interval_within_2_and_10_and_1_when_short(
    interval: int, minutes: int
) -> None:
    assert grace_s(interval, RULES) == minutes * 60


def test_nothing_is_due_before_the_first_dose() -> None:
    waiting = session(obs_set(-5))
    assert dues(waiting, P02, (), at(60)) == ()
    assert next_due(waiting, P02, (), at(60)) is None


def test_the_first_due_counts_from_the_start_whatever_was_taken_before() -> None:
    assert told(started(), 0) == [(15, "upcoming")]
    assert told(started(obs_set(0)), 1) == [(15, "upcoming")]


@pytest.mark.parametrize(
    ("taken", "state"),
    [(12, "on_time"), (15, "on_time"), (18, "on_time"), (18.1, "late"), (29.9, "late")],
)
def test_a_set_is_on_time_within_grace_and_late_until_the_next_due(
    taken: float, state: str
) -> None:
    assert told(started(obs_set(taken)), 29.95)[0] == (15, state)


def test_a_set_at_exactly_due_plus_interval_is_on_time_for_the_new_due() -> None:
    of = started(obs_set(30))
    assert told(of, 31)[:2] == [(15, "missed"), (30, "on_time")]
    assert overdue(dues(of, P02, (), at(31))) == ()


@pytest.mark.parametrize(
    ("now", "state"), [(11.9, "upcoming"), (12, "due"), (18, "due"), (18.1, "late")]
)
def test_an_open_due_is_upcoming_then_due_then_late(now: float, state: str) -> None:
    due = next_due(started(), P02, (), at(now))
    assert due is not None
    assert (minute(due), due.state, due.met_by) == (15, state, None)


def test_after_a_miss_the_next_due_is_one_interval_later() -> None:
    assert told(started(), 46) == [
        (15, "missed"),
        (30, "missed"),
        (45, "due"),
    ]


def test_a_check_after_an_increase_is_missed_while_the_interval_is_still_late() -> None:
    # The interval due at 15 is missed at 30, the check due at 21 at 26 already.
    assert told(started(rate("0.2", 16)), 27) == [(15, "late"), (21, "missed"), (31, "upcoming")]


def test_what_follows_a_miss_was_asked_for_when_the_first_was() -> None:
    # The decrease at 40 was saved at 70: it asks for nothing, so nothing was known later for it.
    found = dues(started(rate("0.05", 40, recorded=70)), P02, (), at(80))
    assert [(minute(due), due.known_at) for due in found][:4] == [
        (15, at(0)),
        (30, at(0)),
        (45, at(0)),
        (60, at(0)),
    ]


def test_u37_a_set_met_early_is_on_time_and_the_clock_starts_anew() -> None:
    assert told(started(obs_set(8)), 9) == [(15, "on_time"), (23, "upcoming")]


# -- phases -----------------------------------------------------------------------------------------


def test_u35_a_set_at_exactly_60_minutes_still_gets_the_first_hours_interval() -> None:
    assert upcoming(started(obs_set(60)), 61)[-1] == 75
    assert upcoming(started(obs_set(60.5)), 61)[-1] == 90.5


def test_above_half_a_milligram_pain_out_stays_at_15_minutes_after_the_first_hour() -> None:
    fast = started(rate("0.51", 20), obs_set(70))
    assert upcoming(fast, 71)[-1] == 85
    assert upcoming(started(rate("0.5", 20), obs_set(70)), 71)[-1] == 100


def test_u41_dep_40_is_every_10_then_every_15_minutes_without_dues_after_a_bolus() -> None:
    of = session(obs_set(-5), rate("0.75"), obs_set(10), bolus(5, 12), protocol="P17")
    assert upcoming(of, 13, protocol=P17) == [20]
    assert upcoming(of.with_facts(obs_set(61)), 62, protocol=P17)[-1] == 76


def test_u41_a_high_rate_holds_for_30_minutes_after_it() -> None:
    of = started(obs_set(15), rate("1.1", 20), rate("0.4", 40))
    assert upcoming(of, 21) == [22, 25]
    # It ended at 40 and held until 70, however long after that somebody looks.
    assert upcoming(of.with_facts(obs_set(71)), 80)[-1] == 101
    assert [base_interval_min(of, P02, at(m)) for m in (19, 20, 40, 70, 70.1)] == [15, 5, 5, 5, 30]
    every = base_intervals(of, P02)
    assert [every(at(m)) for m in (-10, 20, 70.1)] == [15, 5, 30]
    assert base_interval_min(session(), P02, at(0)) == 15  # nothing is recorded yet


def test_u41_a_large_bolus_is_a_high_dose_too() -> None:
    weight = 70
    large, small = bolus(weight * 31 // 100 + 1, 16), bolus(weight * 30 // 100, 16)
    assert upcoming(started(obs_set(15), large), 17) == [18, 21]
    assert upcoming(started(obs_set(15), small), 17) == [21, 30]


def asked(
    of: InfusionSession, now: float, *spans: AlertSpan, protocol: InfusionProtocol = P02
) -> tuple[float, str, str]:
    """What the last due is for: minute, kind, reason."""
    due = dues(of, protocol, spans, at(now))[-1]
    return minute(due), due.kind, due.reason


def test_every_due_says_why_it_is_due() -> None:
    first = started(obs_set(15))
    assert asked(first, 16) == (30, "interval", "every 15 min")
    assert asked(first, 16, warning(15)) == (
        20, "alert", "every 5 min while a warning alert is open",
    )  # fmt: skip
    assert asked(started(rate("1.1", 5), obs_set(15)), 16) == (
        20, "interval", "every 5 min because of a high dose",
    )  # fmt: skip
    assert asked(started(stop(20), obs_set(25)), 26) == (40, "interval", "every 15 min in recovery")
    assert asked(started(bolus(5, 20)), 21) == (35, "event", "15 min after the bolus")


def test_the_schedule_names_an_alert_or_a_high_dose_only_where_it_asks_for_more() -> None:
    """5 min because of the high dose are 5 min whether a warning is open or not."""
    high = started(rate("1.1", 5), obs_set(15))
    assert asked(high, 16, warning(15)) == (20, "interval", "every 5 min because of a high dose")
    own = replace(P02, schedule_profile=replace(P02.schedule_profile, recovery_every_min=10))
    recovering = started(rate("1.1", 5), stop(20), obs_set(25))
    assert asked(recovering, 26) == (35, "interval", "every 10 min because of a high dose")
    assert asked(recovering, 26, protocol=own) == (35, "interval", "every 10 min in recovery")


def test_u41_the_first_recovery_due_is_never_later_than_the_one_that_stood() -> None:
    assert upcoming(started(obs_set(70), stop(80)), 81)[-1] == 95  # 100 stood
    assert upcoming(started(obs_set(70), stop(95)), 96)[-1] == 100


def test_u41_resuming_voids_the_first_recovery_due() -> None:
    of = started(obs_set(70), stop(80), rate("0.1", 85))
    assert upcoming(of, 86)[-1] == 100
    assert upcoming(started(obs_set(70), stop(80), rate("0.1", 96)), 96)[-1] == 95


def test_u41_resuming_keeps_what_an_alert_in_recovery_shortened() -> None:
    of = started(obs_set(70), stop(80), rate("0.1", 88))
    assert upcoming(of, 86, warning(85))[-1] == 90
    assert upcoming(of, 89, warning(85))[-1] == 90


def test_without_a_dosing_weight_the_profile_alone_holds() -> None:
    of = session(obs_set(-5), rate("1.5"), weight_kg=None)
    assert upcoming(of, 1) == [15]
    assert upcoming(of.with_facts(obs_set(70)), 71)[-1] == 100


def test_a_pause_keeps_the_schedule() -> None:
    assert upcoming(started(obs_set(15), hold(20)), 25) == [30]


@pytest.mark.parametrize(
    ("protocol", "facts", "minutes"),
    [
        ("P02", (rate("0.1"), stop(90)), 150),
        ("P17", (rate("0.75"), stop(40)), 120),
        ("P17", (rate("0.75"), stop(70)), 130),
        ("P02", (rate("0.1"), rate("1.2", 10), rate("0.3", 15), stop(90)), 180),
        ("P02", (rate("0.1"), stop(30), rate("0.1", 40), stop(60)), 120),
    ],
)
def test_the_minimum_recovery_runs_from_the_end_of_the_infusion(
    protocol: str, facts: tuple[Fact, ...], minutes: float
) -> None:
    of = session(*facts, protocol=protocol)
    plan = seeded("protocol", protocol).protocol()
    assert earliest_discharge_at(of, plan, at(100)) == at(minutes)
    assert earliest_discharge_at(of, plan, at(5)) is None


def test_u34_inpatient_profile_restarts_at_every_increase() -> None:
    stored = json.loads(seeded("protocol", "P02").text)
    del stored["schedule_profile"]
    plan = parse_protocol(with_schedule({**stored, "schedule": "INPT-RCHT"}))
    of = started(obs_set(170))
    assert [base_interval_min(of, plan, at(m)) for m in (60, 61, 181, 1620, 1621)] == [
        15,
        30,
        60,
        60,
        120,
    ]
    assert upcoming(of, 171, protocol=plan)[-1] == 200
    raised = started(obs_set(170), rate("0.2", 175))
    assert upcoming(raised, 176, protocol=plan)[-1] == 190


# -- increases and boluses --------------------------------------------------------------------------


def test_an_increase_asks_for_sets_after_5_and_15_minutes() -> None:
    of = started(obs_set(15), rate("0.2", 16))
    assert upcoming(of, 17) == [21, 30]  # 31 is one with the interval due at 30
    kinds = [(minute(due), due.kind, due.reason) for due in dues(of, P02, (), at(17))]
    assert kinds[1] == (21, "event", "5 min after the increase")


def test_the_start_a_resume_and_a_decrease_ask_for_nothing_more() -> None:
    assert upcoming(started(), 1) == [15]
    assert upcoming(started(hold(5), resume("0.1", 7)), 8) == [15]
    assert upcoming(started(rate("0.05", 5)), 8) == [15]
    assert upcoming(started(hold(5), resume("0.2", 7)), 8) == [12, 15, 22]


def test_a_bolus_asks_like_an_increase() -> None:
    assert upcoming(started(obs_set(15), bolus(5, 20)), 21) == [25, 30, 35]


def test_u36_an_early_set_leaves_the_dues_after_an_increase() -> None:
    of = started(obs_set(15), rate("0.2", 20), obs_set(22))
    assert upcoming(of, 23) == [25, 35]


def test_u36_one_set_meets_several_dues() -> None:
    of = started(obs_set(15), rate("0.2", 21), obs_set(28))
    assert told(of, 29)[:3] == [(15, "on_time"), (26, "on_time"), (30, "on_time")]


def test_u36_a_new_increase_replaces_those_not_yet_overdue() -> None:
    assert upcoming(started(obs_set(15), rate("0.2", 20), rate("0.3", 24)), 24.5) == [29, 39]
    overdue_one = started(obs_set(15), rate("0.2", 16), rate("0.3", 24))
    assert upcoming(overdue_one, 24.5) == [21, 29, 39]
    due_now = started(obs_set(15), rate("0.2", 16), rate("0.3", 22))
    assert upcoming(due_now, 22.5) == [27, 30, 37]
    last_second_of_grace = started(obs_set(15), rate("0.2", 16), rate("0.3", 23))
    assert upcoming(last_second_of_grace, 23.5) == [28, 38]  # 30 is one with the check at 28


def test_u37_dues_within_the_smaller_grace_are_one_the_earlier() -> None:
    # Interval due at 30 (grace 3) and a check at 32 (grace 2) after the increase at 27.
    near = started(obs_set(15), rate("0.2", 27), obs_set(31))
    assert [entry for entry in told(near, 33) if entry[0] in (30, 32)] == [(30, "on_time")]
    apart = started(obs_set(15), rate("0.2", 28), obs_set(31))
    assert [entry for entry in told(apart, 33) if entry[0] in (30, 33)] == [
        (30, "on_time"),
        (33, "on_time"),
    ]


def test_u37_of_two_dues_at_one_moment_the_check_after_the_increase_stands() -> None:
    # Both due at 30; the set at 27:30 is within the interval's grace but early for the check.
    of = started(obs_set(15), rate("0.2", 25), obs_set(27.5))
    assert upcoming(of, 27.6) == [30, 40]


def test_u37_a_set_at_the_first_second_of_grace_meets_all_that_is_one_with_the_due() -> None:
    # Interval due at 30 (from 27 on), the check due at 31 is one with it.
    assert upcoming(started(obs_set(15), rate("0.2", 26), obs_set(27)), 28) == [41]


def test_u37_a_set_meets_the_later_due_that_takes_it_when_it_is_early_for_the_check() -> None:
    # The check at 97 takes a set from 95 on, the interval due at 100 from 94 on.
    of = started(obs_set(70), rate("0.2", 92), obs_set(94.5))
    assert [row for row in told(of, 95) if row[0] in (97, 100)] == [(97, "due"), (100, "on_time")]


# -- alerts -----------------------------------------------------------------------------------------


def test_u40_an_open_warning_asks_every_5_minutes_and_a_critical_every_3() -> None:
    of = started(obs_set(15))
    assert upcoming(of, 15.5, warning(15)) == [20]
    assert upcoming(of, 15.5, warning(15), warning(15, level="critical")) == [18]
    recovering = started(obs_set(15), stop(20), obs_set(22))
    assert upcoming(recovering, 23, warning(16)) == [27]
    paused = started(obs_set(15), hold(20), obs_set(22))
    assert upcoming(paused, 23, warning(16)) == [27]


def test_u35_a_shorter_interval_never_reaches_into_the_past() -> None:
    # Confirmed 12 min after the set: due in 3 min as before, not 7 min ago.
    assert told(started(), 13, warning(12)) == [(15, "due")]
    assert told(started(obs_set(15)), 20, warning(18))[-1] == (23, "upcoming")
    # Already overdue: late stays late and is missed only 5 min after the warning began.
    assert told(started(), 24.9, warning(20))[-1] == (15, "late")
    assert told(started(), 25, warning(20)) == [(15, "missed"), (25, "due")]
    # ... and what follows comes every 5 minutes, too.
    assert told(started(), 30, warning(20)) == [(15, "missed"), (25, "missed"), (30, "due")]
    # Due at this very moment: it keeps the 3 min of grace it had.
    assert told(started(), 17.5, warning(15))[-1] == (15, "due")


def test_u35_when_a_warning_ends_the_running_due_stays_and_the_next_is_longer() -> None:
    of = started(obs_set(15), obs_set(21))
    assert upcoming(of, 17, warning(15, 16)) == [20]
    assert upcoming(of, 22, warning(15, 16)) == [36]
    assert upcoming(of, 22, warning(15, 21)) == [36]  # resolved by this very set


# -- which sets count -------------------------------------------------------------------------------


def test_u38_a_coded_reason_answers_and_an_empty_field_does_not() -> None:
    refused = obs_set(15, sbp=NotTaken.REFUSED, dbp=NotTaken.REFUSED)
    assert told(started(refused), 16)[0] == (15, "on_time")
    sets = observation_sets(started(refused), RULES, at(16))
    assert (sets[-1].answered, sets[-1].complete) == (True, False)
    assert told(started(obs_set(15, sbp=None)), 16)[0] == (15, "due")


def test_u39_items_saved_separately_within_2_minutes_are_one_set_dated_by_the_last() -> None:
    first = obs_set(14, sedation=None)
    joined = started(first, observation("sedation", 0, 16))
    assert told(joined, 16)[0] == (15, "on_time")
    assert upcoming(joined, 17) == [31]
    assert told(started(first, observation("sedation", 0, 16.1)), 16.2)[0] == (15, "due")


def test_an_answer_that_is_not_of_the_minimum_set_is_no_set() -> None:
    of = started(obs_set(15, normal=False, pain=4))
    assert [found.taken_at for found in observation_sets(of, RULES, at(20))] == [at(-5)]


def test_a_repeat_of_one_sign_moves_no_due() -> None:
    repeat = obs_set(16, normal=False, sbp=150, dbp=90)
    assert upcoming(started(obs_set(15), repeat), 17) == [30]


@pytest.mark.parametrize(
    ("before", "changes", "reason"),
    [
        ((), {}, None),
        (obs_set(10, normal=False, o2_flow=2), {}, "on oxygen"),
        (obs_set(10, normal=False, o2_flow=0), {}, None),
        ((), {"sedation": 2}, "sedation grade 2"),
        ((), {"sedation": NotTaken.ASLEEP}, None),
        (obs_set(10, normal=False, rr=11), {}, "last respiratory rate 11"),
        (obs_set(10, normal=False, rr=12), {}, None),
    ],
)
def test_u39_the_respiratory_rate_is_needed_when_breathing_may_be_at_risk(
    before: tuple[Fact, ...], changes: dict[str, Any], reason: str | None
) -> None:
    of = started(before, obs_set(15, rr=None, **changes))
    found = observation_sets(of, RULES, at(15))[-1]
    assert (found.rr_reason, found.answered) == (reason, reason is None)
    assert told(of, 16)[0] == (15, "due" if reason else "on_time")


def test_u39_the_respiratory_rate_is_needed_every_15_minutes() -> None:
    of = started(obs_set(15), obs_set(30, rr=None))
    assert observation_sets(of, RULES, at(30))[-1].answered
    longer = started(obs_set(15), obs_set(30.5, rr=None))
    assert observation_sets(longer, RULES, at(31))[-1].rr_reason == (
        "no respiratory rate for 15 min"
    )
    completed = longer.with_facts([observation("rr", 14, 31)])
    assert observation_sets(completed, RULES, at(31))[-1].answered
    assert rr_reason(longer, RULES, at(40)) == "no respiratory rate for 15 min"
    assert rr_reason(of, RULES, at(25)) is None


@pytest.mark.parametrize(("saved", "state"), [(16, "on_time"), (75, "on_time"), (75.1, "missed")])
def test_u42_a_set_saved_within_an_hour_meets_its_due(saved: float, state: str) -> None:
    of = started(obs_set(15, changes={"recorded": saved}))
    assert told(of, 120)[0] == (15, state)


def test_u42_before_it_is_saved_the_due_stands_as_missed() -> None:
    of = started(obs_set(15, changes={"recorded": 45}))
    assert told(of, 44)[0] == (15, "missed")
    assert told(of, 45)[0] == (15, "on_time")
    assert [minute(due) for due in overdue(dues(of, P02, (), at(44)))] == [15, 30]
    assert [minute(due) for due in overdue(dues(of, P02, (), at(45)))] == [30]


@pytest.mark.parametrize(("saved", "late"), [(25, False), (25.1, True)])
def test_u42_saved_more_than_10_minutes_after_is_a_late_entry(saved: float, late: bool) -> None:
    fact = observation("hr", 70, 15, recorded=saved)
    assert is_late_entry(fact, RULES) is late


def test_a_correction_hours_later_changes_no_due() -> None:
    taken = obs_set(15)
    right = replace(taken[0], id=an_id(), recorded_at=at(200))
    corrected = started(taken, right, amendment(taken[0], 200, right))
    assert told(corrected, 201)[0] == (15, "on_time")
    struck = started(taken, amendment(taken[0], 200))
    assert told(struck, 201)[0] == (15, "missed")


# -- the clock in words -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "level", "sentence", "since"),
    [
        (11, None, None, None),
        (15, "prompt", "Observations are due: every 15 min.", 12),
        (20, "warning", "Observations are 5 min late. Take a set now.", 18),
        (20.9, "warning", "Observations are 5 min late. Take a set now.", 18),
        (31, "critical", "Observations were missed: due 16 min ago. Take a set now.", 30),
    ],
)
def test_u33_due_is_a_prompt_late_a_warning_and_missed_critical(
    now: float, level: str | None, sentence: str | None, since: float | None
) -> None:
    state = clock_state(dues(started(), P02, (), at(now)), at(now))
    assert (state and state.level, state and state.sentence) == (level, sentence)
    assert (state and state.since) == (None if since is None else at(since))


def test_u33_the_clock_clears_with_the_next_answered_set() -> None:
    answered = started(obs_set(40))
    assert clock_state(dues(answered, P02, (), at(41)), at(41)) is None
    assert overdue(dues(answered, P02, (), at(41))) == ()
    partly = started(obs_set(40, sbp=None))
    state = clock_state(dues(partly, P02, (), at(41)), at(41))
    assert state is not None
    assert state.level == "critical"


def test_after_discharge_nothing_is_due_and_nothing_is_said() -> None:
    gone = started(obs_set(15), stop(20), event("discharged", 90))
    ended = dues(gone, P02, (), at(500))
    assert {due.state for due in ended} <= {"on_time", "late", "missed"}
    assert next_due(gone, P02, (), at(500)) is None
    assert clock_state(ended, at(500)) is None
    assert max(due.due_at for due in ended) <= at(90)


def test_u37_only_dues_whose_grace_ended_before_discharge_count() -> None:
    # Recovery dues at 30, 45, 60, 75; the last one's grace ends at 78.
    facts = (obs_set(15), stop(15), obs_set(30), obs_set(45), obs_set(60))
    early = dues(started(*facts, event("discharged", 77)), P02, (), at(300))
    assert counts(early).due == 4
    assert max(due.due_at for due in early) == at(60)
    left = counts(dues(started(*facts, event("discharged", 78)), P02, (), at(300)))
    assert (left.due, left.on_time, left.late, left.missed) == (5, 4, 0, 1)


def test_u37_every_due_counts_once_however_it_ended() -> None:
    # 15 met at 20 is late, 35 on time, 50 missed at 65, 65 met at 66.
    of = started(obs_set(20), obs_set(35), obs_set(66), stop(70), event("discharged", 75))
    found = counts(dues(of, P02, (), at(300)))
    assert (found.due, found.on_time, found.late, found.missed) == (4, 2, 1, 1)


def test_a_reopened_session_is_watched_again() -> None:
    back = started(stop(10), event("discharged", 90), event("reopened", 95))
    assert upcoming(back, 96)[-1] == 110


def test_sets_after_discharge_meet_nothing() -> None:
    facts = (stop(10), event("discharged", 90))
    before = dues(started(*facts), P02, (), at(300))
    assert dues(started(*facts, obs_set(95)), P02, (), at(300)) == before


# -- before the start -------------------------------------------------------------------------------


@pytest.mark.parametrize(("taken", "fresh"), [(-15, True), (-15.1, False)])
def test_a_set_is_fresh_enough_to_start_on_for_15_minutes(taken: float, fresh: bool) -> None:
    assert has_fresh_set(session(obs_set(taken)), P02, at(0)) is fresh


def test_without_an_answered_set_nothing_is_fresh() -> None:
    assert not has_fresh_set(session(obs_set(-5, hr=None)), P02, at(0))


# -- properties -------------------------------------------------------------------------------------


@st.composite
def lived(draw: st.DrawFn) -> tuple[list[Fact], tuple[AlertSpan, ...], float]:
    """Facts of a session saved as they happened, confirmed alerts, and when it was discharged."""
    halves = st.integers(0, 300).map(lambda half: half / 2)
    facts: list[Fact] = [*obs_set(-5), rate("0.1")]
    for taken in draw(st.lists(halves, max_size=14, unique=True)):
        facts += obs_set(taken, sbp=draw(st.sampled_from([128, 128, 128, None])))
    for taken in draw(st.lists(halves, max_size=5, unique=True)):
        facts.append(
            draw(
                st.sampled_from(
                    [
                        rate(draw(st.sampled_from(["0.05", "0.2", "0.6", "1.2"])), taken + 0.25),
                        hold(taken + 0.25),
                        stop(taken + 0.25),
                        bolus(draw(st.sampled_from([5, 25])), taken + 0.25, over_s=120),
                    ]
                )
            )
        )
    spans = tuple(
        warning(start, start + length, level)
        for start, length, level in draw(
            st.lists(
                st.tuples(halves, st.integers(1, 40), st.sampled_from(["warning", "critical"])),
                max_size=3,
            )
        )
    )
    end = draw(st.integers(160, 200))
    return [*facts, stop(155), event("discharged", end)], spans, end


def ended(found: tuple[Due, ...]) -> set[tuple[Any, ...]]:
    return {
        (due.due_at, due.kind, due.state, due.met_by)
        for due in found
        if due.state == "missed" or due.met_by is not None
    }


@settings(max_examples=150, deadline=None)
@given(lived())
def test_every_due_ends_as_exactly_one_of_on_time_late_missed(
    life: tuple[list[Fact], tuple[AlertSpan, ...], float],
) -> None:
    facts, spans, end = life
    of = session(facts)
    found = dues(of, P02, spans, at(end + 60))
    answered = {
        item.set_id: item.taken_at
        for item in observation_sets(of, RULES, at(end + 60))
        if item.answered
    }
    for due in found:
        grace = timedelta(seconds=due.grace_s)
        if due.state == "missed":
            assert due.met_by is None
            inside = [t for t in answered.values() if due.due_at - grace <= t < due.deadline_at]
            assert not [t for t in inside if t <= at(end)]
        else:
            assert due.met_by is not None
            taken = answered[due.met_by]
            assert due.state == ("late" if taken > due.due_at + grace else "on_time")
            assert taken < due.deadline_at
    number = counts(found)
    assert number.due == number.on_time + number.late + number.missed <= len(found)


@settings(max_examples=100, deadline=None)
@given(lived(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    life: tuple[list[Fact], tuple[AlertSpan, ...], float], random: Any
) -> None:
    facts, spans, end = life
    late = [
        replace(fact, recorded_at=fact.taken_at + timedelta(minutes=random.randint(0, 59)))
        for fact in facts
    ]
    random.shuffle(late)
    now = at(end + 60)

    def what_is_due(facts: list[Fact]) -> list[Due]:
        # When it was known is the one thing that the order of arrival is about.
        return [replace(due, known_at=None) for due in dues(session(facts), P02, spans, now)]

    assert what_is_due(late) == what_is_due(facts)


@settings(max_examples=100, deadline=None)
@given(lived(), st.integers(1, 200))
def test_what_was_told_live_is_what_a_replay_tells(
    life: tuple[list[Fact], tuple[AlertSpan, ...], float], now: int
) -> None:
    facts, spans, end = life
    of = session(facts)
    so_far = tuple(
        span if span.end_at and span.end_at <= at(now) else AlertSpan(span.level, span.start_at)
        for span in spans
    )
    live = ended(dues(of, P02, so_far, at(now)))
    assert live <= ended(dues(of, P02, spans, at(end + 60)))


def test_the_rules_of_grace_are_data_of_the_protocol() -> None:
    wider = replace(RULES, grace_percent=40)
    assert isinstance(RULES, ScheduleRules)
    assert grace_s(15, wider) == 2 * grace_s(15, RULES)
