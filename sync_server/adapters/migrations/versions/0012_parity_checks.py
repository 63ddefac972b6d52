"""What the evaluator looked at on tablets, and what came of running it again at HQ."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table that pushes fill."""
    states = "waiting, same, different, no_pack, unreadable, left_out, gone"
    op.create_table(
        "parity_check",
        sa.Column("op_id", sa.String(36), nullable=False, comment="of the impression that carried inputs"),
        sa.Column("received_at", sa.String(24), nullable=False),
        sa.Column("store", sa.String(200)),
        sa.Column("device_id", sa.String(36)),
        sa.Column("rule_pack", sa.String(200), nullable=False),
        sa.Column("state", sa.String(12), nullable=False, comment=states),
        sa.Column("inputs", sa.Text(), comment="JSON as the tablet sent it; null once compared long ago, or left out"),
        sa.Column("found", sa.Text(), comment="JSON: the plays that differ, with both verdicts and traces"),
        sa.Column("checked_at", sa.String(24)),
        sa.PrimaryKeyConstraint("op_id", name="pk_parity_check"),
        comment="Impressions that carried what the evaluator looked at, and what came of running it again.",
    )
    op.create_index("ix_parity_check_state", "parity_check", ["state"])


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
