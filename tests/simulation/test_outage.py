"""I22 with as many tablets as a run of CI has time for; 500 of them belong to the full run."""

from __future__ import annotations

import logging

from tests.simulation.outage import OPS_A_TABLET, check_return, return_after_an_hour


def test_tablets_that_come_back_after_an_hour_form_no_herd():
    """All ops at HQ within the longest back-off, and a line of writers that never fills."""
    logging.disable(logging.CRITICAL)
    try:
        back = return_after_an_hour(40)
    finally:
        logging.disable(logging.NOTSET)
    check_return(back)
    assert back.ops == 40 * OPS_A_TABLET
    assert back.requests >= 40 * 3
