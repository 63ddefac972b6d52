"""What each leaf of a condition answers, with its edges."""

from __future__ import annotations

from typing import Any

import pytest

from shared.clock import at_seconds
from shared.plays.evaluate import evaluate
from shared.plays.inputs import ProductFacts, StockLevel, StoreFacts
from tests.support.plays import NOW_S, ago, condition, days_ago, event, group, outcome, seen, shopper


def is_met(leaf: dict[str, Any], **document: Any) -> bool:
    """Evaluate a leaf for a shopper made from the document."""
    return evaluate(condition(**leaf), seen(**document)).is_met


VIEWED_TWICE = {"kind": "EventCount", "events": ["Product Viewed"], "window": {"from_h": 168}, "cmp": ">=", "n": 2}
TRUE: dict[str, Any] = group("all")
FALSE: dict[str, Any] = group("any")


@pytest.mark.parametrize(
    ("op", "parts", "expected"),
    [
        ("all", [], True),
        ("any", [], False),
        ("none", [], True),
        ("all", [TRUE, FALSE], False),
        ("any", [TRUE, FALSE], True),
        ("none", [TRUE, FALSE], False),
        ("none", [FALSE, FALSE], True),
    ],
)
def test_groups_answer_as_their_names_say(op, parts, expected):
    """Empty: all is true, any is false, none is true."""
    assert is_met(group(op, *parts)) is expected


@pytest.mark.parametrize(
    ("seconds_ago", "expected"), [(0, True), (-1, False), (168 * 3600, False), (168 * 3600 - 1, True)]
)
def test_a_window_holds_its_end_and_not_its_start(seconds_ago, expected):
    """(now - from, now]: an event of this very second counts, one exactly `from` ago does not, one to come neither."""
    leaf = {**VIEWED_TWICE, "n": 1}
    assert is_met(leaf, recent=[event("Product Viewed", seconds_ago / 3600)]) is expected


def test_a_window_may_leave_out_its_latest_hours():
    """With to_h 12 an event of the last 12 hours does not count."""
    leaf = {**VIEWED_TWICE, "n": 1, "window": {"from_h": 24, "to_h": 12}}
    assert not is_met(leaf, recent=[event("Product Viewed", 11)])
    assert is_met(leaf, recent=[event("Product Viewed", 12)])


def test_where_tests_the_line_and_then_the_catalogue():
    """A category missing on the line is that of the product; a missing property makes every comparison false."""
    tents = {**VIEWED_TWICE, "n": 1, "where": [{"prop": "category", "op": "eq", "value": " Tents "}]}
    assert is_met(tents, recent=[event("Product Viewed", 1, category="tents")])
    assert is_met(tents, recent=[event("Product Viewed", 1, sku="T1")], products={"T1": ProductFacts("Tent", "tents")})
    assert not is_met(tents, recent=[event("Product Viewed", 1, category="mugs")])
    not_tents = {**tents, "where": [{"prop": "category", "op": "ne", "value": "tents"}]}
    assert not is_met(not_tents, recent=[event("Product Viewed", 1)])


def test_a_price_in_another_currency_is_missing():
    """Money is never converted: a price of another currency answers no comparison."""
    dear = {**VIEWED_TWICE, "n": 1, "where": [{"prop": "price", "op": "gte", "value": 5000}]}
    line = event("Product Viewed", 1, price={"minor": 9900, "currency": "CHF"})
    assert not is_met(dear, recent=[line])
    assert is_met(dear, recent=[line], store=StoreFacts("zurich-1", "Europe/Zurich", "CHF"))


def test_lines_of_one_order_count_once():
    """Three products in one order are one purchase."""
    lines = [event("Order Completed", 5, sku=sku, order_id="o1") for sku in ("A", "B", "C")]
    twice = {**VIEWED_TWICE, "events": ["Order Completed"]}
    assert not is_met(twice, recent=lines)
    assert is_met(twice, recent=[*lines, event("Order Completed", 50, order_id="o2")])


