"""A word worth saying to somebody who is not here: which play for outreach fits a shopper, and by which channel.

The plays are those marked `where: outreach`, ranked by the engine like a card's. Nobody stands at the counter, so
besides what a play reads a channel must be agreed, and a shopper to whom something is promised already is left alone.
Reads only; `own_shoppers.py` lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from associate_app.services.store_book import StoreBook
from shared.plays.playbook import Play, Playbook
from shared.plays.rank import Recommendation, recommend
from shared.profile import Profile

WAY_OF: Final = {"phone": ("call", "phone"), "email": ("message", "email"), "sms": ("message", "sms")}
"""A channel -> what is promised and by which channel, the most personal first."""
_CLASSES: Final = ("mandatory", "recommended", "informational")

Rank = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Word:
    """The play that fits best, and the way the shopper agreed to: (what, channel) of a follow-up."""

    play: Recommendation
    way: tuple[str, str]
    rule_pack: str


def agreed_to(document: Mapping[str, Any], purpose: str) -> bool:
    """Say whether a document tells of a grant. Missing is not granted."""
    return bool(((document.get("consent") or {}).get(purpose) or {}).get("decision") == "granted")


def may_reach_out(document: Mapping[str, Any], plays: Playbook) -> bool:
    """Say whether a play for outreach may be thought of at all: costs a look, where ranking costs a hundred."""
    if document.get("follow_ups") or not any(agreed_to(document, channel) for channel in WAY_OF):
        return False
    return any(all(agreed_to(document, purpose) for purpose in play.consents) for play in plays.plays)


def word_for(profile: Profile, book: StoreBook, now: datetime, language: str = "en") -> Word | None:
    """The play that is worth a word now; None where none is, or nothing is agreed to say it by."""
    if profile.follow_ups:
        return None
    inputs = book.inputs_for(profile, now)
    anchor = profile.loyalty_id or profile.id
    ranked = recommend(inputs, book.outreach, loyalty_anchor=anchor, language=language, where="outreach")
    plays = {play.id: play for play in book.outreach.plays}
    for play in ranked.plays:
        way = _way(profile, plays[play.play_id])
        if way is not None:
            return Word(play, way, ranked.rule_pack)
    return None


def _way(profile: Profile, play: Play) -> tuple[str, str] | None:
    """How: by a channel the play asks consent for, else by any that is agreed."""
    asked = [channel for channel in WAY_OF if channel in play.consents]
    agreed = [channel for channel in asked or WAY_OF if profile.has_consent(channel)]
    return WAY_OF[agreed[0]] if agreed else None


def rank_of(word: Word, profile_id: str) -> Rank:
    """The smaller the sooner; the same shoppers in the same order however they were come by."""
    return _CLASSES.index(word.play.play_class), -word.play.score, profile_id
