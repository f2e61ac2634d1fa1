"""The vocabulary holds everything the founding documents name, with codes that are codes."""

from __future__ import annotations

import re

import pytest

from monitor.side_effects import (
    ACTIONS,
    CRITICAL_TERMS,
    GRADES,
    NONE,
    RELATIONS,
    TERMS,
    grade_rule,
    is_critical,
)

#: Verhoeff's tables: multiplication in the dihedral group D5, and its permutations.
_D = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
]
_P = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
for _ in range(6):
    _P.append([_P[-1][_P[1][digit]] for digit in range(10)])


def verhoeff_ok(code: str) -> bool:
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = _D[check][_P[place % 8][int(digit)]]
    return check == 0


def codes() -> list[str]:
    own = [term.snomed for term in TERMS.values() if term.snomed]
    return own + [code for term in TERMS.values() for _, code in term.narrower]


def test_every_side_effect_named_in_the_seeds_has_a_term() -> None:
    seeds = {seed for term in TERMS.values() for seed in re.findall(r"E-\d\d", term.seed)}
    assert seeds == {f"E-{number:02d}" for number in range(1, 32)}


@pytest.mark.parametrize("code", codes())
def test_u76_every_snomed_code_has_a_right_check_digit(code: str) -> None:
    assert verhoeff_ok(code)


def test_the_check_digit_test_can_fail() -> None:
    assert not verhoeff_ok("422587008")


def test_no_code_stands_for_two_terms() -> None:
    own = [term.snomed for term in TERMS.values() if term.snomed]
    assert len(own) == len(set(own))
    assert "271825005" not in codes()  # respiratory distress, not depression


def test_u76_movement_is_involuntary_movement() -> None:
    movement = TERMS["movement"]
    assert (movement.snomed, movement.display) == ("267078001", "Involuntary movement")
    assert "Dyskinesia" not in (movement.meddra_pt or "")


@pytest.mark.parametrize("term", sorted(CRITICAL_TERMS))
def test_u03_a_critical_term_is_critical_at_grade_1(term: str) -> None:
    assert term in TERMS
    assert is_critical(term, 1)


@pytest.mark.parametrize("term", sorted(set(TERMS) - CRITICAL_TERMS - {NONE}))
def test_u03_any_other_term_is_critical_from_grade_3(term: str) -> None:
    assert [grade for grade in range(1, 6) if is_critical(term, grade)] == [3, 4, 5]


def test_u03_names_these_terms() -> None:
    named = "seizure syncope low_loc apnoea resp_dep laryngospasm anaphylaxis chest_pain"
    assert set(f"{named} arrhythmia delirium psychosis suicidal".split()) == CRITICAL_TERMS


def test_none_is_a_term_and_not_critical() -> None:
    assert not is_critical(NONE, 0)


def test_blood_pressure_is_not_graded_like_the_other_terms() -> None:
    assert set(GRADES) == {1, 2, 3, 4, 5}
    assert grade_rule("bp_high", 2) == "Rate reduced or one drug given"
    assert grade_rule("nausea", 2) == GRADES[2].rule


def test_every_term_says_what_it_is_and_what_is_done() -> None:
    for term in TERMS.values():
        assert term.display
        assert term.category
        assert term.help[0].isupper()


@pytest.mark.parametrize(
    ("typed", "term"),
    [("sick", "vomiting"), ("sick", "nausea"), ("422587007", "nausea"), ("Somnolence", "drowsy")],
)
def test_a_term_is_found_by_what_staff_call_it_and_by_its_codes(typed: str, term: str) -> None:
    assert any(typed in text for text in TERMS[term].found_by)


def test_every_term_can_be_found_by_another_word_than_its_own() -> None:
    alone = [key for key, term in TERMS.items() if key != NONE and not term.synonyms]
    assert alone == []
    doubled = [key for key, term in TERMS.items() if len(set(term.synonyms)) < len(term.synonyms)]
    assert doubled == []


def test_relation_and_action_are_those_of_the_reference() -> None:
    assert tuple(RELATIONS) == ("unrelated", "possible", "probable", "definite")
    assert tuple(ACTIONS) == ("none", "slow", "pause", "stop", "drug", "other")
