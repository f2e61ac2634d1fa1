"""The summary row: every figure against a vector worked out by hand (clinical.md 11.1, U-62 ff)."""

from __future__ import annotations

import json
from datetime import UTC, date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts import acknowledge, alert_views, alerts_to_raise
from monitor.expected import findings
from monitor.folders import read_folder
from monitor.record import Answer, InfusionSession, NotTaken, Source
from monitor.summaries import age_band, summarise, weight_band
from monitor.summary_columns import COLUMNS
from monitor.thresholds import ThresholdSet, parse_threshold_set
from tests import build
from tests.build import at

SAMPLES = Path(__file__).resolve().parents[2] / "sample_sessions"


@cache
def limits() -> ThresholdSet:
    return parse_threshold_set(json.loads(build.seeded("threshold_set", "ADULT-CLINIC-1").text))


def row_of(session: InfusionSession, minute: float = 600, **changes: Any) -> dict[str, Any]:
    """The row of a session that raised no alert that anybody stored."""
    protocol = build.seeded("protocol", changes.pop("protocol", "P02")).protocol()
    return summarise(session, protocol, limits(), (), (), at(minute), **changes)


@cache
def sample(name: str) -> dict[str, Any]:
    folder = read_folder(SAMPLES / name)
    found = findings(folder)
    return summarise(
        folder.session,
        folder.protocol,
        folder.threshold_set,
        found.alerts,
        found.alert_events,
        found.as_of,
        breaches=found.breaches,
        views=found.views,
    )


def closed(*facts: Any, end: float = 60, home: float = 120, **changes: Any) -> InfusionSession:
    """A session with one rate from 0 to ``end`` and a discharge."""
    return build.session(
        build.rate("0.1", 0),
        build.stop(end),
        build.event("discharged", home),
        build.event("completed", home),
        *facts,
        **changes,
    )


# -- the row as a whole ------------------------------------------------------------------------------


def test_the_row_has_exactly_the_columns_of_the_registry() -> None:
    assert list(row_of(closed())) == [column.name for column in COLUMNS]


def test_every_value_has_the_kind_its_column_names() -> None:
    kinds = {
        "text": str,
        "int": int,
        "decimal": Decimal,
        "bool": bool,
        "instant": type(build.T0),
        "date": date,
        "uuid": type(build.an_id()),
    }
    for name in sorted(path.name for path in SAMPLES.iterdir()):
        row = sample(name)
        for column in COLUMNS:
            value = row[column.name]
            if value is None:
                assert not column.required, f"{name}: {column.name}"
            else:
                assert type(value) is kinds[column.kind], f"{name}: {column.name}"


def test_a_session_without_a_dose_has_no_figures_and_no_zeros() -> None:
    row = row_of(build.session(build.hr(70, start=-10)))
    empty = (
        "dose_total_mg",
        "peak_hr",
        "n_obs_due",
        "tib_unknown_min",
        "pain_pre",
        "alerts_warn_n",
    )
    assert {name: row[name] for name in empty} == dict.fromkeys(empty)
    assert row["started_at"] is None
    assert row["listed_at"] == at(-45)


def test_the_summary_knows_only_what_was_saved_by_then() -> None:
    session = closed(build.sbp(150, 190, start=10, every=10, recorded=90))
    assert row_of(session, minute=30)["peak_sbp"] is None
    assert row_of(session, minute=90)["peak_sbp"] == 190


@pytest.mark.parametrize(("minute", "status"), [(30, "infusing"), (90, "recovery")])
def test_a_running_session_says_where_it_stands(minute: float, status: str) -> None:
    row = row_of(closed(), minute=minute)
    assert row["in_progress"] is True
    assert row["status"] == status


# -- doses: the vector of clinical.md 2.3 ------------------------------------------------------------


def test_the_dose_vector() -> None:
    session = build.session(
        build.bolus(8, 0),
        build.rate("0.1", 0, weight_kg=80),
        build.rate("0.2", 30, weight_kg=80),
        build.hold(75),
        build.resume("0.15", 85, weight_kg=80),
        build.stop(120),
        weight_kg=80,
    )
    row = row_of(session)
    assert {
        name: str(row[name])
        for name in (
            "bolus_total_mg",
            "infusion_total_mg",
            "dose_total_mg",
            "dose_total_mg_per_kg",
            "wall_duration_min",
            "running_duration_min",
            "paused_min",
            "start_rate_mg_kg_h",
            "max_rate_mg_kg_h",
            "mean_rate_mg_kg_h",
            "time_to_max_rate_min",
            "n_rate_changes",
            "n_up",
            "n_down",
            "n_pauses",
        )
    } == {
        "bolus_total_mg": "8.0",
        "infusion_total_mg": "23.0",
        "dose_total_mg": "31.0",
        "dose_total_mg_per_kg": "0.388",
        "wall_duration_min": "120.0",
        "running_duration_min": "110.0",
        "paused_min": "10.0",
        "start_rate_mg_kg_h": "0.100",
        "max_rate_mg_kg_h": "0.200",
        "mean_rate_mg_kg_h": "0.157",
        "time_to_max_rate_min": "30.0",
        "n_rate_changes": "2",
        "n_up": "1",
        "n_down": "1",
        "n_pauses": "1",
    }


