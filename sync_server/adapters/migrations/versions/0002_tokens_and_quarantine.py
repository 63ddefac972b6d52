"""When a device's token was made and whether it is to change it; what became of salvaged ops and of dead letters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns only, each with a value for the rows that are there."""
    op.add_column("device", sa.Column("token_at", sa.String(length=24), nullable=True))
    op.add_column("device", sa.Column("must_rotate", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("salvage", sa.Column("refused_at", sa.String(length=24), nullable=True))
    op.add_column("salvage", sa.Column("offset_ms", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("dead_letter", sa.Column("replayed_at", sa.String(length=24), nullable=True))


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