def test_what_was_bought_is_no_category_they_keep_looking_at():
    """`unless` leaves a group out for what came about it since the window began, after to_h too; others are counted."""
    leaf = {**VIEWED_TWICE, "same": "category", "unless": ["Order Completed"], "window": {"from_h": 168, "to_h": 4}}
    tents = [event("Product Viewed", hours, category="Tents ", sku="A") for hours in (5, 6, 7)]
    mugs = [event("Product Viewed", hours, category="mugs", sku="B") for hours in (5, 6)]

    def bought(hours: float, **what: str) -> list[dict[str, Any]]:
        return [*tents, *mugs[:1], event("Order Completed", hours, order_id="o", **what)]

    assert is_met(leaf, recent=tents)
    assert not is_met(leaf, recent=bought(3, category="tents"))
    assert not is_met(leaf, recent=bought(167, category="tents"))
    assert is_met(leaf, recent=bought(168, category="tents"))
    assert is_met(leaf, recent=bought(3, category="mugs"))
    assert is_met(leaf, recent=bought(3)), "an order of nothing known is of no category"
    both = evaluate(condition(**leaf), seen(recent=[*bought(3, category="tents"), *mugs[1:]]))
    assert (both.is_met, both.trace.n, both.trace.witnesses[0].category) == (True, 2, "mugs")


def test_two_views_of_different_categories_are_not_two_of_the_same():
    """With `same` the fullest group is counted."""
    same = {**VIEWED_TWICE, "same": "category"}
    mixed = [event("Product Viewed", 1, category="tents"), event("Product Viewed", 2, category="mugs")]
    assert is_met(VIEWED_TWICE, recent=mixed)
    assert not is_met(same, recent=mixed)
    assert is_met(same, recent=[*mixed, event("Product Viewed", 3, category="mugs")])


def test_recency_knows_the_whole_retention():
    """A purchase far older than the 90 days of `recent` is still the last one, from `seen` or from the facts."""
    silent = {"kind": "Recency", "events": ["Order Completed"], "cmp": "older_than", "hours": 2160}
    assert not is_met(silent)
    assert is_met(silent, facts={"orders": 1, "last_order_at": days_ago(200)})
    assert is_met(silent, seen={"Order Completed": {"n": 1, "first_at": days_ago(300), "last_at": days_ago(300)}})
    assert not is_met(silent, recent=[event("Order Completed", 10)], facts={"orders": 1, "last_order_at": ago(10)})


def test_older_and_newer_meet_without_gap_or_overlap():
    """At exactly the bound an event is older; a second later it is newer."""
    older = {"kind": "Recency", "events": ["Product Viewed"], "cmp": "older_than", "hours": 10}
    newer = {**older, "cmp": "newer_than"}
    at_bound, inside = [event("Product Viewed", 10)], [event("Product Viewed", 10 - 1 / 3600)]
    assert (is_met(older, recent=at_bound), is_met(newer, recent=at_bound)) == (True, False)
    assert (is_met(older, recent=inside), is_met(newer, recent=inside)) == (False, True)


def test_never_means_over_the_whole_retention():
    """One App Installed of long ago is enough to make it false."""
    never = {"kind": "Recency", "events": ["App Installed"], "cmp": "never"}
    assert is_met(never)
    assert not is_met(never, seen={"App Installed": {"n": 1, "first_at": days_ago(390), "last_at": days_ago(390)}})


def test_an_event_to_come_is_not_seen_by_a_replay():
    """Evaluated at an earlier time, a later line of the document is not there; what was before it is."""
    leaf = {"kind": "Recency", "events": ["Order Completed"], "cmp": "newer_than", "hours": 24}
    facts = {"orders": 2, "first_order_at": days_ago(10), "last_order_at": ago(1)}
    assert is_met(leaf, facts=facts)
    replay = seen(shopper(facts=facts), now_s=NOW_S - 10 * 86_400 + 60)
    assert evaluate(condition(**leaf), replay).trace.at_s == NOW_S - 10 * 86_400


ABANDONED = {
    "kind": "NotFollowed",
    "first": "Product Added",
    "then": ["Order Completed", "Product Removed"],
    "same": "sku",
    "idle_h": 24,
    "window_h": 720,
}


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        ([event("Product Added", 48, sku="A")], True),
        ([event("Product Added", 23, sku="A")], False),
        ([event("Product Added", 721, sku="A")], False),
        ([event("Product Added", 48, sku="A"), event("Order Completed", 2, sku="A")], False),
        ([event("Product Added", 48, sku="A"), event("Order Completed", 2, sku="B")], True),
        ([event("Product Added", 48, sku="A"), event("Product Removed", 47, sku="A")], False),
        ([event("Product Added", 48, sku="A"), event("Order Completed", 60, sku="A")], True),
        ([event("Product Added", 48, sku="A"), event("Product Added", 1, sku="A")], True),
        ([event("Product Added", 48)], False),
        ([event("Product Added", 48, sku="A"), event("Order Completed", 48, sku="A")], False),
        (
            [event("Product Added", hours, sku="A") for hours in (60, 48)] + [event("Order Completed", 50, sku="A")],
            True,
        ),
        ([event("Product Added", 48, sku="A"), event("Order Completed", -1, sku="A")], True),
    ],
)
def test_left_in_the_cart_means_idle_and_answered_by_nothing_of_its_own(recent, expected):
    """Only the same sku answers, from its very second to now; a second adding after the answer counts anew.

    Without a sku nobody can tell, so the line is no candidate; an answer yet to come is none.
    """
    assert is_met(ABANDONED, recent=recent) is expected


