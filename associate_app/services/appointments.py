"""Appointments: times kept for shoppers within the store's opening hours, and what became of them. Flow step 5.

The list is the feed's with this tablet's own unsettled ops over it; what clashes is the law of `shared/clashes.py`. A
time that is taken is said and not refused: without a network nobody can know, and both appointments stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from associate_app.ports import TabletDatabase
from associate_app.services.lookup import ShopperKey
from associate_app.services.promises import promise_to_change, promises_due, promises_open
from associate_app.services.record import Recorder, Saved, book_appointment, change_promise
from associate_app.services.sign_in import associates_here
from associate_app.services.store_book import StoreBook
from shared.clashes import Booked, booked_of, clashes
from shared.clock import format_at, is_at, parse_at
from shared.errors import Refused
from shared.plays.inputs import zone_of
from shared.promises import HANDED_OVER, MOVED, STORE, Promise

KIND: Final = "appointment"
TOPICS: Final = ("advice", "fitting", "collection", "repair")
"""What appointments are mostly about; the words stand in the op, with a line of the associate's own behind a colon."""
LENGTHS_MIN: Final = (15, 30, 45, 60, 90)
STEP_MIN: Final = 30
"""Appointments begin on the half hour, counted from opening."""
DAYS_AHEAD_MAX: Final = 400
TEXT_MAX: Final = 200
_OUTSIDE: Final = "That time is over, or the store is closed then. Choose another time."
_TOO_FAR: Final = "That is further away than a year. Choose another day."
_NEW: Final = ""


@dataclass(frozen=True, slots=True)
class Booking:
    """What is booked: one of TOPICS, when it begins (aware), for how long, whose it is, and a line about it."""

    topic: str
    starts: datetime
    minutes: int
    is_mine: bool = True
    text: str = ""


# reading --------------------------------------------------------------------------------------------------------------


def appointments_open(database: TabletDatabase) -> tuple[Promise, ...]:
    """What is still to come or to be closed, soonest first."""
    return promises_open(database, KIND)


def appointments_between(database: TabletDatabase, book: StoreBook, first: date, days: int) -> tuple[Promise, ...]:
    """Those of so many days of the store from `first` on, whatever became of them, soonest first."""
    zone = zone_of(book.store.timezone)
    since, until = (_moment(book, first + timedelta(days=n), 0).date() for n in (0, days))
    wired = (since + timedelta(days=n) for n in range((until - since).days + 1))
    wanted = {first + timedelta(days=n) for n in range(days)}
    return tuple(
        one
        for one in promises_due(database, KIND, wired)
        if is_at(one.standing.due) and parse_at(one.standing.due or "").astimezone(zone).date() in wanted
    )


def appointment_today(appointments: Iterable[Promise], now: datetime, zone: tzinfo) -> Promise | None:
    """Of somebody's open appointments the one of the store's today; of several the one nearest to now."""
    starts = ((one, parse_at(one.standing.due or "")) for one in appointments if is_at(one.standing.due))
    today = [(abs(at - now), one) for one, at in starts if at.astimezone(zone).date() == now.astimezone(zone).date()]
    return min(today, key=lambda found: found[0])[1] if today else None


def clashes_here(book: StoreBook, appointments: Iterable[Promise]) -> Mapping[str, tuple[str, ...]]:
    """Op id -> which others it clashes with, by the chain's setting of how many a store keeps at one time."""
    return clashes(_booked(appointments), book.rules.appointments_at_once)


def taken_by(
    book: StoreBook, appointments: Iterable[Promise], asked: Booking, owner: str, without: str = ""
) -> set[str]:
    """With which appointments one at such a time would clash; `without` is the one that is to be moved there."""
    starts_s = int(asked.starts.timestamp())
    new = Booked(_NEW, starts_s, starts_s + asked.minutes * 60, owner)
    others = [one for one in _booked(appointments) if one.key != without]
    return set(clashes([*others, new], book.rules.appointments_at_once).get(_NEW, ()))


