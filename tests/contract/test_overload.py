"""Overload and ends: a full queue, a sender that hangs up, a server that stops. Nothing is half-written or twice."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync_server.adapters.write_queue import RETRY_S_MAX, ThreadedQueue
from sync_server.api.app import make_app
from sync_server.services.headquarters import Headquarters
from sync_server.services.sources import create_key
from sync_server.settings import DATABASE_FILE
from tests.support.asgi_endpoint import AsgiTransport
from tests.support.asking import Asker, problem_of
from tests.support.programs import ForkedServer
from tests.support.tablet import connect, make_tablet
from tests.support.traffic import found_chain, open_chain
from tests.support.world import Journalist, SeededChance, make_journalist

WAIT_S = 30


@pytest.fixture
def queue() -> Iterator[ThreadedQueue]:
    """A queue of one place."""
    made = ThreadedQueue(SeededChance(), places=1)
    yield made
    made.close()


@contextmanager
def filled(queue: ThreadedQueue) -> Iterator[None]:
    """The queue while its only place is taken."""
    done, loop = threading.Event(), asyncio.new_event_loop()
    work = loop.create_task(queue.take(lambda: done, lambda until: until.wait(WAIT_S)))
    loop.run_until_complete(asyncio.sleep(0))
    try:
        yield
    finally:
        done.set()
        assert loop.run_until_complete(work)
        loop.close()


def facts_of(hq: Headquarters, kind: str = "note_added") -> list[str]:
    """The op ids of a kind in HQ's ledger."""
    with hq.database.read() as reader:
        return sorted(row["fact_id"] for row in reader.rows("fact", kind=kind))


def test_a_full_queue_is_told_and_the_ops_come_later_once(
    hq: Headquarters, tablet: Journalist, queue: ThreadedQueue
) -> None:
    """503 busy with Retry-After for whoever writes; readers are served; afterwards the same batch is new, once."""
    asker = Asker(replace(hq, queue=queue), tablet.token)
    op = tablet.note("looks for a shell")
    message = tablet.message()
    with filled(queue):
        for path in ("/v1/sync/push", "/v1/sync/hello", "/v1/sync/salvage", "/v1/enroll"):
            reply = asker.post(path, message)
            assert problem_of(reply) == (503, "busy")
            assert 1 <= int(reply.headers["Retry-After"]) <= RETRY_S_MAX
            assert reply.json()["retry_after_s"] == int(reply.headers["Retry-After"])
        assert asker.get("/healthz").status_code == 200
        assert len(asker.snapshot("store:berlin-1")) > 2
        assert facts_of(hq) == []
    for verdict in ("accepted", "duplicate"):
        reply = asker.post("/v1/sync/push", message)
        assert [result["verdict"] for result in reply.json()["results"]] == [verdict]
    assert facts_of(hq) == [op["op_id"]]


def test_a_sender_of_events_is_told_in_its_own_words(hq: Headquarters, queue: ThreadedQueue) -> None:
    """503 and Retry-After, which unmodified senders wait for; nothing of the batch was taken."""
    key, asker = create_key(hq, "web"), Asker(replace(hq, queue=queue))
    event = {"type": "track", "event": "Product Viewed", "userId": "c-1", "messageId": "m-1", "writeKey": key}
    with filled(queue):
        reply = asker.post("/v1/track", event)
    assert (reply.status_code, reply.json()["code"]) == (503, "busy")
    assert 1 <= int(reply.headers["Retry-After"]) <= RETRY_S_MAX
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert facts_of(hq, "event") == []
    assert asker.post("/v1/track", event).json() == {"success": True}
    assert len(facts_of(hq, "event")) == 1


def test_a_tablet_that_was_turned_away_sends_all_of_it_once(
    hq: Headquarters, queue: ThreadedQueue, tmp_path: Path
) -> None:
    """The real tablet keeps its outbox, waits as it was told, and everything arrives."""
    transport = AsgiTransport(make_app(replace(hq, queue=queue)))
    tablet = make_tablet(tmp_path, transport)
    connect(tablet, hq)
    ops = [tablet.note(f"note {number}") for number in range(3)]
    with filled(queue):
        assert not tablet.sync().is_complete
        assert facts_of(hq) == []
    tablet.run(120)
    assert facts_of(hq) == sorted(op.op_id for op in ops)
    assert transport.bugs == []
    tablet.database.close()
    transport.close()


# a real server --------------------------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[ForkedServer, Journalist]]:
    """A server on SQLite with a tablet that recorded one note."""
    with open_chain(tmp_path / "hq") as hq:
        found_chain(hq)
        tablet = make_journalist(hq, "store-0")
        tablet.note("kept until the end")
        server = ForkedServer(tmp_path / "hq").start()
        yield server, tablet
        server.kill()


@contextmanager
def held_database(server: ForkedServer) -> Iterator[sqlite3.Connection]:
    """The database while another program writes to it: the server's writer waits in the middle of its work."""
    connection = sqlite3.connect(server.data_dir / DATABASE_FILE, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def push(server: ForkedServer, tablet: Journalist, message: dict[str, Any]) -> httpx.Response:
    """One push over a connection of its own."""
    headers = {"Authorization": f"Bearer {tablet.token}"}
    return httpx.post(f"{server.url}/v1/sync/push", json=message, headers=headers, timeout=WAIT_S)


def send_only(server: ForkedServer, tablet: Journalist, message: dict[str, Any]) -> socket.socket:
    """Send a push and do not wait for the answer. When it returns, the server has the request."""
    request = httpx.Request("POST", f"{server.url}/v1/sync/push", json=message)
    head = f"POST /v1/sync/push HTTP/1.1\r\nHost: hq\r\nAuthorization: Bearer {tablet.token}\r\n"
    line = socket.create_connection(("127.0.0.1", server.port))
    line.sendall(f"{head}Content-Length: {len(request.content)}\r\n\r\n".encode() + request.content)
    assert httpx.get(f"{server.url}/healthz").status_code == 200  # it came later on the same loop, and was answered
    return line


def test_a_sender_that_hangs_up_leaves_the_writer_free(served: tuple[ForkedServer, Journalist]) -> None:
    """Its ops are written or not; sent again they are there once, and others were never in their way."""
    server, tablet = served
    message = tablet.message()
    with held_database(server) as other:
        send_only(server, tablet, message).close()
        other.execute("ROLLBACK")
    verdicts = [push(server, tablet, message).json()["results"][0]["verdict"] for _ in range(2)]
    assert verdicts[0] in ("accepted", "duplicate")
    assert verdicts[1] == "duplicate"


def test_a_server_that_stops_answers_what_is_under_way(served: tuple[ForkedServer, Journalist]) -> None:
    """SIGTERM in the middle of a push: it is written, answered with its receipt, and then the server ends."""
    server, tablet = served
    with held_database(server) as other, ThreadPoolExecutor(1) as stopper:
        with send_only(server, tablet, tablet.message()) as line, line.makefile("rb") as told:
            stopped = stopper.submit(server.stop)
            while not _is_deaf(server):
                pass
            other.execute("ROLLBACK")
            answer = told.read()
        stopped.result(WAIT_S)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"verdict":"accepted"' in answer
    with open_chain(server.data_dir) as hq:
        assert facts_of(hq) == [op["op_id"] for op in tablet.ops]


def _is_deaf(server: ForkedServer) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S).close()
    except OSError:
        return True
    return False
