"""What a scanned or typed text is: card, enrolment, loyalty number, offer code, product code, or not ours. Step 2.

Asked in that order, the first that fits wins. A scan is hostile until proven otherwise: it is capped at 512 bytes,
nothing raises, nothing is opened, no pattern can be slow. Whether a card is *valid* is `cards.py`'s to say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from shared.cards import PREFIX as CARD_PREFIX
from shared.cards import (
    CardFlaw,
    CardStatus,
    SignedCard,
    UnreadableCard,
    decode_base32,
    encode_base32,
    parse_card,
    swap_y_and_z,
)
from shared.code_patterns import CodePattern, Fit, best_fit
from shared.errors import Malformed, Refused
from shared.ids import is_sha
from shared.offers import OfferCodes, offer_for_code
from shared.wire.canonical import canonical, load_json

SCAN_BYTES_MAX: Final = 512
ENROLMENT_PREFIX: Final = "FSE1."
_GTIN_LENGTHS: Final = (8, 12, 13, 14)
_GROUPING: Final = str.maketrans("", "", " -\u00a0\u202f")


class UnknownReason(StrEnum):
    """Why a scan is none of ours, for the sentence the associate reads."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    NOT_TEXT = "not_text"
    CONTROL_CHARACTERS = "control_characters"
    UNREADABLE_CARD = "unreadable_card"
    NEWER_CARD = "newer_card"
    UNREADABLE_ENROLMENT = "unreadable_enrolment"
    WRONG_CHECK_DIGIT = "wrong_check_digit"
    WEB_ADDRESS = "web_address"
    NOT_OURS = "not_ours"


