"""Offers that were bent on this tablet: what was given to whom, how it stands, and taking one back. Flow step 5.

What other tablets gave is known by number alone (`override/<offer id>`); it is taken back where it was given. An undo
is an `op_withdrawn` as any other: HQ and the other tablets count that override no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from associate_app.ports import JournalEntry, OpState, TabletDatabase
from associate_app.services.override import KIND, is_manager
from associate_app.services.record import Recorder, Saved, withdraw
from associate_app.services.store_book import StoreBook
from shared.clock import format_at, local_day, shift_at
from shared.errors import Refused
from shared.plays.inputs import zone_of
from shared.plays.speech import ENGLISH, GERMAN, spoken

DAYS: Final = 7
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "late": "It can be taken back on the day it was given. Tell HQ what was wrong with it.",
        "others": "Who gave it takes it back, or a store manager.",
        "gone": "It was taken back already.",
    },
    GERMAN: {
        "late": "Zurücknehmen geht nur an dem Tag, an dem es gegeben wurde. Sag der Zentrale, was daran falsch war.",
        "others": "Zurück nimmt es, wer es gegeben hat, oder die Ladenleitung.",
        "gone": "Es wurde schon zurückgenommen.",
    },
}


@dataclass(frozen=True, slots=True)
class Given:
    """An override of the last days. `approved_by` typed a PIN for it; `code` says why HQ parked or rejected it;
    `why_not` why it cannot be taken back (any more), as a sentence. Times are wire times."""

    op_id: str
    at: str
    body: Mapping[str, Any]
    associate_id: str | None
    approved_by: str | None
    profile_id: str | None
    state: OpState
    code: str | None
    is_taken_back: bool
    why_not: str | None


def given_here(recorder: Recorder, book: StoreBook, now: datetime, *, language: str = ENGLISH) -> tuple[Given, ...]:
    """What was given on this tablet in the last week, the newest first."""
    since_at = shift_at(format_at(now), days=-DAYS)
    return tuple(_given(recorder, book, now, since_at, language))


def _given(recorder: Recorder, book: StoreBook, now: datetime, since_at: str, language: str) -> Iterator[Given]:
    database = recorder.database
    undone = {entry.op.amends for entry in database.recorded_since("op_withdrawn", since_at)}
    for entry in database.recorded_since(KIND, since_at):
        if entry.op.amends is not None or not entry.op.body:
            continue
        is_taken_back = entry.op.op_id in undone
        problem = _problem(recorder, book, entry, now, is_taken_back=is_taken_back)
        yield Given(
            op_id=entry.op.op_id,
            at=entry.op.occurred_at,
            body=entry.op.body,
            associate_id=entry.op.associate_id,
            approved_by=entry.op.body.get("approved_by"),
            profile_id=entry.profile_id,
            state=entry.state,
            code=entry.code,
            is_taken_back=is_taken_back,
            why_not=_WORDS[spoken(language)][problem] if problem else None,
        )


def _problem(
    recorder: Recorder, book: StoreBook, entry: JournalEntry, now: datetime, *, is_taken_back: bool
) -> str | None:
    if is_taken_back:
        return "gone"
    if local_day(entry.op.occurred_at, zone_of(book.store.timezone)) != book.today(now):
        return "late"
    is_own = entry.op.associate_id == recorder.associate_id
    return None if is_own or is_manager(recorder.database, recorder.associate_id) else "others"


def take_back(recorder: Recorder, book: StoreBook, op_id: str, *, language: str = ENGLISH) -> Saved:
    """Take an override back on the day it was given: by who gave it, or by a manager. Raises Refused otherwise."""
    given = next(
        (one for one in given_here(recorder, book, recorder.clock.now(), language=language) if one.op_id == op_id), None
    )
    if given is None or given.why_not:
        raise Refused(given.why_not if given and given.why_not else _WORDS[spoken(language)]["late"])
    return withdraw(recorder, op_id, why="override taken back")


def heard_of_others(database: TabletDatabase, offer_id: str, today: str) -> int:
    """How many of the other tablets' overrides of an offer HQ told of today."""
    heard = database.document(f"override/{offer_id}")
    if heard is None or heard.body.get("on") != today:
        return 0
    return sum(database.entry(op_id) is None for op_id in heard.body.get("op_ids") or ())
