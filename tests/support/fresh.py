"""A fresh central database for a test: the schema and no rows, migrated once a process and copied from then on.

Running every migration for each test cost more than most tests. What the migrations themselves do is proven on
databases that are really migrated (unit/server/test_migrations.py, contract/test_upgrade.py).
"""

from __future__ import annotations

import functools
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.engine import make_url

from sync_server.adapters.database import SqlDatabase
from sync_server.adapters.migrations import bring_up_to_date


@functools.cache
def _migrated() -> bytes:
    """The file of an SQLite database that has just been brought up to date."""
    with TemporaryDirectory() as place:
        path = Path(place) / "central.db"
        database = SqlDatabase(f"sqlite:///{path}")
        bring_up_to_date(database.engine)
        database.close()
        assert not path.with_name("central.db-wal").exists(), "closing writes the log into the file"
        return path.read_bytes()


def put_fresh_database(path: Path) -> None:
    """Put an empty, migrated SQLite file where a server will open it; what is there already stays."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_bytes(_migrated())


def open_fresh_database(url: str) -> SqlDatabase:
    """The database of a URL with the present schema: an SQLite file is copied, anything else is migrated."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        put_fresh_database(Path(parsed.database))
    database = SqlDatabase(url)
    bring_up_to_date(database.engine)
    return database
