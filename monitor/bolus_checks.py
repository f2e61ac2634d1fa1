"""What is asked or refused before a bolus is saved (clinical.md 2.5, U-26).

The limits of a bolus hold for the sum of boluses started within 30 minutes; a bolus is not tested
against limits of rate or step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from monitor.dose_limits import shown_above
from monitor.dose_problems import (
    interlock_problems,
    projection_problems,
    recorded_last_at,
    refusal,
    standing_problems,
)
from monitor.dose_timeline import DoseTimeline, dose_timeline
from monitor.dose_units import ZERO, dosing_numbers, exact, format_dose, plain, to_mg
from monitor.errors import Problem
from monitor.limit_rows import anaesthetist_above, binding
from monitor.patient_dose_limits import for_patient
from monitor.protocols import InfusionProtocol
from monitor.record import Bolus, DoseUnit, InfusionSession

_BOLUS = dosing_numbers()["bolus"]
_LARGEST_MG_PER_KG = Decimal(_BOLUS["largest_mg_per_kg"])
_BOLUS_WINDOW = timedelta(minutes=_BOLUS["window_min"])

#: A bolus is spread over at most this many seconds; anything longer is a rate (U-26).
LONGEST_BOLUS_S: int = _BOLUS["longest_s"]

#: The code of a bolus in a protocol that has none: an anaesthetist is the second person (U-26).
BOLUS_NOT_PLANNED = "bolus_not_planned.soft"

#: The code of a bolus that the protocol allows with an anaesthetist present only (2.5, P14).
BOLUS_WITH_ANAESTHETIST = "bolus_anaesthetist.soft"

#: Only there to place a bolus that is not yet saved among those that are.
_PROPOSED_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class ProposedBolus:
    """A bolus that is not saved yet, given over ``over_s`` seconds (0 = at once)."""

    value: Decimal
    unit: DoseUnit
    over_s: int
    taken_at: datetime


def _bolus_fact(session: InfusionSession, proposed: ProposedBolus, amount_mg: Decimal) -> Bolus:
    return Bolus(
        id=_PROPOSED_ID,
        taken_at=proposed.taken_at,
        recorded_at=recorded_last_at(session, proposed.taken_at),
        recorded_by="",
        amount_mg=amount_mg,
        over_s=proposed.over_s,
        entered_value=proposed.value,
        entered_unit=proposed.unit,
    )


def timeline_with_bolus(
    session: InfusionSession, proposed: ProposedBolus, amount_mg: Decimal
) -> DoseTimeline:
    """The timeline as it will be once the bolus is saved."""
    return dose_timeline(session.with_facts([_bolus_fact(session, proposed, amount_mg)]))


def bolus_mg_in_window(timeline: DoseTimeline, at: datetime) -> Decimal:
    """The most mg of boluses started within any 30 minutes that hold that moment (U-26).

    Both ends belong to the 30 minutes.  A bolus that was ended early counts as far as it was given.
    """
    near = [
        bolus
        for bolus in timeline.boluses
        if at - _BOLUS_WINDOW <= bolus.start_at <= at + _BOLUS_WINDOW
    ]
    return max(
        (
            sum(
                (
                    bolus.given_mg
                    for bolus in near
                    if first.start_at <= bolus.start_at <= first.start_at + _BOLUS_WINDOW
                ),
                ZERO,
            )
            for first in near
            if first.start_at <= at
        ),
        default=ZERO,
    )


def _bolus_size_problems(
    timeline: DoseTimeline, protocol: InfusionProtocol, weight_kg: Decimal, at: datetime
) -> Iterator[Problem]:
    sum_mg_per_kg = bolus_mg_in_window(timeline, at) / weight_kg
    for kind, limit, whose in binding(protocol, "bolus_mg_per_kg"):
        if sum_mg_per_kg > limit:
            total = shown_above(sum_mg_per_kg, limit, DoseUnit.MG_PER_KG)
            message = f"Boluses within 30 min come to {total}, above {plain(limit)} mg/kg, {whose}."
            yield Problem(field="bolus", message=message, kind=kind, code=f"bolus_mg_per_kg.{kind}")
            break
    present_above = anaesthetist_above(protocol, "bolus_mg_per_kg")
    if present_above is not None and sum_mg_per_kg > present_above:
        message = (
            f"Above {plain(present_above)} mg/kg an anaesthetist is present at a bolus of "
            f"{protocol.code} and signs as second person."
        )
        yield Problem(field="bolus", message=message, kind="soft", code=BOLUS_WITH_ANAESTHETIST)


@exact
def check_bolus(
    session: InfusionSession,
    protocol: InfusionProtocol,
    proposed: ProposedBolus,
    *,
    interlocks: tuple[str, ...] = (),
) -> tuple[Problem, ...]:
    """Every question and refusal for a bolus, hard ones first (U-26).

    A bolus is not tested against limits of rate or step.  The code ``BOLUS_NOT_PLANNED`` asks for
    an anaesthetist as second person.
    """
    if not proposed.value.is_finite() or proposed.value <= 0 or proposed.over_s < 0:
        return (refusal("bolus", "bolus.hard", "A bolus is an amount above 0."),)
    if proposed.over_s > LONGEST_BOLUS_S:
        message = f"A bolus lasts at most {LONGEST_BOLUS_S // 60} min; enter this one as a rate."
        return (refusal("bolus", "bolus_window.hard", message),)
    protocol = for_patient(protocol, session, proposed.taken_at)
    weight_kg = session.weight_kg
    if weight_kg is None:
        return tuple(standing_problems(session, protocol, "bolus", ()))
    try:
        amount_mg = to_mg(proposed.value, proposed.unit, weight_kg=weight_kg)
    except ValueError as error:
        return (refusal("bolus", "bolus.hard", str(error)),)
    if amount_mg > _LARGEST_MG_PER_KG * weight_kg:
        message = (
            f"A bolus of {format_dose(amount_mg, DoseUnit.MG)} is more than anyone is given "
            f"({plain(_LARGEST_MG_PER_KG)} mg/kg). Check the number and the unit."
        )
        return (refusal("bolus", "bolus.hard", message),)
    after = timeline_with_bolus(session, proposed, amount_mg)
    problems = list(standing_problems(session, protocol, "bolus", ("bolus", "total")))
    problems += _bolus_size_problems(after, protocol, weight_kg, proposed.taken_at)
    if not protocol.limits.bolus_allowed:
        message = (
            f"{protocol.code} has no bolus. An anaesthetist gives it and signs as second person."
        )
        problems.append(Problem("bolus", message, kind="soft", code=BOLUS_NOT_PLANNED))
    problems += projection_problems(after, session, protocol, "bolus", proposed.taken_at)
    problems += interlock_problems("bolus", interlocks)
    return tuple(sorted(problems, key=lambda problem: problem.kind != "hard"))
