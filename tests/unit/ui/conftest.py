"""A real tablet database behind the real services and screens; only the browser is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from associate_app.adapters.sqlite import TabletFile, open_memory_database
from associate_app.services.enrol import Invitation
from associate_app.services.record import Recorder
from associate_app.services.store_book import StoreBooks
from associate_app.sync.status import SyncStatus
from associate_app.ui.app import run_session
from associate_app.ui.first_steps import WELL_KNOWN
from associate_app.ui.floor import Engine, TabletFloor
from associate_app.ui.practice import practice_maker
from associate_app.ui.shifts import Shifts
from associate_app.ui.state import Heart
from shared.errors import Refused
from tests.support.flet_harness import Replies, Screen
from tests.support.replica import ShopTablet, make_shop_tablet, op_ids, open_file
from tests.support.tablet import TabletClock
from tests.support.world import SeededChance

JONAS, PIN = "Jonas Weber", "2580"


class NoCodes:
    """Pictures without codes."""

    def read(self, picture: bytes) -> tuple[()]:
        return ()


@dataclass
class Store:
    """One process of the app: its tablet, its floor, and as many screens as a test opens."""

    shop: ShopTablet
    heart: Heart = field(default_factory=Heart)
    rings: list[str] = field(default_factory=list)
    status: SyncStatus = field(default_factory=SyncStatus)
    is_cut: bool = False
    worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    floor: Any = None
    shifts: Any = None

    def __post_init__(self) -> None:
        engine = Engine(
            status=lambda: self.status,
            ring=self.rings.append,
            enrol=self._enrol,
            is_cut=lambda: self.is_cut,
            cut=partial(setattr, self, "is_cut"),
        )
        shop = self.shop
        self.shifts = Shifts(shop.clock.monotonic_s)
        parts = shop.clock, (NoCodes(), NoCodes()), shop.recorder.make_id
        practise = practice_maker(self._open_practice, *parts)
        self.floor = TabletFloor(shop.database, shop.books, *parts, engine, practise)

    def _open_practice(self) -> TabletFile:
        return open_memory_database(clock=self.shop.clock, chance=SeededChance(7))

    def _enrol(self, invitation: Invitation, name: str, language: str) -> None:
        raise Refused("This code cannot be used: it is wrong, used up or expired. Ask HQ for a new one.")

    def open(self, route: str = "/", *, replies: Replies | None = None, **first: Any) -> Screen:
        """A browser that opens the app."""
        entry = partial(run_session, self.floor, self.worker, self.heart, self.shifts)
        return Screen(entry, route=route, replies=replies, **first)

    def kinds(self) -> list[str]:
        """What the journal holds, oldest first."""
        return [entry.op.kind for entry in reversed(self.shop.database.entries(limit=100))]

    def newest(self) -> dict[str, Any]:
        """The newest record's body."""
        return self.shop.database.entries(limit=1)[0].op.body


def known_store(shop: ShopTablet) -> Store:
    """A tablet on which English was chosen, and whose people know the app."""
    store = Store(shop)
    store.floor.speak("en")
    for person in store.floor.associates():
        store.floor.note_first_steps(person.associate_id, WELL_KNOWN)
    return store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A tablet of Berlin Mitte on a Sunday at 14:02 with Mara Lindqvist in its slice; English was chosen on it."""
    store = known_store(make_shop_tablet(tmp_path))
    yield store
    store.worker.shutdown(wait=True)
    store.shop.close()


@pytest.fixture
def new_store(tmp_path: Path) -> Iterator[Store]:
    """A tablet that was never connected."""
    clock = TabletClock()
    database = open_file(tmp_path, clock=clock)
    recorder = Recorder(database, clock, op_ids(), lambda: None)
    store = Store(ShopTablet(database, clock, recorder, StoreBooks(), []))
    yield store
    store.worker.shutdown(wait=True)
    database.close()


async def sign_in(screen: Screen, name: str = JONAS, pin: str = PIN) -> None:
    """Choose a name and enter the PIN."""
    await screen.see(name)
    await screen.press(name)
    await screen.see("Enter your PIN")
    for digit in pin:
        await screen.press(digit)
    await screen.press("Sign in")
    await screen.see("Scan loyalty QR")


async def scan(screen: Screen, code: str, expected: str) -> None:
    """Scan with the hand scanner and wait for words on the screen."""
    await screen.type_keys(code, enter=True)
    await screen.see(expected)


def played(play: Callable[[], Awaitable[None]]) -> None:
    """Run one test's coroutine."""
    asyncio.run(asyncio.wait_for(_run(play), 50))


async def _run(play: Callable[[], Awaitable[None]]) -> None:
    await play()
