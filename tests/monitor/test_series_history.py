"""The vectorised evaluator finds in a history exactly what the readable one finds in each session."""

from __future__ import annotations

from datetime import datetime

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from monitor.breaches import find_breaches
from monitor.record import Fact, InfusionSession
from monitor.series import can_judge, find_history_breaches
from monitor.thresholds import ThresholdSet
from tests.build import T0, event, session
from tests.monitor.limits import default_set
from tests.monitor.series_history import history_of, told, told_of
from tests.monitor.test_breaches_properties import after, facts

MOMENTS = st.integers(-600, 9000).map(after)
QUICK = settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])


@st.composite
def sessions(draw: st.DrawFn) -> list[InfusionSession]:
    """One to three sessions, some closed, some discharged."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        given_: list[Fact] = draw(facts())
        closing = draw(st.sampled_from([None, None, "discharged", "completed"]))
        if closing is not None:
            given_.append(event(closing, draw(st.integers(10, 60))))
        scale = draw(st.sampled_from(["UK03", "RASS", "POSS"]))
        found.append(
            session(given_, spo2_scale=draw(st.sampled_from([1, 1, 2])), sedation_scale=scale)
        )
    return found


def assert_same(given_: list[InfusionSession], limits: ThresholdSet, as_of: datetime) -> None:
    found = [find_breaches(item, limits, as_of) for item in given_]
    for rule in filter(can_judge, limits.rules):
        episodes = find_history_breaches(rule, history_of(given_, rule.sign, limits, as_of), limits)
        for index, breaches in enumerate(found):
            readable = [told(breach, T0) for breach in breaches if breach.rule_id == rule.id]
            assert told_of(episodes, index) == readable, rule.id


@QUICK
@given(sessions(), MOMENTS)
def test_both_evaluators_agree_on_every_rule(
    given_: list[InfusionSession], as_of: datetime
) -> None:
    assert_same(given_, default_set(), as_of)