def _booked(appointments: Iterable[Promise]) -> Iterator[Booked]:
    return (made for one in appointments if (made := booked_of(one)) is not None)


def starts_on(book: StoreBook, now: datetime, day: date, minutes: int) -> tuple[datetime, ...]:
    """When something of that length may begin on a day of the store: within its opening hours and not over yet."""
    hours = book.hours.on(day)
    if hours is None:
        return ()
    opens, closes = hours
    moments = (_moment(book, day, minute) for minute in range(opens, closes - minutes + 1, STEP_MIN))
    return tuple(moment for moment in moments if moment >= now)


def days_bookable(book: StoreBook, now: datetime, days: int) -> tuple[date, ...]:
    """Of so many days from today on, those on which something short can still begin."""
    today = book.today(now)
    every = (today + timedelta(days=n) for n in range(days))
    return tuple(day for day in every if starts_on(book, now, day, LENGTHS_MIN[0]))


def moment_at(book: StoreBook, day: date, told: str) -> datetime:
    """`14:30` of a day in the store's time zone. Raises ValueError for what is no time."""
    at = time.fromisoformat(told)
    return _moment(book, day, at.hour * 60 + at.minute)


def _moment(book: StoreBook, day: date, minute: int) -> datetime:
    at = datetime.combine(day, time(minute // 60 % 24, minute % 60), zone_of(book.store.timezone))
    return at.astimezone(UTC)


# what is done with them -----------------------------------------------------------------------------------------------


def book_for(recorder: Recorder, book: StoreBook, shopper: ShopperKey, asked: Booking) -> Saved:
    """Book it. Raises Refused for a time outside the opening hours, one that is over, and one a year away."""
    _check_time(recorder, book, asked.starts, asked.minutes)
    text = " ".join(asked.text.split())
    if len(text) > TEXT_MAX:
        raise Refused(f"An appointment takes {TEXT_MAX} characters; this has {len(text)}. Make it a line.")
    return book_appointment(
        recorder,
        shopper,
        starts=asked.starts,
        minutes=asked.minutes,
        topic=f"{asked.topic}: {text}" if text else asked.topic,
        with_associate="me" if asked.is_mine else None,
    )


def move(recorder: Recorder, book: StoreBook, op_id: str, starts: datetime, minutes: int) -> Saved:
    """To another time."""
    promise = promise_to_change(recorder.database, KIND, op_id, MOVED)
    _check_time(recorder, book, starts, minutes)
    return change_promise(recorder, promise, state=MOVED, due=format_at(starts))


def hand_over(recorder: Recorder, op_id: str, to: str) -> Saved:
    """To an associate of this store, or to the store itself (STORE)."""
    promise = promise_to_change(recorder.database, KIND, op_id, HANDED_OVER)
    if to != STORE and all(one.associate_id != to for one in associates_here(recorder.database)):
        raise Refused("They do not work in this store any more. Choose somebody else, or the store.")
    return change_promise(recorder, promise, state=HANDED_OVER, assignee=to)


def end(recorder: Recorder, op_id: str, deed: str, reason: str | None = None) -> Saved:
    """They came (`kept`), did not come (`missed`), or it is off (`cancelled`, why)."""
    return change_promise(recorder, promise_to_change(recorder.database, KIND, op_id, deed), state=deed, reason=reason)


def _check_time(recorder: Recorder, book: StoreBook, starts: datetime, minutes: int) -> None:
    """A sheet may be open for a while: what was offered half an hour ago is not over yet."""
    now, day = recorder.clock.now(), starts.astimezone(zone_of(book.store.timezone)).date()
    if starts not in starts_on(book, now - timedelta(minutes=STEP_MIN), day, minutes):
        raise Refused(_OUTSIDE)
    if day > book.today(now) + timedelta(days=DAYS_AHEAD_MAX):
        raise Refused(_TOO_FAR)
