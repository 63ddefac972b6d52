"""Appointments as screens see them: what can be booked, a day or a week of the store, clashes, the shopper's file.

Beside `floor.py`, which hands itself over as `Ground`. The rules are the services'; here times become words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from associate_app.ports import Clock, TabletDatabase
from associate_app.services.appointments import (
    LENGTHS_MIN,
    TOPICS,
    Booking,
    appointments_between,
    appointments_open,
    book_for,
    clashes_here,
    days_bookable,
    end,
    hand_over,
    moment_at,
    move,
    starts_on,
    taken_by,
)
from associate_app.services.follow_ups import days_offered
from associate_app.services.lookup import ShopperKey
from associate_app.services.record import Recorder
from associate_app.services.sign_in import names_here
from associate_app.services.store_book import StoreBook
from associate_app.ui.appointment_faces import (
    AppointmentChange,
    AppointmentRow,
    AppointmentsFace,
    AppointmentWish,
    BookingFace,
    DayFace,
    OutlookFace,
    PassFace,
    SlotFace,
)
from associate_app.ui.faces import DaysFace
from associate_app.ui.promise_words import about_of, is_for, owner_of
from associate_app.ui.promising import called, shopper_of
from associate_app.ui.state import Saved
from associate_app.ui.words import Speaker
from shared.calendar_file import CalendarEvent, calendar_file
from shared.clashes import minutes_of
from shared.clock import is_at, parse_at
from shared.errors import Refused
from shared.promises import HANDED_OVER, MOVED, STORE, Promise

_DAYS_AHEAD: Final = 28
_WEEK: Final = 7
_YEARS: Final = range(2000, 2101)
_CLASHES_TOLD: Final = 3


@dataclass(frozen=True, slots=True)
class Appointing:
    """The floor's part for appointments (`AppointmentBook`): what it reads and records by is the floor's own."""

    database: TabletDatabase
    read_book: Callable[[], StoreBook]
    clock: Clock
    speaker: Callable[[], Speaker]
    recorder: Callable[[str], Recorder]
    shopper: Callable[[str], ShopperKey]

    def _teller(self) -> _Teller:
        return _Teller(self.database, self.read_book(), self.speaker(), self.clock.now())

    def bookable(self) -> BookingFace:
        """What can be booked in this store, and on which days."""
        told = self._teller()
        words = told.words
        topics = tuple((topic, words(f"appointment.{topic}")) for topic in TOPICS)
        lengths = tuple((str(n), words("appointments.minutes", n=n)) for n in LENGTHS_MIN)
        return BookingFace(
            topics, lengths, told.days(), None if told.book.hours.is_told else words("appointments.assumed")
        )

    def slots(self, day: str, minutes: int, owner: str, without: str = "") -> tuple[SlotFace, ...]:
        """When it can begin on a day, and by whom that is taken."""
        told = self._teller()
        starts = starts_on(told.book, told.now, date.fromisoformat(day), minutes)
        return tuple(told.slot(Booking("", moment, minutes), owner, without) for moment in starts)

    def book(self, token: str, wish: AppointmentWish, associate_id: str) -> Saved:
        """Record it. Raises Refused for a time at which the store is closed."""
        told = self._teller()
        starts = told.starts(wish.day, wish.at)
        asked = Booking(wish.topic, starts, wish.minutes, wish.is_mine, wish.text)
        saved = book_for(self.recorder(associate_id), told.book, self.shopper(token), asked)
        what = told.words(f"appointment.{wish.topic}")
        return Saved(saved.op_id, "", told.words("follow_ups.made", what=what, day=told.when(starts)))

    def change(self, key: str, change: AppointmentChange, associate_id: str) -> Saved:
        """Record what became of one. Raises Refused where a colleague was quicker."""
        told, recorder = self._teller(), self.recorder(associate_id)
        words = told.words
        if change.deed == MOVED:
            starts = told.starts(change.day, change.at)
            saved = move(recorder, told.book, key, starts, told.minutes(key))
            return Saved(saved.op_id, "", words("appointments.saved.moved", when=told.when(starts)))
        if change.deed == HANDED_OVER:
            saved = hand_over(recorder, key, change.to)
            name = owner_of(change.to, told.names, words)
            return Saved(saved.op_id, "", words("appointments.saved.handed_over", name=name))
        saved = end(recorder, key, change.deed, change.reason or None)
        return Saved(saved.op_id, "", words(f"appointments.saved.{change.deed}"))

    def shown(self, span: str | None) -> AppointmentsFace:
        """A day or a week of this store; what is neither is today."""
        return self._teller().span(span)

    def of_shopper(self, token: str) -> tuple[AppointmentRow, ...]:
        """What is booked for the shopper of a card, soonest first."""
        told, shopper = self._teller(), self.shopper(token)
        return tuple(told.own_row(one) for one in told.still if is_for(one, shopper))

    def outlook(self) -> OutlookFace:
        """What *Today* says of them."""
        return self._teller().outlook()

    def pass_of(self, key: str) -> PassFace | None:
        """The file for the shopper's calendar; None where the appointment is gone."""
        return self._teller().pass_of(key)


