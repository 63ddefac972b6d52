"""A chain's own policy of linking: what it may change, what it may not, and how a file that cannot be says so."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.identity import Identifier, IdentifierType
from shared.identity_policy import SHIPPED_POLICY, LinkRule, PolicyFile
from shared.partition import IdentityFacts, Sighting, partition

T = IdentifierType
EVERY = ["anonymous_id", "payment_token", "phone", "email", "customer_id", "loyalty_id"]


def test_nothing_said_is_the_shipped_table() -> None:
    """Also after a way through the ledger's text."""
    assert PolicyFile().policy() == SHIPPED_POLICY
    assert PolicyFile.model_validate_json(PolicyFile().to_text()).policy() == SHIPPED_POLICY


def test_limits_and_priorities_are_data() -> None:
    """What is said changes, everything else stays; a reference to a profile is never evidence."""
    said = {
        "priorities": EVERY,
        "limits": {"email": {"max": 1, "links": "suggest"}, "anonymous_id": {"days": 7}},
        "shared_from": 2,
        "held_over": {"identifiers": 9},
    }
    read = PolicyFile.model_validate(said)
    policy = PolicyFile.model_validate_json(read.to_text()).policy()
    assert [row.type.value for row in sorted(policy.rows.values(), key=lambda row: row.rank)] == [*EVERY, "profile_id"]
    assert (policy[T.EMAIL].count_max, policy[T.EMAIL].links) == (1, LinkRule.SUGGEST)
    assert (policy[T.ANONYMOUS_ID].window_days, policy[T.ANONYMOUS_ID].count_max) == (7, 5)
    assert (policy.shared_from, policy.held_over_identifiers, policy.held_over_loyalty_ids) == (2, 9, 3)
    assert policy[T.PHONE].links is SHIPPED_POLICY[T.PHONE].links


def test_the_longest_policy_fits_where_facts_are_kept() -> None:
    """600 characters, on PostgreSQL as well."""
    limits: dict[str, Any] = {name: {"max": 50} for name in EVERY}
    limits["email"]["links"], limits["phone"]["links"], limits["payment_token"]["links"] = "suggest", "suggest", "never"
    limits["anonymous_id"]["days"] = 400
    said = {
        "priorities": EVERY,
        "limits": limits,
        "shared_from": 50,
        "held_over": {"identifiers": 500, "loyalty_ids": 50},
    }
    assert len(PolicyFile.model_validate(said).to_text()) < 600


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"limits": {"phone": {"links": "always"}}}, "unless_shared"),
        ({"limits": {"phone": {"links": "unless_shared"}}}, "may be with_agreement or suggest or never"),
        ({"limits": {"loyalty_id": {"links": "never"}}}, "is fixed"),
        ({"limits": {"email": {"days": 3}}}, "only anonymous_id is counted in days"),
        ({"limits": {"profile_id": {"max": 3}}}, "loyalty_id"),
        ({"limits": {"email": {"max": 0}}}, "greater than or equal to 1"),
        ({"priorities": EVERY[:5]}, "each type once"),
        ({"priorities": [*EVERY, "email"]}, "each type once"),
        ({"limit": {}}, "Extra inputs"),
    ],
)
def test_a_policy_is_never_looser_and_never_guessed(said: dict[str, Any], words: str) -> None:
    """A join shows one shopper the other's life, so a chain may be stricter alone."""
    with pytest.raises(ValidationError, match=words):
        PolicyFile.model_validate(said)


def test_the_partition_follows_the_policy() -> None:
    """An address that only suggests joins nobody and stands in the queue; priorities say whose id a shopper has."""
    card, web, mail = (
        Identifier(T.LOYALTY_ID, "1"),
        Identifier(T.CUSTOMER_ID, "c"),
        Identifier(T.EMAIL, "a@example.org"),
    )
    seen = (
        Sighting("f1", "2026-01-01T00:00:00.000Z", (card, mail)),
        Sighting("f2", "2026-01-02T00:00:00.000Z", (web, mail)),
    )
    [one] = partition(IdentityFacts(seen)).components
    assert one.anchor == card
    careful = PolicyFile.model_validate({"limits": {"email": {"links": "suggest"}}}).policy()
    found = partition(IdentityFacts(seen, policy=careful))
    assert len(found.components) == 2
    assert [refusal.why.value for refusal in found.refused] == ["suggested"]
    turned = PolicyFile.model_validate({"priorities": EVERY}).policy()
    [one] = partition(IdentityFacts(seen, policy=turned)).components
    assert one.anchor == mail
