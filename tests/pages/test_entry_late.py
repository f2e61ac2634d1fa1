"""Why a dose or an event was entered late: said in one tap, kept beside it, never in its place."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.ids import new_id
from tests.pages.bedside_api import Bedside

LATE = {"ago": 25, "late": "patient first"}
ENTRIES: dict[str, tuple[str, dict[str, Any]]] = {
    "event": ("event", {"kind": "drug", "text": "ondansetron 4 mg IV"}),
    "rate": (
        "rate",
        {"kind": "rate", "value": "0.12", "unit": "mg/kg/h", "reason": "order"},
    ),
    "bolus": (
        "bolus",
        {"value": "5", "unit": "mg", "over_s": 0, "reason": "order"},
    ),
}


def an_entry(**body: Any) -> dict[str, Any]:
    given = {"already_given": True, "confirmed": ["ordered_by.nobody"]}
    return {"id": str(new_id()), "age_ms": 0} | given | body


@pytest.mark.parametrize("kind", ENTRIES)
def test_a_late_entry_says_why_beside_what_it_says(bedside: Bedside, kind: str) -> None:
    path, content = ENTRIES[kind]
    entry = an_entry(**content, taken=LATE)

    answer = bedside.post(path, entry)

    assert answer.status == 200, answer.text
    rows = {row["id"]: row for row in answer.json()["state"]["recent"]}
    assert rows[entry["id"]]["late"] == "saved 09:00: patient first"
    assert "patient first" not in rows[entry["id"]]["text"]
    assert not any("entered late" in row["text"] for row in rows.values()), "no row of its own"
    [note] = [event for event in bedside.session.events if str(event.linked_to) == entry["id"]]
    assert note.text == "entered late: patient first"
    before = bedside.session
    assert bedside.post(path, entry).status == 200
    assert bedside.session == before, "sent again it is the same entry"


def test_the_reason_goes_with_the_entry_when_it_is_undone(bedside: Bedside) -> None:
    entry = an_entry(kind="toilet", taken=LATE)
    bedside.post("event", entry)

    state = bedside.post("undo", an_entry(undoes=entry["id"])).json()["state"]

    assert bedside.session.current(bedside.session.events) == ()
    assert [row["text"] for row in state["recent"] if row["struck"]] == ["Toilet"]


@pytest.mark.parametrize("taken", [{"ago": 0, "late": "patient first"}, {"ago": 10, "late": "x"}])
def test_what_was_entered_in_time_needs_no_reason_and_keeps_none(
    bedside: Bedside, taken: dict[str, Any]
) -> None:
    answer = bedside.post("event", an_entry(kind="toilet", taken=taken))

    assert answer.status == 200, answer.text
    assert [event.kind for event in bedside.session.events] == ["toilet"]


def test_a_reason_that_is_no_text_is_refused_and_nothing_is_saved(bedside: Bedside) -> None:
    assert bedside.post("event", an_entry(kind="toilet", taken={"late": 7})).status == 400
    bad = an_entry(kind="toilet", taken=LATE | {"late": "\u202e"})
    assert bedside.post("event", bad).status == 422
    assert bedside.session.events == ()
