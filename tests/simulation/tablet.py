"""A simulated tablet: the real database file and sync driver, with power cuts at any COMMIT, copies and wipes."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from associate_app.adapters.sqlite import TabletFile, open_tablet_database
from associate_app.ports import DeviceIdentity, NewOp
from associate_app.sync.driver import SyncDriver
from shared.clock import format_at
from shared.ids import Uuid7
from shared.wire.messages import EnrollRequest
from shared.wire.ops import Op
from sync_server.services.enrolment import make_code
from sync_server.services.headquarters import Headquarters
from tests.simulation.clocks import TabletClock, TrueTime
from tests.support.asgi_endpoint import AsgiTransport, make_endpoint
from tests.support.world import SeededChance

KEY: Final = "ab" * 32
APP_VERSION: Final = "1.0.0"
SIDECAR: Final = ".install"
_FILES: Final = ("", "-wal", SIDECAR)

Trick = Literal["before", "after", "full", "bug"]


class PowerCut(BaseException):
    """The tablet loses power at a COMMIT; nothing in the program may catch this."""


@dataclass(slots=True)
class Tripwire:
    """What happens at one of the next COMMITs or lone writes of a tablet."""

    trick: Trick | None = None
    countdown: int = 0
    was_committed: bool = False

    def arm(self, trick: Trick, countdown: int) -> None:
        self.trick, self.countdown, self.was_committed = trick, countdown, False

    def is_due(self) -> bool:
        """Count one COMMIT down."""
        if self.trick is None:
            return False
        self.countdown -= 1
        return self.countdown < 0


class TrippedConnection:
    """Stands before the driver's own connection and springs the tripwire."""

    def __init__(self, raw: Any, wire: Tripwire) -> None:
        self._raw = raw
        self._wire = wire

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def execute(self, sql: str, *parameters: Any) -> Any:
        """Run a statement; power may go just before or just after it becomes durable."""
        is_lone = not self._raw.in_transaction and sql.startswith(("INSERT", "UPDATE", "DELETE"))
        if not (sql == "COMMIT" or is_lone) or not self._wire.is_due():
            return self._raw.execute(sql, *parameters)
        trick, self._wire.trick = self._wire.trick, None
        if trick == "full":
            raise sqlite3.OperationalError("database or disk is full")
        if trick == "bug":
            raise RuntimeError("a bug nobody expected")
        if trick == "before":
            raise PowerCut
        self._raw.execute(sql, *parameters)
        self._wire.was_committed = True
        raise PowerCut


