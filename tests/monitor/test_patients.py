"""What is asked of a patient, and how a change is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from monitor.patients import differences, patient_problems, with_number
from tests import build

TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"allergies": "none known"}, []),
        ({"allergies": ""}, ["allergies"]),
        ({"family_name": " ", "mrn": "", "allergies": "latex"}, ["family_name", "mrn"]),
        ({"born_on": date(2026, 3, 3), "allergies": "latex"}, ["born_on"]),
        ({"born_on": TODAY, "allergies": "latex"}, []),
        ({"born_on": date(1901, 3, 3), "allergies": "latex"}, []),
        ({"born_on": date(1900, 3, 2), "allergies": "latex"}, ["born_on"]),
    ],
)
def test_what_is_wrong_with_a_patient(changes: Any, fields: list[str]) -> None:
    found = patient_problems(build.patient(**changes), TODAY)
    assert [problem.field for problem in found] == fields


def test_a_change_names_every_field_with_before_and_after() -> None:
    before = build.patient(allergies="", born_on=date(1979, 5, 17))
    after = replace(before, allergies="latex", born_on=date(1979, 5, 7))
    assert differences(before, after) == (
        "date of birth: 17 May 1979 → 7 May 1979",
        "allergies: nothing → latex",
    )
    assert differences(before, before) == ()


def test_a_number_typed_or_scanned_whole_is_one_patient() -> None:
    ada = build.patient(mrn="004 211")
    bo = build.patient(mrn="004 2110")

    assert with_number([ada, bo], " 004 211 ") is ada
    assert with_number([ada, bo], "004211") is ada
    assert with_number([ada, bo], "004 21") is None
    assert with_number([ada, build.patient(mrn="004211")], "004 211") is None, "two are no one"
    assert with_number([], "004 211") is None
