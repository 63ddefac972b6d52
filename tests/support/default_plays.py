"""Shoppers for the playbook that ships: for every play one it is for, and the engine's verdict on a play alone."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

from shared.plays.inputs import StockLevel
from shared.plays.playbook import Playbook
from shared.plays.rank import PlayVerdict, recommend
from tests.support.plays import ago, days_ago, event, granted, outcome, seed_playbook, seed_settings, seen

PLAYS: Final = {play.id: play for play in seed_playbook().plays}
FILES: Final = {file.name.removesuffix(".yaml") for file in files("assets").joinpath("playbook").iterdir()}
STOCK: Final = {"A": StockLevel(4, "B3")}
SECOND: Final = 1 / 3600
"""Of an hour."""


def cart(metres: int | None, hours: float = 48) -> dict[str, Any]:
    """A jumper left in the cart by someone who lives so far away."""
    return {
        "recent": [event("Product Added", hours, sku="A", title="Aran jumper", category="knitwear")],
        "cart": [{"sku": "A", "at": ago(hours), "title": "Aran jumper"}],
        "facts": {"distance": {"this_store_m": metres}},
        "stock": STOCK,
    }


def bought(days: float, orders: int = 1, first: float | None = None, **more: Any) -> dict[str, Any]:
    """So many orders, the last one so many days ago."""
    facts = {"orders": orders, "first_order_at": days_ago(first or days), "last_order_at": days_ago(days)}
    return {"facts": facts, "recent": [event("Order Completed", days * 24, channel="pos", order_id="o", **more)]}


def views(*categories: str, hours: float = 3) -> dict[str, Any]:
    """Product views of these categories, each of another sku, all in stock."""
    lines = [
        event("Product Viewed", hours + n, sku=f"V{n}", category=name, title=name) for n, name in enumerate(categories)
    ]
    return {"recent": lines, "stock": {f"V{n}": StockLevel(3, "C1") for n in range(len(categories))}}


def plus(document: dict[str, Any], *lines: dict[str, Any]) -> dict[str, Any]:
    """A document with further recent lines."""
    return {**document, "recent": [*document.get("recent", []), *lines]}


WISH = {"wishlist": [{"sku": "A", "at": ago(100), "title": "Merino beanie"}], "stock": STOCK}
EMAIL_TOO = {"consent": granted("personalise_in_store", "email")}
PHONE_TOO = {"consent": granted("personalise_in_store", "phone")}
HIKER = {**views("tents"), "facts": {"distance": {"this_store_m": 9000}}}
CLICKED = event("Promotion Clicked", 5, offer_id="member-weekend")
SEARCHED = [event("Products Searched", hours, query="gaiters") for hours in (5, 6)]

FIRES: dict[str, dict[str, Any]] = {
    "cart-reminder-near": cart(1200),
    "cart-within-reach": cart(9000),
    "cart-delivery-far": cart(60_000),
    "browsed-category": views("tents", "tents"),
    "viewed-not-added": views("tents"),
    "checkout-left-open": {"recent": [event("Checkout Started", 10)]},
    "wishlist-in-stock": WISH,
    "loyal-retention": bought(120, orders=3, first=400),
    "lapsing-check-in": bought(120, orders=2, first=400),
    "silent-nudge": {"recent": [event("Product Viewed", 200, sku="A", title="Tent")]},
    "win-back": bought(400),
    "thank-you": bought(2),
    "service-first": {"open_issue": {"title": "Zip repair", "opened_at": days_ago(3)}},
    "case-closed-check": {"recent": [event("Support Case Closed", 60, channel="service")]},
    "frequent-returner-help": {"recent": [event("Order Refunded", hours, order_id=str(hours)) for hours in (50, 900)]},
    "email-opened": {"recent": [event("Email Opened", 20, channel="email")]},
    "birthday": {"birth_on": "1988-12-01"},
    "new-member-welcome": {"recent": [event("Loyalty Enrolled", 100)]},
    "second-purchase": bought(20, sku="S", title="Trail shoes"),
    "app-not-installed": bought(20, orders=2),
    "enrol-in-loyalty": {"identifiers": [{"type": "email", "value": "mara@example.org"}]},
    "event-invitation": HIKER,
    "member-weekend": {},
    "promotion-clicked": {"recent": [CLICKED]},
    "high-value-personal": {"value_band": "top_5"},
    "free-repair": bought(80),
    "boot-care": bought(40, category="hiking-boots"),
    "searched-help": {"recent": SEARCHED},
    "interested-before": {"outcomes": [outcome("browsed-category", "interested", 100)]},
    "ask-consent": {"consent": {}},
    "first-conversation": {"consent": {}, "identifiers": []},
    "outreach-wish-arrived": {**WISH, **EMAIL_TOO, "facts": {"distance": {"this_store_m": 5000}}},
    "outreach-best-lapsing": {**bought(120, orders=5, first=500), **PHONE_TOO, "value_band": "top_20"},
}


def verdict_on(play_id: str, document: dict[str, Any]) -> PlayVerdict:
    """The engine's verdict on one play alone, without its holdout."""
    play = PLAYS[play_id].model_copy(update={"holdout": PLAYS[play_id].holdout.model_copy(update={"percent": 0})})
    playbook = Playbook.of([play], seed_playbook().offers.values(), seed_settings())
    inputs = seen(settings=seed_settings(), **document)
    return recommend(inputs, playbook, loyalty_anchor="L1", where=PLAYS[play_id].where[0]).verdicts[0]
