"""What the floor tells HQ comes back: an answer to a message, and what HQ decided of a correction."""

from __future__ import annotations

import pytest

from tests.e2e.app_page import AppPage
from tests.e2e.conftest import Sheet
from tests.support.programs import ServerProcess, run, run_json

pytestmark = pytest.mark.browser
LIVE_MS = 20_000
"""What a loaded machine may take."""
WHO = "Paul Zander"


def hq(server: ServerProcess, *words: str) -> None:
    """A command of HQ's."""
    said = run("sync_server", *words, "--data-dir", server.data_dir)
    assert said.status == 0, said.err


def test_what_was_told_and_corrected_on_a_card_comes_back_with_hq_s_answer(
    server: ServerProcess, app: AppPage, sheet: Sheet
) -> None:
    """Two taps tell HQ about a play, three correct a postcode; HQ answers one, its rule the other."""
    app.scan_by_hand(sheet.card(WHO.split(maxsplit=1)[0]))
    app.see_card(WHO)
    taps = ("Tell HQ about it", "Confusing")
    for tap in taps:
        app.press(tap)
    app.see("Confusing · for HQ")
    assert len(taps) == 2
    app.press("Back to the card")
    app.see_card(WHO)
    app.press("Correct")
    app.see("What is wrong?")
    app.press("Postcode")
    app.scroll_to("What is right")
    app.write("What is right", "10117")
    app.press("Save")
    app.see("Postcode: 10117 · HQ decides")
    app.see("HQ took it over on", LIVE_MS)
    listed = run_json("sync_server", "feedback", "list", "--data-dir", server.data_dir)
    op_id = next(one["id"] for one in listed if one["about"] == "confusing")
    hq(server, "feedback", "answer", op_id, "We put it in plainer words.")
    app.press("Sync")
    app.press("Send now")
    app.press("Today")
    app.see("HQ has answered: 1 new answer", LIVE_MS)
    app.press("HQ has answered: 1 new answer")
    app.see("New answer")
    app.see("HQ: We put it in plainer words.")
