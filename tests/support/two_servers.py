"""Two server processes on one PostgreSQL: tablets push to both in turns while cursors pull from both all the while.

`run_both` says what each cursor held in the end and what it missed; the caller judges. Real processes, real HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

from sync_server.services.feed import Cursor, seal_cursor
from sync_server.services.headquarters import Headquarters
from tests.support.programs import ForkedServer, ServerProcess
from tests.support.world import Journalist, make_headquarters, make_journalist

SHARED_SHOPPERS = ("2900000000018", "2900000000025", "2900000000032")
TRIES_MAX = 100
SMALL_OPS, SMALL_A_LARGE = 2, 6
"""Every other tablet sends small batches, so that short transactions overtake long ones."""


@dataclass(slots=True)
class Replica:
    """What one cursor was given, with the positions in the order they came."""

    scope: str
    held: dict[str, tuple[int, str]] = field(default_factory=dict)
    positions: list[int] = field(default_factory=list)

    def take(self, page: dict[str, Any]) -> None:
        """Apply a page."""
        for change in page["changes"]:
            self.positions.append(change["s"])
            if change["op"] == "put":
                self.held[change["id"]] = (change["s"], change["h"])
            else:
                self.held.pop(change["id"], None)

    def missed(self, scope: dict[str, tuple[int, str]]) -> int:
        """How many documents of the scope it does not hold as they are."""
        return sum(self.held.get(document_id) != version for document_id, version in scope.items())


@contextmanager
def two_servers(url: str, folder: Path, program: str = "sync_server") -> Iterator[tuple[Headquarters, list[str]]]:
    """(headquarters opened beside them, their URLs): two processes of a program on one database and one key folder."""
    hq = make_headquarters(url, folder)
    (folder / "settings.toml").write_text(f'database = "{url}"\n', "utf-8")
    forked = program == "sync_server"
    servers = [ForkedServer(folder) if forked else ServerProcess(folder, program=program) for _ in range(2)]
    try:
        for server in servers:
            server.start()
        yield hq, [server.url for server in servers]
    finally:
        for server in servers:
            server.stop()
        hq.database.close()


def run_both(hq: Headquarters, urls: list[str], *, batches: int, ops: int, tablets: int = 2) -> list[Replica]:
    """Push from `tablets` of each store, follow each store with two cursors, until all is pushed and pulled."""
    pushing = [make_journalist(hq, store) for store in ("berlin-1", "zurich-1") for _ in range(tablets)]
    days = [(batches, ops), (batches * SMALL_A_LARGE, SMALL_OPS)]
    messages = [_day(tablet, *days[place % 2]) for place, tablet in enumerate(pushing)]
    following = [make_journalist(hq, store) for store in ("berlin-1", "zurich-1") for _ in range(2)]
    all_pushed = threading.Event()
    with ThreadPoolExecutor(len(pushing) + len(following)) as threads:
        pulled = [threads.submit(_follow, hq, tablet, urls, all_pushed) for tablet in following]
        pushed = [threads.submit(_push, tablet, day, urls) for tablet, day in zip(pushing, messages, strict=True)]
        try:
            for one in pushed:
                one.result()
        finally:
            all_pushed.set()
        return [one.result() for one in pulled]


def scope_of(hq: Headquarters, scope: str) -> dict[str, tuple[int, str]]:
    """The live documents of a scope: id -> (position, hash)."""
    with hq.database.read() as reader:
        return {row.id: (row.s, row.h) for row in reader.live_docs(scope, "")}


def _day(tablet: Journalist, batches: int, ops: int) -> list[dict[str, Any]]:
    """Feedback, a document each; in Berlin every other op is a note about a shopper all tablets know."""
    made = []
    for batch in range(batches):
        for number in range(ops):
            if number % 2 and tablet.scope == "store:berlin-1":
                tablet.note(f"{batch}.{number}", loyalty_id=SHARED_SHOPPERS[(batch + number // 2) % 3])
            else:
                tablet.record("feedback_given", {"about": "other", "text": f"{batch}.{number}"})
        made.append(tablet.message(tablet.ops[-ops:]))
    return made


def _push(tablet: Journalist, day: list[dict[str, Any]], urls: list[str]) -> None:
    headers = {"Authorization": f"Bearer {tablet.token}"}
    with httpx.Client(headers=headers, timeout=60) as asker:
        for message, url in zip(day, cycle(urls), strict=False):
            for _ in range(TRIES_MAX):
                reply = asker.post(f"{url}/v1/sync/push", json=message)
                if reply.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    break
            verdicts = {result["verdict"] for result in reply.raise_for_status().json()["results"]}
            assert verdicts == {"accepted"}, reply.text


def _follow(hq: Headquarters, tablet: Journalist, urls: list[str], all_pushed: threading.Event) -> Replica:
    replica = Replica(tablet.scope)
    cursor = seal_cursor(Cursor.at(tablet.epoch, tablet.scope, 0), hq.keys.hmac_key("cursor"))
    headers = {"Authorization": f"Bearer {tablet.token}"}
    with httpx.Client(headers=headers, timeout=60) as asker:
        for url in cycle(urls):
            is_last = all_pushed.is_set()
            reply = asker.get(f"{url}/v1/sync/pull", params={"scope": tablet.scope, "cursor": cursor, "limit": 200})
            page = reply.raise_for_status().json()
            replica.take(page)
            cursor = page["next"]
            if is_last and not page["more"]:
                break
    return replica
