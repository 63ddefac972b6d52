"""Offers as they were published, and an index of what was done beyond them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table, filled with the offers published now as if they had always been so, and one index."""
    op.create_table(
        "offer_version",
        sa.Column("offer_id", sa.String(80), nullable=False),
        sa.Column("published_at", sa.String(24), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("offer_id", "published_at", name="pk_offer_version"),
        comment="Offers as they were published, for an override is judged by the limits of its time.",
    )
    op.execute(
        "INSERT INTO offer_version (offer_id, published_at, body) "
        "SELECT substr(id, 7), '', body FROM doc "
        "WHERE scope = 'all' AND id LIKE 'offer/%' AND NOT deleted"
    )
    is_override = sa.text("kind = 'offer_overridden'")
    op.create_index(
        "ix_fact_override", "fact", ["effective_at"], sqlite_where=is_override, postgresql_where=is_override
    )


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
