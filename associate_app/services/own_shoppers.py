"""Today's three lists of shoppers: an associate's own, those who are here now, and those worth a word.

The walk (`slice_walk.py`) says whom to look at; each is looked at again here, with this tablet's own records over the
document, so that what was withdrawn, promised or bought a moment ago counts at once. Consent is asked here last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from associate_app.ports import TabletDatabase
from associate_app.services.follow_ups import Wish, promise_follow_up
from associate_app.services.lookup import Held, read_held
from associate_app.services.outreach import Word, may_reach_out, rank_of, word_for
from associate_app.services.record import Offered, Recorder, Saved
from associate_app.services.slice_walk import Gleaned, entered_at, served_by
from associate_app.services.store_book import StoreBook
from shared.clock import format_at
from shared.errors import Refused

WORDS_MAX: Final = 10
"""More is no list for one day."""
SERVED: Final = timedelta(days=365)
HERE: Final = timedelta(minutes=90)
_OWN_KINDS: Final = ("shopper_pinned", "outcome_recorded", "note_added")
_GONE: Final = "This is no longer worth a word: they bought, were reached, or changed what they agreed to."


@dataclass(frozen=True, slots=True)
class OwnShopper:
    """A shopper of an associate: pinned, or when they served them last (wire time, None if never)."""

    held: Held
    is_pinned: bool
    served_at: str | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A shopper who came in, and when (wire time)."""

    held: Held
    at: str


@dataclass(frozen=True, slots=True)
class WorthAWord:
    """A shopper worth a word, with the play that says why."""

    held: Held
    word: Word


def my_shoppers(
    database: TabletDatabase, book: StoreBook, gleaned: Gleaned, associate_id: str, now: datetime
) -> tuple[OwnShopper, ...]:
    """Pinned by the associate, by name; then served by them within a year, the last one first."""
    wanted = dict.fromkeys((*_own_subjects(database, associate_id), *gleaned.mine.get(associate_id, ())))
    found: dict[str, OwnShopper] = {}
    for profile_id in wanted:
        held = read_held(database, book, profile_id, now=now)
        own = _own(held, associate_id, now) if held is not None else None
        if own is not None:
            found.setdefault(own.held.shopper.profile_id, own)
    pinned = [one for one in found.values() if one.is_pinned]
    served = [one for one in found.values() if not one.is_pinned]
    pinned.sort(key=lambda one: (one.held.profile.name.casefold(), one.held.shopper.profile_id))
    served.sort(key=lambda one: (one.served_at or "", one.held.shopper.profile_id), reverse=True)
    return (*pinned, *served)


def _own_subjects(database: TabletDatabase, associate_id: str) -> Iterator[str]:
    """Of whom this tablet's own records of the associate tell, which the walk may not have seen yet."""
    for kind in _OWN_KINDS:
        for entry in database.recorded_since(kind, ""):
            if entry.op.associate_id == associate_id and entry.profile_id is not None:
                yield entry.profile_id


def _own(held: Held, associate_id: str, now: datetime) -> OwnShopper | None:
    is_pinned = associate_id in (held.document.get("pinned_by") or ())
    served_at = served_by(held.document).get(associate_id)
    is_recent = served_at is not None and served_at >= format_at(now - SERVED)
    return OwnShopper(held, is_pinned, served_at) if is_pinned or is_recent else None


def here_now(database: TabletDatabase, book: StoreBook, gleaned: Gleaned, now: datetime) -> tuple[Arrival, ...]:
    """Who came into this store within the last 90 minutes and agreed that it is used here; the last one first."""
    since_at, until_at = format_at(now - HERE), format_at(now)
    found = []
    for profile_id in gleaned.entered:
        held = read_held(database, book, profile_id, now=now)
        at = entered_at(held.document, book.store.code) if held is not None else None
        if held is not None and at is not None and since_at <= at <= until_at:
            found.append(Arrival(held, at))
    return tuple(sorted(found, key=lambda one: (one.at, one.held.shopper.profile_id), reverse=True))


def worth_a_word(
    database: TabletDatabase,
    book: StoreBook,
    gleaned: Gleaned,
    now: datetime,
    language: str = "en",
    *,
    here: Collection[str] = (),
) -> tuple[WorthAWord, ...]:
    """At most WORDS_MAX shoppers, best first. Nobody writes to somebody who is `here` (profile ids)."""
    found: list[WorthAWord] = []
    for profile_id in gleaned.worth:
        one = _worth(database, book, profile_id, now, language)
        if one is not None and one.held.shopper.profile_id not in here:
            found.append(one)
        if len(found) == WORDS_MAX:
            break
    return tuple(sorted(found, key=lambda one: rank_of(one.word, one.held.shopper.profile_id)))


def _worth(
    database: TabletDatabase, book: StoreBook, profile_id: str, now: datetime, language: str
) -> WorthAWord | None:
    held = read_held(database, book, profile_id, now=now)
    if held is None or not may_reach_out(held.document, book.outreach):
        return None
    word = word_for(held.profile, book, now, language)
    return WorthAWord(held, word) if word is not None else None


def take_up(recorder: Recorder, book: StoreBook, profile_id: str, language: str = "en") -> tuple[WorthAWord, Saved]:
    """Promise the word for today, by the way the shopper agreed to, and note that the play was shown: one transaction.
    Raises Refused where it is no longer worth one."""
    now = recorder.clock.now()
    one = _worth(recorder.database, book, profile_id, now, language)
    if one is None:
        raise Refused(_GONE)
    what, channel = one.word.way
    wish = Wish(what, channel, book.today(now), text=one.word.play.title)
    offered = Offered(one.word.play, one.word.rule_pack, one.held.s)
    return one, promise_follow_up(recorder, book, one.held.shopper, wish, offered=offered)
