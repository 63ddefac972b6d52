"""A shopper with a history of 1,000 lines: what the card costs, and what each *more*. Figures; the verdicts are counts.

The lines are really recorded on a tablet, sent to HQ and brought back by the feed: as many as a profile lists.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from associate_app.bootstrap import make_tablet
from associate_app.services import record
from associate_app.services.lookup import look_up
from associate_app.settings import Settings
from associate_app.ui.faces import CardFace
from associate_app.ui.parts.paged import PAGE
from associate_app.ui.state import Floor
from shared.projection import LISTED_MAX
from tests.bench.test_screens import WATCH, measured_ms
from tests.conftest import RecordFigure
from tests.e2e.app_page import AppPage
from tests.e2e.conftest import OpenApp, Sheet
from tests.support.flet_harness import Screen
from tests.support.hub_process import HubProcess
from tests.support.plays import days_ago
from tests.support.programs import ServerProcess, run_json
from tests.support.replica import MARA, ShopTablet, card_for, make_shop_tablet, mara
from tests.unit.ui.conftest import known_store, scan, sign_in

pytest_plugins = ("tests.e2e.conftest",)
NAME = "Niklas"
FEW = 5
"""Notes, and as many outcomes, of what everything is compared with."""
TIMES = 5
TWO_WAYS = 16
"""Controls of two buttons, which the short history has not."""
NOTES, DONE = "Notes and sizes", "Said and done"


def history(count: int) -> dict[str, Any]:
    """A profile with so many notes and as many outcomes."""
    by = {"associate_id": "a0001"}
    notes = [{**by, "op_id": f"n{n}", "text": f"note {n}.", "at": days_ago(n / 4)} for n in range(1, count + 1)]
    did = {**by, "play_id": "birthday", "outcome": "interested"}
    return mara(notes=notes, outcomes=[{**did, "op_id": f"o{n}", "at": days_ago(n / 4)} for n in range(1, count + 1)])


def shop_of(folder: Path, count: int) -> ShopTablet:
    """A tablet that holds a shopper with such a history."""
    folder.mkdir()
    return make_shop_tablet(folder, {f"profile/{MARA}": history(count)})


def test_what_the_card_and_each_page_cost_the_tablet(tmp_path: Path, record_figure: RecordFigure) -> None:
    """CPU time of this process, without a browser: the card when it is scanned, and the lines a page asks for."""
    for count in (FEW, LISTED_MAX):
        shop = shop_of(tmp_path / str(count), count)
        floor = known_store(shop).floor
        token = floor.read_scan(card_for()).token
        taken_ms = cpu_ms(partial(scanned, floor))
        record_figure(f"card read, {2 * count:,} lines of history, CPU", round(taken_ms, 1), "ms")
        face = floor.card(token)
        assert (face.notes.count, face.done.count) == (count, count)
        assert (len(face.notes.lines), len(face.done.lines)) == (FEW, FEW)
    for wanted in (FEW + PAGE, LISTED_MAX):
        taken_ms = cpu_ms(partial(floor.noted, token, "notes", wanted))
        record_figure(f"the newest {wanted} of {LISTED_MAX} notes read, CPU", round(taken_ms, 1), "ms")


def scanned(floor: Floor) -> CardFace | None:
    """The card of a scan."""
    return floor.card(floor.read_scan(card_for()).token or "")


def cpu_ms(work: Callable[[], object], times: int = 15) -> float:
    """The median of so many runs."""
    taken = []
    for _ in range(times):
        begun_s = time.process_time()
        work()
        taken.append((time.process_time() - begun_s) * 1000)
    return statistics.median(taken)


def test_a_page_adds_its_lines_and_nothing_else(tmp_path: Path, record_figure: RecordFigure) -> None:
    """How many controls there are when the card is painted, and after each page of both lists."""
    few, many = counted(shop_of(tmp_path / "few", FEW), []), [NOTES, DONE]
    counts = counted(shop_of(tmp_path / "many", LISTED_MAX), many)
    record_figure("controls of a card, 10 lines of history", few[0], "")
    record_figure("controls of a card, 1,000 lines of history, first paint", counts[0], "")
    record_figure("controls of a card, 1,000 lines of history, after one page", counts[1], "")
    record_figure("controls of a card, 1,000 lines of history, all pages", counts[-1], "")
    assert counts[0] - few[0] <= TWO_WAYS, "the first paint depends on the length"
    grown = [after - before for before, after in pairwise(counts)]
    assert len(set(grown[1:9])) == 1, grown


def counted(shop: ShopTablet, lists: list[str]) -> list[int]:
    """The controls on the screen after the scan, and after each *more* of these lists."""
    store, counts = known_store(shop), list[int]()

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, card_for(), "Plays for now")
            await screen.see("note 5.")
            counts.append(controls(screen))
            for title in lists:
                for left in range(LISTED_MAX - FEW, 0, -PAGE):
                    await screen.press(f"{title}: more ({left})")
                    after = f"{title}: more ({left - PAGE})" if left > PAGE else f"{title}: fewer"
                    await screen.until(partial(screen.shows, after))
                    counts.append(controls(screen))
            assert not screen.crashes()

    # In a thread of its own: in this one the browser of another bench may be waiting.
    with ThreadPoolExecutor(1) as own:
        own.submit(lambda: asyncio.run(play())).result()
    store.worker.shutdown(wait=True)
    store.shop.close()
    return counts


def controls(screen: Screen) -> int:
    """How many controls are drawn."""
    return sum(1 for _ in screen.walk())


# in a browser ---------------------------------------------------------------------------------------------------------


def write_history(hub: HubProcess, sheet: Sheet, numbers: range) -> None:
    """Record notes and outcomes on a tablet, as many taps would, and let HQ have them."""
    tablet = make_tablet(Settings(data_dir=hub.folder, is_own_folder=True))
    database = tablet.open_database()
    recorder, book = tablet.recorder(database, None), tablet.books.read(database)
    view = look_up(database, book, sheet.card(NAME), now=tablet.clock.now())
    assert view.shopper is not None
    for n in numbers:
        record.add_note(recorder, view.shopper, f"Remark {n} of {LISTED_MAX}.")
        record.record_outcome(recorder, book, view, view.plays[0].play_id, "interested")
    database.close()
    run_json("associate_app", "sync", "--data-dir", hub.folder)


@pytest.mark.browser
def test_a_long_history_in_the_browser(
    server: ServerProcess, open_app: OpenApp, sheet: Sheet, tmp_path: Path, record_figure: RecordFigure
) -> None:
    """From the scanner's last key to the card, with a short and a long history; a page; to the end by pages."""
    hub = HubProcess(tmp_path / "long").enrol(server)
    medians_ms = []
    for numbers in (range(1, FEW + 1), range(FEW + 1, LISTED_MAX + 1)):
        write_history(hub, sheet, numbers)
        hub.start()
        app = open_app(hub.url).sign_in(sheet.people[0]["name"], sheet.people[0]["pin"])
        medians_ms.append(statistics.median(scans(app, sheet)))
        lines = 2 * numbers[-1]
        record_figure(f"key to the card, {lines:,} lines of history, median of five", round(medians_ms[-1]), "ms")
        if numbers[-1] < LISTED_MAX:
            hub.stop()
    record_figure("key to the card, 1,000 lines to 10 lines", round(medians_ms[1] / medians_ms[0], 2), "times")
    record_figure("tap on more to the page", round(turn_first(app)), "ms")
    record_figure("tap on more to the last page", round(turn_all(app)), "ms")
    is_at_the_end = app.scroll_to(f"Remark 1 of {LISTED_MAX}.", tries=400) and app.scroll_to(f"{NOTES}: fewer")
    hub.kill()
    assert is_at_the_end


