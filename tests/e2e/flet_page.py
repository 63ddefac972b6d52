"""Drives a Flet web page in Chromium by what it says to screen readers: names, roles, live regions.

Flutter draws on a canvas; the semantics tree beside it is all a test (and a blind associate) can read. It has to be
switched on after every load, an unfocused field is empty in it, and rows outside a lazy list do not exist in it.
"""

from __future__ import annotations

from typing import Any, Final, Self

from playwright.sync_api import Locator, Page
from playwright.sync_api import TimeoutError as NeverCame

HOST: Final = "flt-semantics-host"
WRITE_TRIES: Final = 15
WAIT_MS: Final = 20_000
"""How long a page may take: far longer than it does, because what waits costs nothing where it comes."""
_HAS: Final = """(t)=>{for(const e of document.querySelectorAll(
 'flt-semantics-host *, flt-announcement-polite, flt-announcement-assertive'))
 if(((e.getAttribute('aria-label')||'')+'\\n'+(e.children.length?'':e.textContent||'')).includes(t)) return true;
 return false}"""
_ALL: Final = """()=>[...document.querySelectorAll('flt-semantics-host *')]
 .filter(e=>!e.querySelector('flt-semantics')).map(e=>e.getAttribute('aria-label')||e.innerText||'').filter(Boolean)"""
_SCROLL: Final = """(d)=>{for(const s of document.querySelectorAll('flt-semantics-host flt-semantics'))
 if(['scroll','auto'].includes(getComputedStyle(s).overflowY)) s.scrollTop+=d}"""


class FletPage:
    """One browser page with the app in it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, url: str, timeout_ms: int = 60_000) -> Self:
        """Load the app and switch its semantics on."""
        self.page.goto(url, wait_until="commit")
        return self.enable(timeout_ms)

    def enable(self, timeout_ms: int = 60_000) -> Self:
        """Switch the semantics on: after every load and reload."""
        self.page.wait_for_selector("flt-semantics-placeholder", state="attached", timeout=timeout_ms)
        self.page.evaluate("document.querySelector('flt-semantics-placeholder')?.click()")
        self.page.wait_for_selector(
            f"{HOST} flt-semantics[role], {HOST} input, {HOST} span", state="attached", timeout=timeout_ms
        )
        return self

    def button(self, name: str, *, exact: bool = True) -> Locator:
        """A button by its spoken name."""
        plain = self.page.locator(HOST).get_by_role("button", name=name, exact=exact)
        wrapped = self.page.locator(f'{HOST} [aria-label="{name}"] [role=button]')
        return plain.or_(wrapped).first

    def field(self, label: str) -> Locator:
        """A text field by its label."""
        return self.page.locator(f'{HOST} input[aria-label="{label}"], {HOST} textarea[aria-label="{label}"]').first

    def by_id(self, identifier: str) -> Locator:
        """A node by its semantics identifier."""
        return self.page.locator(f'[flt-semantics-identifier="{identifier}"]').first

    def press(self, name: str, *, timeout_ms: int = WAIT_MS, exact: bool = True) -> None:
        """Tap a button by its spoken name."""
        self.tap(self.button(name, exact=exact), timeout_ms)

    def tap(self, found: Locator, timeout_ms: int = WAIT_MS) -> None:
        """Tap a node; a DOM click where Flutter marks it tappable, because overlays do not catch that."""
        found.wait_for(state="attached", timeout=timeout_ms)
        if found.evaluate("e=>e.hasAttribute('flt-tappable')"):
            found.evaluate("e=>e.click()")
        else:
            found.click(force=True, timeout=timeout_ms)

    def write(self, label: str, text: str, *, submit: bool = False) -> None:
        """Type into a field after emptying it. A busy browser may miss the first keys: what stands there then is
        typed anew."""
        field = self.field(label)
        for _ in range(WRITE_TRIES):
            field.wait_for(state="attached")
            field.click(force=True)
            self.page.wait_for_timeout(150)
            field.press("Control+a")
            self.page.keyboard.press("Delete")
            self.page.keyboard.type(text, delay=15)
            self.page.wait_for_timeout(150)
            if field.input_value() == text:
                break
        else:
            raise AssertionError(f"{label} never held {text!r}, but {field.input_value()!r}")
        if submit:
            self.page.keyboard.press("Enter")

    def shows(self, text: str) -> bool:
        """Say whether a text, name or announcement is on the page now."""
        return bool(self.page.evaluate(_HAS, text))

    def see(self, text: str, timeout_ms: int = WAIT_MS) -> None:
        """Wait until a text, name or announcement is on the page; where it never comes, say what is there instead."""
        try:
            self.page.wait_for_function(_HAS, arg=text, timeout=timeout_ms)
        except NeverCame as never:
            told = "\n".join(self.all_text())
            raise AssertionError(f"never on the page within {timeout_ms} ms: {text!r}. It said:\n{told}") from never

    def gone(self, text: str, timeout_ms: int = WAIT_MS) -> None:
        """Wait until it is not."""
        self.page.wait_for_function(f"(t)=>!({_HAS})(t)", arg=text, timeout=timeout_ms)

    def all_text(self) -> list[str]:
        """Everything a screen reader would read, in order."""
        told: Any = self.page.evaluate(_ALL)
        return [str(line) for line in told]

    def scroll_to(self, text: str, *, step: int = 600, tries: int = 80) -> bool:
        """Scroll every list down until a text appears."""
        for _ in range(tries):
            if self.shows(text):
                return True
            self.page.evaluate(_SCROLL, step)
            self.page.wait_for_timeout(120)
        return False
