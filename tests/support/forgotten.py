"""A shopper as every table of HQ may know her, and the search for her words afterwards: in each value, in each byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from associate_app.adapters.sqlite import open_tablet_database
from sync_server.adapters import schema
from sync_server.bootstrap import trait_outlet
from sync_server.services.card_pages import make_page
from sync_server.services.cards import issue_card
from sync_server.services.changes import note_changes
from sync_server.services.headquarters import Headquarters
from sync_server.services.hooks.deliveries import map_stored, store_delivery
from sync_server.services.hooks.registry import add_hook, must_find
from sync_server.services.ingest import take_messages
from sync_server.services.privacy import export_shopper
from sync_server.services.salvage import take_salvage
from sync_server.services.trait_targets import add_target
from sync_server.services.traits import TRAITS as TRAIT_LENS
from tests.support.tablet import Tablet
from tests.support.world import LOYALTY_ID, Journalist, pass_time, verdicts

EMAIL = "mara.lindqvist@example.com"
PHONE = "+4915123456789"
OTHER = "2900000000025"
THIRD = "2900000000032"
WORDS = (EMAIL, "15123456789", LOYALTY_ID, "Lindqvist", "blue kayak", "browser-of-mara")
TRAITS = {"email": EMAIL, "phone": PHONE, "given_name": "Mara", "family_name": "Lindqvist"}


def tell(hq: Headquarters, number: int = 1, loyalty_id: str = LOYALTY_ID) -> None:
    """What a web shop and a till say of the shopper: who she is, an order, something unreadable."""
    names: dict[str, Any] = {"externalIds": [{"type": "loyalty_id", "id": loyalty_id}]}
    agreed = {**names, "consent": {"categoryPreferences": {"email": True}}}
    order = {"order_id": f"o{number}", "currency": "EUR", "total": 49.9, "store": "berlin-1"}
    order["products"] = [{"product_id": "sku-1", "price": 49.9, "quantity": 1}]
    messages: list[dict[str, Any]] = [
        {"type": "identify", "anonymousId": "browser-of-mara", "traits": TRAITS, "context": agreed},
        {"type": "track", "event": "Order Completed", "properties": order, "traits": TRAITS, "context": names},
        {"type": "nonsense", "traits": TRAITS},
    ]
    numbered = [{**message, "messageId": f"m{number}-{place}"} for place, message in enumerate(messages)]
    take_messages(hq.database, hq.clock, "web-shop", numbered)


def ticket(number: int = 1, **changed: Any) -> dict[str, Any]:
    """What a till's webhook says of her."""
    sale = {"type": "sale", "ticket": f"T{number}", "store": "berlin-1", "at": "2026-11-22T10:02:00"}
    lines = [{"sku": "OAR", "name": "An oar", "price": "89.90", "quantity": 1}]
    return {**sale, "currency": "EUR", "total": "89.90", "loyalty_number": LOYALTY_ID, "lines": lines, **changed}


def ring_up(hq: Headquarters, *said: dict[str, Any]) -> None:
    """Deliver webhooks of the till; map them."""
    for one in said:
        store_delivery(hq, must_find(hq, "till"), {"idempotency-key": one["ticket"]}, json.dumps(one))
    map_stored(hq, "till")


def fill(hq: Headquarters, tablet: Journalist) -> None:
    """A shopper in every table that could hold her, with another one beside her."""
    issue_card(hq, LOYALTY_ID)
    tell(hq)
    tablet.note("likes the blue kayak")
    tablet.record("from_the_future", {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, "text": "blue kayak"})
    tablet.note("of somebody else", OTHER)
    assert "rejected" not in " ".join(verdicts(tablet.push()))


def fill_every_table(hq: Headquarters, tablet: Journalist) -> None:
    """The same with a page for her card, webhooks mapped, failed and waiting, a pair to review, a rejected op, salvage,
    summaries for another system, and what was done about her by name."""
    fill(hq, tablet)
    make_page(hq, LOYALTY_ID)
    add_hook(hq, "till", "pos-ticket")
    ring_up(hq, ticket(1), ticket(2, total="what?"), ticket(3, loyalty_number=None, cashier_note=f"sold to {EMAIL}"))
    pass_time(hq, minutes=1)
    both = {"externalIds": [{"type": "loyalty_id", "id": THIRD}]}
    message = {"type": "identify", "traits": {"email": EMAIL}, "context": both, "messageId": "both"}
    take_messages(hq.database, hq.clock, "web-shop", [message])
    rejected = tablet.note("blue kayak, rejected", sha="0" * 64)
    [verdict] = verdicts(tablet.push([rejected]))
    assert verdict.startswith("rejected")
    kept = tablet.note("blue kayak, salvaged")
    take_salvage(hq, tablet.device, {**tablet.message([kept]), "why": "withheld"})
    add_target(hq, trait_outlet(hq.settings), "https://crm.example.com/hook")
    note_changes(hq, TRAIT_LENS)
    export_shopper(hq, EMAIL, who="hq")


def dump(hq: Headquarters, *, without: tuple[str, ...] = ()) -> str:
    """Every value of every table but some."""
    with hq.database._writing.connect() as connection:  # type: ignore[attr-defined]
        return "\n".join(
            repr(tuple(row))
            for table in schema.metadata.tables.values()
            if table.name not in without
            for row in connection.execute(table.select())
        )


def found_in(text: str) -> list[str]:
    """Which of the shopper's words stand in a text."""
    return [word for word in WORDS if word in text]


def found_in_files(folder: Path, pattern: str = "central.db*") -> list[str]:
    """The same in the bytes of files."""
    raw = b"".join(path.read_bytes() for path in sorted(folder.glob(pattern)) if path.is_file())
    assert raw, "no file, no proof"
    return [word for word in WORDS if word.encode() in raw]


def rows(hq: Headquarters, table: str, **equal: Any) -> list[dict[str, Any]]:
    """Rows of a table."""
    with hq.database.read() as reader:
        return reader.rows(table, **equal)


def tablet_dump(tablet: Tablet) -> str:
    """Every value of every table of a tablet's database."""
    database = open_tablet_database(tablet.path, "ab" * 32, clock=tablet.clock, chance=tablet.chance)
    connection = database._connection
    try:
        names = [name for (name,) in connection.rows("SELECT name FROM sqlite_master WHERE type = 'table'", ())]
        return "\n".join(repr(row) for name in names for row in connection.rows(f'SELECT * FROM "{name}"', ()))
    finally:
        database.close()
