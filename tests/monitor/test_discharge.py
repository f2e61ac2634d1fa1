"""Before leaving: clinical.md 4 "Discharge gate" with U-04, U-09, U-46, U-50, U-53, U-67, U-79."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts import AlertView, acknowledge, alert_views, alerts_to_raise
from monitor.discharge import CriterionState, DischargeItem, DischargeState, discharge_state
from monitor.gate_library import GATE
from monitor.lifecycle import EventKind
from monitor.permissions import Role
from monitor.protocols import InfusionProtocol
from monitor.record import (
    Answer,
    DrugMovement,
    Fact,
    GateAnswer,
    InfusionSession,
    MovementKind,
    NotTaken,
    Observation,
)
from monitor.schedule import Due
from monitor.thresholds import ThresholdSet, parse_threshold_set
from tests import build
from tests.build import at

BERLIN = ZoneInfo("Europe/Berlin")
MET, NOT_MET = CriterionState.MET, CriterionState.NOT_MET
NOT_ASSESSED, OVERRIDDEN = CriterionState.NOT_ASSESSED, CriterionState.OVERRIDDEN
#: Infusion 0 to 60, minimum recovery of P02 to 120, last set and score at 125.
NOW = 130.0
BASELINE: dict[str, Any] = {"sbp": 120, "dbp": 76, "hr": 68, "spo2": 97, "o2_flow": 0}
LAST: dict[str, Any] = {
    "sbp": 122, "dbp": 78, "spo2": 97, "o2_flow": 0,
    "aldrete_activity": 2, "aldrete_respiration": 2, "aldrete_consciousness": 2,
}  # fmt: skip
ASKED = [item for item in GATE.criteria.values() if item.text is not None]


#: 0.2 mg/kg/h for an hour at 70 kg are 14 mg.
ISSUED = build.movement(MovementKind.ISSUED, 200, -5)
BALANCED = (ISSUED, build.movement(MovementKind.WASTED, 186, 126))


def protocol(code: str = "P02", **changes: Any) -> InfusionProtocol:
    return replace(build.seeded("protocol", code).protocol(), **changes)


def answered(minute: float = 126, **given: Answer | None) -> tuple[GateAnswer, ...]:
    wanted: dict[str, Answer | None] = {item.id: Answer.YES for item in ASKED}
    return tuple(
        build.answer(question, answer, minute)
        for question, answer in (wanted | given).items()
        if answer is not None
    )


def overridden(criterion: str, minute: float = 128, by: str = "okoye") -> GateAnswer:
    given: GateAnswer = build.answer(
        criterion, Answer.NO, minute, override_reason="as at home", override_by=by
    )
    return given


def last_set(minute: float = 125, **values: Any) -> tuple[Observation, ...]:
    return build.obs_set(minute, **(LAST | values))


def leaving(
    *facts: Fact | Iterable[Fact],
    last: tuple[Observation, ...] | None = None,
    given: tuple[GateAnswer, ...] | None = None,
    baseline: dict[str, Any] | None = None,
    ledger: Iterable[DrugMovement] | None = None,
    **changes: Any,
) -> InfusionSession:
    return build.session(
        BALANCED if ledger is None else ledger,
        build.obs_set(-10, **(BASELINE | (baseline or {}))),
        build.rate("0.2", 0),
        build.stop(60),
        last_set() if last is None else last,
        answered() if given is None else given,
        *facts,
        **changes,
    )


def state(
    of: InfusionSession,
    now: float = NOW,
    *,
    under: InfusionProtocol | None = None,
    alerts: Iterable[AlertView] = (),
    overdue: Iterable[Due] = (),
) -> DischargeState:
    return discharge_state(
        of,
        under or protocol(),
        at(now),
        alerts=tuple(alerts),
        overdue=tuple(overdue),
        zone=BERLIN,
    )


def the(found: DischargeState, criterion: str) -> DischargeItem:
    return next(item for item in found.items if item.id == criterion)


def judged(of: InfusionSession, criterion: str, **asked: Any) -> CriterionState:
    return the(state(of, **asked), criterion).state


def test_with_everything_met_the_patient_may_leave() -> None:
    found = state(leaving())
    assert found.in_the_way == ()
    assert found.may_leave
    assert found.all_met
    assert found.problems() == ()


def test_right_after_the_infusion_nothing_is_assessed_and_all_of_it_is_said() -> None:
    of = build.session(build.obs_set(-10, **BASELINE), build.rate("0.2", 0), build.stop(60))
    found = state(of, 61)
    met = {item.id for item in found.items if item.state is MET}
    assert met == {
        "set_on_time", "alerts_pending", "warnings_acknowledged", "criticals_resolved",
    }  # fmt: skip
    assert all(item.sentence for item in found.in_the_way)
    assert not found.may_leave


def test_while_the_infusion_runs_or_before_it_nobody_leaves() -> None:
    running = build.session(build.obs_set(-10), build.rate("0.2", 0), build.obs_set(20))
    assert "Stop it first" in the(state(running, 30), "minimum_recovery").sentence
    on_hold = running.with_facts([build.hold(25)])
    assert "Stop it first" in the(state(on_hold, 30), "minimum_recovery").sentence
    assert "No infusion" in the(state(build.session(), 30), "minimum_recovery").sentence


# -- time and score ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minute", "expected"), [(119.99, NOT_MET), (120, MET)], ids=["U-41:59:59", "U-41:60:00"]
)
def test_minimum_recovery_of_60_min(minute: float, expected: CriterionState) -> None:
    found = the(state(leaving(), minute), "minimum_recovery")
    assert found.state is expected
    # 11:00 UTC is 12:00 in the clinic.
    assert found.sentence == ("" if expected is MET else "Minimum recovery lasts until 12:00.")


@pytest.mark.parametrize(
    ("minute", "expected"), [(119.99, NOT_MET), (120, MET)], ids=["U-41:1:59:59", "U-41:2:00:00"]
)
def test_dep_40_needs_two_hours_from_the_start(minute: float, expected: CriterionState) -> None:
    of = build.session(build.rate("0.75", 0), build.stop(40), protocol="P17")
    assert judged(of, "minimum_recovery", now=minute, under=protocol("P17")) is expected


@pytest.mark.parametrize(
    ("activity", "respiration", "expected"),
    [(2, 1, MET), (1, 1, NOT_MET), (None, 2, NOT_ASSESSED)],
    ids=["U-79:9", "U-79:8", "U-79:incomplete"],
)
def test_the_score_has_to_reach_9(
    activity: int | None, respiration: int, expected: CriterionState
) -> None:
    last = last_set(aldrete_activity=activity, aldrete_respiration=respiration)
    found = the(state(leaving(last=last)), "recovery_score")
    assert found.state is expected
    if expected is NOT_MET:
        assert "Modified Aldrete 8/10, at least 9 is needed." in found.sentence
        assert "Two limbs move" in found.sentence
    if expected is NOT_ASSESSED:
        assert "Score activity." in found.sentence


def test_the_protocol_says_which_score() -> None:
    points = {"padss_activity": 2, "padss_pain_nausea": 2, "padss_bleeding": 2}
    under = protocol(recovery_score="PADSS")
    of = leaving(last=last_set(**points))
    assert judged(of, "recovery_score", under=under) is NOT_ASSESSED
    of = leaving(last=last_set(**points, padss_intake_output=1))
    assert judged(of, "recovery_score", under=under) is MET


# -- blood pressure ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("baseline", "sbp", "dbp", "expected"),
    [
        (120, 90, 60, MET),
        (120, 89, 60, NOT_MET),
        (80, 89, 60, NOT_MET),
        (120, 159, 99, MET),
        (120, 160, 80, NOT_MET),
        (120, 130, 100, MET),
        (100, 130, 99, MET),
        (100, 130, 100, NOT_MET),
        (150, 160, 80, MET),
        (150, 179, 109, MET),
        (150, 180, 80, NOT_MET),
        (150, 170, 110, NOT_MET),
        (160, 128, 100, MET),
        (160, 127, 100, NOT_MET),
        (140, 168, 90, MET),
        (140, 169, 90, NOT_MET),
    ],
    ids=lambda value: f"U-04:{value}",
)
def test_blood_pressure(baseline: int, sbp: int, dbp: int, expected: CriterionState) -> None:
    of = leaving(last=last_set(sbp=sbp, dbp=dbp), baseline={"sbp": baseline})
    assert judged(of, "blood_pressure_at_discharge") is expected


def test_the_sentence_names_the_pressure_that_is_wanted() -> None:
    high = the(state(leaving(last=last_set(sbp=170))), "blood_pressure_at_discharge").sentence
    assert high == (
        "Blood pressure 170/78 at 12:05: has to be below 160/100, or below 180/110 with systolic "
        "within 20 % of 120."
    )
    low = the(state(leaving(last=last_set(sbp=70))), "blood_pressure_at_discharge").sentence
    assert low.endswith("systolic has to be 90 or more.")


def test_the_latest_set_decides_also_when_it_has_no_pressure() -> None:
    off = build.obs_set(127, sbp=NotTaken.CUFF_OFF, dbp=NotTaken.CUFF_OFF)
    assert judged(leaving(off), "blood_pressure_at_discharge") is NOT_ASSESSED
    palpated = build.obs_set(127, dbp=None)
    assert judged(leaving(palpated), "blood_pressure_at_discharge") is NOT_ASSESSED


# -- oxygen, sedation, dissociation --------------------------------------------------------------


@pytest.mark.parametrize(
    ("usual", "usual_flow", "spo2", "flow", "expected"),
    [
        (99, 0, 93, 0, MET),
        (99, 0, 92, 0, NOT_MET),
        (94, 0, 92, 0, MET),
        (94, 0, 91, 0, NOT_MET),
        (97, 2, 95, 2, MET),
        (97, 2, 94, 2, NOT_MET),
        (97, 2, 99, 3, NOT_MET),
        (97, 0, 99, 1, NOT_MET),
        (97, None, 97, 1, NOT_MET),
        (97, 0, 97, None, MET),
        (97, None, 97, None, NOT_ASSESSED),
    ],
    ids=lambda value: f"U-79:{value}",
)
def test_oxygen_on_scale_1(
    usual: int, usual_flow: int | None, spo2: int, flow: int | None, expected: CriterionState
) -> None:
    of = leaving(
        last=last_set(spo2=spo2, o2_flow=flow), baseline={"spo2": usual, "o2_flow": usual_flow}
    )
    assert judged(of, "oxygen_at_discharge") is expected


@pytest.mark.parametrize(
    ("spo2", "expected"), [(88, MET), (87, NOT_MET)], ids=["U-46:88", "U-46:87"]
)
def test_oxygen_on_scale_2(spo2: int, expected: CriterionState) -> None:
    of = leaving(last=last_set(spo2=spo2), baseline={"spo2": 91}, spo2_scale=2)
    assert judged(of, "oxygen_at_discharge") is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"sedation": 0}, MET),
        ({"sedation": 1}, NOT_MET),
        ({"sedation": 0, "asleep": 1, "roused_to_voice": 1}, NOT_MET),
        ({"sedation": 0, "asleep": 1}, NOT_MET),
        ({"sedation": NotTaken.NOT_ASSESSED}, NOT_ASSESSED),
        ({"sedation": None}, NOT_ASSESSED),
    ],
    ids=["4:alert", "4:drowsy", "U-50:S roused", "U-50:S", "4:not assessed", "4:nothing"],
)
def test_sedation(values: dict[str, Any], expected: CriterionState) -> None:
    assert judged(leaving(last=last_set(**values)), "sedation_at_discharge") is expected


@pytest.mark.parametrize(
    ("scale", "score", "expected"),
    [
        ("NRS0-10", 1, MET),
        ("NRS0-10", 2, NOT_MET),
        ("DISS0-3", 0, MET),
        ("DISS0-3", 1, NOT_MET),
        ("NRS0-10", None, NOT_ASSESSED),
    ],
    ids=lambda value: f"U-53:{value}",
)
def test_dissociation(scale: str, score: int | None, expected: CriterionState) -> None:
    of = leaving(last=last_set(dissociation=score))
    assert judged(of, "dissociation_at_discharge", under=protocol(dissociation_scale=scale)) is (
        expected
    )


# -- vomiting ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minute", "expected"),
    [(100.01, NOT_MET), (100, MET)],
    ids=["U-79:29:59 ago", "U-79:30:00 ago"],
)
def test_no_vomiting_for_30_min(minute: float, expected: CriterionState) -> None:
    ways: list[Fact | tuple[Fact, ...]] = [
        build.event(EventKind.VOMITED, minute),
        build.side_effect("vomiting", 2, minute),
        build.obs_set(minute, vomited=1),
    ]
    for way in ways:
        assert judged(leaving(way), "no_vomiting") is expected


def test_the_sentence_says_until_when_to_wait() -> None:
    found = the(state(leaving(build.event(EventKind.VOMITED, 118))), "no_vomiting")
    assert found.sentence == "Last vomited 12 min ago: wait until 12:28."
    found = the(state(leaving(build.event(EventKind.VOMITED, 118.1))), "no_vomiting")
    assert found.sentence == "Last vomited 11 min ago: wait until 12:29."


def test_vomiting_that_ended_counts_from_its_end() -> None:
    effect = build.side_effect("vomiting", 2, 80)
    ended = build.side_effect_change(effect, 110, ended=True)
    assert judged(leaving(effect, ended), "no_vomiting") is NOT_MET


def test_that_nobody_asked_for_nausea_is_not_no_vomiting() -> None:
    assert judged(leaving(last=last_set(nausea=None)), "no_vomiting") is NOT_ASSESSED


# -- what people say -----------------------------------------------------------------------------


@pytest.mark.parametrize("criterion", ASKED, ids=lambda item: f"{item.source}:{item.id}")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer.YES, MET),
        (Answer.NO, NOT_MET),
        (Answer.UNKNOWN, NOT_ASSESSED),
        (None, NOT_ASSESSED),
    ],
)
def test_each_answer(criterion: Any, answer: Answer | None, expected: CriterionState) -> None:
    found = the(state(leaving(given=answered(126, **{criterion.id: answer}))), criterion.id)
    assert found.state is expected
    assert found.sentence.startswith("" if expected is MET else criterion.text)


def test_an_answer_from_before_the_end_of_the_infusion_does_not_count() -> None:
    of = leaving(
        given=(*answered(walks_as_before=None), build.answer("walks_as_before", Answer.YES, 59))
    )
    assert judged(of, "walks_as_before") is NOT_ASSESSED


def test_in_hospital_nobody_asks_for_an_escort_or_driving() -> None:
    found = state(leaving(), under=protocol(setting="inpatient"))
    outpatient = {item.id for item in GATE.criteria.values() if item.only_settings}
    assert outpatient == {"escort_present", "someone_at_home", "no_driving_instruction"}
    assert outpatient.isdisjoint(item.id for item in found.items)


# -- alerts and clock ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def threshold_set() -> ThresholdSet:
    return parse_threshold_set(json.loads(build.seeded("threshold_set", "ADULT-CLINIC-1").text))


def views(
    of: InfusionSession, rules: ThresholdSet, *, acknowledged: bool = False
) -> tuple[AlertView, ...]:
    """The alerts as they stand at NOW, all of them answered or none."""
    alerts, events = alerts_to_raise(of, rules, (), (), at(NOW), protocol=protocol())
    shown = alert_views(of, rules, alerts, events, at(NOW), protocol=protocol())
    if not acknowledged:
        return shown
    answers = [acknowledge(view, by="blum", action="pause", now=at(NOW)) for view in shown]
    return alert_views(of, rules, alerts, (*events, *answers), at(NOW), protocol=protocol())


def test_u04_u09_a_pending_alert_keeps_the_patient(threshold_set: ThresholdSet) -> None:
    of = leaving(build.obs_set(128, sbp=165))
    found = state(of, alerts=views(of, threshold_set))
    assert the(found, "alerts_pending").state is NOT_MET
    assert "SBP 165" in the(found, "alerts_pending").sentence
    assert the(found, "alerts_pending").override_by is Role.NURSE
    assert the(found, "warnings_acknowledged").state is MET
    overruled = of.with_facts([overridden("alerts_pending", by="blum")])
    assert judged(overruled, "alerts_pending", alerts=views(of, threshold_set)) is OVERRIDDEN


def test_u67_an_open_warning_has_to_be_acknowledged(threshold_set: ThresholdSet) -> None:
    of = leaving(build.obs_set(121, sbp=162), build.obs_set(124, sbp=162))
    of = replace(of, observations=tuple(o for o in of.observations if o.taken_at != at(125)))
    found = state(of, alerts=views(of, threshold_set))
    assert the(found, "warnings_acknowledged").state is NOT_MET
    assert the(found, "criticals_resolved").state is MET
    answered_now = views(of, threshold_set, acknowledged=True)
    assert judged(of, "warnings_acknowledged", alerts=answered_now) is MET


def test_u67_a_critical_alert_has_to_be_over(threshold_set: ThresholdSet) -> None:
    of = leaving(build.obs_set(127, spo2=88))
    acknowledged = views(of, threshold_set, acknowledged=True)
    found = the(state(of, alerts=acknowledged), "criticals_resolved")
    assert found.state is NOT_MET
    assert found.override_by is Role.ANAESTHETIST
    assert found.sentence.startswith("Critical and not over: ")
    recovered = of.with_facts(build.obs_set(129, spo2=97))
    assert judged(
        recovered, "criticals_resolved", alerts=views(recovered, threshold_set, acknowledged=True)
    ) is (MET)
    latched = the(state(recovered, alerts=views(recovered, threshold_set)), "criticals_resolved")
    assert latched.state is NOT_MET
    assert latched.sentence.startswith("Answer the alert: ")


def test_an_overdue_set_has_to_be_taken() -> None:
    late = Due(at(127), "interval", 180, "late", None, "every 15 min", at(142), is_open=True)
    found = the(state(leaving(), overdue=[late]), "set_on_time")
    assert (found.state, found.sentence) == (NOT_MET, "The observation set is late. Take it.")
    missed = replace(late, state="missed")
    assert "missed" in the(state(leaving(), overdue=[late, missed]), "set_on_time").sentence


# -- overrides and time --------------------------------------------------------------------------


def test_an_override_lets_the_patient_leave_and_stays_visible() -> None:
    decided = overridden("recovery_score")
    of = leaving(decided, last=last_set(aldrete_activity=0))
    found = state(of)
    assert the(found, "recovery_score").override == decided
    assert found.may_leave
    assert not found.all_met


def test_an_override_does_not_cover_what_was_measured_after_it() -> None:
    of = leaving(
        overridden("blood_pressure_at_discharge", 126), last=last_set(sbp=165), given=answered()
    )
    assert judged(of, "blood_pressure_at_discharge") is OVERRIDDEN
    worse = of.with_facts(build.obs_set(127, sbp=178))
    assert judged(worse, "blood_pressure_at_discharge") is NOT_MET


def test_an_override_without_a_name_is_none() -> None:
    given = build.answer("escort_present", Answer.NO, 128, override_reason="taxi")
    assert judged(leaving(given), "escort_present") is NOT_MET


def test_a_restart_makes_every_answer_void() -> None:
    of = leaving(build.rate("0.2", 127), build.stop(128))
    assert judged(of, "walks_as_before") is NOT_ASSESSED
    assert judged(of, "minimum_recovery") is NOT_MET


def test_after_discharge_it_says_how_things_stood_then() -> None:
    of = leaving(build.event(EventKind.DISCHARGED, 130), build.event(EventKind.VOMITED, 140))
    assert state(of, 200).all_met
    early = leaving(build.event(EventKind.DISCHARGED, 100), last=last_set(95))
    assert judged(early, "minimum_recovery", now=200) is NOT_MET


def test_every_criterion_is_worked_out_or_asked() -> None:
    found = state(leaving())
    assert [item.id for item in found.items] == list(GATE.criteria)


# -- the drug ------------------------------------------------------------------------------------


def test_the_drug_is_reconciled_by_the_ledger_and_by_nobodys_tick() -> None:
    ticked = build.answer("drug_reconciled", Answer.YES, 126)
    of = leaving(ticked, ledger=())
    found = the(state(of), "drug_reconciled")
    assert found.state is NOT_MET
    assert found.sentence.startswith("The drug ledger is empty: issued 0 mg, given 14.0 mg")
    assert [problem.code for problem in state(of).problems()] == ["discharge.drug_reconciled"]


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        ((ISSUED,), "186.0 mg are not accounted for"),
        ((ISSUED, build.movement(MovementKind.WASTED, 190, 126)), "4.0 mg more are accounted for"),
        ((ISSUED, build.movement(MovementKind.WASTED, 186, 126)), ""),
        ((ISSUED, build.movement(MovementKind.WASTED, 186, NOW + 5)), "186.0 mg are not"),
    ],
)
def test_what_the_ledger_does_not_explain_is_in_the_way(
    ledger: tuple[DrugMovement, ...], said: str
) -> None:
    found = the(state(leaving(ledger=ledger)), "drug_reconciled")
    assert said in found.sentence
    assert (found.state is MET) is (said == "")


def test_an_override_of_the_ledger_covers_the_lines_it_was_given_for() -> None:
    over = overridden("drug_reconciled", 127, by="blum")
    assert judged(leaving(over, ledger=(ISSUED,)), "drug_reconciled") is OVERRIDDEN
    later = (ISSUED, build.movement(MovementKind.WASTED, 150, 128))
    assert judged(leaving(over, ledger=later), "drug_reconciled") is NOT_MET
