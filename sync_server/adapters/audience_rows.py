"""The rows an audience is asked of: kept as the feed goes, asked by the compiler. Part of `SqlReader` and `SqlWriter`.

Nothing here knows what a document means: `services/audience_tables.py` says which rows it becomes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Table, delete, func, select, text

from sync_server.adapters import audience_schema as tables
from sync_server.adapters.audience_sql import audience_query, narrowing_part
from sync_server.adapters.row_reads import RowReads, chunks
from sync_server.audience_ports import AudiencePage, AudienceQuestion, ShopperRows

_LOCK: Final = 0x666C6F6F7233
_FEW: Final = 5
"""One in so many at the most: then their lines are read one by one, else all lines of an event at once."""
_PLACE_NAMES: Final = ("store", "n", "this_store_m")


class AudienceReads(RowReads):
    """The reads of `CentralReader` that the audience's tables answer."""

    def audience_position(self, scope: str) -> int | None:
        """Up to where a scope's feed is in the rows; None for not at all."""
        found = self._ask("SELECT s FROM audience_scope WHERE scope = ?", scope).scalar()
        return None if found is None else int(found)

    def audience(self, question: AudienceQuestion) -> list[int]:
        """Who meets a condition in one of the stores at least: their numbers, rising."""
        if self._is_postgresql:  # hashed sets of this size in memory, and no machine code for one question
            self._connection.execute(text("SET LOCAL work_mem = '128MB'"))
            self._connection.execute(text("SET LOCAL jit = off"))
        is_open = question.among is None and not self._is_postgresql  # which plans worse with so many numbers
        if is_open and (narrow := narrowing_part(question.condition)) is not None:
            some, last = self._met(replace(question, condition=narrow)), "SELECT MAX(n) FROM audience_shopper"
            if len(some) * _FEW <= int(self._ask(last).scalar() or 0):
                question = replace(question, among=tuple(some))
        return sorted(self._met(question))

    def _met(self, question: AudienceQuestion) -> list[int]:
        query = audience_query(question, is_postgresql=self._is_postgresql)
        return list(self._connection.execute(query).scalars())

    def count_audience(self, stores: Collection[str]) -> int:
        """How many shoppers these stores' feeds hold."""
        place = tables.place.c
        query = select(func.count(place.n.distinct())).where(place.store.in_(stores))
        return int(self._connection.execute(query).scalar_one())

    def audience_profiles(self, numbers: Collection[int]) -> dict[int, tuple[str, str]]:
        """Number -> (profile id, a store whose feed holds it)."""
        shopper, place = tables.shopper.c, tables.place.c
        joined = select(shopper.n, shopper.profile_id, func.min(place.store))
        joined = joined.select_from(tables.shopper.join(tables.place, shopper.n == place.n))
        found = joined.where(shopper.n.in_(numbers)).group_by(shopper.n, shopper.profile_id)
        return {row[0]: (row[1], row[2]) for row in self._connection.execute(found)}


