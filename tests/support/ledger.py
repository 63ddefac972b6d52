"""A ledger of a given size, written as rows and never folded: what a rebuild has to make everything of.

Everything comes from a number, so two runs write the same; households share phones, and some give the counter's own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from shared.clock import format_at
from shared.fold import EVENT
from shared.ingest_rules import IngestRules
from shared.segment_messages import normalise_message
from shared.shopper_events import ShopperEvent
from shared.wire.ops import SCHEMA
from sync_server.ports import LedgerRow
from sync_server.services.headquarters import Headquarters
from sync_server.services.identity import take_evidence_anew
from sync_server.services.ingest import rules_of
from sync_server.services.json_text import canonical
from sync_server.services.merge import fact_of_row
from tests.support.traffic import messages_of

SOURCE = "web-shop"
COUNTER_PHONE = "+493012345678"
_PAGE = 5_000


def write_ledger(hq: Headquarters, *, events: int, shoppers: int) -> None:
    """So many events of so many shoppers, of no profile yet. Some left evidence: an opening that found none at all
    would rebuild by itself, before anything is measured."""
    with hq.database.read() as reader:
        rules = rules_of(reader)
    rows = _rows(hq.clock.now(), rules, events, shoppers)
    while page := list(islice(rows, _PAGE)):
        with hq.database.write() as tx:
            tx.add_facts(page, {})
            take_evidence_anew(tx, [fact_of_row(page[0])])


def _rows(now: datetime, rules: IngestRules, events: int, shoppers: int) -> Iterator[LedgerRow]:
    for number in range(shoppers):
        count = (number + 1) * events // shoppers - number * events // shoppers
        made = [message for turn in range(-(-count // 8)) for message in messages_of(number, now, turn=turn)]
        made[0]["traits"]["phone"] = phone_of(number)
        for message in made[:count]:
            yield _row(message, rules, format_at(now))


def phone_of(number: int) -> str:
    """Two shoppers at a time share one; every fiftieth gives the counter's."""
    return COUNTER_PHONE if number % 50 == 0 else f"+4930{20_000_000 + number // 2}"


def _row(message: dict[str, Any], rules: IngestRules, now_at: str) -> LedgerRow:
    event = normalise_message(message, source=SOURCE, received_at=now_at, rules=rules, sent_at=None, kind=None)
    assert isinstance(event, ShopperEvent), event
    body = canonical(event.to_body())
    return LedgerRow(
        fact_id=event.event_id,
        kind=EVENT,
        schema=SCHEMA,
        origin=SOURCE,
        store=event.store,
        associate_id=None,
        occurred_at=event.occurred_at,
        effective_at=min(event.occurred_at, now_at),
        received_at=now_at,
        offset_ms=None,
        is_clock_suspect=False,
        about=None,
        amends=None,
        sha=hashlib.sha256(body).hexdigest(),
        body=body.decode(),
        verdict="accepted",
        subject=json.dumps([(one.type.value, one.value) for one in event.identifiers]),
    )
