"""Retention on both databases and a set clock: what is too old goes by itself, the profile is what its facts are."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.clock import shift_at
from shared.fold import ProfileState
from shared.projection import Reading, net_revenue
from sync_server.services.headquarters import Headquarters
from sync_server.services.hooks.deliveries import map_stored, replay, store_delivery
from sync_server.services.hooks.registry import add_hook, find_hook
from sync_server.services.ingest import take_messages
from sync_server.services.retention import age_out, aged_of
from sync_server.services.upkeep import keep
from sync_server.services.who_is_who import rebuild
from tests.support.world import LOYALTY_ID, pass_time

NAMES = {"externalIds": [{"type": "loyalty_id", "id": LOYALTY_ID}]}


def see(hq: Headquarters, number: int, event: str, properties: dict[str, Any], **more: Any) -> None:
    """An event of a web shop about one shopper."""
    told = {"type": "track", "event": event, "properties": properties, "context": NAMES, "messageId": f"m{number}"}
    take_messages(hq.database, hq.clock, "web-shop", [{**told, **more}])


def live(hq: Headquarters) -> None:
    """A shopper who gave her name, looked at a kayak, wished for it and bought a tent."""
    told = {"type": "identify", "traits": {"given_name": "Mara", "email": "mara@example.com"}, "context": NAMES}
    take_messages(
        hq.database, hq.clock, "web-shop", [{**told, "messageId": "m0"}, {"type": "nonsense", "who": "kayak"}]
    )
    see(hq, 1, "Product Viewed", {"product_id": "kayak", "name": "A blue kayak", "url": "https://shop.test/kayak"})
    see(hq, 2, "Product Added", {"product_id": "kayak", "name": "A blue kayak", "price": 500, "cart_id": "c1"})
    see(hq, 3, "Product Added to Wishlist", {"product_id": "kayak", "name": "A blue kayak"})
    tent = {"product_id": "tent", "name": "A tent", "price": 49.9, "quantity": 1}
    order = {"order_id": "o1", "currency": "EUR", "total": 49.9, "revenue": 49.9, "products": [tent]}
    see(hq, 4, "Order Completed", {**order, "coupon": "KAYAK-FAN"})
    see(hq, 5, "Products Searched", {"query": "kayak for two"}, userId="null", context={})


def bodies(hq: Headquarters) -> str:
    """What all facts say."""
    with hq.database.read() as reader:
        return "\n".join(row["body"] for row in reader.rows("fact"))


def state(hq: Headquarters) -> ProfileState:
    """The one shopper's."""
    with hq.database.read() as reader:
        [stored] = [one for one in reader.every_profile() if json.loads(one.state).get("orders")]
    return ProfileState.from_json(json.loads(stored.state))


def count(hq: Headquarters, table: str) -> int:
    """Rows of a table."""
    with hq.database.read() as reader:
        return len(reader.rows(table))


def test_old_events_lose_what_was_looked_at_and_orders_stay(hq: Headquarters):
    """After 13 months and not a day before; the row counts its event for ever, and a rebuild comes to the same."""
    live(hq)
    facts, before = count(hq, "fact"), state(hq)
    pass_time(hq, days=395)
    assert age_out(hq) == {"events": 0, "hook_delivery": 0, "hook_key": 0, "dead_letter": 0}
    assert state(hq) == before
    pass_time(hq, days=2)
    assert age_out(hq)["events"] == facts
    assert age_out(hq)["events"] == 0
    assert "kayak" not in bodies(hq)
    after = state(hq)
    assert (after.cart_log, after.wishlist, after.recent) == ([], {}, [])
    assert (after.traits, after.identifiers, after.seen) == (before.traits, before.identifiers, before.seen)
    assert net_revenue(Reading(after)) == net_revenue(Reading(before)) == {"EUR": 4990}
    rebuild(hq)
    assert state(hq) == after
    live(hq)
    assert (count(hq, "fact"), state(hq)) == (facts, after)


def test_what_happened_since_is_shown_beside_what_aged(hq: Headquarters):
    """Only what is too old goes: the same shopper's week stays as it was, also on the tablets."""
    live(hq)
    pass_time(hq, days=400)
    see(hq, 9, "Product Viewed", {"product_id": "oar", "name": "An oar"})
    age_out(hq)
    assert [line[2].get("sku") for line in state(hq).recent] == ["oar"]
    with hq.database.read() as reader:
        documents = [row.body for row in reader.docs_of("store:berlin-1", "profile/")]
    assert "kayak" not in "".join(documents)


@pytest.mark.parametrize("days", [0, 30])
def test_each_age_is_a_setting_and_nought_is_for_ever(hq: Headquarters, days: int):
    """Webhooks with whose their orders were, faulty messages, events: each by its own days."""
    live(hq)
    add_hook(hq, "shop", mapping="pos-ticket", secret=None)
    with hq.database.read() as reader:
        hook = find_hook(reader, "shop")
    assert hook is not None
    ticket = {"ticket": "t1", "store": "berlin-1", "card": LOYALTY_ID}
    store_delivery(hq, hook, {}, json.dumps(ticket))
    map_stored(hq, "shop")
    pass_time(hq, days=31)
    aged = replace(hq, settings=replace(hq.settings, event_days=days, hook_days=days, dead_letter_days=days))
    told = age_out(aged)
    is_for_ever = days == 0
    assert (told["events"] == 0) is is_for_ever
    assert (count(hq, "hook_delivery") == 1, count(hq, "dead_letter") >= 1) == (is_for_ever, is_for_ever)
    replay(hq, "shop")


def test_the_nightly_upkeep_does_it_and_says_how_much(hq: Headquarters):
    """With value bands, slices and tombstones; the audit log keeps the numbers."""
    live(hq)
    pass_time(hq, days=397)
    told = keep(hq)
    assert (told["events"], told["dead_letter"]) == (6, 1)
    with hq.database.read() as reader:
        [said] = [row for row in reader.rows("audit") if row["who"] == "upkeep"]
    assert said["about"] == "1 dead letter, 6 events"
    assert said["at"] <= shift_at(hq.now_at(), seconds=1)


def test_of_an_open_case_its_number_stays(hq: Headquarters):
    """So that a case is closed by what closes it, and not by another."""
    opened = {"kind": "track", "channel": "web", "name": "Support Case Opened", "case_id": "c1", "title": "Torn tent"}
    assert aged_of(opened) == {
        **{name: opened[name] for name in ("kind", "channel", "name", "case_id")},
        "is_aged": True,
    }
