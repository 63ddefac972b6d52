"""A tablet's database without HQ: a real file whose replica holds the seed playbook and made-up shoppers."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from associate_app.adapters.sqlite import TabletFile, open_tablet_database
from associate_app.ports import LAST_COMPLETE_SYNC_NOTE, LAST_CONTACT_NOTE, DeviceIdentity, JournalEntry, NewOp
from associate_app.services.record import Recorder
from associate_app.services.store_book import StoreBook, StoreBooks
from shared.cards import encode_card
from shared.clock import format_at, parse_at
from shared.code_patterns import CheckRule, CodePattern, with_check_digit
from shared.ids import Uuid7
from shared.plays.files import document_of
from shared.plays.playbook import play_document
from shared.wire.canonical import canonical, document_hash
from shared.wire.messages import (
    Change,
    Check,
    FeedPage,
    OpResult,
    PushReply,
    Receipt,
    SnapshotEnd,
    SnapshotHeader,
    SnapshotLine,
)
from shared.wire.ops import Op
from tests.support.plays import NOW_AT, ago, days_ago, granted, seed_playbook, seed_settings
from tests.support.tablet import KEY, TabletClock
from tests.support.world import SeededChance

EPOCH = "01a20000-0000-7000-8000-0000000000e1"
STORE_SCOPE = "store:berlin-1"
LOYALTY_ID = with_check_digit("290000000001", CheckRule.EAN13)
STRANGER_ID = with_check_digit("290000000999", CheckRule.EAN13)
MARA = "01a20000-0000-5000-8000-00000000aaaa"
SKU = "JKT-HEKLA-OCHRE"
CARD_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PIN_HASH = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("2580")
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


@dataclass(slots=True)
class ShopTablet:
    """A connected tablet of berlin-1 whose replica is full, and what records on it."""

    database: TabletFile
    clock: TabletClock
    recorder: Recorder
    books: StoreBooks
    rings: list[str]

    @property
    def book(self) -> StoreBook:
        return self.books.read(self.database)

    def close(self) -> None:
        self.database.close()


def open_file(folder: Path, *, clock: TabletClock | None = None, seed: int = 1, key: str = KEY) -> TabletFile:
    """Open (or make) the database of a folder."""
    clock = clock or TabletClock()
    return open_tablet_database(folder / "tablet.db", key, clock=clock, chance=SeededChance(seed))


def make_shop_tablet(folder: Path, shoppers: Mapping[str, dict[str, Any]] | None = None) -> ShopTablet:
    """A tablet as it is after its first complete sync, at 14:02 on a Sunday in Berlin."""
    clock = TabletClock()
    clock.set(parse_at(NOW_AT))
    database = open_file(folder, clock=clock)
    connect(database)
    load(database, "all", chain_documents())
    load(database, STORE_SCOPE, {**store_documents(), **(shoppers or {f"profile/{MARA}": mara()})})
    for note in (LAST_CONTACT_NOTE, LAST_COMPLETE_SYNC_NOTE):
        database.write_note(note, NOW_AT)
    rings: list[str] = []
    make_id = Uuid7(clock.now, SeededChance(5).bits, after=database.newest_op_id())
    recorder = Recorder(database, clock, make_id, lambda: rings.append("ring"), "a0001")
    return ShopTablet(database, clock, recorder, StoreBooks(), rings)


def connect(database: TabletFile, store: str = "berlin-1") -> DeviceIdentity:
    """Give the tablet an identity without asking anybody."""
    device = DeviceIdentity("http://hq.test", "01a20000-0000-7000-8000-0000000000d1", "token", "Tablet", store, "AAAA")
    database.save_device(device)
    return device


# the replica ----------------------------------------------------------------------------------------------------------


def line(document_id: str, doc: dict[str, Any], s: int = 1) -> SnapshotLine:
    """A line of a snapshot."""
    body = canonical(doc)
    return SnapshotLine(s, document_id, document_hash(document_id, body), body)


def header(scope: str, as_of: int = 10, count: int = 0) -> SnapshotHeader:
    """The first line of a snapshot."""
    return SnapshotHeader.model_validate({"epoch": EPOCH, "scope": scope, "as_of": as_of, "schema": 1, "count": count})


def end_of(lines: list[SnapshotLine], cursor: str = "c1") -> SnapshotEnd:
    """The last line of a snapshot of these lines."""
    total = sum(int(one.h, 16) for one in lines) % 2**64
    return SnapshotEnd(end=True, count=len(lines), sum=f"{total:016x}", next=cursor)


def load(database: TabletFile, scope: str, documents: Mapping[str, dict[str, Any]], *, as_of: int = 10) -> None:
    """Fill a scope by a snapshot, as the sync worker does."""
    lines = [line(document_id, documents[document_id]) for document_id in sorted(documents)]
    database.load_snapshot(header(scope, as_of, len(lines)), lines)
    database.swap_snapshot(scope, end_of(lines))


def page(
    scope: str, changes: list[Change], *, head: int, more: bool = False, next_: str = "c2", check: Check | None = None
) -> FeedPage:
    """A page of a feed."""
    return FeedPage(epoch=EPOCH, scope=scope, next=next_, head=head, more=more, changes=changes, check=check, end=True)


def put(document_id: str, doc: dict[str, Any], s: int) -> Change:
    """A changed document."""
    return Change(s=s, id=document_id, op="put", h=document_hash(document_id, canonical(doc)), doc=doc)


def gone(document_id: str, s: int, why: str = "slice") -> Change:
    """A document that left."""
    return Change(s=s, id=document_id, op="del", why=why)


# what HQ answers ------------------------------------------------------------------------------------------------------


def answer(
    database: TabletFile,
    verdicts: Mapping[int, str | tuple[str, str]],
    *,
    visible_at: int = 20,
    batch_id: str = "b1",
) -> PushReply:
    """A push reply with a verdict (or (verdict, code)) for each seq and a receipt over them."""
    results = []
    for seq, told in sorted(verdicts.items()):
        verdict, _, code = told.partition(":") if isinstance(told, str) else (told[0], "", told[1])
        results.append(OpResult.model_validate({"seq": seq, "verdict": verdict, "code": code or None}))
    through = max(verdicts)
    receipt = Receipt(
        install_id=database.install_id(),
        through_seq=through,
        chain=database.chain_at(through) or "",
        epoch=EPOCH,
        issued_at=NOW_AT,
        kid="1",
        signature="",
    )
    return PushReply(
        epoch=EPOCH,
        batch_id=batch_id,
        results=results,
        visible_at={STORE_SCOPE: visible_at},
        receipt=receipt,
        end=True,
    )


def new_note(make_id: Callable[[], str], text: str = "likes wool", **more: Any) -> NewOp:
    """A note about Mara, ready to be recorded."""
    given: dict[str, Any] = {
        "op_id": make_id(),
        "kind": "note_added",
        "scope": STORE_SCOPE,
        "associate_id": "a0001",
        "occurred_at": NOW_AT,
        "body": {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, "text": text},
        "profile_id": MARA,
    }
    return NewOp(**(given | more))


def op_ids(seed: int = 3) -> Callable[[], str]:
    """Makes op ids from a clock that stands still."""
    return Uuid7(TabletClock().now, SeededChance(seed).bits)


def states(entries: tuple[JournalEntry, ...]) -> list[str]:
    """The states of journal entries, oldest first."""
    return [entry.state for entry in reversed(entries)]


def seqs(ops: tuple[Op, ...]) -> list[int]:
    """The seqs of ops."""
    return [op.seq for op in ops]


# documents ------------------------------------------------------------------------------------------------------------


def card_for(
    loyalty_id: str = LOYALTY_ID,
    *,
    key: Ed25519PrivateKey = CARD_KEY,
    kid: int = 1,
    card_id: str = "00000000000000aa",
    expires_on: date | None = date(2030, 1, 1),
    tier: str = "Gold",
) -> str:
    """A signed loyalty card."""
    return encode_card(
        key,
        kid=kid,
        card_id=card_id,
        issued_on=date(2024, 1, 1),
        expires_on=expires_on,
        tier=tier,
        loyalty_id=loyalty_id,
    )


def mara(**changes: Any) -> dict[str, Any]:
    """A member who left a jacket in her cart two days ago and lives close by."""
    document: dict[str, Any] = {
        "id": MARA,
        "identifiers": [
            {"type": "email", "value": "mara@example.org"},
            {"type": "loyalty_id", "value": LOYALTY_ID},
            {"type": "phone", "value": "+4915123456789"},
        ],
        "given_name": "Mara",
        "family_name": "Lindqvist",
        "tier": "Gold",
        "postcode": "10115",
        "consent": granted("personalise_in_store", "email"),
        "facts": {
            "first_order_at": days_ago(300),
            "last_order_at": days_ago(30),
            "last_order_store": "berlin-1",
            "orders": 2,
            "home_store": "berlin-1",
            "distance": {"this_store_m": 1200, "home_store_m": 1200},
        },
        "recent": [
            {"at": ago(50), "channel": "web", "event": "Product Added", "sku": SKU, "category": "jackets"},
            {"at": ago(51), "channel": "web", "event": "Product Viewed", "sku": SKU, "category": "jackets"},
        ],
        "cart": [{"sku": SKU, "at": ago(50), "category": "jackets"}],
        "value_band": "rest",
        "as_of": ago(50),
    }
    return {**document, **changes}


def chain_documents() -> dict[str, dict[str, Any]]:
    """Scope all: the seed playbook, the demo's catalogue, the chain, its stores and its card key."""
    book = seed_playbook()
    public = base64.b64encode(CARD_KEY.public_key().public_bytes_raw()).decode()
    chain = {"name": "Nordhang", "currency": "EUR", "timezone": "Europe/Berlin", "region": "DE"}
    patterns = [CodePattern("29", 13, check=CheckRule.EAN13).to_body()]
    return {
        **{f"play/{play.id}": play_document(play) for play in book.plays},
        **{f"offer/{offer.id}": document_of(offer) for offer in book.offers.values()},
        **{f"product/{product['sku']}": product for product in catalogue()},
        "setting/plays": seed_settings().as_document(),
        "setting/chain": {**chain, "loyalty_numbers": patterns},
        "store/berlin-1": {"code": "berlin-1", "name": "Berlin Mitte", "currency": "EUR", "timezone": "Europe/Berlin"},
        "card_key/1": {"kid": 1, "public_key": public},
        "card_cancelled/00000000000000cc": {"card_id": "00000000000000cc", "at": NOW_AT},
    }


def catalogue() -> list[dict[str, Any]]:
    """The demo's products as documents."""
    listed = json.loads(files("assets").joinpath("demo/catalogue.json").read_text("utf-8"))
    return [
        {
            "sku": product["sku"],
            "gtin": product["gtin"],
            "title": product["title"],
            "category": product["category"],
            "brand": product["brand"],
            "prices": [{"minor": minor, "currency": code} for code, minor in sorted(product["price_minor"].items())],
            "image": product["picture"],
        }
        for product in listed
    ]


def store_documents() -> dict[str, dict[str, Any]]:
    """The store's own scope without shoppers: four of everything, and Jonas, whose PIN is 2580."""
    associate = {"associate_id": "a0001", "name": "Jonas Weber", "role": "associate", "pin_hash": PIN_HASH}
    stock = {sku: {"sku": sku, "quantity": 4, "aisle": "B3"} for sku in (product["sku"] for product in catalogue())}
    return {"associate/a0001": associate, **{f"stock/{sku}": level for sku, level in stock.items()}}


def at(clock: TabletClock) -> str:
    """The clock's time as the wire writes it."""
    return format_at(clock.now())
