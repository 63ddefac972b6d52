"""What a shopper does in a web shop, as calls of the tracking libraries, and what HQ must know of it afterwards."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sync_server.bootstrap import open_headquarters
from sync_server.settings import Settings

Call = tuple[str, dict[str, Any]]

JACKET = {"product_id": "S-1", "sku": "S-1", "name": "Hekla down jacket", "price": 199.0, "currency": "EUR"}
BOOTS = {"product_id": "S-2", "sku": "S-2", "name": "Aran boots", "price": "149.50", "currency": "EUR"}
GLOVES = {"product_id": "S-3", "sku": "S-3", "name": "Fen gloves", "price": 39.9, "currency": "EUR"}
NAMES = {"page": "Page Viewed", "screen": "Screen Viewed", "identify": "", "group": "", "alias": ""}
DAY = "2026-11-20"
AGREED = {"categoryPreferences": {"profiling": True, "personalise_in_store": True}}
OWN_EVENT = "Size Guide Opened"


@dataclass(frozen=True, slots=True)
class Story:
    """One shopper's calls in order; `who` is their account, `before` the account they had before."""

    who: str
    before: str
    anonymous_id: str

    @property
    def email(self) -> str:
        return f"{self.who}@example.org"

    def calls(self, *, of_a_browser: bool = False) -> list[Call]:
        """The story. A browser keeps ids and times by itself; a shop's server says both, of a queue it works off."""
        told = enumerate(self._told())
        return [
            (call, said if of_a_browser else {**self._ids(call), **said, **_at(turn)}) for turn, (call, said) in told
        ]

    def _ids(self, call: str) -> dict[str, str]:
        if call in ("page", "track"):
            return {"userId": self.who, "anonymousId": self.anonymous_id}
        return {"userId": self.who}

    def _told(self) -> list[Call]:
        traits = {"email": self.email, "firstName": "Ada"}
        order = {"order_id": f"o-{self.who}", "revenue": 199.0, "total": 205.0, "currency": "EUR", "products": [JACKET]}
        return [
            ("page", {"name": "Home", "properties": {"url": "https://shop.example/"}}),
            ("track", {"event": "Products Searched", "properties": {"query": "down"}}),
            ("track", {"event": "Product Viewed", "properties": JACKET}),
            ("identify", {"userId": self.who, "traits": traits, "context": {"consent": AGREED}}),
            ("track", {"event": "Product Added", "properties": JACKET}),
            ("track", {"event": "Product Added", "properties": BOOTS}),
            ("track", {"event": "Product Removed", "properties": BOOTS}),
            ("track", {"event": "Product Added to Wishlist", "properties": BOOTS}),
            ("group", {"groupId": "hikers", "traits": {"name": "Hikers"}}),
            ("screen", {"name": "Stores"}),
            ("track", {"event": "Checkout Started", "properties": {"order_id": f"o-{self.who}"}}),
            ("track", {"event": "Order Completed", "properties": order}),
            ("track", {"event": OWN_EVENT, "properties": {"size": "M"}}),
            ("alias", {"userId": self.who, "previousId": self.before}),
            ("track", {"event": "Product Added", "properties": GLOVES}),
        ]


def _at(turn: int) -> dict[str, str]:
    return {"timestamp": f"{DAY}T10:00:{turn:02}.000Z"}


def names_of(calls: list[Call]) -> Counter[str]:
    """How often each event is told: `track Product Added`."""
    return Counter(f"{call} {NAMES.get(call, said.get('event', ''))}" for call, said in calls)


def names_at_hq(settings: Settings, source: str) -> Counter[str]:
    """The same of what HQ keeps of a source; nothing of it may have become a dead letter."""
    with open_headquarters(settings) as hq, hq.database.read() as reader:
        assert reader.rows("dead_letter", origin=source) == []
        kept = [json.loads(row["body"]) for row in reader.rows("fact", origin=source)]
    return Counter(f"{body['kind']} {body.get('name', '')}" for body in kept)
