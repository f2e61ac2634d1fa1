"""What a rate or a bolus will do, shown before it is tapped a second time."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from monitor.bolus_checks import ProposedBolus, check_bolus, timeline_with_bolus
from monitor.dose_outlook import DoseOutlook, LimitTime, dose_outlook
from monitor.dose_problems import standing_problems
from monitor.dose_units import ZERO, RateView, exact, rate_in_all_units, to_mg
from monitor.errors import InvalidEntry, Problem
from monitor.limit_rows import Severity
from monitor.patient_dose_limits import for_patient
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
    limit_times: tuple[LimitTime, ...]
    problems: tuple[Problem, ...]


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
    entry = rate_entry(session, protocol, proposed, weight_kg)
    mg_per_h = ZERO if is_zero(proposed) else entry.mg_per_h
    timeline = timeline_with_rate(session, proposed, mg_per_h)
    protocol = for_patient(protocol, session, proposed.taken_at)
    found = dose_outlook(timeline, protocol, weight_kg, proposed.taken_at)
    total_mg = found.total_mg
    return DosePreview(
        rate=rate_in_all_units(
            mg_per_h, weight_kg=weight_kg, concentration_mg_per_ml=entry.concentration_mg_per_ml
        ),
        total_mg_at_planned_end=total_mg,
        mg_per_kg_at_planned_end=total_mg / weight_kg,
        minutes_to_soft_total=_minutes_to_total(found, "soft"),
        minutes_to_hard_total=_minutes_to_total(found, "hard"),
        limit_times=found.limit_times,
        problems=problems,
    )


def _minutes_to_total(found: DoseOutlook, kind: Severity) -> Decimal | None:
    """Until the first limit of the total at that severity; None when there is none to reach."""
    times = [
        item.minutes
        for item in found.limit_times
        if item.kind == kind and item.limit.startswith("total_")
    ]
    return min(times, default=None)


@dataclass(frozen=True, slots=True)
class BolusPreview:
    """What a bolus will do before it is confirmed; the rate goes on as it is."""

    amount_mg: Decimal
    total_mg_at_planned_end: Decimal
    limit_times: tuple[LimitTime, ...]
    problems: tuple[Problem, ...]


@exact
def preview_bolus(
    session: InfusionSession,
    protocol: InfusionProtocol,
    proposed: ProposedBolus,
    interlocks: tuple[str, ...] = (),
) -> BolusPreview:
    """What the bolus will do: the total at the planned end, time to the limits, problems.

    Raises:
        InvalidEntry: there is no dosing weight, or the entry is no bolus.
    """
    problems = check_bolus(session, protocol, proposed, interlocks=interlocks)
    weight_kg = session.weight_kg
    if weight_kg is None:
        raise InvalidEntry(standing_problems(session, protocol, "bolus", ()))
    if any(problem.code in ("bolus.hard", "bolus_window.hard") for problem in problems):
        raise InvalidEntry(problems)
    amount_mg = to_mg(proposed.value, proposed.unit, weight_kg=weight_kg)
    timeline = timeline_with_bolus(session, proposed, amount_mg)
    protocol = for_patient(protocol, session, proposed.taken_at)
    found = dose_outlook(timeline, protocol, weight_kg, proposed.taken_at)
    return BolusPreview(amount_mg, found.total_mg, found.limit_times, problems)
