"""Puts a tablet together: the one place that knows which adapter stands behind which port.

The screens, the command line and the packaged app all start from `make_tablet`. Each thread that works by itself opens
its own database connection and, if it talks to HQ, its own endpoint.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from associate_app.adapters.code_reader import make_code_reader
from associate_app.adapters.http import HttpEndpoint
from associate_app.adapters.key_store import choose_key_store
from associate_app.adapters.picture_shelf import FilePictureShelf
from associate_app.adapters.sqlite import TabletFile, open_memory_database, open_tablet_database
from associate_app.adapters.system import SystemChance, SystemClock
from associate_app.ports import Chance, Clock, CodeReader, KeyStore, TabletDatabase
from associate_app.services.enrol import Invitation
from associate_app.services.record import Recorder
from associate_app.services.store_book import StoreBooks, read_tablet_rules
from associate_app.settings import APP_VERSION, DATABASE_NAME, Settings
from associate_app.sync.driver import SyncDriver
from associate_app.sync.pictures import PictureFetcher
from associate_app.sync.status import SyncStatus
from shared.errors import Damaged, Refused
from shared.ids import Uuid7

_OWNER_BITS: Final = 64


class OpIds:
    """Makes op ids in rising order for every thread of this process, after all that the journal ever held."""

    def __init__(self, clock: Clock, chance: Chance, *, after: str | None) -> None:
        self._make = Uuid7(clock.now, chance.bits, after=after)
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """The next op id."""
        with self._lock:
            return self._make()


@dataclass(frozen=True, slots=True)
class Tablet:
    """A tablet's parts. `gate` says whether the network is let through: the demo's switch takes it away."""

    settings: Settings
    clock: Clock
    chance: Chance
    key: str
    op_ids: OpIds
    code_reader: CodeReader
    """For picture files: patient."""
    frame_reader: CodeReader
    """For camera frames: one quick look each."""
    pictures: FilePictureShelf
    books: StoreBooks = field(default_factory=StoreBooks)
    gate: Callable[[], bool] = lambda: True

    def open_database(self) -> TabletFile:
        """A connection of the caller's own; close it."""
        return open_tablet_database(self.settings.database_path, self.key, clock=self.clock, chance=self.chance)

    def open_practice(self) -> TabletFile:
        """An empty database in memory, of the practice store's own."""
        return open_memory_database(clock=self.clock, chance=self.chance)

    def connect(self, invitation: Invitation) -> HttpEndpoint:
        """HQ at an invitation's address, before this tablet has a token of it."""
        return HttpEndpoint(
            invitation.url,
            token=lambda: invitation.earlier_token,
            ca_fingerprint=invitation.ca_fingerprint,
            gate=self.gate,
        )

    def open_endpoint(self, database: TabletDatabase) -> HttpEndpoint:
        """HQ as this tablet's identity says. Raises Refused while it has none."""
        device = database.device()
        if device is None:
            raise Refused("This tablet is not connected to a store yet. Connect it with an enrolment code first.")

        def token() -> str | None:
            held = database.device()
            return held.token if held else None

        return HttpEndpoint(device.server_url, token=token, ca_fingerprint=device.ca_fingerprint, gate=self.gate)

    def open_driver(self) -> tuple[SyncDriver, Callable[[], None]]:
        """The sync worker on a connection of its own, and what closes both: for `SyncThread`, and for one round.

        Raises Refused while this tablet is not connected.
        """
        database = self.open_database()
        try:
            endpoint = self.open_endpoint(database)
        except Refused:
            database.close()
            raise
        driver = SyncDriver(
            database,
            endpoint,
            self.clock,
            self.chance,
            app_version=APP_VERSION,
            owner=f"{os.getpid()}-{self.chance.bits(_OWNER_BITS):x}",
            wipe_after_days=read_tablet_rules(database).wipe_d,
            pictures=self.pictures,
        )

        def shut() -> None:
            endpoint.close()
            database.close()

        return driver, shut

    def open_fetcher(self, status: Callable[[], SyncStatus]) -> tuple[PictureFetcher, Callable[[], None]]:
        """What fetches pictures, on a connection of its own, and what closes both. Raises Refused like the driver."""
        database = self.open_database()
        try:
            endpoint = self.open_endpoint(database)
        except Refused:
            database.close()
            raise

        def shut() -> None:
            endpoint.close()
            database.close()

        return PictureFetcher(database, endpoint, self.pictures, status, self.clock, self.chance), shut

    def recorder(
        self, database: TabletDatabase, associate_id: str | None, ring: Callable[[], None] = lambda: None
    ) -> Recorder:
        """What the use cases of `services/record.py` need; `ring` wakes the sync worker after a commit."""
        return Recorder(database, self.clock, self.op_ids, ring, associate_id)


def make_tablet(
    settings: Settings,
    *,
    clock: Clock | None = None,
    chance: Chance | None = None,
    gate: Callable[[], bool] = lambda: True,
) -> Tablet:
    """Make (and at first use begin) the tablet of a data folder. Raises Damaged or StorageFull with one sentence."""
    clock, chance = clock or SystemClock(), chance or SystemChance()
    _make_folder(settings)
    store = choose_key_store(settings.data_dir, DATABASE_NAME, is_own_folder=settings.is_own_folder)
    _check_key(settings, store)
    key = store.database_key(DATABASE_NAME)
    database = open_tablet_database(settings.database_path, key, clock=clock, chance=chance)
    try:
        op_ids = OpIds(clock, chance, after=database.newest_op_id())
    finally:
        database.close()
    readers = make_code_reader(), make_code_reader(is_thorough=False)
    shelf = FilePictureShelf(settings.media_dir)
    return Tablet(settings, clock, chance, key, op_ids, *readers, shelf, gate=gate)


def _check_key(settings: Settings, store: KeyStore) -> None:
    """Records without their key: making a new one would only hide that the old one is missing."""
    path = settings.database_path
    if path.exists() and path.stat().st_size > 0 and not store.has_key(DATABASE_NAME):
        raise Damaged(
            f"The key of this tablet's records ({path}) is missing, so they cannot be opened. Put the key back from a "
            "copy, or move the whole folder aside and connect the tablet again; all that HQ confirmed is safe there."
        )


def erase_tablet(settings: Settings) -> None:
    """Delete a tablet's key, records and pictures; the key first, so that whatever stays behind is noise.

    Whether anything would be lost was asked before (`services/parting.py`). Raises Damaged where the key cannot go.
    """
    choose_key_store(settings.data_dir, DATABASE_NAME, is_own_folder=settings.is_own_folder).forget(DATABASE_NAME)
    for path in settings.data_dir.glob(f"{settings.database_path.name}*"):
        path.unlink(missing_ok=True)
    FilePictureShelf(settings.media_dir).clear()


def _make_folder(settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise Damaged(
            f"The folder {settings.data_dir} cannot be made ({problem.strerror}). Name another one with --data-dir, or "
            "let this account write there."
        ) from problem
