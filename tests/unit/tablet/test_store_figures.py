"""Store today on the tablet: HQ's figures and the rest of this tablet's own journal, nothing twice and nothing lost."""

from __future__ import annotations

from typing import Any

from associate_app.services.lookup import CardView, look_up
from associate_app.services.record import amend_outcome, give_feedback, open_card, record_outcome, withdraw
from associate_app.services.store_figures import StoreNow, read_store
from shared.plays.figures import by_play
from tests.support.plays import NOW_AT
from tests.support.replica import LOYALTY_ID, STORE_SCOPE, ShopTablet, answer, page, put

TODAY, YESTERDAY = "2026-11-22", "2026-11-21"
NIGHT_AT = "2026-11-22T02:15:00.000Z"


def now_of(shop: ShopTablet) -> StoreNow:
    """What the manager sees."""
    device = shop.database.device()
    assert device is not None
    return read_store(shop.database, shop.book, device, shop.clock.now())


def view_of(shop: ShopTablet) -> CardView:
    """Mara's card, opened."""
    view = look_up(shop.database, shop.book, LOYALTY_ID, now=shop.clock.now(), language="en")
    open_card(shop.recorder, view)
    return view


def hear(shop: ShopTablet, s: int, rows: list[dict[str, Any]], *, through_s: int, **told: Any) -> None:
    """HQ's figures arrive."""
    document = {"store": "berlin-1", "as_of": NIGHT_AT, "through_s": through_s, "rows": rows, **told}
    shop.database.apply_page(page(STORE_SCOPE, [put("figures/berlin-1", document, s)], head=s))


def settle(shop: ShopTablet, verdict: str = "accepted", *, visible_at: int) -> None:
    """HQ answers all that waits."""
    head, _ = shop.database.head()
    acked, _ = shop.database.acked()
    told = dict.fromkeys(range(acked + 1, head + 1), verdict)
    shop.database.settle(answer(shop.database, told, visible_at=visible_at), at=NOW_AT)


def figures(shop: ShopTablet, play_id: str, since_on: str = TODAY) -> tuple[int, int, int]:
    """Shown, used, bought."""
    found = by_play(now_of(shop).figures, since_on)[play_id]
    return found["shown"], found["used"], found["bought"]


def test_without_hq_it_is_this_tablet_s_own(shop: ShopTablet):
    """From the first card on, offline; an undo is gone at once, a correction counts instead."""
    view = view_of(shop)
    play_id = view.plays[0].play_id
    assert now_of(shop).hq_as_of is None
    assert figures(shop, play_id) == (1, 0, 0)
    saved = record_outcome(shop.recorder, shop.book, view, play_id, "bought")
    assert figures(shop, play_id) == (1, 1, 1)
    amend_outcome(shop.recorder, saved.op_id, outcome="interested")
    assert figures(shop, play_id) == (1, 1, 0)
    withdraw(shop.recorder, saved.op_id)
    assert figures(shop, play_id) == (1, 0, 0)


def test_what_hq_counted_is_not_counted_again(shop: ShopTablet):
    """Below the position it is HQ's; above it and unsent it is added; an undo of a counted one takes it away."""
    view = view_of(shop)
    play_id = view.plays[0].play_id
    saved = record_outcome(shop.recorder, shop.book, view, play_id, "bought")
    settle(shop, visible_at=20)
    hq = {"play_id": play_id, "shown": 5, "used": 3, "bought": 2, "proven": 1}
    hear(shop, 21, [{"on": TODAY, **hq}, {"on": YESTERDAY, **hq}], through_s=19)
    assert figures(shop, play_id) == (6, 4, 3)
    hear(shop, 22, [{"on": TODAY, **hq}, {"on": YESTERDAY, **hq}], through_s=20)
    assert figures(shop, play_id) == (5, 3, 2)
    assert figures(shop, play_id, YESTERDAY) == (10, 6, 4)
    assert not +now_of(shop).own
    withdraw(shop.recorder, saved.op_id)
    assert figures(shop, play_id) == (5, 2, 1)


