"""How long an associate waits: first paint, from a scanner's last key to the card, from the tap to *Saved*.

Measured in the browser itself: a listener notes the key or tap, an observer the first time the words stand in the
page's semantics, which Flutter writes with the frame it paints.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.conftest import RecordFigure
from tests.e2e.app_page import AppPage
from tests.e2e.conftest import CHROMIUM_ARGUMENTS, OpenApp, Sheet
from tests.e2e.test_scanning import film_of
from tests.support.hub_process import HubProcess

pytest_plugins = ("tests.e2e.conftest",)
pytestmark = pytest.mark.browser

WATCH = """(words)=>{window.watch?.disconnect();window.began=null;window.seen=null;
 const note=()=>{window.began=performance.now()};
 addEventListener('keydown',e=>{if(e.key==='Enter')note()},{capture:true});
 document.addEventListener('click',note,{capture:true});
 const has=()=>[...document.querySelectorAll('flt-semantics-host *')].some(e=>
  ((e.getAttribute('aria-label')||'')+'\\n'+(e.children.length?'':e.textContent||'')).includes(words));
 window.watch=new MutationObserver(()=>{if(window.began!==null&&window.seen===null&&has())
  requestAnimationFrame(()=>{window.seen=performance.now()-window.began})});
 window.watch.observe(document.body,{subtree:true,childList:true,characterData:true,attributes:true})}"""
CODE_IN_VIEW = """()=>{window.viewed=null;const eye=new OffscreenCanvas(8,8).getContext('2d',{willReadFrequently:true});
 const film=(root)=>{for(const one of root.querySelectorAll('*')){if(one.tagName==='VIDEO')return one;
  const deep=one.shadowRoot&&film(one.shadowRoot);if(deep)return deep}return null};let video=null,grey=false;
 const look=()=>{video=video&&video.isConnected?video:film(document);
  if(video&&video.videoWidth){eye.drawImage(video,0,0,8,8);const is=eye.getImageData(0,0,1,1).data[0];
   if(is>60&&is<180)grey=true;else if(is>=180&&grey&&window.viewed===null)window.viewed=performance.now()}
  if(window.seen===null)requestAnimationFrame(look)};look()}"""
"""Notes when the film's first white corner, and with it the code, stands in the camera's picture after the grey of the
empty counter. The black of a camera that is still starting counts as neither: started in the middle of the code, it may
miss it and see it only when the film begins anew, twelve seconds on."""
NAMES = ("Mara", "Tom", "Niklas", "Ines", "Priya", "Henrik", "Clara", "Paul", "Sofia")


def measured_ms(app: AppPage) -> float:
    """Milliseconds from the key or tap to the frame with the words."""
    app.page.wait_for_function("window.seen!==null")
    return float(app.page.evaluate("window.seen"))


def test_first_paint(open_app: OpenApp, hub: HubProcess, record_figure: RecordFigure) -> None:
    """From asking for the page to the words on it, with an empty cache and with a warm one."""
    cold, warm = [], []
    for _ in range(3):
        app = open_app(hub.url)
        app.see("Who’s working?")
        cold.append(app.page.evaluate("performance.now()"))
        app.page.reload(wait_until="commit")
        app.enable()
        app.see("Who’s working?")
        warm.append(app.page.evaluate("performance.now()"))
    record_figure("first paint on loopback, empty cache, median of three", round(statistics.median(cold)), "ms")
    record_figure("first paint on loopback, warm cache, median of three", round(statistics.median(warm)), "ms")
    assert app.shows("Berlin Mitte")


def test_from_the_last_key_to_the_card(app: AppPage, sheet: Sheet, record_figure: RecordFigure) -> None:
    """Nine cards, one after the other."""
    took = []
    for name in NAMES:
        app.page.evaluate(WATCH, next(card["name"] for card in sheet.cards if name in card["name"]))
        app.scan_by_hand(sheet.card(name))
        took.append(measured_ms(app))
        app.see("Plays for now")
    record_figure("scanner's last key to the card, median of nine", round(statistics.median(took)), "ms")
    record_figure("scanner's last key to the card, slowest of nine", round(max(took)), "ms")
    assert len(took) == len(NAMES)


def test_from_the_code_in_view_to_the_card(
    playwright: Playwright,
    chromium_path: str,
    open_app: OpenApp,
    hub: HubProcess,
    sheet: Sheet,
    tmp_path: Path,
    record_figure: RecordFigure,
) -> None:
    """A film before a camera of Chromium's own: an empty counter, then a card; three times."""
    film = film_of(sheet.card("Niklas"), tmp_path / "card.mjpeg")
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    browser = playwright.chromium.launch(
        executable_path=chromium_path,
        args=[*CHROMIUM_ARGUMENTS, *flags, f"--use-file-for-fake-video-capture={film}"],
    )
    app = open_app(hub.url, in_browser=browser, permissions=["camera"])
    app.sign_in(sheet.people[1]["name"], sheet.people[1]["pin"])
    took = []
    for _ in range(3):
        app.page.evaluate(WATCH, "Niklas Weber")
        app.page.evaluate(CODE_IN_VIEW)
        app.press("Scan")
        from_the_tap_ms = measured_ms(app)
        took.append(from_the_tap_ms + app.page.evaluate("window.began - window.viewed"))
        app.see_card("Niklas Weber")
        app.press("Today")
        app.see("Scan loyalty QR")
    browser.close()
    record_figure("code in the camera's view to the card, median of three", round(statistics.median(took)), "ms")
    record_figure("code in the camera's view to the card, slowest of three", round(max(took)), "ms")
    assert len(took) == 3


def test_from_the_tap_to_saved(app: AppPage, sheet: Sheet, record_figure: RecordFigure) -> None:
    """*Saved* is said after the commit."""
    took = []
    for name in NAMES[:5]:
        app.scan_by_hand(sheet.card(name))
        app.see_card(name)
        app.page.wait_for_timeout(500)
        app.page.evaluate(WATCH, "Saved: ")
        app.press("Interested")
        took.append(measured_ms(app))
        app.press("Undo")
        app.see("Taken back.")
    record_figure("tap to Saved, median of five", round(statistics.median(took)), "ms")
    assert len(took) == 5
