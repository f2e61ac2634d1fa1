"""What was given: the rate, the concentration and the dose at any moment (clinical.md 2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

from monitor.dose_timeline import dose_timeline
from monitor.dose_units import US_PER_S, ZERO, exact, microseconds
from monitor.record import InfusionSession

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RateSegment:
    """A constant rate from ``start_at`` (inclusive) to ``end_at``; rate 0 is a pause."""

    start_at: datetime
    end_at: datetime
    rate_mg_per_h: Decimal
    concentration_mg_per_ml: Decimal


def rate_segments(session: InfusionSession, until: datetime) -> tuple[RateSegment, ...]:
    """The rates from the first to the last dose, pauses between them as rate 0.

    A running rate ends at ``until``; after a hold or stop the last segment ends there.
    """
    timeline = dose_timeline(session)
    window = timeline.window(until)
    if window is None:
        return ()
    start_at, end_at = window
    inner = [point.at for point in timeline.points if start_at < point.at < end_at]
    return tuple(
        RateSegment(left, right, timeline.rate_at(left), timeline.concentration_at(left))
        for left, right in pairwise([start_at, *inner, end_at])
        if left < right
    )


def current_rate_mg_per_h(session: InfusionSession, at: datetime) -> Decimal:
    """mg/h of the infusion at that moment, boluses apart; 0 before, in a pause and after."""
    return dose_timeline(session).rate_at(at)


def current_concentration_mg_per_ml(session: InfusionSession, at: datetime) -> Decimal:
    """mg/mL in the syringe at that moment."""
    return dose_timeline(session).concentration_at(at)


def is_paused(session: InfusionSession, at: datetime) -> bool:
    """Whether a started infusion is on hold: rate 0, no stop, no bolus being given.

    A change to another concentration holds it too until a rate is entered (U-28).
    """
    timeline = dose_timeline(session)
    point = timeline.point_at(at)
    if point is None or point.rate_mg_per_h > 0 or point.stopped or timeline.in_bolus(at):
        return False
    return any(earlier.rate_mg_per_h > 0 and earlier.at <= at for earlier in timeline.points)


def infusion_ended_at(session: InfusionSession) -> datetime | None:
    """The later of the stop and the end of the last bolus; None while it runs or is on hold.

    After boluses alone it is the end of the last one.  U-68; resuming voids it.
    """
    timeline = dose_timeline(session)
    was_run = any(point.rate_mg_per_h > 0 for point in timeline.points)
    if was_run and not timeline.points[-1].stopped:
        return None
    window = timeline.window(_END_OF_TIME)
    return window[1] if window else None


def infusion_window(session: InfusionSession, at: datetime) -> tuple[datetime, datetime] | None:
    """INF of clinical.md 11.1 as known from the doses up to ``at``: (first dose, end), or None.

    Unlike ``infusion_ended_at`` a hold ends it, until the infusion is resumed or stopped (U-68).
    """
    return dose_timeline(session).window(at)


@exact
def cumulative_mg(session: InfusionSession, at: datetime) -> Decimal:
    """D(T): all mg given up to that moment (clinical.md 2.3), unrounded."""
    return dose_timeline(session).total_mg(at)


@dataclass(frozen=True, slots=True)
class DoseTotals:
    """What was given up to a moment, unrounded (clinical.md 2.3, 11.1, U-69).

    ``wall_s`` = ``running_s`` + ``paused_s``, in INF.  ``mean_rate_mg_per_kg_h`` is infusion mg
    per kg and running hour.  ``up`` and ``down`` compare successive rates above 0 across pauses.
    ``mg_per_kg`` and the mean are None without a dosing weight, the mean also without running time.
    """

    bolus_mg: Decimal
    infusion_mg: Decimal
    total_mg: Decimal
    mg_per_kg: Decimal | None
    wall_s: Decimal
    running_s: Decimal
    paused_s: Decimal
    volume_ml: Decimal
    mean_rate_mg_per_kg_h: Decimal | None
    peak_rate_mg_per_h: Decimal
    up: int
    down: int
    pauses: int


@exact
def totals(session: InfusionSession, at: datetime) -> DoseTotals:
    """The totals up to that moment; mg/kg on the dosing weight in force."""
    timeline = dose_timeline(session)
    bolus_mg, infusion_mg = timeline.bolus_mg(at), timeline.infusion_mg(at)
    start_at, end_at = timeline.window(at) or (at, at)
    pauses = timeline.pauses(at)
    wall_s = Decimal(microseconds(start_at, end_at)) / US_PER_S
    paused_s = Decimal(sum(microseconds(*pause) for pause in pauses)) / US_PER_S
    running_s = wall_s - paused_s
    changes = [change for _, change in timeline.rate_changes(at)][1:]
    weight_kg = session.weight_kg
    mean = None
    if weight_kg is not None and running_s > 0:
        mean = infusion_mg * 3600 / (weight_kg * running_s)
    return DoseTotals(
        bolus_mg=bolus_mg,
        infusion_mg=infusion_mg,
        total_mg=bolus_mg + infusion_mg,
        mg_per_kg=None if weight_kg is None else (bolus_mg + infusion_mg) / weight_kg,
        wall_s=wall_s,
        running_s=running_s,
        paused_s=paused_s,
        volume_ml=timeline.volume_ml(at),
        mean_rate_mg_per_kg_h=mean,
        peak_rate_mg_per_h=max(
            (point.rate_mg_per_h for point in timeline.points if point.at <= at), default=ZERO
        ),
        up=sum(change > 0 for change in changes),
        down=sum(change < 0 for change in changes),
        pauses=len(pauses),
    )
