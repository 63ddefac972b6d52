"""The journey of appointments: two tablets without a network book one time, and both say so once they are back."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.app_page import AppPage
from tests.e2e.conftest import OpenApp, Sheet
from tests.support.hub_process import HubProcess

pytestmark = pytest.mark.browser
SATURDAY = 5
TAPS_MAX = 4
"""From the card: the sheet, the day, the time, *Book it*."""
SYNC_MS = 30_000
"""What a loaded machine may take; the two seconds themselves are for the bench."""


class Finger:
    """Counts what is tapped."""

    def __init__(self, app: AppPage) -> None:
        self.app, self.taps = app, 0

    def press(self, name: str) -> None:
        """Tap a button."""
        self.app.press(name)
        self.taps += 1


def book(app: AppPage, sheet: Sheet, name: str) -> int:
    """Book eleven o'clock of the next open day from a shopper's card; how many taps it took."""
    app.scan_by_hand(sheet.card(name))
    app.see_card(name)
    finger = Finger(app)
    finger.press("Appointment")
    app.see("At what time")
    # The demo's stores are closed on Sundays; *tomorrow* of a Saturday is none of the days offered.
    tomorrow_is_open = datetime.now(ZoneInfo("Europe/Berlin")).weekday() != SATURDAY
    finger.press("Tomorrow" if tomorrow_is_open else "Saturday")
    app.see("11:00")
    finger.press("11:00")
    finger.press("Book it")
    app.see("Saved: Advice")
    app.see("11:00–11:30")
    return finger.taps


def test_one_time_booked_on_two_tablets_offline_is_kept_twice_and_told_on_both(
    open_app: OpenApp, hub: HubProcess, own_hub: HubProcess, sheet: Sheet
) -> None:
    """Four taps each; back on the network both show both and the clash; called off on one, it ends on the other."""
    first, second = (
        open_app(one.url).sign_in(person["name"], person["pin"])
        for one, person in zip((hub, own_hub), sheet.people, strict=False)
    )
    with ExitStack() as back:  # others use the first tablet after this: whatever happens, it is given its network back
        for app in (first, second):
            app.switch_network()
            back.callback(app.switch_network)
        assert book(first, sheet, "Henrik") <= TAPS_MAX
        assert book(second, sheet, "Clara") <= TAPS_MAX
        assert not first.shows("Same time as")
        assert not second.shows("Same time as")
    for app, other in ((first, "Clara Neumann"), (second, "Henrik Sommer")):
        app.press("Today")
        app.see("appointments at the same time", SYNC_MS)
        app.press("Look at that day")
        app.see(f"Same time as {other}")
    second.press("Clara Neumann, Advice", exact=False)
    second.press("Cancel")
    second.press("Booked by mistake")
    second.see("Saved: Appointment cancelled")
    first.gone("Same time as", SYNC_MS)
    first.see("Henrik Sommer")
