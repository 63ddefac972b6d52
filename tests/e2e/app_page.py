"""The tablet app as an associate uses it: page model over what the screens say."""

from __future__ import annotations

import re
from typing import Self

from playwright.sync_api import Page

from tests.e2e.flet_page import FletPage


class AppPage(FletPage):
    """One tablet in one browser page."""

    def __init__(self, page: Page, url: str) -> None:
        super().__init__(page)
        self.url = url

    def visit(self, route: str = "/") -> Self:
        """Open an address of the app."""
        self.open(self.url + route)
        return self

    def sign_in(self, name: str, pin: str) -> Self:
        """Choose a name and enter a PIN."""
        self.see("Who’s working?")
        self.press(name)
        self.see("Enter your PIN")
        self.enter_pin(pin)
        self.see("Scan loyalty QR")
        return self

    def enter_pin(self, pin: str) -> None:
        """Type a PIN on the pad."""
        for count, digit in enumerate(pin, start=1):
            self.press(digit)
            self.see(f"PIN, {count} digit")
        self.press("Sign in")

    def scan_by_hand(self, code: str) -> None:
        """Type a code as a hand scanner does, with no field in focus."""
        self.page.keyboard.type(code, delay=4)
        self.page.keyboard.press("Enter")

    def see_card(self, name: str) -> None:
        """Wait until a shopper's card is open."""
        self.see("Plays for now")
        self.see(name)

    def choose(self, outcome: str) -> None:
        """Record what came of the first play, and wait until it is saved."""
        self.press(outcome)
        self.see("Saved: ")

    def switch_network(self) -> None:
        """The demo's switch on Sync."""
        self.press("Sync")
        self.tap(self.page.get_by_role("switch", name="Take the network away"))

    def pill(self) -> str:
        """What the sync pill says."""
        return next(told for told in self.all_text() if told.startswith("Sync: ")).removeprefix("Sync: ")

    def wait_for_pill(self, words: str, timeout_ms: int = 20_000) -> None:
        """Wait until the pill says something."""
        self.see(f"Sync: {words}", timeout_ms)

    def first_play(self) -> str:
        """The title of the play ranked first: the line after its number."""
        told = self.all_text()
        after = told[told.index("Plays for now") :]
        return next(line for line in after[1:] if not re.fullmatch(r"\d", line))
