"""What this store promised its shoppers, as far as this tablet knows: the feed's, with its own unsettled ops over it.

Follow-ups and holds are read here alike. Promises that were kept are many and stay in the feed, so that lists ask for
the open ones and for those that this tablet itself is about to change. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from associate_app.ports import TabletDatabase
from shared.errors import Refused
from shared.promises import CHANGES, REQUESTS, Promise, lay_over, may_change
from shared.wire.ops import Op

WITHDRAWN: Final = "op_withdrawn"
_OPEN: Final = '"state":"open"'
_NAMES: Final = {"follow_up": "follow-up", "hold": "hold"}


def promises_open(database: TabletDatabase, kind: str) -> tuple[Promise, ...]:
    """What is still to be kept, soonest due first."""
    own = _unsettled(database, kind)
    bodies = {stored.id: stored.body for stored in database.documents(kind, with_part=_OPEN)}
    for op_id in _touched(database, own):
        stored = database.document(f"{kind}/{op_id}")
        if stored is not None:
            bodies[stored.id] = stored.body
    laid = lay_over(kind, (Promise.from_document(kind, body) for body in bodies.values()), own)
    still = [one for one in laid if one.standing.is_open and one.op_id]
    return tuple(sorted(still, key=lambda one: (one.standing.due or "", one.op_id)))


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
