"""Everything HQ holds of one shopper, table by table: what an erasure takes away and a request for access hands out.

One walk for both, so that nothing can be handed out and not erased. Flow step 7, from the command line; writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

from shared.errors import Refused
from shared.identity import IdentifierType
from shared.ids import is_uuid
from shared.partition import partition
from shared.wire.messages import store_scope
from shared.wire.ops import ERASED
from sync_server.ports import CentralReader, LedgerRow
from sync_server.services.evidence import as_identifier
from sync_server.services.identity import gather_part
from sync_server.services.suppression import pairs_in, parsed, regions_of, with_profile_ids
from sync_server.services.who_is_who import read_identifier

Pair = tuple[str, str]
Row = dict[str, Any]
_PLANS: Final = ("follow_up", "hold", "appointment")
_PLANNING: Final = ("follow_up_", "hold_", "appointment_")
_TELLING: Final = 6
"""Shorter values are in too many texts by chance to be searched for."""


@dataclass(frozen=True, slots=True)
class Shopper:
    """One shopper as HQ may know them: every profile id that ever led there, every identifier of theirs alone."""

    profile_ids: frozenset[str]
    pairs: frozenset[Pair]

    def named(self) -> set[Pair]:
        """The identifiers and references to the profiles: all by which a tablet or a system may name the shopper."""
        return with_profile_ids(self.pairs, self.profile_ids)

    def texts(self) -> tuple[str, ...]:
        """Values long enough to be searched for in text."""
        values = (*(value for _, value in self.pairs), *self.profile_ids)
        return tuple(value.casefold() for value in values if len(value) >= _TELLING)


@dataclass(frozen=True, slots=True)
class Holdings:
    """Rows about one shopper by table. `documents`: those of the feeds that are live, profiles and plans."""

    facts: list[LedgerRow]
    identifier: list[Row]
    redirect: list[Row]
    profile: list[Row]
    documents: list[Row]
    sighting: list[Row]
    identity_fact: list[Row]
    review: list[Row]
    dead_letter: list[Row]
    salvage: list[Row]
    hook_delivery: list[Row]
    hook_key: list[Row]
    card: list[Row]
    card_page: list[Row]
    parity_check: list[Row]
    audit: list[Row]

    def counts(self) -> dict[str, int]:
        """Table -> how many rows, those without any left out."""
        found = {part.name: len(getattr(self, part.name)) for part in fields(self)}
        named = {"facts": "fact", "documents": "doc"}
        return {named.get(name, name): count for name, count in found.items() if count}


def find_whole(reader: CentralReader, text: str) -> Shopper:
    """The shopper of an identifier or profile id. Values that others show too are theirs as well and stay out.

    Raises Refused for a shopper nobody knows.
    """
    seeds = _seeds(reader, text)
    if not seeds:
        raise Refused(f"HQ knows no shopper by {text!r:.80}. See `sync-server identity explain`.")
    part = gather_part(reader, {as_identifier(pair) for pair in seeds})
    found = partition(part.facts, known_shared=part.shared_outside)
    pairs, profile_ids = set(seeds), set(reader.profile_ids(seeds).values())
    for one in [found.component_of(as_identifier(pair)) for pair in seeds]:
        if one is not None:
            profile_ids.add(one.profile_id)
            pairs |= {(x.type.value, x.value) for x in one.identifiers}
            pairs |= {
                (value.type.value, value.value)
                for value, anchors in found.shown_by.items()
                if anchors == {one.anchor} and value not in found.shared
            }
    return whole_of(reader, profile_ids, pairs)


def whole_of(reader: CentralReader, profile_ids: Collection[str], pairs: Collection[Pair]) -> Shopper:
    """These, with whatever else leads to the same profiles and the ids they had before."""
    led = {pair for found in reader.identifiers_of(profile_ids).values() for pair in found}
    former = {old for olds in reader.redirects_to(profile_ids).values() for old in olds}
    every = {pair for pair in {*pairs, *led} if pair[0] != IdentifierType.PROFILE_ID}
    own = {value for type_, value in with_profile_ids(every) if type_ == IdentifierType.PROFILE_ID}
    return Shopper(frozenset({*profile_ids, *former, *own}), frozenset(every))


def _seeds(reader: CentralReader, text: str) -> set[Pair]:
    if not is_uuid(text.strip()):
        one = read_identifier(reader, text)
        known = reader.profile_ids([(one.type.value, one.value)])
        return {(one.type.value, one.value)} if known else set()
    profile_id = text.strip()
    profile_id = reader.redirects([profile_id]).get(profile_id, profile_id)
    return set(reader.identifiers_of([profile_id]).get(profile_id, []))


# the walk -------------------------------------------------------------------------------------------------------------


def gather(reader: CentralReader, shopper: Shopper, is_listed: Callable[[set[Pair]], bool] | None = None) -> Holdings:
    """Every row about a shopper. `is_listed` also finds raw words by identifiers known only by their hashes."""
    look = _Look(reader, shopper, is_listed)
    facts = look.facts()
    return Holdings(
        facts=facts,
        identifier=[_pair_row(pair, id_) for pair, id_ in sorted(reader.profile_ids(shopper.pairs).items())],
        redirect=look.redirects(),
        profile=[_profile_row(one) for one in reader.profiles(shopper.profile_ids).values()],
        documents=look.documents(facts),
        sighting=[{**row._asdict(), "identifiers": list(row.identifiers)} for row in look.sightings()],
        identity_fact=[row._asdict() for row in reader.identity_facts_of(shopper.named())],
        review=look.reviews(),
        dead_letter=look.raw("dead_letter", "raw", "detail"),
        salvage=look.raw("salvage", "raw"),
        hook_delivery=look.raw("hook_delivery", "body", "headers"),
        hook_key=look.raw("hook_key", "who"),
        card=look.cards("card"),
        card_page=look.cards("card_page"),
        parity_check=look.parity_checks(facts),
        audit=look.audit(),
    )


def _pair_row(pair: Pair, profile_id: str) -> Row:
    return {"type": pair[0], "value": pair[1], "profile_id": profile_id}


def _profile_row(stored: Any) -> Row:
    return {"profile_id": stored.profile_id, "stores": list(stored.stores), "state": json.loads(stored.state)}


class _Look:
    """A walk over the tables for one shopper."""

    def __init__(self, reader: CentralReader, shopper: Shopper, is_listed: Callable[[set[Pair]], bool] | None) -> None:
        self._reader = reader
        self._shopper = shopper
        self._named = shopper.named()
        self._texts = shopper.texts()
        self._regions = regions_of(reader)
        self._is_listed = is_listed or (lambda pairs: not self._named.isdisjoint(pairs))

    def facts(self) -> list[LedgerRow]:
        """Those that are not blank yet, and parked ones whose unread body names the shopper."""
        found = {row.fact_id: row for row in self._reader.facts_of_shopper(self._shopper.profile_ids, self._named)}
        for row in self._reader.rows("fact", verdict="parked"):
            if row["fact_id"] not in found and self._names(row["body"]):
                found[row["fact_id"]] = LedgerRow(**{name: row[name] for name in LedgerRow._fields})
        return [row for row in found.values() if row.code != ERASED]

    def documents(self, facts: Collection[LedgerRow]) -> list[Row]:
        """Live documents of the feeds: profiles and plans."""
        scopes = [store_scope(store.code) for store in self._reader.stores()]
        ids = [f"profile/{id_}" for id_ in sorted(self._shopper.profile_ids)]
        ids += [f"{plan}/{row.fact_id}" for row in facts if row.kind.startswith(_PLANNING) for plan in _PLANS]
        found = ((scope, self._reader.doc(scope, id_)) for scope in scopes for id_ in ids)
        return [
            {"scope": scope, "id": row.id, "document": json.loads(row.body)}
            for scope, row in found
            if row is not None and not row.deleted
        ]

    def redirects(self) -> list[Row]:
        """Former ids, and where each leads."""
        led = self._reader.redirects(self._shopper.profile_ids)
        return [{"old_id": old, "profile_id": new} for old, new in sorted(led.items())]

    def sightings(self) -> list[Any]:
        """Combinations that hold one of the shopper's identifiers."""
        return self._reader.sightings_of(self._named)

    def reviews(self) -> list[Row]:
        """Pairs of the review queue, decided or not."""
        rows = [*self._reader.reviews(is_open=True), *self._reader.reviews(is_open=False)]
        return [
            row._asdict()
            for row in rows
            if {(row.a_type, row.a_value), (row.b_type, row.b_value)} & self._named or self._names(row.evidence)
        ]

    def raw(self, table: str, *columns: str) -> list[Row]:
        """Rows whose raw words name the shopper."""
        return [row for row in self._reader.every_row(table) if any(self._names(row[name]) for name in columns)]

    def cards(self, table: str) -> list[Row]:
        """Rows by the shopper's loyalty numbers."""
        numbers = sorted(value for type_, value in self._shopper.pairs if type_ == IdentifierType.LOYALTY_ID)
        return [row for number in numbers for row in self._reader.rows(table, loyalty_id=number)]

    def parity_checks(self, facts: Collection[LedgerRow]) -> list[Row]:
        """What evaluators looked at, as far as it is still kept."""
        shown = [row.fact_id for row in facts if row.kind == "impression_recorded"]
        return [row for op_id in shown for row in self._reader.rows("parity_check", op_id=op_id)]

    def audit(self) -> list[Row]:
        """What was done about the shopper by name."""
        return [row for row in self._reader.every_row("audit") if self._holds_text(row["about"])]

    def _names(self, raw: str | None) -> bool:
        return raw is not None and (self._holds_text(raw) or self._is_listed(pairs_in(parsed(raw), self._regions)))

    def _holds_text(self, raw: str) -> bool:
        folded = raw.casefold()
        return any(text in folded for text in self._texts)


def each_fact(facts: Collection[LedgerRow]) -> Iterator[Row]:
    """Facts for people: bodies and identifiers as JSON."""
    for row in facts:
        subject = json.loads(row.subject or "[]")
        yield {**row._asdict(), "body": json.loads(row.body), "subject": subject}
