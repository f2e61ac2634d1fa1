"""The record, its working tables, and the triggers that keep the record append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: As entered, to the last zero; text compared byte by byte.
EXACT = sa.Text().with_variant(sa.Numeric(), "postgresql")
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

#: Record tables and the sets of columns that are unique in them.
RECORD: dict[str, tuple[tuple[str, ...], ...]] = {
    "patient": (("id",), ("clinic", "mrn_key")),
    "version": (("id",), ("kind", "code", "version")),
    "version_status": (("id",), ("version_id", "number")),
    "infusion_session": (("id",),),
    "observation": (("id",),),
    "dose_step": (("id",),),
    "bolus": (("id",),),
    "syringe_change": (("id",),),
    "dosing_weight": (("id",),),
    "side_effect": (("id",),),
    "side_effect_change": (("id",),),
    "session_event": (("id",),),
    "gate_answer": (("id",),),
    "amendment": (("id",),),
    "alert": (("id",),),
    "alert_event": (("id",), ("alert_id", "kind", "step")),
    "user_event": (("id",), ("username", "number")),
    "audit": (("clinic", "seq"),),
}


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _number(table: str, column: str) -> sa.CheckConstraint:
    """A finite number: on SQLite by the form of its text, on PostgreSQL no NaN, no Infinity."""
    text = f"{column} NOT GLOB '*[^0-9.-]*' AND {column} GLOB '*[0-9]*'"
    number = f"{column} > '-Infinity' AND {column} < 'Infinity'"
    name = op.f(f"ck_{table}_{column}_number")
    return sa.CheckConstraint(text if _on_sqlite() else number, name=name)


def _protect() -> None:
    """Refuse UPDATE, DELETE, REPLACE and TRUNCATE on every record table.

    A later batch migration that recreates a table on SQLite loses its triggers without a word;
    tests/db/test_append_only.py asks a database migrated to head.
    """
    if _on_sqlite():
        for table, keys in RECORD.items():
            _protect_on_sqlite(table, keys)
        return
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP; END $$"
    )
    for table in RECORD:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _protect_on_sqlite(table: str, keys: tuple[tuple[str, ...], ...]) -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} refused'); END"
        )
    # INSERT OR REPLACE would delete the row that is in the way.  The DELETE trigger sees that only
    # on connections with recursive_triggers on; this one sees it on every connection.
    taken = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE "
        + " AND ".join(f"{column} = NEW.{column}" for column in key)
        + ")"
        for key in keys
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only: REPLACE refused'); END"
    )


def _unprotect() -> None:
    """SQLite drops triggers with their tables; PostgreSQL keeps the function."""
    if not _on_sqlite():
        op.execute("DROP FUNCTION refuse_change CASCADE")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("clinic", "seq", name="pk_audit"),
    )
    op.create_index("ix_audit_session_id_clinic_seq", "audit", ["session_id", "clinic", "seq"])

    op.create_table(
        "chain_head",
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("clinic", name="pk_chain_head"),
    )
    op.create_table(
        "credential",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("username", name="pk_credential"),
    )
    op.create_table(
        "device_session",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("wall", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_input_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("csrf_token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_device_session"),
    )
    op.create_index("ix_device_session_username", "device_session", ["username"])

    op.create_table(
        "draft",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "device", name="pk_draft"),
    )
    op.create_table(
        "failed_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_failed_attempt"),
    )
    op.create_index("ix_failed_attempt_key_at", "failed_attempt", ["key", "at"])

    op.create_table(
        "patient",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("mrn", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("allergies", sa.Text(), nullable=False),
        sa.Column("mrn_key", KEY, nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("given_key", KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_patient"),
        sa.UniqueConstraint("clinic", "mrn_key", name="uq_patient_clinic_mrn_key"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_patient_clinic_given_key", "patient", ["clinic", "given_key"])
    op.create_index("ix_patient_clinic_name_key", "patient", ["clinic", "name_key"])

    op.create_table(
        "session_head",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="pk_session_head"),
    )
    op.create_index("ix_session_head_clinic_is_open", "session_head", ["clinic", "is_open"])

    op.create_table(
        "summary",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("clinic_code", sa.Text(), nullable=False),
        sa.Column("site_code", sa.Text(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("mrn", KEY, nullable=False),
        sa.Column("patient_name", KEY, nullable=False),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("chair", sa.Text(), nullable=True),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("discharged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by", sa.Text(), nullable=True),
        sa.Column("in_progress", sa.Boolean(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("session_year", sa.Integer(), nullable=True),
        sa.Column("session_quarter", sa.Integer(), nullable=True),
        sa.Column("age_band", sa.Text(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("weight_kg_band", sa.Text(), nullable=True),
        sa.Column("weight_kg", sa.BigInteger(), nullable=True),
        sa.Column("weight_basis", sa.Text(), nullable=True),
        sa.Column("indication", sa.Text(), nullable=True),
        sa.Column("setting", sa.Text(), nullable=True),
        sa.Column("protocol_id", KEY, nullable=True),
        sa.Column("protocol_version", sa.Integer(), nullable=True),
        sa.Column("threshold_set", sa.Text(), nullable=True),
        sa.Column("drug_form", sa.Text(), nullable=True),
        sa.Column("route", sa.Text(), nullable=True),
        sa.Column("conc_mg_per_ml", sa.BigInteger(), nullable=True),
        sa.Column("series_number", sa.Integer(), nullable=True),
        sa.Column("infusion_number", sa.Integer(), nullable=True),
        sa.Column("status", KEY, nullable=False),
        sa.Column("wall_duration_min", sa.BigInteger(), nullable=True),
        sa.Column("running_duration_min", sa.BigInteger(), nullable=True),
        sa.Column("paused_min", sa.BigInteger(), nullable=True),
        sa.Column("recovery_min", sa.BigInteger(), nullable=True),
        sa.Column("total_stay_min", sa.BigInteger(), nullable=True),
        sa.Column("bolus_total_mg", sa.BigInteger(), nullable=True),
        sa.Column("infusion_total_mg", sa.BigInteger(), nullable=True),
        sa.Column("dose_total_mg", sa.BigInteger(), nullable=True),
        sa.Column("dose_total_mg_per_kg", sa.BigInteger(), nullable=True),
        sa.Column("start_rate_mg_kg_h", sa.BigInteger(), nullable=True),
        sa.Column("max_rate_mg_kg_h", sa.BigInteger(), nullable=True),
        sa.Column("mean_rate_mg_kg_h", sa.BigInteger(), nullable=True),
        sa.Column("time_to_max_rate_min", sa.BigInteger(), nullable=True),
        sa.Column("n_rate_changes", sa.Integer(), nullable=True),
        sa.Column("n_up", sa.Integer(), nullable=True),
        sa.Column("n_down", sa.Integer(), nullable=True),
        sa.Column("n_pauses", sa.Integer(), nullable=True),
        sa.Column("protocol_deviation_n", sa.Integer(), nullable=True),
        sa.Column("n_obs_due", sa.Integer(), nullable=True),
        sa.Column("n_obs_on_time", sa.Integer(), nullable=True),
        sa.Column("n_obs_late", sa.Integer(), nullable=True),
        sa.Column("n_obs_missed", sa.Integer(), nullable=True),
        sa.Column("pct_obs_on_time", sa.BigInteger(), nullable=True),
        sa.Column("max_obs_gap_min", sa.BigInteger(), nullable=True),
        sa.Column("baseline_sbp", sa.Integer(), nullable=True),
        sa.Column("baseline_dbp", sa.Integer(), nullable=True),
        sa.Column("baseline_map", sa.Integer(), nullable=True),
        sa.Column("baseline_hr", sa.Integer(), nullable=True),
        sa.Column("baseline_spo2", sa.Integer(), nullable=True),
        sa.Column("peak_sbp", sa.Integer(), nullable=True),
        sa.Column("peak_sbp_t_min", sa.BigInteger(), nullable=True),
        sa.Column("peak_dbp", sa.Integer(), nullable=True),
        sa.Column("peak_dbp_t_min", sa.BigInteger(), nullable=True),
        sa.Column("peak_hr", sa.Integer(), nullable=True),
        sa.Column("peak_hr_t_min", sa.BigInteger(), nullable=True),
        sa.Column("min_sbp", sa.Integer(), nullable=True),
        sa.Column("min_sbp_t_min", sa.BigInteger(), nullable=True),
        sa.Column("min_hr", sa.Integer(), nullable=True),
        sa.Column("min_hr_t_min", sa.BigInteger(), nullable=True),
        sa.Column("nadir_spo2", sa.Integer(), nullable=True),
        sa.Column("nadir_spo2_t_min", sa.BigInteger(), nullable=True),
        sa.Column("min_rr", sa.Integer(), nullable=True),
        sa.Column("min_rr_t_min", sa.BigInteger(), nullable=True),
        sa.Column("delta_sbp_max", sa.Integer(), nullable=True),
        sa.Column("delta_dbp_max", sa.Integer(), nullable=True),
        sa.Column("tw_mean_map", sa.BigInteger(), nullable=True),
        sa.Column("tw_mean_hr", sa.BigInteger(), nullable=True),
        sa.Column("tw_mean_spo2", sa.BigInteger(), nullable=True),
        sa.Column("tib_sbp_ge160_min", sa.BigInteger(), nullable=True),
        sa.Column("tib_sbp_ge180_min", sa.BigInteger(), nullable=True),
        sa.Column("tib_map_lt65_min", sa.BigInteger(), nullable=True),
        sa.Column("tib_spo2_lt94_min", sa.BigInteger(), nullable=True),
        sa.Column("tib_spo2_lt90_min", sa.BigInteger(), nullable=True),
        sa.Column("tib_hr_ge111_min", sa.BigInteger(), nullable=True),
        sa.Column("tib_unknown_min", sa.BigInteger(), nullable=True),
        sa.Column("pct_time_in_breach_any", sa.BigInteger(), nullable=True),
        sa.Column("max_sedation_grade", sa.Integer(), nullable=True),
        sa.Column("max_sedation_native", sa.Integer(), nullable=True),
        sa.Column("sedation_scale", sa.Text(), nullable=True),
        sa.Column("max_dissociation_0_10", sa.Integer(), nullable=True),
        sa.Column("distress_any", sa.Boolean(), nullable=True),
        sa.Column("max_nausea_0_3", sa.Integer(), nullable=True),
        sa.Column("pain_pre", sa.Integer(), nullable=True),
        sa.Column("pain_min", sa.Integer(), nullable=True),
        sa.Column("pain_post", sa.Integer(), nullable=True),
        sa.Column("pain_change_abs", sa.Integer(), nullable=True),
        sa.Column("pain_change_pct", sa.BigInteger(), nullable=True),
        sa.Column("responder_30", sa.Boolean(), nullable=True),
        sa.Column("responder_50", sa.Boolean(), nullable=True),
        sa.Column("pain_fu_24h", sa.Integer(), nullable=True),
        sa.Column("pain_fu_7d", sa.Integer(), nullable=True),
        sa.Column("pain_fu_30d", sa.Integer(), nullable=True),
        sa.Column("relief_days", sa.Integer(), nullable=True),
        sa.Column("mme_before", sa.BigInteger(), nullable=True),
        sa.Column("mme_after_30d", sa.BigInteger(), nullable=True),
        sa.Column("mme_change_pct", sa.BigInteger(), nullable=True),
        sa.Column("mood_pre", sa.Integer(), nullable=True),
        sa.Column("mood_24h", sa.Integer(), nullable=True),
        sa.Column("mood_7d", sa.Integer(), nullable=True),
        sa.Column("mood_scale", sa.Text(), nullable=True),
        sa.Column("ae_any", sa.Boolean(), nullable=True),
        sa.Column("ae_none_explicit", sa.Boolean(), nullable=True),
        sa.Column("ae_max_grade", sa.Integer(), nullable=True),
        sa.Column("ae_n_g1", sa.Integer(), nullable=True),
        sa.Column("ae_n_g2", sa.Integer(), nullable=True),
        sa.Column("ae_n_g3", sa.Integer(), nullable=True),
        sa.Column("ae_n_g4", sa.Integer(), nullable=True),
        sa.Column("ae_terms", sa.Text(), nullable=True),
        sa.Column("serious_ae", sa.Boolean(), nullable=True),
        sa.Column("premed_codes", sa.Text(), nullable=True),
        sa.Column("rescue_codes", sa.Text(), nullable=True),
        sa.Column("alerts_warn_n", sa.Integer(), nullable=True),
        sa.Column("alerts_crit_n", sa.Integer(), nullable=True),
        sa.Column("alerts_ack_median_s", sa.Integer(), nullable=True),
        sa.Column("alerts_unack_n", sa.Integer(), nullable=True),
        sa.Column("escalations_n", sa.Integer(), nullable=True),
        sa.Column("aldrete_final", sa.Integer(), nullable=True),
        sa.Column("padss_final", sa.Integer(), nullable=True),
        sa.Column("discharge_criteria_met", sa.Boolean(), nullable=True),
        sa.Column("escort_confirmed", sa.Boolean(), nullable=True),
        sa.Column("amended_n", sa.Integer(), nullable=True),
        sa.Column("late_entry_n", sa.Integer(), nullable=True),
        sa.Column("missing_core_fields_n", sa.Integer(), nullable=True),
        sa.Column("signed_nurse", sa.Boolean(), nullable=True),
        sa.Column("signed_anaesthetist", sa.Boolean(), nullable=True),
        sa.Column("sign_lag_h", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("session_id", name="pk_summary"),
    )
    op.create_index(
        "ix_summary_clinic_code_ae_max_grade_session_id",
        "summary",
        ["clinic_code", "ae_max_grade", "session_id"],
    )
    op.create_index(
        "ix_summary_clinic_code_alerts_crit_n_session_id",
        "summary",
        ["clinic_code", "alerts_crit_n", "session_id"],
    )
    op.create_index(
        "ix_summary_clinic_code_dose_total_mg_per_kg_session_id",
        "summary",
        ["clinic_code", "dose_total_mg_per_kg", "session_id"],
    )
    op.create_index(
        "ix_summary_clinic_code_listed_at_session_id",
        "summary",
        ["clinic_code", "listed_at", "session_id"],
    )
    op.create_index(
        "ix_summary_clinic_code_mrn_session_id", "summary", ["clinic_code", "mrn", "session_id"]
    )
    op.create_index(
        "ix_summary_clinic_code_nadir_spo2_session_id",
        "summary",
        ["clinic_code", "nadir_spo2", "session_id"],
    )
    op.create_index(
        "ix_summary_clinic_code_patient_name_session_id",
        "summary",
        ["clinic_code", "patient_name", "session_id"],
    )
    op.create_index(
        "ix_summary_clinic_code_peak_sbp_session_id",
        "summary",
        ["clinic_code", "peak_sbp", "session_id"],
    )
    op.create_index(
        "ix_summary_clinic_code_protocol_id_session_id",
        "summary",
        ["clinic_code", "protocol_id", "session_id"],
    )
    op.create_index(
        "ix_summary_clinic_code_status_session_id",
        "summary",
        ["clinic_code", "status", "session_id"],
    )
    op.create_index("ix_summary_patient_id", "summary", ["patient_id"])

    op.create_table(
        "user_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("shift_lead", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('created', 'changed', 'disabled', 'enabled', 'password_set', 'pin_set')",
            name=op.f("ck_user_event_kind_known"),
        ),
        sa.CheckConstraint(
            "role IN ('nurse', 'anaesthetist', 'lead', 'admin', 'wall')",
            name=op.f("ck_user_event_role_known"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_user_event"),
        sa.UniqueConstraint("username", "number", name="uq_user_event_username_number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('protocol', 'threshold_set')", name=op.f("ck_version_kind_known")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_version"),
        sa.UniqueConstraint("kind", "code", "version", name="uq_version_kind_code_version"),
    )
    op.create_table(
        "infusion_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("chair", sa.Text(), nullable=False),
        sa.Column("protocol_id", sa.Uuid(), nullable=False),
        sa.Column("threshold_set_id", sa.Uuid(), nullable=False),
        sa.Column("drug_form", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("concentration_mg_per_ml", EXACT, nullable=False),
        sa.Column("sedation_scale", sa.Text(), nullable=False),
        sa.Column("spo2_scale", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("indication", sa.Text(), nullable=False),
        sa.Column("setting", sa.Text(), nullable=False),
        _number("infusion_session", "concentration_mg_per_ml"),
        sa.CheckConstraint(
            "drug_form IN ('R', 'S')", name=op.f("ck_infusion_session_drug_form_known")
        ),
        sa.CheckConstraint(
            "CAST(concentration_mg_per_ml AS NUMERIC) > 0",
            name=op.f("ck_infusion_session_concentration_mg_per_ml_positive"),
        ),
        sa.CheckConstraint(
            "spo2_scale IN (1, 2)", name=op.f("ck_infusion_session_spo2_scale_known")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name="fk_infusion_session_patient_id"
        ),
        sa.ForeignKeyConstraint(
            ["protocol_id"], ["version.id"], name="fk_infusion_session_protocol_id"
        ),
        sa.ForeignKeyConstraint(
            ["threshold_set_id"], ["version.id"], name="fk_infusion_session_threshold_set_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_infusion_session"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_infusion_session_clinic_created_at", "infusion_session", ["clinic", "created_at"]
    )
    op.create_index(
        "ix_infusion_session_patient_id_created_at",
        "infusion_session",
        ["patient_id", "created_at"],
    )

    op.create_table(
        "version_status",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'approved', 'retired')",
            name=op.f("ck_version_status_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["version.id"], name="fk_version_status_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_version_status"),
        sa.UniqueConstraint("version_id", "number", name="uq_version_status_version_id_number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("threshold_set_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("onset_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trigger_id", sa.Uuid(), nullable=False),
        sa.Column("parameter", sa.Text(), nullable=False),
        sa.Column("trigger_value", EXACT, nullable=True),
        sa.Column("threshold_text", sa.Text(), nullable=False),
        sa.Column("baseline_value", EXACT, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        _number("alert", "baseline_value"),
        sa.CheckConstraint("level IN ('warning', 'critical')", name=op.f("ck_alert_level_known")),
        _number("alert", "trigger_value"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name="fk_alert_session_id"
        ),
        sa.ForeignKeyConstraint(
            ["threshold_set_id"], ["version.id"], name="fk_alert_threshold_set_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_alert_session_id_write_no", "alert", ["session_id", "write_no"])

    op.create_table(
        "amendment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("amends", sa.Uuid(), nullable=False),
        sa.Column("replacement", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "source IN ('keyed', 'device', 'import', 'paper')",
            name=op.f("ck_amendment_source_known"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name="fk_amendment_session_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_amendment"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_amendment_session_id_write_no", "amendment", ["session_id", "write_no"])

    op.create_table(
        "bolus",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("amount_mg", EXACT, nullable=False),
        sa.Column("over_s", sa.Integer(), nullable=False),
        sa.Column("entered_value", EXACT, nullable=False),
        sa.Column("entered_unit", sa.Text(), nullable=False),
        sa.Column("fully_given", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ordered_by", sa.Text(), nullable=True),
        sa.Column("second_person", sa.Text(), nullable=True),
        sa.Column("overrides", sa.Text(), nullable=False),
        _number("bolus", "amount_mg"),
        sa.CheckConstraint(
            "entered_unit IN ('mg/kg/h', 'mcg/kg/min', 'mg/h', 'mL/h', 'mg', 'mg/kg')",
            name=op.f("ck_bolus_entered_unit_known"),
        ),
        _number("bolus", "entered_value"),
        sa.CheckConstraint(
            "source IN ('keyed', 'device', 'import', 'paper')", name=op.f("ck_bolus_source_known")
        ),
        sa.CheckConstraint(
            "CAST(amount_mg AS NUMERIC) >= 0", name=op.f("ck_bolus_amount_mg_not_negative")
        ),
        sa.CheckConstraint(
            "CAST(entered_value AS NUMERIC) >= 0", name=op.f("ck_bolus_entered_value_not_negative")
        ),
        sa.CheckConstraint("over_s BETWEEN 0 AND 1800", name=op.f("ck_bolus_over_s_window")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name="fk_bolus_session_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_bolus"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_bolus_session_id_write_no", "bolus", ["session_id", "write_no"])

    op.create_table(
        "dose_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rate_mg_per_h", EXACT, nullable=False),
        sa.Column("entered_value", EXACT, nullable=False),
        sa.Column("entered_unit", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ordered_by", sa.Text(), nullable=True),
        sa.Column("second_person", sa.Text(), nullable=True),
        sa.Column("overrides", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "entered_unit IN ('mg/kg/h', 'mcg/kg/min', 'mg/h', 'mL/h', 'mg', 'mg/kg')",
            name=op.f("ck_dose_step_entered_unit_known"),
        ),
        _number("dose_step", "entered_value"),
        sa.CheckConstraint(
            "kind IN ('rate', 'hold', 'resume', 'stop')", name=op.f("ck_dose_step_kind_known")
        ),
        sa.CheckConstraint(
            "kind NOT IN ('hold', 'stop') OR CAST(rate_mg_per_h AS NUMERIC) = 0",
            name=op.f("ck_dose_step_rate_fits_kind"),
        ),
        _number("dose_step", "rate_mg_per_h"),
        sa.CheckConstraint(
            "source IN ('keyed', 'device', 'import', 'paper')",
            name=op.f("ck_dose_step_source_known"),
        ),
        sa.CheckConstraint(
            "CAST(entered_value AS NUMERIC) >= 0",
            name=op.f("ck_dose_step_entered_value_not_negative"),
        ),
        sa.CheckConstraint(
            "CAST(rate_mg_per_h AS NUMERIC) >= 0",
            name=op.f("ck_dose_step_rate_mg_per_h_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name="fk_dose_step_session_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dose_step"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_dose_step_session_id_write_no", "dose_step", ["session_id", "write_no"])

    op.create_table(
        "dosing_weight",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("weight_kg", EXACT, nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("measured", sa.Boolean(), nullable=False),
        sa.Column("height_cm", EXACT, nullable=True),
        sa.CheckConstraint(
            "basis IN ('ABW', 'IBW', 'ADJ')", name=op.f("ck_dosing_weight_basis_known")
        ),
        _number("dosing_weight", "height_cm"),
        sa.CheckConstraint(
            "source IN ('keyed', 'device', 'import', 'paper')",
            name=op.f("ck_dosing_weight_source_known"),
        ),
        _number("dosing_weight", "weight_kg"),
        sa.CheckConstraint(
            "CAST(height_cm AS NUMERIC) > 0", name=op.f("ck_dosing_weight_height_cm_positive")
        ),
        sa.CheckConstraint(
            "CAST(weight_kg AS NUMERIC) > 0", name=op.f("ck_dosing_weight_weight_kg_positive")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name="fk_dosing_weight_session_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dosing_weight"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_dosing_weight_session_id_write_no", "dosing_weight", ["session_id", "write_no"]
    )

    op.create_table(
        "gate_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.Column("override_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "answer IN ('yes', 'no', 'unknown')", name=op.f("ck_gate_answer_answer_known")
        ),
        sa.CheckConstraint(
            "source IN ('keyed', 'device', 'import', 'paper')",
            name=op.f("ck_gate_answer_source_known"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name="fk_gate_answer_session_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_gate_answer"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_gate_answer_session_id_write_no", "gate_answer", ["session_id", "write_no"])

    op.create_table(
        "observation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("set_id", sa.Uuid(), nullable=False),
        sa.Column("parameter", sa.Text(), nullable=False),
        sa.Column("value", EXACT, nullable=True),
        sa.Column("not_taken", sa.Text(), nullable=True),
        sa.Column("entered_value", EXACT, nullable=True),
        sa.Column("entered_unit", sa.Text(), nullable=True),
        sa.Column("really_so", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "entered_unit IN ('', '%', '/min', 'Cel', 'L/min', '[degF]', 'degF', 'kPa', 'mmHg', 'mm[Hg]', '{score}', '{yesno}', '°C', '°F')",
            name=op.f("ck_observation_entered_unit_known"),
        ),
        _number("observation", "entered_value"),
        sa.CheckConstraint(
            "not_taken IN ('asleep', 'refused', 'cuff_off', 'artefact', 'equipment_fault', 'unrecordable', 'no_trace', 'not_assessed')",
            name=op.f("ck_observation_not_taken_known"),
        ),
        sa.CheckConstraint(
            "source IN ('keyed', 'device', 'import', 'paper')",
            name=op.f("ck_observation_source_known"),
        ),
        sa.CheckConstraint(
            "value IS NULL OR ((CAST(value AS NUMERIC) >= 0 OR parameter = 'sedation') AND (CAST(value AS NUMERIC) <= 100 OR parameter <> 'spo2'))",
            name=op.f("ck_observation_value_possible"),
        ),
        _number("observation", "value"),
        sa.CheckConstraint(
            "(value IS NULL) <> (not_taken IS NULL)", name=op.f("ck_observation_value_or_reason")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name="fk_observation_session_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_observation"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_observation_session_id_write_no", "observation", ["session_id", "write_no"])

    op.create_table(
        "session_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("linked_to", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "source IN ('keyed', 'device', 'import', 'paper')",
            name=op.f("ck_session_event_source_known"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name="fk_session_event_session_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_session_event"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_session_event_session_id_write_no", "session_event", ["session_id", "write_no"]
    )

    op.create_table(
        "side_effect",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("serious", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "source IN ('keyed', 'device', 'import', 'paper')",
            name=op.f("ck_side_effect_source_known"),
        ),
        sa.CheckConstraint("grade BETWEEN 0 AND 5", name=op.f("ck_side_effect_grade_known")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name="fk_side_effect_session_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_side_effect"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_side_effect_session_id_write_no", "side_effect", ["session_id", "write_no"])

    op.create_table(
        "syringe_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("concentration_mg_per_ml", EXACT, nullable=False),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.Column("second_person", sa.Text(), nullable=True),
        _number("syringe_change", "concentration_mg_per_ml"),
        sa.CheckConstraint(
            "source IN ('keyed', 'device', 'import', 'paper')",
            name=op.f("ck_syringe_change_source_known"),
        ),
        sa.CheckConstraint(
            "CAST(concentration_mg_per_ml AS NUMERIC) > 0",
            name=op.f("ck_syringe_change_concentration_mg_per_ml_positive"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name="fk_syringe_change_session_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_syringe_change"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_syringe_change_session_id_write_no", "syringe_change", ["session_id", "write_no"]
    )

    op.create_table(
        "alert_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('confirmed', 'unconfirmed', 'level_up', 'stepped_down', 'cleared', 'acknowledged', 'resolved', 'closed', 'suppressed', 'escalated', 'refired', 'invalidated')",
            name=op.f("ck_alert_event_kind_known"),
        ),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_event_alert_id"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name="fk_alert_event_session_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_alert_event"),
        sa.UniqueConstraint("alert_id", "kind", "step", name="uq_alert_event_alert_id_kind_step"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_alert_event_session_id_write_no", "alert_event", ["session_id", "write_no"])

    op.create_table(
        "side_effect_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("side_effect_id", sa.Uuid(), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "source IN ('keyed', 'device', 'import', 'paper')",
            name=op.f("ck_side_effect_change_source_known"),
        ),
        sa.CheckConstraint("grade BETWEEN 0 AND 5", name=op.f("ck_side_effect_change_grade_known")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name="fk_side_effect_change_session_id"
        ),
        sa.ForeignKeyConstraint(
            ["side_effect_id"], ["side_effect.id"], name="fk_side_effect_change_side_effect_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_side_effect_change"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_side_effect_change_session_id_write_no",
        "side_effect_change",
        ["session_id", "write_no"],
    )
    _protect()


def downgrade() -> None:
    _unprotect()
    op.drop_table("side_effect_change")
    op.drop_table("alert_event")
    op.drop_table("syringe_change")
    op.drop_table("side_effect")
    op.drop_table("session_event")
    op.drop_table("observation")
    op.drop_table("gate_answer")
    op.drop_table("dosing_weight")
    op.drop_table("dose_step")
    op.drop_table("bolus")
    op.drop_table("amendment")
    op.drop_table("alert")
    op.drop_table("version_status")
    op.drop_table("infusion_session")
    op.drop_table("version")
    op.drop_table("user_event")
    op.drop_table("summary")
    op.drop_table("session_head")
    op.drop_table("patient")
    op.drop_table("failed_attempt")
    op.drop_table("draft")
    op.drop_table("device_session")
    op.drop_table("credential")
    op.drop_table("chain_head")
    op.drop_table("audit")
