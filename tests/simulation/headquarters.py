"""A simulated headquarters: the real server over its ASGI app, with backups, restores and commits that fail."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from shared.ids import Uuid7
from sync_server.adapters.backup import copy_database, replace_database
from sync_server.adapters.database import SqlDatabase, SqlWriter
from sync_server.adapters.keys import FileKeyFolder
from sync_server.adapters.media import FolderMediaShelf
from sync_server.api.app import make_app
from sync_server.ports import Mark
from sync_server.services.guard import mark_of
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.operations import begin_new_epoch
from sync_server.services.sessions import EPOCH_NOTE
from sync_server.services.upkeep import drop_tombstones, refresh_profiles
from sync_server.settings import Settings
from tests.simulation.clocks import HeadquartersClock, TrueTime, copy_begun_headquarters
from tests.support.world import SeededChance


class CommitLost(Exception):
    """HQ's machine failed at the moment of COMMIT: nothing of the transaction is there."""


class FailingDatabase(SqlDatabase):
    """HQ's database, whose next COMMITs can be made to fail; `commits` counts those that did not."""

    commits_to_fail = 0
    commits = 0

    @contextmanager
    def write(self) -> Iterator[SqlWriter]:
        with super().write() as tx:
            yield tx
            if self.commits_to_fail > 0:
                self.commits_to_fail -= 1
                raise CommitLost
        self.commits += 1


class RememberedGuard:
    """What HQ's guard file holds, without the disk."""

    place = "memory"

    def __init__(self) -> None:
        self._mark: Mark | None = None

    def read(self) -> Mark | None:
        return self._mark

    def write(self, mark: Mark) -> None:
        self._mark = mark


class SimulatedHeadquarters:
    """HQ's files and services under one seed."""

    def __init__(self, folder: Path, time: TrueTime, chance: random.Random) -> None:
        self.folder = folder
        self._time = time
        copy_begun_headquarters(folder)
        self._file = folder / "central.db"
        clock, dice = HeadquartersClock(time), SeededChance(chance.getrandbits(64))
        self.services = Headquarters(
            database=self._open(),
            keys=FileKeyFolder(folder / "keys"),
            clock=clock,
            chance=dice,
            settings=Settings(data_dir=folder, database=self._url),
            make_id=Uuid7(clock.now, dice.bits),
            media=FolderMediaShelf(folder / "media"),
            guard=RememberedGuard(),
        )
        self._app: FastAPI = make_app(self.services)
        self.backups: list[tuple[float, Path]] = []
        self.restores = 0
        self._epoch: tuple[tuple[int, int, int], str] | None = None

    @property
    def _url(self) -> str:
        return f"sqlite:///{self._file}"

    def _open(self) -> FailingDatabase:
        return FailingDatabase(self._url)

    @property
    def database(self) -> FailingDatabase:
        database = self.services.database
        assert isinstance(database, FailingDatabase)
        return database

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The ASGI app as it is now: a restore changes it under the tablets' feet."""
        await self._app(scope, receive, send)

    def epoch(self) -> str:
        """The history HQ is in; read again only after a COMMIT or in another file."""
        seen = (id(self.database), self.database.commits, self.restores)
        if self._epoch is None or self._epoch[0] != seen:
            with self.database.read() as reader:
                self._epoch = seen, reader.note(EPOCH_NOTE) or ""
        return self._epoch[1]

    def rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Read HQ's tables past its own code, for the checks."""
        with self.database.read() as reader:
            return [tuple(row) for row in reader._connection.exec_driver_sql(sql, parameters)]

    def back_up(self) -> None:
        """An online backup."""
        path = self.folder / f"backup-{len(self.backups)}.db"
        copy_database(self._file, path)
        self.backups.append((self._time.now_s, path))

    def restore(self, backup: Path) -> None:
        """As `sync-server restore` does: the old files, and a new epoch; the guard was written a moment before."""
        with self.database.read() as reader:
            if mark := mark_of(reader):
                self.services.guard.write(mark)
        self.database.close()
        replace_database(backup, self._file)
        self.services = replace(self.services, database=self._open())
        begin_new_epoch(self.services)
        self._app = make_app(self.services)
        self.restores += 1

    def restart(self) -> None:
        """The server process ends by force and starts again."""
        self.database.close()
        self.services = replace(self.services, database=self._open())
        self._app = make_app(self.services)

    def tidy_up(self) -> None:
        """What the server does every night."""
        refresh_profiles(self.database, self.services.clock)
        drop_tombstones(self.database, self.services.clock)

    def take_event(self, message: dict[str, Any]) -> None:
        """An event from another channel."""
        take_messages(self.database, self.services.clock, "web", [message])

    def close(self) -> None:
        self.database.close()
