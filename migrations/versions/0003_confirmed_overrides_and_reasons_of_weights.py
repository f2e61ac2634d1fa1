"""Who confirmed an override with their PIN, and why a weight was recorded while the drug ran."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: Columns of texts that rows saved before do not have.
ADDED = (("gate_answer", "second_person"), ("dosing_weight", "reason"))


def upgrade() -> None:
    for table, column in ADDED:
        op.add_column(table, sa.Column(column, sa.Text(), nullable=True))


def downgrade() -> None:
    for table, column in ADDED:
        op.drop_column(table, column)
