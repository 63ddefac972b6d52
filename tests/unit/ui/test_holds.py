"""Holds without a browser: an item kept from the card, the stock that is less by it, and the list for the till."""

from __future__ import annotations

from shared.promises import Promise
from tests.support.replica import LOYALTY_ID, MARA, SKU, STORE_SCOPE, card_for, page, put
from tests.unit.ui.conftest import Store, played, scan, sign_in

THEIRS = "01a20000-0000-7000-8000-00000000e001"


def bring(store: Store, s: int, quantity: int = 2) -> None:
    """The feed brings jackets that another tablet put on hold."""
    body = {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, "sku": SKU, "quantity": quantity}
    made = Promise(
        "hold", THEIRS, "2026-11-20T10:00:00.000Z", "berlin-1", "a0002", {**body, "until_on": "2026-11-25"}, (), MARA
    )
    store.shop.database.apply_page(page(STORE_SCOPE, [put(f"hold/{THEIRS}", made.as_document(), s)], head=s))
    store.heart.beat()


def test_an_item_is_kept_until_closing_and_the_stock_on_the_card_is_less_by_it(store: Store) -> None:
    """From the cart line with one tap; *Saved* after the commit; undone, all four are free again."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "4 here, aisle B3")
            await screen.press("Hold an item")
            await screen.see("Until closing")
            await screen.press("2")
            await screen.press("Put it on hold")
            await screen.see("Saved: 2 × ")
            assert store.newest()["until_on"] == "2026-11-22"
            await screen.see("2 here, aisle B3 · 2 on hold")
            await screen.see("until closing today")
            await screen.press("Undo")
            await screen.until(lambda: not screen.shows("on hold"))
            assert not screen.crashes()

    played(play)


def test_more_than_is_free_is_said_in_the_sheet_and_nothing_is_written(store: Store) -> None:
    """A colleague's tablet keeps three of four."""

    async def play() -> None:
        async with store.open() as screen:
            bring(store, 11, quantity=3)
            await sign_in(screen)
            await scan(screen, card_for(), "1 here, aisle B3 · 3 on hold")
            await screen.press("Hold an item")
            await screen.see("Until closing")
            await screen.press("2")
            await screen.press("Put it on hold")
            await screen.see("Only 1 free here.")
            assert "hold_requested" not in store.kinds()
            await screen.write("Another product: scan or type its number", "nothing of ours")
            await screen.press("Put it on hold")
            await screen.see("This is no product of the catalogue.")

    played(play)


def test_the_till_sees_what_is_on_hold_sells_it_and_releases_it(store: Store) -> None:
    """From Today; for whom, until when; one tap, and undo."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            assert not screen.shows("On hold")
            bring(store, 11)
            await screen.see("On hold (1)")
            await screen.press("On hold (1)")
            await screen.see("Mara Lindqvist · until Wed 25 Nov")
            await screen.press("Sold")
            await screen.see("Saved: Sold from the holds")
            await screen.see("Nothing is on hold.")
            assert store.newest() == {"id": THEIRS, "state": "sold"}
            await screen.press("Undo")
            await screen.see("Mara Lindqvist · until Wed 25 Nov")
            await screen.press("Release")
            await screen.see("Saved: Released: it is free again")
            assert not screen.crashes()

    played(play)
