"""Identifiers: one canonical form each, nobody's values left out, the policy as a table."""

from __future__ import annotations

import pytest

from shared.errors import Malformed
from shared.identity import (
    DEFAULT_BLOCKED,
    BlockForm,
    BlockRule,
    Identifier,
    IdentifierType,
    block_list,
    canonical_form,
    fold_name,
    mask,
    normalise,
    phone_key,
    profile_id_for,
)
from shared.identity_policy import SHIPPED_POLICY, LinkRule


def value_of(type_, raw, region="DE"):
    """The canonical value, None where it is blocked or unusable."""
    found = normalise(IdentifierType(type_), raw, region=region)
    return None if found is None else found.value


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        (" Mara.Lindqvist+shop@Example.ORG ", "mara.lindqvist+shop@example.org"),
        ("m.a.r.a@gmail.com", "m.a.r.a@gmail.com"),
        ("info@bücher.example", "info@xn--bcher-kva.example"),
        ("info@BÜCHER.example", "info@xn--bcher-kva.example"),
        ("info@xn--bcher-kva.example", "info@xn--bcher-kva.example"),
        ("info@straße.example", "info@xn--strae-oqa.example"),
        ("a@example.org.", "a@example.org"),
        ("JOSÉ@example.org", "josé@example.org"),
        ("jose\u0301@example.org", "josé@example.org"),
    ],
)
def test_an_address_has_one_spelling(raw, canonical):
    """Trimmed, casefolded, domain by IDNA 2008; dots and +tags are the mailbox's own business."""
    assert value_of("email", raw) == canonical


@pytest.mark.parametrize(
    "raw",
    [
        *("", "mara", "@example.org", "mara@", "mara@localhost", "ma ra@example.org", "a@b@example.org", "a@-b.org"),
        *("a@b..org", "a@b_c.org", "a@1.2.3.4", "a@" + "x" * 64 + ".org", "x" * 65 + "@example.org"),
        *("a\x00@example.org", "a@\ud800.org", "a@" + "ü" * 250 + ".org", "a@\u200d.org"),
    ],
)
def test_what_is_no_address_is_unusable(raw):
    """Unusable values never link anybody."""
    assert value_of("email", raw) is None


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("0151 2345 6789", "DE", "+4915123456789"),
        ("+49 (0)151 2345-6789", "DE", "+4915123456789"),
        ("0049 151 23456789", "DE", "+4915123456789"),
        ("044 668 18 00", "CH", "+41446681800"),
        ("+351 912 345 678", "DE", "+351912345678"),
        (15123456789, "DE", "+4915123456789"),
    ],
)
def test_a_phone_number_becomes_e164_of_its_region(raw, region, e164):
    """With or without the country code, as a number or a text."""
    assert value_of("phone", raw, region) == e164


@pytest.mark.parametrize(
    "raw", ["", "none", "12", "0001000000", "call me", "+49", "1" * 300, None, True, 1.5, ["0151"]]
)
def test_what_is_no_phone_number_is_unusable(raw):
    """Nor do types that are no text become one."""
    assert value_of("phone", raw) is None


def test_a_loyalty_number_is_only_trimmed():
    """Its case and leading zeros are the card's; check digits are the scan's business."""
    assert value_of("loyalty_id", " 0029x ") == "0029x"


@pytest.mark.parametrize(
    ("type_", "raw"),
    [
        ("customer_id", "null"),
        ("customer_id", "NULL"),
        ("customer_id", "undefined"),
        ("customer_id", "anonymous"),
        ("customer_id", "n/a"),
        ("customer_id", "[object Object]"),
        ("customer_id", 0),
        ("anonymous_id", "00000000-0000-0000-0000-000000000000"),
        ("loyalty_id", "0000000000000"),
        ("loyalty_id", "---"),
        ("email", "test@example.org"),
        ("email", "NoReply@shop.example"),
        ("phone", "+49 151 1111111111"[:16]),
        ("phone", "030 0000000"),
    ],
)
def test_values_that_identify_nobody_are_blocked(type_, raw):
    """They stay on the event, canonical, but never link."""
    assert value_of(type_, raw) is None
    assert canonical_form(IdentifierType(type_), raw, region="DE") is not None


@pytest.mark.parametrize(
    ("type_", "raw"),
    [
        ("email", "testa@example.org"),
        ("customer_id", "null-7"),
        ("loyalty_id", "2900000000018"),
        ("customer_id", "100"),
    ],
)
def test_values_that_only_resemble_them_are_not(type_, raw):
    """A block rule too many loses a real shopper."""
    assert value_of(type_, raw) is not None


