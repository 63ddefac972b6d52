"""The stops of `python -m tests shots`: every screen, and the way to it in any language.

A new screen is one line in `STOPS` or `MANAGERS_STOPS`. What is done with the pictures is in `shots.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml
from playwright.sync_api import Error

from associate_app.ui.words import Speaker
from tests.e2e.app_page import AppPage
from tests.e2e.conftest import Sheet

FOLDER: Final = Path(__file__).resolve().parents[1] / ".shots"
ASSETS: Final = FOLDER.parent / "assets"
SETTLE_MS: Final = 350
SETTLES_MAX: Final = 8
FIRST_PAINT_MS: Final = 3000
PROPOSED: Final = "Your basket from last night hangs here, shall we look?"
LOCK_MS: Final = 60_000
"""How long a tablet may take to lock itself; see `HASTY`."""
SCANS_MAX: Final = 3
"""On a busy machine keys come so far apart that they are no scan."""
GO_TO: Final = "route=>{history.pushState(null,'',route);dispatchEvent(new PopStateEvent('popstate',{state:null}))}"
"""As if somebody had typed an address, without loading the app again."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a tablet is held and set."""

    name: str
    width: int
    height: int
    is_dark: bool = False
    language: str = "en"
    text_percent: int = 100


@dataclass
class Walk:
    """One walk through the screens in one look; words are found by their keys, so that it goes in any language."""

    app: AppPage
    look: Look
    sheet: Sheet
    pictures: list[tuple[str, Path]] = field(default_factory=list)

    @property
    def words(self) -> Speaker:
        """The words of this look's language."""
        return Speaker(self.look.language)

    def see(self, key: str) -> None:
        """Wait for a sentence, up to the first thing that is filled in."""
        self.app.see(self.words(key).partition("{")[0].strip(), 20_000)

    def press(self, key: str) -> None:
        """Tap a button, scrolling to it where it is below the edge."""
        told = self.words(key).partition("{")[0].strip(" (")
        is_whole = "{" not in self.words(key)
        for _ in range(12):
            if self.app.button(told, exact=is_whole).count():
                break
            lower(300)(self)
        self.app.press(told, exact=is_whole)

    def sign_in(self, role: str) -> None:
        """Choose somebody of a role and enter the PIN."""
        person = next(one for one in self.sheet.people if one["role"] == role)
        self.see("who.title")
        self.app.press(person["name"])
        self.see("pin.lead")
        for digit in person["pin"]:
            self.app.press(digit)
        self.app.page.wait_for_timeout(300)
        self.press("pin.enter")
        self.see("today.seen")

    def shoot(self, stop: str) -> None:
        """Take a picture once everything has come to rest."""
        path = FOLDER / f"{stop}-{self.look.name}.png"
        before = b""
        for _ in range(SETTLES_MAX):
            self.app.page.wait_for_timeout(SETTLE_MS)
            now = self.app.page.screenshot(path=path)
            if now == before:
                break
            before = now
        self.pictures.append((stop, path))


Go = Callable[[Walk], None]


@dataclass(frozen=True, slots=True)
class Stop:
    """A picture and the way to it."""

    name: str
    go: Go


def at(route: str, key: str, *pressed: str) -> Go:
    """An address, a sentence that must be there, and what is tapped then."""

    def go(walk: Walk) -> None:
        walk.app.page.evaluate(GO_TO, route)
        walk.see(key)
        press(*pressed)(walk)

    return go


def press(*keys: str) -> Go:
    """Taps on where the walk is."""

    def go(walk: Walk) -> None:
        for key in keys:
            walk.press(key)
            walk.app.page.wait_for_timeout(250)

    return go


def leave_fields(walk: Walk) -> None:
    """Go where no field has the focus and no dialog is open: what is typed there is a scan."""
    if walk.app.page.evaluate(
        "!!document.querySelector('flt-semantics-host :is(input, textarea), [role=alertdialog]')"
    ):
        at("/sync", "sync.records")(walk)
        walk.app.page.wait_for_timeout(SETTLE_MS)


def seen(key: str) -> Go:
    """A sentence that must have come."""
    return lambda walk: walk.see(key)


def gone(key: str) -> Go:
    """A sentence that must have left."""
    return lambda walk: walk.app.gone(walk.words(key))


