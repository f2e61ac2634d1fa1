"""What changed between two versions is named in words, all of it, and nothing else is."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.protocol_difference import Change, difference
from monitor.protocol_fields import (
    FIELDS,
    Kind,
    in_force,
    put_at,
    unit_in,
    value_at,
    value_words,
)
from monitor.protocols import seed_versions
from tests.build import seeded

LIBRARY = {
    version.code: version.content() for version in seed_versions() if version.kind == "protocol"
}


def p02() -> dict[str, Any]:
    return copy.deepcopy(seeded("protocol", "P02").content())


def told(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [change.text for change in difference(before, after)]


@pytest.mark.parametrize("code", LIBRARY)
def test_the_same_content_has_no_difference(code: str) -> None:
    content = LIBRARY[code]
    assert difference(content, copy.deepcopy(content)) == ()


def test_a_number_written_in_another_way_is_no_difference() -> None:
    after = p02() | {"version": 2, "status": "draft", "start_rate_mg_per_kg_h": "0.10"}
    after["limits"]["bolus_mg_per_kg"] = {"soft": "0.3", "hard": "0.350"}
    assert difference(p02(), after) == ()


def test_a_limit_and_the_steps_are_said_as_clinicians_say_them() -> None:
    after = p02()
    after["limits"]["rate_mg_per_kg_h"]["hard"] = "0.8"
    del after["limits"]["step_percent_soft"]
    after["limits"]["total_mg"] = {"hard": "90"}
    after["steps"][1]["rate_mg_per_kg_h"] = "0.12"
    after["steps"].insert(2, {"after_min": 20, "rate_mg_per_kg_h": "0.17"})
    del after["steps"][-1]
    assert told(p02(), after) == [
        "hard rate limit 1 → 0.8 mg/kg/h",
        "hard total limit at any weight: new, 90 mg",
        "soft step limit, of the last rate: left out, was 50 %",
        "planned step 2 at 15 min 0.15 → 0.12 mg/kg/h",
        "planned step 3 at 20 min: new, 0.17 mg/kg/h",
        "planned step 6 at 75 min: left out, was 0.5 mg/kg/h",
    ]


def test_a_choice_is_said_in_words() -> None:
    after = p02() | {"sedation_scale": "MOAAS", "form": "S"}
    after["limits"]["bolus_allowed"] = True
    assert told(p02(), after) == [
        "drug form racemic ketamine → S-ketamine",
        "bolus foreseen no → yes",
        "sedation scale UK ward sedation 0-3 → MOAA/S",
    ]


def test_the_numbers_of_the_schedule_are_named_too() -> None:
    after = p02()
    after["schedule_profile"]["intervals"][0]["every_min"] = 10
    after["schedule_profile"]["rules"]["grace_percent"] = 10
    assert [change.where for change in difference(p02(), after)] == [
        "a set from minute 0 on every",
        "schedule, rules, grace percent",
    ]


def test_a_schedule_of_its_own_is_said_row_by_row() -> None:
    after = p02() | {"schedule": "OWN"}
    after["schedule_profile"] |= {
        "code": "OWN",
        "intervals": [{"from_min": 0, "every_min": 10}, {"from_min": 90, "every_min": 30}],
        "after_increase_min": [5, 10],
        "min_recovery_min": 90,
    }
    assert told(p02(), after) == [
        "observation schedule PAIN-OUT → a schedule of its own",
        "extra sets after an increase or bolus 5; 15 → 5; 10 min",
        "least recovery 60 → 90 min",
        "a set from minute 0 on every 15 → 10 min",
        "a set from minute 60 on every: left out, was 30 min",
        "a set from minute 90 on every: new, 30 min",
        "schedule, code PAIN-OUT → OWN",
    ]


def test_lines_of_notes_and_sources_come_and_go() -> None:
    row = {"about": "Bolus", "says": "none", "source": "F07", "confidence": "H"}
    before = p02() | {"notes": ["kept", "goes"]}
    after = p02() | {"notes": ["comes", "kept"], "sources": [row]}
    assert difference(before, after) == (
        Change("note", "goes", ""),
        Change("note", "", "comes"),
        Change("source of a number", "", "about: Bolus · confidence: H · says: none · source: F07"),
    )


def changed_value(kind: Kind, choices: Any, value: Any, draw: st.DrawFn) -> Any:
    """Another value of the kind than the one that is there."""
    if kind is Kind.YES_NO:
        return not value
    if kind is Kind.CHOICE:
        codes = [code for code, _words in choices or ()] or ["ADULT-CLINIC-1", "OTHER-1"]
        return draw(st.sampled_from([code for code in codes if code != value] or ["other"]))
    if kind is Kind.TEXT:
        return f"{value or ''} changed"
    if kind is Kind.NUMBERS:
        return [*(value or ()), "3"]
    if kind is Kind.WHOLE_NUMBERS:
        return [*(value or ()), 60]
    number = draw(st.integers(1, 4000).filter(lambda new: value is None or new != Decimal(value)))
    return str(number) if kind is Kind.NUMBER else number


#: The unit of the rates is in the words of every rate: it has a test of its own.
ALONE = [field for field in FIELDS if field.path != "rate_unit"]


@given(st.data(), st.sampled_from(sorted(LIBRARY)), st.sets(st.sampled_from(ALONE), min_size=1))
def test_every_changed_field_is_named_and_no_other(
    data: st.DataObject, code: str, fields: Any
) -> None:
    before = LIBRARY[code]
    after = copy.deepcopy(before)
    changed = []
    for field in sorted(fields, key=lambda row: row.path):
        value = in_force(before, field)
        if field.path.startswith("limits.step_range") and value is None:
            continue  # the two ends of a range come and go together
        new = changed_value(field.kind, field.choices, value, data.draw)
        if value is not None and field.path.startswith("limits.step_range"):
            after["limits"]["step_range_mg_per_kg_h"][int(field.path[-1])] = new
        else:
            put_at(after, field.path, new)
        changed.append(field)
    found = {change.where: change for change in difference(before, after)}
    assert set(found) == {field.label for field in changed}
    for field in changed:
        words = value_words(field, value_at(after, field.path))
        assert (found[field.label].after, found[field.label].unit) == (
            words,
            unit_in(after, field),
        )


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from leaves(item, (*path, place))
    else:
        yield path


@given(st.sampled_from(sorted(LIBRARY)), st.data())
def test_nothing_stored_can_change_unseen(code: str, data: st.DataObject) -> None:
    before = LIBRARY[code]
    aside = {("version",), ("status",)}
    path = data.draw(st.sampled_from([leaf for leaf in leaves(before) if leaf not in aside]))
    after = copy.deepcopy(before)
    here: Any = after
    for name in path[:-1]:
        here = here[name]
    value = here[path[-1]]
    if isinstance(value, bool):
        here[path[-1]] = not value
    else:
        here[path[-1]] = value + 1 if isinstance(value, int) else f"{value}1"
    assert difference(before, after)
    assert [(row.where, row.before, row.after) for row in difference(after, before)] == [
        (row.where, row.after, row.before) for row in difference(before, after)
    ] or path[0] in ("steps", "notes", "sources")
