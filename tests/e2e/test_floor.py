"""Journeys of a day on the floor beside scanning: somebody joins, a promise and a hold that a colleague keeps, what can
be read without a shopper, and what a manager reads of the store."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from PIL import Image

from shared.cards import SignedCard, parse_card, swap_y_and_z
from tests.e2e.app_page import AppPage
from tests.e2e.conftest import OpenApp, Sheet
from tests.support.hub_process import HubProcess
from tests.support.programs import ServerProcess, run_json

pytestmark = [pytest.mark.browser, pytest.mark.full]
ADVICE = "Beratung in unseren Läden"
"""The wording of consent to advice in the store, in the shopper's language."""
PRIYAS_MAIL = " Priya.Nair@Example.com"
"""As somebody would type it who is here already."""
PHOTOS_MAX = 40
SYNC_MS = 30_000
"""What a loaded machine may take; the two seconds themselves are for the bench."""


def photographed(app: AppPage) -> str:
    """What a phone held before the screen reads off it, once it is drawn."""
    for _ in range(PHOTOS_MAX):
        if codes := zxingcpp.read_barcodes(Image.open(io.BytesIO(app.page.screenshot()))):
            return codes[0].text
        app.page.wait_for_timeout(250)
    raise AssertionError("no code on the screen")


def test_somebody_joins_without_a_network_and_hq_knows_what_they_agreed_to(
    server: ServerProcess, own_hub: HubProcess, open_app: OpenApp, sheet: Sheet
) -> None:
    """An e-mail that is known is told before; the shopper reads and taps in their own language; the card photographed
    off the screen opens at once, and HQ has one profile with one consent once the network is back."""
    app = open_app(own_hub.url).sign_in(sheet.people[0]["name"], sheet.people[0]["pin"])
    app.switch_network()
    app.press("Today")
    app.press("New shopper", exact=False)
    app.write("First name", "Nora")
    app.write("E-mail", PRIYAS_MAIL)
    app.press("Hand the tablet to the shopper")
    app.see("Priya Nair is here already with this e-mail or phone.")
    app.write("E-mail", "nora.lund@example.com")
    app.press("Hand the tablet to the shopper")
    app.see("Welcome, Nora. May we")
    app.press("Deutsch")
    app.see("Willkommen, Nora. Dürfen wir")
    app.tap(app.page.get_by_role("checkbox", name=ADVICE))
    app.press("Fertig")
    app.see("QR-Code der neuen Kundenkarte")
    text = photographed(app)
    app.press("Karte öffnen")
    app.see_card("Nora")
    app.press("Today")
    app.scan_by_hand(text)
    app.see_card("Nora")
    app.switch_network()
    app.wait_for_pill("All saved at HQ", SYNC_MS)
    card = parse_card(text)
    assert isinstance(card, SignedCard)
    profile = run_json("sync_server", "profile", "show", card.loyalty_id, "--data-dir", server.data_dir)
    assert profile["given_name"] == "Nora"
    assert {purpose: one["decision"] for purpose, one in profile["consent"].items()} == {
        "personalise_in_store": "granted"
    }


def test_what_one_promises_a_colleague_moves_and_keeps_and_the_first_tablet_follows(
    open_app: OpenApp, hub: HubProcess, own_hub: HubProcess, sheet: Sheet
) -> None:
    """Two taps each from the card to a follow-up and a hold; on the other tablet the one is moved and dropped with a
    reason, the other sold, and both are gone from the first."""
    app, other = (
        open_app(one.url).sign_in(person["name"], person["pin"])
        for one, person in zip((hub, own_hub), sheet.people, strict=False)
    )
    for sheet_button, save in (("Follow-up", "Save follow-up"), ("Hold an item", "Put it on hold")):
        app.scan_by_hand(sheet.card("Mara"))
        app.see_card("Mara Lindqvist")
        app.press(sheet_button)
        app.press(save)
        app.see("Saved: ")
        app.press("Today")
    app.press("All follow-ups")
    app.see("Mara Lindqvist")
    other.press("All follow-ups")
    other.press("Colleagues’ (", exact=False)
    other.see("Mara Lindqvist", SYNC_MS)
    other.press("Mara Lindqvist, ", exact=False)
    other.press("Move")
    other.see("To which day?")
    other.press("In a week")
    other.see("Saved: Follow-up moved to")
    other.press("Drop")
    other.press("No longer wanted")
    other.see("Saved: Follow-up dropped")
    app.gone("Mara Lindqvist", SYNC_MS)
    app.press("Today")
    app.press("On hold (", exact=False)
    app.see("Mara Lindqvist")
    other.press("Today")
    other.press("On hold (", exact=False)
    other.see("Mara Lindqvist", SYNC_MS)
    other.press("Sold")
    other.see("Saved: Sold from the holds")
    app.gone("Mara Lindqvist", SYNC_MS)


