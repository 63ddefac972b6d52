"""What HQ tells an older database of its devices: enrolments, moves, revocations and tokens made since it was saved.

Ops and documents a restored database receives again from the tablets; these it would never hear of, for HQ alone said
them. The guard remembers them outside of the database (decision 0012). Nothing here reads the guard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sync_server.ports import CentralReader, CentralWriter
from sync_server.services.enrolment import device_document, find_devices, give_to_store, shut_out
from sync_server.services.headquarters import Headquarters

_TOKEN: Final = ("token_hash", "next_token_hash", "token_at", "must_rotate")
_REMEMBERED: Final = ("store", "name", "stores_held", "app", "enrolled_at", "revoked_at", *_TOKEN)
DeviceMemory = Mapping[str, Mapping[str, Any]]
"""Device id -> the columns of its row that HQ alone can know. Tokens are there as hashes."""


def remember_devices(reader: CentralReader) -> DeviceMemory:
    """What to remember of all devices."""
    installs: dict[str, list[str]] = {}
    for row in reader.rows("install"):
        installs.setdefault(row["device_id"], []).append(row["install_id"])
    return {
        row["device_id"]: {**{name: row[name] for name in _REMEMBERED}, "installs": installs.get(row["device_id"], [])}
        for row in reader.rows("device")
    }


def recall_devices(hq: Headquarters, tx: CentralWriter, memory: DeviceMemory) -> int:
    """Bring a restored database's devices to what is remembered; returns how many were not so.

    Tablets enrolled since go on without a new code, what was recorded for a store given since is taken, also by an
    install that HQ then did not know, and a lost tablet stays shut out. A device of a store the database does not know
    is left alone.
    """
    rows = {row["device_id"]: row for row in tx.rows("device")}
    known = {row["code"] for row in tx.rows("store")}
    here = [(device_id, kept) for device_id, kept in sorted(memory.items()) if kept["store"] in known]
    return sum(_recall(hq, tx, device_id, kept, rows.get(device_id)) for device_id, kept in here)


def _recall(
    hq: Headquarters, tx: CentralWriter, device_id: str, kept: Mapping[str, Any], row: Mapping[str, Any] | None
) -> bool:
    changes = []
    if row is None:
        row = {"device_id": device_id, **{name: kept[name] for name in _REMEMBERED}, "revoked_at": None}
        tx.put_row("device", dict(row))
        told = [device_document(tx, device, hq.now_at()) for device in find_devices(tx, [device_id])]
        tx.publish(told, hq.now_at())
        changes.append("enrolled")
    for install_id in kept.get("installs", ()):
        tx.lock_install(install_id, device_id)
    stores = [kept["store"], *(one for one in reversed(json.loads(kept["stores_held"])) if one != kept["store"])]
    if row["store"] != stores[0] or not {*stores} <= {*json.loads(row["stores_held"])}:
        give_to_store(hq, tx, row, stores)
        changes.append(f"moved to {stores[0]}")
    if (kept["token_at"] or "") > (row["token_at"] or ""):
        tx.change_rows("device", {name: kept[name] for name in _TOKEN}, device_id=device_id)
        changes.append("its token")
    if kept["revoked_at"] is not None and row["revoked_at"] is None:
        shut_out(hq, tx, {**row, "store": stores[0]}, kept["revoked_at"])
        changes.append("revoked")
    if changes:
        hq.note_audit(tx, "guard", "recalled the device", f"{device_id}: {', '.join(changes)}")
    return bool(changes)
