"""N server processes on one database: no cursor misses a row, each hears the other, a restart is only a wait."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync_server.services.headquarters import Headquarters
from tests.support.ears import hear
from tests.support.postgresql import PostgresServer
from tests.support.two_servers import SMALL_A_LARGE, SMALL_OPS, run_both, scope_of, two_servers
from tests.support.world import make_headquarters, make_journalist

BATCHES, OPS = 4, 60
NOTES = BATCHES * OPS // 2 + BATCHES * SMALL_A_LARGE * SMALL_OPS // 2
"""Of the two tablets in Berlin, one with large batches, one with small ones."""


def test_two_processes_and_no_cursor_misses_a_row(postgresql: PostgresServer, tmp_path: Path) -> None:
    """Each replica equals its scope, positions rise without a gap, no op is lost, parked or told twice."""
    with two_servers(postgresql.fresh_url(), tmp_path / "hq") as (hq, urls):
        replicas = run_both(hq, urls, batches=BATCHES, ops=OPS)
        for replica in replicas:
            scope = scope_of(hq, replica.scope)
            assert replica.missed(scope) == 0
            assert replica.held == scope
            assert replica.positions == sorted(set(replica.positions))
        zurich = scope_of(hq, "store:zurich-1")
        assert sorted(s for s, _ in zurich.values()) == list(range(1, len(zurich) + 1))
        notes = hq_notes(hq)
        assert len(notes) == len(set(notes)) == NOTES


def hq_notes(hq: Headquarters) -> list[str]:
    """The op ids of all notes on the profiles of Berlin, as the feed has them."""
    with hq.database.read() as reader:
        profiles = [json.loads(row.body) for row in reader.docs_of("store:berlin-1", "profile/")]
    return [note["op_id"] for profile in profiles for note in profile["notes"]]


def test_a_push_to_one_process_rings_whoever_waits_at_another(database_url: str, tmp_path: Path) -> None:
    """By the database alone: the other process neither shares a doorbell nor looks at the heads by itself."""
    first = make_headquarters(database_url, tmp_path)
    tablet = make_journalist(first)
    tablet.note("rings")
    answers: list[dict[str, Any]] = []
    before, now = hear(first, tablet.scope, lambda: answers.append(tablet.push()))
    assert now == answers[0]["visible_at"][tablet.scope] > before
    first.database.close()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that nobody else uses, to be stopped and started."""
    with tempfile.TemporaryDirectory(prefix="floorside-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder), is_durable=True)
        yield server
        server.close()


def test_a_database_that_restarts_is_a_wait_and_no_error(own_server: PostgresServer, tmp_path: Path) -> None:
    """While it is away everything is 503 `busy`; back again the same process serves, and the ear hears again."""
    with two_servers(own_server.fresh_url(), tmp_path / "hq") as (hq, urls):
        tablet, url = make_journalist(hq), urls[0]
        headers = {"Authorization": f"Bearer {tablet.token}"}
        tablet.note("before")
        with httpx.Client(base_url=url, headers=headers, timeout=60) as asker:
            assert asker.post("/v1/sync/push", json=tablet.message()).status_code == httpx.codes.OK
            own_server.stop()
            tablet.note("while it was away")
            away = [asker.post("/v1/sync/push", json=tablet.message()), asker.get("/v1/sync/wait?known=all:0")]
            for refused in (*away, asker.get("/healthz")):
                assert (refused.status_code, refused.json()["code"]) == (503, "busy")
                assert int(refused.headers["Retry-After"]) > 0
            own_server.start()
            reply = asker.post("/v1/sync/push", json=tablet.message()).json()
            assert [result["verdict"] for result in reply["results"]] == ["duplicate", "accepted"]
            known = f"{tablet.scope}:{reply['visible_at'][tablet.scope]}"
            assert asker.get(f"/v1/sync/wait?known={known}&seconds=0").status_code == httpx.codes.OK