def marked_new(app: AppPage) -> int:
    """How many lines of the page say that they are new."""
    return sum("new" in told.split(", ") for told in app.all_text())


def test_plays_and_texts_are_read_and_searched_without_a_shopper_and_without_a_network(
    own_hub: HubProcess, open_app: OpenApp, sheet: Sheet
) -> None:
    """A new play is new until it was read; a word finds what mentions it; a text of the library opens."""
    app = open_app(own_hub.url).sign_in(sheet.people[0]["name"], sheet.people[0]["pin"])
    app.switch_network()
    app.press("Plays")
    app.see("What you can say this week")
    new = marked_new(app)
    app.press("Invite them to the repair evening", exact=False)
    app.see("Next week we mend things here in the evening")
    app.write("Search plays", "xqxq")
    app.see("No play mentions “xqxq”.")
    app.write("Search plays", "repair")
    app.see("Invite them to the repair evening")
    assert marked_new(app) < new
    app.press("Library")
    app.press("Caring for boots", exact=False)
    app.see("Brush off dry dirt")
    app.press("Copy text")
    app.see("Copied.")


def test_a_manager_reads_what_the_store_did_today_and_what_hq_answered(
    own_hub: HubProcess, open_app: OpenApp, sheet: Sheet
) -> None:
    """An outcome recorded a moment ago without a network is in today's figures, which say whose they are; the figures
    that need more shoppers say so; feedback and tablets are one tap away."""
    app = open_app(own_hub.url).sign_in(sheet.people[0]["name"], sheet.people[0]["pin"])
    app.switch_network()
    app.scan_by_hand(sheet.card("Priya"))
    app.see_card("Priya Nair")
    play = app.first_play()
    app.choose("Bought")
    [boss] = [one for one in sheet.people if one["role"] == "manager"]
    app.press(f"Switch associate, now {sheet.people[0]['name']}")
    app.sign_in(boss["name"], boss["pin"])
    app.press("Store")
    app.see("Store today")
    app.see("Plays used")
    app.see("this tablet")
    assert app.scroll_to(play)
    app.see("used 1 · bought 1")
    app.press("Store")
    app.press("Tablets")
    app.see("This tablet")
    app.press("Store today")
    assert app.scroll_to("All feedback of the store")
    app.press("All feedback of the store")
    app.see("What this store told HQ, and what came back.")


def type_as_scanner(app: AppPage, text: str) -> None:
    """As a hand scanner does that is a keyboard to the tablet: capital letters with Shift."""
    for letter in text:
        app.page.keyboard.press(f"Shift+{letter}" if letter.isupper() else letter)


def test_the_scanner_test_names_what_is_wrong_with_a_scanner(
    own_hub: HubProcess, open_app: OpenApp, sheet: Sheet
) -> None:
    """A scanner set to another keyboard layout, one without Enter, and one that is right, each in a sentence."""
    app = open_app(own_hub.url).sign_in(sheet.people[0]["name"], sheet.people[0]["pin"])
    app.visit("/settings")
    app.press("Test the scanner")
    app.see("Scan this code with the hand scanner.")
    text = photographed(app)
    type_as_scanner(app, swap_y_and_z(text))
    app.page.keyboard.press("Enter")
    app.see("y and z are swapped, as between German and English.")
    type_as_scanner(app, text)
    app.see("Every character arrived, but no Enter after them.")
    type_as_scanner(app, text)
    app.page.keyboard.press("Enter")
    app.see("All good: every character arrived, and Enter after them.")
