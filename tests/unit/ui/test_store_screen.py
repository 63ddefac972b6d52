"""Store today: for managers alone; what is from where is said, numbers open how they are counted, bars have words."""

from __future__ import annotations

from typing import Any

import flet as ft
import flet_charts as fc
import pytest

from associate_app.services.lookup import look_up
from associate_app.services.record import give_feedback, open_card, record_outcome
from associate_app.ui.words import Speaker
from shared.errors import Refused
from shared.profile import Money
from tests.support.flet_harness import Screen
from tests.support.plays import NOW_AT
from tests.support.replica import LOYALTY_ID, PIN_HASH, STORE_SCOPE, page, put
from tests.unit.ui.conftest import Store, played, sign_in

ADA = {"associate_id": "a0002", "name": "Ada Brandt", "role": "manager", "pin_hash": PIN_HASH}
PLAY = "cart-within-reach"
TODAY, YESTERDAY = "2026-11-22", "2026-11-21"
NIGHT_AT, OLD_AT = "2026-11-22T02:15:00.000Z", "2026-11-20T02:15:00.000Z"
HIDDEN = ("a0001", "berlin-1", PLAY)
"""What no screen shows: internal ids."""


@pytest.fixture
def managed(store: Store) -> Store:
    """The store with Ada, its manager."""
    hear(store, 50, {"associate/a0002": ADA})
    return store


def hear(store: Store, s: int, documents: dict[str, dict[str, Any]], scope: str = STORE_SCOPE) -> None:
    """HQ sends documents."""
    changes = [put(id_, doc, s + place) for place, (id_, doc) in enumerate(documents.items())]
    store.shop.database.apply_page(page(scope, changes, head=s + len(changes) - 1))


def figures(*rows: dict[str, Any], as_of: str = NIGHT_AT, **told: Any) -> dict[str, dict[str, Any]]:
    """HQ's figures of the store."""
    document = {"store": "berlin-1", "as_of": as_of, "through_s": 1, "rows": list(rows), **told}
    return {"figures/berlin-1": document}


def row(on: str = TODAY, play_id: str = PLAY, **counts: int) -> dict[str, Any]:
    """A play's day."""
    return {"on": on, "play_id": play_id, **counts}


def lift(state: str, **told: int) -> dict[str, dict[str, Any]]:
    """HQ's lift of the play."""
    counts = {"shown": 20_000, "shown_orders": 1_200, "held": 2_000, "held_orders": 60, "trigger_seen": 7}
    return {f"lift/{PLAY}": {"play_id": PLAY, "period": 1, "state": state, **counts, **told}}


async def visit(store: Store, screen: Screen) -> None:
    """The manager signs in and goes there."""
    await sign_in(screen, "Ada Brandt")
    await screen.press("Store")
    await screen.see("Plays used")


def test_an_associate_has_no_such_room_and_is_told_so_at_its_address(store: Store) -> None:
    """Neither the rail nor the floor gives the figures to anybody else."""

    async def play() -> None:
        async with store.open("/store") as screen:
            await sign_in_here(screen, "Jonas Weber")
            await screen.see("Only a store manager sees the figures of the store.")
            assert not screen.shows("Plays used")
            with pytest.raises(LookupError):
                screen.button("Store")

    played(play)
    with pytest.raises(Refused, match="Only a store manager"):
        store.floor.store_today(False, "a0001")


def test_who_is_manager_no_longer_sees_no_further_figure(managed: Store) -> None:
    """HQ's word counts at once, also on an open screen."""

    async def play() -> None:
        async with managed.open() as screen:
            await visit(managed, screen)
            hear(managed, 60, {"associate/a0002": {**ADA, "role": "associate"}})
            managed.heart.beat()
            await screen.see("Only a store manager sees the figures of the store.")
            assert not screen.shows("Plays used")
            assert screen.crashes() == []

    played(play)


async def sign_in_here(screen: Screen, name: str) -> None:
    """Sign in where the address leads."""
    await screen.see(name)
    await screen.press(name)
    for digit in "2580":
        await screen.press(digit)
    await screen.press("Sign in")


