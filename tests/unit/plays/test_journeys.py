"""Journeys: files that mend, the way as it went, and shoppers counted step by step."""

from __future__ import annotations

from typing import Any

import pytest

from shared.plays.file_schema import journey_schema
from shared.plays.files import document_of
from shared.plays.journey_walk import Walk, count_walks, walk_journey
from shared.plays.journeys import Journey, describe_journey, journey_problems, parse_journey
from shared.plays.refusal import PlaybookRefused
from tests.support.plays import NOW_S, days_ago, event, group, load_folder, seen

DAY_H = 24


def happened(*events: str, n: int = 1, **more: Any) -> dict[str, Any]:
    """One of these happened so often."""
    return {"kind": "EventCount", "events": list(events), "cmp": ">=", "n": n, **more}


SECOND: dict[str, Any] = {
    "id": "second",
    "title": {"en": "To the second order", "de": "Zum zweiten Einkauf"},
    "within": "20 d",
    "entry": happened("Loyalty Enrolled"),
    "steps": [{"name": {"en": "First order", "de": "Erster Einkauf"}, "condition": happened("Order Completed")}],
    "goal": happened("Order Completed", n=2),
}


def journey(**changes: Any) -> Journey:
    """A sound journey, with changes to its file."""
    return parse_journey({**SECOND, **changes}, "second.yaml")


def shipped(name: str) -> Journey:
    """A journey that ships."""
    return parse_journey(load_folder("journeys")[f"{name}.yaml"], name)


def walked(one: Journey, *lines: dict[str, Any], **document: Any) -> Walk | None:
    """How far somebody with these lines came, now."""
    return walk_journey(one, seen(recent=list(lines), **document))


def days(one: Walk | None) -> tuple[Any, ...]:
    """Whole days ago: entered, then each step; and the state."""
    assert one is not None
    return (*((NOW_S - at_s) // 86_400 for at_s in (one.entered_s, *one.reached_s)), one.state)


def order(days_back: float, number: int = 1, channel: str = "pos", **more: Any) -> dict[str, Any]:
    """A line of an order."""
    return event("Order Completed", days_back * DAY_H, channel=channel, order_id=f"o{number}", **more)


# files ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"id": "To Second"}, "id", "small letters, digits and single hyphens"),
        ({"within": "two weeks"}, "within", "'two weeks' is not a length of time; write 72 h or 30 d."),
        ({"within": "91 d"}, "within", "2184 hours is more than the 90 days of events that are kept"),
        ({"within": 0}, "within", "at least 1"),
        ({"steps": []}, "steps", "at least 1 entry is needed"),
        ({"step": []}, "step", "Did you mean steps?"),
        (
            {"steps": [{"name": "A", "conditions": happened("Order Completed")}]},
            "steps[0].condition",
            "this is required and missing",
        ),
        ({"entry": happened("Loyalty Enroled")}, "entry.events[0]", "Did you mean Loyalty Enrolled?"),
        ({"goal": {"kind": "EventCout"}}, "goal", "Did you mean EventCount?"),
        (
            {"steps": [{"name": "A", "condition": group("all", {"kind": "Stage", "in": ["new"]})}]},
            "steps[0].condition.items[0]",
            "Stage tells how it is today, not what happened on the way. Allowed in a journey: EventCount, NotFollowed",
        ),
        (
            {"entry": group("all", happened("Order Completed"), {"kind": "Profile", "field": "ordrs", "op": "eq"})},
            "entry.items[1]",
            "Profile tells how it is today",
        ),
        ({"entry": {"kind": "Segment", "in": ["top-value"]}}, "entry", "Segment tells how it is today"),
        (
            {"goal": {**happened("Order Completed"), "cmp": "<="}},
            "goal",
            "met without anything happening, or can only wait",
        ),
        (
            {"goal": {"kind": "Recency", "events": ["Order Completed"], "cmp": "older_than", "hours": 24}},
            "goal",
            "ask for something that happens",
        ),
        ({"goal": group("none", happened("Order Completed"))}, "goal", "ask for something that happens"),
        (
            {"goal": group("all", group("all", group("all", group("all", happened("Order Completed")))))},
            "goal.items[0].items[0].items[0]",
            "nested 3 deep",
        ),
    ],
)
def test_a_broken_journey_says_where_and_how_to_mend_it(changes: dict[str, Any], path: str, said: str) -> None:
    """At the path of the file."""
    with pytest.raises(PlaybookRefused, match=r"^second.yaml was not taken") as refusal:
        journey(**changes)
    told = {problem.path: problem.sentence for problem in refusal.value.problems}
    assert said in told[path]
    assert len(told) == 1 or "conditions" in str(told)


