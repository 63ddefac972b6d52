"""Which ops of a device were about shoppers who were erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An index over the few facts that were blanked."""
    is_erased = sa.text("code = 'erased'")
    op.create_index(
        "ix_fact_erased", "fact", ["device_id", "received_at"], sqlite_where=is_erased, postgresql_where=is_erased
    )


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
