"""Identity facts in the central database: sightings, what people said of who is who, the review queue, and the answers.

Part of `SqlReader` and `SqlWriter` (database.py), in a file of its own for its size; nothing else uses it.
"""

# ruff: noqa: S608 (the texts are put together from the schema's names; values always travel as parameters)

from __future__ import annotations

import json
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import delete, select, update

from sync_server.adapters import schema
from sync_server.adapters.row_reads import RowReads
from sync_server.ports import IdentityFactRow, LedgerRow, ReviewRow, SightingRow

Pair = tuple[str, str]
_SIGHTING: Final = "sighting_id, at, fact_id, identifiers, family_name, postcode, is_verified"
_IDENTITY_FACT: Final = ", ".join(IdentityFactRow._fields)
LEDGER_NAMES: Final = ", ".join(f'"{name}"' for name in LedgerRow._fields)
_NAMING: Final = (
    "SELECT {} FROM fact WHERE fact_id > ? AND verdict = 'accepted' AND subject IS NOT NULL ORDER BY fact_id LIMIT ?"
)
_ASIDE: Final = "answers_before"
_IDENTITY_LOCK: Final = 0x666C6F6F7231


class IdentityReads(RowReads):
    """What `SqlReader` answers about identity."""

    def first_seen(self, sighting_ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """Sighting -> (when, in which fact) first, for those that are known."""
        query = "SELECT sighting_id, at, fact_id FROM sighting WHERE sighting_id"
        return {row[0]: (row[1], row[2]) for row in self._rows_in(query, sighting_ids)}

    def sightings_of(self, pairs: Collection[Pair]) -> list[SightingRow]:
        """All sightings that hold one of these (type, value)."""
        wanted: set[str] = set()
        for type_, values in _by_type(pairs).items():
            query = "SELECT sighting_id FROM sighted WHERE type = ? AND value"
            wanted.update(row[0] for row in self._rows_in(query, values, type_))
        rows = self._rows_in(f"SELECT {_SIGHTING} FROM sighting WHERE sighting_id", sorted(wanted))
        return [_sighting(row) for row in rows]

    def every_sighting(self) -> Generator[SightingRow, None, None]:
        """All of them, streamed."""
        query = select(schema.sighting).order_by(schema.sighting.c.sighting_id).execution_options(yield_per=1000)
        with self._connection.execute(query) as rows:  # closed as well where nobody asks for the rest
            for row in rows:
                yield _sighting(row)

    def identity_facts_of(self, pairs: Collection[Pair]) -> list[IdentityFactRow]:
        """Links and splits that name one of these."""
        found: dict[str, IdentityFactRow] = {}
        for side in ("a", "b"):
            for type_, values in _by_type(pairs).items():
                query = f"SELECT {_IDENTITY_FACT} FROM identity_fact WHERE {side}_type = ? AND {side}_value"
                for row in self._rows_in(query, values, type_):
                    found[row[0]] = IdentityFactRow(*row)
        return [found[fact_id] for fact_id in sorted(found) if found[fact_id].kind != "block"]

    def identity_facts(self, kind: str | None = None) -> list[IdentityFactRow]:
        """All that was said, or all of a kind, oldest first."""
        where, values = ("", ()) if kind is None else (" WHERE kind = ?", (kind,))
        rows = self._ask(f"SELECT {_IDENTITY_FACT} FROM identity_fact{where} ORDER BY at, fact_id", *values)
        return [IdentityFactRow(*row) for row in rows]

    def facts_naming(self, after_id: str, limit: int) -> list[LedgerRow]:
        """Accepted facts that name somebody, in order of id, above one."""
        return [LedgerRow(*row) for row in self._ask(_NAMING.format(LEDGER_NAMES), after_id, limit)]

    def owners_named(self, after_id: str, limit: int) -> list[tuple[str, str, str | None]]:
        """The same as (fact, the identifiers it names as JSON, its profile)."""
        return [
            (row[0], row[1], row[2])
            for row in self._ask(_NAMING.format("fact_id, subject, profile_id"), after_id, limit)
        ]

    def owners_after(self, after_id: str, limit: int) -> list[str]:
        """Profiles that are stored, or that facts belong to, in order of id, above one."""
        parts = (
            f"SELECT * FROM (SELECT DISTINCT profile_id FROM {table} WHERE profile_id > ? ORDER BY 1 LIMIT ?) {table}s"
            for table in ("fact", "profile")
        )
        query = f"{' UNION '.join(parts)} ORDER BY 1 LIMIT ?"
        return list(self._ask(query, after_id, limit, after_id, limit, limit).scalars())

    def values_sighted(self, after: Pair, limit: int) -> list[Pair]:
        """Values that were ever seen, references to profiles left out, in order, above one."""
        query = "SELECT DISTINCT type, value FROM sighted WHERE (type, value) > (?, ?) AND type <> 'profile_id'"
        return [(row[0], row[1]) for row in self._ask(f"{query} ORDER BY type, value LIMIT ?", *after, limit)]

    def identifiers_called(self, own_ids: Collection[str]) -> dict[str, Pair]:
        """Profile id an identifier gives -> the identifier."""
        query = "SELECT own_id, type, value FROM identifier WHERE own_id"
        return {row[0]: (row[1], row[2]) for row in self._rows_in(query, own_ids)}

    def count_profiles(self) -> int:
        """How many shoppers HQ knows."""
        return int(self._ask("SELECT COUNT(*) FROM profile").scalar())

    def held_profiles(self) -> list[tuple[str, str]]:
        """(profile id, since when) of those whose publication waits for HQ's word, longest first."""
        query = "SELECT profile_id, held_at FROM profile WHERE held_at IS NOT NULL ORDER BY held_at, profile_id"
        return [(row[0], row[1]) for row in self._ask(query)]

    def reviews(self, *, is_open: bool) -> list[ReviewRow]:
        """The review queue, oldest first."""
        table = schema.review
        state = table.c.decided_at.is_(None) if is_open else table.c.decided_at.is_not(None)
        columns = [table.c[name] for name in ReviewRow._fields]
        rows = self._connection.execute(select(*columns).where(state).order_by(table.c.found_at, table.c.review_id))
        return [ReviewRow(*row) for row in rows]

    def reviews_of_first(self, pairs: Collection[Pair]) -> list[ReviewRow]:
        """Rows whose first identifier is one of these, decided or not."""
        found: list[ReviewRow] = []
        for type_, values in _by_type(pairs).items():
            query = f"SELECT {', '.join(ReviewRow._fields)} FROM review WHERE a_type = ? AND a_value"
            found += [ReviewRow(*row) for row in self._rows_in(query, values, type_)]
        return found


class IdentityWrites(IdentityReads):
    """What `SqlWriter` writes of identity."""

    def _add(self, table: Any, names: tuple[str, ...], rows: Sequence[Any], *, is_upsert: bool = False) -> None:
        raise NotImplementedError

    def _upsert(self, table: Any, rows: list[dict[str, Any]]) -> None:
        raise NotImplementedError

    def _insert(self, table: Any) -> Any:
        raise NotImplementedError

    def follow_targets(self) -> int:
        """Facts that name nobody go where the op they are about is; how many moved."""
        fact, target = schema.fact, schema.fact.alias("target")
        where_it_is = select(target.c.profile_id).where(target.c.fact_id == fact.c.about).scalar_subquery()
        wanted = fact.c.about.is_not(None) & fact.c.subject.is_(None) & (fact.c.verdict == "accepted")
        moved, total = 1, 0
        while moved:
            differs = where_it_is.is_not(None) & fact.c.profile_id.is_distinct_from(where_it_is)
            changed = update(fact).where(wanted & differs).values(profile_id=where_it_is)
            moved = self._connection.execute(changed).rowcount
            total += moved
        return total

    def lock_identity(self) -> None:
        """Until COMMIT no other writer changes who is who."""
        if self._is_postgresql:
            self._ask("SELECT pg_advisory_xact_lock(?)", _IDENTITY_LOCK)

    def save_sightings(self, sightings: Sequence[SightingRow]) -> None:
        """New ones, or an earlier first moment of known ones."""
        rows = [(*row[:3], json.dumps(row.identifiers), *row[4:]) for row in sorted(sightings)]
        self._add(schema.sighting, SightingRow._fields, rows, is_upsert=True)
        seen = [(*pair, row.sighting_id) for row in sightings for pair in row.identifiers]
        self._add(schema.sighted, ("type", "value", "sighting_id"), sorted(set(seen)), is_upsert=True)

    def add_identity_facts(self, facts: Sequence[IdentityFactRow]) -> None:
        """What was said; of one that is said again the earliest time counts, whichever came first."""
        if facts:
            statement = self._insert(schema.identity_fact)
            table, again = schema.identity_fact.c, statement.excluded
            earlier = {"at": again.at, "reason": again.reason}
            statement = statement.on_conflict_do_update(
                index_elements=[table.fact_id], set_=earlier, where=again.at < table.at
            )
            self._connection.execute(statement, [fact._asdict() for fact in facts])

    def add_reviews(self, reviews: Sequence[ReviewRow]) -> None:
        """New pairs for the queue; one that is there, decided or not, stays as it was."""
        if reviews:
            statement = self._insert(schema.review).on_conflict_do_nothing()
            self._connection.execute(statement, [review._asdict() for review in reviews])

    def lead_identifiers(self, leads: Mapping[Pair, tuple[str, str] | None]) -> None:
        """(type, value) -> (profile id, the id it would give itself); None leads nowhere."""
        rows = [(*pair, *led) for pair, led in sorted(leads.items()) if led is not None]
        self._add(schema.identifier, ("type", "value", "profile_id", "own_id"), rows, is_upsert=True)
        table = schema.identifier
        for type_, value in sorted(pair for pair, led in leads.items() if led is None):
            self._connection.execute(delete(table).where((table.c.type == type_) & (table.c.value == value)))

    def set_redirects(self, redirects: Mapping[str, str | None]) -> None:
        """Former id -> the profile it leads to; None where it is a profile again."""
        self._upsert(
            schema.redirect,
            [{"old_id": old, "profile_id": new} for old, new in sorted(redirects.items()) if new is not None],
        )
        table = schema.redirect
        for old_id in sorted(old for old, new in redirects.items() if new is None):
            self._connection.execute(delete(table).where(table.c.old_id == old_id))

    def drop_profiles(self, profile_ids: Collection[str]) -> None:
        """Delete the rows of profiles that are none any more; their facts were given to others before."""
        table = schema.profile
        for profile_id in sorted(profile_ids):
            self._connection.execute(delete(table).where(table.c.profile_id == profile_id))

    def hold_profiles(self, since: Mapping[str, str | None]) -> None:
        """Profile -> since when its publication is held, None for no longer."""
        for profile_id, held_at in sorted(since.items()):
            query = "UPDATE profile SET held_at = ? WHERE profile_id = ?"
            self._ask(query, held_at, profile_id)

    def forget_answers(self) -> None:
        """Before a rebuild: sightings and what identifiers lead to, which is kept aside; nothing that anybody said."""
        if self._is_postgresql:  # what moves a million facts at once may take longer than a request
            self._ask("SET LOCAL statement_timeout = 0")
        self._ask(f"DROP TABLE IF EXISTS {_ASIDE}")
        self._ask(f"CREATE TEMPORARY TABLE {_ASIDE} AS SELECT type, value, profile_id FROM identifier")
        for table in (schema.sighting, schema.sighted, schema.identifier):
            self._connection.execute(delete(table))

    def count_changed_answers(self) -> int:
        """After a rebuild: how many identifiers lead elsewhere than before it."""
        answers = "SELECT type, value, profile_id FROM"
        query = f"SELECT COUNT(*) FROM ({answers} identifier EXCEPT {answers} {_ASIDE}) changed"
        changed = int(self._ask(query).scalar())
        self._ask(f"DROP TABLE {_ASIDE}")
        return changed


def _sighting(row: Any) -> SightingRow:
    pairs = tuple((type_, value) for type_, value in json.loads(row[3]))
    return SightingRow(row[0], row[1], row[2], pairs, row[4], row[5], bool(row[6]))


def _by_type(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for type_, value in sorted(pairs):
        found.setdefault(type_, []).append(value)
    return found
