"""What a store manager changes about a play: a pause, the lever, words of the store's own, or a proposal. Flow step 5.

A change within the guardrails is in force on this tablet as soon as it is recorded (`store_book.py` lays it over), on
the others with the feed. What lies beyond them is refused here, by the same function as at HQ; a proposal says it to HQ
instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from associate_app.services.override import is_manager
from associate_app.services.record import Recorder, Saved, play_of, record_one
from associate_app.services.store_book import StoreBook
from shared.errors import Refused
from shared.plays.guardrails import ONLY_MANAGERS, change_problem, parts_of, words_problem
from shared.plays.playbook import Play
from shared.plays.speech import ENGLISH, GERMAN, spoken

PROPOSAL_MAX: Final = 500
"""Characters of a proposal: a few sentences."""
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "nothing": "Nothing was changed. Pause the play, move its lever or write words of your own.",
        "beyond": "{problem} Propose it to HQ instead.",
        "length": "A proposal takes 1 to {most} characters; this has {n}.",
        "managers": ONLY_MANAGERS,
    },
    GERMAN: {
        "nothing": "Es wurde nichts geändert. Pausier das Play, stell seinen Hebel oder schreib eigene Worte.",
        "beyond": "{problem} Schlag es stattdessen der Zentrale vor.",
        "length": "Ein Vorschlag hat 1 bis {most} Zeichen; dieser hat {n}.",
        "managers": "Nur die Ladenleitung ändert Plays.",
    },
}


def change_play(
    recorder: Recorder,
    book: StoreBook,
    play_id: str,
    *,
    paused: bool | None = None,
    lever: int | None = None,
    talking_points: Mapping[str, Any] | None = None,
    screen_language: str = ENGLISH,
) -> Saved:
    """Change a play in this store. `talking_points` maps a language to opener, bullets, objection and do_not_mention;
    an empty one brings HQ's words back. Raises Refused beyond the guardrails and for who is no manager."""
    said = parts_of({"paused": paused, "lever": lever, "talking_points": talking_points})
    words = _WORDS[spoken(screen_language)]
    play = _play_for(recorder, book, play_id, words)
    if not said:
        raise Refused(words["nothing"])
    if problem := change_problem(play, said, screen_language):
        raise Refused(words["beyond"].format(problem=problem))
    return record_one(recorder, "play_changed", {"play_id": play.id, **said})


def propose(
    recorder: Recorder,
    book: StoreBook,
    play_id: str,
    text: str,
    *,
    points: Mapping[str, Any] | None = None,
    screen_language: str = ENGLISH,
) -> Saved:
    """Tell HQ what the play should be; it answers. `points` are the words proposed in the screen's language (opener,
    bullets); HQ's of now travel with them, so that everybody sees what would change. Raises Refused for an empty text
    without words, for words no play can have, and for who is no manager."""
    words = _WORDS[spoken(screen_language)]
    play, kept = _play_for(recorder, book, play_id, words), " ".join(text.split())
    told = _proposed(play, points, screen_language) if points is not None else {}
    if len(kept) > PROPOSAL_MAX or not (kept or told):
        raise Refused(words["length"].format(most=PROPOSAL_MAX, n=len(kept)))
    return record_one(recorder, "play_changed", {"play_id": play.id, "proposal": {"text": kept, **told}})


def _proposed(play: Play, points: Mapping[str, Any], screen_language: str) -> dict[str, Any]:
    """The words of now and those proposed; nothing where they are the same."""
    language, held = play.points_in(screen_language)
    now = {"opener": held.opener, "bullets": list(held.bullets)}
    then = {"opener": str(points["opener"]), "bullets": list(points["bullets"])}
    rest = {"objection": held.objection, "do_not_mention": held.do_not_mention}
    if then == now:
        return {}
    if problem := words_problem(play, {**_without_none(rest), **then}, screen_language):
        raise Refused(problem)
    return {"language": language, "before": now, "after": then}


def _play_for(recorder: Recorder, book: StoreBook, play_id: str, words: Mapping[str, str]) -> Play:
    if not is_manager(recorder.database, recorder.associate_id):
        raise Refused(words["managers"])
    return play_of(book, play_id)


def _without_none(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part is not None}
