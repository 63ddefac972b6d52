"""`python -m tests shots [looks]`: pictures of every screen in every look, for people to look through in a minute.

Starts a real server with the demo chain and a real hub, gives the store something to show, and walks through the stops
in each look. The pictures go to `.shots/` (ignored by git) with a sheet of thumbnails a look and one page of all,
`index.html`. A new screen is one line in `STOPS` or `MANAGERS_STOPS`.
"""

from __future__ import annotations

import html
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Error, sync_playwright

from associate_app.ui.words import Speaker
from tests.e2e.app_page import AppPage
from tests.e2e.conftest import CHROMIUM_ARGUMENTS, Sheet
from tests.needs import NO_CHROMIUM, find_chromium
from tests.support.hub_process import HubProcess
from tests.support.programs import ServerProcess, run, run_json

FOLDER: Final = Path(__file__).resolve().parents[1] / ".shots"
ASSETS: Final = FOLDER.parent / "assets"
SETTLE_MS: Final = 350
SETTLES_MAX: Final = 8
FIRST_PAINT_MS: Final = 3000
SCANS_MAX: Final = 3
"""On a busy machine keys come so far apart that they are no scan."""
GO_TO: Final = "route=>{history.pushState(null,'',route);dispatchEvent(new PopStateEvent('popstate',{state:null}))}"
"""As if somebody had typed an address, without loading the app again."""
SHEET: Final = (1560, 1160)
"""As much as a screen shows at once: a sheet is looked at without scrolling."""
THUMB_AREA: Final = 165_000
"""Pixels of one thumbnail, whatever its shape."""
LARGE_TEXT: Final = (
    "addEventListener('DOMContentLoaded',()=>{document.documentElement.style.fontSize='%d%%'},{once:true})"
)
"""Flutter takes the scale of text from the page's root, as a browser's own setting would change it."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a tablet is held and set."""

    name: str
    width: int
    height: int
    is_dark: bool = False
    language: str = "en"
    text_percent: int = 100


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


def card(name: str, *pressed: str) -> Go:
    """A shopper's card."""

    def go(walk: Walk) -> None:
        whole = next(str(one["name"]) for one in walk.sheet.cards if one["name"] and name in one["name"])
        for _ in range(SCANS_MAX):
            leave_fields(walk)
            walk.app.scan_by_hand(walk.sheet.card(name))
            with suppress(Error):
                walk.app.see(whole, 8_000)
                break
        walk.see("plays.for_now")
        walk.app.page.wait_for_timeout(SETTLE_MS)
        press(*pressed)(walk)

    return go


def scanned(kind: str, key: str) -> Go:
    """What the scan of a code of a kind leads to."""

    def go(walk: Walk) -> None:
        leave_fields(walk)
        walk.app.scan_by_hand(walk.sheet.code(kind))
        walk.see(key)

    return go


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
    Stop("find", at("/find", "find.lead")),
    Stop("find-some", written(press(), "find.field", "mar")),
    Stop("find-none", written(press(), "find.field", "xqxq")),
    Stop("plays", at("/plays", "book.title")),
    Stop("plays-none", written(press(), "book.field", "xqxq")),
    Stop("tell", at("/tell", "tell.about")),
    Stop("tell-wants", then(press("tell.send"), lower())),
    Stop("sync", at("/sync", "sync.records")),
    Stop("sync-cut", cut_network),
    Stop("follow-ups", then(cut_network, at("/follow_ups", "follow_ups.lead"))),
    Stop("follow-ups-open", row_of("Sofia")),
    Stop("holds", at("/holds", "holds.lead")),
    Stop("new", at("/new", "new.hand_over")),
    Stop("new-consent", then(written(press(), "new.given", "Nora"), press("new.hand_over"), seen("new.consent_lead"))),
    Stop("new-card", then(press("new.done_button"), seen("new.done_text"))),
)
MANAGERS_STOPS: Final = (
    Stop("store", at("/store", "store.plays")),
    Stop("store-week", press("store.span.week")),
    Stop("store-below", lower()),
    Stop("card-verdicts", then(card("Mara", "verdicts.open"), lower(500))),
    Stop("today-manager", at("/", "today.seen")),
)


def walk_through(walk: Walk, stops: Sequence[Stop]) -> list[str]:
    """Take the picture of each stop; says which were not reached, and goes on after them."""
    missed = []
    for stop in stops:
        try:
            stop.go(walk)
        except (Error, StopIteration) as trouble:
            missed.append(
                f"{stop.name} in {walk.look.name}: {str(trouble).splitlines()[0] if str(trouble) else trouble!r}"
            )
        walk.shoot(stop.name)
    return missed


def furnish(walk: Walk) -> None:
    """Give the store something to show: a hold, a promise, an outcome, a word to HQ."""
    walk.sign_in("associate")
    card("Mara", "holds.add", "holds.save")(walk)
    walk.see("saved.title")
    card("Sofia", "follow_ups.add", "follow_ups.save")(walk)
    walk.see("saved.title")
    card("Tom", "outcome.interested")(walk)
    card("Niklas", "outcome.bought")(walk)
    written(at("/tell", "tell.about"), "tell.field", "Two shoppers asked for the Aran jumper in S.")(walk)
    walk.press("tell.send")
    walk.see("tell.sent")


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
    names = [stop.name for stop in (*BEFORE, *STOPS, *MANAGERS_STOPS)]
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


def shoot(browser: Browser, hub: HubProcess, sheet: Sheet, look: Look) -> list[str]:
    """One look at everything, as an associate and as a manager; says what was not reached."""
    missed: list[str] = []
    pictures: list[tuple[str, Path]] = []
    for role, stops in ((None, BEFORE), ("associate", STOPS), ("manager", MANAGERS_STOPS)):
        with opened(browser, hub, sheet, look) as walk:
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
    with tempfile.TemporaryDirectory() as place, demo_shop(Path(place)) as (hub, sheet), sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
        with opened(browser, hub, sheet, LOOKS[0]) as walk:
            furnish(walk)
        for look in LOOKS:
            if not words or look.name in words:
                missed += shoot(browser, hub, sheet, look)
        browser.close()
    print(write_index(), *(f"not reached: {one}" for one in missed), sep="\n")
    return 1 if missed else 0
