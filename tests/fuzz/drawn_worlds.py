"""Drawn worlds for the rules fuzz: stores, shelves, catalogue and profile documents, full of edges.

Times lie on the edges of the windows that `drawn_trees` asks about, and a second beside them; text comes in the ways
people write it; values are missing, empty, of another currency, redacted.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.clock import EARLIEST_AT, LATEST_AT, at_seconds, seconds_at
from shared.plays.inputs import zone_of
from shared.redaction import without_behaviour
from sync_server.ports import Store

STORES: Final = (
    Store("berlin-1", "Berlin", "EUR", "Europe/Berlin"),
    Store("zurich-1", "Zurich", "CHF", "Europe/Zurich"),
    Store("apia-1", "Apia", "EUR", "Pacific/Apia"),
    Store("nowhere-1", "Nowhere", "EUR", "Europe/Atlantis"),
)
EXTREME_TIMES: Final = (EARLIEST_AT, LATEST_AT)
"""Before and beyond them lies a local day that no date can have."""
NOWS: Final = tuple(
    at_seconds(at)
    for at in ("2026-11-22T13:02:00.000Z", "2026-10-25T00:59:59.000Z", "2026-03-01T00:00:00.000Z", *EXTREME_TIMES)
)
"""A Sunday noon, the night the clocks go back in Berlin, the day after a February without a 29th, and both ends."""
HOURS: Final = (0, 1, 23, 24, 48, 72, 168, 720, 2159, 2160)
LONG_HOURS: Final = (*HOURS, 4320, 9600)
DAYS: Final = (
    *("2026-11-21", "2026-11-22", "2026-10-25", "2026-10-26", "2026-03-01", "2025-12-31"),
    *("0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31"),
)
BIRTHDAYS: Final = (
    *("1990-11-22", "1990-12-06", "1992-02-29", "1980-03-01", "2001-01-03", "1985-10-25"),
    *("1999-12-31", "9999-01-01", "nonsense", ""),
)
WORDS: Final = (
    "Tents",
    "tents ",
    "TENTS",
    "Öfen",
    "O\u0308FEN",
    "öfen",
    "Straße",
    "STRASSE",
    "İ",
    "ﬁsh",
    "fish",
    "⛺",
    "",
)
FOLDED_PARTS: Final = ("t", "ö", "ss", "fi", "en", "⛺", "", " Tents", "STRASSE", "Öfen", "%", "_")
SKUS: Final = ("A", "a", "B", "C", "Ö", "")
EVENTS: Final = (
    *("Product Viewed", "Product Added", "Product Removed", "Order Completed", "Order Refunded"),
    *("Promotion Clicked", "Email Opened", "Support Case Opened", "App Installed"),
)
PLAY_TAGS: Final[Mapping[str, tuple[str, ...]]] = {"p1": ("cart",), "p2": ("cart", "thanks"), "p3": ()}
PREFERENCES: Final = ("size=M", "Size=m", "farbe=Grün")
OUTCOMES: Final = (
    *("bought", "interested", "not_today", "not_interested"),
    *("already_has_it", "out_of_stock", "not_mentioned"),
)


@dataclass(frozen=True, slots=True)
class World:
    """Documents by scope and id: what every store's feed holds."""

    profiles: Mapping[str, Mapping[str, dict[str, Any]]]
    stock: Mapping[str, Mapping[str, int]]
    products: Mapping[str, dict[str, Any]]


def draw_world(chance: random.Random, shoppers: int) -> World:
    """Every store with its shelf and at least some of the shoppers."""
    products = {sku: _product(chance, sku) for sku in SKUS if sku and chance.random() < 0.8}
    stock = {
        store.code: {sku: chance.choice([0, 1, 2, 5]) for sku in SKUS if sku and chance.random() < 0.6}
        for store in STORES
    }
    profiles: dict[str, dict[str, dict[str, Any]]] = {store.code: {} for store in STORES}
    for number in range(shoppers):
        document = _profile(chance, f"00000000-0000-4000-8000-{number:012d}")
        for store in chance.sample(STORES, chance.choice([1, 1, 2, 4])):
            distance = {**document["facts"]["distance"], **_maybe(chance, this_store_m=chance.choice([0, 3000, 3100]))}
            profiles[store.code][document["id"]] = {**document, "facts": {**document["facts"], "distance": distance}}
    return World(profiles, stock, products)


def _maybe(chance: random.Random, likely: float = 0.6, **field: Any) -> dict[str, Any]:
    """The field, or nothing."""
    return field if chance.random() < likely else {}


def _product(chance: random.Random, sku: str) -> dict[str, Any]:
    words = _maybe(chance, category=chance.choice(WORDS)) | _maybe(chance, brand=chance.choice(WORDS))
    return {"sku": sku, "title": f"Thing {sku}", **words}


