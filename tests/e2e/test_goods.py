"""The journey of things at the counter: a product joins the open card, an offer code says whether it holds for them."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from tests.e2e.app_page import AppPage
from tests.e2e.conftest import Sheet

pytestmark = pytest.mark.browser


def gtin_of(title: str) -> str:
    """The code on a product's label."""
    listed = json.loads(files("assets").joinpath("demo/catalogue.json").read_text("utf-8"))
    return str(next(product["gtin"] for product in listed if product["title"].startswith(title)))


def test_a_scanned_product_joins_the_open_card_and_an_offer_code_says_whether_it_holds(
    app: AppPage, sheet: Sheet
) -> None:
    """Wished for with one tap, undone with a second; the jumper's screen has stock and the nearest store; of two offers
    one holds and shows the till its code, the other has ended and says until when it may be honoured."""
    taps: list[str] = []

    def press(name: str) -> None:
        taps.append(name)
        app.press(name)

    app.scan_by_hand(sheet.card("Ines"))
    app.see_card("Ines Falk")
    app.scan_by_hand(gtin_of("Aran jumper"))
    for told in ("For Ines Falk", "4 here, aisle B3", "counted ", "In other stores", " km"):
        app.see(told)
    press("Wishlist")
    app.see("Saved: On the wishlist: Aran jumper, sand")
    app.see("Plays for now")
    press("Undo")
    app.see("Taken back. Nothing was recorded.")
    app.scan_by_hand("MEMBER15")
    for told in ("Ines may use it here today", "Once per member", "MEMBER15"):
        app.see(told)
    app.scan_by_hand("KNITS20")
    app.see("It cannot be used any more: it has ended.")
    app.see("This store may still honour it until ")
    press("Back to the card")
    app.see_card("Ines Falk")
    assert taps == ["Wishlist", "Undo", "Back to the card"]
