"""Laws of a walk: drawn lives against a plain search, and what must not matter to how far somebody came."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.plays.journey_walk import Walk, walk_journey
from shared.plays.journeys import Journey, parse_journey
from tests.support.plays import HOUR_S, NOW_S, event, seen

EVENTS = ("Product Viewed", "Product Added", "Order Completed", "Store Entered")
WITHIN_H = 48

lives = st.lists(st.tuples(st.integers(0, 120), st.sampled_from(EVENTS)), max_size=14)
ways = st.lists(st.sampled_from(EVENTS), min_size=3, max_size=5)


def once(name: str) -> dict[str, Any]:
    """It happened."""
    return {"kind": "EventCount", "events": [name], "cmp": ">=", "n": 1}


def journey(way: list[str]) -> Journey:
    """A journey whose entry, steps and goal are these events."""
    steps = [{"name": name, "condition": once(name)} for name in way[1:-1]]
    ends = {"entry": once(way[0]), "goal": once(way[-1])}
    return parse_journey({"id": "drawn", "title": "Drawn", "within": WITHIN_H, "steps": steps, **ends}, "drawn")


def walked(way: list[str], life: list[tuple[int, str]]) -> Walk | None:
    """How far somebody came who did this so many hours ago."""
    return walk_journey(journey(way), seen(recent=[event(name, hours) for hours, name in life]))


def furthest(way: list[str], life: list[tuple[int, str]]) -> tuple[int, ...] | None:
    """The same by trying every choice of lines: of the longest ways the earliest, hours ago."""

    def onward(step: int, from_h: int, until_h: int) -> tuple[int, ...]:
        if step == len(way):
            return ()
        later = sorted(
            {hours for hours, name in life if name == way[step] and until_h <= hours <= from_h}, reverse=True
        )
        tried = [(hours, *onward(step + 1, hours, until_h)) for hours in later]
        return max(tried, key=lambda one: (len(one), one), default=())

    entries = {hours for hours, name in life if name == way[0]}
    tried = [(hours, *onward(1, hours, hours - WITHIN_H)) for hours in entries]
    return max(tried, key=lambda one: (len(one), is_open(len(one) - 1, way, one[0]), one[0]), default=None)


def is_open(reached: int, way: list[str], entered_h: int) -> bool:
    """Whether there is time left for what is missing."""
    return reached < len(way) - 1 and entered_h <= WITHIN_H


@given(way=ways, life=lives)
def test_a_walk_is_the_furthest_of_all_ways_through_a_life(way: list[str], life: list[tuple[int, str]]) -> None:
    """When it began, when each step was reached, and what it is now."""
    found, expected = walked(way, life), furthest(way, life)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert tuple((NOW_S - at_s) // HOUR_S for at_s in (found.entered_s, *found.reached_s)) == expected
        is_done = len(found.reached_s) == len(way) - 1
        left = "under_way" if is_open(len(found.reached_s), way, expected[0]) else "stopped"
        assert found.state == ("completed" if is_done else left)


@given(way=ways, life=lives, seed=st.integers(0, 99))
def test_neither_the_order_of_lines_nor_what_no_step_names_matters(
    way: list[str], life: list[tuple[int, str]], seed: int
) -> None:
    """Lines come in any order, and a shopper does other things as well."""
    found = walked(way, life)
    shuffled = random.Random(seed).sample(life, len(life))
    other = walked(way, [*shuffled, (seed, "Email Sent")])
    told = [None if one is None else (one.entered_s, one.reached_s, one.state) for one in (found, other)]
    assert told[0] == told[1]
