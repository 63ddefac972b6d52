"""The other screens without a browser: signing in, Today, Find, Scan, Sync, Plays, Tell HQ, connecting."""

from __future__ import annotations

from datetime import date

import flet as ft
import pytest

from associate_app.services.record import give_feedback
from shared.wire.ops import OUTCOMES
from tests.support.flet_harness import Screen
from tests.support.replica import MARA, OTHER_KEY, STORE_SCOPE, answer, card_for, gone, page
from tests.unit.ui.conftest import JONAS, Store, played, scan, sign_in

WIDTHS = {"phone": (390, 844), "portrait": (800, 1280), "landscape": (1180, 820)}


def test_a_wrong_pin_is_said_in_words_and_the_fifth_is_followed_by_a_wait(store: Store) -> None:
    """What is left is told; then the pad rests."""

    async def play() -> None:
        async with store.open() as screen:
            await screen.see(JONAS)
            await screen.press(JONAS)
            for left in (4, 3, 2, 1):
                await enter(screen, "1111")
                await screen.see(f"{left} more ")
            await enter(screen, "1111")
            await screen.see("Too many tries. Wait ")
            await screen.press("1")
            await screen.see("PIN, 0 digits entered")

    played(play)


async def enter(screen: Screen, pin: str) -> None:
    """Type a PIN and sign in."""
    for digit in pin:
        await screen.press(digit)
    await screen.press("Sign in")


def test_two_quick_taps_on_the_pad_are_two_digits(store: Store) -> None:
    """Taps that come before the first was drawn are not lost."""

    async def play() -> None:
        async with store.open() as screen:
            await screen.see(JONAS)
            await screen.press(JONAS)
            one, two = screen.button("1"), screen.button("2")
            await screen.session.dispatch_event(one._i, "click", None)
            await screen.session.dispatch_event(two._i, "click", None)
            await screen.see("PIN, 2 digits entered")

    played(play)


def test_changing_the_associate_keeps_what_was_recorded(store: Store) -> None:
    """Signing out touches no record, and the next one signs in on Today."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "Plays for now")
            await screen.until(lambda: len(store.kinds()) == 2)
            await screen.press(f"Switch associate, now {JONAS}")
            await screen.see("Who’s working?")
            assert len(store.kinds()) == 2
            await sign_in(screen)
            await screen.see("Seen this shift")
            await screen.see("Mara Lindqvist, 14:02")

    played(play)


def test_find_opens_a_card_from_a_row(store: Store) -> None:
    """As one types; the row's card opens."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.press("Search")
            await screen.write("Name, phone, e-mail or number", "lindq")
            await screen.see("1 shopper")
            await screen.press(next(told for told in screen.texts() if told.startswith("Mara Lindqvist, ")))
            await screen.see("Plays for now")

    played(play)


def test_keys_typed_into_a_field_are_no_scan(store: Store) -> None:
    """While a field has the focus the hand scanner types into it; the capture stays out of the way."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.press("Search")
            await screen.event(screen.find(ft.TextField), "focus")
            await screen.type_keys(card_for(), enter=True)
            await screen.see("Find a shopper")
            assert not store.kinds()

    played(play)


def test_a_field_that_is_gone_keeps_no_focus(store: Store) -> None:
    """A field that had the focus leaves with its screen and never says so: the next scan is heard all the same."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "Plays for now")
            await screen.press("Note")
            await screen.see("Save note")
            await screen.event(screen.find(ft.TextField), "focus")
            await screen.press("Close")
            await scan(screen, "SOMECLUB77", "This is not one of our cards")

    played(play)


