"""What a store manager does at a tablet while a colleague works at it too: a play paused, a forgotten PIN set anew."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.app_page import AppPage
from tests.e2e.conftest import OpenApp, Sheet
from tests.support.hub_process import HubProcess

NEW_PIN = "8642"
PLAY, SHOPPER = "Show them the cart", "Tom Berger"
"""A play that may be paused, and somebody of the demo's store in its situation."""


class Taps:
    """Counts what a finger does on one page."""

    def __init__(self, app: AppPage, patch: pytest.MonkeyPatch) -> None:
        self.count, tap = 0, app.tap

        def counted(*args: Any, **named: Any) -> None:
            self.count += 1
            tap(*args, **named)

        patch.setattr(app, "tap", counted)


def type_pin(app: AppPage, pin: str) -> None:
    """Type a PIN on the pad and go on."""
    for count, digit in enumerate(pin, start=1):
        app.press(digit)
        app.see(f"PIN, {count} digit")
    app.press("Go on")


def test_a_manager_pauses_a_play_and_gives_a_new_pin_and_the_colleague_beside_sees_both(
    open_app: OpenApp, hub: HubProcess, sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four taps from the rail pause a play, and the open card of another session shows it no more; a new PIN is two
    taps and three times its digits, and signs in at once."""
    [boss] = [one for one in sheet.people if one["role"] == "manager"]
    forgetful = [one for one in sheet.people if one["role"] == "associate"][-1]
    colleague = open_app(hub.url).sign_in(sheet.people[0]["name"], sheet.people[0]["pin"])
    colleague.open(colleague.url + "/find")
    colleague.write("Name, phone, e-mail or number", SHOPPER)
    colleague.press(SHOPPER, exact=False)
    colleague.see_card(SHOPPER)
    colleague.see(PLAY)
    manager = open_app(hub.url).sign_in(boss["name"], boss["pin"])
    taps = Taps(manager, monkeypatch)
    manager.press("Store")
    manager.press("Plays review")
    manager.see("shoppers of this tablet, looked at", 20_000)
    assert manager.scroll_to(f"{PLAY}.")
    manager.press(f"{PLAY}.", exact=False)
    manager.see(SHOPPER)
    manager.press("Pause in this store")
    manager.see("Run again in this store")
    assert taps.count == 4
    try:
        colleague.gone(PLAY, 20_000)
        assert colleague.shows(SHOPPER)
    finally:
        manager.press("Run again in this store")
    colleague.see(PLAY, 20_000)

    manager.press("Store")
    manager.see("Plays used")
    taps.count = 0
    manager.press("PINs")
    manager.press(f"New PIN for {forgetful['name']}")
    type_pin(manager, boss["pin"])
    manager.see("choose a new PIN")
    type_pin(manager, NEW_PIN)
    manager.see("once more")
    type_pin(manager, NEW_PIN)
    manager.see("new PIN holds here now")
    assert taps.count == 2 + (len(boss["pin"]) + 1) + 2 * (len(NEW_PIN) + 1)
    manager.press(f"Switch associate, now {boss['name']}")
    manager.sign_in(forgetful["name"], NEW_PIN)
