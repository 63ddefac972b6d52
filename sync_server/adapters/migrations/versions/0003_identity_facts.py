"""Identity facts: what was seen together, what a person linked, split or blocked, and what waits for review."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty tables: the next opening fills them from the ledger (`identity rebuild`)."""
    op.create_table(
        "sighting",
        sa.Column("sighting_id", sa.String(36), primary_key=True, comment="made of what was seen together"),
        sa.Column("at", sa.String(24), nullable=False, comment="when first"),
        sa.Column("fact_id", sa.String(36), nullable=False, comment="in which fact first"),
        sa.Column("identifiers", sa.Text(), nullable=False, comment="JSON list of [type, value]"),
        sa.Column("family_name", sa.Text()),
        sa.Column("postcode", sa.String(20)),
        sa.Column("is_verified", sa.Boolean(), nullable=False, server_default=sa.false()),
        comment="Identity facts of observations: identifiers seen together, each combination once, with its first "
        "moment.",
    )
    op.create_table(
        "sighted",
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("value", sa.String(600), nullable=False),
        sa.Column("sighting_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("type", "value", "sighting_id", name="pk_sighted"),
        comment="Which sightings a value is in.",
    )
    op.create_table(
        "identity_fact",
        sa.Column("fact_id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(10), nullable=False, comment="link, alias, split, block or release"),
        sa.Column("a_type", sa.String(20), nullable=False),
        sa.Column("a_value", sa.String(600), nullable=False),
        sa.Column("b_type", sa.String(20)),
        sa.Column("b_value", sa.String(600)),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        comment="What a person, or a shop's alias call, said of who is who. Never changed, never deleted: said again.",
    )
    op.create_index("ix_identity_fact_a", "identity_fact", ["a_type", "a_value"])
    op.create_index("ix_identity_fact_b", "identity_fact", ["b_type", "b_value"])
    op.create_table(
        "review",
        sa.Column("review_id", sa.String(36), primary_key=True, comment="made of the two identifiers"),
        sa.Column("a_type", sa.String(20), nullable=False),
        sa.Column("a_value", sa.String(600), nullable=False),
        sa.Column("b_type", sa.String(20), nullable=False),
        sa.Column("b_value", sa.String(600), nullable=False),
        sa.Column("why", sa.String(40), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False, server_default="{}", comment="JSON: what speaks for it"),
        sa.Column("score", sa.Integer(), comment="in thousandths, where a matcher gave one"),
        sa.Column("found_at", sa.String(24), nullable=False),
        sa.Column("decided_at", sa.String(24)),
        sa.Column("decision", sa.String(10), comment="linked, split or kept"),
        comment="Pairs a person should look at: refused edges and probable duplicates. Nothing here merges by itself.",
    )
    op.add_column("identifier", sa.Column("own_id", sa.String(36), comment="the profile id it would give by itself"))
    op.create_index("ix_identifier_own_id", "identifier", ["own_id"])
    op.add_column(
        "profile", sa.Column("held_at", sa.String(24), comment="since when its publication waits for HQ's word")
    )


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