def test_recovery_and_stay_need_a_discharge() -> None:
    arrived = build.event("arrived", -40)
    with_discharge = row_of(closed(arrived))
    assert (with_discharge["recovery_min"], with_discharge["total_stay_min"]) == (60, 160)
    without = row_of(build.session(arrived, build.rate("0.1", 0), build.stop(60)))
    assert (without["recovery_min"], without["total_stay_min"]) == (None, None)


def test_overridden_limits_are_counted() -> None:
    first = build.rate("0.1", 0, overrides=("rate.soft", "step.soft"))
    second = build.rate("0.2", 10, overrides=("step.soft",))
    assert row_of(build.session(first, second))["protocol_deviation_n"] == 3


# -- time in breach (U-70, U-71) ---------------------------------------------------------------------


def test_the_time_in_breach_vector() -> None:
    """150, 170, 150 at 0, 10, 20 min: crossings at 5 and 15 min, 10.0 min at or above 160."""
    row = row_of(closed(build.sbp(150, 170, 150, start=0, every=10), end=20, home=21))
    assert row["tib_sbp_ge160_min"] == Decimal("10.0")
    assert row["tib_sbp_ge180_min"] == 0


def test_the_time_weighted_mean_vector() -> None:
    """MAP 90 at 0, 110 at 10, 100 at 30 min: 103.3."""
    pressures = (
        build.observation("map", 90, 0),
        build.observation("map", 110, 10),
        build.observation("map", 100, 30),
    )
    assert row_of(closed(pressures, end=30, home=31))["tw_mean_map"] == Decimal("103.3")


def test_mean_pressure_is_derived_unrounded_from_each_pair() -> None:
    pairs = [build.obs_set(minute, sbp=120, dbp=80) for minute in (0, 15)]
    assert row_of(closed(*pairs, end=15, home=16))["tw_mean_map"] == Decimal("93.3")


def test_a_gap_of_exactly_twice_the_interval_is_bridged_and_a_longer_one_is_not() -> None:
    bridged = row_of(closed(build.sbp(170, 170, start=0, every=30), end=30, home=31))
    assert bridged["tib_sbp_ge160_min"] == 30
    broken = row_of(closed(build.sbp(170, 170, start=0, every=31), end=31, home=32))
    assert broken["tib_sbp_ge160_min"] == 0


def test_the_last_reading_before_the_start_is_a_left_end_and_the_last_one_carries_nothing() -> None:
    row = row_of(closed(build.sbp(170, 170, start=-10, every=20), end=30, home=60))
    assert row["tib_sbp_ge160_min"] == 10


def test_time_no_reading_covers_is_counted_as_unknown() -> None:
    sets = [build.obs_set(minute, hr=70, sbp=120, spo2=98) for minute in (0, 15, 30)]
    row = row_of(closed(*sets, end=30, home=45))
    assert row["tib_unknown_min"] == 15
    only_two = [build.obs_set(minute, hr=70, sbp=120, spo2=None) for minute in (0, 15, 30)]
    assert row_of(closed(*only_two, end=30, home=45))["tib_unknown_min"] == 45


def test_a_sign_that_was_never_read_has_no_time_in_breach_rather_than_zero() -> None:
    row = row_of(closed(build.sbp(120, 120, start=0, every=15)))
    assert row["tib_sbp_ge160_min"] == 0
    assert row["tib_spo2_lt94_min"] is None


def test_the_share_of_time_in_any_breach_is_a_union_over_known_time() -> None:
    """SBP >= 160 from 5 to 15, HR >= 111 from 10 to 20, of 30 known minutes: 15 min, 50 %."""
    lines = {"sbp": (150, 170, 150, 150), "hr": (90, 111, 111, 90), "spo2": (98, 98, 98, 98)}
    sets = [
        build.obs_set(minute, **{sign: values[index] for sign, values in lines.items()})
        for index, minute in enumerate((0, 10, 20, 30))
    ]
    row = row_of(closed(*sets, end=30, home=30))
    assert row["tib_unknown_min"] == 0
    assert row["pct_time_in_breach_any"] == 50


