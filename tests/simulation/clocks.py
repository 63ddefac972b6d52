"""Virtual time of a simulation, and the files every simulated headquarters begins from. Nothing here waits."""

from __future__ import annotations

import functools
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.world import START, make_headquarters

MEMORY_DISK = Path("/dev") / "shm"


class TrueTime:
    """Seconds since the simulation began: moved by the schedule and by requests on their way."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def move(self, seconds: float) -> None:
        self.now_s += max(0.0, seconds)


class HeadquartersClock:
    """HQ's clock, which is right."""

    def __init__(self, time: TrueTime) -> None:
        self._time = time

    def now(self) -> datetime:
        return START + timedelta(seconds=round(self._time.now_s, 3))

    async def pause(self, seconds: float) -> None:
        self._time.move(seconds)


class TabletClock:
    """A tablet's clock: its wall side may be years off, its monotonic side only moves on."""

    def __init__(self, time: TrueTime) -> None:
        self._time = time
        self.skew_s = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=round(self._time.now_s + self.skew_s, 3))

    def monotonic_s(self) -> float:
        return 1000.0 + self._time.now_s


def open_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory where there is one: a simulated power cut never needs a real disk."""
    place = MEMORY_DISK if MEMORY_DISK.is_dir() else None
    return tempfile.TemporaryDirectory(prefix="floorside-simulation-", dir=place, ignore_cleanup_errors=True)


@functools.cache
def begin_headquarters() -> tempfile.TemporaryDirectory[str]:
    """A chain with two stores, made once a process: migrations are slow, and always the same."""
    place = open_folder()
    folder = Path(place.name)
    _write_keys(folder / "keys")
    hq = make_headquarters(f"sqlite:///{folder / 'central.db'}", folder)
    hq.database.close()
    return place


def _write_keys(folder: Path) -> None:
    """Keys that are the same in every run, so that cards, cursors and receipts are too."""
    folder.mkdir()
    for number, name in enumerate(("receipt-r1.pem", "card-1.pem"), 1):
        key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        (folder / name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for number, name in enumerate(("cursor.secret", "erasure.secret"), 3):
        (folder / name).write_text(f"{number:02x}" * 32 + "\n", encoding="ascii")


def copy_begun_headquarters(folder: Path) -> None:
    """Put the files of a chain that has just been made into a folder."""
    shutil.copytree(begin_headquarters().name, folder, dirs_exist_ok=True)
