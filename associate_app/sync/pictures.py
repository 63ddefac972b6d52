"""Fetches the pictures that cards can show, one at a time, on a loop of its own beside the sync worker.

A card never waits for it: until a picture is here its line wears a drawing. What a card just missed comes first, then
what the slice's carts, wishlists and recent events show. Losing this loop costs only pictures.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from associate_app.ports import Chance, Clock, PictureShelf, SyncEndpoint, TabletDatabase
from associate_app.sync.status import SyncStatus
from shared.errors import Problem, Weather

IDLE_S: Final = 5.0
BETWEEN_S: Final = 0.05
"""Between two pictures: a record or a page that wants the network is never far behind."""
LOOK_S: Final = 60.0
"""At most once a minute the slice is looked through for pictures it shows."""
RETRY_S_MAX: Final = 300.0
REFUSED_S: Final = 3600.0
"""HQ has no such picture: perhaps it is imported later."""
_SHOWING: Final = ("profile", "product")

_log: Final = logging.getLogger(__name__)


class PictureFetcher:
    """One loop's. `status` tells how the worker stands."""

    def __init__(
        self,
        database: TabletDatabase,
        endpoint: SyncEndpoint,
        shelf: PictureShelf,
        status: Callable[[], SyncStatus],
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._database, self._endpoint, self._shelf = database, endpoint, shelf
        self._status, self._clock, self._chance = status, clock, chance
        self._queue: deque[str] = deque()
        self._looked_at: int | None = None
        self._look_again_s = 0.0
        self._refused: dict[str, float] = {}
        self._failures = 0

    def step(self) -> float:
        """Fetch one picture if one is wanted; returns the seconds until the next call."""
        status = self._status()
        if not status.is_online or status.is_revoked or status.needs_connect:
            return IDLE_S
        sha = self._next()
        return IDLE_S if sha is None else self._fetch(sha)

    def _next(self) -> str | None:
        missed = next((sha for sha in self._shelf.missed() if self._may_ask(sha)), None)
        if missed is not None:
            return missed
        self._look()
        while self._queue:
            sha = self._queue.popleft()
            if self._may_ask(sha) and not self._shelf.holds(sha):
                return sha if self._shelf.has_room() else None
        return None

    def _look(self) -> None:
        """Queue what the slice shows, when documents changed and the last look is a while ago."""
        now_s = self._clock.monotonic_s()
        if self._queue or now_s < self._look_again_s:
            return
        revision = self._database.revision(_SHOWING)
        if revision != self._looked_at:
            self._queue.extend(self._database.pictures_shown())
            self._looked_at, self._look_again_s = revision, now_s + LOOK_S

    def _may_ask(self, sha: str) -> bool:
        return self._refused.get(sha, 0.0) <= self._clock.monotonic_s()

    def _fetch(self, sha: str) -> float:
        try:
            picture = self._endpoint.media(sha)
        except Weather:
            self._queue.appendleft(sha)
            return self._back_off()
        except Problem as problem:
            if problem.status == 404:
                return self._do_without(sha)
            return max(float(problem.retry_after_s or 0), self._back_off())
        self._failures = 0
        if not self._shelf.keep(sha, picture):
            _log.warning("A picture came that is not what HQ's documents name; a drawing stands in.")
            return self._do_without(sha)
        return BETWEEN_S

    def _do_without(self, sha: str) -> float:
        self._shelf.give_up(sha)
        self._refused[sha] = self._clock.monotonic_s() + REFUSED_S
        return BETWEEN_S

    def _back_off(self) -> float:
        self._failures += 1
        return max(IDLE_S, self._chance.uniform(0.0, min(RETRY_S_MAX, 2.0 ** min(self._failures, 20))))
