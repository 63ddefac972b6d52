"""Suppressions for other systems: their row of changes, marks of changed profiles, and who sends to a webhook now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables, and three columns of the webhooks."""
    op.create_table(
        "suppression_row",
        sa.Column("profile_id", sa.String(36), nullable=False),
        sa.Column(
            "n", sa.BigInteger(), nullable=False, comment="place in the row of changes; a cursor is one of these"
        ),
        sa.Column("source_sha", sa.String(64), nullable=False, comment="of what the list was made of"),
        sa.Column(
            "sha", sa.String(64), nullable=False, comment="of the list; empty for a profile that is gone, or erased"
        ),
        sa.Column(
            "keys", sa.Text(), comment="JSON, of an erased shopper alone: hashed keys by which receivers forget as well"
        ),
        sa.Column("erased_at", sa.String(24)),
        sa.PrimaryKeyConstraint("profile_id", name="pk_suppression_row"),
        comment="When each shopper's suppressions changed last. The list itself is made when it is sent.",
    )
    op.create_index("ix_suppression_row_n", "suppression_row", ["n"])
    op.create_table(
        "profile_mark",
        sa.Column("mark_id", sa.String(32), nullable=False),
        sa.Column("profile_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("mark_id", name="pk_profile_mark"),
        comment="Profiles written since they were looked at for other systems; a mark goes when they were.",
    )
    what = sa.Column("what", sa.String(20), nullable=False, server_default="traits", comment="traits or suppressions")
    op.add_column("trait_target", what)
    op.add_column("trait_target", sa.Column("claim", sa.String(40), comment="whoever sends to it now"))
    op.add_column("trait_target", sa.Column("claimed_until", sa.String(24), comment="then another may"))


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
