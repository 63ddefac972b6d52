"""Handing HQ what a push can no longer carry: a disconnected tablet's unsent records, and those set aside here.

HQ keeps them apart until a person approves them; on this tablet they stay as they are. No merging, no deleting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from associate_app.ports import Clock, JournalEntry, SyncEndpoint, TabletDatabase
from associate_app.services.export import note_safe_elsewhere
from shared.clock import format_at
from shared.errors import Problem, Refused, Weather
from shared.ids import derived_id
from shared.pins import PIN_SET
from shared.wire.canonical import canonical
from shared.wire.messages import Limits

Why = Literal["revoked", "withheld"]
_ALL: Final = 2**31
_SLACK: Final = 4096


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What HQ took: `kept` records wait there for a person, `known` it had already."""

    kept: int
    known: int


def hand_in(database: TabletDatabase, endpoint: SyncEndpoint, clock: Clock, *, is_revoked: bool) -> Salvaged:
    """Send what only salvage can carry. Raises Refused with one sentence; what went before that stays at HQ."""
    device = database.device()
    if device is None:
        raise Refused("This tablet is not connected to a store yet, so HQ would not know whose records these are.")
    why: Why = "revoked" if is_revoked else "withheld"
    states = ("pending", "withheld") if is_revoked else ("withheld",)
    entries = [one for one in reversed(database.entries(limit=_ALL)) if one.state in states and one.op.body]
    kept = known = 0
    # A new PIN goes to HQ by a push alone: a person looks at what is salvaged, and its hash is for nobody to see.
    for batch in _batches([one for one in entries if one.op.kind != PIN_SET]):
        results = _send(database, endpoint, clock, device.device_id, why, batch)
        kept += sum(result.get("verdict") == "quarantined" for result in results)
        known += sum(result.get("verdict") == "duplicate" for result in results)
    if entries and (is_revoked or not database.counts().pending):
        note_safe_elsewhere(database, max(one.op.op_id for one in entries))
    return Salvaged(kept, known)


def _batches(entries: Sequence[JournalEntry]) -> Iterator[list[JournalEntry]]:
    limits, batch, size = Limits(), list[JournalEntry](), _SLACK
    for entry in entries:
        length = len(canonical(entry.op.as_wire())) + 1
        if batch and (len(batch) == limits.max_ops or size + length > limits.max_bytes):
            yield batch
            batch, size = [], _SLACK
        batch.append(entry)
        size += length
    if batch:
        yield batch


def _send(
    database: TabletDatabase,
    endpoint: SyncEndpoint,
    clock: Clock,
    device_id: str,
    why: Why,
    batch: list[JournalEntry],
) -> list[dict[str, Any]]:
    install_id = database.install_id()
    message = {
        "epoch": None,
        "device_id": device_id,
        "install_id": install_id,
        "batch_id": derived_id(install_id, why, *(entry.op.op_id for entry in batch)),
        "device_now": format_at(clock.now()),
        "why": why,
        "ops": [entry.op.as_wire() for entry in batch],
    }
    try:
        reply = endpoint.salvage(message)
    except Weather as weather:
        raise Refused("HQ cannot be reached right now. Nothing is lost: try again, or export the records.") from weather
    except Problem as problem:
        raise Refused(
            "HQ did not take the records. Nothing is lost: keep a copy with `associate-app export --file FILE` and "
            "give it to HQ."
        ) from problem
    results = reply.get("results")
    if not isinstance(results, list) or len(results) != len(batch) or reply.get("batch_id") != message["batch_id"]:
        raise Refused("HQ's answer was not complete. Nothing is lost: try again.")
    return results
