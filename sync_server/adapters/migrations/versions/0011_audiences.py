"""Tables that an audience is asked of: derived from the feed, filled by the first preview."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty tables; nothing is read from the feed here."""
    _shoppers()
    _lines()
    _words_and_goods()


def _shoppers() -> None:
    """Who is asked about, and in which feeds."""
    op.create_table(
        "audience_scope",
        sa.Column("scope", sa.String(60), nullable=False),
        sa.Column("s", sa.BigInteger(), nullable=False, comment="what the feed holds up to here is in the rows"),
        sa.PrimaryKeyConstraint("scope", name="pk_audience_scope"),
    )
    op.create_table(
        "audience_shopper",
        sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("profile_id", sa.String(36), nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("refunds", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger()),
        sa.Column("tier", sa.Text()),
        sa.Column("value_band", sa.Text(), nullable=False),
        sa.Column("first_order_on", sa.BigInteger(), comment="UTC seconds; a day only in a store's time zone"),
        sa.Column("last_order_on", sa.BigInteger()),
        sa.Column("last_order_store", sa.Text()),
        sa.Column("home_store", sa.Text()),
        sa.Column("open_issue_on", sa.BigInteger()),
        sa.Column("language", sa.Text()),
        sa.Column("postcode", sa.Text()),
        sa.Column("birth_on", sa.Integer(), comment="month * 100 + day; 0 for a text that is no day"),
        sa.Column("home_store_m", sa.BigInteger()),
        sa.Column("consent_personalise_in_store", sa.Text()),
        sa.Column("consent_profiling", sa.Text()),
        sa.Column("consent_analytics", sa.Text()),
        sa.Column("consent_email", sa.Text()),
        sa.Column("consent_sms", sa.Text()),
        sa.Column("consent_phone", sa.Text()),
        sa.PrimaryKeyConstraint("n", name="pk_audience_shopper"),
        sa.UniqueConstraint("profile_id", name="uq_audience_shopper_profile_id"),
    )
    op.create_table(
        "audience_place",
        sa.Column("store", sa.String(40), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("this_store_m", sa.BigInteger()),
        sa.PrimaryKeyConstraint("store", "n", name="pk_audience_place"),
        comment="Which stores' feeds hold a profile.",
    )
    op.create_index("ix_audience_place_n", "audience_place", ["n"])


def _lines() -> None:
    """What happened, what is wanted, what came of plays."""
    op.create_table(
        "audience_event",
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("i", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.Integer(), nullable=False, comment="the same for lines of one order: they are one event"),
        sa.Column("channel", sa.Text()),
        sa.Column("sku", sa.Text()),
        sa.Column("sku_folded", sa.Text()),
        sa.Column("category", sa.Text()),
        sa.Column("brand", sa.Text()),
        sa.Column("price_minor", sa.BigInteger()),
        sa.Column("currency", sa.Text()),
        sa.Column("store", sa.Text()),
        sa.Column("offer_id", sa.Text()),
        sa.Column("cart_id", sa.Text()),
        sa.PrimaryKeyConstraint("n", "i", name="pk_audience_event"),
    )
    op.create_index("ix_audience_event_event", "audience_event", ["event", "at_s", "n", "act", "sku", "category"])
    op.create_table(
        "audience_moment",
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("n", "event", "at_s", name="pk_audience_moment"),
        comment="First and last time of each event over the whole retention.",
    )
    op.create_index("ix_audience_moment_event", "audience_moment", ["event", "at_s", "n"])
    op.create_table(
        "audience_wanted",
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("i", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(10), nullable=False, comment="cart or wishlist"),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("n", "i", name="pk_audience_wanted"),
    )
    op.create_index("ix_audience_wanted_sku", "audience_wanted", ["sku"])
    op.create_table(
        "audience_outcome",
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("i", sa.Integer(), nullable=False),
        sa.Column("play_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("n", "i", name="pk_audience_outcome"),
    )


def _words_and_goods() -> None:
    """Sets, money, and the shelves."""
    op.create_table(
        "audience_word",
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.String(40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", "field", "value", name="pk_audience_word"),
        comment="Fields that are sets.",
    )
    op.create_index("ix_audience_word_field", "audience_word", ["field", "value", "n"])
    op.create_table(
        "audience_money",
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("net_revenue_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("n", "currency", name="pk_audience_money"),
    )
    op.create_table(
        "audience_stock",
        sa.Column("store", sa.String(40), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("store", "sku", name="pk_audience_stock"),
    )
    op.create_table(
        "audience_product",
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("category", sa.Text()),
        sa.Column("brand", sa.Text()),
        sa.PrimaryKeyConstraint("sku", name="pk_audience_product"),
    )


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")
