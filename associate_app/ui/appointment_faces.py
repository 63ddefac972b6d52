"""Appointments as screens show them, in words, and what screens ask of the tablet about them. Beside `faces.py`.

Nothing here reads a clock or a database; days are ISO dates and times `14:30`, both the store's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from associate_app.ui.faces import DaysFace, ShopperRow

if TYPE_CHECKING:
    from associate_app.ui.state import Saved  # its Floor leads here


@dataclass(frozen=True, slots=True)
class AppointmentWish:
    """What is to be booked, as chosen and typed. An empty `at` is the first free time of the day."""

    topic: str
    day: str
    at: str = ""
    minutes: int = 30
    is_mine: bool = True
    text: str = ""


@dataclass(frozen=True, slots=True)
class AppointmentChange:
    """What became of one: `deed` = kept, missed, cancelled (`reason`), moved (`day`, `at`) or handed_over (`to`)."""

    deed: str
    day: str = ""
    at: str = ""
    to: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BookingFace:
    """What can be booked: topics and lengths (value, in words), and on which days; `hours` says what is assumed where
    HQ has not said when the store is open."""

    topics: tuple[tuple[str, str], ...]
    lengths: tuple[tuple[str, str], ...]
    days: DaysFace
    hours: str | None = None


@dataclass(frozen=True, slots=True)
class SlotFace:
    """A time something may begin at; `taken` says by whom it is taken."""

    at: str
    taken: str | None = None


@dataclass(frozen=True, slots=True)
class AppointmentRow:
    """An appointment: when, for whom and what, whose it is (`owner` as the record has it).

    `clash` says in words what it clashes with; `ended` what became of it, None while it is open. `shopper` leads to
    their card.
    """

    key: str
    day: str
    time: str
    title: str
    hint: str
    minutes: int
    owner: str
    clash: str | None = None
    ended: str | None = None
    has_begun: bool = False
    shopper: ShopperRow | None = None


@dataclass(frozen=True, slots=True)
class DayFace:
    """A day of the store: in words, when it is open, and what is booked."""

    on: str
    title: str
    hours: str
    is_today: bool
    rows: tuple[AppointmentRow, ...]
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class AppointmentsFace:
    """A day or a week. The spans before, after and now, and the same in the other view, are what `Place.token` has."""

    title: str
    is_week: bool
    days: tuple[DayFace, ...]
    before: str
    after: str
    now: str
    as_day: str
    as_week: str
    colleagues: tuple[tuple[str, str], ...]
    bookable: DaysFace
    elsewhere: tuple[tuple[str, str], ...]
    """Clashes of other days: (day, in words)."""


@dataclass(frozen=True, slots=True)
class OutlookFace:
    """Today's appointments on *Today*: how many there are, in words, and the next clash, with its day."""

    told: str
    clash: str | None = None
    clash_on: str = ""


@dataclass(frozen=True, slots=True)
class PassFace:
    """An appointment for the shopper's own calendar: title, when and where, and the file (iCalendar text)."""

    title: str
    lines: tuple[str, ...]
    file_name: str
    text: str


class AppointmentBook(Protocol):
    """What the screens ask of the tablet about appointments. Every method blocks; those that record return after the
    commit, and raise `Refused` with a sentence where a rule says no."""

    def bookable(self) -> BookingFace:
        """What can be booked in this store, and on which days."""

    def slots(self, day: str, minutes: int, owner: str, without: str = "") -> tuple[SlotFace, ...]:
        """When it can begin on a day, for an associate's id or `store`; `without` is the one to be moved."""

    def book(self, token: str, wish: AppointmentWish, associate_id: str) -> Saved:
        """Book it for the shopper of a card."""

    def change(self, key: str, change: AppointmentChange, associate_id: str) -> Saved:
        """Record what became of one."""

    def shown(self, span: str | None) -> AppointmentsFace:
        """A day (`2026-11-27`) or a week (`2026-W48`) of this store; what is neither is today."""

    def of_shopper(self, token: str) -> tuple[AppointmentRow, ...]:
        """What is booked for the shopper of a card."""

    def outlook(self) -> OutlookFace:
        """What *Today* says of them."""

    def pass_of(self, key: str) -> PassFace | None:
        """The file for the shopper's calendar; None where the appointment is gone."""
