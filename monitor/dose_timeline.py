"""The dose facts of a session as one timeline of rates and boluses (clinical.md 2.3, U-27, U-28).

Every figure is read off it.  Amounts of constant rates are summed as mg/h times microseconds, which
is exact, and divided once; so cutting a segment in two changes no digit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from monitor.dose_units import US_PER_HOUR, US_PER_S, ZERO, exact, microseconds
from monitor.record import (
    Bolus,
    DoseStep,
    DoseStepKind,
    DoseUnit,
    InfusionSession,
    SyringeChange,
)

#: What the timeline is made of, besides the header.
_KINDS = ("dose_steps", "boluses", "syringe_changes", "amendments")


@dataclass(frozen=True, slots=True)
class DosePoint:
    """The rate and concentration from ``at`` on.

    ``stopped`` tells a stop from a hold; ``typed_unit`` is what the rate was typed in: it may stand
    for a rate that has more digits in that unit (U-32).
    """

    at: datetime
    rate_mg_per_h: Decimal
    concentration_mg_per_ml: Decimal
    stopped: bool
    typed_unit: DoseUnit


@dataclass(frozen=True, slots=True)
class GivenBolus:
    """A bolus as it was given: ``end_at`` and ``given_mg`` heed a stop or pause before its end."""

    start_at: datetime
    end_at: datetime
    over_us: int
    amount_mg: Decimal
    given_mg: Decimal
    concentration_mg_per_ml: Decimal

    def given_by(self, at: datetime) -> Decimal:
        """mg given up to that moment."""
        if at < self.start_at:
            return ZERO
        if at >= self.end_at:
            return self.given_mg
        return self.amount_mg * microseconds(self.start_at, at) / self.over_us


@dataclass(frozen=True)
class DoseTimeline:
    """The dose facts in force as points of changing rate and boluses, both in order of time.

    Build with ``dose_timeline``; call inside ``exact``.
    """

    points: tuple[DosePoint, ...]
    boluses: tuple[GivenBolus, ...]
    first_concentration_mg_per_ml: Decimal

    @cached_property
    def _point_times(self) -> list[datetime]:
        return [point.at for point in self.points]

    @cached_property
    def started_at(self) -> datetime | None:
        """The first rate above 0 or the first bolus (U-68)."""
        firsts = [point.at for point in self.points if point.rate_mg_per_h > 0][:1]
        firsts += [bolus.start_at for bolus in self.boluses[:1]]
        return min(firsts, default=None)

    def point_at(self, at: datetime) -> DosePoint | None:
        """The point in force; a new rate holds from its own moment on."""
        index = bisect_right(self._point_times, at)
        return self.points[index - 1] if index else None

    def rate_at(self, at: datetime) -> Decimal:
        """mg/h of the infusion, boluses apart."""
        point = self.point_at(at)
        return point.rate_mg_per_h if point else ZERO

    def concentration_at(self, at: datetime) -> Decimal:
        """mg/mL in the syringe."""
        point = self.point_at(at)
        return point.concentration_mg_per_ml if point else self.first_concentration_mg_per_ml

    def in_bolus(self, at: datetime) -> bool:
        """Whether a bolus is being given."""
        return any(bolus.start_at <= at < bolus.end_at for bolus in self.boluses)

    def rate_changes(self, until: datetime) -> Iterator[tuple[DosePoint, Decimal]]:
        """Every rate above 0 up to then, with its change against the last such rate.

        Pauses between do not count (U-69).  The first rate changes by its whole height.
        """
        last = ZERO
        for point in self.points:
            if point.at > until:
                return
            if point.rate_mg_per_h > 0:
                yield point, point.rate_mg_per_h - last
                last = point.rate_mg_per_h

    def stretches(self, until: datetime) -> Iterator[tuple[DosePoint, int]]:
        """Every point with the microseconds its rate has run until then."""
        for point, after in pairwise(self.points):
            if point.at >= until:
                return
            yield point, microseconds(point.at, min(after.at, until))
        if self.points and self.points[-1].at < until:
            yield self.points[-1], microseconds(self.points[-1].at, until)

    def bolus_mg(self, at: datetime) -> Decimal:
        """mg of boluses given."""
        return sum((bolus.given_by(at) for bolus in self.boluses), ZERO)

    def infusion_mg(self, at: datetime) -> Decimal:
        """mg given by rates."""
        mg_us_per_h = sum((point.rate_mg_per_h * us for point, us in self.stretches(at)), ZERO)
        return mg_us_per_h / US_PER_HOUR

    def total_mg(self, at: datetime) -> Decimal:
        """D(T) of clinical.md 2.3."""
        return self.bolus_mg(at) + self.infusion_mg(at)

    def volume_ml(self, at: datetime) -> Decimal:
        """mL that left the syringes, each at its own concentration (U-28)."""
        by_concentration: dict[Decimal, Decimal] = {}
        for point, us in self.stretches(at):
            concentration = point.concentration_mg_per_ml
            held = by_concentration.get(concentration, ZERO)
            by_concentration[concentration] = held + point.rate_mg_per_h * us
        infused = sum((mg_us / c for c, mg_us in by_concentration.items()), ZERO) / US_PER_HOUR
        return infused + sum(
            (bolus.given_by(at) / bolus.concentration_mg_per_ml for bolus in self.boluses), ZERO
        )

    def _rate_ended_at(self, at: datetime) -> datetime | None:
        """When the infusion by rate ended: now if it runs, else its last stop or hold.

        A hold that ends in a stop lasted until the stop; a second stop changes nothing.
        """
        zeros: list[DosePoint] = []
        for point in reversed(self.points[: bisect_right(self._point_times, at)]):
            if point.rate_mg_per_h > 0:
                stops = [zero.at for zero in zeros if zero.stopped] or [zero.at for zero in zeros]
                return min(stops, default=at)
            zeros.append(point)
        return None

    def window(self, at: datetime) -> tuple[datetime, datetime] | None:
        """INF as known from the doses up to ``at`` (U-68), None before the first dose.

        A hold ends it until the infusion is resumed or stopped, and is then a pause inside it.
        """
        if self.started_at is None or self.started_at > at:
            return None
        ends = [min(bolus.end_at, at) for bolus in self.boluses if bolus.start_at <= at]
        rate_ended_at = self._rate_ended_at(at)
        if rate_ended_at is not None:
            ends.append(rate_ended_at)
        return self.started_at, max(ends)

    def runs(self, until: datetime) -> list[tuple[datetime, datetime]]:
        """The stretches with a rate above 0 or inside a bolus, joined, in order (U-69)."""
        spans = [
            (point.at, min(point.at + timedelta(microseconds=us), until))
            for point, us in self.stretches(until)
            if point.rate_mg_per_h > 0
        ]
        spans += [
            (bolus.start_at, min(bolus.end_at, until))
            for bolus in self.boluses
            if bolus.start_at < until and bolus.end_at > bolus.start_at
        ]
        joined: list[tuple[datetime, datetime]] = []
        for start_at, end_at in sorted(spans):
            if joined and start_at <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end_at))
            else:
                joined.append((start_at, end_at))
        return joined

    def pauses(self, at: datetime) -> list[tuple[datetime, datetime]]:
        """The stretches of INF in which nothing ran."""
        window = self.window(at)
        if window is None:
            return []
        clock, end_at = window
        gaps = []
        for start_at, run_end_at in self.runs(at):
            if start_at > clock:
                gaps.append((clock, start_at))
            clock = run_end_at
        if clock < end_at:
            gaps.append((clock, end_at))
        return gaps

    def us_to_above(self, limit_mg: Decimal, from_at: datetime) -> Decimal | None:
        """Microseconds from ``from_at`` until the total passes the limit; None if it never does.

        0 or less when it has passed already.  Without an end the last rate goes on for ever.
        """
        times = sorted(
            {point.at for point in self.points}
            | {bolus.start_at for bolus in self.boluses}
            | {bolus.end_at for bolus in self.boluses}
        )
        # The dose never falls, so the first moment above the limit can be searched for by halving.
        index = bisect_right(times, limit_mg, key=self.total_mg)
        after = Decimal(microseconds(from_at, times[index])) if index < len(times) else None
        if index == 0:
            return after
        start_at = times[index - 1]
        slope = self.rate_at(start_at) + sum(
            (
                bolus.amount_mg * US_PER_HOUR / bolus.over_us
                for bolus in self.boluses
                if bolus.start_at <= start_at < bolus.end_at
            ),
            ZERO,
        )
        if slope == 0:
            return after
        gap_us = (limit_mg - self.total_mg(start_at)) * US_PER_HOUR / slope
        reached = microseconds(from_at, start_at) + gap_us
        return reached if after is None else min(reached, after)


def rate_in_force(step: DoseStep, concentration_mg_per_ml: Decimal) -> Decimal:
    """mg/h of the step with what is known now about the syringe it was given from.

    A pump that was set in mL/h gave what was in its syringe: when the strength is put right
    afterwards, so is the dose.  What was typed in mg stays what was meant.
    """
    if step.kind in (DoseStepKind.HOLD, DoseStepKind.STOP):
        return ZERO
    if step.entered_unit is DoseUnit.ML_PER_H:
        return step.entered_value * concentration_mg_per_ml
    return step.rate_mg_per_h


def _points(session: InfusionSession) -> tuple[tuple[DosePoint, ...], list[datetime]]:
    """The points of changing rate, and every moment at which the pump was brought to rate 0.

    At one and the same moment a syringe change comes before the rate that was entered with it; of
    two rates the one recorded later holds (U-28, U-73).
    """
    facts: list[DoseStep | SyringeChange] = [
        *session.current(session.syringe_changes),
        *session.current(session.dose_steps),
    ]
    facts.sort(key=lambda fact: (fact.taken_at, isinstance(fact, DoseStep), *fact.order[1:]))
    concentration = session.concentration_mg_per_ml
    rate, stopped, typed_unit = ZERO, False, DoseUnit.MG_PER_H
    points: list[DosePoint] = []
    interruptions: list[datetime] = []
    for fact in facts:
        if isinstance(fact, SyringeChange):
            if fact.concentration_mg_per_ml == concentration:
                continue
            concentration = fact.concentration_mg_per_ml
            rate = ZERO
        else:
            rate = rate_in_force(fact, concentration)
            stopped = fact.kind is DoseStepKind.STOP or (stopped and rate == 0)
            typed_unit = fact.entered_unit
        if rate == 0:
            interruptions.append(fact.taken_at)
        if points and points[-1].at == fact.taken_at:
            points.pop()
        points.append(DosePoint(fact.taken_at, rate, concentration, stopped, typed_unit))
    return tuple(points), interruptions


def _given(bolus: Bolus, interruptions: list[datetime], concentration: Decimal) -> GivenBolus:
    """The bolus with its end: a stop or pause strictly inside its window ends it (U-27).

    One at the very moment of its start does not: the infusion is often held in order to give it,
    and a dose that may have been given has to count.
    """
    end_at = bolus.taken_at + timedelta(seconds=bolus.over_s)
    given_mg = bolus.amount_mg
    over_us = bolus.over_s * US_PER_S
    if not bolus.fully_given:
        index = bisect_right(interruptions, bolus.taken_at)
        if index < len(interruptions) and interruptions[index] < end_at:
            end_at = interruptions[index]
            given_mg = bolus.amount_mg * microseconds(bolus.taken_at, end_at) / over_us
    return GivenBolus(bolus.taken_at, end_at, over_us, bolus.amount_mg, given_mg, concentration)


def dose_timeline(session: InfusionSession) -> DoseTimeline:
    """The timeline of the dose facts in force; amended facts are left out.

    Worked out once for the dose facts there are: table and chart ask for the rate and the dose at
    every row, and most of what is saved is no dose.
    """
    return session.derived("dose_timeline", _KINDS, _built)


@exact
def _built(session: InfusionSession) -> DoseTimeline:
    points, interruptions = _points(session)
    timeline = DoseTimeline(points, (), session.concentration_mg_per_ml)
    boluses = sorted(session.current(session.boluses), key=lambda bolus: bolus.order)
    return DoseTimeline(
        points,
        tuple(
            _given(bolus, interruptions, timeline.concentration_at(bolus.taken_at))
            for bolus in boluses
        ),
        session.concentration_mg_per_ml,
    )
