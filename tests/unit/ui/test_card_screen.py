"""The shopper card without a browser: what it shows, what one tap records, what changes while it is open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from associate_app.ui.floor import TabletFloor
from associate_app.ui.shifts import SHIFT_S_MAX
from shared.errors import Refused
from tests.support.flet_harness import Screen
from tests.support.plays import ago
from tests.support.replica import LOYALTY_ID, MARA, PIN_HASH, STORE_SCOPE, card_for, mara, page, put
from tests.unit.ui.conftest import Store, played, scan, sign_in


def test_a_scan_with_no_field_in_focus_opens_the_card_and_records_it_once(store: Store) -> None:
    """Name, tier, stage with its date, reason, lines with stock, plays with why; one opening and one impression."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "Mara Lindqvist")
            for told in ("Gold", "last order", "left in the cart 2 days ago", "4 here, aisle B3", "Why this: "):
                assert screen.shows(told), (told, screen.texts())
            await screen.until(lambda: "impression_recorded" in store.kinds())
            await scan(screen, card_for(), "Mara Lindqvist")
            assert store.kinds() == ["shopper_opened", "impression_recorded"]
            assert LOYALTY_ID not in screen.page.route
            assert screen.page.route.startswith("/shopper/")
            assert not screen.crashes()

    played(play)


def test_saved_is_said_only_after_the_commit_and_the_plays_re_rank(store: Store) -> None:
    """One tap; the record is in the journal when *Saved* shows; the play goes to *Held back*."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen)
            first = first_play(screen)
            await screen.press("Bought")
            await screen.see(f"Saved: Bought · {first}")
            assert store.newest()["outcome"] == "bought"
            await screen.until(lambda: first_play(screen) != first)
            assert "record" in store.rings

    played(play)


def test_undo_takes_it_back(store: Store) -> None:
    """Undo withdraws the record and says so; the play is back."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen)
            first = first_play(screen)
            await screen.press("Bought")
            await screen.see("Saved: ")
            await screen.press("Undo")
            await screen.see("Taken back. Nothing was recorded.")
            assert store.kinds()[-1] == "op_withdrawn"
            await screen.until(lambda: first_play(screen) == first)

    played(play)


def test_only_not_today_and_not_interested_ask_for_a_reason_that_may_be_skipped(store: Store) -> None:
    """Saved by the first tap; the reason amends it."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen)
            await screen.press("Interested")
            await screen.see("Saved: Interested")
            assert not screen.shows("Skip")
            await screen.press("Not today")
            await screen.see("Saved. Why not today?")
            assert store.newest()["outcome"] == "not_today"
            await screen.press("No time")
            await screen.until(lambda: store.newest().get("reason") == "No time")
            await screen.press("Not interested")
            await screen.see("Saved. What was the reason?")
            await screen.press("Skip")
            assert "reason" not in store.newest()

    played(play)


def test_the_enter_of_a_hand_scanner_presses_no_button(store: Store) -> None:
    """A button that still has the focus is pressed by the scanner's Enter: that tap is dropped, a finger's is not."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen)
            bought = screen.button("Bought")
            await screen.type_keys("29000", enter=False)
            await screen.event(bought, "click")
            await screen.type_keys("00", enter=True)
            await screen.event(bought, "click")
            await screen.see("This is not one of our cards")
            assert "outcome_recorded" not in store.kinds()

    played(play)


def test_what_the_feed_brings_while_the_card_is_open_is_marked_new(store: Store) -> None:
    """A page of the feed is applied; the heart beats; the new line says *new*, the old ones do not."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen)
            assert "new" not in screen.texts()
            search = {"at": ago(0), "channel": "web", "event": "Products Searched", "query": "head torch"}
            document = mara(recent=[search, *mara()["recent"]])
            store.shop.database.apply_page(page(STORE_SCOPE, [put(f"profile/{MARA}", document, 11)], head=11))
            store.heart.beat()
            await screen.see("Searched for “head torch”")
            assert screen.texts().count("new") == 1

    played(play)


def test_who_hq_finds_the_shopper_to_be_is_said_on_the_open_card(store: Store) -> None:
    """Two entries became one: said. An address more is no other shopper: not said. Apart again: said instead."""
    former = "2900000000025"

    def publish(s: int, number: str | None = None, **changes: Any) -> None:
        named = mara()["identifiers"] + ([{"type": "loyalty_id", "value": number}] if number else [])
        document = mara(**{"identifiers": named, **changes})
        store.shop.database.apply_page(page(STORE_SCOPE, [put(f"profile/{MARA}", document, s)], head=s))
        store.heart.beat()

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen)
            more = [*mara()["identifiers"], {"type": "customer_id", "value": "C1"}]
            publish(12, identifiers=more, given_name="Marina")
            await screen.see("Marina Lindqvist")
            assert "HQ found" not in str(screen.texts())
            publish(13, former, given_name="Marina")
            await screen.see("HQ found that two entries were this one shopper.")
            publish(14)
            await screen.see("HQ found that two shoppers were mixed up here.")
            assert "two entries" not in str(screen.texts())
            publish(15, former, given_name="Marina")
            await screen.see("HQ found that Mara Lindqvist is this same shopper.")

    played(play)


def test_without_consent_the_left_column_says_one_neutral_line(store: Store) -> None:
    """No online activity, no headline made of it, and a way to ask."""
    document = mara(recent=[], cart=[], redacted=["behaviour"], consent={})
    store.shop.database.apply_page(page(STORE_SCOPE, [put(f"profile/{MARA}", document, 11)], head=11))

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "Mara has not agreed to use online activity here.")
            await screen.see("No sign yet of what brings Mara in.")
            await screen.see("Not agreed: E-mail, Text message, Online activity in the store.")

    played(play)


def test_a_socket_that_was_lost_comes_back_to_the_truth(store: Store) -> None:
    """Changes made while the socket was gone are on the screen when it is back."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen)
            await screen.cut()
            document = mara(given_name="Marina")
            store.shop.database.apply_page(page(STORE_SCOPE, [put(f"profile/{MARA}", document, 11)], head=11))
            store.heart.beat()
            await screen.settle()
            await screen.come_back()
            await screen.see("Marina Lindqvist")
            await screen.see("Plays for now")

    played(play)


