"""Salvage: ops of a revoked, forked or withheld journal, kept apart until a person approves or refuses them.

Approved ones go through intake like a push of the device that recorded them, under an install of their own: the same
verdicts, once by op_id, whatever was pushed meanwhile. Nothing is merged without a person.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.clock import ms_between, shift_at
from shared.errors import Malformed, Refused
from shared.ids import is_uuid
from shared.salvage_file import JournalFile
from shared.wire.canonical import canonical, check_body
from shared.wire.messages import Limits, SalvageRequest, store_of
from shared.wire.ops import ERASED, WITHHELD, check_envelope
from sync_server.ports import CentralReader, CentralWriter, Device
from sync_server.services.conflicts import tried_again
from sync_server.services.enrolment import find_devices
from sync_server.services.headquarters import Headquarters
from sync_server.services.problems import refuse
from sync_server.services.pushes import read_frame
from sync_server.services.quarantine import push_apart, replay
from sync_server.services.sessions import EPOCH_NOTE
from sync_server.services.suppression import mentions_erased, stand_in

WAITING: Final = "waiting"


@tried_again
def take_salvage(hq: Headquarters, device: Device, raw: Any) -> dict[str, Any]:
    """Keep the ops of a salvage message. Raises Problem: 413 too_large, 422 malformed_request."""
    request = _read_request(raw, device)
    with hq.database.write() as tx:
        tx.heed_erasures()
        known = tx.known_facts([op["op_id"] for op in request.ops])
        results = []
        for op in request.ops:
            fact = known.get(op["op_id"])
            is_new = (fact is None or fact.code == WITHHELD) and _keep(hq, tx, device, request, op)
            results.append({"op_id": op["op_id"], "verdict": "quarantined" if is_new else "duplicate"})
        epoch = tx.note(EPOCH_NOTE) or ""
    return {"epoch": epoch, "batch_id": request.batch_id, "results": results, "end": True}


def _keep(hq: Headquarters, tx: CentralWriter, device: Device, request: SalvageRequest, op: Mapping[str, Any]) -> bool:
    is_erased = mentions_erased(tx, hq.database.erasures, op)
    row = {
        "op_id": op["op_id"],
        "device_id": device.device_id,
        "install_id": request.install_id,
        "why": request.why,
        "received_at": hq.now_at(),
        "offset_ms": ms_between(request.device_now, hq.now_at()),
        "raw": json.dumps(stand_in(op) if is_erased else op, ensure_ascii=True),
    }
    return tx.add_row("salvage", row)


def _read_request(raw: Any, device: Device) -> SalvageRequest:
    request = read_frame(SalvageRequest, "A salvage message", device, raw)
    for place, op in enumerate(request.ops):
        if not isinstance(op, dict) or not is_uuid(op.get("op_id")):
            raise refuse("malformed_request", f"ops.{place}: op_id is not a UUID.")
    return request


def import_journal(hq: Headquarters, journal: JournalFile) -> dict[str, Any]:
    """Keep the ops of a journal that left its tablet as a file, as if the tablet had handed them in; HQ has the others.

    Returns how many are kept apart now and how many were known. Raises Refused where HQ does not know the tablet.
    """
    device_id, install_id = str(journal.header.get("device_id")), str(journal.header.get("install_id"))
    with hq.database.read() as reader:
        device = next(iter(find_devices(reader, [device_id])), None)
    if device is None:
        raise Refused("HQ does not know the tablet of this journal: its ops say nothing that could be trusted here.")
    verdicts: Counter[str] = Counter()
    for start in range(0, len(journal.ops), Limits().max_ops):
        message = {"device_id": device_id, "install_id": install_id, "batch_id": hq.make_id(), "why": "revoked"}
        ops = [dict(op) for op in journal.ops[start : start + Limits().max_ops]]
        reply = take_salvage(hq, device, {**message, "device_now": hq.now_at(), "ops": ops})
        verdicts.update(result["verdict"] for result in reply["results"])
    return {
        "device": device.name,
        "store": device.store,
        "kept": verdicts["quarantined"],
        "known": verdicts["duplicate"],
    }


# a person decides -----------------------------------------------------------------------------------------------------


def list_salvage(hq: Headquarters, *, include_decided: bool = False) -> list[dict[str, Any]]:
    """What waits for a person, oldest first, without what it says; with what was decided if asked for."""
    with hq.database.read() as reader:
        rows = reader.rows("salvage")
        names = {device["device_id"]: device for device in reader.rows("device")}
    told = [_shown(row, names.get(row["device_id"], {})) for row in rows]
    return [row for row in told if include_decided or row["state"] == WAITING]


def _shown(row: Mapping[str, Any], device: Mapping[str, Any]) -> dict[str, Any]:
    op = json.loads(row["raw"])
    told = {name: row[name] for name in ("op_id", "device_id", "why", "received_at")}
    told |= {name: op.get(name) for name in ("kind", "scope", "associate_id", "occurred_at")}
    return {**told, "device": device.get("name"), "store": device.get("store"), "state": _state_of(row)}


def _state_of(row: Mapping[str, Any]) -> str:
    if row["approved_at"] is not None:
        return "approved"
    return WAITING if row["refused_at"] is None else "refused"


def show_salvage(hq: Headquarters, op_id: str) -> dict[str, Any]:
    """One salvaged op in full. Raises Refused where there is none."""
    with hq.database.read() as reader:
        [row] = _find(reader, [op_id])
        [device] = reader.rows("device", device_id=row["device_id"]) or [{}]
    return {**_shown(row, device), "op": json.loads(row["raw"])}


def approve(hq: Headquarters, op_ids: Sequence[str] = (), *, device_id: str | None = None) -> list[dict[str, Any]]:
    """Merge waiting ops, those named or all of a device, through intake. Broken off, it can simply be run again.

    Returns {op_id, verdict, code, detail} of each. Raises Refused where an id names nothing or nothing waits.
    """
    with hq.database.read() as reader:
        rows = _waiting(reader, op_ids, device_id)
        devices = {device.device_id: device for device in find_devices(reader, {row["device_id"] for row in rows})}
    results = []
    for (one, offset_ms), part in _journals(rows).items():
        ops = [json.loads(row["raw"]) for row in part]
        results += _merge(hq, devices[one], ops, offset_ms)
        _decide(hq, part, "approved_at", "approved the salvaged op")
    hq.doorbell.ring()
    return results


def _journals(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """By device and clock offset, each in the order of recording."""
    journals: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: str(row["op_id"])):
        journals.setdefault((row["device_id"], row["offset_ms"]), []).append(row)
    return journals


def _merge(hq: Headquarters, device: Device, ops: list[dict[str, Any]], offset_ms: int) -> list[dict[str, Any]]:
    """Through intake; an op whose stand-in holds its place is given its body, then judged like any parked one."""
    results = {result["op_id"]: result for result in push_apart(hq, device, ops, offset_ms)}
    bodies = [op for op in ops if results[op["op_id"]].get("code") == WITHHELD]
    with hq.database.write() as tx:
        mended = [op["op_id"] for op in bodies if _give_body(tx, device, op)]
    results |= {result["id"]: result for result in (replay(hq, mended) if mended else [])}
    told = ("verdict", "code", "detail")
    return [{"op_id": op["op_id"], **{name: results[op["op_id"]].get(name) for name in told}} for op in ops]


def _give_body(tx: CentralWriter, device: Device, op: dict[str, Any]) -> bool:
    """Put a withheld op's body in place of its stand-in; False where it is not the one that was withheld."""
    try:
        check_body(op.get("body"))
        check_envelope(op)
    except Malformed:
        return False
    [row] = tx.rows("fact", fact_id=op["op_id"])
    text = canonical(op["body"])
    is_same = hashlib.sha256(text).hexdigest() == op["sha"] == row["sha"]
    if not is_same or store_of(op["scope"]) not in device.stores_held or op["kind"] in (WITHHELD, ERASED):
        return False
    corrected_at = shift_at(op["occurred_at"], ms=row["offset_ms"] or 0)
    changed = op["body"].get("id") if op["kind"].endswith("_changed") else None
    mended = {name: op[name] for name in ("kind", "schema", "associate_id", "occurred_at", "amends")}
    body = canonical({name: part for name, part in op["body"].items() if name != "inputs"})
    mended |= {"store": store_of(op["scope"]), "body": body.decode(), "about": op.get("amends") or changed}
    tx.change_rows("fact", {**mended, "effective_at": min(corrected_at, row["received_at"])}, fact_id=op["op_id"])
    return True


def turn_down(hq: Headquarters, op_ids: Sequence[str] = (), *, device_id: str | None = None) -> list[str]:
    """Refuse waiting ops, those named or all of a device; they stay kept, and merge nowhere. Raises Refused."""
    with hq.database.read() as reader:
        rows = _waiting(reader, op_ids, device_id)
    _decide(hq, rows, "refused_at", "refused the salvaged op")
    return [str(row["op_id"]) for row in rows]


def _decide(hq: Headquarters, rows: Sequence[Mapping[str, Any]], column: str, did: str) -> None:
    with hq.database.write() as tx:
        for row in rows:
            tx.change_rows("salvage", {column: hq.now_at()}, op_id=row["op_id"])
            hq.note_audit(tx, "command line", did, row["op_id"])


def _waiting(reader: CentralReader, op_ids: Sequence[str], device_id: str | None) -> list[dict[str, Any]]:
    if bool(op_ids) is (device_id is not None):
        raise Refused("Name the ops to decide on, or a device with --device for all that wait of it.")
    rows = _find(reader, op_ids) if op_ids else reader.rows("salvage", device_id=device_id)
    waiting = [row for row in rows if _state_of(row) == WAITING]
    if not waiting:
        raise Refused("Nothing of that waits for a decision: see `sync-server salvage list --every`.")
    return waiting


def _find(reader: CentralReader, op_ids: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for op_id in op_ids:
        rows = reader.rows("salvage", op_id=op_id)
        if not rows:
            raise Refused(f"No salvaged op has the id {op_id!r:.60}: see `sync-server salvage list`.")
        found += rows
    return found
