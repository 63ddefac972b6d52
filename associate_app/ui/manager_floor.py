"""The part of the floor that only store managers enter. Made by `floor.py` for a question; who asks is checked here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from associate_app.ports import Clock, DeviceIdentity, TabletDatabase
from associate_app.services.matching import Matching
from associate_app.services.override import Approval, is_manager
from associate_app.services.overrides_here import take_back
from associate_app.services.pin_reset import confirm, set_pin
from associate_app.services.record import Recorder
from associate_app.services.sign_in import associates_here
from associate_app.services.store_book import StoreBook, StoreBooks
from associate_app.ui.approving import approvals_told, people_told, tablets_told
from associate_app.ui.manager_faces import ApprovalsFace, MatchesFace, PersonFace, ReviewsFace, TabletsFace
from associate_app.ui.manager_state import NewPin
from associate_app.ui.refused_words import no_of
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

    def people(self, associate_id: str) -> tuple[PersonFace, ...]:
        """Who works here and how their PIN stands."""
        _, _, words, now = self._enter(associate_id)
        return people_told(self.database, associate_id, words, now)

    def confirm(self, pin: str, associate_id: str) -> str | None:
        """Check the manager's own PIN."""
        _, book, words, _ = self._enter(associate_id)
        try:
            confirm(self.recorder(associate_id), book, Approval(associate_id, pin), language=words.language)
        except Refused as no:
            return no_of(no, words)
        return None

    def set_pin(self, new: NewPin, associate_id: str) -> str:
        """Give somebody a new PIN."""
        _, book, words, _ = self._enter(associate_id)
        approval = Approval(associate_id, new.managers_pin)
        asked = (self.recorder(associate_id), book, new.associate_id, new.pin, approval)
        set_pin(*asked, language=words.language)
        name = next(one.name for one in associates_here(self.database) if one.associate_id == new.associate_id)
        return words("pins.saved", name=name)

    def approvals(self, associate_id: str) -> ApprovalsFace:
        """What waits, was given and decided."""
        _, book, words, now = self._enter(associate_id)
        return approvals_told(self.recorder(associate_id), book, words, now)

    def take_back(self, key: str, associate_id: str) -> str:
        """Take an override back."""
        _, book, words, _ = self._enter(associate_id)
        take_back(self.recorder(associate_id), book, key, language=words.language)
        return words("approvals.undone")

    def tablets(self, associate_id: str) -> TabletsFace:
        """The tablets of the store."""
        device, book, words, now = self._enter(associate_id)
        return tablets_told(self.database, book, device, words, now)

    def _enter(self, associate_id: str) -> tuple[DeviceIdentity, StoreBook, Speaker, datetime]:
        """What every answer is made of. Raises Refused for who is no manager, or no longer one."""
        device, words = self.database.device(), self.words()
        if device is None or not is_manager(self.database, associate_id):
            raise Refused(words("managers.only"))
        return device, self.books.read(self.database), words, self.clock.now()
