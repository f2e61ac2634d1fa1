"""A replay leaves out looks that find nothing; what it tells is what a look at every tick tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from monitor.actions.opening import protocol_of
from monitor.alerts import Alert, AlertEvent, AlertEventKind, alerts_to_raise
from monitor.breaches import rules_end_at
from monitor.protocols import InfusionProtocol
from monitor.record import InfusionSession
from monitor.replay import CLOCK_STEP, answers_given, replay_alerts
from monitor.synthetic.alerts import end_of, record_alerts
from monitor.thresholds import ThresholdSet, parse_threshold_set
from tests.build import seeded
from tests.monitor.test_synthetic import invented


def _at_every_tick(
    session: InfusionSession,
    protocol: InfusionProtocol,
    limits: ThresholdSet,
    answers: tuple[AlertEvent, ...],
    until: datetime,
) -> tuple[set[Alert], set[AlertEvent]]:
    """The plain way: at every save, every answer and every tick in between, everything anew."""
    alerts: tuple[Alert, ...] = ()
    events: tuple[AlertEvent, ...] = ()
    saved = {fact.recorded_at for fact in session.facts() if fact.recorded_at <= until}
    saved |= {answer.recorded_at for answer in answers}
    moments: list[datetime] = []
    for now, after in pairwise([*sorted(saved), until]):
        ticks = -((now - after) // CLOCK_STEP)
        moments += [now, *(now + tick * CLOCK_STEP for tick in range(1, ticks))]
    for now in [*moments, until]:
        given = [answer for answer in answers if answer.recorded_at == now]
        for told in ([], given) if given else ([],):
            events = (*events, *told)
            known = replace(session.known_at(now))  # nothing is kept from an earlier look
            new = alerts_to_raise(known, limits, alerts, events, now, protocol=protocol)
            alerts, events = (*alerts, *new[0]), (*events, *new[1])
    return set(alerts), set(events)


@pytest.mark.parametrize("code", ["P02", "P17"])
def test_a_replay_tells_what_a_look_at_every_tick_tells(code: str) -> None:
    protocol = protocol_of(seeded("protocol", code))
    limits = parse_threshold_set(seeded("threshold_set", protocol.threshold_set).content())
    compared = 0
    for session in invented(60, code, seed=5):
        alerts, events, _ = record_alerts(session, protocol, limits, Random(code))
        if len(alerts) < 2 or compared == 1:
            continue
        compared += 1
        answers = answers_given(alerts, events)
        left_at = rules_end_at(session) or end_of(session)
        until = min(end_of(session), left_at + timedelta(minutes=10))
        told = replay_alerts(session, protocol, limits, answers, until)
        given = tuple(e for e in told[1] if e.kind is AlertEventKind.ACKNOWLEDGED)
        assert len(given) == len(answers)
        assert (set(told[0]), set(told[1])) == _at_every_tick(
            session, protocol, limits, given, until
        )
    assert compared == 1
