"""What holds for every record, whatever was read and in whatever order it was saved."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.breaches import Breach, find_breaches
from monitor.patient_limits import PatientLimits
from monitor.record import Fact, InfusionSession, NotTaken, Observation
from monitor.thresholds import OPERATORS
from tests.build import T0, an_id, event, observation, rate, session, side_effect
from tests.monitor.limits import default_set

#: Values around the limits: the interesting ones are at the edges.
VALUES: dict[str, list[Any]] = {
    "sbp": [84, 89, 90, 99, 100, 105, 120, 154, 155, 159, 160, 174, 175, 180, 185, 200],
    "dbp": [60, 80, 95, 99, 100, 104, 110, 120, NotTaken.UNRECORDABLE],
    "hr": [0, 40, 41, 45, 50, 55, 72, 94, 104, 105, 111, 125, 131],
    "spo2": [83, 86, 89, 90, 92, 93, 95, 98, NotTaken.NO_TRACE, NotTaken.EQUIPMENT],
    "rr": [0, 8, 9, 10, 11, 14, 22, 25, 30],
    "sedation": [0, 1, 2, 3, NotTaken.NOT_ASSESSED],
    "dissociation": [0, 4, 5, 7],
    "distress": [0, 1],
    "nausea": [0, 1, 2, 3],
    "vomited": [0, 1],
    "chest_pain": [0, 1],
    "pain": [0, 3, 4, 5, 6],
    "o2_flow": [0, 2, 4, 5],
    "temp": ["35.0", "36.0", "36.1", "38.0", "38.1"],
}
#: Absolute limits on one number: the rows a second, simpler reading of the table can check.
PLAIN_RULES = [
    rule
    for rule in default_set().rules
    if rule.sign in ("sbp", "dbp", "hr", "rr", "temp")
    and not rule.not_when
    and not rule.only_when
    and all(
        condition.measure == "value"
        for level in rule.levels
        for clause in level.fires
        for condition in clause
    )
]


def after(seconds: int) -> datetime:
    return T0 + timedelta(seconds=seconds)


@st.composite
def facts(draw: st.DrawFn, orderly: bool = False) -> list[Fact]:
    """Up to twelve sets, from before the start on; side effects and vomiting.

    Unless ``orderly`` some are saved late, and some are so close that they contradict each other.
    """
    found: list[Fact] = [rate("0.1", 0)]
    near = [] if orderly else [0, 20, 59]
    gaps = st.sampled_from([*near, 60, 61, 90, 120, 121, 240, 299, 300, 301, 600])
    moment = -600
    for _ in range(draw(st.integers(1, 12))):
        moment += draw(gaps)
        delay = draw(st.sampled_from([0] if orderly else [0, 5, 90, 700, 3000]))
        set_id = an_id()
        for parameter in draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True, max_size=5)):
            value = draw(st.sampled_from(VALUES[parameter]))
            found.append(
                observation(
                    parameter,
                    value,
                    moment / 60,
                    set_id=set_id,
                    taken_at=after(moment),
                    recorded_at=after(moment + delay),
                )
            )
        if draw(st.integers(0, 9)) == 0:
            term, grade = draw(st.sampled_from([("seizure", 1), ("dizzy", 3), ("nausea", 2)]))
            found.append(side_effect(term, grade, moment / 60))
        if draw(st.integers(0, 9)) == 0:
            found.append(event("vomited", moment / 60))
    return found


def judged(session_: InfusionSession, as_of: datetime) -> tuple[Breach, ...]:
    return find_breaches(session_, default_set(), as_of)


MOMENTS = st.integers(-600, 9000).map(after)
EASY = settings(max_examples=60, deadline=None)


@EASY
@given(facts(), MOMENTS)
def test_reading_by_reading_is_the_same_as_all_at_once(given_: list[Fact], as_of: datetime) -> None:
    """design.md ruling 14: for the same facts and the same as_of."""
    one_by_one = session()
    for fact in sorted(given_, key=lambda item: (item.recorded_at, item.id)):
        if fact.recorded_at <= as_of:
            one_by_one = one_by_one.with_facts([fact])
            judged(one_by_one, fact.recorded_at)
    at_once = replace(one_by_one, **held(session().with_facts(given_)))
    assert judged(one_by_one, as_of) == judged(at_once, as_of)


def held(source: InfusionSession) -> dict[str, Any]:
    names = ("observations", "dose_steps", "side_effects", "events")
    return {name: getattr(source, name) for name in names}


@EASY
@given(facts(), MOMENTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    given_: list[Fact], as_of: datetime, shuffle: random.Random
) -> None:
    ordered = session().with_facts(given_)
    mixed = list(ordered.observations)
    shuffle.shuffle(mixed)
    assert judged(replace(ordered, observations=tuple(mixed)), as_of) == judged(ordered, as_of)


@EASY
@given(facts(orderly=True), MOMENTS, MOMENTS)
def test_what_was_seen_in_time_is_never_taken_back(
    given_: list[Fact], one: datetime, two: datetime
) -> None:
    """Where everything is saved when it is taken, a later look only adds to the course.

    (An entry that contradicts another of less than a minute before may take a clearing back.)
    """
    early, late = sorted((one, two))
    whole = session().with_facts(given_)
    before, now = judged(whole, early), judged(whole, late)
    for breach in before:
        same = next((item for item in now if key(item) == key(breach)), None)
        assert same is not None
        # A reading taken at the very moment of the look may still replace what the clock said.
        told = [step for step in breach.steps if step.at < early]
        assert list(same.steps[: len(told)]) == told


def key(breach: Breach) -> tuple[Any, ...]:
    return (breach.rule_id, breach.onset_at, breach.subject)


@EASY
@given(facts(), MOMENTS)
def test_every_value_outside_is_in_exactly_one_breach_of_its_rule(
    given_: list[Fact], as_of: datetime
) -> None:
    whole = session().with_facts(given_)
    found = judged(whole, as_of)
    for rule in PLAIN_RULES:
        holds = Counter(
            fact.id for breach in found if breach.rule_id == rule.id for fact in breach.readings
        )
        for seen in whole.observations:
            in_force = rule.from_arrival or seen.taken_at >= T0
            if seen.parameter == rule.sign and seen.value is not None:
                expected = seen.recorded_at <= as_of and in_force and outside(rule, seen)
                assert holds[seen.id] == int(expected), (rule.id, seen.value)


def outside(rule: Any, seen: Observation) -> bool:
    """The same question asked of the table directly."""
    assert seen.value is not None
    return any(
        all(OPERATORS[item.operator](seen.value, item.limit) for item in clause)
        for level in rule.levels
        for clause in level.fires
    )


@EASY
@given(facts(), MOMENTS)
def test_a_course_is_orderly(given_: list[Fact], as_of: datetime) -> None:
    """Confirmed is never above shown; it ends when nothing is shown; episodes do not overlap."""
    found = judged(session().with_facts(given_), as_of)
    ends: dict[tuple[Any, ...], datetime] = {}
    for breach in found:
        times = [step.at for step in breach.steps]
        assert times == sorted(times)
        assert all(step.confirmed <= step.shown for step in breach.steps)
        assert all(step.shown for step in breach.steps[:-1])
        assert (breach.ended_at is None) == bool(breach.steps[-1].shown)
        assert (breach.state == "unconfirmed") <= (breach.confirmed_level is None)
        assert breach.trigger in breach.readings
        rule = (breach.rule_id, breach.subject)
        assert rule not in ends or ends[rule] <= breach.onset_at
        ends[rule] = breach.ended_at or datetime.max.replace(tzinfo=T0.tzinfo)


@EASY
@given(facts(), MOMENTS)
def test_skipping_what_cannot_be_outside_changes_nothing(
    given_: list[Fact], as_of: datetime
) -> None:
    whole = session().with_facts(given_)
    fast = judged(whole, as_of)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PatientLimits, "may_fire", lambda *_: True)
        assert judged(whole, as_of) == fast


def test_the_rules_that_are_checked_twice_are_not_few() -> None:
    assert {rule.id for rule in PLAIN_RULES} >= {
        "sbp_high",
        "dbp_high",
        "sbp_low",
        "rr_low",
        "temp",
    }