@dataclass(slots=True)
class SimulatedTablet:
    """One device. `held` are the ops its file must account for; `wake_s` is when its worker wants to be called."""

    name: str
    folder: Path
    store: str
    time: TrueTime
    transport: AsgiTransport
    clock: TabletClock
    chance: SeededChance
    wire: Tripwire = field(default_factory=Tripwire)
    held: set[str] = field(default_factory=set)
    wake_s: float = 0.0
    offline_until_s: float = 0.0
    associate_id: str = "a0001"
    copies: list[tuple[Path, set[str]]] = field(default_factory=list)
    database: TabletFile = field(init=False)
    driver: SyncDriver = field(init=False)
    make_id: Callable[[], str] = field(init=False)
    starts: int = 0
    app_version: str = APP_VERSION

    @property
    def path(self) -> Path:
        return self.folder / "tablet.db"

    @property
    def raw(self) -> Any:
        """The connection below the tripwire, for the checks."""
        tripped: Any = self.database._connection._raw
        return tripped._raw

    def start(self) -> None:
        """Open the file and begin a worker on it."""
        self.starts += 1
        self.database = open_tablet_database(self.path, KEY, clock=self.clock, chance=self.chance)
        connection = self.database._connection
        connection._raw = TrippedConnection(connection._raw, self.wire)  # type: ignore[assignment]
        self.make_id = Uuid7(self.clock.now, self.chance.bits, after=self.database.newest_op_id())
        self.driver = SyncDriver(
            self.database,
            make_endpoint(self.transport, self._token),
            self.clock,
            self.chance,
            app_version=self.app_version,
            owner=f"{self.name} {self.starts}",
        )
        self.wake_s = self.time.now_s

    def _token(self) -> str | None:
        device = self.database.device()
        return device.token if device else None

    def enrol(self, hq: Headquarters) -> None:
        """Connect, or connect anew, with a fresh code."""
        code = make_code(hq, self.store).code
        install_id = self.database.install_id()
        request = EnrollRequest(code=code, name=self.name, install_id=install_id, app=self.app_version)
        reply = make_endpoint(self.transport, self._token).enroll(request)
        identity = DeviceIdentity(
            server_url="http://hq.test",
            device_id=reply.device_id,
            token=reply.token,
            name=self.name,
            store=reply.store,
            receipt_key=reply.receipt_key,
        )
        self.database.save_device(identity)
        self.driver.ring("asked")
        self.wake_s = self.time.now_s

    def make_op(self, kind: str, body: dict[str, Any], **envelope: Any) -> NewOp:
        """An op as the services make it."""
        given: dict[str, Any] = {
            "op_id": self.make_id(),
            "kind": kind,
            "scope": f"store:{self.store}",
            "associate_id": self.associate_id,
            "occurred_at": format_at(self.clock.now()),
            "body": body,
        }
        return NewOp(**(given | envelope))

    def record(self, op: NewOp) -> Op:
        """Record it; a PowerCut may come through."""
        recorded = self.database.record([op])[0]
        self.driver.ring("record")
        self.wake_s = min(self.wake_s, self.time.now_s)
        return recorded

    def step(self) -> None:
        """One action of the worker."""
        self.wake_s = self.time.now_s + self.driver.step()

    # what happens to devices

    def cut_power(self) -> None:
        """The program is gone; what was committed is in the files as they are, the write-ahead log included."""
        saved = self.folder / "saved"
        self.copy_files(saved)
        self.database.close()
        self.put_files(saved)
        self.wire.trick = None
        self.start()

    def copy_files(self, folder: Path) -> None:
        """The files as they lie on the disk at this moment."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for suffix in _FILES:
            source = Path(str(self.path) + suffix)
            if source.exists():
                shutil.copy(source, folder / source.name)

    def remove_files(self, *, is_with_sidecar: bool = True) -> None:
        """The database is gone from the disk."""
        for suffix in ("", "-wal", "-shm", *((SIDECAR,) if is_with_sidecar else ())):
            Path(str(self.path) + suffix).unlink(missing_ok=True)

    def put_files(self, folder: Path, *, is_with_sidecar: bool = True) -> None:
        """Put copied files in place of what is there."""
        self.remove_files(is_with_sidecar=is_with_sidecar)
        for found in sorted(folder.iterdir()):
            if is_with_sidecar or not found.name.endswith(SIDECAR):
                shutil.copy(found, self.folder / found.name)

    def keep_copy(self) -> None:
        """Somebody copies the tablet's whole folder."""
        place = self.folder / f"copy-{len(self.copies)}"
        self.copy_files(place)
        self.copies.append((place, set(self.held)))

    def restore_copy(self, chance: random.Random) -> None:
        """The tablet goes on with an old copy, with or without the small file beside it."""
        place, held = chance.choice(self.copies)
        self.database.close()
        self.put_files(place, is_with_sidecar=chance.random() < 0.7)
        self.held = set(held)
        self.start()

    def wipe(self) -> None:
        """All files of the tablet are gone, or all but the small one."""
        self.database.close()
        self.remove_files(is_with_sidecar=self.chance.uniform(0, 1) < 0.7)
        self.held = set()
        self.copies = []
        self.start()

    def lose_sidecar(self) -> None:
        """The small file never reached the disk before the power went."""
        self.cut_power()
        self.database.close()
        Path(str(self.path) + SIDECAR).unlink(missing_ok=True)
        self.start()

    def change_app(self, version: str) -> None:
        """The program ends and comes back in another version."""
        self.app_version = version
        self.cut_power()

    def close(self) -> None:
        self.database.close()
        self.transport.close()
