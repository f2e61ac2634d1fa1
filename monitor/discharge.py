"""May the patient leave: every criterion, whether it is met, and what is missing in words.

clinical.md 4 "Discharge gate" with U-04, U-09, U-46, U-50, U-53, U-67 and U-79.  Like the gate
before the start this stops a button, never the record of a patient who really left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum

from monitor import drug_ledger
from monitor.alert_record import AlertState
from monitor.alerts import AlertView
from monitor.errors import Problem
from monitor.gate import is_override, newest_answers
from monitor.gate_library import GATE, DischargeCriterion
from monitor.lifecycle import EventKind
from monitor.numbers import plain_text
from monitor.permissions import Role
from monitor.protocols import InfusionProtocol
from monitor.readings import Reading
from monitor.record import Answer, GateAnswer, InfusionSession
from monitor.recovery import Recovery, score_of
from monitor.scales import RECOVERY_SCORES
from monitor.schedule import Due, earliest_discharge_at
from monitor.timeline import clock

_LIMITS = GATE.discharge_limits
_NO_VOMITING = timedelta(minutes=_LIMITS.no_vomiting_min)
_MINUTE = timedelta(minutes=1)


class CriterionState(StrEnum):
    """Where one criterion stands."""

    MET = "met"
    NOT_MET = "not met"
    NOT_ASSESSED = "not assessed"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True, kw_only=True)
class DischargeItem:
    """One criterion as it stands; ``sentence`` says what is missing, empty when it is met."""

    id: str
    label: str
    state: CriterionState
    source: str
    sentence: str = ""
    text: str | None = None
    override: GateAnswer | None = None
    override_by: Role | None = None

    @property
    def stops(self) -> bool:
        """Whether it is in the way of leaving."""
        return self.state in (CriterionState.NOT_MET, CriterionState.NOT_ASSESSED)


@dataclass(frozen=True, slots=True)
class DischargeState:
    """Every criterion of a session before leaving."""

    items: tuple[DischargeItem, ...]

    @property
    def in_the_way(self) -> tuple[DischargeItem, ...]:
        """The criteria that are not met, not assessed and not overridden."""
        return tuple(item for item in self.items if item.stops)

    @property
    def may_leave(self) -> bool:
        """Whether every criterion is met or overridden."""
        return not self.in_the_way

    @property
    def all_met(self) -> bool:
        """Whether every criterion is met, none overridden."""
        return all(item.state is CriterionState.MET for item in self.items)

    def problems(self) -> tuple[Problem, ...]:
        """What is missing, for a discharge that is about to be saved."""
        return tuple(
            Problem("discharge", item.sentence, code=f"discharge.{item.id}")
            for item in self.in_the_way
        )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was found about a criterion: None = not assessed; an override before ``since`` is old."""

    met: bool | None
    sentence: str = ""
    since: datetime | None = None


_MET = _Judged(met=True)


def discharge_state(
    session: InfusionSession,
    protocol: InfusionProtocol,
    as_of: datetime,
    *,
    alerts: Sequence[AlertView],
    overdue: Sequence[Due],
    zone: tzinfo,
) -> DischargeState:
    """Every discharge criterion, from what was saved by ``as_of``.

    ``alerts`` are all of the session as they stand then, ``overdue`` the sets that are late or
    missed and were not taken since, ``zone`` is the clinic's.  Once the patient left it says how
    things stood at the discharge.
    """
    leaving = _Leaving(session, protocol, as_of, alerts, overdue, zone)
    return DischargeState(tuple(leaving.item(item) for item in GATE.criteria_for(protocol)))


