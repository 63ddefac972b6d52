"""Bench of sync over real HTTP: tablets push, a fresh one loads a store, and later pulls.

A real `sync-server serve` on SQLite with synchronous=FULL; what is timed is what a tablet or a sender sees. Figures,
never verdicts: they are printed with the machine's load beside them, because both processes share its cores.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from associate_app.adapters.http import HttpEndpoint
from associate_app.adapters.sqlite import TabletFile, open_tablet_database
from shared.wire.messages import FeedPage, SnapshotEnd, SnapshotHeader, SnapshotLine
from sync_server.services.headquarters import Headquarters
from sync_server.services.json_text import canonical
from tests.conftest import RecordFigure
from tests.support.bare_server import open_bare
from tests.support.programs import ServerProcess
from tests.support.tablet import KEY, TabletClock
from tests.support.traffic import (
    STORES,
    ShopDay,
    add_shoppers,
    found_chain,
    messages_of,
    open_chain,
    profile_document,
    profile_id,
    publish_profiles,
    shop_day,
)
from tests.support.world import Journalist, SeededChance, make_journalist

TABLETS = 8
OPS_A_TABLET = 2_500
SHOPPERS = 2_000
PROFILES = 50_000
CHANGES = 100
ROUNDS = 15
VISITORS = 60
"""Shoppers on the web shop at one time: their events come interleaved."""
EVENTS = 9_600
EVENTS_A_BATCH = 240
LINES_A_STEP = 2_000
"""As the tablet's own sync step takes them."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The server's data folder."""
    return tmp_path / "hq"


@pytest.fixture
def hq(folder: Path) -> Iterator[Headquarters]:
    """The chain on it, open beside the server to prepare what is sent."""
    with open_chain(folder) as opened:
        found_chain(opened)
        yield opened


def serve(folder: Path) -> ServerProcess:
    """Start the server on a prepared folder."""
    return ServerProcess(folder).start()


def say(record_figure: RecordFigure, claim: str, value: str, unit: str) -> None:
    """Record a figure with the machine's load of the last minute."""
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    record_figure(claim, value, f"{unit} ({load})")
    print(f"\n{claim}: {value} {unit} ({load})")


def middle_ms(taken_s: list[float]) -> str:
    """The median in milliseconds."""
    return f"{statistics.median(taken_s) * 1000:.1f}"


# push -----------------------------------------------------------------------------------------------------------------


def packed(message: dict[str, Any]) -> bytes:
    """A body as the tablet sends it."""
    return gzip.compress(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode(), 6)


