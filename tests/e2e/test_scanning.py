"""Journeys of the first minute: sign in, scan, read the card, record what came of it."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import qrcode
from PIL import Image
from playwright.sync_api import Playwright

from tests.e2e.app_page import AppPage
from tests.e2e.conftest import CHROMIUM_ARGUMENTS, OpenApp, Sheet
from tests.support.hub_process import HubProcess
from tests.support.programs import ServerProcess, run_json

pytestmark = pytest.mark.browser

COUNT_BEEPS = """()=>{window.beeps=0;const make=AudioContext.prototype.createOscillator;
 AudioContext.prototype.createOscillator=function(){window.beeps++;return make.call(this)}}"""


def test_a_hand_scanner_opens_the_card_on_any_screen_and_one_tap_records(app: AppPage, sheet: Sheet) -> None:
    """A signed card typed with no field in focus: name, stage, online lines, plays with why; then *Bought*."""
    app.scan_by_hand(sheet.card("Mara"))
    app.see_card("Mara Lindqvist")
    for told in ("Gold", "Active · last order", "Aran jumper", "Recently online", "Why this"):
        app.see(told)
    first = app.first_play()
    app.choose("Bought")
    app.see(f"Saved: Bought · {first}")
    app.press("Undo")
    app.see("Taken back. Nothing was recorded.")
    app.gone("Saved: Bought")


def test_a_new_tablet_is_connected_by_hand_and_can_scan_at_once(
    server: ServerProcess, open_app: OpenApp, sheet: Sheet, tmp_path: Path
) -> None:
    """A wrong code is said in a sentence; the right one leads to *You can already scan*, and one can."""
    hub = HubProcess(tmp_path / "new").start()
    try:
        app = open_app(hub.url)
        app.see("Connect this tablet")
        app.write("HQ address", server.url)
        app.write("Invitation code", "NOT-A-CODE")
        app.press("Connect")
        app.see("This code cannot be used: it is wrong, used up or expired.")
        words = ("device", "enrol", "--store", "berlin-1", "--data-dir", server.data_dir)
        app.write("Invitation code", run_json("sync_server", *words)["code"])
        app.press("Connect")
        app.see("You can already scan")
        app.see("All are here.")
        app.press("Start")
        app.sign_in(sheet.people[0]["name"], sheet.people[0]["pin"])
        app.scan_by_hand(sheet.card("Mara"))
        app.see_card("Mara Lindqvist")
    finally:
        hub.kill()


@pytest.mark.full
def test_the_address_of_a_card_holds_no_loyalty_number_and_survives_a_reload(app: AppPage, sheet: Sheet) -> None:
    """A reload lands on the same shopper, still signed in."""
    app.scan_by_hand(sheet.card("Tom"))
    app.see_card("Tom Berger")
    app.page.wait_for_url("**/shopper/*")
    assert sheet.number("Tom") not in app.page.url
    app.page.reload(wait_until="commit")
    app.enable()
    app.see_card("Tom Berger")


@pytest.mark.full
def test_a_number_opens_the_card_when_the_qr_does_not(app: AppPage, sheet: Sheet) -> None:
    """Enter number instead."""
    app.press("Scan loyalty QR")
    app.press("Enter number instead")
    app.write("Loyalty number", sheet.number("Ines"), submit=True)
    app.see_card("Ines Falk")


def test_a_shopper_is_found_by_part_of_the_name(app: AppPage) -> None:
    """Search as one types; a row opens the card."""
    app.press("Search")
    app.write("Name, phone, e-mail or number", "lindq")
    app.see("1 shopper")
    app.press("Mara Lindqvist", exact=False)
    app.see_card("Mara Lindqvist")


@pytest.mark.full
def test_codes_that_open_nothing_are_told_apart_in_a_sentence(app: AppPage, sheet: Sheet) -> None:
    """Each refusal is its own sentence with one next step, from whatever screen it was scanned."""
    for code, sentence, next_step in (
        (sheet.code("forged"), "This card is not genuine", "Look the shopper up by name"),
        (sheet.code("expired"), "This card expired on", "You can still look Mara up by name."),
        (sheet.code("cancelled"), "This card was cancelled", "Ask whether there is a new one"),
        (sheet.code("foreign"), "This is a web address, not a loyalty card", "Ask the shopper to open the card itself"),
        ("BONUSCLUB-778812", "This is not one of our cards", "Ask for the loyalty QR in our app"),
    ):
        app.scan_by_hand(code)
        app.see(sentence)
        app.see(next_step)
        app.see("Scan again")


@pytest.mark.full
def test_a_card_that_cannot_be_checked_yet_is_usable_and_says_so(app: AppPage, sheet: Sheet) -> None:
    """An unknown key is never called forged."""
    app.scan_by_hand(sheet.code("unknown_key"))
    app.see("This card cannot be checked until the next contact with HQ.")
    app.see("Plays for now")


def test_a_qr_held_before_the_camera_opens_the_card(
    playwright: Playwright, chromium_path: str, open_app: OpenApp, hub: HubProcess, sheet: Sheet, tmp_path: Path
) -> None:
    """The live camera decodes by itself, also what comes into view later; no tap confirms, and the page beeps once."""
    film = film_of(sheet.card("Niklas"), tmp_path / "card.mjpeg")
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    browser = playwright.chromium.launch(
        executable_path=chromium_path,
        args=[*CHROMIUM_ARGUMENTS, *flags, f"--use-file-for-fake-video-capture={film}"],
    )
    app = open_app(hub.url, in_browser=browser, permissions=["camera"])
    app.sign_in(sheet.people[1]["name"], sheet.people[1]["pin"])
    app.page.evaluate(COUNT_BEEPS)
    app.press("Scan loyalty QR")
    app.see_card("Niklas Weber")
    app.page.wait_for_function("window.beeps === 1")
    browser.close()


@pytest.mark.full
def test_leaving_the_live_camera_in_the_middle_of_a_picture_interrupts_nothing(
    playwright: Playwright, chromium_path: str, open_app: OpenApp, hub: HubProcess, sheet: Sheet
) -> None:
    """A hand scan while the camera looks: the card opens and the page is still the same page, again and again."""
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    browser = playwright.chromium.launch(executable_path=chromium_path, args=[*CHROMIUM_ARGUMENTS, *flags])
    app = open_app(hub.url, in_browser=browser, permissions=["camera"])
    app.sign_in(sheet.people[1]["name"], sheet.people[1]["pin"])
    app.page.evaluate("window.isTheSamePage = true")
    for name in ("Mara Lindqvist", "Tom Berger", "Ines Falk"):
        app.press("Scan")
        app.see("Point the camera at the shopper’s loyalty QR")
        app.scan_by_hand(sheet.card(name.split()[0]))
        app.see_card(name)
    assert app.page.evaluate("window.isTheSamePage") is True
    browser.close()


@pytest.mark.full
def test_without_a_camera_the_screen_says_what_to_do(app: AppPage) -> None:
    """No camera: one sentence, one next step, and the number entry at hand."""
    app.press("Scan loyalty QR")
    app.see("This tablet has no camera. Use a hand scanner or enter the number.")
    app.see("Enter number instead")


@pytest.mark.full
def test_a_refused_camera_says_where_to_allow_it(
    playwright: Playwright, chromium_path: str, open_app: OpenApp, hub: HubProcess, sheet: Sheet
) -> None:
    """Refused: one sentence, one next step."""
    browser = playwright.chromium.launch(
        executable_path=chromium_path,
        args=[*CHROMIUM_ARGUMENTS, "--use-fake-device-for-media-stream", "--deny-permission-prompts"],
    )
    app = open_app(hub.url, in_browser=browser)
    app.sign_in(sheet.people[1]["name"], sheet.people[1]["pin"])
    app.press("Scan loyalty QR")
    app.see("This app may not use the camera.")
    browser.close()


@pytest.mark.full
def test_on_a_page_without_encryption_the_missing_camera_is_explained(
    playwright: Playwright, chromium_path: str, open_app: OpenApp, hub: HubProcess, sheet: Sheet
) -> None:
    """A browser gives cameras to secure pages only; the app says so instead of failing."""
    browser = playwright.chromium.launch(
        executable_path=chromium_path,
        args=[
            *CHROMIUM_ARGUMENTS,
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            "--host-resolver-rules=MAP hub.store.test 127.0.0.1",
        ],
    )
    app = open_app(f"http://hub.store.test:{hub.port}", in_browser=browser)
    app.sign_in(sheet.people[1]["name"], sheet.people[1]["pin"])
    app.press("Scan loyalty QR")
    app.see("A browser gives the camera only to a secure page.")
    browser.close()


def test_nothing_is_fetched_from_outside(open_app: OpenApp, hub: HubProcess) -> None:
    """Every byte of the app comes from the hub; what the client asks of others is stopped by the policy."""
    app = open_app(hub.url)
    answered: list[str] = []
    app.page.on("response", lambda response: answered.append(response.url))
    app.page.reload(wait_until="commit")
    app.enable()
    app.see("Who’s working?")
    hosts = {urlsplit(url).netloc for url in answered if urlsplit(url).scheme in ("http", "https")}
    assert hosts == {f"127.0.0.1:{hub.port}"}


def film_of(text: str, path: Path) -> Path:
    """A short film as Motion JPEG: an empty counter for some seconds, then a card held before the camera."""
    drawn = io.BytesIO()
    qrcode.make(text, border=4).save(drawn)
    code = Image.open(drawn).convert("RGB").resize((400, 400))
    picture = Image.new("RGB", (640, 480), "white")
    picture.paste(code, (120, 40))
    frames = [_frame(Image.new("RGB", (640, 480), "grey"))] * 150 + [_frame(picture)] * 90
    path.write_bytes(b"".join(frames))
    return path


def _frame(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92)
    return out.getvalue()