@dataclass(frozen=True, slots=True)
class ScanRules:
    """What a tablet must know to tell its chain's codes: made once from the feed's documents.

    `gtins` maps a product's GTIN as printed to its sku; `skus` are the catalogue's own numbers.
    """

    loyalty: tuple[CodePattern, ...] = ()
    offers: OfferCodes = field(default_factory=OfferCodes)
    gtins: Mapping[str, str] = field(default_factory=dict)
    skus: Collection[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LoyaltyCard:
    """A signed card, not yet checked; `raw` is the scan as it came."""

    card: SignedCard
    raw: str


@dataclass(frozen=True, slots=True)
class LoyaltyNumber:
    """A bare loyalty number of the chain, without spaces."""

    loyalty_id: str


@dataclass(frozen=True, slots=True)
class OfferCode:
    """A code of one of the chain's offers."""

    code: str
    offer_id: str


@dataclass(frozen=True, slots=True)
class ProductCode:
    """A product of the catalogue, by GTIN or sku."""

    code: str
    sku: str


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """HQ's invitation to a tablet: address, one-time code, and the only CA to trust (None: the usual ones)."""

    url: str
    code: str
    ca_fingerprint: str | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not ours, or not readable."""

    reason: UnknownReason

    @property
    def card_status(self) -> CardStatus:
        """How such a scan reads where a card was expected."""
        damaged = self.reason not in (UnknownReason.NOT_OURS, UnknownReason.WEB_ADDRESS)
        return CardStatus.UNREADABLE if damaged else CardStatus.FOREIGN


ScannedCode = LoyaltyCard | LoyaltyNumber | OfferCode | ProductCode | EnrolmentCode | Unknown


def read_code(scan: str | bytes, rules: ScanRules) -> ScannedCode:
    """Say what a scan is. Never raises, whatever the bytes."""
    text = _clean(scan)
    if isinstance(text, Unknown):
        return text
    shouted = text[: len(ENROLMENT_PREFIX)].upper()
    if shouted.startswith(CARD_PREFIX):
        return _read_card(text)
    if shouted == ENROLMENT_PREFIX:
        return parse_enrolment(text) or Unknown(UnknownReason.UNREADABLE_ENROLMENT)
    return _read_plain(text, rules)


def encode_enrolment(url: str, code: str, ca_fingerprint: str | None) -> str:
    """The text of HQ's enrolment QR. Raises Refused where a tablet could not read it back."""
    text = ENROLMENT_PREFIX + encode_base32(canonical({"u": url, "c": code, "f": ca_fingerprint}))
    if parse_enrolment(text) is None:
        raise Refused(f"No enrolment code can be made for {url[:80]!r}: it takes an http or https address and a code.")
    return text


def parse_enrolment(text: str) -> EnrolmentCode | None:
    """Read an enrolment QR in either letter case, once more with Y and Z swapped; None when it is damaged."""
    letters = text.strip().upper()[len(ENROLMENT_PREFIX) :]
    if len(text) > SCAN_BYTES_MAX:
        return None
    return _read_enrolment(letters) or _read_enrolment(swap_y_and_z(letters))


def _clean(scan: str | bytes) -> str | Unknown:
    if len(scan) > SCAN_BYTES_MAX:
        return Unknown(UnknownReason.TOO_LONG)
    try:
        raw = scan.encode() if isinstance(scan, str) else bytes(scan)
        text = raw.decode().strip()
    except UnicodeError:
        return Unknown(UnknownReason.NOT_TEXT)
    if len(raw) > SCAN_BYTES_MAX:
        return Unknown(UnknownReason.TOO_LONG)
    if not text:
        return Unknown(UnknownReason.EMPTY)
    return text if text.isprintable() else _unprintable(text)


def _unprintable(text: str) -> str | Unknown:
    """No-break spaces group printed numbers and count as printable here; control characters never do."""
    if text.translate(_GROUPING).isprintable():
        return text
    return Unknown(UnknownReason.CONTROL_CHARACTERS)


def _read_card(text: str) -> LoyaltyCard | Unknown:
    card = parse_card(text)
    if isinstance(card, UnreadableCard):
        swapped = parse_card(swap_y_and_z(text))
        if isinstance(swapped, UnreadableCard):
            is_newer = card.flaw is CardFlaw.NEWER_VERSION
            return Unknown(UnknownReason.NEWER_CARD if is_newer else UnknownReason.UNREADABLE_CARD)
        card = swapped
    return LoyaltyCard(card, text)


def _read_plain(text: str, rules: ScanRules) -> ScannedCode:
    compact = text.translate(_GROUPING)
    fit = best_fit(text, rules.loyalty)
    if fit is Fit.FITS:
        return LoyaltyNumber(text)
    grouped = best_fit(compact, rules.loyalty)
    if grouped is Fit.FITS:
        return LoyaltyNumber(compact)
    offer_id = offer_for_code(text, rules.offers)
    if offer_id is not None:
        return OfferCode(text, offer_id)
    sku = _sku_for(text, compact, rules)
    if sku is not None:
        return ProductCode(text, sku)
    return Unknown(_why_not_ours(text, fit, grouped))


def _why_not_ours(text: str, *fits: Fit) -> UnknownReason:
    if Fit.WRONG_CHECK_DIGIT in fits:
        return UnknownReason.WRONG_CHECK_DIGIT
    is_web = "://" in text or text[:4].lower() == "www."
    return UnknownReason.WEB_ADDRESS if is_web else UnknownReason.NOT_OURS


def _sku_for(text: str, compact: str, rules: ScanRules) -> str | None:
    """GTINs of 8, 12 and 13 digits are GTIN-14s with leading zeros left out (GS1 General Specifications 3.3.2)."""
    if compact.isascii() and compact.isdigit() and len(compact) in _GTIN_LENGTHS:
        bare = compact.lstrip("0")
        spellings = (compact, *(bare.zfill(length) for length in _GTIN_LENGTHS if len(bare) <= length))
        found = next((rules.gtins[spelling] for spelling in spellings if spelling in rules.gtins), None)
        if found is not None:
            return found
    return next((sku for sku in (text, text.upper(), text.lower()) if sku in rules.skus), None)


def _read_enrolment(letters: str) -> EnrolmentCode | None:
    raw = decode_base32(letters)
    try:
        body: Any = None if raw is None else load_json(raw)
    except Malformed:
        return None
    if not isinstance(body, dict):
        return None
    url, code, fingerprint = body.get("u"), body.get("c"), body.get("f")
    if not isinstance(url, str) or not isinstance(code, str) or not (fingerprint is None or is_sha(fingerprint)):
        return None
    return EnrolmentCode(url, code, fingerprint) if code and code.isprintable() and _is_hq_address(url) else None


def _is_hq_address(url: str) -> bool:
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