def push_all(url: str, token: str, bodies: list[bytes]) -> list[tuple[float, list[str]]]:
    """One tablet sends its batches one after the other; the seconds and verdicts of each."""
    headers = {"Authorization": f"Bearer {token}", "Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
    answered = []
    with httpx.Client(base_url=url, headers=headers, timeout=60) as asker:
        asker.get("/healthz")
        for body in bodies:
            started_s = time.perf_counter()
            reply = asker.post("/v1/sync/push", content=body)
            taken_s = time.perf_counter() - started_s
            answered.append((taken_s, [result["verdict"] for result in reply.raise_for_status().json()["results"]]))
    return answered


def push_together(url: str, days: list[ShopDay], bodies: list[list[bytes]]) -> tuple[float, list[float], set[str]]:
    """All tablets at once: (seconds in all, seconds of each batch, verdicts)."""
    with ThreadPoolExecutor(len(days)) as tablets:
        started_s = time.perf_counter()
        sent = [tablets.submit(push_all, url, day.tablet.token, parts) for day, parts in zip(days, bodies, strict=True)]
        answered = [batch for tablet in sent for batch in tablet.result()]
        taken_s = time.perf_counter() - started_s
    return taken_s, sorted(batch_s for batch_s, _ in answered), {one for _, verdicts in answered for one in verdicts}


def push_bare_all(url: str, bodies: list[bytes]) -> None:
    """The same batches to the yardstick, from one tablet."""
    with httpx.Client(base_url=url, headers={"Content-Encoding": "gzip"}, timeout=60) as asker:
        for body in bodies:
            asker.post("/push", content=body).raise_for_status()


def push_bare(folder: Path, bodies: list[list[bytes]]) -> float:
    """Seconds in which a bare FastAPI and SQLite insert takes the same bytes from as many tablets."""
    server = ServerProcess(folder, program="tests.support.bare_server").start()
    try:
        with ThreadPoolExecutor(len(bodies)) as tablets:
            return timed_s(lambda: list(tablets.map(push_bare_all, [server.url] * len(bodies), bodies)))
    finally:
        server.stop()


def test_eight_tablets_push_their_day(hq: Headquarters, folder: Path, record_figure: RecordFigure):
    """2,500 ops each in batches of 250, durable, merged and published before each answer; then all of it again; and
    all of it to the yardstick, before and after, because this machine's pace wanders."""
    add_shoppers(hq, SHOPPERS)
    days = [shop_day(hq, number, ops=OPS_A_TABLET, shoppers=SHOPPERS) for number in range(TABLETS)]
    bodies = [[packed(batch) for batch in day.batches] for day in days]
    size = sum(len(json.dumps(batch["ops"])) for day in days for batch in day.batches) // (TABLETS * OPS_A_TABLET)
    bare_s = [push_bare(folder.with_name("bare-before"), bodies)]
    server = serve(folder)
    try:
        taken_s, batches_s, verdicts = push_together(server.url, days, bodies)
        assert verdicts == {"accepted"}
        again_s, _, verdicts = push_together(server.url, days, bodies)
        assert verdicts == {"duplicate"}
    finally:
        server.stop()
    bare_s.append(push_bare(folder.with_name("bare-after"), bodies))
    ops, count = TABLETS * OPS_A_TABLET, len(batches_s)
    claim = f"push, {TABLETS} tablets, ops of {size} bytes, SQLite FULL"
    say(record_figure, claim, f"{ops / taken_s:,.0f}", "ops/s")
    say(record_figure, f"{claim}: a bare insert of the same", f"{ops / statistics.mean(bare_s):,.0f}", "ops/s")
    say(record_figure, f"{claim}: of the bare insert's pace", f"{statistics.mean(bare_s) / taken_s:.2f}", "times")
    say(record_figure, f"{claim}: batch of 250, median", middle_ms(batches_s), "ms")
    say(record_figure, f"{claim}: batch of 250, p95", f"{batches_s[count * 95 // 100] * 1000:.0f}", "ms")
    say(record_figure, f"{claim}: the same again", f"{taken_s / again_s:.1f}", "times as fast")


def test_a_tablet_pulls_while_eight_others_push(hq: Headquarters, folder: Path, record_figure: RecordFigure):
    """A pull with nothing new, again and again while the server is busy with pushes: writing must not stop reading."""
    add_shoppers(hq, SHOPPERS // 4)
    reader = make_journalist(hq, STORES[0].code)
    days = [shop_day(hq, number, ops=OPS_A_TABLET // 2, shoppers=SHOPPERS // 4) for number in range(TABLETS)]
    bodies = [[packed(batch) for batch in day.batches] for day in days]
    server = serve(folder)
    try:
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {reader.token}"}) as asker:
            lines = asker.get("/v1/sync/snapshot", params={"scope": "all"}).text.splitlines()
            asked = {"scope": "all", "cursor": json.loads(lines[-1])["next"]}
            pulled_s: list[float] = []
            with ThreadPoolExecutor(1) as pushing:
                pushed = pushing.submit(push_together, server.url, days, bodies)
                while not pushed.done():
                    started_s = time.perf_counter()
                    assert asker.get("/v1/sync/pull", params=asked).json()["changes"] == []
                    pulled_s.append(time.perf_counter() - started_s)
                _, _, verdicts = pushed.result()
    finally:
        server.stop()
    assert verdicts == {"accepted"}
    pulled_s.sort()
    claim = f"pull with nothing new while {TABLETS} tablets push"
    say(record_figure, f"{claim}, median", middle_ms(pulled_s), "ms")
    say(record_figure, f"{claim}, p95", f"{pulled_s[len(pulled_s) * 95 // 100] * 1000:.0f}", "ms")


# pull -----------------------------------------------------------------------------------------------------------------


class CountingTransport(httpx.BaseTransport):
    """Real HTTP that counts the bytes of bodies as they come over the wire, still packed."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()
        self.received = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, and count what comes."""
        reply = self._inner.handle_request(request)
        assert isinstance(reply.stream, httpx.SyncByteStream)
        return httpx.Response(
            reply.status_code, headers=reply.headers, stream=_Counted(reply.stream, self), extensions=reply.extensions
        )

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class _Counted(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream, counter: CountingTransport) -> None:
        self._inner = inner
        self._counter = counter

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._inner:
            self._counter.received += len(piece)
            yield piece

    def close(self) -> None:
        self._inner.close()


@dataclass(frozen=True, slots=True)
class Receiver:
    """A tablet that only receives: its own file, its own connection."""

    database: TabletFile
    endpoint: HttpEndpoint
    transport: CountingTransport
    scope: str


def make_receiver(folder: Path, url: str, tablet: Journalist) -> Receiver:
    """A fresh tablet with a real, encrypted database file."""
    database = open_tablet_database(folder / "tablet.db", KEY, clock=TabletClock(), chance=SeededChance())
    transport = CountingTransport()
    endpoint = HttpEndpoint(url, token=lambda: tablet.token, transport=transport)
    return Receiver(database, endpoint, transport, tablet.scope)


def load_snapshot(receiver: Receiver) -> int:
    """Take the scope's snapshot into the tablet's file and make it live, which checks count and sum."""
    lines = receiver.endpoint.snapshot(receiver.scope)
    header = next(lines)
    assert isinstance(header, SnapshotHeader)
    waiting: list[SnapshotLine] = []
    for line in lines:
        if isinstance(line, SnapshotLine):
            waiting.append(line)
        if len(waiting) == LINES_A_STEP or isinstance(line, SnapshotEnd):
            receiver.database.load_snapshot(header, waiting)
            waiting = []
        if isinstance(line, SnapshotEnd):
            return receiver.database.swap_snapshot(receiver.scope, line).count
    raise AssertionError("the snapshot has no end")


def pull(receiver: Receiver) -> FeedPage:
    """One page from where the tablet stands."""
    held = receiver.database.state(receiver.scope)
    assert held is not None
    assert held.cursor is not None
    return receiver.endpoint.pull(receiver.scope, held.cursor)


def pull_and_apply(receiver: Receiver) -> int:
    """Pull what is new, apply it and check it, as a round of sync does; how many documents came."""
    page = pull(receiver)
    state = receiver.database.apply_page(page)
    assert page.check is not None
    assert (state.at, state.count, state.sum) == (page.check.at, page.check.count, page.check.sum)
    return len(page.changes)


def timed_s(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


def load_bare(folder: Path) -> float:
    """Seconds in which a bare page sync brings the same documents, unpacked and unchecked, into a plain SQLite file."""
    database = open_bare(folder)
    documents = ((number, profile_id(number), canonical(profile_document(number))) for number in range(PROFILES))
    with database:
        database.executemany("INSERT INTO documents VALUES (?, ?, ?)", documents)
    database.close()
    server = ServerProcess(folder, program="tests.support.bare_server").start()
    try:
        return timed_s(lambda: pull_bare(server.url, folder / "received"))
    finally:
        server.stop()


def pull_bare(url: str, folder: Path) -> None:
    """Page after page into a file of its own, a commit each."""
    received, after = open_bare(folder), 0
    with httpx.Client(base_url=url, headers={"Accept-Encoding": "identity"}, timeout=60) as asker:
        while changes := asker.get("/page", params={"after": after}).json()["changes"]:
            rows = [(change["number"], change["id"], json.dumps(change["doc"])) for change in changes]
            with received:
                received.executemany("INSERT INTO documents VALUES (?, ?, ?)", rows)
            after = changes[-1]["number"]
    received.close()


def test_a_fresh_tablet_loads_a_store_and_then_follows_it(hq: Headquarters, folder: Path, record_figure: RecordFigure):
    """The first load of a large store, then pulls after 100 changes, then pulls with nothing new."""
    tablet = make_journalist(hq, STORES[0].code)
    bare_s = load_bare(folder.with_name("bare"))
    size = publish_profiles(hq, STORES[0].code, range(PROFILES)) // PROFILES
    server = serve(folder)
    receiver = make_receiver(folder, server.url, tablet)
    try:
        started_s = time.perf_counter()
        assert load_snapshot(receiver) >= PROFILES
        taken_s = time.perf_counter() - started_s
        wire_mb = receiver.transport.received / 1e6
        changed_s = []
        for version in range(1, ROUNDS + 1):
            first = version * CHANGES
            publish_profiles(hq, STORES[0].code, range(first, first + CHANGES), version=version)
            started_s = time.perf_counter()
            assert pull_and_apply(receiver) == CHANGES
            changed_s.append(time.perf_counter() - started_s)
        before = receiver.transport.received
        nothing_s = [timed_s(lambda: pull(receiver)) for _ in range(ROUNDS * 4)]
        body = (receiver.transport.received - before) // (ROUNDS * 4)
    finally:
        receiver.endpoint.close()
        receiver.database.close()
        server.stop()
    claim = f"first load, {PROFILES:,} profiles of {size} bytes into a tablet's file, checked"
    say(record_figure, claim, f"{PROFILES / taken_s:,.0f}", "documents/s")
    say(record_figure, f"{claim}: a bare page sync of the same", f"{PROFILES / bare_s:,.0f}", "documents/s")
    say(record_figure, f"{claim}: of the bare page sync's pace", f"{bare_s / taken_s:.2f}", "times")
    say(record_figure, f"{claim}: on the wire", f"{wire_mb:.1f}", "MB")
    say(record_figure, f"pull after {CHANGES} changes, applied and checked, median", middle_ms(changed_s), "ms")
    say(record_figure, "pull with nothing new, median", middle_ms(nothing_s), "ms")
    say(record_figure, "pull with nothing new, body", str(body), "bytes")


# ingest ---------------------------------------------------------------------------------------------------------------


def interleaved_messages() -> list[dict[str, Any]]:
    """Sessions of a web shop: some visitors at a time, their events in turns, the next group after them."""
    now, made = datetime.now(UTC), []
    for start in range(0, EVENTS // 8, VISITORS):
        sessions = [messages_of(number, now, turn=number % 2) for number in range(start, start + VISITORS)]
        made += [session[place] for place in range(8) for session in sessions]
    return made
