"""The merge: facts in, profiles folded, their documents ready for the feeds. Flow step 7, for intake and ingest alike.

A whole batch inside the caller's transaction, folded in memory; a fact that makes the fold raise is parked alone. The
caller publishes last, for that takes feed positions. Identity is exact: loyalty number, customer id and e-mail join
profiles (never two loyalty numbers), a phone only finds, an anonymous id joins the person identified with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from shared.fold import Fact, ProfileState, fold
from shared.identity import Identifier, IdentifierType, canonical_form, profile_id_for, strength
from shared.ids import derived_id, is_uuid
from shared.projection import (
    Reading,
    StoreView,
    choose_stores,
    home_store,
    planned,
    project,
    slice_reasons,
    traits_of,
)
from shared.wire.messages import store_scope
from sync_server.ports import CentralReader, CentralWriter, Conflict, DocWrite, LedgerRow, Store, StoredProfile
from sync_server.services.geography import distances_from
from sync_server.services.json_text import canonical, decode, encode

_JOINING: Final = frozenset({IdentifierType.LOYALTY_ID, IdentifierType.CUSTOMER_ID, IdentifierType.EMAIL})
_DECIDING: Final = _JOINING | {IdentifierType.PROFILE_ID}


@dataclass(slots=True)
class _Cluster:
    """A profile while a batch is merged: what it owned, what it gained, and the stored profiles it is made of."""

    owned: set[Identifier] = field(default_factory=set)
    gained: set[Identifier] = field(default_factory=set)
    stored: list[StoredProfile] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    fixed_id: str | None = None

    def loyalty_ids(self) -> set[str]:
        return {one.value for one in self.owned | self.gained if one.type is IdentifierType.LOYALTY_ID}

    @property
    def is_anonymous(self) -> bool:
        return all(one.type is IdentifierType.ANONYMOUS_ID for one in self.owned | self.gained)

    def profile_id(self) -> str:
        """The id of the strongest identifier; a profile nobody named, or that gained no name, keeps its own."""
        if not self.gained and len(self.stored) == 1 and self.fixed_id == self.stored[0].profile_id:
            return self.fixed_id
        named = self.owned | self.gained
        return profile_id_for(min(named, key=strength)) if named else str(self.fixed_id)


@dataclass(frozen=True, slots=True)
class Merged:
    """What a batch did: which profile each fact belongs to, the facts that spoiled the fold (with why), and the
    documents to publish."""

    profile_of: Mapping[str, str]
    spoiled: Mapping[str, str]
    writes: tuple[DocWrite, ...]


def identifiers_of_op(kind: str, body: Mapping[str, Any], region: str) -> tuple[Identifier, ...]:
    """The identifiers an op brings, canonical where that is possible and as typed where not: form refuses nothing."""
    named: list[Mapping[str, Any]] = [body[name] for name in ("shopper", "identifier") if name in body]
    if kind == "shopper_enrolled":
        named += [{"type": name, "value": body[name]} for name in ("loyalty_id", "email", "phone") if body.get(name)]
    return tuple(_identifier(one["type"], one["value"], region) for one in named)


@lru_cache(maxsize=4_096)  # the ops of a visit name one shopper again and again
def _identifier(type_: str, value: str, region: str) -> Identifier:
    kind = IdentifierType(type_)
    return canonical_form(kind, value, region=region) or Identifier(kind, value.strip() or value)


def fact_of_row(row: LedgerRow) -> Fact:
    """A ledger row as the fold reads it."""
    pairs = tuple((type_, value) for type_, value in decode(row.subject or "[]"))
    return Fact(
        id=row.fact_id,
        at=row.effective_at,
        kind=row.kind,
        body=decode(row.body),
        store=row.store,
        associate_id=row.associate_id,
        amends=row.amends,
        identifiers=pairs,
    )


def merge(tx: CentralWriter, facts: Sequence[Fact], about: Mapping[str, str], now_at: str) -> Merged:
    """Merge distinct new facts. `about` maps a fact to the op it corrects, withdraws or changes.

    Facts of no shopper (feedback, calendar) are left alone. Writes profiles, identifiers and redirects; the caller
    writes the facts with the returned profile ids and publishes the documents last.
    """
    batch = _Batch(tx, facts, about)
    batch.gather()
    states = batch.fold()
    writes = _documents(tx, states, batch, now_at)
    return Merged(batch.profile_of(), batch.spoiled, tuple(writes))


class _Batch:
    """The clusters a batch of facts touches."""

    def __init__(self, tx: CentralWriter, facts: Sequence[Fact], about: Mapping[str, str]) -> None:
        self.tx = tx
        self.facts = facts
        self.about = about
        self.spoiled: dict[str, str] = {}
        self.retired: dict[str, str] = {}
        self._known_targets: dict[str, str] = {}
        self.clusters: dict[str, _Cluster] = {}
        self._by_identifier: dict[Identifier, str] = {}
        self._parent: dict[str, str] = {}
        self._target: dict[str, str] = {}
        self._late: dict[str, str] = {}
        self._final_id: dict[str, str] = {}

    # finding ----------------------------------------------------------------------------------------------------------

    def gather(self) -> None:
        """Find or make the cluster of every fact, then pull in waiting corrections of what has just arrived."""
        self._load_known()
        for fact in self.facts:
            if fact.identifiers:
                self._target[fact.id] = self._place(fact)
        for fact in self.facts:
            if not fact.identifiers and fact.id in self.about and (key := self._key_of(self.about[fact.id])):
                self._target[fact.id] = key
        for fact in self.facts:
            if fact.id in self._target:
                self.clusters[self._root(self._target[fact.id])].facts.append(fact)
        self._attach_waiting()

    def _load_known(self) -> None:
        named = {_as_identifier(pair) for fact in self.facts for pair in fact.identifiers}
        called = {_own_id(one) for one in named if one.type is IdentifierType.PROFILE_ID}
        found, redirects, self._known_targets = known = self._look_up(named, called)
        ids = {*found.values(), *(redirects.get(one, one) for one in called), *self._known_targets.values()}
        self._load_profiles(ids)
        if not ids <= self.clusters.keys() and self._look_up(named, called) != known:
            raise Conflict  # between the look and the lock another writer merged one of them into a third
        for (type_, value), profile_id in found.items():
            self._by_identifier[Identifier(IdentifierType(type_), value)] = profile_id
        for one in named:
            if one.type is IdentifierType.PROFILE_ID:
                profile_id = redirects.get(_own_id(one), _own_id(one))
                self._by_identifier[one] = profile_id
                self.clusters.setdefault(profile_id, _Cluster(fixed_id=profile_id))

    def _look_up(
        self, named: Collection[Identifier], called: Collection[str]
    ) -> tuple[dict[tuple[str, str], str], dict[str, str], dict[str, str]]:
        """(identifier -> profile, former id -> profile, op -> profile) of what the batch names."""
        wanted = {(one.type.value, one.value) for one in named if one.type is not IdentifierType.PROFILE_ID}
        targets = self.tx.known_facts(set(self.about.values()))
        known_targets = {op_id: known.profile_id for op_id, known in targets.items() if known.profile_id}
        return self.tx.profile_ids(wanted), self.tx.redirects(called), known_targets

    def _load_profiles(self, profile_ids: Collection[str]) -> None:
        missing = [one for one in profile_ids if one not in self._parent]
        if not missing:
            return
        for profile_id, stored in self.tx.profiles(missing, for_update=True).items():
            self.clusters[profile_id] = _Cluster(stored=[stored], fixed_id=profile_id)
        for profile_id, pairs in self.tx.identifiers_of(missing).items():
            self.clusters.setdefault(profile_id, _Cluster(fixed_id=profile_id)).owned |= set(map(_as_identifier, pairs))

    def _place(self, fact: Fact) -> str:
        """Choose the fact's cluster, give it the identifiers nobody has yet, then join what may be joined."""
        named = sorted({_as_identifier(pair) for pair in fact.identifiers}, key=strength)
        known = [(one, self._root(self._by_identifier[one])) for one in named if one in self._by_identifier]
        key = self._choose(named, known)
        for one in named:
            if one not in self._by_identifier and one.type is not IdentifierType.PROFILE_ID:
                self._by_identifier[one] = key
                self.clusters[key].gained.add(one)
        for one, other in known:
            key = self._join(key, other, one)
        return key

    def _choose(self, named: list[Identifier], known: list[tuple[Identifier, str]]) -> str:
        """The strongest joining identifier decides, a phone or anonymous id only when nothing stronger was said; never
        a profile with another loyalty number."""
        said = {one.value for one in named if one.type is IdentifierType.LOYALTY_ID}
        is_named = any(one.type in _DECIDING for one in named)
        for one, key in known:
            held = self.clusters[key].loyalty_ids()
            if (one.type in _DECIDING or not is_named) and not (said and held - said):
                return key
        key = profile_id_for(named[0])
        self.clusters.setdefault(key, _Cluster(fixed_id=key))
        return self._root(key)

    def _join(self, key: str, other: str, by: Identifier) -> str:
        """Join two profiles if this identifier may and no rule is broken; returns the surviving cluster's key."""
        key, other = self._root(key), self._root(other)
        if key == other:
            return key
        mine, theirs = self.clusters[key], self.clusters[other]
        may_join = by.type in _JOINING or (by.type is IdentifierType.ANONYMOUS_ID and theirs.is_anonymous)
        if not may_join or len(mine.loyalty_ids() | theirs.loyalty_ids()) > 1:
            return key
        mine.owned |= theirs.owned
        mine.gained |= theirs.gained
        mine.stored += theirs.stored
        self._parent[other] = key
        del self.clusters[other]
        return key

    def _root(self, key: str) -> str:
        while key in self._parent:
            key = self._parent[key]
        return key

    def _key_of(self, op_id: str) -> str | None:
        key = self._target.get(op_id) or self._known_targets.get(op_id)
        return self._root(key) if key else None

    def _attach_waiting(self) -> None:
        """Corrections and changes that came before their op belong to its profile from now on."""
        arrived = {fact.id: self._root(self._target[fact.id]) for fact in self.facts if fact.id in self._target}
        for row in self.tx.facts_about(list(arrived)):
            key = arrived[row.about or ""]
            self.clusters[key].facts.append(fact_of_row(row))
            self._late[row.fact_id] = key

    # folding ----------------------------------------------------------------------------------------------------------

    def fold(self) -> dict[str, tuple[ProfileState, StoredProfile]]:
        """Fold every cluster; returns final profile id -> (state, what was stored before)."""
        folded = {}
        for key, cluster in self.clusters.items():
            if not cluster.facts and len(cluster.stored) <= 1:
                continue
            profile_id = cluster.profile_id()
            self._final_id[key] = profile_id
            former = [stored for stored in cluster.stored if stored.profile_id != profile_id]
            state = self._fold_cluster(cluster)
            stores = tuple(sorted({code for stored in cluster.stored for code in stored.stores}))
            band = next((stored.value_band for stored in cluster.stored), "none")
            folded[profile_id] = (state, StoredProfile(profile_id, "", stores, band))
            if former:
                self._retire([stored.profile_id for stored in former], profile_id)
        self._save_identifiers()
        self.tx.assign_facts((fact_id, self._final_id[self._root(key)]) for fact_id, key in self._late.items())
        return folded

    def _fold_cluster(self, cluster: _Cluster) -> ProfileState:
        base = cluster.stored[0] if cluster.stored else None
        facts = list(cluster.facts)
        if len(cluster.stored) > 1:
            others = [stored.profile_id for stored in cluster.stored[1:]]
            facts = [fact_of_row(row) for row in self.tx.facts_of(others)] + facts
        try:
            return fold(_state_of(base), facts)
        except Exception:  # noqa: BLE001 - any body that breaks the fold is parked alone, below
            return self._fold_one_by_one(base, facts)

    def _fold_one_by_one(self, base: StoredProfile | None, facts: list[Fact]) -> ProfileState:
        sound = _state_of(base).as_json()
        for fact in facts:
            try:
                sound = fold(ProfileState.from_json(decode(encode(sound))), [fact]).as_json()
            except Exception as problem:  # noqa: BLE001 - the reason goes into the ledger
                self.spoiled[fact.id] = f"{type(problem).__name__}: {problem}"[:200]
        return ProfileState.from_json(sound)

    def _retire(self, former: list[str], profile_id: str) -> None:
        """Former ids become redirects; their facts, redirects and documents move to the profile."""
        self.tx.move_profiles(former, profile_id)
        self.retired.update(dict.fromkeys(former, profile_id))

    def _save_identifiers(self) -> None:
        changed = {}
        for key, profile_id in self._final_id.items():
            cluster = self.clusters[key]
            for one in cluster.gained:
                changed[(one.type.value, one.value)] = profile_id
        self.tx.save_identifiers(changed)

    def profile_of(self) -> dict[str, str]:
        """Fact -> the profile it belongs to now."""
        return {fact_id: self._final_id[self._root(key)] for fact_id, key in self._target.items()}


