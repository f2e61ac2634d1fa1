"""The threshold set is data: every row has its source, and a slip in it is refused, not ignored."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from monitor.parameters import PARAMETERS
from monitor.protocols import canonical_content
from monitor.scales import SEDATION_SCALES
from monitor.side_effects import CRITICAL_FROM_GRADE, CRITICAL_TERMS, TERMS
from monitor.thresholds import SIGNS, Condition, parse_expression, parse_threshold_set
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
        ({"sign": "sbpp"}, "there is no sign"),
        ({"warnign": {}}, "“warnign” is not understood"),
        ({"source": " "}, "needs its source"),
        ({"warning": {"fires": "valeu >= 160", "clears": "value < 155", "confirm": "repeat"}},
         "“valeu” is not one of"),
        ({"warning": {"fires": "value => 160", "clears": "value < 155", "confirm": "repeat"}},
         "not a comparison"),
        ({"warning": {"fires": "value >= 16O", "clears": "value < 155", "confirm": "repeat"}},
         "is not a number"),
        ({"warning": {"fires": "value >= NaN", "clears": "value < 155", "confirm": "repeat"}},
         "not a finite number"),
        ({"warning": {"fires": "value = 160", "clears": "value < 155", "confirm": "repeat"}},
         "goes with yes and no"),
        ({"warning": {"fires": "value >= 160", "clears": "value < 165", "confirm": "repeat"}},
         "would clear while"),
        ({"warning": {"fires": "value >= 160", "clears": "value < 155", "confirm": "twice"}},
         "no [confirm] row"),
        ({"warning": {"fires": "value >= 160", "clears": "value < 155", "confirm": "repeat",
                      "pending_as": "info"}}, "pending_as is one of"),
        ({"warning": {"fires": "value >= 160", "clears": "value < 155", "confirm": "repeat",
                      "at_once": "value >= 170"}}, "at_once belongs to the critical"),
        ({"warning": None, "critical": None}, "neither a warning nor a critical"),
    ],
)  # fmt: skip
def test_a_row_that_is_not_understood_is_refused_by_name(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match="row sbp_high: ") as refusal:
        parse_threshold_set(broken("sbp_high", **changes))
    assert said in str(refusal.value)


def test_two_rows_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="same id"):
        parse_threshold_set(broken("dbp_high", id="sbp_high"))


def test_a_repeat_window_that_ends_before_it_begins_is_refused() -> None:
    content = packaged()
    content["confirm"]["repeat"]["until_s"] = 30
    with pytest.raises(ValueError, match="from_s"):
        parse_threshold_set(content)
