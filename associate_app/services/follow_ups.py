"""Follow-ups: what this store promised its shoppers, on which day it is due, and what became of it. Flow step 5.

The list is the feed's with this tablet's own unsettled ops over it. What may be done is the table's of
`shared/promises.py`; what may be promised is what the shopper agreed to. Days are the store's, in its time zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from associate_app.ports import TabletDatabase
from associate_app.services.lookup import ShopperKey, has_consent
from associate_app.services.promises import promise_to_change, promises_open
from associate_app.services.record import Offered, Recorder, Saved, change_promise, request_follow_up
from associate_app.services.sign_in import associates_here
from associate_app.services.store_book import StoreBook
from shared.clock import format_at, is_at, local_day
from shared.errors import Refused
from shared.plays.inputs import zone_of
from shared.promises import HANDED_OVER, MOVED, STORE, WAYS, Promise

KIND: Final = "follow_up"
DUE_TIME: Final = time(10)
"""When on its day a follow-up falls due: nobody is called or written to before the store has opened."""
DAYS_AHEAD_MAX: Final = 400
TEXT_MAX: Final = 200
SATURDAY: Final = 5
_NO_CONSENT: Final = "They have not agreed to be reached that way. Choose another way, or ask them."


@dataclass(frozen=True, slots=True)
class Wish:
    """What is promised: `what` and `channel` as `ways_open` offers them, the store's day, whose it is, and a line."""

    what: str
    channel: str
    day: date
    is_mine: bool = True
    text: str = ""


def ways_open(database: TabletDatabase, shopper: ShopperKey) -> tuple[tuple[str, str], ...]:
    """(what, channel) that may be promised to this shopper; a channel without their consent is not among them."""
    agreed = {"none"} | {
        channel
        for channels in WAYS.values()
        for channel in channels
        if channel != "none" and has_consent(database, shopper, channel)
    }
    return tuple((what, channel) for what, channels in WAYS.items() for channel in channels if channel in agreed)


def days_offered(today: date) -> tuple[tuple[str, date], ...]:
    """The days one names most: tomorrow, Saturday, in a week; each day once."""
    saturday = today + timedelta(days=(SATURDAY - today.weekday()) % 7 or 7)
    named = {"tomorrow": today + timedelta(days=1), "saturday": saturday, "week": today + timedelta(days=7)}
    by_day: dict[date, str] = {}
    for name, day in named.items():
        by_day.setdefault(day, name)
    return tuple((name, day) for day, name in sorted(by_day.items()))


def promise_follow_up(
    recorder: Recorder, book: StoreBook, shopper: ShopperKey, wish: Wish, *, offered: Offered | None = None
) -> Saved:
    """Promise it; `offered` is the play for outreach that was taken up by it. Raises Refused for a way the shopper did
    not agree to, and for a day that is over."""
    if wish.channel not in WAYS.get(wish.what, ()):
        raise Refused("A message goes by e-mail or text message, a call by phone; a visit or a reminder needs neither.")
    if (wish.what, wish.channel) not in ways_open(recorder.database, shopper):
        raise Refused(_NO_CONSENT)
    text = " ".join(wish.text.split())
    if len(text) > TEXT_MAX:
        raise Refused(f"A follow-up takes {TEXT_MAX} characters; this has {len(text)}. Make it a line.")
    return request_follow_up(
        recorder,
        shopper,
        what=wish.what,
        due=_due(recorder, book, wish.day),
        channel=wish.channel,
        assignee="me" if wish.is_mine else STORE,
        text=text or None,
        offered=offered,
    )


def _due(recorder: Recorder, book: StoreBook, day: date) -> datetime:
    """The moment of a day in the store's time zone."""
    today = book.today(recorder.clock.now())
    if not today <= day <= today + timedelta(days=DAYS_AHEAD_MAX):
        raise Refused("That day is over, or further away than a year. Choose another day.")
    return datetime.combine(day, DUE_TIME, zone_of(book.store.timezone)).astimezone(UTC)


# the list ------------------------------------------------------------------------------------------------------------


def follow_ups_open(database: TabletDatabase) -> tuple[Promise, ...]:
    """What is still to be done, soonest first."""
    return promises_open(database, KIND)


def due_day(promise: Promise, zone: tzinfo, today: date) -> date:
    """The store's day on which it is due. One whose time nobody can read is due now: somebody has to look at it."""
    due = promise.standing.due
    return local_day(due, zone) if due is not None and is_at(due) else today


# what becomes of them ------------------------------------------------------------------------------------------------


def finish(recorder: Recorder, op_id: str) -> Saved:
    """It is done."""
    return change_promise(recorder, _to_change(recorder, op_id, "done"), state="done")


def move(recorder: Recorder, book: StoreBook, op_id: str, day: date) -> Saved:
    """To another day."""
    promise = _to_change(recorder, op_id, MOVED)
    return change_promise(recorder, promise, state=MOVED, due=format_at(_due(recorder, book, day)))


def hand_over(recorder: Recorder, op_id: str, to: str) -> Saved:
    """To an associate of this store, or to the store itself (STORE)."""
    promise = _to_change(recorder, op_id, HANDED_OVER)
    if to != STORE and all(one.associate_id != to for one in associates_here(recorder.database)):
        raise Refused("They do not work in this store any more. Choose somebody else, or the store.")
    return change_promise(recorder, promise, state=HANDED_OVER, assignee=to)


def drop(recorder: Recorder, op_id: str, reason: str) -> Saved:
    """It will not be done, and why."""
    promise, why = _to_change(recorder, op_id, "dropped"), " ".join(reason.split())[:TEXT_MAX]
    if not why:
        raise Refused("Say why it is dropped, so that the next colleague does not promise it again.")
    return change_promise(recorder, promise, state="dropped", reason=why)


def _to_change(recorder: Recorder, op_id: str, deed: str) -> Promise:
    return promise_to_change(recorder.database, KIND, op_id, deed)