def test_relative_limits_count_in_the_share() -> None:
    """Baseline 100: a rise of 30 % is 130; a line from 100 to 160 over 10 min passes it at 5."""
    sets = [
        build.obs_set(minute, hr=70, spo2=98, sbp=value)
        for minute, value in ((-5, 100), (0, 100), (10, 160), (20, 160))
    ]
    row = row_of(closed(*sets, end=20, home=20))
    # From 130 at minute 5 on; 160 itself is also the absolute limit, which adds nothing.
    assert row["pct_time_in_breach_any"] == 75


# -- extremes, baseline, scores ---------------------------------------------------------------------


def test_the_first_of_equal_extremes_gives_the_time() -> None:
    row = row_of(closed(build.sbp(120, 150, 140, 150, start=0, every=10)))
    assert (row["peak_sbp"], row["peak_sbp_t_min"]) == (150, 10)


def test_readings_before_the_start_and_after_discharge_are_no_extremes() -> None:
    session = closed(build.sbp(190, start=-10), build.sbp(140, start=10), build.sbp(200, start=130))
    assert row_of(session)["peak_sbp"] == 140


def test_the_difference_is_against_the_median_before_the_start() -> None:
    session = closed(build.sbp(120, 131, start=-20, every=10), build.sbp(150, start=10))
    row = row_of(session)
    assert row["baseline_sbp"] == 126  # the median 125.5, rounded half-up at output only
    assert row["delta_sbp_max"] == 25  # 150 - 125.5 = 24.5, half-up


def test_an_amended_value_is_in_no_figure() -> None:
    slip = build.observation("sbp", 230, 10)
    right = build.observation("sbp", 130, 10)
    session = closed(slip, right, build.amendment(slip, 12, right))
    row = row_of(session)
    assert (row["peak_sbp"], row["amended_n"]) == (130, 1)


def test_sleep_is_a_grade_only_when_the_patient_was_roused() -> None:
    unroused = build.obs_set(10, sedation=0, asleep=1)
    assert row_of(closed(unroused))["max_sedation_grade"] is None
    roused = build.obs_set(10, sedation=0, asleep=1, roused_to_voice=1)
    assert row_of(closed(roused))["max_sedation_grade"] == 0


def test_the_deepest_score_counts_on_a_scale_that_counts_down() -> None:
    sets = [
        build.obs_set(10, sedation=5),
        build.obs_set(20, sedation=2),
        build.obs_set(30, sedation=4),
    ]
    row = row_of(closed(*sets, sedation_scale="MOAAS", protocol="P17"), protocol="P17")
    assert (row["max_sedation_grade"], row["max_sedation_native"]) == (3, 2)


def test_distress_is_no_only_when_somebody_asked_about_dissociation() -> None:
    assert row_of(closed())["distress_any"] is None
    assert row_of(closed(build.obs_set(10, dissociation=3)))["distress_any"] is False
    assert row_of(closed(build.obs_set(10, dissociation=3, distress=1)))["distress_any"] is True


@pytest.mark.parametrize(
    ("before", "after", "change", "percent", "responder_30", "responder_50"),
    [
        (10, 7, -3, "-30.0", True, False),
        (7, 5, -2, "-28.6", False, False),
        (6, 3, -3, "-50.0", True, True),
        (3, 1, -2, "-66.7", None, None),
        (0, 2, 2, None, None, None),
        (4, 4, 0, "0.0", False, False),
    ],
)
def test_pain_before_and_after(
    before: int,
    after: int,
    change: int,
    percent: str | None,
    responder_30: bool | None,
    responder_50: bool | None,
) -> None:
    session = closed(
        build.observation("pain", before, -10),
        build.observation("pain", 10, 20),
        build.observation("pain", after, 100),
    )
    row = row_of(session)
    assert (row["pain_pre"], row["pain_post"]) == (before, after)
    assert row["pain_change_abs"] == change
    assert row["pain_change_pct"] == (None if percent is None else Decimal(percent))
    assert (row["responder_30"], row["responder_50"]) == (responder_30, responder_50)


# -- side effects, drugs -----------------------------------------------------------------------------


