"""One connection to the tablet's database file: which driver, its pragmas, its transactions, its errors in plain words.

Below `sqlite_journal.py`, `sqlite_replica.py` and `sqlite_notebook.py`, which hold the tables. Nothing else talks to
SQLite. The connection works in `isolation_level=None` with its own BEGIN IMMEDIATE, because with Python's default a
released savepoint outlives the rollback around it.
"""

from __future__ import annotations

import importlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

from sqlite_utils import Database

from shared.errors import Damaged, Refused, StorageFull

IN_MEMORY: Final = Path(":memory:")
_PLAIN_MAGIC: Final = b"SQLite format 3\x00"
_BUSY_MS: Final = 10_000
_CACHE_KIB: Final = 16_384
"""Eight times SQLite's own: a page that comes back from the file is decrypted and checked again each time."""
_FULL: Final = "database or disk is full"
_FAILING: Final = "disk i/o error"
_DAMAGED: Final = ("file is not a database", "malformed", "file is encrypted", "hmac check failed", "out of memory")
_SHUT: Final = ("unable to open database file", "readonly database", "attempt to write a readonly")


def _sqlcipher() -> Any | None:
    """The encrypting driver where its wheel exists; phones encrypt their files themselves and have none."""
    try:
        return importlib.import_module("sqlcipher3.dbapi2")
    except ImportError:
        return None


class Connection:
    """A connection that several threads of one owner may use one after the other: a lock keeps transactions whole.

    `key` is 64 hex digits; without SQLCipher it is not used. Raises Damaged where the file cannot be opened.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        """Where the file lies; `IN_MEMORY` for a database that is nowhere and ends with its connection."""
        self._lock = threading.RLock()
        self.must_tidy = False
        driver = self._choose_driver()
        self.is_encrypted = driver is not sqlite3
        self._errors: tuple[type[Exception], ...] = (sqlite3.Error, driver.Error)
        with self._plain_words():
            self._raw = cast(
                sqlite3.Connection,
                driver.connect(str(path), isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000),
            )
        try:
            with self._plain_words():
                self._set_up(key)
        except BaseException:
            self._raw.close()
            raise

    def _choose_driver(self) -> Any:
        """SQLCipher for new and encrypted files; a file once begun without it stays readable."""
        if self.path == IN_MEMORY:
            return sqlite3
        is_plain = self.path.exists() and self.path.stat().st_size > 0 and self._magic() == _PLAIN_MAGIC
        cipher = None if is_plain else _sqlcipher()
        if cipher is None and not is_plain and self.path.exists() and self.path.stat().st_size > 0:
            raise Damaged(
                f"The records of this tablet ({self.path}) are encrypted or damaged, and the part that opens encrypted "
                "ones is missing: install sqlcipher3, then start again."
            )
        return cipher or sqlite3

    def _magic(self) -> bytes:
        with self.path.open("rb") as file:
            return file.read(len(_PLAIN_MAGIC))

    def _set_up(self, key: str) -> None:
        if self.is_encrypted:
            self._raw.execute("PRAGMA cipher_log_level = NONE")
            self._raw.execute(f"PRAGMA key = \"x'{bytes.fromhex(key).hex()}'\"")
        self._raw.execute("SELECT count(*) FROM sqlite_master").fetchone()
        kept = ("secure_delete=ON", "temp_store=MEMORY", f"cache_size=-{_CACHE_KIB}")
        for pragma in ("journal_mode=WAL", "synchronous=FULL", *kept):
            self._raw.execute(f"PRAGMA {pragma}")
        self.tables = Database(self._raw, execute_plugins=False)

    def close(self) -> None:
        """Close it; a second close does nothing."""
        with self._lock:
            self._raw.close()

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """One transaction, begun at once so that what is read inside still holds at COMMIT; inside another, a part
        of it that can be undone by itself."""
        with self._lock, self._plain_words():
            if self._raw.in_transaction:
                with self.tables.atomic():
                    yield
                return
            self._raw.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._raw.execute("COMMIT")
            except BaseException:
                if self._raw.in_transaction:
                    self._raw.execute("ROLLBACK")
                raise
            if self.must_tidy:
                self.must_tidy = False
                self.tidy()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Several reads of one state; takes no lock from other connections."""
        with self._lock, self._plain_words():
            if self._raw.in_transaction:
                yield
                return
            self._raw.execute("BEGIN")
            try:
                yield
            finally:
                self._raw.execute("ROLLBACK")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._lock, self._plain_words():
            return self._raw.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a query, or None."""
        with self._lock, self._plain_words():
            found: tuple[Any, ...] | None = self._raw.execute(sql, parameters).fetchone()
            return found

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; returns the number of rows it changed."""
        with self._lock, self._plain_words():
            return self._raw.execute(sql, parameters).rowcount

    def write_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many rows."""
        with self._lock, self._plain_words():
            self._raw.executemany(sql, rows)

    def tidy(self) -> None:
        """Empty the write-ahead log, so that what was deleted is not left in it."""
        self.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _plain_words(self) -> Iterator[None]:
        try:
            yield
        except self._errors as problem:
            refusal = self._refusal(str(problem).lower())
            if refusal is None:
                raise
            raise refusal from problem

    def _refusal(self, told: str) -> Refused | None:
        if _FULL in told:
            return StorageFull(
                "This tablet's storage is full, so nothing more was saved; everything saved before is safe. "
                "Free some space (old pictures or apps), then do it again."
            )
        if _FAILING in told:
            return StorageFull(
                "This tablet's storage could not be written: it is full or failing. What was saved before is kept. "
                "Free some space; if that does not help, have the tablet looked at."
            )
        if any(words in told for words in _DAMAGED):
            return Damaged(
                f"The records of this tablet ({self.path}) are damaged or belong to another key. Move the file aside, "
                "start again and connect the tablet with a new code; all that HQ confirmed is safe there."
            )
        if any(words in told for words in _SHUT):
            return Damaged(
                f"The records of this tablet ({self.path}) cannot be opened for writing. Check that the folder exists "
                "and that this account may write to it."
            )
        if "database is locked" in told:
            return Refused("This tablet is busy saving something else. Wait a moment, then do it again.")
        return None
