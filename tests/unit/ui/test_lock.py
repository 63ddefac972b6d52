"""The idle lock: after two minutes without a touch nothing of a shopper is shown; the same PIN leads back."""

from __future__ import annotations

from associate_app.ui.faces import AssociateFace
from associate_app.ui.shifts import Shifts
from tests.support.flet_harness import Screen
from tests.support.replica import PIN_HASH, STORE_SCOPE, card_for, page, put
from tests.unit.ui.conftest import JONAS, PIN, Store, played, scan, sign_in

ADA = {"associate_id": "a0002", "name": "Ada Brandt", "role": "associate", "pin_hash": PIN_HASH}


def shown(screen: Screen, words: str) -> bool:
    """Whether words are on the screen, hidden parts left out."""
    return any(words in told for one in visible(screen) for told in one)


def visible(screen: Screen) -> list[list[str]]:
    """What each control that is drawn says; what lies in a hidden one is not drawn."""
    hidden: set[int] = set()
    for one in screen.walk():
        if getattr(one, "visible", True) is False:
            hidden |= {id(inner) for inner in screen.walk(one)}
    return [
        [str(getattr(one, name, "") or "") for name in ("value", "label", "content")]
        for one in screen.walk()
        if id(one) not in hidden
    ]


async def wait(screen: Screen, store: Store, seconds: float) -> None:
    """Let time pass without a touch, and look at the clock as a beat does."""
    store.shop.clock.move(seconds)
    store.heart.beat()
    await screen.settle()


async def lock(screen: Screen, store: Store) -> None:
    """Two minutes pass."""
    await wait(screen, store, 121)
    await screen.see("Locked because nobody touched it.")


async def enter_pin(screen: Screen) -> None:
    """Type the PIN that everybody here has."""
    for digit in PIN:
        await screen.press(digit)
    await screen.press("Sign in")


def test_a_locked_card_is_hidden_and_comes_back_with_what_was_typed(store: Store) -> None:
    """Nothing of the shopper is drawn, no scan opens anything, and the same PIN leads back to the half-written note."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "Mara Lindqvist")
            await screen.press("Note")
            await screen.write("Note for the next colleague", "likes wo")
            await wait(screen, store, 119)
            assert shown(screen, "Mara")
            await screen.type_keys("x")
            await wait(screen, store, 119)
            assert shown(screen, "Mara"), "a key is a touch"
            await lock(screen, store)
            assert not shown(screen, "Mara")
            assert not shown(screen, "jacket")
            assert shown(screen, JONAS.split()[0])
            await screen.type_keys(card_for(), enter=True)
            assert shown(screen, "Locked")
            await enter_pin(screen)
            await screen.until(lambda: shown(screen, "Mara Lindqvist"))
            await screen.press("Save note")
            await screen.until(lambda: "note_added" in store.kinds())
            assert store.newest()["text"] == "likes wo"

    played(play)


def test_somebody_else_begins_at_today_with_nothing_of_the_first(store: Store) -> None:
    """A fresh shift: neither the shopper nor a half-written note is anywhere on the page."""
    store.shop.database.apply_page(page(STORE_SCOPE, [put("associate/a0002", ADA, 90)], head=90))

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "Mara Lindqvist")
            await lock(screen, store)
            await screen.press("Someone else")
            await screen.press("Ada Brandt")
            await enter_pin(screen)
            await screen.see("Good afternoon, Ada")
            await screen.until(lambda: not screen.shows("Plays for now"))
            assert screen.page.route == "/"

    played(play)


def test_a_reloaded_page_is_locked_too(store: Store) -> None:
    """The browser still has its token, but the PIN is due."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            token = next(a["value"] for name, a in screen.client.invoked if name == "set" and a["key"] == "on_shift")
            await lock(screen, store)
        async with store.open(replies={"get": token}) as again:
            await again.see("Locked because nobody touched it.")
            assert not shown(again, "Scan loyalty QR")

    played(play)


def test_the_chain_sets_the_minutes(store: Store) -> None:
    """`lock_after_min` holds from the next beat on; a shift that has ended by itself is locked as well."""
    store.shop.database.apply_page(page("all", [put("setting/tablet", {"lock_after_min": 10}, 11)], head=11))

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await wait(screen, store, 9 * 60)
            assert shown(screen, "Scan loyalty QR")
            await wait(screen, store, 61)
            await screen.see("Locked because nobody touched it.")

    played(play)


def test_practice_is_locked_like_the_rest(store: Store) -> None:
    """And goes on where it was."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.event(screen.page, "route_change", {"route": "/settings"})
            await screen.press("Practise")
            await screen.see("Your practice card")
            await lock(screen, store)
            assert not shown(screen, "Your practice card")
            await enter_pin(screen)
            await screen.until(lambda: shown(screen, "Your practice card"))

    played(play)


def test_a_locked_shift_is_opened_by_nothing_but_its_pin() -> None:
    """A touch does not; an unlocked one counts anew."""
    now = [0.0]
    shifts = Shifts(lambda: now[0])
    token = shifts.begin(AssociateFace("a1", "Ada", "A", ""))
    now[0] = 119.0
    assert not shifts.is_locked(token, 2)
    shifts.touch(token)
    now[0] = 240.0
    assert shifts.is_locked(token, 2)
    shifts.touch(token)
    assert shifts.is_locked(token, 60)
    shifts.unlock(token)
    assert not shifts.is_locked(token, 2)
    assert not shifts.is_locked("another", 2)
