"""What a fact says of who is who: identifiers seen together, and a shop's word that two of them are one. Step 7, pure.

The rows are what `identity.py` keeps and works on; what a person at HQ says comes in by `who_is_who.py`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from shared.fold import EVENT, Fact
from shared.identity import Identifier, IdentifierType
from shared.ids import derived_id
from sync_server.ports import IdentityFactRow, SightingRow

Pair = tuple[str, str]
LINKED: Final = "identity_linked"
"""A person's link as a fact of the profile, for the fold: consent on one side does not speak for the other."""
_NUMBERS: Final = (IdentifierType.LOYALTY_ID, IdentifierType.CUSTOMER_ID)


@lru_cache(maxsize=16_384)
def as_identifier(pair: Pair) -> Identifier:
    """An identifier as the ledger keeps it."""
    return Identifier(IdentifierType(pair[0]), pair[1])


def as_pair(one: Identifier) -> Pair:
    """The other way round."""
    return (one.type.value, one.value)


@lru_cache(maxsize=16_384)
def _combination(
    pairs: tuple[Pair, ...], family_name: str | None, postcode: str | None, *, is_verified: bool
) -> tuple[str, tuple[Pair, ...]]:
    """(sighting id, its pairs in order) of what was seen together. A verified phone makes it another combination; the
    others keep the id they had before any source could say so."""
    ordered = tuple(sorted(set(pairs)))
    verified = ("verified",) if is_verified else ()
    return derived_id("sighting", json.dumps(ordered), family_name or "", postcode or "", *verified), ordered


def sighting_of(fact: Fact) -> SightingRow | None:
    """What a fact says of who is who; None where it names nobody but a profile, or is itself what somebody said."""
    if fact.kind == LINKED or all(type_ == "profile_id" for type_, _ in fact.identifiers):
        return None
    said: Mapping[str, Any] = (fact.body.get("traits") or {}) if fact.kind == EVENT else fact.body
    family_name, postcode = _text(said.get("family_name")), _text(said.get("postcode"))
    postcode = postcode and postcode[:20]
    is_verified = said.get("phone_verified") is True and _has_one_phone(fact)
    sighting_id, pairs = _combination(fact.identifiers, family_name, postcode, is_verified=is_verified)
    return SightingRow(sighting_id, fact.at, fact.id, pairs, family_name, postcode, is_verified)


def _has_one_phone(fact: Fact) -> bool:
    """Of two phones nobody says which one was verified."""
    return len({pair for pair in fact.identifiers if pair[0] == IdentifierType.PHONE}) == 1


def _text(said: object) -> str | None:
    return said if isinstance(said, str) and said.strip() else None


def alias_of(fact: Fact) -> IdentityFactRow | None:
    """A shop's `alias` call links two names of one shopper, under the limits of the policy; of two loyalty numbers one
    is the card before the other (the loyalty base says so), which no limit forbids."""
    if fact.kind != EVENT or fact.body.get("kind") != "alias":
        return None
    pair = _aliased(set(fact.identifiers))
    if pair is None:
        return None
    a, b = pair
    kind = "link" if a[0] == b[0] == IdentifierType.LOYALTY_ID else "alias"
    return IdentityFactRow(derived_id("alias", *a, *b), kind, *a, *b, fact.at, "alias", fact.id)


def _aliased(named: set[Pair]) -> tuple[Pair, Pair] | None:
    """The two names an alias means. The browser libraries send the anonymous id along, and traits may bring an address:
    two numbers of one kind are meant before those; three names of which none is such a pair mean nothing certain."""
    accounts = [pair for pair in named if pair[0] in _NUMBERS]
    for some in ([one for one in accounts if one[0] == kind] for kind in _NUMBERS):
        if len(some) > 1:
            return _pair_of(some)
    people = [pair for pair in named if pair[0] != IdentifierType.ANONYMOUS_ID]
    return _pair_of(people) or _pair_of(named)


def _pair_of(some: Collection[Pair]) -> tuple[Pair, Pair] | None:
    if len(some) != 2:
        return None
    a, b = sorted(some)
    return a, b
