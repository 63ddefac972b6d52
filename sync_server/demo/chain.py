"""The demo chain as a whole: `generate(seed, shoppers, now)` -> stores, people, products, stock and messages.

The batches go through the same ingest service as the public API, store by store, so that a tablet of the first store
can open while the others still come in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Final

from sync_server.demo.assets import (
    DemoAssociate,
    DemoProduct,
    DemoStore,
    Postcode,
    read_assets,
)
from sync_server.demo.diary import Message
from sync_server.demo.lives import live_a_year
from sync_server.demo.moments import utc_day
from sync_server.demo.numbers import loyalty_number, shopper_index
from sync_server.demo.people import DemoShopper, home_store_of, make_shopper
from sync_server.demo.showcase import ShowcaseShopper, tell_story

MESSAGES_MAX: Final = 2_500  # what one batch of the tracking API may hold
_OUT_OF_STOCK_RATE: Final = 0.12
_ZONES: Final = {"Trail": "A", "Everyday": "B", "Hearth": "D", "Basecamp": "C"}
_WORN: Final = frozenset({"knitwear", "base-layers", "socks", "beanies", "gloves"})


@dataclass(frozen=True, slots=True)
class DemoStock:
    """How much of a product a store has, and in which aisle."""

    store: str
    sku: str
    quantity: int
    aisle: str


@dataclass(frozen=True, slots=True)
class DemoBatch:
    """Messages about whole shoppers of one store, each shopper's oldest first."""

    store: str
    shoppers: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class DemoChain:
    """Everything the demo consists of. Static parts are ready; messages are made as `batches` is walked."""

    seed: int
    shopper_count: int
    now: datetime
    name: str
    currency: str
    timezone: str
    region: str
    stores: tuple[DemoStore, ...]
    associates: tuple[DemoAssociate, ...]
    products: tuple[DemoProduct, ...]
    postcodes: tuple[Postcode, ...]
    stock: tuple[DemoStock, ...]
    showcase: tuple[ShowcaseShopper, ...]

    def shopper(self, index: int) -> DemoShopper:
        """The shopper with this index, 0 .. shopper_count - 1; the showcase comes first."""
        return make_shopper(self.seed, index, utc_day(self._now_s()))

    def shopper_with(self, loyalty_id: str) -> DemoShopper:
        """The shopper behind a loyalty number. Raises ValueError for one that is not of this chain."""
        index = shopper_index(loyalty_id)
        if index >= self.shopper_count:
            raise ValueError(f"no shopper of this demo has the loyalty number {loyalty_id}")
        return self.shopper(index)

    def indexes_by_store(self) -> dict[str, list[int]]:
        """Indexes of the shoppers by home store, the stores in their order."""
        found: dict[str, list[int]] = {store.code: [] for store in self.stores}
        for index in range(self.shopper_count):
            found[home_store_of(self.seed, index).code].append(index)
        return found

    def messages_of(self, index: int) -> list[Message]:
        """A shopper's whole history, oldest first."""
        tell = tell_story if index < len(read_assets().showcase["shoppers"]) else live_a_year
        return tell(self.shopper(index), self.seed, self._now_s())

    def batches(self, messages_max: int = MESSAGES_MAX) -> Iterator[DemoBatch]:
        """All history, store by store, in batches of at most `messages_max` messages (one shopper is never split)."""
        for store, indexes in self.indexes_by_store().items():
            yield from self._batches_of(store, indexes, messages_max)

    def _batches_of(self, store: str, indexes: list[int], messages_max: int) -> Iterator[DemoBatch]:
        held: list[Message] = []
        shoppers = 0
        for index in indexes:
            messages = self.messages_of(index)
            if held and len(held) + len(messages) > messages_max:
                yield DemoBatch(store, shoppers, tuple(held))
                held, shoppers = [], 0
            held += messages
            shoppers += 1
        if held:
            yield DemoBatch(store, shoppers, tuple(held))

    def _now_s(self) -> int:
        return int(self.now.timestamp())


def generate(seed: int, shoppers: int, now: datetime) -> DemoChain:
    """The demo chain for a seed, a number of shoppers and an aware `now`. Equal arguments give equal messages.

    Raises ValueError for a `now` without a zone or a negative number of shoppers.
    """
    if now.tzinfo is None or shoppers < 0:
        raise ValueError("the demo chain needs an aware time and a number of shoppers of at least 0")
    assets = read_assets()
    return DemoChain(
        seed=seed,
        shopper_count=shoppers,
        now=now.astimezone(UTC),
        name=assets.chain_name,
        currency=assets.currency,
        timezone=assets.timezone,
        region=assets.region,
        stores=assets.stores,
        associates=assets.associates,
        products=assets.products,
        postcodes=assets.postcodes,
        stock=tuple(_stock(seed)),
        showcase=_showcase()[:shoppers],
    )


def _showcase() -> tuple[ShowcaseShopper, ...]:
    written = read_assets().showcase["shoppers"]
    return tuple(
        ShowcaseShopper(loyalty_number(index), " ".join(story["name"]), story["say"])
        for index, story in enumerate(written)
    )


def _stock(seed: int) -> Iterator[DemoStock]:
    assets = read_assets()
    for store in assets.stores:
        stated = assets.showcase["stock"].get(store.code, {})
        rng = Random(f"{seed}/stock/{store.code}")
        for product in assets.products:
            quantity = 0 if rng.random() < _OUT_OF_STOCK_RATE else rng.choices(range(1, 15), range(15, 1, -1))[0]
            told = stated.get(product.sku, {"quantity": quantity, "aisle": _aisles()[product.category]})
            yield DemoStock(store.code, product.sku, told["quantity"], told["aisle"])


@cache
def _aisles() -> dict[str, str]:
    """Category -> aisle: a letter for the part of the shop, a number within it; what is worn close hangs in B."""
    aisles: dict[str, str] = {}
    for product in read_assets().products:
        zone = "B" if product.category in _WORN else _ZONES[product.line]
        if product.category not in aisles:
            aisles[product.category] = f"{zone}{1 + sum(held[0] == zone for held in aisles.values())}"
    return aisles
