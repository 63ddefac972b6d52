"""Traffic for the benches: a chain on disk with shoppers, and the ops, documents and messages that shops really make.

Everything comes from a seed, so two runs send the same. Nothing here is timed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.cards import encode_card
from shared.clock import format_at
from shared.code_patterns import CheckRule, with_check_digit
from shared.ids import Uuid7
from shared.wire.canonical import canonical, sha_of
from shared.wire.messages import store_scope
from sync_server.bootstrap import open_headquarters
from sync_server.ports import DocWrite, Store
from sync_server.services.chain import Chain, add_stores, make_chain
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.settings import DATABASE_FILE, Settings
from tests.support.world import Journalist, make_journalist

NAMES = ("Mara", "Jonas", "Aylin", "Zoë", "Piotr", "Selma", "Noah", "Ines", "Emil", "Greta", "Luca", "Hanna")
FAMILIES = ("Brandt", "Okafor", "Yılmaz", "Lindqvist", "Nowak", "Ferrari", "Schäfer", "Huber", "Moreau", "Keller")
THINGS = (
    "Hekla shell",
    "Nordfjord parka",
    "Ridge pack 38 l",
    "Merino base layer",
    "Trail shoe Kaldi",
    "Down vest Fugl",
)
PLAYS = ("show-the-cart", "wishlist-in-stock", "thank-you-3", "win-back-90", "back-in-stock")
OUTCOMES = ("bought", "interested", "not_today", "not_interested", "already_has_it")
STORES = tuple(
    Store(f"store-{n}", f"Store {n}", "EUR", "Europe/Berlin", "DE", None, 52_500_000 + n * 9_000, 13_400_000)
    for n in range(4)
)
NOTES = (
    "Looks for a shell that packs small; her old one leaks at the shoulder. Tried M, prefers the ochre one.",
    "Training for the Zugspitz run in June, wants to compare two trail shoes with more room in front.",
    "Shops for two children as well: hand-me-downs matter, so colours that suit both.",
)


def loyalty_number(number: int) -> str:
    """The shopper's EAN-13 loyalty number."""
    return with_check_digit(f"29{number:010d}", CheckRule.EAN13)


@contextmanager
def open_chain(folder: Path) -> Iterator[Headquarters]:
    """Headquarters on a data folder, opened as the server's own commands do."""
    settings = Settings(data_dir=folder, database=f"sqlite:///{folder / DATABASE_FILE}")
    with open_headquarters(settings) as hq:
        yield hq


def found_chain(hq: Headquarters) -> None:
    """A chain with stores and plays."""
    make_chain(hq, Chain("Nordhang", "EUR", "Europe/Berlin"))
    add_stores(hq, STORES)
    with hq.database.write() as tx:
        for play_id in PLAYS:
            published = {"play_id": play_id, "version": 1, "body": "{}", "published_at": hq.now_at()}
            tx.put_row("play_version", published)


# messages of other channels -------------------------------------------------------------------------------------------


def messages_of(number: int, now: datetime, *, turn: int = 0) -> list[dict[str, Any]]:
    """Eight messages of one shopper: signs in once, looks around, fills a cart, buys now and then."""
    draw = random.Random(number * 1009 + turn)
    who = {"userId": f"c-{number}", "anonymousId": f"anon-{number}-{turn}"}
    made = [{**who, **_identify(number)}] if turn == 0 else []
    while len(made) < 8:
        made.append({**who, **_track(draw, len(made))})
    for place, message in enumerate(made):
        at = now - timedelta(days=draw.randrange(1, 60), minutes=place)
        message |= {"messageId": f"m-{number}-{turn}-{place}", "timestamp": format_at(at)}
    return made


def _identify(number: int) -> dict[str, Any]:
    traits = {
        "loyalty_id": loyalty_number(number),
        "email": f"shopper.{number}@example.org",
        "given_name": NAMES[number % len(NAMES)],
        "family_name": FAMILIES[number % len(FAMILIES)],
        "home_store": STORES[number % len(STORES)].code,
    }
    consent = {"consent": {"categoryPreferences": {"personalise_in_store": number % 5 > 0, "profiling": True}}}
    return {"type": "identify", "traits": traits, "context": consent}


