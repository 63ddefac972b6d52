"""The demo chain as a whole: the same for the same arguments, alive on any date, understood by the ingest."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import format_at
from shared.ingest_rules import IngestRules
from shared.segment_messages import normalise_message
from shared.shopper_events import ShopperEvent
from sync_server.demo.assets import read_assets
from sync_server.demo.chain import MESSAGES_MAX, DemoChain, generate
from sync_server.demo.live import live_messages
from sync_server.demo.moments import is_open
from tests.unit.demo.worlds import DAY_S, NOW, NOW_S, at_s, chain_of

STORES = {store.code: store for store in read_assets().stores}
DATES = [
    datetime(2027, 1, 1, 0, 5, tzinfo=UTC),
    datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
    datetime(2026, 3, 29, 3, 30, tzinfo=UTC),
    datetime(2026, 6, 14, 6, 0, tzinfo=UTC),
]


def messages(chain: DemoChain) -> list[dict[str, object]]:
    """All messages of a chain."""
    return [message for batch in chain.batches() for message in batch.messages]


def test_equal_arguments_give_equal_messages() -> None:
    """Seed, number of shoppers and now decide everything; another seed is another chain."""
    assert messages(generate(3, 60, NOW)) == messages(generate(3, 60, NOW))
    assert messages(generate(3, 60, NOW)) != messages(generate(4, 60, NOW))


def test_a_shopper_does_not_depend_on_how_many_others_there_are() -> None:
    """The shopper of an index is the same in a small and in a large chain."""
    assert generate(3, 30, NOW).messages_of(25) == generate(3, 3_000, NOW).messages_of(25)


def test_message_ids_are_never_given_twice() -> None:
    """The ingest drops a second message with an id it knows, so each has its own."""
    ids = Counter(message["messageId"] for message in messages(chain_of(400)))
    assert max(ids.values()) == 1


@pytest.mark.parametrize("now", DATES, ids=lambda now: f"{now:%Y-%m-%d %H:%M}")
def test_the_chain_is_alive_on_any_date(now: datetime) -> None:
    """Nothing lies in the future or beyond thirteen months, and something happened within the last day."""
    times = [at_s(message) for message in messages(generate(5, 150, now))]
    now_s = int(now.timestamp())
    assert max(times) <= now_s
    assert min(times) > now_s - 395 * DAY_S
    assert max(times) > now_s - DAY_S


@pytest.mark.parametrize("now", DATES, ids=lambda now: f"{now:%Y-%m-%d %H:%M}")
def test_tills_ring_only_in_opening_hours(now: datetime) -> None:
    """Orders and refunds at a till happen while that store is open by its own clock, in every zone and season."""
    sold = [
        message
        for message in messages(generate(5, 150, now))
        if str(message.get("event")).startswith("Order") and "store" in message["context"]  # type: ignore[operator]
    ]
    assert len(sold) > 50
    for message in sold:
        assert is_open(STORES[message["context"]["store"]], at_s(message)), message  # type: ignore[index]


def test_the_first_store_comes_in_first_and_batches_fit_the_api() -> None:
    """Batches go store by store, hold whole shoppers and at most what the tracking API takes."""
    chain = chain_of(400)
    batches = list(chain.batches(500))
    assert [batch.store for batch in batches] == sorted((batch.store for batch in batches), key=list(STORES).index)
    assert sum(batch.shoppers for batch in batches) == 400
    assert max(len(batch.messages) for batch in batches) <= 500
    owners = [{message["userId"] for message in batch.messages} for batch in batches]
    assert sum(map(len, owners)) == 400
    assert all(len(batch.messages) <= MESSAGES_MAX for batch in chain.batches())


def test_the_ingest_understands_every_message() -> None:
    """Read by the core's own reader, no message is faulty, no event unknown, and orders have revenue and pictures."""
    rules = IngestRules(stores={code: store.currency for code, store in STORES.items()})
    for message in messages(chain_of(250)):
        event = normalise_message(message, source="demo", received_at=format_at(NOW), rules=rules)
        assert isinstance(event, ShopperEvent), message
        assert event.is_known, message
        assert event.channel == message["context"]["channel"]  # type: ignore[index]
        assert not event.blocked, message
        if event.name == "Order Completed":
            assert event.order is not None
            assert event.order.revenue_minor
            assert event.order.order_id
            assert all(line.image and line.price_minor and line.title and line.category for line in event.order.lines)
        if event.name == "Product Added":
            assert event.sku
            assert event.cart_id
            assert event.price_minor
            assert event.image


