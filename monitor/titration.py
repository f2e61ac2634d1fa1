"""Under which conditions a protocol raises the rate, and which of them do not hold (2.1 P02, U-53).

What was not scored does not hold: missing is never normal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from monitor.alerts import AlertView
from monitor.dose_units import plain
from monitor.protocols import InfusionProtocol
from monitor.record import InfusionSession, Observation
from monitor.scales import sedation_grade

#: Whose alerts stand against an increase: blood pressure and oxygen saturation.
_VITALS = frozenset({"sbp", "dbp", "map", "spo2"})


def titration_doubts(
    session: InfusionSession,
    protocol: InfusionProtocol,
    alerts: Iterable[AlertView],
    at: datetime,
) -> tuple[str, ...]:
    """What stands against raising the rate at that moment, each in words with its value."""
    rule = protocol.titrate_if
    if rule is None:
        return ()
    doubts: list[str] = []
    if rule.sedation_grade_at_most is not None:
        doubts += _sedation(session, rule.sedation_grade_at_most, at)
    if rule.dissociation_at_most is not None:
        doubts += _dissociation(session, rule.dissociation_at_most, at)
    if rule.vitals_in_limits:
        doubts += [
            f"{view.text} is not over"
            for view in alerts
            if view.is_open and view.cleared_at is None and view.alert.parameter in _VITALS
        ]
    return tuple(dict.fromkeys(doubts))


def _newest(session: InfusionSession, parameter: str, at: datetime) -> Observation | None:
    found = [
        item
        for item in session.current_observations
        if item.parameter == parameter and item.taken_at <= at
    ]
    return found[-1] if found else None


def _sedation(session: InfusionSession, most: int, at: datetime) -> Iterator[str]:
    newest = _newest(session, "sedation", at)
    grade = None if newest is None else _grade(session, newest)
    if grade is None:
        yield f"sedation is not scored (at most grade {most})"
    elif grade > most:
        yield f"sedation is grade {grade} (at most {most})"


def _grade(session: InfusionSession, score: Observation) -> int | None:
    """The harmonised grade, S only when the patient was roused (U-49, U-50)."""
    if score.value is None or score.value != int(score.value):
        return None
    ticks = {
        item.parameter: item.value == 1
        for item in session.current_observations
        if item.set_id == score.set_id and item.parameter in ("asleep", "roused_to_voice")
    }
    return sedation_grade(
        session.sedation_scale,
        int(score.value),
        asleep=ticks.get("asleep", False),
        roused=ticks.get("roused_to_voice"),
    )


def _dissociation(session: InfusionSession, most: Decimal, at: datetime) -> Iterator[str]:
    newest = _newest(session, "dissociation", at)
    if newest is None or newest.value is None:
        yield f"dissociation is not scored (at most {plain(most)})"
    elif newest.value > most:
        yield f"dissociation is {plain(newest.value)} (at most {plain(most)})"
