"""What this store promised its shoppers, as far as this tablet knows: the feed's, with its own unsettled ops over it.

Follow-ups, holds and appointments are read here alike. Promises that were kept are many and stay in the feed, so that
lists ask for the open ones, or some days', and for those that this tablet itself is about to change. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from associate_app.ports import TabletDatabase
from shared.errors import Refused
from shared.promises import CHANGES, REQUESTS, Promise, lay_over, may_change
from shared.wire.ops import Op

WITHDRAWN: Final = "op_withdrawn"
_OPEN: Final = '"state":"open"'
_NAMES: Final = {"follow_up": "follow-up", "hold": "hold", "appointment": "appointment"}


def promises_open(database: TabletDatabase, kind: str) -> tuple[Promise, ...]:
    """What is still to be kept, soonest due first."""
    return tuple(one for one in _soonest(database, kind, [_OPEN]) if one.standing.is_open)


def promises_due(database: TabletDatabase, kind: str, days: Iterable[date]) -> tuple[Promise, ...]:
    """What is due on these days of the wire (UTC) or touched by own ops, whatever became of it, soonest first."""
    return tuple(_soonest(database, kind, [f'"due":"{day.isoformat()}' for day in days]))


def _soonest(database: TabletDatabase, kind: str, parts: Iterable[str]) -> list[Promise]:
    own = _unsettled(database, kind)
    bodies = {stored.id: stored.body for part in parts for stored in database.documents(kind, with_part=part)}
    for op_id in _touched(database, own):
        stored = database.document(f"{kind}/{op_id}")
        if stored is not None:
            bodies[stored.id] = stored.body
    laid = lay_over(kind, (Promise.from_document(kind, body) for body in bodies.values()), own)
    return sorted((one for one in laid if one.op_id), key=lambda one: (one.standing.due or "", one.op_id))


def promise_to_change(database: TabletDatabase, kind: str, op_id: str, deed: str) -> Promise:
    """A promise of whatever tablet, if that may be done with it as it stands here. Raises Refused where it is gone, and
    where somebody was quicker."""
    stored = database.document(f"{kind}/{op_id}")
    known = [Promise.from_document(kind, stored.body)] if stored is not None else []
    laid = lay_over(kind, known, _unsettled(database, kind))
    found, name = next((one for one in laid if one.op_id == op_id), None), _NAMES[kind]
    if found is None:
        raise Refused(f"This {name} is no longer on this tablet. Look at the list again.")
    standing = found.standing
    if not may_change(kind, standing, deed):
        raise Refused(f"A colleague was quicker: this {name} is {standing.state} already. Nothing was changed.")
    return found


def _unsettled(database: TabletDatabase, kind: str) -> tuple[Op, ...]:
    kinds = [name for names in (REQUESTS, CHANGES) for name, of in names.items() if of == kind]
    return database.unsettled_of([*kinds, WITHDRAWN])


def _touched(database: TabletDatabase, own: Iterable[Op]) -> Iterator[str]:
    """Which promises own ops change, or take a change of back."""
    for op in own:
        undone = database.entry(op.amends) if op.kind == WITHDRAWN and op.amends else None
        told = undone.op if undone is not None else op
        if told.kind in CHANGES and "id" in told.body:
            yield told.body["id"]
