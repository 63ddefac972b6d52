"""From a scanned or typed text to what it is for this store: a card, an offer, a product, an invitation. Flow step 2.

The core says what a text *is* (`shared/scan_code.py`) and what a card is worth (`shared/cards.py`); here both are asked
with what this tablet knows: the chain's patterns, keys and cancelled cards, and the date in the store. Reads nothing
else, records nothing. A scan with a sentence did not lead to a shopper, and the sentence says so with one next step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from associate_app.services.store_book import StoreBook
from shared.cards import CardStatus, SignedCard, settle_card
from shared.documents import ProductDocument
from shared.plays.files import Offer
from shared.plays.inputs import StockLevel
from shared.scan_code import (
    EnrolmentCode,
    LoyaltyCard,
    LoyaltyNumber,
    OfferCode,
    ProductCode,
    Unknown,
    UnknownReason,
    read_code,
)

OPENING: Final = frozenset({CardStatus.VERIFIED, CardStatus.UNKNOWN_KEY, CardStatus.NUMBER_ONLY})
"""Statuses that open a shopper's card. A card with an unknown key is worth as much as its bare number."""


@dataclass(frozen=True, slots=True)
class CardReading:
    """A scan where a loyalty card was expected. `loyalty_id` is None where the code gives no number worth believing.

    `text` is the signed card as HQ wants it to verify the signature; `sentence` None when it simply counts.
    """

    status: CardStatus
    loyalty_id: str | None = None
    tier: str | None = None
    expires_on: date | None = None
    text: str | None = None
    sentence: str | None = None

    @property
    def opens(self) -> bool:
        """Say whether this reading leads to a shopper."""
        return self.status in OPENING and self.loyalty_id is not None


@dataclass(frozen=True, slots=True)
class OfferReading:
    """A code that marketing sent; `offer` as this tablet knows it."""

    code: str
    offer_id: str
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class ProductReading:
    """A product of the catalogue; `stock` None where this store's stock says nothing of it."""

    sku: str
    product: ProductDocument | None
    stock: StockLevel | None


@dataclass(frozen=True, slots=True)
class InvitationReading:
    """HQ's invitation to a tablet: address, one-time code, and the only CA to trust (None: the usual ones)."""

    url: str
    code: str
    ca_fingerprint: str | None


ScanReading = CardReading | OfferReading | ProductReading | InvitationReading

_SENTENCES: Final[Mapping[CardStatus, str]] = {
    CardStatus.UNKNOWN_KEY: "This card cannot be checked until the next contact with HQ; its number is used meanwhile.",
    CardStatus.CANCELLED: "This card was cancelled. Ask for the shopper's new card, or look them up by name.",
    CardStatus.FORGED: "This card was not made by us. Ask for another proof, or look the shopper up by name.",
    CardStatus.FOREIGN: "This is not one of our cards. Ask for our loyalty card, or look the shopper up by name.",
    CardStatus.UNREADABLE: "This code cannot be read. Scan it once more, or enter the number instead.",
}
_WHY_UNKNOWN: Final[Mapping[UnknownReason, str]] = {
    UnknownReason.EMPTY: "Nothing was scanned. Scan the card once more, or enter the number.",
    UnknownReason.TOO_LONG: "This code is longer than any of ours. Ask for our loyalty card.",
    UnknownReason.NEWER_CARD: "This card is newer than this app. Enter its number instead, and update the app.",
    UnknownReason.WRONG_CHECK_DIGIT: "One digit of this number is wrong. Type it once more, or scan the card.",
    UnknownReason.WEB_ADDRESS: "This is a web address, not a loyalty card. Ask the shopper to show the card itself.",
    UnknownReason.UNREADABLE_ENROLMENT: "This invitation is damaged. Ask HQ to show the code again.",
}


def read_scan(book: StoreBook, scan: str | bytes, *, now: datetime) -> ScanReading:
    """Say what a scan is in this store at `now` (aware). Never raises, whatever the bytes."""
    found = read_code(scan, book.scan_rules)
    if isinstance(found, LoyaltyCard):
        return read_card(book, found.card, today=book.today(now))
    if isinstance(found, LoyaltyNumber):
        return CardReading(CardStatus.NUMBER_ONLY, loyalty_id=found.loyalty_id)
    if isinstance(found, OfferCode):
        return OfferReading(found.code, found.offer_id, book.playbook.offers.get(found.offer_id))
    if isinstance(found, ProductCode):
        return ProductReading(found.sku, book.catalogue.get(found.sku), book.stock.get(found.sku))
    if isinstance(found, EnrolmentCode):
        return InvitationReading(found.url, found.code, found.ca_fingerprint)
    return read_unknown(found)


def read_card(book: StoreBook, card: SignedCard, *, today: date) -> CardReading:
    """Check a signed card. A forged one gives no number: nothing on it can be believed."""
    card, status = settle_card(card, keys=book.card_keys, cancelled=book.cancelled, today=today)
    if status is CardStatus.FORGED:
        return CardReading(status, sentence=_SENTENCES[status])
    return CardReading(
        status=status,
        loyalty_id=card.loyalty_id,
        tier=card.tier or None,
        expires_on=card.expires_on,
        text=card.text,
        sentence=_expired_sentence(card.expires_on) if status is CardStatus.EXPIRED else _SENTENCES.get(status),
    )


def read_unknown(found: Unknown) -> CardReading:
    """A scan that is none of ours, with the sentence that says which way it is not."""
    status = found.card_status
    return CardReading(status, sentence=_WHY_UNKNOWN.get(found.reason, _SENTENCES[status]))


def _expired_sentence(expires_on: date | None) -> str:
    when = f" on {expires_on.day} {expires_on:%B %Y}" if expires_on else ""
    return f"This card expired{when}. You can still look the shopper up by name."
