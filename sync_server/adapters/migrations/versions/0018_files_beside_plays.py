"""Files beside the plays that HQ keeps: campaigns and journeys, each version as it was published."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table."""
    op.create_table(
        "file_version",
        sa.Column("kind", sa.String(20), nullable=False, comment="campaign or journey"),
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha", sa.String(64), nullable=False, comment="of the body: equal content is one version"),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("published_at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", "version", name="pk_file_version"),
        comment="Files beside the plays that no tablet reads, each version as it was published.",
    )


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
