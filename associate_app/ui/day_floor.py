"""Today, the calendar, the playbook and the library as the screens ask for them: a part of `floor.py`, and like it
called on the floor's own thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from associate_app.ports import Clock, TabletDatabase
from associate_app.services.lookup import ShopperKey
from associate_app.services.record import Recorder, mark_play_read, pin_shopper, play_of, tick_task
from associate_app.services.slice_walk import Gleaned
from associate_app.services.store_book import StoreBook, StoreBooks
from associate_app.ui.faces import AssociateFace, BookPlay, TodayFace
from associate_app.ui.helped_told import helped_told
from associate_app.ui.library_told import library_told
from associate_app.ui.overview import Overview
from associate_app.ui.reaching_out import take_up_as_told, today_lists_told
from associate_app.ui.state import Saved
from associate_app.ui.today_faces import EntryFace, HelpedFace, TextFace, TodayLists
from associate_app.ui.week import plays_told, week_told
from associate_app.ui.words import Speaker


class DayFloor:
    """What `TabletFloor` holds is here by name alone."""

    _database: TabletDatabase
    _books: StoreBooks
    _clock: Clock
    _overview: Overview
    _gleaned: Callable[[], Gleaned]

    def _words(self) -> Speaker:
        raise NotImplementedError

    def _recorder(self, associate_id: str) -> Recorder:
        raise NotImplementedError

    def _shopper(self, token: str) -> ShopperKey:
        raise NotImplementedError

    def _associate_names(self) -> Mapping[str, str]:
        raise NotImplementedError

    def _book(self) -> StoreBook:
        return self._books.read(self._database)

    def today(self, associate: AssociateFace) -> TodayFace:
        """What of Today is at hand at once."""
        return self._overview.today(self._book(), associate, self._words(), self._clock.now())

    def today_lists(self, associate_id: str) -> TodayLists:
        """Today's lists of shoppers, each looked at once more."""
        now = self._clock.now()
        return today_lists_told(self._database, self._book(), self._gleaned(), self._words(), now, associate_id)

    def take_up(self, key: str, associate_id: str) -> Saved:
        """Promise a word to a shopper of the list, for today."""
        return take_up_as_told(self._recorder(associate_id), self._book(), self._words(), key)

    def pin(self, token: str, associate_id: str, *, is_pinned: bool) -> None:
        """Keep the shopper of a card among one's own, or no more."""
        pin_shopper(self._recorder(associate_id), self._shopper(token), is_pinned=is_pinned)

    def week(self) -> tuple[EntryFace, ...]:
        """The calendar of the week with the store's tasks."""
        names = self._associate_names()
        return week_told(self._database, self._book(), self._words(), self._clock.now(), names)

    def tick(self, entry: str, task: str, associate_id: str, *, is_done: bool) -> None:
        """Tick a task of the calendar, or take the tick away."""
        tick_task(self._recorder(associate_id), entry, task, is_done=is_done)

    def helped(self) -> HelpedFace:
        """How digital helped this store, as HQ counted it last."""
        return helped_told(self._database, self._book(), self._words(), self._clock.now())

    def playbook(self, associate_id: str) -> tuple[BookPlay, ...]:
        """All plays that run here, without a shopper."""
        return plays_told(self._database, self._book(), self._words(), self._clock.now(), associate_id)

    def library(self, associate_id: str) -> tuple[TextFace, ...]:
        """Message templates, guides and event texts; the associate signs."""
        name = self._associate_names().get(associate_id, "").split(" ")[0]
        return library_told(self._database, self._book(), self._words(), name)

    def note_read(self, play_id: str, associate_id: str) -> None:
        """An associate has read a play."""
        mark_play_read(self._recorder(associate_id), play_of(self._book(), play_id))