def test_before_hq_s_first_figures_the_screen_says_what_is_missing(managed: Store) -> None:
    """Empty, in words with a way on; the first card shows up, and nothing names an id."""

    async def play() -> None:
        async with managed.open() as screen:
            await visit(managed, screen)
            await screen.see("HQ has sent no figures yet. This is what this tablet recorded, without the others.")
            assert screen.shows("No play has been shown today.")
            assert screen.shows("Not enough yet")
            assert screen.shows("Nobody has told HQ anything yet.")
            assert screen.shows("This tablet · 0 to send")
            sell(managed)
            managed.heart.beat()
            await screen.see("Plays used: 1, of ")
            assert screen.shows("Bought after a play: 1, 0 proven by an order")
            assert not [told for told in screen.texts() if any(hidden in told for hidden in HIDDEN)]
            assert screen.crashes() == []

    played(play)


def sell(store: Store) -> None:
    """A card is opened, and its first play sells."""
    shop = store.shop
    view = look_up(shop.database, shop.book, LOYALTY_ID, now=shop.clock.now(), language="en")
    open_card(shop.recorder, view)
    record_outcome(shop.recorder, shop.book, view, view.plays[0].play_id, "bought")


def test_hq_s_figures_and_this_tablet_s_rest_are_one_number_and_say_so(managed: Store) -> None:
    """The number opens its formula, its window and its count; money of two currencies stays two sums."""
    money = [Money(minor=5_000, currency="CHF"), Money(minor=31_200, currency="EUR")]
    revenue = [{"on": TODAY, **one.model_dump()} for one in reversed(money)]
    hear(managed, 60, figures(row(shown=40, would_show=5, used=12, bought=4, proven=3), revenue=revenue))
    sell(managed)

    async def play() -> None:
        async with managed.open() as screen:
            await visit(managed, screen)
            await screen.see("The whole store as HQ counted it at 03:15; since then this tablet only.")
            assert screen.shows("Plays used: 13, of ")
            sums = [Speaker().money(one) for one in money]
            bought = f"Bought after a play: 5, 3 proven by an order · {sums[0]}, {sums[1]}"
            assert screen.shows(bought)
            assert not screen.shows("Today since midnight.")
            await screen.press(bought)
            await screen.see("proves one; HQ counts those: 3.")
            assert screen.shows("Today since midnight. Of these this tablet alone knows 1.")

    played(play)


def test_a_play_s_bar_is_said_in_words_and_opens_its_lift(managed: Store) -> None:
    """Its parts are disjoint; the holdout's mark is one of them; lift comes with interval and n."""
    hear(managed, 60, figures(row(shown=40, would_show=5, used=12, bought=4, proven=3)))
    told = lift("measured", lift_ppm=30_000, low_ppm=21_000, high_ppm=37_400)
    hear(managed, 60, told, "all")

    async def play() -> None:
        async with managed.open() as screen:
            await visit(managed, screen)
            assert screen.shows("Lift: +3.0 points, +2.1 to +3.7 · ")
            bar = next(one for one in screen.texts() if one.endswith(": Shown 40 · used 12 · bought 4 · held back 5"))
            pieces = [one for one in screen.walk() if isinstance(one, ft.Container) and one.height == 14]
            assert [one.expand for one in pieces if one.width is None] == [4, 8, 28, 5]
            await screen.press(bar)
            await screen.see("Lift: +3.0 points (+2.1 to +3.7). In all stores: 1,200 of 20,000 shoppers")
            assert screen.shows("60 of 2,000 it was held back from (7 of these had what triggers it opened).")

    played(play)


@pytest.mark.parametrize(
    ("state", "told", "said"),
    [
        ("few", {"held_orders": 4}, "Lift: Not enough yet, 4 of 10 orders needed in each group"),
        ("uneven", {}, "Lift: Not told, The two groups are not as they were drawn; HQ looks into it"),
        ("unmeasured", {}, "Lift: Not told, HQ works out no intervals"),
    ],
)
def test_a_lift_that_is_not_told_says_why(managed: Store, state: str, told: dict[str, int], said: str) -> None:
    """Never a number without its interval."""
    hear(managed, 60, lift(state, **told), "all")

    async def play() -> None:
        async with managed.open() as screen:
            await visit(managed, screen)
            await screen.see(said)
            assert not screen.shows(" points")

    played(play)


