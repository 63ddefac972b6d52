"""The first schema."""

from __future__ import annotations

from alembic import op

from sync_server.adapters.schema import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table. Frozen into single operations by the first version that follows it."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
