"""A shopper's card is open while HQ finds out who they are: the card follows, and says so in plain words."""

from __future__ import annotations

import pytest

from tests.e2e.app_page import AppPage
from tests.e2e.conftest import Sheet
from tests.support.programs import ServerProcess, run

pytestmark = pytest.mark.browser
LIVE_MS = 20_000
"""What a loaded machine may take."""
ONE, OTHER = "Henrik Sommer", "Niklas Weber"
JOINED, PARTED = f"HQ found that {ONE} is this same shopper", "HQ found that two shoppers were mixed up here"


def say_at_hq(server: ServerProcess, word: str, sheet: Sheet) -> None:
    """`identity link` or `identity split` of the two."""
    numbers = [sheet.number(name.split()[0]) for name in (ONE, OTHER)]
    said = run("sync_server", "identity", word, *numbers, "--why", "a journey", "--data-dir", server.data_dir)
    assert said.status == 0, said.err


@pytest.mark.full
def test_an_open_card_follows_a_link_and_a_split_and_says_so(server: ServerProcess, app: AppPage, sheet: Sheet) -> None:
    """Linked: the other's note is on the open card, under a sentence. Split: it is gone again, under another. Notes
    written meanwhile stay with whom it was written of, and the other's card has its own."""
    app.scan_by_hand(sheet.card(OTHER.split(maxsplit=1)[0]))
    app.see_card(OTHER)
    write_note(app, "asked for the blue lamp")
    app.scan_by_hand(sheet.card(ONE.split(maxsplit=1)[0]))
    app.see_card(ONE)
    app.wait_for_pill("All saved at HQ")
    assert not app.shows("asked for the blue lamp")
    assert not app.shows("HQ found")
    say_at_hq(server, "link", sheet)
    write_note(app, "wears a size 39")  # the next contact with HQ; by itself it is a minute away
    app.see(JOINED, LIVE_MS)
    app.see("asked for the blue lamp")
    say_at_hq(server, "split", sheet)
    write_note(app, "prefers the morning")
    app.see(PARTED, LIVE_MS)
    app.see("wears a size 39")
    app.see("prefers the morning")
    assert not app.shows("asked for the blue lamp")
    assert not app.shows(JOINED)
    app.scan_by_hand(sheet.card(OTHER.split(maxsplit=1)[0]))
    app.see_card(OTHER)
    app.see("asked for the blue lamp")
    assert not app.shows("wears a size 39")
    assert not app.shows("HQ found")


def write_note(app: AppPage, text: str) -> None:
    """A note on the open card."""
    app.press("Note")
    app.write("Note for the next colleague", text)
    app.press("Save note")
    app.see(text)