def card(name: str, *pressed: str) -> Go:
    """A shopper's card."""

    def go(walk: Walk) -> None:
        whole = next(str(one["name"]) for one in walk.sheet.cards if one["name"] and name in one["name"])
        for _ in range(SCANS_MAX):
            leave_fields(walk)
            walk.app.scan_by_hand(walk.sheet.card(name))
            with suppress(Error, AssertionError):
                walk.app.see(whole, 8_000)
                break
        walk.see("plays.for_now")
        walk.app.page.wait_for_timeout(SETTLE_MS)
        press(*pressed)(walk)

    return go


def scanned(kind: str, key: str) -> Go:
    """What the scan of a code of a kind leads to."""
    return lambda walk: typed(walk.sheet.code(kind), key)(walk)


def typed(code: str, key: str) -> Go:
    """What the scan of a code leads to."""

    def go(walk: Walk) -> None:
        for _ in range(SCANS_MAX):
            leave_fields(walk)
            walk.app.scan_by_hand(code)
            with suppress(AssertionError):
                walk.app.see(walk.words(key).partition("{")[0].strip(), 8_000)
                return
        walk.see(key)

    return go


def label_of(title: str) -> str:
    """The code on a product's label."""
    listed = json.loads((ASSETS / "demo" / "catalogue.json").read_text("utf-8"))
    return str(next(one["gtin"] for one in listed if one["title"].startswith(title)))


def lower(step: int = 6000) -> Go:
    """Further down what scrolls, by pixels; its lower end unless told."""

    def go_down(walk: Walk) -> None:
        for share in (0.3, 0.8):
            walk.app.page.mouse.move(walk.look.width * share, walk.look.height * 0.55)
            walk.app.page.mouse.wheel(0, step)
            walk.app.page.wait_for_timeout(150)

    return go_down


def written(go: Go, label: str, text: str, seen: str | None = None) -> Go:
    """A text typed into a field."""

    def go_write(walk: Walk) -> None:
        go(walk)
        walk.app.write(walk.words(label), text)
        if seen:
            walk.app.see(seen)

    return go_write


def row_of(name: str) -> Go:
    """The row of somebody in a list."""
    return lambda walk: walk.app.press(name, exact=False)


def first_offer(walk: Walk) -> None:
    """The first offer on a card."""
    files = (ASSETS / "offers").glob("*.yaml")
    titles = {title for file in files for title in yaml.safe_load(file.read_text("utf-8"))["title"].values()}
    walk.app.press(next(title for title in walk.app.all_text() if title in titles))


def practise(walk: Walk) -> None:
    """The practice store's Today with its first tip."""
    walk.see("practice.band")
    walk.see("tip.count")


def propose(walk: Walk) -> None:
    """A proposal that changes HQ's words."""
    walk.press("change.propose")
    walk.app.write(walk.words("change.opener"), PROPOSED)
    lower(80)(walk)


def wait_for_lock(walk: Walk) -> None:
    """Hands off."""
    walk.app.see(walk.words("lock.text"), LOCK_MS)


def cut_network(walk: Walk) -> None:
    """The demo's switch, thrown: away with the network, or back."""
    walk.app.tap(walk.app.page.locator("[role=switch]").first)


def then(*ways: Go) -> Go:
    """One way after the other."""

    def go(walk: Walk) -> None:
        for way in ways:
            way(walk)

    return go


def first_paint(walk: Walk) -> None:
    """The first screen: the words are there before the picture is."""
    walk.see("who.title")
    walk.app.page.wait_for_timeout(FIRST_PAINT_MS)


def one_digit(walk: Walk) -> None:
    """The first digit of a PIN."""
    walk.app.press(walk.sheet.people[0]["name"])
    walk.see("pin.lead")
    walk.app.press("9")


