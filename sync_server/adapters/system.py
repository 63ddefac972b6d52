"""The real clock and real chance behind the ports. Nothing else in the server reads a clock or draws a number."""

from __future__ import annotations

import asyncio
import random
import secrets
from datetime import UTC, datetime


class SystemClock:
    """This machine's clock."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    async def pause(self, seconds: float) -> None:
        """Wait on the running loop."""
        await asyncio.sleep(seconds)


class SystemChance:
    """The operating system's randomness: fit for keys and tokens as well as for jitter."""

    def __init__(self) -> None:
        self._source = random.SystemRandom()

    def bits(self, count: int) -> int:
        """A whole number of `count` random bits."""
        return secrets.randbits(count)

    def uniform(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""
        return self._source.uniform(low, high)
