"""Today, the Sync screen and the pill: what stands where, read from this tablet and told as faces.

Part of the floor: blocks, and is called on its thread. Records nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Final

from associate_app.ports import TabletDatabase
from associate_app.services.holds import holds_open
from associate_app.services.lookup import name_of
from associate_app.services.outbox import JournalLine, journal_lines, seen_since
from associate_app.services.status import TabletStatus, clock_sentence, read_status
from associate_app.services.store_book import StoreBook
from associate_app.sync.status import SyncStatus
from associate_app.ui.faces import (
    AssociateFace,
    BookPlay,
    NewsRow,
    PillFace,
    PillTone,
    RecordRow,
    ShopperRow,
    SyncFace,
    TodayFace,
    initials_of,
)
from associate_app.ui.promising import due_counts, follow_ups_told
from associate_app.ui.week import plays_told
from associate_app.ui.words import Speaker
from shared.clock import format_at
from shared.plays.files import in_language
from shared.plays.speech import GERMAN

SHIFT: Final = timedelta(hours=14)
"""What was seen longer ago than this was seen in another shift."""
SERIOUS: Final = frozenset(
    {"revoked", "needs_connect", "storage_full", "broken", "receipt_unsound", "upgrade", "certificate"}
)
"""Troubles of sync that a person should look at; all others are weather and pass."""
_SEEN_MAX: Final = 6
_SEEN_FOUND_MAX: Final = 200
_ROWS_MAX: Final = 4


def seen_this_shift(database: TabletDatabase, now: datetime) -> frozenset[str]:
    """The ids of the shoppers whose cards were opened here in this shift: a search lists them first."""
    seen = seen_since(database, format_at(now - SHIFT), limit=_SEEN_FOUND_MAX)
    return frozenset(profile_id for profile_id, _ in seen)


class Overview:
    """`status` tells how the sync engine stands."""

    def __init__(self, database: TabletDatabase, status: Callable[[], SyncStatus]) -> None:
        self._database, self._status = database, status

    # today -----------------------------------------------------------------------------------------------------------

    def today(self, book: StoreBook, associate: AssociateFace, words: Speaker, now: datetime) -> TodayFace:
        """Everything on Today."""
        here = now.astimezone(words.zone)
        part = "morning" if here.hour < 12 else "afternoon" if here.hour < 18 else "evening"
        due = follow_ups_told(self._database, book, words, now, associate.associate_id)
        mine = tuple(row for row in due.rows if row.whose != "others")
        told = plays_told(self._database, book, words, now, associate.associate_id)
        return TodayFace(
            greeting=words(f"today.{part}", name=associate.name.split()[0]),
            place=f"{book.store_name} · {words.weekday(format_at(now))}",
            seen=self._seen(now, words),
            due=mine[:_ROWS_MAX],
            due_counts=due_counts(mine),
            on_hold=len(holds_open(self._database, book, now)),
            plays=_new_plays(told),
        )

    def _seen(self, now: datetime, words: Speaker) -> tuple[ShopperRow, ...]:
        rows = []
        for profile_id, at in seen_since(self._database, format_at(now - SHIFT), limit=_SEEN_MAX):
            name = name_of(self._database, "profile_id", profile_id)
            if name:
                rows.append(ShopperRow(profile_id, name, initials_of(name), words.time(at)))
        return tuple(rows)

    # sync ------------------------------------------------------------------------------------------------------------

    def pill(self, words: Speaker, now: datetime) -> PillFace:
        """The sync pill."""
        status = read_status(self._database)
        tone = self._tone(status)
        if tone is PillTone.LOOK:
            return PillFace(words("pill.look"), tone)
        if tone is PillTone.WAITING:
            return PillFace(words.count("pill.waiting", status.counts.pending), tone)
        if status.last_complete_sync_at is None:
            return PillFace(words("pill.here"), tone)
        return PillFace(words("pill.saved", time=words.stamp(status.last_complete_sync_at, now)), tone)

    def _tone(self, status: TabletStatus) -> PillTone:
        if status.needs_a_look or self._status().trouble in SERIOUS:
            return PillTone.LOOK
        return PillTone.WAITING if status.counts.pending else PillTone.SAVED

    def sync(
        self, book: StoreBook | None, words: Speaker, now: datetime, count: int, *, is_cut: bool | None
    ) -> SyncFace:
        """The Sync screen with the newest `count` records."""
        status = read_status(self._database)
        return SyncFace(
            sentence=_sync_sentence(status, words),
            tone=self._tone(status),
            notices=tuple(self._notices(status, words)),
            lines=tuple(_sync_lines(status, words, now)),
            receipt=_receipt(status, words, now),
            records=self._records(count, book, words, now),
            records_count=status.counts.kept,
            is_cut=is_cut,
        )

    def _notices(self, status: TabletStatus, words: Speaker) -> Iterator[tuple[str, bool]]:
        """The trouble, a wrong clock, shoppers deleted: each once. Weather is no reason to look."""
        told = self._status()
        if said := (told.german if words.language == GERMAN else None) or told.words:
            yield said, told.trouble in SERIOUS
        clock = clock_sentence(status.clock_offset_ms, words.language)
        if clock and told.trouble != "certificate":
            yield clock, True
        if status.slice_wiped_at and told.trouble != "revoked":
            yield words("sync.wiped"), False
        if told.notice:
            yield words("sync.from_hq", text=told.notice), False

    def _records(self, count: int, book: StoreBook | None, words: Speaker, now: datetime) -> tuple[RecordRow, ...]:
        name = cache(partial(name_of, self._database, "profile_id"))
        lines = journal_lines(self._database, limit=count, language=words.language)
        return tuple(self._record(line, name(line.profile_id) or line.name, book, words, now) for line in lines)

    def _record(
        self, line: JournalLine, name: str | None, book: StoreBook | None, words: Speaker, now: datetime
    ) -> RecordRow:
        is_sending = line.state == "pending" and self._status().phase in ("push", "settle")
        tone = {"here": PillTone.WAITING, "at_hq": PillTone.SAVED, "look": PillTone.LOOK}[line.standing]
        at_hq = {"time": words.stamp(line.acked_at, now)} if line.acked_at else {"time": ""}
        return RecordRow(
            key=line.op_id,
            what=" · ".join(
                part for part in (line.what, line.detail, _title_of(book, line.play_id, words), name) if part
            ),
            when=words.stamp(line.recorded_at, now),
            state=words(f"sync.state.{'sending' if is_sending else line.state}", **at_hq).strip(),
            tone=tone,
            detail=line.why,
        )


def _new_plays(told: Iterable[BookPlay]) -> tuple[NewsRow, ...]:
    new = [play for play in told if play.is_new]
    return tuple(NewsRow(play.play_id, play.title, play.opener) for play in new[:_ROWS_MAX])


def _title_of(book: StoreBook | None, play_id: str | None, words: Speaker) -> str | None:
    """A play's title; None for a play that left the playbook, for an id tells an associate nothing."""
    plays = book.playbook.plays if book and play_id else ()
    found = next((play for play in plays if play.id == play_id), None)
    return in_language(found.title, words.language) if found else None


def _sync_lines(status: TabletStatus, words: Speaker, now: datetime) -> Iterator[str]:
    if status.counts.oldest_pending_at:
        yield words("sync.oldest", when=words.ago(status.counts.oldest_pending_at, now))
    at = status.last_complete_sync_at
    yield words("sync.last", when=words.stamp(at, now)) if at else words("sync.never")


def _sync_sentence(status: TabletStatus, words: Speaker) -> str:
    if status.needs_a_look:
        return words.count("sync.look", status.needs_a_look)
    if status.counts.pending:
        return words.count("sync.waiting", status.counts.pending)
    return words("sync.all") if status.counts.recorded else words("sync.nothing_yet")


def _receipt(status: TabletStatus, words: Speaker, now: datetime) -> str:
    if status.receipt is None:
        return words("sync.no_receipt")
    return words(
        "sync.receipt", n=words.number(status.receipt.through_seq), time=words.stamp(status.receipt.issued_at, now)
    )
