"""What a rate will do, shown before it is tapped a second time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from monitor.dose_limits import total_limits_mg
from monitor.dose_plan import planned_end_at
from monitor.dose_problems import standing_problems
from monitor.dose_timeline import DoseTimeline
from monitor.dose_units import US_PER_MIN, ZERO, RateView, exact, rate_in_all_units
from monitor.errors import InvalidEntry, Problem
from monitor.protocols import InfusionProtocol
from monitor.rate_checks import ProposedRate, check_rate, is_zero, rate_entry, timeline_with_rate
from monitor.record import InfusionSession


@dataclass(frozen=True, slots=True)
class DosePreview:
    """What a rate will do before it is confirmed.

    ``total_mg_at_planned_end`` holds the rate until the protocol's planned end.  Minutes run from
    the change; None when the limit does not exist or is never reached, 0 when it is passed.
    """

    rate: RateView
    total_mg_at_planned_end: Decimal
    mg_per_kg_at_planned_end: Decimal
    minutes_to_soft_total: Decimal | None
    minutes_to_hard_total: Decimal | None
    problems: tuple[Problem, ...]


def _minutes_to_total(
    timeline: DoseTimeline, limits_mg: Iterable[Decimal], from_at: datetime
) -> Decimal | None:
    reached = [timeline.us_to_above(limit_mg, from_at) for limit_mg in limits_mg]
    soonest = min((us for us in reached if us is not None), default=None)
    return None if soonest is None else max(ZERO, soonest) / US_PER_MIN


@exact
def preview_rate(
    session: InfusionSession,
    protocol: InfusionProtocol,
    proposed: ProposedRate,
    interlocks: tuple[str, ...] = (),
    doubts: tuple[str, ...] = (),
) -> DosePreview:
    """What the rate will do: four units, total at the planned end, time to the limits, problems.

    Raises:
        InvalidEntry: there is no dosing weight, or the entry is not a rate.
    """
    problems = check_rate(session, protocol, proposed, interlocks=interlocks, doubts=doubts)
    weight_kg = session.weight_kg
    if weight_kg is None:
        raise InvalidEntry(standing_problems(session, protocol, "rate", ()))
    if any(problem.code == "rate.hard" for problem in problems):
        raise InvalidEntry(problems)
    entry = rate_entry(session, proposed, weight_kg)
    mg_per_h = ZERO if is_zero(proposed) else entry.mg_per_h
    timeline = timeline_with_rate(session, proposed, mg_per_h)
    total_mg = timeline.total_mg(planned_end_at(timeline, protocol, proposed.taken_at))
    limits = total_limits_mg(protocol, weight_kg)
    return DosePreview(
        rate=rate_in_all_units(
            mg_per_h, weight_kg=weight_kg, concentration_mg_per_ml=entry.concentration_mg_per_ml
        ),
        total_mg_at_planned_end=total_mg,
        mg_per_kg_at_planned_end=total_mg / weight_kg,
        minutes_to_soft_total=_minutes_to_total(
            timeline, [row.mg for row in limits if row.kind == "soft"], proposed.taken_at
        ),
        minutes_to_hard_total=_minutes_to_total(
            timeline, [row.mg for row in limits if row.kind == "hard"], proposed.taken_at
        ),
        problems=problems,
    )
