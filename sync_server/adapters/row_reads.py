"""What the parts of `SqlReader` in files of their own ask through; `SqlReader` says how. Nothing else uses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection


class RowReads:
    """The two ways to ask the database for rows by text."""

    _connection: Connection
    _is_postgresql: bool

    def _ask(self, text: str, *values: Any) -> Any:
        raise NotImplementedError

    def _rows_in(self, text: str, values: Iterable[str], *first: str, last: str = "") -> Iterator[Any]:
        raise NotImplementedError
