"""Free text beside an answer of the gate (which medicines); the day of a weighing; chairs are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gate_answer", sa.Column("note", sa.Text(), nullable=True))
    op.add_column("dosing_weight", sa.Column("measured_on", sa.Date(), nullable=True))
    op.create_index("ix_summary_clinic_code_chair", "summary", ["clinic_code", "chair"])


def downgrade() -> None:
    op.drop_index("ix_summary_clinic_code_chair", "summary")
    op.drop_column("dosing_weight", "measured_on")
    op.drop_column("gate_answer", "note")
