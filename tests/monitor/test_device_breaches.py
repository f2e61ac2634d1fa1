"""How long outside is a breach: device series in seconds, as a clinician would tell them.

A line reads ``97 x5, 93 x16, gap 8, -- x2``: the value and for how many seconds it was said, once a
second; ``gap`` is seconds in which nothing was said.  ``bad`` before a value: the device calls it so.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from monitor.device_breaches import (
    DeviceBreach,
    Sample,
    can_judge,
    find_device_breaches,
    sample_value,
)
from monitor.device_limits import DeviceLimits
from monitor.thresholds import parse_threshold_set
from tests.monitor.limits import default_set, packaged

SECOND = 1_000_000


def device() -> DeviceLimits:
    limits = default_set().device
    assert limits is not None
    return limits


def samples(text: str, start_s: int = 0) -> list[Sample]:
    found, now_s = [], start_s
    for part in text.split(", "):
        words = part.split()
        if words[0] == "gap":
            now_s += int(words[1])
            continue
        good = words[0] != "bad"
        value = sample_value(words[0] if good else words[1])
        times = int(words[-1].removeprefix("x")) if words[-1].startswith("x") else 1
        for _ in range(times):
            found.append(Sample(now_s * SECOND, value, good))
            now_s += 1
    return found


def said(breach: DeviceBreach) -> str:
    """``warning from 5 confirmed 20 until 30``, in seconds."""
    words = f"{breach.confirmed_level} from {breach.onset_us // SECOND}"
    words += f" confirmed {breach.confirmed_us // SECOND}"
    if breach.ended_us is not None:
        return f"{words} until {breach.ended_us // SECOND}"
    return words + ("" if breach.level == breach.confirmed_level else f" now {breach.level}")


def flags(rule_id: str, text: str, baseline: str | None = None, **more: Any) -> list[str]:
    base = None if baseline is None else Decimal(baseline)
    rule = default_set().rule(rule_id)
    return [
        said(item) for item in find_device_breaches(rule, samples(text), device(), base, **more)
    ]


SPECIFICATION = [
    # Duration: 15 s for the warning, 10 s for the critical SpO2 (clinical.md 3.3); from the first
    # value outside to the one that makes it long enough.
    ("spo2_low", "97 x5, 93 x15, 97 x5", []),
    ("spo2_low", "97 x5, 93 x16, 97 x5", ["warning from 5 confirmed 20 until 21"]),
    ("spo2_low", "97 x5, 94 x60", []),
    ("spo2_low", "97 x5, 89 x10, 97 x5", []),
    ("spo2_low", "97 x5, 89 x11, 97 x5", ["critical from 5 confirmed 15 until 16"]),
    ("spo2_low", "89 x300", ["critical from 0 confirmed 10"]),
    ("hr_high", "80 x5, 111 x10, 80 x5", []),
    ("hr_high", "80 x5, 111 x11, 80 x5", ["warning from 5 confirmed 15 until 16"]),
    # A value inside starts it anew; a critical one counts for the warning too (U-10).
    ("spo2_low", "93 x10, 94, 93 x10, 97", []),
    ("spo2_low", "93 x10, 88 x6, 97", ["warning from 0 confirmed 15 until 16"]),
    ("spo2_low", "93 x10, 88 x11, 97", ["critical from 0 confirmed 20 until 21"]),
    # Hysteresis, and stepping down from critical to warning (U-15, U-16).
    ("spo2_low", "93 x16, 94 x9, 95", ["warning from 0 confirmed 15 until 25"]),
    ("spo2_low", "89 x11, 91 x60", ["critical from 0 confirmed 10"]),
    ("spo2_low", "89 x11, 92 x60", ["critical from 0 confirmed 10 now warning"]),
    ("spo2_low", "89 x11, 92 x60, 95", ["critical from 0 confirmed 10 until 71"]),
    (
        "spo2_low",
        "93 x16, 95, 93 x16, 95",
        ["warning from 0 confirmed 15 until 16", "warning from 17 confirmed 32 until 33"],
    ),
    # A gap is no recovery and no time outside; five seconds are none yet, six are one.
    ("spo2_low", "93 x11, gap 60, 93 x5, 97", []),
    ("spo2_low", "93 x11, gap 60, 93 x6, 97", ["warning from 0 confirmed 76 until 77"]),
    ("spo2_low", "93 x11, gap 4, 93, 97", ["warning from 0 confirmed 15 until 16"]),
    ("spo2_low", "93 x11, gap 5, 93, 97", []),
    ("spo2_low", "89 x11, gap 600, 97", ["critical from 0 confirmed 10 until 611"]),
    ("spo2_low", "89 x11, gap 600", ["critical from 0 confirmed 10"]),
    # What is no value is neither outside nor a recovery.
    ("spo2_low", "97 x5, 0 x60, 97", []),
    ("spo2_low", "97 x5, 127 x60, -1 x60, -- x60, nan x60, bad 70 x60, 97", []),
    ("spo2_low", "93 x11, bad 99 x3, -- x1, 93, 97", ["warning from 0 confirmed 15 until 16"]),
    ("spo2_low", "89 x11, 127 x9, 0 x9, 88 x2, 96", ["critical from 0 confirmed 10 until 31"]),
    ("hr_high", "127 x11, 80", ["warning from 0 confirmed 10 until 11"]),
    ("hr_high", "511 x60, 80", []),
    ("hr_zero", "80, 0 x60, 80", []),
    # One sample is never enough.
    ("spo2_low", "97, 50, 97", []),
]  # fmt: skip


@pytest.mark.parametrize(("rule_id", "text", "found"), SPECIFICATION)
def test_the_specification(rule_id: str, text: str, found: list[str]) -> None:
    assert flags(rule_id, text) == found


def test_limits_relative_to_baseline() -> None:
    """4 points below 98 are 94; without a baseline the row is off (U-44)."""
    assert flags("spo2_drop", "94 x16", "98") == ["warning from 0 confirmed 15"]
    assert flags("spo2_drop", "94 x16", "97.5") == []
    assert flags("spo2_drop", "70 x60") == []


def test_what_was_before_the_first_dose_or_after_discharge_does_not_count() -> None:
    rule = default_set().rule("spo2_low")
    early = find_device_breaches(rule, samples("89 x60, 97", start_s=-55), device())
    assert early == ()
    assert flags("spo2_low", "97, 89 x60", ends_us=10 * SECOND) == []
    assert flags("spo2_low", "97, 89 x60", ends_us=11 * SECOND) == ["critical from 1 confirmed 11"]


def test_which_rows_a_device_series_can_answer() -> None:
    judged = {rule.id for rule in default_set().rules if can_judge(rule, device())}
    assert judged == {
        "hr_high", "hr_rise", "hr_zero", "hr_low", "hr_low_slow_baseline",
        "spo2_low", "spo2_low_scale_2", "spo2_drop", "rr_zero", "rr_low", "rr_high", "etco2", "temp",
    }  # fmt: skip
    with pytest.raises(ValueError, match="not judged on a device series"):
        flags("sbp_high", "190 x60")


@pytest.mark.parametrize(
    ("text", "number"), [("97", "97"), (" 36.8 ", "36.8"), ("-1", "-1"), ("0", "0")]
)
def test_a_number_is_read_as_written(text: str, number: str) -> None:
    assert sample_value(text) == Decimal(number)


@pytest.mark.parametrize("text", ["--", "", " ", "---", "NaN", "inf", "?", "LEADS OFF"])
def test_what_is_no_number_is_no_value(text: str) -> None:
    assert sample_value(text) is None


def changed(**changes: Any) -> dict[str, Any]:
    content = packaged()
    content["device"]["sign"][0] |= changes
    return content


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sign": "spo"}, "no device says “spo” as a number"),
        ({"sign": "symptoms"}, "no device says “symptoms”"),
        ({"sign": "hr"}, "two rows are for hr"),
        ({"source": " "}, "needs its source"),
        ({"critical_s": 0}, "critical_s is more than nothing"),
        ({"warning_s": 9}, "warning_s no shorter"),
        ({"not_values": ["NaN"]}, "no value anyway"),
    ],
)
def test_a_slip_in_the_table_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_threshold_set(changed(**changes))


def test_a_gap_that_is_none_is_refused() -> None:
    content = packaged()
    content["device"]["gap_s"] = 0
    with pytest.raises(ValueError, match="gap_s"):
        parse_threshold_set(content)


def test_no_duration_could_be_filled_by_a_gap() -> None:
    """Else two samples, each side of what is not yet called a gap, would be enough."""
    for sign in device().signs.values():
        assert device().gap < sign.critical


def test_a_version_from_before_there_were_devices_has_no_such_limits() -> None:
    content = packaged()
    del content["device"]
    assert parse_threshold_set(content).device is None
