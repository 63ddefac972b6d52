"""The gate of identity.md over streets as they really are: any order, piece by piece and split and linked again, who is
who is the same. Each test counts what it tried, asserts that it was enough, and gives the figure to tests/PROOF.md."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from shared.clock import shift_at
from shared.identity import Identifier
from shared.partition import IdentityFacts, Link, Sighting, Split, Why, partition
from tests.conftest import RecordFigure
from tests.property.test_partition import Incremental, anchors, shuffled
from tests.support.streets import TROUBLES, make_street

STREETS = 64
SHUFFLES_A_STREET = 20
SHUFFLES_MIN = 1_000
LAST_AT = "2027-01-01T00:00:00.000Z"


def test_the_streets_are_as_bad_as_they_say() -> None:
    """Every trouble is in many streets, and every reason to keep two apart is met: else the gate proves little."""
    troubles, whys = Counter[str](), Counter[Why]()
    shared = joined = 0
    for seed in range(STREETS):
        facts, names = make_street(seed)
        found = partition(facts)
        troubles.update(names)
        whys.update(one.why for one in found.refused)
        shared += len(found.shared)
        joined += sum(len(one.identifiers) > 1 for one in found.components)
    assert all(troubles[one.__name__] >= STREETS // 4 for one in TROUBLES), troubles
    assert set(whys) >= {Why.SPLIT, Why.TWO_NUMBERS, Why.SHARED_DEVICE}, whys
    assert min(shared, joined) > STREETS // 4


def test_over_a_thousand_shuffles_change_nobody(record_figure: RecordFigure) -> None:
    """Components, ids, evidence, refusals and contacts are equal to the letter."""
    shuffles = 0
    for seed in range(STREETS):
        facts, names = make_street(seed)
        chance, expected = random.Random(seed), partition(facts)
        for _ in range(SHUFFLES_A_STREET):
            assert partition(shuffled(facts, chance)) == expected, (seed, names)
            shuffles += 1
    assert shuffles >= SHUFFLES_MIN
    print(f"{shuffles} shuffles of {STREETS} streets")
    record_figure("who is who: shuffles of adversarial streets, all with one answer", f"{shuffles:,}", "shuffles")


def test_piece_by_piece_is_the_whole_in_any_order(record_figure: RecordFigure) -> None:
    """After each fact of a shuffled street the part worked out anew is what a rebuild says."""
    steps = 0
    for seed in range(STREETS):
        facts, names = make_street(seed)
        waiting: list[Sighting | Link | Split] = [*facts.sightings, *facts.links, *facts.splits]
        random.Random(seed).shuffle(waiting)
        work = Incremental()
        for fact in waiting:
            work.add(fact)
            rebuilt = partition(work.facts)
            held = {one: anchor for one, anchor in work.anchor_of.items() if one not in rebuilt.shared}
            assert held == anchors(rebuilt), (seed, names, fact)
            steps += 1
    assert steps >= SHUFFLES_MIN
    print(f"{steps} steps, each compared with a rebuild")
    record_figure("who is who: facts one by one, each compared with a rebuild", f"{steps:,}", "facts")


def test_whatever_is_split_and_linked_again_is_as_it_was(record_figure: RecordFigure) -> None:
    """Of each street every pair that some evidence joined: apart after the split, and the same shoppers after the
    link, with the same ids and redirects."""
    pairs = 0
    for seed in range(STREETS):
        facts, names = make_street(seed)
        facts = replace(facts, links=(), splits=())
        before = partition(facts)
        for a, b in sorted({(edge.a, edge.b) for one in before.components for edge in one.edges}):
            apart = partition(replace(facts, splits=(Split("s", LAST_AT, a, b, "HQ"),)))
            assert apart.component_of(a) != apart.component_of(b), (seed, names)
            assert shoppers(_linked_again(facts, a, b)) == shoppers(facts), (seed, names, a, b)
            pairs += 1
    assert pairs >= STREETS * 2
    print(f"{pairs} pairs split and linked again")
    record_figure("who is who: pairs split and linked again, each as it was", f"{pairs:,}", "pairs")


def _linked_again(facts: IdentityFacts, a: Identifier, b: Identifier) -> IdentityFacts:
    split = Split("s", LAST_AT, a, b, "HQ")
    link = Link("t", shift_at(LAST_AT, ms=1), a, b, "HQ")
    return replace(facts, links=(link,), splits=(split,))


def shoppers(facts: IdentityFacts) -> list[tuple[str, frozenset[object], frozenset[str]]]:
    """Each shopper's id, identifiers and redirects."""
    return [(one.profile_id, frozenset(one.identifiers), one.redirects()) for one in partition(facts).components]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_trouble_stands_alone_in_some_street(trouble: object) -> None:
    """So that a failure can be read."""
    assert any(names == (getattr(trouble, "__name__", ""),) for _, names in map(make_street, range(STREETS)))