@lru_cache(maxsize=16_384)
def _as_identifier(pair: tuple[str, str]) -> Identifier:
    return Identifier(IdentifierType(pair[0]), pair[1])


def _own_id(one: Identifier) -> str:
    return one.value if is_uuid(one.value) else derived_id("profile", one.value)


def _state_of(stored: StoredProfile | None) -> ProfileState:
    return ProfileState() if stored is None else ProfileState.from_json(decode(stored.state))


# documents ------------------------------------------------------------------------------------------------------------


def _documents(
    tx: CentralWriter, folded: Mapping[str, tuple[ProfileState, StoredProfile]], batch: _Batch, now_at: str
) -> list[DocWrite]:
    """Project every folded profile to the stores of its slice, save it, and list the documents to publish."""
    projector = Projector(tx, now_at)
    readings = {profile_id: Reading(state) for profile_id, (state, _) in folded.items()}
    points = projector.points(readings)
    redirects = tx.redirects_to(list(folded)) if folded else {}
    writes: list[DocWrite] = []
    saved = []
    for profile_id, (state, stored) in folded.items():
        stores, documents = projector.documents(
            readings[profile_id], stored, points[profile_id], redirects.get(profile_id, [])
        )
        writes += documents
        saved.append(StoredProfile(profile_id, encode(state.as_json()), stores, stored.value_band))
    for old_id in batch.retired:
        writes += [DocWrite(store_scope(store.code), f"profile/{old_id}", None, "merged") for store in projector.stores]
    tx.save_profiles(saved)
    return writes


