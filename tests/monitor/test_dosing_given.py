"""What was given: the model and vector of clinical.md 2.3 with U-27, U-28, U-68, U-69."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.dose_units import EXACT
from monitor.dosing import (
    RateSegment,
    cumulative_mg,
    current_concentration_mg_per_ml,
    current_rate_mg_per_h,
    infusion_ended_at,
    infusion_window,
    is_paused,
    rate_segments,
    totals,
)
from monitor.record import DoseStepKind, Fact, InfusionSession
from tests.monitor.dosing_sessions import (
    MG_PER_H,
    ML_PER_H,
    D,
    amendment,
    at,
    bolus,
    hold,
    session,
    step,
    stop,
    syringe,
    weight,
)


def vector() -> InfusionSession:
    """80 kg, 2 mg/mL: the vector of clinical.md 2.3."""
    return session(
        bolus("9:00", "8"),
        step("9:00", "8"),
        step("9:30", "16"),
        hold("10:15"),
        step("10:25", "12", DoseStepKind.RESUME),
        stop("11:00"),
    )


def test_the_cumulative_vector_with_all_its_figures() -> None:
    found = totals(vector(), at("11:00"))
    assert found.bolus_mg == 8
    assert found.infusion_mg == 23
    assert found.total_mg == D("31.0")
    assert found.mg_per_kg == D("0.3875")
    assert found.wall_s == 120 * 60
    assert found.running_s == 110 * 60
    assert found.paused_s == 10 * 60
    assert found.volume_ml == D("15.5")
    assert found.total_mg * 3600 / found.wall_s == D("15.5")
    assert found.peak_rate_mg_per_h == 16
    assert found.peak_rate_mg_per_h / 80 == D("0.200")
    assert found.mean_rate_mg_per_kg_h is not None
    assert found.mean_rate_mg_per_kg_h.quantize(D("0.001")) == D("0.157")
    assert (found.up, found.down, found.pauses) == (1, 1, 1)


@pytest.mark.parametrize(
    ("when", "mg"),
    [
        ("8:59", "0"),
        ("9:00", "8"),
        ("9:30", "12"),
        ("10:00", "20"),
        ("10:15", "24"),
        ("10:20", "24"),
        ("10:25", "24"),
        ("11:00", "31"),
        ("15:00", "31"),
    ],
)
def test_the_cumulative_vector_on_the_way(when: str, mg: str) -> None:
    assert cumulative_mg(vector(), at(when)) == D(mg)


def test_the_figures_do_not_change_after_the_end() -> None:
    assert totals(vector(), at("23:00")) == totals(vector(), at("11:00"))


def test_the_segments_of_the_vector() -> None:
    assert rate_segments(vector(), at("12:00")) == (
        RateSegment(at("9:00"), at("9:30"), D(8), D(2)),
        RateSegment(at("9:30"), at("10:15"), D(16), D(2)),
        RateSegment(at("10:15"), at("10:25"), D(0), D(2)),
        RateSegment(at("10:25"), at("11:00"), D(12), D(2)),
    )


def test_a_running_rate_has_its_segment_until_now() -> None:
    running = session(step(0, "8"))
    assert rate_segments(running, at(10)) == (RateSegment(at(0), at(10), D(8), D(2)),)
    assert rate_segments(running, at(0)) == ()
    assert rate_segments(running, at(-1)) == ()


def test_time_between_a_bolus_and_the_first_rate_is_a_segment_of_rate_0() -> None:
    facts = session(bolus(0, "8"), step(10, "8"), stop(20))
    assert [segment.rate_mg_per_h for segment in rate_segments(facts, at(30))] == [0, 8]


def test_a_new_rate_holds_from_its_own_moment_on() -> None:
    facts = session(step(0, "8"), step(30, "16"))
    assert current_rate_mg_per_h(facts, at(30) - timedelta(microseconds=1)) == 8
    assert current_rate_mg_per_h(facts, at(30)) == 16
    assert current_rate_mg_per_h(facts, at(-1)) == 0
    assert (totals(facts, at(30)).up, totals(facts, at(29)).up) == (1, 0)
    assert totals(facts, at(30)).peak_rate_mg_per_h == 16
    assert infusion_window(facts, at(0)) == (at(0), at(0))


def test_of_two_rates_at_one_moment_the_later_recorded_holds() -> None:
    facts = session(step(0, "8", recorded_at=at(5)), step(0, "16", recorded_at=at(3)))
    assert current_rate_mg_per_h(facts, at(0)) == 8
    assert totals(facts, at(60)).peak_rate_mg_per_h == 8


# Boluses: U-27


@pytest.mark.parametrize(("minutes", "mg"), [(-1, 0), (0, 0), (1, 1), (5, 5), (10, 10), (60, 10)])
def test_a_bolus_over_a_window_is_given_evenly(minutes: int, mg: int) -> None:
    assert cumulative_mg(session(bolus(0, "10", over_s=600)), at(minutes)) == mg


def test_a_bolus_at_once_counts_at_its_moment() -> None:
    assert cumulative_mg(session(bolus(0, "10")), at(0)) == 10


@pytest.mark.parametrize("ending", [hold, stop])
def test_a_pause_or_stop_ends_an_unfinished_bolus(ending: object) -> None:
    facts = session(step(-10, "6"), bolus(0, "10", over_s=600), ending(4))  # type: ignore[operator]
    assert totals(facts, at(60)).bolus_mg == 4
    assert totals(facts, at(3)).bolus_mg == 3
    given = session(step(-10, "6"), bolus(0, "10", over_s=600, fully_given=True), stop(4))
    assert totals(given, at(60)).bolus_mg == 10
    assert totals(given, at(7)).bolus_mg == 7


def test_a_resume_after_the_pause_does_not_bring_the_bolus_back() -> None:
    facts = session(step(-10, "6"), bolus(0, "10", over_s=600), hold(4), step(5, "6"))
    assert totals(facts, at(60)).bolus_mg == 4


def test_a_rise_in_rate_leaves_a_running_bolus_alone() -> None:
    facts = session(step(-10, "6"), bolus(0, "10", over_s=600), step(4, "8"))
    assert totals(facts, at(60)).bolus_mg == 10


def test_a_pause_at_the_very_start_or_end_of_a_bolus_does_not_end_it() -> None:
    for minutes in (0, 10):
        facts = session(step(-10, "6"), bolus(0, "10", over_s=600), hold(minutes))
        assert totals(facts, at(60)).bolus_mg == 10


# Syringe changes: U-28


def test_another_concentration_ends_the_running_rate() -> None:
    facts = session(step(0, "8"), syringe(30, "1"))
    assert current_rate_mg_per_h(facts, at(30)) == 0
    assert current_concentration_mg_per_ml(facts, at(29)) == 2
    assert current_concentration_mg_per_ml(facts, at(30)) == 1
    assert cumulative_mg(facts, at(90)) == 4
    assert is_paused(facts, at(31))


def test_the_rate_entered_with_the_syringe_holds_whichever_id_comes_first() -> None:
    for _ in range(20):
        facts = session(step(0, "8"), step(30, "10"), syringe(30, "1"))
        assert current_rate_mg_per_h(facts, at(30)) == 10
        assert totals(facts, at(60)).pauses == 0


def test_the_same_concentration_keeps_the_rate() -> None:
    facts = session(step(0, "8"), syringe(30, "2.00"))
    assert current_rate_mg_per_h(facts, at(60)) == 8
    assert cumulative_mg(facts, at(60)) == 8


def test_volume_is_added_up_per_syringe() -> None:
    facts = session(bolus(0, "2"), step(0, "8"), syringe(30, "1"), step(30, "8"), stop(60))
    assert totals(facts, at(60)).volume_ml == 2 / D(2) + 4 / D(2) + 4 / D(1)


def test_another_concentration_ends_an_unfinished_bolus() -> None:
    facts = session(step(0, "12"), bolus(0, "10", over_s=600), syringe(5, "1"), step(5, "12"))
    assert totals(facts, at(60)).bolus_mg == 5
    assert totals(facts, at(5)).volume_ml == (5 + 1) / D(2)


# When it is paused, when it is over: U-68


def test_paused_is_neither_before_the_start_nor_after_a_stop() -> None:
    facts = session(hold(-5), step(0, "8"), hold(10), step(20, "8"), stop(30))
    moments = (-5, 0, 10, 19, 20, 30, 60)
    assert [is_paused(facts, at(minutes)) for minutes in moments] == [
        False,
        False,
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_rate_of_0_is_a_pause() -> None:
    assert is_paused(session(step(0, "8"), step(10, "0")), at(10))


def test_a_bolus_in_a_pause_is_not_paused() -> None:
    facts = session(step(0, "8"), hold(10), bolus(12, "5", over_s=120))
    assert [is_paused(facts, at(minutes)) for minutes in (11, 12, 13, 14)] == [
        True,
        False,
        False,
        True,
    ]


def test_the_infusion_is_over_at_the_stop_or_the_end_of_a_later_bolus() -> None:
    assert infusion_ended_at(session()) is None
    assert infusion_ended_at(session(step(0, "8"))) is None
    assert infusion_ended_at(session(step(0, "8"), hold(30))) is None
    assert infusion_ended_at(session(step(0, "8"), hold(30), stop(40))) == at(40)
    assert infusion_ended_at(session(step(0, "8"), stop(40), stop(50))) == at(40)
    assert infusion_ended_at(session(step(0, "8"), stop(40), hold(50))) == at(40)
    late = session(step(0, "8"), stop(40), bolus(45, "5", over_s=300))
    assert infusion_ended_at(late) == at(50)
    assert infusion_ended_at(session(bolus(5, "5", over_s=300))) == at(10)
    assert infusion_ended_at(session(hold(-5), bolus(5, "5", over_s=300))) == at(10)
    assert infusion_ended_at(session(step(0, "8"), stop(40), step(60, "8"))) is None


def test_an_infusion_that_was_never_stopped_is_measured_to_its_last_hold() -> None:
    facts = session(step(0, "8"), hold(30))
    assert infusion_window(facts, at(20)) == (at(0), at(20))
    assert infusion_window(facts, at(500)) == (at(0), at(30))
    assert infusion_window(session(hold(0)), at(10)) is None
    assert infusion_window(session(), at(10)) is None


def test_a_restart_makes_the_time_between_a_pause() -> None:
    facts = session(step(0, "8"), stop(30), step(50, "8", DoseStepKind.RESUME), stop(60))
    found = totals(facts, at(90))
    assert (found.wall_s, found.running_s, found.paused_s) == (D(3600), D(2400), D(1200))
    assert (found.pauses, found.up, found.down) == (1, 0, 0)


def test_a_bolus_at_once_does_not_cut_a_pause_in_two() -> None:
    found = totals(session(step(0, "8"), hold(10), bolus(15, "5"), step(20, "8")), at(30))
    assert found.pauses == 1
    assert found.paused_s == 600


def test_a_session_of_boluses_alone() -> None:
    found = totals(session(bolus(0, "10", over_s=300), bolus(20, "6")), at(60))
    assert found.total_mg == 16
    assert (found.wall_s, found.running_s, found.paused_s) == (D(1200), D(300), D(900))
    assert found.mean_rate_mg_per_kg_h == 0
    assert found.peak_rate_mg_per_h == 0


def test_nothing_given_is_0_and_has_no_mean() -> None:
    found = totals(session(), at(60))
    assert found.total_mg == 0
    assert found.wall_s == found.paused_s == 0
    assert found.mean_rate_mg_per_kg_h is None
    assert found.pauses == 0


def test_without_a_weight_there_is_no_mg_per_kg() -> None:
    found = totals(session(step(0, "8"), kg=None), at(60))
    assert found.total_mg == 8
    assert found.mg_per_kg is None
    assert found.mean_rate_mg_per_kg_h is None


def test_a_corrected_weight_recomputes_mg_per_kg_and_no_mg() -> None:
    facts = session(step(0, "8"), weight("40", 30), kg="80")
    assert totals(facts, at(60)).total_mg == 8
    assert totals(facts, at(60)).mg_per_kg == D("0.2")


# Amendments


def test_an_amended_dose_no_longer_counts() -> None:
    wrong, right = step(0, "80"), step(0, "8", recorded_at=at(10))
    facts = session(wrong, right, amendment(wrong, right, 10), stop(60))
    assert totals(facts, at(60)).total_mg == 8
    assert totals(facts, at(60)).peak_rate_mg_per_h == 8


@pytest.mark.parametrize("struck", ["bolus", "hold", "syringe"])
def test_a_struck_out_fact_has_no_effect(struck: str) -> None:
    fact: Fact = {"bolus": bolus(5, "9"), "hold": hold(10), "syringe": syringe(10, "1")}[struck]
    base = [step(0, "8"), stop(60)]
    with_it = session(*base, fact)
    without = session(*base)
    assert totals(with_it, at(60)) != totals(without, at(60))
    undone = with_it.with_facts([amendment(fact, None, 70)])
    assert totals(undone, at(60)) == totals(without, at(60))


# Properties

minutes = st.decimals(min_value=0, max_value=480, places=3).map(float)
rates = st.decimals(min_value=D("0.1"), max_value=120, places=4)


@st.composite
def sessions(draw: st.DrawFn) -> InfusionSession:
    facts: list[Fact] = []
    for _ in range(draw(st.integers(1, 12))):
        when = draw(minutes)
        match draw(st.integers(0, 5)):
            case 0 | 1:
                facts.append(step(when, draw(rates)))
            case 2:
                facts.append(hold(when))
            case 3:
                facts.append(stop(when))
            case 4:
                window = draw(st.integers(0, 1800))
                facts.append(bolus(when, draw(rates), window, fully_given=draw(st.booleans())))
            case _:
                facts.append(syringe(when, draw(st.sampled_from(["1", "2", "5"]))))
    return session(*facts, kg="72.3")


@given(facts=sessions(), first=minutes, second=minutes)
def test_the_total_never_falls(facts: InfusionSession, first: float, second: float) -> None:
    early, late = sorted([first, second])
    assert cumulative_mg(facts, at(early)) <= cumulative_mg(facts, at(late))


@given(facts=sessions(), when=minutes)
def test_the_total_is_the_sum_of_its_parts(facts: InfusionSession, when: float) -> None:
    found = totals(facts, at(when))
    assert found.total_mg == cumulative_mg(facts, at(when))
    assert found.total_mg == EXACT.add(found.bolus_mg, found.infusion_mg)
    assert found.wall_s == found.running_s + found.paused_s
    by_segment = sum(
        (
            segment.rate_mg_per_h
            * ((segment.end_at - segment.start_at) // timedelta(microseconds=1))
            for segment in rate_segments(facts, at(when))
        ),
        D(0),
    )
    assert abs(by_segment / 3_600_000_000 - found.infusion_mg) < D("1E-20")


@given(facts=sessions(), when=minutes, seed=st.integers())
def test_the_order_of_arrival_does_not_matter(
    facts: InfusionSession, when: float, seed: int
) -> None:
    shuffled = [fact for fact in facts.facts() if fact not in facts.weights]
    random.Random(seed).shuffle(shuffled)
    again = session(kg="72.3")
    for fact in shuffled:
        again = again.with_facts([fact])
    assert totals(again, at(when)) == totals(facts, at(when))
    backwards = replace(facts, dose_steps=facts.dose_steps[::-1], boluses=facts.boluses[::-1])
    assert totals(backwards, at(when)) == totals(facts, at(when))


@given(facts=sessions(), cut=minutes, when=minutes)
def test_splitting_a_segment_changes_nothing(
    facts: InfusionSession, cut: float, when: float
) -> None:
    running = current_rate_mg_per_h(facts, at(cut))
    if running == 0 or any(fact.taken_at == at(cut) for fact in facts.facts()):
        return
    split = facts.with_facts([step(cut, running)])
    assert totals(split, at(when)) == totals(facts, at(when))


@given(facts=sessions(), cut=minutes, when=minutes)
def test_what_is_recorded_for_later_does_not_change_what_was_given(
    facts: InfusionSession, cut: float, when: float
) -> None:
    early, late = sorted([cut, when])
    if early == late:
        return
    more = facts.with_facts([bolus(late, "5"), step(late, "50", unit=MG_PER_H)])
    assert cumulative_mg(more, at(early)) == cumulative_mg(facts, at(early))


def test_a_long_session_is_added_up_without_loss() -> None:
    third = D("7.3333333333")
    facts = session(
        *[step(float(minute), third + minute % 2) for minute in range(480)], stop(480.0)
    )
    # 240 minutes at each of the two rates, worked out by hand in mg*min/h.
    assert totals(facts, at(480.0)).infusion_mg == (240 * third + 240 * (third + 1)) / Decimal(60)


# A syringe that is put right: the pump gave what was in it


def test_a_rate_set_in_ml_per_h_gave_what_was_in_the_syringe() -> None:
    wrong = syringe(0, "5", recorded_at=at(1))
    ran = step(0, "15", unit=ML_PER_H, mg_per_ml="5", recorded_at=at(1))
    before = session(wrong, ran, mg_per_ml="2")
    assert cumulative_mg(before, at(60)) == 15
    struck = before.with_facts([amendment(wrong, None, 10)])
    assert current_rate_mg_per_h(struck, at(30)) == 6
    assert cumulative_mg(struck, at(60)) == 6
    right = struck.with_facts([syringe(0, "4", recorded_at=at(11))])
    assert cumulative_mg(right, at(60)) == 12
    # What was ordered and typed in mg stays what was meant.
    typed_mg = session(wrong, step(0, "15"), amendment(wrong, None, 10), mg_per_ml="2")
    assert cumulative_mg(typed_mg, at(60)) == 15
