"""The twenty mutants of protocol.md, each with the faults and the seed that are known to show it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from tests.mutants import on_hq, on_tablets
from tests.simulation.schedule import Plan, run_plan

CALM_STEPS: Final = 700


@dataclass(frozen=True, slots=True)
class Mutant:
    """A way to be wrong. `faults` are those it needs to show itself; `seed` is known to kill it."""

    name: str
    title: str
    apply: Callable[[], AbstractContextManager[Any]]
    faults: tuple[str, ...]
    seed: int
    killers: tuple[str, ...]
    """The invariants that may notice it."""

    def plan(self, seed: int) -> Plan:
        """The run of one seed against this mutant."""
        return Plan(seed, faults=self.faults, calm_steps=CALM_STEPS)


MUTANTS: Final = (
    Mutant("M1", "ack before COMMIT", on_hq.ack_before_commit, ("hq_commit",), 0, ("I1",)),
    Mutant("M2", "cursor before apply", on_tablets.cursor_before_apply, ("power",), 4, ("I6", "I7")),
    Mutant("M3", "positions taken before COMMIT", on_hq.naive_positions, (), 0, ("I6",)),
    Mutant("M4", "delete the op on ack", on_tablets.delete_on_ack, (), 0, ("I3",)),
    Mutant("M5", "stop at the first rejection", on_tablets.stop_at_rejection, ("unknown",), 0, ("I19", "I21")),
    Mutant("M6", "401 clears the outbox", on_tablets.unknown_token_clears_outbox, ("unauthorised",), 0, ("I3",)),
    Mutant("M7", "dedupe by (device, seq) only", on_hq.dedupe_by_seq, ("sidecar", "clone"), 0, ("I1",)),
    Mutant("M8", "dedupe for a day", on_hq.dedupe_for_a_day, ("drop_response", "time", "restore_tablet"), 0, ("I5",)),
    Mutant("M9", "tombstones shorter than offline time", on_hq.short_tombstones, ("offline", "time"), 0, ("I8",)),
    Mutant("M10", "adopt the server's sum", on_tablets.adopt_the_sum, ("twist",), 0, ("I9",)),
    Mutant("M11", "page split inside equal positions", on_hq.equal_positions, (), 0, ("I6", "I7")),
    Mutant("M12", "snapshot without its end line", on_tablets.snapshot_without_end, ("truncate",), 3, ("I6", "I7")),
    Mutant("M13", "no epoch check", on_hq.no_epoch_check, ("restore_hq",), 0, ("I11",)),
    Mutant("M14", "no fork check", on_hq.no_fork_check, ("clone",), 0, ("I1",)),
    Mutant("M15", "device clocks decide", on_hq.device_clocks_decide, ("clock",), 0, ("I15",)),
    Mutant("M16", "timer not re-armed", on_tablets.timer_not_rearmed, ("bug", "full"), 0, ("I19",)),
    Mutant("M17", "batch rejected whole", on_hq.batch_rejected_whole, ("unknown",), 0, ("I20",)),
    Mutant("M18", "overlay dropped at ack", on_tablets.overlay_dropped_at_ack, (), 0, ("read your writes",)),
    Mutant(
        "M19",
        "seq outside the record's transaction",
        on_tablets.seq_outside_the_transaction,
        ("power",),
        0,
        ("I3", "I4"),
    ),
    Mutant("M20", "push as whoever is signed in", on_tablets.push_as_whoever_is_signed_in, (), 0, ("I14",)),
)


@dataclass(frozen=True, slots=True)
class Death:
    """How a mutant ended: the invariant that noticed it (None: it survived), after how many seeds, in which words."""

    mutant: Mutant
    invariant: str | None
    seeds: int
    words: str


def hunt(mutant: Mutant, seeds_max: int) -> Death:
    """Try seeds from 0 until one breaks."""
    for seed in range(seeds_max):
        with mutant.apply():
            broken = run_plan(mutant.plan(seed)).broken
        if broken:
            invariant, _, words = broken.partition(": ")
            if invariant not in mutant.killers:
                words = f"NOT ITS OWN ({', '.join(mutant.killers)}): {words}"
            return Death(mutant, invariant, seed + 1, words)
    return Death(mutant, None, seeds_max, "")
