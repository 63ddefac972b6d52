"""The golden vectors hold on all three: what a rule answered once, it answers for ever. The drawing misses nothing."""

from __future__ import annotations

import random
from typing import Any

from shared.plays.catalogue import FIELDS, OPERATORS, PROPERTIES
from shared.plays.condition import KINDS, read_condition, walk
from sync_server.ports import CentralDatabase
from tests.fuzz.both_sides import inputs_of, met_by_evaluator, met_by_sql, publish_world
from tests.fuzz.drawn_trees import draw_tree
from tests.fuzz.drawn_worlds import STORES
from tests.fuzz.golden_vectors import VECTORS, read_vectors

BY_CODE = {store.code: store for store in STORES}


def test_the_golden_vectors_hold_on_all_three(databases: dict[str, CentralDatabase]):
    """Evaluator, SQLite and PostgreSQL answer each as it is frozen."""
    world, vectors = read_vectors()
    for database in databases.values():
        publish_world(database, world)
    assert len(vectors) == VECTORS
    inputs = {(code, now_s): inputs_of(world, BY_CODE[code], now_s) for code, now_s in {key(one) for one in vectors}}
    different = []
    for number, vector in enumerate(vectors):
        condition, expected = read_condition(vector["tree"]), set(vector["met"])
        if met_by_evaluator(condition, inputs[key(vector)]) != expected:
            different.append((number, "evaluator"))
        for engine, database in databases.items():
            if met_by_sql(database, condition, [BY_CODE[vector["store"]]], vector["now_s"]) != expected:
                different.append((number, engine))
    assert different == []


def key(vector: dict[str, Any]) -> tuple[str, int]:
    """Store and moment of a vector."""
    return vector["store"], vector["now_s"]


def test_the_drawing_covers_every_leaf_operator_field_and_property():
    """What the trees of a run ask, all together, is everything that can be asked."""
    chance = random.Random(0)
    asked: set[tuple[str, ...]] = set()
    for _ in range(4_000):
        for _, _, part in walk(read_condition(draw_tree(chance))):
            asked.add((part.kind,))
            asked.update((part.kind, test.prop, test.op) for test in getattr(part, "where", ()))
            if part.kind == "Group":
                asked.add((part.kind, part.op, "some" if part.parts else "empty"))
            if part.kind == "Profile":
                asked.add((part.kind, part.field, part.op))
            if part.kind in {"EventCount", "Recency", "PlayHistory"}:
                asked.add((part.kind, part.cmp))
    expected: set[tuple[str, ...]] = {(kind,) for kind in KINDS if kind != "Segment"}
    expected |= {("Profile", name, op) for name, field in FIELDS.items() for op in OPERATORS[field.type]}
    expected |= {("EventCount", name, op) for name, prop in PROPERTIES.items() for op in OPERATORS[prop.type]}
    expected |= {("Recency", name, op) for name, prop in PROPERTIES.items() for op in OPERATORS[prop.type]}
    expected |= {("Group", op, size) for op in ("all", "any", "none") for size in ("some", "empty")}
    expected |= {(kind, cmp) for kind in ("EventCount", "PlayHistory") for cmp in (">=", "<=", "==")}
    expected |= {("Recency", cmp) for cmp in ("older_than", "newer_than", "never")}
    assert expected - asked == set()
