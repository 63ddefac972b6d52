"""Bench of the return after an outage: 500 tablets with an hour's backlog come back to one server at about one time.

Each light tablet says hello, pushes its backlog and takes the small scope's snapshot (not a pull: it holds no cursor)
over real loopback HTTP, with the engine's own back-off and time limits. The return is spread over less than in life.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from associate_app.adapters.http import CONNECT_S, READ_S
from associate_app.sync.state import RETURN_SPREAD_S, backoff_s
from shared.clock import format_at
from shared.journal import CHAIN_START
from tests.conftest import RecordFigure
from tests.support.programs import ServerProcess
from tests.support.traffic import found_chain, open_chain, shop_day

TABLETS = 500
OPS = 30
SHOPPERS = 2_000
SPREAD_S = 10.0
TRIES_MAX = 60
TIMEOUT = httpx.Timeout(READ_S, connect=CONNECT_S)


@dataclass(slots=True)
class Tally:
    """What all tablets met."""

    taken_s: list[float] = field(default_factory=list)
    timeouts: int = 0
    told_to_wait: int = 0
    drained: int = 0


@dataclass(frozen=True, slots=True)
class Returning:
    """A tablet that comes back: who it is and the batch it owes."""

    token: str
    device_id: str
    install_id: str
    batch: dict[str, Any]


async def ask(http: httpx.AsyncClient, tally: Tally, draw: random.Random, *words: str, **more: Any) -> httpx.Response:
    """Ask until answered, waiting as the engine does after each failure."""
    for failures in range(TRIES_MAX):
        started_s, owed_s = time.perf_counter(), 0.0
        try:
            reply = await http.request(*words, **more)
        except httpx.TimeoutException:
            tally.timeouts += 1
        else:
            tally.taken_s.append(time.perf_counter() - started_s)
            if reply.status_code not in (429, 503):
                return reply.raise_for_status()
            tally.told_to_wait += 1
            owed_s = float(reply.headers.get("Retry-After", 0))
        await asyncio.sleep(max(owed_s, backoff_s(failures, draw.random())))
    raise AssertionError("a tablet never got through")


async def come_back(url: str, tablet: Returning, tally: Tally, draw: random.Random) -> None:
    """One tablet's return: hello, everything owed, and what is new."""
    await asyncio.sleep(draw.uniform(0, SPREAD_S))
    headers = {"Authorization": f"Bearer {tablet.token}", "Accept-Encoding": "gzip"}
    hello = {
        "proto": 1,
        "device_id": tablet.device_id,
        "install_id": tablet.install_id,
        "app": "1.0.0",
        "epoch": tablet.batch["epoch"],
        "device_now": format_at(datetime.now(UTC)),
        "head_seq": OPS,
        "acked_seq": 0,
        "chain": CHAIN_START,
    }
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT, trust_env=False, verify=False) as http:
        await ask(http, tally, draw, "POST", "/v1/sync/hello", json=hello)
        body = gzip.compress(json.dumps(tablet.batch).encode(), 6)
        packed = {"content": body, "headers": {"Content-Encoding": "gzip", "Content-Type": "application/json"}}
        reply = await ask(http, tally, draw, "POST", "/v1/sync/push", **packed)
        verdicts = {result["verdict"] for result in reply.json()["results"]}
        assert verdicts <= {"accepted", "duplicate"}, verdicts
        await ask(http, tally, draw, "GET", "/v1/sync/snapshot", params={"scope": "all"})
        tally.drained += 1


async def come_back_together(url: str, tablets: list[Returning]) -> Tally:
    """All of them."""
    tally = Tally()
    async with asyncio.TaskGroup() as group:
        for number, tablet in enumerate(tablets):
            group.create_task(come_back(url, tablet, tally, random.Random(number)))
    return tally


def make_returning(folder: Path) -> list[Returning]:
    """The chain, its tablets and an hour's backlog of each."""
    made = []
    with open_chain(folder) as hq:
        found_chain(hq)
        for number in range(TABLETS):
            day = shop_day(hq, number, ops=OPS, shoppers=SHOPPERS)
            [batch] = day.batches
            tablet = day.tablet
            made.append(Returning(tablet.token, tablet.device.device_id, tablet.install_id, batch))
    return made


def test_five_hundred_tablets_come_back_and_none_times_out(tmp_path: Path, record_figure: RecordFigure) -> None:
    """After an hour without HQ every tablet drains, and none waits longer than a tablet waits."""
    tablets = make_returning(tmp_path / "hq")
    server = ServerProcess(tmp_path / "hq").start()
    try:
        started_s = time.perf_counter()
        tally = asyncio.run(come_back_together(server.url, tablets))
        taken_s = time.perf_counter() - started_s
    finally:
        server.stop()
    assert (tally.drained, tally.timeouts) == (TABLETS, 0)
    taken = sorted(tally.taken_s)
    claim = f"{TABLETS} tablets with {OPS} ops each return within {SPREAD_S:.0f} s (in life {RETURN_SPREAD_S:.0f} s)"
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    figures = {
        "all drained after": (f"{taken_s:.1f}", "s"),
        "request, p95": (f"{taken[len(taken) * 95 // 100] * 1000:.0f}", "ms"),
        "request, p99": (f"{taken[len(taken) * 99 // 100] * 1000:.0f}", "ms"),
        "timeouts": (tally.timeouts, ""),
        "told to wait (503)": (tally.told_to_wait, ""),
    }
    for what, (value, unit) in figures.items():
        record_figure(f"{claim}: {what}", value, f"{unit} ({load})".strip())
        print(f"\n{claim}: {what}: {value} {unit} ({load})")
