"""What an op names must be known at HQ: the plays ever published, the offers with their limits, people. Step 7.

Asked by intake of new ops and by the quarantine of parked ones, with the same answer as long as HQ knows the same. An
op that fails here is stored and parked with a sentence, never dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from shared.errors import Malformed
from shared.pins import PIN_SET
from sync_server.ports import CentralReader, LedgerRow
from sync_server.services.overrides import refused_override
from sync_server.services.pins import refused_pin

_PLAY_KINDS: Final = frozenset({"outcome_recorded", "trigger_seen", "impression_recorded", "play_changed"})


def refused_name(
    reader: CentralReader, row: LedgerRow, body: Mapping[str, Any], play_ids: Collection[str]
) -> Malformed | None:
    """Why an op cannot be applied for what it names; None where it can."""
    if row.kind == "offer_overridden":
        return refused_override(reader, row, body)
    if row.kind == PIN_SET:
        return refused_pin(reader, row, body)
    if row.kind not in _PLAY_KINDS:
        return None
    named = [shown["play_id"] for shown in body["shown"]] if "shown" in body else [body["play_id"]]
    unknown = sorted({play_id for play_id in named if play_id not in play_ids})
    return Malformed(f"HQ never published the play {unknown[0]!r:.60}", "unknown_play") if unknown else None
