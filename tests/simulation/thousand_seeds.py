"""A thousand seeds, each run twice: for `python -m tests full` only, so pytest does not collect this file by itself."""

from __future__ import annotations

from tests.simulation.__main__ import main

SEEDS = 1000


def test_a_thousand_seeds_hold_every_invariant_and_have_the_same_log_twice():
    """The command of the README, as the full run proves it."""
    assert main(["--seeds", str(SEEDS)]) == 0
