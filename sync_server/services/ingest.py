"""Ingest: events of other channels enter the same ledger, merge and feed as ops do. Flow step 7, second door.

Takes messages of the Segment tracking API already parsed; the route only unpacks HTTP. Each distinct message counts
once for ever, by (source, messageId). A faulty one in a good batch goes to the dead letters, visible and replayable.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.clock import format_at
from shared.errors import Malformed
from shared.fold import EVENT, Fact
from shared.ids import derived_id
from shared.ingest_rules import IngestRules
from shared.plays.files import Offer, codes_of
from shared.segment_messages import normalise_message
from shared.shopper_events import FaultyMessage, ShopperEvent
from shared.wire.canonical import check_body
from shared.wire.messages import SCOPE_ALL
from shared.wire.ops import SCHEMA
from sync_server.ports import CentralDatabase, CentralReader, CentralWriter, Clock, DeadLetter, ErasedNames, LedgerRow
from sync_server.services.chain import has_chain, read_chain
from sync_server.services.conflicts import tried_again
from sync_server.services.json_text import canonical
from sync_server.services.merge import merge
from sync_server.services.suppression import NOTHING, blanked, names_erased, raw_mentions_erased

RAW_KEPT_MAX: Final = 65_536
_Event = tuple[ShopperEvent, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class IngestResult:
    """How many messages were new, known already, and faulty."""

    accepted: int
    duplicate: int
    faulty: int


def rules_of(reader: CentralReader) -> IngestRules:
    """What reading a message needs to know of the chain: its stores, loyalty numbers and offer codes.

    Without a chain yet, messages are taken with the defaults: nothing that was sent is lost.
    """
    stores = {store.code: store.currency for store in reader.stores()}
    if not has_chain(reader):
        return IngestRules(stores=stores)
    chain = read_chain(reader)
    offers = codes_of(Offer.model_validate_json(row.body) for row in reader.docs_of(SCOPE_ALL, "offer/"))
    return IngestRules(chain.region, chain.currency, stores, chain.loyalty_numbers, offers)


@tried_again
def take_messages(
    database: CentralDatabase,
    clock: Clock,
    source: str,
    messages: Sequence[Any],
    *,
    sent_at: object = None,
    kind: str | None = None,
) -> IngestResult:
    """Take a batch of one source in one transaction; when it returns, every message is durable or a dead letter."""
    received_at = format_at(clock.now())
    with database.write() as tx:
        tx.heed_erasures()
        erasures = database.erasures.as_it_stands()
        rules = rules_of(tx)
        events: dict[str, _Event] = {}
        letters: list[DeadLetter] = []
        for message in messages:
            event = _read(message, source, received_at, rules, sent_at, kind)
            if isinstance(event, DeadLetter):
                letters.append(event)
            else:
                events.setdefault(event[0].event_id, event)
        known = tx.known_facts(list(events))
        fresh = [event for event_id, event in events.items() if event_id not in known]
        _write(tx, fresh, [_sayable(tx, erasures, one) for one in letters], received_at, erasures)
    return IngestResult(len(fresh), len(messages) - len(letters) - len(fresh), len(letters))


def _read(
    message: Any, source: str, received_at: str, rules: IngestRules, sent_at: object, kind: str | None
) -> _Event | DeadLetter:
    event = normalise_message(message, source=source, received_at=received_at, rules=rules, sent_at=sent_at, kind=kind)
    if isinstance(event, FaultyMessage):
        return _letter(message, source, received_at, event.reason.value, event.sentence)
    body = event.to_body()
    try:
        check_body(body)
    except Malformed as problem:
        return _letter(message, source, received_at, "unreadable", str(problem))
    return event, body


def letter_id_of(source: str, message: Any) -> str:
    """The id of the dead letter that a message of a source becomes if it is faulty."""
    return derived_id("faulty", source, _raw(message))


def _raw(message: Any) -> str:
    return json.dumps(message, ensure_ascii=True, default=str)


def _letter(message: Any, source: str, received_at: str, code: str, sentence: str) -> DeadLetter:
    raw = _raw(message)[:RAW_KEPT_MAX]
    return DeadLetter(letter_id_of(source, message), source, None, code, sentence, received_at, raw)


def _sayable(reader: CentralReader, erasures: ErasedNames, letter: DeadLetter) -> DeadLetter:
    """A dead letter about an erased shopper keeps why it was refused, not what it said."""
    return replace(letter, raw=NOTHING) if raw_mentions_erased(reader, erasures, letter.raw) else letter


def _write(
    tx: CentralWriter,
    events: Sequence[_Event],
    letters: list[DeadLetter],
    received_at: str,
    erasures: ErasedNames,
) -> None:
    rows: dict[str, LedgerRow] = {}
    facts: list[Fact] = []
    for event, body in events:
        row, fact = _ledger_row(event, body, received_at)
        if names_erased(erasures, fact.identifiers):
            rows[event.event_id] = blanked(row)
            continue
        rows[event.event_id] = row
        if fact.identifiers:
            facts.append(fact)
    merged = merge(tx, facts, {}, received_at)
    tx.add_facts([_settled(row, merged.spoiled) for row in rows.values()], merged.profile_of)
    tx.add_dead_letters(letters)
    tx.publish(merged.writes, received_at)


def _ledger_row(event: ShopperEvent, body: dict[str, Any], received_at: str) -> tuple[LedgerRow, Fact]:
    text = canonical(body)
    pairs = tuple((one.type.value, one.value) for one in event.identifiers)
    at = min(event.occurred_at, received_at)
    row = LedgerRow(
        fact_id=event.event_id,
        kind=EVENT,
        schema=SCHEMA,
        origin=event.source,
        store=event.store,
        associate_id=None,
        occurred_at=event.occurred_at,
        effective_at=at,
        received_at=received_at,
        offset_ms=None,
        is_clock_suspect=event.occurred_at > received_at,
        about=None,
        amends=None,
        sha=hashlib.sha256(text).hexdigest(),
        body=text.decode(),
        verdict="accepted",
        subject=json.dumps(pairs) if pairs else None,
    )
    return row, Fact(event.event_id, at, EVENT, body, event.store, identifiers=pairs)


def _settled(row: LedgerRow, spoiled: Mapping[str, str]) -> LedgerRow:
    why = spoiled.get(row.fact_id)
    return row if why is None else row._replace(verdict="parked", code="merge_failed", detail=why)
