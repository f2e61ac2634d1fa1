"""What a lead types becomes the next version of the limits, and only that differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.limit_set_entry import (
    LimitSetEntry,
    content_of,
    entry_of,
    limit_changes,
    seconds_of,
)
from tests.monitor.limits import packaged

WHY = "after the audit of May"


def edited(rule_id: str, *, in_force: bool = True, **parts: str) -> LimitSetEntry:
    """The packaged limits with parts of one row typed anew: ``warning_fires="value >= 165"``."""
    entry = entry_of(packaged())
    typed = {tuple(name.split("_", 1)): text for name, text in parts.items()}
    rows = tuple(
        replace(row, parts={**row.parts, **typed}, in_force=in_force)  # type: ignore[dict-item]
        if row.id == rule_id
        else row
        for row in entry.rows
    )
    return replace(entry, rows=rows)


def told(entry: LimitSetEntry) -> list[str]:
    content, problems = content_of(entry, packaged(), 2, WHY)
    assert problems == ()
    return [change.text for change in limit_changes(packaged(), content)]


def test_what_was_not_changed_is_stored_as_it_was() -> None:
    content, problems = content_of(entry_of(packaged()), packaged(), 2, WHY)
    assert problems == ()
    assert content["version"] == 2
    assert content["rule"] == packaged()["rule"]
    assert limit_changes(packaged(), content) == ()


def test_one_number_is_one_change_and_its_source_says_whose_it_is() -> None:
    entry = edited("sbp_high", warning_fires=" value  >= 165 ")
    assert told(entry) == ["Systolic pressure high, warning when value >= 160 → value >= 165"]
    content, _ = content_of(entry, packaged(), 2, WHY)
    [row] = [row for row in content["rule"] if row["id"] == "sbp_high"]
    [old] = [row for row in packaged()["rule"] if row["id"] == "sbp_high"]
    assert row["source"] == f"The clinic's own limit: {WHY}; before: {old['source']}"

    again = replace(
        entry_of(content),
        rows=tuple(
            replace(item, parts={**item.parts, ("warning", "fires"): "value >= 166"})
            if item.id == "sbp_high"
            else item
            for item in entry_of(content).rows
        ),
    )
    third, _ = content_of(again, content, 3, "once more")
    [row] = [row for row in third["rule"] if row["id"] == "sbp_high"]
    assert row["source"] == f"The clinic's own limit: once more; before: {old['source']}"


def test_a_level_can_be_left_out_and_put_in() -> None:
    without = edited("sbp_high", critical_fires="", critical_clears="", critical_at_once="")
    content, problems = content_of(without, packaged(), 2, WHY)
    assert problems == ()
    [row] = [row for row in content["rule"] if row["id"] == "sbp_high"]
    assert "critical" not in row

    with_one = edited("sbp_rise", critical_fires="rise >= 60", critical_clears="rise < 50")
    content, problems = content_of(with_one, packaged(), 2, WHY)
    assert problems == ()
    [row] = [row for row in content["rule"] if row["id"] == "sbp_rise"]
    assert row["critical"] == {"fires": "rise >= 60", "clears": "rise < 50", "confirm": "single"}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"critical_fires": ""}, "does not say when it fires"),
        ({"warning_clears": ""}, "does not say when it ends"),
    ],
)
def test_half_a_level_is_said(typed: dict[str, str], words: str) -> None:
    _content, problems = content_of(edited("sbp_high", **typed), packaged(), 2, WHY)
    assert [problem.field for problem in problems] == ["sbp_high"]
    assert words in problems[0].message


def test_a_limit_taken_out_of_force_is_gone_and_told() -> None:
    entry = edited("sbp_rise", in_force=False)
    content, _ = content_of(entry, packaged(), 2, WHY)
    assert "sbp_rise" not in {row["id"] for row in content["rule"]}
    assert "Systolic pressure above baseline: left out, was in force" in told(entry)


def test_a_time_is_typed_in_minutes_and_seconds() -> None:
    entry = entry_of(packaged())
    label = "answered and still there: again after"
    assert entry.times[label] == "15:00"
    assert told(replace(entry, times={**entry.times, label: "10:30"})) == [f"{label} 15:00 → 10:30"]
    _content, problems = content_of(
        replace(entry, times={**entry.times, label: "soon"}), packaged(), 2, WHY
    )
    assert "“soon” is no time" in problems[0].message


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2:00", 120), ("90", 90), ("0:05", 5), ("2:60", None), ("2:0", None), ("-1", None),
     ("", None), ("2:00:00", None), ("٢", None)],
)  # fmt: skip
def test_a_time_as_typed(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds
