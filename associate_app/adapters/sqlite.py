"""The tablet's database file: opened, migrated and checked here; its three faces live in the modules beside this one.

`open_tablet_database` is the way in: each thread or process that works by itself opens its own. Opening compares the
file with its small companion (`install_file.py`); a database that was wiped, restored or cloned takes a new install id
before anything else happens.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from associate_app.adapters.install_file import InstallFile, NoInstallFile
from associate_app.adapters.sqlite_connection import IN_MEMORY, Connection
from associate_app.adapters.sqlite_journal import JournalTables
from associate_app.adapters.sqlite_notebook import NotebookTables
from associate_app.adapters.sqlite_pictures import PictureTables
from associate_app.adapters.sqlite_replica import ReplicaTables
from associate_app.adapters.sqlite_schema import MIGRATIONS
from associate_app.adapters.sqlite_search import ShopperSearch
from associate_app.ports import Chance, Clock
from shared.ids import Uuid7


class TabletFile(JournalTables, ReplicaTables, PictureTables, ShopperSearch, NotebookTables):
    """The tablet database of `ports.py` over one SQLite file."""

    def __init__(self, connection: Connection, install_file: InstallFile) -> None:
        self._connection = connection
        self._install_file = install_file

    @property
    def is_encrypted(self) -> bool:
        """Say whether the file is sealed by SQLCipher; where that is missing, the device itself must encrypt it."""
        return self._connection.is_encrypted

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self._connection.path

    def atomic(self) -> AbstractContextManager[Any]:
        """Several writes in one transaction."""
        return self._connection.atomic()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def settle_install(self, fresh_id: str) -> None:
        """Begin the journal of a new file, or a new install where the file is not the one this device wrote."""
        with self._connection.atomic():
            found = self._connection.row("SELECT install_id, head_seq FROM install WHERE is_current")
            if found is None:
                self._begin_install(fresh_id)
                self._install_file.write(fresh_id, 0)
            elif not self._install_file.agrees(*found):
                self.restart_install(fresh_id, include_acked=False)


def open_tablet_database(path: Path, key: str, *, clock: Clock, chance: Chance) -> TabletFile:
    """Open (and at first use make) a tablet's database; `key` is 64 hex digits.

    Raises Damaged when the file cannot be read with this key, StorageFull when there is no room to begin.
    """
    return _open(Connection(path, key), InstallFile(path.with_name(path.name + ".install")), clock, chance)


def open_memory_database(*, clock: Clock, chance: Chance) -> TabletFile:
    """A tablet's database that is in memory alone, empty, and gone with its connection: for the practice store."""
    return _open(Connection(IN_MEMORY, ""), NoInstallFile(IN_MEMORY), clock, chance)


def _open(connection: Connection, install_file: InstallFile, clock: Clock, chance: Chance) -> TabletFile:
    try:
        with connection.atomic():
            MIGRATIONS.apply(connection.tables)
        opened = TabletFile(connection, install_file)
        opened.settle_install(Uuid7(clock.now, chance.bits)())
        opened.sweep()
    except BaseException:
        connection.close()
        raise
    return opened
