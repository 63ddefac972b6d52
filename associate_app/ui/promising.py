"""Follow-ups as screens see them: what may be promised, what is due and whose it is, in words. Beside `floor.py`.

The rules are the services'; here chosen days become dates, and promises become rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Final

from associate_app.ports import TabletDatabase
from associate_app.services.follow_ups import (
    Wish,
    days_offered,
    drop,
    due_day,
    finish,
    follow_ups_open,
    hand_over,
    move,
    promise_follow_up,
    ways_open,
)
from associate_app.services.lookup import ShopperKey, name_of
from associate_app.services.record import Recorder
from associate_app.services.sign_in import names_here
from associate_app.services.store_book import StoreBook
from associate_app.ui.faces import DaysFace, FollowUpRow, FollowUpsFace, PromiseFace, ShopperRow, initials_of
from associate_app.ui.promise_words import day_of, owner_of, what_of
from associate_app.ui.state import FollowUpChange, FollowUpWish, Saved
from associate_app.ui.words import Speaker
from shared.plays.inputs import zone_of
from shared.profile import full_name
from shared.promises import STORE, WAYS, Promise

WHEN: Final = ("overdue", "today", "upcoming")
_DAYS_AHEAD: Final = 28


def promisable(
    database: TabletDatabase, book: StoreBook, words: Speaker, now: datetime, shopper: ShopperKey
) -> PromiseFace:
    """What may be promised to a shopper, and for which days."""
    ways = ways_open(database, shopper)
    return PromiseFace(ways, len({what for what, _ in ways}) < len(WAYS), _days(book.today(now), words))


def _days(today: date, words: Speaker) -> DaysFace:
    offered = days_offered(today)
    named = tuple((day.isoformat(), words(f"follow_ups.day.{name}")) for name, day in offered)
    every = (today + timedelta(days=n) for n in range(_DAYS_AHEAD))
    days = {day for _, day in offered}
    return DaysFace(named, tuple((day.isoformat(), day_of(day, today, words)) for day in every if day not in days))


def promise_as_told(
    recorder: Recorder, book: StoreBook, words: Speaker, shopper: ShopperKey, wish: FollowUpWish
) -> Saved:
    """Record it. Raises Refused for a way they did not agree to and for a day that is over."""
    day = date.fromisoformat(wish.day)
    told = Wish(wish.what, wish.channel, day, is_mine=wish.is_mine, text=wish.text)
    saved = promise_follow_up(recorder, book, shopper, told)
    when = day_of(day, book.today(recorder.clock.now()), words)
    return Saved(saved.op_id, "", words("follow_ups.made", what=what_of(wish.what, words), day=when))


def follow_ups_told(
    database: TabletDatabase, book: StoreBook, words: Speaker, now: datetime, associate_id: str
) -> FollowUpsFace:
    """What is still to be done in this store, soonest first."""
    names = names_here(database)
    teller = _Teller(database, book, words, now, names, associate_id)
    others = tuple((id_, name) for id_, name in names.items() if id_ != associate_id)
    here = ((associate_id, words("follow_ups.mine")), (STORE, words("follow_ups.the_store")))
    rows = tuple(teller.row(one) for one in follow_ups_open(database))
    return FollowUpsFace(rows, (*here, *others), _days(book.today(now), words))


def due_counts(rows: Iterable[FollowUpRow]) -> tuple[int, int, int]:
    """How many are overdue, due today, upcoming."""
    told = [row.when for row in rows]
    return told.count("overdue"), told.count("today"), told.count("upcoming")


class _Teller:
    """One telling of the list: for whom, as of when."""

    def __init__(
        self,
        database: TabletDatabase,
        book: StoreBook,
        words: Speaker,
        now: datetime,
        names: dict[str, str],
        associate_id: str,
    ) -> None:
        self._database, self._words, self._names, self._associate_id = database, words, names, associate_id
        self._today, self._zone = book.today(now), zone_of(book.store.timezone)

    def row(self, one: Promise) -> FollowUpRow:
        """A follow-up in words."""
        day, shopper = due_day(one, self._zone, self._today), shopper_of(self._database, self._words, one)
        away = (day > self._today) - (day < self._today)
        return FollowUpRow(
            key=one.op_id,
            title=called(self._database, self._words, one, shopper),
            hint=" · ".join(self._hint(one, day)),
            when=WHEN[away + 1],
            whose=self._whose(one.standing.owner),
            shopper=shopper,
        )

    def _hint(self, one: Promise, day: date) -> Iterator[str]:
        yield what_of(one.body.get("what"), self._words)
        if text := one.body.get("text"):
            yield str(text)
        yield day_of(day, self._today, self._words)
        if owner := owner_of(one.standing.owner, self._names, self._words):
            yield owner

    def _whose(self, owner: str) -> str:
        return "mine" if owner == self._associate_id else "store" if owner == STORE else "others"


def shopper_of(database: TabletDatabase, words: Speaker, one: Promise) -> ShopperRow | None:
    """Who it was promised to: by the profile HQ names, or by what was scanned here; None where neither is known."""
    told = one.body.get("shopper") or {}
    for type_, value in (("profile_id", one.profile_id), (str(told.get("type")), told.get("value"))):
        held = database.find_profile(type_, value) if value else None
        if held is not None:
            name = name_of(database, type_, value) or words("card.unnamed")
            return ShopperRow(held.body["id"], name, initials_of(name), "")
    return None


def called(database: TabletDatabase, words: Speaker, one: Promise, shopper: ShopperRow | None) -> str:
    """How the shopper of a promise is called: as their card says, or as they told this tablet when they joined."""
    if shopper is not None:
        return shopper.name
    told = one.body.get("shopper") or {}
    joined = database.newest_about("shopper_enrolled", None, [(str(told.get("type")), str(told.get("value")))])
    return (full_name(joined.op.body) if joined else "") or words("follow_ups.unknown")


def change_as_told(recorder: Recorder, book: StoreBook, words: Speaker, key: str, change: FollowUpChange) -> Saved:
    """Record what became of a follow-up. Raises Refused where a colleague was quicker."""
    if change.deed == "moved":
        day = date.fromisoformat(change.day)
        saved = move(recorder, book, key, day)
        told = words("follow_ups.saved.moved", day=day_of(day, book.today(recorder.clock.now()), words))
    elif change.deed == "handed_over":
        saved = hand_over(recorder, key, change.to)
        names = names_here(recorder.database)
        told = words("follow_ups.saved.handed_over", name=owner_of(change.to, names, words))
    elif change.deed == "dropped":
        saved, told = drop(recorder, key, change.reason), words("follow_ups.saved.dropped")
    else:
        saved, told = finish(recorder, key), words("follow_ups.saved.done")
    return Saved(saved.op_id, "", told)
