"""Free text: how long each may be, and which characters the record cannot keep."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from types import MappingProxyType

from monitor.errors import Problem
from monitor.record import Fact

#: Longest text in characters, by the name of its field; names and short words have ``_SHORT``.
LONGEST: Mapping[str, int] = MappingProxyType(
    {"note": 2000, "text": 2000, "reason": 500, "action": 500, "allergies": 500, "indication": 500}
)
_SHORT = 120
_LAYOUT = "\n\r\t"
#: Characters that change the direction in which others are read, so that a text shows as another
#: one (Unicode Standard Annex 9, table 4).  The joiners U+200C and U+200D are none: scripts need
#: them inside words.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Letters and symbols by their category that are drawn as nothing: Hangul fillers, blank Braille.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_ECHOED = 20


def text_problems(texts: Mapping[str, str | None]) -> tuple[Problem, ...]:
    """What is wrong with texts by the name of their field: too long, or not to be kept."""
    return tuple(_problems(texts.items()))


def fact_text_problems(facts: Iterable[Fact]) -> tuple[Problem, ...]:
    """The same for every text of these facts, whatever their kind."""
    found = (
        (field.name, value)
        for fact in facts
        for field in fields(fact)
        if isinstance(value := getattr(fact, field.name), str)
    )
    return tuple(dict.fromkeys(_problems(found)))


def _problems(texts: Iterable[tuple[str, str | None]]) -> Iterator[Problem]:
    for name, text in texts:
        if not text:
            continue
        label = name.replace("_", " ")
        longest = LONGEST.get(name, _SHORT)
        if len(text) > longest:
            message = f"The {label} has {len(text)} characters; at most {longest} fit. Shorten it."
            yield Problem(name, message, code=f"{name}.too_long")
        if any(_is_unkeepable(character) for character in text):
            message = f"The {label} holds a character that cannot be kept. Type it again."
            yield Problem(name, message, code=f"{name}.unkeepable")
        elif text.strip() and not any(_is_visible(character) for character in text):
            message = f"The {label} holds nothing that can be seen. Type it again."
            yield Problem(name, message, code=f"{name}.invisible")


def _is_unkeepable(character: str) -> bool:
    """Control characters (PostgreSQL keeps no NUL), halves of a character, and what turns the
    direction of reading."""
    if character in _TURNING:
        return True
    return character not in _LAYOUT and unicodedata.category(character) in ("Cc", "Cs")


def _is_visible(character: str) -> bool:
    """Letters, numbers, punctuation and symbols; not blanks, joiners or marks that stand alone."""
    return unicodedata.category(character)[0] in "LNPS" and character not in _BLANK


def echoed(text: str) -> str:
    """What was typed, short enough and clean enough to stand in a sentence."""
    clean = "".join("?" if _is_unkeepable(character) else character for character in text)
    return clean if len(clean) <= _ECHOED else f"{clean[:_ECHOED]}…"
