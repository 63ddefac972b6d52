"""Overrides at HQ: the limits of their time, the quarantine, what other tablets hear, totals, and loose offers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Refused
from sync_server.services.chain import NewAssociate, add_associates
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.offers import check_offers, list_offers
from sync_server.services.overrides import total_overrides
from sync_server.services.play_life import publish
from sync_server.services.quarantine import list_quarantine, replay
from tests.support.world import LOYALTY_ID, Journalist, make_journalist, pass_time, verdicts

OFFER = """
id: knits
title: 20 % on knitwear
kind: percent
percent: 20
terms: On all knitwear.
codes: [KNITS20]
valid_until: 2026-11-21
override: {{extend_days: {days}, max_percent: 20, max_minor: 1500, per_day: 2, reasons: [late, size], needs: {needs}}}
"""
SHOPPER = {"type": "loyalty_id", "value": LOYALTY_ID}


@pytest.fixture
def tablet(hq: Headquarters) -> Journalist:
    """A tablet of berlin-1."""
    return make_journalist(hq)


def publish_offer(
    hq: Headquarters, folder: Path, *, days: int = 3, needs: str = "associate", text: str = OFFER
) -> None:
    """The offer's file, published."""
    (folder / "offers").mkdir(parents=True, exist_ok=True)
    (folder / "offers" / "knits.yaml").write_text(text.format(days=days, needs=needs), "utf-8")
    publish(hq, folder)


def bend(tablet: Journalist, *, offer_id: str = "knits", envelope: dict[str, Any] | None = None, **said: Any) -> Any:
    """An override recorded: an extension for being late unless said otherwise."""
    body = {"shopper": SHOPPER, "offer_id": offer_id, "kind": "extended", "reason": "late", **said}
    return tablet.record("offer_overridden", body, **(envelope or {}))


def told(hq: Headquarters) -> dict[str, Any]:
    """What the store's tablets hear."""
    with hq.database.read() as reader:
        row = reader.doc("store:berlin-1", "override/knits")
    assert row is not None
    return dict(json.loads(row.body))


def test_beyond_the_limits_is_kept_in_quarantine_with_words_and_the_rest_counts(
    hq: Headquarters, tablet: Journalist, tmp_path: Path
) -> None:
    """Nothing is dropped; an offer published later does not make good what was given before it."""
    publish_offer(hq, tmp_path)
    bend(tablet)
    bend(tablet, kind="goodwill", percent=25)
    bend(tablet, offer_id="boots")
    assert verdicts(tablet.push()) == ["accepted", "parked:over_limit", "parked:unknown_offer"]
    details = {row["code"]: row["detail"] for row in list_quarantine(hq)}
    assert details["over_limit"] == "At most 20 % are allowed; this is 25 %."
    assert "'boots'" in details["unknown_offer"]
    assert [one["count"] for one in total_overrides(hq)] == [1]
    pass_time(hq, hours=1)
    publish_offer(hq, tmp_path, text=OFFER.replace("id: knits", "id: boots").replace("KNITS20", "BOOTS"))
    assert {one["code"] for one in replay(hq)} == {"over_limit", "unknown_offer"}


def test_the_limits_are_those_of_the_time_it_was_given(hq: Headquarters, tablet: Journalist, tmp_path: Path) -> None:
    """An override from before HQ drew the limits closer stands, however late it comes; one from after does not."""
    publish_offer(hq, tmp_path)
    pass_time(hq, minutes=1)
    bend(tablet)
    pass_time(hq, minutes=1)
    publish_offer(hq, tmp_path, days=0)
    pass_time(hq, minutes=1)
    bend(tablet)
    assert verdicts(tablet.push()) == ["accepted", "parked:over_limit"]