class AudienceWrites(AudienceReads):
    """What `SqlWriter` does to keep the audience's tables as the feed is."""

    def _add(
        self, table: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]], *, is_upsert: bool = False
    ) -> None:
        raise NotImplementedError

    def lock_audience(self) -> None:
        """Until COMMIT nobody else fills the audience's tables (SQLite: whoever writes is alone)."""
        if self._is_postgresql:
            self._ask("SELECT pg_advisory_xact_lock(?)", _LOCK)

    def take_audience(self, page: AudiencePage) -> None:
        """Make the rows what a page of the feed says."""
        if page.is_first:
            self._forget_scope(page.store)
        if page.store is not None:
            self._take_shoppers(page.store, page.shoppers)
            self._drop(tables.stock, page.stock, store=page.store)
            kept = [(page.store, sku, quantity) for sku, quantity in page.stock.items() if quantity is not None]
            self._add(tables.stock, ("store", "sku", "quantity"), kept)
        self._drop(tables.product, page.products)
        goods = [(sku, *facts) for sku, facts in page.products.items() if facts is not None]
        self._add(tables.product, ("sku", "category", "brand"), goods)
        self._add(tables.scope, ("scope", "s"), [(page.scope, page.position)], is_upsert=True)

    def _forget_scope(self, store: str | None) -> None:
        if store is None:
            self._connection.execute(delete(tables.product))
            return
        for table in (tables.stock, tables.place):
            self._connection.execute(delete(table).where(table.c.store == store))
        alone = select(tables.shopper.c.n).where(tables.shopper.c.n.not_in(select(tables.place.c.n)))
        self._drop_rows(list(self._connection.execute(alone).scalars()))

    def _drop(self, table: Table, skus: Iterable[str], **equal: str) -> None:
        for batch in chunks(skus):
            self._connection.execute(delete(table).where(table.c.sku.in_(batch)).filter_by(**equal))

    def _take_shoppers(self, store: str, shoppers: Mapping[str, tuple[int | None, ShopperRows] | None]) -> None:
        numbers = self._numbers_of(shoppers)
        known = list(numbers.values())
        for batch in chunks(known):
            gone = (tables.place.c.store == store) & tables.place.c.n.in_(batch)
            self._connection.execute(delete(tables.place).where(gone))
        staying = {profile_id: told for profile_id, told in shoppers.items() if told is not None}
        changed = [numbers[profile_id] for profile_id in staying if profile_id in numbers]
        self._number(numbers, staying)
        self._drop_rows(changed)
        self._add(tables.place, _PLACE_NAMES, [(store, numbers[one], told[0]) for one, told in staying.items()])
        self._add_rows([(numbers[profile_id], profile_id, told[1]) for profile_id, told in staying.items()])
        self._drop_lone([numbers[one] for one, told in shoppers.items() if told is None and one in numbers])

    def _numbers_of(self, profile_ids: Iterable[str]) -> dict[str, int]:
        query = "SELECT profile_id, n FROM audience_shopper WHERE profile_id"
        return {row[0]: row[1] for row in self._rows_in(query, profile_ids)}

    def _number(self, numbers: dict[str, int], profile_ids: Iterable[str]) -> None:
        last = int(self._ask("SELECT COALESCE(MAX(n), 0) FROM audience_shopper").scalar())
        for profile_id in profile_ids:
            if profile_id not in numbers:
                last += 1
                numbers[profile_id] = last

    def _add_rows(self, shoppers: Sequence[tuple[int, str, ShopperRows]]) -> None:
        own = [(n, profile_id, *rows.shopper) for n, profile_id, rows in shoppers]
        self._add(tables.shopper, tuple(tables.shopper.c.keys()), own)
        for name, table in _LISTS.items():
            lines = [(n, *line) for n, _, rows in shoppers for line in getattr(rows, name)]
            self._add(table, tuple(table.c.keys()), lines)

    def _drop_lone(self, numbers: Collection[int]) -> None:
        """Whom no store's feed holds any more."""
        for batch in chunks(numbers):
            place = tables.place.c.n
            held = set(self._connection.execute(select(place).where(place.in_(batch))).scalars())
            self._drop_rows([n for n in batch if n not in held])

    def _drop_rows(self, numbers: Sequence[int]) -> None:
        for batch in chunks(numbers):
            for table in (*tables.OF_A_SHOPPER, tables.shopper):
                self._connection.execute(delete(table).where(table.c.n.in_(batch)))

    def forget_audience(self, profile_ids: Collection[str]) -> None:
        """Delete all rows of profiles at once, before the feed brings it about: an erasure waits for nothing."""
        numbers = list(self._numbers_of(profile_ids).values())
        self._drop_rows(numbers)
        for batch in chunks(numbers):
            self._connection.execute(delete(tables.place).where(tables.place.c.n.in_(batch)))

    def learn_audience(self) -> None:
        """Tell PostgreSQL what the tables are like after many rows came: it plans by what it knows of them."""
        if self._is_postgresql:
            for table in tables.TABLES:
                self._connection.execute(text(f"ANALYZE {table.name}"))


_LISTS: Final = {
    "event": tables.event,
    "moment": tables.moment,
    "wanted": tables.wanted,
    "outcome": tables.outcome,
    "word": tables.word,
    "money": tables.money,
}
