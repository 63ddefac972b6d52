"""One full round of sync for the command line: send everything, receive everything, check, say how it went.

The same driver as the app's worker, stepped by the caller. Weather is not an error here: the summary says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from associate_app.sync.driver import SyncDriver
from associate_app.sync.status import SyncStatus, Tally

STEPS_MAX: Final = 100_000
_ELSEWHERE_WORDS: Final = "This tablet is already syncing in another window. Try again in a moment."
_NOT_CONNECTED_WORDS: Final = "This tablet is not connected to HQ yet. Connect it with an enrolment code first."
_UNFINISHED_WORDS: Final = "Not everything is through yet. Nothing is lost; sync again to go on."


@dataclass(frozen=True, slots=True)
class SyncSummary:
    """What a round did. `is_complete`: everything sent, received and checked; else `words` says why not."""

    is_complete: bool
    words: str | None
    requests: int
    answered: Mapping[str, int]
    """Verdict -> number of ops."""
    documents_received: int
    snapshots: int
    status: SyncStatus


def run_until_idle(
    driver: SyncDriver,
    *,
    max_steps: int = STEPS_MAX,
    pause: Callable[[float], None] | None = None,
    patience_s: float = 0.0,
) -> SyncSummary:
    """Run one full round: hello, push all, pull all, check. Raises nothing for weather.

    With `pause` (a sleep) it waits up to `patience_s` in all for another worker of this tablet to end, or for a short
    back-off.
    """
    before = driver.status().tally
    driver.ring("asked")
    left_s = patience_s if pause is not None else 0.0
    for _ in range(max_steps):
        delay_s = driver.step()
        if delay_s <= 0:
            continue
        if driver.status().is_complete or delay_s > left_s:
            break
        assert pause is not None
        pause(delay_s)
        left_s -= delay_s
    return _sum_up(before, driver.status())


def _sum_up(before: Tally, status: SyncStatus) -> SyncSummary:
    after = status.tally
    answered = {verdict: count - before.answered.get(verdict, 0) for verdict, count in after.answered.items()}
    is_complete = status.is_complete and not status.is_elsewhere
    return SyncSummary(
        is_complete=is_complete,
        words=None if is_complete else _why_not(status),
        requests=after.requests - before.requests,
        answered={verdict: count for verdict, count in answered.items() if count},
        documents_received=after.documents_received - before.documents_received,
        snapshots=after.snapshots - before.snapshots,
        status=status,
    )


def _why_not(status: SyncStatus) -> str:
    if status.is_elsewhere:
        return _ELSEWHERE_WORDS
    if not status.is_enrolled:
        return _NOT_CONNECTED_WORDS
    return status.words or _UNFINISHED_WORDS
