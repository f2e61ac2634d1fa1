"""Free text beside an answer of the gate: the list of medicines, which heart disease."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gate_answer", sa.Column("note", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("gate_answer", "note")
