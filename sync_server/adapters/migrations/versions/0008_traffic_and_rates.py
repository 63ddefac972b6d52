"""Visitors of each store and hour, and dated rates of currencies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables that file imports fill."""
    op.create_table(
        "store_traffic",
        sa.Column("store", sa.String(40), nullable=False),
        sa.Column("hour", sa.String(24), nullable=False, comment="when the hour began, in UTC"),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("store", "hour", name="pk_store_traffic"),
        comment="Visitors that a store's counter saw in an hour; what was imported last counts.",
    )
    op.create_table(
        "currency_rate",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column(
            "rate", sa.Text(), nullable=False, comment="decimal text: what one unit is in the reporting currency"
        ),
        sa.PrimaryKeyConstraint("day", "currency", name="pk_currency_rate"),
        comment="Dated rates by which reports bring money into one currency; a missing one leaves it shown apart.",
    )


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
