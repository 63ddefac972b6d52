"""`python -m tests shots [looks]`: pictures of every screen in every look, for people to look through in a minute.

Starts a real server with the demo chain and a real hub, gives the store something to show, and walks through the stops
in each look. The pictures go to `.shots/` (ignored by git) with a sheet of thumbnails a look and one page of all,
`index.html`. The screens and the ways to them are in `shot_stops.py`.
"""

from __future__ import annotations

import html
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Error, sync_playwright

from shared.clock import format_at
from tests.e2e.app_page import AppPage
from tests.e2e.conftest import CHROMIUM_ARGUMENTS, Sheet
from tests.needs import NO_CHROMIUM, find_chromium
from tests.shot_stops import (
    ASSETS,
    BEFORE,
    FOLDER,
    MANAGERS_STOPS,
    NEWCOMERS,
    STOPS,
    UNCONNECTED,
    Look,
    Stop,
    Walk,
    at,
    card,
    written,
)
from tests.support.hub_process import HubProcess
from tests.support.programs import ServerProcess, run, run_json

SHEET: Final = (1560, 1160)
"""As much as a screen shows at once: a sheet is looked at without scrolling."""
THUMB_AREA: Final = 165_000
"""Pixels of one thumbnail, whatever its shape."""
LARGE_TEXT: Final = (
    "addEventListener('DOMContentLoaded',()=>{document.documentElement.style.fontSize='%d%%'},{once:true})"
)
"""Flutter takes the scale of text from the page's root, as a browser's own setting would change it."""
HASTY: Final = "import associate_app.ui.app as a, associate_app.ui.shifts as s; a.MINUTE_S = s.MINUTE_S = 12\n"
"""A hub whose minutes are short: nobody waits two real ones for the picture of the lock."""

LOOKS: Final = (
    Look("landscape", 1180, 820),
    Look("portrait", 800, 1280),
    Look("phone", 390, 844),
    Look("dark", 1180, 820, is_dark=True),
    Look("german", 1180, 820, language="de"),
    Look("large", 1180, 820, text_percent=200),
    Look("german-phone", 390, 844, language="de", is_dark=True),
    Look("large-phone", 390, 844, text_percent=200),
)


def walk_through(walk: Walk, stops: Sequence[Stop]) -> list[str]:
    """Take the picture of each stop; says which were not reached, and goes on after them."""
    missed = []
    for stop in stops:
        try:
            stop.go(walk)
        except (Error, AssertionError, StopIteration) as trouble:
            missed.append(
                f"{stop.name} in {walk.look.name}: {str(trouble).splitlines()[0] if str(trouble) else trouble!r}"
            )
        walk.shoot(stop.name)
    return missed


def furnish(walk: Walk, shop: DemoShop) -> None:
    """Give the store something to show: holds, promises, outcomes, a correction, an appointment, HQ's answer."""
    walk.sign_in("associate")
    card("Mara", "holds.add", "holds.save")(walk)
    walk.see("saved.title")
    card("Sofia", "follow_ups.add", "follow_ups.save")(walk)
    walk.see("saved.title")
    card("Henrik", "appointments.add", "appointments.save")(walk)
    walk.see("saved.title")
    written(card("Sofia", "correct.open", "correct.field.phone"), "correct.right", "+49 30 5550199")(walk)
    walk.press("correct.save")
    walk.see("saved.title")
    card("Tom", "outcome.interested")(walk)
    card("Niklas", "outcome.bought")(walk)
    for about, text in (
        ("tell.out_of_stock", "Two shoppers asked for the Aran jumper in S."),
        ("tell.wrong_price", "The beanies have the price of last week."),
    ):
        written(at("/tell", "tell.about"), "tell.field", text)(walk)
        walk.press(about)
        walk.see("saved.title")
        at("/sync", "sync.records", "sync.send")(walk)
        walk.see("sync.all")
    run("sync_server", "keep", "--data-dir", shop.server.data_dir)
    shop.answer("Size S is on its way to you, on Thursday.")
    shop.live(walk.sheet)


# the sheets ----------------------------------------------------------------------------------------------------------


