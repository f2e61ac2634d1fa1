"""Back-entry from paper: every fact says that it comes from paper, and late stays late."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest

from monitor import export, frames
from monitor.ids import new_id
from monitor.record import Source
from monitor.timeline import numbered_events
from tests.pages.bedside_api import Bedside, a_set

PAPER = {"source": "paper", "age_ms": 0}
RATE = {"kind": "rate", "value": "0.05", "unit": "mg/kg/h"}
ENTRIES: dict[str, tuple[str, dict[str, Any]]] = {
    "set": ("set", a_set(hr="70", spo2="97")),
    "rate": ("rate", RATE),
    "effect": ("effect", {"term": "dizzy", "grade": 1}),
    "event": ("event", {"kind": "toilet"}),
    "bolus": (
        "bolus",
        {"value": "5", "unit": "mg", "over_s": 0, "reason": "order", "already_given": True},
    ),
    "syringe": (
        "syringe",
        {"concentration_mg_per_ml": "2", "reason": "order", "already_given": True},
    ),
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_every_kind_of_entry_keeps_that_it_comes_from_paper(bedside: Bedside, kind: str) -> None:
    path, content = ENTRIES[kind]
    before = {fact.id for fact in bedside.session.facts()}
    body = content | PAPER | {"id": str(new_id()), "taken": {"clock": "08:45"}}

    answer = bedside.post(path, body)

    assert answer.status == 200, answer.text
    new = [fact for fact in bedside.session.facts() if fact.id not in before]
    assert {fact.source for fact in new} == {Source.PAPER}
    assert {f"{fact.taken_at:%H:%M}" for fact in new} == {"08:45"}
    row = next(row for row in answer.json()["state"]["recent"] if row["id"] == body["id"])
    assert row["source"] == "from paper"
    assert row["late"] == "saved 09:00"
    assert "from paper" in row["story"]


def test_a_correction_of_what_was_on_paper_stays_from_paper(bedside: Bedside) -> None:
    entry = a_set(taken={"clock": "08:45"}, hr="70") | PAPER
    bedside.post("set", entry)
    right = {"id": str(new_id()), "parameter": "hr", "text": "71"}

    bedside.post(
        "amend",
        {
            "id": str(new_id()),
            "amends": entry["items"][0]["id"],
            "reason": "typing slip",
            "replacement": right,
        },
    )

    (fixed,) = [item for item in bedside.session.observations if str(item.id) == right["id"]]
    assert (fixed.value, fixed.source) == (71, Source.PAPER)


def test_paper_of_a_weekend_is_typed_in_on_monday_after_one_question(bedside: Bedside) -> None:
    day = (bedside.home.clock.now - timedelta(days=3)).date()
    body = a_set(taken={"clock": "14:05", "day": day.isoformat()}, hr="70") | PAPER

    asked = bedside.post("set", body)
    assert asked.status == 409, asked.text
    (question,) = asked.json()["questions"]
    assert "Is the date right?" in question["text"]
    saved = bedside.post("set", body | {"confirmed": [question["code"]]})

    assert saved.status == 200, saved.text
    (heart,) = [item for item in bedside.session.observations if item.value == 70]
    assert heart.taken_at.astimezone(UTC).strftime("%F %H:%M") == f"{day} 14:05"


@pytest.mark.parametrize("day", ["tomorrow", 3, "2999-01-01"])
def test_a_day_that_is_none_or_not_yet_is_refused(bedside: Bedside, day: Any) -> None:
    before = bedside.session
    answer = bedside.post("set", a_set(taken={"clock": "14:05", "day": day}, hr="70") | PAPER)
    assert answer.status in (400, 422)
    assert bedside.session == before


def test_tables_list_and_export_say_it(bedside: Bedside) -> None:
    bedside.post("set", a_set(taken={"clock": "08:45"}, hr="70") | PAPER)
    event = {"id": str(new_id()), "kind": "toilet", "taken": {"clock": "08:46"}} | PAPER
    bedside.post("event", event)

    table = frames.observation_table(bedside.session, UTC)
    csv = b"".join(export.observations_csv([bedside.session])).decode("utf-8-sig")

    assert "from paper" in set(table["Source"])
    assert any(",paper," in line for line in csv.splitlines())
    assert numbered_events(bedside.session, UTC)[-1].text == "Toilet (from paper)"


def test_without_anything_from_paper_the_table_has_no_column_for_it(bedside: Bedside) -> None:
    assert "Source" not in frames.observation_table(bedside.session, UTC)


@pytest.mark.parametrize("source", ["device", "import", "fax", 3])
def test_a_browser_names_no_other_source(bedside: Bedside, source: Any) -> None:
    before = bedside.session

    answer = bedside.post("event", {"id": str(new_id()), "kind": "toilet", "source": source})

    assert answer.status in (400, 422)
    assert bedside.session == before
