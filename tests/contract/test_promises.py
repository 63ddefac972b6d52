"""Promises on two real tablets with a real headquarters between them: one state for both, an undo included."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from associate_app.services import appointments, follow_ups, record
from associate_app.services.appointments import Booking, appointments_open, book_for, clashes_here, starts_on
from associate_app.services.follow_ups import Wish, follow_ups_open, promise_follow_up
from associate_app.services.holds import holds_open, sell
from associate_app.services.lookup import look_up
from associate_app.services.store_book import StoreBook, StoreBooks
from shared.opening_hours import parse_hours
from sync_server.services.chain import set_hours
from sync_server.services.headquarters import Headquarters
from tests.support.tablet import Tablet, connect, make_tablet
from tests.support.world import LOYALTY_ID


def book_of(tablet: Tablet) -> StoreBook:
    """What a tablet knows of its store."""
    return StoreBooks().read(tablet.database)


def recorder_of(tablet: Tablet) -> record.Recorder:
    """Records on a tablet, as its services do."""
    return record.Recorder(tablet.database, tablet.clock, tablet.make_id, lambda: None, "a0001")


def shown(tablet: Tablet) -> dict[str, Any]:
    """Everything on a tablet's two lists: op id -> how it stands."""
    held = holds_open(tablet.database, book_of(tablet), tablet.clock.now())
    return {one.op_id: one.standing for one in (*follow_ups_open(tablet.database), *held)}


def sync(*tablets: Tablet) -> None:
    """A round each, twice: the first hears what the last has sent."""
    for tablet in (*tablets, *tablets):
        assert tablet.sync().is_complete
        tablet.clock.move(1)


def test_what_two_tablets_do_with_a_promise_is_one_state_on_both(
    hq: Headquarters, shop_tablet: Tablet, tmp_path: Path
) -> None:
    """Promised on one, moved there and done on the other at once while apart; sold; undone; taken back."""
    one, other = shop_tablet, make_tablet(tmp_path, shop_tablet.transport, seed=2)
    connect(other, hq)
    sync(one, other)
    first, second, book = recorder_of(one), recorder_of(other), book_of(one)
    shopper = look_up(one.database, book, LOYALTY_ID, now=one.clock.now()).shopper
    assert shopper is not None
    day = book.today(one.clock.now()) + timedelta(days=2)
    call = promise_follow_up(first, book, shopper, Wish("reminder", "none", day, text="boots")).op_id
    boots = record.hold_product(first, shopper, sku="S1", quantity=1, until=day).op_id
    assert shown(one).keys() == {call, boots}
    sync(one, other)
    assert shown(other) == shown(one)

    done = follow_ups.finish(second, call)
    one.clock.move(60)
    follow_ups.move(first, book, call, day + timedelta(days=1))
    sell(second, boots)
    assert shown(one).keys() == {call, boots}
    assert shown(other) == {}
    sync(one, other)
    assert shown(one) == shown(other) == {}

    record.withdraw(second, done.op_id)
    (standing,) = shown(other).values()
    assert standing.due is not None
    assert standing.due.startswith((day + timedelta(days=1)).isoformat())
    sync(other, one)
    assert shown(one) == shown(other) == {call: standing}

    record.withdraw(first, call)
    sync(one, other)
    assert shown(one) == shown(other) == {}
    assert other.database.document(f"follow_up/{call}") is None
    other.database.close()


def clashing(tablet: Tablet) -> dict[str, tuple[str, ...]]:
    """What clashes on a tablet."""
    return dict(clashes_here(book_of(tablet), appointments_open(tablet.database)))


def test_one_time_booked_on_two_tablets_apart_is_kept_twice_and_told_as_a_clash_on_both(
    hq: Headquarters, shop_tablet: Tablet, tmp_path: Path
) -> None:
    """Within the hours HQ said; after the sync both know both, whoever came first; one moves, both are calm."""
    set_hours(hq, {"berlin-1": parse_hours("mon-sun 09:00-21:00")})
    one, other = shop_tablet, make_tablet(tmp_path, shop_tablet.transport, seed=2)
    connect(other, hq)
    sync(one, other)
    book, now = book_of(other), other.clock.now()
    assert book.hours.is_told
    shopper = look_up(one.database, book, LOYALTY_ID, now=now).shopper
    assert shopper is not None
    starts = starts_on(book, now, book.today(now) + timedelta(days=1), 30)[-1]
    asked = Booking("fitting", starts, 30)
    mine, theirs = (book_for(recorder_of(tablet), book, shopper, asked).op_id for tablet in (one, other))
    assert clashing(one) == clashing(other) == {}
    sync(other, one)
    assert clashing(one) == clashing(other) == {mine: (theirs,), theirs: (mine,)}
    assert {one.op_id for one in appointments_open(other.database)} == {mine, theirs}

    earlier = starts - timedelta(minutes=30)
    moved = appointments.move(recorder_of(other), book, mine, earlier, 30)
    assert clashing(other) == {}
    sync(other, one)
    assert clashing(one) == {}
    record.withdraw(recorder_of(other), moved.op_id)
    sync(other, one)
    assert set(clashing(one)) == {mine, theirs}
    appointments.end(recorder_of(one), theirs, "cancelled", "The shopper called it off")
    sync(one, other)
    assert clashing(other) == {}
    assert [one.op_id for one in appointments_open(other.database)] == [mine]
    other.database.close()
