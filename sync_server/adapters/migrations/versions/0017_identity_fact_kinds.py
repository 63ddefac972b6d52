"""What people said of who is who is asked by kind: blocks with every part worked out, the policy with every push."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One index, and what may stand in the column (SQLite keeps no comments)."""
    op.create_index("ix_identity_fact_kind", "identity_fact", ["kind"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("COMMENT ON COLUMN identity_fact.kind IS 'link, alias, split, block, release or policy'")


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
