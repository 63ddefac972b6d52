"""Appointments on a tablet: within opening hours, what is taken, what clashes and what becomes of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from associate_app.services import record
from associate_app.services.appointments import (
    Booking,
    appointments_between,
    appointments_open,
    book_for,
    clashes_here,
    days_bookable,
    end,
    hand_over,
    move,
    starts_on,
    taken_by,
)
from associate_app.services.lookup import CardView, look_up
from shared.clock import parse_at
from shared.errors import Refused
from shared.promises import STORE, Change, Promise
from tests.support.replica import LOYALTY_ID, MARA, STORE_SCOPE, ShopTablet, card_for, page, put

MONDAY = date(2026, 11, 23)
THEIRS = "01a20000-0000-7000-8000-00000000e001"


def at(told: str, day: date = MONDAY) -> datetime:
    """A time of a day in Berlin, in November."""
    return datetime.fromisoformat(f"{day.isoformat()}T{told}+01:00")


def book(shop: ShopTablet, told: str = "14:00", **more: Any) -> str:
    """Book a fitting for Mara; the op id."""
    view: CardView = look_up(shop.database, shop.book, card_for(), now=shop.clock.now())
    assert view.shopper is not None
    return book_for(shop.recorder, shop.book, view.shopper, Booking("fitting", at(told), 30, **more)).op_id


def heard(shop: ShopTablet, s: int, *changes: Change, starts: str = "2026-11-23T13:00:00.000Z", **more: Any) -> None:
    """Another tablet booked 14:00 on Monday; the feed brought it."""
    body = {
        "shopper": {"type": "loyalty_id", "value": LOYALTY_ID},
        "starts_at": starts,
        "minutes": 30,
        "topic": "repair",
    }
    made = Promise("appointment", THEIRS, "2026-11-20T10:00:00.000Z", "berlin-1", "a0002", body | more, changes, MARA)
    shop.database.apply_page(page(STORE_SCOPE, [put(f"appointment/{THEIRS}", made.as_document(), s)], head=s))


def clashing(shop: ShopTablet) -> dict[str, tuple[str, ...]]:
    """What clashes now."""
    return dict(clashes_here(shop.book, appointments_open(shop.database)))


def told_hours(shop: ShopTablet, hours: dict[str, list[str]], s: int = 11) -> None:
    """HQ says when the store is open."""
    body = {"code": "berlin-1", "name": "Berlin Mitte", "currency": "EUR", "timezone": "Europe/Berlin", "hours": hours}
    shop.database.apply_page(page("all", [put("store/berlin-1", body, s)], head=s))


def test_it_is_booked_within_the_opening_hours_hq_says_or_those_assumed(shop):
    """Monday to Saturday from 10 to 20 until HQ has said so; then what it says, the last one ending at closing."""
    now = shop.clock.now()
    assert days_bookable(shop.book, now, 3) == (MONDAY, date(2026, 11, 24)), "today is Sunday"
    assert [f"{one:%H:%M}" for one in starts_on(shop.book, now, MONDAY, 30)[:2]] == ["09:00", "09:30"], "of UTC"
    told_hours(shop, {"mon": ["09:30", "11:00"], "sun": ["13:00", "16:00"]})
    assert starts_on(shop.book, now, MONDAY, 45) == (at("09:30"), at("10:00"))
    assert starts_on(shop.book, now, date(2026, 11, 22), 60)[0] == at("14:30", date(2026, 11, 22)), "14:02 has passed"
    with pytest.raises(Refused, match="the store is closed then"):
        book(shop, "14:00")
    with pytest.raises(Refused, match="the store is closed then"):
        book(shop, "10:45")
    op_id = book(shop, "10:30")
    assert [one.op_id for one in appointments_between(shop.database, shop.book, MONDAY, 1)] == [op_id]
    assert appointments_between(shop.database, shop.book, date(2026, 11, 24), 6) == ()


def test_two_at_one_time_are_both_kept_and_both_clash_until_one_is_moved(shop):
    """Booked here before this tablet heard of the other's; moved, and moved back by an undo."""
    mine = book(shop)
    assert shop.database.entries(limit=1)[0].op.body["topic"] == "fitting"
    assert clashing(shop) == {}
    heard(shop, 11)
    assert clashing(shop) == {mine: (THEIRS,), THEIRS: (mine,)}
    moved = move(shop.recorder, shop.book, THEIRS, at("14:30"), 30)
    assert clashing(shop) == {}, "one ends when the other begins"
    assert [one.op_id for one in appointments_between(shop.database, shop.book, MONDAY, 7)] == [mine, THEIRS]
    record.withdraw(shop.recorder, moved.op_id)
    assert set(clashing(shop)) == {mine, THEIRS}
    with pytest.raises(Refused, match="the store is closed then"):
        move(shop.recorder, shop.book, THEIRS, at("21:00"), 30)


def test_how_many_a_store_keeps_at_once_is_the_chain_s_to_say_and_nobody_is_in_two_places(shop):
    """Two at once: two associates do not clash, one does, and neither does anybody with nobody in particular."""
    mine = book(shop)
    heard(shop, 11, **{"with": "me"})
    shop.database.apply_page(page("all", [put("setting/tablet", {"appointments_at_once": 2}, 12)], head=12))
    assert clashing(shop) == {}
    third = book(shop, "14:00", is_mine=False)
    assert set(clashing(shop)) == {mine, THEIRS, third}, "three are more than two"
    end(shop.recorder, third, "cancelled", "called off")
    assert clashing(shop) == {}
    hand_over(shop.recorder, THEIRS, "a0001")
    assert clashing(shop) == {mine: (THEIRS,), THEIRS: (mine,)}
    hand_over(shop.recorder, THEIRS, STORE)
    assert clashing(shop) == {}


def test_what_is_taken_is_known_before_it_is_booked(shop):
    """A time is taken by whom it would clash with, and never by what is to be moved itself."""
    heard(shop, 11)
    still = appointments_open(shop.database)
    asked = Booking("", at("13:45"), 30)
    assert taken_by(shop.book, still, asked, "a0001") == {THEIRS}
    assert taken_by(shop.book, still, asked, "a0001", without=THEIRS) == set()
    assert taken_by(shop.book, still, Booking("", at("13:30"), 30), "a0001") == set()


@pytest.mark.parametrize("deed", ["kept", "missed", "cancelled"])
def test_an_end_is_an_end_for_everybody_and_is_undone_like_it(shop, deed):
    """Also of another tablet's; its day still shows it; a second deed is refused in words and written nowhere."""
    heard(shop, 11)
    ended = end(shop.recorder, THEIRS, deed)
    assert appointments_open(shop.database) == ()
    [shown] = appointments_between(shop.database, shop.book, MONDAY, 1)
    assert shown.standing.state == deed
    with pytest.raises(Refused, match=f"this appointment is {deed} already"):
        move(shop.recorder, shop.book, THEIRS, at("15:00"), 30)
    record.withdraw(shop.recorder, ended.op_id)
    assert [one.op_id for one in appointments_open(shop.database)] == [THEIRS]


def test_a_day_is_the_store_s_and_not_greenwich_s(shop):
    """00:30 in Berlin is the day before in UTC."""
    heard(shop, 11, starts="2026-11-22T23:30:00.000Z")
    assert [one.op_id for one in appointments_between(shop.database, shop.book, MONDAY, 1)] == [THEIRS]
    assert appointments_between(shop.database, shop.book, date(2026, 11, 22), 1) == ()
    assert parse_at(appointments_open(shop.database)[0].standing.due or "") == at("00:30")