def _track(draw: random.Random, place: int) -> dict[str, Any]:
    thing = draw.choice(THINGS)
    product = {"sku": f"SKU-{draw.randrange(400)}", "name": thing, "category": "shells", "price": 129.0}
    context = {"channel": "web", "page": {"url": "https://shop.example/p/1", "path": "/p/1"}}
    if place == 7 and draw.random() < 0.4:
        order = {"order_id": f"o-{draw.randrange(10**9)}", "revenue": 129.0, "currency": "EUR", "products": [product]}
        return {"type": "track", "event": "Order Completed", "properties": order, "context": context}
    name = draw.choice(("Product Viewed", "Product Viewed", "Product Added", "Product Added to Wishlist"))
    return {"type": "track", "event": name, "properties": {**product, "currency": "EUR"}, "context": context}


def add_shoppers(hq: Headquarters, count: int) -> None:
    """Shoppers known from the web shop, 500 messages a transaction."""
    now = hq.clock.now()
    messages = [message for number in range(count) for message in messages_of(number, now)]
    for start in range(0, len(messages), 500):
        take_messages(hq.database, hq.clock, "web-shop", messages[start : start + 500])


# ops of a tablet ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShopDay:
    """A tablet's day: its journal, ready to be sent in batches."""

    tablet: Journalist
    batches: list[dict[str, Any]]


def shop_day(hq: Headquarters, number: int, *, ops: int, shoppers: int, batch: int = 250) -> ShopDay:
    """A tablet's day: for each shopper the card opened by its signed code, an impression, an outcome, at times a note
    or a second outcome; 600 bytes an op on average. Of seven shoppers one comes from another store."""
    tablet = make_journalist(hq, STORES[number % len(STORES)].code)
    draw, kid_and_key = random.Random(number), hq.keys.card_key()
    made: list[dict[str, Any]] = []
    started = datetime.now(UTC) - timedelta(hours=8)
    make_id = Uuid7(lambda: started + timedelta(seconds=len(made)), draw.getrandbits)
    while len(made) < ops:
        shopper = draw.randrange(shoppers)
        if draw.random() < 6 / 7:
            shopper += number % len(STORES) - shopper % len(STORES)
        for kind, body in _visit(draw, shopper % shoppers, kid_and_key):
            at = started + timedelta(seconds=3 * len(made))
            made.append(_op(len(made) + 1, make_id(), kind, tablet.scope, format_at(at), body))
    parts = [made[start : min(start + batch, ops)] for start in range(0, ops, batch)]
    return ShopDay(tablet, [tablet.message(part, device_now=format_at(datetime.now(UTC))) for part in parts])


