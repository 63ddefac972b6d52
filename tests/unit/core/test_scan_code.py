"""What a scan is: the order of asking, and that nothing hostile gets past it."""

from __future__ import annotations

from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.cards import CardStatus, UnreadableCard, decode_base32, encode_base32, encode_card, parse_card, swap_y_and_z
from shared.code_patterns import Charset, CheckRule, CodePattern, Fit, fit_of, with_check_digit
from shared.errors import Refused
from shared.offers import offer_for_code, register_codes
from shared.scan_code import (
    EnrolmentCode,
    LoyaltyCard,
    LoyaltyNumber,
    OfferCode,
    ProductCode,
    ScanRules,
    Unknown,
    UnknownReason,
    encode_enrolment,
    parse_enrolment,
    read_code,
)

NUMBERS = CodePattern("29", 13, check=CheckRule.EAN13)
NUMBER = with_check_digit("290000000001", CheckRule.EAN13)
OFFERS = register_codes(
    {"autumn10": "autumn-knits"},
    patterns=[(CodePattern("WB", 8, Charset.LETTERS_AND_DIGITS), "win-back")],
    prefixes={"VIP": "vip", "VIP-GOLD": "vip-gold"},
)
RULES = ScanRules(
    loyalty=(NUMBERS,),
    offers=OFFERS,
    gtins={"4006381333931": "PEN-1", "00012345678905": "MUG-1"},
    skus={"ARAN-SAND-M", "boots-42"},
)
CARD = encode_card(
    Ed25519PrivateKey.from_private_bytes(bytes(range(32))),
    kid=1,
    card_id="00" * 8,
    issued_on=date(2026, 1, 1),
    expires_on=None,
    tier="",
    loyalty_id=NUMBER,
)
FINGERPRINT = "ab" * 32


def reason(scan):
    """Why a scan is unknown; fails where it is known."""
    found = read_code(scan, RULES)
    assert isinstance(found, Unknown), found
    return found.reason


@pytest.mark.parametrize("scan", [CARD, CARD.lower(), CARD + "\r\n", CARD.encode()])
def test_a_card_is_read_in_any_case_as_text_or_bytes(scan):
    """A scanner types, a camera gives bytes."""
    found = read_code(scan, RULES)
    assert isinstance(found, LoyaltyCard)
    assert found.card.loyalty_id == NUMBER


def test_a_card_that_does_not_parse_is_tried_once_more_with_y_and_z_swapped():
    """A last letter Y becomes Z on a German layout, and with it padding that no card has."""
    printed = next(text for number in range(4000) if (text := _card(number)).endswith("Y"))
    scanned = swap_y_and_z(printed)
    assert isinstance(parse_card(scanned), UnreadableCard)
    found = read_code(scanned, RULES)
    assert isinstance(found, LoyaltyCard)
    assert (found.card.text, found.raw) == (printed, scanned)


def _card(number):
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    return encode_card(
        key,
        kid=1,
        card_id=f"{number:016x}",
        issued_on=date(2026, 1, 1),
        expires_on=None,
        tier="",
        loyalty_id=NUMBER,
    )


@pytest.mark.parametrize(
    "scan", [NUMBER, f" {NUMBER}\n", f"{NUMBER[:2]} {NUMBER[2:7]} {NUMBER[7:]}", f"29-{NUMBER[2:]}"]
)
def test_a_number_is_read_as_printed_with_or_without_its_groups(scan):
    """What the profile knows is the number without spaces."""
    assert read_code(scan, RULES) == LoyaltyNumber(NUMBER)


def test_a_mistyped_number_is_told_apart_from_a_foreign_one():
    """ "Check the last digits" is a better sentence than "not one of ours"."""
    wrong = NUMBER[:-1] + str((int(NUMBER[-1]) + 1) % 10)
    assert reason(wrong) is UnknownReason.WRONG_CHECK_DIGIT
    assert reason("3900000000017") is UnknownReason.NOT_OURS


@pytest.mark.parametrize(
    ("scan", "offer_id"),
    [
        ("AUTUMN10", "autumn-knits"),
        ("autumn10 ", "autumn-knits"),
        ("WBA1B2C3", "win-back"),
        ("VIP-2026", "vip"),
        ("vip-gold-7", "vip-gold"),
    ],
)
def test_every_code_marketing_sent_names_its_offer(scan, offer_id):
    """Exact codes, one-time patterns and prefixes; the longest prefix wins."""
    found = read_code(scan, RULES)
    assert isinstance(found, OfferCode)
    assert found.offer_id == offer_id


@pytest.mark.parametrize("scan", ["VIP", "VIP-", "VIP gold", "WBA1B2C", "WBA1B2C34", "WBä1b2c3", ""])
def test_what_only_looks_like_a_code_names_no_offer(scan):
    """A prefix alone is no code, and a pattern counts its characters."""
    assert offer_for_code(scan, OFFERS) is None


@pytest.mark.parametrize(
    ("scan", "sku"),
    [
        ("4006381333931", "PEN-1"),
        ("04006381333931", "PEN-1"),
        ("012345678905", "MUG-1"),
        ("aran-sand-m", "ARAN-SAND-M"),
        ("BOOTS-42", "boots-42"),
    ],
)
def test_a_product_is_found_by_gtin_in_any_length_or_by_sku(scan, sku):
    """A till's scanner may add or leave out the leading zeros of a GTIN."""
    found = read_code(scan, RULES)
    assert isinstance(found, ProductCode)
    assert found.sku == sku


