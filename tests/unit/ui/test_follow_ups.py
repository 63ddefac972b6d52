"""Follow-ups without a browser: promised from the card, due on Today, and what becomes of them on their own screen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from associate_app.services import record
from associate_app.services.lookup import ShopperKey
from shared.promises import Change, Promise
from tests.support.flet_harness import Screen
from tests.support.replica import LOYALTY_ID, MARA, STORE_SCOPE, card_for, page, put
from tests.unit.ui.conftest import Store, played, scan, sign_in

THEIRS = "01a20000-0000-7000-8000-00000000f001"


def bring(store: Store, s: int, *changes: Change, **told: Any) -> None:
    """The feed brings a visit that another tablet promised, due at half past eleven last night in Berlin."""
    body = {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, "what": "visit", "channel": "none", **told}
    body = {"due_at": "2026-11-21T22:30:00.000Z", "assignee": "store", "text": "boots to try", **body}
    made = Promise("follow_up", THEIRS, "2026-11-20T10:00:00.000Z", "berlin-1", "a0002", body, changes, MARA)
    store.shop.database.apply_page(page(STORE_SCOPE, [put(f"follow_up/{THEIRS}", made.as_document(), s)], head=s))
    store.heart.beat()


async def open_mara(screen: Screen) -> None:
    """Sign in and scan her card."""
    await sign_in(screen)
    await scan(screen, card_for(), "Plays for now")


async def open_list(screen: Screen, whose: str) -> None:
    """Sign in and open the list."""
    await sign_in(screen)
    await screen.press("All follow-ups")
    await screen.see("What was promised in this store")
    await screen.press(whose)


def test_a_follow_up_is_promised_by_the_ways_they_agreed_to_alone(store: Store) -> None:
    """Mara agreed to e-mail: no call, no text message. *Saved* after the commit, on the card at once, undone alike."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen)
            await screen.press("Follow-up")
            await screen.see("Only what they agreed to is offered.")
            told = screen.texts()
            assert {"Message", "Visit", "Reminder", "By e-mail"} <= set(told)
            assert not {"Call", "By text message"} & set(told)
            await screen.press("Saturday")
            await screen.press("The store’s")
            await screen.write("About what, in a line", "the boots are in")
            await screen.press("Save follow-up")
            await screen.see("Saved: Message · Sat 28 Nov")
            body = store.newest()
            assert (body["channel"], body["assignee"], body["due_at"]) == ("email", "store", "2026-11-28T09:00:00.000Z")
            await screen.see("Message · the boots are in")
            await screen.see("Sat 28 Nov · the store")
            await screen.press("Undo")
            await screen.until(lambda: not screen.shows("the boots are in"))
            assert not screen.crashes()

    played(play)


def test_any_day_of_the_next_weeks_can_be_picked_and_each_has_one_name(store: Store) -> None:
    """*Another day* shows the rest, today among them, each as the store's day."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen)
            await screen.press("Follow-up")
            await screen.see("Another day")
            assert not screen.shows("Wed 25 Nov")
            await screen.press("Another day")
            assert screen.shows("Today")
            assert not screen.shows("Mon 23 Nov")
            await screen.press("Wed 25 Nov")
            await screen.press("Reminder")
            await screen.press("Save follow-up")
            await screen.see("Saved: Reminder · Wed 25 Nov")

    played(play)


def test_today_counts_in_the_store_s_days_and_leads_to_the_list(store: Store) -> None:
    """Due at 22:30 UTC yesterday is overdue in Berlin; a colleague's own does not count for me."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.see("Nothing promised that waits for you.")
            bring(store, 11)
            await screen.see("Mara Lindqvist, Visit · boots to try · Sat 21 Nov · the store")
            await screen.see("overdue")
            bring(store, 12, assignee="me")
            await screen.see("Nothing promised that waits for you.")
            await screen.press("All follow-ups")
            await screen.see("Colleagues’ (1)")

    played(play)


def test_done_leaves_the_list_and_undo_brings_it_back(store: Store) -> None:
    """One tap; and the way to the card."""

    async def play() -> None:
        async with store.open() as screen:
            bring(store, 11)
            await open_list(screen, "The store’s (1)")
            await screen.press(row_of(screen))
            await screen.press("Done")
            await screen.see("Saved: Follow-up done")
            await screen.see("Nothing is waiting here.")
            assert store.newest() == {"id": THEIRS, "state": "done"}
            await screen.press("Undo")
            await screen.see("The store’s (1)")
            await screen.press("Open the card")
            await screen.see("Plays for now")

    played(play)


def row_of(screen: Screen) -> str:
    """The name of Mara's row."""
    return next(told for told in screen.texts() if told.startswith("Mara Lindqvist, "))


def test_it_is_moved_handed_over_and_dropped_with_a_reason(store: Store) -> None:
    """Each after one more choice; the list follows."""

    async def play() -> None:
        async with store.open() as screen:
            bring(store, 11)
            await open_list(screen, "The store’s (1)")
            await screen.press(row_of(screen))
            await screen.press("Move")
            await screen.press("Tomorrow")
            await screen.see("Saved: Follow-up moved to Mon 23 Nov")
            await screen.see("Upcoming")
            await screen.press("Hand over")
            await screen.press("Mine")
            await screen.see("Saved: Follow-up handed to Jonas")
            await screen.see("Mine (1)")
            await screen.press("Mine (1)")
            await screen.see("Mara Lindqvist, ")
            await screen.press("Drop")
            await screen.press("No longer wanted")
            await screen.see("Saved: Follow-up dropped")
            assert store.newest() == {"id": THEIRS, "state": "dropped", "reason": "No longer wanted"}
            assert not screen.crashes()

    played(play)


def test_a_colleague_who_was_quicker_is_said(store: Store) -> None:
    """The feed brought *done* between the look and the tap: a sentence, and nothing is written."""

    async def play() -> None:
        async with store.open() as screen:
            bring(store, 11)
            await open_list(screen, "The store’s (1)")
            await screen.press(row_of(screen))
            done = screen.button("Done")
            bring(store, 12, Change("01a20000-0000-7000-8000-00000000f002", "2026-11-22T12:00:00.000Z", "done"))
            await screen.event(done, "click")
            await screen.see("A colleague was quicker: this follow-up is done already.")
            assert store.kinds() == []

    played(play)


def test_who_joined_here_without_a_network_is_called_by_name(store: Store) -> None:
    """HQ does not know them yet; what was promised to them and nobody knows more of is listed all the same."""
    shop = store.shop
    record.enrol_shopper(shop.recorder, "2900000000087", [], given_name="Nora", family_name="Falk")
    for number, day in (("2900000000087", "2026-11-24"), ("2900000000999", "2026-11-25")):
        shopper = ShopperKey("loyalty_id", number, "01a20000-0000-5000-8000-00000000bbbb")
        due = datetime.fromisoformat(f"{day}T10:00:00+01:00")
        record.request_follow_up(shop.recorder, shopper, what="reminder", due=due)

    async def play() -> None:
        async with store.open() as screen:
            await open_list(screen, "Mine (2)")
            await screen.see("Nora Falk, Reminder · Tue 24 Nov · Jonas")
            await screen.see("A shopper who is not on this tablet, Reminder · Wed 25 Nov · Jonas")

    played(play)
