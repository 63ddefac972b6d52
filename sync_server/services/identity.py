"""Who is who at HQ: keeps identity facts and works out anew the part of the partition that new ones can change. Step 7.

`shared/partition.py` is the rule; here are only which facts it is asked about and what its answer changes. A batch that
brings no new evidence costs one look. Nothing here folds, projects or publishes: `merge.py` does, with the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from shared.fold import Fact
from shared.identity import BlockList, Identifier, IdentifierType, profile_id_for
from shared.identity_policy import SHIPPED_POLICY, LinkRule, Policy
from shared.ids import derived_id, is_uuid
from shared.partition import IdentityFacts, Link, Partition, Sighting, Split, partition
from sync_server.ports import CentralReader, CentralWriter, IdentityFactRow, SightingRow
from sync_server.services.evidence import Pair, alias_of, as_identifier, as_pair, sighting_of
from sync_server.services.identity_rules import blocks_of, policy_of
from sync_server.services.review import follow_reviews

_JOINING: Final = frozenset({LinkRule.ALWAYS, LinkRule.UNLESS_SHARED})
_MOVING_ALONE: Final = frozenset({IdentifierType.ANONYMOUS_ID, IdentifierType.PHONE})


@dataclass(frozen=True, slots=True)
class Placing:
    """Where identifiers lead after a batch, and what moved to make it so.

    `former`: profile that is none any more -> the one all of it went to. `torn`: profiles whose identifiers went apart
    or whose facts may belong elsewhere now. `held`: profiles so large that nobody is them. Identifiers that lead
    nowhere are not in `leads`.
    """

    leads: Mapping[Identifier, str]
    former: Mapping[str, str] = field(default_factory=dict)
    torn: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    released: frozenset[str] = frozenset()
    policy: Policy = SHIPPED_POLICY

    def target(self, identifiers: Iterable[Identifier]) -> str | None:
        """The profile of a fact: where the strongest of its identifiers leads."""
        led = [one for one in identifiers if one in self.leads]
        return self.leads[self.policy.strongest(led)] if led else None


# placing --------------------------------------------------------------------------------------------------------------


def place(tx: CentralWriter, facts: Sequence[Fact], now_at: str) -> Placing:
    """Take new facts as evidence and work out what they change. Writes sightings, what identifiers lead to, redirects
    and reviews; the caller moves profiles and facts as the answer says."""
    seen = _earliest(row for fact in facts if (row := sighting_of(fact)) is not None)
    fresh = _fresh(seen, tx.first_seen(sorted(seen)))
    aliases = [said for fact in facts if (said := alias_of(fact)) is not None]
    if not fresh and not aliases:
        return _known(tx, {as_identifier(pair) for fact in facts for pair in fact.identifiers})
    tx.lock_identity()
    seeds, new_facts = _take_evidence(tx, fresh, aliases)
    placing = place_again(tx, seeds, now_at, new_facts)
    rest = {as_identifier(pair) for fact in facts for pair in fact.identifiers} - placing.leads.keys()
    return replace(placing, leads={**known_leads(tx, rest), **placing.leads})


def _take_evidence(
    tx: CentralWriter, looked_new: Collection[SightingRow], aliases: Sequence[IdentityFactRow]
) -> tuple[set[Identifier], set[str]]:
    """Keep what is new: (the identifiers this may move, the facts that brought new combinations). What looked new is
    asked again, for only now, under the lock, nobody else adds any."""
    known = tx.first_seen([row.sighting_id for row in looked_new])
    fresh = _fresh({row.sighting_id: row for row in looked_new}, known)
    tx.save_sightings(fresh)
    tx.add_identity_facts(aliases)
    settled = _settled(tx, fresh)
    seeds = {as_identifier(pair) for row in fresh if row.sighting_id not in settled for pair in row.identifiers}
    seeds |= {as_identifier(pair) for row in aliases for pair in _pairs_of(row)}
    return seeds, {row.fact_id for row in fresh if row.sighting_id not in known}


def take_evidence_anew(tx: CentralWriter, facts: Sequence[Fact]) -> None:
    """Keep what facts say of who is who, in a rebuild: it places everything afterwards, so nothing is asked of them."""
    seen = _earliest(row for fact in facts if (row := sighting_of(fact)) is not None)
    tx.save_sightings(_fresh(seen, tx.first_seen(sorted(seen))))
    tx.add_identity_facts([said for fact in facts if (said := alias_of(fact)) is not None])


def _settled(reader: CentralReader, fresh: Collection[SightingRow]) -> set[str]:
    """Of fresh combinations those that can move nobody: one value alone, said with nothing a phone may agree in, that
    leads somewhere and is the only one of its kind with its shopper; neither an edge nor the anchor depends on its
    moment then. A browser's does, and a phone joins by itself whoever agrees with it."""
    bare = [row for row in fresh if len(row.identifiers) == 1 and row.family_name is None and row.postcode is None]
    alone = {row.identifiers[0]: row.sighting_id for row in bare if row.identifiers[0][0] not in _MOVING_ALONE}
    led = reader.profile_ids(alone.keys())
    kinds = {id_: [type_ for type_, _ in pairs] for id_, pairs in reader.identifiers_of(set(led.values())).items()}
    return {alone[pair] for pair, id_ in led.items() if kinds[id_].count(pair[0]) == 1}


