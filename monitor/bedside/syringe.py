"""What a new syringe will do, shown before anybody confirms it (clinical.md U-28)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any
from uuid import UUID

from monitor import dosing, second_person
from monitor.actions import OpenSession
from monitor.bedside.proposals import gate_questions, questions, rate_preview
from monitor.dose_problems import can_have_happened
from monitor.errors import InvalidEntry
from monitor.numbers import plain_text
from monitor.record import DoseStepKind, DoseUnit, SyringeChange
from monitor.syringe_checks import syringe_problems

#: Only there to place a syringe that is not yet saved among those that are.
_PROPOSED_ID = UUID(int=0)


def syringe_preview(
    opened: OpenSession,
    *,
    concentration_mg_per_ml: Decimal,
    rate: tuple[Decimal, DoseUnit] | None,
    zone: tzinfo,
    taken_at: datetime,
) -> dict[str, Any]:
    """A new syringe with the rate it runs at, in the shape of a proposal.

    Raises:
        InvalidEntry: no vial is that strong, or what was typed is no rate.
    """
    strength = concentration_mg_per_ml
    found = tuple(
        syringe_problems(
            opened.session, opened.protocol, strength, taken_at, with_rate=rate is not None
        )
    )
    if not all(can_have_happened(problem) for problem in found):
        raise InvalidEntry(found)
    shown = f"{plain_text(strength)} mg/mL"
    proposal: dict[str, Any] = {"lines": [shown], "facts": [], "questions": []}
    request = None
    if rate is not None:
        proposal = _with_rate(opened, strength, rate, taken_at)
        proposal["questions"] = [*gate_questions(opened, zone), *proposal["questions"]]
        proposal["facts"] = [f"From a syringe of {shown}", *proposal["facts"]]
        request = {"value": plain_text(rate[0]), "unit": rate[1].value}
    needed = second_person.for_syringe(opened.protocol)
    words = f"New syringe {shown}"
    return proposal | {
        "path": "syringe",
        "questions": [*questions(found), *proposal["questions"]],
        "second_person": None if needed is None else needed.message,
        "moment": "syringe",
        "summary": words,
        "title": words,
        "confirm": f"Save new syringe {shown}",
        "request": {"concentration_mg_per_ml": plain_text(strength), "rate": request},
    }


def _with_rate(
    opened: OpenSession,
    strength: Decimal,
    rate: tuple[Decimal, DoseUnit],
    taken_at: datetime,
) -> dict[str, Any]:
    """The rate as it will run from the new syringe, with everything that is asked about it."""
    change = SyringeChange(
        id=_PROPOSED_ID,
        taken_at=taken_at,
        recorded_at=max(taken_at, opened.as_of),
        recorded_by="",
        concentration_mg_per_ml=strength,
    )
    after = replace(opened, session=opened.session.with_facts([change]))
    value, unit = rate
    proposed = dosing.ProposedRate(
        value=value, unit=unit, kind=DoseStepKind.RATE, taken_at=taken_at
    )
    return rate_preview(after, proposed)
