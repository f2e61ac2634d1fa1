"""The columns of leaving: recovery scores and discharge criteria as they stood when the patient left."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from monitor.alerts import acknowledge, alert_views, alerts_to_raise
from monitor.discharge import discharge_state
from monitor.record import Answer, Fact, InfusionSession, NotTaken, Observation
from monitor.summaries import summarise
from monitor.thresholds import parse_threshold_set
from tests import build
from tests.build import at
from tests.monitor.test_discharge import BERLIN, answered, last_set, leaving, overridden

P02 = build.seeded("protocol", "P02").protocol()
LIMITS = parse_threshold_set(json.loads(build.seeded("threshold_set", "ADULT-CLINIC-1").text))
PADSS = {
    "padss_activity": 2, "padss_pain_nausea": 1, "padss_bleeding": 2, "padss_intake_output": 2,
    "hr": 70,
}  # fmt: skip
#: What keeps the schedule of P02 from 0 to the last set at 125.
IN_TIME = (15, 30, 45, 60, 75, 90, 105, 120)


def watched(minutes: Iterable[float] = IN_TIME) -> list[tuple[Observation, ...]]:
    return [build.obs_set(minute) for minute in minutes]


def left(
    *facts: Fact | Iterable[Fact],
    home: float = 130,
    minutes: Iterable[float] = IN_TIME,
    **more: Any,
) -> InfusionSession:
    """A patient who was watched in time and left."""
    return leaving(
        *watched(minutes),
        build.event("discharged", home),
        build.event("completed", home + 1),
        *facts,
        **more,
    )


def row_of(session: InfusionSession, minute: float = 600, **changes: Any) -> dict[str, Any]:
    return summarise(session, P02, LIMITS, (), (), at(minute), **changes)


def test_a_score_is_the_one_with_which_the_patient_left() -> None:
    assert row_of(left())["aldrete_final"] == 10
    tired = last_set(aldrete_consciousness=1, aldrete_activity=1)
    assert row_of(left(last=tired))["aldrete_final"] == 8
    after = build.obs_set(140, aldrete_activity=0, aldrete_respiration=0, aldrete_consciousness=0)
    assert row_of(left(after))["aldrete_final"] == 10, "scored after the patient had left"


def test_an_incomplete_score_is_empty_and_never_zero() -> None:
    assert row_of(left(last=last_set(aldrete_activity=NotTaken.REFUSED)))["aldrete_final"] is None
    assert row_of(left())["padss_final"] is None


def test_both_scores_are_there_where_both_were_made() -> None:
    row = row_of(left(last=last_set(**PADSS)))
    assert (row["aldrete_final"], row["padss_final"]) == (10, 9)


def test_a_score_that_was_corrected_counts_as_corrected() -> None:
    last = last_set(aldrete_activity=0)
    slip = next(item for item in last if item.parameter == "aldrete_activity")
    right = build.observation("aldrete_activity", 2, 125, set_id=slip.set_id, recorded_at=at(200))
    corrected = left(right, build.amendment(slip, 200, replacement=right), last=last)
    assert row_of(corrected, 150)["aldrete_final"] == 8
    assert row_of(corrected)["aldrete_final"] == 10


def test_every_criterion_met_is_yes() -> None:
    assert row_of(left())["discharge_criteria_met"] is True


@pytest.mark.parametrize(
    "session",
    [
        left(last=last_set(sbp=70)),
        left(given=answered(escort_present=Answer.NO)),
        left(given=answered(escort_present=None)),
        left(home=110, last=last_set(108), given=answered(109), minutes=IN_TIME[:-1]),
        left(home=170),
    ],
    ids=["low pressure", "no escort", "not asked", "too early", "a set is late"],
)
def test_anything_that_was_not_met_is_no(session: InfusionSession) -> None:
    assert row_of(session)["discharge_criteria_met"] is False


def test_an_override_lets_the_patient_go_and_is_no_met_criterion() -> None:
    session = left(overridden("escort_present"), given=answered(escort_present=None))
    state = discharge_state(session, P02, at(600), alerts=(), overdue=(), zone=BERLIN)
    assert state.may_leave
    assert row_of(session)["discharge_criteria_met"] is False


def test_while_the_patient_is_here_and_after_one_who_never_left_there_is_no_answer() -> None:
    here = leaving(*watched())
    assert [row_of(here, 129)[name] for name in ("aldrete_final", "discharge_criteria_met")] == [
        None,
        None,
    ]
    never = leaving(*watched(), build.event("completed", 131))
    assert row_of(never)["discharge_criteria_met"] is None


def test_an_alert_counts_as_it_stood_when_the_discharge_was_recorded() -> None:
    # A critical that is over by the set at 125: it stands until somebody answers it (U-59).
    session = left(build.obs_set(121, sbp=205))
    raised, told = alerts_to_raise(session, LIMITS, (), (), at(129), protocol=P02)
    (view,) = alert_views(session, LIMITS, raised, told, at(129), protocol=P02)
    met = []
    for minute in (129, 140):
        answer = acknowledge(view, by="okoye", action="observe", text="seen", now=at(minute))
        row = summarise(session, P02, LIMITS, raised, (*told, answer), at(600))
        met.append(row["discharge_criteria_met"])
    assert met == [True, False]
