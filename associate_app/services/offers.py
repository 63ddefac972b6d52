"""An offer as this store sees it: which one a code means, how it stands today, and what one shopper had of it.

Whether somebody may use it is said as far as a tablet can know: the offer's dates, stores, channels and goods decide,
and what the shopper's profile tells of it. Terms are words for people; nothing here claims to have read them. Reads
only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from associate_app.services.holds import free_of
from associate_app.services.lookup import CardView
from associate_app.services.scan import OfferReading, read_scan
from associate_app.services.store_book import StoreBook
from shared.offers import fold_code
from shared.plays.files import Offer
from shared.plays.overrides import last_day
from shared.profile import OfferState

Standing = Literal["runs", "not_yet", "ended"]
Bar = Literal["not_yet", "ended", "other_store", "not_in_store", "other_money", "none_here"]

HAD_STATES: Final = ("sent", "clicked", "applied", "extended", "adjusted", "goodwill")
"""States of an offer somebody has and has not used up by an order."""
USED: Final = "used"
FLOOR_STATES: Final = ("extended", "adjusted", "goodwill")


@dataclass(frozen=True, slots=True)
class OfferView:
    """An offer at one moment in one store. `code` is what the till reads, as it was scanned or the offer's own; None
    where only the shopper has it. `bars` say why nobody can use it here and now; none means that it can be used."""

    offer: Offer
    code: str | None
    is_own_code: bool
    standing: Standing
    bars: tuple[Bar, ...]
    bent_until: str | None
    """The last day on which the store may still honour one that ended; None where it may not, or it has not ended."""


def look_up_offer(book: StoreBook, name: str, now: datetime, kept: Mapping[str, int]) -> OfferView | None:
    """The offer of an id, or of a code as scanned or typed; None for one this tablet does not know. `kept`: on hold."""
    offer, scanned = book.playbook.offers.get(name), ""
    if offer is None:
        reading = read_scan(book, name, now=now)
        if not isinstance(reading, OfferReading) or reading.offer is None:
            return None
        offer, scanned = reading.offer, fold_code(reading.code)
    common = next((one for one in offer.codes if scanned in ("", fold_code(one))), None)
    today = book.today(now)
    standing = standing_of(offer, today)
    return OfferView(
        offer=offer,
        code=common or scanned or None,
        is_own_code=bool(scanned) and common is None,
        standing=standing,
        bars=tuple(_bars(offer, standing, book, kept)),
        bent_until=_bent_until(offer, standing, today),
    )


def standing_of(offer: Offer, today: date) -> Standing:
    """Whether it runs on a day of the store."""
    day = today.isoformat()
    if offer.valid_from is not None and day < offer.valid_from:
        return "not_yet"
    return "ended" if offer.valid_until is not None and offer.valid_until < day else "runs"


def state_for(view: CardView, offer_id: str) -> OfferState | None:
    """What the shopper of a card had of an offer, as far as consent lets this tablet know."""
    states = view.profile.offers if view.profile is not None else ()
    return next((one for one in states if one.offer_id == offer_id), None)


def channel_of(view: CardView, offer_id: str) -> str | None:
    """The channel of the newest thing they did or got with an offer; None where nothing of it is told."""
    recent = view.profile.recent if view.profile is not None else ()
    return next((event.channel for event in recent if event.offer_id == offer_id), None)


def offers_had(book: StoreBook, view: CardView, now: datetime) -> tuple[tuple[OfferState, OfferView], ...]:
    """The offers somebody has and can still use here, newest first: sent to them, clicked, or honoured before.

    An offer that a play hands out from which they are held out is none of them: seeing it here would undo the holdout.
    """
    if view.profile is None:
        return ()
    hidden = {play.offer_id for play in book.playbook.plays if any(one.play_id == play.id for one in view.would_show)}
    found = []
    for state in view.profile.offers:
        told = look_up_offer(book, state.offer_id, now, {}) if state.offer_id in book.playbook.offers else None
        if told is None or state.offer_id in hidden or state.state not in HAD_STATES:
            continue
        if not told.bars or (told.bars == ("ended",) and told.bent_until is not None):
            found.append((state, told))
    return tuple(sorted(found, key=lambda one: (one[0].at or "", one[0].offer_id), reverse=True))


def _bars(offer: Offer, standing: Standing, book: StoreBook, kept: Mapping[str, int]) -> Iterator[Bar]:
    if standing != "runs":
        yield standing
    if offer.stores and book.store.code not in offer.stores:
        yield "other_store"
    if "store" not in offer.channels:
        yield "not_in_store"
    if offer.kind == "amount" and all(row.currency != book.store.currency for row in offer.amounts):
        yield "other_money"
    if offer.skus and not any(free_of(book, kept, sku) for sku in offer.skus):
        yield "none_here"


def _bent_until(offer: Offer, standing: Standing, today: date) -> str | None:
    last = last_day(offer) if offer.override.per_day else None
    return last if standing == "ended" and last is not None and today.isoformat() <= last else None
