"""Contract tests run on both databases: a real SQLite file and a real PostgreSQL that a wheel brings."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_server.api.app import make_app
from sync_server.services.headquarters import Headquarters
from tests.support.asgi_endpoint import AsgiTransport
from tests.support.postgresql import PostgresServer, shared_folder
from tests.support.tablet import Tablet, connect, make_tablet
from tests.support.world import Journalist, make_headquarters, make_journalist


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """The PostgreSQL server of this run, on a socket in a folder of its own; the last worker takes the folder along."""
    worker = getattr(request.config, "workerinput", {})
    folder = shared_folder(str(worker.get("testrunuid", os.getpid()))[:12])
    server = PostgresServer(folder)
    yield server
    server.close()
    if not (folder / "postmaster.pid").exists():
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh, empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'central.db'}"
    server: PostgresServer = request.getfixturevalue("postgresql")
    return server.fresh_url()


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


@pytest.fixture
def transport(hq: Headquarters) -> Iterator[AsgiTransport]:
    """The way to HQ; a bug of the server fails the test."""
    made = AsgiTransport(make_app(hq))
    yield made
    made.close()
    assert made.bugs == []


@pytest.fixture
def shop_tablet(hq: Headquarters, transport: AsgiTransport, tmp_path: Path) -> Iterator[Tablet]:
    """A connected tablet of berlin-1."""
    made = make_tablet(tmp_path, transport)
    connect(made, hq)
    yield made
    made.database.close()
