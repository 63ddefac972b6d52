"""What a restored database must do before it serves: start a new history, so that tablets send again what it lacks."""

from __future__ import annotations

from typing import Any

from shared.errors import Refused
from sync_server.services.headquarters import Headquarters
from sync_server.services.sessions import EPOCH_NOTE


def begin_new_epoch(hq: Headquarters) -> dict[str, Any]:
    """A new epoch, and no open enrolment code: a code used after the backup must not work a second time.

    The keys stay, so cards and receipts signed so far stay good. Returns the epoch and how many codes were
    voided. Raises Refused for a database without a chain.
    """
    now_at = hq.now_at()
    with hq.database.write() as tx:
        before = tx.note(EPOCH_NOTE)
        if before is None:
            raise Refused("That database holds no chain, so it is no backup of one. Nothing was changed.")
        epoch = hq.make_id()
        tx.write_note(EPOCH_NOTE, epoch)
        voided = tx.change_rows("enrolment_code", {"used_at": now_at}, used_at=None)
        hq.note_audit(tx, "command line", "restored; new epoch", f"{before} -> {epoch}")
    return {"epoch": epoch, "epoch_before": before, "codes_voided": voided}