def test_a_part_that_breaks_takes_nothing_else_down(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The card raises while it is drawn: a sentence stands there, the rail works, later updates arrive."""
    real = TabletFloor.card

    def broken(floor: TabletFloor, token: str) -> Any:
        face = real(floor, token)
        assert face is not None
        return replace(face, recent=None)  # type: ignore[arg-type]

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            monkeypatch.setattr(TabletFloor, "card", broken)
            await screen.type_keys(card_for(), enter=True)
            await screen.see("This part of the screen did not load")
            monkeypatch.setattr(TabletFloor, "card", real)
            await screen.press("Sync")
            await screen.see("Records on this tablet")
            assert not screen.crashes()

    played(play)


def test_a_scan_that_breaks_is_told_as_a_tap_is(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence, and the next scan opens its card: nobody scans into silence."""
    real = TabletFloor.read_scan

    def broken(floor: TabletFloor, text: str) -> Any:
        raise RuntimeError("the disk does not answer")

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            monkeypatch.setattr(TabletFloor, "read_scan", broken)
            await screen.type_keys(card_for(), enter=True)
            await screen.see("That did not work.")
            monkeypatch.setattr(TabletFloor, "read_scan", real)
            await scan(screen, card_for(), "Plays for now")

    played(play)


def test_a_reload_of_the_address_leads_to_the_same_shopper(store: Store) -> None:
    """A new session of the same browser: still signed in, the same card; a stranger's browser sees the PIN pad."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen)
            route = screen.page.route
            token = next(
                args["value"] for name, args in screen.client.invoked if name == "set" and args["key"] == "on_shift"
            )
        async with store.open(route, replies={"get": token}) as again:
            await again.see("Mara Lindqvist")
        async with store.open(route) as stranger:
            await stranger.see("Who’s working?")
        store.shop.clock.move(SHIFT_S_MAX + 1)
        async with store.open(route, replies={"get": token}) as tomorrow:
            await tomorrow.see("Who’s working?")

    played(play)


def test_an_address_of_no_card_says_so(store: Store) -> None:
    """A token this tablet does not know leads to a sentence, not to an empty card."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.event(screen.page, "route_change", {"route": "/shopper/nobody"})
            await screen.see("This card is no longer open here")

    played(play)


async def open_mara(screen: Screen) -> None:
    """Sign in and open Mara's card."""
    await sign_in(screen)
    await scan(screen, card_for(), "Plays for now")


def first_play(screen: Screen) -> str:
    """The title of the play ranked first."""
    told = screen.texts()
    return told[told.index("1", told.index("Plays for now")) + 1]


def test_an_answer_for_a_control_that_left_the_screen_is_dropped(store: Store) -> None:
    """A camera's picture that comes too late must not end the socket."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            screen.session.handle_invoke_method_results(987654, "late", b"", None)
            await scan(screen, card_for(), "Plays for now")

    played(play)


def test_many_scans_leave_nothing_behind(store: Store) -> None:
    """Screens that were left re-read no more, and what is kept of open cards is bounded."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            desk: Any = cast(Any, screen.page.views).args[0].desk
            counts = []
            for _ in range(12):
                await scan(screen, card_for(), "Plays for now")
                await screen.press("Scan another")
                await screen.see("Enter number instead")
                counts.append((len(desk.pulse._readers), len(screen.session.index)))
            assert counts[-1][0] == counts[2][0]
            assert counts[-1][1] <= counts[2][1] * 1.2
            assert len(store.floor._views) == 1

    played(play)


def test_a_store_manager_sees_why_every_play_is_here_or_not(store: Store) -> None:
    """A fold under the plays: every verdict with its three factors, and by a tap the trace; nobody else has it."""

    async def play() -> None:
        async with store.open() as screen:
            await open_mara(screen)
            assert not screen.shows("Every play and why")
        manager = {"associate_id": "a0002", "name": "Ada Brandt", "role": "manager", "pin_hash": PIN_HASH}
        store.shop.database.apply_page(page(STORE_SCOPE, [put("associate/a0002", manager, 90)], head=90))
        async with store.open() as screen:
            await sign_in(screen, "Ada Brandt")
            await scan(screen, card_for(), "Mara Lindqvist")
            await screen.see("Every play and why")
            await screen.press("Every play and why")
            await screen.see("Place 1 on the card: ")
            assert screen.shows("Ends in an order: ")
            assert screen.shows("lever +0 %")
            assert screen.shows("Its condition is not met.")
            assert not screen.crashes()

    played(play)


def test_only_a_store_manager_may_ask_why(store: Store) -> None:
    """The floor says no in words, whatever a screen asks."""
    token = store.floor.read_scan(card_for()).token
    with pytest.raises(Refused, match="Only a store manager"):
        store.floor.verdicts(token, "a0001")
