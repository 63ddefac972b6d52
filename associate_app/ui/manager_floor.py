"""The part of the floor that only store managers enter. Made by `floor.py` for a question; who asks is checked here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from associate_app.ports import Clock, DeviceIdentity, TabletDatabase
from associate_app.services.matching import Matching
from associate_app.services.override import is_manager
from associate_app.services.record import Recorder
from associate_app.services.store_book import StoreBook, StoreBooks
from associate_app.ui.manager_faces import MatchesFace, ReviewsFace
from associate_app.ui.reviewing import matches_told, reviews_told
from associate_app.ui.words import Speaker
from shared.errors import Refused


@dataclass(frozen=True, slots=True)
class TabletOffice:
    """`Office` over this tablet."""

    database: TabletDatabase
    books: StoreBooks
    clock: Clock
    matching: Matching
    recorder: Callable[[str], Recorder]
    words: Callable[[], Speaker]

    def reviews(self, associate_id: str) -> ReviewsFace:
        """Every play that runs here or will."""
        device, book, words, now = self._enter(associate_id)
        return reviews_told(self.database, book, device, words, now)

    def matches(self, associate_id: str, *, is_afresh: bool = False) -> MatchesFace:
        """Look at some more shoppers."""
        _, book, words, now = self._enter(associate_id)
        return matches_told(self.matching.look_on(self.database, book, is_afresh=is_afresh), book, words, now)

    def _enter(self, associate_id: str) -> tuple[DeviceIdentity, StoreBook, Speaker, datetime]:
        """What every answer is made of. Raises Refused for who is no manager, or no longer one."""
        device, words = self.database.device(), self.words()
        if device is None or not is_manager(self.database, associate_id):
            raise Refused(words("managers.only"))
        return device, self.books.read(self.database), words, self.clock.now()
