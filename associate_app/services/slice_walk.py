"""Looks through this tablet's slice in small pieces and notes what Today's lists are made of. Beside flow step 4.

A tablet may hold 200,000 shoppers and no screen waits for any of that: `SliceWalk.step` works for `PIECE_S`, then
rests for longer, on a thread and a connection of its own. A first round notes every shopper; later rounds only those
whose document changed, and all of them again when playbook, stock, day or hour are others. What is found is a hint:
`own_shoppers.py` looks at each shopper again, with this tablet's own records, before anything is shown. Reads only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from associate_app.ports import Clock, TabletDatabase
from associate_app.services.lookup import is_slice_old
from associate_app.services.outreach import Rank, agreed_to, may_reach_out, rank_of, word_for
from associate_app.services.store_book import StoreBook, StoreBooks
from shared.errors import Refused
from shared.profile import Profile
from shared.redaction import without_behaviour

PIECE_S: Final = 0.05
"""How long one piece of the walk may take."""
REST_S: Final = 0.15
"""How long it rests between two pieces: at most a quarter of one core."""
PAUSE_S: Final = 5.0
"""After a whole round: how soon it looks whether anything changed."""
SHORT_LIST: Final = 40
"""How many shoppers worth a word are handed on: more than are shown, for some may drop out when looked at again."""
MINE_MAX: Final = 60
"""Of how many shoppers of an associate, or in the store, the lists on the screen are made."""
STORE_ENTERED: Final = "Store Entered"
STORE_EXITED: Final = "Store Exited"
_AHEAD: Final = 500
_NOT_SERVED: Final = "not_mentioned"
_STAMP_KINDS: Final = ("play", "offer", "estimate", "play_change", "setting", "stock", "product", "store")


@dataclass(frozen=True, slots=True)
class Note:
    """What one shopper's document says to Today. `served`: associate -> when they last served them; `rank`: of the best
    play for outreach, None where there is none."""

    s: int
    pinned_by: tuple[str, ...] = ()
    served: tuple[tuple[str, str], ...] = ()
    entered_at: str | None = None
    rank: Rank | None = None


@dataclass(frozen=True, slots=True)
class Gleaned:
    """What the walk found, by profile id. `is_whole` is False until the slice was gone through once."""

    is_whole: bool = False
    mine: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Associate -> shoppers pinned by them, then served, the last one first; at most MINE_MAX."""
    entered: tuple[str, ...] = ()
    """Shoppers who came into this store and may be greeted, the last one first; at most MINE_MAX."""
    worth: tuple[str, ...] = ()
    """At most SHORT_LIST shoppers, best first."""


NOTHING: Final = Gleaned()


def note_of(document: Mapping[str, Any], s: int, book: StoreBook, now: datetime) -> Note:
    """The note of one document, cut as a card would be."""
    word = None
    if may_reach_out(document, book.outreach):
        word = word_for(Profile.from_document(dict(document)), book, now)
    return Note(
        s=s,
        pinned_by=tuple(document.get("pinned_by") or ()),
        served=tuple(sorted(served_by(document).items())),
        entered_at=entered_at(document, book.store.code),
        rank=rank_of(word, str(document.get("id"))) if word is not None else None,
    )


def served_by(document: Mapping[str, Any]) -> dict[str, str]:
    """Associate -> when they last noted what came of a play, or a note, of this shopper."""
    told = [one for one in document.get("outcomes") or () if one.get("outcome") != _NOT_SERVED]
    served: dict[str, str] = {}
    for one in (*told, *(document.get("notes") or ())):
        who, at = one.get("associate_id"), one.get("at")
        if who and at:
            served[who] = max(at, served.get(who, ""))
    return served


def entered_at(document: Mapping[str, Any], store: str) -> str | None:
    """When the shopper last came into this store, if they agreed that it is used here."""
    if not agreed_to(document, "personalise_in_store"):
        return None
    came, left = "", ""
    for one in document.get("recent") or ():
        if one.get("store") == store and one.get("event") == STORE_ENTERED:
            came = max(came, one.get("at") or "")
        elif one.get("store") == store and one.get("event") == STORE_EXITED:
            left = max(left, one.get("at") or "")
    return came if came > left else None


