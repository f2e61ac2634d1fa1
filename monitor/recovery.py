"""The recovery score as it stands: what people scored, what the vital signs say, what is missing.

Modified Aldrete and PADSS (clinical.md 5.8 with U-79).  Scored items are observations with the
parameter ``<score>_<item>`` and the points as value; the other items are worked out every time from
the newest vital signs of the recovery and the baseline, so they are never stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from monitor.lifecycle import EventKind, SessionStatus, status_changes
from monitor.parameters import PARAMETERS
from monitor.readings import Reading, SessionReadings, baseline, session_readings
from monitor.record import InfusionSession, Observation
from monitor.scales import (
    RECOVERY_SCORES,
    RecoveryItem,
    RecoveryScore,
    aldrete_circulation,
    aldrete_oxygen,
    padss_vital_signs,
)


@dataclass(frozen=True, slots=True)
class RecoveryPart:
    """One item of the score: its points, or None with what is missing in ``missing``.

    ``parameter`` is what people score it as; None for an item worked out from vital signs.
    """

    item: RecoveryItem
    points: int | None
    parameter: str | None
    missing: str = ""

    @property
    def answer(self) -> str | None:
        """The wording of the points."""
        return None if self.points is None else self.item.answers[self.points]


@dataclass(frozen=True, slots=True)
class RecoveryState:
    """A recovery score at one moment, item by item."""

    score: RecoveryScore
    parts: tuple[RecoveryPart, ...]

    @property
    def points(self) -> dict[str, int]:
        """The points of every item that has them."""
        return {part.item.key: part.points for part in self.parts if part.points is not None}

    @property
    def total(self) -> int | None:
        """The sum, None while an item is missing: missing is never 0."""
        return self.score.total(self.points)

    @property
    def passed(self) -> bool:
        """Whether every item is there and the total reaches the threshold."""
        return self.score.passed(self.points)

    @property
    def missing(self) -> tuple[str, ...]:
        """What has to be done to complete it, one sentence each."""
        return tuple(dict.fromkeys(part.missing for part in self.parts if part.missing))

    def __str__(self) -> str:
        """``Modified Aldrete 9/10``; an incomplete one says so."""
        if self.total is None:
            least = sum(self.points.values())
            return f"{self.score.label} incomplete, at least {least}/{self.score.maximum}"
        return f"{self.score.label} {self.total}/{self.score.maximum}"


class Recovery:
    """The newest readings of the recovery, up to ``until``, from what was saved by ``as_of``.

    ``until`` is ``as_of`` while the patient is here and the discharge afterwards.  Readings from
    before the end of the infusion are left out: they say nothing about leaving.
    """

    def __init__(self, session: InfusionSession, as_of: datetime) -> None:
        self.session = session.known_at(as_of)
        self.began_at, left_at = _span(session, as_of)
        self.until = as_of if left_at is None else left_at
        self.baseline: Mapping[str, Decimal] = baseline(self.session)
        self._readings: SessionReadings = session_readings(self.session, timedelta(0))

    def newest(self, sign: str) -> Reading | None:
        """The newest reading of a sign since the infusion ended.

        None while there is none, and when a reason stands in place of a newer one: what was good
        before the cuff came off is not the latest set.
        """
        found = [reading for reading in self._readings.of(sign) if self.is_in(reading.at)]
        if not found or self._not_taken_after(sign, found[-1].at):
            return None
        return found[-1]

    def value(self, sign: str) -> Decimal | None:
        """The number of the newest reading of a sign since the infusion ended."""
        newest = self.newest(sign)
        return None if newest is None else newest.measures.get("value")

    def _not_taken_after(self, parameter: str, at: datetime) -> bool:
        return any(
            item.parameter == parameter and item.value is None and at < item.taken_at <= self.until
            for item in self.session.current_observations
        )

    def is_in(self, at: datetime) -> bool:
        """Whether a moment lies in the recovery."""
        return self.began_at is not None and self.began_at <= at <= self.until

    @property
    def oxygen_l_per_min(self) -> Decimal | None:
        """The oxygen flow now; a flow holds until oxygen was touched again.  None: not recorded."""
        flows = [
            item
            for item in self.session.current_observations
            if item.parameter == "o2_flow"
            and item.value is not None
            and item.taken_at <= self.until
        ]
        if not flows or self._oxygen_changed_after(flows[-1].taken_at):
            return None
        return flows[-1].value

    def _oxygen_changed_after(self, at: datetime) -> bool:
        """Whether the event "oxygen" says that the flow is no longer the one recorded."""
        return any(
            event.kind == EventKind.OXYGEN and at < event.taken_at <= self.until
            for event in self.session.current(self.session.events)
        )

    def vomited_at(self) -> list[datetime]:
        """Every moment of vomiting: ticked in a set, an event, a side effect's onset or its end."""
        moments = [
            reading.at for reading in self._readings.of("nausea") if reading.measures.get("vomited")
        ]
        for effect, course in self._readings.side_effects():
            if effect.term == "vomiting":
                moments += [reading.at for reading in course]
        return [at for at in moments if at <= self.until]

    def scored(self, parameters: frozenset[str]) -> dict[str, Observation]:
        """The newest set with any of these parameters: a score is made in one go."""
        found = [
            item
            for item in self.session.current_observations
            if item.parameter in parameters and item.value is not None and self.is_in(item.taken_at)
        ]
        if not found:
            return {}
        return {item.parameter: item for item in found if item.set_id == found[-1].set_id}


