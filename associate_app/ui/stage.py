"""What all sessions of one process share: the floor and its thread, the one sync engine, the heart, who is signed in.

`open_stage` takes a tablet as `bootstrap` puts it together and starts its sync; `main.py` and `hub.py` give its
`run_session` to Flet. No screen lives here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, cast

import flet as ft

from associate_app.ports import Chance, Clock, CodeReader, SyncEndpoint, TabletDatabase
from associate_app.services.enrol import Invitation, enrol_tablet, show_earlier
from associate_app.services.slice_walk import NOTHING, Gleaned, SliceWalk
from associate_app.services.store_book import StoreBooks
from associate_app.sync.doorbell import Doorbell
from associate_app.sync.driver import SyncDriver
from associate_app.sync.pictures import PictureFetcher
from associate_app.sync.status import SyncStatus
from associate_app.sync.steps import Ring
from associate_app.sync.worker import DoorbellThread, OpeningThread, PictureThread, SyncThread
from associate_app.ui.app import run_session
from associate_app.ui.floor import Engine, TabletFloor
from associate_app.ui.practice import practice_maker
from associate_app.ui.shifts import Shifts
from associate_app.ui.state import Floor, Heart

_STOP_S: Final = 3.0


class Tablet(Protocol):
    """The parts of a tablet that the screens and the sync engine stand on (`bootstrap.Tablet`)."""

    @property
    def clock(self) -> Clock:
        """The device's clock."""

    @property
    def chance(self) -> Chance:
        """The device's chance."""

    @property
    def op_ids(self) -> Callable[[], str]:
        """Op ids in rising order."""

    @property
    def code_reader(self) -> CodeReader:
        """For picture files: patient."""

    @property
    def frame_reader(self) -> CodeReader:
        """For camera frames: one quick look each."""

    @property
    def books(self) -> StoreBooks:
        """What this tablet knows of its store."""

    def open_database(self) -> TabletDatabase:
        """A connection of the caller's own."""

    def open_practice(self) -> TabletDatabase:
        """An empty database in memory."""

    def connect(self, invitation: Invitation) -> SyncEndpoint:
        """HQ at an invitation's address."""

    def open_endpoint(self, database: TabletDatabase) -> SyncEndpoint:
        """HQ as this tablet's identity says."""

    def open_driver(self) -> tuple[SyncDriver, Callable[[], None]]:
        """The sync worker on a connection of its own."""

    def open_fetcher(self, status: Callable[[], SyncStatus]) -> tuple[PictureFetcher, Callable[[], None]]:
        """What fetches pictures, on a connection of its own."""


class NetworkSwitch:
    """The demo's switch that takes the network away: it shuts the tablet's door to HQ and nothing else."""

    def __init__(self) -> None:
        self.is_cut = False

    def is_open(self) -> bool:
        """Whether the network is let through."""
        return not self.is_cut


class SyncEngine:
    """The one sync engine of a process: started when the tablet is connected, stopped with the process."""

    def __init__(self, tablet: Tablet, database: TabletDatabase, heart: Heart) -> None:
        self._tablet, self._database, self._heart = tablet, database, heart
        self._worker = SyncThread(tablet.open_driver)
        self._pictures = PictureThread(lambda: tablet.open_fetcher(self.status))
        self._doorbell: DoorbellThread | None = None
        self._walk = OpeningThread(self._open_walk, name="floorside walk")
        self._gleaned = NOTHING

    def start(self) -> None:
        """Start once this tablet is connected; again does nothing."""
        if self._doorbell is not None or self._database.device() is None:
            return
        self._worker.subscribe(lambda _: self._heart.beat())
        self._worker.start()
        bell = Doorbell(
            self._tablet.open_endpoint(self._database),
            self.status,
            lambda: self._worker.ring("doorbell"),
            self._tablet.chance,
        )
        self._doorbell = DoorbellThread(bell)
        self._doorbell.start()
        self._pictures.start()
        self._walk.start()

    def stop(self) -> None:
        """Ask the threads to end; the doorbell's long wait is not waited for, nor a picture on its way."""
        if self._doorbell is not None:
            self._doorbell.stop(timeout_s=0.1)
            self._pictures.stop(timeout_s=0.1)
            self._walk.stop()
            self._worker.stop(timeout_s=_STOP_S)

    def status(self) -> SyncStatus:
        """How sync stands."""
        return self._worker.status()

    def gleaned(self) -> Gleaned:
        """What the last walk through the slice found."""
        return self._gleaned

    def _open_walk(self) -> tuple[SliceWalk, Callable[[], None]]:
        database = self._tablet.open_database()
        return SliceWalk(database, self._tablet.books, self._tablet.clock, self._found), database.close

    def _found(self, gleaned: Gleaned) -> None:
        """On the walk's thread: Today re-reads."""
        self._gleaned = gleaned
        self._heart.beat()

    def ring(self, reason: str) -> None:
        """Wake the worker: `record` after a commit, `asked` for *Send now*."""
        self._worker.ring(cast(Ring, reason))

    def enrol(self, invitation: Invitation, name: str, language: str = "en", *, app: str) -> None:
        """Connect this tablet and start. Raises Refused with a sentence."""
        invitation = show_earlier(self._database, invitation)
        enrol_tablet(self._database, self._tablet.connect, invitation, name=name, app=app, language=language)
        if self._doorbell is not None:
            self._worker.reopen()
        self.start()


@dataclass(frozen=True, slots=True)
class Stage:
    """What `run_session` needs besides the page, and what ends with the process."""

    floor: Floor
    worker: Executor
    heart: Heart
    shifts: Shifts
    engine: SyncEngine
    database: TabletDatabase

    @property
    def run_session(self) -> Callable[[ft.Page], Awaitable[None]]:
        """Draws the app on a page; Flet calls it once a session."""
        return partial(run_session, self.floor, self.worker, self.heart, self.shifts)

    @property
    def is_enrolled(self) -> bool:
        """Whether this tablet is connected to a store."""
        return self.database.device() is not None

    def close(self) -> None:
        """Stop sync, let what is being saved be saved, close the database."""
        self.engine.stop()
        self.worker.shutdown(wait=True)
        self.database.close()


def open_stage(tablet: Tablet, *, app: str, switch: NetworkSwitch | None = None) -> Stage:
    """Open a tablet for its screens and start its sync."""
    database, heart = tablet.open_database(), Heart()
    engine = SyncEngine(tablet, database, heart)
    parts = tablet.clock, (tablet.code_reader, tablet.frame_reader), tablet.op_ids
    floor = TabletFloor(
        database,
        tablet.books,
        *parts,
        Engine(
            status=engine.status,
            ring=engine.ring,
            enrol=partial(engine.enrol, app=app),
            gleaned=engine.gleaned,
            is_cut=(lambda: switch.is_cut) if switch else None,
            cut=partial(_cut, switch, engine) if switch else None,
        ),
        practice_maker(tablet.open_practice, *parts),
    )
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="floor")
    engine.start()
    return Stage(floor, worker, heart, Shifts(tablet.clock.monotonic_s), engine, database)


def _cut(switch: NetworkSwitch, engine: SyncEngine, is_cut: bool) -> None:
    switch.is_cut = is_cut
    engine.ring("asked")