def _earliest(rows: Iterable[SightingRow]) -> dict[str, SightingRow]:
    found: dict[str, SightingRow] = {}
    for row in rows:
        held = found.get(row.sighting_id)
        if held is None or (row.at, row.fact_id) < (held.at, held.fact_id):
            found[row.sighting_id] = row
    return found


def _fresh(seen: Mapping[str, SightingRow], known: Mapping[str, tuple[str, str]]) -> list[SightingRow]:
    """Those that are new, or were first at an earlier moment than was known."""
    return [row for key, row in sorted(seen.items()) if key not in known or (row.at, row.fact_id) < known[key]]


def _known(reader: CentralReader, identifiers: Collection[Identifier]) -> Placing:
    """Where identifiers lead that bring nothing new."""
    return Placing(known_leads(reader, identifiers), policy=policy_of(reader))


def known_leads(reader: CentralReader, identifiers: Collection[Identifier]) -> Mapping[Identifier, str]:
    """Where identifiers lead as it stands; a reference to a profile leads to it, or on to where it went."""
    pairs = {as_pair(one) for one in identifiers if one.type is not IdentifierType.PROFILE_ID}
    leads = {as_identifier(pair): profile_id for pair, profile_id in reader.profile_ids(pairs).items()}
    called = {one: own_id(one) for one in identifiers if one.type is IdentifierType.PROFILE_ID}
    redirects = reader.redirects(set(called.values())) if called else {}
    return leads | {one: redirects.get(meant, meant) for one, meant in called.items()}


def own_id(reference: Identifier) -> str:
    """The profile a `profile_id` names; what is no UUID stands for one made of it."""
    return reference.value if is_uuid(reference.value) else derived_id("profile", reference.value)


def place_again(
    tx: CentralWriter,
    seeds: Collection[Identifier],
    now_at: str,
    new_facts: Collection[str] = (),
    *,
    is_wide: bool = False,
) -> Placing:
    """Work out the part that evidence of these identifiers reaches, and write what it changes. `new_facts` brought
    combinations of identifiers that no older fact has; `is_wide` goes through values of too many people as well, as
    what a person says may change which those are."""
    part = gather_part(tx, {*seeds, *_with_them(tx, seeds)}, new_facts, is_wide=is_wide)
    found = partition(part.facts, known_shared=part.shared_outside)
    leads = _with_shared(leads_of(found), found, part)
    before = {as_identifier(pair): id_ for pair, id_ in tx.profile_ids([as_pair(one) for one in part.members]).items()}
    references = {reference: leads[one] for reference, one in part.called.items() if one in leads}
    outside = _outside(tx, set(before.values()), part.members)
    _write_leads(tx, part.members, before, leads)
    follow_reviews(tx, part.members, found.refused, leads, now_at)
    older = [one for one in part.facts.sightings if one.id not in new_facts]
    policy = part.facts.policy
    former, torn = _moves(before | outside, leads | outside, older, policy)
    redirects = _redirects(tx, part.members, before, leads | outside)
    tx.set_redirects(redirects)
    held = {one.profile_id for one in found.components if one.is_held and not one.identifiers & part.released}
    released = {one.profile_id for one in found.components} - held
    return Placing(leads | references, former, torn, frozenset(held), frozenset(released), policy)


def _with_shared(leads: dict[Identifier, str], found: Partition, part: Part) -> dict[Identifier, str]:
    """A value of too many people is a shopper of its own where somebody was known by nothing better; a link may join it
    all the same. Of its sightings the part holds only some, so that is asked apart."""
    joined = {one for component in found.components if len(component.identifiers) > 1 for one in component.identifiers}
    for one in part.shared_outside - joined:
        leads.pop(one, None)
        if one in part.known_alone:
            leads[one] = profile_id_for(one)
    return leads