class Projector:
    """Projects profiles into the feeds of the stores that hold them, as of one moment."""

    def __init__(self, reader: CentralReader, now_at: str) -> None:
        self._reader = reader
        self._now_at = now_at
        self.stores: tuple[Store, ...] = reader.stores()
        self._codes = {store.code for store in self.stores}
        self._country = next((store.country for store in self.stores if store.country), None)

    def points(self, readings: Mapping[str, Reading]) -> dict[str, tuple[int, int] | None]:
        """Profile -> where the shopper lives (postcode centroid), None where that is unknown."""
        places: dict[str, tuple[str, str]] = {}
        for profile_id, reading in readings.items():
            traits = traits_of(reading)
            country = traits.get("country") or self._country
            if country and traits.get("postcode"):
                places[profile_id] = (str(country), str(traits["postcode"]).strip())
        centroids = self._reader.centroids(set(places.values())) if places else {}
        return {
            profile_id: centroids.get(places[profile_id]) if profile_id in places else None for profile_id in readings
        }

    def documents(
        self,
        reading: Reading,
        stored: StoredProfile,
        point: tuple[int, int] | None,
        redirects: Sequence[str] = (),
    ) -> tuple[tuple[str, ...], list[DocWrite]]:
        """(stores that hold the profile now, documents to put or delete)."""
        distances = distances_from(point, self.stores)
        reasons = slice_reasons(reading, self._now_at, distances)
        reasons = {store: why for store, why in reasons.items() if store in self._codes}
        home = home_store(reading)
        stores = choose_stores(reasons, home)
        document_id = f"profile/{stored.profile_id}"
        writes = [
            DocWrite(store_scope(code), document_id, None, "slice") for code in stored.stores if code not in stores
        ]
        base = project(reading, stored.profile_id, StoreView(value_band=stored.value_band), []) if stores else {}
        if redirects:
            base["redirects"] = list(redirects)
        for code in stores:
            far = {"this_store_m": distances.get(code), "home_store_m": distances.get(home or "")}
            distance = {name: metres for name, metres in far.items() if metres is not None}
            document = {**base, "slice": sorted(reasons[code]), "facts": {**base["facts"], "distance": distance}}
            writes.append(DocWrite(store_scope(code), document_id, canonical(document)))
        return tuple(stores), writes + self._plans(reading, stored.profile_id)

    def _plans(self, reading: Reading, profile_id: str) -> list[DocWrite]:
        """Follow-ups, holds and appointments are documents of their own in the store that made them."""
        writes = []
        for plan in planned(reading):
            if plan.record.store in self._codes:
                told = {**plan.record.body, "id": plan.record.op_id, "profile_id": profile_id, "state": plan.state}
                told |= {"due": plan.due, "assignee": plan.assignee, "associate_id": plan.record.associate_id}
                told |= {"store": plan.record.store, "at": plan.record.at}
                document = {name: value for name, value in told.items() if value is not None}
                scope = store_scope(plan.record.store)
                writes.append(DocWrite(scope, f"{plan.what}/{plan.record.op_id}", canonical(document)))
        return writes