@pytest.mark.parametrize(
    ("code", "sentence", "step"),
    [
        (card_for(key=OTHER_KEY), "This card is not genuine", "Look the shopper up by name"),
        (card_for(expires_on=date(2026, 5, 3)), "This card expired on 3 May 2026", "look Mara up by name"),
        (card_for(card_id="00000000000000cc"), "This card was cancelled", "Ask whether there is a new one"),
        (card_for()[:60], "This code cannot be read", "Scan it again, straight on"),
        ("SOMECLUB77", "This is not one of our cards", "Ask for the loyalty QR in our app"),
        ("2900000000019", "This number has a slip in it", "Check it against the card"),
    ],
)
def test_each_code_that_opens_nothing_has_its_sentence_and_one_next_step(
    store: Store, code: str, sentence: str, step: str
) -> None:
    """Forged, expired, cancelled, unreadable, foreign, mistyped."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, code, sentence)
            assert screen.shows(step)
            await screen.press("Look up by name")
            await screen.see("Find a shopper")

    played(play)


def test_a_card_with_an_unknown_key_opens_and_says_it_cannot_be_checked_yet(store: Store) -> None:
    """Never called forged."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(kid=9), "Plays for now")
            await screen.see("This card cannot be checked until the next contact with HQ.")

    played(play)


@pytest.mark.parametrize(
    ("complaint", "sentence"),
    [
        ("CameraException(cameraNotFound, No camera found)", "This tablet has no camera."),
        ("CameraException(CameraAccessDenied, denied)", "This app may not use the camera."),
        ("Null check operator used on a null value", "A browser gives the camera only to a secure page."),
        ("CameraException(cameraNotReadable, in use)", "Another app is using the camera."),
        ("something nobody has seen before", "The camera does not start."),
    ],
)
def test_each_trouble_of_the_camera_has_its_sentence(store: Store, complaint: str, sentence: str) -> None:
    """No camera, refused, plain http, taken, broken; the number entry stays at hand."""

    async def play() -> None:
        async with store.open(replies={"get_available_cameras": RuntimeError(complaint)}) as screen:
            await sign_in(screen)
            await screen.press("Scan loyalty QR")
            await screen.see(sentence)
            await screen.see("Enter number instead")
            assert not screen.crashes()

    played(play)


def test_sync_says_a_sentence_first_and_then_each_record(store: Store) -> None:
    """Waiting, then at HQ with the receipt."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "Plays for now")
            await screen.until(lambda: len(store.kinds()) == 2)
            await screen.press("Sync")
            await screen.see("2 records are saved here and will go by themselves.")
            await screen.see("Sync: Saved on this tablet · 2 to send")
            await screen.see("saved here")
            await screen.press("Send now")
            assert store.rings[-1] == "asked"
            reply = answer(store.shop.database, {1: "accepted", 2: "accepted"})
            store.shop.database.settle(reply, at="2026-11-22T13:05:00.000Z")
            store.heart.beat()
            await screen.see("Everything is at HQ.")
            await screen.see("HQ confirmed record 2 at ")
            await screen.see("Sync: All saved at HQ 14:02")

    played(play)


def test_a_tablet_that_wakes_up_syncs_at_once(store: Store) -> None:
    """Mobile systems stop a sleeping app; coming back rings the engine."""

    async def play() -> None:
        async with store.open() as screen:
            await screen.see(JONAS)
            await screen.event(screen.page, "app_lifecycle_state_change", {"state": "resume"})
            await screen.until(lambda: "asked" in store.rings)

    played(play)


def test_a_record_hq_could_not_take_is_amber_and_says_why(store: Store) -> None:
    """*Needs a look*, in the pill and on the line."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "Plays for now")
            await screen.until(lambda: len(store.kinds()) == 2)
            reply = answer(store.shop.database, {1: "accepted", 2: "rejected:id_conflict"})
            store.shop.database.settle(reply, at="2026-11-22T13:05:00.000Z")
            store.heart.beat()
            await screen.see("Sync: Needs a look")
            await screen.press("Sync")
            await screen.see("1 record needs a look.")
            await screen.see("needs a look")

    played(play)


