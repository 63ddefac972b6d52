"""Everything a use case of the server needs, in one frozen object made by `bootstrap` and passed down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from shared.clock import format_at
from sync_server.ports import CentralDatabase, CentralWriter, Chance, Clock, Mark, WriteQueue
from sync_server.services.custody import KeyStock
from sync_server.services.doorbell import Doorbell
from sync_server.settings import Settings

R = TypeVar("R")
T = TypeVar("T")


class MediaShelf(Protocol):
    """Pictures by the SHA-256 of their bytes."""

    def find(self, sha: str) -> bytes | None:
        """The picture's bytes (WebP); None when there is none."""

    def add(self, content: bytes) -> str:
        """Keep a picture of any common format as a 320 px WebP; returns its sha. Raises Refused, StorageFull."""

    def sha_of_picture(self, name: str) -> str | None:
        """The sha of a picture that came with the project, by its file name."""


class NoQueue:
    """A `WriteQueue` where nobody waits: each request is done at once, on the caller's own thread."""

    async def take(self, read: Callable[[], R], write: Callable[[R], T]) -> T:
        """Do it now."""
        return write(read())


class Guard(Protocol):
    """Remembers outside the database how far its history had come."""

    @property
    def place(self) -> str:
        """Where it lies, for people."""

    def read(self) -> Mark | None:
        """What was written last; None for nothing."""

    def write(self, mark: Mark) -> None:
        """Replace what was written."""


class NoGuard:
    """A guard that remembers nothing: where no folder outlives the database."""

    place = "nowhere"

    def read(self) -> Mark | None:
        """Nothing."""
        return None

    def write(self, mark: Mark) -> None:
        """Forget it."""


@dataclass(frozen=True, slots=True)
class Headquarters:
    """The server's parts: ports, settings, the doorbell and the guard. `make_id` gives UUIDv7s in rising order."""

    database: CentralDatabase
    keys: KeyStock
    clock: Clock
    chance: Chance
    settings: Settings
    make_id: Callable[[], str]
    media: MediaShelf
    doorbell: Doorbell = field(default_factory=Doorbell)
    queue: WriteQueue = field(default_factory=NoQueue)
    guard: Guard = field(default_factory=NoGuard)

    def now_at(self) -> str:
        """This moment as a wire time."""
        return format_at(self.clock.now())

    def secret_text(self, bits: int = 256) -> str:
        """A fresh unguessable text, from the chance port: letters and digits, so no shell takes it for an option."""
        alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
        drawn = self.chance.bits(bits)
        return "".join(alphabet[(drawn >> place) & 31] for place in range(0, bits, 5))

    def note_audit(self, tx: CentralWriter, who: str, did: str, about: str) -> None:
        """Write down who did what, inside the caller's transaction."""
        row = {"audit_id": self.make_id(), "at": self.now_at(), "who": who, "did": did, "about": about}
        tx.put_row("audit", row)
