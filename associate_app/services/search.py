"""Finding a shopper without a card: by name, phone digits, e-mail or number; also one enrolled on this tablet just now.

Reads only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from associate_app.ports import SearchHit, TabletDatabase
from shared.identity import Identifier, IdentifierType, fold_name, normalise, phone_key, profile_id_for
from shared.profile import full_name
from shared.slips import plain_word, slips_between, words_of

_SLIPPED_MIN = 4


def find_shoppers(
    database: TabletDatabase, text: str, *, limit: int = 20, seen: Collection[str] = ()
) -> tuple[SearchHit, ...]:
    """Shoppers for a typed text, the likeliest first, of equally likely ones those of `seen` (profile ids); own new
    shoppers whom HQ has not confirmed come before all, or last where the text only comes near their names."""
    if not text.strip():
        return ()
    known = database.search(text, limit=limit, seen=seen)
    numbers = {one.loyalty_id for one in known}
    fresh = [(hit, is_near) for hit, is_near in _enrolled_here(database, text) if hit.loyalty_id not in numbers]
    first, last = ([hit for hit, is_near in fresh if is_near is wanted] for wanted in (False, True))
    return (*first, *known, *last)[:limit]


def who_has(database: TabletDatabase, identifier: Identifier, *, region: str) -> SearchHit | None:
    """Somebody this tablet knows by an e-mail or phone, however it was typed: in HQ's slice, or new here and not yet at
    HQ. `region` completes phones without a country."""
    held = database.find_profile(identifier.type.value, identifier.value)
    if held is not None:
        parts = (held.body.get("given_name"), held.body.get("family_name"))
        return SearchHit(held.body["id"], " ".join(part for part in parts if part), "", None, "")
    for entry in database.recorded_since("shopper_enrolled", ""):
        told = (entry.op.body or {}).get(identifier.type.value)
        if entry.state != "acked" and told and normalise(identifier.type, told, region=region) == identifier:
            return _hit(entry.op.body)
    return None


def _enrolled_here(database: TabletDatabase, text: str) -> Iterator[tuple[SearchHit, bool]]:
    """Shoppers of unsettled enrolments whose name, phone, e-mail or number holds what was typed, and (True) those whose
    names only come near it: a slip, or umlauts written otherwise."""
    words, digits = fold_name(text).split(), phone_key(text)
    for entry in database.recorded_since("shopper_enrolled", ""):
        if entry.state == "acked" or not entry.op.body:
            continue
        body = entry.op.body
        told = fold_name(" ".join(str(body.get(part) or "") for part in ("given_name", "family_name", "email")))
        numbers = f"{body['loyalty_id']} {phone_key(str(body.get('phone') or ''))}"
        if all(word in told for word in words) or (len(digits) >= 3 and digits in numbers):
            yield _hit(body), False
        elif words and all(_is_near(word, told) for word in words):
            yield _hit(body), True


def _is_near(typed: str, told: str) -> bool:
    """Say whether a word is in a folded text, or at most one slip from a word of it."""
    if typed in told:
        return True
    words = [plain_word(word) for part in told.split() for word in words_of(part)]
    most = 1 if len(typed) >= _SLIPPED_MIN else 0
    return any(slips_between(plain_word(typed), word) <= most for word in words)


def _hit(body: dict[str, Any]) -> SearchHit:
    profile_id = profile_id_for(Identifier(IdentifierType.LOYALTY_ID, body["loyalty_id"]))
    return SearchHit(profile_id, full_name(body) or body["loyalty_id"], body["loyalty_id"], None, "new, not at HQ yet")
