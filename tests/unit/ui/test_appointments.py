"""Appointments without a browser: booked from the card, told as a clash on every screen, moved, ended and undone."""

from __future__ import annotations

from shared.promises import Change, Promise
from tests.support.replica import LOYALTY_ID, MARA, STORE_SCOPE, card_for, page, put
from tests.unit.ui.conftest import Store, played, scan, sign_in

THEIRS = "01a20000-0000-7000-8000-00000000e001"
ROW = "10:00–11:00, Mara Lindqvist, Repair · zip"
MONDAY = "2026-11-23T09:00:00.000Z"


def bring(store: Store, s: int, *changes: Change, starts: str = MONDAY) -> None:
    """The feed brings what another tablet booked, for 10:00 on Monday unless told otherwise."""
    body = {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, "starts_at": starts, "minutes": 60, "with": "me"}
    at, who = "2026-11-20T10:00:00.000Z", "a0002"
    made = Promise("appointment", THEIRS, at, "berlin-1", who, {**body, "topic": "repair: zip"}, changes, MARA)
    store.shop.database.apply_page(page(STORE_SCOPE, [put(f"appointment/{THEIRS}", made.as_document(), s)], head=s))
    store.heart.beat()


def test_an_appointment_takes_two_taps_from_the_card_and_is_undone_with_one(store: Store) -> None:
    """The soonest free time is chosen already: on a Sunday Monday at ten; then it stands first on the card."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "Plays for now")
            await screen.press("Appointment")
            await screen.see("HQ has not said when this store is open.")
            await screen.press("Book it")
            await screen.see("Saved: Advice · Mon 23 Nov 10:00")
            told = store.newest()
            assert told | {"shopper": None} == {
                "shopper": None,
                "starts_at": MONDAY,
                "minutes": 30,
                "topic": "advice",
                "with": "me",
            }
            await screen.see("Mon 23 Nov · 10:00–10:30 · Jonas")
            await screen.press("Undo")
            await screen.until(lambda: not screen.shows("10:00–10:30"))
            assert not screen.crashes()

    played(play)


def test_a_time_that_is_taken_is_said_before_and_a_clash_after_on_card_today_and_list(store: Store) -> None:
    """Booked all the same, both stand; handing one over does not help a store that keeps one at a time, moving does."""

    async def play() -> None:
        async with store.open() as screen:
            bring(store, 11)
            await sign_in(screen)
            await scan(screen, card_for(), "Plays for now")
            await screen.see("Repair · zip")
            await screen.press("Appointment")
            await screen.see("11:00")
            assert not screen.shows("10:30 · taken"), "behind one more tap"
            await screen.press("Another time")
            await screen.press("10:30 · taken")
            await screen.see("10:30 is taken: Mara Lindqvist (10:00–11:00).")
            await screen.press("Book it anyway")
            await screen.see("Saved: Advice · Mon 23 Nov 10:30")
            await screen.see("Same time as Mara Lindqvist (10:00–11:00). Both are kept")
            await screen.press("Today")
            await screen.see("Mon 23 Nov, appointments at the same time: Mara Lindqvist")
            await screen.press("Look at that day")
            await screen.see("Same time as Mara Lindqvist (10:30–11:00, Jonas). Both are kept")
            bring(store, 12, Change("c", "2026-11-22T13:00:00.000Z", "moved", due="2026-11-24T09:00:00.000Z"))
            await screen.until(lambda: not screen.shows("Same time as"))
            await screen.press("Week")
            await screen.see("Mon 23 Nov – Sun 29 Nov")
            await screen.see("10:00–11:00")
            await screen.see("10:30–11:00")
            assert not screen.crashes()

    played(play)


def test_what_becomes_of_it_is_tapped_in_the_day_and_undone(store: Store) -> None:
    """Moved to a time of another day, called off with a reason in HQ's language, kept; a no-show once it has begun."""

    async def play() -> None:
        async with store.open() as screen:
            bring(store, 11)
            await sign_in(screen)
            await screen.press("Appointments")
            await screen.see("Closed")
            await screen.press("Later")
            await screen.see(ROW)
            await screen.press(ROW)
            assert not screen.shows("No-show")
            await screen.press("Move")
            await screen.see("To which day and time?")
            await screen.press("Another day")
            await screen.press("Mon 30 Nov")
            await screen.see("11:00")
            await screen.press("11:00")
            await screen.see("Saved: Appointment moved to Mon 30 Nov 11:00")
            assert store.newest() == {"id": THEIRS, "state": "moved", "due": "2026-11-30T10:00:00.000Z"}
            await screen.see("Nothing is booked on this day.")
            await screen.press("Undo")
            await screen.see(ROW)
            await screen.press(ROW)
            await screen.press("Cancel")
            await screen.press("The shopper called it off")
            await screen.see("Saved: Appointment cancelled")
            assert store.newest()["reason"] == "The shopper called it off"
            await screen.see("Cancelled")
            await screen.press("Undo")
            await screen.until(lambda: not screen.shows("Cancelled"))
            store.shop.clock.move(24 * 3600)
            store.heart.beat()
            await screen.see("Today, Mon 23 Nov")
            await screen.press(ROW)
            await screen.see("No-show")
            await screen.press("They came")
            await screen.see("Saved: Appointment kept")
            assert store.newest() == {"id": THEIRS, "state": "kept"}
            assert not screen.crashes()

    played(play)


def test_who_is_expected_today_is_told_so_on_the_card(store: Store) -> None:
    """Once it is booked, before everything else they may be here for; no more once it is over."""

    async def play() -> None:
        async with store.open() as screen:
            bring(store, 11, starts="2026-11-22T14:30:00.000Z")
            await sign_in(screen)
            await scan(screen, card_for(), "Plays for now")
            await screen.see("may be here for an appointment at 15:30: Repair · zip")
            bring(store, 12, Change("x-1", "2026-11-22T13:01:00.000Z", "kept"), starts="2026-11-22T14:30:00.000Z")
            await screen.see("may be here for Hekla down jacket, ochre, left in the cart 2 days ago")

    played(play)
