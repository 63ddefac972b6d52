"""Turns products and offers into the faces of their screens: prices, what is free here, who may use what. Pure.

What somebody did online with an offer is told only where their profile tells it: consent was asked before it came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from associate_app.services.holds import free_of
from associate_app.services.lookup import CardView
from associate_app.services.offers import FLOOR_STATES, USED, OfferView, channel_of, offers_had, state_for
from associate_app.services.products import NearStore, ProductView
from associate_app.services.store_book import StoreBook
from associate_app.ui.faces import LinkFace, initials_of
from associate_app.ui.goods_faces import ForFace, OfferScreenFace, ProductFace
from associate_app.ui.promise_words import product_of, stock_words
from associate_app.ui.telling import picture_url
from associate_app.ui.words import Speaker
from shared.clock import is_at
from shared.plays.files import Offer, in_language
from shared.plays.speech import category_word, distance
from shared.profile import Money, OfferState


def shopper_told(token: str | None, view: CardView | None, words: Speaker) -> ForFace | None:
    """For whom; None where no card was open, or it is not on this tablet any more."""
    if token is None or view is None or view.profile is None:
        return None
    name = view.profile.name or words("card.unnamed")
    return ForFace(token, name, view.profile.given_name or name, initials_of(view.profile.name))


# a product ------------------------------------------------------------------------------------------------------------


def tell_product(
    told: ProductView, book: StoreBook, words: Speaker, now: datetime, shopper: ForFace | None, view: CardView | None
) -> ProductFace:
    """The product's face."""
    near, near_told = _near(told.elsewhere, words)
    play = next((play for play in view.plays if play.sku == told.sku), None) if view and shopper else None
    return ProductFace(
        sku=told.sku,
        title=told.title,
        hint=_kind_of(told, book, words),
        picture=picture_url(told.image),
        price=words.money(told.price) if told.price else None,
        stock=stock_words(book, told.kept, told.sku, words) or words("product.uncounted"),
        is_here=bool(free_of(book, told.kept, told.sku)),
        age=_age(told.counted_at, words, now),
        near=near,
        near_told=near_told,
        plays=tuple(LinkFace(one.id, in_language(one.title, words.language), "") for one in told.plays),
        offers=tuple(_offer_link(offer, words) for offer in told.offers),
        shopper=shopper,
        play=play.title if play else None,
    )


def product_link(book: StoreBook, kept: Mapping[str, int], sku: str, words: Speaker) -> LinkFace:
    """A product as a line: its name, what it costs and what is free of it."""
    product = book.products.get(sku)
    price = [words.money(product.price)] if product and product.price else []
    stock = stock_words(book, kept, sku, words)
    hint = " · ".join([*price, *([stock] if stock else [])])
    return LinkFace(sku, product_of(book, sku), hint, picture_url(product.image) if product else None)


def _offer_link(offer: Offer, words: Speaker) -> LinkFace:
    until = words("plays.until", when=words.date(offer.valid_until)) if offer.valid_until else words("bend.runs")
    return LinkFace(offer.id, in_language(offer.title, words.language), until)


def _kind_of(told: ProductView, book: StoreBook, words: Speaker) -> str:
    category = category_word(told.category or "", words.language, book.settings.category_names).replace("_", " ")
    return " · ".join(part for part in (told.brand, category, told.sku) if part)


def _near(elsewhere: tuple[NearStore, ...] | None, words: Speaker) -> tuple[tuple[tuple[str, str], ...], str | None]:
    if elsewhere is None:
        return (), words("product.near_unknown")
    told = tuple((one.name, _far(one.distance_m, words)) for one in elsewhere)
    return told, None if told else words("product.near_none")


def _far(metres: int | None, words: Speaker) -> str:
    return distance(metres, words.language) if metres is not None else ""


def _age(counted_at: str | None, words: Speaker, now: datetime) -> str | None:
    is_known = counted_at is not None and is_at(counted_at)
    return words("product.counted", when=words.stamp(counted_at or "", now)) if is_known else None


# an offer -------------------------------------------------------------------------------------------------------------