class _Teller:
    """One telling: everything that is open, with what clashes, as of now."""

    def __init__(self, database: TabletDatabase, book: StoreBook, words: Speaker, now: datetime) -> None:
        self._database, self.book, self.words, self.now = database, book, words, now
        self.today = book.today(now)
        self.names = names_here(database)
        self.still = appointments_open(database)
        self._by_id = {one.op_id: one for one in self.still}
        self._clashes = clashes_here(book, self.still)

    # times ------------------------------------------------------------------------------------------------------------

    def starts(self, day: str, at: str) -> datetime:
        """A chosen time. Raises Refused where none was left to choose."""
        if not at:
            raise Refused(self.words("appointments.no_time"))
        return moment_at(self.book, date.fromisoformat(day), at)

    def minutes(self, key: str) -> int:
        """How long an open appointment takes; what is gone is refused later, by the service."""
        return minutes_of(self._by_id[key]) if key in self._by_id else LENGTHS_MIN[0]

    def when(self, starts: datetime) -> str:
        """`Fri 27 Nov 14:00`."""
        here = starts.astimezone(self.words.zone)
        return f"{self.words.long_weekday_of(here.date().isoformat())} {here:%H:%M}"

    def _local(self, one: Promise) -> datetime | None:
        due = one.standing.due
        return parse_at(due).astimezone(self.words.zone) if due is not None and is_at(due) else None

    def _day(self, one: Promise) -> date:
        """The store's day. One whose time nobody can read is today's: somebody has to look at it."""
        here = self._local(one)
        return here.date() if here is not None else self.today

    def _time(self, one: Promise) -> str:
        here = self._local(one)
        if here is None:
            return self.words("appointments.unclear")
        ends = (here.astimezone(UTC) + timedelta(minutes=minutes_of(one))).astimezone(self.words.zone)
        return f"{here:%H:%M}–{ends:%H:%M}"

    def days(self) -> DaysFace:
        """Days on which something can be booked: the soonest, those with a name, the others."""
        free = days_bookable(self.book, self.now, _DAYS_AHEAD)
        said = {self.today: "today"} | {day: name for name, day in days_offered(self.today)}
        named = [day for day in free if day in said or day == free[0]]

        def told(day: date) -> tuple[str, str]:
            name = said.get(day)
            words = self.words(f"follow_ups.day.{name}") if name else self.words.long_weekday_of(day.isoformat())
            return day.isoformat(), words

        return DaysFace(tuple(map(told, named)), tuple(told(day) for day in free if day not in named))

    def slot(self, asked: Booking, owner: str, without: str) -> SlotFace:
        """A time of a day, and by whom it is taken."""
        others = taken_by(self.book, self.still, asked, owner, without)
        return SlotFace(f"{asked.starts.astimezone(self.words.zone):%H:%M}", self._others(others) if others else None)

    # rows -------------------------------------------------------------------------------------------------------------

    def row(self, one: Promise) -> AppointmentRow:
        """An appointment in words."""
        standing, starts = one.standing, self._local(one)
        shopper = shopper_of(self._database, self.words, one)
        return AppointmentRow(
            key=one.op_id,
            day=self._day(one).isoformat(),
            time=self._time(one),
            title=called(self._database, self.words, one, shopper),
            hint=" · ".join(part for part in (about_of(one, self.words), self._whose(one)) if part),
            minutes=minutes_of(one),
            owner=standing.owner,
            clash=self._clash(one),
            ended=None if standing.is_open else self.words(f"appointments.ended.{standing.state}"),
            has_begun=starts is None or starts <= self.now,
            shopper=shopper,
        )

    def own_row(self, one: Promise) -> AppointmentRow:
        """The same on the card of whom it is for: what first, and on which day."""
        row, what = self.row(one), about_of(one, self.words)
        parts = (self.words.long_weekday_of(row.day), row.time, self._whose(one))
        return replace(row, title=what, hint=" · ".join(part for part in parts if part))

    def _whose(self, one: Promise) -> str | None:
        return owner_of(one.standing.owner, self.names, self.words)

    def _clash(self, one: Promise) -> str | None:
        others = self._clashes.get(one.op_id)
        return self.words("appointments.clash", who=self._others(others)) if others else None

    def _others(self, keys: Iterable[str]) -> str:
        """`Tom Berger (14:00–14:30, Leyla)`, soonest first."""
        found = [one for one in self.still if one.op_id in set(keys)]
        return self.words("appointments.and").join(self._other(one) for one in found)

    def _other(self, one: Promise) -> str:
        who = called(self._database, self.words, one, shopper_of(self._database, self.words, one))
        return f"{who} ({', '.join(part for part in (self._time(one), self._whose(one)) if part)})"

    # a day, a week, today ---------------------------------------------------------------------------------------------

    def span(self, told: str | None) -> AppointmentsFace:
        """A day or a week with everything booked in it, whatever became of it."""
        first, days = _read_span(told, self.today)
        dates = [first + timedelta(days=n) for n in range(days)]
        found = {one.op_id: one for one in appointments_between(self._database, self.book, first, days)}
        found |= {one.op_id: one for one in self.still if self._day(one) in dates}
        ordered = sorted(found.values(), key=lambda one: (one.standing.due or "", one.op_id))
        faces = tuple(self._face_of(day, (one for one in ordered if self._day(one) == day)) for day in dates)
        held = self.today if self.today in dates else first
        is_week = days > 1
        said = [self.words.long_weekday_of(day.isoformat()) for day in dates]
        return AppointmentsFace(
            title=f"{said[0]} – {said[-1]}" if is_week else faces[0].title,
            is_week=is_week,
            days=faces,
            before=_span_of(first - timedelta(days=days), is_week),
            after=_span_of(first + timedelta(days=days), is_week),
            now=_span_of(self.today, is_week),
            as_day=_span_of(held, is_week=False),
            as_week=_span_of(held, is_week=True),
            colleagues=((STORE, self.words("follow_ups.the_store")), *self.names.items()),
            bookable=self.days(),
            elsewhere=tuple(self._clashes_beside(dates)),
        )

    def _face_of(self, day: date, among: Iterable[Promise]) -> DayFace:
        hours, words = self.book.hours.on(day), self.words
        told = words("appointments.closed")
        if hours is not None:
            told = words("appointments.hours", opens=_clock(hours[0]), closes=_clock(hours[1]))
        is_today = day == self.today
        title = words.long_weekday_of(day.isoformat())
        title = words("appointments.today", day=title) if is_today else title
        rows = tuple(self.row(one) for one in among)
        return DayFace(day.isoformat(), title, told, is_today, rows, is_open=hours is not None)

    def _clashes_beside(self, dates: list[date]) -> Iterator[tuple[str, str]]:
        """Clashes to come, but for those of some days: (day, in words), one line a day."""
        days = sorted({self._day(self._by_id[key]) for key in self._clashes})
        for day in [one for one in days if one >= self.today and one not in dates][:_CLASHES_TOLD]:
            yield day.isoformat(), self._clash_on(day)

    def _clash_on(self, day: date) -> str:
        first = next(one for one in self.still if one.op_id in self._clashes and self._day(one) == day)
        both = self._others((first.op_id, *self._clashes[first.op_id]))
        when = self.words("appointments.on_today") if day == self.today else self.words.long_weekday_of(day.isoformat())
        return self.words("appointments.clash_on", day=when, who=both)

    def outlook(self) -> OutlookFace:
        """How many there are today, and the next clash."""
        n = sum(self._day(one) == self.today for one in self.still)
        told = self.words("appointments.all", n=n) if n else self.words("appointments.title")
        clash = next(self._clashes_beside([]), None)
        return OutlookFace(told, clash[1], clash[0]) if clash else OutlookFace(told)

    # the shopper's calendar -------------------------------------------------------------------------------------------

    def pass_of(self, key: str) -> PassFace | None:
        """What her calendar takes: not what colleagues wrote about it, and no name but the associate's."""
        one = self._by_id.get(key)
        starts = self._local(one) if one is not None else None
        if one is None or starts is None:
            return None
        chain = self._database.document("setting/chain")
        place = " ".join(part for part in (chain.body.get("name") if chain else None, self.book.store_name) if part)
        topic = str(one.body.get("topic") or "").partition(":")[0]
        what = self.words(f"appointment.{topic}") if topic in TOPICS else self.words("appointments.add")
        whose = None if one.standing.owner == STORE else self._whose(one)
        event = CalendarEvent(
            uid=one.op_id,
            stamped_at=self.now,
            starts_at=starts,
            ends_at=starts.astimezone(UTC) + timedelta(minutes=minutes_of(one)),
            summary=f"{what} · {place}",
            location=place,
            description=self.words("appointments.pass.with", name=whose) if whose else "",
            sequence=sum(change.state == MOVED for change in one.changes),
        )
        lines = (f"{self.words.long_weekday_of(self._day(one).isoformat())} · {self._time(one)}", place)
        name = self.words("appointments.pass.file", day=self._day(one).isoformat())
        return PassFace(what, lines, f"{name}.ics", calendar_file(event))


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _read_span(told: str | None, today: date) -> tuple[date, int]:
    """(first day, how many): `2026-W48` is a week, `2026-11-27` a day, anything else today."""
    text, is_week = told or "", "W" in (told or "")
    try:
        first = date.fromisoformat(f"{text}-1" if is_week else text)
    except ValueError:
        return today, 1
    return (first, _WEEK if is_week else 1) if first.year in _YEARS else (today, 1)


def _span_of(day: date, is_week: bool) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}" if is_week else day.isoformat()
