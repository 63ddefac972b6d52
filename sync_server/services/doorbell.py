"""The doorbell: tells waiting tablets that a feed moved. It carries no documents, and losing it costs only time.

Commits of this process ring it, and so do those of other processes (a command line, another server), by the database's
`follow_heads`; where that fails they are found by a look at the heads every `LOOK_S`. All waiters of a ring share one
read of the heads, so 500 tablets cost one query a scope.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sync_server.ports import CentralDatabase, Clock
from sync_server.services.feed import read_heads

LOOK_S: Final = 1.5
WAIT_S_MAX: Final = 30.0


class Doorbell:
    """One a process. Nothing is bound to an event loop until somebody waits."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        self._heads: dict[str, int] = {}
        self._epoch = ""
        self._read_at: datetime | None = None
        self.is_closed = False
        self.listeners: list[Callable[[], None]] = []
        """Called at each ring, on the thread that rings."""

    def ring(self) -> None:
        """Something was committed: wake everybody who waits, and forget the heads read before."""
        self._read_at = None
        for listener in self.listeners:
            listener()
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    def close(self) -> None:
        """The server stops: nobody waits any longer."""
        self.is_closed = True
        self.ring()

    def heads(self, database: CentralDatabase, scopes: Sequence[str], now: datetime) -> tuple[str, dict[str, int]]:
        """(epoch, heads) of scopes, at most `LOOK_S` old and never older than the last ring."""
        is_stale = self._read_at is None or not timedelta(0) <= now - self._read_at < timedelta(seconds=LOOK_S)
        if is_stale:
            self._heads, self._read_at = {}, now
        missing = [scope for scope in scopes if scope not in self._heads]
        if missing:
            self._epoch, found = read_heads(database, missing)
            self._heads.update(found)
        return self._epoch, {scope: self._heads[scope] for scope in scopes}

    async def listen(self, clock: Clock, seconds: float) -> bool:
        """Wait for a ring, at most so long by the clock port; says whether it rang."""
        rung: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        pause = asyncio.ensure_future(clock.pause(seconds))
        self._waiting.add(rung)
        try:
            await asyncio.wait({rung, pause}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting.discard(rung)
            pause.cancel()
        return rung.done()


async def wait_for_change(
    bell: Doorbell, database: CentralDatabase, clock: Clock, known: Mapping[str, int], seconds: float
) -> tuple[str, dict[str, int]]:
    """(epoch, heads) as soon as one head differs from what is known, or at the end of the time (0-30 s)."""
    left = min(max(seconds, 0.0), WAIT_S_MAX)
    ends_at = clock.now() + timedelta(seconds=left)
    scopes = sorted(known)
    while True:
        epoch, heads = bell.heads(database, scopes, clock.now())
        left = min(left, (ends_at - clock.now()).total_seconds())
        if heads != dict(known) or left <= 0 or bell.is_closed:
            return epoch, heads
        step = min(LOOK_S, left)
        if not await bell.listen(clock, step):
            left -= step