def test_stock_is_of_this_store_and_of_something_they_want():
    """A wished sku counts when this store has enough of it; another sku, or too few, does not."""
    leaf = {"kind": "Stock", "source": ["cart", "wishlist"], "min_qty": 2}
    wish = {"wishlist": [{"sku": "W", "at": ago(5)}]}
    assert is_met(leaf, stock={"W": StockLevel(2, "B1")}, **wish)
    assert not is_met(leaf, stock={"W": StockLevel(1, "B1")}, **wish)
    assert not is_met(leaf, stock={"X": StockLevel(9, "B1")}, **wish)
    assert not is_met(
        {**leaf, "source": ["viewed"], "window_h": 24},
        stock={"V": StockLevel(9)},
        recent=[event("Product Viewed", 30, sku="V")],
    )


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("eq", 3, True),
        ("ne", 3, False),
        ("in", [1, 3], True),
        ("in", [], False),
        ("not_in", [], True),
        ("gt", 3, False),
        ("gte", 3, True),
        ("lt", 4, True),
        ("lte", 2, False),
        ("between", [3, 5], True),
        ("exists", None, True),
        ("missing", None, False),
    ],
)
def test_numbers_compare_as_they_read(op, value, expected):
    """An empty `in` is false, both ends of between belong to it."""
    assert is_met({"kind": "Profile", "field": "orders", "op": op, "value": value}, facts={"orders": 3}) is expected


