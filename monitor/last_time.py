"""What happened last time, in short sentences for the start of the next session (F98).

For example ``vomited at 0.3 mg/kg/h`` or ``SBP 182 ≥ 180 at 0.25 mg/kg/h``: what somebody who is
about to give the drug again wants to know, worst first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from monitor import dosing
from monitor.breaches import Breach
from monitor.lifecycle import EventKind
from monitor.record import DoseStepKind, DoseUnit, InfusionSession, SideEffect
from monitor.side_effects import NONE, TERMS
from monitor.timeline import limit_text

#: A side effect below this grade asked for nothing and is not worth a line (clinical.md 6.1).
WORTH_TELLING_GRADE = 2
MOST_LINES = 6

#: How much a confirmed level weighs beside the grades of side effects.
_WEIGHT = {"": 0, "warning": 2, "critical": 4}
#: What side effects, events and doses say themselves.
_TOLD_BY_FACTS = frozenset({"dose", "side_effect", "nausea"})


@dataclass(frozen=True, slots=True)
class LastTime:
    """One earlier session: when it was, what was reached, what to remember of it."""

    session: InfusionSession
    started_at: datetime
    max_rate_mg_per_kg_h: Decimal | None
    total_mg_per_kg: Decimal | None
    lines: tuple[str, ...]


def last_time(
    session: InfusionSession, breaches: Iterable[Breach], as_of: datetime
) -> LastTime | None:
    """What to remember of a session; None when no drug was given in it."""
    if session.started_at is None:
        return None
    known = session.known_at(as_of)
    totals = dosing.totals(known, as_of)
    weight_kg = known.weight_kg
    return LastTime(
        session=session,
        started_at=session.started_at,
        max_rate_mg_per_kg_h=None if weight_kg is None else totals.peak_rate_mg_per_h / weight_kg,
        total_mg_per_kg=totals.mg_per_kg,
        lines=tuple(dict.fromkeys(_lines(known, breaches)))[:MOST_LINES],
    )


def _lines(session: InfusionSession, breaches: Iterable[Breach]) -> list[str]:
    """Weighted lines, the heaviest first, equal ones in order of time."""
    found: list[tuple[int, datetime, str]] = []
    for breach in _worst_of_each_group(breaches):
        text = f"{limit_text(breach.threshold_text)}{_at_rate(session, breach.onset_at)}"
        found.append((_WEIGHT[breach.confirmed_level or ""], breach.onset_at, text))
    for event in session.current(session.events):
        if event.kind == EventKind.VOMITED:
            found.append((3, event.taken_at, f"vomited{_at_rate(session, event.taken_at)}"))
    for effect in session.current(session.side_effects):
        grade = _peak_grade(session, effect)
        if effect.term == NONE or (grade < WORTH_TELLING_GRADE and effect.term != "vomiting"):
            continue
        name = TERMS[effect.term].display.casefold() if effect.term in TERMS else effect.term
        what = "vomited" if effect.term == "vomiting" else f"{name} grade {grade}"
        found.append((grade, effect.taken_at, f"{what}{_at_rate(session, effect.taken_at)}"))
    for step in session.current(session.dose_steps):
        if step.kind is DoseStepKind.STOP and step.reason:
            found.append((5, step.taken_at, f"stopped: {step.reason}"))
    return [text for _, _, text in sorted(found, key=lambda line: (-line[0], line[1]))]


def _worst_of_each_group(breaches: Iterable[Breach]) -> list[Breach]:
    """One confirmed breach of each group: the highest level, the first of equal ones."""
    worst: dict[str, Breach] = {}
    for breach in breaches:
        if breach.confirmed_level is None or breach.parameter in _TOLD_BY_FACTS:
            continue
        held = worst.get(breach.group)
        if held is None or _WEIGHT[breach.confirmed_level] > _WEIGHT[held.confirmed_level or ""]:
            worst[breach.group] = breach
    return list(worst.values())


def _peak_grade(session: InfusionSession, effect: SideEffect) -> int:
    changes = session.current(session.side_effect_changes)
    grades = [item.grade for item in changes if item.side_effect_id == effect.id and item.grade]
    return max([effect.grade, *grades])


def _at_rate(session: InfusionSession, at: datetime) -> str:
    """`` at 0.3 mg/kg/h``, or nothing when the drug was not running."""
    rate_mg_per_h = dosing.current_rate_mg_per_h(session, at)
    if rate_mg_per_h == 0 or session.weight_kg is None:
        return ""
    rate = (rate_mg_per_h / session.weight_kg).quantize(Decimal("0.001"), ROUND_HALF_UP)
    return f" at {dosing.format_dose(rate, DoseUnit.MG_PER_KG_PER_H)}"
