"""The facts: frozen, merged once each in the order of the record, corrected only by an amendment."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.record import NotTaken, Observation
from tests import build


def test_a_fact_cannot_be_edited() -> None:
    observation = build.observation("hr", 68)
    with pytest.raises(FrozenInstanceError):
        observation.value = Decimal(70)  # type: ignore[misc]


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 3, 2, 9, 0)  # noqa: DTZ001
    with pytest.raises(ValueError, match="no time zone"):
        replace(build.observation("hr", 68), taken_at=naive)


@pytest.mark.parametrize(
    "changes",
    [
        {"value": None},
        {"not_taken": NotTaken.REFUSED},
        {"value": Decimal("NaN")},
        {"value": Decimal("Infinity")},
    ],
)
def test_an_observation_has_exactly_one_of_value_and_reason(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="observation"):
        replace(build.observation("hr", 68), **changes)


@given(st.permutations(range(6)), st.integers(0, 6))
def test_facts_stand_in_the_order_of_the_record_however_they_arrive(
    order: list[int], cut: int
) -> None:
    facts = [build.observation("hr", 60 + index, index // 2) for index in range(6)]
    arriving = [facts[index] for index in order]
    session = build.session().with_facts(arriving[:cut]).with_facts(arriving[cut:])
    assert session.observations == tuple(sorted(facts, key=lambda fact: fact.order))


def test_adding_a_fact_twice_changes_nothing() -> None:
    observation = build.observation("hr", 68)
    once = build.session().with_facts([observation, observation])
    assert once.with_facts([observation]).observations == (observation,)


def test_what_was_amended_stays_and_is_not_current() -> None:
    wrong = build.observation("hr", 86)
    right = replace(wrong, id=build.an_id(), value=Decimal(68))
    session = build.session(wrong, right, build.amendment(wrong, 5, right))
    assert wrong in session.observations
    assert session.current_observations == (right,)
    assert session.fact(wrong.id) is wrong


def test_as_it_was_known_leaves_out_what_was_saved_later() -> None:
    late: Observation = build.observation("hr", 68, 0, recorded=30)
    session = build.session(build.observation("hr", 70, 5), late)
    assert late not in session.known_at(build.at(10)).observations
    assert late in session.known_at(build.at(30)).observations


@pytest.mark.parametrize(
    ("written", "shown", "has"),
    [
        ("penicillin", "ALLERGY penicillin", True),
        ("None known.", "no known allergies", False),
        ("  ", "allergies not asked", False),
        ("none known but latex", "ALLERGY none known but latex", True),
    ],
)
def test_an_allergy_not_asked_is_not_none_known(written: str, shown: str, has: bool) -> None:
    patient = build.patient(allergies=written)
    assert (patient.allergy_text, patient.has_allergies) == (shown, has)


def test_age_is_in_completed_years() -> None:
    patient = build.patient(born_on=date(1979, 5, 17))
    assert patient.age_on(date(2026, 5, 16)) == 46
    assert patient.age_on(date(2026, 5, 17)) == 47