def test_the_week_adds_its_days_and_its_chart_is_said_in_words(managed: Store) -> None:
    """Seven days with today; what is older is not in it."""
    rows = (row(shown=2, used=1), row(YESTERDAY, shown=9, used=4, bought=2), row("2026-11-15", shown=70, used=50))
    hear(managed, 60, figures(*rows))

    async def play() -> None:
        async with managed.open() as screen:
            await visit(managed, screen)
            assert screen.shows("Plays used: 1, of 2 shown")
            await screen.press("Last 7 days")
            await screen.see("Plays used: 5, of 11 shown")
            assert screen.shows("Fri: used 0, bought 0. Sat: used 4, bought 2. Sun: used 1, bought 0")
            chart = screen.find(fc.BarChart)
            assert [[rod.to_y for rod in group.rods] for group in chart.groups][-2:] == [[4, 2], [1, 0]]
            await screen.press("Plays used: 5, of 11 shown")
            await screen.see("Mon 16 Nov to Sun 22 Nov, today included.")
            assert screen.crashes() == []

    played(play)


def test_stale_figures_are_amber_and_say_what_is_missing(managed: Store) -> None:
    """A night without HQ is not passed over."""
    hear(managed, 60, figures(row(YESTERDAY, shown=9), as_of=OLD_AT))

    async def play() -> None:
        async with managed.open() as screen:
            await visit(managed, screen)
            await screen.see("HQ's figures are of 20 Nov 03:15: a night is missing.")

    played(play)


def test_what_was_said_has_hq_s_answer_or_its_deadline_and_tablets_their_last_contact(managed: Store) -> None:
    """Answered, due, late, and still here; each tablet with what it had unsent."""
    told = {"about": "worked", "text": "t", "at": NOW_AT}
    fleet = [{"device_id": "d2", "name": "Window", "last_seen_at": NIGHT_AT, "unsent": 4}]
    documents = {
        "feedback/f1": {**told, "text": "Wool sells", "answer": "More is coming."},
        "feedback/f2": {**told, "text": "Too long", "due_at": "2026-11-25T13:02:00.000Z", "about": "newer_kind"},
        "feedback/f3": {**told, "text": "No mirror", "due_at": "2026-11-20T13:02:00.000Z", "play_id": PLAY},
    }
    hear(managed, 60, {**documents, **figures(tablets=fleet)})
    give_feedback(managed.shop.recorder, "friction", "The door sticks")

    async def play() -> None:
        async with managed.open() as screen:
            await visit(managed, screen)
            for said in (
                "HQ: More is coming.",
                "HQ answers by Wed 25 Nov.",
                "HQ owes an answer since Fri 20 Nov.",
                "Saved here; it goes to HQ with the next sync.",
                "Something else · just now",
                "At HQ 03:15 · 4 to send then",
                "This tablet · 1 to send",
            ):
                await screen.see(said)
            late = screen.find(ft.Text, "HQ owes an answer since Fri 20 Nov.")
            assert late.color == ft.Colors.TERTIARY

    played(play)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (800, 1280)])
def test_it_is_drawn_in_every_frame(managed: Store, width: int, height: int) -> None:
    """A phone has the room at its foot."""
    hear(managed, 60, figures(row(shown=2, used=1)))

    async def play() -> None:
        async with managed.open(width=width, height=height) as screen:
            await sign_in(screen, "Ada Brandt")
            if width < 700:
                bar = screen.find(ft.NavigationBar)
                assert bar.destinations[-1].label == "Store"
                await screen.event(bar, "change", selected_index=5)
            else:
                await screen.press("Store")
            await screen.see("Plays used: 1, of 2 shown")
            assert screen.crashes() == []

    played(play)
