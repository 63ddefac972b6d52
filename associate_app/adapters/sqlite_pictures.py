"""Which pictures the cards of this tablet can show: found in the documents by SQLite itself, in one query. Reads only.

Fifty thousand profiles are looked through without making a single Python object of them, so that no card waits.
"""

from __future__ import annotations

from typing import Final

from associate_app.adapters.sqlite_connection import Connection
from shared.ids import is_sha

_PARTS: Final = ("cart", "wishlist", "recent")
_LINES: Final = " UNION ".join(
    "SELECT json_extract(line.value, '$.image') AS image, json_extract(line.value, '$.sku') AS sku "  # noqa: S608
    f"FROM profile, json_each(profile.body, '$.{part}') AS line"
    for part in _PARTS
)
_SHOWN: Final = (
    "WITH live AS (SELECT document.id, CAST(body AS TEXT) AS body "  # noqa: S608
    "FROM replica CROSS JOIN document ON document.slice = replica.slice), "
    "profile AS (SELECT body FROM live WHERE id >= 'profile/' AND id < 'profile0'), "
    f"shown AS ({_LINES}) "
    "SELECT DISTINCT coalesce(image, (SELECT json_extract(body, '$.image') FROM live WHERE id = 'product/' || sku)) "
    "FROM shown"
)


class PictureTables:
    """The part of the replica's face that tells what can be shown."""

    _connection: Connection

    def pictures_shown(self) -> tuple[str, ...]:
        """SHA-256 of each picture in a cart, a wishlist or among what a shopper of the slice did lately, in order."""
        return tuple(sorted(str(row[0]) for row in self._connection.rows(_SHOWN) if is_sha(row[0])))