def test_a_loyalty_number_wins_over_an_offer_and_an_offer_over_a_product():
    """The order of asking is the page's."""
    rules = ScanRules(
        loyalty=(NUMBERS,),
        offers=register_codes({NUMBER: "an-offer", "BOTH": "an-offer"}),
        gtins={NUMBER: "A"},
        skus={"BOTH"},
    )
    assert read_code(NUMBER, rules) == LoyaltyNumber(NUMBER)
    assert read_code("BOTH", rules) == OfferCode("BOTH", "an-offer")


@pytest.mark.parametrize(
    ("scan", "why"),
    [
        ("", UnknownReason.EMPTY),
        (b"", UnknownReason.EMPTY),
        (" \r\n", UnknownReason.EMPTY),
        ("x" * 10_240, UnknownReason.TOO_LONG),
        (b"x" * 10_240, UnknownReason.TOO_LONG),
        ("ä" * 300, UnknownReason.TOO_LONG),
        (b"\xff\xfe\x00", UnknownReason.NOT_TEXT),
        ("\ud800", UnknownReason.NOT_TEXT),
        ("AUTUMN10\x00", UnknownReason.CONTROL_CHARACTERS),
        ("AUTU\x1bMN10", UnknownReason.CONTROL_CHARACTERS),
        ("FS1.not a card", UnknownReason.UNREADABLE_CARD),
        ("FS1." + "A" * 300, UnknownReason.UNREADABLE_CARD),
        ("FS1." + encode_base32(bytes([9]) + bytes(92)), UnknownReason.NEWER_CARD),
        ("FSE1.AAAA", UnknownReason.UNREADABLE_ENROLMENT),
        ("https://example.org/AUTUMN10", UnknownReason.WEB_ADDRESS),
        ("www.example.org", UnknownReason.WEB_ADDRESS),
        ("something else", UnknownReason.NOT_OURS),
    ],
)
def test_a_scan_that_is_not_ours_says_why(scan, why):
    """Each reason has its own sentence on the screen."""
    assert reason(scan) is why


def test_where_a_card_was_expected_damage_is_told_apart_from_a_foreign_code():
    """Unreadable: try again. Foreign: this is not one of our cards."""
    assert Unknown(UnknownReason.UNREADABLE_CARD).card_status is CardStatus.UNREADABLE
    assert Unknown(UnknownReason.WEB_ADDRESS).card_status is CardStatus.FOREIGN
    assert Unknown(UnknownReason.NOT_OURS).card_status is CardStatus.FOREIGN


@pytest.mark.parametrize("fingerprint", [None, FINGERPRINT])
def test_an_enrolment_code_reads_back(fingerprint):
    """In any case, and with Y and Z swapped by the keyboard's layout where that broke it."""
    text = encode_enrolment("https://hq.example.org:8443", "K7QM-2XTB", fingerprint)
    expected = EnrolmentCode("https://hq.example.org:8443", "K7QM-2XTB", fingerprint)
    assert read_code(text, RULES) == expected
    assert read_code(text.lower(), RULES) == expected


def test_an_enrolment_code_typed_on_a_german_layout_is_put_right():
    """Swapped, this code is base32 of something that is no text; tried the other way round it is."""
    printed = encode_enrolment("https://hq.example.org:8443", "CODE-0", None)
    assert not (decode_base32(swap_y_and_z(printed)[5:]) or b"").isascii()
    found = read_code(swap_y_and_z(printed), RULES)
    assert isinstance(found, EnrolmentCode)
    assert found == EnrolmentCode("https://hq.example.org:8443", "CODE-0", None)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b"null",
        b'{"u":"https://hq","c":""}',
        b'{"u":"https://hq","c":7}',
        b'{"u":"javascript:alert(1)","c":"x"}',
        b'{"u":"https://","c":"x"}',
        b'{"u":"https://hq:99999","c":"x"}',
        b'{"u":"https://hq a","c":"x"}',
        b'{"u":"https://[hq","c":"x"}',
        b'{"u":"https://hq","c":"x","f":"short"}',
        b'{"u":"https://hq","c":"x","f":7}',
        b"[" * 200,
        b"\xff",
    ],
)
def test_a_damaged_enrolment_code_is_refused(body):
    """Never half an address, never another scheme than the web's."""
    assert parse_enrolment("FSE1." + encode_base32(body)) is None


def test_an_enrolment_code_that_no_tablet_could_read_is_never_made():
    """HQ hears it in words when it prints the code."""
    with pytest.raises(Refused):
        encode_enrolment("ftp://hq.example.org", "CODE", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"prefix": "29", "length": 2},
        {"prefix": "ü", "length": 5},
        {"prefix": "", "length": 0},
        {"prefix": "29", "length": 12, "check": "ean13"},
        {"prefix": "AB", "length": 10, "check": "luhn"},
        {"prefix": "29", "length": "long"},
        {"length": 3},
        {"prefix": "29", "length": 13, "check": "mod97"},
    ],
)
def test_a_pattern_that_can_fit_nothing_is_refused_in_words(wrong):
    """A wrong setting is found when it is read, not when nothing scans."""
    with pytest.raises(Refused, match="pattern"):
        CodePattern.from_body(wrong)


def test_a_pattern_survives_its_setting():
    """What HQ stores is what a tablet reads."""
    assert CodePattern.from_body(NUMBERS.to_body()) == NUMBERS


@pytest.mark.parametrize(
    ("number", "fit"), [("4539148803436467", Fit.FITS), ("4539148803436468", Fit.WRONG_CHECK_DIGIT)]
)
def test_a_luhn_number_is_checked(number, fit):
    """ISO/IEC 7812-1; the number is the standard's textbook one."""
    assert fit_of(number, CodePattern("4", 16, check=CheckRule.LUHN)) is fit
