"""The partition: which identifiers are one shopper, as a pure function of a SET of identity facts. Flow step 7, at HQ.

Theory of operation (identity.md)
---------------------------------
Nothing is ever merged "into" anything. Facts are only added; the partition is worked out of all of them in one
canonical order, so any order of arrival, any repetition and any rebuild give the same answer, and taking a fact away
(a split, a block, an erasure) gives back what was there before:

    1. values that identify nobody are dropped (blocked), those of too many people are no evidence (shared)
    2. what was seen together becomes edges; a phone joins only where a surname, a postcode or a verification agrees,
       a payment token only suggests, an anonymous id joins one person or nobody
    3. edges in order: a person's links first, then (weaker type, stronger type, first seen, fact, values)
    4. united in that order; refused where a split pair would be together, both sides hold different numbers of a kind
       that a person has once, or a limit of the policy breaks: refused edges go to the review queue
    5. a component's id is that of its anchor, the earliest value of its strongest type; the ids its other values would
       have given are its redirects, so that nobody ever has to remember which id came first

Only the component a new fact reaches through evidence (`reach`) can change; `partition` of that part alone equals the
same part of the whole. Nothing here reads a clock, a database or a profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations

from shared.clock import shift_at
from shared.disjoint_sets import DisjointSets
from shared.identity import (
    DEFAULT_BLOCK_LIST,
    BlockList,
    Identifier,
    IdentifierType,
    fold_name,
    profile_id_for,
)
from shared.identity_policy import SHIPPED_POLICY, LinkRule, Policy, Uniqueness

Moment = tuple[str, str]
"""When and in which fact: (wire time, fact id), which sort as time does."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Identifiers seen together in one fact, canonical, with what may make a phone agree. `at` is when first."""

    id: str
    at: str
    identifiers: tuple[Identifier, ...]
    family_name: str | None = None
    postcode: str | None = None
    is_verified: bool = False
    """The phone in it was verified (a code was sent and typed back)."""


@dataclass(frozen=True, slots=True)
class Link:
    """Two identifiers are one shopper, said by a person (`is_manual`) or by a shop's `alias` call."""

    id: str
    at: str
    a: Identifier
    b: Identifier
    by: str
    is_manual: bool = True


@dataclass(frozen=True, slots=True)
class Split:
    """Two identifiers are never one shopper, until a later link of the same two says otherwise."""

    id: str
    at: str
    a: Identifier
    b: Identifier
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IdentityFacts:
    """All that is known, in any order and with any repetition; `blocked` holds the block facts, sorted for asking, and
    `policy` what the last `Policy` fact says."""

    sightings: tuple[Sighting, ...] = ()
    links: tuple[Link, ...] = ()
    splits: tuple[Split, ...] = ()
    blocked: BlockList = DEFAULT_BLOCK_LIST
    policy: Policy = SHIPPED_POLICY


class Why(StrEnum):
    """Why an edge was refused."""

    SPLIT = "split"
    TWO_NUMBERS = "two_numbers"
    LIMIT = "limit"
    SHARED_DEVICE = "shared_device"
    SUGGESTED = "suggested"


@dataclass(frozen=True, slots=True)
class Edge:
    """Evidence that two identifiers are one shopper: the fact, when first, and the value that both were seen with."""

    a: Identifier
    b: Identifier
    fact_id: str
    at: str
    through: Identifier | None = None
    link: Link | None = None

    def order(self, policy: Policy) -> tuple[object, ...]:
        """Sort key of the canonical order; what a person said comes first."""
        kinds = [self.a, self.b] if self.through is None else [self.a, self.b, self.through]
        ranks = sorted((policy[one.type].rank for one in kinds), reverse=True)
        return (self.link is None, tuple(ranks), self.at, self.fact_id, self.a, self.b)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An edge that was not followed, and why: the review queue."""

    edge: Edge
    why: Why


@dataclass(frozen=True, slots=True)
class Component:
    """One shopper: identifiers, the edges that joined them in order, the profile id and the ids that lead to it."""

    anchor: Identifier
    identifiers: frozenset[Identifier]
    edges: tuple[Edge, ...] = ()
    is_held: bool = False
    """So large that nobody is: its publication waits for HQ's word."""

    @property
    def profile_id(self) -> str:
        """The id of the anchor."""
        return profile_id_for(self.anchor)

    def redirects(self) -> frozenset[str]:
        """Every other id this shopper could have had at any time."""
        return frozenset(profile_id_for(one) for one in self.identifiers) - {self.profile_id}


