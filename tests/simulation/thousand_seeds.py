"""A thousand seeds, each run twice: for `python -m tests full` only, so pytest does not collect this file by itself."""

from __future__ import annotations

import logging

from tests.conftest import RecordFigure
from tests.simulation.__main__ import main
from tests.simulation.outage import check_return, return_after_an_hour

SEEDS = 1000
TABLETS = 500


def test_five_hundred_tablets_come_back_after_an_hour(record_figure: RecordFigure):
    """I22 at its full size."""
    logging.disable(logging.CRITICAL)
    back = return_after_an_hour(TABLETS)
    logging.disable(logging.NOTSET)
    check_return(back)
    claim = f"{TABLETS} simulated tablets after an hour without HQ"
    record_figure(f"{claim}: last op at HQ after", f"{back.drained_s:.0f}", "virtual s")
    record_figure(f"{claim}: busiest second", str(back.busiest_second), "requests")
    record_figure(f"{claim}: longest line of writers at 20 a second", str(back.longest_line), "of 64 places")


def test_a_thousand_seeds_hold_every_invariant_and_have_the_same_log_twice():
    """The command of the README, as the full run proves it."""
    assert main(["--seeds", str(SEEDS)]) == 0
