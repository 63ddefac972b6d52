"""A product as this store sees it: price, what is free here, who else has it, and what speaks of it. Before a screen.

The stock is the last count less what is on hold at this moment. Which other stores have some is HQ's word
(`available/<sku>`); where none has come, it is not known here, which is not the same as nowhere. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from associate_app.ports import TabletDatabase
from associate_app.services.holds import free_of, holds_open, kept_of
from associate_app.services.store_book import StoreBook
from shared.distances import distance_m
from shared.identity import fold_name
from shared.plays.condition import Where, walk
from shared.plays.files import Offer, is_day_between
from shared.plays.inputs import StockLevel, fold
from shared.plays.playbook import Play
from shared.profile import Money

FOUND_MAX: Final = 6
NEAR_MAX: Final = 3
_NAMING: Final = ("eq", "in")


@dataclass(frozen=True, slots=True)
class NearStore:
    """Another store that has some; metres by the map, None where a place is not known."""

    name: str
    distance_m: int | None


@dataclass(frozen=True, slots=True)
class ProductView:
    """Everything a product's screen shows. `level` is the last count, None where the store's stock says nothing of it;
    `kept` are on hold; `counted_at` (wire time) is the age of the count. `elsewhere` is None where not known here."""

    sku: str
    title: str
    brand: str | None
    category: str | None
    image: str | None
    price: Money | None
    level: StockLevel | None
    kept: Mapping[str, int]
    counted_at: str | None
    elsewhere: tuple[NearStore, ...] | None
    plays: tuple[Play, ...]
    offers: tuple[Offer, ...]


def look_up_product(database: TabletDatabase, book: StoreBook, sku: str, now: datetime) -> ProductView | None:
    """The product at this moment; None for one this store knows nothing of."""
    product, level = book.catalogue.get(sku), book.stock.get(sku)
    if product is None and level is None:
        return None
    today = book.today(now)
    return ProductView(
        sku=sku,
        title=product.title if product else sku,
        brand=product.brand if product else None,
        category=product.category if product else None,
        image=product.image if product else None,
        price=product.price_in(book.store.currency) if product else None,
        level=level,
        kept=kept_of(holds_open(database, book, now)),
        counted_at=_counted_at(database, sku),
        elsewhere=_elsewhere(database, book, sku),
        plays=tuple(_plays_about(book, sku, today)),
        offers=tuple(offer for offer in book.playbook.offers.values() if sku in offer.skus and _runs(offer, today)),
    )


def find_products(book: StoreBook, text: str, *, limit: int = FOUND_MAX) -> tuple[str, ...]:
    """Skus for a typed text: a number as printed first, then every word in the title, by title."""
    wanted = fold_name(text).split()
    if not wanted:
        return ()
    number = text.strip()
    exact = book.scan_rules.gtins.get(number)
    titled = [
        (product.title, sku)
        for sku, product in book.catalogue.items()
        if all(word in f"{fold_name(product.title)} {sku.lower()}" for word in wanted)
    ]
    found = [*([exact] if exact else []), *(sku for _, sku in sorted(titled))]
    return tuple(dict.fromkeys(found))[:limit]


def is_free(view: ProductView, book: StoreBook) -> bool:
    """Whether there is one here that is nobody's yet."""
    return bool(free_of(book, view.kept, view.sku))


def _counted_at(database: TabletDatabase, sku: str) -> str | None:
    stored = database.document(f"stock/{sku}")
    told = stored.body.get("as_of") if stored is not None else None
    return told if isinstance(told, str) else None


def _elsewhere(database: TabletDatabase, book: StoreBook, sku: str) -> tuple[NearStore, ...] | None:
    """The nearest first; a store without a place on the map comes last."""
    told = database.document(f"available/{sku}")
    if told is None:
        return None
    here = database.document(f"store/{book.store.code}")
    found = [
        NearStore(str(stored.body.get("name") or code), _metres(here.body if here else {}, stored.body))
        for code in told.body.get("stores") or ()
        if code != book.store.code and (stored := database.document(f"store/{code}")) is not None
    ]
    far = max((one.distance_m or 0 for one in found), default=0) + 1
    ordered = sorted(found, key=lambda one: (far if one.distance_m is None else one.distance_m, one.name))
    return tuple(ordered[:NEAR_MAX])


def _metres(here: Mapping[str, Any], there: Mapping[str, Any]) -> int | None:
    points = [place.get(name) for place in (here, there) for name in ("lat_e6", "lon_e6")]
    whole = [point for point in points if type(point) is int]
    return distance_m(*whole) if len(whole) == len(points) else None


def _plays_about(book: StoreBook, sku: str, today: date) -> Iterator[Play]:
    """Plays that run here and name the product, its category or its brand, or whose offer names it."""
    product = book.products.get(sku)
    named = {"sku": {fold(sku)}, "category": {fold(product.category)} if product and product.category else set()}
    named["brand"] = {fold(product.brand)} if product and product.brand else set()
    for play in book.playbook.plays:
        offer = book.playbook.offers.get(play.offer_id) if play.offer_id else None
        is_meant = (offer is not None and sku in offer.skus) or _is_named(play, named)
        runs = play.is_valid_on(today.isoformat()) and play.is_for(book.store.code, book.store.region)
        if is_meant and runs and not book.playbook.change_of(play).paused:
            yield play


def _is_named(play: Play, named: Mapping[str, set[str]]) -> bool:
    tests: Iterable[Where] = (test for _, _, part in walk(play.condition) for test in getattr(part, "where", ()))
    return any(test.op in _NAMING and named.get(test.prop, set()) & _values(test) for test in tests)


def _values(test: Where) -> set[str]:
    given = test.value if isinstance(test.value, tuple) else (test.value,)
    return {value for value in given if isinstance(value, str)}


def _runs(offer: Offer, today: date) -> bool:
    return is_day_between(today.isoformat(), offer.valid_from, offer.valid_until)
