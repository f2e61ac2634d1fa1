"""Corrections of patients, courses of infusions, and the controlled-drug ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

EXACT = sa.Text().with_variant(sa.Numeric(), "postgresql")
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

#: New record tables and the sets of columns that are unique in them.
RECORD: dict[str, tuple[tuple[str, ...], ...]] = {
    "patient_change": (("id",), ("patient_id", "number")),
    "course": (("id",), ("course_id", "number")),
    "drug_movement": (("id",),),
}

#: What a session says of its course.
OF_A_COURSE = (
    ("course_id", sa.Uuid()),
    ("series_number", sa.Integer()),
    ("infusion_number", sa.Integer()),
)


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _protect(table: str, keys: tuple[tuple[str, ...], ...]) -> None:
    """The same triggers as every record table has (0001); PostgreSQL keeps its function from there."""
    if not _on_sqlite():
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} refused'); END"
        )
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


def upgrade() -> None:
    for name, kind in OF_A_COURSE:
        op.add_column("infusion_session", sa.Column(name, kind, nullable=True))
    _patient_change()
    _course()
    _drug_movement()
    for table, keys in RECORD.items():
        _protect(table, keys)


def _patient_change() -> None:
    op.create_table(
        "patient_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("mrn", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("allergies", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("mrn_key", KEY, nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("given_key", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name="fk_patient_change_patient_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_patient_change"),
        sa.UniqueConstraint("patient_id", "number", name="uq_patient_change_patient_id_number"),
        sqlite_with_rowid=False,
    )
    for key in ("mrn_key", "name_key", "given_key"):
        op.create_index(f"ix_patient_change_clinic_{key}", "patient_change", ["clinic", key])


def _course() -> None:
    op.create_table(
        "course",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("planned_infusions", sa.Integer(), nullable=False),
        sa.Column("interval_days", sa.Integer(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("indication", sa.Text(), nullable=False),
        sa.Column("protocol_code", sa.Text(), nullable=True),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_course_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_course"),
        sa.UniqueConstraint("course_id", "number", name="uq_course_course_id_number"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_course_patient_id", "course", ["patient_id"])


def _drug_movement() -> None:
    text = "amount_mg NOT GLOB '*[^0-9.-]*' AND amount_mg GLOB '*[0-9]*'"
    number = "amount_mg > '-Infinity' AND amount_mg < 'Infinity'"
    op.create_table(
        "drug_movement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_mg", EXACT, nullable=False),
        sa.Column("ampoules", sa.Integer(), nullable=True),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("witness", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "source IN ('keyed', 'device', 'import', 'paper')",
            name=op.f("ck_drug_movement_source_known"),
        ),
        sa.CheckConstraint(
            "kind IN ('issued', 'wasted', 'returned', 'unaccounted')",
            name=op.f("ck_drug_movement_kind_known"),
        ),
        sa.CheckConstraint(
            text if _on_sqlite() else number, name=op.f("ck_drug_movement_amount_mg_number")
        ),
        sa.CheckConstraint(
            "kind = 'unaccounted' OR CAST(amount_mg AS NUMERIC) > 0",
            name=op.f("ck_drug_movement_amount_fits_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name="fk_drug_movement_session_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_drug_movement"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_drug_movement_session_id_write_no", "drug_movement", ["session_id", "write_no"]
    )


def downgrade() -> None:
    for table in RECORD:
        op.drop_table(table)
    for name, _ in OF_A_COURSE:
        op.drop_column("infusion_session", name)
