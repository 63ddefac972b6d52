"""Journeys of a first start and of a tablet that is passed on: practice without a network, and the lock."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.app_page import AppPage
from tests.e2e.conftest import OpenApp, Sheet
from tests.support.hub_process import HubProcess
from tests.support.programs import ServerProcess, run_json

pytestmark = pytest.mark.browser
LOCKED = "Locked because nobody touched it."
TYPED = "asked for the blue lamp"
TIME_PASSES = """
import signal, time
ran_s, passed_s = time.monotonic, [0.0]
time.monotonic = lambda: ran_s() + sum(passed_s)
signal.signal(signal.SIGUSR1, lambda *_: passed_s.append(121.0))
"""
"""A hub whose clock goes on by two minutes and a second at a signal: its own timer then locks the screen, and a slow
machine locks it no earlier."""


@pytest.fixture
def new_hub(server: ServerProcess, tmp_path: Path) -> Iterator[HubProcess]:
    """A tablet on which nobody has worked yet, without a network from its first start on."""
    hub = HubProcess(tmp_path / "new").enrol(server, is_new_to_all=True).start()
    yield hub
    hub.kill()


@pytest.fixture
def passing_hub(server: ServerProcess, tmp_path: Path) -> Iterator[HubProcess]:
    """A tablet on which two minutes pass when it is told."""
    hub = HubProcess(tmp_path / "passing", first=TIME_PASSES).enrol(server).start()
    yield hub
    hub.kill()


def test_a_newcomer_practises_without_a_network_and_nothing_of_it_is_kept(
    new_hub: HubProcess, open_app: OpenApp, sheet: Sheet
) -> None:
    """Sign in, practice card, three tips, an outcome: five taps after the PIN; the journal is as empty as before."""
    app = open_app(new_hub.url).sign_in(sheet.people[0]["name"], sheet.people[0]["pin"])
    app.switch_network()
    app.press("Today")
    app.see("New here? Try it first")
    app.press("Practise")
    app.see("Practice: made-up shoppers. Nothing here is kept or sent.")
    app.see("Tip 1 of 3")
    app.press("Scan this card")
    app.see_card("Pia Muster")
    app.see("Tip 2 of 3")
    app.press("Got it")
    app.see("Tip 3 of 3")
    app.choose("Bought")
    app.gone("Tip 3 of 3")
    app.press("Leave practice")
    app.see("Search")
    app.gone("Pia Muster")
    assert not app.shows("New here?")
    told = run_json("associate_app", "status", "--data-dir", new_hub.folder)
    assert told["recorded"] == 0


def leave_alone(app: AppPage, hub: HubProcess) -> None:
    """Nobody touches the tablet for two minutes: it locks, and nothing of a shopper is left to read or to hear."""
    hub.tell(signal.SIGUSR1)
    app.see(LOCKED)
    app.gone("Plays for now")
    held = "\n".join([*app.all_text(), app.page.locator("body").inner_text(), app.page.title()])
    for told in ("Mara", "Lindqvist", "lindqvist", "Gold", "Aran jumper", TYPED):
        assert told not in held
        assert not app.shows(told)


@pytest.mark.full
def test_a_tablet_left_alone_hides_the_shopper_and_gives_the_card_back_to_its_associate_only(
    passing_hub: HubProcess, open_app: OpenApp, sheet: Sheet
) -> None:
    """A half-written note, then two minutes: locked. The same PIN leads back to the card and the note; locked again, a
    colleague takes over and begins at Today."""
    jonas, leyla = sheet.people[:2]
    app = open_app(passing_hub.url).sign_in(jonas["name"], jonas["pin"])
    app.scan_by_hand(sheet.card("Mara"))
    app.see_card("Mara Lindqvist")
    app.press("Note")
    app.write("Note for the next colleague", TYPED)
    leave_alone(app, passing_hub)
    app.scan_by_hand(sheet.card("Tom"))
    app.enter_pin(jonas["pin"])
    app.see_card("Mara Lindqvist")
    app.press("Save note")
    app.see(TYPED)
    leave_alone(app, passing_hub)
    app.press("Someone else")
    app.press(leyla["name"])
    app.enter_pin(leyla["pin"])
    app.see(f"Switch associate, now {leyla['name']}")
    app.see("Scan loyalty QR")
    app.gone("Plays for now")
    assert not app.shows(TYPED)
