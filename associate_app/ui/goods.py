"""Products and offers as screens ask for them: what a scan of one shows, and what is recorded of it. Beside `floor.py`.

The card that was open when something was scanned is named with every question, so that nothing is recorded for
somebody who is not on the screen.
"""

from __future__ import annotations

from datetime import datetime

from associate_app.ports import TabletDatabase
from associate_app.services.holds import HoldWish, first_day, hold, holds_open, kept_of
from associate_app.services.lookup import CardView, ShopperKey
from associate_app.services.offers import look_up_offer
from associate_app.services.products import find_products, look_up_product
from associate_app.services.record import Recorder, record_outcome, record_product
from associate_app.services.store_book import StoreBook
from associate_app.ui.faces import LinkFace
from associate_app.ui.goods_faces import OfferScreenFace, ProductFace
from associate_app.ui.goods_telling import product_link, shopper_told, tell_offer_screen, tell_product
from associate_app.ui.promise_words import product_of
from associate_app.ui.state import Saved
from associate_app.ui.words import Speaker
from shared.errors import Refused

BOUGHT, WISHED, HOLD = "bought", "wished", "hold"
_PRODUCTS_MAX = 6


def product_told(
    database: TabletDatabase,
    book: StoreBook,
    words: Speaker,
    now: datetime,
    sku: str,
    token: str | None,
    view: CardView | None,
) -> ProductFace | None:
    """A product's screen; None for one this tablet knows nothing of."""
    told = look_up_product(database, book, sku, now)
    return tell_product(told, book, words, now, shopper_told(token, view, words), view) if told is not None else None


def offer_told(
    database: TabletDatabase,
    book: StoreBook,
    words: Speaker,
    now: datetime,
    name: str,
    token: str | None,
    view: CardView | None,
) -> OfferScreenFace | None:
    """An offer's screen, by its id or by a code as it was scanned; None for one this tablet does not know."""
    kept = kept_of(holds_open(database, book, now))
    told = look_up_offer(book, name, now, kept)
    if told is None:
        return None
    names = {
        code: str(stored.body.get("name") or code)
        for code in told.offer.stores
        if (stored := database.document(f"store/{code}")) is not None
    }
    goods = [product_link(book, kept, sku, words) for sku in told.offer.skus[:_PRODUCTS_MAX]]
    return tell_offer_screen(told, book, words, now, shopper_told(token, view, words), view, names, goods)


def products_found(
    database: TabletDatabase, book: StoreBook, words: Speaker, now: datetime, text: str
) -> tuple[LinkFace, ...]:
    """Products for a typed text."""
    found = find_products(book, text)
    kept = kept_of(holds_open(database, book, now)) if found else {}
    return tuple(product_link(book, kept, sku, words) for sku in found)


def record_product_as_told(
    recorder: Recorder, book: StoreBook, words: Speaker, view: CardView, shopper: ShopperKey, sku: str, deed: str
) -> Saved:
    """Record what came of a product for the shopper of an open card: bought, wished, hold (one, until closing).

    Bought is the outcome of the play on the card that is about this product, where there is one: it would be told
    twice otherwise, and the play would go on being shown. Raises Refused where none is free to hold.
    """
    if deed == HOLD:
        until = first_day(book, recorder.clock.now())
        kept = hold(recorder, book, shopper, HoldWish(sku, until))
        return Saved(kept.op_id, "", words("holds.told", n=1, title=product_of(book, sku)))
    play = next((play for play in view.plays if play.sku == sku), None) if deed == BOUGHT else None
    if play is not None:
        done = record_outcome(recorder, book, view, play.play_id, BOUGHT, sku=sku)
        return Saved(done.op_id, BOUGHT, play.title)
    if deed not in (BOUGHT, WISHED):
        raise Refused(words("product.unknown"))
    done = record_product(recorder, shopper, sku, deed)
    return Saved(done.op_id, "", words(f"product.did.{deed}", title=product_of(book, sku)))