def test_not_asked_none_and_some_are_three_things() -> None:
    not_asked = row_of(closed())
    assert (not_asked["ae_any"], not_asked["ae_none_explicit"]) == (None, None)
    none = row_of(closed(build.side_effect("none", 0, 100)))
    assert (none["ae_any"], none["ae_none_explicit"], none["ae_max_grade"]) == (False, True, None)
    some = row_of(closed(build.side_effect("none", 0, 10), build.side_effect("nausea", 1, 40)))
    assert (some["ae_any"], some["ae_none_explicit"]) == (True, False)


def test_a_side_effect_counts_at_its_worst_grade() -> None:
    nausea = build.side_effect("nausea", 1, 20)
    session = closed(
        nausea,
        build.side_effect_change(nausea, 25, grade=3),
        build.side_effect_change(nausea, 40, grade=1),
        build.side_effect("dizzy", 1, 30),
    )
    row = row_of(session)
    assert (row["ae_n_g1"], row["ae_n_g2"], row["ae_n_g3"], row["ae_max_grade"]) == (1, 0, 1, 3)
    assert row["ae_terms"] == "nausea;dizzy"


def test_drugs_are_classes_and_an_unknown_one_is_not_lost() -> None:
    session = closed(
        build.event("premedication", -10, text="Midazolam 1 mg IV"),
        build.event("drug", 20, text="ondansetron 4 mg IV"),
        build.event("drug", 30, text="something new"),
    )
    row = row_of(session)
    assert (row["premed_codes"], row["rescue_codes"]) == ("benzodiazepine", "antiemetic;other")


# -- how it ended ------------------------------------------------------------------------------------


def test_how_the_samples_ended() -> None:
    assert {
        name: sample(name)["status"]
        for name in (
            "uneventful_titration",
            "deep_sedation_and_stop",
            "nausea_with_vomiting_treated",
            "severe_dissociation_with_distress",
            "unrecordable_values",
            "chest_pain_at_normal_pressure",
            "desaturation_at_second_step",
        )
    } == {
        "uneventful_titration": "completed",
        "deep_sedation_and_stop": "stopped_early_ae",
        "nausea_with_vomiting_treated": "stopped_early_ae",
        "severe_dissociation_with_distress": "stopped_early_ae",
        "unrecordable_values": "stopped_early_ae",
        "chest_pain_at_normal_pressure": "stopped_early_ae",
        "desaturation_at_second_step": "completed",
    }


def test_a_wish_to_stop_is_no_adverse_event() -> None:
    session = build.session(
        build.rate("0.1", 0),
        build.stop(30, reason="has to catch a train"),
        build.event("discharged", 100),
    )
    assert row_of(session)["status"] == "stopped_early_other"


def test_a_fixed_dose_that_ended_too_soon_was_stopped_early() -> None:
    whole = build.session(
        build.rate("0.75", 0), build.stop(40), build.event("discharged", 130), protocol="P17"
    )
    short = build.session(
        build.rate("0.75", 0), build.stop(20), build.event("discharged", 130), protocol="P17"
    )
    assert row_of(whole, protocol="P17")["status"] == "completed"
    assert row_of(short, protocol="P17")["status"] == "stopped_early_other"


# -- alerts (U-62, U-63) ------------------------------------------------------------------------------


def answered(session: InfusionSession, at_minute: float | None, look: float) -> dict[str, Any]:
    """The row when alerts were raised as the record grew and one answer was given."""
    protocol = build.seeded("protocol", "P02").protocol()
    alerts, events = (), ()
    moments = sorted({fact.recorded_at for fact in session.facts()} | {at(look)})
    answer_at = None if at_minute is None else at(at_minute)
    for moment in moments:
        if answer_at is not None and moment > answer_at and alerts:
            views = alert_views(session, limits(), alerts, events, answer_at, protocol=protocol)
            events += (acknowledge(views[0], by="blum", action="slow", now=answer_at),)
            answer_at = None
        new, told = alerts_to_raise(session, limits(), alerts, events, moment, protocol=protocol)
        alerts, events = alerts + new, events + told
    return summarise(session, protocol, limits(), alerts, events, at(look))


def test_an_answered_warning_is_counted_once_with_its_time() -> None:
    session = closed(build.sbp(165, 166, 150, start=10, every=3))
    row = answered(session, at_minute=14, look=200)
    assert (row["alerts_warn_n"], row["alerts_crit_n"]) == (1, 0)
    assert row["alerts_ack_median_s"] == 240
    assert row["alerts_unack_n"] == 0


