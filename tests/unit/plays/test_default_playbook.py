"""When each play that ships fires and when not: just on either side of every number of its rule.

A row is a play, what is asked, a shopper for whom it fires, and the nearest one for whom it does not. A new play file
without a row is a red test. The holds that lie over the plays are in `test_default_holds.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from shared.clock import at_seconds
from shared.plays.inputs import StockLevel
from shared.plays.playbook import WORDS_MAX
from tests.support.default_plays import (
    CLICKED,
    EMAIL_TOO,
    FILES,
    FIRES,
    HIKER,
    PHONE_TOO,
    PLAYS,
    SEARCHED,
    SECOND,
    STOCK,
    WISH,
    bought,
    cart,
    plus,
    verdict_on,
    views,
)
from tests.support.plays import ago, days_ago, event, outcome, seed_playbook

Row = tuple[Any, ...]
"""Play, what is asked, a shopper for whom it fires, one for whom it does not."""
SECOND_D = SECOND / 24


def lines(*recent: dict[str, Any]) -> dict[str, Any]:
    """A document of these events."""
    return {"recent": list(recent)}


def far_off(document: dict[str, Any], metres: int | None) -> dict[str, Any]:
    """The same shopper, living so far away."""
    return {**document, "facts": {**document.get("facts", {}), "distance": {"this_store_m": metres}}}


def in_stock(document: dict[str, Any], quantity: int) -> dict[str, Any]:
    """The same, with so many of the thing in this store."""
    return {**document, "stock": {"A": StockLevel(quantity, "B3")}}


def at_time(document: dict[str, Any], at: str) -> dict[str, Any]:
    """The same at another moment."""
    return {**document, "now_s": at_seconds(at)}


def refunds(*hours: float, orders: tuple[str, ...] = ("1", "2")) -> dict[str, Any]:
    """Refunds so many hours ago, of these orders."""
    return lines(*(event("Order Refunded", h, order_id=order) for h, order in zip(hours, orders, strict=True)))


def cart_rows(play_id: str, metres: int) -> list[Row]:
    """What the three plays of an open cart share: 24 h idle, 30 d window, not bought, in stock here."""
    old, sold = cart(metres, hours=200), event("Order Completed", 100, sku="A", order_id="o")
    return [
        (play_id, "idle for 24 h", cart(metres, hours=24), cart(metres, hours=24 - SECOND)),
        (play_id, "idle for 25 h, not 23", cart(metres, hours=25), cart(metres, hours=23)),
        (play_id, "within 30 d", cart(metres, hours=720 - SECOND), cart(metres, hours=720)),
        (play_id, "not bought", plus(old, {**sold, "sku": "B"}), plus(old, sold)),
        (play_id, "not taken out again", old, plus(old, event("Product Removed", 100, sku="A"))),
        (play_id, "in stock here", in_stock(old, 1), in_stock(old, 0)),
        (play_id, "agreed to advice", old, {**old, "consent": {}}),
    ]


WISH_NEAR = far_off({**WISH, **EMAIL_TOO}, 5000)
CALLED = {**bought(120, orders=3, first=500), **PHONE_TOO, "value_band": "top_20"}
LONELY: dict[str, Any] = {"consent": {}, "identifiers": []}
OPENED = event("Email Opened", 20, channel="email")
ISSUE = {"open_issue": {"title": "Zip", "opened_at": ago(5)}}
CLOSED = event("Support Case Closed", 60, channel="service")
ENROLLED = lines(event("Loyalty Enrolled", 100))
APP_LESS = bought(20, orders=2)
TENTS_BOUGHT = event("Order Completed", 100, category="tents", order_id="o")
TENTS = views("tents", "tents", hours=110)

ROWS: list[Row] = [
    *cart_rows("cart-reminder-near", 1200),
    ("cart-reminder-near", "within 3 km", cart(3000), cart(3001)),
    ("cart-reminder-near", "known to live near", cart(0), cart(None)),
    *cart_rows("cart-within-reach", 9000),
    ("cart-within-reach", "beyond 3 km", cart(3001), cart(3000)),
    ("cart-within-reach", "within 15 km", cart(15_000), cart(15_001)),
    *cart_rows("cart-delivery-far", 60_000),
    ("cart-delivery-far", "beyond 15 km", cart(15_001), cart(15_000)),
    ("cart-delivery-far", "not known to live near", cart(None), cart(14_900)),
    ("browsed-category", "two views in 7 d", views("tents", "tents", hours=167 - SECOND), views("tents", hours=167)),
    ("browsed-category", "within 7 d", views("tents", "tents", hours=167 - SECOND), views("tents", "tents", hours=167)),
    ("browsed-category", "of one category", views("tents", "tents"), views("tents", "mugs")),
    ("browsed-category", "views, not clicks", TENTS, plus(views("tents"), event("Product Clicked", 3, sku="V0"))),
    ("browsed-category", "not bought", plus(TENTS, {**TENTS_BOUGHT, "category": "mugs"}), plus(TENTS, TENTS_BOUGHT)),
    (
        "browsed-category",
        "not bought, whatever else they looked at once",
        plus(TENTS, event("Product Viewed", 1, category="mugs")),
        plus(TENTS, TENTS_BOUGHT, event("Product Viewed", 1, category="mugs")),
    ),
    (
        "browsed-category",
        "not bought in 7 d",
        plus(TENTS, {**TENTS_BOUGHT, "at": ago(168)}),
        plus(TENTS, {**TENTS_BOUGHT, "at": ago(168 - SECOND)}),
    ),
    ("viewed-not-added", "2 h ago", views("tents", hours=2), views("tents", hours=2 - SECOND)),
    ("viewed-not-added", "within 7 d", views("tents", hours=168 - SECOND), views("tents", hours=168)),
    ("viewed-not-added", "not added", views("tents"), plus(views("tents"), event("Product Added", 1, sku="V0"))),
    ("viewed-not-added", "in stock here", *({**views("tents"), "stock": {"V0": StockLevel(n)}} for n in (1, 0))),
    ("checkout-left-open", "2 h ago", *(lines(event("Checkout Started", h)) for h in (2, 2 - SECOND))),
    ("checkout-left-open", "within 7 d", *(lines(event("Checkout Started", h)) for h in (168 - SECOND, 168))),
    (
        "checkout-left-open",
        "not ordered since",
        lines(event("Checkout Started", 100), event("Order Completed", 101)),
        lines(event("Checkout Started", 100), event("Order Completed", 99)),
    ),
    ("wishlist-in-stock", "in stock here", in_stock(WISH, 1), in_stock(WISH, 0)),
    ("wishlist-in-stock", "wished for, not in the cart", WISH, {"cart": WISH["wishlist"], "stock": STOCK}),
    ("loyal-retention", "three orders", bought(120, 3, 400), bought(120, 2, 400)),
    ("loyal-retention", "nothing for 90 d", bought(90, 3, 400), bought(90 - SECOND_D, 3, 400)),
    ("loyal-retention", "then win-back takes over", bought(365, 3, 400), bought(365 + SECOND_D, 3, 400)),
    ("lapsing-check-in", "fewer than three orders", bought(120, 2, 400), bought(120, 3, 400)),
    ("lapsing-check-in", "after 90 d", bought(90 + SECOND_D, 2, 400), bought(90, 2, 400)),
    ("silent-nudge", "viewed within 30 d", *(lines(event("Product Viewed", h)) for h in (720 - SECOND, 720))),
    (
        "silent-nudge",
        "silent for 7 d",
        lines(event("Product Viewed", 200), event("Cart Viewed", 168)),
        lines(event("Product Viewed", 200), event("Cart Viewed", 168 - SECOND)),
    ),
    ("win-back", "last order over 365 d ago", bought(365 + SECOND_D), bought(365)),
    ("win-back", "bought before", bought(400), {"facts": {"orders": 0, "last_order_at": days_ago(400)}}),
    ("thank-you", "6 h after the purchase", *(bought(h / 24) for h in (6, 6 - SECOND))),
    ("thank-you", "within 14 d", *(bought(h / 24) for h in (336 - SECOND, 336))),
    ("service-first", "an open issue", ISSUE, {}),
    ("case-closed-check", "closed within 21 d", *(lines(event("Support Case Closed", h)) for h in (504 - SECOND, 504))),
    ("case-closed-check", "none open", lines(CLOSED), {**lines(CLOSED), **ISSUE}),
    ("frequent-returner-help", "two refunds", refunds(50, 900), refunds(50, orders=("1",))),
    ("frequent-returner-help", "within 90 d", refunds(50, 2160 - SECOND), refunds(50, 2160)),
    ("frequent-returner-help", "of two orders", refunds(50, 51), refunds(50, 51, orders=("1", "1"))),
    ("email-opened", "2 h ago", *(lines({**OPENED, "at": ago(h)}) for h in (2, 2 - SECOND))),
    ("email-opened", "within 7 d", *(lines({**OPENED, "at": ago(h)}) for h in (168 - SECOND, 168))),
    (
        "email-opened",
        "not clicked",
        lines(OPENED, event("Email Link Clicked", 21)),
        lines(OPENED, event("Email Link Clicked", 19)),
    ),
    ("birthday", "within 14 days", {"birth_on": "1988-12-06"}, {"birth_on": "1988-12-07"}),
    ("birthday", "from today on", {"birth_on": "1988-11-22"}, {"birth_on": "1988-11-21"}),
    ("birthday", "known", {"birth_on": "1988-12-01"}, {}),
    ("new-member-welcome", "within 30 d", *(lines(event("Loyalty Enrolled", h)) for h in (720 - SECOND, 720))),
    ("new-member-welcome", "one order at most", *({**ENROLLED, "facts": {"orders": n}} for n in (1, 2))),
    ("second-purchase", "after 14 d", bought(14), bought(14 - SECOND_D)),
    ("second-purchase", "within 60 d", bought(60 - SECOND_D), bought(60)),
    ("second-purchase", "one order", bought(20), bought(20, orders=2)),
    ("app-not-installed", "two orders", APP_LESS, bought(20, orders=1)),
    ("app-not-installed", "never installed", APP_LESS, plus(APP_LESS, event("App Installed", 2000))),
    ("app-not-installed", "never opened", APP_LESS, plus(APP_LESS, event("App Opened", 100))),
    ("enrol-in-loyalty", "no member yet", FIRES["enrol-in-loyalty"], {}),
    ("event-invitation", "within 15 km", far_off(HIKER, 15_000), far_off(HIKER, 15_001)),
    ("event-invitation", "of these things", HIKER, far_off(views("mugs"), 9000)),
    ("event-invitation", "within 60 d", *(far_off(views("tents", hours=h), 900) for h in (1440 - SECOND, 1440))),
    (
        "event-invitation",
        "not registered in 14 d",
        plus(HIKER, event("Store Event Registered", 336)),
        plus(HIKER, event("Store Event Registered", 336 - SECOND)),
    ),
    ("member-weekend", "members", {}, {"identifiers": [{"type": "email", "value": "a@example.org"}]}),
    (
        "member-weekend",
        "to the last second of its last day in Berlin",
        at_time({}, "2026-12-03T22:59:59.000Z"),
        at_time({}, "2026-12-03T23:00:00.000Z"),
    ),
    (
        "member-weekend",
        "from the first second of its first day in Berlin",
        at_time({}, "2026-11-18T23:00:00.000Z"),
        at_time({}, "2026-11-18T22:59:59.000Z"),
    ),
    ("promotion-clicked", "of this offer", lines(CLICKED), lines({**CLICKED, "offer_id": "welcome-10"})),
    ("promotion-clicked", "within 7 d", *(lines({**CLICKED, "at": ago(h)}) for h in (168 - SECOND, 168))),
    ("high-value-personal", "the top 5 %", {"value_band": "top_5"}, {"value_band": "top_20"}),
    ("free-repair", "60 d after the purchase", bought(60), bought(60 - SECOND_D)),
    ("free-repair", "bought before", bought(80), {**bought(80), "facts": {"orders": 0}}),
    ("boot-care", "after 21 d", *(bought(d, category="hiking-boots") for d in (21, 21 - SECOND_D))),
    ("boot-care", "within 90 d", *(bought(d, category="trail-shoes") for d in (90 - SECOND_D, 90))),
    ("boot-care", "boots", bought(40, category="hiking-boots"), bought(40, category="mugs")),
    ("searched-help", "two searches", lines(*SEARCHED), lines(SEARCHED[0])),
    ("searched-help", "within 7 d", *(lines(SEARCHED[0], event("Products Searched", h)) for h in (168 - SECOND, 168))),
    (
        "searched-help",
        "1 h ago",
        lines(*(event("Products Searched", h) for h in (1, 1 - SECOND))),
        lines(*(event("Products Searched", h) for h in (1 - SECOND, 1 - SECOND))),
    ),
    ("searched-help", "nothing added", lines(*SEARCHED), lines(*SEARCHED, event("Product Added", 1, sku="A"))),
    (
        "interested-before",
        "within 21 d",
        *({"outcomes": [outcome("wishlist-in-stock", "interested", h)]} for h in (504 - SECOND, 504)),
    ),
    (
        "interested-before",
        "not bought since",
        {"outcomes": [outcome("a", "interested", 100), outcome("b", "bought", 504)]},
        {"outcomes": [outcome("a", "interested", 100), outcome("b", "bought", 504 - SECOND)]},
    ),
    ("ask-consent", "never asked", {"consent": {}}, {}),
    (
        "ask-consent",
        "not refused either",
        {"consent": {}},
        {"consent": {"personalise_in_store": {"decision": "denied", "at": ago(50)}}},
    ),
    (
        "first-conversation",
        "everybody, but for 24 h after *not today*",
        *({**LONELY, "outcomes": [outcome("first-conversation", "not_today", h)]} for h in (24, 24 - SECOND)),
    ),
    ("outreach-wish-arrived", "two in stock", in_stock(WISH_NEAR, 2), in_stock(WISH_NEAR, 1)),
    ("outreach-wish-arrived", "within 15 km", far_off(WISH_NEAR, 15_000), far_off(WISH_NEAR, 15_001)),
    ("outreach-wish-arrived", "agreed to e-mail", WISH_NEAR, far_off(WISH, 5000)),
    ("outreach-best-lapsing", "of the top 20 %", CALLED, {**CALLED, "value_band": "rest"}),
    ("outreach-best-lapsing", "three orders", CALLED, {**CALLED, **bought(120, orders=2, first=500)}),
    ("outreach-best-lapsing", "lapsing", CALLED, {**CALLED, **bought(80, orders=3, first=500)}),
    ("outreach-best-lapsing", "agreed to calls", CALLED, {key: CALLED[key] for key in CALLED if key != "consent"}),
]
NAMED = [pytest.param(*row, id=f"{row[0]}: {row[1]}") for row in ROWS]


def test_every_play_file_has_a_case_on_both_sides():
    """No play ships untested: a new file needs a row here and a shopper it is for."""
    assert {row[0] for row in ROWS} == set(FIRES) == set(PLAYS) == FILES
    assert len(FILES) >= 18


@pytest.mark.parametrize(("play_id", "asked", "met", "missed"), NAMED)
def test_a_play_fires_on_one_side_of_its_number_and_not_on_the_other(play_id, asked, met, missed):
    """Alone in the playbook it is on the card of the one, and for a reason of its own rule not on the other's."""
    assert verdict_on(play_id, met).reason == "shown", asked
    verdict = verdict_on(play_id, missed)
    if play_id == "first-conversation":
        assert (verdict.reason, verdict.hold and verdict.hold.detail) == ("held_back", "not_today")
        return
    told = {"no_consent", "other_stage", "not_yet_valid", "expired"}
    assert verdict.reason != "shown"
    assert verdict.reason in told or (verdict.trace is not None and not verdict.trace.is_met)


