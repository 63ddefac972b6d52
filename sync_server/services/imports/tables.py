"""Rows that are the chain's own things: products, stock, stores, people and places, written through their services."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from shared.documents import ProductDocument, StockDocument
from shared.errors import Malformed
from shared.money import currency_code, minor_units
from shared.profile import Money
from sync_server.ports import Store
from sync_server.services.chain import (
    NewAssociate,
    add_associates,
    add_stores,
    list_associates,
    list_stores,
    read_chain,
    with_defaults,
    without_none,
)
from sync_server.services.headquarters import Headquarters
from sync_server.services.imports.mapping import ImportMapping
from sync_server.services.imports.readings import Reading
from sync_server.services.products import publish_products, publish_stock

_MICRO: Final = 1_000_000


def _product(row: Reading, mapping: ImportMapping) -> ProductDocument:
    amount, currency = row.number("price"), row.text("currency") or mapping.currency
    prices = []
    if amount is not None:
        code = currency_code(currency)
        minor = minor_units(amount, code) if code else None
        if code is None or minor is None:
            raise Malformed(f"the price has no currency that can be read: {currency!r:.20}")
        prices = [Money(minor=minor, currency=code)]
    told = {name: row.text(name) for name in ("category", "brand", "gtin", "image")}
    sizes = [size.strip() for size in (row.text("sizes") or "").split("|") if size.strip()]
    return ProductDocument(sku=row.must("sku"), title=row.must("title"), prices=prices, sizes=sizes, **told)


def _stock(row: Reading, _: ImportMapping) -> tuple[str, StockDocument]:
    quantity = row.whole("quantity")
    if quantity is None or quantity < 0:
        raise Malformed("the quantity is no whole number from 0")
    return row.must("store"), StockDocument(sku=row.must("sku"), quantity=quantity, aisle=row.text("aisle"))


def _store(row: Reading, mapping: ImportMapping) -> dict[str, Any]:
    told: dict[str, Any] = {name: row.text(name) for name in ("country", "region", "timezone")}
    told |= {"currency": row.text("currency") or mapping.currency, **_place(row)}
    return {"code": row.must("code"), "name": row.must("name"), **told}


def _place(row: Reading) -> dict[str, int | None]:
    return {
        f"{name}_e6": None if (said := row.number(name)) is None else round(float(said) * _MICRO)
        for name in ("lat", "lon")
    }


def _associate(row: Reading, _: ImportMapping) -> NewAssociate:
    return NewAssociate(
        row.must("store"), row.must("name"), row.text("role") or "associate", row.text("pin"), row.text("associate_id")
    )


def _postcode(row: Reading, _: ImportMapping) -> dict[str, Any]:
    place = _place(row)
    if None in place.values():
        raise Malformed("the place has no coordinates")
    return {**place, "country": row.must("country").upper(), "postcode": row.must("postcode")}


TABLES: Final[Mapping[str, Callable[[Reading, ImportMapping], Any]]] = {
    "products": _product,
    "stock": _stock,
    "stores": _store,
    "associates": _associate,
    "postcodes": _postcode,
}


def write_table(hq: Headquarters, kind: str, made: Sequence[Any]) -> int:
    """Write what a file held; returns how many were new or changed. Raises Refused as the services do."""
    return _WRITERS[kind](hq, made)


def _write_products(hq: Headquarters, made: Sequence[Any]) -> int:
    return publish_products(hq, made)


def _write_stock(hq: Headquarters, made: Sequence[Any]) -> int:
    by_store: dict[str, list[StockDocument]] = {}
    for store, held in made:
        by_store.setdefault(store, []).append(held)
    return sum(publish_stock(hq, store, stock) for store, stock in by_store.items())


def _write_stores(hq: Headquarters, made: Sequence[Any]) -> int:
    with hq.database.read() as reader:
        chain = read_chain(reader)
    known = {store.code for store in list_stores(hq)}
    fresh = [with_defaults(Store(**{"currency": "", "timezone": "", **without_none(one)}), chain) for one in made]
    fresh = [store for store in fresh if store.code not in known]
    if fresh:
        add_stores(hq, fresh)
    return len(fresh)


def _write_associates(hq: Headquarters, made: Sequence[Any]) -> int:
    known = {(row["store"], row["name"]) for row in list_associates(hq)}
    fresh = [one for one in made if (one.store, one.name) not in known]
    if fresh:
        add_associates(hq, fresh)
    return len(fresh)


def _write_postcodes(hq: Headquarters, made: Sequence[Any]) -> int:
    with hq.database.write() as tx:
        for row in made:
            tx.put_row("postcode", row)
    return len(made)


_WRITERS: Final[Mapping[str, Callable[[Headquarters, Sequence[Any]], int]]] = {
    "products": _write_products,
    "stock": _write_stock,
    "stores": _write_stores,
    "associates": _write_associates,
    "postcodes": _write_postcodes,
}
