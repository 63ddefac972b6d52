"""Journeys of a first start and of a tablet that is passed on: practice without a network, and the lock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import OpenApp, Sheet
from tests.support.hub_process import HubProcess
from tests.support.programs import ServerProcess, run_json

pytestmark = pytest.mark.browser
LOCKED = "Locked because nobody touched it."


@pytest.fixture
def new_hub(server: ServerProcess, tmp_path: Path) -> Iterator[HubProcess]:
    """A tablet on which nobody has worked yet, without a network from its first start on, that locks when told."""
    hub = HubProcess(tmp_path / "new").enrol(server, is_new_to_all=True).start()
    yield hub
    hub.kill()


def test_a_newcomer_practises_without_a_network_and_nothing_of_it_is_kept(
    new_hub: HubProcess, open_app: OpenApp, sheet: Sheet
) -> None:
    """Sign in, practice card, three tips, an outcome: five taps after the PIN; the journal is as empty as before."""
    app = open_app(new_hub.url).sign_in(sheet.people[0]["name"], sheet.people[0]["pin"])
    app.press("Sync")
    app.tap(app.page.get_by_role("switch", name="Take the network away"))
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
