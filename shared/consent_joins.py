"""Consent across profiles found to be one shopper: the decision in force, as a pure function of a set of facts.

Granted iff the latest decision is a grant and no later join brought in a side where the answer was no. When two sides
became one is read from what was seen together, never from when HQ worked it out, so any order and any rebuild agree.
Flow step 7, for `projection.py`. Knows no profile, no clock and no database.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from shared.identity import Identifier, IdentifierType, profile_id_for

_WEAK: Final = frozenset({IdentifierType.PHONE, IdentifierType.PAYMENT_TOKEN, IdentifierType.ANONYMOUS_ID})
"""A value of these belongs to a side and joins no two: families share phones, strangers share kiosks."""
_DECISION, _OWN_JOIN, _OWN_DECISION, _JOIN = range(4)
"""The order at one instant: a join comes after the decisions, so that it denies, unless one names both sides itself."""


@dataclass(frozen=True, slots=True)
class Said:
    """One decision for one purpose: when, the fact's id, and the key of the identifiers it named ("" for unknown)."""

    at: str
    is_denied: bool
    fact_id: str
    wording_version: str | None = None
    named: str = ""

    @property
    def order(self) -> tuple[str, bool, str]:
        """The largest of a person's decisions is in force: later, then the denial."""
        return (self.at, self.is_denied, self.fact_id)


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer for one purpose: the latest decision, and since when a conflict of two sides overrides it."""

    latest: Said
    conflict_at: str | None = None

    @property
    def is_granted(self) -> bool:
        """Whether the purpose may be used."""
        return not self.latest.is_denied and self.conflict_at is None

    def meets(self, other: Standing, at: str | None) -> Standing:
        """Both sides from `at` on (None: nobody can say when): a no on either side stands."""
        latest = max(self.latest, other.latest, key=lambda said: said.order)
        if latest.is_denied or (self.is_granted and other.is_granted):
            return Standing(latest)
        return Standing(latest, at or latest.at)


@lru_cache(maxsize=16_384)
def key_of(identifiers: tuple[tuple[str, str], ...]) -> str:
    """The key under which identifiers that one fact named are kept; any order gives the same."""
    return json.dumps(sorted(set(identifiers)), ensure_ascii=False) if identifiers else ""


@lru_cache(maxsize=4_096)
def _named_by(key: str) -> tuple[Identifier, ...]:
    return tuple(Identifier(IdentifierType(type_), value) for type_, value in json.loads(key)) if key else ()


def standing_of(said: Sequence[Said], together: Mapping[str, str], known: Collection[str] = ()) -> Standing | None:
    """The answer for one purpose; None where nobody was ever asked.

    `together`: key of identifiers seen in one fact -> when first. `known`: all identifiers of the shopper as
    `type|value`, which tell whom a decision about a profile id means.
    """
    if not said:
        return None
    latest = max(said, key=lambda one: one.order)
    sides = {one.named for one in said}
    if latest.is_denied or len(sides) == 1 or not any(one.is_denied for one in said):
        return Standing(latest)
    return _Sides(said, together, known).run()


class _Sides:
    """The sides a shopper's identifiers once were, joined in the order of time."""

    def __init__(self, said: Sequence[Said], together: Mapping[str, str], known: Collection[str]) -> None:
        self._together = together
        self._said = said
        self._parent: dict[Identifier, Identifier] = {}
        self._is_strong: dict[Identifier, bool] = {}
        self._standing: dict[Identifier, Standing] = {}
        self._profiles = _profile_ids(said, known)
        for key in [*together, *(one.named for one in said)]:
            for node in self._nodes(key):
                self._parent[node], self._is_strong[node] = node, node.type not in _WEAK

    def run(self) -> Standing:
        """Walk through time; what is never seen joined was joined by somebody's word, and nobody can say when."""
        for _, phase, key, said in sorted(self._story(), key=_place):
            if said is not None:
                self._decide(said)
            elif phase in (_OWN_JOIN, _JOIN):
                self._join(self._nodes(key), self._together[key])
        standings = sorted(self._standing.items(), key=lambda side: side[1].latest.order)
        answer = standings[0][1]
        for _, standing in standings[1:]:
            answer = answer.meets(standing, None)
        return answer

    def _story(self) -> Iterator[tuple[str, int, str, Said | None]]:
        own = {one.named for one in self._said if self._together.get(one.named) == one.at}
        for key, at in self._together.items():
            yield at, _OWN_JOIN if key in own else _JOIN, key, None
        for one in self._said:
            is_own = one.named in own and self._together[one.named] == one.at
            yield one.at, _OWN_DECISION if is_own else _DECISION, one.named, one

    def _nodes(self, key: str) -> list[Identifier]:
        """What a key names, a profile id replaced by whom it means; the strong ones first."""
        nodes = {self._profiles.get(one, one) for one in _named_by(key)}
        return sorted(nodes, key=lambda one: (one.type in _WEAK, one))

    def _decide(self, said: Said) -> None:
        """A decision that names nobody known is everybody's."""
        named = self._nodes(said.named)[:1] or list(self._parent)
        for root in {self._root(one) for one in named}:
            held = self._standing.get(root)
            if held is None or said.order > held.latest.order:
                self._standing[root] = Standing(said)

    def _join(self, nodes: list[Identifier], at: str) -> None:
        for one in nodes[1:]:
            left, right = self._root(nodes[0]), self._root(one)
            is_bridge = one.type in _WEAK and self._is_strong[left] and self._is_strong[right]
            if left != right and not is_bridge:
                self._unite(left, right, at)

    def _unite(self, left: Identifier, right: Identifier, at: str) -> None:
        self._parent[right] = left
        self._is_strong[left] |= self._is_strong[right]
        other, mine = self._standing.pop(right, None), self._standing.get(left)
        if other is not None:
            self._standing[left] = other if mine is None else mine.meets(other, at)

    def _root(self, one: Identifier) -> Identifier:
        while self._parent[one] != one:
            one = self._parent[one]
        return one


def _place(told: tuple[str, int, str, Said | None]) -> tuple[str, int, str, tuple[str, bool, str]]:
    at, phase, key, said = told
    return at, phase, key if said is None else "", said.order if said is not None else ("", False, "")


def _profile_ids(said: Iterable[Said], known: Collection[str]) -> dict[Identifier, Identifier]:
    """Which identifier each profile id that a decision names stands for."""
    asked = {one for told in said for one in _named_by(told.named) if one.type is IdentifierType.PROFILE_ID}
    if not asked:
        return {}
    pairs = (text.partition("|") for text in sorted(known))
    named = (Identifier(IdentifierType(type_), value) for type_, _, value in pairs)
    meant = {profile_id_for(one): one for one in named if one.type is not IdentifierType.PROFILE_ID}
    return {one: meant[one.value] for one in asked if one.value in meant}
