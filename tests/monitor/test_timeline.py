"""What may be joined, what is marked, what is late: the rules of the chart without a picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from monitor.breaches import find_breaches
from monitor.record import NotTaken, Observation
from monitor.thresholds import ThresholdSet, parse_threshold_set
from monitor.timeline import (
    Bar,
    Reading,
    clock,
    clock_ticks,
    disc_groups,
    effect_bars,
    joined,
    marks,
    mean_marks,
    minute_of,
    numbered_events,
    packed,
    readings,
    struck,
    thinned,
)
from tests import build
from tests.build import at


@pytest.fixture(scope="module")
def limits() -> ThresholdSet:
    return parse_threshold_set(json.loads(build.seeded("threshold_set", "ADULT-CLINIC-1").text))


def minutes(runs: tuple[tuple[Reading, ...], ...]) -> list[list[float]]:
    return [[reading.minute for reading in run] for run in runs]


def every(interval: float) -> Callable[[float], float]:
    return lambda _minute: interval


def test_minute_zero_is_the_first_dose_and_earlier_sets_lie_before_it() -> None:
    session = build.session(build.obs_set(-10), build.rate("0.1", 5))
    assert minute_of(session, at(-10)) == -15
    assert minute_of(build.session(build.obs_set(-10)), at(-10)) == 35


def test_a_line_joins_up_to_exactly_two_intervals_and_no_further() -> None:
    session = build.session(build.rate("0.1"), build.hr(60, start=0), build.hr(62, 64, start=30))
    shown = readings(session, "hr", {})
    assert minutes(joined(shown, interval_min=every(15))) == [[0, 30, 35]]
    assert minutes(joined(shown, interval_min=every(14.9))) == [[0], [30, 35]]


def test_a_line_breaks_where_the_parameter_was_not_taken() -> None:
    session = build.session(build.rate("0.1"), build.spo2(98, 97, NotTaken.CUFF_OFF, 97, 98))
    shown = readings(session, "spo2", {})
    assert minutes(joined(shown, interval_min=every(15))) == [[0, 5], [15, 20]]


def test_a_line_breaks_across_a_missed_set() -> None:
    session = build.session(build.rate("0.1"), build.hr(60, 61, every=30))
    shown = readings(session, "hr", {})
    assert minutes(joined(shown, interval_min=every(15), missed_min=(15,))) == [[0], [30]]


def test_the_interval_is_asked_for_only_where_it_decides() -> None:
    asked = []
    session = build.session(build.rate("0.1"), build.hr(60, 61, 62, every=5))

    def interval(minute: float) -> float:
        asked.append(minute)
        return 15

    joined(readings(session, "hr", {}), interval_min=interval, shortest_min=5)
    assert asked == []


def test_saved_more_than_ten_minutes_later_is_late_and_ten_is_not() -> None:
    session = build.session(
        build.rate("0.1"),
        build.observation("hr", 60, 5, recorded=15),
        build.observation("hr", 61, 6, recorded=16.01),
    )
    assert [reading.late for reading in readings(session, "hr", {})] == [False, True]


def test_an_amended_value_keeps_what_it_said_and_is_not_late_by_that() -> None:
    wrong = build.observation("sbp", 236, 10)
    wrong_again = build.observation("sbp", 253, 10, recorded=40, set_id=wrong.set_id)
    right = build.observation("sbp", 152, 10, recorded=50, set_id=wrong.set_id)
    session = build.session(
        build.rate("0.1"),
        wrong,
        wrong_again,
        right,
        build.amendment(wrong, 40, wrong_again, "typing slip"),
        build.amendment(wrong_again, 50, right, "still wrong"),
    )
    (reading,) = readings(session, "sbp", {})
    assert reading.value == 152
    assert [item.value for item in reading.was] == [236, 253]
    assert reading.amendment is not None
    assert reading.amendment.reason == "still wrong"
    assert not reading.late
    assert [item.observation.value for item in struck(session)] == [236, 253]


def test_a_struck_out_value_is_no_reading_and_still_seen() -> None:
    wrong = build.observation("spo2", 45, 10)
    session = build.session(build.rate("0.1"), wrong, build.amendment(wrong, 12))
    assert readings(session, "spo2", {}) == ()
    assert [item.observation for item in struck(session)] == [wrong]


def test_every_reading_is_marked_at_its_own_level_not_at_that_of_the_episode(
    limits: ThresholdSet,
) -> None:
    session = build.session(
        build.obs_set(-5), build.rate("0.1"), build.sbp(165, 185, 165, 150, start=10, every=3)
    )
    marked = marks(find_breaches(session, limits, at(60)), limits)
    levels = [
        reading.mark and reading.mark.level
        for reading in readings(session, "sbp", marked)
        if reading.minute >= 10
    ]
    assert levels == ["warning", "critical", "warning", None]


def test_a_mark_says_which_limit_and_never_another_readings_number(limits: ThresholdSet) -> None:
    session = build.session(
        build.obs_set(-5, sbp=150), build.rate("0.1"), build.sbp(165, 185, start=10, every=3)
    )
    marked = marks(find_breaches(session, limits, at(60)), limits)
    first, second = [item for item in readings(session, "sbp", marked) if item.minute >= 10]
    assert first.mark is not None
    assert second.mark is not None
    assert any("≥ 160" in text for text in first.mark.texts)
    assert any("≥ 180" in text for text in second.mark.texts)
    assert not any("185" in text for text in first.mark.texts)


def test_a_calculated_mean_is_marked_on_its_set_not_on_the_pressures(limits: ThresholdSet) -> None:
    low = build.obs_set(10, sbp=104, dbp=40)
    session = build.session(build.obs_set(-5, sbp=110, dbp=60), build.rate("0.1"), low)
    found = find_breaches(session, limits, at(60))
    assert [breach.rule_id for breach in found] == ["map_low"]
    assert marks(found, limits) == {}
    assert set(mean_marks(found, limits)) == {low[0].set_id}


def test_events_are_numbered_in_the_order_of_the_record() -> None:
    session = build.session(
        build.rate("0.1", 0),
        build.event("toilet", 20),
        build.rate("0.15", 15),
        build.hold(30, reason="vomited"),
        build.resume("0.1", 40),
        build.stop(60),
        build.bolus(8, 2, over_s=300),
    )
    texts = [(event.number, event.text) for event in numbered_events(session, UTC)]
    assert texts == [
        (1, "Rate 0.1 mg/kg/h"),
        (2, "Bolus 8 mg over 5 min"),
        (3, "Rate up to 0.15 mg/kg/h"),
        (4, "Toilet"),
        (5, "Infusion held: vomited"),
        (6, "Resumed at 0.1 mg/kg/h"),
        (7, "Infusion stopped"),
    ]


def test_a_side_effect_is_a_bar_from_onset_to_end_and_none_is_no_bar() -> None:
    effect = build.side_effect("nausea", 1, 10, action="ondansetron 4 mg")
    session = build.session(
        build.rate("0.1"),
        effect,
        build.side_effect("none", 0, 5),
        build.side_effect_change(effect, 15, grade=2),
        build.side_effect_change(effect, 30, ended=True),
    )
    (bar,) = effect_bars(session, at(60), UTC)
    assert (bar.start_min, bar.end_min, bar.ongoing) == (10, 30, False)
    assert bar.label.endswith("1→2 · ondansetron 4 mg")
    assert bar.level == "warning"


def test_a_side_effect_without_an_end_goes_on_to_now() -> None:
    session = build.session(build.rate("0.1"), build.side_effect("nausea", 1, 10))
    (bar,) = effect_bars(session, at(60), UTC)
    assert (bar.end_min, bar.ongoing) == (60, True)


def test_labels_never_run_into_each_other() -> None:
    bars = [Bar(0, 5, False, "a long label", "", ""), Bar(6, 30, False, "b", "", "")]
    placed = packed(bars, px_per_min=5, px_per_char=8, end_min=60)
    assert [bar.row for bar in placed] == [0, 1]
    assert [bar.words for bar in placed] == ["right", "inside"]


def test_a_label_without_room_at_the_right_edge_stands_at_the_left() -> None:
    (bar,) = packed(
        [Bar(58, 60, True, "a long label", "", "")], px_per_min=5, px_per_char=8, end_min=60
    )
    assert bar.words == "left"


def test_only_repetitions_become_dots_never_a_breach(limits: ThresholdSet) -> None:
    values = [14] * 20 + [8] + [14] * 20
    session = build.session(
        build.obs_set(-5, rr=14), build.rate("0.1"), build.rr(*values, start=1, every=1)
    )
    marked = marks(find_breaches(session, limits, at(60)), limits)
    shown = readings(session, "rr", marked)
    full = thinned(shown, px_per_min=2, widths_px=[20.0] * len(shown))
    assert len(full) == len(shown)
    assert sum(full) < 12
    written = [reading.value for reading, is_full in zip(shown, full, strict=True) if is_full]
    assert Decimal(8) in written


def test_numbers_that_would_touch_become_dots_and_the_newest_stays() -> None:
    session = build.session(build.rate("0.1"), build.rr(15, 16, 15, start=5, every=1))
    shown = readings(session, "rr", {})
    assert thinned(shown, px_per_min=3, widths_px=[24] * 3) == (False, False, True)
    assert thinned(shown, px_per_min=24, widths_px=[24] * 3) == (True, True, True)


def test_the_width_of_a_number_counts_not_only_its_place() -> None:
    session = build.session(build.rate("0.1"), build.rr(15, 16, start=5, every=10))
    shown = readings(session, "rr", {})
    assert thinned(shown, px_per_min=3, widths_px=[24, 24]) == (True, True)
    assert thinned(shown, px_per_min=3, widths_px=[24, 40]) == (False, True)


def test_discs_share_one_only_where_they_overlap_and_stand_in_the_middle_of_it() -> None:
    assert disc_groups([0, 5, 30], disc_min=4) == (((0,), 0), ((1,), 5), ((2,), 30))
    assert disc_groups([0, 3, 30], disc_min=4) == (((0, 1), 1.5), ((2,), 30))
    for members, minute in disc_groups([0, 3, 6, 9, 12, 15], disc_min=4):
        span = [0, 3, 6, 9, 12, 15][members[0] : members[-1] + 1]
        assert minute == (span[0] + span[-1]) / 2
        assert len(members) <= 3


def test_who_ordered_a_dose_is_said_by_name() -> None:
    step = replace(build.rate("0.1", 5), ordered_by="mkeller")
    (event,) = numbered_events(build.session(step), UTC, {"mkeller": "Dr M. Keller"})
    assert event.text.endswith("ordered by Dr M. Keller")
    (event,) = numbered_events(build.session(step), UTC)
    assert event.text.endswith("ordered by mkeller")


def test_ticks_are_round_times_of_the_clinics_day() -> None:
    session = build.session(build.rate("0.1", 7))
    berlin = ZoneInfo("Europe/Berlin")
    ticks = clock_ticks(session, -20, 100, berlin, at_most=10)
    texts = [clock(instant, berlin) for _minute, instant in ticks]
    assert texts[:3] == ["10:00", "10:15", "10:30"]
    assert ticks[0][0] == -7


def test_the_axis_runs_on_through_a_clock_change() -> None:
    """At 03:00 the clocks go back to 02:00: the labels repeat, the minutes do not."""
    berlin = ZoneInfo("Europe/Berlin")
    shift = timedelta(days=237, hours=-9)
    step = build.rate("0.1")
    started = build.session(
        replace(step, taken_at=step.taken_at + shift, recorded_at=step.recorded_at + shift)
    )
    assert (step.taken_at + shift).astimezone(berlin).strftime("%d.%m. %H:%M") == "25.10. 02:00"
    ticks = clock_ticks(started, 0, 120, berlin, at_most=3)
    assert [minute for minute, _instant in ticks] == [0, 60, 120]
    assert [clock(instant, berlin) for _minute, instant in ticks] == ["02:00", "02:00", "03:00"]


def test_not_taken_is_neither_zero_nor_nothing() -> None:
    session = build.session(build.obs_set(5, hr=NotTaken.REFUSED, nausea=0, pain=None))
    (refused,) = readings(session, "hr", {})
    (zero,) = readings(session, "nausea", {})
    assert refused.value is None
    assert isinstance(refused.observation, Observation)
    assert zero.value == 0
    assert readings(session, "pain", {}) == ()


def test_a_label_never_lies_on_the_name_of_its_lane_nor_off_the_chart() -> None:
    """An effect that ended soon after the start has no room at its left (seen at the bedside)."""
    for start in (4, 25, 50):
        bar = Bar(start, start + 2, False, "Nausea 2 · drug given and some more", "", "warning")
        (placed,) = packed([bar], px_per_min=200 / 65, px_per_char=7.5, start_min=-5, end_min=60)
        width_min = (len(placed.label) + 2) * 7.5 / (200 / 65)
        left = {"left": start - width_min, "inside": start, "right": start + 2}[placed.words]
        assert left >= -5, start
        assert left + width_min <= 60.01, start
        assert placed.label.startswith("Nausea 2")
