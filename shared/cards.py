"""The signed loyalty card `FS1.`: its bytes, its text, and what a tablet may say of it without a network. Step 2.

    FS1. + base32( version u8 = 1 | key id u8 | card id 8 bytes | issued u16 | expires u16 | tier u8 | n u8
                   | loyalty id, n ASCII bytes | Ed25519 signature, 64 bytes, over all before it )      big-endian

Days count from 2020-01-01, 0 = never. RFC 4648 base32, upper case, unpadded. Keys, cancelled cards and today come in.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.errors import Refused

PREFIX: Final = "FS1."
TEXT_LENGTH_MAX: Final = 160
LOYALTY_ID_LENGTH_MAX: Final = 17
"""The layout allows 20, but 18 bytes already make a text of 162 characters, past the 160 a QR of this size holds."""

TIERS: Final = ("", "Bronze", "Silver", "Gold", "Platinum", "Member")
"""Tier names by their code on the card; only ever appended to, because printed cards keep their byte."""

_VERSION: Final = 1
_HEAD: Final = struct.Struct(">BB8sHHBB")
_LOYALTY_ID_BYTES_MAX: Final = 20
_SIGNATURE_BYTES: Final = 64
_DAY_ZERO: Final = date(2020, 1, 1)
_DAYS_MAX: Final = 0xFFFF
_GROUP_LENGTH: Final = 4
_SWAP_Y_AND_Z: Final = str.maketrans("YZ", "ZY")


class CardStatus(StrEnum):
    """What a scanned loyalty card turned out to be."""

    VERIFIED = "verified"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FORGED = "forged"
    UNKNOWN_KEY = "unknown_key"
    NUMBER_ONLY = "number_only"
    FOREIGN = "foreign"
    UNREADABLE = "unreadable"


class CardFlaw(StrEnum):
    """Why a text that begins like a card is none."""

    NOT_A_CARD = "not_a_card"
    TOO_LONG = "too_long"
    NOT_BASE32 = "not_base32"
    NEWER_VERSION = "newer_version"
    WRONG_LENGTH = "wrong_length"
    BAD_LOYALTY_ID = "bad_loyalty_id"


@dataclass(frozen=True, slots=True)
class SignedCard:
    """A card as it reads, not yet checked: `text` is its canonical form, `card_id` 16 hex digits."""

    text: str
    kid: int
    card_id: str
    issued_on: date
    expires_on: date | None
    tier: str
    loyalty_id: str
    signed: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class UnreadableCard:
    """A text that cannot be read as a card."""

    flaw: CardFlaw


def encode_card(
    private_key: Ed25519PrivateKey,
    *,
    kid: int,
    card_id: str,
    issued_on: date,
    expires_on: date | None,
    tier: str,
    loyalty_id: str,
) -> str:
    """Sign a card: at most 160 characters, a version 6 QR at error correction M for the usual 13-digit number.

    `card_id` is 16 hex digits, `tier` a name of `TIERS` in any case (any other is left out). Raises Refused for a
    loyalty id, day or id the layout cannot hold.
    """
    number = check_loyalty_id(loyalty_id)
    head = _HEAD.pack(
        _VERSION,
        _check_kid(kid),
        _check_card_id(card_id),
        _days(issued_on),
        0 if expires_on is None else _days(expires_on),
        tier_code(tier),
        len(number),
    )
    signed = head + number
    return _spell(signed + private_key.sign(signed))


def parse_card(text: str) -> SignedCard | UnreadableCard:
    """Read a card's text in either letter case. Never raises; says nothing about its signature."""
    shouted = text.strip().upper()
    if not shouted.startswith(PREFIX):
        return UnreadableCard(CardFlaw.NOT_A_CARD)
    if len(shouted) > TEXT_LENGTH_MAX:
        return UnreadableCard(CardFlaw.TOO_LONG)
    layout = decode_base32(shouted[len(PREFIX) :])
    return UnreadableCard(CardFlaw.NOT_BASE32) if layout is None else _read_layout(layout, shouted)


def check_card(card: SignedCard, *, keys: Mapping[int, bytes], cancelled: Collection[str], today: date) -> CardStatus:
    """Say what a card is worth: `keys` are 32 raw public key bytes by key id, `cancelled` holds card ids.

    A card counts through its last day. A key that is not here (or is no key) makes it `unknown_key`, never forged.
    """
    key = _public_key(keys.get(card.kid))
    if key is None:
        return CardStatus.UNKNOWN_KEY
    try:
        key.verify(card.signature, card.signed)
    except InvalidSignature:
        return CardStatus.FORGED
    if card.card_id in cancelled:
        return CardStatus.CANCELLED
    if card.expires_on is not None and today > card.expires_on:
        return CardStatus.EXPIRED
    return CardStatus.VERIFIED