@pytest.mark.parametrize("op", ["eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "between"])
def test_a_missing_value_makes_every_comparison_false(op):
    """Also `ne` and `not_in`: what is not known is never different from something."""
    value: Any = [1, 2] if op in {"in", "not_in", "between"} else 1
    assert not is_met({"kind": "Profile", "field": "points", "op": op, "value": value})
    assert is_met({"kind": "Profile", "field": "points", "op": "missing"})


def test_text_is_compared_folded():
    """Case, outer spaces and the two ways to write an accent make no difference."""
    leaf = {"kind": "Profile", "field": "tier", "op": "eq", "value": " GÖLD"}
    assert is_met(leaf, tier="go\u0308ld")
    assert is_met({**leaf, "op": "starts_with", "value": "Gö"}, tier="Göldner")
    assert is_met({**leaf, "op": "contains", "value": "LD"}, tier="Göldner")


def test_sets_are_empty_not_missing():
    """has_none is true of a shopper without any identifier."""
    leaf = {"kind": "Profile", "field": "identifier_types", "op": "has_none", "value": ["loyalty_id"]}
    assert is_met(leaf, identifiers=[])
    assert not is_met(leaf)
    assert is_met({**leaf, "op": "has_any", "value": ["email", "loyalty_id"]})


@pytest.mark.parametrize(
    ("birth_on", "now", "expected"),
    [
        ("1990-11-22", "2026-11-22", True),
        ("1990-12-06", "2026-11-22", True),
        ("1990-12-07", "2026-11-22", False),
        ("1990-11-21", "2026-11-22", False),
        ("1990-01-03", "2026-12-25", True),
        ("1992-02-29", "2027-02-28", True),
        ("1992-02-29", "2027-02-14", True),
        ("1992-02-29", "2027-02-13", False),
        ("nonsense", "2026-11-22", False),
    ],
)
def test_a_birthday_is_counted_in_days_over_the_end_of_the_year(birth_on, now, expected):
    """Within 14 days, today included; 29 February is kept on the 28th."""
    leaf = condition(kind="Profile", field="birth_on", op="within_next_days", value=14)
    inputs = seen(shopper(birth_on=birth_on), now_s=at_seconds(f"{now}T10:00:00.000Z"))
    assert evaluate(leaf, inputs).is_met is expected


def test_a_day_is_the_stores_own():
    """23:30 UTC on Saturday is already Sunday in Berlin and still Saturday in Lisbon."""
    leaf = condition(kind="Profile", field="last_order_on", op="eq", value="2026-11-22")
    facts = {"orders": 1, "last_order_at": "2026-11-21T23:30:00.000Z"}
    assert evaluate(leaf, seen(shopper(facts=facts))).is_met
    assert not evaluate(leaf, seen(shopper(facts=facts), store=StoreFacts("lisbon-1", "Europe/Lisbon", "EUR"))).is_met


def test_an_unknown_time_zone_is_read_as_utc():
    """A mistyped zone never costs a card."""
    leaf = condition(kind="Profile", field="last_order_on", op="eq", value="2026-11-21")
    facts = {"orders": 1, "last_order_at": "2026-11-21T23:30:00.000Z"}
    assert evaluate(leaf, seen(shopper(facts=facts), store=StoreFacts("x", "Europe/Atlantis", "EUR"))).is_met


def test_revenue_is_that_of_the_stores_currency():
    """Two currencies are never added; without a row in the store's own the field is missing."""
    leaf = {"kind": "Profile", "field": "net_revenue_minor", "op": "gte", "value": 100}
    rows = [{"minor": 90, "currency": "EUR"}, {"minor": 500, "currency": "CHF"}]
    assert not is_met(leaf, facts={"net_revenue": rows})
    assert not is_met(leaf, facts={"net_revenue": rows[1:]})


def test_near_needs_a_known_distance():
    """An unknown postcode is missing: neither near nor, by `none`, provably far."""
    leaf = {"kind": "Near", "max_m": 3000}
    assert is_met(leaf, facts={"distance": {"this_store_m": 3000}})
    assert not is_met(leaf, facts={"distance": {"this_store_m": 3100}})
    assert not is_met(leaf)
    assert is_met({**leaf, "of": "home_store"}, facts={"distance": {"home_store_m": 100}})


def test_consent_missing_is_neither_granted_nor_denied():
    """Only a decision answers."""
    leaf = {"kind": "Consent", "purpose": "email"}
    assert not is_met(leaf)
    assert not is_met({**leaf, "state": "denied"})
    assert is_met({**leaf, "state": "denied"}, consent={"email": {"decision": "denied", "at": ago(1)}})


def test_play_history_counts_by_play_tag_or_any():
    """Tags are those of the playbook; outcomes older than the hours asked for do not count."""
    document: dict[str, Any] = {"outcomes": [outcome("a", "interested", 10), outcome("b", "bought", 50)]}
    base = {"kind": "PlayHistory", "cmp": "==", "n": 1, "hours": 48}
    assert is_met({**base, "any": True}, **document)
    assert is_met({**base, "play": "a"}, **document)
    assert not is_met({**base, "play": "b"}, **document)
    tagged = condition(**{**base, "tag": "cart", "hours": 100, "result": "bought"})
    assert evaluate(tagged, seen(**document), play_tags={"b": ("cart",)}).is_met
    assert not evaluate(tagged, seen(**document), play_tags={"a": ("cart",)}).is_met


def test_a_claim_counts_as_an_order_only_where_asked():
    """A bought claim moves no condition of a play; suppression sees it at once."""
    leaf = condition(kind="EventCount", events=["Order Completed"], window={"from_h": 72}, cmp=">=", n=1)
    inputs = seen(outcomes=[outcome("a", "bought", 1)])
    assert not evaluate(leaf, inputs).is_met
    assert evaluate(leaf, inputs, counts_claims=True).is_met
    recency = condition(kind="Recency", events=["Order Completed"], cmp="newer_than", hours=72)
    assert not evaluate(recency, inputs).is_met
    assert evaluate(recency, inputs, counts_claims=True).is_met


def test_a_line_with_an_unreadable_time_costs_nothing_but_itself():
    """One bad line of a document is passed over."""
    lines = [{**event("Product Viewed", 1), "at": "yesterday"}, event("Product Viewed", 2), event("Product Viewed", 3)]
    assert is_met(VIEWED_TWICE, recent=lines)


def test_the_trace_holds_every_part_and_what_was_found():
    """Groups are not cut short: explain shows the unmet part too, with what it counted."""
    tree = condition(**group("any", VIEWED_TWICE, {"kind": "Stage", "in": ["prospect"]}))
    trace = evaluate(tree, seen(recent=[event("Product Viewed", 1, sku="A", title="Tent")])).trace
    assert [(part.is_met, part.n) for part in trace.parts] == [(False, 1), (True, None)]
