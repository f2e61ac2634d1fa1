"""Recovery scores item by item: clinical.md 5.8 with U-79."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.lifecycle import EventKind
from monitor.record import Fact, InfusionSession, NotTaken, Observation
from monitor.recovery import RecoveryState, recovery_state, scored_parameter
from monitor.scales import RECOVERY_SCORES
from tests import build
from tests.build import at

#: Baseline 120/80, HR 60, SpO2 97; infusion from 0 to 60; recovery set at 75, scored at 76.
BASELINE: dict[str, Any] = {"sbp": 120, "dbp": 80, "hr": 60, "spo2": 97}
NOW = at(80)
ALDRETE: dict[str, Any] = {
    "aldrete_activity": 2,
    "aldrete_respiration": 2,
    "aldrete_consciousness": 2,
}
PADSS: dict[str, Any] = {
    "padss_activity": 2,
    "padss_pain_nausea": 2,
    "padss_bleeding": 2,
    "padss_intake_output": 2,
}


def recovering(*facts: Fact | tuple[Observation, ...], **changes: Any) -> InfusionSession:
    values = {"sbp": 120, "dbp": 80, "hr": 60, "spo2": 97, "o2_flow": 0} | changes
    return build.session(
        build.obs_set(-10, **BASELINE),
        build.rate("0.2", 0),
        build.stop(60),
        build.obs_set(75, **values),
        *facts,
    )


def scored(minute: float = 76, **points: Any) -> tuple[Observation, ...]:
    return build.obs_set(minute, normal=False, **points)


def points(state: RecoveryState, key: str) -> int | None:
    return next(part.points for part in state.parts if part.item.key == key)


@pytest.mark.parametrize("score_id", sorted(RECOVERY_SCORES))
def test_every_item_is_scored_or_worked_out(score_id: str) -> None:
    state = recovery_state(recovering(), score_id, NOW)
    worked_out = {part.item.key for part in state.parts if part.parameter is None}
    assert worked_out == ({"circulation", "oxygen"} if score_id == "ALDRETE" else {"vital_signs"})
    assert {points(state, key) for key in worked_out} == {2}


@pytest.mark.parametrize(
    ("sbp", "expected"),
    [(100, 2), (140, 2), (99, 1), (141, 1), (71, 1), (169, 1), (70, 0), (170, 0)],
    ids=lambda value: f"U-79:{value}",
)
def test_aldrete_circulation(sbp: int, expected: int) -> None:
    assert points(recovery_state(recovering(sbp=sbp), "ALDRETE", NOW), "circulation") == expected


@pytest.mark.parametrize(
    ("spo2", "o2_flow", "expected"),
    [(93, 0, 2), (92, 0, 1), (90, 0, 1), (89, 0, 0), (99, 2, 1), (91, 2, 1), (90, 2, 0)],
    ids=lambda value: f"U-79:{value}",
)
def test_aldrete_oxygen(spo2: int, o2_flow: int, expected: int) -> None:
    state = recovery_state(recovering(spo2=spo2, o2_flow=o2_flow), "ALDRETE", NOW)
    assert points(state, "oxygen") == expected


@pytest.mark.parametrize(
    ("sbp", "hr", "expected"),
    [
        (144, 60, 2), (96, 60, 2), (145, 60, 1), (95, 60, 1), (168, 60, 1), (169, 60, 0),
        (120, 72, 2), (120, 73, 1), (120, 84, 1), (120, 85, 0), (145, 85, 0),
    ],
    ids=lambda value: f"U-79:{value}",
)  # fmt: skip
def test_padss_takes_the_worse_of_pressure_and_heart_rate(sbp: int, hr: int, expected: int) -> None:
    state = recovery_state(recovering(sbp=sbp, hr=hr), "PADSS", NOW)
    assert points(state, "vital_signs") == expected


@pytest.mark.parametrize(
    ("activity", "respiration", "total", "passed"),
    [(2, 2, 10, True), (1, 2, 9, True), (1, 1, 8, False)],
    ids=lambda value: f"U-79:{value}",
)
def test_aldrete_passes_from_9(activity: int, respiration: int, total: int, passed: bool) -> None:
    given = ALDRETE | {"aldrete_activity": activity, "aldrete_respiration": respiration}
    state = recovery_state(recovering(scored(**given)), "ALDRETE", NOW)
    assert (state.total, state.passed) == (total, passed)
    assert str(state) == f"Modified Aldrete {total}/10"


def test_padss_is_complete_with_its_four_scored_items() -> None:
    state = recovery_state(recovering(scored(**PADSS)), "PADSS", NOW)
    assert (state.total, state.missing) == (10, ())


@pytest.mark.parametrize("left_out", sorted(ALDRETE))
def test_a_score_with_an_item_missing_has_no_total_and_says_which(left_out: str) -> None:
    state = recovery_state(recovering(scored(**(ALDRETE | {left_out: None}))), "ALDRETE", NOW)
    assert state.total is None
    assert not state.passed
    [missing] = state.missing
    label = next(part.item.label for part in state.parts if part.parameter == left_out)
    assert missing == f"Score {label.lower()}."
    assert str(state) == "Modified Aldrete incomplete, at least 8/10"


def test_oxygen_that_nobody_recorded_is_not_air() -> None:
    state = recovery_state(recovering(scored(**ALDRETE), o2_flow=None), "ALDRETE", NOW)
    assert state.missing == ("Record the oxygen flow (0 on air).",)


def test_an_oxygen_event_makes_an_older_flow_unknown() -> None:
    touched = build.event(EventKind.OXYGEN, 77)
    state = recovery_state(recovering(scored(**ALDRETE), touched), "ALDRETE", NOW)
    assert state.missing == ("Record the oxygen flow (0 on air).",)


def test_without_a_baseline_there_is_nothing_to_compare_with() -> None:
    session = build.session(
        build.rate("0.2", 0), build.stop(60), build.obs_set(75, o2_flow=0), scored(**ALDRETE)
    )
    assert recovery_state(session, "ALDRETE", NOW).total is None
    assert "no baseline" in recovery_state(session, "ALDRETE", NOW).missing[0]
    assert "no baseline" in recovery_state(session, "PADSS", NOW).missing[0]


def test_what_was_scored_or_taken_during_the_infusion_says_nothing_about_leaving() -> None:
    session = build.session(
        build.obs_set(-10, **BASELINE),
        build.rate("0.2", 0),
        build.obs_set(50, o2_flow=0),
        scored(59, **ALDRETE),
        build.stop(60),
    )
    state = recovery_state(session, "ALDRETE", NOW)
    assert state.points == {}
    assert len(state.missing) == 5


def test_the_last_score_counts_as_a_whole_and_not_item_by_item() -> None:
    session = recovering(scored(76, **ALDRETE), scored(78, aldrete_activity=1))
    state = recovery_state(session, "ALDRETE", NOW)
    assert points(state, "activity") == 1
    assert points(state, "consciousness") is None


def test_a_pressure_before_the_cuff_came_off_is_not_the_latest() -> None:
    session = recovering(scored(**ALDRETE), build.observation("sbp", NotTaken.CUFF_OFF, 78))
    assert recovery_state(session, "ALDRETE", NOW).missing == ("Take the blood pressure.",)


def test_a_restart_makes_the_score_of_the_first_recovery_void() -> None:
    session = recovering(scored(**ALDRETE), build.rate("0.2", 77), build.stop(79))
    assert recovery_state(session, "ALDRETE", NOW).points == {}


def test_after_discharge_it_says_how_things_stood_then() -> None:
    session = recovering(
        scored(**ALDRETE), build.event(EventKind.DISCHARGED, 120), build.obs_set(125, sbp=200)
    )
    assert recovery_state(session, "ALDRETE", at(130)).total == 10


def test_what_is_saved_later_is_not_known_yet() -> None:
    session = recovering(scored(76, **ALDRETE))
    late = scored(77, **dict.fromkeys(ALDRETE, 0))
    changed = session.with_facts(
        build.observation(item.parameter, item.value, 77, recorded=90, set_id=late[0].set_id)
        for item in late
    )
    assert recovery_state(changed, "ALDRETE", NOW).total == 10
    assert recovery_state(changed, "ALDRETE", at(90)).total == 4


def test_the_parameter_of_an_item() -> None:
    assert scored_parameter("ALDRETE", "activity") == "aldrete_activity"
    assert scored_parameter("ALDRETE", "circulation") is None
