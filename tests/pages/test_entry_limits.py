"""What no bedside sends: every field of every route is refused in a sentence, and nothing breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.ids import new_id
from tests.pages.bedside_api import Bedside, a_set

ROUTES: dict[str, dict[str, Any]] = {
    "set": a_set(hr="70"),
    "rate": {"id": str(new_id()), "kind": "rate", "value": "0.05", "unit": "mg/kg/h",
             "reason": "nausea", "ordered_by": "okoye", "already_given": False,
             "taken": {"ago": 0}},
    "bolus": {"id": str(new_id()), "value": "8", "unit": "mg", "over_s": 60, "reason": "pain",
              "ordered_by": "okoye", "already_given": True, "taken": {"clock": "08:55"}},
    "syringe": {"id": str(new_id()), "concentration_mg_per_ml": "1", "batch": "B7",
                "rate": {"id": str(new_id()), "kind": "rate", "value": "0.1", "unit": "mg/kg/h"}},
    "effect": {"id": str(new_id()), "term": "nausea", "grade": 1, "relation": "likely",
               "action": "none", "serious": False, "note": "mild"},
    "effect-change": {"id": str(new_id()), "side_effect_id": str(new_id()), "grade": 2,
                      "ended": False, "action": "none", "note": "better"},
    "event": {"id": str(new_id()), "kind": "note", "text": "window opened"},
    "discharge": {"id": str(new_id())},
    "amend": {"id": str(new_id()), "amends": str(new_id()), "reason": "slip",
              "replacement": {"id": str(new_id()), "parameter": "hr", "text": "68",
                              "unit": "/min", "not_taken": None, "really_so": False,
                              "note": "by hand"}},
    "undo": {"id": str(new_id()), "undoes": str(new_id())},
    "ack": {"id": str(new_id()), "alert_id": str(new_id()), "action": "oxygen", "text": "2 L"},
    "suppress": {"id": str(new_id()), "alert_id": str(new_id()), "reason": "repeat is running"},
    "preview": {"kind": "rate", "value": "7", "unit": "mg/h", "over_s": 0},
    "draft": {"content": "{}"},
}  # fmt: skip
COMMON: dict[str, Any] = {"age_ms": 0, "taken": {"ago": 0}, "confirmed": [], "grant": None}

#: Raw JSON, because some of it cannot be made from Python.
WRONG = (
    "null", "true", "-1", "0", "1.5", "1e400", "-1e400", "NaN", "Infinity", "9" * 400, '""',
    '"zz"', '"NaN"', '"1e400"', '"-5"', '"' + "9" * 400 + '"', '"\\u0000"', '"\\ud800"',
    '"' + "x" * 5000 + '"', "[]", "[1]", "{}", '{"zz": 1}', "[" * 300 + "]" * 300,
    '"{11111111-1111-1111-1111-111111111111"', '["zz", 1]',
)  # fmt: skip
#: What Python says about itself, and what a database calls its own.
PYTHON = ("Traceback", "Error", "valid DoseUnit", "is not a valid", "NoneType", "object", "<class",
          "constraint", "Decimal", "{'", "['", "UNIQUE", "sqlalchemy", "badly formed")  # fmt: skip


def fields(body: dict[str, Any], under: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every field of a request, those of its parts too."""
    for name, value in body.items():
        place = (*under, name)
        yield place
        parts = enumerate(value) if isinstance(value, list) else [(None, value)]
        for number, part in parts:
            if isinstance(part, dict):
                yield from fields(part, place if number is None else (*place, number))


def with_wrong(body: dict[str, Any], place: tuple[Any, ...], wrong: str) -> str:
    """The request as JSON with something else in one place."""
    mark = "\u2603 here"
    copy = json.loads(json.dumps(body))
    at = copy
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = mark
    return json.dumps(copy).replace(json.dumps(mark), wrong)


