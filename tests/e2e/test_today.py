"""Journey of Today: a shopper worth a word is found by the tablet itself, and one tap promises it."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from shared.clock import format_at
from tests.e2e.app_page import AppPage
from tests.e2e.conftest import Sheet
from tests.support.programs import ServerProcess, run_json

pytestmark = pytest.mark.browser
FOUND_MS = 30_000
"""The event through HQ and the feed, and one round through the slice, on a loaded machine."""


def test_worth_a_word_is_one_tap_from_a_follow_up(server: ServerProcess, app: AppPage, sheet: Sheet) -> None:
    """A jumper that lies here comes onto her wishlist: Today says so by itself, one tap saves, another undoes it."""
    at = format_at(datetime.now(UTC))
    key = run_json("sync_server", "key", "create", "--source", "today-shop", "--data-dir", server.data_dir)["write_key"]
    wish = {
        "event": "Product Added to Wishlist",
        "properties": {"product_id": "KNT-ARAN-SAND", "name": "Aran jumper, sand"},
        "context": {"externalIds": [{"type": "loyalty_id", "id": sheet.number("Ines")}]},
        "messageId": f"today-{at}",
        "timestamp": at,
    }
    said = httpx.post(f"{server.url}/v1/track", json=wish, auth=(key, ""), timeout=10)
    assert said.status_code == 200, said.text
    app.see("Follow up with Ines Falk today", FOUND_MS)
    taps = 0
    for button in ("Follow up with Ines Falk today",):
        app.press(button)
        taps += 1
    app.see("Saved: Message for Ines, today")
    assert taps == 1
    app.see("Message · Write that the wish is here · Today")
    app.press("Undo")
    app.see("Taken back.")
    app.see("Follow up with Ines Falk today")
