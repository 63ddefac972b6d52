"""Whatever the clock and the documents say of time, a rule answers and a card is drawn: at both ends, and beyond."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import EARLIEST_AT, LATEST_AT, at_seconds, local_time, seconds_at
from shared.lifecycle import STAGES
from shared.plays.condition import KINDS, condition_document, problems_in, read_condition
from shared.plays.evaluate import evaluate, is_birthday_within
from shared.plays.explain import explain, trace_document
from shared.plays.inputs import EvaluationInputs, StockLevel, StoreFacts, zone_of
from shared.plays.rank import recommend
from shared.plays.sentences import EXAMPLES
from shared.wire.canonical import INTEGER_MAX, check_body
from tests.support.plays import seed_playbook, seed_settings, seen

ALL_PURPOSES = ("personalise_in_store", "profiling", "analytics", "email", "sms", "phone")
FIRST_S, LAST_S = at_seconds(EARLIEST_AT), at_seconds(LATEST_AT)
ZONES = ("UTC", "Europe/Berlin", "Pacific/Apia", "America/Los_Angeles", "Europe/Atlantis")
ENDS = (EARLIEST_AT, LATEST_AT, "0001-01-01T11:00:00.000Z", "9999-12-31T12:00:00.000Z", "1969-12-31T23:59:59.999Z")
NO_TIMES = ("", "nonsense", "9999-12-31", "9999-12-31T99:99:99.999Z", "0001-01-01T-9:-9:-9.000Z", "2026-02-30T10:00")
NOWS = st.one_of(
    st.sampled_from([FIRST_S, FIRST_S + 1, -1, 0, LAST_S - 1, LAST_S]),
    st.integers(FIRST_S, LAST_S),
    st.integers(-(2**70), 2**70),
)
TIMES = st.one_of(st.sampled_from([*ENDS, *NO_TIMES]), st.integers(FIRST_S, LAST_S).map(seconds_at))
NUMBERS = st.one_of(st.sampled_from([0, 1, -1, INTEGER_MAX, -INTEGER_MAX, 2**70]), st.integers(0, 5))
DAYS = st.sampled_from(["0001-01-01", "9999-12-31", "9999-12-30", "2026-11-22", "2024-02-29", "", "nonsense"])
FIELD_TESTS: list[dict[str, Any]] = [
    *({"field": "birth_on", "op": "within_next_days", "value": days} for days in (0, 14, 366)),
    *(
        {"field": field, "op": op, "value": day}
        for field in ("first_order_on", "last_order_on", "open_issue_on")
        for op in ("eq", "ne", "gt", "gte", "lt", "lte")
        for day in ("0001-01-01", "9999-12-31", "2026-11-22")
    ),
    {"field": "last_order_on", "op": "between", "value": ["0001-01-01", "9999-12-31"]},
    *(
        {"field": field, "op": op, "value": number}
        for field in ("orders", "refunds", "points", "net_revenue_minor")
        for op in ("eq", "ne", "gt", "lte")
        for number in (0, INTEGER_MAX, -INTEGER_MAX)
    ),
]
LEAVES: list[dict[str, Any]] = [
    *(example for kind, example in EXAMPLES.items() if kind not in {"Segment", "Group"}),
    *({"kind": "Profile", **test} for test in FIELD_TESTS),
    {"kind": "EventCount", "events": ["Product Viewed"], "window": {"from_h": 1}, "cmp": "==", "n": 0},
    {"kind": "EventCount", "events": ["any online event"], "cmp": ">=", "n": 1000, "same": "sku"},
    {"kind": "EventCount", "events": ["Product Viewed"], "cmp": ">=", "n": 1, "same": "sku"}
    | {"unless": ["Order Completed"]},
    {"kind": "Recency", "events": ["Order Completed"], "cmp": "older_than", "hours": 96_000},
    {"kind": "Recency", "events": ["Order Completed"], "cmp": "newer_than", "hours": 0},
    {"kind": "Recency", "events": ["Product Viewed"], "cmp": "never"},
    {"kind": "NotFollowed", "first": "Product Viewed", "then": ["Order Completed"], "window_h": 2160},
    {"kind": "PlayHistory", "any": True, "cmp": ">=", "n": 1, "hours": 9600},
    {"kind": "Stock", "source": ["cart", "wishlist", "viewed"]},
    *({"kind": "Stage", "in": [stage]} for stage in STAGES),
    {"kind": "Near", "max_m": 0, "of": "home_store"},
    {"kind": "Consent", "purpose": "profiling", "state": "denied"},
]


@st.composite
def shoppers(draw: st.DrawFn) -> dict[str, Any]:
    """A profile document whose every time and number may be an extreme, or none at all."""

    def line(name: str) -> dict[str, Any]:
        price = {"minor": draw(NUMBERS), "currency": "EUR"}
        return {"at": draw(TIMES), "channel": "web", "event": name, "sku": "A", "category": "tents", "price": price}

    names = ["Product Viewed", "Product Added", "Order Completed", "Loyalty Enrolled", "Support Case Opened"]
    metres = draw(st.one_of(st.none(), NUMBERS))
    return {
        "recent": [line(draw(st.sampled_from(names))) for _ in range(draw(st.integers(0, 5)))],
        "seen": {name: {"n": 1, "first_at": draw(TIMES), "last_at": draw(TIMES)} for name in names[:2]},
        "cart": [{"sku": "A", "at": draw(TIMES)}],
        "wishlist": [{"sku": "A", "at": draw(TIMES)}],
        "facts": {
            "orders": draw(NUMBERS),
            "refunds": draw(NUMBERS),
            "first_order_at": draw(TIMES),
            "last_order_at": draw(TIMES),
            "net_revenue": [{"minor": draw(NUMBERS), "currency": "EUR"}],
            "distance": {"this_store_m": metres, "home_store_m": metres},
        },
        "points": draw(NUMBERS),
        "birth_on": draw(DAYS),
        "open_issue": draw(st.one_of(st.none(), TIMES.map(lambda at: {"title": "Zip", "opened_at": at}))),
        "outcomes": [
            {"op_id": "o", "play_id": "cart-reminder-near", "outcome": draw(st.sampled_from(["bought", "interested"]))}
            | {"at": draw(TIMES)}
        ],
        "plays_state": {"member-weekend": {"shown_at": [draw(TIMES)]}},
        "consent": {purpose: {"decision": "granted", "at": draw(TIMES)} for purpose in ALL_PURPOSES},
    }


@st.composite
def worlds(draw: st.DrawFn) -> EvaluationInputs:
    """Such a shopper in a store anywhere, at any moment."""
    store = StoreFacts("berlin-1", draw(st.sampled_from(ZONES)), "EUR")
    stock = {"A": StockLevel(draw(NUMBERS), "B3")}
    return seen(stock=stock, store=store, now_s=draw(NOWS), settings=seed_settings(), **draw(shoppers()))


def test_every_kind_of_leaf_is_asked():
    """The leaves below are sound at save and are of all kinds; a group holds them, a segment is written out."""
    assert {leaf["kind"] for leaf in LEAVES} | {"Group", "Segment"} == set(KINDS)
    assert all(problems_in(read_condition(leaf), frozenset(ALL_PURPOSES)) == [] for leaf in LEAVES)


@given(worlds(), st.sampled_from(LEAVES))
def test_every_leaf_answers_yes_or_no_and_can_be_explained(world, leaf):
    """True or false, the same after the journey as a document; trace and why are said as well."""
    condition = read_condition(leaf)
    answer = evaluate(condition, world)
    assert isinstance(answer.is_met, bool)
    assert evaluate(read_condition(condition_document(condition)), world) == answer
    assert trace_document(answer.trace)["is_met"] is answer.is_met
    if answer.is_met:
        assert all(explain(answer.trace, world, language).sentence for language in ("en", "de"))


@given(worlds(), st.sampled_from(["en", "de"]), st.sampled_from(["card", "outreach"]))
def test_the_shipped_playbook_always_makes_a_card(world, language, where):
    """A verdict for each play; what is held back has an end that can be written."""
    answer = recommend(world, seed_playbook(), loyalty_anchor="L1", language=language, where=where)
    assert len(answer.verdicts) == len(seed_playbook().plays)
    check_body([one.until for one in answer.held_back])


@given(st.integers(-(2**70), 2**70), st.sampled_from(ZONES))
def test_a_time_beyond_the_calendar_is_its_first_or_last_moment(seconds, zone):
    """In every zone; within the calendar it is exact."""
    told = local_time(seconds, zone_of(zone))
    if FIRST_S + 86_400 <= seconds <= LAST_S - 86_400:
        assert int(told.timestamp()) == seconds
    else:
        assert told.year in {1, 9999}
    assert EARLIEST_AT <= seconds_at(seconds) <= LATEST_AT


@pytest.mark.parametrize(
    ("birth_on", "days", "is_near"),
    [("1990-12-31", 0, True), ("1990-12-30", 366, False), ("1990-01-01", 366, False), ("1992-02-29", 366, False)],
)
def test_the_last_day_of_all_still_has_its_birthdays(birth_on, days, is_near):
    """No next year is needed to say that a birthday is today."""
    assert is_birthday_within(birth_on, days, local_time(LAST_S, zone_of("UTC")).date()) is is_near
