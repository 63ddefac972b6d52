"""Bench of identity at scale: a rebuild of the whole ledger by the command itself, ingest over HTTP on both databases.

Figures, never verdicts. `FLOORSIDE_BENCH_EVENTS` says how many events (ten a shopper), 100,000 unless told; what is
wanted is 1,000,000 in five minutes. Seconds of the processor stand beside those of the clock: machines are shared.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from sync_server.bootstrap import open_headquarters
from sync_server.services.sources import create_key
from sync_server.settings import Settings
from tests.bench.test_sync_bench import EVENTS, EVENTS_A_BATCH, VISITORS, interleaved_messages, say
from tests.conftest import EVENTS_VARIABLE, RecordFigure
from tests.support.ledger import write_ledger
from tests.support.postgresql import PostgresServer
from tests.support.programs import ServerProcess
from tests.support.traffic import add_shoppers, found_chain, open_chain

REBUILT = int(os.environ.get(EVENTS_VARIABLE, "100000"))
EVENTS_A_SHOPPER = 10
LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command took: seconds of the clock and of the processor, and its memory in MB every now and then."""

    wall_s: float
    cpu_s: float
    memory_mb: list[int]


def run_watched(words: list[str]) -> Ran:
    """Run `sync-server` and look at its memory while it runs."""
    used, started_s, memory = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), []
    process = subprocess.Popen([sys.executable, "-m", "sync_server", *words], stdout=subprocess.DEVNULL)
    while True:
        try:
            process.wait(timeout=LOOK_S)
            break
        except subprocess.TimeoutExpired:
            memory.append(memory_mb(process.pid))
    assert process.returncode == 0
    wall_s, now = time.perf_counter() - started_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Ran(wall_s, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime, memory or [0])


def memory_mb(pid: int) -> int:
    """What a process holds in memory now; 0 where the system does not tell."""
    try:
        told = Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return 0
    return int(told.partition("VmRSS:")[2].split()[0] or 0) // 1024 if "VmRSS:" in told else 0


def peaks(memory: list[int]) -> str:
    """The highest of the first, the middle and the last third."""
    third = max(len(memory) // 3, 1)
    return " / ".join(str(max(part)) for part in (memory[:third], memory[third:-third] or memory, memory[-third:]))


@pytest.mark.timeout(max(300, REBUILT // 400))
def test_who_is_who_is_rebuilt_from_the_ledger(tmp_path: Path, record_figure: RecordFigure):
    """First from a ledger that was never folded, so that every profile and document is written; then where all is
    there and nothing may change."""
    shoppers = REBUILT // EVENTS_A_SHOPPER
    with open_chain(tmp_path) as hq:
        found_chain(hq)
        write_ledger(hq, events=REBUILT, shoppers=shoppers)
    for what in ("everything is written", "nothing has changed"):
        ran = run_watched(["identity", "rebuild", "--data-dir", str(tmp_path)])
        claim = f"rebuild of {REBUILT:,} events and {shoppers:,} shoppers, SQLite, {what}"
        say(record_figure, claim, f"{REBUILT / ran.wall_s:,.0f}", "events/s")
        say(record_figure, f"{claim}: in all", f"{ran.wall_s:.0f}", "s")
        say(record_figure, f"{claim}: of the processor", f"{ran.cpu_s:.0f}", "s")
        say(record_figure, f"{claim}: memory, first / middle / last third", peaks(ran.memory_mb), "MB")
    with open_chain(tmp_path) as hq, hq.database.read() as reader:
        assert reader.count_rows("profile") == shoppers


# ingest ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["SQLite FULL", "PostgreSQL with fsync"])
def chain_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """(what it is called, the URL of a fresh durable database)."""
    if request.param.startswith("SQLite"):
        yield request.param, f"sqlite:///{tmp_path / 'hq' / 'central.db'}"
        return
    with tempfile.TemporaryDirectory(prefix="floorside-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder), is_durable=True)
        yield request.param, server.fresh_url()
        server.close()


def send_all(url: str, key: str) -> list[float]:
    """Batches of the tracking API one after the other, packing included; the seconds of each."""
    messages, taken_s = interleaved_messages(), []
    with httpx.Client(base_url=url, auth=(key, ""), timeout=60) as asker:
        asker.get("/healthz")
        for start in range(0, len(messages), EVENTS_A_BATCH):
            started_s = time.perf_counter()
            body = {"batch": messages[start : start + EVENTS_A_BATCH], "sentAt": messages[start]["timestamp"]}
            assert asker.post("/v1/batch", json=body).json() == {"success": True}
            taken_s.append(time.perf_counter() - started_s)
    return taken_s


def test_a_web_shop_sends_its_events(chain_url: tuple[str, str], tmp_path: Path, record_figure: RecordFigure):
    """Half the shoppers are known before. The processor's seconds are those of the server, its start included."""
    name, url = chain_url
    folder = tmp_path / "hq"
    with open_headquarters(Settings(data_dir=folder, database=url)) as hq:
        found_chain(hq)
        add_shoppers(hq, EVENTS // 8 // 2)
        key = create_key(hq, "web-shop-2")
    (folder / "settings.toml").write_text(f'database = "{url}"\n', "utf-8")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    server = ServerProcess(folder).start()
    try:
        taken_s = send_all(server.url, key)
    finally:
        server.stop()
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    claim = f"ingest over /v1/batch, {VISITORS} visitors at a time, {name}"
    say(record_figure, claim, f"{EVENTS / sum(taken_s):,.0f}", "events/s")
    say(
        record_figure,
        f"{claim}: by the median batch",
        f"{EVENTS_A_BATCH / statistics.median(taken_s):,.0f}",
        "events/s",
    )
    say(record_figure, f"{claim}: the server's processor", f"{cpu_s / EVENTS * 1e6:.0f}", "us/event")
