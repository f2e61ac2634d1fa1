"""The clinic's own one-tap buttons: what the file may say, and everything that is wrong with it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from monitor.commands.database import one_tap
from monitor.errors import InvalidEntry
from monitor.lifecycle import EventKind
from monitor.one_tap import EVENT_TEXTS, oxygen_flow, packaged, parse_one_tap, read_one_tap
from monitor.side_effects import TERMS

GOOD: dict[str, Any] = {
    "version": 1,
    "effect": [{"term": "vomiting", "label": "sick"}],
    "event": [
        {"kind": "note", "text": "reassured"},
        {"kind": "drug", "asks": ["ondansetron 4 mg IV"]},
        {"kind": "toilet"},
    ],
}


def test_a_clinics_own_buttons() -> None:
    chosen = parse_one_tap(GOOD)

    assert [(item.term, item.label) for item in chosen.effects] == [("vomiting", "sick")]
    note, drug, toilet = chosen.events
    assert (note.kind, note.label, note.text, note.asks) == ("note", "reassured", "reassured", None)
    assert (drug.label, drug.asks) == ("drug", ("ondansetron 4 mg IV",))
    assert (toilet.label, toilet.text, toilet.asks) == ("toilet", None, None)


def test_a_drug_always_asks_which() -> None:
    (drug,) = parse_one_tap({"version": 1, "event": [{"kind": "drug"}]}).events

    assert drug.asks


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 2}, "write version = 1"),
        ({"button": []}, "“button”"),
        ({"effect": [{"term": "wobbly"}]}, "“wobbly” is no side effect of the list"),
        ({"effect": [{"term": "none"}]}, "“none” is no side effect of the list"),
        ({"effect": [{"term": key} for key in list(TERMS)[:4]]}, "4 buttons; at most 3 fit"),
        ({"effect": "nausea"}, "write each one as [[effect]]"),
        ({"event": [{"kind": "discharged"}]}, "no event “discharged”"),
        ({"event": [{"kind": ["note"]}]}, "no event"),
        ({"event": [{"kind": "note", "text": "x", "asks": []}]}, "write one of them"),
        ({"event": [{"kind": "drug", "text": "oxygen"}]}, "never saved at one tap"),
        ({"event": [{"kind": "note", "label": "a very long label"}]}, "at most 14 characters"),
        ({"event": [{"kind": "note", "label": ""}]}, "label is a word or two"),
        ({"event": [{"kind": "note", "asks": "x"}]}, "asks is a list of words"),
        ({"event": [{"kind": "oxygen", "asks": ["1 L/min"] * 9}]}, "at most 8 fit"),
        ({"event": [{"kind": "oxygen", "asks": ["2 L/min", "mask"]}]}, "“mask” is no oxygen flow"),
        ({"event": [{"kind": "oxygen", "text": "2 litres"}]}, "“2 litres” is no oxygen flow"),
        ({"event": [{"kind": "note", "text": "a\x00"}]}, "cannot be kept"),
        ({"event": [{"kind": "note"}, {"kind": "note"}]}, "two buttons are called “note”"),
        ({"event": [{"kind": "note", "colour": "red"}]}, "“colour” means nothing"),
    ],
)
def test_a_fault_is_said_in_words(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidEntry) as refused:
        parse_one_tap(GOOD | changes)
    assert said in str(refused.value)


def test_every_fault_is_said_at_once() -> None:
    bad = {"version": 3, "effect": [{"term": "x"}], "event": [{"kind": "y"}, {"kind": "z"}]}

    with pytest.raises(InvalidEntry) as refused:
        parse_one_tap(bad)

    assert len(refused.value.problems) == 4


def test_the_file_of_the_environment_is_read_and_a_bad_one_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MONITOR_ONE_TAP", raising=False)
    assert one_tap() == packaged()
    file = tmp_path / "own.toml"
    file.write_text('version = 1\n[[effect]]\nterm = "headache"\n', "utf-8")
    monkeypatch.setenv("MONITOR_ONE_TAP", str(file))
    assert [item.term for item in one_tap().effects] == ["headache"]

    for content in (b"version = ", b"\xff"):
        file.write_bytes(content)
        with pytest.raises(InvalidEntry, match=r"own\.toml cannot be read"):
            one_tap()
    with pytest.raises(InvalidEntry, match=r"gone\.toml cannot be read: No such file"):
        read_one_tap(tmp_path / "gone.toml")


@pytest.mark.parametrize(
    ("text", "flow"),
    [
        ("2 L/min", "2"),
        ("0.5 L/min", "0.5"),
        ("15L/min", "15"),
        ("stopped", "0"),
        ("room air", "0"),
    ],
)
def test_an_oxygen_button_stands_for_a_flow(text: str, flow: str) -> None:
    assert oxygen_flow(text) == Decimal(flow)


@pytest.mark.parametrize("text", ["mask", "2 L", "2,5 L/min", "200 L/min", "2 L/min mask", ""])
def test_what_says_no_flow_is_none(text: str) -> None:
    assert oxygen_flow(text) is None


def test_the_packaged_oxygen_buttons_all_have_a_flow() -> None:
    packaged_texts = [item.asks for item in packaged().events if item.kind is EventKind.OXYGEN]
    for texts in (*packaged_texts, EVENT_TEXTS[EventKind.OXYGEN]):
        assert texts
        assert all(oxygen_flow(text) is not None for text in texts)