def settle_card(
    card: SignedCard, *, keys: Mapping[int, bytes], cancelled: Collection[str], today: date
) -> tuple[SignedCard, CardStatus]:
    """`check_card`, and where the signature does not hold once more with Y and Z swapped.

    A scanner that types on a German layout swaps the two; base32 holds both letters, so only the signature can tell.
    The card that comes back is the one the status is about.
    """
    status = check_card(card, keys=keys, cancelled=cancelled, today=today)
    if status not in (CardStatus.FORGED, CardStatus.UNKNOWN_KEY):
        return card, status
    other = parse_card(swap_y_and_z(card.text))
    if isinstance(other, UnreadableCard):
        return card, status
    again = check_card(other, keys=keys, cancelled=cancelled, today=today)
    return (card, status) if again in (CardStatus.FORGED, CardStatus.UNKNOWN_KEY) else (other, again)


def tier_code(name: str) -> int:
    """The code of a tier name in any case; 0 for a name no card can carry."""
    folded = name.strip().casefold()
    return next((code for code, known in enumerate(TIERS) if known.casefold() == folded), 0)


def check_loyalty_id(loyalty_id: str) -> bytes:
    """The number's bytes as the layout holds them. Raises Refused for one no card can carry."""
    number = loyalty_id.strip().encode("ascii", "replace")
    if len(number) > LOYALTY_ID_LENGTH_MAX or not _is_printable(number) or not loyalty_id.isascii():
        raise Refused(
            f"A card cannot carry the loyalty number {loyalty_id[:40]!r}: it takes 1 to {LOYALTY_ID_LENGTH_MAX} "
            "letters, digits and signs without spaces. Print the bare number as a barcode instead."
        )
    return number


def in_groups(loyalty_id: str) -> str:
    """The number as people read it aloud: groups of four or three, the longer ones first; `2900 000 000 018`."""
    if not loyalty_id.isalnum():
        return loyalty_id
    count = -(-len(loyalty_id) // _GROUP_LENGTH)
    size, longer = divmod(len(loyalty_id), max(count, 1))
    ends = [place * size + min(place, longer) for place in range(count + 1)]
    return " ".join(loyalty_id[start:end] for start, end in pairwise(ends))


def swap_y_and_z(text: str) -> str:
    """Undo (or do) what a keyboard layout with Y and Z in each other's place does to a code."""
    return text.upper().translate(_SWAP_Y_AND_Z)


def decode_base32(text: str) -> bytes | None:
    """Unpadded upper-case base32 -> bytes; None unless it is the one spelling of those bytes."""
    try:
        decoded = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        return None
    return decoded if encode_base32(decoded) == text else None


def encode_base32(plain: bytes) -> str:
    """Bytes -> unpadded upper-case base32 (RFC 4648), the alphabet that survives scanners and keyboards best."""
    return base64.b32encode(plain).decode().rstrip("=")


def _spell(layout: bytes) -> str:
    return PREFIX + encode_base32(layout)


def _read_layout(layout: bytes, text: str) -> SignedCard | UnreadableCard:
    if not layout or layout[0] != _VERSION:
        return UnreadableCard(CardFlaw.NEWER_VERSION if layout and layout[0] > _VERSION else CardFlaw.WRONG_LENGTH)
    if len(layout) < _HEAD.size + _SIGNATURE_BYTES:
        return UnreadableCard(CardFlaw.WRONG_LENGTH)
    _, kid, card_id, issued, expires, tier, length = _HEAD.unpack_from(layout)
    signed, signature = layout[:-_SIGNATURE_BYTES], layout[-_SIGNATURE_BYTES:]
    number = signed[_HEAD.size :]
    if len(number) != length or length > _LOYALTY_ID_BYTES_MAX:
        return UnreadableCard(CardFlaw.WRONG_LENGTH)
    if not _is_printable(number):
        return UnreadableCard(CardFlaw.BAD_LOYALTY_ID)
    return SignedCard(
        text=text,
        kid=kid,
        card_id=card_id.hex(),
        issued_on=_DAY_ZERO + timedelta(days=issued),
        expires_on=_DAY_ZERO + timedelta(days=expires) if expires else None,
        tier=TIERS[tier] if tier < len(TIERS) else "",
        loyalty_id=number.decode("ascii"),
        signed=signed,
        signature=signature,
    )


def _is_printable(number: bytes) -> bool:
    return bool(number) and all(0x21 <= byte <= 0x7E for byte in number)


def _public_key(raw: bytes | None) -> Ed25519PublicKey | None:
    try:
        return None if raw is None else Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        return None


def _check_kid(kid: int) -> int:
    if not 0 <= kid <= 0xFF:
        raise Refused(f"A card key's number lies between 0 and 255, not {kid}.")
    return kid


def _check_card_id(card_id: str) -> bytes:
    try:
        raw = bytes.fromhex(card_id)
    except ValueError:
        raw = b""
    if len(raw) != 8:
        raise Refused(f"A card id is 16 hex digits, not {card_id[:40]!r}.")
    return raw


def _days(day: date) -> int:
    days = (day - _DAY_ZERO).days
    if not 0 < days <= _DAYS_MAX:
        raise Refused(f"A card's dates lie after 1 January 2020 and before the year 2199, not on {day:%d.%m.%Y}.")
    return days
