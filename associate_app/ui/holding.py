"""Holds as screens see them: what can be kept for a shopper, and the list *On hold* for the till. Beside `floor.py`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from associate_app.ports import TabletDatabase
from associate_app.services.follow_ups import days_offered
from associate_app.services.holds import (
    HoldWish,
    first_day,
    free_of,
    hold,
    holds_open,
    kept_of,
    release,
    sell,
    sku_of,
)
from associate_app.services.lookup import CardView, ShopperKey
from associate_app.services.record import Recorder
from associate_app.services.sign_in import names_here
from associate_app.services.store_book import StoreBook
from associate_app.ui.faces import DaysFace, HoldChoiceFace, HoldRow
from associate_app.ui.promise_words import owner_of, product_of, stock_words, until_of
from associate_app.ui.promising import called, shopper_of
from associate_app.ui.state import HoldWished, Saved
from associate_app.ui.words import Speaker

_PRODUCTS_MAX: Final = 6
_DAYS_AHEAD: Final = 14


def holdable(
    database: TabletDatabase, book: StoreBook, words: Speaker, now: datetime, view: CardView
) -> HoldChoiceFace:
    """What can be kept for a shopper: what is on their card and free here."""
    kept = kept_of(holds_open(database, book, now))
    free = [sku for sku in dict.fromkeys(_skus(view)) if free_of(book, kept, sku)][:_PRODUCTS_MAX]
    told = tuple((sku, f"{product_of(book, sku)} ({stock_words(book, kept, sku, words)})") for sku in free)
    return HoldChoiceFace(told, _days(first_day(book, now), book.today(now), words))


def _skus(view: CardView) -> Iterator[str]:
    """Products in the order in which they are likely: what they want, what they looked at, what is recommended. What
    would have triggered a play they are held out of is none of them."""
    profile = view.profile
    wanted = [line.sku for line in (*profile.cart, *profile.wishlist)] if profile else []
    looked_at = [line.sku for line in profile.recent] if profile else []
    named = [*wanted, *looked_at, *(play.sku for play in view.plays)]
    yield from (sku for sku in named if sku and sku not in view.quiet_skus)


def _days(first: date, today: date, words: Speaker) -> DaysFace:
    named = [(day, words(f"follow_ups.day.{name}")) for name, day in days_offered(today) if day >= first]
    closing = [(first, words("holds.closing"))] if first == today else []
    known = {day for day, _ in (*closing, *named)}
    others = (first + timedelta(days=n) for n in range(_DAYS_AHEAD))
    return DaysFace(
        tuple((day.isoformat(), told) for day, told in (*closing, *named)),
        tuple((day.isoformat(), words.long_weekday_of(day.isoformat())) for day in others if day not in known),
    )


def hold_as_told(recorder: Recorder, book: StoreBook, words: Speaker, shopper: ShopperKey, wish: HoldWished) -> Saved:
    """Record it. Raises Refused for what this store does not know, and for more than is free."""
    told = HoldWish(wish.product.strip(), date.fromisoformat(wish.until), wish.quantity)
    saved = hold(recorder, book, shopper, told)
    title = product_of(book, sku_of(book, told.product, recorder.clock.now()))
    return Saved(saved.op_id, "", words("holds.told", n=wish.quantity, title=title))


def holds_told(database: TabletDatabase, book: StoreBook, words: Speaker, now: datetime) -> tuple[HoldRow, ...]:
    """What is on hold, soonest gone first."""
    names, today, rows = names_here(database), book.today(now), []
    for one in holds_open(database, book, now):
        shopper = shopper_of(database, words, one)
        by = owner_of(one.associate_id, names, words) if one.associate_id else None
        who = called(database, words, one, shopper)
        hint = " · ".join(part for part in (who, until_of(one, today, words), by) if part)
        title = words("holds.told", n=one.body.get("quantity"), title=product_of(book, one.body.get("sku")))
        rows.append(HoldRow(one.op_id, title, hint, shopper))
    return tuple(rows)


def end_hold_as_told(recorder: Recorder, words: Speaker, key: str, *, is_sold: bool) -> Saved:
    """Record that it was sold, or is free again. Raises Refused where a colleague was quicker."""
    saved = sell(recorder, key) if is_sold else release(recorder, key)
    return Saved(saved.op_id, "", words("holds.saved.sold" if is_sold else "holds.saved.released"))
