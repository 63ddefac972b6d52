"""Joining without a browser: what is asked, who is known already, consent by their own tap, the card to keep."""

from __future__ import annotations

import json

import flet as ft
import pytest

from associate_app.ports import CARD_STOCK_NOTE
from associate_app.ui import theme
from shared.code_patterns import CheckRule, with_check_digit
from tests.support.flet_harness import Screen
from tests.support.replica import MARA, card_for, load, mara, store_documents
from tests.unit.ui.conftest import Store, played, sign_in

FRESH = [with_check_digit(f"29000000020{n}", CheckRule.EAN13) for n in range(2)]
WORDING = {
    "purpose": "email",
    "version": "3",
    "title": {"en": "E-mails", "de": "E-Mails"},
    "text": {"en": "We may write to you.", "de": "Wir dürfen schreiben."},
}


@pytest.fixture
def stocked(store: Store) -> Store:
    """A tablet with two cards in stock and one consent to ask for."""
    database = store.shop.database
    cards = [{"card": card_for(number, tier=""), "expires_on": None} for number in FRESH]
    database.write_note(CARD_STOCK_NOTE, json.dumps({"install_id": database.install_id(), "cards": cards}))
    documents = {**store_documents(), f"profile/{MARA}": mara(), "consent_wording/email/3": WORDING}
    load(database, "store:berlin-1", documents)
    return store


async def fill(screen: Screen, **given: str) -> None:
    """Open the form and write."""
    await sign_in(screen)
    await screen.press("New shopper")
    for label, text in given.items():
        await screen.write(label.replace("_", " "), text)
    await screen.press("Hand the tablet to the shopper")


def test_a_shopper_joins_offline_and_gets_a_card_for_the_phone(stocked: Store) -> None:
    """Name, consent by their own tap with the wording they saw, QR, and the card opens here at once."""

    async def play() -> None:
        async with stocked.open() as screen:
            await fill(screen, First_name="Nora", Family_name="Lund", Phone="0170 1234567")
            await screen.see("Welcome, Nora. May we…")
            await screen.see("We may write to you.")
            rail = screen.find(ft.Container, width=theme.RAIL_WIDTH)
            assert rail.visible is False
            wording = screen.find(ft.Semantics, "E-mails. We may write to you.")
            assert wording.checked is False
            await screen.press("E-mails. We may write to you.")
            await screen.until(lambda: screen.find(ft.Semantics, "E-mails. We may write to you.").checked is True)
            await screen.press("Done")
            await screen.see("Photograph this with your phone")
            body = stocked.newest()
            assert (body["loyalty_id"], body["given_name"], body["phone"]) == (FRESH[0], "Nora", "0170 1234567")
            assert [(one["purpose"], one["decision"], one["method"]) for one in body["consents"]] == [
                ("email", "granted", "shopper_tapped")
            ]
            await screen.press("Open the card")
            await screen.see("Nora Lund")
            await screen.see("Joined on this tablet, not yet at HQ")

    played(play)


def test_the_shopper_chooses_the_language_and_the_proof_names_what_they_read(stocked: Store) -> None:
    """All they see is in it, QR included; the decision keeps language, version, hash; the tablet stays as it was."""
    text = "E-Mails. Wir dürfen schreiben."

    async def play() -> None:
        async with stocked.open() as screen:
            await fill(screen, First_name="Nora")
            await screen.see("Welcome, Nora. May we…")
            await screen.press("Deutsch")
            await screen.see("Willkommen, Nora. Dürfen wir …")
            await screen.see(text)
            await screen.press(text)
            await screen.until(lambda: screen.find(ft.Semantics, text).checked is True)
            await screen.press("Fertig")
            await screen.see("Einfach mit dem Handy abfotografieren")
            [given] = stocked.newest()["consents"]
            assert (given["language"], given["wording_version"], len(given["wording_sha"])) == ("de", "3", 64)
            await screen.press("Karte öffnen")
            await screen.see("Plays for now")

    played(play)


def test_who_joined_here_without_a_network_is_known_however_the_phone_is_typed(stocked: Store) -> None:
    """Not at HQ yet, and named all the same; their card opens."""

    async def play() -> None:
        async with stocked.open() as screen:
            await fill(screen, First_name="Nora", Family_name="Lund", Phone="0170 / 123 45 67")
            await screen.see("Welcome, Nora. May we…")
            await screen.press("Done")
            await screen.see("Photograph this with your phone")
        async with stocked.open() as screen:
            await fill(screen, First_name="Nora", Phone="+49 (170) 1234567")
            await screen.see("Nora Lund is here already with this e-mail or phone.")
            await screen.press("Open Nora Lund's card")
            await screen.see("Joined on this tablet, not yet at HQ")

    played(play)


def test_what_they_do_not_tap_is_not_granted(stocked: Store) -> None:
    """No tap, no consent; and the next card of the stock is another one."""

    async def play() -> None:
        for number in FRESH:
            async with stocked.open() as screen:
                await fill(screen, First_name="Nora")
                await screen.see("Welcome, Nora. May we…")
                await screen.press("Done")
                await screen.see("Photograph this with your phone")
                assert stocked.newest()["loyalty_id"] == number
                assert stocked.newest()["consents"] == []
        async with stocked.open() as screen:
            await fill(screen, First_name="Nora")
            await screen.see("Welcome, Nora. May we…")
            await screen.press("Done")
            await screen.see("This tablet has no cards left.")

    played(play)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"Family_name": "Lund"}, "A first name is needed"),
        ({"First_name": "Nora", "E-mail": "nora@"}, "This e-mail is not complete."),
        ({"First_name": "Nora", "Phone": "12"}, "This phone number is not complete."),
    ],
)
def test_what_is_missing_is_one_sentence(stocked: Store, given: dict[str, str], sentence: str) -> None:
    """Checked before the tablet is handed over."""

    async def play() -> None:
        async with stocked.open() as screen:
            await fill(screen, **given)
            await screen.see(sentence)

    played(play)


def test_somebody_known_by_the_same_phone_is_named_and_never_merged(stocked: Store) -> None:
    """The normalised phone finds her; open her card, or go on because it is somebody else."""

    async def play() -> None:
        async with stocked.open() as screen:
            await fill(screen, First_name="Mia", Phone="01512 3456789")
            await screen.see("Mara Lindqvist is here already with this e-mail or phone.")
            await screen.press("It is somebody else")
            await screen.see("Welcome, Mia. May we…")
        async with stocked.open() as screen:
            await fill(screen, First_name="Mara", **{"E-mail": "MARA@example.org"})
            await screen.press("Open Mara Lindqvist's card")
            await screen.see("Plays for now")

    played(play)
