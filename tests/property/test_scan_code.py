"""Scans under fire: whatever the bytes, one answer and no exception; no altered card is ever verified."""

from __future__ import annotations

from datetime import date, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from shared.cards import (
    LOYALTY_ID_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    TIERS,
    CardStatus,
    SignedCard,
    decode_base32,
    encode_base32,
    encode_card,
    parse_card,
    settle_card,
    swap_y_and_z,
)
from shared.code_patterns import CheckRule, CodePattern, Fit, check_digit, fit_of, with_check_digit
from shared.offers import register_codes
from shared.scan_code import (
    EnrolmentCode,
    LoyaltyCard,
    LoyaltyNumber,
    OfferCode,
    ProductCode,
    ScanRules,
    Unknown,
    encode_enrolment,
    read_code,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = {7: KEY.public_key().public_bytes_raw()}
TODAY = date(2026, 11, 22)
EAN13 = CodePattern("29", 13, check=CheckRule.EAN13)
RULES = ScanRules(
    loyalty=(EAN13, CodePattern("FL", 10)),
    offers=register_codes({"AUTUMN10": "autumn"}, patterns=[(CodePattern("W", 8), "win")], prefixes={"VIP": "vip"}),
    gtins={"4006381333931": "PEN-1"},
    skus={"ARAN-SAND-M"},
)
KNOWN = (LoyaltyCard, LoyaltyNumber, OfferCode, ProductCode, EnrolmentCode, Unknown)

days = st.dates(date(2020, 1, 2), date(2199, 6, 1))
numbers = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=LOYALTY_ID_LENGTH_MAX)


@st.composite
def cards(draw):
    """The fields of any card that can be made."""
    return {
        "kid": 7,
        "card_id": draw(st.binary(min_size=8, max_size=8)).hex(),
        "issued_on": draw(days),
        "expires_on": draw(st.none() | days),
        "tier": draw(st.sampled_from(TIERS)),
        "loyalty_id": draw(numbers),
    }


def settled(text):
    """The status of a text, None where it is no card at all."""
    card = parse_card(text)
    if not isinstance(card, SignedCard):
        return None
    return settle_card(card, keys=KEYS, cancelled=(), today=TODAY)[1]


@given(cards())
def test_every_card_reads_back_in_at_most_160_characters(fields):
    """Whatever the fields."""
    text = encode_card(KEY, **fields)
    card = parse_card(text)
    assert len(text) <= TEXT_LENGTH_MAX
    assert {name: getattr(card, name) for name in fields} == fields
    is_over = fields["expires_on"] is not None and fields["expires_on"] < TODAY
    assert settled(text) is (CardStatus.EXPIRED if is_over else CardStatus.VERIFIED)


@given(cards(), st.data())
def test_no_flipped_bit_is_ever_verified(fields, draw):
    """Any bit of any card: forged, unreadable, or a key we do not have."""
    layout = bytearray(decode_base32(encode_card(KEY, **{**fields, "expires_on": None})[4:]) or b"")
    bit = draw.draw(st.integers(0, len(layout) * 8 - 1))
    layout[bit // 8] ^= 1 << bit % 8
    assert settled("FS1." + encode_base32(bytes(layout))) in (CardStatus.FORGED, CardStatus.UNKNOWN_KEY, None)


@given(cards(), st.data())
def test_no_mistyped_character_is_ever_verified(fields, draw):
    """One wrong letter makes no other card, unless it is the swap of Y and Z that is put right."""
    text = encode_card(KEY, **{**fields, "expires_on": None})
    place = draw.draw(st.integers(0, len(text) - 1))
    letter = draw.draw(st.characters(min_codepoint=0x20, max_codepoint=0x7E))
    mistyped = text[:place] + letter + text[place + 1 :]
    is_same = mistyped.strip().upper() in (text, swap_y_and_z(text))
    assert settled(mistyped) in (
        (CardStatus.VERIFIED,) if is_same else (CardStatus.FORGED, CardStatus.UNKNOWN_KEY, None)
    )


@given(cards())
def test_every_card_survives_a_swapped_keyboard(fields):
    """Y for Z on every key, as a scanner on a German layout types; the right number comes out."""
    text = encode_card(KEY, **{**fields, "expires_on": None})
    found = read_code(swap_y_and_z(text), RULES)
    assert isinstance(found, LoyaltyCard)
    card, status = settle_card(found.card, keys=KEYS, cancelled=(), today=TODAY)
    assert (status, card.loyalty_id) == (CardStatus.VERIFIED, fields["loyalty_id"])


@given(st.text() | st.binary() | st.binary(max_size=700).map(lambda raw: b"FS1." + raw))
@example("x" * 10_240)
@example(b"\x00" * 10_240)
def test_a_hostile_scan_never_raises(scan):
    """Text or bytes, anything at all."""
    assert isinstance(read_code(scan, RULES), KNOWN)


@given(st.sampled_from(["FS1.", "fse1.", "29", "VIP", "W", "http://"]), st.text(max_size=600))
def test_a_scan_that_begins_well_may_end_anyhow(start, rest):
    """Prefixes alone open no door."""
    assert isinstance(read_code(start + rest, RULES), KNOWN)


@given(st.binary(max_size=300))
def test_a_hostile_enrolment_code_never_raises(raw):
    """Base32 of anything."""
    assert isinstance(read_code("FSE1." + encode_base32(raw), RULES), KNOWN)


@given(
    st.from_regex(r"https?://[a-z]{1,20}\.example(:[1-9][0-9]{1,3})?", fullmatch=True),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30),
    st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
)
def test_every_enrolment_code_reads_back(url, code, fingerprint):
    """What HQ prints, a tablet reads."""
    found = read_code(encode_enrolment(url, code, fingerprint), RULES)
    assert found == EnrolmentCode(url, code, fingerprint)


@given(st.integers(0, 10**10 - 1))
def test_a_completed_number_fits_and_any_other_last_digit_does_not(number):
    """A check digit catches every single wrong digit at the end."""
    right = with_check_digit(f"29{number:010d}", CheckRule.EAN13)
    assert fit_of(right, EAN13) is Fit.FITS
    wrong = {right[:-1] + str(digit) for digit in range(10)} - {right}
    assert {fit_of(one, EAN13) for one in wrong} == {Fit.WRONG_CHECK_DIGIT}


@given(st.text("0123456789", min_size=1, max_size=18), st.data())
def test_both_check_rules_catch_any_single_wrong_digit(digits, draw):
    """Their purpose, by their standards."""
    place = draw.draw(st.integers(0, len(digits) - 1))
    digit = draw.draw(st.sampled_from("0123456789"))
    mistyped = digits[:place] + digit + digits[place + 1 :]
    for rule in (CheckRule.EAN13, CheckRule.LUHN):
        assert (check_digit(mistyped, rule) == check_digit(digits, rule)) == (mistyped == digits)


@given(cards(), st.integers(-400, 400))
def test_a_card_is_expired_exactly_after_its_last_day(fields, days_off):
    """On any calendar day."""
    last_on = TODAY + timedelta(days=days_off)
    text = encode_card(KEY, **{**fields, "expires_on": last_on})
    assert settled(text) is (CardStatus.EXPIRED if last_on < TODAY else CardStatus.VERIFIED)
