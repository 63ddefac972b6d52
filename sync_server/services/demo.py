"""Fills an empty chain with the demo: stores, people, products, playbook, and a year of history through the ingest.

Store by store, the first one first, so that a tablet can be tried while the rest comes in. Broken off and started again
with the same seed it goes on where it was: every message counts once for ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from shared.clock import format_at, parse_at
from shared.documents import ProductDocument, StockDocument
from shared.errors import Refused
from shared.profile import Money
from sync_server.demo.chain import DemoChain, generate
from sync_server.ports import Store
from sync_server.services.chain import (
    Chain,
    NewAssociate,
    add_associates,
    add_stores,
    has_chain,
    make_chain,
)
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.playbook import publish_playbook
from sync_server.services.products import publish_products, publish_stocks
from sync_server.services.upkeep import refresh_profiles

SOURCE: Final = "demo"
NOTE: Final = "demo"
SHOPPERS_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class DemoProgress:
    """How far the filling is. `stores_in` are the stores whose shoppers are all there."""

    shoppers: int
    shoppers_total: int
    messages: int
    stores_in: tuple[str, ...]


Tell = Callable[[DemoProgress], None]


def fill_demo(hq: Headquarters, shoppers: int, seed: int, tell: Tell = lambda _: None) -> dict[str, Any]:
    """Make the demo chain, or go on making it. Raises Refused where another chain, or another demo, is already here."""
    if not 0 <= shoppers <= SHOPPERS_MAX:
        raise Refused(f"The demo takes 0 to {SHOPPERS_MAX} shoppers, not {shoppers}.")
    plan = _plan(hq, shoppers, seed)
    chain = generate(seed, shoppers, parse_at(plan["now"]))
    if not plan["is_set_up"]:
        _set_up(hq, chain)
        _note(hq, plan := {**plan, "is_set_up": True})
    progress = DemoProgress(0, shoppers, 0, ())
    for progress in _take_history(hq, chain):
        if progress.stores_in and "first_store_at" not in plan:
            _note(hq, plan := {**plan, "first_store_at": hq.now_at()})
        hq.doorbell.ring()
        tell(progress)
    refresh_profiles(hq.database, hq.clock)
    _note(hq, {**plan, "done_at": hq.now_at()})
    hq.doorbell.ring()
    stores = [store.code for store in chain.stores]
    return {"shoppers": shoppers, "messages": progress.messages, "seed": seed, "stores": stores}


def is_first_store_in(hq: Headquarters) -> bool:
    """Say whether the first store's shoppers are all there, so that its tablets can be tried."""
    with hq.database.read() as reader:
        plan = json.loads(reader.note(NOTE) or "{}")
    return "first_store_at" in plan or "done_at" in plan


def _plan(hq: Headquarters, shoppers: int, seed: int) -> dict[str, Any]:
    """The demo's plan: a fresh one for an empty chain, the saved one where it was broken off."""
    with hq.database.read() as reader:
        saved = json.loads(reader.note(NOTE) or "null")
        is_taken = has_chain(reader)
    if saved is None:
        if is_taken:
            raise Refused("There is already a chain here. The demo needs an empty one: give another --data-dir.")
        fresh = {"seed": seed, "shoppers": shoppers, "now": format_at(hq.clock.now()), "is_set_up": False}
        _note(hq, fresh)
        return fresh
    if "done_at" in saved:
        raise Refused("The demo is already in this chain. Give another --data-dir for another one.")
    if (saved["seed"], saved["shoppers"]) != (seed, shoppers):
        raise Refused(
            f"A demo of {saved['shoppers']} shoppers with seed {saved['seed']} was begun here: "
            "finish it with the same figures, or give another --data-dir."
        )
    return dict(saved)


def _note(hq: Headquarters, plan: dict[str, Any]) -> None:
    with hq.database.write() as tx:
        tx.write_note(NOTE, json.dumps(plan))


def _set_up(hq: Headquarters, chain: DemoChain) -> None:
    """Everything but history. Each step leaves alone what an earlier try already made."""
    with hq.database.read() as reader:
        is_made, stores = has_chain(reader), reader.stores()
        people = reader.rows("associate")
    if not is_made:
        make_chain(hq, Chain(chain.name, chain.currency, chain.timezone, chain.region))
    _add_postcodes(hq, chain)
    if not stores:
        add_stores(hq, [_store(store) for store in chain.stores])
    if not people:
        add_associates(
            hq, [NewAssociate(one.store, one.name, one.role, one.pin, one.associate_id) for one in chain.associates]
        )
    publish_products(hq, _products(hq, chain))
    publish_stocks(hq, {store.code: list(_stock(chain, store.code, hq.now_at())) for store in chain.stores})
    publish_playbook(hq)


def _add_postcodes(hq: Headquarters, chain: DemoChain) -> None:
    with hq.database.write() as tx:
        for place in chain.postcodes:
            row = {name: value for name, value in asdict(place).items() if name != "place"}
            tx.put_row("postcode", row)


def _store(store: Any) -> Store:
    return Store(
        code=store.code,
        name=store.name,
        currency=store.currency,
        timezone=store.timezone,
        country=store.country,
        lat_e6=store.lat_e6,
        lon_e6=store.lon_e6,
        hours=json.dumps({day: list(times) for day, times in store.hours.items()}),
    )


def _products(hq: Headquarters, chain: DemoChain) -> Iterator[ProductDocument]:
    for product in chain.products:
        yield ProductDocument(
            sku=product.sku,
            title=product.title,
            category=product.category,
            brand=product.brand,
            gtin=product.gtin,
            prices=[Money(minor=minor, currency=currency) for currency, minor in sorted(product.price_minor.items())],
            image=product.picture,
            sizes=list(product.sizes),
        )


def _stock(chain: DemoChain, store: str, as_of: str) -> Iterator[StockDocument]:
    for held in chain.stock:
        if held.store == store:
            yield StockDocument(sku=held.sku, quantity=held.quantity, aisle=held.aisle, as_of=as_of)


def _take_history(hq: Headquarters, chain: DemoChain) -> Iterator[DemoProgress]:
    """Take the batches, telling after each how far it is; a store is in when the next one begins."""
    shoppers = messages = 0
    stores: list[str] = []
    current = ""
    for batch in chain.batches():
        if current and batch.store != current:
            stores.append(current)
        current = batch.store
        take_messages(hq.database, hq.clock, SOURCE, batch.messages)
        shoppers, messages = shoppers + batch.shoppers, messages + len(batch.messages)
        yield DemoProgress(shoppers, chain.shopper_count, messages, tuple(stores))
    if current:
        yield DemoProgress(shoppers, chain.shopper_count, messages, (*stores, current))
