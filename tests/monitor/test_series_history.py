"""The vectorised evaluator finds in a history exactly what the readable one finds in each session."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.breaches import find_breaches
from monitor.record import Fact, InfusionSession
from monitor.series import NEVER, History, can_judge, find_history_breaches, measures_needed
from monitor.series.runs import _Runs
from monitor.thresholds import Rule, ThresholdSet, parse_threshold_set
from tests.build import T0, event, observation, rate, session
from tests.monitor.limit_changes import changed_sets
from tests.monitor.limits import changed_set, default_set, infusion, moment, packaged
from tests.monitor.series_history import history_of, told, told_of
from tests.monitor.test_breaches_properties import after, facts

MOMENTS = st.integers(-600, 9000).map(after)
#: The same cases in every run, so that a run that fails fails again.
SETTLED = settings(max_examples=25, deadline=None, derandomize=True, database=None)
LATER = moment("1000:00")


@st.composite
def sessions(draw: st.DrawFn) -> list[InfusionSession]:
    """One to three sessions, some closed, some discharged."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        given_: list[Fact] = draw(facts())
        closing = draw(st.sampled_from([None, None, "discharged", "completed"]))
        if closing is not None:
            given_.append(event(closing, draw(st.integers(10, 60))))
        scales = {
            "spo2_scale": draw(st.sampled_from([1, 1, 2])),
            "sedation_scale": draw(st.sampled_from(["UK03", "RASS", "POSS"])),
        }
        found.append(session(given_, **scales))
    return found


def assert_same(given_: list[InfusionSession], limits: ThresholdSet, as_of: datetime) -> int:
    """That both find the same; how many breaches there are."""
    found = [find_breaches(item, limits, as_of) for item in given_]
    histories: dict[str, History] = {}
    seen = 0
    for rule in filter(can_judge, limits.rules):
        if rule.sign not in histories:
            histories[rule.sign] = history_of(given_, rule.sign, limits, as_of)
        episodes = find_history_breaches(rule, histories[rule.sign], limits)
        for index, breaches in enumerate(found):
            readable = [told(breach, T0) for breach in breaches if breach.rule_id == rule.id]
            assert told_of(episodes, index) == readable, rule.id
            seen += len(readable)
    return seen


@SETTLED
@given(sessions(), MOMENTS)
def test_both_evaluators_agree_on_every_rule(
    given_: list[InfusionSession], as_of: datetime
) -> None:
    assert_same(given_, default_set(), as_of)


@SETTLED
@given(sessions(), changed_sets())
def test_they_agree_whatever_the_limits(
    given_: list[InfusionSession], limits: ThresholdSet
) -> None:
    assert_same(given_, limits, LATER)


def test_only_the_courses_of_side_effects_are_left_to_the_readable_one() -> None:
    left = {rule.id for rule in default_set().rules if not can_judge(rule)}
    assert left == {"side_effect", "agitation_side_effect"}


