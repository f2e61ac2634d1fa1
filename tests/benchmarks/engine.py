"""The rules over ten million device readings, beside one numpy copy of the same arrays.

Five signs once a second, from 200 sessions: values wander inside the limits, 3 % of the minutes are
outside one (at the edge, beyond it, far beyond), 5 % of the samples are missing in gaps, 1 % are
numbers that mean "nothing measured".  Every row of ADULT-CLINIC-1 that a device series can answer is
asked.
"""

from __future__ import annotations

import json
import math
import time
import tracemalloc
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from monitor import device_breaches
from monitor.breaches import rule_applies
from monitor.device_breaches import Sample, can_judge
from monitor.series import NEVER, DeviceEpisodes, DeviceSeries, find_device_breaches
from monitor.thresholds import Rule, ThresholdSet, parse_threshold_set
from tests import build
from tests.benchmarks.report import Figure, percentile

SEED = 20_261_128
READINGS = 10_000_000
SESSIONS = 200
RUNS = 7
SECOND_US = 1_000_000
OUTSIDE_MINUTES, MISSING, NOTHING_MEASURED = 0.03, 0.05, 0.01
#: How long a device says nothing at a time.
_GAP_S = (2, 40)
#: Where a sign usually is (mean, how far a session's own mean is from it, how far it wanders), its
#: decimals, and what it says in a minute outside.
_SIGNS: dict[str, tuple[float, float, float, int, tuple[float, ...]]] = {
    "hr": (76, 6, 5, 0, (111, 118, 131, 140, 50, 44, 40, 36)),
    "spo2": (97.4, 0.5, 0.6, 0, (93, 92, 90, 89, 85)),
    "rr": (15, 1.2, 1.3, 0, (9, 8, 6, 25, 28, 31)),
    "etco2": (40, 1.5, 1.5, 0, (29, 25, 19, 51, 55, 61)),
    "temp": (36.9, 0.15, 0.1, 1, (35.9, 35.0, 38.1, 38.6, 39.1)),
}


def default_set() -> ThresholdSet:
    return parse_threshold_set(json.loads(build.seeded("threshold_set", "ADULT-CLINIC-1").text))


