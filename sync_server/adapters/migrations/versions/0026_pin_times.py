"""When a PIN was set: store managers set them too, offline, and of two the later one holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column; PINs of before have no time, so that any new one holds."""
    comment = "when the PIN was set, by HQ's clock; of two the later one holds"
    op.add_column("associate", sa.Column("pin_set_at", sa.String(24), nullable=True, comment=comment))


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
