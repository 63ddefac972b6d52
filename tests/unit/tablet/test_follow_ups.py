"""Follow-ups on a tablet: what may be promised, on which day it is due, what becomes of it, with a real database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from associate_app.services import record
from associate_app.services.follow_ups import (
    Wish,
    days_offered,
    drop,
    due_day,
    finish,
    follow_ups_open,
    hand_over,
    move,
    promise_follow_up,
    ways_open,
)
from associate_app.services.lookup import CardView, look_up, look_up_again
from shared.errors import Refused
from shared.plays.inputs import zone_of
from shared.promises import STORE, Promise, lay_over
from tests.support.plays import NOW_AT
from tests.support.replica import LOYALTY_ID, MARA, STORE_SCOPE, ShopTablet, answer, card_for, gone, page, put

TODAY = date(2026, 11, 22)
BERLIN = zone_of("Europe/Berlin")
THEIRS = "01a20000-0000-7000-8000-00000000f001"


@pytest.fixture
def view(shop: ShopTablet) -> CardView:
    """Mara's card; she agreed to e-mail alone."""
    return look_up(shop.database, shop.book, card_for(), now=shop.clock.now())


def wish(**told) -> Wish:
    """An e-mail on Wednesday."""
    return Wish(**{"what": "message", "channel": "email", "day": date(2026, 11, 25), **told})


def promised(shop: ShopTablet, view: CardView, **told) -> str:
    """Promise it; the op id."""
    assert view.shopper is not None
    return promise_follow_up(shop.recorder, shop.book, view.shopper, wish(**told)).op_id


def on_card(shop: ShopTablet, view: CardView) -> list[str]:
    """What Mara's card lists as promised."""
    profile = look_up_again(shop.database, shop.book, view, now=shop.clock.now()).profile
    assert profile is not None
    return [line.op_id for line in profile.follow_ups]


def heard(shop: ShopTablet, s: int = 11, **told) -> str:
    """A call that another tablet promised and the feed brought."""
    body = {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, "what": "call", "channel": "phone"}
    body |= {"due_at": "2026-11-21T22:30:00.000Z", "assignee": "me", **told}
    made = Promise("follow_up", THEIRS, "2026-11-20T10:00:00.000Z", "berlin-1", "a0002", body, (), MARA)
    shop.database.apply_page(page(STORE_SCOPE, [put(f"follow_up/{THEIRS}", made.as_document(), s)], head=s))
    return THEIRS


def test_only_ways_the_shopper_agreed_to_are_offered_and_only_those_are_taken(shop, view):
    """Mara agreed to e-mail: no text message, no call; a visit and a reminder to ourselves need no channel."""
    assert ways_open(shop.database, view.shopper) == (("message", "email"), ("visit", "none"), ("reminder", "none"))
    for what, channel in (
        ("message", "sms"),
        ("call", "phone"),
        ("call", "none"),
        ("message", "none"),
        ("tea", "none"),
    ):
        with pytest.raises(Refused):
            promised(shop, view, what=what, channel=channel)
    assert shop.database.entries() == ()
    record.change_consent(shop.recorder, view.shopper, record.ConsentAnswer("email", is_granted=False, method="spoken"))
    assert ways_open(shop.database, view.shopper) == (("visit", "none"), ("reminder", "none"))
    with pytest.raises(Refused, match="not agreed"):
        promised(shop, view)


@pytest.mark.parametrize(
    ("today", "named"),
    [
        (TODAY, [("tomorrow", 23), ("saturday", 28), ("week", 29)]),
        (date(2026, 11, 20), [("tomorrow", 21), ("week", 27)]),
        (date(2026, 11, 21), [("tomorrow", 22), ("saturday", 28)]),
    ],
)
def test_the_days_offered_are_the_days_one_names_each_once(today, named):
    """On a Friday tomorrow is Saturday; on a Saturday the next one is in a week."""
    assert [(name, day.day) for name, day in days_offered(today)] == named


def test_a_day_is_the_store_s_day_in_winter_and_in_summer_time(shop, view):
    """Due at ten in Berlin: nine UTC in November, eight in June; a day that is over is refused."""
    for day, at in ((date(2026, 11, 25), "2026-11-25T09:00:00.000Z"), (date(2027, 6, 1), "2027-06-01T08:00:00.000Z")):
        promised(shop, view, day=day)
        assert shop.database.entries(limit=1)[0].op.body["due_at"] == at
    for day in (TODAY - timedelta(days=1), TODAY + timedelta(days=401)):
        with pytest.raises(Refused, match="Choose another day"):
            promised(shop, view, day=day)


