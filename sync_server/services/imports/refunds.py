"""What of an order was given back since the last export. Shops export the sum so far, the ledger keeps each time.

Each difference is a refund with an id of its own, numbered by order: the same export again finds nothing due.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from shared.ingest_rules import IngestRules
from shared.money import amount_of
from shared.segment_messages import normalise_message
from shared.shopper_events import EventOrder, ShopperEvent, event_id_for
from sync_server.ports import CentralReader
from sync_server.services.imports.messages import Message


def due_refunds(
    reader: CentralReader, source: str, refunds: Sequence[Message], rules: IngestRules, now_at: str
) -> Iterator[Message]:
    """The messages of what is not in the ledger yet, with the amount that is new."""
    for refund in refunds:
        read = normalise_message(refund, source=source, received_at=now_at, rules=rules)
        if not isinstance(read, ShopperEvent) or read.order is None or read.order.refund_minor is None:
            continue
        due = _due(reader, source, read.order)
        if due is not None:
            message_id, minor = due
            amount = str(amount_of(minor, read.order.currency))
            yield {**refund, "messageId": message_id, "properties": {**refund["properties"], "total": amount}}


def _due(reader: CentralReader, source: str, order: EventOrder) -> tuple[str, int] | None:
    """(message id, minor units) of the next refund; None where all of it is known, or what is known cannot be read
    any more because the shopper was erased."""
    left = order.refund_minor or 0
    for step in count(1):
        message_id = f"refund:{order.order_id}:{step}"
        rows = reader.rows("fact", fact_id=event_id_for(source, message_id))
        if not rows:
            return (message_id, left) if left > 0 else None
        known = _refunded(rows[0])
        if known is None:
            return None
        left -= known
    return None


def _refunded(row: dict[str, Any]) -> int | None:
    try:
        minor = json.loads(row["body"])["order"]["refund_minor"]
    except (ValueError, KeyError, TypeError):
        return None
    return minor if isinstance(minor, int) else None
