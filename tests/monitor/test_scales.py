"""Every code of every scale has its grade (U-49), and S counts only when roused (U-50)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.parameters import PARAMETERS
from monitor.protocols import seed_versions
from monitor.scales import (
    RECOVERY_SCORES,
    SCALES,
    SEDATION_SCALES,
    aldrete_circulation,
    aldrete_oxygen,
    padss_vital_signs,
    sedation_grade,
)

GRADES = {
    "RAMSAY": {1: 0, 2: 0, 3: 1, 4: 2, 5: 3, 6: 3},
    "RASS": {4: 0, 3: 0, 2: 0, 1: 0, 0: 0, -1: 1, -2: 1, -3: 2, -4: 3, -5: 3},
    "UK03": {0: 0, 1: 1, 2: 2, 3: 3},
    "ANZ03": {0: 0, 1: 1, 2: 2, 3: 3},
    "POSS": {1: 0, 2: 1, 3: 2, 4: 3},
    "MOAAS": {5: 0, 4: 1, 3: 2, 2: 3, 1: 3, 0: 3},
    "ACVPU": {0: 0, 1: 2, 2: 2, 3: 3, 4: 3},
}


def test_the_table_names_every_sedation_scale() -> None:
    assert set(GRADES) == set(SEDATION_SCALES)


@pytest.mark.parametrize("scale_id", GRADES)
def test_u49_every_code_has_its_harmonised_grade(scale_id: str) -> None:
    awake = {item.code for item in SCALES[scale_id].codes if not item.asleep}
    assert {code: sedation_grade(scale_id, code) for code in awake} == GRADES[scale_id]


def test_u49_acvpu_letters_stand_for_their_grades() -> None:
    grades = {item.short: item.grade for item in SCALES["ACVPU"].codes}
    assert grades == {"A": 0, "C": 2, "V": 2, "P": 3, "U": 3}


@pytest.mark.parametrize("scale_id", ["UK03", "POSS"])
def test_u50_s_is_grade_0_only_when_roused_to_voice(scale_id: str) -> None:
    assert sedation_grade(scale_id, 0, asleep=True, roused=True) == 0
    assert sedation_grade(scale_id, 0, asleep=True, roused=False) is None
    assert sedation_grade(scale_id, 0, asleep=True) is None


def test_u50_a_sleeping_patient_scored_after_calling_keeps_the_grade_of_the_code() -> None:
    assert sedation_grade("MOAAS", 2, asleep=True) == 3
    assert sedation_grade("UK03", 3, asleep=True) == 3


@pytest.mark.parametrize(("scale_id", "code"), [("UK03", 4), ("POSS", 0), ("RASS", 5)])
def test_a_code_the_scale_does_not_have_is_not_alert(scale_id: str, code: int) -> None:
    assert sedation_grade(scale_id, code) is None


def test_every_code_fits_the_limits_of_its_parameter() -> None:
    for scale in SCALES.values():
        parameter = PARAMETERS[scale.parameter]
        assert parameter.hard_below is not None
        assert parameter.hard_above is not None
        for answer in scale.codes:
            assert parameter.hard_below <= answer.code <= parameter.hard_above


def test_every_packaged_protocol_names_scales_that_exist() -> None:
    protocols = [version.content() for version in seed_versions() if version.kind == "protocol"]
    assert protocols
    for protocol in protocols:
        assert protocol["sedation_scale"] in SEDATION_SCALES
        assert SCALES[protocol["dissociation_scale"]].parameter == "dissociation"
        assert protocol["recovery_score"] in RECOVERY_SCORES


def test_poss_is_codes_without_the_wording_of_the_scale() -> None:
    assert {item.label for item in SCALES["POSS"].codes} == {
        "POSS S",
        "POSS 1",
        "POSS 2",
        "POSS 3",
        "POSS 4",
    }


@pytest.mark.parametrize(
    ("sbp", "points"), [(120, 2), (140, 2), (100, 2), (141, 1), (169, 1), (170, 0), (70, 0)]
)
def test_u79_aldrete_circulation_against_a_baseline_of_120(sbp: int, points: int) -> None:
    assert aldrete_circulation(Decimal(sbp), Decimal(120)) == points


@pytest.mark.parametrize(
    ("spo2", "on_oxygen", "points"),
    [(93, False, 2), (92, False, 1), (90, False, 1), (89, False, 0), (91, True, 1), (90, True, 0)],
)
def test_u79_aldrete_oxygen(spo2: int, on_oxygen: bool, points: int) -> None:
    assert aldrete_oxygen(Decimal(spo2), on_oxygen=on_oxygen) == points


@pytest.mark.parametrize(
    ("sbp", "hr", "points"), [(120, 60, 2), (144, 60, 2), (145, 60, 1), (120, 84, 1), (120, 85, 0)]
)
def test_u79_padss_takes_the_worse_of_pressure_and_heart_rate(
    sbp: int, hr: int, points: int
) -> None:
    assert padss_vital_signs(Decimal(sbp), Decimal(120), Decimal(hr), Decimal(60)) == points


@pytest.mark.parametrize("score_id", ["ALDRETE", "PADSS"])
def test_a_recovery_score_is_passed_at_9_of_10_and_never_while_an_item_is_missing(
    score_id: str,
) -> None:
    score = RECOVERY_SCORES[score_id]
    full = {item.key: 2 for item in score.items}
    first = score.items[0].key
    assert score.maximum == 10
    assert score.total(full) == 10
    assert score.passed(full | {first: 1})
    assert not score.passed(full | {first: 0})
    missing = {key: points for key, points in full.items() if key != first}
    assert score.total(missing) is None
    assert not score.passed(missing)
    with pytest.raises(ValueError, match=f"^{score.label} has no answer 3 to {first}$"):
        score.total(full | {first: 3})
    with pytest.raises(ValueError, match="has no answer 2 to smile"):
        score.total(full | {"smile": 2})


@pytest.mark.parametrize("score_id", ["ALDRETE", "PADSS"])
def test_a_recovery_score_says_where_it_is_from_and_what_each_answer_is_worth(
    score_id: str,
) -> None:
    score = RECOVERY_SCORES[score_id]
    assert score.source
    assert score.licence
    for item in score.items:
        assert len(set(item.answers)) == 3, item.key
        assert all(item.answers), item.key


def test_an_answer_is_not_sleep_unless_it_is_said() -> None:
    """U-50: code 0 without the tick is an alert patient."""
    answers = SCALES["UK03"].answer(0), SCALES["UK03"].answer(0, asleep=True)
    assert [answer is not None and answer.asleep for answer in answers] == [False, True]


def test_what_a_scale_does_not_have_is_none_and_not_an_empty_text() -> None:
    """Only a sedation code has a harmonised grade (U-49)."""
    assert (SCALES["UK03"].question, SCALES["UK03"].snomed) == (None, None)
    others = [scale for scale in SCALES.values() if scale.parameter != "sedation"]
    assert others
    assert {answer.grade for scale in others for answer in scale.codes} == {None}


def test_normal_sleep_is_an_answer_of_two_scales() -> None:
    """U-50."""
    assert {key for key, scale in SCALES.items() if scale.has_sleep} == {"UK03", "POSS"}
