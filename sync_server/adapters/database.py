"""The central database over SQLAlchemy Core: `CentralDatabase` of ports.py, on SQLite or PostgreSQL by URL.

SQLite runs with WAL and synchronous=FULL, and every write begins with a BEGIN IMMEDIATE of our own: with the driver's
default a released SAVEPOINT outlives the rollback around it. Only `publish` takes feed positions, at the end. What
every batch asks and writes by the hundred is SQL text with tuples: compiling expressions for it took half of a push.
"""

# ruff: noqa: S608 (the texts are put together from the schema's names; values always travel as parameters)

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, fields
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import uuid4

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

from shared.journal import CHAIN_START
from shared.wire.canonical import document_hash
from shared.wire.ops import ERASED
from sync_server.adapters import schema
from sync_server.adapters.audience_rows import AudienceReads, AudienceWrites
from sync_server.adapters.database_errors import mapped_errors
from sync_server.adapters.erasure_list import NoErasures
from sync_server.adapters.erasure_rows import ErasureReads, ErasureWrites
from sync_server.adapters.feed_listener import CHANNEL, follow_heads, watch_heads
from sync_server.adapters.identity_rows import LEDGER_NAMES, IdentityReads, IdentityWrites
from sync_server.adapters.row_reads import chunks
from sync_server.adapters.trait_rows import TraitRowReads, TraitRowWrites
from sync_server.ports import (
    DeadLetter,
    Delivery,
    Device,
    DocRow,
    DocWrite,
    Entry,
    ErasureList,
    Install,
    KnownFact,
    LedgerRow,
    ScopeHead,
    Store,
    StoredProfile,
)

T = TypeVar("T")
_SUM_MASK: Final = (1 << 64) - 1
_BUSY_MS: Final = 15_000
CONNECTIONS: Final = 10
"""Of one process to PostgreSQL, where the setting says nothing else."""
_POOL_WAIT_S: Final = 5
_PATIENCE: Final = {
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "options": "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=2min",
}
"""libpq parameters, unless the URL says otherwise: a request is answered `busy` rather than hung. Two minutes idle in a
transaction is a tablet that stopped reading its snapshot; it goes on from its last line."""
_CACHE_KIB: Final = 65_536
"""SQLite's own 2 MB are less than one batch changes: pages went to the log in the middle of it and were read again."""
_CHECKPOINT_PAGES: Final = 8_000
"""32 MB of log before it is worked into the file: pages every batch changes are then written once, not ten times."""


def _row(record: Any) -> dict[str, Any]:
    return {part.name: getattr(record, part.name) for part in fields(record)}


def _names(record: type[Any]) -> tuple[str, ...]:
    named: tuple[str, ...] | None = getattr(record, "_fields", None)
    return named or tuple(part.name for part in fields(record))


@lru_cache(maxsize=64)
def _insert_text(table: Table, names: tuple[str, ...], mark: str, *, is_upsert: bool) -> str:
    """INSERT of these columns; an upsert changes the rows whose key is there, or leaves them if there is only a key."""
    columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join(mark for _ in names)
    text = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"
    if not is_upsert:
        return text
    keys = [column.name for column in table.primary_key.columns]
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in keys)
    return f"{text} ON CONFLICT ({', '.join(keys)}) DO " + (f"UPDATE SET {changed}" if changed else "NOTHING")


