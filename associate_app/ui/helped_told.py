"""How digital helped this store, in a sentence: HQ's last count, and nothing where too few were counted. Beside
`floor.py`."""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError

from associate_app.ports import TabletDatabase
from associate_app.services.store_book import StoreBook
from associate_app.ui.today_faces import HelpedFace
from associate_app.ui.words import Speaker
from shared.clock import is_at
from shared.plays.figures import TOLD_LEAST, FiguresDocument, OnlineFirst
from shared.profile import Money


def helped_told(database: TabletDatabase, book: StoreBook, words: Speaker, now: datetime) -> HelpedFace:
    """The sentence of this store's last days."""
    stored = database.document(f"figures/{book.store.code}")
    try:
        told = FiguresDocument.model_validate(stored.body) if stored else None
    except ValidationError:
        told = None
    if told is None or not is_at(told.as_of):
        return HelpedFace(words("today.helped_none"), words("today.helped_never"))
    as_of = words("today.helped_as_of", when=words.stamp(told.as_of, now))
    counted = told.online_first
    if counted is None or counted.members < TOLD_LEAST:
        return HelpedFace(words("today.helped_few"), as_of)
    return HelpedFace(" ".join((_share(counted, words), _baskets(counted, words))).strip(), as_of)


def _share(counted: OnlineFirst, words: Speaker) -> str:
    return words("today.helped_share", looked=words.number(counted.looked), n=words.number(counted.members))


def _baskets(counted: OnlineFirst, words: Speaker) -> str:
    """Baskets are set beside each other where both are of enough orders."""
    if min(counted.looked_orders, counted.other_orders) < TOLD_LEAST:
        return ""
    theirs = _mean(counted.looked_minor, counted.looked_orders, counted.currency)
    others = _mean(counted.other_minor, counted.other_orders, counted.currency)
    return words("today.helped_baskets", theirs=words.money(theirs), others=words.money(others))


def _mean(minor: int, orders: int, currency: str) -> Money:
    """A basket to the whole unit: cents would feign what a mean of a week does not know."""
    whole = (minor + 50 * orders) // (100 * orders) * 100
    return Money(minor=whole, currency=currency)
