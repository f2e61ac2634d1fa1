"""A protocol as it is typed: every slip is named at its field, and nothing changes on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.protocol_difference import difference
from monitor.protocol_entry import ProtocolEntry, content_of, entry_of
from monitor.protocols import seed_versions
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
