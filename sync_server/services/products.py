"""Products for every tablet of the chain, each store's stock of them, and for all which stores have some.

Prices are minor units per currency.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared.documents import ProductDocument, StockDocument
from shared.errors import Refused
from shared.wire.messages import SCOPE_ALL, store_scope
from sync_server.ports import CentralReader, DocWrite
from sync_server.services.chain import document_in_all, document_in_store
from sync_server.services.conflicts import tried_again
from sync_server.services.headquarters import Headquarters


def publish_products(hq: Headquarters, products: Iterable[ProductDocument]) -> int:
    """Put products into scope `all`; those already so in the feed are left alone. Returns how many were
    new or changed."""
    writes = [
        document_in_all(f"product/{product.sku}", product.model_dump(mode="json", exclude_none=True))
        for product in products
    ]
    return _publish(hq, SCOPE_ALL, writes)


def set_picture(hq: Headquarters, sku: str, content: bytes) -> ProductDocument:
    """Give a product its picture; its document names it by its sha, and tablets fetch it by that. Raises Refused."""
    with hq.database.read() as reader:
        if (row := reader.doc(SCOPE_ALL, f"product/{sku}")) is None or row.deleted:
            raise Refused(f"There is no product with the sku {sku!r:.60}.")
    sha = hq.media.add(content)
    with hq.database.write() as tx:
        row = tx.doc(SCOPE_ALL, f"product/{sku}") or row
        product = ProductDocument.model_validate_json(row.body).model_copy(update={"image": sha})
        hq.note_audit(tx, "command line", "gave the product a picture", sku)
        shown = product.model_dump(mode="json", exclude_none=True)
        tx.publish([document_in_all(f"product/{sku}", shown)], hq.now_at())
    hq.doorbell.ring()
    return product


def publish_stock(hq: Headquarters, store: str, stock: Sequence[StockDocument]) -> int:
    """Put a store's stock into its scope, and for all that this store has some or none. Returns how many were new or
    changed."""
    return publish_stocks(hq, {store: stock})


@tried_again
def publish_stocks(hq: Headquarters, by_store: Mapping[str, Sequence[StockDocument]]) -> int:
    """The same of several stores at once."""
    writes = [
        document_in_store(store, f"stock/{held.sku}", held.model_dump(mode="json", exclude_none=True))
        for store, stock in by_store.items()
        for held in stock
    ]
    scopes = [store_scope(store) for store in by_store]
    with hq.database.write() as tx:
        tx.hold_feed(SCOPE_ALL)
        before = {scope: tx.head(scope).n for scope in scopes}
        after = tx.publish([*_available(tx, by_store), *writes], hq.now_at())
    hq.doorbell.ring()
    return sum(after.get(scope, n) - n for scope, n in before.items())


def _available(reader: CentralReader, by_store: Mapping[str, Sequence[StockDocument]]) -> Iterator[DocWrite]:
    """Which stores have some of each product counted, when that is so of these stores; the others stay as they were."""
    told: dict[str, set[str]] = {}
    for store, stock in by_store.items():
        for held in stock:
            stores = told[held.sku] if held.sku in told else told.setdefault(held.sku, _stores_with(reader, held.sku))
            (stores.add if held.quantity > 0 else stores.discard)(store)
    for sku, stores in told.items():
        yield document_in_all(f"available/{sku}", {"sku": sku, "stores": sorted(stores)})


def _stores_with(reader: CentralReader, sku: str) -> set[str]:
    row = reader.doc(SCOPE_ALL, f"available/{sku}")
    return set() if row is None or row.deleted else set(json.loads(row.body)["stores"])


def _publish(hq: Headquarters, scope: str, writes: Sequence[DocWrite]) -> int:
    """Each document that changes moves the scope's head by one, and a writer holds the head until it commits."""
    with hq.database.write() as tx:
        before = tx.head(scope).n
        after = tx.publish(writes, hq.now_at()).get(scope, before)
    hq.doorbell.ring()
    return after - before
