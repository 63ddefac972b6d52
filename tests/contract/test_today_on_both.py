"""What HQ works out for Today, on SQLite and PostgreSQL alike: how digital helped, ticks and pins for every tablet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from associate_app.services import record
from associate_app.services.lookup import ShopperKey, read_held
from associate_app.services.store_book import StoreBooks
from shared.identity import Identifier, IdentifierType, profile_id_for
from shared.plays.figures import FiguresDocument, OnlineFirst
from shared.plays.tasks import TasksDocument
from sync_server.services.estimates import refresh_estimates
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from tests.support.tablet import Tablet, connect, make_tablet
from tests.support.world import LOYALTY_ID

AGREED = {"personalise_in_store": True, "profiling": True, "analytics": True}
DAY = "2026-11-2{}T09:00:00.000Z"


def shop(hq: Headquarters, number: str, looked_on: int | None, agreed: dict[str, bool], minor: int = 100) -> None:
    """A member who perhaps looked online on a day of this week, then bought at the till on the 21st."""
    named = {"context": {"externalIds": [{"type": "loyalty_id", "id": number}]}}
    consent = {"context": {**named["context"], "consent": {"categoryPreferences": agreed}}}
    told: list[dict[str, Any]] = [
        {"type": "track", "event": "Segment Consent Preference Updated", "timestamp": DAY.format(0), **consent}
    ]
    if looked_on is not None:
        viewed = {"product_id": "S1", "category": "knitwear"}
        told.append({"type": "track", "event": "Product Viewed", "properties": viewed, **named})
        told[-1]["timestamp"] = DAY.format(looked_on)
    take_messages(
        hq.database, hq.clock, "web-shop", [{**one, "messageId": f"{number}{n}"} for n, one in enumerate(told)]
    )
    order = {"order_id": f"o{number}", "currency": "EUR", "total": minor / 100, "store": "berlin-1", "products": []}
    sold = {"type": "track", "event": "Order Completed", "properties": order, "timestamp": DAY.format(1), **named}
    sold["context"] = {**named["context"], "channel": "pos"}
    take_messages(hq.database, hq.clock, "till", [{**sold, "messageId": f"{number}-order"}])


def test_members_who_looked_online_first_are_counted_with_their_consent_alone(
    hq: Headquarters, shop_tablet: Tablet
) -> None:
    """One looked before, one after, one never, one did not agree to analytics, one not to their use here."""
    shop(hq, "2900000000018", 0, AGREED, 7400)
    shop(hq, "2900000000025", 2, AGREED, 5000)
    shop(hq, "2900000000032", None, AGREED, 5200)
    shop(hq, "2900000000049", 0, {**AGREED, "analytics": False}, 900)
    shop(hq, "2900000000056", 0, {**AGREED, "personalise_in_store": False}, 900)
    refresh_estimates(hq)
    shop_tablet.sync()
    stored = shop_tablet.database.document("figures/berlin-1")
    assert stored is not None
    assert FiguresDocument.model_validate(stored.body).online_first == OnlineFirst(
        members=3, looked=1, looked_orders=1, looked_minor=7400, other_orders=2, other_minor=10200, currency="EUR"
    )


def test_a_tick_and_a_pin_reach_the_second_tablet(hq: Headquarters, shop_tablet: Tablet, tmp_path: Path) -> None:
    """Ticked and taken away again on one, pinned there by Jonas: the other shows how it stands."""
    other = make_tablet(tmp_path, shop_tablet.transport, seed=2)
    connect(other, hq)
    recorder = record.Recorder(shop_tablet.database, shop_tablet.clock, shop_tablet.make_id, lambda: None, "a0001")
    record.tick_task(recorder, "member-weekend", "window")
    record.tick_task(recorder, "member-weekend", "till")
    shop_tablet.clock.move(1)
    record.tick_task(recorder, "member-weekend", "till", is_done=False)
    profile_id = profile_id_for(Identifier(IdentifierType.LOYALTY_ID, LOYALTY_ID))
    record.pin_shopper(recorder, ShopperKey("loyalty_id", LOYALTY_ID, profile_id), is_pinned=True)
    for tablet in (shop_tablet, other):
        assert tablet.sync().is_complete
    stored = other.database.document("tasks/member-weekend")
    assert stored is not None
    told = TasksDocument.model_validate(stored.body)
    assert {task: tick.done for task, tick in told.ticks.items()} == {"window": True, "till": False}
    held = read_held(other.database, StoreBooks().read(other.database), profile_id, now=other.clock.now())
    other.database.close()
    assert held is not None
    assert held.document["pinned_by"] == ["a0001"]
