"""The golden vectors: trees, a world and who met each tree, frozen. `python -m tests.fuzz.golden_vectors` draws them
anew, which only a change of what rules mean may do."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from shared.plays.condition import read_condition
from tests.fuzz.both_sides import inputs_of, met_by_evaluator
from tests.fuzz.drawn_trees import draw_leaf, draw_tree
from tests.fuzz.drawn_worlds import NOWS, STORES, World, draw_world

FILE: Final = Path(__file__).with_name("vectors.json")
SHOPPERS: Final = 20
VECTORS: Final = 300


def read_vectors() -> tuple[World, list[dict[str, Any]]]:
    """The frozen world and its vectors: tree, store, now_s, met (profile ids)."""
    kept = json.loads(FILE.read_text("utf-8"))
    return World(**kept["world"]), kept["vectors"]


def draw() -> None:
    """Write the file anew: half of the trees are single leaves, so that each is seen alone."""
    chance = random.Random(20_261_122)
    world = draw_world(chance, SHOPPERS)
    vectors = []
    for number in range(VECTORS):
        store, now_s = chance.choice(STORES), chance.choice(NOWS)
        tree = draw_leaf(chance) if number % 2 else draw_tree(chance)
        met = met_by_evaluator(read_condition(tree), inputs_of(world, store, now_s))
        vectors.append({"tree": tree, "store": store.code, "now_s": now_s, "met": sorted(met)})
    lines = [json.dumps(vector, ensure_ascii=False, sort_keys=True) for vector in vectors]
    world_text = json.dumps(asdict(world), ensure_ascii=False, sort_keys=True)
    FILE.write_text(f'{{"world": {world_text},\n"vectors": [\n' + ",\n".join(lines) + "\n]}\n", "utf-8")


if __name__ == "__main__":
    draw()
