"""1,500 drawn trees over 200 drawn shoppers: the evaluator, SQLite and PostgreSQL give the same answers."""

from __future__ import annotations

import random

import pytest

from sync_server.ports import CentralDatabase
from tests.fuzz.both_sides import compare, publish_world
from tests.fuzz.drawn_worlds import draw_world

SHOPPERS = 200
TREES = 250


@pytest.mark.parametrize("seed", range(6))
def test_evaluator_and_databases_agree(databases: dict[str, CentralDatabase], seed: int):
    """No difference, on either engine; and the trees ask something: most are met by some and not by others."""
    chance = random.Random(seed)
    world = draw_world(chance, SHOPPERS)
    for database in databases.values():
        publish_world(database, world)
    told = list(compare(databases, world, chance, TREES))
    assert [difference for _, _, differences in told for difference in differences] == []
    assert len(told) == TREES
    assert sum(0 < met < SHOPPERS for _, met, _ in told) > TREES // 3
