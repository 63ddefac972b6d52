"""`python -m tests.shots [landscape portrait phone] [light dark]`: pictures of every screen, for people to look at.

Starts a real server with the demo chain and a real hub, walks through the screens in each frame and theme, and leaves
the pictures in `.shots/` (ignored by git) with a contact sheet of each walk.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.app_page import AppPage
from tests.e2e.conftest import CHROMIUM_ARGUMENTS, Sheet
from tests.needs import NO_CHROMIUM, find_chromium
from tests.support.hub_process import HubProcess
from tests.support.programs import ServerProcess, run, run_json

FOLDER: Final = Path(__file__).resolve().parents[1] / ".shots"
FRAMES: Final = {"landscape": (1180, 820), "portrait": (800, 1280), "phone": (390, 844)}
THEMES: Final = ("light", "dark")
SETTLE_MS: Final = 800
SHEET_HEIGHT: Final = 620
SHEET_COLUMNS: Final = 5


@dataclass
class Walk:
    """One walk through the screens in one frame and theme."""

    app: AppPage
    name: str
    pictures: list[Path] = field(default_factory=list)

    def shoot(self, screen: str) -> None:
        """Take a picture once everything has come to rest."""
        self.app.page.wait_for_timeout(SETTLE_MS)
        path = FOLDER / f"{len(self.pictures) + 1:02d}-{screen}-{self.name}.png"
        self.app.page.screenshot(path=path)
        self.pictures.append(path)

    def card(self, code: str, name: str, screen: str) -> None:
        """Open a card and take its picture."""
        self.app.scan_by_hand(code)
        self.app.see_card(name)
        self.shoot(screen)


def walk_through(walk: Walk, sheet: Sheet) -> None:
    """Every screen there is, in the order an associate meets them."""
    app, person = walk.app, sheet.people[0]
    app.see("Who’s working?")
    walk.shoot("who")
    app.press(person["name"])
    app.see("Enter your PIN")
    app.enter_pin("99")
    walk.shoot("pin")
    app.press("Delete digit")
    app.press("Delete digit")
    app.enter_pin(person["pin"])
    app.see("Scan loyalty QR")
    walk.shoot("today-first")
    app.press("Scan loyalty QR")
    app.see("This tablet has no camera.")
    walk.shoot("scan-no-camera")
    app.press("Enter number instead")
    walk.shoot("scan-number")
    app.page.reload(wait_until="commit")
    app.enable()
    app.see("Scan")
    walk.card(sheet.card("Mara"), "Mara Lindqvist", "card")
    app.press("Aran jumper, sand, in cart", exact=False)
    app.see("For Mara Lindqvist")
    walk.shoot("product")
    app.scan_by_hand("MEMBER15")
    app.see("Mara may use it here today")
    walk.shoot("offer")
    app.scan_by_hand("KNITS20")
    app.see("it has ended")
    walk.shoot("offer-ended")
    walk.card(sheet.card("Paul"), "Paul Zander", "card-far")
    app.press("Not today")
    app.see("Saved. Why not today?")
    walk.shoot("reason")
    app.press("Price")
    walk.shoot("saved")
    app.press("Undo")
    app.see("Taken back.")
    walk.shoot("undone")
    walk.card(sheet.card("Aylin"), "Aylin Demir", "card-no-consent")
    app.scan_by_hand(sheet.code("traveller"))
    app.see("Leonor Rodrigues")
    walk.shoot("card-traveller")
    app.scan_by_hand(sheet.code("expired"))
    app.see("This card expired on")
    walk.shoot("result-expired")
    walk_the_rooms(walk)


def walk_the_rooms(walk: Walk) -> None:
    """The rooms of the rail, and joining."""
    app = walk.app
    for route, words, screen in (
        ("/", "Seen this shift", "today"),
        ("/find", "Part of a name is enough.", "find"),
        ("/plays", "Search plays", "plays"),
        ("/tell", "In a line or two", "tell"),
        ("/sync", "Records on this tablet", "sync"),
        ("/new", "Hand the tablet to the shopper", "new"),
    ):
        app.open(app.url + route)
        app.see(words)
        if screen == "find":
            app.write("Name, phone, e-mail or number", "mar")
            app.see("shoppers")
        walk.shoot(screen)
    app.write("First name", "Nora")
    app.press("Hand the tablet to the shopper")
    app.see("May we…")
    walk.shoot("new-consent")
    app.press("Done")
    app.see("Photograph this with your phone")
    walk.shoot("new-card")


def contact_sheet(name: str, pictures: Sequence[Path]) -> Path:
    """All pictures of a walk on one sheet."""
    small = []
    for path in pictures:
        picture = Image.open(path).convert("RGB")
        small.append(picture.resize((round(picture.width * SHEET_HEIGHT / picture.height), SHEET_HEIGHT)))
    width, rows = small[0].width + 12, -(-len(small) // SHEET_COLUMNS)
    sheet = Image.new("RGB", (width * SHEET_COLUMNS, (SHEET_HEIGHT + 12) * rows), "#B9C4BE")
    for count, picture in enumerate(small):
        sheet.paste(picture, (count % SHEET_COLUMNS * width, count // SHEET_COLUMNS * (SHEET_HEIGHT + 12)))
    path = FOLDER / f"sheet-{name}.png"
    sheet.save(path)
    return path


@contextmanager
def demo_shop(folder: Path) -> Iterator[tuple[HubProcess, Sheet]]:
    """A demo chain behind a server, and a tablet of its first store."""
    said = run("sync_server", "demo-data", "--shoppers", 60, "--seed", 1, "--data-dir", folder / "hq")
    if said.status:
        raise SystemExit(said.err)
    server = ServerProcess(folder / "hq").start()
    hub = HubProcess(folder / "tablet").enrol(server).start()
    told: dict[str, Any] = run_json("sync_server", "demo-sheet", "--data-dir", server.data_dir)
    try:
        yield hub, Sheet(told["people"], told["cards"])
    finally:
        hub.kill()
        server.kill()


def shoot(browser: Browser, hub: HubProcess, sheet: Sheet, frame: str, theme: str) -> Path:
    """One walk; returns its contact sheet."""
    width, height = FRAMES[frame]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        timezone_id="Europe/Berlin",
    )
    walk = Walk(AppPage(context.new_page(), hub.url).visit(), f"{frame}-{theme}")
    walk_through(walk, sheet)
    context.close()
    return contact_sheet(walk.name, walk.pictures)


def main(words: Sequence[str]) -> int:
    """Walk through what was asked for; everything without a word."""
    chromium = find_chromium()
    if chromium is None:
        print(NO_CHROMIUM)
        return 1
    FOLDER.mkdir(exist_ok=True)
    frames = [word for word in words if word in FRAMES] or list(FRAMES)
    themes = [word for word in words if word in THEMES] or list(THEMES)
    with tempfile.TemporaryDirectory() as place, demo_shop(Path(place)) as (hub, sheet), sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
        for frame in frames:
            for theme in themes:
                print(shoot(browser, hub, sheet, frame, theme))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
