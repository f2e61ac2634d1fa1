"""Device series in vectors say exactly what the readable evaluator says of each session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import device_breaches
from monitor.breaches import rule_applies
from monitor.device_breaches import Sample, can_judge
from monitor.series import NEVER, DeviceEpisodes, DeviceSeries, find_device_breaches
from monitor.thresholds import LEVELS, Rule, ThresholdSet
from tests.build import session
from tests.monitor.limit_changes import changed_sets
from tests.monitor.limits import default_set
from tests.monitor.test_device_breaches import SECOND, samples

#: Values around the limits, and what is no value.
VALUES = {
    "spo2": ["83", "86", "87", "89", "90", "91.5", "92", "93", "94", "95", "97", "0", "127", "-1"],
    "hr": [
        "38",
        "40",
        "45",
        "48",
        "50",
        "55",
        "80",
        "100",
        "104",
        "110",
        "111",
        "125",
        "127",
        "131",
    ],
    "rr": ["7", "8", "9", "10", "11", "22", "25", "27", "30", "0", "255"],
    "etco2": ["19", "20", "29.9", "30", "35", "40", "47", "50", "50.1", "60", "60.1", "0"],
    "temp": ["35.0", "35.1", "35.9", "36.0", "36.1", "38.0", "38.1", "39.0", "39.1", "0"],
}
BASELINES: dict[str, list[str | None]] = {
    "spo2": [None, "97", "97.5", "92"],
    "hr": [None, "54", "55", "55.5", "76.9", "0"],
    "rr": [None],
    "etco2": [None],
    "temp": [None],
}
SETTLED = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@st.composite
def stays(draw: st.DrawFn, sign: str) -> list[Sample]:
    """A session of one sign: values that stay for a while, gaps, what is no value, bad signal."""
    found = []
    now_us = draw(st.sampled_from([0, 0, -20, 3])) * SECOND
    step_us = draw(st.sampled_from([SECOND, SECOND, 2 * SECOND, 700_000]))
    for _ in range(draw(st.integers(0, 14))):
        value = draw(st.sampled_from([*VALUES[sign], None]))
        good = draw(st.integers(0, 9)) > 0
        for _ in range(draw(st.sampled_from([1, 2, 5, 9, 10, 11, 15, 16, 31]))):
            found.append(Sample(now_us, None if value is None else Decimal(value), good))
            now_us += step_us
        now_us += draw(st.sampled_from([0, 0, 0, 0, 3, 4, 5, 6, 60])) * SECOND
    return found


@st.composite
def several(draw: st.DrawFn) -> tuple[str, list[tuple[list[Sample], str | None, int, int]]]:
    """A sign, and sessions with their samples, baseline, discharge and SpO2 scale."""
    sign = draw(st.sampled_from(sorted(VALUES)))
    one = st.tuples(
        stays(sign),
        st.sampled_from(BASELINES[sign]),
        st.sampled_from([NEVER, NEVER, 40 * SECOND]),
        st.sampled_from([1, 2]),
    )
    return sign, draw(st.lists(one, min_size=1, max_size=3))


Case = list[tuple[list[Sample], str | None, int, int]]


def series_of(case: Case) -> DeviceSeries:
    flat = [sample for given_, *_ in case for sample in given_]
    return DeviceSeries(
        starts=np.cumsum([0, *(len(given_) for given_, *_ in case)]),
        at_us=np.array([sample.at_us for sample in flat], np.int64),
        value=np.array([float("nan" if s.value is None else s.value) for s in flat], np.float64),
        baseline=np.array([float(base or "nan") for _, base, *_ in case], np.float64),
        good=np.array([sample.good for sample in flat], np.bool_),
        ends_us=np.array([ends_us for *_, ends_us, _ in case], np.int64),
        spo2_scale=np.array([scale for *_, scale in case]),
    )


def readable(rule: Rule, case: Case, limits: ThresholdSet) -> list[tuple[Any, ...]]:
    assert limits.device is not None
    found = []
    for index, (given_, base, ends_us, scale) in enumerate(case):
        baselines = {} if base is None else {rule.sign: Decimal(base)}
        if not rule_applies(rule, session(spo2_scale=scale), baselines):
            continue
        until = None if ends_us == NEVER else ends_us
        for item in device_breaches.find_device_breaches(
            rule, given_, limits.device, baselines.get(rule.sign), until
        ):
            end = NEVER if item.ended_us is None else item.ended_us
            levels = (item.level, item.confirmed_level)
            found.append((index, item.onset_us, *levels, item.confirmed_us, end))
    return found


def told(episodes: DeviceEpisodes) -> list[tuple[Any, ...]]:
    return [
        (
            int(episodes.session[i]),
            int(episodes.onset_us[i]),
            LEVELS[episodes.level[i] - 1],
            LEVELS[episodes.confirmed_level[i] - 1],
            int(episodes.confirmed_us[i]),
            int(episodes.ended_us[i]),
        )
        for i in range(len(episodes))
    ]


def rules_of(sign: str, limits: ThresholdSet) -> list[Rule]:
    assert limits.device is not None
    return [r for r in limits.rules if r.sign == sign and can_judge(r, limits.device)]


def assert_same(sign: str, case: Case, limits: ThresholdSet) -> int:
    rules = rules_of(sign, limits)
    seen = 0
    for rule, episodes in zip(
        rules, find_device_breaches(rules, series_of(case), limits), strict=True
    ):
        assert told(episodes) == readable(rule, case, limits), rule.id
        seen += len(episodes)
    return seen


@SETTLED
@given(several())
def test_both_evaluators_agree_on_every_rule(given_: tuple[str, Case]) -> None:
    assert_same(*given_, default_set())


@SETTLED
@given(several(), changed_sets())
def test_they_agree_whatever_the_limits(given_: tuple[str, Case], limits: ThresholdSet) -> None:
    assert_same(*given_, limits)


def test_a_warning_ends_neither_before_its_critical_nor_with_it() -> None:
    """Inside the warning's clear band while critical still holds, in a set of an odd kind."""
    rule = default_set().rule("spo2_low")
    assert rule.warning is not None
    odd = replace(rule, warning=replace(rule.warning, clears=rule.warning.fires[:0]))
    limits = replace(default_set(), rules=(odd,))
    case: Case = [(samples("89 x11, 92 x60, 97, 89 x11, 97"), None, NEVER, 1)]
    assert assert_same("spo2", case, limits) == 1