@dataclass(frozen=True, slots=True)
class Partition:
    """The answer. `shown_by` lists, for a value that is contact data only, the components that show it."""

    components: tuple[Component, ...]
    refused: tuple[Refusal, ...]
    shared: frozenset[Identifier]
    shown_by: Mapping[Identifier, frozenset[Identifier]] = field(default_factory=dict)
    """Contact value -> anchors."""

    def component_of(self, identifier: Identifier) -> Component | None:
        """The component an identifier belongs to; a contact value leads to the one that shows it, if it is one."""
        anchors = self.shown_by.get(identifier, frozenset())
        meant = next(iter(anchors)) if len(anchors) == 1 else identifier
        return next((one for one in self.components if meant in one.identifiers), None)


def partition(facts: IdentityFacts, known_shared: frozenset[Identifier] = frozenset()) -> Partition:
    """Work out who is who. Equal for any order and repetition of the facts.

    `known_shared`: values at the rim of a part (`reach`) that are shared by facts outside of it.
    """
    return _Work(facts, known_shared).run()


def reach(
    seeds: Iterable[Identifier],
    seen_with: Callable[[Identifier], Iterable[Identifier]],
    linked_with: Callable[[Identifier], Iterable[Identifier]],
    is_barred: Callable[[Identifier], bool],
) -> frozenset[Identifier]:
    """The part of all identifiers that facts about `seeds` can change: everything reached through values seen together
    or linked, splits and refusals notwithstanding. A shared value (`is_barred`) is crossed by links only."""
    found: set[Identifier] = set()
    waiting = list(seeds)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += linked_with(one)
            if not is_barred(one):
                waiting += seen_with(one)
    return frozenset(found)