def _with_them(reader: CentralReader, seeds: Collection[Identifier]) -> set[Identifier]:
    """Whatever is one shopper with the seeds so far: a value that now has too many owners held it together till now."""
    led = set(reader.profile_ids([as_pair(one) for one in seeds]).values())
    return {as_identifier(pair) for pairs in reader.identifiers_of(led).values() for pair in pairs}


def _outside(
    reader: CentralReader, profile_ids: Collection[str], members: Collection[Identifier]
) -> dict[Identifier, str]:
    """What leads to these profiles and was not reached: only a value of too many people was between. It stays."""
    led = reader.identifiers_of(profile_ids)
    return {one: id_ for id_, pairs in led.items() for one in map(as_identifier, pairs) if one not in members}


def leads_of(found: Partition) -> dict[Identifier, str]:
    """Identifier -> profile, for all that lead to one: a contact value to the one shopper that shows it, but never one
    of too many people."""
    component_of = {one: component for component in found.components for one in component.identifiers}
    leads = {one: component.profile_id for one, component in component_of.items()}
    for value, anchors in found.shown_by.items():
        if len(anchors) == 1 and value not in found.shared:
            leads[value] = component_of[next(iter(anchors))].profile_id
    return leads


def _write_leads(
    tx: CentralWriter,
    members: Collection[Identifier],
    before: Mapping[Identifier, str],
    leads: Mapping[Identifier, str],
) -> None:
    changed = [one for one in members if before.get(one) != leads.get(one)]
    tx.lead_identifiers({as_pair(one): (leads[one], profile_id_for(one)) if one in leads else None for one in changed})


def _moves(
    before: Mapping[Identifier, str],
    leads: Mapping[Identifier, str],
    sightings: Collection[Sighting],
    policy: Policy,
) -> tuple[dict[str, str], frozenset[str]]:
    """(profile that is none any more -> where all of it went, profiles whose facts must be asked again)."""
    went: dict[str, set[str | None]] = {}
    for one, profile_id in before.items():
        went.setdefault(profile_id, set()).add(leads.get(one))
    torn = {profile_id for profile_id, targets in went.items() if len(targets) > 1 or None in targets}
    risen = {one for one in leads if one not in before}
    for sighting in sightings:
        if len(sighting.identifiers) > 1 and not risen.isdisjoint(sighting.identifiers):
            torn |= _overtaken(sighting.identifiers, risen, before, leads, policy)
    former = {old: new for old, (new, *_) in went.items() if old not in torn and new is not None and new != old}
    return former, frozenset(torn)


def _overtaken(
    together: Collection[Identifier],
    risen: Collection[Identifier],
    before: Mapping[Identifier, str],
    leads: Mapping[Identifier, str],
    policy: Policy,
) -> set[str]:
    """Profiles that a fact of these identifiers was given to, and would now be given to another by a stronger one."""
    held = [one for one in together if one in before]
    now = [one for one in together if one in leads]
    if not held or not now:
        return set()
    was, is_now = policy.strongest(held), policy.strongest(now)
    return {before[was]} if is_now in risen and leads.get(was) != leads[is_now] else set()


def _redirects(
    tx: CentralReader,
    members: Collection[Identifier],
    before: Mapping[Identifier, str],
    leads: Mapping[Identifier, str],
) -> dict[str, str | None]:
    """Ids that were given once, and where they lead now; None for one that is a profile again."""
    own = {profile_id_for(one): one for one in members}
    held = tx.redirects(own.keys())
    alive = set(leads.values())
    changed: dict[str, str | None] = {}
    for id_ in {*held, *(old for old in before.values() if old in own)}:
        target = None if id_ in alive else leads.get(own[id_])
        if target != held.get(id_) and (target is not None or id_ in held):
            changed[id_] = target
    return changed


