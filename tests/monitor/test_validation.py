"""What was typed becomes a fact or is answered in words: clinical.md 3.1, U-50, U-57."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.entered import EnteredItem, EnteredSet
from monitor.entry_limits import limits_for_client
from monitor.entry_times import time_problems
from monitor.entry_words import SENTENCES
from monitor.errors import InvalidEntry, NeedsConfirmation, Problem
from monitor.parameters import PARAMETERS
from monitor.record import InfusionSession, NotTaken, Observation, Source
from monitor.scales import sedation_grade
from monitor.validation import observations_from_entry
from tests.build import (
    amendment,
    an_id,
    at,
    event,
    obs_set,
    observation,
    rate,
    session,
    stop,
)

NORMAL: dict[str, Any] = {
    "hr": "68",
    "sbp": "128",
    "dbp": "76",
    "spo2": "97",
    "rr": "14",
    "sedation": "1",
}


def item(parameter: str, text: str | None = None, **changes: Any) -> EnteredItem:
    return EnteredItem(id=an_id(), parameter=parameter, text=text, **changes)


def entry(*items: EnteredItem, minute: float = 10, **texts: Any) -> EnteredSet:
    typed = tuple(item(parameter, text) for parameter, text in texts.items())
    return EnteredSet(set_id=an_id(), taken_at=at(minute), items=items + typed)


def save(
    entered: EnteredSet,
    of: InfusionSession | None = None,
    *,
    now: float = 10,
    confirmed: frozenset[str] = frozenset(),
) -> dict[str, Observation]:
    saved = observations_from_entry(
        entered,
        of or session(rate("0.1")),
        recorded_at=at(now),
        recorded_by="blum",
        confirmed=confirmed,
    )
    return {observation.parameter: observation for observation in saved}


def problems(entered: EnteredSet, of: InfusionSession | None = None, **more: Any) -> list[Problem]:
    with pytest.raises(InvalidEntry) as refused:
        save(entered, of, **more)
    return list(refused.value.problems)


def problem_codes(entered: EnteredSet, of: InfusionSession | None = None, **more: Any) -> list[str]:
    return [problem.code for problem in problems(entered, of, **more)]


def test_a_normal_set_is_saved_as_typed_without_a_question() -> None:
    entered = entry(**NORMAL, dissociation="3", nausea="0", pain="4")
    saved = save(entered)
    assert {key: str(saved[key].value) for key in NORMAL} == NORMAL
    assert {fact.set_id for fact in saved.values()} == {entered.set_id}
    assert {fact.id for fact in saved.values()} == {typed.id for typed in entered.items}
    assert {fact.taken_at for fact in saved.values()} == {at(10)}
    assert {fact.recorded_by for fact in saved.values()} == {"blum"}
    assert not any(fact.really_so or fact.entered_value for fact in saved.values())


def test_every_problem_is_told_at_once_each_at_its_field() -> None:
    found = problems(entry(hr="980", sbp="1.2.3", spo2="101", dbp="130", pain="11"))
    assert {(problem.field, problem.kind) for problem in found} == {
        ("hr", "hard"),
        ("sbp", "hard"),
        ("spo2", "hard"),
        ("dbp", "soft"),
        ("pain", "hard"),
    }


def test_the_sentences_are_ones_a_nurse_can_act_on() -> None:
    assert [problem.message for problem in problems(entry(spo2="980"))] == [
        "SpO2 of 980 is not possible (30 to 100 %). Check the number."
    ]
    assert [problem.message for problem in problems(entry(hr="160"))] == [
        "HR of 160 is unusual (usually 40 to 150 /min). Is it right?"
    ]
    assert [problem.message for problem in problems(entry(spo2="84"))] == [
        "SpO2 of 84 is unusual (usually 85 % or more). Is it right?"
    ]


LIMITS = [
    (key, name)
    for key, parameter in PARAMETERS.items()
    if parameter.kind == "vital"
    for name in ("hard_below", "hard_above", "soft_below", "soft_above")
    if getattr(parameter, name) is not None
]


@pytest.mark.parametrize(("key", "name"), LIMITS)
def test_a_limit_holds_at_its_value_and_fires_one_digit_beyond(key: str, name: str) -> None:
    parameter = PARAMETERS[key]
    limit: Decimal = getattr(parameter, name)
    digit = parameter.step or Decimal(1).scaleb(-parameter.decimals)
    beyond = limit - digit if name.endswith("below") else limit + digit
    soft = frozenset({f"{key}.soft_below", f"{key}.soft_above"})
    only_others = soft - {f"{key}.{name}"}
    assert save(entry(item(key, str(limit))), confirmed=only_others)[key].value == limit
    assert problem_codes(entry(item(key, str(beyond))), confirmed=only_others) == [f"{key}.{name}"]


def test_an_unusual_value_is_asked_once_and_saved_when_confirmed() -> None:
    entered = entry(hr="160", sbp="210", dbp="95")
    with pytest.raises(NeedsConfirmation) as asked:
        save(entered)
    codes = frozenset(problem.code for problem in asked.value.problems)
    assert codes == {"hr.soft_above", "sbp.soft_above"}
    with pytest.raises(NeedsConfirmation) as again:
        save(entered, confirmed=frozenset({"hr.soft_above"}))
    assert [problem.code for problem in again.value.problems] == ["sbp.soft_above"]
    assert save(entered, confirmed=codes)["hr"].value == 160


def test_a_confirmed_question_never_lets_an_impossible_value_through() -> None:
    assert problem_codes(entry(hr="301"), confirmed=frozenset({"hr.hard_above"})) == [
        "hr.hard_above"
    ]


def test_what_was_really_measured_can_always_be_recorded_with_a_note() -> None:
    arrest = item("hr", "0", really_so=True, note="asystole on the monitor, CPR started")
    saved = save(entry(arrest))["hr"]
    assert (saved.value, saved.really_so, saved.note) == (Decimal(0), True, arrest.note)
    assert problem_codes(entry(replace(arrest, note=" "))) == ["hr.note_missing"]
    assert problem_codes(entry(replace(arrest, really_so=False))) == ["hr.hard_below"]


def test_really_so_marks_only_a_value_beyond_a_limit() -> None:
    assert not save(entry(item("hr", "70", really_so=True, note="checked")))["hr"].really_so


@pytest.mark.parametrize(
    ("parameter", "text"), [("spo2", "101"), ("rr", "-1"), ("pain", "11"), ("asleep", "2")]
)
def test_what_cannot_be_is_refused_even_as_really_so(parameter: str, text: str) -> None:
    assert problem_codes(entry(item(parameter, text, really_so=True, note="so")))


def test_spo2_0_is_no_reading_and_breathing_0_is_one() -> None:
    found = problems(entry(item("spo2", "0", really_so=True, note="so")))
    assert [problem.message for problem in found] == [
        "SpO2 of 0 is not a reading. Choose “no trace” instead."
    ]
    assert save(entry(rr="0"), confirmed=frozenset({"rr.soft_below"}))["rr"].value == 0


def test_mood_and_cadss_totals_are_whole_numbers_of_their_form() -> None:
    assert save(entry(mood="10", cadss_23="92", cadss_6="24", cadss_28="112"))["mood"].value == 10
    for wrong in ({"mood": "11"}, {"mood": "3.5"}, {"cadss_23": "93"}, {"cadss_6": "25"}):
        (key,) = wrong
        assert problem_codes(entry(**wrong)) == [f"{key}.not_a_code"]
    (told,) = problems(entry(cadss_23="93"))
    assert told.message == "CADSS-23 total has no 93. Choose one of: 0 to 92."


def test_the_scale_of_the_protocol_says_which_dissociation_there_is() -> None:
    entered = entry(dissociation="7")
    common: dict[str, Any] = {"recorded_at": at(10), "recorded_by": "blum"}
    under = session(rate("0.1"))
    saved = observations_from_entry(entered, under, dissociation_scale="NRS0-10", **common)
    assert saved[0].value == 7
    with pytest.raises(InvalidEntry) as refused:
        observations_from_entry(entered, under, dissociation_scale="DISS0-3", **common)
    assert [problem.code for problem in refused.value.problems] == ["dissociation.not_a_code"]


def test_a_lost_point_or_digit_is_caught_by_the_precision() -> None:
    assert problem_codes(entry(hr="72.5")) == ["hr.decimals_0"]
    assert problem_codes(entry(o2_flow="2.3")) == ["o2_flow.step"]
    assert save(entry(o2_flow="2.5"))["o2_flow"].value == Decimal("2.5")
    assert problem_codes(entry(temp="36.85")) == ["temp.decimals_1"]
    assert str(save(entry(hr="72.0"))["hr"].value) == "72"
    assert str(save(entry(temp="37"))["temp"].value) == "37"


def test_decimal_comma_and_other_digits_are_read() -> None:
    assert save(entry(temp="36,8"))["temp"].value == Decimal("36.8")
    assert save(entry(hr="٧٢"))["hr"].value == 72


@pytest.mark.parametrize("text", ["12O", "--", "1e2", "1,200"])
def test_what_is_no_number_is_refused_at_its_field(text: str) -> None:
    found = problems(entry(hr=text))
    assert [problem.code for problem in found] == ["hr.not_a_number"]
    assert found[0].message.startswith("HR: “")


# -- none of the three things is another -----------------------------------------------------------


def test_a_reason_stands_in_place_of_a_value() -> None:
    saved = save(entry(item("sbp", not_taken=NotTaken.UNRECORDABLE), hr="70"))
    assert (saved["sbp"].value, saved["sbp"].not_taken) == (None, NotTaken.UNRECORDABLE)
    assert problem_codes(entry(item("sbp", "120", not_taken=NotTaken.REFUSED))) == ["sbp.both"]
    assert problem_codes(entry(item("hr", not_taken=NotTaken.NO_TRACE))) == ["hr.reason"]


def test_nothing_is_not_a_value() -> None:
    assert problem_codes(entry()) == ["set.empty"]
    assert problem_codes(entry(item("hr"))) == ["hr.empty"]
    assert problem_codes(entry(hr="  ")) == ["hr.empty"]


def test_the_same_field_twice_and_an_unknown_one_are_refused() -> None:
    assert problem_codes(entry(item("hr", "70"), item("hr", "71"))) == ["hr.twice"]
    assert problem_codes(entry(item("colour", "3"))) == ["set.unknown"]


# -- units ------------------------------------------------------------------------------------------


def test_u57_another_unit_is_converted_exactly_and_kept_as_typed() -> None:
    temp = save(entry(item("temp", "100.4", unit="°F")))["temp"]
    assert (temp.value, temp.entered_value, temp.entered_unit) == (
        Decimal(38),
        Decimal("100.4"),
        "°F",
    )
    pressure = save(entry(item("etco2", "5", unit="kPa")))["etco2"]
    assert pressure.value == Decimal("37.50310")
    assert problem_codes(entry(item("hr", "70", unit="kPa"))) == ["hr.not_a_number"]


def test_a_fahrenheit_number_in_a_celsius_field_is_asked_about_by_name() -> None:
    found = problems(entry(item("temp", "98.6", really_so=True, note="so")))
    assert [(problem.code, problem.message) for problem in found] == [
        (
            "temp.fahrenheit",
            "Temp of 98.6 looks like °F. Did you mean 98.6 °F (37 °C)?",
        )
    ]
    assert problem_codes(entry(temp="79.9")) == ["temp.hard_above"]
    assert problem_codes(entry(temp="115.1")) == ["temp.hard_above"]


# -- fields of one set ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "codes"),
    [
        ({"sbp": "120", "dbp": "120"}, ["dbp.not_below_sbp"]),
        ({"sbp": "76", "dbp": "118"}, ["sbp.soft_below", "dbp.not_below_sbp"]),
        ({"sbp": "100", "dbp": "86"}, ["sbp.pulse_pressure_below"]),
        ({"sbp": "100", "dbp": "85"}, []),
        ({"sbp": "190", "dbp": "69"}, ["sbp.pulse_pressure_above"]),
        ({"sbp": "190", "dbp": "70"}, []),
        ({"sbp": "120", "dbp": "80", "map": "121"}, ["map.not_between"]),
        ({"sbp": "120", "dbp": "80", "map": "104"}, ["map.difference"]),
        ({"sbp": "120", "dbp": "80", "map": "103"}, []),
    ],
)
def test_pressures_of_one_set_are_compared(texts: dict[str, Any], codes: list[str]) -> None:
    if codes:
        assert problem_codes(entry(**texts)) == codes
    else:
        assert set(save(entry(**texts))) == set(texts)


def test_a_diastolic_above_the_systolic_can_be_really_so() -> None:
    swapped = item("dbp", "119", really_so=True, note="read twice")
    assert save(entry(swapped, sbp="118"))["dbp"].value == 119


def test_a_mean_pressure_outside_the_two_can_be_really_so() -> None:
    mean = item("map", "130", really_so=True, note="arterial line, damped")
    assert save(entry(mean, sbp="120", dbp="80"))["map"].value == 130


# -- against the value before -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "code"),
    [
        ({"hr": 60}, {"hr": "100"}, None),
        ({"hr": 60}, {"hr": "101"}, "hr.jump"),
        ({"hr": 101}, {"hr": "60"}, "hr.jump"),
        ({"sbp": 120}, {"sbp": "171"}, "sbp.jump"),
        ({"spo2": 98}, {"spo2": "92"}, None),
        ({"spo2": 98}, {"spo2": "91"}, "spo2.jump"),
        ({"spo2": 91}, {"spo2": "99"}, None),
    ],
)
def test_a_jump_within_20_minutes_is_asked_about(
    before: dict[str, Any], now: dict[str, Any], code: str | None
) -> None:
    earlier = session(obs_set(-10, normal=False, **before))
    entered = entry(**now)
    assert (problem_codes(entered, earlier) if code else []) == ([code] if code else [])
    if code:
        assert save(entered, earlier, confirmed=frozenset({code}))
    long_ago = session(obs_set(-10.1, normal=False, **before))
    assert save(entered, long_ago)


def test_a_jump_is_told_with_both_values() -> None:
    earlier = session(obs_set(4, normal=False, sbp=121))
    assert [problem.message for problem in problems(entry(sbp="172"), earlier)] == [
        "SBP of 172 is 51 higher than 121, 6 min before. Is it right?"
    ]


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ({"hr": "128", "sbp": "66"}, ["hr.swapped", "sbp.soft_below"]),
        ({"hr": "128", "sbp": "82"}, ["hr.jump"]),  # 82 is too far from a pulse of 66
        ({"hr": "97", "spo2": "68"}, ["spo2.soft_below", "hr.swapped"]),
        ({"hr": "76", "dbp": "68"}, []),  # too near each other to tell
        ({"hr": "128"}, ["hr.jump"]),
        ({"hr": "70", "sbp": "126"}, []),
    ],
)
def test_two_values_that_fit_when_exchanged_are_asked_about_once(
    typed: dict[str, str], codes: list[str]
) -> None:
    before = session(rate("0.1"), obs_set(5, hr=66, sbp=126, dbp=76, spo2=97))
    try:
        save(entry(**typed), before)
        asked = []
    except NeedsConfirmation as questions:
        asked = [problem.code for problem in questions.problems]
    assert sorted(asked) == sorted(codes)
    assert save(entry(**typed), before, confirmed=frozenset(codes))


def test_a_corrected_value_is_not_what_a_jump_is_measured_from() -> None:
    wrong = observation("hr", 160, 4)
    corrected = session(wrong, amendment(wrong, 5))
    assert save(entry(hr="70"), corrected)


def test_a_jump_is_measured_from_another_set_taken_before() -> None:
    entered = entry(hr="70")
    same_set = session(observation("hr", 160, 10, set_id=entered.set_id))
    assert save(entered, same_set)
    later = session(observation("hr", 160, 12))
    assert save(entered, later, now=13)


# -- times ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minute", "ok"), [(12, True), (12.1, False), (-9000, False)])
def test_a_time_in_the_future_or_of_another_day_is_refused(minute: float, ok: bool) -> None:
    entered = entry(hr="70", minute=minute)
    if ok:
        assert save(entered)["hr"].taken_at == at(minute)
    else:
        assert problem_codes(entered)[0].startswith("taken_at.")


def test_a_time_well_before_the_session_was_opened_is_asked_about() -> None:
    code = "taken_at.before_session_asked"
    entered = entry(hr="70", minute=-106)  # the session was opened at -45
    assert problem_codes(entered) == [code]
    assert save(entered, confirmed=frozenset({code}))
    assert save(replace(entered, source=Source.PAPER))
    assert save(entry(hr="70", minute=-105))


def test_paper_of_days_ago_is_asked_about_and_anything_else_refused() -> None:
    entered = entry(hr="70", minute=-45 - 24 * 60 - 1)
    (refused,) = problems(entered, confirmed=frozenset({"taken_at.long_before_session"}))
    assert (refused.code, refused.kind) == ("taken_at.before_session", "hard")
    on_paper = replace(entered, source=Source.PAPER)
    (asked,) = problems(on_paper)
    assert (asked.code, asked.kind) == ("taken_at.long_before_session", "soft")
    assert "on paper is 24 h before" in asked.message
    assert save(on_paper, confirmed=frozenset({asked.code}))


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (10, None),
        (10.1, "10 min"),
        (119, "119 min"),
        (120, "2 h"),
        (47 * 60, "47 h"),
        (48 * 60, "2 days"),
    ],
)
def test_a_time_after_the_end_of_the_session_is_asked_about(
    minutes: float, said: str | None
) -> None:
    left = session(rate("0.1"), stop(60), event("discharged", 90))
    found = time_problems(at(90 + minutes), left, at(90 + minutes))
    told = [(problem.code, problem.kind, problem.message) for problem in found]
    message = f"The time is {said} after the end of this session. Is it right?"
    assert told == ([("taken_at.after_end", "soft", message)] if said else [])


# -- scores -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "right", "wrong"),
    [
        ("UK03", "3", "4"),
        ("MOAAS", "5", "6"),
        ("RASS", "-5", "5"),
        ("RAMSAY", "1", "0"),
        ("POSS", "1", "0"),
        ("ACVPU", "4", "5"),
        ("ANZ03", "0", "1.5"),
    ],
)
def test_sedation_takes_the_codes_of_the_sessions_scale_only(
    scale: str, right: str, wrong: str
) -> None:
    of = session(sedation_scale=scale)
    assert save(entry(sedation=right), of)["sedation"].value == int(right)
    really = item("sedation", wrong, really_so=True, note="so")
    found = problems(entry(really), of)
    assert [problem.code for problem in found] == ["sedation.not_a_code"]
    assert "Choose one of: " in found[0].message


@pytest.mark.parametrize(("parameter", "top"), [("pain", 10), ("dissociation", 10), ("nausea", 3)])
def test_a_score_is_a_whole_number_in_its_range(parameter: str, top: int) -> None:
    assert save(entry(item(parameter, str(top))))[parameter].value == top
    for text in (str(top + 1), "-1", "1.5"):
        assert problem_codes(entry(item(parameter, text))) == [f"{parameter}.not_a_code"]


def test_a_tick_is_yes_or_no() -> None:
    saved = save(entry(distress="yes", vomited="no", asleep="1"))
    assert [saved[key].value for key in ("distress", "vomited", "asleep")] == [1, 0, 1]
    assert problem_codes(entry(distress="2")) == ["distress.not_a_code"]


def test_u50_s_needs_roused_to_voice_in_the_same_entry() -> None:
    assert problem_codes(entry(sedation="S")) == ["sedation.roused_missing"]
    assert problem_codes(entry(sedation="S", roused_to_voice="no")) == ["sedation.roused_no"]
    assert problem_codes(entry(sedation="0", asleep="yes")) == ["sedation.roused_missing"]
    assert problem_codes(entry(sedation="S", asleep="no", roused_to_voice="yes")) == [
        "sedation.asleep_no"
    ]


@pytest.mark.parametrize("texts", [{"sedation": "s"}, {"sedation": "0", "asleep": "1"}])
@pytest.mark.parametrize("scale", ["UK03", "POSS"])
def test_u50_s_is_stored_as_0_with_the_tick_asleep(texts: dict[str, Any], scale: str) -> None:
    entered = entry(**texts, roused_to_voice="yes")
    saved = save(entered, session(sedation_scale=scale))
    assert {key: fact.value for key, fact in saved.items()} == {
        "sedation": 0,
        "asleep": 1,
        "roused_to_voice": 1,
    }
    assert sedation_grade(scale, 0, asleep=True, roused=True) == 0
    again = save(entered, session(sedation_scale=scale))
    assert saved["asleep"].id == again["asleep"].id


def test_u50_a_scale_without_s_has_no_s() -> None:
    found = problem_codes(entry(sedation="S"), session(sedation_scale="MOAAS"))
    assert found == ["sedation.not_a_number"]
    asleep = entry(sedation="0", asleep="yes")
    assert save(asleep, session(sedation_scale="MOAAS"))["sedation"].value == 0


# -- the component checks by the same table ---------------------------------------------------------


def test_the_client_gets_the_same_limits_and_sentences_as_json() -> None:
    limits = json.loads(json.dumps(limits_for_client()))
    assert limits["sentences"] == dict(SENTENCES)
    assert list(limits["parameters"]) == list(PARAMETERS)
    for key, parameter in PARAMETERS.items():
        for name in ("hard_below", "hard_above", "soft_below", "soft_above", "jump", "jump_fall"):
            sent = limits["parameters"][key][name]
            assert (None if sent is None else Decimal(sent)) == getattr(parameter, name)
    assert limits["parameters"]["spo2"]["hard_range"] == "30 to 100 %"
    assert [code["short"] for code in limits["scales"]["POSS"]["codes"]] == list("S1234")


@given(st.dictionaries(st.sampled_from(sorted(PARAMETERS)), st.text(max_size=6), max_size=6))
def test_whatever_is_typed_is_saved_as_typed_or_answered(texts: dict[str, Any]) -> None:
    entered = entry(**texts)
    try:
        saved = save(entered)
    except InvalidEntry as refused:
        told = [bool(problem.message and problem.code) for problem in refused.problems]
    else:
        told = [fact.value is not None for fact in saved.values()]
    assert told
    assert all(told)
