"""Probable duplicates into the review queue: profiles read as people, compared, new pairs written to table `review`.

The comparing happens between a reading and a writing transaction, so it holds nobody up. A pair that is in the queue,
was decided, or was split by a person is left as it is. Nothing is merged here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol, TypeVar

from shared.duplicates import PersonRecord, Proposal, exact_proposals
from shared.fold import ProfileState
from shared.identity import Identifier, IdentifierType
from shared.ids import derived_id
from shared.projection import Reading, traits_of
from sync_server.ports import CentralReader, CentralWriter, StoredProfile
from sync_server.services.chain import find_store
from sync_server.services.conflicts import tried_again
from sync_server.services.headquarters import Headquarters
from sync_server.services.identity_rules import policy_of
from sync_server.services.review import SETTLED

_CHUNK: Final = 500
T = TypeVar("T")
Pair = tuple[Identifier, Identifier]


class DuplicateModel(Protocol):
    """Judges pairs of people, such as `adapters/splink_model.py`."""

    def find(self, records: Iterable[PersonRecord], threshold: float) -> list[Proposal]:
        """Pairs that are one person with at least this probability, in order of their ids."""


@dataclass(frozen=True, slots=True)
class ReviewPair:
    """A proposal under the identifiers that anchor its two profiles, which outlive the profiles' ids."""

    a: Identifier
    b: Identifier
    proposal: Proposal
    is_new: bool

    def to_body(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "review_id": review_id_of(self.a, self.b),
            "a": self.a.to_body(),
            "b": self.b.to_body(),
            "why": self.proposal.why.value,
            "score": self.proposal.score,
            "evidence": self.proposal.evidence.to_body(),
            "is_new": self.is_new,
        }


@dataclass(frozen=True, slots=True)
class DuplicatesFound:
    """How many people were compared, and every pair that was proposed."""

    compared: int
    pairs: tuple[ReviewPair, ...]

    def count_new(self) -> int:
        """How many pairs were not in the queue before."""
        return sum(pair.is_new for pair in self.pairs)


def review_id_of(a: Identifier, b: Identifier) -> str:
    """The id of a pair in table `review`, whichever of the two is named first."""
    first, second = _in_order(a, b)
    return derived_id("review", first.type.value, first.value, second.type.value, second.value)


def _in_order(a: Identifier, b: Identifier) -> Pair:
    return (a, b) if a <= b else (b, a)


def find_duplicates(
    hq: Headquarters, *, model: DuplicateModel | None, threshold: float, store: str | None = None, is_dry: bool = False
) -> DuplicatesFound:
    """Propose pairs of profiles, of the whole chain or of one store's slice; `is_dry` writes nothing.

    Without a model the exact rules of `shared/duplicates.py` propose. Raises Refused for a store nobody knows.
    """
    people, anchors = _read_people(hq, store)
    proposals = exact_proposals(people) if model is None else model.find(people, threshold)
    if is_dry:
        with hq.database.read() as reader:
            return DuplicatesFound(len(people), tuple(_review_pairs(reader, proposals, anchors)))
    return DuplicatesFound(len(people), _write_pairs(hq, proposals, anchors))


# reading people -------------------------------------------------------------------------------------------------------


def _read_people(hq: Headquarters, store: str | None) -> tuple[list[PersonRecord], dict[str, Identifier]]:
    """Everybody with a name, and profile id -> the identifier that anchors the profile."""
    people: list[PersonRecord] = []
    anchors: dict[str, Identifier] = {}
    with hq.database.read() as reader:
        policy = policy_of(reader)
        if store is not None:
            find_store(reader, store)
        held = (one for one in reader.every_profile() if store is None or store in one.stores)
        named = ((one.profile_id, traits) for one in held if _is_named(traits := _traits(one)))
        for chunk in _chunks(named):
            owned = reader.identifiers_of([profile_id for profile_id, _ in chunk])
            for profile_id, traits in chunk:
                mine = _identifiers(owned.get(profile_id, ()))
                people.append(_person(profile_id, traits, mine))
                anchors[profile_id] = policy.strongest(mine or [Identifier(IdentifierType.PROFILE_ID, profile_id)])
    return people, anchors


def _traits(stored: StoredProfile) -> dict[str, Any]:
    return traits_of(Reading(ProfileState.from_json(json.loads(stored.state))))


def _is_named(traits: Mapping[str, Any]) -> bool:
    return bool(traits.get("given_name") or traits.get("family_name"))


