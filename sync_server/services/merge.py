"""The merge: facts in, profiles folded, their documents ready for the feeds. Flow step 7, for intake and ingest alike.

A whole batch inside the caller's transaction, folded in memory; a fact that makes the fold raise is parked alone. The
caller publishes last, for that takes feed positions. Who is who is `identity.py`'s answer; here profiles and facts go
where it says: a profile that went whole into another takes its facts along, one that was torn is folded anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from shared.fold import Fact, ProfileState, fold
from shared.identity import Identifier, IdentifierType, canonical_form
from shared.projection import Reading
from shared.wire.messages import store_scope
from sync_server.ports import CentralWriter, Conflict, DocWrite, LedgerRow, Store, StoredProfile
from sync_server.services.evidence import as_identifier
from sync_server.services.identity import Placing, known_leads, own_id, place
from sync_server.services.json_text import decode, encode
from sync_server.services.projecting import Projector

MERGED_NOTE: Final = "merged"
"""Note `merged/<day>`: how many profiles went into others on that day, for the alarm."""


@dataclass(slots=True)
class _Cluster:
    """A profile while a batch is merged: the stored profiles it is made of, and the facts it gains."""

    stored: list[StoredProfile] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    is_rebuilt: bool = False
    """Facts left it or came to it: it is folded again from all of them."""


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
    return _merge(tx, facts, about, place(tx, facts, now_at), now_at)


def merge_again(tx: CentralWriter, placing: Placing, now_at: str) -> tuple[DocWrite, ...]:
    """Profiles and documents after somebody said who is who: no new fact, only what `place_again` found to change."""
    return _merge(tx, [], {}, placing, now_at).writes


def fold_anew(tx: CentralWriter, profile_ids: Collection[str], placing: Placing, now_at: str) -> tuple[DocWrite, ...]:
    """These profiles from exactly the facts that are theirs, and their documents: a page of a rebuild."""
    batch = _Batch(tx, [], {}, placing)
    batch.gather_whole(profile_ids)
    return tuple(_documents(tx, batch.fold(), batch, now_at))


def _merge(tx: CentralWriter, facts: Sequence[Fact], about: Mapping[str, str], placing: Placing, now_at: str) -> Merged:
    batch = _Batch(tx, facts, about, placing)
    batch.gather()
    states = batch.fold()
    if batch.retired:
        note = f"{MERGED_NOTE}/{now_at[:10]}"
        tx.write_note(note, str(int(tx.note(note) or 0) + len(batch.retired)))
    writes = _documents(tx, states, batch, now_at)
    return Merged(batch.profile_of(), batch.spoiled, tuple(writes))


class _Batch:
    """The profiles a batch of facts touches, by the id they have after it."""

    def __init__(self, tx: CentralWriter, facts: Sequence[Fact], about: Mapping[str, str], placing: Placing) -> None:
        self.tx = tx
        self.facts = facts
        self.about = about
        self.placing = placing
        self.spoiled: dict[str, str] = {}
        self.retired: dict[str, str] = {}
        self.clusters: dict[str, _Cluster] = {}
        self._known_targets: dict[str, str] = {}
        self._target: dict[str, str] = {}
        self._late: dict[str, str] = {}
        self._loaded: set[str] = set()
        self._whole: dict[str, list[Fact]] = {}

    # finding ----------------------------------------------------------------------------------------------------------

    def gather(self) -> None:
        """Find the profile of every fact, give torn profiles' facts to whom they belong now, then pull in waiting
        corrections of what has just arrived."""
        targets = self.tx.known_facts(set(self.about.values()))
        self._known_targets = {op_id: known.profile_id for op_id, known in targets.items() if known.profile_id}
        self._find_targets()
        self._load(set(self._target.values()))
        self._hand_over()
        for fact in self.facts:
            if fact.id in self._target:
                self.clusters[self._target[fact.id]].facts.append(fact)
        self._attach_waiting()

    def gather_whole(self, profile_ids: Collection[str]) -> None:
        """Take profiles as they stand, to be folded again from all their facts."""
        self._load(profile_ids)
        for cluster in self.clusters.values():
            cluster.is_rebuilt = True

    def _find_targets(self) -> None:
        for fact in self.facts:
            if fact.identifiers and (key := self._meant(fact.identifiers)):
                self._target[fact.id] = key
        for fact in self.facts:
            if not fact.identifiers and fact.id in self.about and (key := self._key_of(self.about[fact.id])):
                self._target[fact.id] = key

    def _meant(self, pairs: Collection[tuple[str, str]]) -> str | None:
        """The profile of a fact with these identifiers; a profile nobody knows yet where it names just that."""
        named = [as_identifier(pair) for pair in pairs]
        if (target := self.placing.target(named)) is not None:
            return target
        return next((own_id(one) for one in named if one.type is IdentifierType.PROFILE_ID), None)

    def _key_of(self, op_id: str) -> str | None:
        """The profile an op belongs to, where what it was given to before is one no more also the one it went to."""
        if op_id in self._target:
            return self._target[op_id]
        known = self._known_targets.get(op_id)
        return self.placing.former.get(known, known) if known else None

    def _load(self, profile_ids: Collection[str]) -> None:
        """Lock and read the profiles touched, with those that go into them."""
        former = self.placing.former
        wanted = {*profile_ids, *former, *former.values(), *self.placing.torn} - self._loaded
        self._loaded |= wanted
        for profile_id, stored in self.tx.profiles(wanted, for_update=True).items():
            key = former.get(profile_id, profile_id)
            self.clusters.setdefault(key, _Cluster()).stored.append(stored)
        for key in wanted - former.keys():
            self.clusters.setdefault(key, _Cluster())
        gone = {one for one in wanted & set(profile_ids) if not self.clusters[one].stored}
        if gone and self.tx.redirects(gone):
            raise Conflict  # between the look and the lock another writer merged one of them into a third

    def _hand_over(self) -> None:
        """Every fact of a torn profile is asked again whose it is."""
        torn = self.placing.torn
        if not torn:
            return
        rows = list(self.tx.facts_of(torn))
        led = self._leads_of(rows)
        target = {row.fact_id: led.target(map(as_identifier, _pairs(row))) or "" for row in rows if row.subject}
        waiting = [row for row in rows if not row.subject]
        while waiting:
            settled = [row for row in waiting if row.about in target]
            if not settled:
                break
            target.update((row.fact_id, target[row.about or ""]) for row in settled)
            waiting = [row for row in waiting if row.fact_id not in target]
        moved = {
            row.fact_id: to for row in rows if (to := target.get(row.fact_id)) is not None and to != row.profile_id
        }
        self.tx.assign_facts((fact_id, to or None) for fact_id, to in moved.items())
        self._known_targets.update((op_id, to) for op_id, to in target.items() if op_id in self._known_targets and to)
        self._load({to for to in moved.values() if to} - self.clusters.keys())
        for key in {*torn, *(to for to in moved.values() if to)}:
            self.clusters[key].is_rebuilt = True

    def _leads_of(self, rows: Sequence[LedgerRow]) -> Placing:
        """Where the identifiers of these rows lead, those outside of the part that changed included."""
        named = {as_identifier(pair) for row in rows for pair in _pairs(row)} - self.placing.leads.keys()
        return replace(self.placing, leads={**known_leads(self.tx, named), **self.placing.leads})

    def _attach_waiting(self) -> None:
        """Corrections and changes that came before their op belong to its profile from now on."""
        arrived = {fact.id: self._target[fact.id] for fact in self.facts if fact.id in self._target}
        for row in self.tx.facts_about(list(arrived)):
            key = arrived[row.about or ""]
            self.clusters[key].facts.append(fact_of_row(row))
            self._late[row.fact_id] = key

    # folding ----------------------------------------------------------------------------------------------------------

    def fold(self) -> dict[str, tuple[ProfileState, StoredProfile]]:
        """Fold every profile touched; returns its id -> (state, what was stored before)."""
        folded = {}
        self._read_whole()
        for profile_id, cluster in self.clusters.items():
            former = [stored for stored in cluster.stored if stored.profile_id != profile_id]
            if not cluster.facts and not former and not cluster.is_rebuilt:
                continue
            state = self._fold_cluster(profile_id, cluster)
            if state is None:
                self._end(profile_id, cluster)
                continue
            folded[profile_id] = (state, self._before(profile_id, cluster))
            if former:
                self._retire([stored.profile_id for stored in former], profile_id)
        self.tx.assign_facts(self._late.items())
        return folded

    def _read_whole(self) -> None:
        """The facts of all profiles that are folded again, read at once."""
        rebuilt = {key: cluster for key, cluster in self.clusters.items() if cluster.is_rebuilt}
        wanted = {*rebuilt, *(stored.profile_id for cluster in rebuilt.values() for stored in cluster.stored)}
        for row in self.tx.facts_of(wanted) if wanted else ():
            self._whole.setdefault(row.profile_id or "", []).append(fact_of_row(row))

    def _before(self, profile_id: str, cluster: _Cluster) -> StoredProfile:
        stores = tuple(sorted({code for stored in cluster.stored for code in stored.stores}))
        band = next((stored.value_band for stored in cluster.stored), "none")
        held_at = next((stored.held_at for stored in cluster.stored if stored.held_at), None)
        return StoredProfile(profile_id, "", stores, band, held_at)

    def _fold_cluster(self, profile_id: str, cluster: _Cluster) -> ProfileState | None:
        """The state after the batch; None where nothing is left of a profile."""
        if cluster.is_rebuilt:
            kept = sorted({profile_id, *(stored.profile_id for stored in cluster.stored)})
            base, facts = None, [*(fact for id_ in kept for fact in self._whole.pop(id_, ())), *cluster.facts]
            if not facts:
                return None
        else:
            base, others = next(iter(cluster.stored), None), [stored.profile_id for stored in cluster.stored[1:]]
            facts = [*map(fact_of_row, self.tx.facts_of(others)), *cluster.facts] if others else cluster.facts
        try:
            return fold(_state_of(base), facts)
        except Exception:  # noqa: BLE001 - any body that breaks the fold is parked alone, below
            return self._fold_one_by_one(base, facts)

    def _end(self, profile_id: str, cluster: _Cluster) -> None:
        """A profile all of whose facts belong to others now: its document goes, its id leads where its name leads."""
        self.tx.drop_profiles([stored.profile_id for stored in cluster.stored])
        self.retired.update({stored.profile_id: profile_id for stored in cluster.stored})

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

    def held_at(self, before: StoredProfile, now_at: str) -> str | None:
        """Since when a profile's publication is held: one that grew past what a person can be, until HQ's word."""
        if before.profile_id in self.placing.held:
            return before.held_at or now_at
        return None if before.profile_id in self.placing.released else before.held_at

    def profile_of(self) -> dict[str, str]:
        """Fact -> the profile it belongs to now."""
        return dict(self._target)


def _pairs(row: LedgerRow) -> list[tuple[str, str]]:
    return [(type_, value) for type_, value in decode(row.subject or "[]")]


def _state_of(stored: StoredProfile | None) -> ProfileState:
    return ProfileState() if stored is None else ProfileState.from_json(decode(stored.state))


# documents ------------------------------------------------------------------------------------------------------------


def _documents(
    tx: CentralWriter, folded: Mapping[str, tuple[ProfileState, StoredProfile]], batch: _Batch, now_at: str
) -> list[DocWrite]:
    """Project every folded profile to the stores of its slice, save it, and list the documents to publish."""
    projector = Projector(tx, now_at)
    readings = {profile_id: Reading(state) for profile_id, (state, _) in folded.items()}
    known = projector.known(readings)
    writes: list[DocWrite] = []
    saved = []
    for profile_id, (state, before) in folded.items():
        stored = replace(before, held_at=batch.held_at(before, now_at))
        stores, documents = projector.documents(readings[profile_id], stored, known[profile_id])
        writes += documents
        saved.append(replace(stored, state=encode(state.as_json()), stores=stores))
    for old_id in batch.retired:
        writes += [DocWrite(store_scope(store.code), f"profile/{old_id}", None, "merged") for store in projector.stores]
    tx.save_profiles(saved)
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
    known = projector.known(readings)
    writes: list[DocWrite] = []
    for profile_id, state in states.items():
        kept = stored.get(profile_id, StoredProfile(profile_id, ""))
        stores, documents = projector.documents(readings[profile_id], kept, known[profile_id])
        writes += documents
        tx.save_profiles([replace(kept, state=encode(state.as_json()), stores=stores)])
    return states, writes


def region_of(stores: Sequence[Store], code: str | None) -> str:
    """The country whose phone numbers are meant where none is written: the store's, else the chain's first."""
    by_code = {store.code: store.country for store in stores}
    return by_code.get(code or "") or next((store.country for store in stores if store.country), None) or "DE"