def test_half_past_eleven_at_night_is_due_on_that_day_in_the_store(shop):
    """22:30 UTC on the 21st is already the 21st's last half hour in Berlin; in Auckland it is the next day."""
    heard(shop)
    (one,) = follow_ups_open(shop.database)
    assert due_day(one, BERLIN, TODAY) == date(2026, 11, 21)
    assert due_day(one, zone_of("Pacific/Auckland"), TODAY) == date(2026, 11, 22)
    assert due_day(one, UTC, TODAY) == date(2026, 11, 21)
    heard(shop, 12, due_at="soon")
    assert due_day(follow_ups_open(shop.database)[0], BERLIN, TODAY) == TODAY


def test_it_is_in_the_journal_the_list_and_on_the_card_when_saved_is_said(shop, view):
    """Mine or the store's; soonest first."""
    mine = promised(shop, view, text="  show the\n boots ")
    store = promised(shop, view, day=TODAY, is_mine=False)
    assert shop.database.entry(mine).op.body["text"] == "show the boots"
    assert shop.rings == ["ring", "ring"]
    listed = follow_ups_open(shop.database)
    assert [(one.op_id, one.standing.owner) for one in listed] == [(store, STORE), (mine, "a0001")]
    assert on_card(shop, view) == [mine, store]


def test_one_of_another_tablet_is_moved_handed_over_and_done_and_each_can_be_undone(shop):
    """Offline: the list follows at once; the change names whose card it is about."""
    op_id = heard(shop)
    move(shop.recorder, shop.book, op_id, date(2026, 11, 28))
    (one,) = follow_ups_open(shop.database)
    assert one.standing.due == "2026-11-28T09:00:00.000Z"
    assert shop.database.entries(limit=1)[0].profile_id == MARA
    taken = hand_over(shop.recorder, op_id, "a0001")
    assert follow_ups_open(shop.database)[0].standing.owner == "a0001"
    record.withdraw(shop.recorder, taken.op_id)
    assert follow_ups_open(shop.database)[0].standing.owner == "a0002"
    done = finish(shop.recorder, op_id)
    assert follow_ups_open(shop.database) == ()
    record.withdraw(shop.recorder, done.op_id)
    assert [one.op_id for one in follow_ups_open(shop.database)] == [op_id]
    dropped = drop(shop.recorder, op_id, " moved  away ")
    assert shop.database.entry(dropped.op_id).op.body == {"id": op_id, "state": "dropped", "reason": "moved away"}


def test_an_undo_after_hq_has_answered_brings_it_back(shop):
    """The feed shows it done, by this tablet's own change; taken back, it is open before HQ has heard of that."""
    op_id = heard(shop)
    done = finish(shop.recorder, op_id)
    known = [Promise.from_document("follow_up", one.body) for one in shop.database.documents("follow_up")]
    (settled,) = lay_over("follow_up", known, [shop.database.entry(done.op_id).op])
    shop.database.settle(answer(shop.database, {1: "accepted"}, visible_at=12), at=NOW_AT)
    shop.database.apply_page(page(STORE_SCOPE, [put(f"follow_up/{op_id}", settled.as_document(), 12)], head=12))
    assert shop.database.unsettled_of(["follow_up_changed"]) == ()
    assert follow_ups_open(shop.database) == ()
    record.withdraw(shop.recorder, done.op_id)
    assert [one.op_id for one in follow_ups_open(shop.database)] == [op_id]


def test_what_is_over_is_refused_with_who_was_quicker_and_nothing_is_written(shop, view):
    """Done twice; dropped without a reason; handed to nobody; one that is gone."""
    op_id = promised(shop, view)
    finish(shop.recorder, op_id)
    before = len(shop.database.entries())
    with pytest.raises(Refused, match="done already"):
        drop(shop.recorder, op_id, "x")
    with pytest.raises(Refused, match="done already"):
        move(shop.recorder, shop.book, op_id, date(2026, 11, 28))
    other = heard(shop)
    with pytest.raises(Refused, match="Say why"):
        drop(shop.recorder, other, "  ")
    with pytest.raises(Refused, match="do not work in this store"):
        hand_over(shop.recorder, other, "a0099")
    shop.database.apply_page(page(STORE_SCOPE, [gone(f"follow_up/{other}", 13)], head=13))
    with pytest.raises(Refused, match="no longer on this tablet"):
        finish(shop.recorder, other)
    assert len(shop.database.entries()) == before


def test_taken_back_it_is_nowhere(shop, view):
    """The undo of the promise itself, also with a change about it."""
    op_id = promised(shop, view)
    move(shop.recorder, shop.book, op_id, datetime(2026, 11, 28, tzinfo=UTC).date())
    record.withdraw(shop.recorder, op_id)
    assert follow_ups_open(shop.database) == ()
    assert on_card(shop, view) == []