def _span(session: InfusionSession, as_of: datetime) -> tuple[datetime | None, datetime | None]:
    """When the infusion ended for the last time and when the patient left; None: not yet."""
    began_at = left_at = None
    for at, state in status_changes(session, as_of):
        if state in (SessionStatus.INFUSING, SessionStatus.PAUSED):
            began_at = left_at = None
        elif state is SessionStatus.RECOVERY:
            # Reopened after discharge is the same recovery, not a new one.
            began_at, left_at = began_at or at, None
        elif state is SessionStatus.DISCHARGED:
            left_at = left_at or at
    return began_at, left_at


def recovery_state(session: InfusionSession, score_id: str, as_of: datetime) -> RecoveryState:
    """The recovery score at ``as_of``.

    Raises:
        KeyError: there is no such score.
    """
    return score_of(Recovery(session, as_of), RECOVERY_SCORES[score_id])


def scored_parameter(score_id: str, item_key: str) -> str | None:
    """The parameter people score an item as; None for an item worked out from vital signs."""
    parameter = f"{score_id.lower()}_{item_key}"
    return parameter if parameter in PARAMETERS else None


def score_of(recovery: Recovery, score: RecoveryScore) -> RecoveryState:
    """The score from the newest readings of a recovery."""
    parameters = {item.key: scored_parameter(score.id, item.key) for item in score.items}
    scored = recovery.scored(frozenset(name for name in parameters.values() if name))
    return RecoveryState(
        score,
        tuple(_part(recovery, score, item, parameters[item.key], scored) for item in score.items),
    )


def _part(
    recovery: Recovery,
    score: RecoveryScore,
    item: RecoveryItem,
    parameter: str | None,
    scored: Mapping[str, Observation],
) -> RecoveryPart:
    if parameter is None:
        points, missing = _COMPUTED[score.id, item.key](recovery)
        return RecoveryPart(item, points, None, missing)
    seen = scored.get(parameter)
    if seen is None or seen.value is None:
        return RecoveryPart(item, None, parameter, f"Score {item.label.lower()}.")
    return RecoveryPart(item, int(seen.value), parameter)


def _circulation(recovery: Recovery) -> tuple[int | None, str]:
    sbp, usual = recovery.value("sbp"), recovery.baseline.get("sbp")
    if usual is None:
        return None, _no_baseline("systolic pressure")
    if sbp is None:
        return None, "Take the blood pressure."
    return aldrete_circulation(sbp, usual), ""


def _oxygen(recovery: Recovery) -> tuple[int | None, str]:
    spo2, flow = recovery.value("spo2"), recovery.oxygen_l_per_min
    if spo2 is None:
        return None, "Take the oxygen saturation."
    if flow is None:
        return None, "Record the oxygen flow (0 on air)."
    return aldrete_oxygen(spo2, on_oxygen=flow > 0), ""


def _vital_signs(recovery: Recovery) -> tuple[int | None, str]:
    usual_sbp, usual_hr = recovery.baseline.get("sbp"), recovery.baseline.get("hr")
    if usual_sbp is None or usual_hr is None:
        return None, _no_baseline("systolic pressure and heart rate")
    sbp, hr = recovery.value("sbp"), recovery.value("hr")
    if sbp is None or hr is None:
        return None, "Take blood pressure and heart rate."
    return padss_vital_signs(sbp, usual_sbp, hr, usual_hr), ""


def _no_baseline(what: str) -> str:
    return f"There is no baseline {what} to compare with; an anaesthetist has to decide."


#: Items worked out from vital signs (U-79).
_COMPUTED: Mapping[tuple[str, str], Callable[[Recovery], tuple[int | None, str]]] = (
    MappingProxyType(
        {
            ("ALDRETE", "circulation"): _circulation,
            ("ALDRETE", "oxygen"): _oxygen,
            ("PADSS", "vital_signs"): _vital_signs,
        }
    )
)
