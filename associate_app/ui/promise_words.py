"""How promises are said: what and whose a follow-up is, on which day, what is on hold and what is left of the stock.

Pure: what is known comes in, words go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from associate_app.services.appointments import TOPICS
from associate_app.services.holds import free_of
from associate_app.services.lookup import ShopperKey
from associate_app.services.store_book import StoreBook
from associate_app.ui.words import Speaker
from shared.promises import STORE, Promise


def what_of(what: object, words: Speaker) -> str:
    """What a follow-up is; a newer app may know more of them."""
    key = f"follow_up.{what}"
    return words(key) if words.has(key) else words("follow_up.None")


def about_of(appointment: Promise, words: Speaker) -> str:
    """`Fitting · boots`; a topic that is none of ours stands as somebody wrote it."""
    told = str(appointment.body.get("topic") or "")
    topic, _, text = told.partition(":")
    return " · ".join(filter(None, (words(f"appointment.{topic}"), text.strip()))) if topic in TOPICS else told


def owner_of(owner: str | None, associates: Mapping[str, str], words: Speaker) -> str | None:
    """Whose it is: a first name, or the store; None for somebody who is not here any more."""
    if owner in (None, STORE):
        return words("follow_ups.the_store")
    name = associates.get(owner or "")
    return name.split()[0] if name else None


def day_of(day: date, today: date, words: Speaker) -> str:
    """A day near now: `Today`, `Fri 27 Nov`."""
    return words("follow_ups.day.today") if day == today else words.long_weekday_of(day.isoformat())


def until_of(hold: Promise, today: date, words: Speaker) -> str:
    """Until when something is on hold, as its day is written; what nobody can read is said as it stands."""
    due = hold.standing.due or ""
    try:
        day = date.fromisoformat(due)
    except ValueError:
        return due
    if day == today:
        return words("holds.until.closing")
    tomorrow = day == today + timedelta(days=1)
    return words("holds.until.tomorrow") if tomorrow else words("holds.until.day", day=words.long_weekday_of(due))


def product_of(book: StoreBook, sku: object) -> str:
    """A product's title, or its number where the catalogue does not know it."""
    product = book.products.get(str(sku))
    return product.title if product else str(sku)


def stock_words(book: StoreBook, kept: Mapping[str, int], sku: str, words: Speaker) -> str | None:
    """What is free of a product here, and how many are on hold; None where the store's stock says nothing of it."""
    free, level, held = free_of(book, kept, sku), book.stock.get(sku), kept.get(sku, 0)
    if free is None or level is None:
        return None
    told = words("card.none_here")
    if free:
        told = words("card.here_aisle" if level.aisle else "card.here", n=free, aisle=level.aisle)
    return f"{told} · {words('holds.kept', n=held)}" if held else told


def is_for(promise: Promise, shopper: ShopperKey) -> bool:
    """Whether a promise was made to the shopper of a card, as far as this tablet can tell."""
    told = promise.body.get("shopper") or {}
    return promise.profile_id == shopper.profile_id or (told.get("type"), told.get("value")) == (
        shopper.type,
        shopper.value,
    )
