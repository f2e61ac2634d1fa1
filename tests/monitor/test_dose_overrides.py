"""The second person and what a dose went past stand on every row that tells of the dose."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import pytest

from monitor import dose_problems, frames
from monitor.dose_limits import rate_ceilings, total_limits_mg
from monitor.dose_overrides import beyond_words, confirmation_words
from monitor.record import Source
from tests import build
from tests.monitor.test_gate import protocol as read_protocol

NAMES = {"cdiaz": "C. Diaz", "mkeller": "Dr M. Keller"}
STEP = replace(
    build.rate("0.15", 5),
    ordered_by="mkeller",
    second_person="cdiaz",
    overrides=("step_interval.hard",),
)


def test_events_and_doses_name_the_second_person_and_the_limit_in_words() -> None:
    session = build.session(STEP)
    for table in (frames.event_table(session, UTC, NAMES), frames.dose_table(session, UTC, NAMES)):
        (what,) = table["What"]
        assert "ordered by Dr M. Keller" in what
        assert "second person C. Diaz (PIN)" in what
        assert "⚑ earlier than the protocol allows" in what


def test_what_each_dose_did_says_names() -> None:
    (what,) = frames.response_table(build.session(STEP), UTC, NAMES)["What"]
    assert "ordered by Dr M. Keller" in what


def test_a_dose_from_a_file_was_not_confirmed_here_with_a_pin() -> None:
    words = confirmation_words(replace(STEP, source=Source.IMPORTED), NAMES)
    assert words.startswith("second person C. Diaz,")


def test_a_plain_dose_says_nothing_more() -> None:
    assert confirmation_words(build.rate("0.1"), NAMES) == ""


def test_each_thing_a_dose_went_past_is_said_once() -> None:
    codes = ("rate_mg_per_kg_h.soft", "interlock.1", "interlock.2", "total_mg.hard")
    assert beyond_words(replace(STEP, overrides=codes)).split("; ") == [
        "beyond the soft limit: rate",
        "given while an alert or a late set stood against it",
        "beyond the hard limit: session total",
    ]


#: Where what stands against a dose gets its code.
_SOURCES = (
    *("rate_checks", "bolus_checks", "dose_problems", "actions/doses"),
    *("gate", "second_person"),
)
#: Codes of a syringe: its flag is a note in words, no override of a dose.
_OF_SYRINGES = re.compile(r"(concentration|syringe_rate)\.")
_CODE = re.compile(r"[a-z_]+\.([a-z_]+|\{\})")


def _codes() -> Iterator[str]:
    """Every code in the sources; one that ends in its kind stands for both kinds."""
    for name in _SOURCES:
        path = Path(dose_problems.__file__).parent / f"{name}.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            found = ""
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found = node.value
            elif isinstance(node, ast.JoinedStr):
                parts = (
                    part.value if isinstance(part, ast.Constant) else "{}" for part in node.values
                )
                found = "".join(map(str, parts))
            if not _CODE.fullmatch(found) or _OF_SYRINGES.match(found):
                continue
            ends = ("soft", "hard") if found.endswith("{}") else ("",)
            yield from (found.removesuffix("{}") + end for end in ends)


#: ``gate.<question>`` refuses a start and is never stored with one: gate.block and gate.caution are.
CODES = sorted({code for code in _codes() if code not in ("gate.soft", "gate.hard")})


def _is_recorded(code: str) -> bool:
    problem = dose_problems.refusal("rate", code, "")
    return dose_problems.can_have_happened(problem)


def test_the_sources_were_read() -> None:
    assert len(CODES) > 20
    assert {"start_rate.soft", "duration_h.hard", "second_person.anaesthetist"} <= set(CODES)


@pytest.mark.parametrize("code", [code for code in CODES if _is_recorded(code)])
def test_everything_a_dose_can_go_past_has_words(code: str) -> None:
    words = beyond_words(replace(STEP, overrides=(code,)))
    assert words
    assert "recorded against a check" not in words


def test_the_limits_whose_codes_are_made_of_their_names_have_words() -> None:
    protocol = read_protocol()
    names = {row[0] for row in rate_ceilings(protocol, Decimal(70))}
    names |= {row[0] for row in total_limits_mg(protocol, Decimal(70))}
    assert names
    for code in (f"{name}.{kind}" for name in names for kind in ("soft", "hard")):
        assert "recorded against" not in beyond_words(replace(STEP, overrides=(code,)))
