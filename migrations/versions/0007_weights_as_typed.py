"""A weight as it was typed: in pounds where somebody typed pounds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dosing_weight", sa.Column("typed", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("dosing_weight", "typed")
