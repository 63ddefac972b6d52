"""Salvage: ops of a revoked, forked or withheld journal, kept apart until a person approves them. No merging."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from shared.ids import is_uuid
from shared.wire.messages import Limits, SalvageRequest
from shared.wire.ops import WITHHELD
from sync_server.ports import CentralWriter, Device
from sync_server.services.conflicts import tried_again
from sync_server.services.headquarters import Headquarters
from sync_server.services.problems import refuse
from sync_server.services.sessions import EPOCH_NOTE


@tried_again
def take_salvage(hq: Headquarters, device: Device, raw: Any) -> dict[str, Any]:
    """Keep the ops of a salvage message. Raises Problem: 413 too_large, 422 malformed_request."""
    request = _read_request(raw, device)
    with hq.database.write() as tx:
        known = tx.known_facts([op["op_id"] for op in request.ops])
        results = []
        for op in request.ops:
            fact = known.get(op["op_id"])
            is_new = (fact is None or fact.code == WITHHELD) and _keep(hq, tx, device, request, op)
            results.append({"op_id": op["op_id"], "verdict": "quarantined" if is_new else "duplicate"})
        epoch = tx.note(EPOCH_NOTE) or ""
    return {"epoch": epoch, "batch_id": request.batch_id, "results": results, "end": True}


def _keep(hq: Headquarters, tx: CentralWriter, device: Device, request: SalvageRequest, op: Mapping[str, Any]) -> bool:
    row = {
        "op_id": op["op_id"],
        "device_id": device.device_id,
        "install_id": request.install_id,
        "why": request.why,
        "received_at": hq.now_at(),
        "raw": json.dumps(op, ensure_ascii=True),
        "approved_at": None,
    }
    return tx.add_row("salvage", row)


def _read_request(raw: Any, device: Device) -> SalvageRequest:
    limits = Limits()
    if isinstance(raw, dict) and isinstance(raw.get("ops"), list) and len(raw["ops"]) > limits.max_ops:
        raise refuse("too_large", f"A salvage message holds at most {limits.max_ops} ops.")
    try:
        request = SalvageRequest.model_validate(raw)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        raise refuse("malformed_request", f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]) from None
    if request.device_id != device.device_id:
        raise refuse("malformed_request", "device_id is another device's.")
    for place, op in enumerate(request.ops):
        if not isinstance(op, dict) or not is_uuid(op.get("op_id")):
            raise refuse("malformed_request", f"ops.{place}: op_id is not a UUID.")
    return request