def test_where_a_manager_is_needed_one_stands_behind_it(hq: Headquarters, tablet: Journalist, tmp_path: Path) -> None:
    """The manager who typed a PIN, or who gave it; an associate's word is not enough."""
    publish_offer(hq, tmp_path, needs="manager")
    people = [NewAssociate("berlin-1", "Mira", role="manager"), NewAssociate("berlin-1", "Sam")]
    mira, sam = (str(one["associate_id"]) for one in add_associates(hq, people))
    for who, approved_by in ((sam, mira), (mira, None), (sam, None), (sam, sam), (sam, "nobody")):
        more = {"approved_by": approved_by} if approved_by else {}
        bend(tablet, envelope={"associate_id": who}, **more)
    assert verdicts(tablet.push()) == ["accepted"] * 2 + ["parked:over_limit"] * 3


def test_totals_are_by_store_and_reason_without_what_was_taken_back(
    hq: Headquarters, tablet: Journalist, tmp_path: Path
) -> None:
    """Money is that of the store; what is beyond the day's number stands and is said; a correction counts once."""
    publish_offer(hq, tmp_path)
    other = make_journalist(hq)
    first = bend(tablet, kind="goodwill", amount=500, reason="size")
    bend(tablet, kind="goodwill", amount=700, reason="size", envelope={"amends": first["op_id"]})
    gone = bend(other)
    bend(other)
    other.record("op_withdrawn", {"why": "undo"}, amends=gone["op_id"])
    bend(other, kind="goodwill", amount=300, reason="size")
    assert set(verdicts(tablet.push())) == set(verdicts(other.push())) == {"accepted"}
    rows = total_overrides(hq)
    assert [(one["reason"], one["count"], one["minor"], one["currency"], one["over"]) for one in rows] == [
        ("late", 1, 0, "EUR", 0),
        ("size", 2, 1000, "EUR", 1),
    ]
    assert total_overrides(hq, store="zurich-1") == []
    assert total_overrides(hq, since_on="2026-11-23") == []
    assert total_overrides(hq, store="berlin-1", since_on="2026-11-22") == rows
    for wrong in ({"store": "atlantis"}, {"since_on": "yesterday"}):
        with pytest.raises(Refused):
            total_overrides(hq, **wrong)


def test_tablets_of_the_store_hear_which_ones_stand_today(hq: Headquarters, tablet: Journalist, tmp_path: Path) -> None:
    """The newest day only, whatever comes first; an undo takes its one out; a resend moves nothing."""
    publish_offer(hq, tmp_path)
    first, second = bend(tablet), bend(tablet)
    tablet.push()
    assert told(hq) == {"id": "knits", "on": "2026-11-22", "op_ids": sorted([first["op_id"], second["op_id"]])}
    undo = tablet.record("op_withdrawn", {"why": "undo"}, amends=first["op_id"])
    tablet.push([undo])
    assert told(hq)["op_ids"] == [second["op_id"]]
    late = make_journalist(hq)
    yesterday = bend(late, kind="goodwill", percent=5, envelope={"occurred_at": "2026-11-21T10:00:00.000Z"})
    pass_time(hq, days=1)
    bend(late)
    assert yesterday["op_id"] not in told(hq)["op_ids"]
    late.push()
    assert told(hq) == {"id": "knits", "on": "2026-11-23", "op_ids": [late.ops[-1]["op_id"]]}


def test_what_hangs_in_the_air_is_said(hq: Headquarters, tablet: Journalist, tmp_path: Path) -> None:
    """A coupon of an order that is no offer's, an override that waits, an offer nothing hands out."""
    publish_offer(hq, tmp_path)
    for number, coupon in enumerate(("knits20", "SUMMER", "SUMMER")):
        properties = {"order_id": f"o{number}", "coupon": coupon, "revenue": 10, "currency": "EUR", "products": []}
        message = {"messageId": f"m{number}", "type": "track", "event": "Order Completed", "userId": "c"}
        take_messages(hq.database, hq.clock, "web-shop", [{**message, "properties": properties}])
    bend(tablet, offer_id="boots")
    tablet.push()
    assert [(one["what"], one["offer_id"], one["count"]) for one in check_offers(hq)] == [
        ("unknown", "SUMMER", 2),
        ("override", "boots", 1),
        ("orphan", "knits", 0),
    ]
    (row,) = list_offers(hq)
    assert (row["is_over"], row["honoured_until"], row["needs"], row["is_orphan"]) == (
        True,
        "2026-11-24",
        "associate",
        True,
    )
