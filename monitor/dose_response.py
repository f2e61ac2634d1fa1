"""What every dose did to the patient: values before it, and 5 and 15 minutes after it (F30).

The values are those that were observed nearest to the moment within the grace of the set that is
due then (clinical.md U-34); nothing is carried forward or interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.dose_units import dosing_numbers
from monitor.parameters import PARAMETERS
from monitor.record import Bolus, DoseStep, InfusionSession, Observation
from monitor.timeline import bare_text

_NUMBERS = dosing_numbers()["response"]
_BEFORE = timedelta(minutes=_NUMBERS["before_within_min"])
#: How long after the dose, and how far from that a value may have been taken.
AFTER: tuple[tuple[timedelta, timedelta], ...] = tuple(
    (timedelta(minutes=row["after_min"]), timedelta(minutes=row["within_min"]))
    for row in _NUMBERS["after"]
)
#: What is looked at.
SIGNS: tuple[str, ...] = tuple(_NUMBERS["signs"])


@dataclass(frozen=True, slots=True)
class SignResponse:
    """One sign around a dose: before, then one entry per moment of ``AFTER``; None is no value."""

    parameter: str
    before: Observation | None
    after: tuple[Observation | None, ...]


@dataclass(frozen=True, slots=True)
class DoseResponse:
    """A change of rate or a bolus with what was observed around it."""

    dose: DoseStep | Bolus
    signs: tuple[SignResponse, ...]


def dose_responses(session: InfusionSession) -> tuple[DoseResponse, ...]:
    """Every dose in force, in the order of the record."""
    doses: list[DoseStep | Bolus] = [
        *session.current(session.dose_steps),
        *session.current(session.boluses),
    ]
    seen = {
        sign: [item for item in session.current_observations if item.parameter == sign]
        for sign in SIGNS
    }
    return tuple(
        DoseResponse(dose, tuple(_around(seen[sign], sign, dose.taken_at) for sign in SIGNS))
        for dose in sorted(doses, key=lambda dose: dose.order)
    )


def _around(seen: list[Observation], sign: str, at: datetime) -> SignResponse:
    before = [item for item in seen if at - _BEFORE <= item.taken_at <= at]
    return SignResponse(
        sign,
        before[-1] if before else None,
        tuple(_nearest(seen, at, at + after, within) for after, within in AFTER),
    )


def _nearest(
    seen: list[Observation], given_at: datetime, at: datetime, within: timedelta
) -> Observation | None:
    """The value nearest to the moment; of two equally near ones the later."""
    found = [
        item for item in seen if abs(item.taken_at - at) <= within and item.taken_at > given_at
    ]
    return min(reversed(found), key=lambda item: abs(item.taken_at - at), default=None)


def response_text(sign: SignResponse) -> str:
    """The values of a sign around a dose; empty when there are none at all."""
    values = (sign.before, *sign.after)
    if not any(values):
        return ""
    return " → ".join("–" if item is None else bare_text(item) for item in values)


def response_sentence(response: DoseResponse) -> str:
    """In one line, for the details of a dose: ``SBP 131 → 142 → 138``; empty when nothing is known."""
    said = [
        f"{PARAMETERS[sign.parameter].short} {response_text(sign)}"
        for sign in response.signs
        if any((sign.before, *sign.after))
    ]
    if not said:
        return ""
    times = ", ".join(f"{int(after.total_seconds() // 60)}" for after, _within in AFTER)
    return f"Before it, then {times} min after: {'; '.join(said)}."
