"""Every column of the session summary: one table for the projection, the CSV and the code book."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SummaryColumn:
    """One column of one row per session (clinical.md 11.1).

    ``kind`` is ``"text"``, ``"int"``, ``"decimal"``, ``"bool"``, ``"instant"``, ``"date"`` or
    ``"uuid"``.  ``decimals`` is how many a decimal is rounded to, half-up, at output (U-72).
    ``identified`` columns name or locate a person and never leave in a de-identified export;
    ``exported`` is False for what only lists and searches need.
    """

    name: str
    kind: str
    unit: str
    description: str
    decimals: int = 0
    identified: bool = False
    exported: bool = True
    required: bool = False


def _decimal(name: str, decimals: int, unit: str, description: str) -> SummaryColumn:
    return SummaryColumn(name, "decimal", unit, description, decimals=decimals)


def _int(name: str, unit: str, description: str) -> SummaryColumn:
    return SummaryColumn(name, "int", unit, description)


def _text(name: str, description: str) -> SummaryColumn:
    return SummaryColumn(name, "text", "", description)


def _bool(name: str, description: str) -> SummaryColumn:
    return SummaryColumn(name, "bool", "", description)


def _identity() -> Iterator[SummaryColumn]:
    """Which session and whose; what the identified list shows and the list searches."""
    yield SummaryColumn("session_id", "uuid", "", "the session", identified=True, required=True)
    yield SummaryColumn(
        "clinic_code", "text", "", "clinic; a keyed pseudonym when de-identified", required=True
    )
    yield _text("site_code", "site; a keyed pseudonym when de-identified")
    yield SummaryColumn("patient_id", "uuid", "", "the patient", identified=True, required=True)
    yield SummaryColumn("mrn", "text", "", "patient number", identified=True, required=True)
    yield SummaryColumn(
        "patient_name", "text", "", "family name, given name", identified=True, required=True
    )
    yield SummaryColumn("born_on", "date", "", "date of birth", identified=True, required=True)
    yield SummaryColumn("chair", "text", "", "chair or bed", identified=True)
    yield SummaryColumn(
        "listed_at",
        "instant",
        "",
        "first dose, or the opening of the record while there was none",
        identified=True,
        exported=False,
        required=True,
    )
    yield SummaryColumn("started_at", "instant", "", "first dose", identified=True)
    yield SummaryColumn("ended_at", "instant", "", "end of the infusion", identified=True)
    yield SummaryColumn("discharged_at", "instant", "", "discharge", identified=True)
    yield SummaryColumn("signed_at", "instant", "", "signature", identified=True)
    yield SummaryColumn("signed_by", "text", "", "who signed", identified=True)
    yield SummaryColumn(
        "in_progress", "bool", "", "the session is not closed; left out by default", required=True
    )
    yield SummaryColumn(
        "as_of", "instant", "", "when this row was calculated", identified=True, required=True
    )


def _setting() -> Iterator[SummaryColumn]:
    """Who, in bands, and what was planned."""
    yield _int("session_year", "a", "clinic-local year of the first dose")
    yield SummaryColumn(
        "session_quarter", "int", "", "clinic-local quarter of the first dose", identified=True
    )
    yield _text("age_band", "18-24, 25-34, ... 85-89, 90+ at the first dose")
    yield _text("sex", "as recorded")
    yield _text("weight_kg_band", "dosing weight in 10-kg bands")
    yield SummaryColumn("weight_kg", "decimal", "kg", "dosing weight", 1, identified=True)
    yield _text("weight_basis", "ABW, IBW or ADJ")
    yield _text("indication", "indication")
    yield _text("setting", "outpatient or inpatient")
    yield _text("protocol_id", "code of the protocol")
    yield _int("protocol_version", "", "version of the protocol")
    yield _text("threshold_set", "code and version of the threshold set")
    yield _text("drug_form", "R racemic ketamine, S esketamine; never converted")
    yield _text("route", "route")
    yield _decimal("conc_mg_per_ml", 2, "mg/mL", "concentration of the first syringe")
    yield _int("series_number", "", "which course of infusions of this patient")
    yield _int("infusion_number", "", "which infusion of the course")
    yield SummaryColumn(
        "status",
        "text",
        "",
        "completed, stopped_early_ae, stopped_early_other, cancelled; else where it stands",
        required=True,
    )


def _doses() -> Iterator[SummaryColumn]:
    """Durations and doses over INF = first dose to last rate zero (2.3, U-68, U-69)."""
    yield _decimal("wall_duration_min", 1, "min", "end of infusion - first dose")
    yield _decimal("running_duration_min", 1, "min", "time with rate > 0 or inside a bolus")
    yield _decimal("paused_min", 1, "min", "the rest of the infusion time")
    yield _decimal("recovery_min", 1, "min", "end of infusion to discharge")
    yield _decimal("total_stay_min", 1, "min", "arrival to discharge")
    yield _decimal("bolus_total_mg", 1, "mg", "sum of boluses")
    yield _decimal("infusion_total_mg", 1, "mg", "dose given as infusion")
    yield _decimal("dose_total_mg", 1, "mg", "bolus and infusion")
    yield _decimal("dose_total_mg_per_kg", 3, "mg/kg", "total / dosing weight")
    yield _decimal("start_rate_mg_kg_h", 3, "mg/kg/h", "first rate above 0")
    yield _decimal("max_rate_mg_kg_h", 3, "mg/kg/h", "highest rate; boluses do not count")
    yield _decimal("mean_rate_mg_kg_h", 3, "mg/kg/h", "infusion mg / (kg x running hours)")
    yield _decimal("time_to_max_rate_min", 1, "min", "first dose to the first highest rate")
    yield _int("n_rate_changes", "", "ups and downs")
    yield _int("n_up", "", "successive non-zero rates that rose")
    yield _int("n_down", "", "successive non-zero rates that fell")
    yield _int("n_pauses", "", "times the rate was 0 inside the infusion")
    yield _int("protocol_deviation_n", "", "soft and hard limits overridden")


def _observations() -> Iterator[SummaryColumn]:
    """The observation schedule (4) and vital signs over MON = infusion + recovery."""
    yield _int("n_obs_due", "", "sets that were due")
    yield _int("n_obs_on_time", "", "dues met in time")
    yield _int("n_obs_late", "", "dues met late")
    yield _int("n_obs_missed", "", "dues never met")
    yield _decimal("pct_obs_on_time", 1, "%", "on time / due x 100")
    yield _decimal("max_obs_gap_min", 1, "min", "longest gap between complete sets")
    for sign, unit in (("sbp", "mm[Hg]"), ("dbp", "mm[Hg]"), ("map", "mm[Hg]"), ("hr", "/min")):
        yield _int(f"baseline_{sign}", unit, f"median {sign} of the sets before the first dose")
    yield _int("baseline_spo2", "%", "median SpO2 of the sets before the first dose")
    for extreme, sign, unit in (
        ("peak", "sbp", "mm[Hg]"),
        ("peak", "dbp", "mm[Hg]"),
        ("peak", "hr", "/min"),
        ("min", "sbp", "mm[Hg]"),
        ("min", "hr", "/min"),
        ("nadir", "spo2", "%"),
        ("min", "rr", "/min"),
    ):
        word = "highest" if extreme == "peak" else "lowest"
        yield _int(f"{extreme}_{sign}", unit, f"{word} accepted {sign}")
        yield _decimal(f"{extreme}_{sign}_t_min", 1, "min", f"first dose to the {word} {sign}")
    yield _int("delta_sbp_max", "mm[Hg]", "peak - baseline")
    yield _int("delta_dbp_max", "mm[Hg]", "peak - baseline")
    yield _decimal("tw_mean_map", 1, "mm[Hg]", "time-weighted mean over the infusion")
    yield _decimal("tw_mean_hr", 1, "/min", "time-weighted mean over the infusion")
    yield _decimal("tw_mean_spo2", 1, "%", "time-weighted mean over the infusion")
    for limit in ("sbp_ge160", "sbp_ge180", "map_lt65", "spo2_lt94", "spo2_lt90", "hr_ge111"):
        yield _decimal(f"tib_{limit}_min", 1, "min", f"time in breach: {limit}")
    yield _decimal("tib_unknown_min", 1, "min", "minutes not covered for SBP, HR or SpO2")
    yield _decimal("pct_time_in_breach_any", 1, "%", "any warning limit / known time x 100")


def _outcomes() -> Iterator[SummaryColumn]:
    """Scores, pain, mood, medication, side effects."""
    yield _int("max_sedation_grade", "{score}", "harmonised grade 0-3 (5.5)")
    yield _int("max_sedation_native", "{score}", "the code on the clinic's own scale")
    yield _text("sedation_scale", "the clinic's own scale")
    yield _int("max_dissociation_0_10", "{score}", "empty for the 0-3 scale (U-53)")
    yield _bool("distress_any", "distress with dissociation at any time")
    yield _int("max_nausea_0_3", "{score}", "highest nausea score")
    yield _int("pain_pre", "{score}", "last rest pain before the first dose")
    yield _int("pain_min", "{score}", "lowest rest pain")
    yield _int("pain_post", "{score}", "last rest pain before discharge")
    yield _int("pain_change_abs", "{score}", "post - pre")
    yield _decimal("pain_change_pct", 1, "%", "(post - pre) / pre x 100")
    yield _bool("responder_30", "pain fell by at least 30 %, pre >= 4")
    yield _bool("responder_50", "pain fell by at least 50 %, pre >= 4")
    for when in ("24h", "7d", "30d"):
        yield _int(f"pain_fu_{when}", "{score}", f"pain at follow-up, {when}")
    yield _int("relief_days", "d", "days with pain <= 0.7 x pre")
    yield _decimal("mme_before", 1, "mg/d", "morphine equivalents before (CDC 2022)")
    yield _decimal("mme_after_30d", 1, "mg/d", "morphine equivalents 30 days after")
    yield _decimal("mme_change_pct", 1, "%", "change of morphine equivalents")
    yield _int("mood_pre", "{score}", "mood total before")
    yield _int("mood_24h", "{score}", "only from a scale with a recall of 24 h or less (U-80)")
    yield _int("mood_7d", "{score}", "mood total after 7 days")
    yield _text("mood_scale", "which scale the mood totals are of")
    yield _bool("ae_any", "at least one side effect; empty when not assessed")
    yield _bool("ae_none_explicit", "asked, none")
    yield _int("ae_max_grade", "", "highest grade 1-5 (6.1)")
    for grade in range(1, 5):
        yield _int(f"ae_n_g{grade}", "", f"side effects of grade {grade}")
    yield _text("ae_terms", "keys of the side effects, semicolons between")
    yield _bool("serious_ae", "a serious side effect")
    yield _text("premed_codes", "drug class codes given before the first dose")
    yield _text("rescue_codes", "drug class codes given after it")


def _quality() -> Iterator[SummaryColumn]:
    """Alerts (U-62, U-63), discharge, data quality, signatures."""
    yield _int("alerts_warn_n", "", "confirmed alert groups whose highest level is warning")
    yield _int("alerts_crit_n", "", "confirmed alert groups whose highest level is critical")
    yield _int("alerts_ack_median_s", "s", "median onset to acknowledgement")
    yield _int("alerts_unack_n", "", "not acknowledged in time (U-63)")
    yield _int("escalations_n", "", "escalations")
    yield _int(
        "aldrete_final",
        "{score}",
        "Aldrete total when the patient left; empty when an item is missing",
    )
    yield _int(
        "padss_final", "{score}", "PADSS total when the patient left; empty when an item is missing"
    )
    yield _bool("discharge_criteria_met", "every criterion was met at discharge, none overridden")
    yield _bool("escort_confirmed", "an escort was there")
    yield _int("amended_n", "", "amendments")
    yield _int("late_entry_n", "", "facts saved more than 10 min after they were true")
    yield _int("missing_core_fields_n", "", "core fields left out")
    yield _bool("signed_nurse", "completed by the nurse")
    yield _bool("signed_anaesthetist", "signed by the anaesthetist")
    yield _decimal("sign_lag_h", 1, "h", "end of infusion to signature")


#: Every column, in the order of the CSV and of the table ``summary``.
COLUMNS: tuple[SummaryColumn, ...] = (
    *_identity(),
    *_setting(),
    *_doses(),
    *_observations(),
    *_outcomes(),
    *_quality(),
)

#: The same by name.
BY_NAME = {column.name: column for column in COLUMNS}

#: Columns a sessions list may be sorted by; each has an index (ruling 28).
SORTABLE = (
    "listed_at",
    "patient_name",
    "mrn",
    "protocol_id",
    "status",
    "dose_total_mg_per_kg",
    "peak_sbp",
    "nadir_spo2",
    "ae_max_grade",
    "alerts_crit_n",
)


_STATUS_WORDS = {
    "stopped_early_ae": "stopped early (side effect)",
    "stopped_early_other": "stopped early (other reason)",
}


def status_words(status: str) -> str:
    """The value of the status column as people say it."""
    return _STATUS_WORDS.get(status, status.replace("_", " "))