def _identifiers(pairs: Iterable[tuple[str, str]]) -> list[Identifier]:
    return [Identifier(IdentifierType(kind), value) for kind, value in pairs]


def _person(profile_id: str, traits: Mapping[str, Any], identifiers: Sequence[Identifier]) -> PersonRecord:
    def first(kind: IdentifierType) -> str | None:
        return min((one.value for one in identifiers if one.type is kind), default=None)

    def told(name: str) -> str | None:
        return str(traits[name]) if traits.get(name) else None

    return PersonRecord(
        record_id=profile_id,
        given_name=told("given_name"),
        family_name=told("family_name"),
        birth_on=told("birth_on"),
        city=told("city"),
        postcode=told("postcode"),
        region=told("country"),
        phone=first(IdentifierType.PHONE),
        email=first(IdentifierType.EMAIL),
    )


def _chunks(some: Iterator[T]) -> Iterator[list[T]]:
    return iter(lambda: list(islice(some, _CHUNK)), [])


# writing pairs --------------------------------------------------------------------------------------------------------


@tried_again
def _write_pairs(
    hq: Headquarters, proposals: Sequence[Proposal], anchors: Mapping[str, Identifier]
) -> tuple[ReviewPair, ...]:
    with hq.database.write() as tx:
        pairs = tuple(_review_pairs(tx, proposals, anchors))
        for pair in pairs:
            if pair.is_new:
                _add_pair(tx, pair, hq.now_at())
        hq.note_audit(tx, "command line", "looked for duplicates", f"{sum(pair.is_new for pair in pairs)} new")
    return pairs


def _add_pair(tx: CentralWriter, pair: ReviewPair, found_at: str) -> None:
    row = {
        "review_id": review_id_of(pair.a, pair.b),
        "a_type": pair.a.type.value,
        "a_value": pair.a.value,
        "b_type": pair.b.type.value,
        "b_value": pair.b.value,
        "why": pair.proposal.why.value,
        "evidence": json.dumps(pair.proposal.evidence.to_body(), separators=(",", ":")),
        "score": pair.proposal.score,
        "found_at": found_at,
        "decided_at": None,
        "decision": None,
    }
    if not tx.add_row("review", row):
        tx.change_rows("review", row, review_id=row["review_id"], decision=SETTLED)


def _review_pairs(
    reader: CentralReader, proposals: Sequence[Proposal], anchors: Mapping[str, Identifier]
) -> Iterator[ReviewPair]:
    """The proposals that still are about two profiles and that no person answered; those that wait are not new."""
    waiting, answered = _pairs_told(reader)
    pairs = [_in_order(anchors[proposal.a], anchors[proposal.b]) for proposal in proposals]
    for proposal, (a, b), profiles in zip(proposals, pairs, _profiles_of(reader, pairs), strict=True):
        if len(profiles) == 2 and profiles not in answered:
            yield ReviewPair(a, b, proposal, is_new=profiles not in waiting)


def _pairs_told(reader: CentralReader) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
    """Pairs of profiles that wait for a person, and that a person answered: decided, or split.

    By the profiles the identifiers lead to today: an anchor changes when a shopper gets a loyalty number.
    """
    queue = reader.rows("review")
    waiting = [_pair_of(row) for row in queue if row["decided_at"] is None]
    answered = [_pair_of(row) for row in (*queue, *reader.rows("identity_fact", kind="split")) if _is_answer(row)]
    return set(_profiles_of(reader, waiting)), set(_profiles_of(reader, answered))


def _is_answer(row: Mapping[str, Any]) -> bool:
    return row.get("kind") == "split" or row.get("decision") not in (None, SETTLED)


def _pair_of(row: Mapping[str, Any]) -> Pair:
    a, b = (Identifier(IdentifierType(row[f"{side}_type"]), row[f"{side}_value"]) for side in "ab")
    return a, b


def _profiles_of(reader: CentralReader, pairs: Collection[Pair]) -> list[frozenset[str]]:
    """For each pair the profiles its two sides lead to: one where they are merged, fewer where one is gone."""
    asked = {(one.type.value, one.value) for pair in pairs for one in pair}
    led = reader.profile_ids(asked)
    return [frozenset(_led_to(led, one) for one in pair) - {""} for pair in pairs]


def _led_to(led: Mapping[tuple[str, str], str], one: Identifier) -> str:
    itself = one.value if one.type is IdentifierType.PROFILE_ID else ""
    return led.get((one.type.value, one.value), itself)
