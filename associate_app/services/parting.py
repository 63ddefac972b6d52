"""Before anything of this tablet is deleted or taken to another HQ: what would be lost, said in numbers. Reads only.

Signing out, connecting anew to the same store and deleting the slice never come here: they touch no record.
"""

from __future__ import annotations

from typing import Final

from associate_app.ports import JournalEntry, TabletDatabase
from associate_app.services.export import SAFE_ELSEWHERE_NOTE
from shared.errors import Refused

_ALL: Final = 2**31


def only_here(database: TabletDatabase) -> tuple[JournalEntry, ...]:
    """Records that neither HQ nor an export holds, oldest first: those not sent, and those set aside here."""
    counts = database.counts()
    if not counts.pending + counts.withheld:
        return ()
    safe = database.read_note(SAFE_ELSEWHERE_NOTE) or ""
    entries = reversed(database.entries(limit=_ALL))
    return tuple(one for one in entries if one.state in ("pending", "withheld") and one.op.op_id > safe)


def check_nothing_is_lost(database: TabletDatabase, lose: int = 0) -> int:
    """How many records would be lost, when that number was confirmed. Raises Refused with it when it was not."""
    count = len(only_here(database))
    if count == lose or not count:
        return count
    records = "1 record is" if count == 1 else f"{count} records are"
    raise Refused(
        f"{records} on this tablet only and would be lost. Send first (associate-app sync), or keep a copy "
        f"(associate-app export --file FILE). To lose {'it' if count == 1 else 'them'} on purpose, say how many: "
        f"--lose {count}"
    )
