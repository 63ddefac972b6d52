"""What a restored database must do before it serves: start a new history, so that tablets send again what it lacks, and
be told what it forgot of its devices, because no tablet can tell it that."""

from __future__ import annotations

import json
from typing import Any, Final

from shared.errors import Refused
from sync_server.ports import CentralReader, CentralWriter, Mark
from sync_server.services.headquarters import Headquarters
from sync_server.services.recall import recall_devices
from sync_server.services.sessions import EPOCH_NOTE

FORMER_NOTE: Final = "former_epochs"


def former_epochs(reader: CentralReader) -> list[str]:
    """The epochs this database has left behind, oldest first."""
    return list(json.loads(reader.note(FORMER_NOTE) or "[]"))


def begin_new_epoch(hq: Headquarters) -> dict[str, Any]:
    """A new epoch for a database that was restored, later than the one the guard remembers.

    Returns the epoch, how many codes were voided and how many devices recalled. Raises Refused where there is no chain.
    """
    with hq.database.write() as tx:
        return new_epoch(hq, tx, "restored; new epoch", hq.guard.read())


def new_epoch(hq: Headquarters, tx: CentralWriter, did: str, kept: Mark | None) -> dict[str, Any]:
    """A new epoch inside the caller's transaction, and no open enrolment code: a code used after the older state was
    saved must not work a second time. Devices are brought to what `kept` remembers of them.

    The keys stay, so cards and receipts signed so far stay good. `did` is for the audit.
    """
    before = tx.note(EPOCH_NOTE)
    if before is None:
        raise Refused("That database holds no chain, so it is no backup of one. Nothing was changed.")
    recalled = 0
    left = [*former_epochs(tx), before]
    if kept is not None:
        left.append(kept.epoch)
        if kept.first_epoch == left[0]:
            recalled = recall_devices(hq, tx, kept.devices)
    epoch = hq.make_id()
    tx.write_note(EPOCH_NOTE, epoch)
    tx.write_note(FORMER_NOTE, json.dumps(list(dict.fromkeys(left))))
    voided = tx.change_rows("enrolment_code", {"used_at": hq.now_at()}, used_at=None)
    hq.note_audit(tx, "command line", did, f"{before} -> {epoch}")
    return {"epoch": epoch, "epoch_before": before, "codes_voided": voided, "devices_recalled": recalled}
