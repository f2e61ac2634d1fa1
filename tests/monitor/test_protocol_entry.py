"""A protocol as it is typed: every slip is named at its field, and nothing changes on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.protocol_difference import difference
from monitor.protocol_entry import ProtocolEntry, content_of, entry_of
from monitor.protocols import parse_protocol, seed_versions
from tests.build import seeded

LIBRARY = [version for version in seed_versions() if version.kind == "protocol"]
P02 = entry_of(seeded("protocol", "P02").content())


def typed(**texts: str) -> ProtocolEntry:
    """P02 with other texts; ``__`` stands for a dot."""
    changes = {name.replace("__", "."): text for name, text in texts.items()}
    return replace(P02, texts={**P02.texts, **changes})


def problems(entry: ProtocolEntry) -> dict[str, str]:
    return {problem.field: problem.message for problem in content_of(entry, 2)[1]}


@pytest.mark.parametrize("version", LIBRARY, ids=lambda version: version.code)
def test_what_is_opened_and_stored_unchanged_is_unchanged(version: Any) -> None:
    content, found = content_of(entry_of(version.content()), 2)
    assert found == ()
    assert difference(version.content(), content) == ()
    assert (content["code"], content["version"]) == (version.code, 2)


def test_numbers_are_read_as_people_type_them() -> None:
    entry = typed(limits__rate_mg_per_kg_h__hard="0,80", concentrations_mg_per_ml="1, 2,5; 10")
    content, found = content_of(entry, 2)
    assert found == ()
    assert content["limits"]["rate_mg_per_kg_h"]["hard"] == "0.8"
    assert content["concentrations_mg_per_ml"] == ["1", "2.5", "10"]


def test_an_emptied_field_is_left_out_and_not_0() -> None:
    content, found = content_of(typed(limits__step_percent_soft="  "), 2)
    assert found == ()
    assert "step_percent_soft" not in content["limits"]


@pytest.mark.parametrize(
    ("texts", "field", "words"),
    [
        ({"start_rate_mg_per_kg_h": "0.I"}, "start_rate_mg_per_kg_h", "contains the letter I"),
        ({"planned_duration_min": "2.5"}, "planned_duration_min", "whole number of minutes"),
        ({"limits__bolus_allowed": "maybe"}, "limits.bolus_allowed", "neither yes nor no"),
        ({"concentrations_mg_per_ml": "1; x"}, "concentrations_mg_per_ml", "not a number"),
        (
            {"limits__step_range_mg_per_kg_h__1": ""},
            "limits.step_range_mg_per_kg_h.1",
            "both ends, or neither",
        ),
    ],
)
def test_a_slip_is_named_at_its_field(texts: dict[str, str], field: str, words: str) -> None:
    assert words in problems(typed(**texts))[field]


def own(rows: tuple[tuple[str, str], ...] = (("0", "10"), ("60", "20")), **texts: str) -> Any:
    """P02 with a schedule of its own."""
    return replace(typed(schedule="OWN", **texts), intervals=rows)


def test_a_schedule_of_its_own_is_what_was_typed_with_the_rules_that_hold_for_all() -> None:
    entry = own(
        schedule_profile__after_increase_min="5, 10",
        schedule_profile__min_recovery_min="90",
        schedule_profile__fast_above_mg_per_kg_h="0,30",
        schedule_profile__recovery_every_min="",
        schedule_profile__restart_on_increase="yes",
    )
    content, found = content_of(entry, 2)
    assert found == ()
    packaged = seeded("protocol", "P02").content()["schedule_profile"]
    assert content["schedule_profile"] == {
        "code": "OWN",
        "source": "the clinic's own",
        "pre_within_min": 15,
        "intervals": [{"from_min": 0, "every_min": 10}, {"from_min": 60, "every_min": 20}],
        "after_increase_min": [5, 10],
        "min_recovery_min": 90,
        "fast_above_mg_per_kg_h": "0.3",
        "fast_every_min": 15,
        "restart_on_increase": True,
        "rules": packaged["rules"],
        "high_rate": packaged["high_rate"],
    }
    profile = parse_protocol(content).schedule_profile
    assert [row.every_min for row in profile.intervals] == [10, 20]
    # Opened again it is typed as it stands.
    assert content_of(entry_of(content), 2) == (content, ())


def test_rows_that_are_no_packaged_schedule_are_never_left_aside_in_silence() -> None:
    for entry in (
        replace(P02, intervals=(("0", "10"), ("60", "30"))),
        replace(P02, intervals=(("0", "x"),)),
        typed(schedule_profile__min_recovery_min="45"),
    ):
        found = problems(entry)
        assert set(found) == {"schedule"}
        assert "not those of PAIN-OUT" in found["schedule"]


def test_another_packaged_schedule_brings_its_own_numbers_whatever_rows_stood_there() -> None:
    content, found = content_of(typed(schedule="DEP-40"), 2)
    assert found == ()
    assert content["schedule_profile"]["min_from_start_min"] == 120
    empty = {path: "" for path in P02.texts if path.startswith("schedule_profile.")}
    emptied = replace(P02, intervals=(), texts={**P02.texts, **empty})
    content, found = content_of(emptied, 2)
    assert found == ()
    assert content["schedule_profile"]["recovery_every_min"] == 15


def test_every_slip_of_a_schedule_is_named_at_its_row() -> None:
    found = problems(
        own(
            (("0", "15"), ("", "20"), ("60", ""), ("", ""), ("90", "ten")),
            schedule_profile__after_increase_min="5; soon",
            schedule_profile__min_recovery_min="1.5",
        )
    )
    assert found["intervals.1"] == "Schedule row 2: Say from which minute on."
    assert set(found) == {
        "intervals.1", "intervals.2", "intervals.4",
        "schedule_profile.after_increase_min", "schedule_profile.min_recovery_min",
    }  # fmt: skip


def test_every_slip_is_named_at_once() -> None:
    entry = replace(
        typed(start_rate_mg_per_kg_h="O.1", planned_duration_min="long"),
        steps=(("0", "0.1"), ("", "0.2"), ("", ""), ("30", ""), ("1.5", "0.3"), ("-5", "0.1")),
        sources="Bolus | none | F07",
        notes="x" * 601,
    )
    found = problems(entry)
    assert set(found) == {
        "start_rate_mg_per_kg_h", "planned_duration_min", "steps.1", "steps.3", "steps.4",
        "steps.5", "sources", "notes",
    }  # fmt: skip
    assert found["steps.1"] == "Planned step 2: Say from which minute on."
    assert found["steps.3"] == "Planned step 4: Say the rate in mg/kg/h."
    assert "about | says | source | confidence" in found["sources"]


def test_the_schedule_that_is_chosen_brings_its_numbers() -> None:
    content, _ = content_of(typed(schedule="DEP-40"), 2)
    assert content["schedule_profile"]["code"] == "DEP-40"
    without, _ = content_of(typed(schedule=""), 2)
    assert "schedule_profile" not in without
