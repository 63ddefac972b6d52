"""UUIDs as the wire writes them (lower case). Version 7 is made from a clock and chance that come in by a port.

UUIDv7 (RFC 9562, 5.7) sorts by time; `Uuid7` keeps it monotonic even when the clock goes back, which protocol.md asks
of `op_id`: the order of a device's ops must never depend on its clock being right.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_HEX_64: Final = re.compile(r"[0-9a-f]{64}\Z")
_RANDOM_BITS: Final = 74
_CODE_NAMESPACE: Final = UUID("5f100a1d-0f10-5000-8000-f1008351de00")


def is_uuid(text: object) -> bool:
    """Say whether a value is a lower-case hyphenated UUID, the only form the wire takes."""
    return isinstance(text, str) and _UUID.match(text) is not None


def is_sha(text: object) -> bool:
    """Say whether a value is 64 lower-case hex digits."""
    return isinstance(text, str) and _HEX_64.match(text) is not None


def derived_id(*parts: str) -> str:
    """A UUIDv5 that is the same for the same parts: ids of things made from other things."""
    return str(uuid5(_CODE_NAMESPACE, "\x1f".join(parts)))


class Uuid7:
    """Makes UUIDv7s in rising order.

    `now` gives aware UTC times, `chance(bits)` a whole number of that many random bits. When the clock stands still or
    goes back, the last id is raised by a small random step instead (RFC 9562, 6.2, method 2).
    """

    def __init__(self, now: Callable[[], datetime], chance: Callable[[int], int], *, after: str | None = None) -> None:
        self._now = now
        self._chance = chance
        self._last = _payload(UUID(after)) if after else -1

    def __call__(self) -> str:
        """Make the next id."""
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        ms = max(0, (self._now() - epoch) // timedelta(milliseconds=1)) & ((1 << 48) - 1)
        fresh = (ms << _RANDOM_BITS) | self._chance(_RANDOM_BITS)
        self._last = fresh if fresh > self._last else self._last + 1 + self._chance(16)
        return _spell(self._last)


def _payload(made: UUID) -> int:
    value = made.int
    return ((value >> 80) << _RANDOM_BITS) | (((value >> 64) & 0xFFF) << 62) | (value & ((1 << 62) - 1))


def _spell(payload: int) -> str:
    ms, high, low = payload >> _RANDOM_BITS, (payload >> 62) & 0xFFF, payload & ((1 << 62) - 1)
    return str(UUID(int=((ms & ((1 << 48) - 1)) << 80) | (0x7 << 76) | (high << 64) | (0x2 << 62) | low))
