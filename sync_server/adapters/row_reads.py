"""What `SqlReader` and its parts in files of their own ask through; `SqlReader` says how. Nothing else uses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
_BATCH: Final = 400
"""Values of one IN list: below every engine's limit of bound parameters."""


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Values in lists that fit one statement, in their order."""
    ordered = list(values)
    for start in range(0, len(ordered), _BATCH):
        yield ordered[start : start + _BATCH]


class RowReads:
    """The two ways to ask the database for rows by text."""

    _connection: Connection
    _is_postgresql: bool

    def _ask(self, text: str, *values: Any) -> Any:
        raise NotImplementedError

    def _rows_in(self, text: str, values: Iterable[str], *first: str, last: str = "") -> Iterator[Any]:
        raise NotImplementedError
