"""Questions and refusals that rates and boluses have in common (U-01, U-25, U-31)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from monitor.dose_limits import missing_limits, shown_above, total_limits_mg
from monitor.dose_plan import planned_end_at
from monitor.dose_timeline import DoseTimeline
from monitor.dose_units import MICROSECOND, US_PER_HOUR, US_PER_MIN, microseconds, plain
from monitor.errors import Problem
from monitor.limit_rows import binding
from monitor.protocols import InfusionProtocol
from monitor.record import DoseUnit, InfusionSession
from monitor.syringe_checks import IMPOSSIBLE

#: Refusals that say "this is no dose": no pump and no hand can have given it.
_IMPOSSIBLE = frozenset({"rate.hard", "bolus.hard", "bolus_window.hard", "weight.hard", IMPOSSIBLE})


def can_have_happened(problem: Problem) -> bool:
    """Whether a dose with this problem may have been given all the same, beyond every limit."""
    if problem.kind == "soft":
        return True
    return problem.field != "taken_at" and problem.code not in _IMPOSSIBLE


def refusal(field: str, code: str, message: str) -> Problem:
    return Problem(field=field, message=message, kind="hard", code=code)


def interlock_problems(field: str, interlocks: tuple[str, ...]) -> Iterator[Problem]:
    """The standing reasons against more drug, one question each (U-31)."""
    for number, sentence in enumerate(interlocks, start=1):
        message = f"{sentence} Give more only with a reason."
        yield Problem(field=field, message=message, kind="soft", code=f"interlock.{number}")


def titration_problems(protocol: InfusionProtocol, doubts: tuple[str, ...]) -> Iterator[Problem]:
    """One question for everything the protocol wants to be so before the rate is raised (2.1)."""
    if doubts:
        message = (
            f"{protocol.code} does not raise the rate now: {'; '.join(doubts)}. "
            "Raise it only with a reason."
        )
        yield Problem(field="rate", message=message, kind="soft", code="titrate_if.soft")


def standing_problems(
    session: InfusionSession, protocol: InfusionProtocol, field: str, needed: Iterable[str]
) -> Iterator[Problem]:
    """What makes every limit of the protocol unusable for this session."""
    if session.weight_kg is None:
        yield refusal(
            field,
            "weight.hard",
            "Record the dosing weight first: without it no dose can be checked per kg.",
        )
    if session.drug_form is not protocol.form:
        yield refusal(
            field,
            "form.hard",
            f"{protocol.code} and its limits are for form {protocol.form.value}, this session "
            f"gives form {session.drug_form.value}. Nothing is converted between the forms: "
            "choose a protocol for this form.",
        )
    missing = [name for name in missing_limits(protocol) if name in needed]
    if missing:
        yield refusal(
            field,
            "form_limits.hard",
            f"{protocol.code} is for S-ketamine and has no limit for: {', '.join(missing)}. "
            "It cannot be used until it has its own.",
        )


def projection_problems(
    timeline: DoseTimeline,
    session: InfusionSession,
    protocol: InfusionProtocol,
    field: str,
    taken_at: datetime,
) -> Iterator[Problem]:
    """Total and duration at the planned end, were the dose given and the rate kept (U-25)."""
    bolus_ends = [bolus.end_at for bolus in timeline.boluses]
    end_at = max([taken_at, *bolus_ends])
    if timeline.rate_at(taken_at) > 0:
        end_at = max(end_at, planned_end_at(timeline, protocol, taken_at))
    total_mg = timeline.total_mg(end_at)
    over = [row for row in total_limits_mg(protocol, session.weight_kg) if total_mg > row.mg]
    over.sort(key=lambda row: (row.kind != "hard", row.mg))
    for limit, kind, limit_mg, words, whose in over[:1]:
        total = shown_above(total_mg, limit_mg, DoseUnit.MG)
        message = f"The total would come to {total} by the planned end, above {words}, {whose}."
        yield Problem(field=field, message=message, kind=kind, code=f"{limit}.{kind}")
    duration_us = microseconds(timeline.started_at or taken_at, end_at)
    for kind, hours, whose in binding(protocol, "duration_h"):
        if duration_us > hours * US_PER_HOUR:
            message = (
                f"The infusion would last {_hours_and_minutes(duration_us)}, above "
                f"{plain(hours)} h, {whose}."
            )
            yield Problem(field=field, message=message, kind=kind, code=f"duration_h.{kind}")
            return


def _hours_and_minutes(duration_us: int) -> str:
    """Rounded up to the minute: something above 4 h never reads as 4 h 0 min."""
    minutes = -(-duration_us // US_PER_MIN)
    return f"{minutes // 60} h {minutes % 60} min"


def recorded_last_at(session: InfusionSession, at: datetime) -> datetime:
    """A recording time after every dose step's, so that the proposed one holds at its moment."""
    recorded = [step.recorded_at for step in session.dose_steps]
    return max([at, *(moment + MICROSECOND for moment in recorded)])