def test_the_network_is_taken_away_by_a_switch_and_said_so(store: Store) -> None:
    """The demo's switch."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.press("Sync")
            await screen.see("Take the network away")
            switch = screen.find(ft.Switch)
            await screen.event(switch, "change", value=True)
            await screen.see("The network is taken away.")
            assert store.is_cut

    played(play)


def test_feedback_is_saved_at_once_and_an_empty_line_is_asked_for(store: Store) -> None:
    """Tell HQ."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.press("Tell HQ")
            await screen.press("Wrong price")
            await screen.see("Add a line, so that HQ knows what to do.")
            await screen.write("In a line or two", "The tag says 89.")
            await screen.press("Wrong price")
            await screen.see("Wrong price · for HQ")
            assert store.newest() == {"about": "wrong_price", "text": "The tag says 89."}

    played(play)


def test_a_beat_while_someone_types_changes_nothing_they_typed(store: Store) -> None:
    """A field is drawn once; re-reading the screen does not write over it."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.press("Tell HQ")
            await screen.write("In a line or two", "half a sent")
            give_feedback(store.shop.recorder, "other", "from the other session")
            store.heart.beat()
            await screen.see("from the other session")
            assert screen.find(ft.TextField).value == "half a sent"

    played(play)


def test_the_playbook_opens_without_a_shopper_and_is_searched(store: Store) -> None:
    """Plays by title and words; a play leads to Tell HQ."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.press("Plays")
            await screen.see("Show them the cart")
            await screen.write("Search plays", "birthday")
            await screen.until(lambda: not screen.shows("Show them the cart"))
            await screen.see("A birthday is near")

    played(play)


def test_a_shopper_who_left_this_tablet_is_said_to_have_left(store: Store) -> None:
    """A row that is older than the last page of the feed."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.press("Search")
            await screen.write("Name, phone, e-mail or number", "lindq")
            await screen.see("1 shopper")
            store.shop.database.apply_page(page(STORE_SCOPE, [gone(f"profile/{MARA}", 11)], head=11))
            await screen.press(next(told for told in screen.texts() if told.startswith("Mara Lindqvist, ")))
            await screen.see("This shopper is no longer on this tablet")

    played(play)


def test_an_invitation_that_does_not_work_is_one_sentence(new_store: Store) -> None:
    """Connect this tablet: what is missing, then what HQ said."""

    async def play() -> None:
        async with new_store.open() as screen:
            await screen.see("Connect this tablet")
            await screen.press("Connect")
            await screen.see("Type the address HQ gave you")
            await screen.write("HQ address", "https://hq.test")
            await screen.press("Connect")
            await screen.see("Type the code from the invitation.")
            await screen.write("Invitation code", "ABCD-EFGH")
            await screen.press("Connect")
            await screen.see("This code cannot be used: it is wrong, used up or expired. Ask HQ for a new one.")

    played(play)


@pytest.mark.parametrize("frame", sorted(WIDTHS))
def test_every_screen_draws_in_every_frame(store: Store, frame: str) -> None:
    """No screen breaks on a phone, in portrait or in landscape; all seven outcomes are there, spelled exactly."""
    width, height = WIDTHS[frame]

    async def play() -> None:
        async with store.open(width=width, height=height) as screen:
            await sign_in(screen)
            for route in ("/scan", "/find", "/plays", "/tell", "/sync", "/new", "/follow_ups", "/holds", "/"):
                await screen.event(screen.page, "route_change", {"route": route})
                await screen.settle()
                assert not screen.shows("This part of the screen did not load"), route
            await scan(screen, card_for(), "Plays for now")
            told = screen.texts()
            expected = [outcome.replace("_", " ").capitalize() for outcome in OUTCOMES[:-1]] + ["Didn't mention it"]
            assert [name for name in expected if name not in told] == []
            assert not screen.crashes()

    played(play)


def test_two_sessions_share_the_tablet_and_nothing_else(store: Store) -> None:
    """What one opens the other does not see; what one records the other's card shows."""

    async def play() -> None:
        async with store.open() as first, store.open() as second:
            await sign_in(first)
            await scan(first, card_for(), "Plays for now")
            await second.see("Who’s working?")
            assert not second.shows("Mara")
            await sign_in(second)
            await scan(second, card_for(), "Plays for now")
            await first.press("Bought")
            await first.see("Saved: ")
            await second.see("Said and done")
            assert not second.shows("Saved: ")
        assert store.heart.listeners_count == 0

    played(play)
