"""The push on PostgreSQL, measured as on SQLite: one server process, then two, fsync on. Printed, never judged."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sync_server.bootstrap import open_headquarters
from sync_server.settings import Settings
from tests.bench.test_sync_bench import packed, push_all, say
from tests.conftest import RecordFigure
from tests.support.postgresql import PostgresServer
from tests.support.programs import ServerProcess
from tests.support.traffic import add_shoppers, found_chain, shop_day

TABLETS, OPS_A_TABLET, SHOPPERS = 8, 1_000, 1_000


@pytest.fixture
def durable() -> Iterator[PostgresServer]:
    """A PostgreSQL as it comes: every COMMIT is on the disk."""
    with tempfile.TemporaryDirectory(prefix="floorside-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder), is_durable=True)
        yield server
        server.close()


def push_to(urls: list[str], sent: list[tuple[str, list[bytes]]]) -> tuple[float, list[tuple[float, list[str]]]]:
    """All tablets at once, each to its server: (seconds in all, seconds and verdicts of each batch)."""
    with ThreadPoolExecutor(len(sent)) as tablets:
        started_s = time.perf_counter()
        work = [tablets.submit(push_all, url, *one) for url, one in zip(urls, sent, strict=True)]
        answered = [batch for one in work for batch in one.result()]
        return time.perf_counter() - started_s, answered


@pytest.mark.parametrize("processes", [1, 2])
def test_eight_tablets_push_to_postgresql(
    durable: PostgresServer, tmp_path: Path, record_figure: RecordFigure, processes: int
):
    """1,000 ops each in batches of 250, durable, merged and published before each answer; tablets in turns."""
    url, folder = durable.fresh_url(), tmp_path / "hq"
    with open_headquarters(Settings(data_dir=folder, database=url)) as hq:
        found_chain(hq)
        add_shoppers(hq, SHOPPERS)
        days = [shop_day(hq, number, ops=OPS_A_TABLET, shoppers=SHOPPERS) for number in range(TABLETS)]
    (folder / "settings.toml").write_text(f'database = "{url}"\n', "utf-8")
    servers = [ServerProcess(folder).start() for _ in range(processes)]
    try:
        urls = [servers[number % processes].url for number in range(TABLETS)]
        taken_s, answered = push_to(urls, [(day.tablet.token, [packed(one) for one in day.batches]) for day in days])
    finally:
        for server in servers:
            server.stop()
    assert {verdict for _, verdicts in answered for verdict in verdicts} == {"accepted"}
    batches_s = sorted(batch_s for batch_s, _ in answered)
    claim = f"push, {TABLETS} tablets, {processes} server process(es), PostgreSQL with fsync"
    say(record_figure, claim, f"{TABLETS * OPS_A_TABLET / taken_s:,.0f}", "ops/s")
    say(record_figure, f"{claim}: batch of 250, p95", f"{batches_s[len(batches_s) * 95 // 100] * 1000:.0f}", "ms")