def make_series(
    sign: str, limits: ThresholdSet, chance: np.random.Generator, readings: int, sessions: int
) -> DeviceSeries:
    """One sign of all sessions; ``readings`` samples are left when the gaps are taken out."""
    mean, between, within, decimals, outside = _SIGNS[sign]
    assert limits.device is not None
    sessions = max(1, sessions)
    seconds = round(readings / (1 - MISSING) / sessions)
    usual = mean + between * chance.standard_normal(sessions)
    minutes = -(-seconds // 60)
    wander = np.repeat(chance.standard_normal((sessions, minutes)), 60, axis=1)[:, :seconds]
    value = usual[:, None] + within * (0.8 * wander + 0.4 * _noise(chance, sessions, seconds))
    is_outside = chance.random((sessions, minutes)) < OUTSIDE_MINUTES
    beyond = chance.choice(outside, (sessions, minutes))
    is_outside, beyond = (np.repeat(a, 60, axis=1)[:, :seconds] for a in (is_outside, beyond))
    value = np.where(is_outside, beyond, value).round(decimals)
    nothing = [float(number) for number in sorted(limits.device.signs[sign].not_values)]
    not_value = chance.random(value.shape) < NOTHING_MEASURED
    value[not_value] = chance.choice([*nothing, np.nan], int(not_value.sum()))
    kept = ~_gaps(chance, sessions, seconds)
    at_us = np.broadcast_to(np.arange(seconds, dtype=np.int64) * SECOND_US, value.shape)
    baseline = usual.round(decimals)
    baseline[1::10] = np.nan
    spo2_scale = np.ones(sessions, np.int8)
    spo2_scale[2::20] = 2
    return DeviceSeries(
        starts=np.append(0, np.cumsum(kept.sum(axis=1))),
        at_us=at_us[kept],
        value=value[kept],
        baseline=baseline,
        good=np.ones(int(kept.sum()), np.bool_),
        ends_us=np.full(sessions, NEVER),
        spo2_scale=spo2_scale,
    )


def _noise(chance: np.random.Generator, sessions: int, seconds: int) -> NDArray[np.float64]:
    """From second to second, without the tails that would be breaches of their own."""
    return chance.standard_normal((sessions, seconds)).clip(-2, 2)


def _gaps(chance: np.random.Generator, sessions: int, seconds: int) -> NDArray[np.bool_]:
    """Which seconds are missing: gaps of 2 to 40 s that together make their share."""
    missing = np.zeros((sessions, seconds), np.bool_)
    each = sum(_GAP_S) / 2
    count = round(-np.log1p(-MISSING) * sessions * seconds / each)
    flat = missing.reshape(-1)
    begin = chance.integers(0, len(flat), count)
    length = chance.integers(_GAP_S[0], _GAP_S[1] + 1, count)
    change = np.zeros(len(flat) + 1, np.int32)
    np.add.at(change, begin, 1)
    np.add.at(change, np.minimum(begin + length, len(flat)), -1)
    flat[:] = np.cumsum(change[:-1]) > 0
    return missing


def _rules(sign: str, limits: ThresholdSet) -> list[Rule]:
    device = limits.device
    assert device is not None
    return [rule for rule in limits.rules if rule.sign == sign and can_judge(rule, device)]


Everything = dict[str, DeviceSeries]


def _arrays(series: DeviceSeries) -> list[NDArray[np.generic]]:
    assert series.good is not None
    return [series.at_us, series.value, series.good]


def copy(everything: Everything) -> list[NDArray[np.generic]]:
    return [array.copy() for series in everything.values() for array in _arrays(series)]


def judge(everything: Everything, limits: ThresholdSet) -> list[DeviceEpisodes]:
    """From the arrays to the breaches; what a series checks when it is made counts as well."""
    found: list[DeviceEpisodes] = []
    for sign, given in everything.items():
        found += find_device_breaches(_rules(sign, limits), replace(given), limits)
    return found


def copy_over(everything: Everything, there: list[NDArray[np.generic]]) -> None:
    """The same into memory that is there already: what is left when none has to be fetched."""
    arrays = [array for series in everything.values() for array in _arrays(series)]
    for array, target in zip(arrays, there, strict=True):
        np.copyto(target, array)


def _seconds(call: object, *arguments: object) -> float:
    assert callable(call)
    begin = time.perf_counter()
    kept = call(*arguments)
    end = time.perf_counter()
    del kept
    return end - begin


def judge_in_a_loop(everything: Everything, limits: ThresholdSet) -> tuple[float, list[int]]:
    """The readable evaluator on the first session of each sign: readings per second, breaches."""
    device = limits.device
    assert device is not None
    readings, spent, found = 0, 0.0, []
    for sign, series in everything.items():
        at_us, value = (a[: series.starts[1]].tolist() for a in (series.at_us, series.value))
        samples = [
            Sample(at, None if math.isnan(number) else Decimal(repr(number)))
            for at, number in zip(at_us, value, strict=True)
        ]
        base = float(series.baseline[0])
        baseline = None if math.isnan(base) else Decimal(repr(base))
        session = build.session()
        begin = time.perf_counter()
        for rule in _rules(sign, limits):
            if rule_applies(rule, session, {} if baseline is None else {sign: baseline}):
                breaches = device_breaches.find_device_breaches(rule, samples, device, baseline)
                found.append(len(breaches))
            else:
                found.append(0)
        spent += time.perf_counter() - begin
        readings += len(samples)
    return readings / spent, found


def measure(readings: int = READINGS, sessions: int = SESSIONS) -> list[Figure]:
    """engine_copy_ratio, engine_readings_per_s and engine_peak_memory_ratio."""
    limits = default_set()
    chance = np.random.default_rng(SEED)
    everything = {
        sign: make_series(sign, limits, chance, readings // len(_SIGNS), sessions)
        for sign in _SIGNS
    }
    total = sum(len(series.value) for series in everything.values())
    size = sum(array.nbytes for s in everything.values() for array in _arrays(s))
    found = judge(everything, limits)
    ours, beside, over = [], [], []
    there = copy(everything)
    for _ in range(RUNS):
        over.append(_seconds(copy_over, everything, there))
        beside.append(_seconds(copy, everything))
        ours.append(_seconds(judge, everything, limits))
    median, floor = percentile(ours, 50), percentile(beside, 50)
    looped_per_s, in_loop = judge_in_a_loop(everything, limits)
    first = [int((episodes.session == 0).sum()) for episodes in found]
    assert first == in_loop, "the readable evaluator finds other breaches"
    peak = _peak_bytes(everything, limits)
    breaches = sum(len(episodes) for episodes in found)
    return [
        Figure(
            "engine_copy_ratio",
            round(median / floor, 2),
            "ratio",
            RUNS,
            f"one numpy copy of the same {size / 1e6:.0f} MB: median {floor * 1e3:.0f} ms,"
            f" p95 {percentile(beside, 95) * 1e3:.0f} ms",
            f"{total:,} readings of {len(_SIGNS)} signs in {sessions} sessions, {len(found)} rows,"
            f" {breaches:,} breaches; ours median {median * 1e3:.0f} ms, p95"
            f" {percentile(ours, 95) * 1e3:.0f} ms; best beside best {min(ours) / min(beside):.2f};"
            f" beside a copy into memory already there {median / percentile(over, 50):.2f};"
            " goal <= 30",
        ),
        Figure(
            "engine_readings_per_s",
            round(total / median),
            "1/s",
            RUNS,
            f"the readable evaluator in plain Python, the first session of each sign: {looped_per_s:,.0f} /s",
            f"{total / median / looped_per_s:,.0f} times as many; every reading meets all rows of its sign",
        ),
        Figure(
            "engine_peak_memory_ratio",
            round(peak / size, 2),
            "ratio",
            1,
            f"the arrays themselves: {size / 1e6:.0f} MB",
            f"at most {peak / 1e6:.0f} MB more at any moment",
        ),
    ]


def _peak_bytes(everything: Everything, limits: ThresholdSet) -> int:
    """What judging takes on top of the arrays; numpy tells tracemalloc about its memory."""
    tracemalloc.start()
    try:
        judge(everything, limits)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