# the part that evidence reaches ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """The identity facts that decide about some identifiers. `called`: references to profiles -> what they mean;
    `known_alone`: values of too many people that somebody was known by, with nothing better beside them."""

    facts: IdentityFacts
    members: frozenset[Identifier]
    shared_outside: frozenset[Identifier]
    known_alone: frozenset[Identifier]
    called: Mapping[Identifier, Identifier]
    released: frozenset[Identifier]


class _Reach:
    """A walk over evidence, a level at a time."""

    def __init__(self, reader: CentralReader, new_facts: Collection[str], *, is_wide: bool) -> None:
        self._reader = reader
        self.blocked: BlockList = blocks_of(reader)
        self.policy: Policy = policy_of(reader)
        self._new_facts = new_facts
        self._is_wide = is_wide
        self.sightings: dict[str, SightingRow] = {}
        self.said: dict[str, IdentityFactRow] = {}
        self.members: set[Identifier] = set()
        self.shared: set[Identifier] = set()
        self.barred: set[Identifier] = set()
        self.first_of_shared: dict[Identifier, tuple[str, str]] = {}
        self.called: dict[Identifier, Identifier] = {}
        self._crowds: dict[Identifier, list[frozenset[Identifier]]] = {}

    def walk(self, seeds: Collection[Identifier]) -> None:
        """From the seeds until nothing new is met."""
        level = set(seeds)
        while level := level - self.members:
            self.members |= level
            level = self._linked(level) | self._seen_with(level) | self._meant(level)

    def _linked(self, level: Collection[Identifier]) -> set[Identifier]:
        rows = self._reader.identity_facts_of([as_pair(one) for one in level])
        self.said.update((row.fact_id, row) for row in rows)
        return {as_identifier(pair) for row in rows for pair in _pairs_of(row)}

    def _seen_with(self, level: set[Identifier]) -> set[Identifier]:
        """Whatever was seen with these, but for what was seen with a value of too many owners: that is no evidence."""
        nobody = {one for one in level if self.blocked.blocks(one)}
        asked = {as_pair(one) for one in (level if self._is_wide else level - nobody)}
        asked |= {("profile_id", profile_id_for(one)) for one in level if one.type is not IdentifierType.PROFILE_ID}
        rows = self._reader.sightings_of(asked)
        together = [frozenset(map(as_identifier, row.identifiers)) for row in rows]
        shared = self._shared_of(level - nobody, together)
        self.shared |= shared
        self._note_crowds(shared, rows, together)
        barred = set() if self._is_wide else nobody | (shared - self._newly_shared(shared, rows, together))
        met: set[Identifier] = set()
        for row, identifiers in zip(rows, together, strict=True):
            if len(identifiers) == 1 or not (identifiers & level) <= (barred | self.barred):
                self.sightings[row.sighting_id] = row
                met |= identifiers
        self.barred |= barred
        return met

    def _note_crowds(
        self, shared: set[Identifier], rows: Sequence[SightingRow], together: Sequence[frozenset[Identifier]]
    ) -> None:
        """When values of too many people were first seen, and with what: the part holds only some of it."""
        for row, identifiers in zip(rows, together, strict=True) if shared else ():
            for one in identifiers & shared:
                when = (row.at, row.fact_id)
                self.first_of_shared[one] = min(self.first_of_shared.get(one, when), when)
                self._crowds.setdefault(one, []).append(identifiers)

    def _newly_shared(
        self, shared: set[Identifier], rows: Sequence[SightingRow], together: Sequence[frozenset[Identifier]]
    ) -> set[Identifier]:
        """Values that have too many owners by this batch alone: what they held together till now comes apart."""
        if not shared or not self._new_facts:
            return set()
        pairs = zip(rows, together, strict=True)
        return shared - self._shared_of(shared, [seen for row, seen in pairs if row.fact_id not in self._new_facts])

    def _shared_of(self, some: set[Identifier], together: Collection[frozenset[Identifier]]) -> set[Identifier]:
        """Which values were seen with too many people, as the partition counts them: linked numbers are one."""
        numbers: dict[Identifier, set[Identifier]] = {}
        for seen in together:
            unique = [one for one in seen if self._is_number(one)]
            for one in seen & some if unique else ():
                if not self._is_unique(one):
                    numbers.setdefault(one, set()).update(unique)
        crowded = {one: own for one, own in numbers.items() if len(own) >= self.policy.shared_from}
        root = self._numbers_linked({number for own in crowded.values() for number in own})
        return {
            one
            for one, own in crowded.items()
            if len({root.get(number, number) for number in own}) >= self.policy.shared_from
        }

    def _numbers_linked(self, numbers: set[Identifier]) -> Mapping[Identifier, Identifier]:
        """Number -> the one that stands for all that a person linked it with, also by way of others; only those that
        were linked."""
        root: dict[Identifier, Identifier] = {}
        asked: set[Identifier] = set()
        while fresh := (numbers | root.keys()) - asked:
            asked |= fresh
            for row in self._reader.identity_facts_of([as_pair(number) for number in fresh]):
                a, *rest = map(as_identifier, _pairs_of(row))
                for b in (one for one in rest if row.kind == "link" and one.type is a.type):
                    kept, gone = sorted((root.setdefault(a, a), root.setdefault(b, b)))
                    root = {number: kept if at == gone else at for number, at in root.items()}
        return root

    def _is_number(self, one: Identifier) -> bool:
        return self._is_unique(one) and not self.blocked.blocks(one)

    def _is_unique(self, one: Identifier) -> bool:
        return one.type is not IdentifierType.PROFILE_ID and self.policy.is_unique(one.type)

    def known_alone(self) -> set[Identifier]:
        """Which of the values of too many people stand for somebody all the same: browsers, and what was seen at least
        once with nothing beside it that joins anybody."""
        found = {one for one in self.shared if one.type is IdentifierType.ANONYMOUS_ID}
        doubtful: dict[Identifier, list[set[Identifier]]] = {}
        for one in self.shared - found:
            for seen in self._crowds[one]:
                if (beside := self._beside(seen)) is not None:
                    doubtful.setdefault(one, []).append(beside)
        asked = {other for some in doubtful.values() for beside in some for other in beside}
        rows = self._reader.sightings_of([as_pair(one) for one in asked]) if asked else []
        shared = self._shared_of(asked, [frozenset(map(as_identifier, row.identifiers)) for row in rows])
        return found | {one for one, some in doubtful.items() if any(beside <= shared for beside in some)}

    def _beside(self, seen: Collection[Identifier]) -> set[Identifier] | None:
        """What of these joins people unless it turns out to be shared; None where one of them joins for sure."""
        meant = {self.called.get(one, one) for one in seen}
        joining = {one for one in meant if self.policy[one.type].links in _JOINING and not self.blocked.blocks(one)}
        if any(self.policy[one.type].links is LinkRule.ALWAYS for one in joining):
            return None
        return joining - self.shared

    def _meant(self, level: Collection[Identifier]) -> set[Identifier]:
        """What references to profiles in this level mean."""
        references = {own_id(one): one for one in level if one.type is IdentifierType.PROFILE_ID}
        found = self._reader.identifiers_called(references.keys()) if references else {}
        for id_, pair in found.items():
            self.called[references[id_]] = as_identifier(pair)
        return {as_identifier(pair) for pair in found.values()}


def gather_part(
    reader: CentralReader, seeds: Collection[Identifier], new_facts: Collection[str] = (), *, is_wide: bool = False
) -> Part:
    """All identity facts that can decide about these identifiers, and no others."""
    reach = _Reach(reader, new_facts, is_wide=is_wide)
    reach.walk(seeds)
    for one in reach.members:
        if one.type is IdentifierType.PROFILE_ID and one not in reach.called:
            for other in reach.members:
                if other.type is not IdentifierType.PROFILE_ID and profile_id_for(other) == own_id(one):
                    reach.called[one] = other
    first = [Sighting(fact_id, at, (one,)) for one, (at, fact_id) in sorted(reach.first_of_shared.items())]
    sightings = (*first, *(_as_sighting(row, reach.called) for row in reach.sightings.values()))
    members = frozenset(one for one in reach.members if one.type is not IdentifierType.PROFILE_ID)
    said = list(reach.said.values())
    released = frozenset(as_identifier((row.a_type, row.a_value)) for row in said if row.kind == "release")
    return Part(
        facts_of_rows(sightings, said, reach.blocked, reach.policy),
        members,
        frozenset(reach.shared),
        frozenset(reach.known_alone()),
        reach.called,
        released,
    )


def facts_of_rows(
    sightings: tuple[Sighting, ...], said: Iterable[IdentityFactRow], blocked: BlockList, policy: Policy
) -> IdentityFacts:
    """Rows as the partition reads them."""
    links, splits = [], []
    for row in said:
        if row.b_type is None or row.b_value is None:
            continue
        a, b = as_identifier((row.a_type, row.a_value)), as_identifier((row.b_type, row.b_value))
        if row.kind == "split":
            splits.append(Split(row.fact_id, row.at, a, b, row.who, row.reason))
        else:
            links.append(Link(row.fact_id, row.at, a, b, row.who, is_manual=row.kind == "link"))
    return IdentityFacts(sightings, tuple(links), tuple(splits), blocked, policy)


def _as_sighting(row: SightingRow, called: Mapping[Identifier, Identifier]) -> Sighting:
    named = {called.get(one, one) for one in map(as_identifier, row.identifiers)}
    identifiers = tuple(sorted(named))
    return Sighting(row.fact_id, row.at, identifiers, row.family_name, row.postcode, row.is_verified)


def as_sightings(rows: Iterable[SightingRow], called: Mapping[Identifier, Identifier]) -> tuple[Sighting, ...]:
    """Rows as the partition reads them, references to profiles replaced by what they mean."""
    return tuple(_as_sighting(row, called) for row in rows)


def _pairs_of(row: IdentityFactRow) -> list[Pair]:
    pairs = [(row.a_type, row.a_value)]
    return pairs if row.b_type is None or row.b_value is None else [*pairs, (row.b_type, row.b_value)]
