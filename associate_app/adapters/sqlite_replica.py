"""The replica in SQLite: the device's copy of its scopes, its count and sum, and the indexes made from it. Steps 3, 8.

Documents are stored as canonical bytes; `h`, count and sum are computed from those bytes, never copied from the wire. A
scope's documents stand under a slice number: a snapshot fills a slice of its own in small transactions and becomes
live by one row. What an older slice leaves behind is swept afterwards, in small transactions too.
"""

# ruff: noqa: S608 (statements are put together from this module's own constants; values always travel as parameters)

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from operator import attrgetter
from typing import Any, Final

from associate_app.adapters.sqlite_connection import Connection
from associate_app.adapters.sqlite_journal import forget_ops, forget_shopper, settle_parked
from associate_app.adapters.sqlite_search import ShopperRow, read_findable, shopper_row
from associate_app.ports import ReplicaState, StoredDocument
from shared.errors import Weather
from shared.wire.canonical import canonical, document_hash, load_json
from shared.wire.messages import Change, FeedPage, ProvenChange, SnapshotEnd, SnapshotHeader, SnapshotLine, store_of

_SUM_MODULUS: Final = 2**64
_LINES_A_COMMIT: Final = 250
"""What a record may have to wait for is one such transaction: with 1,000, one in twenty waited 245 ms."""
_KNOWN_A_COMMIT: Final = 5_000
_KEYS_A_QUERY: Final = 400
_SWEEP_ROWS: Final = 2_000
_SHOPPER_KINDS: Final = ("profile", "follow_up", "hold", "appointment")
_ERASED_WHY: Final = "erased"


@dataclass(frozen=True, slots=True)
class _Stored:
    """A document ready to be stored: canonical bytes and the hash of exactly those."""

    id: str
    s: int
    h: str
    body: bytes
    doc: dict[str, Any]
    """The whole document, or of a snapshot's line only what a shopper is found by."""

    @classmethod
    def of(cls, id_: str, s: int, doc: dict[str, Any]) -> _Stored:
        body = canonical(doc)
        return cls(id_, s, document_hash(id_, body), body, doc)

    @classmethod
    def of_change(cls, change: Change) -> _Stored:
        """Raises Weather where the document is no JSON object."""
        if isinstance(change, ProvenChange) and _kind(change.id) != "device":
            return cls(
                change.id, change.s, document_hash(change.id, change.body), change.body, read_findable(change.body)
            )
        return cls.of(
            change.id, change.s, load_json(change.body) if isinstance(change, ProvenChange) else change.doc or {}
        )

    @classmethod
    def of_line(cls, line: SnapshotLine) -> _Stored:
        """Raises Weather where the line's document is no JSON object."""
        return cls(line.id, line.s, document_hash(line.id, line.body), line.body, read_findable(line.body))


