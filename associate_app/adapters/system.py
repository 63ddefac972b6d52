"""The device's own clock and chance: the only place where the tablet reads them."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime


class SystemClock:
    """The clock of the operating system."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


class SystemChance:
    """Randomness fit for ids; used for jitter as well."""

    def __init__(self) -> None:
        self._source = secrets.SystemRandom()

    def bits(self, count: int) -> int:
        """A whole number of `count` random bits."""
        return secrets.randbits(count)

    def uniform(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""
        return self._source.uniform(low, high)
