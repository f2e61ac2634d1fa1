"""What would be measured: pressures, pulse, breathing and scores of an invented patient over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, sqrt
from random import Random

from monitor.synthetic.expectations import between, expectations, happens
from monitor.synthetic.people import Visit

#: The rate and time under which the published rises were seen: 0.5 mg/kg in 40 min (P17).
_REFERENCE_RATE, _REFERENCE_MIN = 0.75, 40.0


def _acting(rate: float, lag_min: float, minutes: float, before: float) -> float:
    """The drug that acts after so many minutes at one rate, in mg/kg/h it stands for."""
    return rate + (before - rate) * exp(-minutes / lag_min)


@dataclass
class Body:
    """How one patient answers to the drug in one session; told of every change of rate.

    Minutes are since the first dose.
    """

    rng: Random
    visit: Visit
    _rate: float = 0.0
    _since: float = 0.0
    _level: float = 0.0
    _rises: dict[str, float] = field(default_factory=dict)
    _dip: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        rng, figures = self.rng, expectations()
        rise, rare = figures["rise"], figures["rare"]
        one, other, tied = rng.gauss(0, 1), rng.gauss(0, 1), rise["correlation"]
        both = {"sbp": one, "dbp": tied * one + sqrt(1 - tied**2) * other}
        cut = rise["drawn_within_sd"]
        for sign, z in both.items():
            self._rises[sign] = rise[f"{sign}_drawn_mean"] + rise[f"{sign}_drawn_sd"] * min(
                cut, max(-cut, z)
            )
        self._rises["hr"] = rng.gauss(figures["heart_rate"]["mean"], figures["heart_rate"]["sd"])
        self._rises["spo2"] = -abs(rng.gauss(0.4, 0.4))
        if happens(rng, rare["desaturation"]):
            deep = between(
                rng, rare["desaturation_depth_mean"], rare["desaturation_depth_sd"], 2, 12
            )
            self._dip = (rng.uniform(12, 70), deep)
        # Sorted: a set of words has another order in every process.
        prone_to = sorted(self.visit.person.prone_to)
        reports = {term for term in prone_to if happens(rng, _in_a_session())}
        self.reports = reports
        self.dissociation = between(rng, 3.6, 1.6, 1, 9) if "dissociation" in reports else 0.8
        self.nausea = rng.choice((1, 1, 1, 2)) if "nausea" in reports else 0
        self.deep_sedation = happens(rng, rare["deep_sedation"])
        self.distressed = happens(rng, rare["distress"])
        lag = figures["acting"]["lag_min"]
        self._lag = float(lag)
        self._reference = _acting(_REFERENCE_RATE, lag, _REFERENCE_MIN, 0)
        self.pain = round(between(rng, 6.2, 1.4, 3, 9))
        self.pain_relief = between(rng, 0.42, 0.25, 0, 0.9)

    def set_rate(self, rate: float, at: float) -> None:
        """Another rate (mg/kg/h) from this minute on."""
        self._level = self._level_at(at)
        self._rate, self._since = rate, at

    def _level_at(self, at: float) -> float:
        return _acting(self._rate, self._lag, max(0.0, at - self._since), self._level)

    def effect(self, at: float) -> float:
        """How much acts, 1 = the end of 0.5 mg/kg in 40 min."""
        return self._level_at(at) / self._reference

    def measured(self, at: float) -> dict[str, int]:
        """One reading of every vital sign; systolic always stands above diastolic."""
        effect, scatter = self.effect(at), expectations()["scatter"]
        usual, rng = self.visit.person.usual, self.rng
        values = {
            sign: usual[sign] + self._rises.get(sign, 0) * effect + rng.gauss(0, scatter[sign])
            for sign in ("hr", "sbp", "dbp", "spo2", "rr")
        }
        values["rr"] -= 1.0 * effect
        values["spo2"] -= self._depth(at)
        found = {sign: round(value) for sign, value in values.items()}
        found["spo2"] = min(100, max(70, found["spo2"]))
        found["dbp"] = min(found["dbp"], found["sbp"] - 18)
        return found

    def _depth(self, at: float) -> float:
        if self._dip is None:
            return 0.0
        begins, deep = self._dip
        lasts = expectations()["rare"]["desaturation_lasts_min"]
        return deep if begins <= at <= begins + lasts else 0.0

    def sedation_grade(self, at: float) -> int:
        """The harmonised grade 0 to 3 (clinical.md U-49)."""
        effect = self.effect(at)
        if self.deep_sedation and effect > 0.6:
            return 2
        return int("drowsy" in self.reports and effect > 0.4)

    def scores(self, at: float) -> dict[str, int]:
        """Dissociation, nausea and pain as they would be answered."""
        effect = self.effect(at)
        dissociation = self.dissociation * effect + self.rng.gauss(0, 0.4)
        relief = self.pain_relief * min(1.0, effect if at < 60 else max(effect, 0.8))
        return {
            "dissociation": min(10, max(0, round(dissociation))),
            "nausea": self.nausea if effect > 0.45 else 0,
            "pain": min(10, max(0, round(self.pain * (1 - relief)))),
        }


def _in_a_session() -> float:
    share: float = expectations()["side_effects"]["in_a_session"]
    return share