def refold(
    tx: CentralWriter, profile_ids: Iterable[str], now_at: str
) -> tuple[dict[str, ProfileState], list[DocWrite]]:
    """Rebuild profiles from the ledger alone; the result must equal what incremental folding stored."""
    wanted = sorted(set(profile_ids))
    states: dict[str, ProfileState] = {profile_id: ProfileState() for profile_id in wanted}
    for row in tx.facts_of(wanted):
        fold(states[row.profile_id or ""], [fact_of_row(row)])
    stored = tx.profiles(wanted, for_update=True)
    projector = Projector(tx, now_at)
    readings = {profile_id: Reading(state) for profile_id, state in states.items()}
    points = projector.points(readings)
    writes: list[DocWrite] = []
    for profile_id, state in states.items():
        kept = stored.get(profile_id, StoredProfile(profile_id, ""))
        stores, documents = projector.documents(readings[profile_id], kept, points[profile_id])
        writes += documents
        tx.save_profiles([StoredProfile(profile_id, encode(state.as_json()), stores, kept.value_band)])
    return states, writes


def region_of(stores: Sequence[Store], code: str | None) -> str:
    """The country whose phone numbers are meant where none is written: the store's, else the chain's first."""
    by_code = {store.code: store.country for store in stores}
    return by_code.get(code or "") or next((store.country for store in stores if store.country), None) or "DE"
