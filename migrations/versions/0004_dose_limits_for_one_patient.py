"""Hard dose limits that an anaesthetist approved for one patient."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE = "patient_dose_limit"
EXACT = sa.Text().with_variant(sa.Numeric(), "postgresql")


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _protect() -> None:
    """The same triggers as every record table has (0001); PostgreSQL keeps its function from there."""
    if not _on_sqlite():
        op.execute(
            f"CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE ON {TABLE}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {TABLE}_no_truncate BEFORE TRUNCATE ON {TABLE}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {TABLE}_no_{verb.lower()} BEFORE {verb} ON {TABLE}"
            f" BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only: {verb} refused'); END"
        )
    op.execute(
        f"CREATE TRIGGER {TABLE}_no_replace BEFORE INSERT ON {TABLE}"
        f" WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)"
        f" BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only: REPLACE refused'); END"
    )


def upgrade() -> None:
    text = "value NOT GLOB '*[^0-9.-]*' AND value GLOB '*[0-9]*'"
    number = "value > '-Infinity' AND value < 'Infinity'"
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("write_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("value", EXACT, nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "source IN ('keyed', 'device', 'import', 'paper')",
            name=op.f(f"ck_{TABLE}_source_known"),
        ),
        sa.CheckConstraint(text if _on_sqlite() else number, name=op.f(f"ck_{TABLE}_value_number")),
        sa.CheckConstraint("CAST(value AS NUMERIC) > 0", name=op.f(f"ck_{TABLE}_value_positive")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["infusion_session.id"], name=f"fk_{TABLE}_session_id"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{TABLE}"),
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{TABLE}_session_id_write_no", TABLE, ["session_id", "write_no"])
    _protect()


def downgrade() -> None:
    op.drop_table(TABLE)