def _visit(draw: random.Random, shopper: int, kid_and_key: tuple[int, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    who = {"shopper": {"type": "loyalty_id", "value": loyalty_number(shopper)}}
    yield "shopper_opened", {**who, "how": "card", "card": _card(shopper, kid_and_key)}
    plays = draw.sample(PLAYS, 3)
    shown = [
        {"play_id": play, "play_version": 1, "arm": "shown" if rank < 3 else "would_show", "rank": rank}
        for rank, play in enumerate(plays, 1)
    ]
    pack = f"{7:064x}"
    yield "impression_recorded", {**who, "shown": shown, "rule_pack": pack, "profile_s": 41_000 + draw.randrange(900)}
    said = {"play_version": 1, "arm": "shown", "rule_pack": pack, "impression_op_id": f"{draw.getrandbits(128):032x}"}
    for play in plays[: 1 + (draw.random() < 0.4)]:
        outcome = draw.choice(OUTCOMES)
        reason = {"reason": "Wants to think about it until the weekend"} if outcome == "not_today" else {}
        yield "outcome_recorded", {**who, "play_id": play, "outcome": outcome, **said, **reason}
    if draw.random() < 0.25:
        yield "note_added", {**who, "text": draw.choice(NOTES)}


_CARDS: dict[int, str] = {}


def _card(shopper: int, kid_and_key: tuple[int, Any]) -> str:
    if shopper not in _CARDS:
        kid, key = kid_and_key
        _CARDS[shopper] = encode_card(
            key,
            kid=kid,
            card_id=f"{shopper:016x}",
            issued_on=datetime.now(UTC).date(),
            expires_on=None,
            tier="silver",
            loyalty_id=loyalty_number(shopper),
        )
    return _CARDS[shopper]


def _op(seq: int, op_id: str, kind: str, scope: str, at: str, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "seq": seq,
        "op_id": op_id,
        "kind": kind,
        "schema": 1,
        "scope": scope,
        "associate_id": "01a20000-0000-7000-8000-0000000000a1",
        "occurred_at": at,
        "amends": None,
        "sha": sha_of(body),
        "body": body,
    }


# documents ------------------------------------------------------------------------------------------------------------


def profile_document(number: int, *, version: int = 0) -> dict[str, Any]:
    """A profile document of about 1.5 kB, no two alike; a later version of it did more and is the same person."""
    who, draw = random.Random(number), random.Random(number * 31 + version)
    at = datetime(2026, 11, 1, 9, 0, 0, tzinfo=UTC)
    recent = [_recent_line(draw, format_at(at - timedelta(minutes=draw.randrange(90_000)))) for _ in range(4)]
    return {
        "id": profile_id(number),
        "identifiers": [
            {"type": "customer_id", "value": f"c-{who.getrandbits(40):010x}"},
            {"type": "email", "value": f"{who.choice(NAMES).lower()}.{number}@example.org"},
            {"type": "loyalty_id", "value": loyalty_number(number)},
        ],
        "given_name": NAMES[who.randrange(len(NAMES))],
        "family_name": FAMILIES[who.randrange(len(FAMILIES))] + f" {number % 97}",
        "tier": who.choice(("silver", "gold")),
        "points": draw.randrange(9000),
        "postcode": f"{who.randrange(10_000, 99_999)}",
        "consent": {"personalise_in_store": {"decision": "granted", "at": recent[0]["at"]}},
        "facts": {
            "first_order_at": recent[1]["at"],
            "last_order_at": recent[2]["at"],
            "orders": 1 + draw.randrange(20),
            "net_revenue": [{"minor": draw.randrange(900_000), "currency": "EUR"}],
            "refunds": 0,
            "home_store": "store-0",
            "distance": {"this_store_m": 100 * draw.randrange(200)},
            "last_seen": {"web": recent[0]["at"]},
        },
        "seen": {
            "Product Viewed": {"n": draw.randrange(1, 40), "first_at": recent[3]["at"], "last_at": recent[0]["at"]}
        },
        "recent": recent,
        "cart": [],
        "wishlist": [],
        "purchases": [],
        "notes": [],
        "preferences": {},
        "value_band": draw.choice(("none", "mid", "top")),
        "slice": ["home"],
        "offers": [{"offer_id": "autumn-15", "state": "sent", "at": recent[0]["at"]}],
        "follow_ups": [],
        "outcomes": [],
        "plays_state": {},
        "as_of": recent[0]["at"],
    }


def _recent_line(draw: random.Random, at: str) -> dict[str, Any]:
    return {
        "at": at,
        "channel": "web",
        "event": draw.choice(("Product Viewed", "Product Added")),
        "sku": f"SKU-{draw.randrange(4000)}",
        "category": "shells",
        "title": draw.choice(THINGS),
        "price": {"minor": draw.randrange(2_000, 60_000), "currency": "EUR"},
    }


def profile_id(number: int) -> str:
    """A profile id, no two alike."""
    drawn = random.Random(number).getrandbits(128)
    text = f"{drawn:032x}"
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-a{text[17:20]}-{text[20:]}"


def publish_profiles(hq: Headquarters, store: str, numbers: range, *, version: int = 0) -> int:
    """Put profile documents straight into a store's feed; returns their bytes."""
    scope, size = store_scope(store), 0
    for start in range(numbers.start, numbers.stop, 2500):
        writes = []
        for number in range(start, min(start + 2500, numbers.stop)):
            body = canonical(profile_document(number, version=version))
            size += len(body)
            writes.append(DocWrite(scope, f"profile/{profile_id(number)}", body))
        with hq.database.write() as tx:
            tx.publish(writes, hq.now_at())
    return size
