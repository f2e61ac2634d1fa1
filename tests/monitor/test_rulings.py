"""Every ruling of clinical.md 16 that is about flags has a test that names it (U-02 to U-66).

A test names a ruling in its name (``test_u37_...``), in its docstring, in a comment or in a row of
its table (``U-37``).  What the first lines of a module announce does not count: it is no case.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
RULINGS = range(2, 67)

_NAMED = re.compile(r"\bU-(\d\d)\b|\bdef test_(?:\w*_)?u(\d\d)_")

#: Rulings that are not about flags: where their tests are, and what they are about.
ELSEWHERE = {
    4: ("monitor/test_discharge.py", "when a patient may leave, not when a flag is raised"),
    21: ("monitor/test_dosing_limits.py", "what is asked before a dose is saved"),
    22: ("monitor/test_dosing_limits.py", "what is asked before a dose is saved"),
    23: ("monitor/test_dosing_limits.py", "what is asked before a dose is saved"),
    24: ("monitor/test_dosing_limits.py", "what is asked before a dose is saved"),
    26: ("monitor/test_dosing_limits.py", "what is asked before a dose is saved"),
    27: ("monitor/test_dosing_given.py", "how a dose is added up"),
    28: ("monitor/test_dosing_limits.py", "what a change of syringe does to the rate"),
    29: ("monitor/test_dosing_limits.py", "what is asked before a dose is saved"),
    30: ("monitor/test_dosing_limits.py", "what is never asked before a dose is saved"),
    32: ("monitor/test_dosing_limits.py", "what is asked before a dose is saved"),
    45: ("monitor/test_gate.py", "when an infusion may start"),
}

#: Rulings of what the program does not have yet.
NOT_BUILT = {64: "the report of the alert burden: what was acted on, what was false"}


def rulings_named_in(source: str) -> frozenset[int]:
    """The rulings a test module names below its own docstring."""
    first = ast.parse(source).body[0]
    announced = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    lines = source.splitlines()[first.end_lineno if announced else 0 :]
    return frozenset(int(one or two) for one, two in _NAMED.findall("\n".join(lines)))


@cache
def named() -> dict[str, frozenset[int]]:
    """What each test module names."""
    return {
        path.relative_to(TESTS).as_posix(): rulings_named_in(path.read_text("utf-8"))
        for path in TESTS.rglob("test_*.py")
        if path != Path(__file__)
    }


@pytest.mark.parametrize("number", [n for n in RULINGS if n not in ELSEWHERE | NOT_BUILT])
def test_a_ruling_about_flags_has_a_test_that_names_it(number: int) -> None:
    assert [module for module, rulings in named().items() if number in rulings]


@pytest.mark.parametrize("number", ELSEWHERE)
def test_a_ruling_about_something_else_is_tested_where_the_list_says(number: int) -> None:
    module, _about = ELSEWHERE[number]
    assert number in named()[module]


@pytest.mark.parametrize("number", NOT_BUILT)
def test_what_is_not_built_is_not_said_to_be_tested(number: int) -> None:
    """Whoever builds it takes it off the list, and then it needs its test."""
    assert not [module for module, rulings in named().items() if number in rulings]


def test_names_docstrings_comments_and_rows_count_and_the_modules_announcement_does_not() -> None:
    source = '''"""About U-10 and U-11."""

ROWS = [("U-12", 1)]  # U-13


def test_u14_something() -> None:
    """U-15: as it says; not U-160."""


def test_of_the_u16_clock() -> None: ...


def helper_u17_() -> None: ...
'''
    assert rulings_named_in(source) == {12, 13, 14, 15, 16}
