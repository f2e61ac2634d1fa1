"""What is asked or refused before a rate is saved (clinical.md 2.5, U-21 to U-32).

A decrease, a pause and a stop are never asked about (U-30).  Every problem carries the binding
limit as its code, ``<limit>.soft`` or ``<limit>.hard``; soft ones are confirmed with a reason, hard
ones cannot be saved except as the record of what was already given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import NamedTuple
from uuid import UUID

from monitor.dose_limits import rate_ceilings
from monitor.dose_plan import PUMP_STEP_ML_PER_H, meant_mg_per_h, planned_mg_per_h
from monitor.dose_problems import (
    interlock_problems,
    projection_problems,
    recorded_last_at,
    refusal,
    standing_problems,
    titration_problems,
)
from monitor.dose_timeline import DosePoint, DoseTimeline, dose_timeline
from monitor.dose_units import (
    MICROSECOND,
    US_PER_MIN,
    ZERO,
    dosing_numbers,
    exact,
    format_dose,
    microseconds,
    plain,
    shown,
    to_mg_per_h,
)
from monitor.errors import Problem
from monitor.limit_rows import Severity, binding
from monitor.patient_dose_limits import for_patient
from monitor.protocols import InfusionProtocol
from monitor.record import DoseStep, DoseStepKind, DoseUnit, InfusionSession

_NUMBERS = dosing_numbers()
_TEN_FOLD_UP = Decimal(_NUMBERS["ten_fold"]["up"])
_TEN_FOLD_DOWN = Decimal(_NUMBERS["ten_fold"]["down"])
_SWAP_LOW = Decimal(_NUMBERS["unit_swap"]["low"])
_SWAP_HIGH = Decimal(_NUMBERS["unit_swap"]["high"])
_SWAP_START_SHARE = Decimal(_NUMBERS["unit_swap"]["start_share"])
_FASTEST_ML_PER_H = Decimal(_NUMBERS["pump"]["fastest_ml_per_h"])

#: More than a quotient that does not end loses (50 digits), and less than anybody can type.
_LOST_IN_QUOTIENTS = Decimal("1e-30")

#: Only there to place a rate that is not yet saved among those that are.
_PROPOSED_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class ProposedRate:
    """A change of rate that is not saved yet."""

    value: Decimal
    unit: DoseUnit
    kind: DoseStepKind
    taken_at: datetime


class _Ceiling(NamedTuple):
    """One limit of the running rate in mg/h, and the words that say whose limit it is."""

    code: str
    kind: Severity
    mg_per_h: Decimal
    words: str


class _Entry(NamedTuple):
    """A proposed rate beside what it is judged against.

    ``least_mg_per_h`` and ``most_mg_per_h`` are what it stands for: the same as ``mg_per_h`` unless
    it is a planned rate that has more digits than the unit it was typed in.  ``last_mg_per_h`` is
    the same of the last rate above 0.
    """

    proposed: ProposedRate
    mg_per_h: Decimal
    least_mg_per_h: Decimal
    most_mg_per_h: Decimal
    weight_kg: Decimal
    concentration_mg_per_ml: Decimal
    before_mg_per_h: Decimal
    last: DosePoint | None
    last_mg_per_h: tuple[Decimal, Decimal]
    timeline: DoseTimeline

    @property
    def is_decrease(self) -> bool:
        """Whether it lowers or repeats the running rate: never asked about (U-30)."""
        return self.before_mg_per_h > 0 and self.least_mg_per_h <= self.before_mg_per_h

    @property
    def is_increase(self) -> bool:
        """Whether it is above the last rate above 0; the first rate and a resume are not (U-23)."""
        return self.last is not None and self.least_mg_per_h > self.last.rate_mg_per_h

    def exceeds(self, limit_mg_per_h: Decimal, kind: Severity = "soft") -> bool:
        """Whether the rate is above the limit.

        An entry in mL/h is compared with the limit as the pump can be set to it (U-32).  What is
        only asked is not asked about a planned rate that was rounded for the unit it was typed in;
        what is refused is compared exactly.
        """
        limit_mg_per_h += _LOST_IN_QUOTIENTS
        if kind == "soft" and self.least_mg_per_h <= limit_mg_per_h:
            return False
        if self.proposed.unit is DoseUnit.ML_PER_H:
            return self.proposed.value > self._at_the_pump(limit_mg_per_h)
        return self.mg_per_h > limit_mg_per_h

    def _at_the_pump(self, mg_per_h: Decimal) -> Decimal:
        ml_per_h = mg_per_h / self.concentration_mg_per_ml
        return ml_per_h.quantize(PUMP_STEP_ML_PER_H, ROUND_HALF_UP)

    def most_allowed(self, limit_mg_per_h: Decimal) -> str:
        """The highest rate within the limit, in the unit that was typed.

        Rounded down: the rate that is offered must not itself be above the limit.
        """
        unit = self.proposed.unit
        if unit is DoseUnit.ML_PER_H:
            return f"{plain(self._at_the_pump(limit_mg_per_h))} {unit.value}"
        one_mg_per_h = to_mg_per_h(
            Decimal(1),
            unit,
            weight_kg=self.weight_kg,
            concentration_mg_per_ml=self.concentration_mg_per_ml,
        )
        return f"{plain(shown(limit_mg_per_h / one_mg_per_h, unit, ROUND_DOWN))} {unit.value}"

    @property
    def text(self) -> str:
        """The rate as typed, with mg/h behind it where another unit was typed."""
        return _typed_words(self.proposed, self.mg_per_h)


def _typed_words(proposed: ProposedRate, mg_per_h: Decimal) -> str:
    typed = f"{plain(proposed.value)} {proposed.unit.value}"
    if proposed.unit is DoseUnit.MG_PER_H:
        return typed
    return f"{typed} ({format_dose(mg_per_h, DoseUnit.MG_PER_H)})"


def _binding(ceilings: Iterable[_Ceiling]) -> Iterator[_Ceiling]:
    """The one that binds: hard before soft, then the strictest (U-24)."""
    exceeded = sorted(ceilings, key=lambda ceiling: (ceiling.kind != "hard", ceiling.mg_per_h))
    yield from exceeded[:1]


def _rate_limit_ceilings(entry: _Entry, protocol: InfusionProtocol) -> Iterator[_Ceiling]:
    fixed = protocol.limits.fixed_rate_mg_per_kg_h
    for limit, kind, mg_per_h, value, whose in rate_ceilings(protocol, entry.weight_kg):
        words = f"{value}, {whose}"
        if fixed is not None and kind == "soft":
            words += f", whose fixed rate is {protocol.rate_words(fixed)}"
        yield _Ceiling(f"{limit}.{kind}", kind, mg_per_h, words)


def _mg_per_h(entry: _Entry, protocol: InfusionProtocol, rate_mg_per_kg_h: Decimal) -> Decimal:
    return protocol.rate_mg_per_h(rate_mg_per_kg_h, entry.weight_kg)


def _start_ceilings(entry: _Entry, protocol: InfusionProtocol) -> Iterator[_Ceiling]:
    """The start rate limits the first rate; a fixed dose has its own band around it (U-22, U-23)."""
    start = protocol.start_rate_mg_per_kg_h
    if protocol.limits.fixed_rate_mg_per_kg_h is None:
        words = f"{protocol.rate_words(start)}, the start rate of {protocol.code}"
        yield _Ceiling("start_rate.soft", "soft", _mg_per_h(entry, protocol, start), words)


def _step_ceilings(entry: _Entry, protocol: InfusionProtocol) -> Iterator[_Ceiling]:
    """Limits of a real increase, compared with the last rate above 0 (U-23)."""
    assert entry.last is not None
    limits = protocol.limits
    least, most = entry.last_mg_per_h
    planned = False
    if limits.step_range_mg_per_kg_h is not None:
        low, high = (_mg_per_h(entry, protocol, step) for step in limits.step_range_mg_per_kg_h)
        planned = entry.most_mg_per_h - least + _LOST_IN_QUOTIENTS >= low and not entry.exceeds(
            most + high
        )
    for kind, step, _whose in binding(protocol, "step_mg_per_kg_h"):
        if kind == "hard" or not planned:
            ceiling = most + _mg_per_h(entry, protocol, step)
            words = _step_words(ceiling, protocol.rate_words(step), entry.last)
            yield _Ceiling(f"step_mg_per_kg_h.{kind}", kind, ceiling, words)
    for _kind, percent, _whose in binding(protocol, "step_percent"):
        if not planned:
            ceiling = most * (100 + percent) / 100
            words = _step_words(ceiling, f"{plain(percent)} %", entry.last)
            yield _Ceiling("step_percent.soft", "soft", ceiling, words)


def _step_words(ceiling_mg_per_h: Decimal, size: str, last: DosePoint) -> str:
    before = format_dose(last.rate_mg_per_h, DoseUnit.MG_PER_H)
    most = plain(shown(ceiling_mg_per_h, DoseUnit.MG_PER_H, ROUND_DOWN))
    return f"{most} mg/h, a step of {size} from {before}"


def _over(entry: _Entry, ceilings: Iterable[_Ceiling]) -> Iterator[Problem]:
    """The binding one of the limits the entry is above, with the most that is allowed."""
    for ceiling in _binding(c for c in ceilings if entry.exceeds(c.mg_per_h, c.kind)):
        message = f"{entry.text} is above {ceiling.words}."
        if ceiling.kind == "hard":
            message += f" Enter at most {entry.most_allowed(ceiling.mg_per_h)}."
        yield Problem(field="rate", message=message, kind=ceiling.kind, code=ceiling.code)


def _interval_problems(entry: _Entry, protocol: InfusionProtocol) -> Iterator[Problem]:
    """An increase too soon after the start or the last increase (U-23)."""
    risen_at = [
        point.at
        for point, change in entry.timeline.rate_changes(entry.proposed.taken_at)
        if change > 0
    ][-1]
    since_us = microseconds(risen_at, entry.proposed.taken_at)
    intervals = list(binding(protocol, "step_interval_min"))
    usual = max((minutes for _kind, minutes, _whose in intervals), default=Decimal(0))
    for kind, minutes, _whose in intervals:
        if since_us < minutes * US_PER_MIN:
            ago_min = since_us // US_PER_MIN
            ago = f"{ago_min} min" if ago_min else "less than a minute"
            message = (
                f"The rate was started or raised {ago} ago; {protocol.code} waits "
                f"{plain(usual)} min between two increases"
            )
            message += f", and never less than {plain(minutes)} min." if kind == "hard" else "."
            yield Problem(field="rate", message=message, kind=kind, code=f"step_interval.{kind}")
            return


def _ten_fold_problems(entry: _Entry) -> Iterator[Problem]:
    assert entry.last is not None
    if entry.mg_per_h >= entry.last.rate_mg_per_h * _TEN_FOLD_UP:
        times = plain((entry.mg_per_h / entry.last.rate_mg_per_h).quantize(Decimal("0.1")))
        message = (
            f"{entry.text} is {times} times the last rate "
            f"({format_dose(entry.last.rate_mg_per_h, DoseUnit.MG_PER_H)}). "
            "Check the decimal point."
        )
        yield Problem(field="rate", message=message, kind="soft", code="ten_fold.soft")


def _unit_swap_problems(entry: _Entry, protocol: InfusionProtocol) -> Iterator[Problem]:
    """A value that would be an ordinary rate in the other weight-based unit (U-29)."""
    start, soft = protocol.start_rate_mg_per_kg_h, protocol.limits.rate_mg_per_kg_h.soft
    if soft is None:
        return
    value, meant = entry.proposed.value, None
    per_kg = entry.mg_per_h / entry.weight_kg
    if entry.proposed.unit is DoseUnit.MG_PER_KG_PER_H:
        as_mcg = to_mg_per_h(
            value,
            DoseUnit.MCG_PER_KG_PER_MIN,
            weight_kg=Decimal(1),
            concentration_mg_per_ml=entry.concentration_mg_per_ml,
        )
        if value > soft and _SWAP_LOW <= value <= _SWAP_HIGH and start <= as_mcg <= soft:
            meant = DoseUnit.MCG_PER_KG_PER_MIN
    elif (
        entry.proposed.unit is DoseUnit.MCG_PER_KG_PER_MIN
        and per_kg < start * _SWAP_START_SHARE
        and start <= value <= soft
    ):
        meant = DoseUnit.MG_PER_KG_PER_H
    if meant is not None:
        message = (
            f"{entry.text}: was {plain(value)} {meant.value} meant? "
            f"{protocol.code} runs from {protocol.rate_number(start)} to {protocol.rate_words(soft)}."
        )
        yield Problem(field="rate", message=message, kind="soft", code="unit_swap.soft")


def timeline_with_rate(
    session: InfusionSession, proposed: ProposedRate, mg_per_h: Decimal
) -> DoseTimeline:
    """The timeline as it will be once the rate is saved."""
    step = DoseStep(
        id=_PROPOSED_ID,
        taken_at=proposed.taken_at,
        recorded_at=recorded_last_at(session, proposed.taken_at),
        recorded_by="",
        kind=proposed.kind,
        rate_mg_per_h=mg_per_h,
        entered_value=proposed.value,
        entered_unit=proposed.unit,
    )
    return dose_timeline(session.with_facts([step]))


def _before(session: InfusionSession, proposed: ProposedRate) -> tuple[Decimal, Decimal]:
    """The rate that runs in mg/h, and the concentration at the proposed rate."""
    timeline = dose_timeline(session)
    # A syringe is changed at a running infusion: the rate entered with it is no resume.
    changed = any(
        change.taken_at == proposed.taken_at for change in session.current(session.syringe_changes)
    )
    before_at = proposed.taken_at - MICROSECOND if changed else proposed.taken_at
    return timeline.rate_at(before_at), timeline.concentration_at(proposed.taken_at)


def rate_entry(
    session: InfusionSession,
    protocol: InfusionProtocol,
    proposed: ProposedRate,
    weight_kg: Decimal,
) -> _Entry:
    """The proposed rate in mg/h with the rates before it.

    Raises:
        ValueError: the unit is not a rate.
    """
    timeline = dose_timeline(session)
    before_mg_per_h, concentration = _before(session, proposed)
    runs = [point for point, _ in timeline.rate_changes(proposed.taken_at)]
    mg_per_h = to_mg_per_h(
        proposed.value, proposed.unit, weight_kg=weight_kg, concentration_mg_per_ml=concentration
    )
    planned = planned_mg_per_h(
        protocol,
        mg_per_h,
        proposed.unit,
        weight_kg=weight_kg,
        concentration_mg_per_ml=concentration,
    )
    last = runs[-1] if runs else None
    return _Entry(
        proposed=proposed,
        mg_per_h=mg_per_h,
        least_mg_per_h=mg_per_h if planned is None else min(mg_per_h, planned),
        most_mg_per_h=mg_per_h if planned is None else max(mg_per_h, planned),
        weight_kg=weight_kg,
        concentration_mg_per_ml=concentration,
        before_mg_per_h=before_mg_per_h,
        last=last,
        last_mg_per_h=meant_mg_per_h(last, protocol, weight_kg) if last else (ZERO, ZERO),
        timeline=timeline,
    )


def is_zero(proposed: ProposedRate) -> bool:
    """Whether it is a hold or a stop, whatever number was left in the field."""
    return proposed.kind in (DoseStepKind.HOLD, DoseStepKind.STOP)


@exact
def check_rate(
    session: InfusionSession,
    protocol: InfusionProtocol,
    proposed: ProposedRate,
    *,
    interlocks: tuple[str, ...] = (),
    doubts: tuple[str, ...] = (),
) -> tuple[Problem, ...]:
    """Every question and refusal for a change of rate, hard ones first.

    A syringe change that belongs to it has to be in the session already.  ``interlocks`` are the
    sentences of U-31, ``doubts`` those of ``titration_doubts``, which concern an increase alone.  Empty for a decrease, a pause and a stop, whatever else stands (U-30).
    """
    if is_zero(proposed):
        return ()
    if not proposed.value.is_finite() or proposed.value <= 0:
        message = "A rate is a number above 0. To give no drug, choose hold or stop."
        return (refusal("rate", "rate.hard", message),)
    protocol = for_patient(protocol, session, proposed.taken_at)
    weight_kg = session.weight_kg
    if weight_kg is None:
        return tuple(standing_problems(session, protocol, "rate", ()))
    try:
        entry = rate_entry(session, protocol, proposed, weight_kg)
    except ValueError as error:
        return (refusal("rate", "rate.hard", str(error)),)
    if entry.mg_per_h > _FASTEST_ML_PER_H * entry.concentration_mg_per_ml:
        message = f"No pump gives {entry.text}: the most is {plain(_FASTEST_ML_PER_H)} mL/h."
        return (refusal("rate", "rate.hard", f"{message} Check the number and the unit."),)
    if entry.is_decrease:
        return ()
    problems = list(standing_problems(session, protocol, "rate", ("rate", "step", "total")))
    problems += _over(entry, _rate_limit_ceilings(entry, protocol))
    problems += _unit_swap_problems(entry, protocol)
    if entry.last is None:
        problems += _over(entry, _start_ceilings(entry, protocol))
    if entry.is_increase:
        problems += _over(entry, _step_ceilings(entry, protocol))
        problems += _interval_problems(entry, protocol)
        problems += _ten_fold_problems(entry)
        problems += titration_problems(protocol, doubts)
    after = timeline_with_rate(session, proposed, entry.mg_per_h)
    problems += projection_problems(after, session, protocol, "rate", proposed.taken_at)
    problems += interlock_problems("rate", interlocks)
    return tuple(sorted(problems, key=lambda problem: problem.kind != "hard"))


@exact
def large_decrease_text(session: InfusionSession, proposed: ProposedRate) -> str | None:
    """The check line shown after a large decrease was saved, else None (U-30).

    Called with the session as it was before the decrease.  A pause or stop needs none.
    """
    if is_zero(proposed) or session.weight_kg is None:
        return None
    before_mg_per_h, concentration = _before(session, proposed)
    mg_per_h = to_mg_per_h(
        proposed.value,
        proposed.unit,
        weight_kg=session.weight_kg,
        concentration_mg_per_ml=concentration,
    )
    if not 0 < mg_per_h <= before_mg_per_h * _TEN_FOLD_DOWN:
        return None
    before = format_dose(before_mg_per_h, DoseUnit.MG_PER_H)
    words = _typed_words(proposed, mg_per_h)
    return f"Saved: lowered from {before} to {words}. Undo if that is not what was meant."