class ReplicaTables:
    """The replica face of the tablet database."""

    _connection: Connection

    # how it stands

    def state(self, scope: str) -> ReplicaState | None:
        """Cursor, count and sum of a scope."""
        found = self._connection.row("SELECT scope, cursor, at, count, sum FROM replica WHERE scope = ?", (scope,))
        return ReplicaState(*found) if found else None

    def states(self) -> tuple[ReplicaState, ...]:
        """All scopes held."""
        rows = self._connection.rows("SELECT scope, cursor, at, count, sum FROM replica ORDER BY scope")
        return tuple(ReplicaState(*row) for row in rows)

    def recompute(self, scope: str) -> ReplicaState:
        """Count and sum from the stored bytes; also what a row says of itself is put right."""
        slice_ = self._slice_of(scope)
        count, total, wrong = 0, 0, []
        for id_, h, body in self._walk(slice_):
            actual = document_hash(id_, body)
            count, total = count + 1, total + int(actual, 16)
            if actual != h:
                wrong.append((actual, slice_, id_))
        with self._connection.atomic():
            self._connection.write_many("UPDATE document SET h = ? WHERE slice = ? AND id = ?", wrong)
            self._connection.write(
                "UPDATE replica SET count = ?, sum = ? WHERE scope = ?", (count, _spell_sum(total), scope)
            )
        return self._held(scope)

    def _walk(self, slice_: int | None) -> Iterator[tuple[str, str, bytes]]:
        after = ""
        while rows := self._connection.rows(
            "SELECT id, h, body FROM document WHERE slice = ? AND id > ? ORDER BY id LIMIT ?",
            (slice_, after, _LINES_A_COMMIT),
        ):
            yield from ((id_, h, body) for id_, h, body in rows)
            after = rows[-1][0]

    def _held(self, scope: str) -> ReplicaState:
        held = self.state(scope)
        if held is None:
            raise Weather(f"the scope {scope} is not held here")
        return held

    def _slice_of(self, scope: str) -> int | None:
        found = self._connection.row("SELECT slice FROM replica WHERE scope = ?", (scope,))
        return int(found[0]) if found else None

    def _new_slice(self) -> int:
        """A number no live, shadowed or unswept document stands under."""
        found = self._connection.row(
            "SELECT max((SELECT coalesce(max(slice), 0) FROM document), (SELECT coalesce(max(slice), 0) FROM replica), "
            "(SELECT coalesce(max(slice), 0) FROM shadow)) + 1"
        )
        assert found is not None
        return int(found[0])

    # pages

    def apply_page(self, page: FeedPage) -> ReplicaState:
        """Apply a page and its cursor in one transaction."""
        with self._connection.atomic():
            held = self.state(page.scope) or self._begin_scope(page.scope)
            slice_ = self._slice_of(page.scope)
            assert slice_ is not None
            grown, added = self._apply(slice_, page.changes)
            count, total = held.count + grown, int(held.sum, 16) + added
            reached = max((change.s for change in page.changes), default=held.at) if page.more else page.head
            self._connection.write(
                "UPDATE replica SET cursor = ?, at = ?, count = ?, sum = ? WHERE scope = ?",
                (page.next, reached, count, _spell_sum(total), page.scope),
            )
            self._revise(_kind(change.id) for change in page.changes)
            return self._held(page.scope)

    def _begin_scope(self, scope: str) -> ReplicaState:
        self._connection.write(
            "INSERT INTO replica VALUES (?, ?, NULL, 0, 0, ?)", (scope, self._new_slice(), _spell_sum(0))
        )
        return self._held(scope)

    def _apply(self, slice_: int, changes: Sequence[Change]) -> tuple[int, int]:
        """Apply the changes that are newer than what is held; returns how count and sum move."""
        held = self._held_versions(slice_, [change.id for change in changes])
        newest = _newest({id_: s for id_, (s, _) in held.items()}, changes)
        gone = [change for change in newest if change.op == "del"]
        stored = [_Stored.of_change(change) for change in newest if change.op == "put"]
        for change in gone:
            if change.why == _ERASED_WHY and _kind(change.id) == "profile":
                self._erase(slice_, change.id)
        for document in stored:
            self._follow(slice_, document)
        self._drop(slice_, [change.id for change in gone])
        self._put(slice_, stored)
        replaced = [held[id_][1] for id_ in (*(one.id for one in gone), *(one.id for one in stored)) if id_ in held]
        return len(stored) - len(replaced), sum(int(one.h, 16) for one in stored) - sum(int(h, 16) for h in replaced)

    def _held_versions(self, slice_: int, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Document -> (s, h) of those that are held."""
        return {id_: (s, h) for id_, s, h in self._rows_of("id, s, h", "document", "id", slice_, ids)}

    def _rows_of(
        self, columns: str, table: str, key: str, slice_: int, keys: Sequence[str]
    ) -> Iterator[tuple[Any, ...]]:
        """Rows of a slice by their keys, a bounded number a query."""
        for start in range(0, len(keys), _KEYS_A_QUERY):
            some = keys[start : start + _KEYS_A_QUERY]
            marks = ", ".join("?" * len(some))
            query = f"SELECT {columns} FROM {table} WHERE slice = ? AND {key} IN ({marks})"
            yield from self._connection.rows(query, (slice_, *some))

    def _follow(self, slice_: int | None, stored: _Stored) -> None:
        """What a new version of this device's own document says about its ops: one listed as parked before and not now
        was applied. One it never listed says nothing: it may have been parked when this tablet was another device. Of
        those it lists as erased no word is kept, also where no deletion told of the shopper (PROTOCOL.md, Snapshot)."""
        if _kind(stored.id) != "device" or not self._is_own(stored.id):
            return
        held = self._connection.row("SELECT body FROM document WHERE slice = ? AND id = ?", (slice_, stored.id))
        listed = _listed(load_json(held[0]), "parked") if held else []
        still = set(_listed(stored.doc, "parked"))
        settle_parked(self._connection, [op_id for op_id in listed if op_id not in still], stored.s)
        forget_ops(self._connection, _listed(stored.doc, "erased"))

    def _follow_swap(self, scope: str, fresh: int) -> None:
        """The same for a snapshot, whose documents came while the older ones were still live."""
        rows = self._connection.rows(
            "SELECT id, s, body FROM document WHERE slice = ? AND id >= 'device/' AND id < 'device0'", (fresh,)
        )
        for id_, s, body in rows:
            self._follow(self._slice_of(scope), _Stored.of(id_, s, load_json(body)))

    def _is_own(self, document_id: str) -> bool:
        found = self._connection.row(
            "SELECT 1 FROM note WHERE name = 'device' AND 'device/' || json_extract(value, '$.device_id') = ?",
            (document_id,),
        )
        return found is not None

    def _erase(self, slice_: int, document_id: str) -> None:
        """The shopper was erased at HQ: what the journal says about them goes too."""
        profile_id = document_id.partition("/")[2]
        known = self._connection.rows(
            "SELECT type, value FROM known_identifier WHERE slice = ? AND profile_id = ?", (slice_, profile_id)
        )
        forget_shopper(self._connection, profile_id, [(type_, value) for type_, value in known])

    def _put(self, slice_: int, documents: list[_Stored]) -> None:
        """Store documents, replacing older versions, and what profiles are found by."""
        self._store(slice_, documents)
        rows = self._changed(slice_, _shopper_rows(documents))
        self._drop_index(slice_, [row.profile_id for row in rows])
        self._connection.write_many(
            _KNOW, [(type_, value, slice_, row.profile_id) for row in rows for type_, value in row.identifiers]
        )
        self._index(slice_, [(slice_, *_values(row), None) for row in rows])

    def _put_into_shadow(self, slice_: int, documents: list[_Stored]) -> None:
        """The same for a snapshot's lines; what their profiles are known by waits with them for `_know_all`."""
        are_new = self._are_new(slice_, documents)
        self._store(slice_, documents)
        rows = _shopper_rows(documents)
        if not are_new:
            self._drop_index(slice_, [row.profile_id for row in rows])
        self._index(slice_, [(slice_, *_values(row), json.dumps(row.identifiers)) for row in rows])

    def _store(self, slice_: int, documents: list[_Stored]) -> None:
        self._connection.write_many(
            "INSERT INTO document (slice, id, s, h, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (slice, id) "
            "DO UPDATE SET s = excluded.s, h = excluded.h, body = excluded.body",
            [(slice_, stored.id, stored.s, stored.h, stored.body) for stored in documents],
        )

    def _changed(self, slice_: int, rows: list[ShopperRow]) -> list[ShopperRow]:
        """The rows that are not in the index just so: most changes of a profile change nothing it is found by."""
        ids = [row.profile_id for row in rows]
        pairs: dict[str, set[tuple[str, str]]] = {}
        known = self._rows_of("profile_id, type, value", "known_identifier", "profile_id", slice_, ids)
        for profile_id, type_, value in known:
            pairs.setdefault(profile_id, set()).add((type_, value))
        found = {row[0]: row for row in self._rows_of(_SHOPPER, "shopper", "profile_id", slice_, ids)}
        return [
            row
            for row in rows
            if found.get(row.profile_id) != _values(row) or pairs.get(row.profile_id, set()) != set(row.identifiers)
        ]

    def _index(self, slice_: int, rows: list[tuple[Any, ...]]) -> None:
        last = self._connection.row("SELECT coalesce(max(id), 0) FROM shopper")
        self._connection.write_many(
            f"INSERT INTO shopper (slice, {_SHOPPER}, identifiers) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
        )
        self._connection.write(
            "INSERT INTO shopper_fts (rowid, words) SELECT id, words FROM shopper WHERE id > ?", last or (0,)
        )

    def _know_all(self, slice_: int) -> None:
        """Put what a whole snapshot's profiles are known by into its index, in the order of that index and a little at
        a time. Begun again after a power cut it comes to the same."""
        known = sorted(self._waiting_identifiers(slice_))
        for start in range(0, len(known), _KNOWN_A_COMMIT):
            with self._connection.atomic():
                self._connection.write_many(_KNOW, known[start : start + _KNOWN_A_COMMIT])

    def _waiting_identifiers(self, slice_: int) -> Iterator[tuple[str, str, int, str]]:
        after = ""
        while rows := self._connection.rows(_WAITING, (slice_, after, _KNOWN_A_COMMIT)):
            for profile_id, identifiers in rows:
                yield from ((type_, value, slice_, profile_id) for type_, value in json.loads(identifiers or "[]"))
            after = rows[-1][0]

    def _drop(self, slice_: int, ids: list[str]) -> None:
        self._connection.write_many("DELETE FROM document WHERE slice = ? AND id = ?", [(slice_, id_) for id_ in ids])
        self._drop_index(slice_, [id_.partition("/")[2] for id_ in ids if _kind(id_) == "profile"])

    def _drop_index(self, slice_: int, profile_ids: list[str]) -> None:
        for table in ("known_identifier", "shopper"):
            self._connection.write_many(
                f"DELETE FROM {table} WHERE slice = ? AND profile_id = ?", [(slice_, id_) for id_ in profile_ids]
            )

    def _revise(self, kinds: Iterable[str]) -> None:
        self._connection.write_many(
            "INSERT INTO kind_revision VALUES (?, 1) ON CONFLICT (kind) DO UPDATE SET revision = revision + 1",
            [(kind,) for kind in sorted(set(kinds))],
        )

    # snapshots

    def load_snapshot(self, header: SnapshotHeader, lines: Iterable[SnapshotLine]) -> None:
        """Add lines to the scope's shadow; a stream that breaks keeps what came whole before it."""
        slice_ = self._shadow_slice(header)
        waiting = iter(lines)
        while chunk := [_Stored.of_line(line) for line in islice(waiting, _LINES_A_COMMIT)]:
            with self._connection.atomic():
                self._put_into_shadow(slice_, chunk)

    def _are_new(self, slice_: int, documents: list[_Stored]) -> bool:
        """Say whether all come, in order of id, behind what the slice holds: then nothing has to be replaced."""
        found = self._connection.row("SELECT max(id) FROM document WHERE slice = ?", (slice_,))
        last = found[0] if found and found[0] is not None else ""
        return all(before < after for before, after in pairwise((last, *(stored.id for stored in documents))))

    def _shadow_slice(self, header: SnapshotHeader) -> int:
        """The slice the snapshot is loaded under: the unfinished one of this very snapshot, or a new one."""
        held = self._begun_shadow(header.scope)
        if held is not None and (held[0].epoch, held[0].as_of) == (header.epoch, header.as_of):
            return held[1]
        self.drop_shadow(header.scope)
        with self._connection.atomic():
            slice_ = self._new_slice()
            told = header.model_dump_json(by_alias=True)
            self._connection.write("INSERT INTO shadow VALUES (?, ?, ?)", (header.scope, slice_, told))
        return slice_

    def _begun_shadow(self, scope: str) -> tuple[SnapshotHeader, int] | None:
        found = self._connection.row("SELECT header, slice FROM shadow WHERE scope = ?", (scope,))
        return (SnapshotHeader.model_validate_json(found[0]), int(found[1])) if found else None

    def shadow_progress(self, scope: str) -> tuple[SnapshotHeader, str | None, int] | None:
        """(header, last id, lines so far) of an unfinished snapshot."""
        found = self._connection.row(
            "SELECT header, (SELECT max(id) FROM document WHERE document.slice = shadow.slice), "
            "(SELECT count(*) FROM document WHERE document.slice = shadow.slice) FROM shadow WHERE scope = ?",
            (scope,),
        )
        return (SnapshotHeader.model_validate_json(found[0]), found[1], found[2]) if found else None

    def swap_snapshot(self, scope: str, end: SnapshotEnd) -> ReplicaState:
        """Make the shadow live with its cursor. The end's count and sum are of its own reply, whose lines, because
        they come in order of id, are the last ones of the shadow."""
        begun = self._begun_shadow(scope)
        if begun is None:
            raise Weather(f"no snapshot of {scope} was begun")
        header, slice_ = begun
        hashes = [int(h, 16) for (h,) in self._connection.rows(_HASHES_IN_ORDER, (slice_,))]
        own = hashes[len(hashes) - end.count :] if end.count <= len(hashes) else None
        if own is None or _spell_sum(sum(own)) != end.sum:
            raise Weather(f"the snapshot of {scope} is not whole")
        self._know_all(slice_)
        with self._connection.atomic():
            self._revise({*self._kinds_of(slice_), *self._kinds_of(self._slice_of(scope))})
            self._follow_swap(scope, slice_)
            self._connection.write(
                "INSERT OR REPLACE INTO replica VALUES (?, ?, ?, ?, ?, ?)",
                (scope, slice_, end.next, header.as_of, len(hashes), _spell_sum(sum(hashes))),
            )
            self._connection.write("DELETE FROM shadow WHERE scope = ?", (scope,))
        self.sweep()
        return self._held(scope)

    def _kinds_of(self, slice_: int | None) -> list[str]:
        """The kinds of a slice's documents, one step of the index each."""
        kinds: list[str] = []
        while (found := self._connection.row(_NEXT_KIND, (slice_, f"{kinds[-1]}0" if kinds else ""))) and found[0]:
            kinds.append(_kind(found[0]))
        return kinds

    def drop_shadow(self, scope: str) -> None:
        """Forget an unfinished snapshot."""
        self._connection.write("DELETE FROM shadow WHERE scope = ?", (scope,))
        self.sweep()

    def sweep(self) -> None:
        """Delete documents that stand under no live or shadow slice, a little at a time: records come between."""
        for table, sweep_some in _SWEEPS.items():
            for slice_ in self._slices_in(table):
                while self._sweep_some(slice_, sweep_some):
                    pass

    def _slices_in(self, table: str) -> list[int]:
        """The slice numbers in a table, one step of the index each."""
        slices: list[int] = []
        while (
            found := self._connection.row(
                f"SELECT min(slice) FROM {table} WHERE slice > ?", (slices[-1] if slices else 0,)
            )
        ) and found[0]:
            slices.append(found[0])
        return slices

    def _sweep_some(self, slice_: int, sweep_some: str) -> int:
        with self._connection.atomic():
            kept = self._connection.row(
                "SELECT 1 FROM (SELECT slice FROM replica UNION SELECT slice FROM shadow) WHERE slice = ?", (slice_,)
            )
            return 0 if kept else self._connection.write(sweep_some, (slice_, _SWEEP_ROWS))

    # leaving

    def purge_scope(self, scope: str) -> None:
        """Delete a scope's documents, cursor, shadow and index rows."""
        with self._connection.atomic():
            self._revise(self._kinds_of(self._slice_of(scope)))
            for table in ("replica", "shadow"):
                self._connection.write(f"DELETE FROM {table} WHERE scope = ?", (scope,))
        self.sweep()
        self._connection.tidy()

    def wipe_shoppers(self) -> None:
        """Delete every document about shoppers and the search index; a scope that held some needs a snapshot."""
        with self._connection.atomic():
            for kind in _SHOPPER_KINDS:
                self._connection.write("DELETE FROM document WHERE id >= ? AND id < ?", (f"{kind}/", f"{kind}0"))
            for table in ("known_identifier", "shopper", "shadow"):
                self._connection.write(f"DELETE FROM {table}")
            self._connection.write("INSERT INTO shopper_fts (shopper_fts) VALUES ('rebuild')")
            self._revise(_SHOPPER_KINDS)
            for scope in [state.scope for state in self.states() if store_of(state.scope)]:
                self._connection.write("UPDATE replica SET cursor = NULL WHERE scope = ?", (scope,))
        for state in self.states():
            self.recompute(state.scope)
        self.sweep()
        self._connection.tidy()

    # reading

    def revision(self, kinds: Iterable[str]) -> int:
        """A number that grows with every change of a document of these kinds."""
        found = self._connection.row(
            "SELECT coalesce(sum(revision), 0) FROM kind_revision WHERE kind IN (SELECT value FROM json_each(?))",
            (json.dumps(list(kinds)),),
        )
        return int(found[0]) if found else 0

    def document(self, document_id: str) -> StoredDocument | None:
        """One document by id."""
        found = self._connection.row(
            f"SELECT {_DOCUMENT} WHERE document.id = ? ORDER BY scope DESC",
            (document_id,),
        )
        return _document(found) if found else None

    def documents(self, kind: str, *, with_part: str = "") -> tuple[StoredDocument, ...]:
        """All documents of a kind in order of id."""
        rows = self._connection.rows(
            f"SELECT {_DOCUMENT} WHERE document.id >= ? AND document.id < ? AND instr(document.body, ?) "
            "ORDER BY document.id",
            (f"{kind}/", f"{kind}0", with_part.encode()),
        )
        return tuple(_document(row) for row in rows)

    def versions_after(self, kind: str, after: str, *, limit: int) -> tuple[tuple[str, int], ...]:
        """The next documents of a kind behind an id, without their bodies."""
        rows = self._connection.rows(_VERSIONS, (after or f"{kind}/", f"{kind}0", limit))
        return tuple((id_, s) for id_, s in rows)

    def find_profile(self, type_: str, value: str) -> StoredDocument | None:
        """The one profile an identifier leads to."""
        rows = self._connection.rows(
            "SELECT DISTINCT profile_id FROM known_identifier JOIN replica USING (slice) "
            "WHERE type = ? AND value = ? LIMIT 2",
            (type_, value),
        )
        return self.document(f"profile/{rows[0][0]}") if len(rows) == 1 else None


_DOCUMENT: Final = "document.id, scope, s, body FROM replica CROSS JOIN document ON document.slice = replica.slice"
"""CROSS fixes the order of the loops: the few live slices first, then one step of the index in each."""
_VERSIONS: Final = (
    "SELECT document.id, s FROM replica CROSS JOIN document ON document.slice = replica.slice "
    "WHERE document.id > ? AND document.id < ? ORDER BY document.id LIMIT ?"
)
_SHOPPER: Final = "profile_id, name, given, family, words, loyalty_id, tier, hint"
_KNOW: Final = "INSERT OR IGNORE INTO known_identifier VALUES (?, ?, ?, ?)"
_WAITING: Final = (
    "SELECT profile_id, identifiers FROM shopper WHERE slice = ? AND profile_id > ? ORDER BY profile_id LIMIT ?"
)
_HASHES_IN_ORDER: Final = "SELECT h FROM document WHERE slice = ? ORDER BY id"
_NEXT_KIND: Final = "SELECT min(id) FROM document WHERE slice = ? AND id >= ?"
_SWEEPS: Final = {
    "known_identifier": (
        "DELETE FROM known_identifier WHERE (slice, profile_id) IN "
        "(SELECT slice, profile_id FROM known_identifier WHERE slice = ? LIMIT ?)"
    ),
    "shopper": "DELETE FROM shopper WHERE id IN (SELECT id FROM shopper WHERE slice = ? LIMIT ?)",
    "document": "DELETE FROM document WHERE rowid IN (SELECT rowid FROM document WHERE slice = ? LIMIT ?)",
}
"""Documents last: while one is left, its slice number is not given out again."""


def _shopper_rows(documents: Iterable[_Stored]) -> list[ShopperRow]:
    return [shopper_row(stored.id, stored.doc) for stored in documents if _kind(stored.id) == "profile"]


def _document(row: tuple[Any, ...]) -> StoredDocument:
    id_, scope, s, body = row
    return StoredDocument(id=id_, scope=scope, s=s, body=load_json(body))


def _listed(document: dict[str, Any], name: str) -> list[str]:
    listed = document.get(name)
    return [str(op_id) for op_id in listed] if isinstance(listed, list) else []


def _newest(held: dict[str, int], changes: Iterable[Change]) -> list[Change]:
    """The last change of each document that is newer than what is held by then; a deleted one is held no more."""
    newest: dict[str, Change] = {}
    for change in changes:
        is_empty = change.op == "put" and change.doc is None and not isinstance(change, ProvenChange)
        if is_empty or change.s <= held.get(change.id, 0):
            continue
        newest[change.id] = change
        if change.op == "put":
            held[change.id] = change.s
        else:
            held.pop(change.id, None)
    return list(newest.values())


_values: Final = attrgetter(*_SHOPPER.split(", "))


def _kind(document_id: str) -> str:
    return document_id.partition("/")[0]


def _spell_sum(total: int) -> str:
    return f"{total % _SUM_MODULUS:016x}"
