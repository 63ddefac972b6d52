"""Disjoint sets of identifiers with their members at hand, for the partition. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shared.identity import Identifier


@dataclass(slots=True)
class _Set:
    least: Identifier
    members: set[Identifier]


class DisjointSets:
    """Sets that only ever unite; a set is known by its least member."""

    def __init__(self) -> None:
        self._sets: dict[Identifier, _Set] = {}

    def _of(self, one: Identifier) -> _Set:
        return self._sets.setdefault(one, _Set(one, {one}))

    def members(self, one: Identifier) -> set[Identifier]:
        """Everybody in the set of one."""
        return self._of(one).members

    def root(self, one: Identifier) -> Identifier:
        """The least member."""
        return self._of(one).least

    def join(self, a: Identifier, b: Identifier) -> bool:
        """Unite two sets; False if they are one already."""
        small, large = sorted((self._of(a), self._of(b)), key=lambda one: len(one.members))
        if small is large:
            return False
        large.least = min(small.least, large.least)
        large.members |= small.members
        self._sets.update(dict.fromkeys(small.members, large))
        return True