@pytest.mark.parametrize("play_id", sorted(FIRES))
def test_a_play_fires_for_the_shopper_it_is_for(play_id):
    """The plain case, far from every edge."""
    assert verdict_on(play_id, FIRES[play_id]).reason == "shown"


@pytest.mark.parametrize("play_id", sorted(PLAYS))
def test_a_play_has_short_words_in_english_and_german(play_id):
    """At most 60 words and three bullets each, and not the same words twice."""
    points = PLAYS[play_id].talking_points
    assert {"en", "de"} <= set(points)
    assert points["en"] != points["de"]
    for told in points.values():
        assert told.opener
        assert 1 <= len(told.bullets) <= 3
        assert told.count_words() <= WORDS_MAX == 60


def test_a_cart_is_shown_near_and_sent_far_and_never_discounted():
    """The two rules of the cart: near no discount, far delivery; each shopper meets exactly one of the three plays."""
    offers = {play_id: PLAYS[play_id].offer_id for play_id in ("cart-reminder-near", "cart-within-reach")}
    assert set(offers.values()) == {None}
    assert seed_playbook().offers[PLAYS["cart-delivery-far"].offer_id or ""].kind == "delivery"
    for metres in (0, 3000, 3100, 15_000, 15_100, 600_000, None):
        fired = [
            play_id
            for play_id in ("cart-reminder-near", "cart-within-reach", "cart-delivery-far")
            if verdict_on(play_id, cart(metres)).reason == "shown"
        ]
        assert len(fired) == 1, metres
