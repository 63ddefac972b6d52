"""Ten thousand trees over two hundred shoppers: for `python -m tests full` only, so pytest does not collect it."""

from __future__ import annotations

import random
from typing import Any

from sync_server.ports import CentralDatabase
from tests.conftest import RecordFigure
from tests.fuzz.both_sides import Difference, compare, publish_world
from tests.fuzz.drawn_worlds import draw_world

WORLDS = 20
TREES = 500
SHOPPERS = 200


def test_ten_thousand_trees_are_answered_alike(databases: dict[str, CentralDatabase], record_figure: RecordFigure):
    """The gate of the rules: no difference on either engine. Each world's feeds replace those of the one before."""
    told: list[tuple[dict[str, Any], int, list[Difference]]] = []
    for seed in range(1_000, 1_000 + WORLDS):
        chance = random.Random(seed)
        world = draw_world(chance, SHOPPERS)
        for database in databases.values():
            publish_world(database, world)
        told += compare(databases, world, chance, TREES)
    different = [difference for _, _, differences in told for difference in differences]
    claim = f"{len(told):,} random trees x {SHOPPERS} profiles, evaluator against SQLite and PostgreSQL: differences"
    record_figure(claim, str(len(different)), "")
    print(
        f"\n{claim}: {len(different)}; {sum(0 < met < SHOPPERS for _, met, _ in told):,} trees met by some, not by all"
    )
    assert different == []
