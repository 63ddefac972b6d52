"""The practice store's floor: the same services and faces over a database in memory that no sync engine ever sees.

It refuses real cards, as a real floor refuses practice cards, so that nobody serves a shopper where nothing is kept. It
is the associate's own, made when they begin and dropped when they leave.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from associate_app.ports import Clock, CodeReader, TabletDatabase
from associate_app.services.practice import (
    PracticePlace,
    fill_practice,
    is_practice_card,
    practice_card,
    stranger_card,
)
from associate_app.services.store_book import StoreBooks
from associate_app.sync.status import SyncStatus
from associate_app.ui.faces import AssociateFace, PillFace, PillTone, PracticeCard, ResultFace
from associate_app.ui.floor import Engine, TabletFloor
from associate_app.ui.language import choose_language
from associate_app.ui.state import Floor, Pairing
from associate_app.ui.words import Speaker
from shared.documents import MANAGER
from shared.errors import Refused
from shared.scan_code import LoyaltyCard, LoyaltyNumber, read_code

_TRIED_WITH: Final = ("cart", "no_consent", "long_away")
"""What each shopper of the practice store is there for, in order of their numbers."""


def practice_maker(
    open_database: Callable[[], TabletDatabase],
    clock: Clock,
    readers: tuple[CodeReader, CodeReader],
    make_id: Callable[[], str],
) -> Callable[[AssociateFace, str, Speaker], Floor]:
    """What makes a practice store for an associate, given the real store's time zone and the words of now."""

    def make(associate: AssociateFace, timezone: str, words: Speaker) -> Floor:
        role = MANAGER if associate.is_manager else "associate"
        database = open_database()
        place = PracticePlace(associate.associate_id, associate.name, role, timezone, words("practice.store"))
        fill_practice(database, place, clock.now())
        choose_language(database, words.language)
        return PracticeFloor(database, StoreBooks(), clock, readers, make_id, _no_engine(), _no_practice)

    return make


def _no_engine() -> Engine:
    """Sync that does not exist: nothing is sent, and nobody can connect anything."""

    def refuse(*_: object) -> None:
        raise Refused("This is the practice store.")

    return Engine(status=SyncStatus, ring=lambda _: None, enrol=refuse)


def _no_practice(*_: object) -> Floor:
    raise Refused("This is the practice store.")


class PracticeFloor(TabletFloor):
    """See the module's head."""

    def pairing(self) -> Pairing:
        """Always connected, to the practice store."""
        words = self._words()
        return Pairing(words("practice.store"), words)

    def pill(self) -> PillFace:
        """Nothing here is ever sent, and the pill says so."""
        return PillFace(self._words()("practice.pill"), PillTone.WAITING)

    def practice_cards(self) -> tuple[PracticeCard, ...]:
        """The made-up shoppers with what each is there for, and one whom nobody knows."""
        words = self._words()
        cards = []
        held = sorted(self._database.documents("profile"), key=lambda one: one.id)
        for shopper, what in zip(held[: len(_TRIED_WITH)], _TRIED_WITH, strict=True):
            number = next(one["value"] for one in shopper.body["identifiers"] if one["type"] == "loyalty_id")
            name = f"{shopper.body['given_name']} {shopper.body['family_name']}"
            cards.append(PracticeCard(name, words(f"practice.try.{what}"), practice_card(number)))
        return (*cards, PracticeCard(words("practice.stranger"), words("practice.try.stranger"), stranger_card()))

    def _odd_to_practice(self, text: str, words: Speaker) -> ResultFace | None:
        """A real card, or a number nobody has here."""
        code = read_code(text, self._books.read(self._database).scan_rules)
        is_real_card = isinstance(code, LoyaltyCard) and not is_practice_card(text)
        is_real_number = isinstance(code, LoyaltyNumber) and self._is_unknown(code.loyalty_id)
        if not is_real_card and not is_real_number:
            return None
        return ResultFace(words("practice.real.title"), words("practice.real.text"), may_search=False)

    def _is_unknown(self, loyalty_id: str) -> bool:
        return self._database.find_profile("loyalty_id", loyalty_id) is None
