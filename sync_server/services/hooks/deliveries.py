"""Deliveries: stored as they came, answered, and only then mapped; mapped again when a mapping was mended.

A delivery is known by hook, id headers and body, so one that comes twice counts once; its messages dedupe in the ledger
besides. Mapping may be broken off anywhere: what is still `stored` is mapped by the next delivery or the next start.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shared.errors import FloorsideError, Malformed, Problem, StorageFull
from shared.ids import derived_id
from shared.wire.canonical import load_json
from sync_server.ports import CentralReader, CentralWriter, Conflict, Delivery
from sync_server.services.conflicts import tried_again
from sync_server.services.headquarters import Headquarters
from sync_server.services.hooks.mapping import HookMapping
from sync_server.services.hooks.messages import Piece, read_delivery, with_shopper
from sync_server.services.hooks.registry import Hook, find_hook, must_find
from sync_server.services.ingest import letter_id_of, take_messages
from sync_server.services.suppression import raw_mentions_erased

_CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
_DETAIL_MAX: Final = 1_000
_LEFT: Final = ("stored", "failed", "waiting", "ignored")


def kept_headers(mapping: HookMapping, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers worth keeping: all but credentials and the signature, for a mended mapping may look at any."""
    verify = mapping.verify
    secret = _CREDENTIALS | ({verify.header.lower()} if verify.header is not None else set())
    return {name.lower(): value for name, value in headers.items() if name.lower() not in secret}


@tried_again
def store_delivery(hq: Headquarters, hook: Hook, headers: Mapping[str, str], body: str) -> bool:
    """Store a delivery; durable when it returns. False where it was known already.

    An id header alone is not believed to name the delivery (some senders name their subscription there): the body
    counts too, so another body is another delivery.
    """
    named = [headers.get(name.lower(), "") for name in hook.mapping.delivery_headers]
    delivery_id = derived_id("delivery", hook.name, json.dumps(named), hashlib.sha256(body.encode()).hexdigest())
    row = Delivery(delivery_id, hook.name, hq.now_at(), json.dumps(dict(headers)), body, "stored")
    with hq.database.write() as tx:
        return tx.add_row("hook_delivery", row._asdict())


def map_stored(hq: Headquarters, name: str) -> Counter[str]:
    """Map what a hook's sender delivered and nobody has mapped yet, in order; state -> how many. Raises Problem busy,
    StorageFull; what is not mapped then stays stored."""
    with hq.database.read() as reader:
        hook = find_hook(reader, name, may_be_disabled=True)
    states: Counter[str] = Counter()
    while hook is not None:
        with hq.database.read() as reader:
            page = reader.deliveries(name, ("stored",))
        if not page:
            break
        states.update(_map_one(hq, hook, delivery) for delivery in page)
    return states


def map_left_over(hq: Headquarters) -> Counter[str]:
    """At a start: map what a stop or a kill left stored, of every hook."""
    with hq.database.read() as reader:
        names = {hook for hook, state, _, _ in reader.count_deliveries() if state == "stored"}
    return sum((map_stored(hq, name) for name in sorted(names)), Counter[str]())


def replay(hq: Headquarters, name: str, *, since: str | None = None, include_mapped: bool = False) -> dict[str, int]:
    """Map again what did not come through (or everything), received since a wire time; state -> how many.

    Messages the ledger has are known by their ids and count no second time. Raises Refused for an unknown hook.
    """
    hook = must_find(hq, name)
    states, after = Counter[str](), (since or "", "")
    wanted = (*_LEFT, "mapped") if include_mapped else _LEFT
    until = hq.now_at()
    while True:
        with hq.database.read() as reader:
            page = [one for one in reader.deliveries(name, wanted, after=after) if one.received_at <= until]
        if not page:
            break
        states.update(_map_one(hq, hook, delivery) for delivery in page)
        after = (page[-1].received_at, page[-1].delivery_id)
    map_stored(hq, name)
    with hq.database.write() as tx:
        hq.note_audit(tx, "command line", "replayed a hook", f"{name}: {states.total()} deliveries")
    hq.doorbell.ring()
    return dict(states)


# one delivery ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Outcome:
    """What came of one delivery: faults, keys learned, keys nobody is known by, messages made, dead letters."""

    faults: list[str] = field(default_factory=list)
    learned: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    pieces: int = 0
    ignored: int = 0

    @property
    def state(self) -> str:
        if self.faults:
            return "failed"
        if self.missing:
            return "waiting"
        return "ignored" if self.ignored == self.pieces else "mapped"

    @property
    def detail(self) -> str | None:
        if self.faults:
            more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
            return self.faults[0][:_DETAIL_MAX] + more
        return f"nobody is known by {self.missing[0]} yet" if self.missing else None


def _map_one(hq: Headquarters, hook: Hook, delivery: Delivery) -> str:
    """Map one delivery and note what came of it; one that cannot be mapped never stops those after it."""
    try:
        outcome = _taken(hq, hook, delivery)
    except (Conflict, StorageFull):
        raise
    except Problem as problem:
        if problem.code == "busy":
            raise
        outcome = _Outcome([str(problem)])
    except FloorsideError as problem:
        outcome = _Outcome([str(problem)])
    except Exception as problem:  # noqa: BLE001 - a bug fails this delivery, visibly, and not the line behind it
        outcome = _Outcome([f"a fault in Floorside ({type(problem).__name__}: {problem})"])
    return _settle(hq, delivery, outcome)


