"""I22: a chain's tablets after an hour without HQ. Real engines, the real app, virtual time.

Requests take no time on this network, so their moments are those that the engines choose; the line of writers behind
them is worked out at a stated pace. What is shown: nobody is starved, and the line never grows over its places.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync_server.settings import Settings
from tests.simulation.changes import changing_versions
from tests.simulation.clocks import open_folder
from tests.simulation.faults import demand
from tests.simulation.schedule import Plan, World

OUTAGE_S: Final = 3600.0
OPS_A_TABLET: Final = 2
WRITE_S: Final = 0.05
"""What a hello or a push takes at an HQ that is slow: 20 a second, a tenth of what the bench measures."""
WRITES: Final = ("/v1/sync/hello", "/v1/sync/push")
CHECK_EVERY: Final = 4
"""Steps a tablet between two looks at whether all are at rest."""


@dataclass(frozen=True, slots=True)
class Return:
    """How the tablets came back: seconds to the last op at HQ, requests, the busiest second, the line of writers."""

    tablets: int
    ops: int
    at_hq: int
    drained_s: float
    requests: int
    busiest_second: int
    longest_line: int


def return_after_an_hour(tablets: int, seed: int = 0) -> Return:
    """Connect so many tablets, take HQ away for an hour, record meanwhile, and give it back."""
    with open_folder() as place, changing_versions() as versions:
        world = World(Plan(seed, tablets, faults=()), Path(place), versions)
        try:
            return _play(world)
        finally:
            world.close()


def _play(world: World) -> Return:
    world.network.latency_s = (0.0, 0.0)
    world.begin()
    _settle(world)
    ends_s = world.time.now_s + OUTAGE_S
    for tablet in world.tablets:
        tablet.offline_until_s = ends_s
    for _ in range(OPS_A_TABLET * len(world.tablets)):
        world.record()
    while min(tablet.wake_s for tablet in world.tablets) < ends_s:
        world.work()
    since = len(world.log)
    _settle(world)
    world.check()
    moments = _moments(world.log[since:])
    ops = len(set().union(*(tablet.held for tablet in world.tablets)))
    held = {row[0] for row in world.hq.rows("SELECT op_id FROM journal_entry")}
    return Return(
        tablets=len(world.tablets),
        ops=ops,
        at_hq=sum(op_id in held for tablet in world.tablets for op_id in tablet.held),
        drained_s=max(at_s for at_s, path in moments if path == WRITES[1]) - ends_s,
        requests=len(moments),
        busiest_second=_busiest(moments),
        longest_line=_longest_line([at_s for at_s, path in moments if path in WRITES]),
    )


def _settle(world: World) -> None:
    """Work until every tablet has sent and received everything."""
    for _ in range(50):
        for _ in range(CHECK_EVERY * len(world.tablets)):
            world.work()
        if not world.waiting():
            return
    demand(False, "I19", f"{len(world.waiting())} tablets did not catch up")


def _moments(log: list[str]) -> list[tuple[float, str]]:
    """(second, path) of each request, in order."""
    lines = [line.split() for line in log if " /v1/" in line]
    return [(float(line[0]), line[2]) for line in lines]


def _busiest(moments: list[tuple[float, str]]) -> int:
    seconds = [int(at_s) for at_s, _ in moments]
    return max(seconds.count(second) for second in set(seconds))


def _longest_line(arrivals: list[float]) -> int:
    """How many writes stood in line at most, each served in `WRITE_S` after the one before."""
    longest, free_s = 0, 0.0
    for at_s in arrivals:
        free_s = max(free_s, at_s) + WRITE_S
        longest = max(longest, round((free_s - at_s) / WRITE_S))
    return longest


def check_return(back: Return) -> None:
    """What I22 asks: everything is at HQ, soon, and the line of writers kept to its places."""
    demand(back.at_hq == back.ops, "I22", f"{back.at_hq} of {back.ops} ops are at HQ")
    demand(back.drained_s <= 400, "I22", f"the last op came {back.drained_s:.0f} s after HQ was back")
    places = Settings(data_dir=Path(), database="").writes_max
    demand(back.longest_line <= places, "I22", f"{back.longest_line} writes stood in line for {places} places")
