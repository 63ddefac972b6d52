"""A backup of the central database on either engine: SQLite's own copy, or every row as pg_dump has it."""

from __future__ import annotations

import pickle
from pathlib import Path

from sqlalchemy import Table, delete, insert, select

from sync_server.adapters import schema
from sync_server.adapters.backup import copy_database, file_of, replace_database
from sync_server.adapters.database import SqlDatabase


def keep_backup(database_url: str, path: Path) -> None:
    """Write a backup of the database from one state of it."""
    if database_url.startswith("sqlite"):
        copy_database(file_of(database_url), path)
        return
    database = SqlDatabase(database_url)
    with database.engine.connect().execution_options(isolation_level="REPEATABLE READ") as reading:
        rows = {name: [dict(row) for row in reading.execute(select(table)).mappings()] for name, table in _tables()}
    database.close()
    path.write_bytes(pickle.dumps(rows))


def bring_back(path: Path, database_url: str) -> None:
    """Make the database hold what the backup holds."""
    if database_url.startswith("sqlite"):
        replace_database(path, file_of(database_url))
        return
    database, rows = SqlDatabase(database_url), pickle.loads(path.read_bytes())
    with database.engine.begin() as writing:
        for name, table in _tables():
            writing.execute(delete(table))
            if rows[name]:
                writing.execute(insert(table), rows[name])
    database.close()


def _tables() -> list[tuple[str, Table]]:
    return list(schema.metadata.tables.items())