class SliceWalk:
    """The walk over one database, on the thread of whoever calls `step`; `found` is called when the finding changed."""

    def __init__(
        self, database: TabletDatabase, books: StoreBooks, clock: Clock, found: Callable[[Gleaned], None]
    ) -> None:
        self._database, self._books, self._clock, self._found = database, books, clock, found
        self._notes: dict[str, Note] = {}
        self._gleaned = NOTHING
        self._round: Iterator[None] | None = None
        self._stamp: tuple[Any, ...] = ()
        self._revision = -1

    def step(self) -> float:
        """Walk on for PIECE_S; returns the seconds until the next piece."""
        try:
            book = self._books.read(self._database)
        except Refused:
            return PAUSE_S
        if self._round is None and not self._begin(book):
            return PAUSE_S
        return REST_S if self._walk_on() else PAUSE_S

    def _begin(self, book: StoreBook) -> bool:
        """Begin a round if anything changed since the last one began."""
        now = self._clock.now()
        is_hidden = is_slice_old(self._database, book, now)
        hour = int(now.timestamp()) // 3600
        stamp = (self._database.revision(_STAMP_KINDS), hour, is_hidden, book.store.code)
        revision = self._database.revision(("profile",))
        if stamp == self._stamp and revision == self._revision:
            return False
        known = self._notes if stamp == self._stamp else {}
        self._stamp, self._revision = stamp, revision
        self._round = self._go_round(book, now, known, is_behaviour_hidden=is_hidden)
        return True

    def _walk_on(self) -> bool:
        """Says whether the round goes on."""
        assert self._round is not None
        until_s = self._clock.monotonic_s() + PIECE_S
        for _ in self._round:
            if self._clock.monotonic_s() >= until_s:
                return True
        self._round = None
        return False

    def _go_round(
        self, book: StoreBook, now: datetime, known: Mapping[str, Note], *, is_behaviour_hidden: bool
    ) -> Iterator[None]:
        """One round; yields after each shopper. Whoever left the slice meanwhile is in no note afterwards."""
        notes: dict[str, Note] = {}
        after = ""
        while versions := self._database.versions_after("profile", after, limit=_AHEAD):
            for document_id, s in versions:
                note = known.get(document_id)
                if note is None or note.s != s:
                    note = self._look(document_id, book, now, is_behaviour_hidden=is_behaviour_hidden)
                if note is not None:
                    notes[document_id] = note
                yield
            after = versions[-1][0]
        self._notes = notes
        gleaned = glean(notes)
        if gleaned != self._gleaned:
            self._gleaned = gleaned
            self._found(gleaned)

    def _look(self, document_id: str, book: StoreBook, now: datetime, *, is_behaviour_hidden: bool) -> Note | None:
        stored = self._database.document(document_id)
        if stored is None:
            return None
        document = without_behaviour(stored.body) if is_behaviour_hidden else stored.body
        return note_of(document, stored.s, book, now)


def glean(notes: Mapping[str, Note]) -> Gleaned:
    """What the notes (by document id) say together; the same whatever order they came in."""
    mine: dict[str, list[tuple[bool, str, str]]] = {}
    entered, ranked = [], []
    for document_id, note in notes.items():
        profile_id = document_id.partition("/")[2]
        for who, at in {**dict.fromkeys(note.pinned_by, ""), **dict(note.served)}.items():
            mine.setdefault(who, []).append((who in note.pinned_by, at, profile_id))
        if note.entered_at is not None:
            entered.append((note.entered_at, profile_id))
        if note.rank is not None:
            ranked.append((note.rank, profile_id))
    return Gleaned(
        is_whole=True,
        mine={who: tuple(one[-1] for one in sorted(mine[who], reverse=True)[:MINE_MAX]) for who in sorted(mine)},
        entered=tuple(profile_id for _, profile_id in sorted(entered, reverse=True)[:MINE_MAX]),
        worth=tuple(profile_id for _, profile_id in sorted(ranked)[:SHORT_LIST]),
    )
