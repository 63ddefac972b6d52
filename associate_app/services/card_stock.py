"""The pre-signed cards this tablet hands to shoppers who join here, with or without a network. Reads only.

HQ sends a card again until it knows that it was used, so one that the journal already gave away is passed over.
"""

from __future__ import annotations

import json

from associate_app.ports import CARD_STOCK_NOTE, TabletDatabase
from shared.cards import SignedCard, parse_card


def next_card(database: TabletDatabase) -> SignedCard | None:
    """The next card of this install's stock that was not handed out yet; None when the stock is empty."""
    noted = json.loads(database.read_note(CARD_STOCK_NOTE) or "{}")
    if noted.get("install_id") != database.install_id():
        return None
    used = {entry.op.body.get("loyalty_id") for entry in database.recorded_since("shopper_enrolled", "")}
    for held in noted["cards"]:
        card = parse_card(held["card"])
        if isinstance(card, SignedCard) and card.loyalty_id not in used:
            return card
    return None
