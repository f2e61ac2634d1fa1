"""NEWS2 as a flag: readings in, flags out, under the limits that have a row for it.

The language is that of test_breaches.py.  Every edge stands on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from monitor.alerts import alert_views, alerts_to_raise
from monitor.breaches import Breach, find_breaches
from monitor.protocols import seed_versions
from monitor.thresholds import parse_threshold_set
from monitor.timeline import marks
from tests.build import amendment, observation, rate, session
from tests.monitor.limits import default_set, flags, infusion, moment, news2_set, packaged

#: All seven parts, all scoring 0; what is tried is put in its place.
PARTS = {"rr": "16", "spo2": "97", "o2_flow": "0", "sbp": "120", "hr": "70", "acvpu": "0"}


def full(**changes: object) -> str:
    """One complete set: 0 but for the changes; None leaves a part out."""
    values: dict[str, object] = {**PARTS, "temp": "36.8", **changes}
    return " ".join(f"{key} {value}" for key, value in values.items() if value is not None)


def news2_flags(text: str, at: str = "120:00", **changes: object) -> list[str]:
    """The flags of NEWS2 alone, without the name of the rule."""
    found = flags(text, at=at, limits=news2_set(), **changes)
    return [flag.removeprefix("news2 ") for flag in found if flag.startswith("news2 ")]


def breach_of(text: str, rule_id: str, at: str = "10:00", **changes: object) -> Breach:
    found = find_breaches(infusion(text, **changes), news2_set(), moment(at))
    (breach,) = (item for item in found if item.rule_id == rule_id)
    return breach


WARNED, WARNED_CRITICAL = (
    "warning active 10:00 confirmed 10:00",
    ("critical active 10:00 confirmed 10:00"),
)

# Points: hr 105 = 1, hr 120 = 2, rr 22 = 2, sbp 105 = 1, sbp 95 = 2, spo2 95 = 1, temp 38.5 = 1
ROWS = [
    ("3.3", "a total of 4 is none", f"10:00 {full(rr=22, hr=120)}", []),
    ("3.3", "a total of 5 is a warning, at once", f"10:00 {full(rr=22, hr=120, spo2=95)}",
     [WARNED]),
    ("3.3", "so is 6", f"10:00 {full(rr=22, hr=120, spo2=95, sbp=105)}", [WARNED]),
    ("3.3", "7 is critical", f"10:00 {full(rr=22, hr=120, spo2=95, sbp=105, temp='38.5')}",
     [WARNED_CRITICAL]),
    ("U-14, U-47", "one complete set below 5 clears both levels",
     f"10:00 {full(rr=22, hr=120, spo2=95, sbp=95)} | 20:00 {full(rr=22, hr=120)}",
     ["critical resolved 10:00 confirmed 10:00 ended 20:00"]),
    ("U-47", "5 does not clear, and does not step a critical down",
     f"10:00 {full(rr=22, hr=120, spo2=95, sbp=95)} | 20:00 {full(rr=22, hr=120, spo2=95)}",
     [WARNED_CRITICAL]),
    ("U-47", "below 5 with a single 3 it does not clear, whoever else says the 3",
     f"10:00 {full(rr=22, hr=120, spo2=95)} | 20:00 {full(rr=25)}", [WARNED]),
    ("U-47", "a single 3 with a limit of its own at that value is no flag of NEWS2",
     f"10:00 {full(rr=25)}", []),
    ("U-47", "nor one whose own flag was confirmed", f"10:00 {full(rr=8)}", []),
    ("U-47", "nor HR 131, SBP 90, SpO2 91, temperature 35.0: each has its own",
     (f"10:00 {full(hr=131)} | 30:00 {full(sbp=90)} | 50:00 {full(spo2=91)}"
     f" | 70:00 {full(temp='35.0')}"), []),
    ("U-47", "the 3 of consciousness has none under another sedation scale",
     f"10:00 {full(acvpu=1)}", [WARNED]),
    ("U-47", "also when a sign with a limit of its own is outside in the same set",
     f"10:00 {full(acvpu=1, sbp=165)}", [WARNED]),
    ("U-47", "it ends with Alert", f"10:00 {full(acvpu=1)} | 20:00 {full()}",
     ["warning resolved 10:00 confirmed 10:00 ended 20:00"]),
    ("U-48", "an incomplete sum of 4 is none", "10:00 rr 22 hr 120", []),
    ("U-48", "of 5 it fires", "10:00 rr 22 hr 120 spo2 95", [WARNED]),
    ("U-48", "of 6 it is a warning still", "10:00 rr 22 hr 120 spo2 95 sbp 105", [WARNED]),
    ("U-48", "of 7 critical", "10:00 rr 22 hr 120 spo2 95 sbp 95", [WARNED_CRITICAL]),
    ("U-48", "a 3 of consciousness is a 3 whatever is missing", "10:00 acvpu 2", [WARNED]),
    ("U-48", "an incomplete set never clears",
     f"10:00 {full(rr=22, hr=120, spo2=95)} | 20:00 {full(temp=None)}", [WARNED]),
    ("U-48", "a flow that was not recorded is missing, not air",
     f"10:00 {full(rr=22, hr=120, spo2=95)} | 20:00 {full(o2_flow=None)}", [WARNED]),
    ("U-48", "nothing is carried forward from another set",
     f"10:00 {full(temp='38.5', rr=22)} | 12:00 hr 120", []),
    ("U-48", "a grade of another scale is no consciousness",
     f"10:00 {full(rr=22, hr=120, spo2=95)} | 20:00 {full(acvpu=None)} sedation 0", [WARNED]),
    ("U-43", "an incomplete newer set does not make a late entry retrospective",
     f"10:00 {full(rr=22, hr=120, spo2=95)} saved 50:00 | 20:00 hr 70", [WARNED]),
    ("U-43", "a complete one that was known does",
     f"10:00 {full(rr=22, hr=120, spo2=95)} saved 50:00 | 20:00 {full()}",
     ["warning resolved 10:00 confirmed 10:00 ended 20:00"]),
    ("U-61", "a breach after it was over is a new one",
     f"10:00 {full(acvpu=1)} | 20:00 {full()} | 30:00 {full(acvpu=1)}",
     ["warning resolved 10:00 confirmed 10:00 ended 20:00",
      "warning active 30:00 confirmed 30:00"]),
    ("U-67", "before the first dose it is no flag", f"-10:00 {full(rr=22, hr=120, spo2=95)}", []),
    ("U-67", "after discharge neither",
     f"10:00 event discharged | 11:00 {full(rr=22, hr=120, spo2=95)}", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ruling", "why", "readings", "expected"), ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS]
)
def test_the_rulings(ruling: str, why: str, readings: str, expected: Sequence[str]) -> None:
    assert news2_flags(readings) == list(expected)


def test_under_the_limits_without_a_row_nothing_of_it_is_judged() -> None:
    assert flags(f"10:00 {full(acvpu=4)} | 20:00 {full(rr=22, hr=105, temp=38)}") == []
    assert not default_set().has_news2
    assert news2_set().has_news2


def test_scale_2_is_scored_with_the_target_a_clinician_set() -> None:
    """U-46: 90 % scores 3 on scale 1 and 0 on scale 2; 97 % on oxygen scores 3 on scale 2."""
    text = f"10:00 {full(spo2=90, o2_flow=2, rr=22)}"
    assert news2_flags(text) == [WARNED_CRITICAL]
    assert news2_flags(text, spo2_scale=2) == []
    over = f"10:00 {full(spo2=97, o2_flow=2, rr=9)}"
    assert news2_flags(over) == []
    assert news2_flags(over, spo2_scale=2) == [WARNED]


def test_where_sedation_is_acvpu_its_own_limit_says_the_three() -> None:
    """U-47: C and V are a warning of the sedation row, so NEWS2 is no second card."""
    text = f"10:00 {full(acvpu=None)} sedation 2"
    assert news2_flags(text, sedation_scale="ACVPU") == []
    assert breach_of(text, "sedation", sedation_scale="ACVPU").note == (
        "NEWS2: 3 for consciousness alone"
    )


def test_a_single_three_is_named_on_the_card_of_its_own_sign() -> None:
    """U-47."""
    assert breach_of(f"10:00 {full(rr=25)}", "rr_high").note == (
        "NEWS2: 3 for respiratory rate alone"
    )
    assert breach_of(f"10:00 {full(hr=120)}", "hr_high").note == ""
    (plain,) = find_breaches(infusion(f"10:00 {full(rr=25)}"), default_set(), moment("10:00"))
    assert plain.note == ""


def test_the_words_say_the_sum_and_what_is_missing() -> None:
    total = breach_of(f"10:00 {full(rr=22, hr=120, spo2=95)}", "news2")
    assert (total.threshold_text, total.note) == ("NEWS2 5 >= 5", "")
    partial = breach_of("10:00 rr 22 hr 120 spo2 95", "news2")
    assert partial.threshold_text == "NEWS2 incomplete, at least 5"
    assert partial.note == (
        "Missing in this set: air or oxygen, systolic pressure, consciousness, temperature"
    )
    alone = breach_of(f"10:00 {full(acvpu=2)}", "news2")
    assert alone.threshold_text == "NEWS2: 3 for consciousness alone"


def test_the_card_carries_the_note_and_every_reading_that_made_the_score() -> None:
    shown = infusion("10:00 rr 22 hr 120 spo2 95")
    now = moment("10:00")
    alerts, events = alerts_to_raise(shown, news2_set(), (), (), now)
    views = alert_views(shown, news2_set(), alerts, events, now)
    (view,) = (item for item in views if item.rule_ids == ("news2",))
    assert "Missing in this set: air or oxygen" in view.detail
    assert "Limits ADULT-NEWS2-1 v1" in view.detail
    assert {fact.parameter for fact in view.readings} == {"rr", "hr", "spo2"}  # type: ignore[attr-defined]
    assert view.alert.parameter == "news2"


def test_the_sum_marks_none_of_the_values() -> None:
    """RR 22 and SpO2 95 are inside their limits: nothing on the chart says otherwise."""
    shown = infusion("10:00 rr 22 hr 105 spo2 95")
    breaches = find_breaches(shown, news2_set(), moment("10:00"))
    assert [item.rule_id for item in breaches] == []
    shown = infusion(f"10:00 {full(rr=22, hr=105, spo2=95, sbp=105)}")
    breaches = find_breaches(shown, news2_set(), moment("10:00"))
    assert [item.rule_id for item in breaches] == ["news2"]
    assert marks(breaches, news2_set()) == {}


def test_a_corrected_value_takes_the_flag_away() -> None:
    """U-66."""
    set_id = session(observation("hr", 120, 10)).observations[0].set_id
    others = [
        observation(key, value, 10, set_id=set_id) for key, value in (("rr", 22), ("spo2", 95))
    ]
    wrong = observation("hr", 120, 10, set_id=set_id)
    right = observation("hr", 80, 10, set_id=set_id, recorded=12)
    shown = session(rate("0.1", 0), *others, wrong, right, amendment(wrong, 12, right))
    assert [item.rule_id for item in find_breaches(shown, news2_set(), moment("11:00"))] == [
        "hr_high", "news2"
    ]  # fmt: skip
    assert find_breaches(shown, news2_set(), moment("30:00")) == ()


def test_set_by_set_is_the_same_as_all_at_once() -> None:
    """The streams of the session before are continued: what was judged then is not judged anew."""
    parts = [f"10:00 {full(acvpu=1)}", f"20:00 {full(rr=25)}", "25:00 hr 70", f"30:00 {full()}"]
    grown = infusion("")
    for count in range(1, len(parts) + 1):
        facts = infusion(" | ".join(parts)).observations
        until = moment(parts[count - 1].split()[0])
        new = [seen for seen in facts if seen.taken_at == until]
        grown = grown.with_facts(tuple(new))
        seen = [b.steps for b in find_breaches(grown, news2_set(), until) if b.rule_id == "news2"]
        anew = session(*grown.dose_steps, *grown.observations)
        again = [b.steps for b in find_breaches(anew, news2_set(), until) if b.rule_id == "news2"]
        assert seen == again
    assert seen


def test_a_baseline_entered_later_decides_again_who_says_the_three() -> None:
    """U-44, U-47: HR 40 has a limit of its own for most patients; here not for those with 55 or less."""
    content = packaged("ADULT-NEWS2-1")
    (row,) = (row for row in content["rule"] if row["id"] == "hr_low_slow_baseline")
    row["warning"] |= {"fires": "value <= 38", "clears": "value >= 39"}
    row["critical"] |= {"fires": "value <= 35", "clears": "value >= 38"}
    limits = parse_threshold_set(content)
    shown = infusion(f"10:00 {full(hr=40)}")
    assert [item.rule_id for item in find_breaches(shown, limits, moment("10:00"))] == ["hr_low"]
    shown = shown.with_facts((observation("hr", 50, -10, recorded=20),))
    assert [item.rule_id for item in find_breaches(shown, limits, moment("20:00"))] == ["news2"]


def test_the_set_with_news2_is_the_default_set_and_one_row() -> None:
    """As stored it stands for itself: nothing is read from another version later."""
    own, base = news2_set(), default_set()
    assert own.rules[:-1] == base.rules
    assert (own.policy, own.late_after) == (base.policy, base.late_after)
    assert [rule.id for rule in own.rules[len(base.rules) :]] == ["news2"]
    (stored,) = (item for item in seed_versions() if item.code == "ADULT-NEWS2-1")
    assert "extends" not in stored.text
