"""The second person and what a dose went past stand on every row that tells of the dose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from monitor import frames
from monitor.dose_overrides import beyond_words, confirmation_words
from monitor.record import Source
from tests import build

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
