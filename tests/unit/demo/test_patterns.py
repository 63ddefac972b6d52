"""The patterns planted in the demo chain come out of its messages, within bounds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from statistics import mean

from shared.clock import seconds_at
from shared.lifecycle import StageSettings, decide_stage
from shared.profile import ProfileFacts
from sync_server.demo.diary import Message
from sync_server.demo.patterns import (
    DISTANCE_BANDS,
    NO_PERSONALISE_SHARE,
    OPEN_ISSUE_SHARE,
    RETURNER_SHARE,
    STAGE_SHARES,
)
from tests.unit.demo.worlds import DAY_S, NOW_S, Seen, at_s, crowd

BANDS = {band.up_to_m: place for place, band in enumerate(DISTANCE_BANDS)}


def share(people: list[Seen]) -> float:
    """Their share of the crowd."""
    return len(people) / len(crowd())


def test_the_lifecycle_stages_have_the_planted_shares() -> None:
    """The stage that the core's own code decides from the orders is the planted one, to three percent points."""
    stages = Counter(_stage(one) for one in crowd())
    for stage, planted in STAGE_SHARES.items():
        assert abs(stages[stage] / len(crowd()) - planted) < 0.03, (stage, stages)


def _stage(one: Seen) -> str:
    ordered = one.times_s("Order Completed")
    facts = ProfileFacts(
        orders=len(ordered),
        first_order_at=seconds_at(ordered[0]) if ordered else None,
        last_order_at=seconds_at(ordered[-1]) if ordered else None,
    )
    return decide_stage(facts, NOW_S, StageSettings()).stage


