"""Hypothesis draws what happens: no schedule breaks an invariant, and of one that does it finds the short form."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from tests.mutants.on_tablets import delete_on_ack
from tests.simulation.drawn import plans
from tests.simulation.schedule import Plan, run_plan

CALM = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The faults are planted: their tracebacks are no news."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@given(plans())
@settings(CALM, max_examples=12, phases=(Phase.generate,))
def test_no_drawn_schedule_breaks_an_invariant(plan: Plan):
    """The same checks after every deed as for a seed."""
    verdict = run_plan(plan)
    assert verdict.broken is None, f"{verdict.broken}; replay: {plan.replay()}"


def test_a_mutant_is_found_and_its_schedule_shrunk():
    """An op deleted when it is acknowledged: a schedule that shows it, with nothing in it that is not needed."""

    def is_broken(plan: Plan) -> bool:
        with delete_on_ack():
            return run_plan(plan).broken is not None

    found = find(plans(deeds_max=12), is_broken, settings=settings(CALM, max_examples=20))
    assert found.deeds == ("record",)
    assert found.tablets == 1
