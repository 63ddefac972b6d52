"""Events of other channels through the same ledger, merge and feed, on both databases."""

from __future__ import annotations

import itertools
import json
from typing import Any

from sync_server.services.feed import stream_snapshot
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from tests.support.world import Journalist, pass_time

LOYALTY_ID = "2900000000018"


def take(hq: Headquarters, *messages: Any, source: str = "shop") -> tuple[int, int, int]:
    """Take messages of a source; (accepted, duplicate, faulty)."""
    result = take_messages(hq.database, hq.clock, source, messages)
    return result.accepted, result.duplicate, result.faulty


def profiles(hq: Headquarters, scope: str = "store:berlin-1") -> list[dict[str, Any]]:
    """The profile documents of a scope."""
    lines = [json.loads(line) for line in stream_snapshot(hq.database, hq.keys, scope)][1:-1]
    return [line["doc"] for line in lines if line["id"].startswith("profile/")]


def identify(**traits: Any) -> dict[str, Any]:
    """A shopper says who they are, and agrees to be known in store by what they looked at before as well."""
    consent = {"consent": {"categoryPreferences": {"personalise_in_store": True, "profiling": True}}}
    return {
        "type": "identify",
        "messageId": "identify-1",
        "userId": "c-1",
        "anonymousId": "anon-1",
        "traits": {"loyalty_id": LOYALTY_ID, "email": "Mara@Example.org", "home_store": "berlin-1", **traits},
        "context": consent,
    }


def viewed(number: int, **who: Any) -> dict[str, Any]:
    """A product is looked at."""
    properties = {"sku": f"S-{number}", "name": f"Thing {number}", "price": "12.50", "currency": "EUR"}
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"view-{number}",
        "properties": properties,
        "timestamp": f"2026-11-22T09:0{number}:00Z",
        **(who or {"anonymousId": "anon-1"}),
    }


def test_browsing_before_signing_in_is_on_the_card_after(hq: Headquarters) -> None:
    """Started online, known in the store: the anonymous views join the shopper who signs in, ids stay resolvable."""
    assert take(hq, viewed(1), viewed(2)) == (2, 0, 0)
    assert take(hq, identify(given_name="Mara")) == (1, 0, 0)
    [profile] = profiles(hq)
    assert [line["title"] for line in profile["recent"]] == ["Thing 2", "Thing 1"]
    assert profile["recent"][0]["price"] == {"minor": 1250, "currency": "EUR"}
    assert profile["given_name"] == "Mara"
    assert len(profile["redirects"]) == 1


def test_an_alias_told_in_a_browser_joins_the_two_accounts_and_leaves_the_browser_its_person(hq: Headquarters) -> None:
    """The browser library adds its own anonymous id to every call: no third name, and no browser of two persons."""
    take(hq, viewed(1), identify())
    alias = {"type": "alias", "messageId": "alias-1", "userId": "c-1", "previousId": "c-0", "anonymousId": "anon-1"}
    assert take(hq, alias) == (1, 0, 0)
    [profile] = profiles(hq)
    accounts = [one["value"] for one in profile["identifiers"] if one["type"] == "customer_id"]
    assert accounts == ["c-0", "c-1"]
    assert [line["title"] for line in profile["recent"]] == ["Thing 1"]


def test_any_order_of_arrival_gives_the_same_profiles(hq: Headquarters) -> None:
    """Every permutation of the same messages ends in the same documents, ids included."""
    messages = [viewed(1), identify(given_name="Mara"), viewed(2, userId="c-1")]
    outcomes = []
    for turn, order in enumerate(itertools.permutations(range(3))):
        renamed = [_renamed(messages[place], str(turn)) for place in order]
        for message in renamed:
            take(hq, message)
        found = [doc for doc in profiles(hq) if {"type": "customer_id", "value": f"c-1-{turn}"} in doc["identifiers"]]
        assert len(found) == 1
        outcomes.append([line["title"] for line in found[0]["recent"]])
    assert outcomes == [["Thing 2", "Thing 1"]] * 6


def _renamed(message: dict[str, Any], turn: str) -> dict[str, Any]:
    """The same message of another person, so that one database serves all permutations."""
    text = json.dumps(message).replace("c-1", f"c-1-{turn}").replace("anon-1", f"anon-1-{turn}")
    text = text.replace("Mara@", f"mara{turn}@").replace(LOYALTY_ID, f"29000000060{turn}0")
    return {**json.loads(text), "messageId": message["messageId"] + turn}


def test_a_message_counts_once_for_ever_and_a_faulty_one_is_kept_aside(hq: Headquarters) -> None:
    """Resent whole, a batch adds nothing; what nothing can be told from is a dead letter with its reason."""
    batch = [identify(), viewed(3, userId="c-1"), {"type": "track", "userId": "c-1", "messageId": "x"}, "nonsense"]
    assert take(hq, *batch) == (2, 0, 2)
    with hq.database.read() as reader:
        before = reader.heads(["store:berlin-1"])
    pass_time(hq, days=400)
    assert take(hq, *batch) == (0, 2, 2)
    with hq.database.read() as reader:
        assert reader.heads(["store:berlin-1"]) == before
        assert sorted(row["code"] for row in reader.rows("dead_letter")) == ["no_event_name", "not_an_object"]


def test_two_cards_on_one_email_stay_two_shoppers(hq: Headquarters) -> None:
    """A household's shared address never makes one shopper of two loyalty numbers."""
    second = {**identify(loyalty_id="2900000000117"), "messageId": "identify-2", "userId": "c-2", "anonymousId": None}
    take(hq, identify(), second)
    assert len(profiles(hq)) == 2


def test_what_a_tablet_recorded_before_hq_knew_the_shopper_is_on_the_merged_profile(
    hq: Headquarters, tablet: Journalist
) -> None:
    """A card scanned offline makes a provisional profile; the shop account with that number joins it."""
    take(hq, viewed(4, userId="c-1"))
    tablet.note("asked for wool")
    tablet.push()
    [provisional] = profiles(hq)
    assert provisional["is_provisional"]
    take(hq, identify())
    [profile] = profiles(hq)
    assert [line["text"] for line in profile["notes"]] == ["asked for wool"]
    assert [line["title"] for line in profile["recent"]] == ["Thing 4"]
    assert "is_provisional" not in profile


def test_an_order_at_the_till_brings_the_shopper_into_that_stores_slice(hq: Headquarters) -> None:
    """POS orders name their store: the profile enters its feed, with the purchase and its money."""
    take(hq, identify())
    order = {
        "type": "track",
        "event": "Order Completed",
        "messageId": "order-1",
        "userId": "c-1",
        "properties": {
            "order_id": "o-1",
            "revenue": "149.00",
            "currency": "CHF",
            "affiliation": "zurich-1",
            "products": [{"sku": "B-1", "name": "Hiking boots", "price": "149.00", "quantity": 1}],
        },
        "context": {"store": "zurich-1", "channel": "pos"},
    }
    take(hq, order)
    [profile] = profiles(hq, "store:zurich-1")
    assert profile["facts"]["net_revenue"] == [{"currency": "CHF", "minor": 14900}]
    assert profile["purchases"][0]["title"] == "Hiking boots"
    assert profile["facts"]["last_order_store"] == "zurich-1"
