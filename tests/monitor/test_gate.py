"""The gate before the start: clinical.md 1.4, 2.4, 3.4 with U-44, U-45, U-46, U-50."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from monitor.gate import GateItem, GateState, ItemState, MayStart, answer_problems, gate_state
from monitor.gate_library import GATE, GateQuestion, Handling
from monitor.lifecycle import EventKind
from monitor.permissions import Role
from monitor.protocols import InfusionProtocol
from monitor.record import Answer, Fact, GateAnswer, InfusionSession, NotTaken, WeightBasis
from tests import build
from tests.build import at

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
NOW = at(-2)
#: Asked for allergies, there are none; 46 years old.
ASKED: dict[str, Any] = {"allergies": "none known"}


def protocol(code: str = "P02") -> InfusionProtocol:
    return build.seeded("protocol", code).protocol()


def fine(question: GateQuestion) -> Answer:
    return NO if YES in question.concern else YES


def answers(code: str = "P02", **given: Answer | None) -> tuple[GateAnswer, ...]:
    """Every question answered without a concern, but for those given; None leaves it open."""
    wanted: dict[str, Answer | None] = {
        question.id: fine(question) for question in GATE.questions_for(protocol(code))
    }
    return tuple(
        build.answer(question, answer, note="none" if question == "medication_list" else None)
        for question, answer in (wanted | given).items()
        if answer is not None
    )


def overridden(question: str, answer: Answer, minute: float = -4, by: str = "okoye") -> GateAnswer:
    given: GateAnswer = build.answer(
        question, answer, minute, override_reason="discussed", override_by=by
    )
    return given


def pair(first: float = -10, second: float = -5, **values: Any) -> tuple[Fact, ...]:
    return (*build.obs_set(first, **values), *build.obs_set(second, **values))


def weighed(kg: int = 70, height_cm: int | None = 170, **changes: Any) -> Fact:
    return build.weight(kg, height_cm=height_cm, **changes)


def session(
    *facts: Fact | Iterable[Fact], person: dict[str, Any] | None = None, **changes: Any
) -> InfusionSession:
    changes.setdefault("patient", build.patient(**(ASKED | (person or {}))))
    return build.session(*facts, weight_kg=None, **changes)


def ready(*facts: Fact | Iterable[Fact], **changes: Any) -> InfusionSession:
    """Everything answered, weighed, two good sets; more facts on top."""
    return session(answers(), weighed(), pair(), *facts, **changes)


def gate(of: InfusionSession, code: str = "P02", now: float | None = None) -> GateState:
    return gate_state(of, protocol(code), NOW if now is None else at(now), zone=UTC)


def the(state: GateState, item_id: str) -> GateItem | None:
    return next((item for item in state.items if item.id == item_id), None)


def in_the_way(state: GateState) -> set[str]:
    return {item.id for item in state.in_the_way}


def test_with_everything_answered_and_measured_the_infusion_may_start() -> None:
    state = gate(ready())
    assert state.in_the_way == ()
    assert state.may_start is MayStart.YES
    assert state.problems() == ()


def test_an_empty_session_says_everything_that_is_missing_at_once() -> None:
    state = gate(build.session(weight_kg=None))
    assert state.may_start is MayStart.BLOCKED
    assert in_the_way(state) == {
        *(question.id for question in GATE.questions_for(protocol())),
        "allergies_asked", "dosing_weight", "baseline",
    }  # fmt: skip
    handled = [item.handling for item in state.in_the_way]
    assert handled == sorted(handled, key=lambda item: item is Handling.CAUTION)
    assert all(item.sentence for item in state.in_the_way)


def test_a_list_of_medicines_that_is_not_written_down_is_none() -> None:
    for said in (None, " "):
        state = gate(ready(build.answer("medication_list", YES, -3, note=said)))
        item = the(state, "medication_list")
        assert item is not None
        assert (item.state, item.answer) == (ItemState.OPEN, YES)
        assert item.sentence.endswith(
            "Every medicine taken now, with its dose, one on a line; write none if there is none."
        )
        assert state.may_start is MayStart.ASKS
    state = gate(ready(build.answer("medication_list", YES, -3, note="none")))
    item = the(state, "medication_list")
    assert item is not None
    assert (item.state, item.note) == (ItemState.ANSWERED, "none")
    assert state.may_start is MayStart.YES


# -- questions -----------------------------------------------------------------------------------

EVERY = [
    pytest.param(question, id=f"{question.source}:{question.id}")
    for question in GATE.questions.values()
]


def code_for(question: GateQuestion) -> str:
    return "P17" if question.only_indications else "P02"


@pytest.mark.parametrize("question", EVERY)
@pytest.mark.parametrize("answer", list(Answer))
def test_each_answer_of_each_question(question: GateQuestion, answer: Answer) -> None:
    code = code_for(question)
    of = session(answers(code, **{question.id: answer}), weighed(), pair(), protocol=code)
    state = gate(of, code)
    item = the(state, question.id)
    assert item is not None
    if answer not in question.concern:
        assert (item.state, state.may_start) == (ItemState.ANSWERED, MayStart.YES)
        return
    assert item.state is ItemState.CONCERN
    assert item.sentence.startswith(f"{question.text}: {answer}.")
    if question.handling is Handling.BLOCK:
        assert state.may_start is MayStart.BLOCKED
        assert "anaesthetist" in item.sentence
    else:
        assert state.may_start is MayStart.ASKS


@pytest.mark.parametrize("question", EVERY)
def test_a_question_left_open_is_never_a_no(question: GateQuestion) -> None:
    code = code_for(question)
    of = session(answers(code, **{question.id: None}), weighed(), pair(), protocol=code)
    state = gate(of, code)
    item = the(state, question.id)
    assert item is not None
    assert item.state is ItemState.OPEN
    assert item.override_by is None
    blocks = question.handling is Handling.BLOCK
    assert state.may_start is (MayStart.BLOCKED if blocks else MayStart.ASKS)


@pytest.mark.parametrize("question", EVERY)
def test_an_override_with_reason_and_name_lets_it_pass(question: GateQuestion) -> None:
    code = code_for(question)
    concern = next(iter(sorted(question.concern)))
    decided = overridden(question.id, concern)
    of = session(answers(code, **{question.id: None}), decided, weighed(), pair(), protocol=code)
    item = the(gate(of, code), question.id)
    assert item is not None
    assert (item.state, item.override) == (ItemState.OVERRIDDEN, decided)
    assert gate(of, code).may_start is MayStart.YES


@pytest.mark.parametrize(("reason", "by"), [("", "okoye"), ("discussed", " "), (None, None)])
def test_half_an_override_is_none(reason: str | None, by: str | None) -> None:
    given = build.answer("psychosis", YES, -3, override_reason=reason, override_by=by)
    assert gate(ready(given)).may_start is MayStart.BLOCKED


def test_the_newest_answer_is_in_force() -> None:
    assert gate(ready(build.answer("epilepsy", YES, -3))).may_start is MayStart.ASKS
    corrected = ready(build.answer("epilepsy", YES, -4), build.answer("epilepsy", NO, -3))
    assert gate(corrected).may_start is MayStart.YES


def test_an_answer_struck_out_is_open_again() -> None:
    wrong = build.answer("epilepsy", NO, -3)
    of = session(answers(epilepsy=None), wrong, weighed(), pair(), build.amendment(wrong, -2.5))
    item = the(gate(of), "epilepsy")
    assert item is not None
    assert item.state is ItemState.OPEN


@pytest.mark.parametrize("question", ["suicidality_assessed", "vascular_malformation"])
def test_depression_only_questions(question: str) -> None:
    assert the(gate(ready()), question) is None
    of = session(answers("P02"), weighed(), pair(), protocol="P17")
    assert question in in_the_way(gate(of, "P17"))


def test_a_premedication_event_answers_its_question() -> None:
    event = build.event(EventKind.PREMEDICATION, -15, text="none given")
    of = session(answers(premedication=None), event, weighed(), pair())
    assert gate(of).may_start is MayStart.YES
    of = session(answers(premedication=None), weighed(), pair())
    assert in_the_way(gate(of)) == {"premedication"}


# -- baseline values -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sbp", "dbp", "born", "asks"),
    [
        (140, 90, 1979, False),
        (141, 90, 1979, True),
        (140, 91, 1979, True),
        (150, 90, 1950, False),
        (151, 90, 1950, True),
        (150, 91, 1950, True),
    ],
    ids=lambda value: f"U-45:{value}",
)
def test_elevated_pressure_asks(sbp: int, dbp: int, born: int, asks: bool) -> None:
    person = {"born_on": date(born, 1, 1)}
    of = session(answers(), weighed(), pair(sbp=sbp, dbp=dbp), person=person)
    assert gate(of).may_start is (MayStart.ASKS if asks else MayStart.YES)


@pytest.mark.parametrize(
    ("born", "asks"),
    [(date(1961, 3, 2), False), (date(1961, 3, 3), True)],
    ids=["U-45:65 today", "U-45:65 tomorrow"],
)
def test_the_limit_of_the_older_holds_from_the_65th_birthday(born: date, asks: bool) -> None:
    of = session(answers(), weighed(), pair(sbp=145), person={"born_on": born})
    assert gate(of).may_start is (MayStart.ASKS if asks else MayStart.YES)


def test_an_elevated_median_asks_although_the_newest_reading_is_fine() -> None:
    of = session(answers(), weighed(), build.obs_set(-10, sbp=159), build.obs_set(-5, sbp=130))
    [item] = gate(of).in_the_way
    assert "baseline blood pressure 144.5/76 is above 140/90" in item.sentence


@pytest.mark.parametrize(
    ("second", "sbp", "dbp", "result"),
    [
        (-5, 160, 80, MayStart.BLOCKED),
        (-5, 130, 100, MayStart.BLOCKED),
        (-5, 159, 99, MayStart.ASKS),
        (-5.02, 160, 80, MayStart.ASKS),
    ],
    ids=["U-45:SBP 160 twice", "U-45:DBP 100 twice", "U-45:below", "U-45:4:59 apart"],
)
def test_two_high_readings_5_min_apart_block(
    second: float, sbp: int, dbp: int, result: MayStart
) -> None:
    of = session(answers(), weighed(), pair(second=second, sbp=sbp, dbp=dbp))
    assert gate(of).may_start is result


def test_one_high_reading_asks_for_its_repeat_and_the_repeat_settles_it() -> None:
    high = session(answers(), weighed(), build.obs_set(-12), build.obs_set(-6, sbp=165))
    item = the(gate(high), "blood_pressure")
    assert item is not None
    assert item.handling is Handling.CAUTION
    assert "165/76 at 08:54" in item.sentence
    assert "Repeat it from 08:59 on." in item.sentence
    # 4:30 later is too early to settle it, 5:00 is not.
    early = high.with_facts(build.obs_set(-1.5, sbp=120))
    assert "Repeat it" in gate(early, now=0).in_the_way[0].sentence
    repeated = high.with_facts(build.obs_set(-1, sbp=120))
    assert gate(repeated, now=0).may_start is MayStart.YES


def test_high_systolic_then_high_diastolic_are_two_high_readings() -> None:
    of = session(
        answers(), weighed(), build.obs_set(-10, sbp=165), build.obs_set(-5, sbp=130, dbp=101)
    )
    [item] = gate(of).in_the_way
    assert item.id == "blood_pressure_confirmed"
    assert "165/76 at 08:50 and 130/101 at 08:55" in item.sentence


def test_readings_older_than_an_hour_do_not_count() -> None:
    high = [build.obs_set(-62, sbp=165), build.obs_set(-10, sbp=165)]
    of = session(answers(), weighed(), *high, build.obs_set(-5, sbp=110))
    assert in_the_way(gate(of)) == {"blood_pressure_confirmed"}
    assert gate(of, now=-1.99).may_start is MayStart.YES


@pytest.mark.parametrize(
    ("values", "check"),
    [
        ({"hr": 50}, None),
        ({"hr": 49}, "heart_rate"),
        ({"hr": 110}, None),
        ({"hr": 111}, "heart_rate"),
        ({"spo2": 94}, None),
        ({"spo2": 93}, "oxygen_saturation"),
        ({"spo2": 93, "o2_flow": 2}, "oxygen_saturation"),
        ({"sedation": 1}, "sedation"),
    ],
    ids=lambda value: f"U-45:{value}",
)
def test_signs_that_block(values: dict[str, int], check: str | None) -> None:
    of = session(answers(), weighed(), pair(**values))
    state = gate(of)
    assert in_the_way(state) == ({check} if check else set())
    assert state.may_start is (MayStart.BLOCKED if check else MayStart.YES)


@pytest.mark.parametrize(("spo2", "blocks"), [(88, False), (87, True)], ids=["U-46:88", "U-46:87"])
def test_saturation_on_scale_2(spo2: int, blocks: bool) -> None:
    of = session(answers(), weighed(), pair(spo2=spo2), spo2_scale=2)
    assert gate(of).may_start is (MayStart.BLOCKED if blocks else MayStart.YES)


def test_u50_a_sleeper_who_was_not_roused_was_not_assessed() -> None:
    of = session(answers(), weighed(), pair(asleep=1))
    [item] = gate(of).in_the_way
    assert item.id == "baseline"
    assert "sedation" in item.sentence
    roused = session(answers(), weighed(), pair(asleep=1, roused_to_voice=1))
    assert gate(roused).may_start is MayStart.YES


def test_an_override_does_not_cover_a_reading_taken_after_it() -> None:
    of = session(answers(), weighed(), pair(hr=115), overridden("heart_rate", YES, -4))
    assert gate(of).may_start is MayStart.YES
    worse = of.with_facts(build.obs_set(-3, hr=140))
    assert in_the_way(gate(worse)) == {"heart_rate"}
    again = worse.with_facts([overridden("heart_rate", YES, -3)])
    assert gate(again).may_start is MayStart.YES


def test_an_override_of_one_high_reading_does_not_cover_the_second() -> None:
    of = session(answers(), weighed(), pair(sbp=165), overridden("blood_pressure", YES, -4))
    assert in_the_way(gate(of)) == {"blood_pressure_confirmed"}


# -- baseline pair -------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", ["hr", "sbp", "dbp", "spo2", "sedation"])
def test_u44_a_missing_sign_is_a_soft_block(sign: str) -> None:
    state = gate(session(answers(), weighed(), pair(-10, -5, **{sign: None})))
    assert state.may_start is MayStart.ASKS
    item = the(state, "baseline")
    assert item is not None
    assert "relative limits" in item.sentence


@pytest.mark.parametrize(
    ("second", "asks"), [(-5, False), (-5.02, True)], ids=["3.3:5:00 apart", "3.3:4:59 apart"]
)
def test_the_baseline_wants_a_pair(second: float, asks: bool) -> None:
    state = gate(session(answers(), weighed(), pair(second=second)))
    assert in_the_way(state) == ({"baseline"} if asks else set())


def test_the_second_set_is_told_its_time() -> None:
    [item] = gate(session(answers(), weighed(), build.obs_set(-6))).in_the_way
    assert "Take the second set from 08:59 on." in item.sentence


@pytest.mark.parametrize(
    ("code", "minutes", "asks"),
    [("P02", 15, False), ("P02", 15.1, True)],
    ids=["4:15 min", "4:older"],
)
def test_the_last_set_has_to_be_fresh(code: str, minutes: float, asks: bool) -> None:
    of = session(answers(code), weighed(), pair(first=-30, second=-minutes))
    assert in_the_way(gate(of, code, now=0)) == ({"fresh_set"} if asks else set())


def test_a_reason_in_place_of_a_value_is_no_baseline() -> None:
    of = session(answers(), weighed(), pair(hr=NotTaken.ARTEFACT))
    [item] = gate(of).in_the_way
    assert "heart rate" in item.sentence


# -- weight, age, allergies ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kg", "height_cm", "asks"),
    [(75, 158, True), (67, 150, False), (120, 200, True), (119, 200, False), (70, None, True)],
    ids=["2.4:BMI 30.04", "2.4:BMI 29.8", "2.4:BMI 30.0", "2.4:BMI 29.75", "2.4:no height"],
)
def test_from_bmi_30_the_prescriber_chooses_the_basis(
    kg: int, height_cm: int | None, asks: bool
) -> None:
    state = gate(session(answers(), weighed(kg, height_cm), pair()))
    assert in_the_way(state) == ({"weight_basis"} if asks else set())


def test_a_chosen_basis_settles_it() -> None:
    heavy = session(answers(), weighed(120, 178), pair())
    [item] = gate(heavy).in_the_way
    assert "BMI 37.9 is 30 or more." in item.sentence
    actual = heavy.with_facts([build.answer("weight_basis", NO, -20)])
    assert gate(actual).may_start is MayStart.YES
    ideal = heavy.with_facts([build.weight("73.2", -29, basis=WeightBasis.IDEAL, height_cm=178)])
    assert gate(ideal).may_start is MayStart.YES
    weighed_again = actual.with_facts([build.weight(125, -10, height_cm=178)])
    assert in_the_way(gate(weighed_again)) == {"weight_basis"}


def test_without_a_weight_nothing_starts_and_nobody_overrides_it() -> None:
    of = session(answers(), pair(), overridden("dosing_weight", YES))
    [item] = gate(of).in_the_way
    assert (item.id, item.state, item.override_by) == ("dosing_weight", ItemState.OPEN, None)
    assert gate(of).may_start is MayStart.BLOCKED


@pytest.mark.parametrize(
    ("born", "blocks"),
    [(date(2008, 3, 2), False), (date(2008, 3, 3), True)],
    ids=["0:18 today", "0:17"],
)
def test_the_monitor_is_for_adults(born: date, blocks: bool) -> None:
    of = ready(patient=build.patient(**ASKED, born_on=born))
    assert in_the_way(gate(of)) == ({"adult"} if blocks else set())


def test_allergies_have_to_be_asked() -> None:
    of = ready(patient=build.patient())
    assert in_the_way(gate(of)) == {"allergies_asked"}
    assert gate(of).may_start is MayStart.ASKS


# -- time ----------------------------------------------------------------------------------------


def test_u45_after_a_start_the_gate_stands_as_it_was_then() -> None:
    of = ready(build.rate("0.1", 0), build.obs_set(20, sbp=190, hr=120))
    assert gate(of, now=30).may_start is MayStart.YES


def test_what_is_saved_later_is_not_known_yet() -> None:
    late = build.answer("psychosis", YES, -15, recorded=10)
    assert gate(ready(late)).may_start is MayStart.YES
    assert gate(ready(late), now=10).may_start is MayStart.BLOCKED


def test_blocks_are_hard_problems_and_cautions_are_asked() -> None:
    problems = gate(ready(build.answer("epilepsy", YES, -3), build.answer("psychosis", YES, -3)))
    assert [(problem.code, problem.kind) for problem in problems.problems()] == [
        ("gate.psychosis", "hard"),
        ("gate.epilepsy", "soft"),
    ]


# -- saving answers ------------------------------------------------------------------------------

ROLES = {"blum": Role.NURSE, "okoye": Role.ANAESTHETIST, "meier": Role.LEAD}


@pytest.mark.parametrize(
    ("question", "reason", "by", "words"),
    [
        ("psychosis", None, None, None),
        ("psychosis", "discussed", "okoye", None),
        ("psychosis", "discussed", "blum", "only an anaesthetist"),
        ("psychosis", "discussed", "meier", "only an anaesthetist"),
        ("psychosis", "discussed", "nobody", "only an anaesthetist"),
        ("psychosis", "discussed", None, "name who"),
        ("psychosis", "", "okoye", "write why"),
        ("epilepsy", "stable", "blum", None),
        ("epilepsy", "stable", "okoye", None),
        ("epilepsy", "stable", "meier", "only a nurse or an anaesthetist"),
        ("heart_rate", "athlete", "blum", "only an anaesthetist"),
        ("blood_pressure", "nervous", "blum", None),
        ("cannula_removed", "stays for tomorrow", "blum", None),
        ("recovery_score", "as at home", "blum", "only an anaesthetist"),
        ("something", None, None, "no question"),
    ],
)
def test_who_may_override_what(
    question: str, reason: str | None, by: str | None, words: str | None
) -> None:
    problems = answer_problems([(question, reason, by)], ROLES)
    assert len(problems) == (words is not None)
    assert all(words in problem.message for problem in problems if words)


def test_every_problem_with_the_answers_comes_at_once() -> None:
    given = [("psychosis", "x", "blum"), ("epilepsy", "", "blum"), ("something", None, None)]
    assert [problem.field for problem in answer_problems(given, ROLES)] == [
        "gate.psychosis",
        "gate.epilepsy",
        "gate.something",
    ]


# -- the table -----------------------------------------------------------------------------------


def test_every_row_of_the_contraindications_is_asked() -> None:
    # Which row a question comes from stands beside its source, for whoever keeps the library.
    library = resources.files("monitor.library").joinpath("gate.toml").read_text("utf-8")
    questions = library.partition("[[question]]")[2].partition("[[check]]")[0]
    found = set(re.findall(r"C-\d\d", questions))
    assert found == {f"C-{number:02}" for number in range(1, 17)}


def test_ids_are_unique_and_groups_exist() -> None:
    ids = [*GATE.questions, *GATE.checks, *GATE.criteria]
    assert len(ids) == len(set(ids))
    assert {question.group for question in GATE.questions.values()} == set(GATE.groups)
    assert all(UNKNOWN in question.concern for question in GATE.questions.values())


def test_what_all_of_a_group_answers_is_of_no_concern() -> None:
    for question in GATE.questions.values():
        every = GATE.groups[question.group].all_answer
        assert every is None or every not in question.concern


def test_the_sample_sessions_answer_questions_that_are_asked() -> None:
    root = Path(__file__).resolve().parents[2] / "sample_sessions"
    files = sorted(root.glob("*/gate.csv"))
    assert files
    for path in files:
        header, *rows = path.read_text("utf-8").splitlines()
        column = header.split(",").index("question")
        assert {row.split(",")[column] for row in rows} <= set(GATE.questions), path
