"""The plan of a protocol beside what runs: planned rate, next step, planned end."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from monitor.dose_timeline import DosePoint, DoseTimeline, dose_timeline
from monitor.dose_units import (
    MICROSECOND,
    ZERO,
    display_step,
    dosing_numbers,
    exact,
    microseconds,
    to_mg_per_h,
)
from monitor.protocols import InfusionProtocol, TitrationStep
from monitor.record import DoseUnit, InfusionSession
from monitor.stated_rates import KEPT_STEP

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

    A rate that was typed counts as the planned rate it was rounded from (U-32).
    """
    weight_kg = session.weight_kg
    if weight_kg is None:
        return None
    point = dose_timeline(session).point_at(at)
    running = point is not None and point.rate_mg_per_h > 0
    reached = meant_mg_per_h(point, protocol, weight_kg)[1] if point and running else ZERO
    higher = [
        step
        for step in protocol.steps
        if protocol.rate_mg_per_h(step.rate_mg_per_kg_h, weight_kg) > reached
    ]
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


@exact
def planned_mg_per_h(
    protocol: InfusionProtocol,
    rate_mg_per_h: Decimal,
    unit: DoseUnit,
    *,
    weight_kg: Decimal,
    concentration_mg_per_ml: Decimal,
) -> Decimal | None:
    """The planned rate that was typed in this unit, None when it is another rate.

    0.1 mg/kg/h is shown as 1.67 mcg/kg/min: who types that gives what was planned, and is asked
    nothing that the plan itself is not asked.  It may lie half of the last digit typed from the
    plan, and never more than half of the last digit shown (in mL/h of the pump's step, U-32): more
    digits are meant as they stand.
    """
    one_mg_per_h = to_mg_per_h(
        Decimal(1), unit, weight_kg=weight_kg, concentration_mg_per_ml=concentration_mg_per_ml
    )
    planned = {step.rate_mg_per_kg_h for step in protocol.steps} | {protocol.start_rate_mg_per_kg_h}
    nearest = min(
        (protocol.rate_mg_per_h(rate, weight_kg) for rate in sorted(planned)),
        key=lambda rate: abs(rate - rate_mg_per_h),
    )
    typed = rate_mg_per_h / one_mg_per_h
    last_digit = typed.normalize().as_tuple().exponent
    shown_step = PUMP_STEP_ML_PER_H if unit is DoseUnit.ML_PER_H else display_step(typed, unit)
    step = min(shown_step, Decimal(1).scaleb(int(last_digit)))
    slack = step / 2 * one_mg_per_h
    if protocol.stated_per_70_kg:
        # The rate as it is kept in mg/kg/h, rounded down, is the planned one too.
        slack = max(slack, KEPT_STEP * weight_kg)
    return nearest if abs(nearest - rate_mg_per_h) <= slack else None


def meant_mg_per_h(
    last: DosePoint, protocol: InfusionProtocol, weight_kg: Decimal
) -> tuple[Decimal, Decimal]:
    """The least and most mg/h the last rate stands for.

    A rate typed in mL/h was rounded to the pump's step, so the rate that was meant may lie half a
    step to either side (U-32).  In any other unit it is what was typed, or the planned rate that
    has more digits.  Without this the protocol's own steps would be asked about.
    """
    rate, unit = last.rate_mg_per_h, last.typed_unit
    if unit is DoseUnit.ML_PER_H:
        slack = PUMP_STEP_ML_PER_H / 2 * last.concentration_mg_per_ml
        return rate - slack, rate + slack
    planned = planned_mg_per_h(
        protocol,
        rate,
        unit,
        weight_kg=weight_kg,
        concentration_mg_per_ml=last.concentration_mg_per_ml,
    )
    return (rate, rate) if planned is None else (min(rate, planned), max(rate, planned))
