"""Each mutant dies by the seed that is known to kill it, by an invariant that is about it; the real code lives."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.mutants.catalogue import MUTANTS, Mutant
from tests.simulation.schedule import run_plan


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The faults are planted: their tracebacks are no news."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_all_twenty_of_the_protocol_are_here():
    """M1 to M20, in order."""
    assert [mutant.name for mutant in MUTANTS] == [f"M{number}" for number in range(1, 21)]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_killed_by_its_seed(mutant: Mutant):
    """With the patch the run breaks one of the mutant's invariants."""
    with mutant.apply():
        verdict = run_plan(mutant.plan(mutant.seed))
    assert verdict.broken is not None, f"{mutant.name} survived"
    assert verdict.broken.partition(":")[0] in mutant.killers, verdict.broken


@pytest.mark.parametrize("faults", sorted({mutant.faults for mutant in MUTANTS if mutant.seed == 0})[:4])
def test_without_the_patch_the_same_run_is_good(faults: tuple[str, ...]):
    """The seed alone kills nothing: what the mutants die of is their own."""
    verdict = run_plan(next(mutant for mutant in MUTANTS if mutant.faults == faults).plan(0))
    assert verdict.broken is None
