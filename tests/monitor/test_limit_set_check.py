"""A limit set is held against itself before anybody may use it: every slip at once, in words."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.errors import Problem
from monitor.limit_set_check import limit_set_problems
from tests.monitor.limits import packaged


def problems(*changes: tuple[str, str, dict[str, Any]], **tables: Any) -> tuple[Problem, ...]:
    content = packaged()
    rows = {row["id"]: row for row in content["rule"]}
    for rule_id, level, parts in changes:
        rows[rule_id].setdefault(level, {}).update(parts)
    for name, parts in tables.items():
        content[name].update(parts)
    return limit_set_problems(content)


def test_the_packaged_limits_have_nothing_against_them() -> None:
    assert limit_set_problems(packaged()) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("sbp_high", "warning", {"fires": "value => 160"}), "not a comparison"),
        (("sbp_high", "warning", {"fires": "value >= 1O0"}), "not a number"),
        (("sbp_high", "warning", {"fires": "systolic >= 160"}), "is not one of"),
        (("sbp_high", "warning", {"fires": "value >= 21"}), "would clear while"),
        (("sbp_high", "critical", {"at_once": "value >= 170"}), "is not beyond the critical limit"),
        (("sbp_high", "critical", {"fires": "value >= 155", "clears": "value < 155"}), "further out than warning"),
        (("sbp_high", "critical", {"fires": "value >= 160", "clears": "value < 160"}), "further out than warning"),
        (("sbp_high", "critical", {"clears": "value < 150"}), "further in than where the warning"),
        (("sbp_low", "critical", {"fires": "value < 105"}), "further out than warning"),
        (("rr_high", "warning", {"clears": "value >= 30"}), "the same way"),
        (("sbp_high", "warning", {"clears": ""}), "not a comparison"),
        (("hr_high", "warning", {"confirm": "sometimes"}), "there is no [confirm] row"),
        (
            ("temp", "warning", {"fires": "value < 96.8 or value > 100.4"}),
            "can be 25 to 45 °C. Is it in another unit?",
        ),
    ],
)  # fmt: skip
def test_a_slip_in_one_limit_is_said_with_its_name(
    change: tuple[str, str, dict[str, Any]], words: str
) -> None:
    found = problems(change)
    assert any(words in problem.message for problem in found), found
    assert {problem.field for problem in found} == {change[0]}


def test_limits_of_one_sign_that_meet_are_named_both() -> None:
    found = problems(
        ("sbp_high", "warning", {"fires": "value >= 95", "clears": "value < 90"}),
    )
    [overlap] = [item for item in found if "overlap" in item.message]
    assert "Systolic pressure high “value >= 95”" in overlap.message
    assert "Systolic pressure low “value < 100”" in overlap.message


@pytest.mark.parametrize(("edge", "meets"), [("100", False), ("99", True)])
def test_limits_that_only_touch_do_not_overlap(edge: str, meets: bool) -> None:
    """The low limit is < 100: at >= 100 no value is both, at >= 99 the value 99 is."""
    found = problems(
        ("sbp_high", "warning", {"fires": f"value >= {edge}", "clears": f"value < {edge}"})
    )
    assert any("overlap" in item.message for item in found) is meets


def test_limits_for_different_spo2_scales_never_meet() -> None:
    assert problems(("spo2_low_scale_2", "warning", {"fires": "value <= 87"})) == ()


def test_every_slip_is_told_at_once() -> None:
    found = problems(
        ("sbp_high", "warning", {"fires": "value => 160"}),
        ("hr_high", "warning", {"fires": "value >= 135"}),
    )
    assert {problem.field for problem in found} == {"sbp_high", "hr_high"}


@pytest.mark.parametrize(
    ("table", "parts", "words"),
    [
        ("alerts", {"escalate_critical_after_s": [300, 120]}, "has to come after the one before"),
        ("alerts", {"suppress_critical_at_most_s": 1800}, "silenced for longer than a warning"),
        ("confirm", {"repeat": {"from_s": 300, "until_s": 60}}, "must not be later"),
    ],
)
def test_times_that_contradict_each_other_are_said(
    table: str, parts: dict[str, Any], words: str
) -> None:
    [problem] = problems(**{table: parts})
    assert words in problem.message


def test_a_set_without_limits_is_refused() -> None:
    content = packaged()
    content["rule"] = []
    [problem] = limit_set_problems(content)
    assert "without any limit" in problem.message
