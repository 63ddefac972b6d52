"""Drawn condition trees for the rules fuzz: every leaf, operator, field and property, all sound at save."""

from __future__ import annotations

import random
from typing import Any, Final

from shared.lifecycle import STAGES
from shared.plays.catalogue import ANY_ONLINE, FIELDS, OPERATORS, PROPERTIES, PURPOSES, FieldType
from tests.fuzz.drawn_worlds import (
    DAYS,
    EVENTS,
    FOLDED_PARTS,
    HOURS,
    LONG_HOURS,
    OUTCOMES,
    PREFERENCES,
    WORDS,
)

COMPARISONS: Final = (">=", "<=", "==")
_NUMBERS: Final = (0, 1, 2, 3, 499, 500, 999, 1000)
_NAMES: Final = ("berlin-1", "zurich-1", "de", "10115", "gift", "web", "a", "ö", *WORDS, *FOLDED_PARTS)
_SETS: Final = ("loyalty_id", "email", "web", "app", "gift", "öffer", *PREFERENCES)
_DRAWN: Final[dict[FieldType, tuple[Any, ...]]] = {
    "integer": _NUMBERS,
    "text": _NAMES,
    "choice": ("top_5", "top_20", "rest", "none"),
    "text_set": _SETS,
    "day": DAYS,
}


def draw_tree(chance: random.Random, depth: int = 3) -> dict[str, Any]:
    """A leaf, or a group of up to 3 groups deep; now and then an empty one, or one of twenty."""
    if depth == 0 or chance.random() < 0.35:
        return draw_leaf(chance)
    size = 20 if chance.random() < 0.01 else chance.choice([0, 1, 2, 2, 3, 4])
    parts = [draw_tree(chance, depth - 1 if size < 20 else 0) for _ in range(size)]
    return {"kind": "Group", "op": chance.choice(["all", "any", "none"]), "items": parts}


def draw_leaf(chance: random.Random) -> dict[str, Any]:
    """A leaf of any kind."""
    return chance.choice(_LEAVES)(chance)


def _some_events(chance: random.Random) -> list[str]:
    return chance.sample([*EVENTS, ANY_ONLINE], chance.choice([1, 1, 2, 3]))


def _tests(chance: random.Random) -> list[dict[str, Any]]:
    return [_test(chance) for _ in range(chance.choice([0, 0, 1, 1, 2]))]


def _test(chance: random.Random) -> dict[str, Any]:
    prop = chance.choice(list(PROPERTIES.values()))
    return {"prop": prop.name, **_comparison(chance, prop.type)}


def _comparison(chance: random.Random, sort: FieldType) -> dict[str, Any]:
    op = chance.choice(OPERATORS[sort])
    if op in {"exists", "missing"}:
        return {"op": op}
    if op == "within_next_days":
        return {"op": op, "value": chance.choice([0, 1, 14, 365, 366])}
    drawn = _DRAWN[sort]
    if op == "between":
        return {"op": op, "value": sorted(chance.choices(drawn, k=2))}
    if op in {"in", "not_in", "has_any", "has_none"}:
        return {"op": op, "value": chance.sample(drawn, chance.choice([0, 1, 2, 3]))}
    return {"op": op, "value": chance.choice(drawn)}


def _pair(chance: random.Random) -> tuple[int, int]:
    """Two different numbers of hours, the smaller first."""
    one, other = sorted(chance.sample(HOURS, 2))
    return one, other


def _event_count(chance: random.Random) -> dict[str, Any]:
    to_h, from_h = _pair(chance)
    same = chance.choice([None, None, "sku", "category"])
    return {
        "kind": "EventCount",
        "events": _some_events(chance),
        "where": _tests(chance),
        "window": {"from_h": from_h, "to_h": to_h},
        "cmp": ">=" if same else chance.choice(COMPARISONS),
        "n": chance.choice([0, 1, 1, 2, 3]),
        "same": same,
        "unless": _some_events(chance) if same and chance.random() < 0.5 else [],
    }


def _recency(chance: random.Random) -> dict[str, Any]:
    leaf = {
        "kind": "Recency",
        "events": _some_events(chance),
        "cmp": chance.choice(["older_than", "newer_than", "never"]),
    }
    if leaf["cmp"] == "never":
        return leaf
    tests = _tests(chance)
    return {**leaf, "where": tests, "hours": chance.choice(HOURS if tests else LONG_HOURS)}


def _not_followed(chance: random.Random) -> dict[str, Any]:
    idle_h, window_h = _pair(chance)
    return {
        "kind": "NotFollowed",
        "first": chance.choice(EVENTS),
        "then": _some_events(chance),
        "same": chance.choice([None, "sku", "category", "cart_id"]),
        "idle_h": idle_h,
        "window_h": window_h,
    }


def _profile_field(chance: random.Random) -> dict[str, Any]:
    field = chance.choice(list(FIELDS.values()))
    return {"kind": "Profile", "field": field.name, **_comparison(chance, field.type)}


def _stage(chance: random.Random) -> dict[str, Any]:
    return {"kind": "Stage", "in": chance.sample(STAGES, chance.choice([0, 1, 2]))}


def _consent(chance: random.Random) -> dict[str, Any]:
    return {"kind": "Consent", "purpose": chance.choice(PURPOSES), "state": chance.choice(["granted", "denied"])}


def _near(chance: random.Random) -> dict[str, Any]:
    return {
        "kind": "Near",
        "max_m": chance.choice([0, 3000, 15_000]),
        "of": chance.choice(["this_store", "home_store"]),
    }


def _stock(chance: random.Random) -> dict[str, Any]:
    sources = chance.sample(["cart", "wishlist", "viewed"], chance.choice([1, 2, 3]))
    window_h = chance.choice([hours for hours in HOURS if hours])
    return {"kind": "Stock", "source": sources, "window_h": window_h, "min_qty": chance.choice([1, 2, 5])}


def _play_history(chance: random.Random) -> dict[str, Any]:
    of: dict[str, Any] = chance.choice(
        [{"play": "p1"}, {"play": "p3"}, {"tag": "cart"}, {"tag": "thanks"}, {"any": True}]
    )
    return {
        "kind": "PlayHistory",
        **of,
        "result": chance.choice([*OUTCOMES, "any", "any"]),
        "cmp": chance.choice(COMPARISONS),
        "n": chance.choice([0, 1, 2]),
        "hours": chance.choice([hours for hours in LONG_HOURS if hours]),
    }


_LEAVES: Final = (
    *(_event_count, _event_count, _recency, _not_followed, _profile_field, _profile_field),
    *(_stage, _consent, _near, _stock, _play_history),
)