def test_two_files_of_one_id_are_told() -> None:
    """Else the later one would win in silence."""
    (told,) = journey_problems([journey(), journey(), journey(id="other")])
    assert str(told) == "second: id: two files carry this id; every journey needs its own."


def test_the_shipped_journeys_are_sound_and_said_in_two_languages() -> None:
    """The five of plays.md; each reads back from its document as it was."""
    found = [parse_journey(mapping, name) for name, mapping in load_folder("journeys").items()]
    assert [one.id for one in found] == [
        "browse-to-first-purchase",
        "cart-to-store",
        "enrolment-to-second-order",
        "lapsed-to-back",
        "support-case-to-purchase",
    ]
    assert [Journey.model_validate(document_of(one)) for one in found] == found
    assert all(one.title.get("de") and all(step.name.get("de") for step in one.steps) for one in found)
    assert all(describe_journey(one, "de") != describe_journey(one) for one in found)


def test_a_journey_is_said_in_plain_sentences() -> None:
    """What begins it, each step with its number, the goal, and the time there is."""
    assert describe_journey(journey(), "de-CH") == [
        "Begonnen: Mindestens einmal: ist Mitglied geworden, in den letzten 90 Tagen.",
        "1. Erster Einkauf: Mindestens einmal: hat etwas gekauft, in den letzten 90 Tagen.",
        "Ziel: Mindestens 2-mal: hat etwas gekauft, in den letzten 90 Tagen.",
        "Alles binnen 20 Tagen nach dem Beginn; bei jedem Schritt zählt, was ab dem vorigen geschah.",
    ]
    assert describe_journey(journey())[-1] == (
        "All of it within 20 days of the entry; for each step counts what happened from the one before on."
    )


def test_the_consents_of_a_journey_are_analytics_and_what_it_looks_at() -> None:
    """Orders need nothing more; a cart does."""
    assert journey().purposes == {"analytics"}
    assert shipped("cart-to-store").purposes == {"analytics", "personalise_in_store"}


def test_the_schema_offers_the_catalogues_events() -> None:
    """An editor completes them."""
    schema = journey_schema()
    assert "within" in schema["properties"]
    assert "Order Completed" in schema["$defs"]["EventCount"]["properties"]["events"]["items"]["enum"]


# the way --------------------------------------------------------------------------------------------------------------

ENROLLED = event("Loyalty Enrolled", 40 * DAY_H, channel="store")


def test_the_way_is_gone_in_order_and_a_step_sees_only_what_came_after_the_one_before() -> None:
    """An order before the entry is none of the journey; two lines of one order are one."""
    assert walked(journey(), order(50)) is None
    assert days(walked(journey(), ENROLLED, order(50))) == (40, "stopped")
    assert days(walked(journey(), ENROLLED, order(38), order(38, sku="B"))) == (40, 38, "stopped")
    assert days(walked(journey(), ENROLLED, order(50, 9), order(38), order(30, 2))) == (40, 38, 30, "completed")


def test_what_comes_too_late_does_not_count_and_an_open_way_is_under_way() -> None:
    """Twenty days: to the second both ends of it."""
    assert days(walked(journey(), ENROLLED, order(38), order(20, 2))) == (40, 38, 20, "completed")
    assert days(walked(journey(), ENROLLED, order(38), order(19.9, 2))) == (40, 38, "stopped")
    assert days(walked(journey(), event("Loyalty Enrolled", 10 * DAY_H), order(5))) == (10, 5, "under_way")


