"""What the monitor works out itself before the start: age, weight, pressure, oxygen, baseline.

clinical.md 2.4, 3.3, 3.4 with U-44 to U-46 and U-50.  Only readings of the 60 minutes before the
start count, the newest one of a sign decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cached_property
from statistics import median
from uuid import UUID

from monitor.gate_library import GATE
from monitor.numbers import plain_text
from monitor.parameters import PARAMETERS
from monitor.protocols import InfusionProtocol
from monitor.readings import BASELINE_WINDOW, Reading, SessionReadings, session_readings
from monitor.record import Answer, DosingWeight, InfusionSession, WeightBasis
from monitor.schedule import has_fresh_set
from monitor.timeline import clock
from monitor.weights import basis_must_be_chosen, bmi

#: The signs a baseline set is made of (clinical.md 4, minimum set).
BASELINE_SIGNS = ("hr", "sbp", "dbp", "spo2", "sedation")
_PAIR_SIGNS = ("hr", "sbp", "dbp", "spo2")
_LIMITS = GATE.limits
_APART = timedelta(minutes=_LIMITS.apart_min)
_ONE_DECIMAL = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that stands in the way of the start.

    ``what`` says it, ``to_do`` what settles it.  An override given before ``since`` does not cover
    it; ``must_be_done`` can be done at any time, so there is nothing to override.
    """

    check: str
    what: str
    to_do: str = ""
    since: datetime | None = None
    must_be_done: bool = False


@dataclass(frozen=True, slots=True)
class _Pressure:
    """One blood pressure, mmHg; either half may be missing (a palpated one has no diastolic)."""

    at: datetime
    sbp: Decimal | None
    dbp: Decimal | None

    def reaches(self, sbp: Decimal, dbp: Decimal) -> bool:
        """Whether either half is at or above its limit (U-45: SBP or DBP)."""
        return _at_least(self.sbp, sbp) or _at_least(self.dbp, dbp)

    def exceeds(self, sbp: Decimal, dbp: Decimal) -> bool:
        """Whether either half is above its limit."""
        return _above(self.sbp, sbp) or _above(self.dbp, dbp)

    def __str__(self) -> str:
        return f"{_number(self.sbp)}/{_number(self.dbp)}"


def findings(
    session: InfusionSession, protocol: InfusionProtocol, judged_at: datetime, zone: tzinfo
) -> Iterator[Finding]:
    """Everything that stands in the way of a start at ``judged_at``, in the order of gate.toml.

    ``session`` holds what is known; ``zone`` is the clinic's, for the times in the sentences.
    """
    before = _Before(session, protocol, judged_at, zone)
    yield from before.person()
    yield from before.weight()
    yield from before.pressure()
    yield from before.signs()
    yield from before.baseline()


