"""What time alone changes: value bands over the chain, the hour of the nightly upkeep, tombstones and their floor."""

from __future__ import annotations

import json

import pytest

from shared.errors import Problem
from sync_server.services.feed import read_page, stream_snapshot
from sync_server.services.headquarters import Headquarters
from sync_server.services.upkeep import bands_of, drop_tombstones, refresh_profiles, seconds_until_night
from tests.support.world import LOYALTY_ID, Journalist, SetClock, make_journalist, pass_time


def test_a_value_band_is_a_share_of_those_who_spend_the_same_currency() -> None:
    """Twenty spend euros and one francs: the best euro shopper is top 5 %, and the only franc shopper too."""
    revenue = {f"p{number:02d}": {"EUR": number * 100} for number in range(1, 21)}
    bands = bands_of({**revenue, "zurich": {"CHF": 100}, "nothing": {}})
    assert bands["p20"] == bands["zurich"] == "top_5"
    assert bands["p17"] == "top_20"
    assert bands["p01"] == "rest"
    assert bands["nothing"] == "none"


def test_the_night_is_the_shops_night() -> None:
    """At 10:00 UTC it is 11:00 in Berlin: a quarter past three comes in 16 hours and a quarter."""
    assert seconds_until_night(SetClock(), "Europe/Berlin") == 16.25 * 3600


def test_a_cursor_from_before_dropped_tombstones_takes_a_snapshot(hq: Headquarters, tablet: Journalist) -> None:
    """A profile that left the slice is a tombstone for 90 days; an older cursor then gets 410, never a silent gap."""
    shopper = {"type": "loyalty_id", "value": LOYALTY_ID}
    cursor = [json.loads(line) for line in stream_snapshot(hq.database, hq.keys, "store:zurich-1")][-1]["next"]
    for _ in range(2):
        tablet.record("shopper_opened", {"shopper": shopper, "how": "typed"})
    tablet.push()
    zurich = make_journalist(hq, "zurich-1")
    zurich.record("shopper_opened", {"shopper": shopper, "how": "typed"})
    zurich.push()
    pass_time(hq, days=31)
    assert refresh_profiles(hq.database, hq.clock) > 0
    page = read_page(hq.database, hq.keys, "store:zurich-1", cursor)
    assert [change["op"] for change in page["changes"] if change["id"].startswith("profile/")] == ["del"]
    pass_time(hq, days=91)
    assert drop_tombstones(hq.database, hq.clock) == 1
    with pytest.raises(Problem) as refused:
        read_page(hq.database, hq.keys, "store:zurich-1", cursor)
    assert refused.value.extra == {"reason": "cursor_too_old"}
    assert read_page(hq.database, hq.keys, "store:zurich-1", page["next"])["changes"] == []
