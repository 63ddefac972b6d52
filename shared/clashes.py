"""Which appointments of a store clash: the law that every tablet applies to the same promises. Beside `promises.py`.

Two that are booked for one time on two tablets without a network are both kept; that they clash follows from what
stands, in whatever order it came. Nothing is lost, refused or chosen here: people settle it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from shared.clock import at_seconds, is_at
from shared.promises import STORE, Promise

AT_ONCE: Final = 1
"""How many appointments a store keeps at one time, where the chain says nothing."""
MINUTES: Final = 30
"""How long one takes whose length nobody can read."""


@dataclass(frozen=True, slots=True)
class Booked:
    """A time that is taken, from `starts_s` until `ends_s` (UTC seconds), and whose: an associate's id or STORE."""

    key: str
    starts_s: int
    ends_s: int
    owner: str


def minutes_of(promise: Promise) -> int:
    """How long an appointment takes, a minute at least."""
    told = promise.body.get("minutes")
    return max(1, told) if type(told) is int else MINUTES


def booked_of(promise: Promise) -> Booked | None:
    """The time an appointment takes; None for one that is over or whose time nobody can read."""
    standing = promise.standing
    if not standing.is_open or not is_at(standing.due):
        return None
    starts_s = at_seconds(standing.due or "")
    return Booked(promise.op_id, starts_s, starts_s + minutes_of(promise) * 60, standing.owner)


def clashes(booked: Iterable[Booked], at_once: int = AT_ONCE) -> dict[str, tuple[str, ...]]:
    """Key -> with which others it clashes, soonest first: at some moment they are one associate's, or there are more
    than `at_once`. What clashes with nothing is not there."""
    ordered = sorted(booked, key=lambda one: (one.starts_s, one.key))
    found: dict[str, dict[str, None]] = {}
    for one in ordered:
        # What overlaps at all overlaps when the later of the two begins.
        now = [other for other in ordered if other.starts_s <= one.starts_s < other.ends_s]
        for a, b in permutations(now, 2):
            if len(now) > at_once or a.owner == b.owner != STORE:
                found.setdefault(a.key, {})[b.key] = None
    places = {one.key: n for n, one in enumerate(ordered)}
    return {key: tuple(sorted(others, key=places.__getitem__)) for key, others in found.items()}