def _moment(chance: random.Random) -> str:
    """On the edge of a window of one of the moments asked about, a second beside it, anywhere, or nowhere in time."""
    if chance.random() < 0.05:
        return chance.choice([*EXTREME_TIMES, "9999-12-31T99:99:99.999Z", "nonsense", ""])
    now_s = chance.choice(NOWS)
    hours = chance.choice(LONG_HOURS) if chance.random() < 0.8 else chance.randrange(3000)
    at = seconds_at(now_s - hours * 3600 + chance.choice([-1, 0, 0, 1]))
    return at.replace(".000Z", chance.choice([".000Z", ".999Z"]))


def _midnight(chance: random.Random) -> str:
    """The first second of a day in one of the stores, or the second before."""
    zone = zone_of(chance.choice(STORES).timezone)
    day = dt.datetime.combine(dt.date.fromisoformat(chance.choice(DAYS)), dt.time(), zone)
    return seconds_at(int(day.timestamp()) + chance.choice([-1, 0, 1]))


def _line(chance: random.Random) -> dict[str, Any]:
    price = {"minor": chance.choice([0, 499, 500, 501]), "currency": chance.choice(["EUR", "CHF"])}
    return {
        "at": _moment(chance),
        "channel": chance.choice(["web", "POS", "app"]),
        "event": chance.choice(EVENTS),
        **_maybe(chance, sku=chance.choice(SKUS)),
        **_maybe(chance, 0.4, category=chance.choice(WORDS)),
        **_maybe(chance, 0.3, brand=chance.choice(WORDS)),
        **_maybe(chance, price=price),
        **_maybe(chance, 0.3, store=chance.choice(["berlin-1", "BERLIN-1", "zurich-1"])),
        **_maybe(chance, 0.3, offer_id=chance.choice(["gift", "Gift", "other"])),
        **_maybe(chance, 0.4, order_id=chance.choice(["o1", "o2"])),
        **_maybe(chance, 0.4, cart_id=chance.choice(["c1", "c2"])),
    }


def _facts(chance: random.Random) -> dict[str, Any]:
    def at() -> str:
        return _midnight(chance) if chance.random() < 0.5 else _moment(chance)

    money = [
        {"minor": chance.choice([0, 999, 1000]), "currency": c} for c in ("EUR", "CHF", "EUR") if chance.random() < 0.4
    ]
    return {
        "orders": chance.choice([0, 0, 1, 2, 3, 10]),
        "refunds": chance.choice([0, 1, 2]),
        "net_revenue": money,
        "distance": _maybe(chance, home_store_m=chance.choice([0, 3000, 15_000])),
        "last_seen": {channel: _moment(chance) for channel in ("web", "pos", "App") if chance.random() < 0.3},
        **_maybe(chance, first_order_at=at()),
        **_maybe(chance, last_order_at=at()),
        **_maybe(chance, last_order_store=chance.choice(["berlin-1", "Berlin-1 ", "zurich-1"])),
        **_maybe(chance, home_store=chance.choice(["berlin-1", "apia-1"])),
    }


def _profile(chance: random.Random, profile_id: str) -> dict[str, Any]:
    wishes = [{"sku": sku, "at": _moment(chance)} for sku in SKUS if chance.random() < 0.3]
    purposes = ("personalise_in_store", "profiling", "analytics", "email", "sms", "phone")
    decided = [purpose for purpose in purposes if chance.random() < 0.6]
    document = {
        "id": profile_id,
        "identifiers": [{"type": t, "value": "x"} for t in ("loyalty_id", "email", "phone") if chance.random() < 0.5],
        "consent": {p: {"decision": chance.choice(["granted", "denied"]), "at": _moment(chance)} for p in decided},
        "facts": _facts(chance),
        "seen": {
            name: {"n": 2, "first_at": _moment(chance), "last_at": _moment(chance)}
            for name in EVENTS
            if chance.random() < 0.3
        },
        "recent": [_line(chance) for _ in range(chance.choice([0, 1, 3, 8, 20]))],
        "cart": wishes[:2],
        "wishlist": wishes[2:],
        "value_band": chance.choice(["top_5", "top_20", "rest", "none"]),
        "offers": [{"offer_id": one, "state": "sent"} for one in ("gift", "Öffer") if chance.random() < 0.3],
        "preferences": dict(one.split("=") for one in PREFERENCES if chance.random() < 0.3),
        "outcomes": [
            {
                "op_id": f"{profile_id}-{index}",
                "play_id": chance.choice(["p1", "p2", "p3", "gone"]),
                "outcome": chance.choice(OUTCOMES),
                "at": _moment(chance),
            }
            for index in range(chance.choice([0, 0, 1, 3]))
        ],
        **_maybe(chance, tier=chance.choice(WORDS)),
        **_maybe(chance, points=chance.choice([0, 1, 100])),
        **_maybe(chance, birth_on=chance.choice(BIRTHDAYS)),
        **_maybe(chance, language=chance.choice(["de", "DE", "en"])),
        **_maybe(chance, postcode=chance.choice(["10115", "8001 "])),
        **_maybe(chance, 0.3, open_issue={"title": "Zip", "opened_at": _midnight(chance)}),
    }
    return without_behaviour(document) if chance.random() < 0.25 else document
