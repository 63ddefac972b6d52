"""SQL of the summaries for other systems: which changed when, and which profiles are gone. Part of `SqlReader`.

Which summary changed is kept here, never its content: that is made of the profile when it is sent.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from sync_server.adapters import schema
from sync_server.ports import TraitRow

_BATCH = 400
_COLUMNS = tuple(schema.trait_row.c[name] for name in TraitRow._fields)


class TraitRowReads:
    """The reads of `CentralReader` that `trait_row` answers."""

    _connection: Connection

    def known_traits(self, profile_ids: Collection[str]) -> dict[str, TraitRow]:
        """What is noted of these profiles."""
        found: dict[str, TraitRow] = {}
        wanted = sorted(profile_ids)
        for start in range(0, len(wanted), _BATCH):
            is_meant = schema.trait_row.c.profile_id.in_(wanted[start : start + _BATCH])
            rows = self._connection.execute(select(*_COLUMNS).where(is_meant))
            found.update((row[0], TraitRow(*row)) for row in rows)
        return found

    def traits_after(self, n: int, limit: int) -> list[TraitRow]:
        """Changes above a place in rising order, at most `limit`."""
        place: Any = schema.trait_row.c.n
        rows = self._connection.execute(select(*_COLUMNS).where(place > n).order_by(place).limit(limit))
        return [TraitRow(*row) for row in rows]

    def traits_without_profile(self) -> list[str]:
        """Profiles once summarised that are there no more and of which nobody was told yet."""
        table, profile = schema.trait_row, schema.profile
        is_there = select(profile.c.profile_id).where(profile.c.profile_id == table.c.profile_id).exists()
        query = select(table.c.profile_id).where((table.c.sha != "") & ~is_there).order_by(table.c.profile_id)
        return list(self._connection.execute(query).scalars())
