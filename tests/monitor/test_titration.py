"""P02 raises the rate only while the patient is awake enough (clinical.md 2.1 P02, U-49, U-53)."""

from __future__ import annotations

from typing import Any

import pytest

from monitor import actions
from monitor.errors import NeedsConfirmation
from monitor.protocols import TitrateIf, parse_protocol
from monitor.store import Store
from monitor.titration import titration_doubts
from tests import build
from tests.build import at, seeded
from tests.entering import BLUM, NORMAL, entered, infusing, rate_request, save
from tests.monitor.dosing_sessions import P02, P17, D

NOW = at(20)


def doubts(*facts: Any, **session: Any) -> tuple[str, ...]:
    return titration_doubts(build.session(*facts, **session), P02, (), NOW)


def test_the_condition_is_data_of_the_protocol() -> None:
    assert P02.titrate_if == TitrateIf(1, D(3), vitals_in_limits=True)
    assert P17.titrate_if is None
    content = seeded("protocol", "P02").content()
    del content["titrate_if"]
    assert parse_protocol(content).titrate_if is None


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"sedation": 0, "dissociation": 0}, ()),
        ({"sedation": 1, "dissociation": 3}, ()),
        ({"sedation": 2}, ("sedation is grade 2 (at most 1)",)),
        ({"dissociation": 4}, ("dissociation is 4 (at most 3)",)),
        (
            {"sedation": 2, "dissociation": 6},
            ("sedation is grade 2 (at most 1)", "dissociation is 6 (at most 3)"),
        ),
        ({"dissociation": None}, ("dissociation is not scored (at most 3)",)),
        ({"sedation": build.NotTaken.NOT_ASSESSED}, ("sedation is not scored (at most grade 1)",)),
    ],
)
def test_what_does_not_hold_is_said_with_its_value(
    values: dict[str, Any], found: tuple[str, ...]
) -> None:
    assert doubts(build.obs_set(15, **values)) == found


def test_the_newest_score_counts_and_grades_are_those_of_every_scale() -> None:
    drowsy, awake = build.obs_set(5, sedation=2), build.obs_set(15)
    assert doubts(drowsy, awake) == ()
    assert doubts(awake, build.obs_set(16, sedation=2)) == ("sedation is grade 2 (at most 1)",)
    # A set of later on does not count for a dose given before it.
    assert doubts(awake, build.obs_set(25, sedation=3)) == ()
    # POSS 2 is grade 1, POSS 3 is grade 2.
    assert doubts(build.obs_set(15, sedation=2), sedation_scale="POSS") == ()
    assert doubts(build.obs_set(15, sedation=3), sedation_scale="POSS")[0].startswith("sedation")


def test_normal_sleep_counts_only_when_the_patient_was_roused() -> None:
    said = {"sedation": 0, "asleep": 1}
    assert doubts(build.obs_set(15, **said, roused_to_voice=1)) == ()
    assert doubts(build.obs_set(15, **said)) == ("sedation is not scored (at most grade 1)",)


def test_raising_asks_one_question_and_lowering_none(store: Store) -> None:
    session_id = infusing(store)
    save(store, session_id, entered(14, **NORMAL | {"sedation": "2", "dissociation": "6"}), at(14))
    raised = rate_request("0.15", 15, reason="ordered")
    with pytest.raises(NeedsConfirmation) as asked:
        actions.change_rate(store, BLUM, session_id, raised, now=at(15))
    question = next(item for item in asked.value.problems if item.code == "titrate_if.soft")
    assert question.message == (
        "P02 does not raise the rate now: sedation is grade 2 (at most 1); dissociation is 6 (at "
        "most 3). Raise it only with a reason."
    )
    codes = frozenset(item.code for item in asked.value.problems)
    lowered = rate_request("0.05", 15)
    assert actions.change_rate(store, BLUM, session_id, lowered, now=at(15)).session.dose_steps
    opened = actions.change_rate(
        store,
        BLUM,
        session_id,
        rate_request("0.15", 16, reason="ordered"),
        now=at(16),
        confirmed=codes | {"step_interval.soft"},
    )
    assert "titrate_if.soft" in opened.session.dose_steps[-1].overrides


def test_an_open_alert_of_the_blood_pressure_stands_against_it(store: Store) -> None:
    session_id = infusing(store)
    for minute in (10, 12):
        high = NORMAL | {"sbp": "172", "dbp": "95", "dissociation": "0"}
        save(store, session_id, entered(minute, **high), at(minute))
    opened = actions.open_session(store, BLUM, session_id, now=at(20))
    found = opened.titration_doubts(at(20))
    assert len(found) == 1
    assert found[0].endswith("is not over")
    # Answered or not: what counts is that the pressure is still beyond its limit.
    save(store, session_id, entered(21, **NORMAL | {"dissociation": "0"}), at(21))
    opened = actions.open_session(store, BLUM, session_id, now=at(22))
    assert opened.titration_doubts(at(22)) == ()