@pytest.mark.parametrize("what", ROUTES)
def test_no_field_of_any_route_breaks_the_server_or_speaks_python(
    bedside: Bedside, what: str
) -> None:
    body = COMMON | ROUTES[what]
    for place in fields(body):
        for wrong in WRONG:
            answer = bedside.post(what, with_wrong(body, place, wrong))
            told = (what, place, wrong[:40], answer.status, answer.text[:300])
            assert answer.status in (200, 400, 403, 404, 409, 422), told
            if answer.status == 200:
                continue
            content = answer.json()
            problems = content.get("problems", content.get("questions", []))
            sentences = [content["error"]] if "error" in content else [p["text"] for p in problems]
            assert sentences, told
            for sentence in sentences:
                assert sentence.rstrip().endswith((".", "?")), told
                assert not any(phrase in sentence for phrase in PYTHON), told
                assert len(sentence) < 1000, told
    assert bedside.store.verify() == ()


def test_an_unknown_word_is_answered_with_the_words_there_are(bedside: Bedside) -> None:
    rate = ROUTES["rate"] | {"unit": "zz", "id": str(new_id())}
    preview = bedside.post("preview", {"kind": "rate", "value": "7", "unit": "zz"})
    assert preview.status == 422
    known = "There is no unit “zz”. Choose one of: mg/kg/h, mcg/kg/min, mg/h, mL/h, mg, mg/kg."
    assert preview.json()["problems"][0]["text"] == known
    assert bedside.post("rate", rate).json()["problems"][0]["text"] == known
    wrong = bedside.post("set", a_set(not_taken__hr="zz")).json()["problems"][0]["text"]
    assert wrong.startswith("There is no not taken “zz”. Choose one of: asleep,")


@pytest.mark.parametrize(
    ("what", "changes", "words"),
    [
        ("bolus", {"value": "-5"}, "above 0"),
        ("bolus", {"unit": "mg/kg/h"}, "is a rate, not an amount"),
        ("rate", {"value": "0"}, "choose hold or stop"),
        ("rate", {"unit": "mg"}, "is an amount, not a rate"),
        ("rate", {"ordered_by": "O" * 121}, "The ordered by has 121 characters; at most 120"),
        ("rate", {"ordered_by": "o\u202ekoye"}, "The ordered by holds a character"),
        ("rate", {"ordered_by": "\u200b"}, "The ordered by holds nothing that can be seen"),
        ("rate", {"reason": "\u2066"}, "The reason holds a character"),
        ("rate", {"reason": "r" * 501}, "The reason has 501 characters; at most 500"),
        ("event", {"text": "t" * 2001}, "The text has 2001 characters; at most 2000"),
        ("effect", {"note": "n\x00"}, "The note holds a character that cannot be kept"),
    ],
)
def test_a_refusal_names_the_field_and_the_limit(
    bedside: Bedside, what: str, changes: dict[str, Any], words: str
) -> None:
    before = bedside.session
    body = ROUTES[what] | {"id": str(new_id()), "already_given": True} | changes
    answer = bedside.post(what, body)
    assert answer.status == 422, answer.text
    assert any(words in problem["text"] for problem in answer.json()["problems"]), answer.text
    assert bedside.session == before


def test_a_unit_that_is_not_of_the_parameter_is_refused_in_words(bedside: Bedside) -> None:
    body = a_set(hr="70")
    body["items"][0]["unit"] = "kPa"
    answer = bedside.post("set", body)
    assert answer.status == 422
    assert "kPa" in answer.json()["problems"][0]["text"]


@pytest.mark.parametrize(
    "content", ["{", "[]", "7", "NaN", "x" * 8001, '{"a":' * 5000, '{"note": "\x00"}']
)
def test_a_draft_is_an_object_of_bounded_size(bedside: Bedside, content: str) -> None:
    bedside.post("draft", {"content": '{"hr": "6"}'})
    answer = bedside.post("draft", {"content": content})
    assert answer.status == 400, answer.text
    assert answer.json()["error"].endswith(".")
    [kept] = bedside.store.drafts(bedside.session_id)
    assert kept.content == '{"hr": "6"}'
