"""A webhook says how it wants its shoppers named."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column; those there are go on as they were."""
    comment = "how suppressions name a shopper: sha256, or hmac-sha256 with the target's secret"
    keys = sa.Column("keys", sa.String(20), nullable=False, server_default="sha256", comment=comment)
    op.add_column("trait_target", keys)


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
