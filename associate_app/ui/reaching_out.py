"""Today's lists of shoppers as screens see them: one's own, who is here, who is worth a word. Beside `floor.py`.

Whom to list is the services'; here they become rows.
"""

from __future__ import annotations

from datetime import datetime

from associate_app.ports import TabletDatabase
from associate_app.services.lookup import Held
from associate_app.services.own_shoppers import (
    Arrival,
    OwnShopper,
    WorthAWord,
    here_now,
    my_shoppers,
    take_up,
    worth_a_word,
)
from associate_app.services.record import Recorder
from associate_app.services.slice_walk import Gleaned
from associate_app.services.store_book import StoreBook
from associate_app.ui.faces import ShopperRow, initials_of
from associate_app.ui.promise_words import what_of
from associate_app.ui.state import Saved
from associate_app.ui.today_faces import TodayLists, WordRow
from associate_app.ui.words import Speaker


def today_lists_told(
    database: TabletDatabase, book: StoreBook, gleaned: Gleaned, words: Speaker, now: datetime, associate_id: str
) -> TodayLists:
    """All three lists."""
    here = here_now(database, book, gleaned, now)
    ids = {one.held.shopper.profile_id for one in here}
    worth = worth_a_word(database, book, gleaned, now, words.language, here=ids)
    return TodayLists(
        mine=tuple(_own_row(one, words) for one in my_shoppers(database, book, gleaned, associate_id, now)),
        here=tuple(_here_row(one, words) for one in here),
        words=tuple(_word_row(one, words) for one in worth),
        is_looking=not gleaned.is_whole,
    )


def _row(held: Held, hint: str, words: Speaker) -> ShopperRow:
    profile = held.profile
    name = profile.name or words("card.unnamed")
    return ShopperRow(held.shopper.profile_id, name, initials_of(profile.name), hint, profile.tier)


def _own_row(one: OwnShopper, words: Speaker) -> ShopperRow:
    served = words("today.served", day=words.day(one.served_at)) if one.served_at else None
    pinned = words("today.pinned") if one.is_pinned else None
    return _row(one.held, " · ".join(part for part in (pinned, served) if part), words)


def _here_row(one: Arrival, words: Speaker) -> ShopperRow:
    return _row(one.held, words("today.here_since", time=words.time(one.at)), words)


def _word_row(one: WorthAWord, words: Speaker) -> WordRow:
    return WordRow(_row(one.held, "", words), one.word.play.title, one.word.play.why, one.word.way[0])


def take_up_as_told(recorder: Recorder, book: StoreBook, words: Speaker, profile_id: str) -> Saved:
    """Promise it for today. Raises Refused where it is no longer worth a word."""
    one, saved = take_up(recorder, book, profile_id, words.language)
    name = one.held.profile.given_name or one.held.profile.name or words("card.unnamed")
    told = words("today.word_saved", what=what_of(one.word.way[0], words), name=name)
    return Saved(saved.op_id, "", told)
