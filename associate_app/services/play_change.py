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
from shared.plays.guardrails import ONLY_MANAGERS, change_problem, parts_of
from shared.plays.playbook import Play

PROPOSAL_MAX: Final = 500
"""Characters of a proposal: a few sentences."""


def change_play(
    recorder: Recorder,
    book: StoreBook,
    play_id: str,
    *,
    paused: bool | None = None,
    lever: int | None = None,
    talking_points: Mapping[str, Any] | None = None,
) -> Saved:
    """Change a play in this store. `talking_points` maps a language to opener, bullets, objection and do_not_mention;
    an empty one brings HQ's words back. Raises Refused beyond the guardrails and for who is no manager."""
    said = parts_of({"paused": paused, "lever": lever, "talking_points": talking_points})
    play = _play_for(recorder, book, play_id)
    if not said:
        raise Refused("Nothing was changed. Pause the play, move its lever or write words of your own.")
    if problem := change_problem(play, said):
        raise Refused(f"{problem} Propose it to HQ instead.")
    return record_one(recorder, "play_changed", {"play_id": play.id, **said})


def propose(recorder: Recorder, book: StoreBook, play_id: str, text: str) -> Saved:
    """Tell HQ what the play should be; it answers. Raises Refused for an empty text and for who is no manager."""
    play, kept = _play_for(recorder, book, play_id), " ".join(text.split())
    if not 0 < len(kept) <= PROPOSAL_MAX:
        raise Refused(f"A proposal takes 1 to {PROPOSAL_MAX} characters; this has {len(kept)}.")
    return record_one(recorder, "play_changed", {"play_id": play.id, "proposal": {"text": kept}})


def _play_for(recorder: Recorder, book: StoreBook, play_id: str) -> Play:
    if not is_manager(recorder.database, recorder.associate_id):
        raise Refused(ONLY_MANAGERS)
    return play_of(book, play_id)