#: Readings, baseline, and for whom: edges where a float might differ from a decimal.
EDGES = [
    ("10:00 sbp 160", "sbp 120", {}),
    ("10:00 sbp 159.9 | 20:00 sbp 155 | 30:00 sbp 154.9", "sbp 120", {}),
    # 30 % over 117 is 152.1, over 119.5 it is 155.35: neither is a float.
    ("10:00 sbp 152.1 | 20:00 sbp 152.0", "sbp 117", {}),
    ("10:00 sbp 155.35 | 20:00 sbp 155.34", "-20:00 sbp 119 | -10:00 sbp 120", {}),
    # 20 % under 117 is 93.6; 0.1 + 0.2 is not 0.3.
    ("10:00 sbp 93.6 | 20:00 sbp 99.45 | 30:00 sbp 99.46", "sbp 117", {}),
    ("10:00 hr 100 | 20:00 hr 95.1 | 30:00 hr 94.9", "hr 76.9", {}),
    # (SBP + 2 x DBP) / 3: 64.67 is below 65, 65 is not, 120 is 120.
    ("10:00 sbp 100 dbp 47 | 20:00 sbp 101 dbp 47", "sbp 120 dbp 80", {}),
    ("10:00 sbp 160 dbp 100 | 20:00 sbp 159 dbp 100", "sbp 120 dbp 80", {}),
    ("10:00 temp 39.1 | 20:00 temp 38.1 | 30:00 temp 38.0", "temp 36.8", {}),
    ("10:00 temp 35.0 | 20:00 temp 36.0 | 30:00 temp 36.1", "temp 36.8", {}),
    ("10:00 hr 45 | 20:00 hr 47.9 | 30:00 hr 48", "hr 55", {}),
    ("10:00 hr 50 | 20:00 hr 54.9 | 30:00 hr 55", "hr 55.5", {}),
    ("10:00 spo2 93 | 11:00 spo2 93 | 12:00 spo2 no_trace | 30:00 spo2 95", "spo2 97", {}),
    ("10:00 spo2 87 o2_flow 2 | 20:00 spo2 97 o2_flow 2", "spo2 90", {"spo2_scale": 2}),
    ("10:00 etco2 50.1 | 12:00 etco2 no_trace | 30:00 etco2 47", "etco2 40", {}),
    # Late, contradicted and of one moment.
    ("10:00 sbp 172 saved 45:00 | 30:00 sbp 140", "sbp 120", {}),
    ("10:00 sbp 172 | 10:59 sbp 120 | 11:00 sbp 170 | 11:30 sbp 120", "sbp 120", {}),
    ("10:00 spo2 no_trace | 10:00 spo2 96", "spo2 97", {}),
    # A reading at the end of the minute, or of the window, still decides (U-06, U-07).
    ("10:00 sbp 165 | 11:00 sbp 140", "sbp 120", {}),
    ("10:00 sbp 165 | 10:59 sbp 140 | 15:00 sbp 140", "sbp 120", {}),
    ("10:00 sbp 165 | 15:01 sbp 140", "sbp 120", {}),
    ("10:00 spo2 93 | 12:00 spo2 95", "spo2 97", {}),
    ("10:00 sbp 165 | 12:00 event discharged", "sbp 120", {}),
    ("10:00 sbp 165 | 15:00 event discharged", "sbp 120", {}),
    ("10:00 sbp 140 | 20:00 sbp 165 | 20:00 event discharged", "sbp 120", {}),
    ("0:00 sbp 165 | 20:00 sbp 120", "sbp 120", {}),
    # Two better assessments a minute apart, one not assessed or worse between (U-51).
    ("10:00 sedation 2 | 20:00 sedation 1 | 21:00 sedation 1", "", {}),
    ("10:00 sedation 2 | 20:00 sedation 1 | 20:59 sedation 1 | 30:00 sedation 1", "", {}),
    ("10:00 sedation 2 | 20:00 sedation 1 | 22:00 sedation not_assessed | 24:00 sedation 1", "", {}),
    ("10:00 sedation 3 | 20:00 sedation 1 | 22:00 sedation 3 | 24:00 sedation 1", "", {}),
    ("10:00 sedation 3 | 20:00 sedation 2 | 22:00 sedation 2 | 24:00 sedation 1", "", {}),
    # Entered late: ten minutes are not late yet; known already in the same moment (U-42, U-43).
    ("10:00 sbp 205 saved 20:00 | 15:00 sbp 140", "sbp 120", {}),
    ("10:00 sbp 205 saved 20:01 | 15:00 sbp 140 saved 20:01", "sbp 120", {}),
    ("10:00 sbp 205 saved 40:00 | 30:00 sbp 157", "sbp 120", {}),
    ("10:00 sbp 205 saved 40:00 | 12:00 sbp 165 | 30:00 sbp 157 | 50:00 sbp 150", "sbp 120", {}),
    ("10:00 sbp 205 saved 40:00 | 10:00 sbp 140 saved 11:00", "sbp 120", {}),
    # Contradictions: a minute apart they are two readings, closer the worse counts (U-73).
    ("10:00 sbp 205 | 20:00 sbp 150 | 21:00 sbp 205 | 30:00 sbp 150", "sbp 120", {}),
    ("10:00 sbp 205 | 20:00 sbp 157 | 20:30 sbp 150 | 40:00 sbp 150", "sbp 120", {}),
    ("10:00 sbp 185 | 12:00 sbp 185 | 20:00 sbp 176 | 20:40 sbp 150 | 30:00 sbp 150", "sbp 120", {}),
    # Steps down, and both levels wait on their own clocks.
    ("10:00 sbp 165 | 11:00 sbp 185 | 30:00 sbp 174 | 40:00 sbp 154", "sbp 120", {}),
    ("10:00 sbp 200 | 10:30 sbp 150 | 14:00 event discharged", "sbp 120", {}),
    ("10:00 sbp 165 | 14:00 event discharged | 16:00 sbp 190", "sbp 120", {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "before", "changes"), EDGES)
def test_they_agree_at_the_edges(text: str, before: str, changes: dict[str, Any]) -> None:
    assert assert_same([infusion(text, before, **changes)], default_set(), LATER) > 0


def test_a_reading_counts_only_beside_another_where_the_set_says_so() -> None:
    """U-19, U-20."""
    given_ = [
        infusion("10:00 sbp 139 dbp 89 | 20:00 sbp 110 | 30:00 sbp 140 dbp 60", "sbp 100 dbp 60")
    ]
    limits = changed_set("sbp_rise", "warning", counts_when="sbp >= 140 or dbp >= 90")
    assert assert_same(given_, limits, LATER) < assert_same(given_, default_set(), LATER)


def one(text: str, before: str = "", sign: str = "sbp") -> History:
    return history_of([infusion(text, before)], sign, default_set(), LATER)


def test_a_long_stretch_outside_takes_no_more_passes_than_a_short_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passes = 0
    step = _Runs.step

    def counted(self: _Runs, going: Any) -> Any:
        nonlocal passes
        passes += 1
        return step(self, going)

    monkeypatch.setattr(_Runs, "step", counted)
    count = 100_000
    history = History(
        session=np.zeros(count, np.int32),
        at_us=np.arange(count, dtype=np.int64) * 60_000_000,
        value=np.full(count, 170.0),
        baseline=np.array([120.0]),
    )
    episodes = find_history_breaches(default_set().rule("sbp_high"), history, default_set())
    assert (len(episodes), episodes.confirmed_us.tolist()) == (1, [60_000_000])
    assert passes < 10


def test_what_a_rule_looks_at_has_to_be_there() -> None:
    rule = default_set().rule("spo2_no_trace")
    assert measures_needed(rule) == {"no_trace", "sedation_grade", "rr"}
    bare = replace(one("10:00 spo2 97", sign="spo2"), measures={})
    with pytest.raises(ValueError, match="no_trace, rr, sedation_grade: not in the history"):
        find_history_breaches(rule, bare, default_set())
    unscaled = replace(bare, spo2_scale=None)
    with pytest.raises(ValueError, match="for one spo2_scale"):
        find_history_breaches(default_set().rule("spo2_low"), unscaled, default_set())


def _relative_map() -> Rule:
    content = packaged()
    row = next(row for row in content["rule"] if row["id"] == "map_high")
    row["warning"] |= {"fires": "rise_percent >= 30", "clears": "rise_percent < 25"}
    return parse_threshold_set(content).rule("map_high")


def test_a_limit_relative_to_an_endless_baseline_is_refused() -> None:
    assert not can_judge(_relative_map())
    history = one("10:00 sbp 160 dbp 100", sign="map")
    with pytest.raises(ValueError, match="not judged in vectors"):
        find_history_breaches(_relative_map(), history, default_set())


def test_a_history_that_does_not_fit_together_is_refused() -> None:
    whole = one("10:00 sbp 160 | 20:00 sbp 150")
    for broken, words in (
        ({"at_us": whole.at_us[::-1]}, "order of session and time"),
        ({"session": whole.session + 1}, "no baseline entry"),
        ({"value": whole.value.astype(np.float32)}, "float64"),
        ({"value": whole.value[:1]}, "every reading needs"),
        ({"ends_us": np.array([], np.int64)}, "one value for each baseline"),
    ):
        with pytest.raises(ValueError, match=words):
            replace(whole, **broken)


def test_sessions_do_not_touch_each_other() -> None:
    """The last reading of one outside, the first of the next outside: two that wait, not one."""
    first = session(observation("sbp", 170, 10), rate("0.1", 0))
    second = session(observation("sbp", 170, 12), rate("0.1", 0))
    history = history_of([first, second], "sbp", default_set(), LATER)
    episodes = find_history_breaches(default_set().rule("sbp_high"), history, default_set())
    assert episodes.session.tolist() == [0, 1]
    assert episodes.confirmed_us.tolist() == [15 * 60_000_000, 17 * 60_000_000]
    assert episodes.confirmed_by_clock.all()
    assert (episodes.ended_us == NEVER).all()


def test_a_history_typed_in_years_later_is_still_told_apart_by_session() -> None:
    """Saved ten years after: what a later session knew says nothing of an earlier one (U-43)."""
    years_us = 10 * 365 * 86_400 * 1_000_000
    minute_us = 60_000_000
    count = 50_000
    history = History(
        session=np.repeat(np.arange(count, dtype=np.int32), 2),
        at_us=np.tile(np.array([10, 30]) * minute_us, count),
        value=np.tile([172.0, 120.0], count),
        baseline=np.full(count, 120.0),
        saved_us=np.where(np.arange(2 * count) % 4 < 2, years_us, np.arange(2 * count) * minute_us),
    )
    episodes = find_history_breaches(default_set().rule("sbp_high"), history, default_set())
    # Every other session was saved at one time, the rest reading by reading.
    assert episodes.retrospective.tolist() == [True, False] * (count // 2)
