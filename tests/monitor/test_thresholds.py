"""The threshold set is data: every row has its source, and a slip in it is refused, not ignored."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitor.parameters import PARAMETERS
from monitor.protocols import canonical_content
from monitor.scales import SEDATION_SCALES
from monitor.side_effects import CRITICAL_FROM_GRADE, CRITICAL_TERMS, TERMS
from monitor.thresholds import (
    SIGNS,
    Condition,
    Confirm,
    Level,
    Rule,
    parse_expression,
    parse_rule,
    parse_threshold_set,
)
from tests.monitor.limits import default_set, news2_set, packaged


def broken(rule_id: str, **changes: Any) -> dict[str, Any]:
    content = packaged()
    row = next(row for row in content["rule"] if row["id"] == rule_id)
    for key, value in changes.items():
        if value is None:
            del row[key]
        else:
            row[key] = value
    return content


def test_every_row_names_its_source_and_that_it_is_to_be_signed() -> None:
    for rule in default_set().rules:
        assert "needs the sign-off" in rule.source, rule.id


def test_the_set_survives_being_stored_as_canonical_text() -> None:
    text, _ = canonical_content(packaged())
    assert parse_threshold_set(json.loads(text)) == default_set()


def test_every_sign_is_read_by_a_row_and_made_of_known_parameters() -> None:
    assert {rule.sign for rule in news2_set().rules} == set(SIGNS)
    for sign in SIGNS.values():
        assert set(sign.parameters) <= set(PARAMETERS)


def test_no_row_names_a_scale_or_term_that_does_not_exist() -> None:
    for rule in default_set().rules:
        assert set(rule.sedation_scales + rule.not_sedation_scales) <= set(SEDATION_SCALES)
        assert set(rule.terms + rule.critical_terms) <= set(TERMS)


def test_the_critical_side_effects_are_those_of_the_vocabulary() -> None:
    rule = default_set().rule("side_effect")
    assert set(rule.critical_terms) == CRITICAL_TERMS
    assert rule.critical is not None
    assert rule.critical.fires[0] == (Condition("grade", ">=", Decimal(CRITICAL_FROM_GRADE)),)


@pytest.mark.parametrize("name", ["warning", "critical"])
def test_a_level_is_found_by_its_name(name: str) -> None:
    level = default_set().rule("sbp_high").level(name)
    assert level is not None
    assert level.name == name


def test_a_rule_is_found_by_its_id() -> None:
    assert default_set().rule("sbp_high").group == "bp_high"
    with pytest.raises(KeyError):
        default_set().rule("sbp_hihg")


def test_critical_is_confirmed_by_repeat_exactly_where_the_ruling_says() -> None:
    """U-12: critical is 2x for SBP/DBP/MAP high, SBP fall, HR high, RR high, EtCO2; else single."""
    repeated = {
        rule.id
        for rule in default_set().rules
        if rule.critical and rule.critical.confirm and rule.critical.confirm.by_reading
    }
    assert repeated == {
        "sbp_high", "dbp_high", "map_high", "sbp_fall", "hr_high", "rr_high", "etco2"
    }  # fmt: skip


def test_what_cannot_be_suppressed_is_what_the_ruling_lists() -> None:
    """U-65: RR 0 or <= 8, SpO2 critical, sedation grade 3, U-02, U-03 and U-05 criticals."""
    locked = {
        rule.id for rule in default_set().rules if rule.critical and not rule.critical.may_suppress
    }
    assert locked == {
        "rr_zero", "rr_low", "spo2_low", "spo2_low_scale_2", "spo2_drop", "spo2_no_trace",
        "sedation", "hr_zero", "bp_unrecordable", "side_effect",
        "chest_pain", "neuro_deficit", "dyspnoea", "headache_and_vision",
    }  # fmt: skip


def test_and_binds_closer_than_or() -> None:
    assert parse_expression("rise >= 40 or value >= 100 and rise_percent >= 30") == (
        (Condition("rise", ">=", Decimal(40)),),
        (Condition("value", ">=", Decimal(100)), Condition("rise_percent", ">=", Decimal(30))),
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sign": "sbpp"}, f"there is no sign “sbpp”; known: {', '.join(SIGNS)}"),
        ({"warnign": {}, "aaa": 1, "zzz": 1}, "“aaa” is not understood"),
        ({"source": " "}, "every limit needs its source"),
        ({"warning": {"fires": "valeu >= 160", "clears": "value < 155", "confirm": "repeat"}},
         ("“valeu” is not one of: value, rise, rise_percent, fall, fall_percent, sbp, dbp")),
        ({"warning": {"fires": "value => 160", "clears": "value < 155", "confirm": "repeat"}},
         "“value => 160” is not a comparison such as “value >= 160”"),
        ({"warning": {"fires": "value >= 160 mmHg", "clears": "value < 155", "confirm": "repeat"}},
         "“value >= 160 mmHg” is not a comparison such as “value >= 160”"),
        ({"warning": {"fires": "value >= 16O", "clears": "value < 155", "confirm": "repeat"}},
         "“16O” in “value >= 16O” is not a number, yes or no"),
        ({"warning": {"fires": "value >= NaN", "clears": "value < 155", "confirm": "repeat"}},
         "“NaN” in “value >= NaN” is not a finite number"),
        ({"warning": {"fires": "value = 160", "clears": "value < 155", "confirm": "repeat"}},
         "“value = 160”: “=” goes with yes and no, a number with >= > <= <"),
        ({"warning": {"fires": "value >= yes", "clears": "value < 155", "confirm": "repeat"}},
         "“value >= yes”: “=” goes with yes and no, a number with >= > <= <"),
        ({"warning": {"fires": "value >= 160", "clears": "value < 165", "confirm": "repeat"}},
         "“value < 165” would clear while “value >= 160” holds"),
        ({"warning": {"fires": "value >= 160", "clears": "value < 155", "confirm": "twice"}},
         "there is no [confirm] row “twice”"),
        ({"warning": {"fires": "value >= 160", "clears": "value < 155", "confirm": "repeat",
                      "pending_as": "info"}}, "pending_as is one of: warning, critical"),
        ({"warning": {"fires": "value >= 160", "clears": "value < 155", "confirm": "repeat",
                      "at_once": "value >= 170"}}, "at_once belongs to the critical level"),
        ({"warning": {"fires": "value >= 160", "clears": "value < 155", "confirm": "repeat",
                      "fire": "value >= 170"}}, "“fire” is not understood"),
        ({"warning": None, "critical": None}, "it has neither a warning nor a critical level"),
        ({"only_when": "value <= 55"}, "“value” is not one of: baseline"),
        ({"not_when": "value <= 55"}, "“value” is not one of: baseline"),
    ],
)  # fmt: skip
def test_a_row_that_is_not_understood_is_refused_by_name(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match="row sbp_high: ") as refusal:
        parse_threshold_set(broken("sbp_high", **changes))
    assert str(refusal.value) == f"row sbp_high: {said}"


def test_a_finding_that_would_clear_while_it_is_there_is_refused() -> None:
    critical = {"fires": "chest_pain = yes", "clears": "chest_pain = yes", "confirm": "single"}
    said = "^row chest_pain: “chest_pain = 1” would clear while “chest_pain = 1” holds$"
    with pytest.raises(ValueError, match=said):
        parse_threshold_set(broken("chest_pain", critical=critical))


def test_a_clear_value_next_to_the_limit_is_understood() -> None:
    """Above 160 fires and 160 clears: no value does both.  Two together are not compared."""
    rows = [
        {"fires": "value > 160", "clears": "value <= 160", "confirm": "repeat"},
        {"fires": "value >= 160 and rise >= 10", "clears": "value < 165", "confirm": "repeat"},
        {"fires": "value >= 160", "clears": "value < 165 or value < 150", "confirm": "repeat"},
    ]
    for row in rows:
        assert parse_threshold_set(broken("sbp_high", warning=row)).rule("sbp_high").warning


def test_a_row_without_an_id_is_named_by_its_place() -> None:
    content = packaged()
    content["rule"][2] |= {"sgin": "sbp"}
    del content["rule"][2]["id"]
    with pytest.raises(ValueError, match=r"^row 3: “sgin” is not understood$"):
        parse_threshold_set(content)


def test_two_rows_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^two rows have the same id$"):
        parse_threshold_set(broken("dbp_high", id="sbp_high"))


REPEAT = Confirm(timedelta(seconds=60), timedelta(seconds=300))
#: A row that says nothing but what it must.
SHORT = {
    "id": "hr_high",
    "group": "hr_high",
    "label": "Heart rate high",
    "sign": "hr",
    "source": "clinical.md 3.3",
    "warning": {"fires": "value > 110", "clears": "value <= 105", "confirm": "repeat"},
}


def test_what_a_row_does_not_say_is_the_usual() -> None:
    """Single readings clear, alerts escalate, shorten the schedule, can be hidden, from dose on."""
    assert parse_rule(SHORT, 7, {"repeat": REPEAT}) == Rule(
        id="hr_high",
        group="hr_high",
        label="Heart rate high",
        sign="hr",
        source="clinical.md 3.3",
        order=7,
        warning=Level(
            name="warning",
            fires=((Condition("value", ">", Decimal(110)),),),
            clears=((Condition("value", "<=", Decimal(105)),),),
            confirm=REPEAT,
            at_once=(),
            counts_when=(),
            pending_as="warning",
            may_suppress=True,
        ),
        critical=None,
        only_when=(),
        not_when=(),
        spo2_scale=None,
        sedation_scales=(),
        not_sedation_scales=(),
        dissociation_scales=(),
        terms=(),
        critical_terms=(),
        baseline_if_none=None,
        from_arrival=False,
        escalates=True,
        shortens_schedule=True,
        clear_times=1,
        clear_apart=timedelta(0),
    )


def test_what_a_row_says_is_read_as_it_stands() -> None:
    row = SHORT | {
        "critical": {
            "fires": "value >= 131",
            "clears": "value <= 125",
            "confirm": "single",
            "at_once": "value >= 150",
            "counts_when": "rise >= 10",
            "pending_as": "warning",
            "may_suppress": True,
        },
        "only_when": "baseline <= 55",
        "not_when": "baseline <= 40",
        "spo2_scale": 2,
        "sedation_scales": ["RASS"],
        "not_sedation_scales": ["POSS"],
        "dissociation_scales": ["NRS0-10"],
        "terms": ["nausea"],
        "critical_terms": ["seizure"],
        "baseline_if_none": "0",
        "from_arrival": True,
        "escalates": False,
        "shortens_schedule": False,
        "clear_times": 2,
        "clear_apart_s": 60,
        "may_suppress": False,
    }
    rule = parse_rule(row, 0, {"repeat": REPEAT})
    assert rule.critical == Level(
        name="critical",
        fires=((Condition("value", ">=", Decimal(131)),),),
        clears=((Condition("value", "<=", Decimal(125)),),),
        confirm=None,
        at_once=((Condition("value", ">=", Decimal(150)),),),
        counts_when=((Condition("rise", ">=", Decimal(10)),),),
        pending_as="warning",
        may_suppress=True,  # of the level, against what the row says
    )
    assert rule.warning is not None
    assert not rule.warning.may_suppress  # of the row
    assert rule.only_when == ((Condition("baseline", "<=", Decimal(55)),),)
    assert rule.not_when == ((Condition("baseline", "<=", Decimal(40)),),)
    assert (rule.spo2_scale, rule.sedation_scales, rule.not_sedation_scales) == (
        2, ("RASS",), ("POSS",),
    )  # fmt: skip
    assert rule.dissociation_scales == ("NRS0-10",)
    assert (rule.terms, rule.critical_terms) == (("nausea",), ("seizure",))
    assert (rule.baseline_if_none, rule.from_arrival) == (Decimal(0), True)
    assert (rule.escalates, rule.shortens_schedule) == (False, False)
    assert (rule.clear_times, rule.clear_apart) == (2, timedelta(seconds=60))


@pytest.mark.parametrize("sign", ["sedation", "sgin"])
def test_a_device_judges_only_what_it_says_as_a_number(sign: str) -> None:
    content = packaged()
    content["device"]["sign"][0]["sign"] = sign
    with pytest.raises(ValueError, match=f"^device: no device says “{sign}” as a number$"):
        parse_threshold_set(content)


def test_a_version_from_before_devices_says_nothing_of_them() -> None:
    content = packaged()
    del content["device"]
    assert parse_threshold_set(content).device is None


def test_a_repeat_window_that_ends_before_it_begins_is_refused() -> None:
    content = packaged()
    content["confirm"]["repeat"]["until_s"] = 30
    with pytest.raises(ValueError, match=r"^confirm: from_s must not be later than until_s$"):
        parse_threshold_set(content)
    content["confirm"]["repeat"] |= {"from_s": 30, "until_s": 30}
    assert parse_threshold_set(content).rules
    content["confirm"]["repeat"] |= {"from_s": -1}
    with pytest.raises(ValueError, match="from_s"):
        parse_threshold_set(content)
    content["confirm"]["repeat"] |= {"from_s": 0}
    assert parse_threshold_set(content).rules
