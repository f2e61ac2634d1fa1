"""Invented pressures rise as published ones do, and the same seed invents the same in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date
from functools import cache
from math import sqrt
from random import Random
from statistics import mean, stdev
from typing import Any

import pytest

from monitor.actions.opening import protocol_of
from monitor.alerts import CALLS_NOBODY, AlertEventKind
from monitor.record import InfusionSession
from monitor.synthetic import invent_session, record_alerts, visits
from monitor.synthetic.expectations import expectations
from monitor.thresholds import parse_threshold_set
from tests.build import seeded

#: How many infusions the published series has (clinical.md F18).
PUBLISHED = 2342
#: Two samples differ by chance by so many standard errors in one of twenty cases.
BY_CHANCE = 1.96
SEVERE = {"sbp": 180, "dbp": 110}

#: Run in a process of its own: sets of words have another order there.
DIGEST = """
from hashlib import sha256
from tests.monitor.test_synthetic import invented
print(sha256(repr([list(s.facts()) for s in invented(40, "P17")]).encode()).hexdigest())
"""


def invented(count: int, code: str, seed: int = 20261128) -> list[InfusionSession]:
    """Started sessions under one protocol, of so many visits under all."""
    pinned = seeded("protocol", code)
    protocol = protocol_of(pinned)
    limits = seeded("threshold_set", protocol.threshold_set)
    planned = visits(
        sessions=count,
        seed=seed,
        clinic="invented",
        since=date(2024, 1, 1),
        until=date(2026, 10, 30),
        zone=UTC,
    )
    made = (
        invent_session(visit, protocol, pinned, limits)
        for visit in planned
        if visit.person.protocol == code
    )
    return [session for session in made if session.started_at is not None]


def pressures(session: InfusionSession, sign: str) -> tuple[list[float], list[float]]:
    """The readings up to the first dose, and those after it."""
    started_at = session.started_at
    assert started_at is not None
    before: list[float] = []
    after: list[float] = []
    for seen in session.current_observations:
        if seen.parameter == sign and seen.value is not None:
            (after if seen.taken_at > started_at else before).append(float(seen.value))
    return before, after


@cache
def under_p17() -> tuple[InfusionSession, ...]:
    return tuple(invented(2600, "P17"))


def rises(sign: str) -> list[float]:
    """The highest reading above the mean of those before the dose, of every session."""
    found = []
    for session in under_p17():
        before, after = pressures(session, sign)
        if before and after:
            found.append(max(after) - mean(before))
    return found


def share_by_chance(share: float, count: int) -> float:
    return BY_CHANCE * sqrt(share * (1 - share) * (1 / count + 1 / PUBLISHED))


@pytest.mark.parametrize("sign", ["sbp", "dbp"])
def test_the_pressure_rises_as_published(sign: str) -> None:
    published: dict[str, Any] = dict(expectations()["rise"])
    found = rises(sign)
    assert len(found) >= 500
    spread = sqrt(1 / len(found) + 1 / PUBLISHED)
    sd = published[f"{sign}_sd"]
    assert mean(found) == pytest.approx(published[f"{sign}_mean"], abs=BY_CHANCE * sd * spread)
    assert stdev(found) == pytest.approx(sd, abs=BY_CHANCE * sd * spread / sqrt(2))


def test_as_many_reach_a_severe_pressure_as_published() -> None:
    share = expectations()["rise"]["severe_percent"] / 100
    sessions = under_p17()
    severe = sum(
        any(max(pressures(session, sign)[1], default=0) >= limit for sign, limit in SEVERE.items())
        for session in sessions
    )
    assert severe / len(sessions) == pytest.approx(share, abs=share_by_chance(share, len(sessions)))


def test_an_invented_answer_is_one_that_could_be_given() -> None:
    """A critical alert about which nobody is called says why, as at the bedside."""
    protocol = protocol_of(seeded("protocol", "P02"))
    limits = parse_threshold_set(seeded("threshold_set", protocol.threshold_set).content())
    answers = [
        event
        for session in invented(60, "P02")
        for event in record_alerts(session, protocol, limits, Random(str(session.id)))[1]
        if event.kind is AlertEventKind.ACKNOWLEDGED and event.level == "critical"
    ]
    nobody = [answer for answer in answers if answer.action in CALLS_NOBODY]
    assert nobody
    assert all(answer.text for answer in nobody)


def test_every_process_invents_the_same() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
