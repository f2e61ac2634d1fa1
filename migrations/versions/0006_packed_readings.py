"""The readings of closed sessions once more, packed: what a changed limit would have done to years."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reading_pack",
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("sign", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("baseline", sa.Text(), nullable=True),
        sa.Column("ends_us", sa.BigInteger(), nullable=True),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "clinic", "sign", "started_at", "session_id", name="pk_reading_pack"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_reading_pack_session_id", "reading_pack", ["session_id"])


def downgrade() -> None:
    op.drop_index("ix_reading_pack_session_id", "reading_pack")
    op.drop_table("reading_pack")