def test_what_hq_could_not_take_counts_nowhere(shop: ShopTablet):
    """It stands under Needs a look."""
    view = view_of(shop)
    record_outcome(shop.recorder, shop.book, view, view.plays[0].play_id, "bought")
    settle(shop, "rejected:malformed", visible_at=20)
    assert not +now_of(shop).figures


def test_figures_that_missed_a_night_are_stale_and_unknown_forms_left_out(shop: ShopTablet):
    """36 hours; what cannot be read is as if it had not come."""
    hear(shop, 20, [], through_s=1)
    assert (now_of(shop).hq_as_of, now_of(shop).is_stale) == (NIGHT_AT, False)
    hear(shop, 21, [], through_s=1, as_of="2026-11-20T02:15:00.000Z")
    assert now_of(shop).is_stale
    for as_of in ("last night", 7):
        hear(shop, 22, [{"on": TODAY, "play_id": "greet", "shown": 5}], through_s=1, as_of=as_of)
        assert now_of(shop).hq_as_of is None
        assert not +now_of(shop).figures


def test_revenue_stays_by_currency_and_days_are_the_store_s_own(shop: ShopTablet):
    """Seven days with today."""
    revenue = [{"on": TODAY, "minor": 4990, "currency": "EUR"}, {"on": TODAY, "minor": 2000, "currency": "CHF"}]
    hear(shop, 20, [], through_s=1, revenue=revenue)
    now = now_of(shop)
    assert now.revenue == {(TODAY, "EUR"): 4990, (TODAY, "CHF"): 2000}
    assert (now.week_on, now.today_on) == ("2026-11-16", TODAY)


def test_what_was_said_comes_with_hq_s_answer_and_what_waits_here_too(shop: ShopTablet):
    """Newest first; an own one once, also when HQ has it."""
    give_feedback(shop.recorder, "worked", "Everyone liked the wool.")
    [waiting] = now_of(shop).said
    told_here = waiting.message
    assert (told_here.text, told_here.due_at, waiting.is_here) == ("Everyone liked the wool.", None, True)
    settle(shop, visible_at=20)
    told = {"about": "worked", "text": "Everyone liked the wool.", "at": NOW_AT, "due_at": "2026-11-25T13:02:00.000Z"}
    old = {"about": "friction", "text": "The lift is slow.", "at": "2026-11-20T10:00:00.000Z", "answer": "Repaired."}
    changes = [put(f"feedback/{told_here.id}", told, 20), put("feedback/f1", old, 21)]
    shop.database.apply_page(page(STORE_SCOPE, changes, head=21))
    here, before = now_of(shop).said
    assert (here.message.id, here.message.due_at) == (told_here.id, "2026-11-25T13:02:00.000Z")
    assert before.message.answer == "Repaired."


def test_this_tablet_comes_first_and_as_it_stands_now(shop: ShopTablet):
    """Others as HQ last heard of them, one enrolled since with its name alone."""
    device = shop.database.device()
    assert device is not None
    tablets = [
        {"device_id": device.device_id, "name": device.name, "last_seen_at": NIGHT_AT, "unsent": 9},
        {"device_id": "d2", "name": "Window", "last_seen_at": NIGHT_AT, "unsent": 4},
    ]
    hear(shop, 20, [], through_s=1, tablets=tablets)
    shop.database.apply_page(page(STORE_SCOPE, [put("device/d3", {"name": "New", "parked": []}, 21)], head=21))
    give_feedback(shop.recorder, "worked", "Good.")
    rows = [(row.name, row.last_seen_at, row.unsent, row.is_this) for row in now_of(shop).tablets]
    assert rows == [("Tablet", NOW_AT, 1, True), ("New", None, None, False), ("Window", NIGHT_AT, 4, False)]