def test_revenue_is_what_is_left_without_tax_and_shipping() -> None:
    """Total = revenue + tax + shipping, to the cent, on every order."""
    for message in messages(chain_of(250)):
        if message.get("event") == "Order Completed":
            told = message["properties"]
            parts = [round(float(told[name]) * 100) for name in ("revenue", "tax", "shipping", "total")]  # type: ignore[index]
            assert sum(parts[:3]) == parts[3]
            assert 0 < parts[0] < parts[3]


def test_the_showcase_comes_first_and_says_why() -> None:
    """A handful of hand-written shoppers of the first store, each with a sentence of its own."""
    chain = chain_of(400)
    assert 8 <= len(chain.showcase) <= 12
    assert chain.indexes_by_store()["berlin-1"][: len(chain.showcase)] == list(range(len(chain.showcase)))
    for index, shown in enumerate(chain.showcase):
        assert chain.shopper(index).name == shown.name
        assert chain.shopper_with(shown.loyalty_id).index == index
        assert shown.say.endswith(".")
    assert len(generate(1, 3, NOW).showcase) == 3


def test_mara_left_the_jumper_in_her_cart_two_days_ago() -> None:
    """The first card of the demo tells the story of the design: cart, wishlist, clicks, boots and a zip."""
    told = chain_of(400).messages_of(0)
    by_event = Counter(message.get("event") for message in told)
    added = [message for message in told if message.get("event") == "Product Added"]
    assert [message["properties"]["sku"] for message in added] == ["KNT-ARAN-SAND"]
    assert 40 * 3600 < NOW_S - at_s(added[0]) < 54 * 3600
    assert by_event["Product Viewed"] == 5
    assert (
        by_event["Email Link Clicked"] == by_event["Support Case Opened"] == by_event["Product Added to Wishlist"] == 1
    )
    stock = {row.sku: (row.quantity, row.aisle) for row in chain_of(400).stock if row.store == "berlin-1"}
    assert stock["KNT-ARAN-SAND"] == (4, "B3")


def test_what_the_stories_name_exists() -> None:
    """Every sku and campaign of the showcase is in the catalogue and in the list of campaigns."""
    skus = {product.sku for product in read_assets().products}
    for stated in read_assets().showcase["stock"].values():
        assert set(stated) <= skus
    for index in range(len(read_assets().showcase["shoppers"])):
        assert chain_of(400).messages_of(index)


def test_every_store_has_every_product_or_none_left() -> None:
    """Stock is stated for each product of each store; about one in eight is sold out."""
    stock = chain_of(10).stock
    assert len(stock) == 6 * 240
    assert 0.08 < sum(row.quantity == 0 for row in stock) / len(stock) < 0.16
    assert all(row.aisle for row in stock)


def test_live_events_are_of_the_moment_and_never_repeat_an_id() -> None:
    """The live feed gives as many events as asked for, of the last seconds, with new ids at a later time."""
    chain = chain_of(400)
    first, later = (live_messages(chain, NOW + timedelta(seconds=gap), 6) for gap in (0, 15))
    assert len(first) == len(later) == 6
    assert not {message["messageId"] for message in first} & {message["messageId"] for message in later}
    assert all(0 <= NOW_S - at_s(message) <= 20 for message in first)
    assert first == live_messages(chain, NOW, 6)


def test_live_events_can_be_asked_for_certain_shoppers() -> None:
    """With loyalty numbers only those shoppers do something; a number of another chain is refused."""
    chain = chain_of(400)
    mara = chain.showcase[0].loyalty_id
    told = live_messages(chain, NOW, 8, [mara])
    assert {message["userId"] for message in told} == {chain.shopper(0).account_id}
    with pytest.raises(ValueError, match="check digit"):
        live_messages(chain, NOW, 1, [mara[:-1] + str((int(mara[-1]) + 1) % 10)])


def test_an_empty_chain_has_no_messages() -> None:
    """Without shoppers there is nothing to send, live or not."""
    chain = generate(1, 0, NOW)
    assert messages(chain) == []
    assert live_messages(chain, NOW, 5) == []


def test_a_time_without_a_zone_is_refused() -> None:
    """`now` must be aware, else opening hours mean nothing."""
    with pytest.raises(ValueError, match="aware"):
        generate(1, 1, datetime(2026, 11, 22))  # noqa: DTZ001 (the point of the test)
