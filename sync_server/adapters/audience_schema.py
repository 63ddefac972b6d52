"""Tables that an audience is asked of: the profile documents of the feeds once more, as rows (decision 0029).

Derived, never a truth: emptied, they are filled again from `doc`. `n` stands for a profile. Times are UTC seconds,
text is folded as rules compare it (`sku` as it is, `sku_folded` for tests). A field's column bears its catalogue name.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from shared.plays.catalogue import PURPOSES
from sync_server.adapters.schema import metadata

scope = Table(
    "audience_scope",
    metadata,
    Column("scope", String(60), primary_key=True),
    Column("s", BigInteger, nullable=False, comment="what the feed holds up to here is in the rows"),
)

shopper = Table(
    "audience_shopper",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("profile_id", String(36), nullable=False, unique=True),
    Column("orders", BigInteger, nullable=False),
    Column("refunds", BigInteger, nullable=False),
    Column("points", BigInteger),
    Column("tier", Text),
    Column("value_band", Text, nullable=False),
    Column("first_order_on", BigInteger, comment="UTC seconds; a day only in a store's time zone"),
    Column("last_order_on", BigInteger),
    Column("last_order_store", Text),
    Column("home_store", Text),
    Column("open_issue_on", BigInteger),
    Column("language", Text),
    Column("postcode", Text),
    Column("birth_on", Integer, comment="month * 100 + day; 0 for a text that is no day"),
    Column("home_store_m", BigInteger),
    *(Column(f"consent_{purpose}", Text) for purpose in PURPOSES),
)

place = Table(
    "audience_place",
    metadata,
    Column("store", String(40), nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("this_store_m", BigInteger),
    PrimaryKeyConstraint("store", "n"),
    comment="Which stores' feeds hold a profile.",
)
Index("ix_audience_place_n", place.c.n)

event = Table(
    "audience_event",
    metadata,
    Column("n", BigInteger, nullable=False),
    Column("i", Integer, nullable=False),
    Column("event", Text, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    Column("act", Integer, nullable=False, comment="the same for lines of one order: they are one event"),
    Column("channel", Text),
    Column("sku", Text),
    Column("sku_folded", Text),
    Column("category", Text),
    Column("brand", Text),
    Column("price_minor", BigInteger),
    Column("currency", Text),
    Column("store", Text),
    Column("offer_id", Text),
    Column("cart_id", Text),
    PrimaryKeyConstraint("n", "i"),
)
# All that counts and open carts ask, so that they are answered from the index alone.
Index("ix_audience_event_event", *(event.c[name] for name in ("event", "at_s", "n", "act", "sku", "category")))

moment = Table(
    "audience_moment",
    metadata,
    Column("n", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    PrimaryKeyConstraint("n", "event", "at_s"),
    comment="First and last time of each event over the whole retention.",
)
Index("ix_audience_moment_event", moment.c.event, moment.c.at_s, moment.c.n)

wanted = Table(
    "audience_wanted",
    metadata,
    Column("n", BigInteger, nullable=False),
    Column("i", Integer, nullable=False),
    Column("source", String(10), nullable=False, comment="cart or wishlist"),
    Column("sku", Text, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    PrimaryKeyConstraint("n", "i"),
)
Index("ix_audience_wanted_sku", wanted.c.sku)

outcome = Table(
    "audience_outcome",
    metadata,
    Column("n", BigInteger, nullable=False),
    Column("i", Integer, nullable=False),
    Column("play_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    PrimaryKeyConstraint("n", "i"),
)

word = Table(
    "audience_word",
    metadata,
    Column("n", BigInteger, nullable=False),
    Column("field", String(40), nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("n", "field", "value"),
    comment="Fields that are sets.",
)
Index("ix_audience_word_field", word.c.field, word.c.value, word.c.n)

money = Table(
    "audience_money",
    metadata,
    Column("n", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("net_revenue_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("n", "currency"),
)

stock = Table(
    "audience_stock",
    metadata,
    Column("store", String(40), nullable=False),
    Column("sku", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    PrimaryKeyConstraint("store", "sku"),
)

product = Table(
    "audience_product",
    metadata,
    Column("sku", Text, primary_key=True),
    Column("category", Text),
    Column("brand", Text),
)

OF_A_SHOPPER = (event, moment, wanted, outcome, word, money)
"""Rows of a profile, by `n`, besides its own row and its places."""
TABLES = (scope, shopper, place, *OF_A_SHOPPER, stock, product)
