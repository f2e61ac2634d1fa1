"""Reading a number as people type it, and never a different one."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

#: Characters people type for a decimal point: full stop, comma, their full-width twins and the
#: Arabic decimal separator.
_POINTS = ".,．，٫"
_MINUS = "-−－"
_PLUS = "+＋"
_LONGEST = 12

_SHAPE = re.compile(r"(?P<sign>[+-]?)(?P<whole>[0-9]*)(?:(?P<point>[.,])(?P<part>[0-9]*))?")


def parse_number(text: str) -> Decimal:
    """The number in a text, exactly as typed: ``0,5``, ` 120`, ``٣٧٫٢``, ``−2``.

    Anything that could mean two numbers is refused: ``1,200`` (1200 or 1.2), ``05`` (5 or 0.5 with
    a lost point), ``37.`` (a lost digit), ``12O``, ``1.2.3``, ``1e5``, ``--``.

    Raises:
        ValueError: with a sentence that says what is wrong and what to type instead.
    """
    typed = text.strip()
    if not typed:
        raise ValueError("Nothing was typed. Enter a number.")
    plain = "".join(_plain(character) for character in typed)
    if len(plain) > _LONGEST:
        raise ValueError(f"“{_shown(typed)}” is too long for a number. Check it.")
    match = _SHAPE.fullmatch(plain)
    if match is None or not (match["whole"] or match["part"]):
        raise ValueError(_why_not(typed, plain))
    sign, whole, point, part = match.group("sign", "whole", "point", "part")
    if point and not part:
        raise ValueError(f"“{typed}” ends with a decimal point. Add the digit or remove the point.")
    if len(whole) > 1 and whole.startswith("0"):
        raise ValueError(f"“{typed}” starts with 0. Was the decimal point lost? Type it again.")
    if point == "," and len(part) == 3 and whole not in ("", "0"):
        raise ValueError(
            f"“{typed}” could be {whole}{part} or {whole}.{part}. Use a point for decimals, "
            "nothing for thousands."
        )
    value = Decimal(f"{sign}{whole or '0'}.{part}" if part else f"{sign}{whole}")
    if value.is_zero() and sign == "-":
        raise ValueError(f"“{typed}” is not a number. Was a digit left out after the minus?")
    return value


def _plain(character: str) -> str:
    """The ASCII twin of a digit, sign or point of any script; other characters unchanged."""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character in _POINTS:
        return "," if character in ",，" else "."
    if character in _MINUS:
        return "-"
    return "+" if character in _PLUS else character


def _why_not(typed: str, plain: str) -> str:
    shown = _shown(typed)
    letters = [character for character in plain if character.isalpha()]
    if any(character.isspace() for character in plain):
        return f"“{shown}” has a space inside. Type one number."
    if letters and any(character.isdecimal() for character in plain):
        return f"“{shown}” contains the letter {letters[0]}. Type digits only."
    if sum(character in ".," for character in plain) > 1:
        return f"“{shown}” has more than one decimal point. Type it again."
    return f"“{shown}” is not a number. Type digits, for example 72 or 0.5."


def _shown(typed: str) -> str:
    return typed if len(typed) <= _LONGEST else f"{typed[:_LONGEST]}…"


def plain_text(value: Decimal) -> str:
    """A number for a sentence: no exponent, no trailing zeros, never ``-0`` or ``.5``."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
