"""Products on a real tablet with a real headquarters: what came of one is told to all tablets once, an old server loses
nothing of it, and which stores have some follows from the counts, whoever counts at once."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from associate_app.services import record
from associate_app.services.lookup import look_up
from associate_app.services.store_book import StoreBooks
from shared.documents import StockDocument
from shared.wire import ops
from shared.wire.messages import SCOPE_ALL
from sync_server.services.headquarters import Headquarters
from sync_server.services.products import publish_stock, publish_stocks
from sync_server.services.quarantine import replay
from tests.support.tablet import Tablet
from tests.support.world import LOYALTY_ID


def lines(tablet: Tablet) -> dict[str, list[Any]]:
    """What the card tells of products and wishes."""
    book = StoreBooks().read(tablet.database)
    profile = look_up(tablet.database, book, LOYALTY_ID, now=tablet.clock.now()).profile
    assert profile is not None
    told = sorted((line.sku, line.what) for line in profile.products)
    return {"products": told, "wishlist": [line.sku for line in profile.wishlist]}


def record_both(tablet: Tablet) -> tuple[str, str]:
    """Bought one thing, wished for another; the op ids. With the consent that lets a wish be told."""
    book = StoreBooks().read(tablet.database)
    recorder = record.Recorder(tablet.database, tablet.clock, tablet.make_id, lambda: None, "a0001")
    shopper = look_up(tablet.database, book, LOYALTY_ID, now=tablet.clock.now()).shopper
    assert shopper is not None
    record.change_consent(recorder, shopper, record.ConsentAnswer("personalise_in_store", True, "shopper_tapped"))
    bought = record.record_product(recorder, shopper, "S1", "bought").op_id
    return bought, record.record_product(recorder, shopper, "S2", "wished").op_id


def test_what_came_of_a_product_is_on_the_card_once_before_and_after_the_sync(
    hq: Headquarters, shop_tablet: Tablet
) -> None:
    """And gone everywhere when it is taken back."""
    assert shop_tablet.sync().is_complete
    _, wished = record_both(shop_tablet)
    told = {"products": [("S1", "bought"), ("S2", "wished")], "wishlist": ["S2"]}
    assert lines(shop_tablet) == told
    assert shop_tablet.sync().is_complete
    assert shop_tablet.sync().is_complete
    assert lines(shop_tablet) == told
    recorder = record.Recorder(shop_tablet.database, shop_tablet.clock, shop_tablet.make_id, lambda: None, "a0001")
    record.withdraw(recorder, wished)
    assert lines(shop_tablet) == {"products": [("S1", "bought")], "wishlist": []}
    assert shop_tablet.sync().is_complete
    assert shop_tablet.sync().is_complete
    assert lines(shop_tablet) == {"products": [("S1", "bought")], "wishlist": []}


def test_a_server_that_does_not_know_the_record_keeps_it_and_applies_it_later(
    hq: Headquarters, shop_tablet: Tablet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parked, still on this tablet's card, applied by a replay after the update; nothing is sent twice."""
    assert shop_tablet.sync().is_complete
    bought, _ = record_both(shop_tablet)
    with monkeypatch.context() as older:
        older.setattr(
            ops, "_READERS", {kind: read for kind, read in ops._READERS.items() if kind != "product_recorded"}
        )
        assert shop_tablet.sync().is_complete
    entry = shop_tablet.database.entry(bought)
    assert entry is not None
    assert (entry.state, entry.code) == ("parked", "unknown_kind")
    assert lines(shop_tablet)["products"] == [("S1", "bought"), ("S2", "wished")]
    replay(hq)
    assert shop_tablet.sync().is_complete
    assert lines(shop_tablet)["products"] == [("S1", "bought"), ("S2", "wished")]
    with hq.database.read() as reader:
        assert reader.rows("fact", kind="product_recorded", verdict="parked") == []


def available(hq: Headquarters, sku: str) -> Any:
    """The document of a product: (stores, position)."""
    with hq.database.read() as reader:
        row = reader.doc(SCOPE_ALL, f"available/{sku}")
    return None if row is None else (json.loads(row.body)["stores"], row.s)


def counted(quantity: int, sku: str = "S1") -> list[StockDocument]:
    """One line of a count."""
    return [StockDocument(sku=sku, quantity=quantity, aisle="B3", as_of="2026-11-22T10:00:00.000Z")]


def test_a_count_tells_the_others_only_whether_there_is_some(hq: Headquarters) -> None:
    """An empty shelf and a full one again; between them counting moves nobody's feed but the store's own."""
    assert available(hq, "S1") is None
    assert publish_stocks(hq, {"berlin-1": counted(3), "berlin-2": counted(0)}) == 2
    stores, first = available(hq, "S1")
    assert stores == ["berlin-1"]
    assert publish_stock(hq, "berlin-1", counted(2)) == 1
    assert available(hq, "S1") == (["berlin-1"], first)
    publish_stock(hq, "berlin-2", counted(1))
    assert available(hq, "S1")[0] == ["berlin-1", "berlin-2"]
    publish_stock(hq, "berlin-1", counted(0))
    publish_stock(hq, "berlin-2", counted(0))
    assert available(hq, "S1")[0] == []


def test_two_stores_that_count_at_once_are_both_told(hq: Headquarters) -> None:
    """Neither takes the other's away."""
    skus = [f"S{n}" for n in range(8)]
    stock = {store: [one for sku in skus for one in counted(1, sku)] for store in ("berlin-1", "berlin-2")}
    threads = [threading.Thread(target=publish_stock, args=(hq, store, stock[store])) for store in stock]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {sku: available(hq, sku)[0] for sku in skus} == {sku: ["berlin-1", "berlin-2"] for sku in skus}
