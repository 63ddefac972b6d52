"""Both engines for the rules fuzz: a real SQLite file and a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_server.adapters.database import SqlDatabase
from sync_server.ports import CentralDatabase
from tests.support.fresh import open_fresh_database
from tests.support.postgresql import PostgresServer, shared_folder


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """The PostgreSQL server of this run; the last worker takes the folder along."""
    worker = getattr(request.config, "workerinput", {})
    folder = shared_folder(f"f{str(worker.get('testrunuid', os.getpid()))[:11]}")
    server = PostgresServer(folder)
    yield server
    server.close()
    if not (folder / "postmaster.pid").exists():
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def databases(postgresql: PostgresServer, tmp_path: Path) -> Iterator[dict[str, CentralDatabase]]:
    """A fresh, empty database on each engine."""
    opened: dict[str, SqlDatabase] = {
        "SQLite": open_fresh_database(f"sqlite:///{tmp_path / 'central.db'}"),
        "PostgreSQL": open_fresh_database(postgresql.fresh_url()),
    }
    yield dict(opened)
    for database in opened.values():
        database.close()
