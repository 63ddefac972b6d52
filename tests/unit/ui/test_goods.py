"""The Product and the Offer screen without a browser: what a scan of one shows, and what joins the open card."""

from __future__ import annotations

from typing import Any

from shared.promises import Promise
from tests.support.plays import days_ago
from tests.support.replica import LOYALTY_ID, MARA, SKU, STORE_SCOPE, card_for, mara, page, put
from tests.unit.ui.conftest import Store, played, scan, sign_in

JACKET = "Hekla shell jacket"


def bring(store: Store, s: int, document_id: str, body: dict[str, Any], scope: str = STORE_SCOPE) -> None:
    """The feed brings a document."""
    store.shop.database.apply_page(page(scope, [put(document_id, body, s)], head=s))
    store.heart.beat()


def title(store: Store, sku: str = SKU) -> str:
    """A product's name."""
    return store.shop.book.catalogue[sku].title


def test_a_product_scanned_with_a_card_open_joins_it_with_one_tap(store: Store) -> None:
    """Bought is the outcome of the play about it, leads back to the card and can be undone there."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "Plays for now")
            await scan(screen, store.shop.book.catalogue[SKU].gtin or "", "For Mara Lindqvist")
            for told in (title(store), "4 here, aisle B3", "Not known on this tablet. HQ tells it"):
                await screen.see(told)
            assert screen.page.route.startswith(f"/product/{SKU}/")
            assert screen.shows("Bought counts for the play")
            await screen.press("Bought")
            await screen.see("Saved: Bought · ")
            await screen.see("Plays for now")
            assert (store.newest()["outcome"], store.newest()["sku"]) == ("bought", SKU)
            await screen.press("Undo")
            await screen.see("Taken back. Nothing was recorded.")
            assert store.kinds()[-1] == "op_withdrawn"
            assert not screen.crashes()

    played(play)


def test_a_product_no_play_is_about_is_recorded_by_itself(store: Store) -> None:
    """Wishlist and Bought: an op of their own, a line on the card."""
    other, third = [sku for sku in sorted(store.shop.book.catalogue) if sku != SKU][:2]

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "Plays for now")
            await scan(screen, other, "For Mara Lindqvist")
            await screen.press("Wishlist")
            await screen.see(f"Saved: On the wishlist: {title(store, other)}")
            await screen.see("wished for in the store · just now")
            assert store.newest() == {
                "shopper": {"type": "loyalty_id", "value": LOYALTY_ID},
                "sku": other,
                "what": "wished",
            }
            await scan(screen, third, "For Mara Lindqvist")
            await screen.press("Bought")
            await screen.see(f"Saved: Bought: {title(store, third)}")
            assert (store.kinds()[-1], store.newest()["what"]) == ("product_recorded", "bought")

    played(play)


def test_hold_keeps_one_until_closing_and_says_so_where_none_is_free(store: Store) -> None:
    """With all four kept by a colleague's tablet the rule's words stand on the screen and nothing is written."""
    body = {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, "sku": SKU, "quantity": 4, "until_on": "2026-11-25"}
    op_id = "01a20000-0000-7000-8000-00000000e001"
    theirs = Promise("hold", op_id, "2026-11-20T10:00:00.000Z", "berlin-1", "a0002", body, (), MARA)

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "Plays for now")
            await scan(screen, SKU, "For Mara Lindqvist")
            await screen.press("Hold")
            await screen.see("Saved: 1 × ")
            assert (store.newest()["quantity"], store.newest()["until_on"]) == (1, "2026-11-22")
            bring(store, 11, f"hold/{op_id}", theirs.as_document())
            await scan(screen, SKU, "For Mara Lindqvist")
            await screen.see("none here · 5 on hold")
            count = len(store.kinds())
            await screen.press("Hold")
            await screen.see("None is free here")
            assert len(store.kinds()) == count

    played(play)


def test_a_line_of_the_card_leads_to_its_product_and_nobody_is_named_after_the_way_out(store: Store) -> None:
    """*Not for Mara*: the buttons are gone, and what is scanned next is nobody's. Today ends it as well."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "4 here, aisle B3")
            line = next(told for told in screen.texts() if told.startswith(title(store)) and "in cart" in told)
            await screen.press(line)
            await screen.see("For Mara Lindqvist")
            await screen.press("Not for Mara")
            await screen.see("Open a shopper’s card first")
            assert not screen.shows("Wishlist")
            await scan(screen, card_for(), "Plays for now")
            await screen.press("Today")
            await scan(screen, SKU, "Open a shopper’s card first")

    played(play)


def test_an_offer_code_says_whether_this_shopper_may_use_it_and_shows_the_till_its_code(store: Store) -> None:
    """What she had of it, by which way; ended: no code for the till, and the way to honour it."""
    sent = {"at": days_ago(2), "channel": "email", "event": "Email Sent", "offer_id": "member-weekend"}
    states = [{"offer_id": "member-weekend", "state": "sent", "at": days_ago(2)}]

    async def play() -> None:
        async with store.open() as screen:
            bring(store, 11, f"profile/{MARA}", mara(recent=[sent], offers=states))
            await sign_in(screen)
            await scan(screen, "MEMBER15", "It holds here today")
            assert screen.shows("Open the shopper’s card and scan the code again")
            await scan(screen, card_for(), "Offers they already have")
            await screen.press(next(told for told in screen.texts() if told.startswith("15 % on one piece, sent (e-m")))
            await screen.see("Mara may use it here today")
            for told in ("Mara: sent (e-mail) 20 Nov.", "15 % off", "Once per member", "MEMBER15", "e-mail"):
                assert screen.shows(told), told
            await scan(screen, "KNITS20", "It cannot be used any more: it has ended.")
            assert screen.shows("This store may still honour it until ")
            assert screen.shows("No code for the till while it cannot be used here.")
            await screen.see("Honour it beyond its terms")
            await screen.press("Honour it beyond its terms")
            await screen.see("missed it by a day".capitalize())
            assert not screen.crashes()

    played(play)


def test_without_consent_an_offer_says_that_nothing_is_shown(store: Store) -> None:
    """Neither that it was sent nor that it was not."""

    async def play() -> None:
        async with store.open() as screen:
            bring(store, 11, f"profile/{MARA}", mara(consent={}, recent=[], cart=[], redacted=["behaviour"]))
            await sign_in(screen)
            await scan(screen, card_for(), "Plays for now")
            assert not screen.shows("Offers they already have")
            await scan(screen, "MEMBER15", "Mara may use it here today")
            assert screen.shows("Whether it was sent to Mara is not shown")

    played(play)


def test_what_this_tablet_does_not_know_is_said_and_the_address_survives(store: Store) -> None:
    """An old address of a product or an offer; one with a card names the shopper again after a reload."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            screen.page.navigate("/product/NO-SUCH")
            await screen.see("This tablet knows no such product.")
            screen.page.navigate("/offer/no-such")
            await screen.see("This tablet does not know this offer")
            await scan(screen, card_for(), "Plays for now")
            await scan(screen, SKU, "For Mara Lindqvist")
            address = screen.page.route
        async with store.open() as screen:
            await sign_in(screen)
            screen.page.navigate(address)
            await screen.see("For Mara Lindqvist")

    played(play)


def test_find_leads_to_products_too(store: Store) -> None:
    """By a word of the name."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.press("Find")
            await screen.write("Name, phone, e-mail or number", title(store).split()[0])
            await screen.see("Products")
            row = next(told for told in screen.texts() if told.startswith(title(store)) and "aisle" in told)
            await screen.press(row)
            await screen.see("In other stores")

    played(play)