UNCONNECTED: Final = (
    Stop("connect", then(seen("connect.title"), lambda walk: walk.app.page.wait_for_timeout(FIRST_PAINT_MS))),
)
NEWCOMERS: Final = (
    Stop("first-offer", at("/", "practice.offer.title")),
    Stop("practice-today", then(at("/settings", "settings.title", "tip.again", "practice.go"), practise)),
    Stop("practice-card", then(press("practice.scan_it"), seen("plays.for_now"))),
    Stop("lock", wait_for_lock),
)
BEFORE: Final = (
    Stop("who", first_paint),
    Stop("pin", one_digit),
)
STOPS: Final = (
    Stop("today", at("/", "today.seen")),
    Stop("today-below", lower()),
    Stop("scan", at("/scan", "scan.no_camera")),
    Stop("scan-number", at("/scan", "scan.number", "scan.number")),
    Stop("scan-expired", scanned("expired", "scan.again")),
    Stop("card", card("Mara")),
    Stop("card-below", lower()),
    Stop("card-offer", then(card("Paul"), first_offer)),
    Stop("card-far", card("Paul")),
    Stop("card-reason", then(press("outcome.not_today"), seen("reason.title.not_today"))),
    Stop("card-saved", press("reason.skip")),
    Stop("card-undone", then(press("saved.undo"), seen("saved.undone"))),
    Stop("card-no-consent", card("Aylin")),
    Stop("card-note", card("Ines", "card.add_note")),
    Stop("card-promise", then(card("Sofia", "follow_ups.add"), lower(400))),
    Stop("card-hold", then(card("Mara", "holds.add"), lower(400))),
    Stop("card-bend", then(card("Henrik", "bend.open"), lower(400))),
    Stop("card-traveller", scanned("traveller", "plays.for_now")),
    Stop("card-correct", then(card("Ines", "correct.open", "correct.field.email"), lower())),
    Stop("card-corrected", then(card("Sofia"), lower())),
    Stop("card-booking", then(card("Clara", "appointments.add"), lower(700))),
    Stop("card-booked", card("Henrik")),
    Stop("card-pass", press("appointments.pass")),
    Stop("product", typed(label_of("Aran jumper"), "product.near")),
    Stop("product-for", then(card("Ines"), typed(label_of("Merino beanie"), "product.near"))),
    Stop("offer", typed("MEMBER15", "offer.where")),
    Stop("offer-ended", typed("KNITS20", "offer.where")),
    Stop("find", at("/find", "find.lead")),
    Stop("find-some", written(press(), "find.field", "mar")),
    Stop("find-none", written(press(), "find.field", "xqxq")),
    Stop("plays", at("/plays", "book.title")),
    Stop("plays-none", written(press(), "book.field", "xqxq")),
    Stop("library", at("/library", "library.lead")),
    Stop("tell", at("/tell", "tell.about")),
    Stop("tell-wants", press("tell.worked")),
    Stop("tell-answers", lower()),
    Stop("sync", at("/sync", "sync.records")),
    Stop("sync-cut", then(cut_network, seen("sync.is_cut"))),
    Stop("follow-ups", then(cut_network, gone("sync.is_cut"), at("/follow_ups", "follow_ups.lead"))),
    Stop("follow-ups-open", row_of("Sofia")),
    Stop("holds", at("/holds", "holds.lead")),
    Stop("appointments", at("/appointments", "appointments.lead")),
    Stop("appointments-week", press("appointments.week")),
    Stop("settings", at("/settings", "settings.title")),
    Stop("settings-scanner", press("scanner.start")),
    Stop("settings-below", lower()),
    Stop("new", at("/new", "new.hand_over")),
    Stop("new-consent", then(written(press(), "new.given", "Nora"), press("new.hand_over"), seen("new.consent_lead"))),
    Stop("new-card", then(press("new.done_button"), seen("new.done_text"))),
)
MANAGERS_STOPS: Final = (
    Stop("store", at("/store", "store.plays")),
    Stop("store-week", press("store.span.week")),
    Stop("store-below", lower()),
    Stop("card-verdicts", then(card("Mara", "verdicts.open"), lower(500))),
    Stop("reviews", at("/reviews", "reviews.lead")),
    Stop("review", at("/review/cart-reminder-near", "review.says")),
    Stop("review-below", lower()),
    Stop("review-proposal", then(at("/", "today.seen"), at("/review/cart-reminder-near", "review.says"), propose)),
    Stop("feedback", at("/feedback", "feedback.lead")),
    Stop("tablets", at("/tablets", "tablets.title")),
    Stop("approvals", at("/approvals", "approvals.title")),
    Stop("pins", at("/pins", "pins.lead")),
    Stop("today-manager", at("/", "today.seen")),
    Stop("today-manager-below", lower()),
)