class SqlReader(IdentityReads, TraitRowReads, ErasureReads, AudienceReads):
    """Reads inside one transaction (`CentralReader`)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_postgresql = connection.dialect.name == "postgresql"
        self._mark = "%s" if self._is_postgresql else "?"
        self._for_update = " FOR UPDATE" if self._is_postgresql else ""
        self._locked: set[str] = set()

    def _ask(self, text: str, *values: Any) -> Any:
        return self._connection.exec_driver_sql(text.replace("?", self._mark), values)

    def _rows_in(self, text: str, values: Iterable[str], *first: str, last: str = "") -> Iterator[Any]:
        """Rows of a query whose text ends before the list of an IN; `first` are the parameters before that list."""
        for chunk in chunks(values):
            marks = ", ".join([self._mark] * len(chunk))
            query = f"{text.replace('?', self._mark)} IN ({marks}){last}"
            yield from self._connection.exec_driver_sql(query, (*first, *chunk)).all()

    def note(self, name: str) -> str | None:
        """A small fact of the chain."""
        found = self._ask("SELECT value FROM note WHERE name = ?", name).scalar()
        return None if found is None else str(found)

    def stores(self) -> tuple[Store, ...]:
        """All shops, by code."""
        return tuple(Store(*row) for row in self._ask(f"SELECT {', '.join(_names(Store))} FROM store ORDER BY code"))

    def device_by_token(self, token_hash: str) -> tuple[Device, bool] | None:
        """(device, is it the rotated token) for a token's SHA-256."""
        query = f"SELECT {_DEVICE_NAMES}, stores_held, next_token_hash FROM device"
        row = self._ask(f"{query} WHERE token_hash = ? OR next_token_hash = ?", token_hash, token_hash).first()
        return None if row is None else (device_of(row._mapping), row.next_token_hash == token_hash)

    def install(self, install_id: str) -> Install | None:
        """An install, or None for one never heard of."""
        table = schema.install
        row = self._connection.execute(select(table).where(table.c.install_id == install_id)).mappings().first()
        return None if row is None else Install(**row)

    def entries(self, install_id: str, first_seq: int, last_seq: int) -> dict[int, Entry]:
        """What an install sent at these seqs."""
        query = f"SELECT {', '.join(_names(Entry))} FROM journal_entry WHERE install_id = ? AND seq BETWEEN ? AND ?"
        return {row[1]: Entry(*row) for row in self._ask(query, install_id, first_seq, last_seq)}

    def known_facts(self, fact_ids: Collection[str]) -> dict[str, KnownFact]:
        """The facts of these ids the ledger already has."""
        query = f"SELECT {', '.join(_names(KnownFact))} FROM fact WHERE fact_id"
        return {row[0]: KnownFact(*row) for row in self._rows_in(query, fact_ids)}

    def facts_about(self, op_ids: Collection[str]) -> list[LedgerRow]:
        """Accepted facts that correct, withdraw or change these ops and are not yet of any profile."""
        query = f"SELECT {LEDGER_NAMES} FROM fact WHERE verdict = 'accepted' AND about"
        found = [LedgerRow(*row) for row in self._rows_in(query, op_ids)]
        # Asked for NULL in SQL, SQLite walks every fact of no profile instead of the index of what is about these ops.
        waiting = [row for row in found if row.profile_id is None]
        return sorted(waiting, key=lambda row: (row.effective_at, row.fact_id))

    def facts_of(self, profile_ids: Collection[str]) -> Iterator[LedgerRow]:
        """Accepted facts of profiles in order of (profile, effective_at, id)."""
        query = f"SELECT {LEDGER_NAMES} FROM fact WHERE verdict = 'accepted' AND profile_id"
        for row in self._rows_in(query, sorted(profile_ids), last=" ORDER BY profile_id, effective_at, fact_id"):
            yield LedgerRow(*row)

    def count_typed_openings(self, associate_id: str, since_at: str, until_at: str) -> int:
        """How many shoppers an associate opened by typing, in a time (since excluded)."""
        table = schema.fact
        wanted = (table.c.kind == "shopper_opened") & (table.c.associate_id == associate_id)
        wanted &= (table.c.effective_at > since_at) & (table.c.effective_at <= until_at)
        typed = table.c.body.contains('"how":"typed"', autoescape=True)
        return int(self._connection.execute(select(func.count()).where(wanted & typed)).scalar_one())

    def opened_since(self, since_at: str) -> list[str]:
        """Loyalty numbers of shoppers whose cards were opened since a time, each once."""
        table = schema.fact
        wanted = (table.c.kind == "shopper_opened") & (table.c.effective_at > since_at)
        subjects = self._connection.execute(select(table.c.subject).where(wanted).distinct()).scalars()
        pairs = [pair for subject in subjects for pair in json.loads(subject or "[]")]
        return sorted({value for type_, value in pairs if type_ == "loyalty_id"})

    def overrides(self) -> list[LedgerRow]:
        """Accepted overrides of offers that still say something, in order of time."""
        table = schema.fact
        wanted = (table.c.kind == "offer_overridden") & (table.c.verdict == "accepted") & table.c.code.is_(None)
        query = select(*(table.c[name] for name in LedgerRow._fields)).where(wanted)
        rows = self._connection.execute(query.order_by(table.c.effective_at, table.c.fact_id))
        return [LedgerRow(*row) for row in rows]

    def parked_op_ids(self, device_id: str) -> list[str]:
        """Ops of a device HQ holds but could not apply, in order."""
        table = schema.fact
        wanted = (table.c.device_id == device_id) & (table.c.verdict == "parked")
        return list(self._connection.execute(select(table.c.fact_id).where(wanted).order_by(table.c.fact_id)).scalars())

    def profile_ids(self, identifiers: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Which profiles these identifiers lead to."""
        found: dict[tuple[str, str], str] = {}
        for type_, values in _by_type(identifiers).items():
            query = "SELECT value, profile_id FROM identifier WHERE type = ? AND value"
            found.update(((type_, value), profile_id) for value, profile_id in self._rows_in(query, values, type_))
        return found

    def stores_holding(self, identifiers: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, ...]]:
        """The stores whose feeds hold the profiles that these identifiers lead to."""
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        query = "SELECT value, stores FROM identifier JOIN profile USING (profile_id) WHERE type = ? AND value"
        for type_, values in _by_type(identifiers).items():
            for value, stores in self._rows_in(query, values, type_):
                found[(type_, value)] = tuple(json.loads(stores))
        return found

    def cancelled_cards(self, card_ids: Collection[str]) -> set[str]:
        """Which of these cards were cancelled."""
        return {
            row[0]
            for row in self._rows_in("SELECT card_id FROM card WHERE cancelled_at IS NOT NULL AND card_id", card_ids)
        }

    def identifiers_of(self, profile_ids: Collection[str]) -> dict[str, list[tuple[str, str]]]:
        """The identifiers that lead to these profiles."""
        found: dict[str, list[tuple[str, str]]] = {}
        query = "SELECT profile_id, type, value FROM identifier WHERE profile_id"
        for profile_id, type_, value in self._rows_in(query, profile_ids):
            found.setdefault(profile_id, []).append((type_, value))
        return found

    def redirects(self, old_ids: Collection[str]) -> dict[str, str]:
        """Where former profile ids lead now."""
        return {
            row[0]: row[1] for row in self._rows_in("SELECT old_id, profile_id FROM redirect WHERE old_id", old_ids)
        }

    def redirects_to(self, profile_ids: Collection[str]) -> dict[str, list[str]]:
        """Former ids of profiles, in order."""
        found: dict[str, list[str]] = {}
        query = "SELECT profile_id, old_id FROM redirect WHERE profile_id"
        for profile_id, old_id in self._rows_in(query, profile_ids, last=" ORDER BY old_id"):
            found.setdefault(profile_id, []).append(old_id)
        return found

    def profiles(self, profile_ids: Collection[str], *, for_update: bool = False) -> dict[str, StoredProfile]:
        """Stored profiles; `for_update` locks them (in order of id, so that two writers never wait for each other)."""
        query = "SELECT profile_id, state, stores, value_band, held_at FROM profile WHERE profile_id"
        last = " ORDER BY profile_id" + (self._for_update if for_update else "")
        found = {
            profile_id: StoredProfile(profile_id, state, tuple(json.loads(stores)), value_band, held_at)
            for profile_id, state, stores, value_band, held_at in self._rows_in(query, sorted(profile_ids), last=last)
        }
        if for_update:
            self._locked.update(found)
        return found

    def every_profile(self) -> Iterator[StoredProfile]:
        """All stored profiles in order of id, streamed."""
        table = schema.profile
        query = select(table).order_by(table.c.profile_id).execution_options(yield_per=500)
        for row in self._connection.execute(query):
            stores = tuple(json.loads(row.stores))
            yield StoredProfile(row.profile_id, row.state, stores, row.value_band, row.held_at)

    def centroids(self, places: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, int]]:
        """(country, postcode) -> (lat, lon) in millionths of a degree."""
        table = schema.postcode
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for chunk in chunks(places):
            query = select(table).where(tuple_(table.c.country, table.c.postcode).in_(chunk))
            found.update(
                ((row.country, row.postcode), (row.lat_e6, row.lon_e6)) for row in self._connection.execute(query)
            )
        return found

    def play_ids(self) -> set[str]:
        """Every play ever published."""
        return set(self._ask("SELECT DISTINCT play_id FROM play_version").scalars())

    def head(self, scope: str) -> ScopeHead:
        """Where a scope stands; zeros for one without documents."""
        row = self._ask(_HEAD_TEXT, scope).first()
        return ScopeHead(scope, 0, 0, "0" * 16, 0) if row is None else ScopeHead(*row)

    def heads(self, scopes: Collection[str]) -> dict[str, int]:
        """Positions only, for the doorbell."""
        found = dict.fromkeys(scopes, 0)
        found.update((row[0], row[1]) for row in self._rows_in("SELECT scope, n FROM scope_head WHERE scope", scopes))
        return found

    def count_ops(self) -> int:
        """How many ops were taken of all installs; it only ever grows."""
        return int(self._ask("SELECT COALESCE(SUM(acked_seq), 0) FROM install").scalar())

    def page(self, scope: str, after_s: int, limit: int) -> list[DocRow]:
        """Documents above a position in rising order, at most `limit`."""
        query = f"SELECT {', '.join(_names(DocRow))} FROM doc WHERE scope = ? AND s > ? ORDER BY s LIMIT ?"
        return [DocRow(*row) for row in self._ask(query, scope, after_s, limit)]

    def live_docs(self, scope: str, after_id: str) -> Iterator[DocRow]:
        """Live documents in byte order of id, streamed."""
        table = schema.doc
        ordered = table.c.id.collate("C") if self._is_postgresql else table.c.id
        query = select(*_doc_columns()).where((table.c.scope == scope) & ~table.c.deleted & (ordered > after_id))
        with self._connection.execution_options(yield_per=1000).execute(query.order_by(ordered)) as rows:
            for row in rows:
                yield DocRow(*row)

    def count_live(self, scope: str, after_id: str) -> int:
        """How many live documents `live_docs` would give."""
        table = schema.doc
        ordered = table.c.id.collate("C") if self._is_postgresql else table.c.id
        query = select(func.count()).where((table.c.scope == scope) & ~table.c.deleted & (ordered > after_id))
        return int(self._connection.execute(query).scalar_one())

    def docs_of(self, scope: str, prefix: str) -> list[DocRow]:
        """Live documents whose id begins so, in order of id."""
        table = schema.doc
        is_meant = table.c.id.startswith(prefix, autoescape=True) & (table.c.scope == scope) & ~table.c.deleted
        return [
            DocRow(*row)
            for row in self._connection.execute(select(*_doc_columns()).where(is_meant).order_by(table.c.id))
        ]

    def doc(self, scope: str, document_id: str) -> DocRow | None:
        """One document."""
        table = schema.doc
        query = select(*_doc_columns()).where((table.c.scope == scope) & (table.c.id == document_id))
        row = self._connection.execute(query).first()
        return None if row is None else DocRow(*row)

    def deliveries(
        self, hook: str, states: Collection[str], *, after: tuple[str, str] = ("", ""), limit: int = 20
    ) -> list[Delivery]:
        """Deliveries of a hook in these states, in order of (received_at, delivery_id), those above `after`."""
        table = schema.hook_delivery
        place = (table.c.received_at, table.c.delivery_id)
        wanted = (table.c.hook == hook) & table.c.state.in_(states) & (tuple_(*place) > tuple_(*after))
        query = select(*(table.c[name] for name in Delivery._fields)).where(wanted).order_by(*place).limit(limit)
        return [Delivery(*row) for row in self._connection.execute(query)]

    def latest_deliveries(self, hook: str, states: Collection[str], limit: int) -> list[Delivery]:
        """The last deliveries of a hook in these states, the newest first, their bodies left out."""
        table = schema.hook_delivery
        shown = [literal("").label(name) if name == "body" else table.c[name] for name in Delivery._fields]
        wanted = (table.c.hook == hook) & table.c.state.in_(states)
        order = (table.c.received_at.desc(), table.c.delivery_id.desc())
        rows = self._connection.execute(select(*shown).where(wanted).order_by(*order).limit(limit))
        return [Delivery(*row) for row in rows]

    def count_deliveries(self) -> list[tuple[str, str, int, str]]:
        """(hook, state, how many, when the last was received) of all deliveries."""
        table = schema.hook_delivery
        by = (table.c.hook, table.c.state)
        query = select(*by, func.count(), func.max(table.c.received_at)).group_by(*by).order_by(*by)
        return [(row[0], row[1], row[2], row[3]) for row in self._connection.execute(query)]

    def count_rows(self, table: str) -> int:
        """How many rows a table has."""
        return int(
            self._connection.execute(select(func.count()).select_from(schema.metadata.tables[table])).scalar_one()
        )

    def rows(self, table: str, **equal: Any) -> list[dict[str, Any]]:
        """Plain rows of a small administrative table, by equality; ordered by its key."""
        target = schema.metadata.tables[table]
        query = select(target).filter_by(**equal).order_by(*target.primary_key.columns)
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def count_by(self, table: str, column: str) -> dict[str, int]:
        """How many rows of a table have each value of a column."""
        named = schema.metadata.tables[table].c[column]
        return {row[0]: row[1] for row in self._connection.execute(select(named, func.count()).group_by(named))}


def _doc_columns() -> list[Any]:
    table = schema.doc
    return [table.c[name] for name in DocRow._fields]


def device_of(row: Mapping[Any, Any]) -> Device:
    """A device from its row."""
    held = tuple(json.loads(row["stores_held"]))
    return Device(**{name: row[name] for name in _DEVICE_COLUMNS}, stores_held=held)


_DEVICE_COLUMNS: Final = tuple(part.name for part in fields(Device) if part.name != "stores_held")
_DEVICE_NAMES: Final = ", ".join(_DEVICE_COLUMNS)


class SqlWriter(IdentityWrites, ErasureWrites, AudienceWrites, TraitRowWrites, SqlReader):
    """Reads and writes inside one transaction (`CentralWriter`)."""

    def write_note(self, name: str, value: str) -> None:
        """Save a small fact of the chain."""
        self._upsert(schema.note, [{"name": name, "value": value}])

    def put_row(self, table: str, row: Mapping[str, Any]) -> None:
        """Insert or replace a row of a small administrative table."""
        self._upsert(schema.metadata.tables[table], [dict(row)])

    def put_rows(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace many rows of one shape at once."""
        self._upsert(schema.metadata.tables[table], [dict(row) for row in rows])

    def add_row(self, table: str, row: Mapping[str, Any]) -> bool:
        """Insert a row; False where its key is taken."""
        target = schema.metadata.tables[table]
        statement = self._insert(target).on_conflict_do_nothing().returning(*target.primary_key.columns)
        return self._connection.execute(statement, dict(row)).first() is not None

    def drop_rows(self, table: str, **equal: Any) -> int:
        """Delete rows of a small administrative table by equality; how many."""
        return self._connection.execute(delete(schema.metadata.tables[table]).filter_by(**equal)).rowcount

    def change_rows(self, table: str, values: Mapping[str, Any], **equal: Any) -> int:
        """Update rows by equality; how many."""
        statement = update(schema.metadata.tables[table]).filter_by(**equal).values(**values)
        return self._connection.execute(statement).rowcount

    def lock_install(self, install_id: str, device_id: str) -> Install:
        """The install, locked; made at seq 0 for the device if never heard of."""
        query = f"SELECT {', '.join(_names(Install))} FROM install WHERE install_id = ?{self._for_update}"
        row = self._ask(query, install_id).first()
        if row is None:
            fresh = _row(Install(install_id, device_id, 0, CHAIN_START))
            self._connection.execute(self._insert(schema.install).on_conflict_do_nothing(), fresh)
            row = self._ask(query, install_id).one()
        return Install(*row)

    def save_install(self, install: Install) -> None:
        """After a batch."""
        self._add(schema.install, _names(Install), [astuple(install)], is_upsert=True)

    def add_entries(self, entries: Sequence[Entry]) -> None:
        """Many at once."""
        self._add(schema.journal_entry, Entry._fields, entries)

    def add_facts(self, rows: Sequence[LedgerRow], profile_of: Mapping[str, str]) -> None:
        """Many at once; `profile_of` says which profile each belongs to, if any."""
        place, find = LedgerRow._fields.index("profile_id"), profile_of.get
        full = [(*row[:place], find(row.fact_id), *row[place + 1 :]) for row in rows]
        self._add(schema.fact, LedgerRow._fields, full)

    def assign_facts(self, assignments: Iterable[tuple[str, str | None]]) -> None:
        """(fact_id, profile_id): which profile each fact belongs to now, None for nobody."""
        rows = [(profile_id, fact_id) for fact_id, profile_id in assignments]
        if rows:
            text = f"UPDATE fact SET profile_id = {self._mark} WHERE fact_id = {self._mark}"
            self._connection.exec_driver_sql(text, rows)

    def judge_facts(self, verdicts: Iterable[tuple[str, str, str | None, str | None]]) -> None:
        """(fact_id, verdict, code, detail): after a replay."""
        names = ("key", "verdict", "code", "detail")
        self._change_facts([dict(zip(names, verdict, strict=True)) for verdict in verdicts])

    def _change_facts(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            changed: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "key"}
            statement = update(schema.fact).where(schema.fact.c.fact_id == bindparam("key")).values(changed)
            self._connection.execute(statement, rows)

    def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Many at once; one that is already there stays as it was."""
        if letters:
            statement = self._insert(schema.dead_letter).on_conflict_do_nothing()
            self._connection.execute(statement, [asdict(letter) for letter in letters])

    def save_profiles(self, profiles: Sequence[StoredProfile]) -> None:
        """Those locked here are changed, others are new: a profile another writer made meanwhile is not lost."""
        rows = [(k.profile_id, k.state, json.dumps(k.stores), k.value_band, k.held_at) for k in profiles]
        rows.sort()
        names = _names(StoredProfile)
        self._add(schema.profile, names, [row for row in rows if row[0] in self._locked], is_upsert=True)
        self._add(schema.profile, names, [row for row in rows if row[0] not in self._locked])
        self._mark_profiles([row[0] for row in rows])

    def _mark_profiles(self, profile_ids: Iterable[str]) -> None:
        """Say that these changed. Rows of their own, under a key nobody else takes: writers never wait for them."""
        self._add(schema.profile_mark, ("mark_id", "profile_id"), [(uuid4().hex, one) for one in profile_ids])

    def drop_profiles(self, profile_ids: Collection[str]) -> None:
        """Delete the rows of profiles that are none any more; their facts were given to others before."""
        super().drop_profiles(profile_ids)
        self._mark_profiles(sorted(profile_ids))

    def move_profiles(self, former_ids: Sequence[str], profile_id: str) -> None:
        """Merge profiles into another: facts and redirects move, former ids become redirects, their rows go."""
        for chunk in chunks(former_ids):
            for table in (schema.fact, schema.redirect, schema.identifier):
                moved = update(table).where(table.c.profile_id.in_(chunk)).values(profile_id=profile_id)
                self._connection.execute(moved)
            self._connection.execute(delete(schema.profile).where(schema.profile.c.profile_id.in_(chunk)))
            self._mark_profiles(chunk)
        self._upsert(schema.redirect, [{"old_id": old_id, "profile_id": profile_id} for old_id in former_ids])

    def hold_feed(self, scope: str) -> None:
        """Let nobody else publish into a scope until COMMIT."""
        self._lock_head(scope)

    def publish(self, writes: Sequence[DocWrite], written_at: str) -> dict[str, int]:
        """Put documents into their feeds; the LAST step of a transaction (see ports.py)."""
        by_scope: dict[str, dict[str, DocWrite]] = {}
        for write in writes:
            by_scope.setdefault(write.scope, {})[write.id] = write
        return {
            scope: self._publish_scope(scope, list(by_scope[scope].values()), written_at) for scope in sorted(by_scope)
        }

    def _publish_scope(self, scope: str, writes: list[DocWrite], written_at: str) -> int:
        head = self._lock_head(scope)
        held = self._held_docs(scope, [write.id for write in writes])
        rows, count, total, position = [], head.count, int(head.sum, 16), head.n
        for write in writes:
            old_hash = held.get(write.id, "")
            new_hash = "" if write.body is None else document_hash(write.id, write.body)
            if new_hash == old_hash and write.why != ERASED:  # another tombstone would not tell tablets to forget
                continue
            position += 1
            count += bool(new_hash) - bool(old_hash)
            total += int(new_hash or "0", 16) - int(old_hash or "0", 16)
            body = "" if write.body is None else write.body.decode()
            rows.append((scope, write.id, position, write.body is None, write.why, new_hash, body, written_at))
        if rows:
            self._add(schema.doc, _DOC_NAMES, rows, is_upsert=True)
            self._save_head(scope, position, count, f"{total & _SUM_MASK:016x}")
        return position

    def _lock_head(self, scope: str) -> ScopeHead:
        """The scope's counter, locked until COMMIT: who holds it next sees these documents and a higher position."""
        row = self._ask(_HEAD_TEXT + self._for_update, scope).first()
        if row is None:
            fresh = _row(ScopeHead(scope, 0, 0, "0" * 16, 0))
            self._connection.execute(self._insert(schema.scope_head).on_conflict_do_nothing(), fresh)
            row = self._ask(_HEAD_TEXT + self._for_update, scope).one()
        return ScopeHead(*row)

    def _held_docs(self, scope: str, document_ids: list[str]) -> dict[str, str]:
        return {
            row[0]: row[1] for row in self._rows_in("SELECT id, h FROM doc WHERE scope = ? AND id", document_ids, scope)
        }

    def _save_head(self, scope: str, position: int, count: int, total: str) -> None:
        self._ask('UPDATE scope_head SET n = ?, "count" = ?, "sum" = ? WHERE scope = ?', position, count, total, scope)
        if self._is_postgresql:
            self._connection.exec_driver_sql(f"NOTIFY {CHANNEL}")

    def drop_tombstones(self, before_at: str) -> int:
        """Delete tombstones written before a time and raise their scopes' floors; how many."""
        table, dropped = schema.doc, 0
        old = table.c.deleted & (table.c.written_at < before_at)
        highest = select(table.c.scope, func.max(table.c.s).label("s")).where(old).group_by(table.c.scope)
        highest = highest.order_by(table.c.scope)  # the order in which everybody locks heads
        for scope, position in self._connection.execute(highest).all():
            self._lock_head(scope)
            raised = update(schema.scope_head).where(schema.scope_head.c.scope == scope).values(floor=position)
            self._connection.execute(raised)
            gone = delete(table).where((table.c.scope == scope) & old & (table.c.s <= position))
            dropped += self._connection.execute(gone).rowcount
        return dropped

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Part of the transaction that can fail by itself. Raises RowRefused for what the rows hold."""
        with mapped_errors(), self._connection.begin_nested():
            yield

    def _insert(self, table: Table) -> Any:
        return postgresql.insert(table) if self._is_postgresql else sqlite.insert(table)

    def _add(
        self, table: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]], *, is_upsert: bool = False
    ) -> None:
        if rows:
            self._connection.exec_driver_sql(_insert_text(table, names, self._mark, is_upsert=is_upsert), list(rows))

    def _upsert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        statement = self._insert(table)
        keys = [column.name for column in table.primary_key.columns]
        changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        conflict = {"index_elements": keys}
        if changed:
            self._connection.execute(statement.on_conflict_do_update(**conflict, set_=changed), rows)
        else:
            self._connection.execute(statement.on_conflict_do_nothing(**conflict), rows)


def _by_type(identifiers: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for type_, value in identifiers:
        found.setdefault(type_, []).append(value)
    return found


_HEAD_TEXT: Final = 'SELECT scope, n, "count", "sum", floor FROM scope_head WHERE scope = ?'
_DOC_NAMES: Final = ("scope", "id", "s", "deleted", "why", "h", "body", "written_at")


class SqlDatabase:
    """HQ's database (`CentralDatabase`). `engine` is open to the migrations and the backup of this room only."""

    def __init__(self, url: str, connections: int = CONNECTIONS) -> None:
        """Open by SQLAlchemy URL, with at most so many connections where it is PostgreSQL."""
        self.engine = _make_engine(url, connections)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self.erasures: ErasureList = NoErasures()
        # A page that another connection wrote empties SQLite's cache: who writes keeps a connection that only writes.
        self._writing = _make_engine(url, connections) if self.is_sqlite else self.engine

    @contextmanager
    def read(self) -> Iterator[SqlReader]:
        """One read transaction: everything is read from one state of the database."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with mapped_errors(), self.engine.connect() as opened, opened.execution_options(**options).begin():
            yield SqlReader(opened)

    @contextmanager
    def write(self) -> Iterator[SqlWriter]:
        """One write transaction, durable when left; an exception rolls it back."""
        with mapped_errors(), self._writing.connect() as opened:
            opened.execution_options(is_floorside_write=True)
            with opened.begin():
                yield SqlWriter(opened)

    def follow_heads(self, ring: Callable[[], None], stopped: threading.Event) -> None:
        """Call `ring` when any process moved a head, until `stopped`; also once at the beginning."""
        (watch_heads if self.is_sqlite else follow_heads)(self.engine, ring, stopped)

    def compact(self) -> bool:
        """Write the files anew without what was deleted; False where others used them, and old bytes may be left.

        PostgreSQL gives the space free, and overwrites it by and by.
        """
        with mapped_errors():
            opened = self._writing.raw_connection()
            try:
                compact = _compact_sqlite if self.is_sqlite else _vacuum_postgresql
                return compact(opened.driver_connection)
            finally:
                opened.close()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        self._writing.dispose()


def _make_engine(url: str, connections: int) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        patience = {name: value for name, value in _PATIENCE.items() if name not in parsed.query}
        return create_engine(
            parsed,
            connect_args=patience,
            pool_pre_ping=True,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=_POOL_WAIT_S,
        )
    waits = {"check_same_thread": False, "timeout": _BUSY_MS / 1000}
    engine = create_engine(parsed, connect_args=waits, pool_use_lifo=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    kept = (f"cache_size=-{_CACHE_KIB}", f"wal_autocheckpoint={_CHECKPOINT_PAGES}")
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=FAST",
        f"busy_timeout={_BUSY_MS}",
        *kept,
    ):
        connection.execute(f"PRAGMA {pragma}")


def _compact_sqlite(opened: Any) -> bool:
    opened.execute("VACUUM")
    is_busy, _, _ = opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy


def _vacuum_postgresql(opened: Any) -> bool:
    opened.autocommit = True
    try:
        opened.execute("SET statement_timeout = 0")
        opened.execute("VACUUM (ANALYZE)")
        opened.execute("RESET statement_timeout")
    finally:
        opened.autocommit = False
    return True


def _begin_sqlite(connection: Connection) -> None:
    is_write = connection.get_execution_options().get("is_floorside_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
