"""The signed loyalty card: written, read, and told apart without a network."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.cards import (
    TEXT_LENGTH_MAX,
    CardFlaw,
    CardStatus,
    SignedCard,
    UnreadableCard,
    check_card,
    decode_base32,
    encode_base32,
    encode_card,
    parse_card,
    settle_card,
    swap_y_and_z,
)
from shared.errors import Refused

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = {7: KEY.public_key().public_bytes_raw()}
TODAY = date(2026, 11, 22)
CARD = {
    "kid": 7,
    "card_id": "00112233445566ff",
    "issued_on": date(2026, 1, 2),
    "expires_on": date(2027, 1, 2),
    "tier": "Gold",
    "loyalty_id": "2900000000018",
}

# Ed25519 signs the same bytes the same way every time, so the text of a card is fixed for ever by its layout.
GOLDEN = (
    "FS1.AEDQAEJCGNCFKZX7BCIQAAADBUZDSMBQGAYDAMBQGAYDCOGIZOW2EAA5JJDXJDF2UYFGNYWJ4QPX7XPFYDBQNCELFA6DUACA"
    "4VJ24JIKWNHR4NH4CD5EA37XJF7KL5TYXYTEXH7H3ET4CWZFAK5Q6"
)


def signed(key=KEY, **changes):
    """A card's text, with some of its fields changed."""
    fields: dict[str, Any] = {**CARD, **changes}
    return encode_card(key, **fields)


def read(text):
    """The card of a text that is one."""
    card = parse_card(text)
    assert isinstance(card, SignedCard)
    return card


def status_of(text, *, keys=KEYS, cancelled=(), today=TODAY):
    """What a text is worth, with the keyboard layout's second try."""
    return settle_card(read(text), keys=keys, cancelled=cancelled, today=today)[1]


def resigned(text, change):
    """The same text with its bytes changed and the signature left as it was."""
    layout = bytearray(decode_base32(text[4:]) or b"")
    change(layout)
    return "FS1." + encode_base32(bytes(layout))


def test_a_card_reads_back_as_it_was_written():
    """Every field survives the trip through text."""
    card = read(signed())
    assert {name: getattr(card, name) for name in CARD} == CARD
    assert check_card(card, keys=KEYS, cancelled=(), today=TODAY) is CardStatus.VERIFIED


def test_a_card_of_the_usual_number_fits_a_version_six_code():
    """153 characters: a version 6 QR at error correction M holds 154 of this alphabet (ISO/IEC 18004, table 7)."""
    assert len(signed()) == 153
    assert len(signed(loyalty_id="x" * 17)) == TEXT_LENGTH_MAX


@pytest.mark.parametrize("loyalty_id", ["", "x" * 18, "29 00", "grün", "a\x07"])
def test_a_number_that_no_card_can_carry_is_refused_in_words(loyalty_id):
    """The sentence says what to do instead."""
    with pytest.raises(Refused, match="barcode"):
        signed(loyalty_id=loyalty_id)


@pytest.mark.parametrize(
    "changes", [{"kid": 256}, {"card_id": "00"}, {"card_id": "zz" * 8}, {"issued_on": date(2019, 12, 31)}]
)
def test_what_the_layout_cannot_hold_is_refused(changes):
    """Never a card with a field cut off."""
    with pytest.raises(Refused):
        signed(**changes)


def test_a_card_without_an_end_never_expires():
    """Expiry 0 on the wire is no date."""
    card = read(signed(expires_on=None))
    assert card.expires_on is None
    assert status_of(signed(expires_on=None), today=date(2190, 1, 1)) is CardStatus.VERIFIED


def test_a_card_counts_through_its_last_day():
    """Expired is the day after."""
    assert status_of(signed(), today=date(2027, 1, 2)) is CardStatus.VERIFIED
    assert status_of(signed(), today=date(2027, 1, 3)) is CardStatus.EXPIRED


def test_a_cancelled_card_is_cancelled_even_when_expired():
    """ "Ask for a new one" helps more than "it expired"."""
    assert status_of(signed(), cancelled={CARD["card_id"]}, today=date(2028, 1, 1)) is CardStatus.CANCELLED


def test_a_forged_card_is_told_apart_from_an_unknown_key():
    """Another signature under a known key id is forged; a key id this tablet lacks waits for the next contact."""
    forger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    assert status_of(signed(forger)) is CardStatus.FORGED
    assert status_of(signed(forger, kid=8)) is CardStatus.UNKNOWN_KEY


def test_a_key_document_that_is_no_key_makes_no_card_forged():
    """A damaged key is a missing key."""
    assert status_of(signed(), keys={7: b"short"}) is CardStatus.UNKNOWN_KEY


def test_another_number_under_an_old_signature_is_forged():
    """The signature covers the number."""

    def change(layout):
        layout[20] ^= 1

    assert status_of(resigned(signed(), change)) is CardStatus.FORGED


def test_a_scanner_on_a_german_layout_is_understood():
    """Y and Z come swapped; only the signature can tell, and the card returned is the right one."""
    text = signed()
    assert swap_y_and_z(text) != text
    card, status = settle_card(read(swap_y_and_z(text)), keys=KEYS, cancelled=(), today=TODAY)
    assert status is CardStatus.VERIFIED
    assert card.loyalty_id == CARD["loyalty_id"]


def test_a_forged_card_stays_itself_after_the_second_try():
    """The fields shown are those of the text that was scanned."""
    forger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    scanned = read(signed(forger))
    assert settle_card(scanned, keys=KEYS, cancelled=(), today=TODAY) == (scanned, CardStatus.FORGED)


def test_letter_case_and_spaces_around_do_not_matter():
    """A scanner with caps lock, a copy with a line end."""
    assert status_of(f"  {signed().lower()}\r\n") is CardStatus.VERIFIED


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", CardFlaw.NOT_A_CARD),
        ("FS2.AEAA", CardFlaw.NOT_A_CARD),
        ("FS1.", CardFlaw.WRONG_LENGTH),
        ("FS1.1890", CardFlaw.NOT_BASE32),
        ("FS1." + "A" * 400, CardFlaw.TOO_LONG),
        ("FS1." + encode_base32(bytes([1]) + bytes(40)), CardFlaw.WRONG_LENGTH),
        ("FS1." + encode_base32(bytes([2]) + bytes(92)), CardFlaw.NEWER_VERSION),
        ("FS1." + encode_base32(bytes([1, 7]) + bytes(13) + bytes([1, 0]) + bytes(64)), CardFlaw.BAD_LOYALTY_ID),
    ],
)
def test_a_text_that_is_no_card_says_why(text, flaw):
    """Reasons for the person who prints cards; the floor hears one sentence."""
    assert parse_card(text) == UnreadableCard(flaw)


def test_base32_has_one_spelling():
    """Padding bits that are not zero are refused, or one card would have several texts."""
    assert decode_base32("AE") == b"\x01"
    assert decode_base32("AF") is None


def test_a_tier_no_card_knows_is_left_out():
    """Tier names of a chain that the card's table lacks do not stop a card."""
    assert read(signed(tier="Diamond")).tier == ""
    assert read(signed(tier="member")).tier == "Member"


def test_the_layout_of_a_printed_card_never_changes():
    """Cards are in shoppers' pockets: this text, made once, must read and verify for ever."""
    assert signed(expires_on=None, tier="gold") == GOLDEN
    assert status_of(GOLDEN) is CardStatus.VERIFIED
