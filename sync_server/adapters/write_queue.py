"""The queue of requests that write, for a server in service: bounded, so that overload is told and not felt.

A request takes a place, is read on one thread while another request is being written, and written in its turn; the
event loop goes on answering who only reads. A place is given back when the work ends, whoever still waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from shared.errors import Problem
from sync_server.ports import Chance

R = TypeVar("R")
T = TypeVar("T")
RETRY_S_MAX: Final = 6
"""A full queue is written in about this time; told at random, the refused come back spread over it."""


class ThreadedQueue:
    """`WriteQueue` on threads of its own. `places` bounds who waits or is served, `writers` who writes at once."""

    def __init__(self, chance: Chance, *, places: int, writers: int = 1) -> None:
        self._chance = chance
        self._places = self._free = places
        self._reading = ThreadPoolExecutor(1, "floorside reading")
        self._writing = ThreadPoolExecutor(writers, "floorside writing")

    @property
    def is_empty(self) -> bool:
        """Say whether nobody waits or is served."""
        return self._free == self._places

    async def take(self, read: Callable[[], R], write: Callable[[R], T]) -> T:
        """Do the work in its turn (see ports.py). Raises Problem 503 busy, before anything is done."""
        if self._free <= 0:
            after_s = 1 + int(self._chance.uniform(0, RETRY_S_MAX))
            raise Problem("busy", "Many tablets are sending at once.", status=503, retry_after_s=after_s)
        self._free -= 1
        work = asyncio.ensure_future(self._work(read, write))
        work.add_done_callback(self._give_back)
        return await asyncio.shield(work)  # whose sender is gone is still written: it is half done, and dedupe is cheap

    async def _work(self, read: Callable[[], R], write: Callable[[R], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writing, write, await loop.run_in_executor(self._reading, read))

    def _give_back(self, work: asyncio.Future[T]) -> None:
        self._free += 1
        if not work.cancelled():
            work.exception()  # looked at here, in case nobody waits for it any longer

    def close(self) -> None:
        """Let what is being written come to its end; what only waits is dropped, unanswered and not kept."""
        self._reading.shutdown(cancel_futures=True)
        self._writing.shutdown(cancel_futures=True)