class _Leaving:
    """A recovery before its end."""

    def __init__(
        self,
        session: InfusionSession,
        protocol: InfusionProtocol,
        as_of: datetime,
        alerts: Sequence[AlertView],
        overdue: Sequence[Due],
        zone: tzinfo,
    ) -> None:
        self.recovery = Recovery(session, as_of)
        self.session = self.recovery.session
        self.protocol = protocol
        self.at = self.recovery.until
        self.as_of = as_of
        # A set that is late is asked for as such, not as an alert besides.
        self.alerts = [view for view in alerts if view.is_open and not view.is_clock]
        self.overdue = overdue
        self.zone = zone
        self.answers: Mapping[str, GateAnswer] = {
            question: answer
            for question, answer in newest_answers(self.session, self.at).items()
            if self.recovery.is_in(answer.taken_at)
        }

    def item(self, criterion: DischargeCriterion) -> DischargeItem:
        """The criterion as it stands, its override included."""
        judged = self._judged(criterion)
        given = self.answers.get(criterion.id)
        state, override = CriterionState.MET, None
        if judged.met is not True:
            state = CriterionState.NOT_ASSESSED if judged.met is None else CriterionState.NOT_MET
            if self._covers(given, judged):
                state, override = CriterionState.OVERRIDDEN, given
        return DischargeItem(
            id=criterion.id,
            label=criterion.label,
            state=state,
            source=criterion.source,
            sentence=judged.sentence,
            text=criterion.text,
            override=override,
            override_by=None if state is CriterionState.MET else criterion.override_by,
        )

    def _covers(self, given: GateAnswer | None, judged: _Judged) -> bool:
        return (
            given is not None
            and is_override(given)
            and (judged.since is None or given.taken_at >= judged.since)
        )

    def _judged(self, criterion: DischargeCriterion) -> _Judged:
        if criterion.text is None:
            judged: _Judged = getattr(self, f"_{criterion.id}")()
            return judged
        given = self.answers.get(criterion.id)
        if given is None or given.answer is Answer.UNKNOWN:
            return _Judged(None, f"{criterion.text}: not answered.")
        if given.answer is Answer.YES:
            return _MET
        return _Judged(False, f"{criterion.text}: no.")

    # -- worked out from the record --------------------------------------------------------------

    def _minimum_recovery(self) -> _Judged:
        if self.session.started_at is None:
            return _Judged(False, "No infusion was given.")
        if self.recovery.began_at is None:
            return _Judged(False, "The infusion is not over. Stop it first.")
        # As if nobody had left: the schedule ends at the discharge.
        here = replace(
            self.session,
            events=tuple(
                event
                for event in self.session.events
                if event.kind not in (EventKind.DISCHARGED, EventKind.COMPLETED, EventKind.SIGNED)
            ),
        )
        earliest_at = earliest_discharge_at(here, self.protocol, self.as_of)
        if earliest_at is None or self.at >= earliest_at:
            return _MET
        return _Judged(False, f"Minimum recovery lasts until {self._until(earliest_at)}.")

    def _recovery_score(self) -> _Judged:
        state = score_of(self.recovery, RECOVERY_SCORES[self.protocol.recovery_score])
        if state.passed:
            return _MET
        if state.total is None:
            return _Judged(None, f"{state}. {' '.join(state.missing)}")
        lost = "; ".join(
            f"{part.item.label}: {part.answer}" for part in state.parts if part.points != 2
        )
        return _Judged(
            False, f"{state}, at least {state.score.threshold} is needed. {lost}.", self._last_set()
        )

    def _last_set(self) -> datetime | None:
        times = [
            item.taken_at
            for item in self.session.current_observations
            if self.recovery.is_in(item.taken_at)
        ]
        return max(times, default=None)

    def _blood_pressure_at_discharge(self) -> _Judged:
        newest = self.recovery.newest("sbp")
        sbp = None if newest is None else newest.measures.get("sbp")
        dbp = None if newest is None else newest.measures.get("dbp")
        if newest is None or sbp is None or dbp is None:
            return _Judged(None, "Take the blood pressure: there is none since the infusion ended.")
        if sbp >= _LIMITS.sbp_at_least:
            if sbp < _LIMITS.sbp_below and dbp < _LIMITS.dbp_below:
                return _MET
            if self._near_baseline(sbp, dbp):
                return _MET
        return _Judged(
            False,
            f"Blood pressure {plain_text(sbp)}/{plain_text(dbp)} at {self._clock(newest)}: "
            + self._pressure_wanted(sbp),
            newest.at,
        )

    def _near_baseline(self, sbp: Decimal, dbp: Decimal) -> bool:
        usual = self.recovery.baseline.get("sbp")
        return (
            usual is not None
            # Multiplied out: a quotient would be rounded and could miss exactly 20 %.
            and abs(sbp - usual) * 100 <= _LIMITS.near_baseline_percent * usual
            and sbp < _LIMITS.near_baseline_sbp_below
            and dbp < _LIMITS.near_baseline_dbp_below
        )

    def _pressure_wanted(self, sbp: Decimal) -> str:
        if sbp < _LIMITS.sbp_at_least:
            return f"systolic has to be {plain_text(_LIMITS.sbp_at_least)} or more."
        usual = self.recovery.baseline.get("sbp")
        below = f"{plain_text(_LIMITS.sbp_below)}/{plain_text(_LIMITS.dbp_below)}"
        if usual is None:
            return f"has to be below {below} (there is no baseline to compare with)."
        near = f"{plain_text(_LIMITS.near_baseline_sbp_below)}/{plain_text(_LIMITS.near_baseline_dbp_below)}"
        percent = plain_text(_LIMITS.near_baseline_percent)
        return (
            f"has to be below {below}, or below {near} with systolic within {percent} % of "
            f"{plain_text(usual)}."
        )

    def _oxygen_at_discharge(self) -> _Judged:
        newest, spo2 = self.recovery.newest("spo2"), self.recovery.value("spo2")
        if newest is None or spo2 is None:
            return _Judged(
                None, "Take the oxygen saturation: there is none since the infusion ended."
            )
        shown = f"SpO2 {plain_text(spo2)} % at {self._clock(newest)}"
        if self.session.spo2_scale == 2:
            least = _LIMITS.spo2_at_least_scale_2
            if spo2 >= least:
                return _MET
            return _Judged(False, f"{shown}: has to be {plain_text(least)} % or more.", newest.at)
        return self._oxygen_scale_1(spo2, shown, newest)

    def _oxygen_scale_1(self, spo2: Decimal, shown: str, newest: Reading) -> _Judged:
        """U-79: above 92 % on air, or at most 2 below the baseline on the baseline oxygen."""
        flow = self.recovery.oxygen_l_per_min
        if flow is None:
            return _Judged(None, f"{shown}: record the oxygen flow (0 on air).")
        if flow == 0 and spo2 > _LIMITS.spo2_above_on_air:
            return _MET
        usual = self.recovery.baseline.get("spo2")
        usual_flow = self.recovery.baseline.get("o2_flow", Decimal(0))
        wanted = f"above {plain_text(_LIMITS.spo2_above_on_air)} % on air"
        if usual is not None:
            least = usual - _LIMITS.spo2_below_baseline
            if flow <= usual_flow and spo2 >= least:
                return _MET
            wanted += f", or {plain_text(least)} % or more on the oxygen of before the session"
        with_oxygen = f" on {plain_text(flow)} L/min" if flow else " on air"
        return _Judged(False, f"{shown}{with_oxygen}: has to be {wanted}.", newest.at)

    def _sedation_at_discharge(self) -> _Judged:
        newest = self.recovery.newest("sedation")
        if newest is None:
            return _Judged(None, "Score sedation: it was not scored since the infusion ended.")
        if self._asleep(newest):
            return _Judged(
                False,
                f"The patient slept at {self._clock(newest)}. Wake the patient and score again.",
                newest.at,
            )
        grade = newest.measures.get("grade")
        if grade is None:
            return _Judged(None, f"Sedation was not assessed at {self._clock(newest)}. Score it.")
        if grade == 0:
            return _MET
        return _Judged(False, f"The patient was drowsy at {self._clock(newest)}.", newest.at)

    def _asleep(self, scored: Reading) -> bool:
        """S never passes, roused or not (U-50)."""
        return any(
            item.parameter == "asleep" and item.value == 1 and item.set_id == scored.set_id
            for item in self.session.current_observations
        )

    def _dissociation_at_discharge(self) -> _Judged:
        newest = self.recovery.newest("dissociation")
        score = self.recovery.value("dissociation")
        if newest is None or score is None:
            return _Judged(
                None, "Ask for dissociation: it was not scored since the infusion ended."
            )
        most = GATE.dissociation_at_most[self.protocol.dissociation_scale]
        if score <= most:
            return _MET
        return _Judged(
            False,
            f"Dissociation {plain_text(score)} at {self._clock(newest)}: "
            f"{plain_text(most)} at the most may leave.",
            newest.at,
        )

    def _no_vomiting(self) -> _Judged:
        vomited_at = max(self.recovery.vomited_at(), default=None)
        if vomited_at is not None and self.at - vomited_at < _NO_VOMITING:
            ago = (self.at - vomited_at) // _MINUTE
            return _Judged(
                False,
                f"Last vomited {ago} min ago: wait until {self._until(vomited_at + _NO_VOMITING)}.",
                vomited_at,
            )
        if self.recovery.newest("nausea") is None:
            return _Judged(None, "Ask for nausea and vomiting: not asked since the infusion ended.")
        return _MET

    def _drug_reconciled(self) -> _Judged:
        """What the ledger says, never what somebody ticks: it is empty as easily as it is wrong."""
        problem = drug_ledger.closing_problem(self.session, self.at)
        if problem is None:
            return _MET
        lines = self.session.current(self.session.drug_movements)
        return _Judged(False, problem, max((line.recorded_at for line in lines), default=None))

    # -- alerts ----------------------------------------------------------------------------------

    def _set_on_time(self) -> _Judged:
        if not self.overdue:
            return _MET
        worst = "missed" if any(due.state == "missed" for due in self.overdue) else "late"
        return _Judged(
            False,
            f"The observation set is {worst}. Take it.",
            max(due.due_at for due in self.overdue),
        )

    def _alerts_pending(self) -> _Judged:
        return _none_of(
            [view for view in self.alerts if view.state is AlertState.PENDING], "Recheck"
        )

    def _warnings_acknowledged(self) -> _Judged:
        return _none_of(
            [view for view in self._confirmed("warning") if view.acknowledged_at is None],
            "Answer the warning",
        )

    def _criticals_resolved(self) -> _Judged:
        return _none_of(self._confirmed("critical"), "Critical and not over")

    def _confirmed(self, level: str) -> list[AlertView]:
        return [
            view
            for view in self.alerts
            if view.level == level and view.state is not AlertState.PENDING
        ]

    # -- words -----------------------------------------------------------------------------------

    def _clock(self, reading: Reading) -> str:
        return clock(reading.at, self.zone)

    def _until(self, at: datetime) -> str:
        """The first whole minute at which the wait is over: 15:42:10 is shown as 15:43."""
        if at.second or at.microsecond:
            at = at.replace(second=0, microsecond=0) + _MINUTE
        return clock(at, self.zone)


def _none_of(views: Sequence[AlertView], to_do: str) -> _Judged:
    if not views:
        return _MET
    words = " ".join(
        f"{to_do if view.cleared_at is None else 'Answer the alert'}: {view.text.rstrip('.')}."
        for view in views
    )
    return _Judged(False, words, max(view.detected_at for view in views))
