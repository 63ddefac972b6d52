"""German on the screens: from the store's country or the browser, by the switch, at once and with no letter lost."""

from __future__ import annotations

import flet as ft
import pytest

from associate_app.ui.floor import _wording
from associate_app.ui.language import BROWSER_LANGUAGE, chosen_language, language_of, preferred
from associate_app.ui.words import CATALOGUES
from shared.plays.files import ConsentWording
from tests.support.flet_harness import Screen
from tests.support.replica import card_for
from tests.unit.ui.conftest import JONAS, PIN, Store, played, scan

ENGLISH_ONLY = frozenset(CATALOGUES["en"].values()) - frozenset(CATALOGUES["de"].values())


def assert_german(screen: Screen) -> None:
    """No sentence of the English catalogue is on the screen."""
    assert [told for told in screen.texts() if told in ENGLISH_ONLY] == []


async def sign_in_german(screen: Screen) -> None:
    """As in English, with the German words."""
    await screen.see("Wer arbeitet hier?")
    assert_german(screen)
    await screen.press(JONAS)
    await screen.see("Gib deine PIN ein")
    for digit in PIN:
        await screen.press(digit)
    await screen.press("Anmelden")
    await screen.see("Kundenkarte scannen")


def test_from_signing_in_to_an_outcome_everything_is_german(store: Store) -> None:
    """Berlin speaks German where nobody chose. A reason is recorded as all stores record it."""
    store.shop.database.write_note("language", None)

    async def play() -> None:
        async with store.open() as screen:
            await sign_in_german(screen)
            await screen.see("Guten Tag, Jonas")
            await screen.see("Berlin Mitte · So, 22. Nov.")
            assert_german(screen)
            await scan(screen, card_for(), "Plays für jetzt")
            await screen.see("vor 2 Tagen in den Warenkorb gelegt")
            await screen.see("Aktiv · letzter Kauf 23. Okt., hier")
            assert_german(screen)
            await screen.press("Heute nicht")
            await screen.see("Gespeichert. Warum heute nicht?")
            await screen.press("Keine Zeit")
            await screen.until(lambda: store.newest().get("reason") == "No time")
            await screen.see("Heute nicht · ")
            assert_german(screen)
            await screen.press("Abgleich")
            await screen.see("Einträge sind hier gespeichert und gehen von selbst.")
            await screen.see("Ergebnis · heute nicht · ")
            await screen.see("Karte geöffnet · ")
            assert_german(screen)

    played(play)


def test_a_wrong_pin_is_said_in_german(store: Store) -> None:
    """The sentences of the rules follow, not only those of the screens."""
    store.floor.speak("de")
    told = [store.floor.sign_in("a0001", "1111").sentence for _ in range(5)]
    assert told[0] == "Diese PIN stimmt nicht. Noch 4 Versuche, dann eine kurze Pause."
    assert told[3] == "Diese PIN stimmt nicht. Noch 1 Versuch, dann eine kurze Pause."
    assert told[4] == "Zu viele falsche PINs. Warte 30 Sekunden oder bitte die Ladenleitung um eine neue."


def test_the_switch_holds_at_once_in_every_session_and_loses_nothing_typed(store: Store) -> None:
    """One session writes to HQ while another switches; both are German then, and so is the next."""

    async def play() -> None:
        async with store.open() as writing, store.open("/sync") as switching:
            for screen in (writing, switching):
                await screen.see("Who’s working?")
            await writing.press("Deutsch")
            await sign_in_german(writing)
            await switching.see("Wer arbeitet hier?")
            await writing.press("Melden")
            await writing.write("In ein, zwei Zeilen", "Der Haken klemmt")
            await switching.press("English")
            await writing.see("In a line or two")
            assert writing.find(ft.TextField).value == "Der Haken klemmt"
            assert chosen_language(store.shop.database) == "en"
        async with store.open() as screen:
            await screen.see("Who’s working?")

    played(play)


def test_a_tablet_is_connected_in_german(new_store: Store) -> None:
    """Nobody has said where it stands yet: the switch is there too, and what was typed stays."""

    async def play() -> None:
        async with new_store.open() as screen:
            await screen.see("Connect this tablet")
            await screen.write("Name of this tablet", "Kasse")
            await screen.press("Deutsch")
            await screen.see("Tablet verbinden")
            assert screen.find(ft.TextField, label="Name dieses Tablets").value == "Kasse"
            await screen.press("Verbinden")
            await screen.see("Tippe die Adresse ein, die die Zentrale dir gab")
            assert_german(screen)

    played(play)


def test_a_consent_asked_in_words_that_are_not_there_in_german_is_proved_as_english(store: Store) -> None:
    """What the shopper read is what HQ keeps."""
    text = {"en": "Nordhang may write to me.", "de": "Nordhang darf mir schreiben."}
    asked = {"id": "email/1", "purpose": "email", "version": "1", "title": {"en": "E-mail"}, "text": text}
    english = ConsentWording.model_validate(asked)
    german = english.model_copy(update={"title": {"en": "E-mail", "de": "E-Mail"}})
    assert _wording(english, "de").language == "en"
    assert _wording(english, "de").text == text["en"]
    assert (_wording(german, "de").language, _wording(german, "de").sha) == ("de", german.sha_in("de"))


def test_a_browser_s_language_goes_before_the_store_s_and_after_a_choice(store: Store) -> None:
    """Each session has its own browser."""
    store.shop.database.write_note("language", None)
    BROWSER_LANGUAGE.set("en")

    async def play() -> None:
        async with store.open() as screen:
            await screen.see("Who’s working?")
            await screen.press("Deutsch")
            await screen.see("Wer arbeitet hier?")

    try:
        played(play)
    finally:
        BROWSER_LANGUAGE.set(None)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-US,en;q=0.9", "en"),
        ("fr-CH, de;q=0.5", "de"),
        ("pl", None),
        ("", None),
        ("*", None),
    ],
)
def test_a_browser_says_what_it_prefers(header: str, language: str | None) -> None:
    """The first that is spoken here."""
    assert preferred(header) == language


def test_a_country_has_a_language() -> None:
    """English where it is not German, or not known."""
    assert [language_of(country) for country in ("DE", "at", "CH", "SE", None)] == ["de", "de", "de", "en", "en"]
