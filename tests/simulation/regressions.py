"""Runs that once found something, each with its faults pinned so that new faults do not change what it is.

The first of them are tests of every run of CI; `python -m tests.simulation --seed N --faults ...` replays one by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.schedule import Plan


@dataclass(frozen=True, slots=True)
class Regression:
    """A plan that was red once, and why."""

    plan: Plan
    found: str


REGRESSIONS = (
    Regression(
        Plan(
            11,
            faults=(
                "corrupt",
                "busy",
                "unauthorised",
                "portal",
                "full",
                "sidecar",
                "clock",
                "restore_hq",
                "restart_hq",
                "revoke",
                "time",
            ),
        ),
        "a tablet's clock years ahead dropped sent ops at once, and a restored HQ never got them back",
    ),
    Regression(
        Plan(
            60,
            faults=(
                "drop_request",
                "duplicate",
                "truncate",
                "busy",
                "unauthorised",
                "portal",
                "power",
                "bug",
                "clone",
                "restart_hq",
                "revoke",
                "time",
                "poison",
                "merge",
                "consent",
            ),
        ),
        "an op parked under an earlier device id was shown as received once the tablet was connected anew",
    ),
    Regression(
        Plan(
            62,
            faults=(
                "drop_response",
                "delay",
                "corrupt",
                "internal",
                "unauthorised",
                "portal",
                "bug",
                "restore_tablet",
                "wipe",
                "sidecar",
                "revoke",
                "time",
                "merge",
                "consent",
            ),
        ),
        "a power cut in the middle of a wipe",
    ),
    Regression(
        Plan(10, faults=("move", "schema", "min_app", "decide", "salvage", "drop_response", "offline", "consent")),
        "a tablet connected in another store had the unsent ops of its first store refused for good",
    ),
    Regression(Plan(310), "the same of an install begun since, whose tablet was then connected elsewhere"),
    Regression(Plan(463), "a wipe that failed was not tried again while the app ran"),
    Regression(Plan(528), "a copy of a disconnected tablet, connected in another store, had its records refused"),
    Regression(Plan(1018), "HQ restored to before a move refused for good what was recorded for the new store since"),
    Regression(Plan(77), "the same of a tablet enrolled since, which HQ then did not know at all"),
)