def test_a_shopper_has_about_twenty_events_with_a_heavy_tail() -> None:
    """The mean is near 20, half have fewer, and a few have many times as many."""
    counts = sorted(len(one.messages) for one in crowd())
    assert 17 <= mean(counts) <= 25
    assert counts[len(counts) // 2] < mean(counts)
    assert counts[len(counts) * 99 // 100] > 3 * mean(counts)


def test_some_shoppers_have_not_agreed_to_personalisation() -> None:
    """About 15 percent: most of them said no, the others were never asked."""
    without = [one for one in crowd() if not _decided(one).get("personalise_in_store")]
    assert abs(share(without) - NO_PERSONALISE_SHARE) < 0.03
    assert any(not one.by_event["Segment Consent Preference Updated"] for one in without)
    assert any(_decided(one) for one in without)


def _decided(one: Seen) -> dict[str, bool]:
    said = one.by_event.get("Segment Consent Preference Updated", [])
    return dict(said[-1]["context"]["consent"]["categoryPreferences"]) if said else {}


def test_refunds_are_eight_percent_of_orders_and_some_shoppers_return_often() -> None:
    """Refunds follow an order of the same shopper; about four percent of shoppers had two or more in 90 days."""
    orders = sum(len(one.by_event["Order Completed"]) for one in crowd())
    refunds = sum(len(one.by_event["Order Refunded"]) for one in crowd())
    assert 0.065 < refunds / orders < 0.105
    often = [one for one in crowd() if sum(at > NOW_S - 90 * DAY_S for at in one.times_s("Order Refunded")) >= 2]
    assert abs(share(often) - RETURNER_SHARE) < 0.015
    for one in crowd():
        placed = {order["properties"]["order_id"]: at_s(order) for order in one.by_event["Order Completed"]}
        for refund in one.by_event["Order Refunded"]:
            assert at_s(refund) > placed[refund["properties"]["order_id"]]


def test_an_open_service_issue_is_rare_but_there() -> None:
    """About five percent have a case that nobody closed."""
    waiting = [one for one in crowd() if _open_cases(one)]
    assert abs(share(waiting) - OPEN_ISSUE_SHARE) < 0.015


def _open_cases(one: Seen) -> set[str]:
    opened = {case["properties"]["case_id"] for case in one.by_event["Support Case Opened"]}
    return opened - {case["properties"]["case_id"] for case in one.by_event["Support Case Closed"]}


def test_the_farther_a_shopper_lives_the_more_carts_end_online_and_the_fewer_in_the_store() -> None:
    """Carts left for more than a day: the store's share falls from band to band, the web shop's rises."""
    ended: dict[int, Counter[str]] = defaultdict(Counter)
    for one in crowd():
        band = next(place for up_to_m, place in BANDS.items() if one.distance_m <= up_to_m)
        ended[min(band, 3)].update(_ends(one))
    in_store = [ended[band]["store"] / ended[band].total() for band in range(4)]
    online = [ended[band]["web"] / ended[band].total() for band in range(4)]
    assert in_store == sorted(in_store, reverse=True)
    assert online == sorted(online)
    assert in_store[0] > 0.28
    assert in_store[3] < 0.12
    assert online[0] < 0.12
    assert online[3] > 0.20


def _ends(one: Seen) -> Iterator[str]:
    """How each evening's cart ended, by the definition of the reminder cart (measurement.md)."""
    bought = defaultdict(list)
    for order in one.by_event["Order Completed"]:
        for line in order["properties"]["products"]:
            bought[line["sku"]].append((at_s(order), "store" if "store" in order["context"] else "web"))
    carts: dict[int, list[Message]] = defaultdict(list)
    for added in one.by_event["Product Added"]:
        carts[at_s(added) // DAY_S].append(added)
    for lines in carts.values():
        after = [(at - at_s(line), where) for line in lines for at, where in bought[line["properties"]["sku"]]]
        if not any(0 <= gap_s <= DAY_S for gap_s, _ in after):
            yield next((where for gap_s, where in sorted(after) if DAY_S < gap_s <= 14 * DAY_S), "left")


def test_urban_shoppers_keep_longer_carts_and_buy_at_the_till() -> None:
    """Within 3 km a cart is a list: more lines, and most orders happen in the store; far away it is the other way."""
    urban, far = _habits(0, 3_000), _habits(15_000, 10**9)
    assert urban[0] > far[0] + 0.3
    assert urban[1] > 0.6 > 0.3 > far[1]


def _habits(over_m: int, up_to_m: int) -> tuple[float, float]:
    """Lines a cart and share of orders at a till, of those who live this far."""
    people = [one for one in crowd() if over_m < one.distance_m <= up_to_m]
    carts = Counter((one.index, at_s(added) // DAY_S) for one in people for added in one.by_event["Product Added"])
    orders = [order for one in people for order in one.by_event["Order Completed"]]
    return mean(carts.values()), sum("store" in order["context"] for order in orders) / len(orders)


def test_some_mails_are_opened_and_not_clicked() -> None:
    """What the play for openers needs: openers outnumber clickers by far, and nobody clicks what was not delivered."""
    mails = {
        name: sum(len(one.by_event[f"Email {name}"]) for one in crowd())
        for name in ("Delivered", "Opened", "Link Clicked")
    }
    assert mails["Delivered"] > 2 * mails["Opened"] > 6 * mails["Link Clicked"] > 0


def test_mails_go_only_to_those_who_agreed_to_them() -> None:
    """No marketing e-mail without the consent for e-mail."""
    mailed = [one for one in crowd() if one.by_event.get("Email Delivered")]
    assert mailed
    assert all(_decided(one).get("email") for one in mailed)


def test_a_few_households_share_a_phone() -> None:
    """Some phones are seen with two and with four loyalty numbers, of one surname; nearly all with one."""
    owners = defaultdict(set)
    for one in crowd():
        traits = one.by_event["identify"][0]["traits"]
        if "phone" in traits:
            owners[traits["phone"]].add((one.index, traits["lastName"]))
    sizes = Counter(len(people) for people in owners.values())
    assert sizes[4] == sizes[2] == 3_000 // 200
    assert set(sizes) == {1, 2, 4}
    assert all(len({surname for _, surname in people}) == 1 for people in owners.values())


def test_birthdays_fall_on_every_part_of_the_year() -> None:
    """Some shopper has a birthday within 14 days of any date."""
    days = {one.by_event["identify"][0]["traits"].get("birthday", "")[5:7] for one in crowd()}
    assert {f"{month:02d}" for month in range(1, 13)} <= days


def test_an_order_of_the_zurich_store_is_in_francs() -> None:
    """Zurich prices in CHF, every other store in EUR."""
    orders = [order for one in crowd() for order in one.by_event["Order Completed"] if "store" in order["context"]]
    currencies = {(order["context"]["store"], order["properties"]["currency"]) for order in orders}
    assert currencies == {
        ("berlin-1", "EUR"),
        ("berlin-2", "EUR"),
        ("hamburg-1", "EUR"),
        ("munich-1", "EUR"),
        ("zurich-1", "CHF"),
        ("lisbon-1", "EUR"),
    }
