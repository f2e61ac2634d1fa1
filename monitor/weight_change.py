"""What another weight does to a session that is open, said before it is saved (clinical.md 2.3, 2.4).

The pump goes on: mg/h stay what they are, and so does what was given in mg.  Every figure in mg/kg
is calculated anew for the whole session; doses entered from now on go by the new weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from monitor.dose_given import cumulative_mg, current_rate_mg_per_h
from monitor.dose_units import exact, format_dose, plain
from monitor.errors import Problem
from monitor.protocols import InfusionProtocol, SoftHard
from monitor.record import DoseUnit, InfusionSession

_PER_KG_H = DoseUnit.MG_PER_KG_PER_H


@exact
def weight_effects(
    session: InfusionSession, protocol: InfusionProtocol, weight_kg: Decimal, as_of: datetime
) -> tuple[str, ...]:
    """What changes and what stays with this dosing weight, one sentence each."""
    return tuple(_effects(session, protocol, weight_kg, as_of))


def _effects(
    session: InfusionSession, protocol: InfusionProtocol, weight_kg: Decimal, as_of: datetime
) -> Iterator[str]:
    was_kg = session.weight_kg
    if session.started_at is None:
        start = protocol.start_rate_mg_per_kg_h
        now = format_dose(start * weight_kg, DoseUnit.MG_PER_H)
        was = "" if was_kg is None else f", was {format_dose(start * was_kg, DoseUnit.MG_PER_H)}"
        yield f"The start at {format_dose(start, _PER_KG_H)} is {now}{was}."
        return
    rate = current_rate_mg_per_h(session, as_of)
    if rate:
        now = format_dose(rate / weight_kg, _PER_KG_H)
        was = "" if was_kg is None else f", was {format_dose(rate / was_kg, _PER_KG_H)}"
        yield (
            f"The pump goes on at {format_dose(rate, DoseUnit.MG_PER_H)}: "
            f"that is now {now}{was}. Change the rate if it should be another."
        )
    given = cumulative_mg(session, as_of)
    now = format_dose(given / weight_kg, DoseUnit.MG_PER_KG)
    was = "" if was_kg is None else f", was {format_dose(given / was_kg, DoseUnit.MG_PER_KG)}"
    yield f"Given so far {format_dose(given, DoseUnit.MG)}: that is now {now}{was}."
    yield (
        f"Doses entered per kg are calculated on {plain(weight_kg)} kg from now on; "
        "what was given stays in mg."
    )


@exact
def limit_questions(
    session: InfusionSession, protocol: InfusionProtocol, weight_kg: Decimal, as_of: datetime
) -> tuple[Problem, ...]:
    """What lies beyond a limit of the protocol with this weight and did not before.

    A weight is a fact and never refused: it is asked once, so that somebody looks at the pump.
    """
    limits = protocol.limits
    found = (
        _beyond(
            "rate",
            "The rate that runs",
            current_rate_mg_per_h(session, as_of),
            (session.weight_kg, weight_kg),
            limits.rate_mg_per_kg_h,
            _PER_KG_H,
        ),
        _beyond(
            "total",
            "What was given",
            cumulative_mg(session, as_of),
            (session.weight_kg, weight_kg),
            limits.total_mg_per_kg,
            DoseUnit.MG_PER_KG,
        ),
    )
    return tuple(problem for problem in found if problem is not None)


def _beyond(
    what: str,
    words: str,
    amount: Decimal,
    weights_kg: tuple[Decimal | None, Decimal],
    limits: SoftHard,
    unit: DoseUnit,
) -> Problem | None:
    was_kg, now_kg = weights_kg
    for name, limit in (("hard", limits.hard), ("soft", limits.soft)):
        if limit is None or amount / now_kg <= limit:
            continue
        if was_kg is not None and amount / was_kg > limit:
            return None
        message = (
            f"{words} is {format_dose(amount / now_kg, unit)} with this weight, above the "
            f"protocol's {name} limit of {format_dose(limit, unit)}. Check the pump and the order."
        )
        return Problem("weight_kg", message, kind="soft", code=f"weight_kg.{what}_{name}")
    return None
