"""Webhooks: senders with a mapping, and the bodies they sent, kept as they came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three tables: the senders, what they delivered, and whose each order or ticket is."""
    op.create_table(
        "hook",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("mapping", sa.Text(), nullable=False, comment="the mapping file as it was given, YAML"),
        sa.Column("created_at", sa.String(24), nullable=False),
        sa.Column("changed_at", sa.String(24), nullable=False),
        sa.Column("disabled_at", sa.String(24)),
        comment="Senders of webhooks. Their secrets lie in the keys folder, never here.",
    )
    op.create_table(
        "hook_delivery",
        sa.Column("delivery_id", sa.String(36), primary_key=True, comment="made of hook, id headers and body"),
        sa.Column("hook", sa.String(80), nullable=False),
        sa.Column("received_at", sa.String(24), nullable=False),
        sa.Column(
            "headers", sa.Text(), nullable=False, comment="JSON object, names in lower case, credentials left out"
        ),
        sa.Column("body", sa.Text(), nullable=False, comment="as it came, unpacked"),
        sa.Column("state", sa.String(10), nullable=False, comment="stored, mapped, waiting, ignored or failed"),
        sa.Column("detail", sa.Text(), comment="why it failed, or what it waits for, in words"),
        sa.Column("waits_for", sa.String(600), comment="the key whose shopper is not known yet"),
        sa.Column("messages", sa.Integer(), nullable=False, server_default="0", comment="how many messages came of it"),
        sa.Column(
            "letters", sa.Text(), nullable=False, server_default="[]", comment="JSON list of its dead letters' ids"
        ),
        sa.Column("mapped_at", sa.String(24)),
        comment="What a sender delivered, stored before it is read: mapped after that, and again when a mapping is "
        "mended.",
    )
    op.create_index("ix_hook_delivery_queue", "hook_delivery", ["hook", "state", "received_at"])
    op.create_index(
        "ix_hook_delivery_waiting",
        "hook_delivery",
        ["hook", "waits_for"],
        sqlite_where=sa.text("waits_for IS NOT NULL"),
        postgresql_where=sa.text("waits_for IS NOT NULL"),
    )
    op.create_table(
        "hook_key",
        sa.Column("hook", sa.String(80), nullable=False),
        sa.Column("key", sa.String(600), nullable=False),
        sa.Column("who", sa.Text(), comment="JSON: identifiers by type; null while it is only waited for"),
        sa.Column("learned_at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("hook", "key", name="pk_hook_key"),
        comment="Whose an order or ticket is, for what names only that: a refund, a ticket claimed later.",
    )


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