def _taken(hq: Headquarters, hook: Hook, delivery: Delivery) -> _Outcome:
    body, headers = load_json(delivery.body), json.loads(delivery.headers)
    outcome = _sorted(hq, hook, read_delivery(hook.mapping, body, headers, delivery.received_at))
    if outcome.messages and take_messages(hq.database, hq.clock, hook.name, outcome.messages).faulty:
        _note_letters(hq, hook.name, outcome)
        outcome.learned.clear()  # who could not be read is nobody's name: a key is taught once
    return outcome


def _sorted(hq: Headquarters, hook: Hook, pieces: Sequence[Piece]) -> _Outcome:
    """Pieces by what can be done with them now; shoppers looked up by key where a piece names none."""
    outcome = _Outcome(pieces=len(pieces))
    for piece in pieces:
        if piece.key is not None and piece.owns_key and piece.names_somebody:
            outcome.learned.setdefault(piece.key, _who_text(piece.who))
    wanted = {piece.key for piece in pieces if piece.key is not None and not piece.names_somebody}
    with hq.database.read() as reader:
        known = {key: who for key in wanted if (who := _known_by(reader, hook.name, key))} | {
            key: json.loads(who) for key, who in outcome.learned.items()
        }
    for piece in pieces:
        outcome.ignored += piece.is_ignored
        if piece.fault is not None:
            outcome.faults.append(piece.fault)
        elif piece.message is not None:
            _place(piece, known, outcome)
    return outcome


def _place(piece: Piece, known: Mapping[str, Mapping[str, str]], outcome: _Outcome) -> None:
    assert piece.message is not None, "the caller looked"
    if piece.names_somebody or piece.key is None:
        outcome.messages.append(with_shopper(piece.message, piece.who))
    elif piece.key in known:
        outcome.messages.append(with_shopper(piece.message, {**known[piece.key], **piece.who}))
    else:
        outcome.missing.append(piece.key)


def _who_text(who: Mapping[str, str]) -> str:
    return json.dumps({name: value for name, value in who.items() if name != "payment_token"}, sort_keys=True)


def _known_by(reader: CentralReader, hook: str, key: str) -> dict[str, str] | None:
    rows = reader.rows("hook_key", hook=hook, key=key)
    return json.loads(rows[0]["who"]) if rows and rows[0]["who"] else None


def _note_letters(hq: Headquarters, source: str, outcome: _Outcome) -> None:
    """Messages that ingest could not take are dead letters: the delivery failed, for their reasons."""
    with hq.database.read() as reader:
        for letter_id in dict.fromkeys(letter_id_of(source, message) for message in outcome.messages):
            for letter in reader.rows("dead_letter", letter_id=letter_id):
                outcome.letters.append(letter_id)
                outcome.faults.append(letter["detail"])


@tried_again
def _settle(hq: Headquarters, delivery: Delivery, outcome: _Outcome) -> str:
    """Note what came of a delivery; wake what waited for the keys it taught."""
    now_at = hq.now_at()
    with hq.database.write() as tx:
        tx.heed_erasures()
        if raw_mentions_erased(tx, hq.database.erasures, delivery.body):
            tx.drop_rows("hook_delivery", delivery_id=delivery.delivery_id)
            return outcome.state
        for key, who in outcome.learned.items():
            _teach(tx, delivery.hook, key, who, now_at)
        waits_for = next((key for key in outcome.missing if not _is_taught(tx, delivery.hook, key, now_at)), None)
        state = "stored" if outcome.state == "waiting" and waits_for is None else outcome.state
        noted = {"state": state, "detail": outcome.detail, "waits_for": waits_for, "messages": len(outcome.messages)}
        letters = sorted({*json.loads(delivery.letters), *outcome.letters}) if state == "failed" else []
        kept = {"letters": json.dumps(letters), "mapped_at": now_at}
        tx.change_rows("hook_delivery", {**noted, **kept}, delivery_id=delivery.delivery_id)
        for letter_id in set(json.loads(delivery.letters)) if state != "failed" else ():
            tx.change_rows("dead_letter", {"replayed_at": now_at}, letter_id=letter_id)
    return state


def _teach(tx: CentralWriter, hook: str, key: str, who: str, now_at: str) -> None:
    """Whose a key is, the first who says so; deliveries that wait for it are to be mapped again."""
    if not tx.add_row("hook_key", {"hook": hook, "key": key, "who": who, "learned_at": now_at}):
        tx.change_rows("hook_key", {"who": who, "learned_at": now_at}, hook=hook, key=key, who=None)
    woken = {"state": "stored", "waits_for": None}
    tx.change_rows("hook_delivery", woken, hook=hook, waits_for=key)


def _is_taught(tx: CentralWriter, hook: str, key: str, now_at: str) -> bool:
    """Has somebody been named under this key meanwhile? A row without anybody makes who names them wait for this
    transaction, and then find the delivery that waits."""
    tx.add_row("hook_key", {"hook": hook, "key": key, "who": None, "learned_at": now_at})
    return bool(tx.rows("hook_key", hook=hook, key=key)[0]["who"])


def check_json(body: bytes) -> str:
    """The text of a JSON body. Raises Malformed for what is none, and for what no database takes as text."""
    load_json(body)
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("not JSON: the body is not UTF-8") from None
