"""Opening: may a `shopper_opened` bring another store's shopper into this store's slice? (protocol.md, Slice)

Yes when the card's signature verifies at HQ, or when a full loyalty number, phone or e-mail was typed, 20 an hour for
each associate, audited. Never a name. A shopper this store already holds needs no permission. The op is stored and
answered alike either way, so that nobody learns from the answer who exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Opening:
    """A `shopper_opened` to be judged, with the identifiers it names."""

    row: LedgerRow
    body: Mapping[str, Any]
    named: tuple[Identifier, ...]


class Doorkeeper:
    """Judges the openings of one batch; remembers how many were typed in it."""

    def __init__(self, tx: CentralWriter, card_keys: Mapping[int, bytes]) -> None:
        self._tx = tx
        self._card_keys = card_keys
        self._typed_at: list[tuple[str, str]] = []

    def refused(self, openings: Sequence[Opening]) -> set[str]:
        """The op_ids of those openings that may not move the slice. What the database knows is asked once for all."""
        pairs = {(one.type.value, one.value) for opening in openings for one in opening.named}
        holders = self._tx.stores_holding(pairs) if pairs else {}
        strange = [opening for opening in openings if not _is_held(opening, holders)]
        signed = self._signed(strange)
        return {
            opening.row.fact_id
            for opening in strange
            if opening.row.fact_id not in signed and not self._may_be_typed(opening)
        }

    def _signed(self, openings: Sequence[Opening]) -> set[str]:
        """The op_ids of the openings that show a card HQ signed, for the shopper they name."""
        shown = {
            opening.row.fact_id: parse_card(opening.body.get("card") or "")
            for opening in openings
            if opening.body["how"] == "card"
        }
        cards = {op_id: card for op_id, card in shown.items() if isinstance(card, SignedCard)}
        cancelled = self._tx.cancelled_cards({card.card_id for card in cards.values()}) if cards else set()
        named = {opening.row.fact_id: opening.body["shopper"]["value"].strip() for opening in openings}
        return {op_id for op_id, card in cards.items() if self._is_sound(card, cancelled, named[op_id])}

    def _is_sound(self, shown: SignedCard, cancelled: set[str], loyalty_id: str) -> bool:
        card, status = settle_card(shown, keys=self._card_keys, cancelled=cancelled, today=date.min)
        return status in _SIGNED and card.loyalty_id == loyalty_id

    def _may_be_typed(self, opening: Opening) -> bool:
        is_full = opening.body["how"] == "typed" and opening.body["shopper"]["type"] in _FULL
        return is_full and self._is_within_limit(opening.row)

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


def _is_held(opening: Opening, holders: Mapping[tuple[str, str], tuple[str, ...]]) -> bool:
    """Say whether the opening's store holds one of the shoppers it names already."""
    return any(opening.row.store in holders.get((one.type.value, one.value), ()) for one in opening.named)
