"""A keyboard and nothing else: Tab, Enter, Space and Escape lead through the whole of a scan, and the focus is told."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.e2e.app_page import AppPage
from tests.e2e.conftest import OpenApp, Sheet
from tests.support.hub_process import HubProcess

pytestmark = [pytest.mark.browser, pytest.mark.full]
TABS_MAX = 60
PRESSES_MAX = 3
FOCUS = """()=>{const e=document.activeElement;
 return [e.getAttribute('role')||e.tagName.toLowerCase(),
  (e.getAttribute('aria-label')||e.innerText||'').trim()]}"""
"""The role and name of what has the focus in the page itself: what a screen reader follows."""


def tab_to(app: AppPage, name: str, role: str = "button") -> None:
    """Tab on until the focus is on something of that name and role."""
    passed = []
    for _ in range(TABS_MAX):
        before = app.page.evaluate(FOCUS)
        if before == [role, name]:
            return
        app.page.keyboard.press("Tab")
        app.page.wait_for_timeout(40)
        passed.append(before[1])
    raise AssertionError(f"the focus never came to {name!r}; it went over {passed}")


def press(app: AppPage, name: str, key: str = "Enter", *, leads_to: str = "") -> None:
    """Tab to a button and press it with a key; again where the screen was drawn anew under the finger."""
    for _ in range(PRESSES_MAX):
        tab_to(app, name)
        app.page.keyboard.press(key)
        if not leads_to:
            return
        with suppress(AssertionError):
            app.see(leads_to, 5_000)
            return
    app.see(leads_to)


def test_from_who_is_working_to_undo_by_keyboard_alone(open_app: OpenApp, hub: HubProcess, sheet: Sheet) -> None:
    """Sign in, type a number, read the card, open a sheet and leave it, save an outcome, take it back."""
    person, name = sheet.people[2], "Mara"
    app = open_app(hub.url)
    app.see("Who’s working?")
    press(app, person["name"], leads_to="Enter your PIN")
    for count, digit in enumerate(person["pin"], start=1):
        press(app, digit, "Space" if count % 2 else "Enter")
        app.see(f"PIN, {count} digit")
    press(app, "Sign in", leads_to="Scan loyalty QR")
    press(app, "Scan loyalty QR", leads_to="This tablet has no camera")
    press(app, "Enter number instead", "Space", leads_to="Loyalty number")
    tab_to(app, "Loyalty number", "input")
    app.page.keyboard.type(sheet.number(name), delay=15)
    app.page.keyboard.press("Enter")
    app.see_card(name)
    press(app, "Note", leads_to="Note for the next colleague")
    app.page.keyboard.press("Escape")
    app.gone("Note for the next colleague")
    press(app, "Interested", "Space")
    app.see("Saved: ")
    press(app, "Undo")
    app.see("Taken back.")