def contact_sheets(walk: Walk) -> list[Path]:
    """All pictures of a walk on a few sheets, each under its name."""
    shrink = (THUMB_AREA / (walk.look.width * walk.look.height)) ** 0.5
    size = (round(walk.look.width * shrink), round(walk.look.height * shrink))
    columns, rows = max(1, SHEET[0] // (size[0] + 16)), max(1, SHEET[1] // (size[1] + 40))
    per_sheet = columns * rows
    return [
        _sheet(walk, size, columns, start, walk.pictures[start : start + per_sheet])
        for start in range(0, len(walk.pictures), per_sheet)
    ]


def _sheet(walk: Walk, size: tuple[int, int], columns: int, start: int, shown: Sequence[tuple[str, Path]]) -> Path:
    font = ImageFont.truetype(ASSETS / "fonts" / "Inter.ttf", 20)
    width, height = size[0] + 16, size[1] + 40
    sheet = Image.new("RGB", (width * columns, height * -(-len(shown) // columns)), "#B9C4BE")
    drawn = ImageDraw.Draw(sheet)
    for count, (name, path) in enumerate(shown):
        left, top = count % columns * width, count // columns * height
        drawn.text((left + 8, top + 4), name, "#15201B", font)
        sheet.paste(Image.open(path).convert("RGB").resize(size, Image.Resampling.LANCZOS), (left + 8, top + 32))
    path = FOLDER / f"sheet-{walk.look.name}-{start:02d}.png"
    sheet.save(path)
    return path


def write_index() -> Path:
    """One page of everything that lies in the folder: a row a screen, a column a look."""
    names = [stop.name for stop in (*UNCONNECTED, *NEWCOMERS, *BEFORE, *STOPS, *MANAGERS_STOPS)]
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th>{''.join(_cell(name, look) for look in LOOKS)}</tr>" for name in names
    )
    heads = "".join(f"<th>{html.escape(look.name)}</th>" for look in LOOKS)
    style = "th{font:14px sans-serif;position:sticky;top:0;background:#fff}img{height:300px}td{vertical-align:top}"
    path = FOLDER / "index.html"
    path.write_text(
        f"<!doctype html><meta charset=utf-8><title>Every screen</title><style>{style}</style>"
        f"<table><tr><th></th>{heads}</tr>{rows}</table>",
        "utf-8",
    )
    return path


def _cell(name: str, look: Look) -> str:
    file = f"{name}-{look.name}.png"
    if not (FOLDER / file).exists():
        return "<td></td>"
    return f'<td><a href="{file}"><img loading=lazy src="{file}" alt="{html.escape(name)} in {look.name}"></a></td>'


# the walks -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DemoShop:
    """A demo chain behind a server, and three tablets: one at work in its first store, one that nobody knows yet and
    that locks itself soon, one that is not connected."""

    server: ServerProcess
    sheet: Sheet
    at_work: HubProcess
    new: HubProcess
    unconnected: HubProcess

    def answer(self, text: str) -> None:
        """HQ answers the oldest message."""
        folder = ("--data-dir", self.server.data_dir)
        waiting = run_json("sync_server", "feedback", "list", *folder)
        run_json("sync_server", "feedback", "answer", waiting[0]["id"], text, *folder)

    def live(self, sheet: Sheet) -> None:
        """Two shoppers do something: one wishes for what lies here, one comes in."""
        folder = ("--data-dir", self.server.data_dir)
        key = run_json("sync_server", "key", "create", "--source", "shots", *folder)["write_key"]
        at = format_at(datetime.now(UTC))
        wish = {"product_id": "KNT-ARAN-SAND", "name": "Aran jumper, sand"}
        for name, event, told in (
            ("Ines", "Product Added to Wishlist", wish),
            ("Clara", "Store Entered", {"store": "berlin-1"}),
        ):
            said = httpx.post(
                f"{self.server.url}/v1/track",
                json={
                    "event": event,
                    "properties": told,
                    "context": {"externalIds": [{"type": "loyalty_id", "id": sheet.number(name)}]},
                    "messageId": f"shots-{name}",
                    "timestamp": at,
                },
                auth=(key, ""),
                timeout=30,
            )
            said.raise_for_status()


@contextmanager
def demo_shop(folder: Path) -> Iterator[DemoShop]:
    """The shop with everything in it running."""
    said = run("sync_server", "demo-data", "--shoppers", 60, "--seed", 1, "--data-dir", folder / "hq")
    if said.status:
        raise SystemExit(said.err)
    run("sync_server", "keep", "--data-dir", folder / "hq")
    server = ServerProcess(folder / "hq").start()
    told: dict[str, Any] = run_json("sync_server", "demo-sheet", "--data-dir", server.data_dir)
    hubs = (
        HubProcess(folder / "tablet").enrol(server),
        HubProcess(folder / "new", first=HASTY).enrol(server, is_new_to_all=True),
        HubProcess(folder / "unconnected"),
    )
    try:
        yield DemoShop(server, Sheet(told["people"], told["cards"]), *[hub.start() for hub in hubs])
    finally:
        for hub in hubs:
            hub.kill()
        server.kill()


@contextmanager
def opened(browser: Browser, hub: HubProcess, sheet: Sheet, look: Look) -> Iterator[Walk]:
    """The app in a browser of its own in one look."""
    context = browser.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme="dark" if look.is_dark else "light",
        locale="de-DE" if look.language == "de" else "en-GB",
        timezone_id="Europe/Berlin",
    )
    if look.text_percent != 100:
        context.add_init_script(LARGE_TEXT % look.text_percent)
    yield Walk(AppPage(context.new_page(), hub.url).visit(), look, sheet)
    context.close()


def shoot(browser: Browser, shop: DemoShop, look: Look) -> list[str]:
    """One look at everything, as a newcomer, an associate and a manager; says what was not reached."""
    missed: list[str] = []
    pictures: list[tuple[str, Path]] = []
    for hub, role, stops in (
        (shop.unconnected, None, UNCONNECTED),
        (shop.new, "associate", NEWCOMERS),
        (shop.at_work, None, BEFORE),
        (shop.at_work, "associate", STOPS),
        (shop.at_work, "manager", MANAGERS_STOPS),
    ):
        with opened(browser, hub, shop.sheet, look) as walk:
            walk.pictures = pictures
            if role:
                walk.sign_in(role)
            missed += walk_through(walk, stops)
    print(*contact_sheets(walk), sep="\n", flush=True)
    return missed


def main(words: Sequence[str]) -> int:
    """Walk in the looks asked for, all of them without a word; 1 when a stop was not reached."""
    chromium = find_chromium()
    if chromium is None:
        print(NO_CHROMIUM)
        return 1
    if unknown := [word for word in words if word not in {look.name for look in LOOKS}]:
        print(f"no look is called {', '.join(unknown)}; there are {', '.join(look.name for look in LOOKS)}")
        return 2
    FOLDER.mkdir(exist_ok=True)
    missed = []
    with tempfile.TemporaryDirectory() as place, demo_shop(Path(place)) as shop, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
        with opened(browser, shop.at_work, shop.sheet, LOOKS[0]) as walk:
            furnish(walk, shop)
        for look in LOOKS:
            if not words or look.name in words:
                missed += shoot(browser, shop, look)
        browser.close()
    print(write_index(), *(f"not reached: {one}" for one in missed), sep="\n")
    return 1 if missed else 0
