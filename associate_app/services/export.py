"""Taking the journal off a tablet that can no longer send it, in the form of `shared/salvage_file.py`.

HQ merges what is in it only when a person approves. What was exported is remembered, so that a reset may follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from associate_app.ports import TabletDatabase
from shared.pins import PIN_SET
from shared.salvage_file import FORMAT, spell_line

SAFE_ELSEWHERE_NOTE: Final = "safe_elsewhere"
"""The newest op_id that an export, or HQ's salvage, holds as well."""
_ALL: Final = 2**31


def export_journal(database: TabletDatabase) -> Iterator[str]:
    """JSON lines without their ends: a header, then every kept op oldest first as `{"op", "chain", "state"}`. A new PIN
    is none of them: its hash goes to HQ by a push alone, and a PIN is soon given again."""
    device = database.device()
    counts = database.counts()
    yield spell_line(
        {
            "format": FORMAT,
            "install_id": database.install_id(),
            "device_id": device.device_id if device else None,
            "store": device.store if device else None,
            "recorded": counts.recorded,
            "pending": counts.pending,
        }
    )
    for entry in reversed(database.entries(limit=_ALL)):
        if entry.op.body and entry.op.kind != PIN_SET:
            yield spell_line({"op": entry.op.as_wire(), "chain": entry.chain, "state": entry.state})


def note_safe_elsewhere(database: TabletDatabase, op_id: str | None) -> None:
    """Remember that all ops up to this one are kept outside this tablet too."""
    if op_id is not None:
        database.write_note(SAFE_ELSEWHERE_NOTE, max(op_id, database.read_note(SAFE_ELSEWHERE_NOTE) or ""))
