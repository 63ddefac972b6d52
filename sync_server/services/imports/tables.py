"""Rows that are the chain's own things: products, stock, stores, people, places, rates and hours of visitors, written
through their services. Everything is written as it is; what comes a second time changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from shared.documents import ProductDocument, StockDocument
from shared.errors import Malformed
from shared.money import currency_code, minor_units
from shared.opening_hours import parse_hours
from shared.profile import Money
from sync_server.ports import CentralWriter, Store
from sync_server.services.chain import (
    NewAssociate,
    add_associates,
    add_stores,
    list_associates,
    list_stores,
    read_chain,
    set_hours,
    with_defaults,
    without_none,
)
from sync_server.services.headquarters import Headquarters
from sync_server.services.imports.readings import Reading
from sync_server.services.products import publish_products, publish_stock

_MICRO: Final = 1_000_000
_RATE_MAX: Final = 1_000_000_000
_RATE_DECIMALS_MAX: Final = 12
_PLANNED_DAYS_MAX: Final = 400
"""Budgets fix rates for the coming year; a later day is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What rows are checked against: the chain's currency, its stores' time zones by code, and the day it is."""

    currency: str
    timezones: Mapping[str, str]
    today: date

    def store_of(self, row: Reading) -> str:
        """The store a row names. Raises Malformed for one that there is not."""
        code = row.must("store")
        if code not in self.timezones:
            raise Malformed(f"there is no such store: {code!r:.60}")
        return code


def _product(row: Reading, _: Ground) -> ProductDocument:
    amount, currency = row.number("price"), row.text("currency")
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


def _stock(row: Reading, ground: Ground) -> tuple[str, StockDocument]:
    quantity = row.whole("quantity")
    if quantity is None or quantity < 0:
        raise Malformed("the quantity is no whole number from 0")
    return ground.store_of(row), StockDocument(sku=row.must("sku"), quantity=quantity, aisle=row.text("aisle"))


def _store(row: Reading, _: Ground) -> dict[str, Any]:
    told: dict[str, Any] = {name: row.text(name) for name in ("country", "region", "timezone")}
    told |= {"currency": row.text("currency"), **_place(row)}
    if hours := row.text("hours"):
        told["hours"] = json.dumps(parse_hours(hours))
    return {"code": row.must("code"), "name": row.must("name"), **told}


def _place(row: Reading) -> dict[str, int | None]:
    return {
        f"{name}_e6": None if (said := row.number(name)) is None else round(float(said) * _MICRO)
        for name in ("lat", "lon")
    }


def _associate(row: Reading, ground: Ground) -> NewAssociate:
    return NewAssociate(
        ground.store_of(row),
        row.must("name"),
        row.text("role") or "associate",
        row.text("pin"),
        row.text("associate_id"),
    )


def _postcode(row: Reading, _: Ground) -> dict[str, Any]:
    place = _place(row)
    if None in place.values():
        raise Malformed("the place has no coordinates")
    return {**place, "country": row.must("country").upper(), "postcode": row.must("postcode")}


def _rate(row: Reading, ground: Ground) -> dict[str, Any]:
    """What one unit of a currency was on a day. Raises Malformed for one that cannot be, such as one turned over."""
    day, currency, rate = row.day("day"), currency_code(row.must("currency")), row.decimal("rate")
    if currency is None:
        raise Malformed(f"the currency is no code of three letters: {row.must('currency')!r:.20}")
    if rate is None or not 0 < rate <= _RATE_MAX:
        raise Malformed(f"the rate is no amount above 0: {row.text('rate')!r:.40}")
    if -int(rate.normalize().as_tuple().exponent) > _RATE_DECIMALS_MAX:
        raise Malformed(f"the rate has more than {_RATE_DECIMALS_MAX} decimals: {rate}")
    if currency == ground.currency and rate != 1:
        raise Malformed(
            f"the chain's own currency has the rate 1; are these rates the other way round? It says: {rate}"
        )
    if day > ground.today + timedelta(days=_PLANNED_DAYS_MAX):
        raise Malformed(f"the day lies too far ahead: {day}")
    return {"day": day.isoformat(), "currency": currency, "rate": f"{rate.normalize():f}"}


TABLES: Final[Mapping[str, Callable[[Reading, Ground], Any]]] = {
    "products": _product,
    "stock": _stock,
    "stores": _store,
    "associates": _associate,
    "postcodes": _postcode,
    "rates": _rate,
}
"""Kinds of which each row is a thing by itself. Hours of visitors are in `traffic.py`."""


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
    told = {one["code"]: json.loads(one["hours"]) for one in made if one["code"] in known and "hours" in one}
    return len(fresh) + (set_hours(hq, told) if told else 0)


def _write_associates(hq: Headquarters, made: Sequence[Any]) -> int:
    known = {(row["store"], row["name"]) for row in list_associates(hq)}
    fresh = [one for one in made if (one.store, one.name) not in known]
    if fresh:
        add_associates(hq, fresh)
    return len(fresh)


def _write_postcodes(hq: Headquarters, made: Sequence[Any]) -> int:
    return _put_rows(hq, "postcode", ("country", "postcode"), made)


def _write_rates(hq: Headquarters, made: Sequence[Any]) -> int:
    return _put_rows(hq, "currency_rate", ("day", "currency"), made)


def _write_traffic(hq: Headquarters, made: Sequence[Any]) -> int:
    return _put_rows(hq, "store_traffic", ("store", "hour"), made)


def _put_rows(hq: Headquarters, table: str, key: Sequence[str], made: Sequence[Mapping[str, Any]]) -> int:
    with hq.database.write() as tx:
        return sum(_put(tx, table, key, row) for row in made)


def _put(tx: CentralWriter, table: str, key: Sequence[str], row: Mapping[str, Any]) -> bool:
    """The last one wins; says whether that changed anything."""
    if tx.add_row(table, row):
        return True
    if tx.rows(table, **{name: row[name] for name in key}) == [dict(row)]:
        return False
    tx.put_row(table, row)
    return True


_WRITERS: Final[Mapping[str, Callable[[Headquarters, Sequence[Any]], int]]] = {
    "products": _write_products,
    "stock": _write_stock,
    "stores": _write_stores,
    "associates": _write_associates,
    "postcodes": _write_postcodes,
    "rates": _write_rates,
    "traffic": _write_traffic,
}