def test_an_unconfirmed_alert_is_not_counted() -> None:
    row = answered(closed(build.sbp(165, 150, start=10, every=3)), None, 200)
    assert (row["alerts_warn_n"], row["alerts_crit_n"], row["alerts_unack_n"]) == (0, 0, 0)
    assert row["alerts_ack_median_s"] is None


@pytest.mark.parametrize(("minute", "unanswered"), [(12, 0), (13, 1), (None, 1)])
def test_a_critical_wants_an_answer_within_two_minutes(
    minute: float | None, unanswered: int
) -> None:
    session = closed(build.spo2(88, 98, start=10, every=20))
    row = answered(session, minute, 200)
    assert row["alerts_crit_n"] == 1
    assert row["alerts_unack_n"] == unanswered


def test_an_imported_session_without_answers_says_nothing_about_answers() -> None:
    source = Source.IMPORTED
    session = build.session(
        build.weight(70, source=source),
        build.rate("0.1", 0, source=source),
        build.stop(60, source=source),
        build.event("discharged", 120, source=source),
        build.spo2(88, start=10, source=source),
        weight_kg=None,
    )
    row = answered(session, None, 200)
    assert row["alerts_crit_n"] == 1
    assert (row["alerts_ack_median_s"], row["alerts_unack_n"]) == (None, None)


# -- quality, identity -------------------------------------------------------------------------------


def test_late_entries_are_counted_and_corrections_are_not() -> None:
    late = build.observation("hr", 70, 10, recorded=21)
    exact = build.observation("hr", 70, 30, recorded=40)
    slip = build.observation("hr", 700 // 10, 50)
    right = build.observation("hr", 71, 50, recorded=90)
    row = row_of(closed(late, exact, slip, right, build.amendment(slip, 90, right)))
    assert row["late_entry_n"] == 1


def test_a_reason_in_place_of_a_core_value_is_counted() -> None:
    whole = build.obs_set(10)
    refused = build.obs_set(25, sbp=NotTaken.REFUSED, dbp=NotTaken.REFUSED)
    assert row_of(closed(whole, refused))["missing_core_fields_n"] == 2


@pytest.mark.parametrize(
    ("answer", "confirmed"), [(Answer.YES, True), (Answer.NO, False), (Answer.UNKNOWN, None)]
)
def test_an_escort_is_confirmed_by_its_answer(answer: Answer, confirmed: bool | None) -> None:
    assert row_of(closed(build.answer("escort_named", answer)))["escort_confirmed"] is confirmed


def test_the_year_is_that_of_the_clinic() -> None:
    new_year = (build.T0.replace(month=1, day=1, hour=4) - build.T0) / timedelta(minutes=1)
    session = build.session(build.rate("0.1", new_year))
    as_of = new_year + 600
    assert row_of(session, minute=as_of)["session_year"] == 2026
    in_new_york = row_of(session, minute=as_of, zone=ZoneInfo("America/New_York"))
    assert (in_new_york["session_year"], in_new_york["session_quarter"]) == (2025, 4)
    assert row_of(session, minute=as_of, zone=UTC)["session_quarter"] == 1


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (17, "under 18"),
        (18, "18-24"),
        (24, "18-24"),
        (25, "25-34"),
        (84, "75-84"),
        (85, "85-89"),
        (89, "85-89"),
        (90, "90+"),
        (104, "90+"),
    ],
)
def test_age_bands(age: int, band: str) -> None:
    assert age_band(age) == band


@pytest.mark.parametrize(("kg", "band"), [("70", "70-79"), ("79.9", "70-79"), ("80", "80-89")])
def test_weight_bands(kg: str, band: str) -> None:
    assert weight_band(Decimal(kg)) == band


def test_breaches_and_views_at_hand_change_nothing() -> None:
    folder = read_folder(SAMPLES / "desaturation_at_second_step")
    found = findings(folder)
    arguments = (
        folder.session,
        folder.protocol,
        folder.threshold_set,
        found.alerts,
        found.alert_events,
        found.as_of,
    )
    given = summarise(*arguments, breaches=found.breaches, views=found.views)
    assert summarise(*arguments) == given


def test_the_desaturation_sample_by_hand() -> None:
    """94 is passed at 17:40 and reached again at 27:40; 90 at 21:15 and at 23:04."""
    row = sample("desaturation_at_second_step")
    assert (row["tib_spo2_lt94_min"], row["tib_spo2_lt90_min"]) == (Decimal("10.0"), Decimal("1.8"))
    assert (row["nadir_spo2"], row["nadir_spo2_t_min"]) == (88, 22)
    assert (row["alerts_warn_n"], row["alerts_crit_n"]) == (1, 1)
