"""What HQ IT must look at, in words and with what to do: too many merges in a day, shoppers held back, pairs that wait.

Asked by `sync-server status`, by `/healthz` and by the running server, which says a new alarm once on standard error.
"""

from __future__ import annotations

from typing import Any, Final

from shared.clock import shift_at
from sync_server.ports import CentralReader
from sync_server.services.headquarters import Headquarters
from sync_server.services.merge import MERGED_NOTE
from sync_server.services.sessions import EPOCH_NOTE

MERGED_SHARE_MAX: Final = 0.005
"""Of all profiles, merged in a day: more raises the alarm (identity.md)."""
MERGED_MIN: Final = 20
"""So many merges in a day are no alarm in the smallest chain."""


def merge_alarm(merged_today: int, profiles: int) -> str | None:
    """The alarm in words, where so many profiles were merged in a day that what came in must be wrong."""
    if profiles == 0 or merged_today <= max(MERGED_MIN, profiles * MERGED_SHARE_MAX):
        return None
    return (
        f"{merged_today} of {profiles} profiles were merged in a day, more than one in 200: an import or a shop may "
        "send one value for many people. Look at `sync-server identity review` and `identity explain`, and block the "
        "value with `identity block`: who was joined by it alone is apart again then."
    )


def merged_on(reader: CentralReader, at: str) -> int:
    """How many profiles were merged into others on a day (UTC)."""
    return int(reader.note(f"{MERGED_NOTE}/{at[:10]}") or 0)


def alarm_of(reader: CentralReader, now_at: str) -> str | None:
    """The alarm of today or yesterday, so that one of the night is still there in the morning. Few looks, so that it
    may be asked often."""
    merged = max(merged_on(reader, day_at) for day_at in (now_at, shift_at(now_at, days=-1)))
    return merge_alarm(merged, reader.count_profiles()) if merged > MERGED_MIN else None


class Lookout:
    """Says an alarm when it is new: once a day."""

    def __init__(self, hq: Headquarters) -> None:
        self._hq = hq
        self._said_on = ""

    def look(self) -> str | None:
        """What must be said now, if anything."""
        now_at = self._hq.now_at()
        if self._said_on == now_at[:10]:
            return None
        with self._hq.database.read() as reader:
            alarm = alarm_of(reader, now_at)
        self._said_on = now_at[:10] if alarm else self._said_on
        return alarm


def status_of(hq: Headquarters) -> dict[str, Any]:
    """How HQ stands: what it holds, and what waits for a person, each as a sentence with what to do."""
    with hq.database.read() as reader:
        held, waiting = reader.held_profiles(), len(reader.reviews(is_open=True))
        alarm = alarm_of(reader, hq.now_at())
        told = {
            "epoch": reader.note(EPOCH_NOTE),
            "stores": len(reader.stores()),
            "profiles": reader.count_profiles(),
            "merged_today": merged_on(reader, hq.now_at()),
            "held": len(held),
            "waiting": waiting,
        }
    return {**told, "alarms": [alarm] if alarm else [], "to_do": [*_held_words(len(held)), *_waiting_words(waiting)]}


def _held_words(held: int) -> list[str]:
    if not held:
        return []
    who = "1 shopper has more identifiers than a person has and is" if held == 1 else ""
    who = who or f"{held} shoppers have more identifiers than a person has and are"
    return [f"{who} on no tablet until somebody looked: see `sync-server identity review`, then split or release."]


def _waiting_words(waiting: int) -> list[str]:
    if not waiting:
        return []
    pairs = "1 pair of identifiers waits" if waiting == 1 else f"{waiting} pairs of identifiers wait"
    return [f"{pairs} for somebody to say whether it is one shopper: see `sync-server identity review`."]