def test_of_several_attempts_the_one_that_came_furthest_counts() -> None:
    """Of equals one that is still open, then the one that began first."""
    added = [event("Product Added", back * DAY_H, sku="A") for back in (40, 30, 12)]
    cart = shipped("cart-to-store")
    assert days(walked(cart, *added)) == (12, "under_way")
    assert days(walked(cart, *added[:2])) == (40, "stopped")
    assert days(walked(cart, *added, order(20))) == (30, 20, 20, "completed")
    assert days(walked(cart, *added, order(20, channel="web"))) == (12, "under_way")
    assert days(walked(cart, *added, event("Store Entered", 29 * DAY_H, channel="store"))) == (40, 29, "stopped")


def test_a_case_that_is_closed_after_the_purchase_does_not_lead_to_it() -> None:
    """The order of things decides, not that they all happened."""
    case = shipped("support-case-to-purchase")
    opened = event("Support Case Opened", 30 * DAY_H, channel="service")
    closed = event("Support Case Closed", 20 * DAY_H, channel="service")
    assert days(walked(case, opened, order(25), closed)) == (30, 20, "under_way")
    assert days(walked(case, opened, closed, order(10))) == (30, 20, 10, "completed")


def test_the_entry_is_asked_as_it_was_then() -> None:
    """A first purchase later does not undo that they were new; one before does. Lapsed means by that day."""
    viewed = event("Product Viewed", 10 * DAY_H, sku="A")
    later = {"orders": 1, "first_order_at": days_ago(5), "last_order_at": days_ago(5)}
    first = shipped("browse-to-first-purchase")
    assert days(walked(first, viewed, order(5), facts=later)) == (10, 5, 5, "completed")
    assert walked(first, viewed, order(5), facts={**later, "first_order_at": days_ago(300)}) is None
    back = shipped("lapsed-to-back")
    old = {"orders": 2, "first_order_at": days_ago(300), "last_order_at": days_ago(5)}
    assert days(walked(back, viewed, order(5), facts=old)) == (10, 10, 5, "completed")
    assert walked(back, viewed, order(5), order(60, 2), facts=old) is None


def test_channels_are_those_from_the_entry_to_the_last_step() -> None:
    """What came before or after is none of the way."""
    lines = [event("Email Opened", 41 * DAY_H, channel="email"), ENROLLED, event("App Opened", 39 * DAY_H)]
    after = event("Email Opened", 3 * DAY_H, channel="email")
    one = walked(journey(), *lines, order(38), after)
    assert one is not None
    assert one.channels == ("pos", "store", "web")


# counting -------------------------------------------------------------------------------------------------------------


def test_shoppers_are_counted_step_by_step() -> None:
    """Reached, where they stopped or still are, and the median time from the step before, in whole seconds."""
    ways = [
        Walk(0, (), "stopped", ("store",)),
        Walk(0, (), "under_way", ("store",)),
        Walk(0, (60,), "stopped", ("pos", "store")),
        Walk(0, (20, 80), "completed", ("pos", "store")),
        Walk(100, (140, 150), "completed", ("pos",)),
    ]
    told = count_walks(journey(), ways)
    assert {name: told[name] for name in ("entered", "completed", "under_way")} == {
        "entered": 5,
        "completed": 2,
        "under_way": 1,
    }
    assert told["channels"] == {"pos": 3, "store": 4}
    shown = [(step["name"], step["reached"], step["stopped"], step["under_way"]) for step in told["steps"]]
    assert shown == [("Entered", 5, 1, 1), ("First order", 3, 1, 0), ("Goal", 2, 0, 0)]
    assert [step["median_s"] for step in told["steps"]] == [None, 40, 10]
    assert [step["share_ppm"] for step in told["steps"]] == [1_000_000, 600_000, 400_000]
    empty = count_walks(journey(), [], "de")
    assert [step["name"] for step in empty["steps"]] == ["Begonnen", "Erster Einkauf", "Ziel"]
    assert {step["share_ppm"] for step in empty["steps"]} == {0}