def tell_offer_screen(
    told: OfferView,
    book: StoreBook,
    words: Speaker,
    now: datetime,
    shopper: ForFace | None,
    view: CardView | None,
    store_names: Mapping[str, str],
    products: Iterable[LinkFace] = (),
) -> OfferScreenFace:
    """The offer's face, with what the shopper of the open card had of it. `store_names`: by code."""
    offer, today = told.offer, book.today(now)
    had = state_for(view, offer.id) if view is not None and shopper is not None else None
    mark = "no" if told.bars else "look" if had is not None and had.state == USED else "yes"
    code = told.code if not told.bars else None
    return OfferScreenFace(
        offer_id=offer.id,
        title=in_language(offer.title, words.language),
        gives=_gives(offer, book, words),
        terms=in_language(offer.terms, words.language),
        mark=mark,
        answer=_answer(mark, told, shopper, words),
        why=tuple(_why(told, book, words, shopper, view, had, store_names, now)),
        span=_span(offer, told, today, words),
        channels=", ".join(words(f"offer.channel.{channel}") for channel in offer.channels),
        code=code,
        code_told=_code_told(told, words),
        may_bend=bool(offer.override.per_day) and shopper is not None,
        products=tuple(products),
        shopper=shopper,
    )


def tell_had(book: StoreBook, view: CardView, words: Speaker, now: datetime) -> tuple[LinkFace, ...]:
    """The offers somebody has already, for their card."""
    return tuple(
        LinkFace(state.offer_id, in_language(told.offer.title, words.language), _had_hint(state, told, view, words))
        for state, told in offers_had(book, view, now)
    )


def _had_hint(state: OfferState, told: OfferView, view: CardView, words: Speaker) -> str:
    ends = told.offer.valid_until
    key = "bend.ended" if told.bars else "plays.until"
    until = words(key, when=words.date(ends)) if ends else None
    return " · ".join(part for part in (_had(state, view, words), until) if part)


def _had(state: OfferState, view: CardView, words: Speaker) -> str:
    """What they had of it: `sent by e-mail 20 Nov`; a newer HQ may know more states."""
    key = f"offer.had.{state.state}"
    told = words(key) if words.has(key) else words("offer.had.sent")
    channel = channel_of(view, state.offer_id) if state.state not in FLOOR_STATES else None
    way = words(f"offer.channel.{channel}") if channel and words.has(f"offer.channel.{channel}") else None
    day = words.day(state.at) if state.at is not None and is_at(state.at) else None
    return " ".join(part for part in (told, f"({way})" if way else None, day) if part)


def _answer(mark: str, told: OfferView, shopper: ForFace | None, words: Speaker) -> str:
    if mark == "no":
        return words(f"offer.no.{told.bars[0]}")
    if shopper is None:
        return words("offer.yes.anybody")
    return words(f"offer.{mark}.named", name=shopper.called)


def _why(
    told: OfferView,
    book: StoreBook,
    words: Speaker,
    shopper: ForFace | None,
    view: CardView | None,
    had: OfferState | None,
    store_names: Mapping[str, str],
    now: datetime,
) -> Iterator[str]:
    """What stands behind the answer, each in a sentence."""
    offer = told.offer
    if "other_store" in told.bars:
        yield words("offer.stores", stores=", ".join(store_names.get(code, code) for code in offer.stores))
    if told.bent_until is not None:
        yield words("offer.bent_until", day=words.date(told.bent_until))
    if told.is_own_code and not told.bars:
        yield words("offer.own_code")
    if shopper is None or view is None or view.profile is None:
        if not told.bars:
            yield words("offer.no_card")
        return
    if had is not None:
        yield words("offer.history", name=shopper.called, had=_had(had, view, words))
    elif "behaviour" in view.profile.redacted or view.is_behaviour_hidden:
        yield words("offer.no_consent", name=shopper.called)
    elif not view.is_in_replica:
        yield words("card.details_later")
    else:
        yield words("offer.never", name=shopper.called)


def _span(offer: Offer, told: OfferView, today: date, words: Speaker) -> str:
    if told.standing == "not_yet" and offer.valid_from:
        return words("offer.from", day=words.date(offer.valid_from))
    if offer.valid_until is None:
        return words("bend.runs")
    if told.standing == "ended":
        return words("bend.ended", when=words.date(offer.valid_until))
    is_last = offer.valid_until == today.isoformat()
    return words("offer.last_day") if is_last else words("bend.until", when=words.date(offer.valid_until))


def _gives(offer: Offer, book: StoreBook, words: Speaker) -> str:
    if offer.kind == "percent":
        return words("offer.gives.percent", n=offer.percent)
    if offer.kind == "amount":
        worth = next((row for row in offer.amounts if row.currency == book.store.currency), offer.amounts[0])
        return words("offer.gives.amount", money=words.money(Money(minor=worth.minor, currency=worth.currency)))
    return words(f"offer.gives.{offer.kind}")


def _code_told(told: OfferView, words: Speaker) -> str | None:
    if told.bars:
        return words("offer.no_code")
    return None if told.code else words("offer.code_is_theirs")
