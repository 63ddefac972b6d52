"""Holds: what is kept for shoppers in this store, until closing or a day, and what became of it. Flow step 5.

A hold is gone by itself when the store's day ends (a setting): nobody has to release what nobody came for. What is on
hold is not free for others: the stock shown is less by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from associate_app.ports import TabletDatabase
from associate_app.services.lookup import ShopperKey
from associate_app.services.promises import promise_to_change, promises_open
from associate_app.services.record import Recorder, Saved, change_promise, hold_product
from associate_app.services.scan import ProductReading, read_scan
from associate_app.services.store_book import StoreBook
from shared.errors import Refused
from shared.plays.inputs import zone_of
from shared.promises import Promise, is_hold_over

KIND: Final = "hold"
DAYS_AHEAD_MAX: Final = 60
QUANTITY_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class HoldWish:
    """What is to be kept: a product as scanned, typed or chosen, how many, through which day of the store."""

    product: str
    until: date
    quantity: int = 1


def holds_open(database: TabletDatabase, book: StoreBook, now: datetime) -> tuple[Promise, ...]:
    """What is on hold at this moment, soonest gone first."""
    here, end_h = now.astimezone(zone_of(book.store.timezone)), book.rules.holds_end_h
    found = promises_open(database, KIND)
    return tuple(one for one in found if not is_hold_over(one.standing.due, here.date(), here.hour, end_h))


def kept_of(holds: Iterable[Promise]) -> Mapping[str, int]:
    """Sku -> how many are on hold."""
    kept: Counter[str] = Counter()
    for one in holds:
        quantity = one.body.get("quantity")
        kept[str(one.body.get("sku"))] += quantity if type(quantity) is int else 1
    return kept


def free_of(book: StoreBook, kept: Mapping[str, int], sku: str) -> int | None:
    """How many of a product this store has that are nobody's yet; None where its stock says nothing of it."""
    level = book.stock.get(sku)
    return None if level is None else max(0, level.quantity - kept.get(sku, 0))


def first_day(book: StoreBook, now: datetime) -> date:
    """The soonest day through which something can be kept: today, and after closing tomorrow."""
    here = now.astimezone(zone_of(book.store.timezone))
    return here.date() + timedelta(days=here.hour >= book.rules.holds_end_h)


def hold(recorder: Recorder, book: StoreBook, shopper: ShopperKey, wish: HoldWish) -> Saved:
    """Keep a product for a shopper. Raises Refused for one this store does not know, or of which too few are free."""
    now, sku = recorder.clock.now(), sku_of(book, wish.product, recorder.clock.now())
    first = first_day(book, now)
    if not first <= wish.until <= first + timedelta(days=DAYS_AHEAD_MAX):
        raise Refused("It can be kept from today's closing to two months from now. Choose another day.")
    if not 1 <= wish.quantity <= QUANTITY_MAX:
        raise Refused(f"From 1 to {QUANTITY_MAX} can be kept at once.")
    free = free_of(book, kept_of(holds_open(recorder.database, book, now)), sku)
    if free is not None and wish.quantity > free:
        raise Refused(f"Only {free} free here. Hold fewer, or look what is on hold." if free else _NONE_FREE)
    return hold_product(recorder, shopper, sku=sku, quantity=wish.quantity, until=wish.until)


_NONE_FREE: Final = "None is free here: all are sold or on hold. Look what is on hold."


def sku_of(book: StoreBook, text: str, now: datetime) -> str:
    """The product of a sku or a code on its label. Raises Refused for what is none of the catalogue."""
    if text in book.catalogue or text in book.stock:
        return text
    reading = read_scan(book, text, now=now)
    if isinstance(reading, ProductReading):
        return reading.sku
    raise Refused("This is no product of the catalogue. Scan its label, or type the number on it.")


def sell(recorder: Recorder, op_id: str) -> Saved:
    """They came and bought it."""
    return change_promise(recorder, promise_to_change(recorder.database, KIND, op_id, "sold"), state="sold")


def release(recorder: Recorder, op_id: str) -> Saved:
    """It is free again."""
    return change_promise(recorder, promise_to_change(recorder.database, KIND, op_id, "released"), state="released")