class _Work:
    """One run over a set of facts."""

    def __init__(self, facts: IdentityFacts, known_shared: frozenset[Identifier]) -> None:
        self._policy = facts.policy
        self._sightings = sorted({_cleaned(one, facts.blocked) for one in facts.sightings}, key=lambda one: one.id)
        self._first_seen = self._earliest()
        links = (one for one in facts.links if not (facts.blocked.blocks(one.a) or facts.blocked.blocks(one.b)))
        self._links, self._splits = _decided(links, facts.splits)
        self._numbers_linked = self._link_numbers()
        self._shared = self._find_shared() | known_shared
        self._known_alone = self._find_known_alone()
        self._union = DisjointSets()
        self._edges: list[Edge] = []
        self._refused: list[Refusal] = []

    def run(self) -> Partition:
        """Steps 3 to 5."""
        for edge in sorted(self._evidence(), key=lambda edge: edge.order(self._policy)):
            self._follow(edge)
        self._join_browsers()
        components = self._components()
        return Partition(components, tuple(self._review()), frozenset(self._shared), self._contacts(components))

    # evidence ---------------------------------------------------------------------------------------------------------

    def _earliest(self) -> dict[Identifier, Moment]:
        first: dict[Identifier, Moment] = {}
        for sighting in self._sightings:
            for one in sighting.identifiers:
                _note_first(first, one, sighting)
        return first

    def _find_shared(self) -> set[Identifier]:
        """Step 2 of identity.md: counted on the set, before anything is joined."""
        seen_with: dict[Identifier, set[Identifier]] = {}
        for sighting in self._sightings:
            unique = {self._numbers_linked.root(one) for one in sighting.identifiers if self._is_unique(one)}
            for one in sighting.identifiers:
                if not self._is_unique(one):
                    seen_with.setdefault(one, set()).update(unique)
        return {one for one, unique in seen_with.items() if len(unique) >= self._policy.shared_from}

    def _link_numbers(self) -> DisjointSets:
        """Numbers of one type that a person linked count as one: a replaced card is no second shopper."""
        linked = DisjointSets()
        for link in self._links:
            if link.is_manual and link.a.type is link.b.type:
                linked.join(link.a, link.b)
        return linked

    def _find_known_alone(self) -> set[Identifier]:
        """Values somebody was known by with nothing stronger beside them, at least once."""
        found: set[Identifier] = set()
        for sighting in self._sightings:
            if not any(self._may_join(one) for one in sighting.identifiers):
                found.update(sighting.identifiers)
        return found

    def _is_unique(self, one: Identifier) -> bool:
        return self._policy.is_unique(one.type)

    def _evidence(self) -> Iterator[Edge]:
        """Step 3: every edge but those of browsers."""
        yield from (_edge(link.a, link.b, link.id, link.at, link=link) for link in self._links)
        best: dict[tuple[Identifier, Identifier], Edge] = {}
        for sighting in self._sightings:
            joining = sorted(one for one in sighting.identifiers if self._may_join(one))
            for a, b in combinations(joining, 2):
                _keep_earliest(best, Edge(a, b, sighting.id, sighting.at))
        yield from best.values()
        yield from self._phone_edges()

    def _may_join(self, one: Identifier) -> bool:
        rule = self._policy[one.type].links
        return rule is LinkRule.ALWAYS or (rule is LinkRule.UNLESS_SHARED and one not in self._shared)

    def _phone_edges(self) -> Iterator[Edge]:
        """Whoever was seen with the same phone AND agrees in surname, postcode or a verification of it."""
        agreeing, seen = self._agreements()
        for edge, phone in self._pairs(seen):
            if agreeing[edge.a, phone] & agreeing[edge.b, phone]:
                yield edge

    def _pairs(self, seen: Mapping[Identifier, Mapping[Identifier, Moment]]) -> Iterator[tuple[Edge, Identifier]]:
        """Every two carriers of one value that is not shared, from when the later of them was first seen with it."""
        for value, carriers in sorted(seen.items()):
            for a, b in combinations(sorted(carriers), 2):
                if value not in self._shared:
                    at, fact_id = max(carriers[a], carriers[b])
                    yield Edge(a, b, fact_id, at, through=value), value

    def _agreements(
        self,
    ) -> tuple[dict[tuple[Identifier, Identifier], set[tuple[str, str]]], dict[Identifier, dict[Identifier, Moment]]]:
        """((carrier, phone) -> what it may agree in, phone -> carrier -> when first seen together)."""
        traits: dict[Identifier, set[tuple[str, str]]] = {}
        seen: dict[Identifier, dict[Identifier, Moment]] = {}
        verified: set[tuple[Identifier, Identifier]] = set()
        for sighting in self._sightings:
            phones = [one for one in sighting.identifiers if self._policy[one.type].links is LinkRule.WITH_AGREEMENT]
            joining = [one for one in sighting.identifiers if self._may_join(one)]
            for carrier in joining or [one for one in phones if one not in self._shared]:
                traits.setdefault(carrier, set()).update(_traits_of(sighting))
                for phone in phones:
                    _note_first(seen.setdefault(phone, {}), carrier, sighting)
                    if sighting.is_verified:
                        verified.add((carrier, phone))
        agreeing = {
            (carrier, phone): traits[carrier] | ({("verified", "")} if (carrier, phone) in verified else set())
            for phone, carriers in seen.items()
            for carrier in carriers
        }
        return agreeing, seen

    # following --------------------------------------------------------------------------------------------------------

    def _follow(self, edge: Edge) -> None:
        why = self._objection(edge)
        if why is not None:
            self._refused.append(Refusal(edge, why))
        elif self._union.join(edge.a, edge.b):
            self._edges.append(edge)

    def _objection(self, edge: Edge) -> Why | None:
        left, right = self._union.members(edge.a), self._union.members(edge.b)
        if left is right:
            return None
        if any((a in left and b in right) or (a in right and b in left) for a, b in self._splits):
            return Why.SPLIT
        if edge.link is None and self._has_two_numbers(left, right):
            return Why.TWO_NUMBERS
        return Why.LIMIT if self._is_over(left | right) else None

    def _has_two_numbers(self, left: set[Identifier], right: set[Identifier]) -> bool:
        """Both sides hold a number of a type that a person has once, and no person linked the two."""
        for kind, row in self._policy.rows.items():
            if row.uniqueness is Uniqueness.YES:
                here, there = self._numbers(left, kind), self._numbers(right, kind)
                if here and there and here != there:
                    return True
        return False

    def _numbers(self, members: set[Identifier], kind: IdentifierType) -> set[Identifier]:
        return {self._numbers_linked.root(one) for one in members if one.type is kind}

    def _is_over(self, members: set[Identifier]) -> bool:
        return any(
            len(self._numbers(members, kind)) > row.count_max
            for kind, row in self._policy.rows.items()
            if row.window_days is None
        )

    def _join_browsers(self) -> None:
        """A browser joins the person identified in it, if that is one; a browser of several persons joins nobody."""
        seen_with: dict[Identifier, dict[Identifier, Edge]] = {}
        for sighting in self._sightings:
            joining = [one for one in sighting.identifiers if self._may_join(one)]
            for browser in (one for one in sighting.identifiers if self._is_anonymous(one)):
                held = seen_with.setdefault(browser, {})
                for one in joining:
                    edge = _edge(browser, one, sighting.id, sighting.at)
                    held[one] = min(held.get(one, edge), edge, key=lambda edge: (edge.at, edge.fact_id))
        for browser in sorted(seen_with, key=lambda one: (self._first_seen[one], one)):
            self._join_browser(browser, list(seen_with[browser].values()))

    def _join_browser(self, browser: Identifier, edges: list[Edge]) -> None:
        edges.sort(key=lambda edge: edge.order(self._policy))
        persons = {self._union.root(edge.b if edge.a == browser else edge.a) for edge in edges}
        if browser in self._shared or len(persons) > 1:
            self._refused += [Refusal(edge, Why.SHARED_DEVICE) for edge in edges]
        elif any(self._has_too_many(person, browser) for person in persons):
            self._refused.append(Refusal(edges[0], Why.LIMIT))
        elif edges:
            self._follow(edges[0])

    def _has_too_many(self, person: Identifier, browser: Identifier) -> bool:
        """Whether a person has as many browsers as anybody has, of those that appeared in the time before this one."""
        row, since = self._policy[browser.type], self._first_seen[browser][0]
        from_at = shift_at(since, days=-(row.window_days or 0))
        others = (one for one in self._union.members(person) if one.type is browser.type and one in self._first_seen)
        return sum(from_at < self._first_seen[one][0] <= since for one in others) >= row.count_max

    def _is_anonymous(self, one: Identifier) -> bool:
        return self._policy[one.type].links is LinkRule.SESSION_ONLY

    # answers ----------------------------------------------------------------------------------------------------------

    def _components(self) -> tuple[Component, ...]:
        linked = {one for link in self._links for one in (link.a, link.b)}
        everyone = [one for one in {*self._first_seen, *linked} if self._stands_alone(one)]
        edges: dict[Identifier, list[Edge]] = {}
        for edge in self._edges:
            edges.setdefault(self._union.root(edge.a), []).append(edge)
        made = {self._union.root(one): self._union.members(one) for one in everyone}
        components = [self._component(members, tuple(edges.get(root, ()))) for root, members in made.items()]
        return tuple(sorted(components, key=lambda one: one.anchor))

    def _stands_alone(self, one: Identifier) -> bool:
        """A contact value that was only ever seen beside a stronger one makes no shopper of its own."""
        return one in self._known_alone or not self._is_contact(one) or len(self._union.members(one)) > 1

    def _is_contact(self, one: Identifier) -> bool:
        return not self._may_join(one) and not self._is_anonymous(one)

    def _component(self, members: set[Identifier], edges: tuple[Edge, ...]) -> Component:
        never = ("", "")
        anchor = min(
            members,
            key=lambda one: (
                one in self._shared,
                self._policy[one.type].rank,
                self._first_seen.get(one, never),
                one,
            ),
        )
        numbers = sum(one.type is IdentifierType.LOYALTY_ID for one in members)
        is_held = len(members) > self._policy.held_over_identifiers or numbers > self._policy.held_over_loyalty_ids
        return Component(anchor, frozenset(members), edges, is_held)

    def _contacts(self, components: tuple[Component, ...]) -> dict[Identifier, frozenset[Identifier]]:
        anchor_of = {one: component.anchor for component in components for one in component.identifiers}
        shown: dict[Identifier, set[Identifier]] = {}
        for sighting in self._sightings:
            anchors = {anchor_of[one] for one in sighting.identifiers if self._may_join(one) and one in anchor_of}
            for one in sighting.identifiers:
                if self._is_contact(one) and anchors:
                    shown.setdefault(one, set()).update(anchors)
        return {one: frozenset(anchors) for one, anchors in sorted(shown.items())}

    def _review(self) -> list[Refusal]:
        """What a person should look at: refused edges whose ends are still apart, and what only suggests."""
        apart = [one for one in self._refused if self._union.root(one.edge.a) != self._union.root(one.edge.b)]
        return apart + [Refusal(edge, Why.SUGGESTED) for edge in self._suggestions()]

    def _suggestions(self) -> Iterator[Edge]:
        """Two shoppers who paid with one token."""
        seen: dict[Identifier, dict[Identifier, Moment]] = {}
        for sighting in self._sightings:
            joining = [one for one in sighting.identifiers if self._may_join(one)]
            for token in (one for one in sighting.identifiers if self._policy[one.type].links is LinkRule.SUGGEST):
                for one in joining:
                    _note_first(seen.setdefault(token, {}), one, sighting)
        for edge, _ in self._pairs(seen):
            if self._union.root(edge.a) != self._union.root(edge.b):
                yield edge


