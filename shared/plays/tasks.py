"""What a store has ticked of a calendar entry's tasks: `tasks/<entry id>` in the store's scope. Pure, both sides.

A tick, and taking it away again, is a record; of each task the last one by (time, op id) counts, so neither order nor
repetition changes anything. HQ makes the document of the ops it took; a tablet lays its own unsettled ones over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.documents import Document
from shared.wire.ops import Op


class TickedTask(Document):
    """How a task stands, since when, by which op and by whom."""

    done: bool
    at: str
    op_id: str
    associate_id: str | None = None


class TasksDocument(Document):
    """`tasks/<entry id>`: task -> how it stands."""

    entry_id: str
    ticks: Mapping[str, TickedTask] = {}


def with_tick(held: TasksDocument, task: str, tick: TickedTask) -> TasksDocument:
    """The document after a tick; an older one changes nothing."""
    known = held.ticks.get(task)
    if known is not None and (known.at, known.op_id) >= (tick.at, tick.op_id):
        return held
    return held.model_copy(update={"ticks": {**held.ticks, task: tick}})


def tick_of(op: Op) -> tuple[str, str, TickedTask]:
    """(entry id, task, tick) that a `task_done` op of this device tells."""
    body: Mapping[str, Any] = op.body
    tick = TickedTask(done=body["done"], at=op.occurred_at, op_id=op.op_id, associate_id=op.associate_id)
    return body["entry_id"], body["task"], tick
