"""SQL of what other systems are told: which profile's changed when, and which profiles are gone. Part of `SqlReader`.

That it changed is kept here, never its content: that is made of the profile when it is sent. `table` is the lens's.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Table, delete, select

from shared.wire.ops import ERASED
from sync_server.adapters import schema
from sync_server.adapters.row_reads import chunks
from sync_server.ports import TraitRow

_TABLE = "trait_row"


class TraitRowReads:
    """The reads of `CentralReader` that `trait_row` answers."""

    _connection: Connection

    def known_traits(self, profile_ids: Collection[str], table: str = _TABLE) -> dict[str, TraitRow]:
        """What is noted of these profiles."""
        found: dict[str, TraitRow] = {}
        rows = schema.metadata.tables[table]
        for chunk in chunks(sorted(profile_ids)):
            is_meant = rows.c.profile_id.in_(chunk)
            noted = self._connection.execute(select(*_columns(rows)).where(is_meant))
            found.update((row[0], TraitRow(*row)) for row in noted)
        return found

    def traits_after(self, n: int, limit: int, table: str = _TABLE) -> list[TraitRow]:
        """Changes above a place in rising order, at most `limit`."""
        rows = schema.metadata.tables[table]
        noted = select(*_columns(rows)).where(rows.c.n > n).order_by(rows.c.n).limit(limit)
        return [TraitRow(*row) for row in self._connection.execute(noted)]

    def traits_without_profile(self, table: str = _TABLE) -> list[str]:
        """Profiles once told of that are there no more and of which nobody was told yet."""
        rows, profile = schema.metadata.tables[table], schema.profile
        is_there = select(profile.c.profile_id).where(profile.c.profile_id == rows.c.profile_id).exists()
        is_told = rows.c.sha.in_(("", ERASED))
        return list(self._connection.execute(select(rows.c.profile_id).where(~is_told & ~is_there)).scalars())

    def profile_marks(self, limit: int) -> dict[str, str]:
        """Mark -> the profile that a committed transaction wrote, at most `limit` of them."""
        query = select(schema.profile_mark).limit(limit)
        return {row[0]: row[1] for row in self._connection.execute(query)}


class TraitRowWrites(TraitRowReads):
    """What `SqlWriter` does for them."""

    def drop_marks(self, mark_ids: Collection[str]) -> None:
        """These were looked at."""
        for chunk in chunks(sorted(mark_ids)):
            is_meant = schema.profile_mark.c.mark_id.in_(chunk)
            self._connection.execute(delete(schema.profile_mark).where(is_meant))


def _columns(table: Table) -> tuple[Any, ...]:
    return tuple(table.c[name] for name in TraitRow._fields)
