"""Backup and restore of an SQLite central database through SQLite's own online backup, so a running server may go on.

The copy is one plain file (no WAL beside it), mode 0600 because it holds personal words. PostgreSQL has better tools of
its own, and this says which.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy.engine import make_url

from shared.errors import Damaged, Refused, StorageFull

POSTGRESQL_WORDS = (
    "This chain's database is PostgreSQL, which has better tools: back it up with `pg_dump --format=custom` and "
    "keep the keys folder apart from it; after `pg_restore` run `sync-server restore --new-epoch`, so that the tablets "
    "send again what the backup does not hold."
)


def file_of(database_url: str) -> Path:
    """The file of an SQLite URL. Raises Refused for any other engine, saying what to use instead."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise Refused(POSTGRESQL_WORDS)
    return Path(url.database)


def copy_database(source: Path, target: Path) -> None:
    """Copy a database, from one state of it, into a file that must not exist. Raises Refused, Damaged or StorageFull.

    The copy gets its name only when it is whole and on the disk.
    """
    if target.exists():
        raise Refused(f"There is already a file {target}. Give another name; nothing was overwritten.")
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(source, part)
        _settle(part)
        part.replace(target)
    except sqlite3.Error as problem:
        raise _in_words(problem, source) from None
    except OSError as problem:
        raise Refused(f"The backup {target} cannot be written ({problem.strerror}).") from None
    finally:
        part.unlink(missing_ok=True)


def replace_database(source: Path, target: Path) -> None:
    """Make `target` hold what `source` holds, in one transaction that a running server sees as a whole."""
    try:
        _copy(source, target)
    except sqlite3.Error as problem:
        raise _in_words(problem, target) from None


def check_database(path: Path) -> None:
    """Raise Refused for a file that is not there, Damaged for one that is no sound database."""
    if not path.is_file():
        raise Refused(f"There is no backup file {path}.")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            [[verdict]] = connection.execute("PRAGMA quick_check(1)").fetchall()
        finally:
            connection.close()
    except sqlite3.Error as problem:
        raise _in_words(problem, path) from None
    if verdict != "ok":
        raise Damaged(f"The file {path} is damaged ({verdict}). Use another backup; nothing was changed.")


def _copy(source: Path, target: Path) -> None:
    reading = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=15)
    try:
        writing = sqlite3.connect(target, timeout=15)
        try:
            reading.backup(writing)
        finally:
            writing.close()
    finally:
        reading.close()


def _settle(path: Path) -> None:
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")
    finally:
        connection.close()
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _in_words(problem: sqlite3.Error, path: Path) -> Refused:
    if "full" in str(problem):
        return StorageFull(f"The disk is full: {path} was not written. Make room and try again.")
    if "locked" in str(problem):
        return Refused(f"The database {path} is in use and did not come free. Try again.")
    return Damaged(f"The file {path} is no sound database ({problem}). Nothing was changed.")
