"""Pages that show a card on the shopper's own phone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An empty table: pages are made by command, one at a time."""
    op.create_table(
        "card_page",
        sa.Column("page_hash", sa.String(64), primary_key=True, comment="SHA-256 of the random part of its address"),
        sa.Column("loyalty_id", sa.String(20), nullable=False),
        sa.Column("made_at", sa.String(24), nullable=False),
        sa.Column("withdrawn_at", sa.String(24)),
        comment="Pages that show a shopper's card on her own phone; the address itself is stored nowhere.",
    )
    op.create_index("ix_card_page_loyalty_id", "card_page", ["loyalty_id"])


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