def _edge(a: Identifier, b: Identifier, fact_id: str, at: str, *, link: Link | None = None) -> Edge:
    return Edge(min(a, b), max(a, b), fact_id, at, link=link)


def _cleaned(sighting: Sighting, blocked: BlockList) -> Sighting:
    """Without values that identify nobody and references to profiles; in one order."""
    kept = {
        one for one in sighting.identifiers if one.type is not IdentifierType.PROFILE_ID and not blocked.blocks(one)
    }
    return Sighting(
        sighting.id, sighting.at, tuple(sorted(kept)), sighting.family_name, sighting.postcode, sighting.is_verified
    )


def _note_first(into: dict[Identifier, Moment], one: Identifier, sighting: Sighting) -> None:
    when = (sighting.at, sighting.id)
    into[one] = min(into.get(one, when), when)


def _traits_of(sighting: Sighting) -> set[tuple[str, str]]:
    said = {("surname", fold_name(sighting.family_name or "")), ("postcode", (sighting.postcode or "").strip())}
    return {pair for pair in said if pair[1]}


def _keep_earliest(best: dict[tuple[Identifier, Identifier], Edge], edge: Edge) -> None:
    held = best.get((edge.a, edge.b))
    if held is None or (edge.at, edge.fact_id) < (held.at, held.fact_id):
        best[edge.a, edge.b] = edge


def _decided(links: Iterable[Link], splits: Iterable[Split]) -> tuple[list[Link], list[tuple[Identifier, Identifier]]]:
    """Links and split pairs in force: of what was said about the same two, the last by (at, id) counts; what a person
    said before any shop's `alias`, which is sent again and again."""
    last: dict[tuple[Identifier, ...], Link | Split] = {}
    everything: set[Link | Split] = {*links, *splits}
    for said in sorted(everything, key=_weight):
        last[tuple(sorted((said.a, said.b)))] = said
    in_force = [last[pair] for pair in sorted(last)]
    return (
        [said for said in in_force if isinstance(said, Link)],
        [(said.a, said.b) for said in in_force if isinstance(said, Split)],
    )


def _weight(said: Link | Split) -> tuple[bool, str, str, bool]:
    return (isinstance(said, Split) or said.is_manual, said.at, said.id, isinstance(said, Split))
