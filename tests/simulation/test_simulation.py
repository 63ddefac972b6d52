"""Fixed seeds of the simulation, the ones that once found something first; each line replays by `tests.simulation`."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.simulation.faults import ALL_FAULTS
from tests.simulation.regressions import REGRESSIONS, Regression
from tests.simulation.schedule import Plan, run_plan

SEEDS = range(1000, 1040)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The faults are planted: their tracebacks are no news."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("regression", REGRESSIONS, ids=lambda regression: str(regression.plan.seed))
def test_a_seed_that_once_found_something_stays_good(regression: Regression):
    """Runs that were red once; each says why."""
    verdict = run_plan(regression.plan)
    assert verdict.broken is None, f"{verdict.broken} ({regression.found}); replay: {verdict.plan.replay()}"


@pytest.mark.parametrize("seed", SEEDS)
def test_every_invariant_holds_after_every_step(seed: int):
    """Tablets, HQ and faults drawn by the seed; all invariants after each step, convergence once the faults stop."""
    verdict = run_plan(Plan(seed))
    assert verdict.broken is None, f"{verdict.broken}; replay: {verdict.plan.replay()}"


def test_a_chain_without_faults_is_at_rest():
    """The harness itself: no fault, nothing broken, and work was done."""
    verdict = run_plan(Plan(0, faults=()))
    assert verdict.broken is None
    assert verdict.ops > 20
    assert verdict.requests > 50


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_has_the_same_log_every_time(seed: int):
    """Clock, chance, ids, schedule and faults all come from the seed."""
    plan = Plan(seed, faults=tuple(fault for fault in ALL_FAULTS if fault != "poison"))
    assert run_plan(plan).log_sha == run_plan(plan).log_sha
