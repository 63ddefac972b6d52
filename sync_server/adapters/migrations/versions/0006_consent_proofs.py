"""Proofs of consent decisions, and where traits are sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty tables: wordings published before are still in the feed, summaries are worked out at the first export."""
    op.create_table(
        "wording",
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("sha", sa.String(64), nullable=False),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published_at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("purpose", "sha", "version", "language", name="pk_wording"),
        comment="Every wording of a consent ever published, word for word: what the sha of a decision stands for.",
    )
    op.create_table(
        "trait_row",
        sa.Column("profile_id", sa.String(36), primary_key=True),
        sa.Column(
            "n", sa.BigInteger(), nullable=False, comment="place in the row of changes; a cursor is one of these"
        ),
        sa.Column("source_sha", sa.String(64), nullable=False, comment="of what the summary was made of"),
        sa.Column("sha", sa.String(64), nullable=False, comment="of the summary; empty for a profile that is gone"),
        comment="When each profile's summary for other systems changed last. The summary itself is made when it is "
        "sent.",
    )
    op.create_index("ix_trait_row_n", "trait_row", ["n"])
    op.create_table(
        "trait_target",
        sa.Column("target_id", sa.String(12), primary_key=True, comment="made of the address"),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("made_at", sa.String(24), nullable=False),
        sa.Column("sent_n", sa.BigInteger(), nullable=False, comment="the receiver has taken everything up to here"),
        sa.Column("sent_at", sa.String(24)),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", sa.String(24)),
        sa.Column("problem", sa.Text()),
        comment="Where changed summaries are sent. The secret lies in the keys folder.",
    )


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
