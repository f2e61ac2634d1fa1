"""A number is read exactly as typed or refused in words: never a different one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.numbers import parse_number, plain_text


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("120", "120"),
        (" 120", "120"),
        ("0,5", "0.5"),
        ("0.5", "0.5"),
        (".5", "0.5"),
        ("0,125", "0.125"),
        ("37.20", "37.20"),
        ("-2", "-2"),
        ("−2", "-2"),
        ("+2", "2"),
        ("٣٧٫٢", "37.2"),
        ("۱۲۰", "120"),
        ("１２０", "120"),
        ("0", "0"),
    ],
)
def test_what_people_type_is_read_as_typed(typed: str, value: str) -> None:
    assert str(parse_number(typed)) == value


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Nothing was typed"),
        ("   ", "Nothing was typed"),
        ("1.2.3", "more than one decimal point"),
        ("12O", "the letter O"),
        ("1e5", "the letter e"),
        ("--", "not a number"),
        ("-", "not a number"),
        (".", "not a number"),
        ("nan", "not a number"),
        ("Infinity", "not a number"),
        ("½", "not a number"),
        ("²", "not a number"),
        ("1 20", "space inside"),
        ("37.", "ends with a decimal point"),
        ("05", "starts with 0"),
        ("00", "starts with 0"),
        ("-0", "left out after the minus"),
        ("1,200", "could be 1200 or 1.200"),
        ("12,500", "could be 12500 or 12.500"),
        ("1234567890123", "too long"),
        ("1_000", "not a number"),
        ("0x1F", "the letter x"),
    ],
)
def test_what_could_mean_something_else_is_refused_in_words(typed: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_number(typed)


@given(st.text(max_size=14) | st.text("0123456789.,-+ O٣٫", max_size=8))
def test_any_text_is_read_as_itself_or_refused_with_a_sentence(typed: str) -> None:
    read, refusal = _read(typed)
    if read is None:
        assert refusal[-1] in ".?"
        assert refusal[0] in "“N"
    else:
        assert f"{read:f}" == _as_typed(typed)


def _read(typed: str) -> tuple[Decimal | None, str]:
    try:
        return parse_number(typed), ""
    except ValueError as error:
        return None, str(error)


@given(
    st.decimals(min_value=-999, max_value=9999, places=2),
    st.sampled_from([".", ",", "٫", "．"]),
    st.sampled_from(["0123456789", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９"]),
)
def test_a_number_written_in_any_script_comes_back(value: Decimal, point: str, digits: str) -> None:
    if value == 0:
        value = abs(value)
    text = f"{value:f}".replace(".", point)
    text = "".join(digits[int(sign)] if sign in "0123456789" else sign for sign in text)
    assert parse_number(text) == value


def _as_typed(typed: str) -> str:
    """The text with every digit, point and sign in ASCII, told independently of the parser."""
    text = "".join(str(int(sign)) if sign.isdecimal() else sign for sign in typed.strip())
    for other, plain in (("，", "."), (",", "."), ("．", "."), ("٫", "."), ("−", "-"), ("－", "-")):
        text = text.replace(other, plain)
    text = text.replace("＋", "").removeprefix("+")
    return f"0{text}" if text.startswith(".") else text.replace("-.", "-0.")


@pytest.mark.parametrize(
    ("value", "text"),
    [("5.0", "5"), ("0.50", "0.5"), ("1E+2", "100"), ("-0.0", "0"), ("100", "100"), ("-2", "-2")],
)
def test_a_number_in_a_sentence_has_no_trailing_zeros(value: str, text: str) -> None:
    assert plain_text(Decimal(value)) == text
