"""How long this tablet has been without HQ, counted so that no clock can shorten it (ADR 0016).

The sync worker adds the time up as it passes; what hides behaviour, signs nobody in any more and deletes the shoppers
reads the sum. A clock set back takes nothing off it. Below services and sync; knows neither.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from associate_app.ports import LAST_CONTACT_NOTE, Clock, TabletDatabase
from shared.clock import format_at, is_at, ms_between

ABSENCE_NOTE: Final = "away"
"""JSON `{"contact_at", "seconds", "at"}`: counted since that contact, up to `at` by this tablet's clock."""
WRITTEN_EVERY_S: Final = 60.0
"""Not more often: each time is a write, and a minute is nothing against days."""


@dataclass(frozen=True, slots=True)
class _Count:
    contact_at: str
    seconds: float
    at: str

    def since(self, now: datetime) -> float:
        """Seconds on the wall clock since the count was taken; negative after the clock was set back."""
        return ms_between(self.at, format_at(now)) / 1000


def away_s(database: TabletDatabase, now: datetime) -> float | None:
    """Seconds without HQ; None for a tablet that never met it."""
    count = _read(database)
    return None if count is None else count.seconds + max(0.0, count.since(now))


class AbsenceMeter:
    """The worker's own: adds up what the wall clock or the steady one says has passed, whichever is more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._marked_s: float | None = None

    def restart(self) -> None:
        """HQ was just met: what passed before is over."""
        self._marked_s = self._clock.monotonic_s()

    def add_up(self, database: TabletDatabase) -> float | None:
        """Seconds without HQ, noted now and then; None for a tablet that never met it."""
        count, now, steady_s = _read(database), self._clock.now(), self._clock.monotonic_s()
        if count is None:
            return None
        if self._marked_s is None:
            self._marked_s = steady_s
        by_wall = count.since(now)
        passed_s = max(0.0, by_wall, steady_s - self._marked_s)
        if by_wall < 0 or passed_s >= WRITTEN_EVERY_S:
            _write(database, _Count(count.contact_at, count.seconds + passed_s, format_at(now)))
            self._marked_s = steady_s
        return count.seconds + passed_s


def _read(database: TabletDatabase) -> _Count | None:
    """The count since the last contact; one begun before it is void."""
    contact_at = database.read_note(LAST_CONTACT_NOTE)
    if contact_at is None or not is_at(contact_at):
        return None
    fresh = _Count(contact_at, 0.0, contact_at)
    try:
        noted = json.loads(database.read_note(ABSENCE_NOTE) or "{}")
        count = _Count(str(noted["contact_at"]), float(noted["seconds"]), str(noted["at"]))
    except (ValueError, KeyError, TypeError):
        return fresh
    return count if count.contact_at == contact_at and is_at(count.at) else fresh


def _write(database: TabletDatabase, count: _Count) -> None:
    noted = {"contact_at": count.contact_at, "seconds": count.seconds, "at": count.at}
    database.write_note(ABSENCE_NOTE, json.dumps(noted))
