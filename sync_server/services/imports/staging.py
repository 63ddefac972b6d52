"""Rows that belong together brought together: they come in any order, memory stays flat, the disk sorts.

Lives in a temporary SQLite file of the import alone; nothing here is HQ's database.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Self

from sync_server.services.imports.rows import Row


class Staging:
    """Rows by a key, such as the number of their order. Use it in a `with`."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="floorside-import-")
        self._connection = sqlite3.connect(Path(self._folder.name) / "rows.db", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=OFF")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute("CREATE TABLE line (key TEXT, number INTEGER, told TEXT)")
        self._connection.execute("BEGIN")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._folder.cleanup()

    def put(self, key: str, row: Row) -> None:
        """Keep a row."""
        told = json.dumps(dict(row.values), ensure_ascii=False)
        self._connection.execute("INSERT INTO line VALUES (?, ?, ?)", (key, row.number, told))

    def groups(self) -> Iterator[tuple[str, list[Row]]]:
        """(key, its rows in the order of the file), by key."""
        lines = self._connection.execute("SELECT key, number, told FROM line ORDER BY key, number")
        for key, group in groupby(lines, key=lambda line: line[0]):
            yield key, [Row(number, json.loads(told)) for _, number, told in group]
