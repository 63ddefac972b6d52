"""Whom each play would meet now: the card's own engine over all shoppers of this tablet, in pieces. Reads only.

Every shopper is looked up exactly as their card would be, with consent and age as there, so that a count is what cards
would show. A look of 200,000 shoppers takes minutes: it goes on in pieces of `PIECE_S` and nobody waits for it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from associate_app.ports import Clock, TabletDatabase
from associate_app.services.lookup import CardView, look_up_profile
from associate_app.services.store_book import StoreBook
from shared.plays.playbook import Place, Play, Playbook
from shared.plays.rank import PlayVerdict, recommend
from shared.plays.sent_inputs import Looked

PIECE_S: Final = 0.05
NAMES_MAX: Final = 12
FRESH_FOR: Final = timedelta(minutes=10)
"""A look that is older begins anew when somebody asks again."""
_PAGE: Final = 50

Way = Literal["met", "lower", "resting", "apart"]
"""How a play meets a shopper: it is placed, other plays stand higher, it rests for now, or it is held out."""
_WAYS: Final[Mapping[str, Way]] = {
    "shown": "met",
    "ranked_lower": "lower",
    "same_tag_ranked_higher": "lower",
    "holdout_chain": "apart",
    "holdout_play": "apart",
}


@dataclass(slots=True)
class PlayMatches:
    """Whom one play meets: how many in which way, and the first of those it would be shown for, as (id, name)."""

    counts: Counter[str] = field(default_factory=Counter)
    names: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Matches:
    """How far a look is: `looked_at` of `total` shoppers; `as_of` is when it began. A play that is paused here is told
    as if it ran again."""

    looked_at: int
    total: int
    is_done: bool
    as_of: datetime
    by_play: Mapping[str, PlayMatches]


@dataclass(slots=True)
class _Look:
    """A look on its way."""

    playbook: Playbook
    begun_at: datetime
    total: int
    after: str = ""
    looked_at: int = 0
    is_done: bool = False
    by_play: dict[str, PlayMatches] = field(default_factory=dict)


class Matching:
    """The one look of this process; any thread may ask for the next piece of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._look: _Look | None = None

    def look_on(self, database: TabletDatabase, book: StoreBook, *, is_afresh: bool = False) -> Matches:
        """Look at some more shoppers, as many as a piece of time allows. A changed playbook begins anew."""
        with self._lock:
            look = self._current(database, book, is_afresh=is_afresh)
            end_s = self._clock.monotonic_s() + PIECE_S
            while not look.is_done and self._clock.monotonic_s() < end_s:
                self._turn_page(look, database, book, end_s)
            told = {play_id: PlayMatches(Counter(one.counts), list(one.names)) for play_id, one in look.by_play.items()}
            return Matches(look.looked_at, max(look.total, look.looked_at), look.is_done, look.begun_at, told)

    def _current(self, database: TabletDatabase, book: StoreBook, *, is_afresh: bool) -> _Look:
        look, now = self._look, self._clock.now()
        is_old = look is not None and look.is_done and not timedelta(0) <= now - look.begun_at < FRESH_FOR
        if look is None or look.playbook is not book.playbook or is_old or is_afresh:
            look = self._look = _Look(book.playbook, now, database.count_shoppers())
        return look

    def _turn_page(self, look: _Look, database: TabletDatabase, book: StoreBook, end_s: float) -> None:
        page = database.shoppers_after(look.after, _PAGE)
        for profile_id in page:
            view = look_up_profile(database, book, profile_id, now=look.begun_at)
            look.after, look.looked_at = profile_id, look.looked_at + 1
            _note(look, profile_id, view)
            if self._clock.monotonic_s() >= end_s:
                return
        look.is_done = len(page) < _PAGE


def _note(look: _Look, profile_id: str, view: CardView) -> None:
    for play_id, way in _ways_of(view):
        found = look.by_play.setdefault(play_id, PlayMatches())
        found.counts[way] += 1
        if way == "met" and len(found.names) < NAMES_MAX:
            found.names.append((profile_id, view.profile.name if view.profile else ""))


def _ways_of(view: CardView) -> Iterator[tuple[str, Way]]:
    """How each play meets one shopper. The card's verdicts are there already; the engine is asked again only for plays
    of the other list, and for those whose pause alone keeps them away."""
    if view.looked is None:
        return
    looked, plays = view.looked, {play.id: play for play in view.looked.playbook.plays}
    outreach: dict[str, PlayVerdict] = {}
    for first in looked.ranked.verdicts:
        verdict = first
        if verdict.trace is None or not verdict.trace.is_met:
            continue
        play = plays[verdict.play_id]
        if verdict.reason == "other_place":
            outreach = outreach or _verdicts(looked, looked.playbook, "outreach")
            verdict = outreach[play.id]
        if verdict.reason == "paused_here":
            verdict = _verdicts(looked, _with_running(looked.playbook, play), play.where[0])[play.id]
        way: Way | None = "resting" if verdict.reason == "held_back" else _WAYS.get(verdict.reason)
        if way is not None:
            yield play.id, way


def _verdicts(looked: Looked, playbook: Playbook, where: Place) -> dict[str, PlayVerdict]:
    ranked = recommend(looked.inputs, playbook, loyalty_anchor=looked.anchor, where=where)
    return {one.play_id: one for one in ranked.verdicts}


def _with_running(playbook: Playbook, play: Play) -> Playbook:
    """The playbook as if this one play were not paused here."""
    running = playbook.changes[play.id].model_copy(update={"paused": False})
    return replace(playbook, changes={**playbook.changes, play.id: running})
