"""The plan of a protocol beside what runs: planned rate, next step, planned end."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from monitor.dose_timeline import DosePoint, DoseTimeline, dose_timeline
from monitor.dose_units import MICROSECOND, ZERO, dosing_numbers, exact, microseconds
from monitor.protocols import InfusionProtocol, TitrationStep
from monitor.record import InfusionSession

#: Pumps are set in steps of this size (U-32).
PUMP_STEP_ML_PER_H = Decimal(dosing_numbers()["pump"]["step_ml_per_h"])


def planned_rate_mg_per_kg_h(protocol: InfusionProtocol, minutes: Decimal | float) -> Decimal:
    """The planned rate so many minutes after the start; 0 before it and from the planned end on."""
    if minutes < 0 or minutes >= protocol.planned_duration_min:
        return ZERO
    begun = [step for step in protocol.steps if step.after_min <= minutes]
    return max(begun, key=lambda step: step.after_min).rate_mg_per_kg_h if begun else ZERO


@exact
def next_planned_step(
    session: InfusionSession, protocol: InfusionProtocol, at: datetime
) -> TitrationStep | None:
    """The planned step with the next higher rate than the current one, None if there is none.

    A rate typed in mL/h counts as the planned rate it was rounded from (U-32).
    """
    weight_kg = session.weight_kg
    if weight_kg is None:
        return None
    point = dose_timeline(session).point_at(at)
    reached = meant_mg_per_h(point)[1] if point and point.rate_mg_per_h > 0 else ZERO
    higher = [step for step in protocol.steps if step.rate_mg_per_kg_h * weight_kg > reached]
    return min(higher, key=lambda step: (step.rate_mg_per_kg_h, step.after_min), default=None)


def planned_end_at(
    timeline: DoseTimeline, protocol: InfusionProtocol, from_at: datetime
) -> datetime:
    """When the plan is over: its duration from the start, pauses so far added.

    A plan that was paused is resumed where it was left, so it ends later and gives more.
    """
    started_at = timeline.started_at or from_at
    paused_us = sum(microseconds(*pause) for pause in timeline.pauses(from_at))
    planned = timedelta(minutes=protocol.planned_duration_min)
    return max(from_at, started_at + planned + paused_us * MICROSECOND)


def meant_mg_per_h(last: DosePoint) -> tuple[Decimal, Decimal]:
    """The least and most mg/h the last rate stands for.

    A rate typed in mL/h was rounded to the pump's step, so the rate that was meant may lie half a
    step to either side; without this the protocol's own steps would be asked about (U-32).
    """
    slack = ZERO
    if last.typed_ml_per_h:
        slack = PUMP_STEP_ML_PER_H / 2 * last.concentration_mg_per_ml
    return last.rate_mg_per_h - slack, last.rate_mg_per_h + slack
