"""A protocol says everything that is wrong with it at once, and what it still lacks."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from monitor.errors import Problem
from monitor.protocol_check import (
    approval_problems,
    contradictions,
    missing,
    planned_total_mg_per_kg,
)
from monitor.protocol_fields import put_at
from monitor.protocols import VersionStatus, own_schedule, parse_protocol, seed_versions
from tests.build import seeded

LIMIT_SETS = ("ADULT-CLINIC-1",)
LIBRARY = [version for version in seed_versions() if version.kind == "protocol"]


def p02(**changes: Any) -> dict[str, Any]:
    """The content of P02 with some fields changed; ``__`` stands for a dot, None takes it out."""
    content = copy.deepcopy(seeded("protocol", "P02").content())
    for name, value in changes.items():
        path = name.replace("__", ".")
        if value is None:
            *outer, last = path.split(".")
            here = content
            for part in outer:
                here = here[part]
            del here[last]
        else:
            put_at(content, path, value)
    return content


def wrong(content: dict[str, Any]) -> dict[str, str]:
    """The sentences of every contradiction by their field."""
    found: dict[str, str] = {}
    for problem in contradictions(content, LIMIT_SETS):
        found[problem.field] = f"{found.get(problem.field, '')} {problem.message}".strip()
    return found


def steps(*rows: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"after_min": minute, "rate_mg_per_kg_h": rate} for minute, rate in rows]


@pytest.mark.parametrize("version", LIBRARY, ids=lambda version: version.code)
def test_nothing_in_the_library_contradicts_itself(version: Any) -> None:
    assert contradictions(version.content(), LIMIT_SETS) == ()


@pytest.mark.parametrize("version", LIBRARY, ids=lambda version: version.code)
def test_only_what_is_ready_to_use_may_be_approved_as_it_is(version: Any) -> None:
    ready = version.status is VersionStatus.APPROVED
    assert (missing(version.content()) == ()) is ready
    assert (approval_problems(version.content(), LIMIT_SETS) == ()) is ready


@pytest.mark.parametrize("version", LIBRARY, ids=lambda version: version.code)
def test_every_template_names_where_its_numbers_are_from(version: Any) -> None:
    content = version.content()
    if version.status is VersionStatus.APPROVED:
        assert content["source"]
        return
    for row in content["sources"]:
        assert set(row) == {"about", "says", "source", "confidence"}
        assert all(row.values())
    told = {row["about"] for row in content["sources"]}
    assert {"Start rate", "Bolus"} <= told


def test_a_template_says_what_it_lacks_in_one_sentence() -> None:
    template = seeded("protocol", "P05").content()
    assert approval_problems(template, LIMIT_SETS) == (
        Problem(
            "",
            "Missing before it can be approved: start rate, bolus foreseen, planned steps.",
        ),
    )


def test_what_conflicts_inside_the_sources_is_said_to_the_lead() -> None:
    """X-1 and X-2 of clinical.md 1.9 stand in the text of every protocol they touch."""
    notes = {version.code: " ".join(version.content().get("notes", ())) for version in LIBRARY}
    assert {code for code, text in notes.items() if "a bolus of 0.5 mg/kg" in text} == {
        "P12",
        "P14",
    }
    assert {code for code, text in notes.items() if "rates up to 2 mg/kg/h" in text} == {
        "P01",
        "P12",
        "P13",
        "P15",
    }


def test_u01_s_ketamine_carries_no_limit_of_racemic_and_lacks_its_own() -> None:
    content = seeded("protocol", "P06").content()
    # The one limit its own source states, and in the unit the source states it in.
    assert content["limits"] == {"rate_mg_per_h_per_70_kg": {"hard": "20"}}
    assert {"bolus limit", "step limit", "total limit"} <= set(missing(content))
    assert "rate limit" not in missing(content)


def test_u77_the_rates_of_p06_stand_per_70_kg_and_the_maximum_is_unconfirmed() -> None:
    content = seeded("protocol", "P06").content()
    told = {row["about"]: row["says"] for row in content["sources"]}
    assert told["Start rate"] == "5 mg/h per 70 kg, times weight / 70 kg"
    assert "maximum unconfirmed, 20 or 30" in told["Highest rate"]
    assert "start_rate_mg_per_kg_h" not in content
    assert (content["rate_unit"], content["start_rate_mg_per_h_per_70_kg"]) == (
        "mg/h per 70 kg",
        "5",
    )


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("name", "name"),
        ("start_rate_mg_per_kg_h", "start rate"),
        ("steps", "planned steps"),
        ("planned_duration_min", "planned duration"),
        ("limits__rate_mg_per_kg_h", "hard rate limit"),
        ("limits__bolus_mg_per_kg", "bolus limit"),
        ("limits__total_mg_per_kg", "total limit"),
        ("limits__duration_h", "duration limit"),
        ("limits__step_mg_per_kg_h", "step limit"),
        ("limits__step_interval_min_hard", "hard least time between increases"),
        ("limits__bolus_allowed", "bolus foreseen"),
        ("schedule", "observation schedule"),
        ("schedule_profile", "numbers of the observation schedule"),
        ("threshold_set", "alert limits"),
        ("sedation_scale", "sedation scale"),
        ("concentrations_mg_per_ml", "syringes"),
    ],
)
def test_what_is_taken_out_is_missing(path: str, words: str) -> None:
    content = p02(**{path: None})
    if path == "limits__rate_mg_per_kg_h":
        del content["limits"]["rate_mg_per_h"]
        words = "rate limit"
    assert missing(content) == (words,)


def test_a_soft_rate_limit_alone_refuses_nothing() -> None:
    content = p02(limits__rate_mg_per_kg_h={"soft": "0.5"}, limits__rate_mg_per_h=None)
    assert missing(content) == ("hard rate limit",)


def test_a_bolus_not_foreseen_is_an_answer_and_not_missing() -> None:
    assert missing(p02(limits__bolus_allowed=False)) == ()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"code": "p 2"}, "code", "2 to 16 capital letters"),
        ({"name": "two\nlines"}, "name", "one line"),
        ({"form": "X"}, "form", "There is no drug form “X”. There is: R, S."),
        ({"schedule": "HOURLY"}, "schedule", "There is no observation schedule “HOURLY”"),
        ({"sedation_scale": "UK04"}, "sedation_scale", "There is no sedation scale “UK04”"),
        ({"dissociation_scale": "UK03"}, "dissociation_scale", "There is no dissociation scale"),
        ({"recovery_score": "APGAR"}, "recovery_score", "There is no recovery score “APGAR”"),
        ({"threshold_set": "KIDS"}, "threshold_set", "no approved alert limits “KIDS”"),
        ({"start_rate_mg_per_kg_h": "0"}, "start_rate_mg_per_kg_h", "above 0"),
        (
            {"limits__rate_mg_per_kg_h__hard": "12.5"},
            "limits.rate_mg_per_kg_h.hard",
            (
                "12.5 mg/kg/h; nothing is given above 7 mg/kg/h. If it was meant in mcg/kg/min it is "
                "0.75 mg/kg/h"
            ),
        ),
        (
            {"limits__rate_mg_per_kg_h__soft": "1.1"},
            "limits.rate_mg_per_kg_h.soft",
            "The soft rate limit (1.1 mg/kg/h) is above the hard one (1 mg/kg/h).",
        ),
        (
            {"limits__step_interval_min_soft": 4},
            "limits.step_interval_min_soft",
            "(4 min) is shorter than the hard one (5 min)",
        ),
        (
            {"limits__step_range_mg_per_kg_h": ["0.2", "0.1"]},
            "limits.step_range_mg_per_kg_h.0",
            "Enter the smaller one first",
        ),
        ({"concentrations_mg_per_ml": ["1", "100"]}, "concentrations_mg_per_ml", "100 mg/mL"),
        ({"planned_duration_min": 60}, "planned_duration_min", "begins at 75 min"),
        ({"planned_duration_min": 50000}, "planned_duration_min", "entered in minutes"),
        (
            {"limits__rate_mg_per_kg_h__hard": "0.45", "limits__rate_mg_per_kg_h__soft": "0.45"},
            "steps.5",
            "planned step 6 (0.5 mg/kg/h) is above the protocol's own hard rate limit (0.45",
        ),
        (
            {"limits__rate_mg_per_kg_h__soft": "0.4"},
            "steps.5",
            "above the protocol's own soft rate limit (0.4 mg/kg/h)",
        ),
        (
            {"limits__total_mg_per_kg__soft": "0.9"},
            "limits.total_mg_per_kg.soft",
            (
                "The plan gives 0.913 mg/kg by its end, above the protocol's own soft total limit "
                "(0.9 mg/kg)."
            ),
        ),
        (
            {"limits__duration_h__soft": "2"},
            "limits.duration_h.soft",
            "The planned duration (150 min) is above the protocol's own soft duration limit (2 h).",
        ),
        (
            {"limits__fixed_rate_mg_per_kg_h": "0.3"},
            "limits.fixed_rate_mg_per_kg_h",
            "has one step",
        ),
        (
            {"start_rate_mg_per_kg_h": "0.15"},
            "start_rate_mg_per_kg_h",
            "The start rate is 0.15 mg/kg/h, the first planned step 0.1 mg/kg/h.",
        ),
        ({"steps": steps((5, "0.1"))}, "steps.0", "begin at minute 0"),
        ({"steps": steps((0, "0.1"), (0, "0.2"))}, "steps.1", "does not come after step 1"),
        (
            {"steps": steps((0, "0.1"), (30, "0.2"), (15, "0.3"))},
            "steps.2",
            "Planned step 3 (15 min) does not come after step 2 (30 min)",
        ),
        ({"steps": steps((0, "0.1"), (9, "0"))}, "steps.1", "has to be above 0"),
        (
            {"steps": steps((0, "0.1"), (30, "0.35"))},
            "steps.1",
            (
                "Planned step 2 raises the rate by 0.25 mg/kg/h, above the protocol's own soft "
                "step limit (0.1 mg/kg/h)."
            ),
        ),
        (
            {"steps": steps((0, "0.1"), (30, "0.7"))},
            "steps.1",
            "0.6 mg/kg/h, above the protocol's own hard step limit (0.5 mg/kg/h)",
        ),
        (
            {"steps": steps((0, "0.02"), (30, "0.04"))},
            "steps.1",
            "raises the rate by more than 50 %",
        ),
        (
            {"steps": steps((0, "0.1"), (14, "0.2"))},
            "steps.1",
            "comes 14 min after the one before, sooner than the protocol's own soft least time",
        ),
        (
            {"steps": steps((0, "0.1"), (4, "0.2"))},
            "steps.1",
            "hard least time between increases (5 min)",
        ),
        ({"steps": steps((0, "0.1"), (9, "8"))}, "steps.1", "nothing is given above 7"),
    ],
)
def test_a_contradiction_is_said_at_its_field(
    changes: dict[str, Any], field: str, words: str
) -> None:
    found = wrong(p02(**changes))
    assert words in found[field]
    assert words not in wrong(p02()).get(field, "")


def test_a_start_without_steps_is_held_to_the_limits_too() -> None:
    content = p02(start_rate_mg_per_kg_h="1.5", steps=None)
    assert "The start rate (1.5 mg/kg/h) is above" in wrong(content)["start_rate_mg_per_kg_h"]


def test_every_contradiction_is_said_at_once() -> None:
    content = p02(
        form="X", limits__rate_mg_per_kg_h__soft="1.1", threshold_set="KIDS", schedule="HOURLY"
    )
    assert set(wrong(content)) == {
        "form", "limits.rate_mg_per_kg_h.soft", "threshold_set", "schedule",
    }  # fmt: skip


def test_u23_a_step_of_the_usual_size_is_no_contradiction_whatever_its_share() -> None:
    doubled = steps((0, "0.1"), (30, "0.2"))
    assert wrong(p02(steps=doubled)) == {}
    found = wrong(p02(steps=doubled, limits__step_range_mg_per_kg_h=None))
    assert "more than 50 %" in found["steps.1"]
    lowered = steps((0, "0.1"), (1, "0.05"), (30, "0.1"))
    assert wrong(p02(steps=lowered)) == {}


def test_a_limit_met_exactly_is_no_contradiction() -> None:
    """Limits fire strictly above their value."""
    content = p02(
        limits__total_mg_per_kg__soft="0.9125",
        limits__duration_h__soft="2.5",
        limits__rate_mg_per_kg_h__soft="0.5",
    )
    assert wrong(content) == {}


def test_the_planned_total_is_exact() -> None:
    assert planned_total_mg_per_kg(p02()) == Decimal("0.9125")
    assert planned_total_mg_per_kg(seeded("protocol", "P17").content()) == Decimal("0.5")
    assert planned_total_mg_per_kg(p02(steps=None)) is None


def test_what_may_be_approved_can_be_run() -> None:
    content = seeded("protocol", "P18").content()
    content["limits"]["bolus_allowed"] = False
    content["setting"] = "outpatient"
    assert approval_problems(content, LIMIT_SETS) == ()
    protocol = parse_protocol(content)
    assert protocol.limits.fixed_rate_mg_per_kg_h == Decimal("0.3")
    assert protocol.schedule_profile.code == "DEP-40"


# -- a schedule of the clinic's own ---------------------------------------------------------------


def scheduled(*rows: tuple[int, int], **numbers: Any) -> dict[str, Any]:
    """P02 with a schedule of its own: (from minute, every so many)."""
    intervals = [{"from_min": minute, "every_min": every} for minute, every in rows]
    written = {"intervals": intervals, "min_recovery_min": 60} | numbers
    return p02(schedule="OWN", schedule_profile=own_schedule(written))


def test_a_schedule_of_its_own_may_hold_everything_on_the_grid() -> None:
    sound = scheduled(
        (0, 2), (10, 5), (60, 60),
        after_increase_min=[2, 60], recovery_every_min=2, pre_within_min=60,
        min_recovery_min=30, min_from_start_min=1440,
        fast_above_mg_per_kg_h="0.3", fast_every_min=60,
    )  # fmt: skip
    assert contradictions(sound, LIMIT_SETS) == ()
    assert approval_problems(sound, LIMIT_SETS) == ()
    assert parse_protocol(sound).schedule_profile.rules.grace_percent == 20


@pytest.mark.parametrize(
    ("content", "field", "words"),
    [
        (scheduled((5, 10)), "intervals.0", "has to begin at minute 0"),
        (scheduled((0, 10), (60, 15), (60, 30)), "intervals.2", "Put the rows in order"),
        (scheduled((0, 10), (60, 15), (30, 30)), "intervals.2", "does not come after row 2"),
        (scheduled((0, 1)), "intervals.0", "every 1 min; a set can be due every 2 to 60 min"),
        (scheduled((0, 15), (60, 61)), "intervals.1", "Schedule row 2: every 61 min"),
        (scheduled(*((n, 10) for n in range(9))), "schedule", "at most 8 rows; there are 9"),
        (
            scheduled((0, 15), after_increase_min=[15, 5]),
            "schedule_profile.after_increase_min",
            "in order, each once",
        ),
        (
            scheduled((0, 15), after_increase_min=[1, 5]),
            "schedule_profile.after_increase_min",
            "1 min; it can be 2 to 60 min",
        ),
        (
            scheduled((0, 15), recovery_every_min=90),
            "schedule_profile.recovery_every_min",
            "A set in recovery every: 90 min; it can be 2 to 60 min.",
        ),
        (
            scheduled((0, 15), min_recovery_min=20),
            "schedule_profile.min_recovery_min",
            "Least recovery: 20 min; it can be 30 to 1440 min.",
        ),
        (
            scheduled((0, 15), min_recovery_min=0),
            "schedule_profile.min_recovery_min",
            "has to be above 0",
        ),
        (
            scheduled((0, 15), fast_every_min=5),
            "schedule_profile.fast_above_mg_per_kg_h",
            "needs both the rate and the minutes",
        ),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused_at_its_row(
    content: dict[str, Any], field: str, words: str
) -> None:
    found = wrong(content)
    assert set(found) == {field}
    assert words in found[field]


def test_the_packaged_inpatient_schedule_is_not_held_to_the_grid() -> None:
    # Two-hourly sets after a day are the source's own (F06).
    assert contradictions(p02(schedule="INPT-RCHT"), LIMIT_SETS) == ()


def test_a_schedule_that_is_not_whole_is_no_contradiction_and_cannot_be_approved() -> None:
    content = p02(schedule="OWN", schedule_profile=own_schedule({}))
    assert contradictions(content, LIMIT_SETS) == ()
    assert missing(content) == ("rows of the observation schedule", "least recovery")