def test_sessions_do_not_touch_each_other() -> None:
    """Outside at the end of one and the beginning of the next, an empty one between."""
    case: Case = [
        (samples("97, 93 x12"), None, NEVER, 1),
        ([], None, NEVER, 1),
        (samples("93 x12, 97"), None, NEVER, 1),
        (samples("93 x16"), None, NEVER, 1),
        (samples("97 x3"), None, NEVER, 1),
    ]
    assert assert_same("spo2", case, default_set()) == 1


def test_what_does_not_fit_together_is_refused() -> None:
    whole = series_of([(samples("97 x3, 93 x3"), None, NEVER, 1)])
    broken: Sequence[tuple[dict[str, Any], str]] = [
        ({"at_us": whole.at_us[::-1]}, "in order of time"),
        ({"value": whole.value.astype(np.float32)}, "float64"),
        ({"starts": np.array([0, 5])}, "belongs to one session"),
        ({"baseline": np.array([])}, "one value for each session"),
    ]
    for changes, words in broken:
        with pytest.raises(ValueError, match=words):
            replace(whole, **changes)
    sbp = default_set().rule("sbp_high")
    with pytest.raises(ValueError, match="not all of these rules"):
        find_device_breaches([sbp], whole, default_set())
    both = [default_set().rule("hr_high"), default_set().rule("spo2_low")]
    with pytest.raises(ValueError, match="one sign"):
        find_device_breaches(both, whole, default_set())
    with pytest.raises(ValueError, match="not all of these rules"):
        find_device_breaches(both[:1], whole, replace(default_set(), device=None))