class _Before:
    """The hour before a start."""

    def __init__(
        self,
        session: InfusionSession,
        protocol: InfusionProtocol,
        judged_at: datetime,
        zone: tzinfo,
    ) -> None:
        self.session = session
        self.protocol = protocol
        self.at = judged_at
        self.zone = zone
        self.readings: SessionReadings = session_readings(session, timedelta(0))
        self.years = session.patient.age_on(judged_at.astimezone(zone).date())

    def of(self, sign: str) -> list[Reading]:
        """The readings of a sign that count, in order of time."""
        since = self.at - BASELINE_WINDOW
        return [
            reading
            for reading in self.readings.of(sign)
            if since <= reading.at <= self.at and reading.measures
        ]

    def clock(self, at: datetime) -> str:
        return clock(at, self.zone)

    # -- the person ------------------------------------------------------------------------------

    def person(self) -> Iterator[Finding]:
        if self.years < _LIMITS.adult_from_years:
            yield Finding(
                check="adult",
                what=f"The patient is {self.years} years old; the monitor is for adults.",
            )
        if not self.session.patient.allergies.strip():
            yield Finding(
                check="allergies_asked",
                what="Allergies were not asked.",
                to_do="Ask, and write “none known” when there are none.",
                must_be_done=True,
            )

    def weight(self) -> Iterator[Finding]:
        weights = self.session.current(self.session.weights)
        if not weights:
            yield Finding(
                check="dosing_weight",
                what="The weight is missing.",
                to_do="Weigh the patient and enter it: doses are calculated on it.",
                must_be_done=True,
            )
            return
        if weights[-1].basis is not WeightBasis.ACTUAL:
            return
        height_cm = next((item.height_cm for item in reversed(weights) if item.height_cm), None)
        if height_cm is None:
            yield Finding(
                check="weight_basis",
                what="The height is missing, so the BMI is not known.",
                to_do="Measure and enter it.",
                since=weights[-1].taken_at,
            )
        elif basis_must_be_chosen(weights[-1].weight_kg, height_cm) and not self._chosen(
            weights[-1]
        ):
            index = bmi(weights[-1].weight_kg, height_cm).quantize(_ONE_DECIMAL)
            yield Finding(
                check="weight_basis",
                what=f"BMI {plain_text(index)} is 30 or more.",
                to_do="The prescriber chooses actual, ideal or adjusted weight.",
                since=weights[-1].taken_at,
            )

    def _chosen(self, weight: DosingWeight) -> bool:
        """Whether actual weight was chosen on purpose: the check was answered "no concern"."""
        return any(
            answer.question == "weight_basis"
            and answer.answer is Answer.NO
            and not answer.is_override
            and answer.taken_at >= weight.taken_at
            for answer in self.session.current(self.session.answers)
        )

    # -- signs -----------------------------------------------------------------------------------

    @cached_property
    def pressures(self) -> list[_Pressure]:
        """Every blood pressure that counts, halves of one set together."""
        found: dict[UUID | datetime, _Pressure] = {}
        for sign in ("sbp", "dbp"):
            for reading in self.of(sign):
                measures = reading.measures
                found.setdefault(
                    reading.set_id or reading.at,
                    _Pressure(reading.at, measures.get("sbp"), measures.get("dbp")),
                )
        return sorted(found.values(), key=lambda item: item.at)

    def pressure(self) -> Iterator[Finding]:
        """U-45: two high readings block, one asks for its repeat, an elevated one for a reason."""
        if not self.pressures:
            return
        limit = (_LIMITS.high_sbp_at_least, _LIMITS.high_dbp_at_least)
        high = [item for item in self.pressures if item.reaches(*limit)]
        words = f"{_number(limit[0])}/{_number(limit[1])}"
        if high and high[-1].at - high[0].at >= _APART:
            yield Finding(
                check="blood_pressure_confirmed",
                what=f"Blood pressure {high[0]} at {self.clock(high[0].at)} and {high[-1]} at "
                f"{self.clock(high[-1].at)}: at or above {words} twice.",
                since=high[-1].at,
            )
        elif high and self.pressures[-1].at - high[0].at < _APART:
            repeat_at = high[0].at + _APART
            yield Finding(
                check="blood_pressure",
                what=f"Blood pressure {high[0]} at {self.clock(high[0].at)} is at or above {words}.",
                to_do=f"Repeat it from {self.clock(_next_minute(repeat_at))} on.",
                since=high[-1].at,
            )
        else:
            yield from self._elevated()

    def _elevated(self) -> Iterator[Finding]:
        older = self.years >= _LIMITS.older_from_years
        sbp = _LIMITS.elevated_sbp_above_older if older else _LIMITS.elevated_sbp_above
        dbp = _LIMITS.elevated_dbp_above
        newest = self.pressures[-1]
        usual = _Pressure(
            newest.at,
            _median([item.sbp for item in self.pressures if item.sbp is not None]),
            _median([item.dbp for item in self.pressures if item.dbp is not None]),
        )
        words = f"{_number(sbp)}/{_number(dbp)}" + (" (65 years or older)" if older else "")
        if newest.exceeds(sbp, dbp):
            what = f"Blood pressure {newest} at {self.clock(newest.at)} is above {words}."
        elif usual.exceeds(sbp, dbp):
            what = f"The baseline blood pressure {usual} is above {words}."
        else:
            return
        yield Finding(check="blood_pressure", what=what, since=newest.at)

    def signs(self) -> Iterator[Finding]:
        yield from self._outside("hr", "heart_rate", _LIMITS.hr_below, _LIMITS.hr_above)
        scale_2 = self.session.spo2_scale == 2
        least = _LIMITS.spo2_below_scale_2 if scale_2 else _LIMITS.spo2_below_scale_1
        # Also on oxygen: a saturation that low in spite of oxygen is worse, not better.
        yield from self._outside("spo2", "oxygen_saturation", least, None)
        scores = self.of("sedation")
        if scores and scores[-1].measures["grade"] > _LIMITS.sedation_grade_above:
            yield Finding(
                check="sedation",
                what=f"The patient was not fully alert at {self.clock(scores[-1].at)}.",
                since=scores[-1].at,
            )

    def _outside(
        self, sign: str, check: str, below: Decimal, above: Decimal | None
    ) -> Iterator[Finding]:
        readings = self.of(sign)
        value = readings[-1].measures.get("value") if readings else None
        if value is None:
            return
        if value < below:
            limit = f"below {_number(below)}"
        elif _above(value, above):
            limit = f"above {_number(above)}"
        else:
            return
        parameter = PARAMETERS[sign]
        yield Finding(
            check=check,
            what=f"{parameter.label} {_number(value)} {parameter.unit_label} at "
            f"{self.clock(readings[-1].at)} is {limit}.",
            since=readings[-1].at,
        )

    # -- baseline --------------------------------------------------------------------------------

    def baseline(self) -> Iterator[Finding]:
        """Two sets 5 min apart, one of them fresh (clinical.md 3.3, 4, U-44)."""
        times = {
            sign: [
                reading.at
                for reading in self.of(sign)
                if sign == "sedation" or "value" in reading.measures
            ]
            for sign in BASELINE_SIGNS
        }
        missing = [PARAMETERS[sign].label.lower() for sign in BASELINE_SIGNS if not times[sign]]
        if missing:
            yield Finding(
                check="baseline",
                what=f"The baseline has no {_listed(missing)}.",
                to_do="Take a set: relative limits are judged against it.",
            )
        elif any(times[sign][-1] - times[sign][0] < _APART for sign in _PAIR_SIGNS):
            second_at = max(times[sign][0] for sign in _PAIR_SIGNS) + _APART
            yield Finding(
                check="baseline",
                what="The baseline was taken once.",
                to_do=f"Take the second set from {self.clock(_next_minute(second_at))} on.",
            )
        if not missing and not has_fresh_set(self.session, self.protocol, self.at):
            within = self.protocol.schedule_profile.pre_within_min
            yield Finding(
                check="fresh_set",
                what="There is no complete set"
                + ("." if within is None else f" of the last {within} min."),
                to_do="Take one just before the start.",
            )


def _next_minute(at: datetime) -> datetime:
    """The first full minute that is not before: a time without seconds must not be too early."""
    whole = at.replace(second=0, microsecond=0)
    return whole if whole == at else whole + timedelta(minutes=1)


def _at_least(value: Decimal | None, limit: Decimal) -> bool:
    return value is not None and value >= limit


def _above(value: Decimal | None, limit: Decimal | None) -> bool:
    return value is not None and limit is not None and value > limit


def _median(values: list[Decimal]) -> Decimal | None:
    return median(values) if values else None


def _number(value: Decimal | None) -> str:
    return "–" if value is None else plain_text(value)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
