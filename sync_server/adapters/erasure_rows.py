"""What erasure, access and retention ask of the central database, and what they leave of it.

Part of `SqlReader` and `SqlWriter` (database.py), in a file of its own for its size; nothing else uses it.
"""

# ruff: noqa: S608 (the texts are put together from the schema's names; values always travel as parameters)

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from sqlalchemy import and_, delete, or_, select, tuple_

from shared.corrections import CORRECTED
from shared.fold import EVENT
from shared.wire.ops import ERASED
from sync_server.adapters import schema
from sync_server.adapters.row_reads import RowReads
from sync_server.ports import LedgerRow

Pair = tuple[str, str]
_ERASURE_LOCK: Final = 0x666C6F6F7232
_SOME: Final = 50
"""Values of one condition that walks a table."""


class ErasureReads(RowReads):
    """What `SqlReader` answers about one shopper's rows."""

    def facts_of_shopper(self, profile_ids: Collection[str], pairs: Collection[Pair]) -> list[LedgerRow]:
        """Every fact, whatever its verdict, that belongs to these profiles or names one of these identifiers, and
        those that are about such a fact; in order of time. Walks the ledger."""
        found = {row.fact_id: row for row in self._facts_where("profile_id", profile_ids)}
        found |= {row.fact_id: row for row in self._facts_naming(sorted(pairs))}
        level: Collection[str] = list(found)
        while level:
            fresh = {row.fact_id: row for row in self._facts_where("about", level) if row.fact_id not in found}
            found |= fresh
            level = list(fresh)
        return sorted(found.values(), key=lambda row: (row.effective_at, row.fact_id))

    def _facts_where(self, column: str, values: Collection[str]) -> Iterator[LedgerRow]:
        names = ", ".join(f'"{name}"' for name in LedgerRow._fields)
        for row in self._rows_in(f"SELECT {names} FROM fact WHERE {column}", sorted(values)):
            yield LedgerRow(*row)

    def _facts_naming(self, pairs: list[Pair]) -> Iterator[LedgerRow]:
        table = schema.fact
        columns = [table.c[name] for name in LedgerRow._fields]
        for start in range(0, len(pairs), _SOME):
            some = pairs[start : start + _SOME]
            named = (table.c.subject.contains(json.dumps(pair), autoescape=True) for pair in some)
            names_one = or_(*named, and_(table.c.kind == CORRECTED, or_(*map(_claims, some))))
            for row in self._connection.execute(select(*columns).where(names_one)).all():
                yield LedgerRow(*row)

    def erased_op_ids(self, device_id: str, since_at: str) -> list[str]:
        """Ops of a device, received since a time, whose shopper was erased: of the ledger, and stand-ins of those that
        were rejected or handed in as salvage."""
        if self._ask("SELECT 1 FROM erasure LIMIT 1").first() is None:
            return []
        fact, letter, salvage = schema.fact, schema.dead_letter, schema.salvage
        merged = select(fact.c.fact_id).where(
            (fact.c.device_id == device_id) & (fact.c.code == ERASED) & (fact.c.received_at >= since_at)
        )
        found = set(self._connection.execute(merged).scalars())
        mine = letter.c.origin.in_(select(schema.install.c.install_id).where(schema.install.c.device_id == device_id))
        rejected = select(letter.c.raw).where(mine & (letter.c.seq.is_not(None)) & (letter.c.received_at >= since_at))
        handed_in = select(salvage.c.raw).where(
            (salvage.c.device_id == device_id) & (salvage.c.received_at >= since_at)
        )
        for query in (rejected, handed_in):
            raws = self._connection.execute(query).scalars()
            found.update(op_id for raw in raws if (op_id := _erased_op_id(raw)))
        return sorted(found)

    def events_before(self, before_at: str, profile_ids: Collection[str] | None = None) -> Iterator[LedgerRow]:
        """Accepted events from before a time that still hold all their words: of these profiles, or of none."""
        table = schema.fact
        old = (table.c.kind == EVENT) & (table.c.verdict == "accepted") & table.c.code.is_(None)
        old &= table.c.effective_at < before_at
        whose = table.c.profile_id.is_(None) if profile_ids is None else table.c.profile_id.in_(sorted(profile_ids))
        query = select(*(table.c[name] for name in LedgerRow._fields)).where(whose & old)
        for row in self._connection.execute(query.execution_options(yield_per=500)):
            yield LedgerRow(*row)

    def facts_by_id(self, fact_ids: Collection[str]) -> list[LedgerRow]:
        """Facts as they are stored."""
        return list(self._facts_where("fact_id", fact_ids))

    def every_identifier(self) -> Iterator[Pair]:
        """Every identifier that leads somewhere or was ever seen, streamed; some come twice."""
        for table in (schema.identifier, schema.sighted):
            query = select(table.c.type, table.c.value).execution_options(yield_per=1000)
            for row in self._connection.execute(query):
                yield row[0], row[1]

    def every_row(self, table: str) -> Iterator[dict[str, Any]]:
        """All rows of a table that may be large, streamed."""
        query = select(schema.metadata.tables[table]).execution_options(yield_per=500)
        for row in self._connection.execute(query).mappings():
            yield dict(row)


def _claims(pair: Pair) -> Any:
    """A correction that claims this e-mail or phone, whoever it was said of."""
    said = json.dumps(pair[1], ensure_ascii=False)
    return schema.fact.c.body.contains(f'"value":{said}', autoescape=True)


def _erased_op_id(raw: str) -> str | None:
    """The op_id of a stand-in for an op about an erased shopper; None for any other raw op."""
    if ERASED not in raw:
        return None
    op = json.loads(raw)
    return str(op["op_id"]) if isinstance(op, dict) and op.get("kind") == ERASED and op.get("op_id") else None


class ErasureWrites(ErasureReads):
    """What `SqlWriter` does for erasures."""

    def _change_facts(self, rows: list[dict[str, Any]]) -> None:
        raise NotImplementedError

    def blank_facts(self, left: Iterable[tuple[str, str]]) -> None:
        """(fact_id, what is left of its body): the row stays with its times, its hash and its place, without a word of
        whom it was about or who said it."""
        gone: dict[str, Any] = {"subject": None, "detail": None, "associate_id": None, "profile_id": None}
        rows = [{"key": fact_id, "body": body, "verdict": "accepted", "code": ERASED, **gone} for fact_id, body in left]
        self._change_facts(rows)

    def age_facts(self, code: str, left: Iterable[tuple[str, str]]) -> None:
        """(fact_id, what is left of its body), marked by a code."""
        self._change_facts([{"key": fact_id, "body": body, "code": code} for fact_id, body in left])

    def drop_older(self, table: str, column: str, before_at: str, most: int) -> int:
        """Delete at most so many rows from before a time; how many."""
        target = schema.metadata.tables[table]
        key = tuple_(*target.primary_key.columns)
        old = select(*target.primary_key.columns).where(target.c[column] < before_at).limit(most)
        return self._connection.execute(delete(target).where(key.in_(old))).rowcount

    def heed_erasures(self, *, is_erasing: bool = False) -> None:
        """Until COMMIT nobody is erased, or, `is_erasing`, nobody else stores what a shopper did: who looks at the
        erasure list after this writes nothing about somebody erased meanwhile."""
        if self._is_postgresql:
            self._ask(f"SELECT pg_advisory_xact_lock{'' if is_erasing else '_shared'}(?)", _ERASURE_LOCK)
