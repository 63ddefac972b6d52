"""The first minutes: the practice card offered once, three tips, and a practice store of which nothing is kept."""

from __future__ import annotations

import flet as ft
import pytest

from associate_app.services.practice import practice_card
from associate_app.ui.first_steps import WELL_KNOWN, FirstSteps, read_first_steps
from tests.support.flet_harness import Screen
from tests.support.replica import card_for
from tests.unit.ui.conftest import Store, played, scan, sign_in

PIA = practice_card("2999999990011")
OFFER, BAND = "New here? Try it first", "Practice: made-up shoppers. Nothing here is kept or sent."


def forget(store: Store) -> None:
    """Jonas has never worked here."""
    store.floor.note_first_steps("a0001", FirstSteps())


def steps(store: Store) -> FirstSteps:
    """How far Jonas is."""
    return read_first_steps(store.shop.database, "a0001")


async def practise(screen: Screen) -> None:
    """Take the offer."""
    await screen.see(OFFER)
    await screen.press("Practise")
    await screen.see(BAND)


def test_a_newcomer_practises_with_three_tips_and_nothing_of_it_is_kept(store: Store) -> None:
    """Offer, card, words, outcome, a note; then the real store with an untouched journal and no offer and no tip."""
    forget(store)

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            assert not screen.shows("Tip 1 of 3")
            await practise(screen)
            await screen.see("Tip 1 of 3")
            await screen.press("Scan this card")
            await screen.see("Pia Muster")
            await screen.see("Tip 2 of 3")
            await screen.press("Got it")
            await screen.see("Tip 3 of 3")
            await screen.press("Bought")
            await screen.see("Saved: ")
            assert screen.shows(BAND)
            assert not screen.shows("Tip ")
            await screen.press("Leave practice")
            await screen.see("Scan loyalty QR")
            assert not screen.shows(BAND)
            assert not screen.shows(OFFER)
            assert not screen.shows("Pia Muster")
        async with store.open() as later:
            await sign_in(later)
            assert not later.shows(OFFER)

    played(play)
    assert store.kinds() == []
    assert store.rings == []
    assert steps(store) == WELL_KNOWN


def test_tips_come_outside_practice_too_and_can_be_skipped(store: Store) -> None:
    """Whoever declines the practice card gets the tips at work; skipped is skipped for good."""
    forget(store)

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.press("Not now")
            await screen.see("Tip 1 of 3")
            await scan(screen, card_for(), "Tip 2 of 3")
            await screen.press("Skip tips")
            await screen.until(lambda: not screen.shows("Tip "))
            await screen.until(lambda: steps(store) == WELL_KNOWN)

    played(play)


def beside(screen: Screen, tip: str) -> bool:
    """Whether a tip has its buttons beside its words."""
    told = next(one for one in screen.walk() if isinstance(one, ft.Semantics) and str(one.label).startswith(tip))
    row = next(one for one in screen.walk() if isinstance(one, ft.Row) and told in one.controls)
    return len(row.controls) > 2


@pytest.mark.parametrize(("width", "on_today", "on_the_card"), [(1180, True, False), (800, True, True)])
def test_a_tip_has_its_buttons_under_it_where_it_has_half_the_screen(
    store: Store, width: int, on_today: bool, on_the_card: bool
) -> None:
    """Beside long German buttons its words would stand in a column of three words a line."""
    forget(store)

    async def play() -> None:
        async with store.open(width=width, height=820) as screen:
            await sign_in(screen)
            await screen.press("Not now")
            await screen.see("Tip 1 of 3")
            assert beside(screen, "Tip 1") is on_today
            await scan(screen, card_for(), "Tip 2 of 3")
            assert beside(screen, "Tip 2") is on_the_card

    played(play)


def test_no_card_leads_from_one_store_into_the_other(store: Store) -> None:
    """A practice card opens nothing at work; a shopper's card nothing in practice, nor does their number."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, PIA, "This is a practice card")
            await screen.press("Sync")
            await screen.see("Records on this tablet")
            await screen.press("Settings")
            await screen.see("Scanner test")
            await screen.press("Practise")
            await screen.see(BAND)
            await scan(screen, card_for(), "This is not a practice card")
            await screen.press("Today")
            await screen.see("Your practice card")
            await scan(screen, "2900000000018", "This is not a practice card")
            await scan(screen, PIA, "Pia Muster")
            await screen.press("Leave practice")
            await screen.see("Scanner test")

    played(play)
    assert store.kinds() == []


def test_everything_can_be_tried_in_practice(store: Store) -> None:
    """Every room opens, and somebody can join."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.event(screen.page, "route_change", {"route": "/settings"})
            await screen.press("Practise")
            await screen.see(BAND)
            for room, words in (
                *(("Find", "Part of a name"), ("Plays", "Search plays"), ("Tell HQ", "In a line or two")),
                *(("Sync", "Records on this tablet"), ("Scan", "Enter number instead"), ("Today", "New shopper")),
            ):
                await screen.press(room)
                await screen.see(words)
            await screen.press("New shopper")
            await screen.write("First name", "Nora")
            await screen.press("Hand the tablet to the shopper")
            await screen.see("May we…")
            await screen.press("Done")
            await screen.see("Photograph this with your phone")
            assert not screen.crashes()

    played(play)
    assert store.kinds() == []


def test_the_scanner_test_names_a_wrong_layout(store: Store) -> None:
    """While it runs scans are for it; afterwards they open cards again."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.event(screen.page, "route_change", {"route": "/settings"})
            await screen.press("Test the scanner")
            await screen.see("Scan this code")
            await scan(screen, "4006381333931", "Something else arrived: 4006381333931")
            await screen.press("End the test")
            await screen.until(lambda: not screen.shows("Scan this code"))
            await scan(screen, card_for(), "Mara Lindqvist")

    played(play)


def test_a_theme_is_kept_in_the_browser(store: Store) -> None:
    """Chosen on Settings, worn by the next session of that browser."""

    async def play() -> None:
        async with store.open("/settings") as screen:
            await sign_in_at_settings(screen)
            await screen.press("Dark")
            assert screen.page.theme_mode.value == "dark"
            kept = [args for name, args in screen.client.invoked if name == "set" and args["key"] == "theme"]
            assert kept[-1]["value"] == "dark"
        async with store.open(replies={"get": lambda args: "dark" if args["key"] == "theme" else None}) as next_one:
            assert next_one.page.theme_mode.value == "dark"

    played(play)


async def sign_in_at_settings(screen: Screen) -> None:
    """Sign in where the address leads to Settings."""
    await screen.see("Jonas Weber")
    await screen.press("Jonas Weber")
    for digit in "2580":
        await screen.press(digit)
    await screen.press("Sign in")
    await screen.see("Scanner test")
