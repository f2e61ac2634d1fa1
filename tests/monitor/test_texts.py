"""Which texts the record cannot keep: nothing may be read as another text, or as nothing."""

from __future__ import annotations

import pytest

from monitor.texts import echoed, text_problems

TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def codes(text: str) -> list[str]:
    return [problem.code for problem in text_problems({"reason": text})]


@pytest.mark.parametrize("character", TURNING, ids=lambda character: f"U+{ord(character):04X}")
def test_what_turns_the_direction_of_reading_is_not_kept(character: str) -> None:
    assert codes(f"no{character}latex") == ["reason.unkeepable"]
    assert echoed(f"no{character}latex") == "no?latex"


@pytest.mark.parametrize(
    "text",
    [
        "\u200b",
        "\u200d\u200c",
        " \u2060 ",
        "\u00ad",
        "\ufeff",
        "\u3164",
        "\u2800\u2800",
        "\u0301",
        "\ufe0f",
    ],
    ids=ascii,
)
def test_a_text_that_shows_as_nothing_says_nothing(text: str) -> None:
    assert codes(text) == ["reason.invisible"]
    assert codes(f"{text}x") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "latex",
        "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u062f",  # Persian, with a non-joiner
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",  # Sinhala, with a joiner
        "\u05d0\u05d9\u05df",
        "two\nlines\tof it",
        "?",
        "2",
        "\N{FACE WITH THERMOMETER}",
    ],
    ids=ascii,
)
def test_texts_of_every_script_are_kept(text: str) -> None:
    assert codes(text) == []
