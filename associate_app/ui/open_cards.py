"""The cards this tablet opened, each under a token of its own: no address and no log ever holds a loyalty number."""

from __future__ import annotations

import json
import secrets
import threading
from dataclasses import asdict, dataclass
from typing import Any, Final

from associate_app.ports import TabletDatabase

OPEN_CARDS_NOTE: Final = "open_cards"
OPEN_CARDS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class OpenCard:
    """A card this tablet opened: under its token what was scanned or typed, or the profile it was found as."""

    token: str
    text: str | None
    profile_id: str | None


class OpenCards:
    """The newest open cards, kept in the notebook so that a reload after a restart lands on the same shopper."""

    def __init__(self, database: TabletDatabase) -> None:
        self._database = database
        self._lock = threading.Lock()

    def find(self, token: str) -> OpenCard | None:
        """The card of a token, None when it is too old or not of this tablet."""
        return next((card for card in self._all() if card.token == token), None)

    def remember(self, text: str | None, profile_id: str | None) -> OpenCard:
        """Keep a card under its token: the same shopper keeps the same one."""
        with self._lock:
            kept = self._all()
            known = next((card for card in kept if card.profile_id == profile_id), None)
            token = known.token if known else secrets.token_urlsafe(9)
            card = OpenCard(token, text or (known.text if known else None), profile_id)
            if card != next(iter(kept), None):
                newest = [card, *[one for one in kept if one.token != token]][:OPEN_CARDS_MAX]
                self._database.write_note(OPEN_CARDS_NOTE, json.dumps([asdict(one) for one in newest]))
            return card

    def _all(self) -> tuple[OpenCard, ...]:
        """Newest first."""
        held: list[dict[str, Any]] = json.loads(self._database.read_note(OPEN_CARDS_NOTE) or "[]")
        return tuple(OpenCard(**one) for one in held)
