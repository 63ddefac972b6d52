"""Opening: may a `shopper_opened` bring another store's shopper into this store's slice? (protocol.md, Slice)

Yes when the card's signature verifies at HQ, or when a full loyalty number, phone or e-mail was typed, 20 an hour for
each associate, audited. Never a name. A shopper this store already holds needs no permission. The op is stored and
answered alike either way, so that nobody learns from the answer who exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from shared.cards import CardStatus, SignedCard, parse_card, settle_card
from shared.clock import shift_at
from shared.identity import Identifier
from shared.ids import derived_id
from sync_server.ports import CentralWriter, LedgerRow

TYPED_AN_HOUR: Final = 20
_FULL: Final = frozenset({"loyalty_id", "phone", "email"})
_SIGNED: Final = frozenset({CardStatus.VERIFIED, CardStatus.EXPIRED})


class Doorkeeper:
    """Judges the openings of one batch; remembers how many were typed in it."""

    def __init__(self, tx: CentralWriter, card_keys: Mapping[int, bytes]) -> None:
        self._tx = tx
        self._card_keys = card_keys
        self._typed_at: list[tuple[str, str]] = []

    def may_open(self, row: LedgerRow, body: Mapping[str, Any], named: tuple[Identifier, ...]) -> bool:
        """Say whether this opening may move the slice."""
        if body["how"] == "card" and self._is_signed(body):
            return True
        if self._is_held(row.store, named):
            return True
        return body["how"] == "typed" and body["shopper"]["type"] in _FULL and self._is_within_limit(row)

    def _is_signed(self, body: Mapping[str, Any]) -> bool:
        card = parse_card(body.get("card") or "")
        if not isinstance(card, SignedCard):
            return False
        cancelled = {one["card_id"] for one in self._tx.rows("card", card_id=card.card_id) if one["cancelled_at"]}
        card, status = settle_card(card, keys=self._card_keys, cancelled=cancelled, today=date.min)
        return status in _SIGNED and card.loyalty_id == body["shopper"]["value"].strip()

    def _is_held(self, store: str | None, named: tuple[Identifier, ...]) -> bool:
        found = self._tx.profile_ids({(one.type.value, one.value) for one in named})
        return any(store in stored.stores for stored in self._tx.profiles(set(found.values())).values())

    def _is_within_limit(self, row: LedgerRow) -> bool:
        since_at, who = shift_at(row.effective_at, seconds=-3600), row.associate_id or row.device_id or ""
        earlier = self._tx.count_typed_openings(who, since_at, row.effective_at)
        earlier += sum(1 for other, at in self._typed_at if other == who and since_at < at)
        self._typed_at.append((who, row.effective_at))
        told = "typed a full identifier" if earlier < TYPED_AN_HOUR else "typed more identifiers than the hour allows"
        audit_id = derived_id("opening", row.fact_id)
        self._tx.put_row(
            "audit", {"audit_id": audit_id, "at": row.received_at, "who": who, "did": told, "about": row.store or ""}
        )
        return earlier < TYPED_AN_HOUR
