"""How long an associate waits: first paint, from a scanner's last key to the card, from the tap to *Saved*.

Measured in the browser itself: a listener notes the key or tap, an observer the first time the words stand in the
page's semantics, which Flutter writes with the frame it paints.
"""

from __future__ import annotations

import statistics

import pytest

from tests.conftest import RecordFigure
from tests.e2e.app_page import AppPage
from tests.e2e.conftest import OpenApp, Sheet
from tests.support.hub_process import HubProcess

pytest_plugins = ("tests.e2e.conftest",)
pytestmark = pytest.mark.browser

WATCH = """(words)=>{window.began=null;window.seen=null;
 const note=()=>{window.began=performance.now()};
 addEventListener('keydown',e=>{if(e.key==='Enter')note()},{capture:true});
 document.addEventListener('click',note,{capture:true});
 const has=()=>[...document.querySelectorAll('flt-semantics-host *')].some(e=>
  ((e.getAttribute('aria-label')||'')+'\\n'+(e.children.length?'':e.textContent||'')).includes(words));
 const watch=new MutationObserver(()=>{if(window.began!==null&&window.seen===null&&has())
  requestAnimationFrame(()=>{window.seen=performance.now()-window.began})});
 watch.observe(document.body,{subtree:true,childList:true,characterData:true,attributes:true})}"""
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
