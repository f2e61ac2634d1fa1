"""The specification of the flags, row by row: readings in, flags out, why, and the ruling.

Read it beside clinical.md 3.3 and section 16.  Times count from the first dose; see limits.py for
the few words of the language.  Every edge is tried on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.breaches import Breach, Step, find_breaches, rule_applies
from monitor.parameters import PARAMETERS
from monitor.protocols import InfusionProtocol, SoftHard
from monitor.readings import baseline
from monitor.record import InfusionSession, NotTaken
from monitor.thresholds import parse_threshold_set
from tests.build import (
    amendment,
    at,
    bolus,
    event,
    obs_set,
    observation,
    rate,
    seeded,
    session,
    stop,
)
from tests.build import side_effect as effect
from tests.monitor.limits import (
    changed_set,
    clock,
    default_set,
    flag,
    flags,
    infusion,
    levels,
    moment,
    packaged,
)

CALM = "hr 72 sbp 120 dbp 80 spo2 98 rr 14 pain 4 o2_flow 0"

# -- the limits themselves -------------------------------------------------------------------------
# rule, level, a reading at the limit, the nearest one inside, one that clears, one that does not

EDGES = [
    ("sbp_high", "warning", "sbp 160", "sbp 159", "sbp 154", "sbp 155"),
    ("sbp_high", "critical", "sbp 180", "sbp 179", "sbp 174", "sbp 175"),
    ("dbp_high", "warning", "dbp 100", "dbp 99", "dbp 94", "dbp 95"),
    ("dbp_high", "critical", "dbp 110", "dbp 109", "dbp 104", "dbp 105"),
    ("map_high", "warning", "map 120", "map 119", "map 114", "map 115"),
    ("map_high", "critical", "map 135", "map 134", "map 129", "map 130"),
    ("sbp_low", "warning", "sbp 99", "sbp 100", "sbp 105", "sbp 104"),
    ("sbp_low", "critical", "sbp 89", "sbp 90", "sbp 95", "sbp 94"),
    ("map_low", "warning", "map 64", "map 65", "map 70", "map 69"),
    ("map_low", "critical", "map 59", "map 60", "map 65", "map 64"),
    ("hr_high", "warning", "hr 111", "hr 110", "hr 105", "hr 106"),
    ("hr_high", "critical", "hr 131", "hr 130", "hr 125", "hr 126"),
    ("hr_low", "warning", "hr 50", "hr 51", "hr 55", "hr 54"),
    ("hr_low", "critical", "hr 40", "hr 41", "hr 45", "hr 44"),
    ("spo2_low", "warning", "spo2 93", "spo2 94", "spo2 95", "spo2 94"),
    ("spo2_low", "critical", "spo2 89", "spo2 90", "spo2 92", "spo2 91"),
    ("rr_low", "warning", "rr 9", "rr 10", "rr 11", "rr 10"),
    ("rr_low", "critical", "rr 8", "rr 9", "rr 11", "rr 10"),
    ("rr_high", "warning", "rr 25", "rr 24", "rr 22", "rr 23"),
    ("rr_high", "critical", "rr 30", "rr 29", "rr 27", "rr 28"),
    ("etco2", "warning", "etco2 51", "etco2 50", "etco2 47", "etco2 48"),
    ("etco2", "warning", "etco2 29", "etco2 30", "etco2 35", "etco2 34"),
    ("etco2", "critical", "etco2 61", "etco2 60", "etco2 47", "etco2 48"),
    ("etco2", "critical", "etco2 19", "etco2 20", "etco2 35", "etco2 34"),
    ("etco2", "critical", "etco2 no_trace", "etco2 60", "etco2 47", "etco2 48"),
    ("temp", "warning", "temp 38.1", "temp 38.0", "temp 38.0", "temp 38.1"),
    ("temp", "warning", "temp 35.9", "temp 36.0", "temp 36.1", "temp 36.0"),
    ("temp", "critical", "temp 39.1", "temp 39.0", "temp 38.0", "temp 38.1"),
    ("temp", "critical", "temp 35.0", "temp 35.1", "temp 36.1", "temp 36.0"),
    ("dissociation", "warning", "dissociation 7", "dissociation 6",
     "dissociation 4", "dissociation 5"),
    ("dissociation", "warning", "dissociation 1 distress yes", "dissociation 1 distress no",
     "dissociation 4 distress no", "dissociation 5 distress no"),
    ("nausea", "warning", "nausea 2", "nausea 1", "nausea 1", "nausea 2"),
    ("nausea", "critical", "nausea 3", "nausea 2", "nausea 1", "nausea 2"),
]  # fmt: skip

#: The same for limits against the baseline: SBP 120, DBP 80, HR 72, SpO2 98, pain 4, no oxygen.
RELATIVE_EDGES = [
    ("sbp_rise", "warning", "sbp 156", "sbp 155", "sbp 149", "sbp 150"),
    ("dbp_rise", "warning", "dbp 105", "dbp 104", "dbp 99", "dbp 100"),
    ("sbp_fall", "warning", "sbp 96", "sbp 97", "sbp 103", "sbp 102"),
    ("sbp_fall", "critical", "sbp 84", "sbp 85", "sbp 91", "sbp 90"),
    ("spo2_drop", "warning", "spo2 94", "spo2 95", "spo2 96", "spo2 95"),
    ("spo2_drop", "critical", "spo2 90", "spo2 91", "spo2 96", "spo2 95"),
    ("pain_rise", "warning", "pain 6", "pain 5", "pain 5", "pain 6"),
    ("oxygen_new", "warning", "o2_flow 0.5", "o2_flow 0", "o2_flow 0", "o2_flow 0.5"),
    ("oxygen_new", "critical", "o2_flow 4.5", "o2_flow 4", "o2_flow 4", "o2_flow 4.5"),
]


def level_of(rule_id: str, text: str, before: str = "", at: str = "120:00") -> str | None:
    return levels(text, before, at).get(rule_id)


def reaches(level: str | None, wanted: str) -> bool:
    return level is not None and (level == wanted or level == "critical")


@pytest.mark.parametrize(("rule_id", "level", "outside", "inside", "clears", "stays"), EDGES)
def test_a_limit_fires_at_its_value_and_not_one_step_inside(
    rule_id: str, level: str, outside: str, inside: str, clears: str, stays: str
) -> None:
    assert reaches(level_of(rule_id, f"10:00 {outside}"), level)
    assert not reaches(level_of(rule_id, f"10:00 {inside}"), level)


@pytest.mark.parametrize(("rule_id", "level", "outside", "inside", "clears", "stays"), EDGES)
def test_a_confirmed_level_ends_at_its_clear_value_and_not_before(
    rule_id: str, level: str, outside: str, inside: str, clears: str, stays: str
) -> None:
    """U-14, U-15, U-16: one reading inside the clear band ends the level, one before it does not."""
    assert reaches(level_of(rule_id, f"10:00 {outside} | 20:00 {stays}"), level)
    assert not reaches(level_of(rule_id, f"10:00 {outside} | 20:00 {clears}"), level)


@pytest.mark.parametrize(
    ("rule_id", "level", "outside", "inside", "clears", "stays"), RELATIVE_EDGES
)
def test_a_limit_against_baseline_fires_and_clears_at_its_edges(
    rule_id: str, level: str, outside: str, inside: str, clears: str, stays: str
) -> None:
    assert reaches(level_of(rule_id, f"10:00 {outside}", CALM), level)
    assert not reaches(level_of(rule_id, f"10:00 {inside}", CALM), level)
    assert reaches(level_of(rule_id, f"10:00 {outside} | 20:00 {stays}", CALM), level)
    assert not reaches(level_of(rule_id, f"10:00 {outside} | 20:00 {clears}", CALM), level)


# -- the rulings -----------------------------------------------------------------------------------
# ruling, why, readings, baseline, as of, flags

ROWS = [
    # How a first reading outside is confirmed
    ("U-06", "a reading outside is shown at once, waiting for its repeat",
     "10:00 sbp 165", "", "14:59", ["sbp_high warning pending 10:00"]),
    ("U-06", "a repeat before 1:00 neither confirms ...",
     "10:00 sbp 165 | 10:59 sbp 165", "", "11:00", ["sbp_high warning pending 10:00"]),
    ("U-06", "... nor clears",
     "10:00 sbp 165 | 10:59 sbp 120", "", "11:00", ["sbp_high warning pending 10:00"]),
    ("U-06", "a repeat at exactly 1:00 confirms, at its own time",
     "10:00 sbp 165 | 11:00 sbp 165", "", "11:00",
     ["sbp_high warning active 10:00 confirmed 11:00"]),
    ("U-06", "a repeat inside at exactly 1:00 ends it unconfirmed",
     "10:00 sbp 165 | 11:00 sbp 159", "", "20:00",
     ["sbp_high warning unconfirmed 10:00 ended 11:00"]),
    ("U-06", "a repeat inside at exactly 5:00 still decides",
     "10:00 sbp 165 | 15:00 sbp 159", "", "20:00",
     ["sbp_high warning unconfirmed 10:00 ended 15:00"]),
    ("U-06", "a second later the clock has confirmed it, and 159 does not clear",
     "10:00 sbp 165 | 15:01 sbp 159", "", "20:00",
     ["sbp_high warning active 10:00 confirmed 15:00"]),
    ("U-06", "without a repeat the clock confirms at 5:00 exactly",
     "10:00 sbp 165", "", "15:00", ["sbp_high warning active 10:00 confirmed 15:00"]),
    ("U-06", "only the first reading of the window decides",
     "10:00 sbp 165 | 12:00 sbp 150 | 13:00 sbp 165", "", "13:30",
     ["sbp_high warning unconfirmed 10:00 ended 12:00", "sbp_high warning pending 13:00"]),
    ("U-06", "the repeat has to be of the same sign",
     "10:00 sbp 165 | 12:00 dbp 80", "", "14:00", ["sbp_high warning pending 10:00"]),
    ("U-07", "SpO2 waits only 2:00",
     "10:00 spo2 93", "", "12:00", ["spo2_low warning active 10:00 confirmed 12:00"]),
    ("U-07", "just before that it waits still",
     "10:00 spo2 93", "", "11:59", ["spo2_low warning pending 10:00"]),
    ("U-07", "a repeat at exactly 2:00 decides",
     "10:00 spo2 93 | 12:00 spo2 94", "", "20:00",
     ["spo2_low warning unconfirmed 10:00 ended 12:00"]),
    ("U-07", "scale 2 and the drop use the same window",
     "10:00 spo2 94", "spo2 98", "12:00", ["spo2_drop warning active 10:00 confirmed 12:00"]),
    ("U-08", "entered when the time had passed: confirmed at its clinical time",
     "10:00 sbp 165 saved 30:00", "", "30:00",
     ["sbp_high warning active 10:00 confirmed 15:00"]),
    ("U-08", "and unknown before it was entered",
     "10:00 sbp 165 saved 30:00", "", "29:59", []),
    ("U-09", "discharged while waiting: confirmed at discharge",
     "10:00 sbp 165 | 12:00 event discharged", "", "60:00",
     ["sbp_high warning active 10:00 confirmed 12:00"]),
    ("U-09", "discharged after the window: confirmed by the clock as always",
     "10:00 sbp 165 | 16:00 event discharged", "", "60:00",
     ["sbp_high warning active 10:00 confirmed 15:00"]),
    ("U-09", "a record that was closed inside the window: at its last observation",
     "10:00 sbp 165 | 11:30 hr 70 | 12:00 event completed", "", "60:00",
     ["sbp_high warning active 10:00 confirmed 11:30"]),
    # Two levels
    ("U-10", "165 then 185: warning confirmed, critical waits from the second reading",
     "10:00 sbp 165 | 12:00 sbp 185", "", "12:00",
     ["sbp_high critical pending 10:00 confirmed 12:00"]),
    ("U-10", "... until its own 5:00",
     "10:00 sbp 165 | 12:00 sbp 185", "", "17:00",
     ["sbp_high critical active 10:00 confirmed 17:00"]),
    ("U-10", "185 then 165: warning confirmed, critical unconfirmed",
     "10:00 sbp 185 | 12:00 sbp 165", "", "20:00",
     ["sbp_high warning active 10:00 confirmed 12:00"]),
    ("U-10", "185 then 205: critical at once",
     "10:00 sbp 185 | 10:30 sbp 205", "", "10:30",
     ["sbp_high critical active 10:00 confirmed 10:30"]),
    ("U-12", "SBP 200 once is enough", "10:00 sbp 200", "", "10:00",
     ["sbp_high critical active 10:00 confirmed 10:00"]),
    ("U-12", "SBP 199 is not", "10:00 sbp 199", "", "10:00", ["sbp_high critical pending 10:00"]),
    ("U-12", "DBP 120 once is enough", "10:00 dbp 120", "", "10:00",
     ["dbp_high critical active 10:00 confirmed 10:00"]),
    ("U-12", "DBP 119 is not", "10:00 dbp 119", "", "10:00", ["dbp_high critical pending 10:00"]),
    ("U-12", "a low pressure warning waits, a critical one does not",
     "10:00 sbp 95 | 10:30 sbp 89", "", "10:30",
     ["sbp_low critical active 10:00 confirmed 10:30"]),
    ("U-12", "RR 9 waits", "10:00 rr 9", "", "10:00", ["rr_low warning pending 10:00"]),
    ("U-12", "RR 8 does not", "10:00 rr 8", "", "10:00",
     ["rr_low critical active 10:00 confirmed 10:00"]),
    ("U-12", "HR 131 waits", "10:00 hr 131", "", "10:00", ["hr_high critical pending 10:00"]),
    ("U-14", "one value clears both levels of RR low",
     "10:00 rr 8 | 20:00 rr 11", "", "30:00",
     ["rr_low critical resolved 10:00 confirmed 10:00 ended 20:00"]),
    ("U-15", "below the critical clear value the same alert steps down",
     "10:00 sbp 185 | 12:00 sbp 185 | 20:00 sbp 174", "", "30:00",
     ["sbp_high warning active 10:00 confirmed 12:00"]),
    ("U-15", "between limit and clear value the level stays",
     "10:00 sbp 185 | 12:00 sbp 185 | 20:00 sbp 176", "", "30:00",
     ["sbp_high critical active 10:00 confirmed 12:00"]),
    ("U-15", "157 leaves the warning as it is",
     "10:00 sbp 165 | 12:00 sbp 165 | 20:00 sbp 157", "", "30:00",
     ["sbp_high warning active 10:00 confirmed 12:00"]),
    ("U-15", "a critical of one reading steps down to a warning that is active, not pending",
     "10:00 sbp 89 | 12:00 sbp 102", "", "13:00",
     ["sbp_low warning active 10:00 confirmed 10:00"]),
    ("U-16", "no hysteresis while it waits: 157 ends it",
     "10:00 sbp 165 | 12:00 sbp 157", "", "30:00",
     ["sbp_high warning unconfirmed 10:00 ended 12:00"]),
    ("U-16", "a later breach waits anew",
     "10:00 sbp 165 | 12:00 sbp 157 | 20:00 sbp 160", "", "21:00",
     ["sbp_high warning unconfirmed 10:00 ended 12:00", "sbp_high warning pending 20:00"]),
    # Baseline and variants
    ("U-17", "with a baseline of 55 or less 46 is inside",
     "10:00 hr 46", "hr 55", "20:00", []),
    ("U-17", "and 45 fires, cleared at 48 already",
     "10:00 hr 45 | 20:00 hr 47 | 30:00 hr 48", "hr 55", "40:00",
     ["hr_low_slow_baseline warning resolved 10:00 confirmed 15:00 ended 30:00"]),
    ("U-17", "its critical clears at 45",
     "10:00 hr 40 | 12:00 hr 44 | 20:00 hr 45", "hr 50", "40:00",
     ["hr_low_slow_baseline warning active 10:00 confirmed 10:00"]),
    ("U-17", "with a baseline above 55 the usual limit holds",
     "10:00 hr 50", "hr 56", "20:00", ["hr_low warning active 10:00 confirmed 15:00"]),
    ("U-17", "and without one",
     "10:00 hr 50", "", "20:00", ["hr_low warning active 10:00 confirmed 15:00"]),
    ("U-18", "HR rise needs +30 % and 100",
     "10:00 hr 99", "hr 60", "20:00", []),
    ("U-18", "both: 60 to 100",
     "10:00 hr 100", "hr 60", "20:00", ["hr_rise warning active 10:00 confirmed 15:00"]),
    ("U-18", "29 % is inside", "10:00 hr 103", "hr 80", "20:00", []),
    ("U-18", "30 % of 80 is 104", "10:00 hr 104", "hr 80", "20:00",
     ["hr_rise warning active 10:00 confirmed 15:00"]),
    ("U-18", "it clears below 95 although still +25 %",
     "10:00 hr 102 | 20:00 hr 94", "hr 60", "30:00",
     ["hr_rise warning resolved 10:00 confirmed 15:00 ended 20:00"]),
    ("U-18", "95 does not clear at +58 %",
     "10:00 hr 102 | 20:00 hr 95", "hr 60", "30:00",
     ["hr_rise warning active 10:00 confirmed 15:00"]),
    ("U-18", "or below +25 % although above 95",
     "10:00 hr 104 | 20:00 hr 99", "hr 80", "30:00",
     ["hr_rise warning resolved 10:00 confirmed 15:00 ended 20:00"]),
    ("U-19", "SBP rise fires on +30 % alone: 100 to 130",
     "10:00 sbp 130", "sbp 100", "20:00", ["sbp_rise warning active 10:00 confirmed 15:00"]),
    ("U-19", "and on +40 alone: 140 to 180 is 28.6 %",
     "10:00 sbp 180 | 11:00 sbp 159", "sbp 119", "11:00",
     ["sbp_high critical unconfirmed 10:00 ended 11:00",
      "sbp_rise warning active 10:00 confirmed 11:00"]),
    ("U-19", "it clears only when both are below: 125 is +25 %",
     "10:00 sbp 130 | 20:00 sbp 125", "sbp 100", "30:00",
     ["sbp_rise warning active 10:00 confirmed 15:00"]),
    ("U-19", "124 is below both", "10:00 sbp 130 | 20:00 sbp 124", "sbp 100", "30:00",
     ["sbp_rise warning resolved 10:00 confirmed 15:00 ended 20:00"]),
    ("U-20", "SpO2 95 with a baseline of 99 is a warning, literally",
     "10:00 spo2 95", "spo2 99", "12:00", ["spo2_drop warning active 10:00 confirmed 12:00"]),
    ("U-44", "no baseline: the relative rules are off",
     "10:00 sbp 155 | 12:00 spo2 95", "", "30:00", []),
    ("U-44", "a percentage of a baseline of 0 is none",
     "10:00 hr 105", "hr 0", "20:00",
     ["hr_zero critical resolved -10:00 confirmed -10:00 ended 10:00"]),
    ("U-44", "a reading exactly at the start is baseline",
     "10:00 sbp 130", "0:00 sbp 100", "20:00",
     ["sbp_rise warning active 10:00 confirmed 15:00"]),
    ("U-44", "one taken 60:01 before is not",
     "10:00 sbp 130", "-60:01 sbp 100", "20:00", []),
    ("U-44", "one taken exactly 60:00 before is",
     "10:00 sbp 130", "-60:00 sbp 100", "20:00",
     ["sbp_rise warning active 10:00 confirmed 15:00"]),
    # Findings
    ("U-02", "chest pain is critical at any pressure",
     "10:00 chest_pain yes sbp 130 dbp 80", "", "10:00",
     ["chest_pain critical active 10:00 confirmed 10:00"]),
    ("U-02", "and without one, also before the infusion",
     "", "-5:00 chest_pain yes", "0:00", ["chest_pain critical active -5:00 confirmed -5:00"]),
    ("U-02", "a new deficit and shortness of breath likewise",
     "10:00 neuro_deficit yes dyspnoea yes", "", "10:00",
     ["neuro_deficit critical active 10:00 confirmed 10:00",
      "dyspnoea critical active 10:00 confirmed 10:00"]),
    ("U-02", "headache and visual change together at SBP 140",
     "10:00 severe_headache yes visual_change yes sbp 140 dbp 80", "", "10:00",
     ["headache_and_vision critical active 10:00 confirmed 10:00"]),
    ("U-02", "not at 139/89",
     "10:00 severe_headache yes visual_change yes sbp 139 dbp 89", "", "10:00", []),
    ("U-02", "at DBP 90",
     "10:00 severe_headache yes visual_change yes sbp 139 dbp 90", "", "10:00",
     ["headache_and_vision critical active 10:00 confirmed 10:00"]),
    ("U-02", "the newest pressure counts when it is at most 15:00 old",
     "10:00 sbp 120 dbp 80 | 25:00 severe_headache yes visual_change yes", "", "25:00", []),
    ("U-02", "a second older and there is none: critical",
     "10:00 sbp 120 dbp 80 | 25:01 severe_headache yes visual_change yes", "", "25:01",
     ["headache_and_vision critical active 25:01 confirmed 25:01"]),
    ("U-02", "either of them alone is none",
     "10:00 severe_headache yes visual_change no sbp 150", "", "10:00", []),
    ("U-02", "it ends when it is answered with no",
     "10:00 chest_pain yes | 20:00 chest_pain no", "", "30:00",
     ["chest_pain critical resolved 10:00 confirmed 10:00 ended 20:00"]),
    ("U-02", "and not when nobody asked again",
     "10:00 chest_pain yes | 20:00 sbp 120 dyspnoea no", "", "30:00",
     ["chest_pain critical active 10:00 confirmed 10:00"]),
    ("U-03", "a seizure of any grade", "10:00 effect seizure 1", "", "10:00",
     ["side_effect critical active 10:00 confirmed 10:00"]),
    ("U-03", "anything of grade 3", "10:00 effect dizzy 3", "", "10:00",
     ["side_effect critical active 10:00 confirmed 10:00"]),
    ("U-03", "grade 2 of anything else is none", "10:00 effect dizzy 2", "", "10:00", []),
    ("U-03", "it fires when it gets worse",
     "10:00 effect dizzy 2 | 20:00 worsens dizzy 3", "", "20:00",
     ["side_effect critical active 20:00 confirmed 20:00"]),
    ("U-03", "a lower grade does not end it, its end does",
     "10:00 effect dizzy 3 | 20:00 worsens dizzy 1 | 30:00 ends dizzy", "", "40:00",
     ["side_effect critical resolved 10:00 confirmed 10:00 ended 30:00"]),
    ("U-03", "two side effects are two flags",
     "10:00 effect seizure 1 | 10:00 effect apnoea 4", "", "10:00",
     ["side_effect critical active 10:00 confirmed 10:00"] * 2),
    ("U-03", "also before the infusion", "", "-5:00 effect anaphylaxis 2", "0:00",
     ["side_effect critical active -5:00 confirmed -5:00"]),
    ("U-05", "HR 0 is critical, also before the infusion",
     "", "-5:00 hr 0", "0:00", ["hr_zero critical active -5:00 confirmed -5:00"]),
    ("U-05", "RR 0 likewise", "", "-5:00 rr 0", "0:00",
     ["rr_zero critical active -5:00 confirmed -5:00"]),
    ("U-05", "an unrecordable pressure likewise, until one is had",
     "5:00 sbp 110", "-5:00 sbp unrecordable dbp unrecordable", "10:00",
     ["bp_unrecordable critical resolved -5:00 confirmed -5:00 ended 5:00"]),
    ("U-05", "a palpated systolic pressure is a pressure",
     "10:00 sbp 110 dbp unrecordable", "", "10:00", []),
    ("U-05", "no SpO2 trace: a warning that waits ...",
     "10:00 spo2 no_trace", "", "11:59", ["spo2_no_trace warning pending 10:00"]),
    ("U-05", "... and is critical after 2:00",
     "10:00 spo2 no_trace", "", "12:00",
     ["spo2_no_trace critical active 10:00 confirmed 12:00"]),
    ("U-05", "a number within the time ends it",
     "10:00 spo2 no_trace | 10:20 spo2 97", "", "20:00",
     ["spo2_no_trace warning unconfirmed 10:00 ended 10:20"]),
    ("U-05", "a second one without trace does not make it critical earlier",
     "10:00 spo2 no_trace | 11:30 spo2 no_trace", "", "11:59",
     ["spo2_no_trace warning pending 10:00"]),
    ("U-05", "at once with sedation grade 2 in the same set",
     "10:00 spo2 no_trace sedation 2", "", "10:00",
     ["spo2_no_trace critical active 10:00 confirmed 10:00",
      "sedation warning active 10:00 confirmed 10:00"]),
    ("U-05", "not with grade 1", "10:00 spo2 no_trace sedation 1", "", "10:00",
     ["spo2_no_trace warning pending 10:00"]),
    ("U-05", "at once with RR 9",
     "10:00 spo2 no_trace rr 9", "", "10:00",
     ["spo2_no_trace critical active 10:00 confirmed 10:00", "rr_low warning pending 10:00"]),
    ("U-05", "not with RR 10", "10:00 spo2 no_trace rr 10", "", "10:00",
     ["spo2_no_trace warning pending 10:00"]),
    ("U-05", "refused and equipment fault raise nothing",
     "10:00 sbp refused dbp equipment_fault spo2 equipment_fault hr refused", "", "60:00", []),
    ("U-05", "and keep open what is open",
     "10:00 spo2 88 | 20:00 spo2 equipment_fault", "", "30:00",
     ["spo2_low critical active 10:00 confirmed 10:00"]),
    # Sedation, agitation, dissociation, nausea, pain, oxygen
    ("U-49", "grade 2 is a warning", "10:00 sedation 2", "", "10:00",
     ["sedation warning active 10:00 confirmed 10:00"]),
    ("U-49", "grade 3 is critical", "10:00 sedation 3", "", "10:00",
     ["sedation critical active 10:00 confirmed 10:00"]),
    ("U-49", "grade 1 is neither", "10:00 sedation 1", "", "10:00", []),
    ("U-51", "one better score does not end it",
     "10:00 sedation 2 | 20:00 sedation 1", "", "30:00",
     ["sedation warning active 10:00 confirmed 10:00"]),
    ("U-51", "two do, at the second",
     "10:00 sedation 2 | 20:00 sedation 1 | 21:00 sedation 1", "", "30:00",
     ["sedation warning resolved 10:00 confirmed 10:00 ended 21:00"]),
    ("U-51", "less than 1:00 apart they do not",
     "10:00 sedation 2 | 20:00 sedation 1 | 20:59 sedation 1", "", "30:00",
     ["sedation warning active 10:00 confirmed 10:00"]),
    ("U-51", "not assessed in between breaks the sequence",
     "10:00 sedation 2 | 20:00 sedation 1 | 22:00 sedation not_assessed | 24:00 sedation 1", "",
     "30:00", ["sedation warning active 10:00 confirmed 10:00"]),
    ("U-51", "each level by itself: twice 2 steps a critical down",
     "10:00 sedation 3 | 20:00 sedation 2 | 25:00 sedation 2", "", "30:00",
     ["sedation warning active 10:00 confirmed 10:00"]),
    ("U-51", "twice 1 ends both",
     "10:00 sedation 3 | 20:00 sedation 1 | 25:00 sedation 1", "", "30:00",
     ["sedation critical resolved 10:00 confirmed 10:00 ended 25:00"]),
    ("U-50", "asleep without being roused is not assessed",
     "10:00 sedation 2 | 20:00 sedation 0 asleep yes | 25:00 sedation 0 asleep yes", "", "30:00",
     ["sedation warning active 10:00 confirmed 10:00"]),
    ("U-50", "asleep and roused to voice counts as alert",
     "10:00 sedation 2 | 20:00 sedation 0 asleep yes roused_to_voice yes | 25:00 sedation 0", "",
     "30:00", ["sedation warning resolved 10:00 confirmed 10:00 ended 25:00"]),
    ("U-52", "without RASS the side effect agitation of grade 2 is a warning",
     "10:00 effect agitation 2", "", "10:00",
     ["agitation_side_effect warning active 10:00 confirmed 10:00"]),
    ("U-52", "of grade 3 critical",
     "10:00 effect agitation 3", "", "10:00",
     ["side_effect critical active 10:00 confirmed 10:00",
      "agitation_side_effect warning active 10:00 confirmed 10:00"]),
    ("U-53", "distress does not end by not being asked again",
     "10:00 dissociation 3 distress yes | 20:00 dissociation 3", "", "30:00",
     ["dissociation warning active 10:00 confirmed 10:00"]),
    ("U-53", "but when it is answered with no",
     "10:00 dissociation 3 distress yes | 20:00 dissociation 3 distress no", "", "30:00",
     ["dissociation warning resolved 10:00 confirmed 10:00 ended 20:00"]),
    ("U-53", "unresponsive to calling is critical without any score",
     "10:00 unresponsive yes", "", "10:00",
     ["dissociation critical active 10:00 confirmed 10:00"]),
    ("U-53", "so is unsafe behaviour",
     "10:00 dissociation 2 unsafe_behaviour yes", "", "10:00",
     ["dissociation critical active 10:00 confirmed 10:00"]),
    ("U-53", "distress before the infusion does not linger",
     "10:00 dissociation 7 | 20:00 dissociation 4", "-5:00 dissociation 0 distress yes", "30:00",
     ["dissociation warning resolved 10:00 confirmed 10:00 ended 20:00"]),
    ("U-54", "vomiting while awake is no flag of its own",
     "10:00 nausea 1 vomited yes sedation 1", "", "10:00", []),
    ("U-54", "vomiting at sedation grade 2 in the same set is critical",
     "10:00 nausea 1 vomited yes sedation 2", "", "10:00",
     ["sedation warning active 10:00 confirmed 10:00",
      "nausea critical active 10:00 confirmed 10:00"]),
    ("U-54", "a score of another set counts when it is at most 15:00 old",
     "10:00 sedation 0 | 25:00 event vomited", "", "25:00", []),
    ("U-54", "a second older there is none: critical",
     "10:00 sedation 0 | 25:01 event vomited", "", "25:01",
     ["nausea critical active 25:01 confirmed 25:01"]),
    ("U-54", "the side effect vomiting counts too",
     "10:00 effect vomiting 1", "", "10:00", ["nausea critical active 10:00 confirmed 10:00"]),
    ("U-55", "pain needs a value before the start",
     "10:00 pain 9", "", "10:00", []),
    ("U-55", "the last one before it counts, however old",
     "10:00 pain 6", "-90:00 pain 4", "10:00",
     ["pain_rise warning active 10:00 confirmed 10:00"]),
    ("U-56", "oxygen at the flow of before is no new need",
     "10:00 o2_flow 2", "o2_flow 2", "10:00", []),
    ("U-56", "more than before is", "10:00 o2_flow 3", "o2_flow 2", "10:00",
     ["oxygen_new warning active 10:00 confirmed 10:00"]),
    ("U-56", "above 4 it is critical only above the flow of before",
     "10:00 o2_flow 5", "o2_flow 5", "10:00", []),
    ("U-56", "4 steps critical down",
     "10:00 o2_flow 6 | 20:00 o2_flow 4", "", "30:00",
     ["oxygen_new warning active 10:00 confirmed 10:00"]),
    ("U-56", "no flow recorded before counts as none",
     "10:00 o2_flow 1", "", "10:00", ["oxygen_new warning active 10:00 confirmed 10:00"]),
    # Mean pressure
    ("U-58", "the mean is worked out from the two when the monitor gave none",
     "10:00 sbp 101 dbp 46", "", "20:00", ["map_low warning active 10:00 confirmed 15:00"]),
    ("U-58", "exactly 65 is inside: (101 + 2 x 47) / 3",
     "10:00 sbp 101 dbp 47", "", "20:00", []),
    ("U-58", "the monitor's own mean wins",
     "10:00 sbp 101 dbp 46 map 66", "", "20:00", []),
    # Late entries, phases
    ("U-43", "entered late, a newer reading inside is known: over, marked",
     "10:00 spo2 88 saved 50:00 | 20:00 spo2 94", "", "60:00",
     ["spo2_low critical resolved 10:00 confirmed 10:00 ended 20:00"]),
    ("U-43", "entered late but the newest reading: fires as always",
     "10:00 spo2 88 saved 50:00 | 5:00 spo2 97", "", "60:00",
     ["spo2_low critical active 10:00 confirmed 10:00"]),
    ("U-43", "an older reading inside overtakes nothing: hysteresis holds afterwards",
     "5:00 spo2 97 | 10:00 spo2 88 saved 50:00 | 55:00 spo2 94", "", "60:00",
     ["spo2_low warning active 10:00 confirmed 10:00"]),
    ("U-43", "entered in time, hysteresis holds: 94 does not end it",
     "10:00 spo2 88 | 20:00 spo2 94", "", "60:00",
     ["spo2_low warning active 10:00 confirmed 10:00"]),
    ("U-67", "before the first dose the limits are off",
     "", "-5:00 sbp 210 spo2 85 hr 150", "60:00", []),
    ("U-67", "at the first dose they are on",
     "0:00 spo2 85", "", "0:00", ["spo2_low critical active 0:00 confirmed 0:00"]),
    ("U-67", "after discharge nothing fires",
     "10:00 event discharged | 10:01 spo2 80", "", "60:00", []),
    ("U-67", "at discharge it still does",
     "10:00 event discharged | 10:00 spo2 80", "", "60:00",
     ["spo2_low critical active 10:00 confirmed 10:00"]),
    # Contradicting entries
    ("U-73", "two values of one moment: the worse counts, whichever was saved last",
     "10:00 spo2 88 | 20:00 spo2 97 | 20:00 spo2 88 saved 19:59", "", "30:00",
     ["spo2_low critical active 10:00 confirmed 10:00"]),
    ("ruling 20", "another entry within 60 s: the worse counts until a person chooses",
     "10:00 spo2 88 | 20:00 spo2 88 | 20:59 spo2 97", "", "30:00",
     ["spo2_low critical active 10:00 confirmed 10:00"]),
    ("ruling 20", "60 s apart they are two readings",
     "10:00 spo2 88 | 20:00 spo2 88 | 21:00 spo2 97", "", "30:00",
     ["spo2_low critical resolved 10:00 confirmed 10:00 ended 21:00"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ruling", "why", "readings", "before", "as_of", "expected"),
    ROWS,
    ids=[f"{row[0]} {row[1]}" for row in ROWS],
)
def test_the_rulings(
    ruling: str, why: str, readings: str, before: str, as_of: str, expected: Sequence[str]
) -> None:
    assert flags(readings, before, as_of) == list(expected)


# -- rows that need another session ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        ("spo2 88", []),
        ("spo2 87", ["spo2_low_scale_2 warning active 10:00 confirmed 12:00"]),
        ("spo2 84", ["spo2_low_scale_2 warning active 10:00 confirmed 12:00"]),
        ("spo2 83", ["spo2_low_scale_2 critical active 10:00 confirmed 10:00"]),
        ("spo2 97", []),
        ("spo2 97 o2_flow 0", []),
        ("spo2 96 o2_flow 1", ["oxygen_new warning active 10:00 confirmed 10:00"]),
        ("spo2 97 o2_flow 1", ["spo2_above_target warning active 10:00 confirmed 10:00",
                               "oxygen_new warning active 10:00 confirmed 10:00"]),
    ],
)  # fmt: skip
def test_a_target_of_88_to_92_has_its_own_limits(reading: str, expected: list[str]) -> None:
    """U-46: scale 2, and too much oxygen is seen."""
    assert flags(f"10:00 {reading}", at="12:00", spo2_scale=2) == expected


@pytest.mark.parametrize(
    ("later", "state"),
    [("spo2 95", "active"), ("spo2 94", "resolved"), ("spo2 98 o2_flow 0", "resolved")],
)
def test_above_target_ends_at_94_or_off_oxygen(later: str, state: str) -> None:
    """U-46."""
    found = flags(f"10:00 spo2 97 o2_flow 2 | 20:00 {later}", "o2_flow 2", spo2_scale=2)
    assert [text.split()[2] for text in found if text.startswith("spo2_above_target")] == [state]


@pytest.mark.parametrize(
    ("later", "state"),
    [("spo2 88", "active"), ("spo2 89", "resolved")],
)
def test_scale_2_warning_clears_at_89(later: str, state: str) -> None:
    """U-46."""
    (found,) = flags(f"10:00 spo2 87 | 20:00 {later}", spo2_scale=2)
    assert found.split()[2] == state


@pytest.mark.parametrize(
    ("scale", "warning", "critical", "none"),
    [
        ("POSS", 3, 4, 2),
        ("RASS", -3, -4, -2),
        ("MOAAS", 3, 2, 4),
        ("RAMSAY", 4, 5, 3),
        ("ACVPU", 2, 3, 0),
        ("ANZ03", 2, 3, 1),
        ("UK03", 2, 3, 1),
    ],
)
def test_every_sedation_scale_is_a_warning_at_grade_2_and_critical_at_grade_3(
    scale: str, warning: int, critical: int, none: int
) -> None:
    """U-49."""
    for code, expected in ((warning, "warning"), (critical, "critical"), (none, None)):
        found = levels(f"10:00 sedation {code}", at="10:00", sedation_scale=scale)
        assert found.get("sedation") == expected


def test_new_confusion_is_a_warning() -> None:
    """3.3: ACVPU C."""
    assert levels("10:00 sedation 1", at="10:00", sedation_scale="ACVPU") == {"sedation": "warning"}


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ("10:00 sedation 2", "warning"),
        ("10:00 sedation 3", "critical"),
        ("10:00 sedation 1", None),
        ("10:00 sedation 3 | 20:00 sedation 1", None),
        ("10:00 effect agitation 2", None),
    ],
)
def test_agitation_is_read_from_rass(readings: str, expected: str | None) -> None:
    """U-52: RASS +2 warning, +3 critical, cleared at +1; then the side effect is not used."""
    found = levels(readings, sedation_scale="RASS")
    assert found == ({"agitation_rass": expected} if expected else {})


def test_agitation_is_read_from_ramsay_1() -> None:
    """U-52."""
    assert levels("10:00 sedation 1", sedation_scale="RAMSAY") == {"agitation_ramsay": "warning"}
    assert levels("10:00 sedation 2", sedation_scale="RAMSAY") == {}


# -- switches the lead anaesthetist may sign ---------------------------------------------------------


@pytest.mark.parametrize(
    ("reading", "fires"),
    [
        ("sbp 139 dbp 89", False),
        ("sbp 140 dbp 80", True),
        ("sbp 135 dbp 90", True),
    ],
)
def test_the_rise_may_be_made_to_count_only_with_a_raised_pressure(
    reading: str, fires: bool
) -> None:
    """U-19, the recommendation: SBP >= 140 or DBP >= 90 in the same reading."""
    limits = changed_set("sbp_rise", "warning", counts_when="sbp >= 140 or dbp >= 90")
    found = flags(f"10:00 {reading}", "sbp 100 dbp 75", limits=limits)
    assert bool([text for text in found if text.startswith("sbp_rise")]) is fires


@pytest.mark.parametrize(("reading", "fires"), [("spo2 95", False), ("spo2 94", True)])
def test_the_drop_warning_may_be_made_to_count_only_from_94_down(reading: str, fires: bool) -> None:
    """U-20, the recommendation."""
    limits = changed_set("spo2_drop", "warning", counts_when="value <= 94")
    assert bool(flags(f"10:00 {reading}", "spo2 99", limits=limits)) is fires


def test_a_repeat_too_early_refutes_nothing_even_where_entries_cannot_contradict() -> None:
    """U-06 by itself: contradiction within 60 s is another rule and is switched off here."""
    content = packaged()
    content["readings"]["conflict_within_s"] = 0
    found = flags("10:00 sbp 165 | 10:59 sbp 120", at="11:00", limits=parse_threshold_set(content))
    assert found == ["sbp_high warning pending 10:00"]


# -- baseline ----------------------------------------------------------------------------------------


def test_the_baseline_of_two_readings_is_their_exact_median() -> None:
    """U-44: x.5 is allowed."""
    found = baseline(infusion("", "-20:00 hr 71 | -10:00 hr 74 sbp 120 dbp 70"))
    assert (found["hr"], found["sbp"]) == (Decimal("72.5"), Decimal(120))
    assert found["map"] == (Decimal(120) + 140) / 3


def test_a_reading_of_before_the_start_that_is_saved_later_does_not_move_the_baseline() -> None:
    """U-44: fixed at the first dose."""
    found = baseline(infusion("", "-20:00 hr 70 | -10:00 hr 90 saved 30:00"))
    assert found["hr"] == 70


def test_where_there_was_none_it_makes_one() -> None:
    """A record written up afterwards has a baseline too."""
    assert baseline(infusion("", "-10:00 hr 90 saved 30:00"))["hr"] == 90


def test_an_amended_reading_of_before_the_start_moves_the_baseline() -> None:
    """U-44: recomputed when a source value is amended."""
    wrong, right = observation("hr", 70, -10), observation("hr", 80, -10, recorded=20)
    shown = session(wrong, right, rate("0.1", 0), amendment(wrong, 20, right))
    assert baseline(shown)["hr"] == 80


def test_without_a_dose_there_is_no_baseline() -> None:
    assert baseline(session(obs_set(-10))) == {}


# -- corrections, exactness, words -------------------------------------------------------------------


def test_an_amended_reading_no_longer_breaches() -> None:
    """U-66: amending a source value re-derives the breaches."""
    wrong, right = observation("spo2", 79, 10), observation("spo2", 97, 10, recorded=12)
    shown = session(rate("0.1", 0), wrong, right, amendment(wrong, 12, right))
    assert find_breaches(shown, default_set(), at(30)) == ()
    before = find_breaches(shown, default_set(), at(11))
    assert [flag(item) for item in before] == ["spo2_low critical active 10:00 confirmed 10:00"]


def test_a_temperature_typed_in_fahrenheit_is_compared_unrounded() -> None:
    """U-57: 100.4 degF is 38.0 exactly and fires nothing, 100.5 does."""
    for typed, fires in (("100.4", False), ("100.5", True)):
        value = PARAMETERS["temp"].to_canonical(Decimal(typed), "[degF]")
        shown = session(rate("0.1", 0), observation("temp", value, 10))
        assert bool(find_breaches(shown, default_set(), at(10))) is fires


def test_thirty_percent_is_exact() -> None:
    """30 % above 117 is 152.1, and 152.0 is inside."""
    for value, fires in (("152.0", False), ("152.1", True)):
        found = flags(f"10:00 sbp {value}", "sbp 117")
        assert bool(found) is fires


@pytest.mark.parametrize(
    ("readings", "before", "text"),
    [
        ("10:00 sbp 172", "", "SBP 172 >= 160"),
        ("10:00 sbp 165 | 12:00 sbp 185", "", "SBP 185 >= 180"),
        ("10:00 sbp 100 dbp 47", "", "MAP 64.7 < 65"),
        ("10:00 spo2 94", "spo2 98", "SpO2 94, 4 below baseline 98 (limit 4)"),
        ("10:00 sbp 130", "sbp 100", "SBP 130, 30 % above baseline 100 (limit 30 %)"),
        ("10:00 hr 104", "hr 80", "HR 104, 30 % above baseline 80 (limit 30 %), HR 104 >= 100"),
        ("10:00 sedation 2", "", "UK ward sedation 0-3 2: grade 2 >= 2"),
        ("10:00 chest_pain yes", "", "Chest pain"),
        ("10:00 unsafe_behaviour yes", "", "Unsafe behaviour"),
        ("10:00 vomited yes", "", "Vomited, sedation not scored"),
        ("10:00 effect seizure 2", "", "Seizure, grade 2"),
        ("10:00 sbp unrecordable", "", "blood pressure unrecordable"),
        ("10:00 spo2 no_trace", "", "no SpO2 trace"),
        ("10:00 temp 38.1", "", "Temp 38.1 > 38"),
    ],
)
def test_a_flag_says_the_value_and_the_limit(readings: str, before: str, text: str) -> None:
    (found, *_) = find_breaches(infusion(readings, before), default_set(), moment("12:30"))
    assert found.threshold_text == text


def test_rounding_never_hides_a_breach() -> None:
    """U-58: 64.97 would read 65.0 < 65 with one decimal, so it gets two."""
    (found,) = find_breaches(infusion("10:00 map 64.97"), default_set(), moment("10:00"))
    assert found.threshold_text == "MAP 64.97 < 65"


def test_a_breach_carries_what_the_record_needs() -> None:
    """7.3: trigger, all readings outside, worst value, baseline, confirmation, source."""
    shown = infusion("10:00 sbp 165 | 12:00 sbp 172 | 20:00 sbp 157 | 30:00 sbp 150", "sbp 150")
    (found,) = find_breaches(shown, default_set(), moment("60:00"))
    outside = [item for item in shown.observations if item.value in (165, 172)]
    assert found.readings == tuple(outside)
    assert found.trigger == outside[0]
    assert found.peak_value == 172
    assert clock(found.peak_at) == "12:00"
    assert found.baseline_value == 150
    assert found.confirmed_level == "warning"
    assert not found.confirmed_by_clock
    assert "Rodrigues 2020" in found.source


def test_the_worst_of_equal_readings_is_the_first() -> None:
    """U-72."""
    (found,) = find_breaches(
        infusion("10:00 sbp 170 | 12:00 sbp 170"), default_set(), moment("60:00")
    )
    assert clock(found.peak_at) == "10:00"


def test_the_worst_low_reading_is_the_lowest() -> None:
    (found,) = find_breaches(
        infusion("10:00 spo2 88 | 12:00 spo2 84 | 13:30 spo2 86"), default_set(), moment("60:00")
    )
    assert found.peak_value == 84


def test_a_pending_breach_says_until_when_it_can_be_rechecked() -> None:
    (found,) = find_breaches(infusion("10:00 sbp 165"), default_set(), moment("11:00"))
    assert (found.recheck_from, found.recheck_by) == (moment("11:00"), moment("15:00"))
    (found,) = find_breaches(infusion("10:00 sbp 165"), default_set(), moment("15:00"))
    assert found.recheck_by is None
    assert found.confirmed_by_clock


def test_an_overtaken_late_entry_is_marked_and_one_in_time_is_not() -> None:
    """U-43."""
    (late,) = find_breaches(
        infusion("10:00 spo2 88 saved 50:00 | 20:00 spo2 97"), default_set(), moment("60:00")
    )
    assert late.retrospective
    (soon,) = find_breaches(
        infusion("10:00 spo2 88 saved 19:00 | 12:00 spo2 97"), default_set(), moment("60:00")
    )
    assert not soon.retrospective


def test_a_late_reading_joins_the_breach_that_was_seen_in_time() -> None:
    """A late entry must not turn what rang at the bedside into something retrospective."""
    (found,) = find_breaches(
        infusion("10:00 spo2 88 saved 50:00 | 12:00 spo2 87 | 20:00 spo2 97"),
        default_set(),
        moment("60:00"),
    )
    assert clock(found.onset_at) == "10:00"
    assert not found.retrospective


def test_a_reopened_session_is_judged_again() -> None:
    shown = session(
        rate("0.1", 0),
        stop(5),
        event("discharged", 10),
        event("reopened", 12),
        observation("spo2", 80, 20),
    )
    assert [item.rule_id for item in find_breaches(shown, default_set(), at(30))] == ["spo2_low"]


def test_a_row_for_another_scale_does_not_apply() -> None:
    rule = default_set().rule("spo2_low_scale_2")
    assert not rule_applies(rule, session(), {})
    assert rule_applies(rule, session(spo2_scale=2), {})


def test_a_coded_reason_is_neither_a_reading_nor_a_repeat() -> None:
    shown = session(
        rate("0.1", 0),
        observation("sbp", 165, 10),
        observation("sbp", NotTaken.CUFF_OFF, 12),
        effect("none", 0, 13),
    )
    (found,) = find_breaches(shown, default_set(), at(13))
    assert found.state == "pending"


def test_the_set_may_be_any_set_and_is_not_read_again() -> None:
    """The limits come with the session, so an old session is judged by its own version."""
    changes = {"fires": "value >= 150", "clears": "value < 145"}
    stricter = changed_set("sbp_high", "warning", **changes)
    assert flags("10:00 sbp 152", limits=stricter) == [
        "sbp_high warning active 10:00 confirmed 15:00"
    ]
    assert flags("10:00 sbp 152") == []


# -- the dose really given ---------------------------------------------------------------------------


P02 = seeded("protocol", "P02").protocol()


def of_dose(shown: InfusionSession, until: float, protocol: InfusionProtocol = P02) -> list[Breach]:
    found = find_breaches(shown, default_set(), at(until), protocol=protocol)
    return [item for item in found if item.parameter == "dose"]


def test_u25_a_total_that_was_passed_is_a_breach_that_never_ends() -> None:
    """At 70 kg: 1 mg/kg (70 mg) after 60 min, 2 mg/kg (140 mg) after 120 min."""
    first, second, third = rate("1.0", 0), rate("1.0", 30), rate("1.0", 60)
    shown = session(first, second, third, rate("1.0", 90))
    (found,) = of_dose(shown, 200)
    assert found == Breach(
        rule_id="total_mg_per_kg.hard",
        group="dose_total",
        label="Dose limit passed",
        parameter="dose",
        level="critical",
        state="active",
        onset_at=at(60),
        confirmed_at=at(120),
        ended_at=None,
        recheck_by=None,
        trigger=third,
        trigger_value=None,
        readings=(first, second, third),
        peak_value=None,
        peak_at=at(120),
        baseline_value=None,
        threshold_text="Total dose above 2 mg/kg (140 mg), the hard limit of P02",
        onset_text="Total dose above 1 mg/kg (70 mg), the usual maximum of P02",
        text="Total dose above 2 mg/kg (140 mg), the hard limit of P02.",
        source=P02.source,
        confirmed_level="critical",
        steps=(Step(at(60), at(60), 1, 1), Step(at(120), at(120), 2, 2)),
        order=len(default_set().rules),
    )


def test_u25_the_duration_is_a_breach_of_its_own() -> None:
    """P02: 4 h is usual, 8 h the hard limit."""
    (found,) = of_dose(session(rate("0.1", 0)), 300)
    assert (found.rule_id, found.group, found.level) == (
        "duration_h.soft", "dose_duration", "warning",
    )  # fmt: skip
    assert found.threshold_text == "Infusion longer than 4 h, the usual maximum of P02"


def test_u25_a_bolus_that_passes_a_limit_is_what_passed_it() -> None:
    """The second of two is given at 10, and staff could know it when it was saved, at 25."""
    first, second = bolus(60, 0), bolus(50, 10, recorded=25)
    (found,) = of_dose(session(first, second), 30)
    assert (found.trigger, found.readings) == (second, (first, second))
    assert found.steps == (Step(at(10), at(25), 1, 1),)


def test_u25_a_second_limit_of_one_level_is_no_step() -> None:
    """At 70 kg 70 mg are usual, 100 mg and 140 mg hard: the first hard one is named."""
    both = replace(P02.limits, total_mg=SoftHard(None, Decimal(100)))
    shown = session(rate("1.0", 0))
    (found,) = of_dose(shown, 130, replace(P02, limits=both))
    assert [(step.shown, step.confirmed) for step in found.steps] == [(1, 1), (2, 2)]
    assert found.rule_id == "total_mg.hard"
