"""Erasures: when, by whom, and which tablets have confirmed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty tables: nobody was erased before."""
    op.create_table(
        "erasure",
        sa.Column("erasure_id", sa.String(36), primary_key=True),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False, comment="JSON: table -> rows deleted or blanked"),
        sa.Column("positions", sa.Text(), nullable=False, comment="JSON: scope -> where the feed says it"),
        sa.Column("cleared_at", sa.String(24), comment="when no byte was left in the files"),
        comment="Who was erased is said nowhere; that, when and of how many rows, here. The hashes lie in the keys "
        "folder.",
    )
    op.create_table(
        "erasure_device",
        sa.Column("erasure_id", sa.String(36), nullable=False),
        sa.Column("device_id", sa.String(36), nullable=False),
        sa.Column("confirmed_at", sa.String(24)),
        sa.PrimaryKeyConstraint("erasure_id", "device_id", name="pk_erasure_device"),
        comment="Tablets there were, and when each showed by its position in the feed that it had taken the erasure.",
    )
    op.create_index("ix_erasure_device_device_id", "erasure_device", ["device_id"])


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
