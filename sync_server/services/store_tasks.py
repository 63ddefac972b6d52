"""What stores tick of their calendar tasks: `task_done` ops become `tasks/<entry id>` in the store's scope. Step 7."""

from __future__ import annotations

import json
from collections.abc import Sequence

from shared.plays.tasks import TasksDocument, TickedTask, with_tick
from shared.wire.messages import store_scope
from sync_server.ports import CentralReader, DocWrite, LedgerRow
from sync_server.services.json_text import canonical


def task_documents(reader: CentralReader, rows: Sequence[LedgerRow]) -> list[DocWrite]:
    """The documents that accepted ticks make; late ones change nothing."""
    made: dict[tuple[str, str], TasksDocument] = {}
    for row in rows:
        if row.kind != "task_done" or row.verdict != "accepted" or row.store is None or row.amends is not None:
            continue
        body, scope = json.loads(row.body), store_scope(row.store)
        if "/" in body.get("entry_id", "/"):
            continue
        key = (scope, f"tasks/{body['entry_id']}")
        tick = TickedTask(done=body["done"], at=row.effective_at, op_id=row.fact_id, associate_id=row.associate_id)
        held = made.get(key) or _held(reader, *key, body["entry_id"])
        made[key] = with_tick(held, body["task"], tick)
    return [
        DocWrite(scope, id_, canonical(document.model_dump(mode="json", exclude_none=True)))
        for (scope, id_), document in made.items()
    ]


def _held(reader: CentralReader, scope: str, document_id: str, entry_id: str) -> TasksDocument:
    row = reader.doc(scope, document_id)
    return TasksDocument.model_validate_json(row.body) if row and row.body else TasksDocument(entry_id=entry_id)