def scans(app: AppPage, sheet: Sheet) -> list[float]:
    """How long each of some scans took, after one to warm up; another card is open before each."""
    other, took_ms = next(card for card in sheet.cards if card["kind"] == "shopper" and NAME not in card["name"]), []
    for _ in range(TIMES + 1):
        app.scan_by_hand(other["text"])
        app.see_card(other["name"])
        app.page.evaluate(WATCH, next(card["name"] for card in sheet.cards if NAME in card["name"]))
        app.scan_by_hand(sheet.card(NAME))
        took_ms.append(measured_ms(app))
        app.see("Plays for now")
    return took_ms[1:]


def turn_first(app: AppPage) -> float:
    """One page of notes: until its first line stands where the button was."""
    left = LISTED_MAX - FEW
    assert app.scroll_to(f"{NOTES}: more ({left})")
    app.page.evaluate(WATCH, f"Remark {left} of {LISTED_MAX}.")
    app.press(f"{NOTES}: more ({left})")
    return measured_ms(app)


def turn_all(app: AppPage) -> float:
    """The other pages, each by the button under the last line; how long the last one took."""
    taken_ms = 0.0
    for left in range(LISTED_MAX - FEW - PAGE, 0, -PAGE):
        assert app.scroll_to(f"{NOTES}: more ({left})", tries=400)
        app.page.evaluate(WATCH, f"Remark {left} of {LISTED_MAX}.")
        app.press(f"{NOTES}: more ({left})")
        taken_ms = measured_ms(app)
    return taken_ms
