"""The calendar's week and the playbook as screens see them: entries with their tasks, plays by situation. Beside
`floor.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from associate_app.ports import TabletDatabase
from associate_app.services.store_book import StoreBook
from associate_app.services.store_week import WeekEntry, read_by, read_week
from associate_app.ui.faces import BookPlay
from associate_app.ui.telling import tell_book_play
from associate_app.ui.today_faces import EntryFace, TaskFace
from associate_app.ui.words import Speaker
from shared.plays.files import in_language
from shared.plays.playbook import Play

NEW_DAYS: Final = 7
"""A play is new for a week, or until it was read."""
_SITUATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "online": ("cart", "checkout", "browsing", "search", "wishlist", "message"),
    "service": ("service", "repair", "care", "fit-advice", "follow-up", "personal-service"),
    "offer": ("promotion", "birthday", "thank-you", "event"),
    "know": ("welcome", "conversation", "consent", "loyalty", "app", "second-purchase"),
    "back": ("retention", "win-back", "outreach"),
}
"""The situations a play may be for, by its first tag; any other is in the last one."""
SITUATIONS: Final = (*_SITUATIONS, "rest")
_SITUATION_OF: Final = {tag: name for name, tags in _SITUATIONS.items() for tag in tags}


def week_told(
    database: TabletDatabase, book: StoreBook, words: Speaker, now: datetime, names: Mapping[str, str]
) -> tuple[EntryFace, ...]:
    """What runs this week, with its tasks."""
    today_on = book.today(now).isoformat()
    return tuple(_entry(one, today_on, words, names) for one in read_week(database, book, now))


def _entry(one: WeekEntry, today_on: str, words: Speaker, names: Mapping[str, str]) -> EntryFace:
    entry = one.entry
    return EntryFace(
        key=entry.id,
        title=in_language(entry.title, words.language),
        hint=_when(entry.from_on, entry.until_on, today_on, words),
        text=in_language(entry.text, words.language),
        tasks=tuple(_tasks(one, words, names)),
    )


def _when(from_on: str, until_on: str, today_on: str, words: Speaker) -> str:
    if from_on > today_on:
        return words("today.from", day=words.long_weekday_of(from_on))
    if until_on == today_on:
        return words("today.last_day") if from_on < today_on else words("today.only_today")
    return words("today.until", day=words.date(until_on))


def _tasks(one: WeekEntry, words: Speaker, names: Mapping[str, str]) -> Iterator[TaskFace]:
    for task in one.entry.tasks:
        tick = one.ticks.get(task.id)
        is_done = tick is not None and tick.done
        name = names.get(tick.associate_id or "") if tick is not None and is_done else None
        hint = words("today.ticked_by", name=name.split()[0], day=words.day(tick.at)) if tick and name else ""
        yield TaskFace(task.id, in_language(task.title, words.language), is_done, hint)


def plays_told(
    database: TabletDatabase, book: StoreBook, words: Speaker, now: datetime, associate_id: str
) -> tuple[BookPlay, ...]:
    """All plays that run here, without a shopper; new ones until this associate has read them."""
    today, read = book.today(now), read_by(database, associate_id)
    today_on, since_on = today.isoformat(), (today - timedelta(days=NEW_DAYS)).isoformat()
    running = [play for play in book.playbook.plays if play.is_valid_on(today_on)]
    return tuple(
        tell_book_play(
            play,
            book,
            words,
            is_new=_is_new(play, since_on) and (play.id, play.version) not in read,
            is_this_week=_is_new(play, since_on),
            situation=situation_of(play),
        )
        for play in running
    )


def _is_new(play: Play, since_on: str) -> bool:
    return (play.valid_from or "") >= since_on


def situation_of(play: Play) -> str:
    """What a play is for: one of SITUATIONS."""
    return _SITUATION_OF.get(play.tags[0], SITUATIONS[-1])
