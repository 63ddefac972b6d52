"""Schedules that Hypothesis draws and shrinks, for the same world that seeds drive: one harness, two ways to choose.

A drawn plan says which deeds happen in which order, which faults the network has, and how many tablets there are; what
is left to chance inside a deed comes from the plan's seed. A failing one prints the line that replays it.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.simulation.faults import ALL_FAULTS, HQ_FAULTS, NETWORK_FAULTS, OP_FAULTS, TABLET_FAULTS
from tests.simulation.schedule import ALWAYS, Plan

DEEDS_MAX = 60
_OF_THE_SCHEDULE = tuple(fault for fault in (*TABLET_FAULTS, *HQ_FAULTS) if fault in ALL_FAULTS)
_OF_THE_REST = tuple(fault for fault in ALL_FAULTS if fault in (*NETWORK_FAULTS, *OP_FAULTS))


@st.composite
def plans(draw: st.DrawFn, deeds_max: int = DEEDS_MAX) -> Plan:
    """A plan; it shrinks to few deeds, few faults, one tablet and seed 0."""
    deeds = draw(st.lists(st.sampled_from((*ALWAYS, *_OF_THE_SCHEDULE)), min_size=1, max_size=deeds_max))
    spoiled = draw(st.sets(st.sampled_from(_OF_THE_REST), max_size=4))
    faults = tuple(fault for fault in ALL_FAULTS if fault in spoiled or fault in deeds)
    tablets = draw(st.integers(1, 3))
    return Plan(draw(st.integers(0, 999)), tablets, faults, steps=len(deeds), deeds=tuple(deeds))
