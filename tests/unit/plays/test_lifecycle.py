"""Lifecycle stages and value bands."""

from __future__ import annotations

import pytest

from shared.lifecycle import STAGES, StageSettings, decide_stage, value_bands
from shared.plays.evaluate import evaluate
from shared.plays.explain import stage_because
from shared.profile import ProfileFacts
from tests.support.plays import NOW_S, condition, days_ago, outcome, seen


def facts(first: float | None, last: float | None, orders: int = 2) -> ProfileFacts:
    """Facts with a first and last order so many days ago."""
    return ProfileFacts(
        first_order_at=None if first is None else days_ago(first),
        last_order_at=None if last is None else days_ago(last),
        orders=orders,
    )


SECOND = 1 / 86_400


@pytest.mark.parametrize(
    ("first", "last", "stage"),
    [
        (None, None, "prospect"),
        (400, 366, "win_back"),
        (400, 365, "lapsing"),
        (400, 365 + SECOND, "win_back"),
        (400, 90, "active"),
        (400, 90 + SECOND, "lapsing"),
        (60, 10, "new"),
        (60 + SECOND, 10, "active"),
        (None, 10, "active"),
        (-1, -1, "new"),
    ],
)
def test_the_first_stage_that_matches_is_the_one(first, last, stage):
    """The bounds of plays.md, to the second."""
    decided = decide_stage(facts(first, last, 0 if last is None else 2), NOW_S, StageSettings())
    assert decided.stage == stage


def test_the_bounds_are_settings():
    """A chain may call 30 days lapsing."""
    assert decide_stage(facts(400, 40), NOW_S, StageSettings(lapsing_days=30)).stage == "lapsing"


def test_the_dates_that_decided_are_told():
    """New rests on the first order, lapsing on the last, prospect on none."""
    assert [reason.fact for reason in decide_stage(facts(20, 5), NOW_S, StageSettings()).because] == [
        "first_order",
        "last_order",
    ]
    lapsing = decide_stage(facts(400, 100), NOW_S, StageSettings()).because[0]
    assert (lapsing.fact, lapsing.days_ago) == ("last_order", 100)


@pytest.mark.parametrize(
    ("document", "english", "german"),
    [
        ({}, "no order yet", "noch keine Bestellung"),
        (
            {
                "orders": 3,
                "first_order_at": days_ago(300),
                "last_order_at": days_ago(10),
                "last_order_store": "berlin-1",
            },
            "last order 12 Nov, here",
            "letzter Kauf 12. Nov., hier",
        ),
        (
            {"orders": 1, "first_order_at": days_ago(20), "last_order_at": days_ago(20)},
            "first order 2 Nov",
            "erster Kauf 2. Nov.",
        ),
        ({"orders": 1, "last_order_at": days_ago(400)}, "last order 18 Oct 2025", "letzter Kauf 18. Okt. 2025"),
    ],
)
def test_the_chip_tells_the_date_and_the_place(document, english, german):
    """As screens.md draws it: `last order 12 Nov, here`."""
    inputs = seen(facts=document)
    assert stage_because(inputs.view.stage, inputs) == english
    assert stage_because(inputs.view.stage, inputs, "de") == german


def test_a_claim_bought_never_moves_a_stage():
    """Stage waits for the order."""
    inputs = seen(outcomes=[outcome("a", "bought", 1)])
    assert inputs.view.stage.stage == "prospect"


@pytest.mark.parametrize("last", [None, *range(0, 500, 7)])
def test_the_stages_partition_all_profiles(last):
    """Of five Stage leaves exactly one is met, whatever the dates."""
    document = {"orders": 0 if last is None else 2, "first_order_at": days_ago(410)}
    document |= {} if last is None else {"last_order_at": days_ago(last)}
    inputs = seen(facts=document)
    met = [stage for stage in STAGES if evaluate(condition(kind="Stage", **{"in": [stage]}), inputs).is_met]
    assert met == [inputs.view.stage.stage]


def test_value_bands_are_shares_of_those_who_bought():
    """Of 100 buyers 5 are top 5 %, 15 more top 20 %, the rest rest; without revenue none."""
    bands = value_bands({**{f"p{n:03d}": n * 100 for n in range(1, 101)}, "zero": 0, "returned": -500})
    counted = {band: sorted(bands.values()).count(band) for band in ("top_5", "top_20", "rest", "none")}
    assert counted == {"top_5": 5, "top_20": 15, "rest": 80, "none": 2}
    assert bands["p100"] == "top_5"
    assert bands["p095"] == "top_20"


def test_equal_revenue_has_an_equal_band():
    """Ten equal buyers are all at the top: none of them has more before them."""
    assert set(value_bands({str(n): 500 for n in range(10)}).values()) == {"top_5"}
