"""How this tablet stands: what is saved here, what is at HQ, since when. For the pill, the Sync screen and `status`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from associate_app.ports import (
    CLOCK_OFFSET_NOTE,
    EPOCH_NOTE,
    LAST_COMPLETE_SYNC_NOTE,
    LAST_CONTACT_NOTE,
    SLICE_WIPED_NOTE,
    OutboxCounts,
    ReplicaState,
    TabletDatabase,
)
from shared.plays.speech import ENGLISH, GERMAN, spoken
from shared.wire.messages import Receipt

CLOCK_TOLERANCE_MS: Final = 300_000
_UNITS: Final = ((365 * 86_400, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute"))
_GERMAN_UNITS: Final = {
    "year": ("1 Jahr", "Jahre"),
    "day": ("1 Tag", "Tage"),
    "hour": ("1 Stunde", "Stunden"),
    "minute": ("1 Minute", "Minuten"),
}


@dataclass(frozen=True, slots=True)
class TabletStatus:
    """`clock_sentence` says which clock is wrong and by how much; None while it agrees within five minutes with HQ's.

    `store` and `name` are None until the tablet is connected. `replica` has one entry a scope.
    """

    counts: OutboxCounts
    store: str | None
    name: str | None
    last_complete_sync_at: str | None
    last_contact_at: str | None
    receipt: Receipt | None
    clock_offset_ms: int | None
    clock_sentence: str | None
    replica: tuple[ReplicaState, ...]
    install_id: str
    epoch: str | None
    slice_wiped_at: str | None
    """When this tablet deleted its shoppers by itself; None once HQ has vouched for it again."""

    @property
    def is_all_at_hq(self) -> bool:
        """Say whether nothing waits to be sent."""
        return self.counts.pending == 0

    @property
    def needs_a_look(self) -> int:
        """Records HQ could not take as they are."""
        return self.counts.rejected + self.counts.withheld + self.counts.parked

    @property
    def sentence(self) -> str:
        """The first line of the Sync screen."""
        if self.store is None:
            return "This tablet is not connected to a store yet."
        if self.counts.pending:
            number = "1 record is" if self.counts.pending == 1 else f"{self.counts.pending} records are"
            return f"{number} saved here and will go by {'itself' if self.counts.pending == 1 else 'themselves'}."
        return "Everything is at HQ." if self.counts.recorded else "Nothing has been recorded here yet."

    def as_json(self) -> dict[str, Any]:
        """For programs (`status --json`)."""
        counts = self.counts
        return {
            "recorded": counts.recorded,
            "pending": counts.pending,
            "acked": counts.acked,
            "parked": counts.parked,
            "rejected": counts.rejected,
            "withheld": counts.withheld,
            "oldest_pending_at": counts.oldest_pending_at,
            "last_complete_sync_at": self.last_complete_sync_at,
            "last_contact_at": self.last_contact_at,
            "receipt": self.receipt.model_dump() if self.receipt else None,
            "store": self.store,
            "name": self.name,
            "clock_offset_ms": self.clock_offset_ms,
            "clock": self.clock_sentence,
            "install_id": self.install_id,
            "epoch": self.epoch,
            "slice_wiped_at": self.slice_wiped_at,
            "replica": [
                {"scope": state.scope, "at": state.at, "count": state.count, "sum": state.sum} for state in self.replica
            ],
        }


def read_status(database: TabletDatabase) -> TabletStatus:
    """How this tablet stands now."""
    device = database.device()
    offset_ms = _whole(database.read_note(CLOCK_OFFSET_NOTE))
    return TabletStatus(
        counts=database.counts(),
        store=device.store if device else None,
        name=device.name if device else None,
        last_complete_sync_at=database.read_note(LAST_COMPLETE_SYNC_NOTE),
        last_contact_at=database.read_note(LAST_CONTACT_NOTE),
        receipt=database.last_receipt(),
        clock_offset_ms=offset_ms,
        clock_sentence=clock_sentence(offset_ms),
        replica=database.states(),
        install_id=database.install_id(),
        epoch=database.read_note(EPOCH_NOTE),
        slice_wiped_at=database.read_note(SLICE_WIPED_NOTE),
    )


def clock_sentence(offset_ms: int | None, language: str = ENGLISH) -> str | None:
    """Which clock is wrong and by how much, from HQ's clock minus this tablet's; None while they agree."""
    if offset_ms is None or abs(offset_ms) <= CLOCK_TOLERANCE_MS:
        return None
    seconds = abs(offset_ms) // 1000
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size)
    number = (seconds + size // 2) // size
    if spoken(language) == GERMAN:
        one, many = _GERMAN_UNITS[unit]
        amount = one if number == 1 else f"{number} {many}"
        side = "nach" if offset_ms > 0 else "vor"
        return (
            f"Die Uhr dieses Tablets geht gegenüber der Zentrale um etwa {amount} {side}. Stell Datum und Uhrzeit; "
            "alles Gespeicherte bleibt richtig."
        )
    side = "behind" if offset_ms > 0 else "ahead of"
    amount = f"{number} {unit}{'' if number == 1 else 's'}"
    return f"This tablet's clock is about {amount} {side} HQ's. Set its date and time; everything recorded stays right."


def _whole(noted: str | None) -> int | None:
    try:
        return None if noted is None else int(noted)
    except ValueError:
        return None