def test_a_chain_s_own_numbers_can_be_blocked():
    """The store's phone on a hundred tickets joins nobody."""
    own = block_list(*DEFAULT_BLOCKED, BlockRule(BlockForm.EXACT, "+493012345678", frozenset({IdentifierType.PHONE})))
    assert normalise(IdentifierType.PHONE, "030 12345678", region="DE", blocked=own) is None
    assert normalise(IdentifierType.PHONE, "030 12345679", region="DE", blocked=own) is not None
    assert normalise(IdentifierType.CUSTOMER_ID, "+493012345678", region="DE", blocked=own) is not None


def test_a_block_rule_survives_its_body():
    """Rules are facts of the identity fold: they are stored."""
    for rule in DEFAULT_BLOCKED:
        assert BlockRule.from_body(rule.to_body()) == rule
    with pytest.raises(Malformed):
        BlockRule.from_body({"form": "regex", "text": ".*"})


def test_the_policy_says_what_the_page_says():
    """Unique types link always, shared contact data never by itself, names never at all; ranks order all types."""
    assert [row.rank for row in SHIPPED_POLICY.rows.values()] == sorted(
        {row.rank for row in SHIPPED_POLICY.rows.values()}
    )
    assert set(SHIPPED_POLICY.rows) == set(IdentifierType)
    assert SHIPPED_POLICY.rows[IdentifierType.LOYALTY_ID].count_max == 1
    assert SHIPPED_POLICY.rows[IdentifierType.CUSTOMER_ID].count_max == 2
    assert SHIPPED_POLICY.rows[IdentifierType.EMAIL].links is LinkRule.UNLESS_SHARED
    assert SHIPPED_POLICY.rows[IdentifierType.PHONE].links is LinkRule.WITH_AGREEMENT
    assert SHIPPED_POLICY.rows[IdentifierType.ANONYMOUS_ID].window_days == 30


def test_the_strongest_identifier_anchors_in_any_order():
    """Loyalty number before account before e-mail; ties by value."""
    loyalty = Identifier(IdentifierType.LOYALTY_ID, "29")
    account = Identifier(IdentifierType.CUSTOMER_ID, "c1")
    other = Identifier(IdentifierType.CUSTOMER_ID, "c0")
    assert SHIPPED_POLICY.strongest([account, loyalty, other]) == loyalty
    assert SHIPPED_POLICY.strongest([account, other]) == SHIPPED_POLICY.strongest([other, account]) == other
    with pytest.raises(ValueError, match="empty"):
        SHIPPED_POLICY.strongest([])


def test_a_profile_id_is_the_same_for_ever():
    """Tablets hold these ids: this value may never change."""
    anchor = Identifier(IdentifierType.LOYALTY_ID, "2900000000018")
    assert profile_id_for(anchor) == "9f1acb82-1a4d-5b07-8ad5-89c15df29425"
    assert profile_id_for(Identifier(IdentifierType.PROFILE_ID, "p-1")) == "p-1"


def test_an_identifier_survives_its_body():
    """As it was written: reading never normalises again."""
    odd = Identifier(IdentifierType.EMAIL, "As Typed")
    assert Identifier.from_body(odd.to_body()) == odd
    for wrong in ({}, {"type": "name", "value": "x"}, {"type": "email", "value": 7}, {"type": "email"}):
        with pytest.raises(Malformed):
            Identifier.from_body(wrong)


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("  Łukasz  ØRSTED ", "lukasz orsted"),
        ("Müller", "muller"),
        ("STRAẞE", "strasse"),
        ("Nguyễn", "nguyen"),
        ("İlkay", "ilkay"),
        ("Γιώργος", "γιωργοσ"),
    ],
)
def test_names_are_searched_without_case_and_accents(typed, folded):
    """The same fold on both sides of a search."""
    assert fold_name(typed) == folded
    assert fold_name(folded) == folded


def test_a_typed_part_of_a_phone_number_is_part_of_the_stored_key():
    """Without country code or trunk zero, with any punctuation."""
    assert phone_key("0151 / 234") in phone_key("+4915123456789")


@pytest.mark.parametrize(
    ("type_", "value", "shown"),
    [
        ("email", "mara@example.org", "m…@example.org"),
        ("phone", "+4915123456789", "…6789"),
        ("customer_id", "c-17", "…7"),
    ],
)
def test_a_masked_contact_is_recognised_but_of_no_use(type_, value, shown):
    """For lists that other shoppers might glimpse."""
    assert mask(Identifier(IdentifierType(type_), value)) == shown
