"""The promo calendar of the week with what the store does for it and what of that is ticked; which plays somebody has
read. Reads only.

Ticks are the feed's (`tasks/<entry id>`) with this tablet's own unsettled ones over them, so that a tick shows at once
and on the second tablet after its next contact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from associate_app.ports import TabletDatabase
from associate_app.services.store_book import StoreBook
from shared.plays.files import CalendarEntry
from shared.plays.tasks import TasksDocument, TickedTask, tick_of, with_tick

AHEAD_DAYS: Final = 7
TICK_DAYS: Final = 60
"""A tick longer before an entry's first day was for the entry as it ran last time."""


@dataclass(frozen=True, slots=True)
class WeekEntry:
    """An entry that runs now or within AHEAD_DAYS, and how its tasks stand."""

    entry: CalendarEntry
    ticks: Mapping[str, TickedTask]


def read_week(database: TabletDatabase, book: StoreBook, now: datetime) -> tuple[WeekEntry, ...]:
    """What runs in this store this week, the first to begin first."""
    today = book.today(now)
    until_on, today_on = (today + timedelta(days=AHEAD_DAYS)).isoformat(), today.isoformat()
    entries = []
    for stored in database.documents("calendar"):
        try:
            entry = CalendarEntry.model_validate(stored.body)
        except ValidationError:
            continue
        is_here = not entry.stores or book.store.code in entry.stores
        if is_here and entry.from_on <= until_on and entry.until_on >= today_on:
            entries.append(entry)
    ticks = _ticks(database)
    ordered = sorted(entries, key=lambda one: (one.from_on, one.id))
    return tuple(WeekEntry(entry, _of_this_time(entry, ticks.get(entry.id, {}))) for entry in ordered)


def _ticks(database: TabletDatabase) -> dict[str, Mapping[str, TickedTask]]:
    held: dict[str, TasksDocument] = {}
    for stored in database.documents("tasks"):
        try:
            told = TasksDocument.model_validate(stored.body)
        except ValidationError:
            continue
        held[told.entry_id] = told
    for op in database.unsettled_of(["task_done"]):
        entry_id, task, tick = tick_of(op)
        held[entry_id] = with_tick(held.get(entry_id) or TasksDocument(entry_id=entry_id), task, tick)
    return {entry_id: told.ticks for entry_id, told in held.items()}


def read_by(database: TabletDatabase, associate_id: str) -> frozenset[tuple[str, int]]:
    """(play id, version) of the plays the associate has read at this tablet."""
    entries = database.recorded_since("play_read", "")
    told = (entry.op for entry in entries if entry.op.associate_id == associate_id and entry.op.body)
    return frozenset((op.body["play_id"], op.body["play_version"]) for op in told)


def _of_this_time(entry: CalendarEntry, ticks: Mapping[str, TickedTask]) -> dict[str, TickedTask]:
    since_on = (datetime.fromisoformat(entry.from_on) - timedelta(days=TICK_DAYS)).date().isoformat()
    return {task: tick for task, tick in ticks.items() if tick.at[:10] >= since_on}
