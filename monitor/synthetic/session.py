"""The record of one invented visit: who did what when, from arrival to signature."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from monitor.dosing import cumulative_mg
from monitor.gate_library import GATE
from monitor.ids import drawn_id
from monitor.lifecycle import EventKind
from monitor.parameters import PARAMETERS
from monitor.protocols import InfusionProtocol, PinnedVersion
from monitor.record import (
    Amendment,
    Answer,
    DoseStep,
    DoseStepKind,
    DoseUnit,
    DosingWeight,
    DrugMovement,
    Fact,
    GateAnswer,
    InfusionSession,
    MovementKind,
    NotTaken,
    Observation,
    SessionEvent,
    SideEffect,
    SideEffectChange,
    Source,
)
from monitor.recovery import scored_parameter
from monitor.scales import RECOVERY_SCORES, SCALES
from monitor.synthetic.expectations import between, expectations, happens
from monitor.synthetic.people import Visit
from monitor.synthetic.signs import Body

FactT = TypeVar("FactT", bound=Fact)

_VITALS = ("hr", "sbp", "dbp", "spo2", "rr")
_RECHECKED = ("hr", "sbp", "dbp", "spo2")
#: mg in one ampoule (clinical.md 2.2: vials of 200 mg in 20 mL).
_AMPOULE_MG = 200
_STEP = Decimal("0.05")
#: A slip of the finger in the tens digit, made where neither value is near a limit (mmHg).
_SLIGHT, _HARMLESS = 10, (112, 128)
_WHY_NOT = (NotTaken.CUFF_OFF, NotTaken.REFUSED, NotTaken.EQUIPMENT, NotTaken.ARTEFACT)


@lru_cache(maxsize=1024)
def _number(value: int) -> Decimal:
    """The same object for the same reading: a history has few different ones."""
    return Decimal(value)


@lru_cache(maxsize=16)
def _sedation_codes(scale: str) -> dict[int, int]:
    """The code of every harmonised grade on a scale."""
    codes: dict[int, int] = {}
    for answer in SCALES[scale].codes:
        if answer.grade is not None and not answer.asleep:
            codes.setdefault(answer.grade, answer.code)
    return codes


def invent_session(
    visit: Visit, protocol: InfusionProtocol, pinned: PinnedVersion, thresholds: PinnedVersion
) -> InfusionSession:
    """The finished session of a visit, the same for the same visit."""
    rng = Random(f"session:{visit.seed}")
    arrived = visit.start_at - timedelta(minutes=rng.randint(30, 55))
    session = InfusionSession(
        id=drawn_id(int(arrived.timestamp() * 1000), rng),
        clinic=visit.clinic,
        patient=visit.person.patient,
        chair=visit.chair,
        protocol_id=pinned.id,
        threshold_set_id=thresholds.id,
        drug_form=protocol.form,
        route=protocol.route,
        concentration_mg_per_ml=Decimal(2),
        sedation_scale=protocol.sedation_scale,
        spo2_scale=1,
        created_at=arrived,
        created_by=visit.nurse,
        indication=visit.person.indication,
        setting=protocol.setting,
        course_id=visit.course.course_id,
        series_number=1,
        infusion_number=visit.infusion_number,
    )
    return _Story(visit, protocol, session, rng).told()


class _Story:
    """One visit while it is made up.  Minutes are since the first dose."""

    def __init__(
        self, visit: Visit, protocol: InfusionProtocol, session: InfusionSession, rng: Random
    ) -> None:
        self.visit = visit
        self.protocol = protocol
        self.session = session
        self.rng = rng
        self.body = Body(rng, visit)
        self.work = expectations()["work"]
        self.rare = expectations()["rare"]
        self.facts: list[Fact] = []
        self.rate = Decimal(0)
        self.sets = 0
        self.slip: Observation | None = None
        self.wants_slip = happens(rng, self.rare["slip_corrected"])
        arrived = (visit.start_at - session.created_at) // timedelta(minutes=1)
        self.arrived_min = -float(arrived)

    def told(self) -> InfusionSession:
        if happens(self.rng, self.rare["cancelled"]):
            self._preparation(with_sets=False)
            reason = self.rng.choice(("not fasted", "unwell", "no escort"))
            self._event(EventKind.CANCELLED, -12, text=reason)
            return self.session.with_facts(self.facts)
        self._preparation(with_sets=True)
        stopped_min, last_set_min, due_min = self._infusion()
        first_min = min(due_min, stopped_min + self._recovery_every())
        left_min = self._recovery(stopped_min, max(first_min, last_set_min + 1, stopped_min + 0.5))
        self._side_effects(stopped_min)
        self._leaving(left_min)
        return self.session.with_facts(self.facts)

    # -- making facts ------------------------------------------------------------------------

    def _common(self, minute: float, after_s: int, by: str | None = None) -> dict[str, Any]:
        taken_at = self.visit.start_at + timedelta(seconds=round(minute * 60))
        return {
            "id": drawn_id(int(taken_at.timestamp() * 1000), self.rng),
            "taken_at": taken_at,
            "recorded_at": taken_at + timedelta(seconds=after_s),
            "recorded_by": by or self.visit.nurse,
        }

    def _event(
        self, kind: EventKind, minute: float, *, by: str | None = None, text: str = ""
    ) -> None:
        common = self._common(minute, self.rng.randint(6, 25), by)
        self.facts.append(SessionEvent(kind=kind.value, text=text or None, **common))

    def _rate(self, minute: float, rate: Decimal, kind: DoseStepKind, reason: str = "") -> None:
        first = self.rate == 0
        self.facts.append(
            DoseStep(
                kind=kind,
                rate_mg_per_h=self.protocol.rate_mg_per_h(rate, self.visit.person.weight_kg),
                entered_value=rate,
                entered_unit=DoseUnit.MG_PER_KG_PER_H,
                reason=reason or None,
                second_person=self.visit.second if first else None,
                **self._common(minute, self.rng.randint(5, 15)),
            )
        )
        self.rate = rate
        self.body.set_rate(float(rate), minute)

    def _set(
        self, minute: float, *, short: bool = False, extra: dict[str, int] | None = None
    ) -> dict[str, int]:
        """One set of observations; what was measured."""
        rng, body = self.rng, self.body
        values = body.measured(minute)
        values = {sign: values[sign] for sign in (_RECHECKED if short else _VITALS)}
        if not short:
            grade = body.sedation_grade(minute)
            values["sedation"] = _sedation_codes(self.protocol.sedation_scale)[grade]
            scores = body.scores(minute)
            asked_pain = self.sets % 2 == 0 and self.protocol.indication != "depression"
            values |= {key: scores[key] for key in ("dissociation", "nausea")}
            values |= {"pain": scores["pain"]} if asked_pain else {}
            values |= {"o2_flow": 0} if minute < 0 else {}
            if body.distressed and scores["dissociation"] >= 3:
                values["distress"] = 1
        values |= extra or {}
        self.sets += 1
        paper = not short and minute > 0 and happens(rng, self.work["from_paper"])
        after_s = rng.randint(12 * 60, 40 * 60) if paper else rng.randint(18, 70)
        common = self._common(minute, after_s)
        common["source"] = Source.PAPER if paper else Source.KEYED
        set_id = common.pop("id")
        missing = happens(rng, self.work["value_not_taken"] * len(values))
        left_out = rng.choice(list(values)) if missing and minute > 0 and not short else None
        for parameter, value in values.items():
            self.facts.append(self._observation(common, set_id, parameter, value, left_out))
        return values

    def _observation(
        self, common: dict[str, Any], set_id: UUID, parameter: str, value: int, left_out: str | None
    ) -> Observation:
        at_ms = int(common["taken_at"].timestamp() * 1000)
        found: dict[str, Any] = {"value": _number(value)}
        if parameter == left_out and parameter not in ("distress", "o2_flow"):
            asked = parameter not in _VITALS
            why = NotTaken.NOT_ASSESSED if asked else self.rng.choice(_WHY_NOT)
            found = {"not_taken": why}
        made = Observation(
            id=drawn_id(at_ms, self.rng), set_id=set_id, parameter=parameter, **found, **common
        )
        if (
            self.wants_slip
            and parameter == "sbp"
            and made.value is not None
            and _HARMLESS[0] <= made.value <= _HARMLESS[1]
            and common["taken_at"] > self.visit.start_at
        ):
            self.wants_slip = False
            made = self._slipped(made)
        return made

    def _slipped(self, right: Observation) -> Observation:
        """A typing slip, put right two minutes later; the wrong value stays in the record."""
        assert right.value is not None
        wildly = happens(self.rng, self.rare["slip_wild"])
        by = 100 if right.value < 150 else -100
        wrong = replace(right, value=right.value + (by if wildly else _SLIGHT))
        corrected_at = right.recorded_at + timedelta(seconds=self.rng.randint(60, 150))
        at_ms = int(corrected_at.timestamp() * 1000)
        put_right = replace(right, id=drawn_id(at_ms, self.rng), recorded_at=corrected_at)
        self.facts += [
            put_right,
            Amendment(
                id=drawn_id(at_ms, self.rng),
                taken_at=corrected_at,
                recorded_at=corrected_at,
                recorded_by=right.recorded_by,
                amends=wrong.id,
                replacement=put_right.id,
                reason="typing slip",
            ),
        ]
        return wrong

    # -- before ----------------------------------------------------------------------------------

    def _preparation(self, *, with_sets: bool) -> None:
        person, rng = self.visit.person, self.rng
        self._event(EventKind.ARRIVED, self.arrived_min + 0.5)
        common = self._common(self.arrived_min + 3, 20)
        self.facts.append(
            DosingWeight(
                weight_kg=person.weight_kg,
                height_cm=person.height_cm,
                measured_on=common["taken_at"].date(),
                **common,
            )
        )
        for place, question in enumerate(GATE.questions_for(self.protocol)):
            good = Answer.NO if Answer.YES in question.concern else Answer.YES
            asked = self._common(self.arrived_min + 5 + place * 0.15, 0)
            self.facts.append(GateAnswer(question=question.id, answer=good, **asked))
        if not with_sets:
            return
        self._set(-rng.uniform(17, 24))
        self._set(-rng.uniform(7, 11))
        self._event(EventKind.READY, -4.5)
        self._event(
            EventKind.SECOND_CHECK,
            -3.5,
            by=self.visit.second,
            text="syringe, pump and patient checked",
        )
        issued = self._common(-3, 12)
        expires = issued["taken_at"].date() + timedelta(days=rng.randint(60, 700))
        self.facts.append(
            DrugMovement(
                kind=MovementKind.ISSUED,
                amount_mg=Decimal(_AMPOULE_MG),
                ampoules=1,
                batch=f"SYN{rng.randint(100, 999)}",
                expires_on=expires,
                witness=self.visit.second,
                **issued,
            )
        )

    # -- the infusion ----------------------------------------------------------------------------

    def _infusion(self) -> tuple[float, float, float]:
        """Rates and sets from the first dose to the stop.

        The minutes of the stop, of the last set, and of the set that was due next.
        """
        rng, protocol = self.rng, self.protocol
        steps = list(protocol.steps)
        if len(steps) > 1 and happens(rng, self.work["does_not_reach_last_step"]):
            steps = steps[: rng.randint(2, len(steps) - 1)]
        # A fixed dose ends by the pump's volume, a titrated one when the nurse stops it.
        spread = 0.8 if len(protocol.steps) == 1 else 8
        end = protocol.planned_duration_min + rng.uniform(-0.5, spread)
        early = happens(rng, self.rare["stopped_early"])
        if early:
            end *= rng.uniform(0.3, 0.8)
        plan = [(step.after_min, step.rate_mg_per_kg_h) for step in steps[1:]]
        self._rate(0, steps[0].rate_mg_per_kg_h, DoseStepKind.RATE)
        clock = _DueClock(protocol)
        clock.increased(0)
        outside = False
        lowered = False
        minute = 0.0
        while True:
            due = clock.next_after(minute, outside=outside)
            late_by = self._lateness(clock.interval(due))
            if late_by is None:
                clock.skipped(due)
                minute = due
                if due >= end:
                    break
                continue
            at = max(minute + 0.7, due + late_by)
            if at >= end - 0.5:
                break
            values = self._set(at)
            clock.taken(at)
            minute = at
            was_outside, outside = outside, _is_outside(values)
            if outside and not was_outside and happens(rng, self.work["recheck_done"]):
                minute = min(at + rng.uniform(1.4, 3.4), end - 0.4)
                if minute > at + 1:
                    outside = _is_outside(self._set(minute, short=True))
                else:
                    minute = at
            if outside and was_outside and not lowered and self._may_lower():
                minute += rng.uniform(0.4, 1.0)
                self._rate(minute, self.rate - _STEP, DoseStepKind.RATE, "blood pressure")
                plan, lowered = [], True
            waits = outside or values.get("dissociation", 0) > 3 or values.get("sedation") == 2
            if plan and plan[0][0] <= minute + 1.5 and not waits and minute + 1 < end - 2:
                minute += rng.uniform(0.3, 1.2)
                self._rate(minute, plan.pop(0)[1], DoseStepKind.RATE)
                clock.increased(minute)
        stop = max(minute + 1, end)
        self._rate(stop, Decimal(0), DoseStepKind.STOP, "side effect" if early else "")
        return stop, minute, clock.next_after(minute, outside=outside)

    def _may_lower(self) -> bool:
        fixed = len(self.protocol.steps) == 1
        return (
            not fixed
            and self.rate > Decimal("0.1")
            and happens(self.rng, self.work["slows_when_high"])
        )

    def _lateness(self, interval_min: float) -> float | None:
        """How many minutes after it is due a set is taken; None: it is missed."""
        rng, work = self.rng, self.work
        if happens(rng, work["missed_set"]):
            return None
        if happens(rng, work["late_set"]):
            return rng.uniform(0.25, 0.7) * interval_min
        return between(rng, work["jitter_s_mean"] / 60, work["jitter_s_sd"] / 60, -1.8, 1.9)

    def _recovery_every(self) -> float:
        return float(self.protocol.schedule_profile.recovery_every_min or 15)

    def _recovery(self, stopped_min: float, first_min: float) -> float:
        """Sets until the patient may leave; the minute of leaving."""
        profile, rng, every = self.protocol.schedule_profile, self.rng, self._recovery_every()
        leave = stopped_min + profile.min_recovery_min
        leave = max(leave, profile.min_from_start_min or 0) + rng.uniform(2, 9)
        minute, due = stopped_min, first_min
        while due < leave - 3:
            minute = max(minute + 1, due + between(rng, 0.2, 0.7, -1.4, 1.6))
            values = self._set(minute)
            due = minute + every
            if _is_outside(values) and happens(rng, self.work["recheck_done"]):
                minute += rng.uniform(1.4, 3.4)
                self._set(minute, short=True)
        last = max(minute + 1.5, leave - 1)
        self._set(last, extra=self._recovery_scores())
        return last + rng.uniform(2, 4)

    def _recovery_scores(self) -> dict[str, int]:
        score = RECOVERY_SCORES[self.protocol.recovery_score]
        scored = (scored_parameter(score.id, item.key) for item in score.items)
        return {key: 2 for key in scored if key is not None and key in PARAMETERS}

    # -- what was felt, and the end --------------------------------------------------------------

    def _side_effects(self, stopped_min: float) -> None:
        rng = self.rng
        for term in sorted(self.body.reports):
            begins = rng.uniform(0.3, 0.9) * min(stopped_min, 60)
            grade = 2 if happens(rng, 15) else 1
            effect = SideEffect(
                term=term,
                grade=grade,
                relation="probable",
                action="observe" if grade == 1 else "reassure",
                **self._common(begins, rng.randint(25, 80)),
            )
            ends = self._common(stopped_min + rng.uniform(8, 40), rng.randint(15, 60))
            self.facts += [effect, SideEffectChange(side_effect_id=effect.id, ended=True, **ends)]
        if not self.body.reports and happens(rng, 80):
            asked = self._common(stopped_min + 30, 30)
            self.facts.append(SideEffect(term="none", grade=0, **asked))

    def _leaving(self, left_min: float) -> None:
        rng = self.rng
        for place, criterion in enumerate(GATE.criteria_for(self.protocol)):
            if criterion.text is not None:
                common = self._common(left_min - 1.5 + place * 0.02, 0)
                self.facts.append(GateAnswer(question=criterion.id, answer=Answer.YES, **common))
        self._waste(left_min - 1)
        self._event(EventKind.DISCHARGED, left_min, text="walks steadily, escort present")
        self._event(EventKind.COMPLETED, left_min + 5)
        if happens(rng, self.work["signed"]):
            self._event(EventKind.SIGNED, left_min + rng.uniform(15, 900), by="syn-doctor-1")

    def _waste(self, minute: float) -> None:
        """What is left of the ampoule is wasted before a witness, so that the ledger balances."""
        so_far = self.session.with_facts(self.facts)
        given = cumulative_mg(so_far, self.visit.start_at + timedelta(minutes=minute))
        wasted = Decimal(_AMPOULE_MG) - given.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
        if wasted > 0:
            self.facts.append(
                DrugMovement(
                    kind=MovementKind.WASTED,
                    amount_mg=wasted,
                    witness=self.visit.second,
                    **self._common(minute, 10),
                )
            )


def _is_outside(values: dict[str, int]) -> bool:
    """Whether a nurse who looks at the set would look again: as the default limits do."""
    return (
        values["sbp"] >= 160 or values["dbp"] >= 100 or values["spo2"] <= 93 or values["sbp"] < 100
    )


class _DueClock:
    """When the next set is due under the schedule of a protocol (clinical.md 4), while it runs."""

    def __init__(self, protocol: InfusionProtocol) -> None:
        self._profile = protocol.schedule_profile
        self._last = 0.0
        self._events: list[float] = []

    def interval(self, minute: float) -> float:
        """The base interval at a minute of the infusion."""
        rows = [row for row in self._profile.intervals if row.from_min <= minute] or [
            self._profile.intervals[0]
        ]
        return float(rows[-1].every_min)

    def increased(self, minute: float) -> None:
        """A start or an increase: sets are due so long after it."""
        self._events += [minute + after for after in self._profile.after_increase_min]
        self._events.sort()

    def taken(self, minute: float) -> None:
        """A set was taken: it answers what was due until a little later."""
        self._last = minute
        self._events = [due for due in self._events if due > minute + 2]

    def skipped(self, due: float) -> None:
        """Nobody took the set that was due."""
        self.taken(due)

    def next_after(self, minute: float, *, outside: bool) -> float:
        """When the next set is due; five minutes after one outside."""
        # Nobody is back to the second: five minutes are a good five.
        every = 5.6 if outside else self.interval(self._last)
        due = self._last + every
        if self._events:
            due = min(due, self._events[0])
        return max(due, minute + 0.7)
